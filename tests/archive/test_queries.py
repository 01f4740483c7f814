"""Queries in words: phrases, exclusion, and that no text is an error."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.queries import WordQuery, parse_query

NASTY = st.text(alphabet=st.sampled_from("\"'„“”«»-–+#.*:^~()[]{}\\/?!&|\0\n\t ß öaC9\u00ad\ud800😀"), max_size=60)


@pytest.mark.parametrize("quoted", ['"in der Lücke"', "„in der Lücke“", "„in der Lücke”", "«in der Lücke»",
                                    "»in der Lücke«", "“in der Lücke”"])  # fmt: skip
def test_every_pair_of_quotation_marks_makes_a_phrase(quoted):
    query = parse_query(f"Was ist {quoted}?")
    assert query.phrases == ("in der Lücke",)
    assert query.plain == "Was ist in der Lücke?"


@pytest.mark.parametrize("text", ['"offen', 'zu"', '""', '" "', "„“", 'Notebooks mit 13" und 15" Bild', "c't und d'or",
                                  'a"b"c'])  # fmt: skip
def test_marks_without_a_partner_are_text(text):
    assert parse_query(text).phrases == ()


@pytest.mark.parametrize(
    ("text", "plain", "excluded"),
    [
        ("Lücke -Windows", "Lücke", ("Windows",)),
        ("-Windows Lücke, -Mac.", "Lücke,", ("Windows", "Mac")),
        ("Sprachen -C++ -.NET", "Sprachen", ("C++", ".NET")),
        ('Merkel -"Wir schaffen das" 2015', "Merkel 2015", ("Wir schaffen das",)),
        ("App -Corona-App", "App", ("Corona-App",)),
    ],
)
def test_a_minus_at_a_word_excludes_it(text, plain, excluded):
    assert parse_query(text) == WordQuery(plain, (), excluded)


@pytest.mark.parametrize(
    "text",
    ["Corona-App", "Lücke - was nun?", "Lücke – was nun", "minus -5 Grad", "Import und -export", "Vor- und Nachteile",
     "Datenerhebung, -verarbeitung sowie -nutzung", "-", "--", "- -"],
)  # fmt: skip
def test_other_dashes_are_text(text):
    assert parse_query(text) == WordQuery(" ".join(text.split()))


def test_phrases_are_held_word_for_word():
    query = parse_query('"wir schaffen das"')
    assert query.allows("Merkel", "»Wir schaffen das!«, sagte sie.")
    assert query.allows("Wir schaffen das", "")
    assert not query.allows("Wir", "schaffen das")
    assert not query.allows("", "Das schaffen wir.")
    assert not query.allows("", "Wir schaffen dasselbe.")
    assert parse_query('"strafmass für"').allows("", "Das Strafmaß für ihn")


def test_excluded_words_are_held_in_any_form():
    query = parse_query("Update -Lücke")
    assert not query.allows("Luecken in Windows", "")
    assert not query.allows("", "zwei Lücken")
    assert query.allows("", "Sicherheitslücken")
    assert not parse_query("Sprachen -C++").allows("", "Neues für C++-Entwickler")
    assert parse_query("Sprachen -C++").allows("", "C und C#")
    assert not parse_query('Update -"zwei Lücken"').allows("", "Es sind zwei Lücken.")


def test_a_query_without_operators_allows_everything():
    query = parse_query("Was ist die Lücke?")
    assert not query.restricts
    assert query.allows("", "")


@pytest.mark.parametrize("text", ["wo -die", '"…"', "-😀", '-"!"'])
def test_what_is_no_word_asks_for_nothing(text):
    assert not parse_query(text).restricts


@settings(max_examples=50, deadline=None)
@given(st.one_of(st.text(), NASTY), st.one_of(st.text(), NASTY))
def test_any_text_is_a_query(text, passage):
    query = parse_query(text)
    query.plain.encode()
    assert query.allows(passage, passage) in (True, False)
    if not query.restricts:
        assert query.allows(passage, passage)


@settings(max_examples=50, deadline=None)
@given(NASTY)
def test_no_mark_of_ours_is_left_in_a_plain_query(text):
    assert "\0" not in parse_query(text).plain


@pytest.mark.parametrize("piece", ["-x ", '"a" ', "und -x ", "„", "« »", "-", '"'])
def test_a_text_full_of_operators_is_taken_apart_in_no_time(piece):
    query = parse_query(piece * 30_000)
    assert len(query.phrases) + len(query.excluded) <= 64
