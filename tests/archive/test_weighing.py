"""Weights of a query's terms, from document frequencies that are given here."""

import pytest

from archive.german import stem
from archive.weighing import HELD, PART, TITLE, marked_part, weigh


def weights(text, held, documents=1000):
    """`held` is {(field, term): documents that hold it}."""
    return weigh(text, documents, lambda field, term: held.get((field, term), 0))


def test_what_the_index_lacks_is_not_looked_up():
    assert weights("Lücke Haus", {("text", "luck"): 5}) == {("text", "luck"): 1.0}
    assert weights("Lücke Haus", {}) == {}


def test_a_word_is_as_rare_in_every_field_as_where_it_is_common():
    found = weights("Lücke", {("text", "luck"): 100, ("title", "luck"): 2, ("text", "~luck"): 1})
    assert found["text", "luck"] == 1.0
    assert found["title", "luck"] < TITLE / 2
    assert found["text", marked_part("luck")] < PART / 2


def test_equal_frequencies_leave_the_weights_alone():
    found = weights("Lücke", {("text", "luck"): 10, ("title", "luck"): 10, ("text", "~luck"): 10})
    assert found == pytest.approx({("text", "luck"): 1.0, ("title", "luck"): TITLE, ("text", "~luck"): PART})


def test_the_parts_of_a_compound_weigh_less_than_the_whole_together():
    whole, parts = stem("sicherheitslücke"), [stem("sicherheit"), stem("lücke")]
    found = weights("Sicherheitslücke", {("text", term): 10 for term in (whole, *parts)})
    assert found["text", whole] == 1.0
    assert sum(found["text", part] for part in parts) == pytest.approx(HELD)


@pytest.mark.parametrize("text", ["GPT-4", "c't", "17.4.1", "C++"])
def test_the_scraps_of_a_name_weigh_less_than_the_name_together(text):
    everything = {("text", term): 10 for term in ("gpt4", "gpt", "4", "c't", "c", "t", "17.4.1", "17", "1", "c++")}
    found = weights(text, everything)
    assert found.pop(("text", stem(text.lower().replace("-", "")))) == 1.0
    assert 0 < sum(found.values()) <= HELD


def test_words_between_hyphens_weigh_in_full():
    found = weights("Corona-App", {("text", "corona"): 10, ("text", "app"): 10, ("text", "coronaapp"): 10})
    assert set(found.values()) == {1.0}


def test_deleted_documents_that_still_count_make_no_weight_negative():
    found = weights("Lücke", {("text", "luck"): 50, ("title", "luck"): 9, ("text", "~luck"): 70}, documents=3)
    assert all(weight > 0 for weight in found.values())


def test_a_pasted_article_is_looked_up_by_its_beginning():
    pasted = " ".join(f"wort{number}" for number in range(1000))
    found = weigh(pasted, 1000, lambda field, term: int(field == "text" and term.startswith("wort")))
    assert ("text", "wort0") in found
    assert ("text", "wort999") not in found
