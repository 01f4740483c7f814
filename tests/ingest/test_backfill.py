"""A month of heise from index page to archive, played by a local site."""

from datetime import date

import pytest
from visiting import worldwide
from webserver import Answer, served

from ingest.backfill import backfill
from ingest.sources.publishers import publisher
from ingest.web.visitor import Visitor

MONTH = "/newsticker/archiv/2022/01/"
START, END = date(2022, 1, 1), date(2022, 1, 31)
NUMBERS = range(6300000, 6300012)


def path(number):
    return f"/news/Meldung-Nummer-{number}.html"


def index(numbers):
    teasers = "".join(
        f"""<article data-cid="{number}"><a href="{path(number)}" title="Meldung mit der Nummer {number}">
        <time datetime="2022-01-{number % 28 + 1:02}T10:00:00+01:00">x</time></a></article>"""
        for number in numbers
    )
    return f"<!DOCTYPE html><html><body>{teasers}</body></html>"


def page(number, text="Die Bundesnetzagentur hat am Dienstag mitgeteilt, dass die Störung im Netz behoben ist."):
    return f"""<!DOCTYPE html><html lang="de"><head><title>Meldung mit der Nummer {number} | heise online</title>
        <meta property="og:title" content="Meldung mit der Nummer {number}">
        <meta property="og:url" content="https://www.heise.de{path(number)}">
        <script type="application/ld+json">{{"@type": "NewsArticle", "headline": "Meldung mit der Nummer {number}",
        "datePublished": "2022-01-{number % 28 + 1:02}T10:00:00+01:00"}}</script></head>
        <body><article><p>{text} Absatz eins.</p><p>{text} Nummer {number}.</p><p>{text} Schluss.</p></article></body>
        </html>"""


@pytest.fixture
def site():
    pages = {path(number): Answer(page(number), etag=f'"{number}"') for number in NUMBERS}
    with served({"/robots.txt": Answer(status=404), MONTH: index(NUMBERS), **pages}) as site:
        yield site


@pytest.fixture
def bring(site, archive, now):
    """Backfills January; `www.heise.de` is the local site."""

    def run(**options):
        site.requests.clear()
        with worldwide(site, {"www.heise.de": ["193.99.144.85"]}) as visitor:
            return backfill(publisher("heise"), START, END, archive, visitor, now=now, **options)

    return run


def articles_asked(site):
    return [asked for asked in site.paths if asked.startswith("/news/")]


def test_a_month_comes_in_with_its_texts_and_a_second_run_asks_for_the_list_alone(site, bring, archive):
    report = bring()
    assert (report.stored, report.rejected) == (len(NUMBERS), ())
    assert {article.id for article in archive.ledger.articles()} == {str(number) for number in NUMBERS}
    assert all("Bundesnetzagentur" in article.text for article in archive.ledger.articles())
    bring()
    assert articles_asked(site) == [] and MONTH in site.paths


def test_what_could_not_be_fetched_is_there_as_its_headline_and_comes_with_the_next_run(site, bring, archive):
    site.routes[path(NUMBERS[5])] = Answer(status=500)
    before = bring()
    assert before.stored == len(NUMBERS) and len(before.rejected) == 1
    assert archive.ledger.article(str(NUMBERS[5])).text == ""
    site.routes[path(NUMBERS[5])] = page(NUMBERS[5])
    assert bring().changed == 1
    assert articles_asked(site) == [path(NUMBERS[5])]
    assert archive.ledger.article(str(NUMBERS[5])).text


def test_a_run_that_broke_off_goes_on_where_it_was(site, bring, monkeypatch):
    monkeypatch.setattr("ingest.pipeline.PATIENCE", 0.0)  # what came is stored before the next is fetched
    reads = Visitor.visit

    def visit(self, address, known=None):
        if address.endswith(path(NUMBERS[7])):
            raise KeyboardInterrupt
        return reads(self, address, known)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Visitor, "visit", visit)
        bring()
    report = bring()
    assert (report.stored, articles_asked(site)) == (5, [path(number) for number in NUMBERS[7:]])


def test_again_finds_what_has_changed_and_what_is_gone(site, bring, archive):
    bring()
    site.routes[path(NUMBERS[0])] = Answer(page(NUMBERS[0], "Die Störung dauert nun doch noch an."), etag='"neu"')
    site.routes[path(NUMBERS[1])] = Answer(status=410)
    site.routes[path(NUMBERS[2])] = Answer(status=404)
    report = bring(again=True)
    assert (report.changed, report.withdrawn, report.stored, report.rejected) == (1, 1, 0, ())
    asked = [request for request in site.requests if request.path == path(NUMBERS[3])]
    assert [request.headers.get("if-none-match") for request in asked] == [f'"{NUMBERS[3]}"']
    assert archive.ledger.record(str(NUMBERS[0])).version == 2
    assert archive.ledger.article(str(NUMBERS[1])) is None
    assert archive.ledger.article(str(NUMBERS[2])) is not None
    assert bring(again=True).withdrawn == 1
    assert archive.ledger.article(str(NUMBERS[2])) is None
    assert articles_asked(site).count(path(NUMBERS[1])) == 1


def test_what_was_removed_on_request_is_not_stored_again(site, bring, archive):
    from ingest.removal import named, remove

    bring()
    remove(archive, named(archive, [str(NUMBERS[4])])[0])
    report = bring()
    assert (report.forgotten, report.stored) == (1, 0)
    assert archive.ledger.record(str(NUMBERS[4])) is None


def test_a_site_that_is_away_is_one_clear_line_and_what_came_before_is_kept(site, bring):
    site.routes[MONTH] = Answer(status=404)
    report = bring()
    assert report.exit_code == 1
    assert MONTH in str(report.rejected[0])
