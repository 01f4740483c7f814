import pytest

from archive.articles import Period
from archive.errors import SettingsError
from archive.settings import Settings, load_settings


def test_a_wrong_value_names_its_variable(monkeypatch):
    monkeypatch.setenv("ARCHIVAR_PORT", "achttausend")
    with pytest.raises(SettingsError, match="ARCHIVAR_PORT"):
        load_settings()


@pytest.mark.parametrize("language", ["fr", "DE", "deutsch"])
def test_a_language_that_no_message_is_written_in_is_refused_in_one_line(monkeypatch, language):
    monkeypatch.setenv("ARCHIVAR_LANGUAGE", language)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value) == (
        "ARCHIVAR_LANGUAGE: Input should be 'de' or 'en'; see the table of settings in the README"
    )


def test_options_go_before_the_environment(monkeypatch):
    monkeypatch.setenv("ARCHIVAR_PORT", "8001")
    assert load_settings().port == 8001
    assert load_settings(port=8002, host=None).port == 8002


def test_every_setting_is_described_in_the_readme(request):
    readme = (request.config.rootpath / "README.md").read_text()
    for name, field in Settings.model_fields.items():
        assert f"| `ARCHIVAR_{name.upper()}` |" in readme, name
        assert field.description and field.description in readme, name


def test_a_period_without_bounds_has_no_timestamps():
    assert Period().timestamps() == (None, None)
