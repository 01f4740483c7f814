import pytest

from server.forms import Form, form_of, matter_of


@pytest.mark.parametrize(
    ("question", "form"),
    [
        ("Chronologie der Ereignisse um FTX", "timeline"),
        ("zeitleiste emotet", "timeline"),
        ("Was ist seit dem Kauf durch Musk bei Twitter passiert?", "timeline"),
        ("was geschah seit mai 2023 bei openai", "timeline"),
        ("Wie verlief das Verfahren gegen Julia Timoschenko?", "timeline"),
        ("What has happened with OpenAI since November 2023?", "timeline"),
        ("gib mir einen überblick über log4j", "overview"),
        ("Stand der Dinge bei Intel in Magdeburg", "overview"),
        ("Neueste Meldung zum James-Webb-Teleskop?", "overview"),
        ("Was sind die letzten Nachrichten über Emotet?", "overview"),
        ("Wann kam die neueste Meldung zu Emotet?", "fact"),
        ("summarize the FTX collapse", "overview"),
        ("Was ist der Unterschied zwischen GPT-3 und GPT-4?", "comparison"),
        ("Stärke und Opferzahl: Christchurch 2011 im Vergleich zu Norditalien 2012", "comparison"),
        ("compare the falcon 9 and ariane 6", "comparison"),
        ("Wie lautet das Zitat von Merkel?", "quotations"),
        ("was hat scholz zur ukraine gesagt", "quotations"),
        ("What did Obama say about Guantanamo?", "quotations"),
        # They look alike, but ask for a fact.
        ("Wer verlor den Überblick?", "fact"),
        ("Wer wird in dem Artikel zitiert?", "fact"),
        ("Wie hoch war der Umsatz im Vergleich zum Vorjahr?", "fact"),
        ("Welchen Vergleich schlossen VW und die Verbraucherzentralen?", "fact"),
        ("Was sagt die Studie zu Handystrahlung?", "fact"),
        ("Fasse das kurz zusammen", "fact"),
        ("Was ist letzte Woche an der Spitze von OpenAI passiert?", "fact"),
    ],
)
def test_the_form_is_read_out_of_the_question(question: str, form: Form):
    assert form_of(question).form == form


@pytest.mark.parametrize(
    ("question", "speaker"),
    [
        ("Zitate von Merkel zu Griechenland", "Merkel"),
        ("Was sagte Angela Merkel zur Euro-Krise?", "Angela Merkel"),
        ("quotes by Elon Musk on Twitter", "Elon Musk"),
        ("zitiere kanzlerin merkel zu fukushima", "kanzlerin merkel"),
        ("Zitate zum Atomausstieg", ""),
    ],
)
def test_who_is_to_be_quoted_is_named(question: str, speaker: str):
    asked = form_of(question)
    assert (asked.form, asked.speaker) == ("quotations", speaker)


@pytest.mark.parametrize(
    ("question", "matter"),
    [
        (
            "Gib mir eine Chronologie zu Boeings Starliner und seiner Besatzung.",
            "Boeings Starliner und seiner Besatzung",
        ),
        ("gib mir einen überblick über log4j", "log4j"),
        ("Was ist bei Twitter passiert?", "Twitter"),
        ("timeline of the xz backdoor", "xz backdoor"),
        ("Wie ging es mit Intel in Magdeburg weiter?", "Intel in Magdeburg"),
        ("Chronologie", "Chronologie"),
    ],
)
def test_the_matter_is_what_is_left_of_a_question(question: str, matter: str):
    assert matter_of(question) == matter
