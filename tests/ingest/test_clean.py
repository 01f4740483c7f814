import pytest

from archive.errors import BadArticle
from ingest.clean import clean


def test_characters_that_cannot_be_seen_go(article):
    dirty = article(
        title="Zentrum fu\u0308r KI \u200bsoll\u00a0hel\u00adfen\ufeff",
        text="Ein\x00 Text\tmit\r\nZeilen \u202eund\x07 mehr",
    )
    cleaned = clean(dirty)
    assert cleaned.title == "Zentrum für KI soll helfen"
    assert cleaned.text == "Ein Text mit\n\nZeilen und mehr"


@pytest.mark.parametrize(
    ("title", "cleaned"),
    [
        ("AT&amp;T kauft &#8222;Time&#8220;", "AT&T kauft „Time“"),
        ("<b>Fett</b> gesetzt und<br/>neu", "Fett gesetzt und neu"),
        ("C++ <chrono> & Liebe <3 in a<b", "C++ <chrono> & Liebe <3 in a<b"),
        ("Suche nach ?a=1&copy=2 klappt", "Suche nach ?a=1&copy=2 klappt"),
    ],
)
def test_markup_leaves_titles_and_what_is_none_stays(title, cleaned, article):
    assert clean(article(title=title)).title == cleaned


def test_paragraphs_are_kept_and_blank_lines_counted_once(article):
    assert clean(article(text="Eins. \n \n\n\nZwei.\nDrei.")).text == "Eins.\n\nZwei.\nDrei."
    assert clean(article(text="Eins.\nZwei.")).text == "Eins.\n\nZwei."


def test_a_text_that_is_html_becomes_paragraphs(article):
    text = "<p>Eins &amp; zwei.</p><script>x()</script><ul><li>Drei</li><li>Vier</li></ul>"
    assert clean(article(text=text)).text == "Eins & zwei.\n\nDrei\n\nVier"


def test_only_lines_that_are_surely_boilerplate_go(article):
    kept = [
        "Der Text.",
        "(Quelle: dpa)",
        "Anzeigen sind teuer.",
        "Er liest: Lesen Sie auch dies?",
        "(mit Material der dpa)",
    ]
    gone = ["Lesen Sie auch: Alles über KI", "Anzeige", "(mho)", "^", "Newsletter abonnieren", "Mehr zum Thema:"]
    mixed = [line for pair in zip(kept, [*gone], strict=False) for line in pair] + gone[5:]
    assert clean(article(text="\n\n".join(mixed))).text.split("\n\n") == kept


@pytest.mark.parametrize("fields", [{"title": " \u200b"}, {"title": "<br>", "text": "Ein Text, der lang genug ist."}])
def test_without_a_title_it_is_no_article(fields, article):
    with pytest.raises(BadArticle, match="no title"):
        clean(article(**fields))


def test_something_must_be_long_enough(article):
    with pytest.raises(BadArticle, match="15 characters"):
        clean(article(title="Kurz", teaser="Kürzer", text="Kürzest"))
    assert clean(article(title="Kurz", teaser="Dieser Anriss genügt."))


def test_cleaning_twice_changes_nothing(article):
    once = clean(
        article(title=" a&amp;amp;b " * 5, teaser="<i>x</i>", text="A\n\n\n b\u00ad", topics=("<b>KI</b>", "KI", ""))
    )
    assert once.topics == ("KI",)
    assert clean(once).text == once.text
