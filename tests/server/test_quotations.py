from datetime import datetime

import pytest

from archive.articles import TIME_ZONE, Article
from server.events import Source
from server.quotation_lists import compose_quotations
from server.quotations import quotations
from server.reports import Report


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("Angela Merkel sagte am Montag: „Wir werden das gemeinsam schaffen.“", "Angela Merkel"),
        ("„Das ist ein sehr großer Erfolg“, sagte Merkel am Montag.", "Merkel"),
        ("»Das ist ein sehr großer Erfolg«, so der Sprecher der Polizei.", "der Sprecher der Polizei"),
        ('Dazu erklärte Steffen Seibert: "Wir haben davon nichts gewusst."', "Steffen Seibert"),
        ("Von der Leyen betonte, es seien „viele Frauen, viele Alleinerziehende“ darunter.", "Von der Leyen"),
        ("Der Spiegel zitiert Müller mit den Worten: „Das habe ich nie gesagt.“", "Müller"),
        ("Merkel lobte den Beschluss. Sie sagte: „Das ist ein guter Tag.“", "Merkel"),
        ("Gefeiert wurde das Stück „Der Besuch der alten Dame“ in Bern.", ""),
    ],
)
def test_the_speaker_is_read_from_the_sentence(text: str, speaker: str):
    (quotation,) = quotations(text)
    assert quotation.speaker == speaker
    assert quotation.text in text


def test_a_quotation_that_stands_alone_goes_on_with_the_last_speaker():
    first, second = quotations("Merkel sagte: „Wir schaffen das gemeinsam.“ „Das Land ist stark genug.“")
    assert (first.speaker, second.speaker) == ("Merkel", "Merkel")


def test_short_words_in_quotation_marks_are_no_quotation():
    assert quotations("Er nannte das „völlig absurd“.") == ()


TEXT = (
    "Angela Merkel sagte: „Scheitert der Euro, dann scheitert Europa.“ "
    "Später sagte sie: „Das Essen war heute sehr gut.“\n\n"
    "„Die Kanzlerin irrt sich da gewaltig“, sagte Gregor Gysi."
)


def _report() -> Report:
    published = datetime(2010, 5, 19, tzinfo=TIME_ZONE)
    article = Article("a1", "Bundestag debattiert über den Euro", text=TEXT, published=published)
    return Report(Source(7, "a1", article.title, "http://x", published, TEXT, 1.0), article, 1.0)


def _about_the_euro(sentences):
    return [float("Euro" in sentence.partition(": ")[2]) for sentence in sentences]


def test_quotations_of_one_speaker_verbatim_with_day_and_source():
    composed = compose_quotations([_report()], "kanzlerin merkel", "Merkel zum Euro", _about_the_euro, "de")
    assert composed is not None
    lines = composed.text.splitlines()
    assert lines[0] == "- „Scheitert der Euro, dann scheitert Europa.“ (Angela Merkel, 19. Mai 2010) [1]"
    assert not any("Gysi" in line for line in lines)
    assert [source.number for source in composed.sources] == [1]


def test_who_is_not_quoted_gets_no_quotation():
    assert compose_quotations([_report()], "Schäuble", "Schäuble zum Euro", _about_the_euro, "de") is None
