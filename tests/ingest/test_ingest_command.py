import json

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

import archive.embedding
from archive.durations import duration
from ingest import commands, progress
from ingest.pipeline import Progress
from ingest.report import Reject, Report


@pytest.fixture
def run(tmp_path, monkeypatch, embedder):
    """Runs `archivar ingest` with an embedder that needs no model."""
    monkeypatch.setattr(archive.embedding, "load_embedder", lambda settings, store: embedder)
    monkeypatch.setenv("ARCHIVAR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ARCHIVAR_MODELS", str(tmp_path / "models"))
    app = typer.Typer()
    app.command()(commands.ingest)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def source(tmp_path):
    def write(*records, name="a.jsonl"):
        path = tmp_path / name
        path.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
        return path

    return write


def record(number):
    return {"id": number, "title": f"Meldung mit der Nummer {number}"}


def test_all_stored_then_nothing_new(run, source):
    path = source(record(1), record(2))
    first, second = run(path), run(path)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "2 articles stored, 0 changed, 0 already known, 0 rejected" in first.stdout
    assert "passages per second" in first.stdout
    assert "Nothing new: 2 articles known already" in second.stdout


def test_rejects_are_listed_and_kept(run, source, tmp_path):
    path = source(record(1), *({"id": number} for number in range(2, 27)))
    result = run(path)
    assert result.exit_code == 3
    assert "1 article stored" in result.stdout
    assert f"{path}, line 2: no title" in result.stderr
    assert f"{path}, line 21: no title" in result.stderr
    assert "line 22" not in result.stderr
    assert "... and 5 more" in result.stderr
    run(path)
    kept = [json.loads(line) for line in (tmp_path / "home" / "rejects.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(kept) == 50
    assert kept[0].keys() == {"time", "file", "reason", "place"}


def test_only_rejects_is_an_error(run, source):
    result = run(source({"id": 1}))
    assert (result.exit_code, "Nothing stored." in result.stdout) == (1, True)


def test_an_empty_source_is_none(run, source):
    result = run(source())
    assert (result.exit_code, "no articles" in result.stdout) == (0, True)


@pytest.mark.parametrize("arguments", [["fehlt.jsonl"], ["fehlt.jsonl", "fehlt-auch"]])
def test_missing_files_end_before_a_model_is_loaded(arguments, run, monkeypatch):
    monkeypatch.setattr(archive.embedding, "load_embedder", lambda *_: pytest.fail("a model was loaded"))
    result = run(*arguments)
    assert result.exit_code == 1
    assert "no such file" in result.stderr


def test_one_missing_file_of_two_is_a_reject(run, source):
    result = run(source(record(1)), "fehlt.jsonl")
    assert result.exit_code == 3
    assert "fehlt.jsonl: no such file" in result.stderr


def test_json_report_and_options(run, source, tmp_path):
    result = run(source(record(1), {}), "--json", "--home", tmp_path / "anderswo", "--source", "heise.de")
    report = json.loads(result.stdout)
    assert (report["stored"], report["rejected"][0]["place"]) == (1, "line 2")
    assert report.keys() == {
        "stored", "changed", "unchanged", "rejected", "passages", "seconds", "withdrawn", "forgotten",
    }  # fmt: skip
    assert (tmp_path / "anderswo" / "ledger.sqlite3").exists()
    assert not (tmp_path / "home").exists()


def test_bad_settings_are_one_line(run, source, monkeypatch):
    monkeypatch.setenv("ARCHIVAR_TOP_K", "viele")
    result = run(source(record(1)))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ARCHIVAR_TOP_K")


def test_lines_come_every_few_seconds_where_there_is_no_terminal(tmp_path, monkeypatch):
    clock = iter([0.0, 1.0, 6.0, 7.0, 12.0])
    monkeypatch.setattr(progress, "monotonic", lambda: next(clock))
    with (tmp_path / "out").open("w") as out, progress.shown(lambda: 100, Console(file=out)) as show:
        for records in (10, 20, 30, 120):
            show(Progress(records, records * 2))
    lines = (tmp_path / "out").read_text().splitlines()
    assert lines == [
        "20 of about 100 articles, 40 passages, 7 passages/s, about 24 s left",
        "120 of about 120 articles, 240 passages, 20 passages/s, about 0.0 s left",
    ]


def test_a_terminal_gets_a_bar(tmp_path):
    with (tmp_path / "out").open("w") as out:
        console = Console(file=out, force_terminal=True, width=120)
        with progress.shown(lambda: 10, console) as show:
            show(Progress(10, 20))
            show(Progress(12, 24))
    assert "12 articles, 24 passages" in (tmp_path / "out").read_text()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.42, "0.4 s"), (59.9, "1 min 0 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_exit_codes():
    reject = (Reject("a", "b"),)
    assert Report(0, 0, 0, (), 0, 0).exit_code == 0
    assert Report(0, 0, 0, reject, 0, 0).exit_code == 1
    assert Report(0, 0, 1, reject, 0, 0).exit_code == 3
