from datetime import date

import pytest

from archive.articles import Period
from server.generation import Message
from server.understanding import language_of, understand

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
    assert question.period == Period(date(2021, 12, 11), date(2021, 12, 11))
    assert question.published == Period(date(2021, 12, 11), date(2021, 12, 12))
    assert understand((), "Was geschah bei Log4j?", TODAY).published is None


def test_a_year_that_is_part_of_a_name_filters_nothing():
    assert understand((), "Wer gewann die Bundestagswahl 2021?", TODAY).period is None


def test_words_that_say_when_point_to_no_talk():
    question = understand(TALK, "Was hat diese Woche der Bundestag zur Chatkontrolle beschlossen?", TODAY)
    assert not question.is_followup


MAY = (Message("user", "Was geschah im Mai 2023 bei OpenAI?"), Message("assistant", "Einiges."))


def test_the_time_of_the_talk_is_a_hint_for_a_followup():
    question = understand(MAY, "Und wie reagierte das Unternehmen?", TODAY)
    assert question.period is None
    assert question.timing.period == Period(date(2023, 5, 1), date(2023, 5, 31))
    assert "Mai 2023" in question.search


@pytest.mark.parametrize(
    "ellipsis", ["Und bei Google?", "Und in den USA?", "What about Google?", "Und was ist mit Meta?"]
)
def test_another_matter_in_the_place_of_the_last_keeps_its_time(ellipsis):
    assert understand(MAY, ellipsis, TODAY).period == Period(date(2023, 5, 1), date(2023, 5, 31))


def test_a_followup_with_a_time_of_its_own_means_that():
    assert understand(MAY, "Und im Juni 2024?", TODAY).period == Period(date(2024, 6, 1), date(2024, 6, 30))


def test_a_month_without_a_year_lies_in_the_year_of_the_talk():
    assert understand(MAY, "Und im Juni?", TODAY).period == Period(date(2023, 6, 1), date(2023, 6, 30))
    assert understand(MAY, "Und letzte Woche?", TODAY).period == Period(date(2026, 11, 16), date(2026, 11, 22))


def test_the_parts_of_a_question_are_searched_beside_it():
    question = understand((), "Wer bekam den Friedensnobelpreis 2009 und wer elf Jahre später?", TODAY)
    assert question.searches[0] == question.search
    assert question.searches[1:] == question.parts
    assert "2020" in question.parts[1]
    assert understand((), "Wer gewann die Bundestagswahl 2021?", TODAY).searches == (
        "Wer gewann die Bundestagswahl 2021?",
    )


def test_which_end_is_asked_for():
    assert understand((), "Was gibt es Neues zu Starlink?", TODAY).leaning == "newer"
    assert understand((), "Was war damals der Grund?", TODAY).leaning == "older"
    assert understand((), "Was ist Starlink?", TODAY).leaning is None
