"""Feeds that are watched: what is new, what changes, what goes, and whatever may happen in between."""

import logging
import os
import signal
import threading
from datetime import UTC, datetime, timedelta

import pytest
from webserver import Answer, served

from archive.errors import ArchiveError, SourceError
from archive.locking import held
from ingest.removal import remove
from ingest.stopping import Stopping
from ingest.watched_feeds import PAUSE, feeds_of
from ingest.watching import LIMITS, Watcher
from ingest.web.pacing import Clock
from ingest.web.visitor import Visitor

HOUR = 3600
TEXT = "Die Störung im Telefonnetz ist behoben, teilte die Bundesnetzagentur am Dienstag mit. " * 8


class Time:
    """A clock that stands still but for those who wait."""

    def __init__(self):
        self.start, self.passed = datetime.now(UTC).replace(microsecond=0), 0.0

    def now(self):
        return self.start + timedelta(seconds=self.passed)

    def wait(self, seconds):
        self.passed += seconds

    @property
    def clock(self):
        return Clock(lambda: self.passed, self.now, self.wait)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def site():
    with served({"/robots.txt": Answer(status=404)}) as site:
        yield site


def page(words, text=TEXT):
    return f"""<!DOCTYPE html><html lang="de"><head><title>{words}</title></head><body><article><h1>{words}</h1>
        <p>{text}</p><p>{text}</p></article></body></html>"""


@pytest.fixture
def feed(site, time):
    """Puts a feed of entries (path, title, and more by name) on the site; each state of it has an ETag of its own."""
    published = time.now() - timedelta(minutes=5)

    def entry(path, title, summary="Kurz gesagt: nichts Besonderes.", updated=published):
        return f"""<entry><title>{title}</title><id>{path}</id><link href="{site.at(path)}"/>
            <published>{published.isoformat()}</published><updated>{updated.isoformat()}</updated>
            <summary>{summary}</summary></entry>"""

    def put(*entries, head=""):
        written = "".join(entry(*one) if isinstance(one, tuple) else entry(**one) for one in entries)
        body = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Zeitung</title>{head}{written}</feed>'
        site.routes["/feed"] = Answer(body, media_type="application/atom+xml", etag=f'"{hash(body)}"')

    return put


@pytest.fixture
def watching(site, archive, time):
    """Starts a watcher anew, as after a restart."""
    visitors = []

    def start(path="/feed", every=None):
        visitor = Visitor(named=[site.at("/")], crawl_delay=0, limits=LIMITS, clock=time.clock)
        visitors.append(visitor)
        return Watcher(feeds_of([site.at(path)], every), archive, visitor, Stopping(), clock=time.clock)

    yield start
    for visitor in visitors:
        visitor.close()


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.INFO, "ingest.watching")
    return lambda: [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]


def pass_by(watcher, time, seconds):
    """Lets so much time go by, as the watcher would spend it."""
    end = time.passed + seconds
    while (rest := watcher.attempt()) is not None and time.passed + rest <= end:
        time.wait(max(rest, 0.01))
    time.passed = max(time.passed, end)


def titles(archive):
    return sorted(article.title for article in archive.ledger.articles())


def found(archive, words):
    return {name.rpartition("#")[0] for name, _ in archive.index.search_words(f'"{words}"', 10)}


def runs(archive):
    return archive.ledger.db.execute("SELECT * FROM runs").fetchall()


def test_an_entry_is_found_at_once_and_its_page_after_that(watching, feed, site, archive, time, told):
    feed(("/a.html", "Telefonnetz gestört", "Die Netzagentur prüft."))
    site.routes["/a.html"] = [Answer(status=503), Answer(page("Telefonnetz gestört"))]
    watcher = watching()
    watcher.round()
    [article] = archive.ledger.articles()
    assert found(archive, "Netzagentur") == {article.id} and not article.text
    pass_by(watcher, time, HOUR)
    [article] = archive.ledger.articles()
    assert "Bundesnetzagentur" in article.text and found(archive, "Bundesnetzagentur") == {article.id}
    assert told()[0] == "1 new"


def test_a_feed_that_has_not_changed_costs_one_request_without_a_body(watching, feed, site, archive, embedder, time):
    feed(("/a.html", "Telefonnetz gestört"))
    site.routes["/a.html"] = page("Telefonnetz gestört")
    watcher = watching()
    watcher.round()
    asked, embedded, noted = len(site.requests), len(embedder.embedded), len(runs(archive))
    pass_by(watcher, time, 9.5 * PAUSE)
    after = site.requests[asked:]
    assert {request.path for request in after} == {"/feed"} and 9 <= len(after) <= 10
    assert all(request.headers["if-none-match"] == site.routes["/feed"].etag for request in after)
    assert (len(embedder.embedded), len(runs(archive))) == (embedded, noted)


def test_after_a_restart_nothing_is_fetched_twice(watching, feed, site, archive, time):
    feed(("/a.html", "Telefonnetz gestört"), ("/b.html", "Bahn fährt wieder"))
    site.routes |= {"/a.html": page("Telefonnetz gestört"), "/b.html": page("Bahn fährt wieder")}
    watching().round()
    asked = len(site.requests)
    pass_by(watching(), time, 60)
    assert {request.path for request in site.requests[asked:]} <= {"/feed", "/robots.txt", "/.well-known/tdmrep.json"}
    assert titles(archive) == ["Bahn fährt wieder", "Telefonnetz gestört"]


def test_a_page_is_visited_again_for_two_days_and_asked_whether_it_changed(watching, feed, site, archive, time):
    feed(("/a.html", "Telefonnetz gestört"))
    site.routes["/a.html"] = Answer(page("Telefonnetz gestört"), etag='"1"')
    watcher, begun = watching(every=600), time.passed
    hours = []
    for _ in range(100):
        before = len(site.asked("/a.html"))
        pass_by(watcher, time, HOUR)
        hours += [round((time.passed - begun) / HOUR)] * (len(site.asked("/a.html")) - before)
    assert hours == [1, 1, 6, 24, 48] or hours == [1, 2, 7, 25, 49]
    assert [request.headers.get("if-none-match") for request in site.asked("/a.html")] == [None, *['"1"'] * 4]
    assert archive.ledger.record(next(archive.ledger.articles()).id).version == 1  # its page completed the headline


def test_a_changed_page_is_noticed(watching, feed, site, archive, time):
    feed(("/a.html", "Telefonnetz gestört"))
    site.routes["/a.html"] = Answer(page("Telefonnetz gestört"), etag='"1"')
    watcher = watching()
    watcher.round()
    site.routes["/a.html"] = Answer(page("Telefonnetz gestört", "Techniker suchen weiter. " * 20), etag='"2"')
    pass_by(watcher, time, 2 * HOUR)
    assert found(archive, "Techniker") and not found(archive, "Bundesnetzagentur")


def test_an_entry_that_was_updated_has_its_page_visited_at_once(watching, feed, site, archive, time):
    feed(("/a.html", "Telefonnetz gestört"))
    site.routes["/a.html"] = page("Telefonnetz gestört")
    watcher = watching()
    watcher.round()
    time.wait(120)
    site.routes["/a.html"] = page("Telefonnetz repariert", "Techniker haben den Fehler gefunden. " * 20)
    feed({"path": "/a.html", "title": "Telefonnetz repariert", "updated": time.now() + timedelta(minutes=1)})
    watcher.round()
    assert titles(archive) == ["Telefonnetz repariert"] and found(archive, "Techniker")


@pytest.mark.parametrize(("status", "hours"), [(410, 1.5), (404, 3)])
def test_a_page_that_is_gone_is_withdrawn_and_left_alone(status, hours, watching, feed, site, archive, time, told):
    feed(("/a.html", "Telefonnetz gestört"))
    site.routes["/a.html"] = page("Telefonnetz gestört")
    watcher = watching()
    watcher.round()
    site.routes["/a.html"] = Answer("Weg", status)
    pass_by(watcher, time, hours * HOUR)
    assert titles(archive) == [] and archive.index.counts() == (0, 0)
    assert "1 withdrawn" in told()
    asked = len(site.asked("/a.html"))
    pass_by(watcher, time, 48 * HOUR)
    assert len(site.asked("/a.html")) == asked


def test_a_page_that_may_not_be_fetched_leaves_its_headline_and_is_told_once(watching, feed, site, archive, time, told):
    site.routes["/robots.txt"] = Answer("User-agent: *\nDisallow: /a.html", media_type="text/plain")
    feed(("/a.html", "Telefonnetz gestört", "Die Netzagentur prüft."))
    watcher = watching()
    pass_by(watcher, time, 30 * HOUR)
    assert titles(archive) == ["Telefonnetz gestört"] and not site.asked("/a.html")
    assert sum("robots.txt" in line for line in told()) == 1
    assert sum(run["rejected"] for run in runs(archive)) == 1


def test_a_page_that_fails_is_tried_less_and_less_often_and_told_once(watching, feed, site, archive, time, told):
    site.routes["/a.html"] = Answer(status=500)
    feed(("/a.html", "Telefonnetz gestört"))
    pass_by(watching(every=600), time, 100 * HOUR)
    assert titles(archive) == ["Telefonnetz gestört"]
    assert len(site.asked("/a.html")) == 5
    assert sum("500" in line for line in told()) == 1


def test_pages_of_a_server_that_is_down_are_not_tried_one_by_one(watching, feed, site, time):
    numbers = range(20)
    feed(*((f"/{number}.html", f"Meldung Nummer {number} des Tages") for number in numbers))
    site.routes |= {f"/{number}.html": Answer(status=503) for number in numbers}
    pass_by(watching(), time, 50)
    assert sum(request.path.endswith(".html") for request in site.requests) == 3


def test_pages_elsewhere_are_not_visited(watching, site, archive, feed):
    feed(("/a.html", "Telefonnetz gestört"))
    body = site.routes["/feed"].body.replace(site.at("/a.html"), "https://anderswo.example/a.html")
    site.routes["/feed"] = Answer(body, media_type="application/atom+xml")
    watching().round()
    assert titles(archive) == ["Telefonnetz gestört"]
    assert archive.ledger.db.execute("SELECT due FROM watched").fetchone()["due"] is None


@pytest.mark.parametrize(
    "broken",
    [
        Answer(status=500),
        Answer(status=404),
        Answer("<feed><entry><title>offen", media_type="application/atom+xml", cut=4, length=400),
        Answer("kein Feed", media_type="application/xml"),
        Answer(page("Eine Seite"), media_type="text/html"),
        Answer(b"\x00\x01", media_type="image/png"),
    ],
    ids=["500", "404", "cut", "no XML", "page", "picture"],
)
def test_a_feed_that_fails_is_told_once_and_read_again_when_it_is_back(
    broken, watching, feed, site, archive, time, told
):
    site.routes["/feed"] = broken
    watcher = watching()
    pass_by(watcher, time, 6 * HOUR)
    assert len(told()) == 1 and site.at("/feed") in told()[0]
    assert 20 < len(site.asked("/feed")) < 40  # a quarter of an hour between them at last
    feed(("/a.html", "Telefonnetz gestört"))
    pass_by(watcher, time, HOUR)
    assert titles(archive) == ["Telefonnetz gestört"]
    assert any("read again" in line for line in told())


def test_one_entry_that_is_none_is_told_once(watching, feed, site, archive, time, told):
    for number in range(3):
        feed(
            ("/a.html", "Telefonnetz gestört"),
            ("/b.html", ""),
            (f"/{number}.html", f"Meldung Nummer {number} des Tages"),
        )
        watcher = watching() if number == 0 else watcher  # noqa: F821
        pass_by(watcher, time, 2 * PAUSE)
    assert len(titles(archive)) == 4
    assert sum(run["rejected"] for run in runs(archive) if run["stored"]) == 1


def test_what_was_removed_on_request_does_not_come_back(watching, feed, site, archive, time, told):
    feed(("/a.html", "Telefonnetz gestört"))
    site.routes["/a.html"] = page("Telefonnetz gestört")
    watcher = watching()
    watcher.round()
    remove(archive, list(archive.ledger.articles()))
    asked, lines = len(site.asked("/a.html")), len(told())
    feed(("/a.html", "Telefonnetz gestört"), ("/b.html", "Bahn fährt wieder"))
    site.routes["/b.html"] = page("Bahn fährt wieder")
    pass_by(watcher, time, 3 * HOUR)
    pass_by(watching(), time, 3 * HOUR)
    assert titles(archive) == ["Bahn fährt wieder"]
    assert len(site.asked("/a.html")) == asked
    assert told()[lines:] == ["1 new", "1 changed"]


def test_a_feed_is_read_as_often_as_it_asks_for_unless_the_user_says(watching, feed, site, time):
    feed(("/a.html", "Telefonnetz gestört"), head="<ttl>30</ttl>")
    site.routes["/a.html"] = page("Telefonnetz gestört")
    pass_by(watching(), time, 2 * HOUR - 1)
    assert len(site.asked("/feed")) == 4
    pass_by(watching(every=60), time, HOUR - 1)
    assert len(site.asked("/feed")) == 4 + 60


def test_another_writer_is_waited_for_and_nothing_is_lost(watching, feed, site, archive, told, tmp_path):
    feed(("/a.html", "Telefonnetz gestört"))
    site.routes["/a.html"] = page("Telefonnetz gestört")
    watcher, waiting = watching(), threading.Event()
    logging.getLogger("ingest.watching").addFilter(lambda record: waiting.set() or True)
    with held(tmp_path / "home", "write"):
        thread = threading.Thread(target=watcher.round)
        thread.start()
        assert waiting.wait(30)
        assert titles(archive) == []
    thread.join(30)
    assert titles(archive) == ["Telefonnetz gestört"] and found(archive, "Bundesnetzagentur")
    assert sum("is at work on it" in line for line in told()) == 1


@pytest.mark.parametrize("error", [ArchiveError("vectors: away"), OSError(28, "No space left on device")], ids=str)
def test_an_archive_that_takes_nothing_is_tried_again(error, watching, feed, site, archive, time, told, monkeypatch):
    feed(("/a.html", "Telefonnetz gestört"))
    site.routes["/a.html"] = page("Telefonnetz gestört")
    watcher = watching()

    def fail(*_):
        raise error

    monkeypatch.setattr(archive.index, "apply", fail)
    pass_by(watcher, time, HOUR)
    assert found(archive, "Telefonnetz") == set()
    assert sum("nothing can be stored" in line for line in told()) == 1
    asked = len(site.asked("/feed"))
    pass_by(watcher, time, HOUR)
    assert len(site.asked("/feed")) == asked  # nothing is fetched that can't be stored
    monkeypatch.undo()
    pass_by(watcher, time, HOUR)
    assert titles(archive) == ["Telefonnetz gestört"] and found(archive, "Bundesnetzagentur")
    assert archive.index.counts() == (archive.ledger.counts().passages,) * 2


def test_once_reads_each_feed_and_visits_every_page(watching, feed, site, archive):
    numbers = range(12)
    feed(*((f"/{number}.html", f"Meldung Nummer {number} des Tages") for number in numbers))
    site.routes |= {f"/{number}.html": page(f"Meldung Nummer {number} des Tages") for number in numbers}
    watching().once()
    assert all(article.text for article in archive.ledger.articles()) and len(titles(archive)) == 12
    site.routes["/feed"] = Answer(status=500)
    with pytest.raises(SourceError, match="500"):
        watching().once()


def test_a_signal_ends_it_in_a_pause(watching, feed, archive):
    feed(("/a.html", "Telefonnetz gestört"))
    watcher = watching()
    stopping = watcher._stopping
    watcher._clock = Clock()
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
    with stopping.listening():
        watcher.run()
    assert titles(archive) == ["Telefonnetz gestört"]


def test_names_of_publishers_stand_for_their_feeds():
    [heise] = feeds_of(["heise", "heise"], None)
    assert heise.owns("https://www.heise.de/news/a-1.html") and not heise.owns("https://heise.example/a-1.html")
    with pytest.raises(SourceError, match="no such publisher"):
        feeds_of(["gibtesnicht"], None)
