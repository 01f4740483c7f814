"""What is exported is ingested as it was: ids, hashes, every field."""

import gzip
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from archivar import app
from archive.archive import Archive
from archive.articles import TIME_ZONE, Article
from archive.errors import BadArticle
from archive.ledger import Ledger
from archive.settings import Settings
from ingest.clean import clean
from ingest.exporting import export
from ingest.pipeline import ingest
from ingest.sources.records import Origin, article_from
from ingest.split import split

MAY = datetime(2024, 5, 3, 12, 30, tzinfo=TIME_ZONE)
AWKWARD = (
    Article("1", "Undatiert und ohne Adresse und Text", source="z.de"),
    Article("2", 'Die „Große" Koalition sagt: "Nein, danke" & geht', source="z.de",
            text="Erstens\u2028.\n\nZweitens: ß, €, 😀."),
    Article("id mit / # % und ü", "Eine Kennung mit Zeichen aller Art", published=MAY, source="Z-Blatt",
            url="https://z.de/x?a=1&b=2"),
    Article("4", "Bezahlt, geändert und besprochen", "Der Anfang.", published=MAY, modified=MAY.replace(hour=20),
            paid=True, comments=0, source="heise.de", url="https://www.heise.de/news/x-4.html"),
    Article("5", "Themen mit Kommas und Autoren mit und", topics=("Chips, Fabs & Co.", "[KI]"),
            authors=("Müller und Söhne", "A; B"), source="z.de",
            published=datetime(2024, 5, 3, 23, 59, 59, 123456, UTC)),
    Article("6", "Was <p> und &lt; in HTML bedeuten", "Man schreibt <p>Absatz</p> für einen.\n\nUnd &amp; für &.",
            teaser="Die Tags <b> und <br>", source="z.de", topics=("<p>", "R&amp;D")),
    Article("7", "Sekunden im Winter und im Sommer", published=datetime(2021, 1, 1, tzinfo=UTC), source="a.b-c.de"),
    Article("-8", "12345678901234567890", text="01/02/2003", source="1"),
)  # fmt: skip


def lines(articles, *arguments):
    return [json.loads(line.text) for line in export(articles, *arguments)]


@pytest.mark.parametrize("article", AWKWARD, ids=lambda article: article.id)
def test_awkward_articles_come_back_alike(article):
    article = clean(article)
    (line,) = export([article])
    assert line.alike and "\n" not in line.text
    again = clean(article_from(json.loads(line.text), Origin("export", "other", datetime.now(UTC), "")))
    assert (again, again.content_hash) == (article, article.content_hash)


_MARKUP = st.sampled_from(
    ("<p>", "</p>", "&lt;", "&amp;lt;b&amp;gt;", "\n", "\n\n", "Anzeige", "^", "<br>", "a\u0308", "\u00ad", '"', "<!--",
     "-->", "<script>", "</script>", "<a href='x'>weiterlesen</a>", "Kommentare lesen", "(dpa)", "\t", "Wort ")
)  # fmt: skip
_TEXTS = st.lists(_MARKUP | st.text(max_size=5), max_size=12).map("".join)


@settings(max_examples=300, deadline=None)
@given(_TEXTS, _TEXTS, _TEXTS, st.lists(_TEXTS, max_size=2))
def test_whatever_was_cleaned_comes_back_alike(title, teaser, text, topics):
    raw = Article("1", f"Titel einer Meldung {title}", text, teaser, topics=tuple(topics), source="z.de")
    (line,) = export([clean(raw)])
    assert line.alike


@settings(max_examples=300, deadline=None)
@given(_TEXTS.filter(lambda text: "<" not in text and "&" not in text))
def test_cleaning_what_is_clean_changes_nothing(text):
    once = clean(Article("1", "Titel einer Meldung", text, source="z.de"))
    assert clean(once) == once


def test_an_archive_ingests_its_own_export_as_known_and_a_new_one_as_the_same(archive, tmp_path, embedder):
    with archive.writing():
        archive.ledger.store([(article, split(article)) for article in map(clean, AWKWARD)])
        archive.index_pending()
    file = tmp_path / "a.jsonl.gz"
    result = CliRunner().invoke(app, ["export", str(file), "--home", str(tmp_path / "home")])
    assert (result.exit_code, result.stderr) == (0, f"{len(AWKWARD)} articles exported.\n")
    report = ingest([str(file)], archive)
    assert (report.unchanged, report.stored, report.changed, report.rejected) == (len(AWKWARD), 0, 0, ())
    new = Archive.open(Settings(home=tmp_path / "new"), embedder)
    ingest([str(file)], new)
    assert list(new.ledger.articles()) == list(archive.ledger.articles())
    assert [new.ledger.passages_of(a.id) for a in AWKWARD] == [archive.ledger.passages_of(a.id) for a in AWKWARD]
    new.close()


def test_a_time_and_a_source_choose(tmp_path):
    ledger = Ledger.open(tmp_path / "home")
    ledger.store([(clean(article), []) for article in AWKWARD])
    ledger.withdraw("4")
    ledger.close()

    def exported(*arguments) -> list[str]:
        result = CliRunner().invoke(app, ["export", "--home", str(tmp_path / "home"), *arguments])
        assert result.exit_code == 0
        return [json.loads(line)["id"] for line in result.stdout.splitlines()]

    assert "4" not in exported() and len(exported()) == len(AWKWARD) - 1
    assert exported("--from", "2024-05-03", "--to", "2024-05-03") == ["id mit / # % und ü"]
    assert exported("--from", "2024", "--to", "2024-05") == ["id mit / # % und ü", "5"]
    assert exported("--to", "2023") == ["7"]
    assert exported("--source", "a.b-c.de") == ["7"]
    assert exported("--source", "b-c.de") == []


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["--from", "gestern"], "'gestern' is no time"),
        (["--from", "2024", "--to", "2023"], "lies after --to 2023"),
        (["{there}"], "is there already; name another file, or give --force"),
        (["{there}/x"], "can't be written"),
    ],
)
def test_what_cannot_be_meant_is_told(arguments, told, tmp_path):
    Ledger.open(tmp_path / "home").close()
    there = tmp_path / "there.jsonl"
    there.write_text("x", encoding="utf-8")
    filled = [argument.format(there=there) for argument in arguments]
    result = CliRunner().invoke(app, ["export", "--home", str(tmp_path / "home"), *filled])
    assert result.exit_code == 1 and told in str(result.exception)
    assert there.read_text(encoding="utf-8") == "x"


def test_no_archive_is_made_by_looking_for_one(tmp_path):
    result = CliRunner().invoke(app, ["export", "--home", str(tmp_path / "nowhere")])
    assert "holds no archive" in str(result.exception)
    assert not (tmp_path / "nowhere").exists()


def test_gzip_goes_by_the_suffix_and_a_file_is_there_whole_or_not(tmp_path):
    ledger = Ledger.open(tmp_path / "home")
    ledger.store([(clean(AWKWARD[0]), [])])
    ledger.close()
    for name in ("a.jsonl", "a.jsonl.gz"):
        CliRunner().invoke(app, ["export", str(tmp_path / name), "--home", str(tmp_path / "home")])
    assert gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()) == (tmp_path / "a.jsonl").read_bytes()
    assert not list(tmp_path.glob("*.part"))


def test_what_an_ingest_would_read_otherwise_is_named(tmp_path):
    ledger = Ledger.open(tmp_path / "home")
    ledger.store([(Article("9", "Vor der Zeit erschienen", published=datetime(1950, 1, 1, tzinfo=UTC)), [])])
    ledger.close()
    result = CliRunner().invoke(app, ["export", "--home", str(tmp_path / "home")])
    assert result.exit_code == 3
    assert "an ingest would make other articles: 9" in result.stderr
    with pytest.raises(BadArticle):
        article_from(json.loads(result.stdout), Origin("export", "export", datetime.now(UTC)))
