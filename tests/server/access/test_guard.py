"""Who may, over real HTTP: keys, rights, quotas, users, signed links, with httpx and the official client."""

import json
import logging
import shutil
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from given_keys import Keys
from openai import AuthenticationError, OpenAI, PermissionDeniedError, RateLimitError
from pydantic import SecretStr
from scripted import ScriptedGenerator
from serving import serving

from archive.errors import SettingsError
from archive.settings import Settings
from server.access import access, guard, quotas
from server.access.keys import Right
from server.app import create_app

QUESTION = {"model": "heise-archiv", "messages": [{"role": "user", "content": "Wer fand die Hintertür in XZ?"}]}
REQUESTS = {
    Right.ASK: [("GET", "/v1/models", None), ("POST", "/v1/chat/completions", QUESTION)],
    Right.SEARCH: [("POST", "/v1/search", {"query": "XZ"}), ("GET", "/v1/articles/muster-1001", None)],
    Right.ADMIN: [("GET", "/metrics", None)],
}
EACH = [(right, *request) for right, requests in REQUESTS.items() for request in requests]


@pytest.fixture(scope="module")
def http(guarded):
    with httpx.Client(base_url=guarded, timeout=30) as http:
        yield http


@pytest.fixture
def audit(caplog):
    """The audit's lines, as their fields."""
    caplog.set_level(logging.INFO, "archivar.audit")
    return lambda: [record for record in caplog.records if record.name == "archivar.audit"]


@pytest.mark.parametrize(("right", "method", "path", "body"), EACH)
def test_each_right_opens_its_own_routes_alone(http, keys, right, method, path, body):
    for other in Right:
        answer = http.request(method, path, json=body, headers=keys.headers(f"only-{other}"))
        assert answer.status_code == (200 if other is right else 403), other
        if other is not right:
            error = answer.json()["error"]
            assert error["code"] == "missing_scope" and f"right to {right}" in error["message"]


@pytest.mark.parametrize(("right", "method", "path", "body"), EACH)
@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer falsch", "Basic dXRlOng=", "archivar-a-b", "Bearer archivar-a"]
)
def test_without_a_true_key_nothing_opens(http, right, method, path, body, given):
    answer = http.request(method, path, json=body, headers={"Authorization": given} if given else {})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert set(answer.json()["error"]) >= {"message", "type", "param", "code"}


def test_a_key_with_a_wrong_secret_is_as_wrong_as_one_that_never_was(http, keys):
    prefix, key_id, secret = keys.texts["ute"].split("-")
    answers = [
        http.get("/v1/models", headers={"Authorization": f"Bearer {text}"})
        for text in (f"{prefix}-{key_id}-{secret[::-1]}", f"{prefix}-{key_id[::-1]}-{secret}", f"{key_id}-{secret}")
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.json()["error"]["message"] for answer in answers}) == 1


def test_the_official_client_raises_its_own_errors(guarded, keys):
    def client(key: str) -> OpenAI:
        return OpenAI(base_url=f"{guarded}/v1", api_key=key, max_retries=0)

    with client("falsch") as wrong, pytest.raises(AuthenticationError) as refused:
        wrong.models.list()
    assert refused.value.code == "invalid_api_key"
    with client(keys.texts["only-search"]) as other, pytest.raises(PermissionDeniedError):
        other.models.list()
    with client(keys.texts["old"]) as old, pytest.raises(AuthenticationError, match="expired"):
        old.models.list()
    with client(keys.texts["ute"]) as right:
        assert right.models.list().data
        assert right.chat.completions.create(**QUESTION).choices[0].message.content


def test_no_route_is_forgotten():
    """What the table doesn't name needs `admin`: such a route was added without a thought of who may."""
    app = create_app(Settings())
    paths = [*app.openapi()["paths"], "/mcp", "/tools/openapi.json", app.openapi_url]
    assert len(paths) > 10
    forgotten = [path for path in paths if guard.need_of(path) is guard._UNKNOWN]
    assert not forgotten


def test_what_is_unknown_needs_a_key_too(http, keys):
    assert http.get("/v1/nothing").status_code == 401
    assert http.get("/docs").status_code == 401
    assert http.get("/v1/nothing", headers=keys.headers("only-admin")).status_code == 404


def test_health_needs_no_key_and_tells_details_to_admins_alone(http, keys):
    assert http.get("/health/live").json() == {"status": "live"}
    assert http.get("/health/ready").json() == {"status": "ready"}
    assert http.get("/health/ready", headers=keys.headers("ute")).json() == {"status": "ready"}
    assert "generator" in http.get("/health/ready", headers=keys.headers("only-admin")).json()


def test_a_running_server_sees_new_and_revoked_keys(http, keys):
    headers = {"Authorization": f"Bearer {keys.add('guest')}"}
    assert _soon(lambda: http.get("/v1/models", headers=headers).status_code == 200)
    keys.revoke("guest")
    assert _soon(lambda: http.get("/v1/models", headers=headers).status_code == 401)


def _soon(holds) -> bool:
    until = time.monotonic() + 10 * access._FRESH
    while not (held := holds()) and time.monotonic() < until:
        time.sleep(0.05)
    return held


@pytest.fixture
def noon(monkeypatch):
    """The clock stands still in the middle of a minute, lest a test's requests fall into two of them."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2026, 11, 26, 12, 0, 30, tzinfo=tz)

    monkeypatch.setattr(quotas, "datetime", Clock)


def test_a_used_up_quota_is_told_as_openai_tells_it(guarded, http, keys, noon):
    keys.add("few", Right.SEARCH, Right.ASK, per_minute=2, per_day=100)
    headers = keys.headers("few")
    assert _soon(lambda: http.get("/v1/models", headers=headers).status_code == 200)  # models don't count
    left = [http.post("/v1/search", json={"query": "XZ"}, headers=headers).headers for _ in range(2)]
    assert [told["x-ratelimit-remaining-requests"] for told in left] == ["1", "0"]
    assert (left[0]["x-ratelimit-limit-requests"], left[0]["x-ratelimit-reset-requests"]) == ("2", "30s")
    refused = http.post("/v1/search", json={"query": "XZ"}, headers=headers)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert (refused.headers["x-ratelimit-limit-requests"], refused.headers["x-ratelimit-remaining-requests"]) == (
        "2",
        "0",
    )
    with (
        OpenAI(base_url=f"{guarded}/v1", api_key=keys.texts["few"], max_retries=0) as client,
        pytest.raises(RateLimitError),
    ):
        client.chat.completions.create(**QUESTION)
    task = http.post("/v1/chat/completions", json=QUESTION, headers={**headers, "X-OWUI-Task": "title_generation"})
    assert task.status_code == 200  # a title costs no engine


def test_each_user_of_a_trusted_key_has_the_quota_and_nobody_elses_key_has_users(http, keys, noon):
    keys.add("portal", Right.SEARCH, per_day=1, trusts_users=True)
    keys.add("script", Right.SEARCH, per_day=1)
    assert _soon(lambda: http.get("/openapi.json", headers=keys.headers("script")).status_code == 200)

    def statuses(name: str, *users: str) -> list[int]:
        return [
            http.post("/v1/search", json={"query": "XZ"}, headers={**keys.headers(name), "X-OpenWebUI-User-Id": user})
            .status_code
            for user in users
        ]  # fmt: skip

    assert statuses("portal", "ute", "ute", "max", "max") == [200, 429, 200, 429]
    assert statuses("script", "ute", "max") == [200, 429]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses"])
def test_refusals_are_told_in_german_where_a_person_reads_them_and_nowhere_else(http, keys, path, noon):
    body = {"model": "heise-archiv", "messages": QUESTION["messages"], "input": "Wer fand die Hintertür in XZ?"}
    name = f"none-left-{path[-9:]}"
    keys.add(name, Right.ASK, per_day=1)
    assert _soon(lambda: http.get("/v1/models", headers=keys.headers(name)).status_code == 200)
    http.post(path, json=body, headers=keys.headers(name))

    def told(headers: dict, **more: object) -> str:
        return http.post(path, json={**body, **more}, headers=headers).json()["error"]["message"]

    webui = {"X-OWUI-Chat-Id": "c"}
    for headers, sentence in (
        (keys.headers(name), "Das Kontingent an Fragen ist für heute aufgebraucht. Morgen geht es weiter. ("),
        (keys.headers("old"), "Der Schlüssel zum Archiv ist falsch oder abgelaufen. "),
        ({"Authorization": "Bearer falsch"}, "Der Schlüssel zum Archiv ist falsch oder abgelaufen. "),
        (keys.headers("only-search"), "Der Schlüssel zum Archiv erlaubt das nicht. "),
    ):
        plain = told(headers)
        assert "Schlüssel" not in plain and "Kontingent" not in plain
        assert told(headers | webui).startswith(sentence) and plain in told(headers | webui)
    asks = keys.headers("ute")
    assert told(asks | webui, model="gpt-4o").startswith("Dieses Modell gibt es hier nicht. ")
    long = "Wort" * 50_000  # a request has 100 kB here
    refused = told(asks | webui, messages=[{"role": "user", "content": long}], input=long)
    assert refused.startswith("Das ist mehr Text, als sich lesen lässt. ")
    tool = http.post("/tools/get_article", json={"id": "keine"}, headers=asks | webui)
    assert tool.status_code == 404 and "Modell" not in tool.text


def test_the_audit_tells_who_asked_what_and_no_more(http, keys, audit):
    http.post("/v1/chat/completions", json=QUESTION, headers={**keys.headers("webui"), "X-OWUI-User-Id": "u-1"})
    http.get("/v1/articles/geheimnis", headers=keys.headers("ute"))
    http.get("/metrics", headers=keys.headers("ute"))
    http.get("/v1/models")
    http.get("/v1/models", headers=keys.headers("old"))
    http.get("/health/live")
    told = [(line.key, line.user, line.method, line.route, line.status) for line in audit()]
    assert told == [
        ("webui", "u-1", "POST", "/v1/chat/completions", 200),
        ("ute", "-", "GET", "/v1/articles/{article_id:path}", 404),
        ("ute", "-", "GET", "/metrics", 403),
        ("-", "-", "GET", "/v1/models", 401),
        ("old", "-", "GET", "/v1/models", 401),
    ]
    everything = json.dumps([vars(line) for line in audit()], default=str)
    assert "XZ" not in everything
    assert not any(text.split("-")[2] in everything for text in keys.texts.values())


def test_links_to_pages_are_signed_and_open_nothing_else(guarded, http, keys):
    found = http.post("/v1/search", json={"query": "XZ"}, headers=keys.headers("ute")).json()["data"]
    first, second = (httpx.URL(hit["url"]) for hit in found[:2])
    page = http.get(first.raw_path.decode())
    assert page.status_code == 200 and found[0]["title"] in page.text
    signature = first.params["s"]
    for path in (
        first.path, f"{first.path}?s=", f"{first.path}?s=%ff", f"{first.path}?s={signature[:-1]}",
        f"{first.path}?s={signature}&s=x", f"{second.path}?s={signature}", f"/v1{first.path}?s={signature}",
    ):  # fmt: skip
        assert http.get(path).status_code == 401, path
    assert http.get(first.path, headers=keys.headers("only-search")).status_code == 200
    article = http.get(f"/v1/articles/{found[0]['article_id']}", headers=keys.headers("ute")).json()
    assert article["url"] == found[0]["url"]


def test_sources_of_answers_link_to_signed_pages(guarded, http, keys):
    answer = http.post("/v1/chat/completions", json=QUESTION, headers=keys.headers("ute")).json()
    assert http.get(httpx.URL(answer["sources"][0]["url"]).raw_path.decode()).status_code == 200


def test_without_any_key_this_machine_alone_is_answered(archive_home, tmp_path):
    home = shutil.copytree(archive_home, tmp_path / "home", ignore=shutil.ignore_patterns("keys.*"))
    settings = Settings(home=home, reranker="none", public_url="https://archiv.example")
    with serving(settings, ScriptedGenerator()) as address, httpx.Client(base_url=address) as http:
        assert http.get("/v1/models").status_code == 200
        assert http.get("/v1/models", headers={"Authorization": "Bearer none"}).status_code == 200
        hit = http.post("/v1/search", json={"query": "XZ"}).json()["data"][0]
        assert "?" not in hit["url"]
        assert http.get("/v1/models", headers={"Host": "archiv.example"}).status_code == 200
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            assert http.get("/v1/models", headers=headers).status_code == 403, headers
    assert not (home / "keys.sqlite3").exists()


def test_the_operators_key_is_a_key_with_all_rights(archive_home, tmp_path):
    settings = Settings(home=tmp_path, reranker="none", api_key=SecretStr("geheim"))
    with serving(settings, ScriptedGenerator()) as address, httpx.Client(base_url=address) as http:
        for path in ("/v1/models", "/metrics", "/openapi.json"):
            assert http.get(path).status_code == 401
            assert http.get(path, headers={"Authorization": "bearer geheim"}).status_code == 200
        assert http.get("/v1/models", headers={"Authorization": "Bearer geheim2"}).status_code == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "archiv.example"])
def test_beyond_loopback_no_server_starts_without_a_key(tmp_path, host):
    settings = Settings(home=tmp_path, host=host)
    with pytest.raises(SettingsError, match="archivar keys add"):
        create_app(settings)
    keys = Keys(tmp_path)
    keys.add("old", expires=datetime.now(UTC) - timedelta(days=1))
    with pytest.raises(SettingsError, match="archivar keys add"):
        create_app(settings)
    keys.add("ute")
    create_app(settings)
    create_app(Settings(home=tmp_path / "other", host=host, api_key=SecretStr("geheim")))
    keys.store.close()


def test_questions_are_told_where_a_setting_says_so(home, keys, audit):
    settings = Settings(home=home, reranker="none", log_questions=True)
    with serving(settings, ScriptedGenerator()) as address:
        httpx.post(f"{address}/v1/chat/completions", json=QUESTION, headers=keys.headers("ute"), timeout=30)
    assert [line.question for line in audit()] == [QUESTION["messages"][0]["content"]]


def test_other_origins_are_answered_only_where_a_setting_names_them(home, keys, guarded):
    page = "https://redaktion.example"
    asked = {"Origin": page, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    assert "access-control-allow-origin" not in httpx.options(f"{guarded}/v1/models", headers=asked).headers
    settings = Settings(home=home, reranker="none", cors_origins=f"{page}, https://b.example")
    with serving(settings, ScriptedGenerator()) as address:
        allowed = httpx.options(f"{address}/v1/models", headers=asked)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, page)
        other = httpx.options(f"{address}/v1/models", headers=asked | {"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers
        refused = httpx.get(f"{address}/v1/models", headers={"Origin": page})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, page)
