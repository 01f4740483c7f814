"""Damaged files, the same ones for the same seed: bytes flipped, cut, repeated and spliced, records, cells and tags
exchanged, encodings confused, packed and packed again.
"""

import gzip
import json
import random
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

PARAGRAPHS = "<p>Ein Absatz über Störungen im Telefonnetz, z.&nbsp;B. am 3. Mai, lang genug für einen Artikel.</p>" * 6
RECORDS = (
    {"id": 1, "title": "Störung im Netz", "date": "2024-03-23T18:32:00+01:00", "url": "https://www.a.de/?p=1&utm_x=2"},
    {"id": "b/2#3", "headline": "Größere Störung im Telefonnetz", "text": "Erster Absatz.\n\nZweiter Absatz.",
     "published": "3. Mai 2023, 9.20 Uhr", "authors": ["A. B.", {"name": "C. D."}], "comments": 12.0},
    {"_id": "", "title": "Dritte Meldung &amp; mehr", "body": PARAGRAPHS, "time": 1700000000, "keywords": "KI, Netz",
     "source": {"name": "zeitung.de"}, "link": "https://www.heise.de/news/Ein-Artikel-9664198.html", "paid": True},
)  # fmt: skip
ITEMS = "".join(
    f"<item><title>Störung {n} &amp; Netz im Land</title><link>https://a.de/{n}?utm_source=x</link><guid>{n}</guid>"
    "<description><![CDATA[<p>Kurz <b>gesagt</b>.</p><a href='x'>mehr</a>]]></description><category>Netz</category>"
    f"<pubDate>Wed, {n} Nov 2025 06:30:10 +0100</pubDate></item>"
    for n in (11, 12)
)
RSS = f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>B</title>{ITEMS}</channel></rss>"
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>heise</title><entry>
<title type="html">Ein &amp;#8222;Angebot&amp;#8220; f&#252;r Admins</title><id>http://heise.de/-11070849</id>
<link href="https://www.heise.de/s/abc?wt_mc=rss"/><published>2025-11-12T10:00:00+01:00</published>
<author><name>Christoph Böttcher</name></author><summary>Anriss.</summary></entry></feed>"""
PAGE = f"""<!doctype html><html><head><meta charset="utf-8"><title>Störung im Netz</title>
<link rel="canonical" href="https://www.{{host}}.de/news/Stoerung-1234567.html"><meta name="author" content="A. B.">
<script type="application/ld+json">{{{{"@type": "Article", "datePublished": "2024-03-23", "headline": "x"}}}}</script>
</head><body><nav><a href="/">Start</a></nav><article><h1>Störung im Netz</h1>{PARAGRAPHS}</article></body></html>"""
TICKER = "<!doctype html><html><body>" + "".join(
    f"<article data-cid='{n}'><a href='/news/A-{n}.html' title='Meldung {n} aus dem Netz'><time "
    f"datetime='2024-03-23T18:{n}:00'>x</time></a><span class='a-article-meta__comments'>7</span></article>"
    for n in range(10, 22)
)

TOKENS = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"\n", b"\r", b"<", b">", b"&", b"&#x110000;", b"&#0;", b"]]>",
    b"&lol;", b"<![CDATA[", b"<!--", b"-->", b"<script>", b"<template>", b"<svg>", b"\\ud800", b"\\u0000", b"{",
    b"[" * 3000, b"9" * 400, b"1e999", b"-0.0", b"\x1f\x8b", b"\xc3", b"\xf4\x90\x80\x80", b"\xed\xa0\x80",
    b"\xe2\x80\xa8", b"\xe2\x80\xae", b"\xcc\x81" * 50, b"\xf0\x9f\x92\xa9", b"%00", b"http://[", b"javascript:", b"//",
    b" " * 500, b"<div>" * 600, b"<?xml version='1.0' encoding='utf-16'?>", b"<!DOCTYPE r [<!ENTITY a 'aaaaaaaaaa'>"
    b"<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>]>",
    b"<!DOCTYPE r SYSTEM 'file:///etc/passwd'>", b"<!ENTITY x SYSTEM 'file:///etc/passwd'>", b"PK\x03\x04",
    b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"SQLite format 3\x00",
)  # fmt: skip
VALUES: tuple[object, ...] = (
    None, "", " ", True, False, 0, -1, 2**63, 10**400, 1e308, float("nan"), float("inf"), [], {}, [[]], [None, 1, {}],
    {"name": {"name": "x"}}, "x" * 5000, "\x00", "a\nb", "\ud800", "\u202eabc", "\u200b", "e\u0301" * 9, "../../etc",
    "a#0", "a#0#1", "A", "ä", "1970-01-01", "2099-12-31", "0001-01-01", "9999-12-31T23:59:59-23:59", "99999999999",
    "2024-02-30", "31.02.2024", "32. Mai 2024", "2024-03-23T18:32:00+23:59:59", "Wed, 12 Nov 2025 06:30:10 -9999",
    "Mon, 00 Foo 0000 99:99:99", "1700000000.5", "٣. Mai ٢٠٢٣", "http://", "http://[::1", "https://a.de:99999/",
    "http://ａ.de/", "https://a.de/\x00 \"<>'", "https://xn--/", "https://u:p@a.de/", "ftp://a.de/", "[1, [2, {}]]",
    "[" * 9000, "<p>", "<script>", "&amp;amp;", "1e5", "-3", "١٢",
)  # fmt: skip
ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "utf-8-sig", "utf-7", "cp037", "cp437")
SUFFIXES = (".jsonl", ".csv", ".xml", ".html", ".db", ".atom", ".ndjson", ".JSONL.gz", "", ".txt", ".png")
_TAGS = re.compile(r"(<[^>]*>)")


@dataclass(frozen=True, slots=True)
class Damaged:
    """A damaged file: what it was made from (`jsonl`, `csv`, `feed`, `html`, `sqlite`), its name and its bytes."""

    kind: str
    name: str
    data: bytes


def damaged(count: int, seed: int = 0, shared: Path | None = None) -> Iterator[Damaged]:
    """So many damaged files; those of a smaller count are the first of a larger one."""
    samples = {"jsonl": [], "csv": [], "feed": [RSS, ATOM], "html": [PAGE.format(host="a"), TICKER]}
    samples["html"].append(PAGE.format(host="heise"))
    for kind, text in _real(shared) if shared else ():
        samples[kind].append(text)
    makers = {"jsonl": _jsonl, "csv": _csv, "feed": _markup, "html": _markup, "sqlite": _sqlite}
    suffixes = {"jsonl": ".jsonl", "csv": ".csv", "feed": ".xml", "html": ".html", "sqlite": ".db"}
    for number in range(count):
        chance = random.Random(f"{seed}/{number}")
        kind = chance.choices(list(makers), (35, 25, 20, 5, 15))[0]
        data = makers[kind](chance, samples.get(kind, []))
        suffix = chance.choice(SUFFIXES) if chance.random() < 0.1 else suffixes[kind]
        yield Damaged(kind, f"{number}{suffix}", _packed(_bytes_damaged(data, chance), chance))


def _real(shared: Path) -> Iterator[tuple[str, str]]:
    """A few entries of each feed, the smaller pages, some headlines: small, so that many of them take little time."""
    for path in sorted(shared.glob("german_news/feeds/*.xml")):
        text = path.read_text("utf-8", "replace")
        yield "feed", text[: text.rfind("<item", 0, 6_000)] + "</channel></rss>"
    pages = [*shared.glob("heise/pages/*.html.gz"), *shared.glob("german_news/fundus_de/pages/*.html.gz")]
    for path in sorted(sorted(pages), key=lambda page: page.stat().st_size)[:4]:
        yield "html", gzip.decompress(path.read_bytes()).decode("utf-8", "replace")
    with gzip.open(shared / "heise" / "headlines_teasers_2022-2026.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from (("jsonl", line) for line in islice(lines, 40))


def _record(chance: random.Random, samples: list[str]) -> dict[str, object]:
    real = samples and chance.random() < 0.5
    record = json.loads(chance.choice(samples)) if real else dict(chance.choice(RECORDS))
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        record[chance.choice([*record, "url", "id", "date", "source"])] = chance.choice(VALUES)
    return record


def _jsonl(chance: random.Random, samples: list[str]) -> bytes:
    lines = [json.dumps(_record(chance, samples), ensure_ascii=chance.random() < 0.3) for _ in range(4)]
    return _encoded(chance.choice(("\n", "\n", "\r\n", "\n\n", "\r", " ")).join(lines), chance)


def _csv(chance: random.Random, samples: list[str]) -> bytes:
    names = chance.sample(
        ["id", "title", "date", "url", "text", "Comments", "source", "", "title"], chance.randint(2, 8)
    )
    if chance.random() < 0.9:
        names[0] = "title"
    if chance.random() < 0.02:
        names *= 2000
    rows = [names]
    for _ in range(5):
        record = _record(chance, samples)
        rows.append([str(record.get(name.lower(), chance.choice(VALUES))) for name in names])
    delimiter = chance.choice(",,;\t|")
    quoted = ([_cell(cell, delimiter, chance) for cell in row] for row in rows)
    return _encoded(chance.choice(("\n", "\r\n", "\r")).join(map(delimiter.join, quoted)), chance)


def _cell(text: str, delimiter: str, chance: random.Random) -> str:
    if chance.random() < 0.05:
        return chance.choice(('"', text + '"', f'"{text}', f'"{text}"x'))
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in f'{delimiter}"\n\r') else text


def _markup(chance: random.Random, samples: list[str]) -> bytes:
    pieces = _TAGS.split(chance.choice(samples))
    for _ in range(chance.randint(0, 6)):
        at, other = chance.randrange(len(pieces)), chance.randrange(len(pieces))
        match chance.randrange(6):
            case 0:
                pieces[at] = pieces[other]
            case 1:
                del pieces[at : at + chance.randint(1, 8)]
            case 2:
                pieces[at:at] = pieces[other : other + 20] * chance.randint(1, 12)
            case 3:
                pieces[at] = re.sub(r"=(['\"])[^'\"]*", lambda m: f"={m[1]}{chance.choice(VALUES)}", pieces[at])
            case 4:
                pieces[at] = str(chance.choice(VALUES))
            case _:
                pieces[at:at] = [pieces[other]] * chance.choice((2, 30, 500))
        pieces = pieces or [""]
    return _encoded("".join(pieces), chance)


def _sqlite(chance: random.Random, samples: list[str]) -> bytes:
    db = sqlite3.connect(":memory:")
    db.execute(f"PRAGMA page_size = {chance.choice((512, 1024, 4096))}")
    db.execute(f"PRAGMA encoding = '{chance.choice(('UTF-8', 'UTF-8', 'UTF-16le'))}'")
    end = chance.choice(("", "", " WITHOUT ROWID", " STRICT"))
    types = ("TEXT",) * 5 if "STRICT" in end else ("INTEGER", "TEXT", "", "BLOB", "REAL")
    columns = ", ".join(f"{name} {chance.choice(types)}" for name in ("title", "text", "date", "url"))
    db.execute(f'CREATE TABLE "art\'""ikel" (id TEXT PRIMARY KEY, {columns}){end}')
    for number in range(chance.randint(0, 8)):
        record = _record(chance, samples)
        cells = [record.get(name, chance.choice(VALUES)) for name in ("title", "text", "date", "url")]
        cells = [str(cell).encode("utf-8", "replace").decode() for cell in cells]
        if "STRICT" not in end and chance.random() < 0.3:
            cells[chance.randrange(4)] = chance.choice((None, 5, 1.5, b"\xff\x00", -(2**63)))
        db.execute('INSERT INTO "art\'""ikel" VALUES (?, ?, ?, ?, ?)', [str(number), *cells])
    if chance.random() < 0.2:
        db.execute('CREATE VIEW sicht AS SELECT id, title, text, date, url, 1 AS comments FROM "art\'""ikel"')
    if chance.random() < 0.1:
        db.execute("CREATE VIEW weg AS SELECT id, title, text, date, url, 1 AS comments, 2 AS source FROM fort")
    if chance.random() < 0.1:
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id, 'T' AS title, "
        db.execute(f"CREATE VIEW endlos AS {endless} 'x' AS text, 1 AS date, 2 AS url, 3 AS comments FROM n")
    db.commit()
    data = db.serialize()
    db.close()
    return data


def _encoded(text: str, chance: random.Random) -> bytes:
    if chance.random() < 0.85:
        return text.encode("utf-8", "replace")
    half = len(text) // 2 if chance.random() < 0.3 else 0
    return text[:half].encode("utf-8", "replace") + text[half:].encode(chance.choice(ENCODINGS), "replace")


def _bytes_damaged(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((0, 0, 1, 1, 2, 4, 8))):
        at = chance.randrange(len(changed) + 1)
        match chance.randrange(7):
            case 0:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                changed[at:at] = chance.choice(TOKENS)
            case 2:
                del changed[at : at + chance.randint(1, 20)]
            case 3:
                changed[at:at] = changed[: chance.randint(1, 40)]
            case 4:
                changed[at:at] = changed[at : at + chance.randint(1, 30)] * chance.choice((2, 40))
            case 5:
                changed[at : at + 8] = chance.randbytes(8)
            case _:
                if chance.random() < 0.3:
                    del changed[at:]
    return bytes(changed)


def _packed(data: bytes, chance: random.Random) -> bytes:
    if chance.random() > 0.08:
        return data
    packed = bytearray(gzip.compress(data, mtime=0))
    match chance.randrange(4):
        case 0:
            del packed[chance.randrange(len(packed)) :]
        case 1:
            packed[chance.randrange(len(packed))] ^= 1 << chance.randrange(8)
        case 2:
            packed = bytearray(gzip.compress(bytes(packed), mtime=0))
    return bytes(packed)
