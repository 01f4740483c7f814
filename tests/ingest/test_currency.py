"""An archive that is kept current: what changes, moves, goes, comes back, or is to be forgotten."""

import json
from dataclasses import replace

import pytest
import typer
from typer.testing import CliRunner
from webserver import Answer, redirect, served

from archive.articles import Article
from archive.visits import Visits
from ingest import remove_command
from ingest.pipeline import ingest, take
from ingest.removal import holding, named, of_source, remove
from ingest.report import Found, Reject, Visited
from ingest.web.visitor import Visitor
from ingest.web.visits import Gone, Validators

TEXT = "Die Störung im Telefonnetz ist behoben, teilte die Bundesnetzagentur am Dienstag mit. " * 8


@pytest.fixture
def site():
    with served({"/robots.txt": Answer(status=404)}) as site:
        yield site


@pytest.fixture
def fetched(site, archive, now):
    """Ingests addresses of the site, without a pause between requests."""

    def fetch(*paths):
        with Visitor(named=[site.at("/")], crawl_delay=0) as visitor:
            return ingest([site.at(path) for path in paths], archive, now=now, visitor=visitor)

    return fetch


def page(title="Störung im Telefonnetz behoben", text=TEXT, canonical=""):
    link = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    return f"""<!DOCTYPE html><html lang="de"><head><title>{title}</title>{link}
        <meta property="article:published_time" content="2024-03-23T18:32:00+01:00"></head>
        <body><article><h1>{title}</h1><p>{text}</p><p>{text}</p></article></body></html>"""


def held(archive):
    return sorted(article.title for article in archive.ledger.articles())


def found_by_words(archive, words):
    return {name.rpartition("#")[0] for name, _ in archive.index.search_words(words, 10)}


def test_a_changed_page_is_a_new_version_of_the_article(site, fetched, archive):
    site.routes["/a.html"] = page()
    assert fetched("/a.html").stored == 1
    [article] = archive.ledger.articles()
    site.routes["/a.html"] = page(text="Die Störung dauert nun doch länger als gedacht, sagen Techniker. " * 9)
    assert fetched("/a.html").changed == 1
    record = archive.ledger.record(article.id)
    assert (record.version, record.updated is not None) == (2, True)
    assert record.added <= record.updated
    assert found_by_words(archive, '"Bundesnetzagentur"') == set()
    assert found_by_words(archive, "Techniker") == {article.id}


def test_a_moved_page_is_the_same_article(site, fetched, archive):
    site.routes["/alt.html"] = page()
    fetched("/alt.html")
    [before] = archive.ledger.articles()
    site.routes["/alt.html"] = redirect("/neu.html", 301)
    site.routes["/neu.html"] = page(title="Telefonnetz: Störung ist behoben")
    assert fetched("/alt.html").changed == 1
    [after] = archive.ledger.articles()
    assert (after.id, after.title) == (before.id, "Telefonnetz: Störung ist behoben")
    # The new address alone leads to the same article from now on, and so does the old one.
    assert fetched("/neu.html").unchanged == 1
    assert set(archive.ledger.at_addresses([site.at("/alt.html"), site.at("/neu.html")]).values()) == {before.id}


def test_an_address_that_leads_elsewhere_for_today_names_no_article(site, fetched, archive):
    other = page("Ganz andere Meldung des Tages", "Der Stadtrat hat am Abend den Haushalt verabschiedet. " * 9)
    site.routes |= {"/heute": redirect("/a.html"), "/a.html": page(), "/b.html": other}
    fetched("/heute")
    site.routes["/heute"] = redirect("/b.html")
    assert fetched("/heute").stored == 1
    assert len(held(archive)) == 2


def test_gone_for_good_is_withdrawn_at_once_and_cited_no_more(site, fetched, archive):
    site.routes["/a.html"] = page()
    fetched("/a.html")
    [article] = archive.ledger.articles()
    report = take([Gone(site.at("/a.html"), 410)], archive, what="test")
    assert (report.withdrawn, report.exit_code) == (1, 0)
    assert held(archive) == [] and archive.ledger.article(article.id) is None
    assert archive.ledger.record(article.id).withdrawn
    assert archive.ledger.counts().articles == 0
    assert archive.index.counts() == (0, 0)


def test_not_found_twice_is_withdrawn_and_once_is_not(site, fetched, archive):
    site.routes["/a.html"] = page()
    fetched("/a.html")
    gone = Gone(site.at("/a.html"), 404)
    assert take([gone], archive, what="test").withdrawn == 0
    # In between it was there again, so the count begins anew.
    take([Visited(gone.address, Validators())], archive, what="test")
    assert take([gone], archive, what="test").withdrawn == 0
    assert take([gone], archive, what="test").withdrawn == 1
    assert take([gone], archive, what="test").withdrawn == 0


def test_an_address_that_an_article_has_left_may_go(site, fetched, archive):
    site.routes["/alt.html"], site.routes["/neu.html"] = redirect("/neu.html", 301), page()
    fetched("/alt.html")
    assert take([Gone(site.at("/alt.html"), 410)], archive, what="test").withdrawn == 0
    assert held(archive) == ["Störung im Telefonnetz behoben"]
    assert take([Gone(site.at("/neu.html"), 410)], archive, what="test").withdrawn == 1


def test_an_address_without_an_article_is_a_reject(archive):
    [reject] = take([Gone("https://zeitung.de/nie", 404)], archive, what="test").rejected
    assert "404" in reject.reason


def test_a_withdrawn_article_comes_back_with_its_page_and_not_with_a_list(site, fetched, archive, now, tmp_path):
    site.routes["/a.html"] = page()
    fetched("/a.html")
    [article] = archive.ledger.articles()
    archive.ledger.withdraw(article.id)
    listed = {"id": article.id, "title": article.title, "source": article.source, "text": "Ein alter Abzug. " * 20}
    (tmp_path / "liste.jsonl").write_text(json.dumps(listed))
    assert ingest([str(tmp_path / "liste.jsonl")], archive, now=now).unchanged == 1
    assert held(archive) == []
    assert fetched("/a.html").changed == 1
    assert held(archive) == [article.title]
    assert found_by_words(archive, "Bundesnetzagentur") == {article.id}


def test_validators_are_noted_when_everything_before_them_is_stored(archive, article, monkeypatch):
    visited = Visited("https://zeitung.de/feed", Validators('"1"', "Tue, 01 Dec 2026 08:00:00 GMT"))
    monkeypatch.setattr(archive.embedder, "embed_passages", lambda texts: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        take([Found(article(), "feed"), visited], archive, what="test")
    assert Visits(archive.ledger).validators(visited.address) == (None, None)
    monkeypatch.undo()
    take([Found(article(), "feed"), visited], archive, what="test")
    assert Visits(archive.ledger).validators(visited.address) == ('"1"', "Tue, 01 Dec 2026 08:00:00 GMT")


def test_what_comes_slowly_is_taken_in_before_the_end(archive, article, monkeypatch):
    monkeypatch.setattr("ingest.pipeline.PATIENCE", 0.0)
    seen = []

    def records():
        for number in range(3):
            seen.append(archive.ledger.counts().articles)
            yield Found(article(id=str(number)), "feed")

    assert take(records(), archive, what="test").stored == 3
    assert seen == [0, 1, 2]


def test_runs_are_noted_and_a_broken_one_has_no_end(archive, article):
    take([Found(article(), "feed"), Reject("feed", "kaputt", "entry 2")], archive, what="watch")
    with pytest.raises(ZeroDivisionError):
        take((1 // 0 for _ in range(1)), archive, what="watch again")
    first, second = archive.ledger.db.execute("SELECT * FROM runs ORDER BY number").fetchall()
    assert (first["what"], first["stored"], first["rejected"], first["passages"]) == ("watch", 1, 1, 1)
    assert first["ended"] >= first["started"]
    assert (second["what"], second["ended"]) == ("watch again", None)


@pytest.fixture
def three(archive, article):
    articles = [
        article(id="1", title="Max Mustermann verliert vor Gericht", url="https://zeitung.de/1", text=TEXT),
        article(id="2", title="Bundestag beschließt das Gesetz", text="Auch Max Mustermann stimmte zu. " + TEXT),
        article(id="3", title="Wetter bleibt mild und freundlich", text=TEXT),
    ]
    take([Found(one, "liste") for one in articles], archive, what="test")
    archive.ledger.note_addresses("1", ["https://zeitung.de/alt"])
    return articles


@pytest.mark.parametrize("name", ["1", "https://zeitung.de/1", "https://zeitung.de/alt"])
def test_remove_takes_an_article_by_id_or_any_address(name, three, archive):
    found, missing = named(archive, [name, "gibt-es-nicht"])
    assert ([one.id for one in found], missing) == (["1"], ["gibt-es-nicht"])
    remove(archive, found)
    assert held(archive) == sorted(one.title for one in three[1:])
    assert set(archive.index.counts()) == {archive.ledger.counts().passages}


def test_remove_finds_articles_by_a_name_in_them(three, archive):
    assert {one.id for one in holding(archive, "Max Mustermann")} == {"1", "2"}
    assert holding(archive, 'Erika "Gabler"') == []


def test_remove_takes_all_of_a_source(three, archive, article):
    take([Found(article(id="4", source="andere.de"), "liste")], archive, what="test")
    assert [one.id for one in of_source(archive, "andere.de")] == ["4"]
    assert of_source(archive, "niemand.de") == []


def test_the_command_asks_removes_and_strikes_the_rejects(three, archive, tmp_path, monkeypatch, embedder):
    monkeypatch.setattr("archive.embedding.load_embedder", lambda settings, store: embedder)
    rejects = tmp_path / "home" / "rejects.jsonl"
    rejects.write_text(json.dumps({"reason": f"id 9 belongs to '{three[0].title}'"}) + "\n{}\n", encoding="utf-8")
    app = typer.Typer()
    app.command()(remove_command.remove)
    order = ["--holding", "Max Mustermann", "--home", str(tmp_path / "home")]
    refused = CliRunner().invoke(app, order, input="n\n")
    assert refused.exit_code == 1 and three[0].title in refused.output and len(held(archive)) == 3
    removed = CliRunner().invoke(app, order, input="y\n")
    assert removed.exit_code == 0 and "2 articles removed" in removed.output
    assert held(archive) == [three[2].title]
    assert rejects.read_text(encoding="utf-8") == "{}\n"
    assert CliRunner().invoke(app, ["--home", str(tmp_path / "home")]).exit_code == 2


def test_what_is_forgotten_stays_out_whatever_names_it(three, archive):
    remove(archive, three[:1])
    again = replace(three[0], title="Anderer Titel")
    moved = Article("neu", "Max Mustermann verliert vor Gericht", TEXT, url="https://zeitung.de/1", source="zeitung.de")
    old = replace(moved, url="https://zeitung.de/alt")
    report = take([Found(one, "liste") for one in (again, moved, old, three[2])], archive, what="test")
    assert (report.forgotten, report.stored, report.unchanged, report.exit_code) == (3, 0, 1, 0)


def test_nothing_of_what_is_forgotten_is_left_in_the_files(archive, article, tmp_path):
    secret = "Zwetschgenknödelverordnung"
    gone = article(id="geheim-4711", title=f"Die {secret} des Max Mustermann", text=f"{secret} überall. " * 30)
    take([Found(gone, "liste"), Found(article(id="2", text=TEXT), "liste")], archive, what="test")
    files = lambda: b"".join(path.read_bytes() for path in sorted((tmp_path / "home").rglob("*")) if path.is_file())  # noqa: E731
    stem = secret.lower()[:15].encode()
    assert secret.encode() in files() and stem in files().lower()
    remove(archive, [gone])
    assert secret.encode() not in files()
    assert stem not in files().lower()
