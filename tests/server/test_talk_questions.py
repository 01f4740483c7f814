"""Follow-ups and several questions in one, asked of the sample archive through the server's own retrieval."""

import json
from datetime import date
from pathlib import Path

import pytest

from archive.archive import Archive
from archive.settings import Settings
from server.generation import Message
from server.retrieval import Retriever, search_for
from server.timings import Timings
from server.understanding import understand

pytestmark = pytest.mark.models
OWN = [json.loads(line) for line in Path(__file__).with_name("talk_questions.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def articles_of(archive_home, real_embedder):
    """The articles that are found for a question of the file, best first."""
    archive = Archive.open(Settings(home=archive_home), real_embedder)
    retriever = Retriever(archive, None, 30)

    def find(asked):
        talk = [Message(turn["role"], turn["content"]) for turn in asked["history"]]
        search = search_for(understand(talk, asked["question"], date(2026, 11, 23)))
        hits = retriever.retrieve(search, 10, Timings()).hits
        return list(dict.fromkeys(hit.passage.article_id for hit in hits))

    yield find
    archive.close()


def share_found(articles_of, kind, places, wanted):
    asked = [one for one in OWN if one["kind"] == kind]
    found = [
        wanted(gold["id"] in articles_of(one)[:places] for gold in one["gold"])
        for one in asked
    ]  # fmt: skip
    return sum(found) / len(found)


def test_followups_find_an_article_that_answers_in_the_first_five(articles_of):
    assert share_found(articles_of, "followup", 5, any) >= 0.9


def test_a_new_topic_in_a_talk_is_found_as_without_it(articles_of):
    assert share_found(articles_of, "fact", 5, any) == 1


def test_several_questions_in_one_find_all_their_articles_in_the_first_ten(articles_of):
    assert share_found(articles_of, "multi", 10, all) >= 0.9
