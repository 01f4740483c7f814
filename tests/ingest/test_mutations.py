"""Damaged files: whatever the bytes are, a reader yields articles and rejects or raises SourceError, nothing else."""

import json
import random

import pytest

from archive.errors import BadArticle, SourceError
from ingest.clean import clean
from ingest.split import split

PAGE = "<p>Ein Absatz über Störungen im Telefonnetz, lang genug für einen Artikel.</p>" * 6
FILES = {
    "a.jsonl": "\n".join(
        json.dumps({"id": n, "title": "Störung im Netz", "date": "2024-03-23T18:32:00", "url": f"https://a.de/?p={n}"})
        for n in range(3)
    ),
    "a.csv": 'id,headline,comments,time\n1,"Störung, im Netz",1.0,2023-11-16 09:20:00\n2,Zweite Meldung,3,3. Mai 2023',
    "a.xml": "<?xml version='1.0'?><rss version='2.0'><channel><item><title>Störung &amp; Netz</title>"
    "<link>https://a.de/1?utm_source=x</link><pubDate>Wed, 12 Nov 2025 06:30:10 +0100</pubDate></item></channel></rss>",
    "a.html": "<!doctype html><html><head><title>Störung im Netz</title><link rel='canonical' href='https://www.heise.de/"
    'news/a-1234567.html\'><script type=\'application/ld+json\'>{"datePublished": "2024-03-23", "headline": "x"}'
    f"</script></head><body><article>{PAGE}</article></body></html>",
}
SPLICES = (
    b"\x00",
    b"\xff\xfe",
    b'"',
    b"\n",
    b"<",
    b"&#x110000;",
    b"]]>",
    b"\\ud800",
    b"{",
    b"9" * 400,
    b"1e999",
    b"\x1f\x8b",
)


def mutated(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(changed))
        match chance.randrange(4):
            case 0:
                changed[at] = chance.randrange(256)
            case 1:
                changed[at:at] = chance.choice(SPLICES)
            case 2:
                del changed[at : at + chance.randint(1, 20)]
            case _:
                changed[at:at] = changed[: chance.randint(1, 40)]
        changed = changed or bytearray(b"x")
    return bytes(changed)


@pytest.mark.parametrize("name", FILES)
def test_damaged_files(name, tmp_path, reading):
    chance, read_on = random.Random(0), 0
    for _ in range(80):
        path = tmp_path / name
        path.write_bytes(mutated(FILES[name].encode(), chance))
        try:
            result = reading(path)
        except SourceError as error:
            assert "\n" not in str(error)
            continue
        for found in result.articles:
            try:
                cleaned = clean(found)
            except BadArticle:
                continue
            assert split(cleaned)
            assert cleaned.content_hash
            read_on += 1
        for reject in result.rejects:
            assert str(reject).encode()
    assert read_on > 10
