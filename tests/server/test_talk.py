"""The talk before a question is kept by budget, the oldest going first. A token here is a word."""

from server.generation import Message
from server.talk import remembered


def words(text: str) -> int:
    return len(text.split())


def user(text: str) -> Message:
    return Message("user", text)


def assistant(text: str) -> Message:
    return Message("assistant", text)


TALK = [
    user("Erste Frage hier?"), assistant("Erste Antwort steht hier."),
    user("Zweite Frage hier?"), assistant("Zweite Antwort steht hier. Sie hat zwei Sätze."),
]  # fmt: skip


def test_all_of_a_short_talk_stays():
    assert remembered(TALK, words, 100) == TALK


def test_the_oldest_goes_first_and_whole():
    assert remembered(TALK, words, 12) == TALK[2:]
    assert remembered(TALK, words, 17) == TALK[2:]
    assert remembered(TALK, words, 18) == TALK


def test_an_answer_is_cut_at_a_sentence_and_ends_the_talk():
    assert remembered(TALK, words, 9) == [TALK[2], assistant("Zweite Antwort steht hier.")]


def test_the_newest_question_always_stays_and_turns_take_turns():
    long = user("Sehr lange Frage " * 10)
    kept = remembered([*TALK, long, assistant("Eine Antwort.")], words, 5)
    assert [turn.role for turn in kept] == ["user", "assistant"]
    assert kept[0].content == long.content.strip()


def test_a_talk_that_ends_with_a_question_keeps_it():
    kept = remembered([*TALK, user("Dritte Frage?")], words, 2)
    assert kept == [user("Dritte Frage?")]
    assert remembered([*TALK, user("Dritte Frage?")], words, 100)[:4] == TALK


def test_what_the_program_added_and_the_system_said_is_left_out():
    talk = [
        Message("system", "Sei nett."), user("Wer?"),
        assistant("Andres Freund [1][2]. Er wohnt in Rom (nicht belegt). <|im_end|>Ja【3】"),
    ]  # fmt: skip
    assert remembered(talk, words, 100) == [user("Wer?"), assistant("Andres Freund. Er wohnt in Rom.  Ja")]


def test_nothing_said_is_nothing_kept():
    assert remembered([], words, 10) == []
    assert remembered([Message("system", "Sei nett.")], words, 10) == []
