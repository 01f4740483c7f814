import httpx
import pytest
from webserver import Answer, redirect, served


def test_answers_follow_one_another_and_the_last_one_stays():
    with served({"/": [Answer(status=500), Answer("da")]}) as site:
        assert [httpx.get(site.address).status_code for _ in range(3)] == [500, 200, 200]
        site.routes["/"] = "anders"
        assert httpx.get(site.at("/?a=1")).text == "anders"
        assert site.paths == ["/", "/", "/", "/?a=1"]
        assert httpx.get(site.at("/fehlt")).status_code == 404
        assert "python-httpx" in site.asked("/fehlt")[0].headers["user-agent"]


def test_a_version_that_the_client_has_is_not_sent_again():
    with served({"/": Answer("neu", etag='"2"', last_modified="Wed, 21 Oct 2026 07:28:00 GMT")}) as site:
        answers = [
            httpx.get(site.address, headers=headers)
            for headers in (
                {"If-None-Match": '"2"'},
                {"If-None-Match": '"1"'},
                {"If-Modified-Since": "Wed, 21 Oct 2026 07:28:00 GMT"},
            )
        ]
        assert [answer.status_code for answer in answers] == [304, 200, 304]


def test_a_redirect_and_an_answer_by_the_request():
    with served({"/alt": redirect("/neu", 301), "/neu": lambda request: Answer(request.headers["host"])}) as site:
        assert httpx.get(site.at("/alt"), follow_redirects=True).text == site.host


@pytest.mark.parametrize("fault", [Answer("halb", cut=2), Answer("halb", length=9), Answer(raw=b"kein HTTP\r\n\r\n")])
def test_faults_break_the_connection(fault):
    with served({"/": fault}) as site, pytest.raises(httpx.HTTPError):
        httpx.get(site.address)


def test_an_endless_body_ends_with_the_client():
    with served({"/": Answer(b"x" * 1000, endless=True)}) as site, httpx.stream("GET", site.address) as response:
        chunks = response.iter_bytes()
        assert sum(len(next(chunks)) for _ in range(50)) > 10_000


def test_slow_answers_pass_a_timeout():
    with served({"/": Answer("spät", delay=5), "/tropfen": Answer("abcd", pause=5, pieces=4)}) as site:
        for path in ("/", "/tropfen"):
            with pytest.raises(httpx.ReadTimeout):
                httpx.get(site.at(path), timeout=httpx.Timeout(60, read=0.05))
