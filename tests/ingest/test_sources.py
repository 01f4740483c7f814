import gzip
import json
import sqlite3
from contextlib import closing

import pytest

from archive.errors import SourceError
from ingest.sources import raw
from ingest.sources.reading import estimate

TITLE = "Größere Störung im Telefonnetz"
RSS = f"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Beispiel</title>
<item><title>{TITLE} &amp;amp; mehr</title><link>https://www.t3n.de/news/a-1/?utm_source=rss&amp;utm_medium=x</link>
<description><![CDATA[<p>Kurz <b>gesagt</b>.</p> <a href='https://t3n.de/'>weiterlesen auf t3n.de</a>]]></description>
<content:encoded><![CDATA[<img src="x.jpg">Kurz gesagt. [<a href="x">mehr</a>]]]></content:encoded>
<pubDate>Wed, 12 Nov 2025 06:30:10 +0100</pubDate><category>Netz</category></item>
<item><title>Ein Datum, das keines ist</title><pubDate>neulich</pubDate></item>
</channel></rss>"""
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>heise</title><entry>
<title type="html">Ein &amp;#8222;Angebot&amp;#8220; f&#252;r Admins</title><id>http://heise.de/-11070849</id>
<link href="https://www.heise.de/s/abc?wt_mc=rss.red"/><published>2025-11-12T10:00:00+01:00</published>
<author><name>Christoph Böttcher</name></author><summary>Anriss.</summary></entry></feed>"""


def write_jsonl(path, *records, opener=open):
    with opener(path, "wt", encoding="utf-8") as file:
        for record in records:
            file.write((record if isinstance(record, str) else json.dumps(record, ensure_ascii=False)) + "\n")
    return path


@pytest.mark.parametrize(("name", "opener"), [("a.jsonl", open), ("a.jsonl.gz", gzip.open), ("ohne-endung", open)])
def test_jsonl_plain_gzipped_and_by_its_look(name, opener, tmp_path, reading):
    path = write_jsonl(
        tmp_path / name, {"id": "1", "title": TITLE}, "", "{kaputt", "[1]", {"id": 2, "title": "B"}, opener=opener
    )
    result = reading(path)
    assert [article.title for article in result.articles] == [TITLE, "B"]
    assert result.places == ["line 1", "line 5"]
    assert [reject.place for reject in result.rejects] == ["line 3", "line 4"]
    assert result.rejects[0].file == str(path)
    assert "no JSON" in result.rejects[0].reason
    assert "list" in result.rejects[1].reason
    assert estimate(str(path)) == 5


def test_deep_json_is_one_reject(tmp_path, reading):
    path = write_jsonl(tmp_path / "a.jsonl", '{"title": ' + "[" * 100_000, {"title": TITLE})
    result = reading(path)
    assert (len(result.articles), len(result.rejects)) == (1, 1)


def test_a_line_that_is_too_long_is_one_reject(tmp_path, reading, monkeypatch):
    monkeypatch.setattr(raw, "LONGEST_LINE", 1000)
    monkeypatch.setattr(raw, "_CHUNK", 100)
    long = {"title": "x" * 5000}
    result = reading(write_jsonl(tmp_path / "a.jsonl", {"title": "A"}, long, {"title": "B"}))
    assert [article.title for article in result.articles] == ["A", "B"]
    assert [(reject.place, "longer" in reject.reason) for reject in result.rejects] == [("line 2", True)]
    (tmp_path / "a.csv").write_text(f"title,url\nA,\n{'x' * 5000},\nB,\n")
    result = reading(tmp_path / "a.csv")
    assert [article.title for article in result.articles] == ["A", "B"]
    assert [reject.place for reject in result.rejects] == ["line 3"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_in_usual_encodings_and_delimiters(encoding, delimiter, tmp_path, reading):
    rows = ["id,headline,comments,time".replace(",", delimiter)]
    rows += [f'{number},"{TITLE}{delimiter} Teil {number}",1.0,2023-11-16 09:20:00.000000' for number in (1, 2)]
    rows = [
        rows[0],
        *(row.replace(",1.0,", f"{delimiter}1.0{delimiter}").replace(",", delimiter, 1) for row in rows[1:]),
    ]
    path = tmp_path / "ticker.csv"
    path.write_bytes("\r\n".join(rows).encode(encoding))
    result = reading(path)
    assert [article.title for article in result.articles] == [f"{TITLE}{delimiter} Teil {number}" for number in (1, 2)]
    assert [(article.id, article.comments, article.source) for article in result.articles][1] == ("2", 1, "ticker")
    assert not result.rejects


def test_csv_rows_with_line_breaks_and_with_too_many_fields(tmp_path, reading):
    (tmp_path / "a.csv").write_text('title,text\nA,"Zeile eins\nZeile zwei"\nB,c,d\nC\n')
    result = reading(tmp_path / "a.csv")
    assert [(article.title, article.text) for article in result.articles] == [
        ("A", "Zeile eins\nZeile zwei"),
        ("C", ""),
    ]
    assert result.rejects[0].place == "line 4"
    assert "3 fields but 2 columns" in result.rejects[0].reason


@pytest.mark.parametrize(("name", "text"), [("a.csv", "date,articles\n1996-04-16,4\n"), ("b.csv", "")])
def test_csv_without_a_title_column_is_no_source(name, text, tmp_path, reading):
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError, match="no column is a title"):
        reading(tmp_path / name)


def test_a_few_damaged_bytes_do_not_turn_utf8_into_cp1252(tmp_path, reading):
    line = json.dumps({"title": TITLE}, ensure_ascii=False).encode() + b"\n"
    (tmp_path / "a.jsonl").write_bytes(line * 20 + b'{"title": "St\xf6rung"}\n')
    titles = [article.title for article in reading(tmp_path / "a.jsonl").articles]
    assert titles == [TITLE] * 20 + ["St\ufffdrung"]


def test_rss(tmp_path, reading):
    path = tmp_path / "feed.xml"
    path.write_text(RSS, encoding="utf-8")
    result = reading(path)
    [article] = result.articles
    assert (article.url, article.source, article.topics) == ("https://www.t3n.de/news/a-1/", "t3n.de", ("Netz",))
    assert (article.teaser, article.text) == ("Kurz gesagt.", "")
    assert article.published.isoformat() == "2025-11-12T06:30:10+01:00"
    assert [reject.place for reject in result.rejects] == ["entry 2"]
    assert estimate(str(path)) == 2


def test_atom_of_heise_takes_the_number_of_the_feed_id(tmp_path, reading):
    (tmp_path / "heise.atom").write_text(ATOM, encoding="utf-8")
    [article] = reading(tmp_path / "heise.atom").articles
    assert (article.id, article.url) == ("11070849", "https://www.heise.de/s/abc")
    assert (article.authors, article.teaser) == (("Christoph Böttcher",), "Anriss.")


def test_entity_bombs_do_no_harm(tmp_path, reading):
    bomb = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "lol">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    (tmp_path / "a.xml").write_text(
        f"{bomb}]><rss version='2.0'><channel><item><title>&i;</title></item></channel></rss>"
    )
    assert all(len(article.title) < 1000 for article in reading(tmp_path / "a.xml").articles)


def test_outside_entities_are_not_read(tmp_path, reading):
    (tmp_path / "geheim.txt").write_text("geheim")
    doctype = f'<!DOCTYPE r [<!ENTITY x SYSTEM "file://{tmp_path}/geheim.txt">]>'
    (tmp_path / "a.xml").write_text(
        f"{doctype}<rss version='2.0'><channel><item><title>T &x;</title></item></channel></rss>"
    )
    assert all("geheim" not in article.title for article in reading(tmp_path / "a.xml").articles)


@pytest.mark.parametrize("content", ["", "<a/>", "kein XML", "<?xml version='1.0'?><urlset></urlset>"])
def test_xml_that_is_no_feed(content, tmp_path, reading):
    (tmp_path / "a.xml").write_text(content)
    with pytest.raises(SourceError, match="no feed"):
        reading(tmp_path / "a.xml")


def make_database(path):
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE tags (id, title)")
        db.execute("CREATE TABLE 'alle artikel' (id INTEGER, title TEXT, body TEXT, time INTEGER, url TEXT)")
        db.executemany(
            "INSERT INTO 'alle artikel' VALUES (?, ?, ?, ?, ?)",
            [(1, TITLE, b"Text", 1700000000, None), (2, "B", None, "kein Datum", None)],
        )
    return path


@pytest.mark.parametrize("name", ["dump.db", "dump.sqlite", "dump"])
def test_sqlite_takes_the_table_that_fits_best(name, tmp_path, reading):
    result = reading(make_database(tmp_path / name))
    [article] = result.articles
    assert (article.id, article.title, article.text, article.published.year) == ("1", TITLE, "Text", 2023)
    assert "alle artikel" in result.rejects[0].place
    assert "row 2" in result.rejects[0].place


def test_sqlite_that_is_damaged_or_has_no_titles(tmp_path, reading):
    path = make_database(tmp_path / "a.db")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(SourceError, match="SQLite"):
        reading(path)
    with closing(sqlite3.connect(tmp_path / "b.db")) as db, db:
        db.execute("CREATE TABLE x (y)")
    with pytest.raises(SourceError, match="no table has a title"):
        reading(tmp_path / "b.db")


def test_folders_are_read_in_order_and_pass_over_what_is_no_source(tmp_path, reading):
    write_jsonl(tmp_path / "b.jsonl", {"title": "B"})
    (tmp_path / "a").mkdir()
    write_jsonl(tmp_path / "a" / "1.jsonl.gz", {"title": "A"}, opener=gzip.open)
    (tmp_path / "c.csv").write_text("x,y\n")
    for name in ("page.meta.json", "page.groundtruth.json", "bild.png", ".versteckt.jsonl", "LIESMICH.md"):
        (tmp_path / name).write_text("{")
    result = reading(tmp_path)
    assert [article.title for article in result.articles] == ["B", "A"]
    assert [(reject.file, reject.place) for reject in result.rejects] == [(str(tmp_path / "c.csv"), "")]
    assert estimate(str(tmp_path)) >= 2


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("fehlt.jsonl", None, "no such file"),
        ("bild.png", b"\x89PNG\r\n", "no known format"),
        ("mehrzeilig.json", b'{\n "title": "A"\n}', "no known format"),
        ("kaputt.jsonl.gz", gzip.compress(b'{"title": "A"}\n' * 99)[:-20], "can't be read"),
        ("kaputt.html.gz", b"\x1f\x8b\x08\x00Unsinn", "can't be read"),
    ],
)
def test_sources_that_cannot_be_read_say_why(name, content, reason, tmp_path, reading):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=reason) as caught:
        reading(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_page_that_unpacks_to_too_much(tmp_path, reading, monkeypatch):
    monkeypatch.setattr(raw, "LARGEST_DOCUMENT", 10_000)
    (tmp_path / "bombe.html.gz").write_bytes(gzip.compress(b"<html>" + b"a" * 1_000_000))
    with pytest.raises(SourceError, match="larger than"):
        reading(tmp_path / "bombe.html.gz")
