import pytest

from server.expectations import Expectation, expected


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Was kostet der Eintritt zum Wasserfall?", "money"),
        ("Was kostete 2013 eine Fahrkarte?", "money"),
        ("Auf wie viele Dollar verzichtete der Kandidat?", "money"),
        ("Wie viel Lösegeld zahlte die Klinik?", "money"),
        ("Welches Honorar bekam der Redner?", "money"),
        ("Wie hoch war die Wahlbeteiligung?", "share"),
        ("Wie viel Prozent stimmten dafür?", "share"),
        ("Wie viele Millionen flossen?", "amount"),
        ("Wie schwer wurde das Tier?", "weight"),
        ("Wieviele Leute kamen?", "count"),
        ("In wie vielen Fächern wurde geprüft?", "count"),
        ("Wie lange stand er auf dem Platz?", "amount"),
        ("Wann kommt die erste Folge?", "date"),
        ("In welchem Jahr brannte es?", "date"),
        ("Wie hieß der Kapitän?", "person"),
        ("Wie heißt die Reederei?", "name"),
        ("Zu welcher Strafe wurde er verurteilt?", "penalty"),
        ("Was setzte Ebay im zweiten Quartal um?", "money"),
        ("How many people came?", "count"),
        ("When did it happen?", "date"),
        ("Warum brannte es?", "anything"),
        ("Wer gewann?", "anything"),
        ("Weiß man, wie viele Leute kamen?", "anything"),
        ("", "anything"),
    ],
)
def test_what_a_question_expects(question, kind):
    assert expected(question) == kind


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Was kostet der Eintritt?", "Der Eintritt kostet 12 Euro."),
        ("Was kostet der Eintritt?", "Der Eintritt ist kostenlos."),
        ("Wie viele Leute kamen?", "Es kamen rund 400 Besucher."),
        ("Wie viele Leute kamen?", "Niemand kam."),
        ("Wie viele Tage saß er?", "Er saß 1901 Tage."),
        ("Wie alt wurde er?", "Er wurde hundert Jahre alt."),
        ("Wann kommt die Folge?", "Sie kommt am 3. Mai 2024."),
        ("Wie hieß der Kapitän?", "Der Kapitän hieß Francesco Schettino."),
        ("Wie hoch war die Wahlbeteiligung?", "Die Wahlbeteiligung lag bei 61 Prozent."),
        ("Zu welcher Strafe wurde er verurteilt?", "Er muss acht Jahre in Haft."),
        ("Wie heißt die Reederei?", "Die Reederei HGK testet das."),
        ("Wie schwer war das Tier?", "Es wog 300 Kilogramm."),
        ("Warum brannte es?", "Ein Kabel war defekt."),
    ],
)
def test_what_meets_it(question, answer):
    assert Expectation(question).met(answer)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Was kostet der Eintritt?", "Der Wasserfall ist 771 Meter hoch."),
        ("Wie viele Mitarbeiter hat Bungie?", "Sony kaufte Bungie für 3,6 Milliarden Dollar."),
        ("Wie viele der zehn Schüler schafften es?", "Zehn Schüler bereiteten sich vor."),
        ("Wann kommt die Folge?", "Die Folge kommt auf Netflix."),
        ("Wann kam im Mai 2024 die Folge?", "Im Mai 2024 kam die Folge."),
        ("Wie hieß der Kapitän der Costa Concordia?", "Der Kapitän verließ die Costa Concordia."),
        ("Wie hoch war die Wahlbeteiligung?", "Es gab 39 Sitze zu vergeben."),
        ("Wie hoch war die Wahlbeteiligung?", "Er gewann mit 50,33 Prozent der Stimmen."),
        ("Wie hieß der Täter?", "Der Bus brannte in Xiamen in der Provinz."),
        ("Zu welcher Strafe wurde sie verurteilt?", "Sie trat die Angestellte."),
        ("Wie viele Baukästen verkaufte Lego?", "Nach 24 Jahren ist Schluss."),
        ("Wie schwer wurde die Wolfsart?", "Sie starb vor 12.500 Jahren aus."),
    ],
)
def test_what_answers_nothing(question, answer):
    assert not Expectation(question).met(answer)
