"""Damaged files: whatever the bytes are, readers yield articles and clear rejects or raise SourceError, nothing else.

ARCHIVAR_FUZZ=10000 in the environment takes so many files.
"""

import os
import signal
from pathlib import Path

import pytest
from fuzzing import Hang, Tally, check_article, check_passages, check_reason, fuzz
from mutating import damaged

from archive.articles import Article
from ingest.split import split

FILES = int(os.environ.get("ARCHIVAR_FUZZ", "300"))
timed = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer for a process")


@timed
def test_damaged_files(tmp_path):
    tally = fuzz(damaged(FILES), tmp_path)
    assert not tally.failures, "\n".join(tally.failures)
    assert tally.files.total() == FILES
    assert set(tally.files) == {"jsonl", "csv", "feed", "html", "sqlite"}
    assert tally.articles > FILES
    assert tally.rejects > FILES // 2
    assert tally.unreadable > FILES // 10


def test_the_same_seed_makes_the_same_files():
    assert list(damaged(40)) == list(damaged(50))[:40]
    assert list(damaged(40)) != list(damaged(40, seed=1))


@timed
def test_a_reader_that_breaks_or_hangs_is_noticed(tmp_path, monkeypatch):
    def broken(path: Path, tally: Tally) -> None:
        if path.suffix == ".csv":
            raise Hang("too long")
        raise KeyError("title")

    monkeypatch.setattr("fuzzing._read", broken)
    reported = []
    tally = fuzz(damaged(40), tmp_path, reported.append)
    assert reported == tally.failures
    assert len(tally.failures) == 40
    assert {"KeyError", "Hang"} == {failure.split(": ")[1] for failure in tally.failures}


@pytest.mark.parametrize(
    "fields",
    [
        {"id": ""}, {"id": " 1"}, {"id": "1\x85"}, {"title": ""}, {"title": "a\nb"}, {"title": "x" * 1001},
        {"source": "\x00"}, {"url": "https://a.de/ b"}, {"url": "ftp://a.de/"}, {"text": "a\x00b"},
        {"teaser": "\u2028"},
    ],
)  # fmt: skip
def test_an_article_that_breaks_its_promise_is_noticed(fields, article):
    good = article()
    check_article(good)
    check_passages(good, split(good))
    with pytest.raises(AssertionError):
        check_article(Article(**({"id": "1", "title": "Ein Titel"} | fields)))


def test_reasons_that_nobody_can_read_are_noticed(tmp_path):
    check_reason(f"{tmp_path}, line 3: no title; name one", tmp_path)
    for reason in (f"{tmp_path}: ", "line 3: no title; name one", f"{tmp_path}: zwei\nZeilen, nicht eine", "x" * 900):
        with pytest.raises(AssertionError):
            check_reason(reason, tmp_path)
