import threading
from datetime import timedelta
from email.utils import format_datetime

import pytest
from visiting import START, TurnedClock, visitor
from webserver import Answer, redirect, served

from archive.errors import SourceError
from ingest.web.exchange import Limits
from ingest.web.pacing import retry_after
from ingest.web.visits import Fetched, Gone, Unchanged, Validators

PAGE = "<html><body><p>Meldung</p></body></html>"


def test_a_page_comes_with_what_it_takes_to_ask_again():
    changed = "Tue, 01 Dec 2026 10:00:00 GMT"
    with served({"/a": Answer(PAGE, etag='"1"', last_modified=changed)}) as site, visitor(site) as visits:
        fetched = visits.visit(site.at("/a#unten"))
        assert fetched == Fetched(PAGE.encode(), site.at("/a"), "text/html", Validators('"1"', changed))
        assert visits.visit(site.at("/a"), fetched.validators) == Unchanged(site.at("/a"))
        assert visits.visit(site.at("/a"), Validators(last_modified=changed)) == Unchanged(site.at("/a"))
        assert visits.visit(site.at("/a"), Validators('"0"')) == fetched
        site.routes["/a"] = Answer("<html>neu</html>", etag='"2"')
        assert visits.visit(site.at("/a"), fetched.validators).data == b"<html>neu</html>"
        assert site.asked("/a")[1].headers["if-modified-since"] == changed


def test_a_304_that_nobody_asked_for_is_an_error():
    with served({"/": Answer(status=304)}) as site, visitor(site) as visits, pytest.raises(SourceError, match="304"):
        visits.visit(site.address)


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_gone_is_told_apart(status):
    with served({"/a": redirect("/b"), "/b": Answer(status=status)}) as site, visitor(site) as visits:
        assert visits.visit(site.at("/a")) == Gone(site.at("/a"), status)


@pytest.mark.parametrize("status", [401, 403, 451, 204, 206])
def test_other_statuses_are_errors_at_once(status):
    with served({"/a": Answer(PAGE, status)}) as site, visitor(site) as visits:
        with pytest.raises(SourceError, match=rf"^{site.at('/a')}: the server answers {status} \w"):
            visits.visit(site.at("/a"))
        assert len(site.asked("/a")) == 1


def test_only_what_moved_for_good_is_remembered():
    routes = {
        "/1": redirect("/2", 301), "/2": redirect("/3", 308), "/3": PAGE,
        "/4": redirect("/2", 302), "/5": redirect("/4", 301),
    }  # fmt: skip
    with served(routes) as site, visitor(site) as visits:
        first = visits.visit(site.at("/1"))
        assert (first.address, first.passed) == (site.at("/3"), (site.at("/1"), site.at("/2")))
        assert visits.visit(site.at("/5")).passed == (site.at("/2"),)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again_a_little_later_each_time(status):
    turned = TurnedClock()
    routes = {"/": [Answer(status=status)] * 3 + [Answer(PAGE)]}
    with served(routes) as site, visitor(site, turned, crawl_delay=0) as visits:
        assert visits.visit(site.address).data == PAGE.encode()
    first, second, third = turned.slept
    assert 1 <= first <= 2 <= second <= 3 < 4 <= third <= 5


def test_a_server_that_stays_busy_is_given_up():
    turned = TurnedClock()
    with served({"/": Answer(status=503)}) as site, visitor(site, turned, crawl_delay=0) as visits:
        with pytest.raises(SourceError, match=rf"^{site.address}: the server answers 503 Service Unavailable; try"):
            visits.visit(site.address)
        assert len(site.asked("/")) == 4
        assert len(turned.slept) == 3


@pytest.mark.parametrize("asked", ["60", format_datetime(START + timedelta(seconds=60), usegmt=True)])
def test_a_busy_server_says_when_to_come_back(asked):
    turned = TurnedClock()
    routes = {"/": [Answer(status=429, headers={"Retry-After": asked}), Answer(PAGE)]}
    with served(routes) as site, visitor(site, turned) as visits:
        assert visits.visit(site.address).data
    assert turned.slept == [60]


def test_the_next_visit_waits_too_until_a_busy_server_can_be_asked_again():
    turned = TurnedClock()
    busy = Answer(status=503, headers={"Retry-After": "60"})
    with served({"/": busy, "/b": PAGE}) as site, visitor(site, turned, limits=Limits(tries=2)) as visits:
        with pytest.raises(SourceError, match="503"):
            visits.visit(site.address)
        turned.seconds += 20
        assert visits.visit(site.at("/b")).data
    assert turned.slept == [60, 40]


def test_a_server_that_asks_for_a_long_rest_gets_it():
    turned = TurnedClock()
    with served({"/": Answer(status=503, headers={"Retry-After": "3600"})}) as site, visitor(site, turned) as visits:
        with pytest.raises(SourceError, match="asks to come back in 3600 seconds"):
            visits.visit(site.address)
        turned.seconds = 1800
        with pytest.raises(SourceError, match="not to be visited for another 1800 seconds"):
            visits.visit(site.at("/anders"))
        assert site.paths == ["/robots.txt", "/.well-known/tdmrep.json", "/"]
        assert not turned.slept
        site.routes["/"] = PAGE
        turned.seconds = 3601
        assert visits.visit(site.address).data


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0), (" 17 ", 17), ("9" * 400, 999_999_999), ("Tue, 01 Dec 2026 12:00:30 GMT", 30),
        ("Tue, 01 Dec 2026 11:00:00 GMT", 0), ("", None), ("-5", None), ("bald", None), ("1.5", None), ("²", None),
    ],
)  # fmt: skip
def test_retry_after_is_a_number_or_a_date(value, seconds):
    assert retry_after(value, START) == seconds


@pytest.mark.parametrize(
    "fault",
    [
        Answer(PAGE, cut=10),
        Answer(PAGE, length=5000),
        Answer(raw=b"kein HTTP\r\n\r\n"),
        Answer(raw=b""),
        Answer(delay=600),
    ],
)
def test_an_answer_that_breaks_off_is_asked_for_again(fault):
    turned = TurnedClock()
    limits = Limits(silence=2, tries=2)
    with served({"/": [fault, Answer(PAGE)]}) as site, visitor(site, turned, crawl_delay=0, limits=limits) as visits:
        assert visits.visit(site.address).data == PAGE.encode()
        site.routes["/"] = fault
        with pytest.raises(SourceError, match=rf"^{site.address}: can't be fetched \(.+\); try again later"):
            visits.visit(site.address)
        assert len(site.asked("/")) == 4


def test_a_server_that_was_there_may_come_back_one_that_was_not_is_a_wrong_address():
    turned = TurnedClock()
    with served({"/": PAGE}) as site:
        visits = visitor(site, turned, crawl_delay=0)
        visits.visit(site.address)
        visits.close()
    with pytest.raises(SourceError, match="check the address and the network"):
        visits.visit(site.address)
    assert len(turned.slept) == 3
    turned.slept.clear()
    with pytest.raises(SourceError, match="check the address and the network"):
        visitor(site, turned).visit(site.address)
    assert not turned.slept


def test_requests_to_a_host_keep_their_distance():
    turned = TurnedClock()
    with served({"/a": redirect("/b"), "/b": PAGE}) as site, visitor(site, turned, crawl_delay=2) as visits:
        visits.visit(site.at("/a"))
        assert turned.slept == [2]
        turned.seconds += 0.5
        visits.visit(site.at("/b"))
        assert turned.slept == [2, 1.5]
        turned.seconds += 5
        visits.visit(site.at("/b"))
        assert turned.slept == [2, 1.5]


def test_a_sleep_that_raises_ends_the_visit_and_leaves_the_visitor_usable():
    turned = TurnedClock()
    with served({"/": PAGE}) as site, visitor(site, turned) as visits:
        visits.visit(site.address)
        turned.stopped = True
        with pytest.raises(KeyboardInterrupt):
            visits.visit(site.address)
        turned.stopped = False
        assert visits.visit(site.address).data
        assert len(site.asked("/")) == 2


def test_threads_take_turns():
    at_once, most = [], []

    def route(request):
        at_once.append(request)
        most.append(len(at_once))
        threading.Event().wait(0.05)
        at_once.remove(request)
        return Answer(PAGE)

    with served({"/": route}) as site, visitor(site, crawl_delay=0) as visits:
        threads = [threading.Thread(target=visits.visit, args=(site.address,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert most == [1] * 4


def test_a_connection_is_used_again():
    with served({"/": Answer(PAGE, etag='"1"')}) as site:
        network = site.network
        with visitor(site, network=network, crawl_delay=0) as visits:
            for known in (None, Validators('"1"'), None):
                visits.visit(site.address, known)
            assert isinstance(visits.visit(site.at("/fehlt")), Gone)
        assert network.dialled == [("127.0.0.1", site.port)]
