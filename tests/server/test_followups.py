import json
from datetime import date
from pathlib import Path

import pytest

from server.followups import leans_back, searches
from server.generation import Message
from server.understanding import understand

TODAY = date(2026, 11, 23)
TALK = (
    Message("user", "Wer hat die Hintertür in den XZ Utils entdeckt?"),
    Message("assistant", "Der Entwickler Andres Freund [1]."),
)
OWN = [json.loads(line) for line in Path(__file__).with_name("talk_questions.jsonl").read_text("utf-8").splitlines()]


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
        "Wie hoch war die?",
        "Wie hoch war die Strafe?",
        "Hat es den Konkurrenten auch erwischt?",
        "Gab es Verletzte?",
        "Welche Folgen hatte das für Moskau?",
        "Wie kamen die beiden schließlich nach Hause?",
        "Welche anderen Firmen waren betroffen?",
        "Was sagte die Polizei dazu?",
        "Ist die Lücke inzwischen geschlossen?",
        "was kostet das",
        "wie ging es weiter",
        "How much did it cost?",
        "Was it ever fixed?",
    ],
)
def test_questions_that_lean_back(question):
    assert leans_back(question)


@pytest.mark.parametrize(
    "question",
    [
        "Wie reagierte Intel auf die Absage aus Magdeburg?",
        "Was kostet das Deutschlandticket?",
        "Wann startete die Sonde Hera zum Asteroiden Dimorphos?",
        "Who bought Twitter?",
        "Was sagte Musk, als er Twitter kaufte?",
        "Wer ist Chef von Nvidia?",
        "Gibt es Neues zu Starlink?",
        "was macht elon musk mit twitter",
        "Was sagt das BSI zur Lücke in Log4j?",
        "Gibt es einen Caravan, mit dem man über einen See schippern kann?",
        "Wie alt muss man sein, um einen Tretroller zu fahren?",
        "Welche Fluglinie dachte laut darüber nach, fürs Klo Geld zu verlangen?",
        "Erst gesperrt, dann erlaubt: Was war mit ChatGPT in Italien?",
        "Stimmt es, dass eine Maus ein Haus in New Mexico angezündet hat?",
        "What did Apple announce about USB-C?",
    ],
)
def test_questions_that_stand_alone(question):
    assert not leans_back(question)


def test_a_time_of_its_own_makes_a_matter_of_its_own_likelier():
    assert leans_back("Welchen Termin nannte die Nasa?")
    assert not leans_back("Welchen Termin nannte die Nasa?", dated=True)
    assert leans_back("Und wie ging das weiter?", dated=True)


@pytest.mark.parametrize("asked", OWN, ids=[asked["qid"] for asked in OWN])
def test_own_questions_lean_where_they_are_followups(asked):
    talk = [Message(turn["role"], turn["content"]) for turn in asked["history"]]
    understood = understand(talk, asked["question"], today=TODAY)
    assert understood.is_followup == (asked["kind"] == "followup")
    if asked["kind"] == "followup":
        assert talk[0].content in understood.search
        assert asked["question"] in understood.searches


def test_a_followup_is_searched_with_the_question_before_it_with_the_answer_and_alone():
    assert searches(TALK, "Wodurch fiel sie auf?") == (
        "Wer hat die Hintertür in den XZ Utils entdeckt? Wodurch fiel sie auf?",
        "Der Entwickler Andres Freund. Wodurch fiel sie auf?",
        "Wodurch fiel sie auf?",
    )


def test_of_a_chain_of_followups_the_question_that_began_it_is_found():
    chain = (*TALK, Message("user", "Wodurch fiel sie auf?"), Message("assistant", "Durch langsame Logins [1]."))
    assert searches(chain, "Und wann war das?")[0] == (
        "Wer hat die Hintertür in den XZ Utils entdeckt? Wodurch fiel sie auf? Und wann war das?"
    )
    new_topic = (*TALK, Message("user", "Wer hat Twitter gekauft?"), Message("assistant", "Elon Musk [1]."))
    assert searches(new_topic, "Und wann war das?")[0] == "Wer hat Twitter gekauft? Und wann war das?"


def test_of_a_long_answer_only_the_beginning_is_taken():
    answer = "Das Botnetz Emotet wurde abgeschaltet. " + "Es folgen viele Einzelheiten dazu. " * 50
    with_answer = searches((TALK[0], Message("assistant", answer)), "Warum?")[1]
    assert with_answer.startswith("Das Botnetz Emotet") and with_answer.endswith(" Warum?")
    assert len(with_answer) < 300


def test_a_talk_without_an_answer_is_enough():
    assert searches(TALK[:1], "Warum?") == ("Wer hat die Hintertür in den XZ Utils entdeckt? Warum?", "Warum?")
