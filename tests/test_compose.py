"""compose.yaml against the program: no engine runs here, so what can be read is checked."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from archive.settings import Settings
from server.openwebui import environment, shared_settings

ROOT = Path(__file__).resolve().parent.parent
ONE_SHOTS = {"ollama-pull", "models"}
PUBLISHED = {"api", "webui"}
MONITORING = {"prometheus", "grafana"}
LISTENING_NOWHERE = {"watch"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==", 1) for line in lines if "==" in line and not line.startswith("#"))


def test_images_are_pinned(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"]), f"{name}: {service['image']}"
    for image in re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.M):
        assert re.search(r":3\.11\.\d+-slim", image)


def test_images_are_the_versions_that_are_tested(compose: dict[str, Any]) -> None:
    services = compose["services"]

    assert services["chroma"]["image"].endswith(f":{pins('constraints.txt')['chromadb']}")
    assert services["webui"]["image"].endswith(f":v{pins('requirements-webui.txt')['open-webui']}")
    assert services["ollama"]["image"] == services["ollama-pull"]["image"] == services["ollama-gpu"]["image"]


def test_all_that_keep_running_are_checked_and_waited_for(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if name in ONE_SHOTS | LISTENING_NOWHERE:
            assert service.get("healthcheck", {"disable": True}) == {"disable": True}, name
        else:
            assert service["healthcheck"]["test"][0] == "CMD", name
        for other, how in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if other in ONE_SHOTS else "service_healthy"
            assert how["condition"] == expected, f"{name} -> {other}"


def test_volumes_and_networks_are_declared_and_used(compose: dict[str, Any]) -> None:
    services = compose["services"].values()
    mounts = {volume.split(":")[0] for service in services for volume in service.get("volumes", [])}
    volumes = {mount for mount in mounts if not mount.startswith("./")}
    networks = {network for service in services for network in service["networks"]}

    assert volumes == set(compose["volumes"])
    assert all((ROOT / mount).exists() for mount in mounts - volumes)
    assert networks == set(compose["networks"])
    assert compose["networks"]["inside"]["internal"] is True


def test_only_two_and_monitoring_are_published_and_on_loopback_only(compose: dict[str, Any]) -> None:
    assert {name for name, service in compose["services"].items() if "ports" in service} == PUBLISHED | MONITORING
    for name in PUBLISHED | MONITORING:
        assert all(port.startswith("127.0.0.1:") for port in compose["services"][name]["ports"])


def test_our_variables_are_settings(compose: dict[str, Any]) -> None:
    known = {f"ARCHIVAR_{name.upper()}" for name in Settings.model_fields}
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8") + (ROOT / "Dockerfile").read_text(encoding="utf-8")

    assert set(re.findall(r"ARCHIVAR_[A-Z_]+", text)) <= known


def test_secrets_come_from_the_environment_and_are_required(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"KEY", name):
                assert re.fullmatch(r"\$\{[A-Z_]+:\?[^}]*\}", value), name


def test_monitoring_is_opt_in_and_its_secrets_are_asked_for_only_then(compose: dict[str, Any]) -> None:
    services, secrets = compose["services"], compose["secrets"]

    assert {name for name, service in services.items() if service.get("profiles") == ["monitoring"]} == MONITORING
    assert {secret for name in MONITORING for secret in services[name]["secrets"]} == set(secrets)
    assert secrets["grafana_password"] == {"environment": "GRAFANA_PASSWORD"}
    assert services["grafana"]["environment"]["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/secrets/grafana_password"
    assert "GRAFANA_PASSWORD:?" not in (ROOT / "compose.yaml").read_text(encoding="utf-8"), (
        "would be asked of everybody"
    )


def test_the_gpu_is_opt_in(compose: dict[str, Any]) -> None:
    with_devices = {name for name, service in compose["services"].items() if "deploy" in service}

    assert with_devices == {name for name, service in compose["services"].items() if service.get("profiles") == ["gpu"]}
    assert with_devices == {"ollama-gpu"}


def test_the_watcher_is_opt_in_and_reaches_both_networks(compose: dict[str, Any]) -> None:
    watch, api = compose["services"]["watch"], compose["services"]["api"]

    assert watch["profiles"] == ["watch"] and watch["command"] == ["watch"]
    assert set(watch["networks"]) == {"inside", "outside"}  # Chroma, and the publishers
    assert watch["volumes"] == api["volumes"] and watch["environment"] == api["environment"]
    assert watch["environment"]["ARCHIVAR_CONTACT"] == "${ARCHIVAR_CONTACT:-}"


def test_open_webui_is_set_in_one_place(compose: dict[str, Any], tmp_path: Path) -> None:
    webui = compose["services"]["webui"]
    chat = environment(Settings(home=tmp_path), "http://127.0.0.1:8000", ("http://localhost:8080",))
    folders = {"DATA_DIR", "STATIC_DIR"}  # the image has its own, in the volume

    assert ROOT / webui["env_file"] == ROOT / "server" / "openwebui.env"
    assert not set(webui["environment"]) & set(shared_settings())
    assert set(webui["environment"]) | folders == {name for name in chat if name in webui["environment"]} | folders
    assert webui["environment"]["RAG_EMBEDDING_MODEL"] == Settings.model_fields["embedder"].default


def test_the_shared_settings_can_be_read() -> None:
    shared = shared_settings()
    suggestions = json.loads(shared["DEFAULT_PROMPT_SUGGESTIONS"])

    assert len(suggestions) >= 4 and all(len(entry["title"]) == 2 and entry["content"] for entry in suggestions)
    assert json.loads(shared["OPENAI_API_CONFIGS"])["0"]["headers"]["X-OWUI-Task"] == "{{TASK}}"
    assert json.loads(shared["DEFAULT_MODEL_METADATA"])["capabilities"]["builtin_tools"] is False
    assert json.loads(shared["DEFAULT_INTERFACE_SETTINGS"])["showChangelog"] is False
    assert shared["DEFAULT_MODELS"] == "heise-archiv" and shared["DEFAULT_LOCALE"] == "de"
    assert not any("$" in value for value in shared.values()), "compose would take it for a variable"


def test_the_image_runs_as_another_user_and_compiles_nothing() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    assert re.search(r"^USER archivar$", text, re.M)
    assert "llamacpp" not in text and "build-essential" not in text
    for room in re.findall(r"^COPY ([a-z]+) \1$", text, re.M):
        assert (ROOT / room).is_dir() and f"!{room}\n" in (ROOT / ".dockerignore").read_text(encoding="utf-8")
