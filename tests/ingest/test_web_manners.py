import json

import pytest
from visiting import TurnedClock, visitor, worldwide
from webserver import Answer, redirect, served

from archive.errors import SettingsError, SourceError
from archive.settings import load_settings
from ingest.web.reservations import reserved_by_file, tdm_rules
from ingest.web.visitor import Visitor, user_agent
from ingest.web.visits import Fetched, Gone, Refused, Validators

PAGE = "<!DOCTYPE html><html><head><title>Meldung</title></head><body>Text</body></html>"


def robots(text, **fields):
    return Answer(text, media_type="text/plain", **fields)


@pytest.fixture
def site():
    with served({"/news/1": PAGE, "/feed": PAGE}) as site:
        yield site


def test_the_visitor_says_who_it_is(site):
    with visitor(site, contact="archiv@example.org") as visits:
        visits.visit(site.at("/feed"))
    [agent] = {request.headers["user-agent"] for request in site.requests}
    assert agent.startswith("Archivar/") and agent.endswith("(+archiv@example.org)")
    assert "no contact given" in user_agent("")


def test_settings_make_a_visitor(site, monkeypatch):
    for name, value in {"CONTACT": "https://example.org/a", "CRAWL_DELAY": "7", "LICENSED_HOSTS": "127.0.0.1"}.items():
        monkeypatch.setenv(f"ARCHIVAR_{name}", value)
    turned = TurnedClock()
    site.routes["/feed"] = Answer(PAGE, headers={"tdm-reservation": "1"})
    with Visitor.with_settings(load_settings(), [site.address], clock=turned.clock) as visits:
        visits.visit(site.at("/feed"))
        visits.visit(site.at("/feed"))
    assert turned.slept == [7]
    assert "(+https://example.org/a)" in site.requests[0].headers["user-agent"]


@pytest.mark.parametrize("contact", ["a\r\nX-Evil: 1", "Jörg", "a (b)"])
def test_a_contact_that_is_no_header_is_refused(contact, monkeypatch):
    monkeypatch.setenv("ARCHIVAR_CONTACT", contact)
    with pytest.raises(SettingsError, match="ARCHIVAR_CONTACT"):
        load_settings()


def test_robots_are_asked_once_and_obeyed(site):
    site.routes["/robots.txt"] = robots("User-agent: *\nDisallow: /news/")
    with visitor(site) as visits:
        for _ in range(2):
            with pytest.raises(Refused, match=rf"^{site.at('/news/1')}: robots\.txt of 127\.0\.0\.1 disallows it"):
                visits.visit(site.at("/news/1"))
        assert isinstance(visits.visit(site.at("/feed")), Fetched)
    assert site.paths == ["/robots.txt", "/.well-known/tdmrep.json", "/feed"]


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("User-agent: Archivar\nDisallow:\n\nUser-agent: *\nDisallow: /", True),
        ("User-agent: archivar\nDisallow: /news\n\nUser-agent: *\nDisallow:", False),
        ("User-agent: *\nDisallow: /\nAllow: /news/", True),
        ("User-agent: *\nDisallow: /*1$", False),
        ("User-agent: GPTBot\nDisallow: /", True),
        ("User-agent: *\nDisallow: /n%65ws/", False),
        ("\ufeffUser-agent: *\r\nDisallow: /", False),
        ("<html>keine Regeln</html>", True),
        ("", True),
    ],
)
def test_the_group_that_names_the_visitor_decides(text, allowed, site):
    site.routes["/robots.txt"] = robots(text)
    with visitor(site) as visits:
        if allowed:
            assert visits.visit(site.at("/news/1"))
        else:
            with pytest.raises(Refused):
                visits.visit(site.at("/news/1"))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_without_a_robots_file_all_is_allowed(status, site):
    site.routes["/robots.txt"] = Answer(status=status)
    with visitor(site) as visits:
        assert visits.visit(site.at("/feed"))


@pytest.mark.parametrize(
    "fault", [Answer(status=500), Answer(status=429), Answer("User-agent", cut=3), redirect("/robots.txt")]
)
def test_a_robots_file_that_cannot_be_read_forbids_all_for_a_while(fault, site):
    turned = TurnedClock()
    site.routes["/robots.txt"] = fault
    with visitor(site, turned) as visits:
        for _ in range(2):
            with pytest.raises(
                SourceError, match=r"can't be read .* nothing may be fetched for now; try again"
            ) as told:
                visits.visit(site.at("/feed"))
            assert not isinstance(told.value, Refused)  # which would be for good
        assert set(site.paths) == {"/robots.txt"}
        asked = len(site.paths)
        site.routes["/robots.txt"] = robots("")
        turned.seconds += 601
        assert visits.visit(site.at("/feed"))
        assert len(site.asked("/robots.txt")) == asked + 1


def test_robots_may_be_found_elsewhere_on_the_site_and_are_asked_again_after_a_day(site):
    turned = TurnedClock()
    site.routes |= {"/robots.txt": redirect("/andere.txt"), "/andere.txt": robots("User-agent: *\nDisallow: /news")}
    with visitor(site, turned) as visits:
        with pytest.raises(Refused):
            visits.visit(site.at("/news/1"))
        site.routes["/robots.txt"] = robots("")
        turned.seconds += 24 * 3600
        assert visits.visit(site.at("/news/1"))


def test_of_an_endless_robots_file_the_start_is_read(site):
    site.routes["/robots.txt"] = robots("User-agent: *\nDisallow: /news\n" + "# nichts\n" * 1000, endless=True)
    with visitor(site) as visits:
        with pytest.raises(Refused):
            visits.visit(site.at("/news/1"))
        assert visits.visit(site.at("/feed"))


@pytest.mark.parametrize(
    ("text", "delay"),
    [
        ("User-agent: *\nCrawl-delay: 10", 10),
        ("User-agent: *\nCrawl-delay: 0.1", 1),
        ("User-agent: *\nRequest-rate: 2/10", 5),
        ("User-agent: *\nCrawl-delay: -3", 1),
        ("User-agent: *\nCrawl-delay: nan", 1),
        ("User-agent: *\nCrawl-delay: inf", 1),
        ("User-agent: *\nCrawl-delay: bald", 1),
        ("User-agent: *\nRequest-rate: 0/10", 1),
    ],
)
def test_the_longer_of_two_delays_is_kept(text, delay, site):
    turned = TurnedClock()
    site.routes["/robots.txt"] = robots(text)
    with visitor(site, turned) as visits:
        visits.visit(site.at("/feed"))
        visits.visit(site.at("/feed"))
    assert turned.slept == [delay]


@pytest.mark.parametrize("delay", ["61", "1e300"])
def test_a_delay_that_is_too_long_to_wait_for_is_a_refusal(delay, site):
    site.routes["/robots.txt"] = robots(f"User-agent: *\nCrawl-delay: {delay}")
    with visitor(site) as visits, pytest.raises(Refused, match="seconds between two requests, too long to wait"):
        visits.visit(site.at("/feed"))


@pytest.mark.parametrize(
    ("headers", "what"),
    [
        ({"tdm-reservation": "1"}, "the header tdm-reservation; if"),
        ({"TDM-Reservation": "1", "TDM-Policy": "https://a.de/p.json"}, r"\(terms: https://a.de/p.json\)"),
        ({"X-Robots-Tag": "noindex, noai"}, r"X-Robots-Tag \(noai\)"),
        ({"X-Robots-Tag": "NoML"}, r"X-Robots-Tag \(noml\)"),
        ({"X-Robots-Tag": "archivar: noai"}, r"X-Robots-Tag \(noai\)"),
        ({"X-Robots-Tag": "unavailable_after: 25 Jun 2030 15:00:00 PST, noai"}, r"X-Robots-Tag \(noai\)"),
    ],
)
def test_headers_reserve(headers, what, site):
    site.routes["/news/1"] = Answer(PAGE, headers=headers, etag='"1"')
    with visitor(site) as visits:
        for known in (None, Validators('"1"')):
            with pytest.raises(Refused, match=f"reserved against text and data mining by .*{what}"):
                visits.visit(site.at("/news/1"), known)


@pytest.mark.parametrize(
    "tags",
    [
        '<meta name="tdm-reservation" content="1">', "<META NAME='TDM-Reservation' CONTENT=' 1 '/>",
        '<meta name="robots" content="max-snippet:-1, noai">', '<meta name="archivar" content="NOML">',
        '<meta name="robots" content="index"><meta name="robots" content="noai">',
        '<div>verirrt</div><meta name="tdm-reservation" content="1">',
        '<script>"<body>"</script><meta name="tdm-reservation" content="1"><meta name="tdm-policy" content="https://p">',
    ],
)  # fmt: skip
def test_meta_tags_reserve(tags, site):
    site.routes["/news/1"] = PAGE.replace("<title>", f"{tags}<title>")
    with visitor(site) as visits, pytest.raises(Refused, match=r"by the meta tag \w+.*ARCHIVAR_LICENSED_HOSTS"):
        visits.visit(site.at("/news/1"))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(PAGE, headers={"tdm-reservation": "0"}),
        Answer(PAGE, headers={"tdm-reservation": "2"}),
        Answer(PAGE, headers={"X-Robots-Tag": "otherbot: noai"}),
        Answer(PAGE, headers={"X-Robots-Tag": "noimageai, noarchive"}),
        Answer(PAGE.replace("<title>", '<!-- <meta name="robots" content="noai"> --><title>')),
        Answer(PAGE.replace("Text", '<p>&lt;meta name="robots" content="noai"&gt;</p>')),
        Answer(PAGE.replace("<title>", '<meta name="otherbot" content="noai"><meta content=1><title>')),
        Answer("", media_type=""),
    ],
)
def test_what_is_not_reserved_is_fetched(answer, site):
    site.routes["/news/1"] = answer
    with visitor(site) as visits:
        assert visits.visit(site.at("/news/1")).data.decode() == answer.body


RULES = [
    {"location": "/news/frei/*.html$", "tdm-reservation": 0},
    {"location": "/news/", "tdm-reservation": 1, "tdm-policy": "https://a.de/policy"},
    {"location": "/foto-%24", "tdm-reservation": "1"},
]


def test_a_tdm_file_reserves_by_its_first_rule_that_fits(site):
    site.routes["/.well-known/tdmrep.json"] = Answer(json.dumps(RULES), media_type="application/json")
    site.routes["/news/frei/2.html"] = PAGE
    with visitor(site) as visits:
        with pytest.raises(Refused, match=r"by /\.well-known/tdmrep\.json \(terms: https://a\.de/policy\); if"):
            visits.visit(site.at("/news/1"))
        assert visits.visit(site.at("/news/frei/2.html"))
        assert visits.visit(site.at("/feed"))
    assert "/news/1" not in site.paths
    assert site.paths.count("/.well-known/tdmrep.json") == 1


@pytest.mark.parametrize(
    ("location", "fits"),
    [("/", True), ("*", True), ("/a", True), ("/a/b.html$", True), ("/a$", False), ("/A", False), ("/*.html", True),
     ("/b", False), ("/a/\nAllow: /", False)],
)  # fmt: skip
def test_locations_of_a_tdm_file_are_patterns(location, fits):
    rules = tdm_rules(json.dumps([{"location": location, "tdm-reservation": 1}]).encode())
    assert bool(reserved_by_file(rules, "https://a.de/a/b.html")) == fits


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"{}", b"[1, null]", b'[{"location": 5, "tdm-reservation": 1}]', b"[" * 100_000, b"\xff"]
)
def test_a_broken_tdm_file_reserves_nothing(data):
    assert tdm_rules(data) == ()


@pytest.mark.parametrize("fault", [Answer(status=500), Answer("[", cut=0), redirect("/.well-known/tdmrep.json")])
def test_a_tdm_file_that_cannot_be_had_reserves_nothing(fault, site):
    site.routes["/.well-known/tdmrep.json"] = fault
    with visitor(site) as visits:
        assert visits.visit(site.at("/feed"))


def test_a_tdm_file_that_robots_disallow_is_not_fetched(site):
    site.routes["/robots.txt"] = robots("User-agent: *\nDisallow: /.well-known/")
    with visitor(site) as visits:
        assert visits.visit(site.at("/feed"))
    assert site.paths == ["/robots.txt", "/feed"]


@pytest.mark.parametrize(
    ("text", "reserved"),
    [
        ("User-agent: *\nContent-Signal: search=yes, ai-input=no\nAllow: /", True),
        ("Content-Signal: ai-input=no", True),
        ("User-agent: a\nUser-agent: *\nContent-signal: AI-Input = No", True),
        ("User-agent: *\nContent-Signal: search=yes, ai-train=no", False),
        ("User-agent: *\nContent-Signal: ai-input=no\n\nUser-agent: archivar\nAllow: /", False),
        ("User-agent: other\nContent-Signal: ai-input=no\n\nUser-agent: *\nAllow: /", False),
    ],
)
def test_signals_against_use_in_answers_reserve(text, reserved, site):
    site.routes["/robots.txt"] = robots(text)
    with visitor(site) as visits:
        if reserved:
            with pytest.raises(Refused, match="Content-Signal: ai-input=no"):
                visits.visit(site.at("/feed"))
        else:
            assert visits.visit(site.at("/feed"))


def test_a_licence_lifts_reservations_but_not_robots():
    routes = {
        "/robots.txt": robots("User-agent: *\nDisallow: /intern\nContent-Signal: ai-input=no"),
        "/.well-known/tdmrep.json": json.dumps([{"location": "/", "tdm-reservation": 1}]),
        "/a": Answer(
            PAGE.replace("<title>", "<meta name=robots content=noai><title>"), headers={"tdm-reservation": "1"}
        ),
    }
    hosts = {"www.heise.de": ["193.99.144.85"], "notheise.de": ["193.99.144.86"]}
    with served(routes) as site, worldwide(site, hosts, licensed=["heise.de"]) as visits:
        assert visits.visit("https://www.heise.de/a").data
        with pytest.raises(Refused, match=r"robots\.txt of www\.heise\.de disallows it"):
            visits.visit("https://www.heise.de/intern")
        with pytest.raises(Refused, match=r"reserved.*add notheise\.de to ARCHIVAR_LICENSED_HOSTS"):
            visits.visit("https://notheise.de/a")


def test_each_host_has_rules_of_its_own():
    def route(request):
        return robots("User-agent: *\nDisallow: /" if request.host == "shop.heise.de" else "")

    hosts = {"heise.de": ["193.99.144.80"], "www.heise.de": ["193.99.144.85"], "shop.heise.de": ["193.99.144.86"]}
    routes = {"/robots.txt": route, "/a": redirect("https://www.heise.de/b"), "/b": redirect("https://shop.heise.de/c")}
    with served(routes) as site, worldwide(site, hosts) as visits:
        with pytest.raises(Refused, match=r"^https://heise.de/a: robots\.txt of shop\.heise\.de disallows it"):
            visits.visit("https://heise.de/a")
        assert "/c" not in site.paths
        assert isinstance(visits.visit("https://heise.de/nichts"), Gone)


def test_a_refusal_is_an_error_of_the_source():
    assert issubclass(Refused, SourceError)
