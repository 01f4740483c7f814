import pytest

from server.titles import LONGEST, title_of


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Was ist mit dem Deutschlandticket?", "Deutschlandticket"),
        ("Kannst du mir bitte sagen, wer die XZ-Hintertür entdeckt hat?", "Wer die XZ-Hintertür entdeckt hat"),
        ("Wer entdeckte die XZ-Hintertür?", "Wer entdeckte die XZ-Hintertür"),
        ("Was ist seit dem 3. Mai 2023 rund um Intel passiert?", "Intel seit dem 3. Mai 2023"),
        ("Was gibt es Neues zu Emotet?", "Emotet"),
        ("Hallo! Was weißt du über die Ariane 6?", "Ariane 6"),
        ("Worum ging es eigentlich bei der Chatkontrolle?", "Chatkontrolle"),
        ("Was ist der Digital Services Act?", "Digital Services Act"),
        ("Chronologie: Log4j", "Chronologie: Log4j"),
        ("Vergleiche Ariane 6 mit Starship", "Ariane 6 und Starship"),
        ("Gib mir einen Überblick über Emotet im Jahr 2021", "Überblick über Emotet im Jahr 2021"),
        ("Can you tell me what happened to Emotet in 2021?", "Emotet in 2021"),
        ("What do you know about the XZ Utils?", "XZ Utils"),
        ("Who discovered the backdoor?", "Who discovered the backdoor"),
        ("Was ist heute bei WhatsApp los?", "Was ist heute bei WhatsApp los"),
        ("emotet 2021", "Emotet 2021"),
        ("???", "Archiv"),
        ("", "Archiv"),
    ],
)
def test_a_title_says_what_it_is_about(question, title):
    assert title_of(question) == title


@pytest.mark.parametrize(
    "question",
    [
        "Wie " + "lange " * 40 + "noch?",
        "X" * 200,
        "Wie viele Rechner hat die missglückte Aktualisierung von Crowdstrike nach der Schätzung von Microsoft am "
        "19. Juli 2024 lahmgelegt?",
    ],
)
def test_no_title_is_longer_than_sixty_characters(question):
    assert 0 < len(title_of(question)) <= LONGEST


def test_a_period_at_the_end_stays():
    title = title_of("Welche Spielestudios und welche Publisher haben Leute rausgeworfen nach dem Herbst im Jahr 2024?")
    assert title.endswith("2024") and title.startswith("Welche Spielestudios")


def test_a_second_question_is_left_out():
    title = title_of(
        "Was wirft man dem italienischen Zentralbankchef vor, der kurz vor Weihnachten sein Amt niederlegte?"
    )
    assert title == "Was wirft man dem italienischen Zentralbankchef vor"
