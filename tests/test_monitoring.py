"""monitoring/ against a real server: what dashboard and alerts ask for is there, under these names and labels."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from scripted import ScriptedGenerator
from serving import serving

from archive.archive import Archive
from archive.settings import Settings
from ingest.pipeline import ingest

ROOT = Path(__file__).resolve().parent.parent
MONITORING = ROOT / "monitoring"
OF_PROMETHEUS = {"instance", "job"}  # labels that it adds to what it asks
ARTICLE = {"id": "a1", "title": "Eine Brücke", "text": "Berlin plant eine neue Brücke.", "date": "2024-05-03"}


def loaded(path: str) -> Any:
    return yaml.safe_load((MONITORING / path).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    (file,) = (MONITORING / "grafana" / "dashboards").glob("*.json")
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def told(tmp_path_factory, real_embedder) -> Iterator[dict[str, set[str]]]:
    """The labels of each metric of a server that has answered, found, and refused something; by the metric's name."""
    folder = tmp_path_factory.mktemp("monitored")
    (folder / "articles.jsonl").write_text(json.dumps(ARTICLE), encoding="utf-8")
    archive = Archive.open(Settings(home=folder / "home"), real_embedder)
    ingest([str(folder / "articles.jsonl")], archive)
    archive.close()
    with (
        serving(Settings(home=folder / "home"), ScriptedGenerator()) as address,
        httpx.Client(base_url=address, timeout=60) as http,
    ):
        body = {"model": "scripted", "messages": [{"role": "user", "content": "Hallo"}]}
        assert http.post("/v1/chat/completions", json=body).is_success
        assert http.post("/v1/search", json={"query": "Brücke"}).is_success
        assert http.post("/v1/chat/completions", json={**body, "model": "nobody"}).status_code == 404
        families = list(text_string_to_metric_families(http.get("/metrics").text))
    found: dict[str, set[str]] = {"up": set()}
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    yield found


def panels(dashboard) -> list[dict[str, Any]]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries(dashboard) -> list[str]:
    of_panels = [target["expr"] for panel in panels(dashboard) for target in panel["targets"]]
    of_alerts = [rule["expr"] for group in loaded("alerts.yml")["groups"] for rule in group["rules"]]
    return [query.replace("$__rate_interval", "1m") for query in of_panels + of_alerts]


def selected(query: str) -> Iterator[tuple[str, set[str]]]:
    """Each metric that a query reads, with the labels that the query needs of it."""

    def walk(node: Any, grouped: set[str]) -> Iterator[tuple[str, set[str]]]:
        kind = type(node).__name__
        if kind == "AggregateExpr":
            yield from walk(node.expr, grouped | set(node.modifier.labels if node.modifier else ()))
        elif kind == "MatrixSelector":
            yield from walk(node.vector_selector, grouped)
        elif kind == "VectorSelector":
            yield node.name, grouped | {matcher.name for matcher in node.matchers.matchers}
        elif kind == "Call":
            for argument in node.args:
                yield from walk(argument, grouped)
        elif kind == "BinaryExpr":
            yield from walk(node.lhs, grouped)
            yield from walk(node.rhs, grouped)
        elif kind == "ParenExpr":
            yield from walk(node.expr, grouped)
        else:
            assert kind in ("NumberLiteral", "StringLiteral"), kind

    yield from walk(promql_parser.parse(query), set())


def test_every_query_reads_metrics_and_labels_that_the_server_has(dashboard, told):
    for query in queries(dashboard):
        read = list(selected(query))
        assert read, query
        for name, labels in read:
            assert name in told, f"{name} of {query}"
            assert labels <= told[name] | OF_PROMETHEUS, f"{name}: {labels} of {query}"


def test_every_metric_of_the_server_is_on_the_dashboard(dashboard, told):
    of_panels = [target["expr"] for panel in panels(dashboard) for target in panel["targets"]]
    shown = {name for query in of_panels for name, _ in selected(query.replace("$__rate_interval", "1m"))}
    parts = ("_count", "_sum", "_created")  # of a histogram whose buckets are shown
    ours = {name for name in told if name.startswith("archivar_") and not name.endswith(parts)}

    assert ours <= shown


def test_panels_have_titles_and_places_of_their_own_and_one_source(dashboard):
    (source,) = loaded("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    places: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert panel["title"] and not cells & places and at["x"] + at["w"] <= 24, panel["title"]
        places |= cells
    for panel in panels(dashboard):
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {source["uid"]}
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_prometheus_and_grafana_find_in_compose_what_their_files_name():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    asked, (provider,) = loaded("prometheus.yml"), loaded("grafana/provisioning/dashboards/archivar.yml")["providers"]
    (job,) = asked["scrape_configs"]
    mounted = {
        volume.split(":")[1] for name in ("prometheus", "grafana") for volume in compose["services"][name]["volumes"]
    }

    assert {f"/etc/prometheus/{file}" for file in asked["rule_files"]} <= mounted
    assert provider["options"]["path"] in mounted
    assert Path(job["authorization"]["credentials_file"]).name in compose["secrets"]
    (address,) = job["dns_sd_configs"]
    assert address["names"] == ["api"] and "api" in compose["services"]
    assert str(address["port"]) == compose["services"]["api"]["environment"]["ARCHIVAR_PORT"]


def test_alerts_say_what_is_wrong():
    rules = [rule for group in loaded("alerts.yml")["groups"] for rule in group["rules"]]

    assert len({rule["alert"] for rule in rules}) == len(rules) >= 8
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in rules)
