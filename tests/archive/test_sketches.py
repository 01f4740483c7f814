from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from archive.articles import Article
from archive.ledger import Ledger
from archive.links import Links, Twin
from archive.sketches import SHORTEST, Sketches, resemblance, sketch_of

DAY = datetime(2024, 5, 3, 12, tzinfo=UTC)


def words(count: int, start: int = 0) -> str:
    return " ".join(f"Wort{number}" for number in range(start, start + count))


def article(article_id: str, text: str, published: datetime | None = DAY) -> Article:
    return Article(article_id, f"Titel von {article_id}", text, published=published, source="zeitung.de")


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger.open(tmp_path)
    yield ledger
    ledger.close()


@pytest.fixture
def sketched(ledger):
    """Stores articles and keeps their sketches."""

    def sketched(*articles: Article) -> Sketches:
        ledger.store([(each, []) for each in articles])
        sketches = Sketches(ledger)
        sketches.add((each.id, sketch_of(each)) for each in articles)
        return sketches

    return sketched


def near(sketches: Sketches, to: Article, days: int = 3) -> list[str]:
    sketch = sketch_of(to)
    assert sketch is not None
    return [article_id for article_id, _ in sketches.near(sketch, days)]


def test_resemblance_is_the_share_of_runs_of_three_words():
    one, other = sketch_of(article("a", words(102))), sketch_of(article("b", words(102, 50)))
    assert one and other
    # 100 runs each; the runs from word 50 to word 101 are 50.
    found = resemblance(one, other)
    assert (found.jaccard, found.contained) == (50 / 150, 0.5)
    part = sketch_of(article("c", words(52)))
    assert part and resemblance(one, part).contained == 1.0


def test_case_punctuation_and_layout_make_no_difference():
    text = words(60)
    one, other = sketch_of(article("a", text)), sketch_of(article("b", f"„{text.upper()}!“".replace(" ", ",\n\n")))
    assert one and other and one.bands == other.bands


@pytest.mark.parametrize(
    "unsketched",
    [article("a", ""), article("a", words(SHORTEST - 1)), article("a", words(60), None)],
    ids=["headline", "short", "undated"],
)
def test_what_says_too_little_of_itself_has_no_sketch(unsketched, sketched):
    assert sketch_of(unsketched) is None
    sketched(unsketched)  # storing it is no error
    assert sketch_of(article("a", words(SHORTEST))) is not None


def test_sketches_are_the_same_tomorrow():
    """They are stored: other numbers would find nothing of what is there."""
    sketch = sketch_of(article("a", words(60)))
    assert sketch and sketch.day == 19846
    assert sketch.bands[:3] == (-1962527205, 570971485, -823186628)
    assert all(-(2**31) <= band < 2**31 for band in sketch.bands)


def test_near_texts_are_found_and_others_are_not(sketched):
    same, half, other = article("a", words(100)), article("b", words(100, 33)), article("c", words(100, 500))
    sketches = sketched(other, half, same)
    asked = article("new", words(100))
    assert near(sketches, asked) == ["a", "b"]
    sketch = sketch_of(asked)
    assert sketch and dict(sketches.near(sketch, 3))["a"] == 1.0


def test_only_days_around_it_are_searched(sketched):
    sketches = sketched(*(article(f"d{days}", words(60), DAY + timedelta(days=days)) for days in (-5, -3, 0, 3, 5)))
    assert set(near(sketches, article("new", words(60)))) == {"d-3", "d0", "d3"}


def test_a_new_version_replaces_its_sketch_and_a_removed_article_takes_it_along(ledger, sketched):
    first = article("a", words(60))
    sketches = sketched(first, article("b", words(60)))
    second = replace(first, text=words(60, 500))
    sketches.add([("a", sketch_of(second))])
    assert near(sketches, first) == ["b"]
    assert near(sketches, second) == ["a"]
    sketches.add([("a", None)])
    assert near(sketches, second) == []
    assert ledger.remove("b")
    assert near(sketches, first) == []
    assert [ledger.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("sketches", "bands")] == [
        0,
        0,
    ]


def test_an_older_archive_tells_what_has_no_sketch_until_that_is_done(ledger):
    ledger.store([(article("a", words(60)), []), (article("b", "Kurz."), []), (article("c", words(60), None), [])])
    sketches = Sketches(ledger)
    assert not sketches.complete
    assert sketches.missing() == ["a"]
    sketches.add([("a", sketch_of(article("a", words(60))))])
    assert sketches.missing() == []
    sketches.note_complete()
    assert sketches.complete


def test_sketches_of_another_method_are_made_anew(ledger, sketched):
    sketches = sketched(article("a", words(60)))
    ledger.set_fact("sketches", "5 words")
    assert not sketches.complete
    assert sketches.missing() == ["a"]


def test_links_name_the_twins_of_both_the_earliest_first(ledger):
    hours = {"later": 2, "first": 0, "withdrawn": 1, "stranger": 1}
    ledger.store([(article(each, words(60), DAY + timedelta(hours=hour)), []) for each, hour in hours.items()])
    links = Links(ledger)
    links.replace({"later": {"first": 0.9, "withdrawn": 0.8, "not held": 1.0}})
    ledger.withdraw("withdrawn")
    assert links.of("later") == (Twin("first", 0.9),)
    assert links.of("first") == (Twin("later", 0.9),)
    assert links.of("stranger") == ()
    assert links.among(["first", "later", "stranger"]) == {frozenset(("first", "later"))}
    assert links.among(["first", "stranger"]) == set()
    [original] = ledger.db.execute(
        "SELECT twin_of FROM twins WHERE article_id = 'later' AND similarity = 0.9"
    ).fetchall()
    assert original["twin_of"] == "first"


def test_links_are_replaced_whichever_side_they_are_on_and_go_with_an_article(ledger):
    ledger.store([(article(each, words(60)), []) for each in "abc"])
    links = Links(ledger)
    links.replace({"a": {"b": 0.9, "c": 0.9}})
    links.replace({"b": {}})
    assert links.among("abc") == {frozenset("ac")}
    ledger.remove("c")
    assert links.among("abc") == set()
