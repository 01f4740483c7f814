import json
from contextlib import closing

import pytest

from archive.articles import Article, Passage
from archive.errors import SourceError
from archive.ledger import Ledger
from evaluation.questions import Asked
from training.examples import (
    Candidate,
    Judged,
    editors,
    headlines,
    held_out,
    read_judged,
    read_pairs,
    read_squad,
    write_judged,
)


def squad(tmp_path, *questions):
    paragraph = {"context": "Der Rhein ist lang. Er mündet in die Nordsee.", "qas": list(questions)}
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [{"title": "Der_Rhein", "paragraphs": [paragraph]}]}))
    return path


def test_squad_gives_a_question_and_its_paragraph(tmp_path):
    where = {"question": " Wohin fließt der Rhein? ", "answers": [{"text": "Nordsee", "answer_start": 37}]}
    across = {"question": "Wer mündet?", "answers": [{"text": "lang. Er mündet", "answer_start": 14}]}
    examples = read_squad(squad(tmp_path, where, across, {"question": "Wann?", "answers": []}))

    text = "Der Rhein ist lang. Er mündet in die Nordsee."
    assert [(one.query, one.positive.title, one.positive.text, one.line) for one in examples] == [
        ("Wohin fließt der Rhein?", "Der Rhein", text, "Er mündet in die Nordsee."),
        ("Wer mündet?", "Der Rhein", text, ""),
    ]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"data": [{"paragraphs": [{}]}]}'])
def test_what_is_no_squad_file_is_named(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(SourceError, match=r"x\.json"):
        read_squad(tmp_path / "x.json")


def test_pairs_are_read_line_by_line(tmp_path):
    path = tmp_path / "faq.jsonl"
    path.write_text('{"question": "Was tun?", "answer": "Hände waschen."}\n\n{"question": "x"}\n')
    with pytest.raises(SourceError, match="line 3"):
        read_pairs(path)
    path.write_text('{"question": "Was tun?", "answer": "Hände waschen."}\n')
    assert read_pairs(path)[0].positive.text == "Hände waschen."


def test_a_headline_asks_for_its_opening_which_does_not_hold_it():
    articles = [
        Article("1", "Sturm im Norden", text="Wegen des Sturms fahren am Freitag keine Fähren zu den Inseln.\n\nMehr."),
        Article("2", "Nur eine Zeile", teaser="kurz"),
    ]
    (example,) = headlines(articles, 5)

    assert example.query == "Sturm im Norden"
    assert example.query not in example.positive.embedded_text and "Fähren" in example.positive.text


def test_an_editors_question_is_answered_by_the_passage_that_holds_its_answer(tmp_path):
    texts = ("Ein Sturm zieht auf.", "Rund 400 Urlauber sitzen fest.", "Es waren 400.")
    passages = [Passage(f"a#{number}", "a", number, text, "Sturm") for number, text in enumerate(texts)]
    asked = {"qid": "1", "kind": "fact", "question": "Wie viele saßen fest?", "must_contain": ["400"]}
    told = {"qid": "2", "kind": "fact", "question": "Wer war es?", "must_contain": ["Räuber"]}
    talk = asked | {"qid": "3", "kind": "followup", "history": [{"role": "user", "content": "Was war?"}]}
    questions = [Asked.model_validate(one) for one in (asked, told, talk)]
    with closing(Ledger.open(tmp_path)) as ledger:
        ledger.store([(Article("a", "Sturm", "\n\n".join(texts)), passages)])
        answered = editors(questions, {qid: [frozenset({"a"})] for qid in "123"}, ledger)
        unknown = editors(questions[:1], {"1": [frozenset()]}, ledger)

    assert [(one.query, one.positive.id, one.line) for one in answered] == [
        ("Wie viele saßen fest?", "a#1", "Rund 400 Urlauber sitzen fest.")
    ]
    assert unknown == []


def judged(group, origin="squad"):
    return Judged(f"Frage {group}", origin, group, (Candidate("ja", True), Candidate("nein", False, {"fused": 1.0})))


def test_an_article_is_held_out_whole():
    questions = [judged(f"a{number // 5}") for number in range(100)] + [
        judged(f"h{number}", "news") for number in range(9)
    ]
    kept, held = held_out(questions, 0.2)

    assert len(kept) + len(held) == len(questions)
    assert not {one.group for one in kept} & {one.group for one in held}
    assert {one.origin for one in held} == {"squad", "news"}
    assert held_out(questions, 0.2) == (kept, held)


def test_judged_questions_survive_the_file(tmp_path):
    path = tmp_path / "judged.jsonl"
    write_judged(path, [judged("a"), judged("b")])
    assert read_judged(path) == [judged("a"), judged("b")]
    path.write_text(path.read_text()[:-9])
    with pytest.raises(SourceError, match="delete it"):
        read_judged(path)
