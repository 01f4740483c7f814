"""Markup that would cost time by the square of its length; a million characters take a second, not an hour."""

import pytest

from ingest.markup import one_line, plain, visible

MANY = 100_000


@pytest.mark.parametrize(
    "text",
    [
        "<script>" * MANY, "<!--" * MANY, "<style></style" * MANY, "a" + " " * 10 * MANY + "b", "[" + " " * 10 * MANY,
        "<a>mehr" + " " * 10 * MANY, "<a " * MANY, "&#" * MANY, "a" + "\u0301\u0323" * MANY,
    ],
)  # fmt: skip
def test_text_that_never_closes_what_it_opens(text):
    assert isinstance(visible(plain(text)), str)


def test_unseen_elements_and_comments_go_and_unclosed_ones_stay():
    assert plain("a<!-- <b>x --> b<SCRIPT src='x'>y < z</script > c") == "a b c"
    assert plain("Ein Vergleich: <!-- offen") == "Ein Vergleich: <!-- offen"
    assert one_line(plain("<style>a{}</style>A<figcaption>Bild</figcaption> B")) == "A B"


def test_more_links_go_with_their_brackets():
    assert plain("Anriss. [ <a href='x'>weiterlesen auf t3n.de …</a> ]").strip() == "Anriss."
    assert plain("<a href='x'>Mehr über Wale</a>") == "Mehr über Wale"


def test_letters_and_their_marks_are_composed_in_long_texts():
    assert visible("Sto\u0308rung " * 1000).split() == ["Störung"] * 1000
