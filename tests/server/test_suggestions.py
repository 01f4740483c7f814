from datetime import UTC, datetime

from archive.articles import Article, Hit, Passage
from server.suggestions import suggest


def hit(article_id: str, title: str) -> Hit:
    return Hit(Passage(f"{article_id}#0", article_id, 0, "Text", title), 1.0)


FIRST = Article(id="1", title="Intel verschiebt Chipfabrik in Magdeburg", published=datetime(2024, 9, 17, tzinfo=UTC))
HITS = [
    hit("1", FIRST.title),
    hit("2", "Magdeburg: Intel erhält Förderung für Chipfabrik"),
    hit("3", "Rezept der Woche: Kürbissuppe"),
]


def test_neighbours_of_the_same_matter_are_suggested_and_strangers_are_not():
    suggestions = suggest([FIRST], HITS, "de")
    assert "Worum ging es bei „Magdeburg: Intel erhält Förderung für Chipfabrik“?" in suggestions
    assert not any("Kürbis" in suggestion for suggestion in suggestions)
    assert suggestions[-1] == "Wie ging es danach weiter?"


def test_topics_and_dates_make_questions_of_time():
    first = Article(id="1", title="Intel", topics=("Intel",), published=datetime(2024, 9, 17, tzinfo=UTC))
    assert suggest([first], [], "de")[:2] == ("Chronologie: Intel", "Was geschah seit September 2024 bei Intel?")
    assert suggest([first], [], "en")[1] == "What has happened with Intel since September 2024?"


def test_without_articles_nothing_is_suggested():
    assert suggest([], HITS, "de") == ()
