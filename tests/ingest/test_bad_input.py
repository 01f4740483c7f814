"""Every kind of bad input by itself: one clear reject, and the rest goes in."""

import gzip
import json
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

import pytest

from archive.articles import Article
from archive.errors import BadArticle, SourceError
from ingest.clean import clean
from ingest.dates import parse_date
from ingest.pipeline import ingest
from ingest.sources import feed, raw, tree
from ingest.sources.reading import estimate, files, read
from ingest.split import split

TITLE = "Größere Störung im Telefonnetz"
RSS = f"<rss version='2.0'><channel><item><title>{TITLE}</title></item></channel></rss>"


def lines(*records):
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", lines({"title": TITLE}, {"title": TITLE})),
        ("a.csv", f"id\ttitle\n1\t{TITLE}\n2\t{TITLE}\n"),
        ("a.html", f"<html><head><title>{TITLE}</title></head><body><article><p>{'Ein Satz über Öl. ' * 40}</p>"),
    ],
)
def test_encodings_that_say_what_they_are(encoding, name, text, tmp_path, reading):
    (tmp_path / name).write_bytes(text.encode(encoding))
    result = reading(tmp_path / name)
    assert {article.title for article in result.articles} == {TITLE}
    assert not result.rejects


def test_line_ends_of_old_macs(tmp_path, reading):
    (tmp_path / "a.csv").write_bytes(f"id,title\r1,{TITLE}\r2,B\r".encode())
    (tmp_path / "b.jsonl").write_bytes(lines({"title": "C"}, {"title": "D"}).replace("\n", "\r").encode())
    assert [article.title for article in reading(tmp_path).articles] == [TITLE, "B", "C", "D"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (lines({"title": TITLE}).encode("utf-16-le"), "UTF-16 without a byte order mark"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "a PNG picture"),
        (b"PK\x03\x04" + bytes(99), "a ZIP archive; unpack it"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\x7fELF" + bytes(range(32)) * 99, "binary data"),
        (gzip.compress(gzip.compress(b"{}")), "gzipped twice"),
    ],
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.xml", "a.html"])
def test_what_is_no_text_is_one_reject(data, reason, name, tmp_path, reading):
    (tmp_path / name).write_bytes(data)
    (tmp_path / "z.jsonl").write_text(lines({"title": "Z"}))
    result = reading(tmp_path)
    [reject] = result.rejects
    assert reason in reject.reason
    assert [article.title for article in result.articles] == ["Z"]


def test_one_zero_byte_costs_one_line(tmp_path, reading):
    (tmp_path / "a.jsonl").write_bytes(lines({"title": TITLE}).encode() + b'{"title": "\0"}\n' + b'{"title": "C"}\n')
    result = reading(tmp_path / "a.jsonl")
    assert [article.title for article in result.articles] == [TITLE, "C"]
    assert [reject.place for reject in result.rejects] == ["line 2"]


@pytest.mark.parametrize("rows", [3, 3000])
def test_a_quotation_mark_that_is_never_closed_costs_its_line_alone(rows, tmp_path, reading):
    after = "".join(f"{number},Meldung {number}\n" for number in range(rows))
    (tmp_path / "a.csv").write_text(f'id,title\na,"Eins\nzwei"\nb,"Offen\n{after}')
    result = reading(tmp_path / "a.csv")
    assert [article.title for article in result.articles] == ["Eins\nzwei", *(f"Meldung {n}" for n in range(rows))]
    [reject] = result.rejects
    assert (reject.place, "never closed" in reject.reason) == ("line 4", True)
    assert result.places[1] == "line 5"


def test_a_csv_with_very_many_columns(tmp_path, reading):
    (tmp_path / "a.csv").write_text("title" + ",x" * 200_000 + "\nA\n" + "," * 300_000 + "\nB\n")
    result = reading(tmp_path / "a.csv")
    assert [article.title for article in result.articles] == ["A", "B"]
    assert "300001 fields" in result.rejects[0].reason


def test_a_csv_header_that_is_too_long(tmp_path, reading):
    (tmp_path / "a.csv").write_text("title" + "," * (raw.LONGEST_LINE + 1) + "\nA\n")
    with pytest.raises(SourceError, match="longer than 5 MB"):
        reading(tmp_path / "a.csv")


def test_a_line_of_fifty_megabytes(tmp_path, reading):
    with (tmp_path / "a.jsonl").open("w") as out:
        out.writelines(["{", '"x": 1,' * 7_500_000, "\n", lines({"title": TITLE})])
    result = reading(tmp_path / "a.jsonl")
    assert [article.title for article in result.articles] == [TITLE]
    assert [reject.place for reject in result.rejects] == ["line 1"]


@pytest.mark.parametrize("name", ["a.xml", "a.html"])
def test_pages_and_feeds_of_endless_tags_are_not_parsed(name, tmp_path, reading):
    opened = "<item>" if name == "a.xml" else "<div>"
    (tmp_path / name).write_text(("<rss><channel>" if name == "a.xml" else "<html>") + opened * (raw.MOST_TAGS + 1))
    (tmp_path / "z.jsonl").write_text(lines({"title": "Z"}))
    result = reading(tmp_path)
    assert "tags; no page or feed has more than 100,000" in result.rejects[0].reason
    assert len(result.articles) == 1


def test_a_page_of_many_megabytes_is_not_parsed(tmp_path, reading):
    (tmp_path / "a.html").write_text("<html><p>" + "Ein Wort. " * 600_000)
    assert "larger than 5 MB" in reading(tmp_path / "a.html").rejects[0].reason
    assert tree.parsed(b"<p>x")[0] == "<p>x"


def test_a_gzip_bomb_is_read_no_further_than_it_may_be_large(tmp_path, reading):
    with gzip.open(tmp_path / "a.xml.gz", "wb", compresslevel=1) as out:
        for _ in range(200):
            out.write(bytes(2**20).replace(b"\0", b" "))
    with pytest.raises(SourceError, match="larger than 20 MB"):
        reading(tmp_path / "a.xml.gz")


def test_entities_that_unfold_by_the_square(tmp_path, reading):
    bomb = f"<?xml version='1.0'?><!DOCTYPE r [<!ENTITY a '{'a' * 50_000}'>]>"
    (tmp_path / "a.xml").write_text(bomb + RSS.replace(TITLE, TITLE + "&a;" * 20_000))
    assert all(len(article.title) < 100_000 for article in reading(tmp_path / "a.xml").articles)


def test_an_entity_that_never_ends(tmp_path, reading):
    (tmp_path / "a.xml").write_text(RSS + "<!ENTITY " * 90_000)
    assert [article.title for article in reading(tmp_path / "a.xml").articles] == [TITLE]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_entities_hidden_by_an_encoding(encoding, tmp_path, reading):
    doubling = "".join(f"<!ENTITY {after} '{f'&{before};' * 10}'>" for before, after in zip("abcdefg", "bcdefgh"))  # noqa: B905
    bomb = f"<?xml version='1.0' encoding='{encoding}'?><!DOCTYPE r [<!ENTITY a 'lol'>{doubling}]>"
    (tmp_path / "a.xml").write_bytes((bomb + RSS.replace(TITLE, "&h;")).encode(encoding))
    try:
        result = reading(tmp_path / "a.xml")
    except SourceError as error:
        assert "no feed" in str(error)
    else:
        assert all(len(article.title) < 1000 for article in result.articles)


def test_a_feeds_updated_date_is_not_made_up_from_its_first():
    import feedparser

    [entry] = feedparser.parse(RSS.replace("</title></item>", "</title><pubDate/></item>")).entries
    assert not feed._record(entry)["modified"]


@pytest.mark.parametrize(
    "text",
    ["1970-01-01", "0", "1970-01-01T00:00:00Z", "2099-01-01", "4070908800", "31.02.2024", "2024-13-01", "gestern"],
)
def test_dates_that_are_none(text, now):
    with pytest.raises(BadArticle, match="date"):
        parse_date(text if text != "0" else "000000000", now)


@pytest.mark.parametrize("offset", ["+23:59", "-18:00", "+01:00:30", "+05:45"])
def test_offsets_that_sqlite_cannot_read_become_utc(offset, now):
    moment = parse_date(f"2024-03-23T12:00:00{offset}", now)
    assert moment == datetime.fromisoformat(f"2024-03-23T12:00:00{offset}")
    assert moment.tzinfo == (timezone(timedelta(hours=5, minutes=45)) if offset == "+05:45" else UTC)
    with closing(sqlite3.connect(":memory:")) as db:
        [[seconds]] = db.execute("SELECT CAST(strftime('%s', ?) AS INTEGER)", [moment.isoformat()])
    assert seconds == int(moment.timestamp())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "x" * 1001), ("source", "x" * 201), ("url", "https://a.de/" + "x" * 2000), ("teaser", "x " * 6000),
        ("text", "Wort. " * 200_000), ("authors", ("x" * 6000, "y" * 6000)), ("topics", tuple(map(str, range(9000)))),
    ],
)  # fmt: skip
def test_fields_of_absurd_length_name_the_field(field, value, article):
    with pytest.raises(BadArticle, match=rf"^{field} of [\d,]+ characters; [\d,]+ at most"):
        clean(article(**{field: value}))


def test_ids_lose_their_spaces_and_refuse_control_characters(tmp_path, reading):
    records = ({"id": " 1 ", "title": "A"}, {"id": "1\x85b", "title": "B"}, {"id": "1\u2028c", "title": "C"})
    (tmp_path / "a.jsonl").write_text(lines(*records))
    result = reading(tmp_path / "a.jsonl")
    assert [article.id for article in result.articles] == ["1"]
    assert ["control characters" in reject.reason for reject in result.rejects] == [True, True]


def test_passages_of_ids_with_number_signs_and_slashes_never_share_an_id():
    text = "\n\n".join("Ein Satz, der lang genug ist. " * 25 for _ in range(12))
    ids = ("a", "A", "a#0", "a#1", "a#1#0", "a/1", "#", "0")
    passages = [passage for name in ids for passage in split(Article(id=name, title="Ein Titel", text=text))]
    assert len({passage.id for passage in passages}) == len(passages) > 5 * len(ids)
    assert all(passage.id.rpartition("#")[0] == passage.article_id for passage in passages)


def test_addresses_keep_no_character_that_ends_a_link(tmp_path, reading):
    (tmp_path / "a.jsonl").write_text(lines({"title": TITLE, "url": 'https://a.de/ein weg<b>?q="x y"'}))
    assert reading(tmp_path / "a.jsonl").articles[0].url == "https://a.de/ein%20weg%3Cb%3E?q=%22x%20y%22"


def database(path, *statements):
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)
    return path


ARTICLES = "CREATE TABLE artikel (id TEXT PRIMARY KEY, title TEXT)"


def test_views_of_a_dump_are_left_alone(tmp_path, reading):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    path = database(
        tmp_path / "a.db", f"{ARTICLES} WITHOUT ROWID", f"INSERT INTO artikel VALUES ('1', '{TITLE}')",
        f"CREATE VIEW endlos AS {endless} SELECT i AS id, 'T' AS title, 'x' AS text, 1 AS url FROM n",
        "CREATE VIEW fort AS SELECT id, title, text, date FROM nirgends",
    )  # fmt: skip
    assert [article.title for article in reading(path).articles] == [TITLE]


def test_rows_that_meet_themselves_again_end(tmp_path, reading):
    path = database(tmp_path / "a.db", "PRAGMA page_size = 512", ARTICLES)
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany("INSERT INTO artikel VALUES (?, ?)", [(str(number), "x" * 300) for number in range(60)])
        [[root]] = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'artikel'")
    data = bytearray(path.read_bytes())
    page = memoryview(data)[(root - 1) * 512 : root * 512]
    assert page[0] == 5  # an inner page of the table, whose cells name the pages below it
    starts = [
        int.from_bytes(page[at : at + 2], "big") for at in range(12, 12 + 2 * int.from_bytes(page[3:5], "big"), 2)
    ]
    for start in starts:
        page[start : start + 4] = root.to_bytes(4, "big")
    page.release()
    path.write_bytes(data)
    with pytest.raises(SourceError, match="no readable SQLite file"):
        reading(path)


def test_a_cell_that_is_too_long_is_one_reject(tmp_path, reading):
    path = database(
        tmp_path / "a.db",
        ARTICLES,
        f"INSERT INTO artikel VALUES ('1', '{TITLE}'), ('2', zeroblob(6000000)), ('3', 'C')",
    )
    result = reading(path)
    assert [article.title for article in result.articles] == [TITLE, "C"]
    assert "longer than 5 MB" in result.rejects[0].reason


def test_names_of_tables_stay_on_one_line(tmp_path, reading):
    path = database(
        tmp_path / "a.db", 'CREATE TABLE "zwei\nZeilen" (title, date)', 'INSERT INTO "zwei\nZeilen" VALUES (1, 1)'
    )
    [reject] = reading(path).rejects
    assert "\n" not in str(reject)


def test_pipes_devices_and_paths_that_cannot_be(tmp_path, reading):
    os.mkfifo(tmp_path / "rohr.jsonl")
    (tmp_path / "schleife.jsonl").symlink_to(tmp_path / "schleife.jsonl")
    (tmp_path / "kreis").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a.jsonl").write_text(lines({"title": TITLE}))
    assert len(reading(tmp_path).articles) == 1
    for source, reason in (
        (tmp_path / "rohr.jsonl", "neither a file nor a folder"), ("/dev/zero", "neither a file nor a folder"),
        (tmp_path / "schleife.jsonl", "no such file"), ("a" * 5000, "too long"), ("a\0b", "no such file"),
    ):  # fmt: skip
        assert estimate(str(source)) == 1
        with pytest.raises(SourceError, match=reason) as caught:
            reading(source)
        assert "\0" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_a_reject(tmp_path, reading):
    (tmp_path / "zu").mkdir(mode=0)
    (tmp_path / "a.jsonl").write_text(lines({"title": TITLE}))
    (tmp_path / "b.jsonl").touch(mode=0)
    result = reading(tmp_path)
    assert len(result.articles) == 1
    assert sorted(reject.file for reject in result.rejects) == [str(tmp_path / "b.jsonl"), str(tmp_path / "zu")]


def test_a_folder_that_vanishes_is_noted(tmp_path):
    refused = []
    assert list(files(tmp_path / "fort", refused)) == []
    assert [error.strerror for error in refused] == ["No such file or directory"]


def test_sources_that_cannot_be_named_are_rejects_like_others(archive, now, tmp_path):
    (tmp_path / "a.jsonl").write_text(lines({"title": TITLE}))
    report = ingest(["m\udcfc.jsonl", "a" * 5000, "a\0b", str(tmp_path / "a.jsonl")], archive, now=now)
    assert report.stored == 1
    assert [str(reject).partition(": ")[2].split(";")[0] for reject in report.rejected] == [
        "no such file or folder", "can't be read (File name too long)", "no such file or folder",
    ]  # fmt: skip
    assert all(str(reject).isprintable() and str(reject).encode() for reject in report.rejected)


def test_file_names_of_any_bytes_can_be_shown(tmp_path, reading):
    path = os.fsencode(tmp_path) + b"/m\xfcnchen\n.jsonl"
    with open(path, "w") as out:
        out.write(lines({"title": TITLE}, "kein Objekt"))
    result = reading(tmp_path)
    [article], [reject] = result.articles, result.rejects
    assert clean(article).source == r"m\udcfcnchen\n"
    assert str(reject).endswith(r"m\udcfcnchen\n.jsonl, line 2: a JSON str, not an object with fields")
    assert estimate(str(tmp_path)) == 2


def test_a_column_whose_name_is_no_text(tmp_path, now):
    path = tmp_path / "dump.sqlite3"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE articles (title TEXT, teXXt TEXT)")
    path.write_bytes(path.read_bytes().replace(b"teXXt", b"te\x8b\x8bt"))
    with pytest.raises(SourceError, match="no readable SQLite file"):
        list(read(str(path), now))
