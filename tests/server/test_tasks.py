import json

import pytest

from server.tasks import ChatMemory, answer_task

PROMPT = "### Task:\nGenerate a title.\n<chat_history>\nUSER: Wer entdeckte die XZ-Hintertür?\n</chat_history>"


def test_a_title_is_the_question():
    answer = json.loads(answer_task("title_generation", PROMPT, "c1", ChatMemory()))
    assert answer == {"title": "Wer entdeckte die XZ-Hintertür"}


def test_followups_are_those_of_the_chat():
    memory = ChatMemory()
    memory.remember("c1", ("Und dann?",))
    assert json.loads(answer_task("follow_up_generation", "", "c1", memory)) == {"follow_ups": ["Und dann?"]}
    assert json.loads(answer_task("follow_up_generation", "", "c2", memory)) == {"follow_ups": []}


@pytest.mark.parametrize("task", ["emoji_generation", "moa_response_generation", "something_new"])
def test_tasks_that_make_no_sense_here_get_nothing(task):
    assert answer_task(task, PROMPT, "c1", ChatMemory()) == ""


def test_old_chats_are_forgotten():
    memory = ChatMemory()
    for number in range(1500):
        memory.remember(f"c{number}", ("x",))
    assert memory.suggestions("c0") == ()
    assert memory.suggestions("c1499") == ("x",)
