import pytest

from server.subquestions import subquestions


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        # questions that follow one another: a year is counted, a missing matter is taken from the one before
        (
            "Wer bekam den Friedensnobelpreis 2009 und wer elf Jahre später?",
            ("Wer bekam den Friedensnobelpreis 2009", "wer elf Jahre später Friedensnobelpreis 2020"),
        ),
        (
            "Wer regierte 2005 und wer ein Jahr zuvor?",
            ("Wer regierte 2005", "wer ein Jahr zuvor 2004"),
        ),
        (
            "Was zahlten die Netzbetreiber für 5G und wie viel kostet die EU der Chips Act?",
            ("Was zahlten die Netzbetreiber für 5G", "wie viel kostet die EU der Chips Act"),
        ),
        (
            "Wann landete Perseverance auf dem Mars, wann flog Ingenuity zum letzten Mal?",
            ("Wann landete Perseverance auf dem Mars", "wann flog Ingenuity zum letzten Mal Perseverance Mars"),
        ),
        (
            "Wer hackte SolarWinds und wer die Exchange-Server?",
            ("Wer hackte SolarWinds", "wer die Exchange-Server hackte"),
        ),
        (
            "Stell mir den Werdegang von Emotet zusammen: Wann wurde es abgeschaltet, wann tauchte es wieder auf?",
            ("Emotet Wann wurde es abgeschaltet", "Emotet wann tauchte es wieder auf?"),
        ),
        ("who won in 2009 and who two years later", ("who won in 2009", "who two years later won 2011")),
        # stages of a story
        (
            "Erst gesperrt, dann wieder erlaubt: Was war mit ChatGPT in Italien?",
            ("Erst gesperrt ChatGPT Italien", "dann wieder erlaubt ChatGPT Italien"),
        ),
        (
            "Von der Anklage bis zur Berufung: Wie verlief das Verfahren gegen Julia Timoschenko?",
            ("Verfahren Julia Timoschenko Anklage", "Verfahren Julia Timoschenko Berufung"),
        ),
        (
            "Wie ging es mit dem Werk von der Ankündigung über den Aufschub bis zum Scheitern?",
            ("Werk Ankündigung", "Werk Aufschub", "Werk Scheitern"),
        ),
        # comparisons
        (
            "Vergleich der Reichweite: Tesla Roadster gegen das E-Auto Ze-0",
            ("Reichweite Tesla Roadster", "Reichweite das E-Auto Ze-0"),
        ),
        (
            "Stärke und Opferzahl: Christchurch 2011 im Vergleich zu Norditalien 2012",
            ("Stärke Opferzahl Christchurch 2011", "Stärke Opferzahl Norditalien 2012"),
        ),
        (
            "Vergleich: Wie viel Geld steckt Intel in Magdeburg und TSMC in Dresden in neue Werke?",
            (
                "Wie viel Geld steckt Intel in Magdeburg in neue Werke?",
                "Wie viel Geld steckt TSMC in Dresden in neue Werke?",
            ),
        ),
        # lists: the bare words are a second ranking
        ("Welche Haftstrafen gab es für die FTX-Leute?", ("Haftstrafen FTX-Leute",)),
        ("Welche russischen Sender haben Werbung verkauft?", ("russischen Sender Werbung verkauft",)),
        ("Chronologie der Übernahme von Twitter", ("Übernahme Twitter",)),
        # several years
        (
            "Wer war 2019 Weltmeister, und der von 2023?",
            ("Wer war 2019 Weltmeister, und der von ?", "Wer war Weltmeister, und der von 2023?"),
        ),
    ],
)
def test_the_parts_of_a_question(question, parts):
    assert subquestions(question) == parts


@pytest.mark.parametrize(
    "question",
    [
        "Wer hat die Hintertür in den XZ Utils entdeckt?",
        "Welche Naturkonstante legt fest, was die Masseneinheit kg bedeutet?",
        "Was machten SAP und die Telekom bei der Corona-Warn-App?",
        "Wie viel Masse haben die Schwarzen Löcher, die das Teleskop abgelichtet hat?",
        "Was war von 2019 bis 2021 los?",
        # One thing is asked for, whatever the verb.
        "Welche Fremdsprache sollten alle Schüler in Panama lernen?",
        "Welche Krankenkasse bekam den Preis, weil sie Patientendaten weitergab?",
        "Welche politische Partei haben viele gewählt?",
        "",
        "x und wer " * 2000,
    ],
)
def test_one_question_has_no_parts(question):
    assert subquestions(question) == ()


def test_there_are_four_parts_at_most():
    assert len(subquestions("Wann kam A1, wann kam B2, wann kam C3, wann kam D4, wann kam E5, wann kam F6?")) == 4
