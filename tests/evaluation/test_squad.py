"""`archivar evaluate answers`: samples of SQuAD's questions, hidden paragraphs, and the command over the real chat."""

import json

import pytest
from embedders import WordEmbedder
from typer.testing import CliRunner

from archivar import app
from archive import embedding
from archive.archive import Archive
from archive.errors import SettingsError, SourceError
from archive.settings import Settings
from evaluation.corpus import add_corpus
from evaluation.hiding import without
from evaluation.interview import interview_of
from evaluation.runs import read_run
from evaluation.squad import read_squad
from server import engine
from server.retrieval import Retriever, Search
from server.timings import Timings

PARAGRAPHS = {
    "Hafen": [
        ("Ein Frachter mit 300 Tonnen Bananen brannte im Hamburger Hafen.",
         [("h1", "Wie viele Tonnen Bananen brannten?", "300"), ("h2", "Wo brannte es?", "der Hamburger Hafen")]),
        ("Der Hamburger Hafen schlug im vergangenen Jahr vier Millionen Container um.",
         [("h3", "Was schlug der Hafen um?", "Container"), ("h4", "Wie viele Millionen?", "vier")]),
    ],
    "Zirkus_Brumbach": [
        ("Der Zirkus Brumbach zeigt in diesem Winter zwei Elefanten in Krefeld.",
         [("z1", "Welche Tiere zeigt der Zirkus?", "die Elefanten"), ("z2", "Wo ist der Zirkus?", "Krefeld")]),
    ],
}  # fmt: skip


@pytest.fixture
def file(tmp_path):
    data = [
        {"title": title, "paragraphs": [
            {"context": context, "qas": [
                {"id": qid, "question": question, "answers": [{"text": answer, "answer_start": 0}]}
                for qid, question, answer in asked]}
            for context, asked in paragraphs]}
        for title, paragraphs in PARAGRAPHS.items()
    ]  # fmt: skip
    path = tmp_path / "small.json"
    path.write_text(json.dumps({"version": "1.1", "data": data}), encoding="utf-8")
    return path


def test_a_seed_draws_the_same_questions(file):
    drawn = read_squad(file, 3, 0, 1)
    assert [one.qid for one in read_squad(file, 3, 0, 1).questions] == [one.qid for one in drawn.questions]
    with_hidden = read_squad(file, 3, 2, 1)
    assert with_hidden.questions[:3] == drawn.questions
    assert [one.kind for one in with_hidden.questions] == ["fact"] * 3 + ["none"] * 2
    assert any(read_squad(file, 3, 0, seed).questions != drawn.questions for seed in range(2, 9))
    assert len(drawn.documents) == 3 and drawn.documents[2].title == "Zirkus Brumbach"


def test_what_another_paragraph_of_its_article_answers_is_never_unanswerable(file):
    hidden = {one.qid for seed in range(9) for one in read_squad(file, 1, 4, seed).questions if one.kind == "none"}
    assert hidden == {"h1-hidden", "h3-hidden", "h4-hidden", "z1-hidden", "z2-hidden"}  # the Hafen is in both
    with pytest.raises(SettingsError, match="--unanswerable 6: "):
        read_squad(file, 1, 6, 3)
    with pytest.raises(SettingsError, match="--sample 7: "):
        read_squad(file, 7, 0, 3)


def test_golds_are_taken_as_they_may_be_written(file):
    wanted = {one.qid: one.must_contain for one in read_squad(file, 6, 0, 1).questions}
    assert wanted["z1"] == ["die Elefanten", "Elefanten"] and wanted["h4"] == ["vier", "4"] and wanted["h1"] == ["300"]


@pytest.mark.parametrize(
    ("content", "message"), [("{", "it: "), ('{"data": [{"title": "x"}]}', r"data\.0\.paragraphs: Field required")]
)
def test_a_file_of_another_format_is_one_clear_line(tmp_path, content, message):
    path = tmp_path / "bad.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match=message):
        read_squad(path, 1, 0, 1)
    with pytest.raises(SourceError, match="No such file"):
        read_squad(tmp_path / "none.json", 1, 0, 1)


def test_a_hidden_article_is_found_by_no_search(file, tmp_path):
    settings = Settings(home=tmp_path / "data")
    archive = Archive.open(settings, WordEmbedder())
    drawn = read_squad(file, 4, 1, 1)
    interview = interview_of(drawn, add_corpus(archive, drawn.documents, settings.home, keep=True))
    (hidden,) = interview.hidden.values()
    question = "Frachter Bananen Hamburger Hafen Zirkus Brumbach Elefanten Container"

    def found(view):
        hits = Retriever(view, None, 2).retrieve(Search(question), 3, Timings()).hits
        return {hit.passage.article_id for hit in hits}

    assert hidden <= found(archive) and len(found(archive)) == 3
    assert found(without(archive, hidden)) == found(archive) - hidden  # two candidates of each search, both others
    assert hidden <= found(archive)
    archive.close()


@pytest.fixture
def faked(monkeypatch, scripted):
    monkeypatch.setattr(embedding, "load_embedder", lambda settings, store: WordEmbedder())
    monkeypatch.setattr(engine, "load_generators", lambda settings, store: [scripted])
    monkeypatch.setenv("ARCHIVAR_RERANKER", "none")
    return scripted


def run(*arguments):
    result = CliRunner().invoke(app, ["evaluate", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])


def test_the_command_asks_scores_reports_and_goes_on(faked, file, tmp_path):
    faked.enqueue("warm", *["Es waren 300 Tonnen Bananen, sagte Steinmeier [1]."] * 6)
    shown = run("answers", "--squad", file, "--sample", 4, "--unanswerable", 1, "--out", tmp_path / "a")
    fact, none = shown["kinds"]["fact"], shown["kinds"]["none"]
    assert (shown["questions"], fact["n"], none["n"]) == (5, 4, 1)
    assert {"right", "right_where_gold_retrieved", "sentences_cited", "first_status_ms_p95", "R@1"} <= fact.keys()
    assert "abstained" in none and "unmarked_names" in shown["overall"]
    kept = read_run(tmp_path / "a")
    answered = [one for one in kept.results if one.answer]
    assert answered and all(one.sentences and one.sources[0].passage for one in answered)
    report = (tmp_path / "a" / "report.md").read_text(encoding="utf-8")
    assert "# Answers: small" in report and "| sentence | cites | verdict |" in report and "- expected: " in report
    asked = len(faked.asked)
    again = run("answers", "--squad", file, "--sample", 4, "--unanswerable", 1, "--out", tmp_path / "b")
    assert len(faked.asked) == asked and again["overall"]["right"] == shown["overall"]["right"]
    counts = Archive.open(Settings(home=Settings().home), WordEmbedder())
    assert counts.ledger.counts().articles == 3  # not stored twice
    counts.close()
    moved = run("compare", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "c")
    assert moved["measure"] == "right" and moved["questions"] == 5 and moved["worse"] == []
