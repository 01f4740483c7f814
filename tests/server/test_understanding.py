from datetime import date

import pytest

from archive.articles import Period
from server.generation import Message
from server.understanding import language_of, leans_back, understand

TODAY = date(2026, 11, 23)
TALK = (
    Message("user", "Wer hat die Hintertür in den XZ Utils entdeckt?"),
    Message("assistant", "Der Entwickler Andres Freund [1]."),
)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Wer hat die Hintertür entdeckt?", "de"),
        ("Who found the backdoor in XZ?", "en"),
        ("What did Intel say about Magdeburg?", "en"),
        ("xz utils", "de"),
        ("Was sagte The Document Foundation?", "de"),
    ],
)
def test_language(text, language):
    assert language_of(text) == language


@pytest.mark.parametrize(
    "question",
    [
        "Und wie reagierte das Unternehmen?",
        "Wann war das?",
        "Warum?",
        "Und im Mai?",
        "Wer muss am längsten zuschauen?",
        "Hat sich der Verdacht bestätigt?",
        "Wodurch fiel sie auf?",
        "What did he say?",
        "Ab wann wurde sie nicht mehr gepflegt und wie teuer ist sie am Ende geworden?",
    ],
)
def test_questions_that_lean_back(question):
    assert leans_back(question)


@pytest.mark.parametrize(
    "question",
    [
        "Wie reagierte Intel auf die Absage aus Magdeburg?",
        "Was kostet das Deutschlandticket ab 2025?",
        "Wann startete die Sonde Hera zum Asteroiden Dimorphos?",
        "Who bought Twitter in October 2022?",
        "Was sagte Musk, als er Twitter im Oktober 2022 kaufte?",
    ],
)
def test_questions_that_stand_alone(question):
    assert not leans_back(question)


def test_a_followup_is_searched_with_the_question_before_it():
    question = understand(TALK, "Wodurch fiel sie auf?", TODAY)
    assert question.is_followup
    assert "XZ Utils" in question.search and "auf" in question.search
    assert question.text == "Wodurch fiel sie auf?"


def test_without_a_talk_nothing_is_a_followup():
    assert not understand((), "Warum?", TODAY).is_followup


def test_a_new_topic_leaves_the_talk_behind():
    question = understand(TALK, "Was kostet das Deutschlandticket ab 2025?", TODAY)
    assert not question.is_followup
    assert "XZ" not in question.search


def test_a_single_day_takes_in_the_next_since_news_comes_after_events():
    question = understand((), "Was geschah am 11. Dezember 2021 bei Log4j?", TODAY)
    assert question.period == Period(date(2021, 12, 11), date(2021, 12, 12))


def test_a_year_that_is_part_of_a_name_filters_nothing():
    assert understand((), "Wer gewann die Bundestagswahl 2021?", TODAY).period is None


def test_words_that_say_when_point_to_no_talk():
    question = understand(TALK, "Was hat diese Woche der Bundestag zur Chatkontrolle beschlossen?", TODAY)
    assert not question.is_followup


def test_a_followup_inherits_the_time_of_the_talk_unless_it_has_its_own():
    talk = (Message("user", "Was geschah im Mai 2023 bei OpenAI?"), Message("assistant", "Einiges."))
    assert understand(talk, "Und warum?", TODAY).period == Period(date(2023, 5, 1), date(2023, 5, 31))
    assert understand(talk, "Und im Juni 2023?", TODAY).period == Period(date(2023, 6, 1), date(2023, 6, 30))
