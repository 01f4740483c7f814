"""`archivar evaluate questions`: golds, scores, resuming, and the command over the real archive and chat."""

import asyncio
import json
from datetime import date
from pathlib import Path

import pytest
from embedders import WordEmbedder
from typer.testing import CliRunner

from archivar import app
from archive import embedding
from archive.archive import Archive
from archive.articles import Hit, Passage, Period
from archive.errors import ArchivarError, GenerationError, SourceError
from archive.settings import Settings
from evaluation.answers import Results, answer_all, conditions_of
from evaluation.given import Evidence, Given, abstained
from evaluation.judging import judge
from evaluation.questions import Asked, Retrieval, by_stage, find_golds, is_missing, read_questions
from evaluation.scores import is_right, period_overlap, score_answer, score_retrieval
from ingest.pipeline import ingest
from server import engine
from server.chat import Chat
from server.retrieval import Retriever

NEWS = (
    {"id": "7", "title": "Frachter brennt im Hamburger Hafen", "date": "2023-05-01T23:30:00+02:00",
     "text": "Ein Frachter mit 300 Tonnen Bananen brannte im Hamburger Hafen."},
    {"id": "z:V1", "title": "Zirkus zeigt Elefanten", "date": "2024-02-03", "url": "https://z.de/1",
     "text": "Der Zirkus Brumbach zeigt in diesem Winter zwei Elefanten."},
)  # fmt: skip
QUESTIONS = (
    {"qid": "f1", "kind": "fact", "question": "Was brannte im Hamburger Hafen?", "must_contain": ["Bananen"],
     "gold": [{"source": "z", "id": 7, "title": "Frachter brennt im Hamburger Hafen", "date": "2023-05-01"}]},
    {"qid": "f2", "kind": "fact", "question": "Was zeigt der Zirkus Brumbach?", "must_contain": ["Elefant"],
     "gold": [{"source": "fundus", "id": "Z:V9", "title": "Zirkus zeigt Elefanten", "date": "2024-02-03"}]},
    {"qid": "n1", "kind": "none", "question": "Wer gewann das Halbfinale?", "gold": []},
    {"qid": "lost", "kind": "fact", "question": "Was fehlt?", "gold": [{"id": 99, "title": "Fehlt"}]},
)  # fmt: skip


@pytest.fixture
def archive(tmp_path):
    news = tmp_path / "news.jsonl"
    news.write_text("".join(f"{json.dumps(record)}\n" for record in NEWS), encoding="utf-8")
    archive = Archive.open(Settings(home=tmp_path / "data"), WordEmbedder())
    assert ingest([str(news)], archive).stored == 2
    yield archive
    archive.close()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(f"{json.dumps(record)}\n" for record in QUESTIONS), encoding="utf-8")
    return path


def asked(kind="fact", **fields) -> Asked:
    return Asked.model_validate({"qid": "q", "kind": kind, "question": "Wer?", **fields})


def answer(text, *articles) -> Given:
    shown = tuple(Evidence(article, "Freund", "Ja, so war es, Toter.") for article in articles)
    return Given(text, shown, ttft=1, total=2, prompt_tokens=3, answer_tokens=4)


def golds(*articles):
    return tuple(frozenset({article}) for article in articles)


def test_golds_are_found_by_id_or_by_title_and_day(archive, file):
    questions = read_questions(file)
    found = find_golds(archive, questions)
    assert found["f1"] == golds("7")
    (by_title,) = found["f2"]
    assert {archive.ledger.article(article_id).title for article_id in by_title} == {"Zirkus zeigt Elefanten"}
    assert [question.qid for question in questions if is_missing(question, found[question.qid])] == ["lost"]


def test_a_number_that_another_publisher_gave_is_no_gold(archive):
    other = asked(gold=[{"id": 7, "title": "Etwas anderes", "date": "2020-01-01"}])
    assert find_golds(archive, [other])["q"] == (frozenset(),)


def test_multi_needs_every_gold():
    multi = asked("multi")
    assert is_missing(multi, (frozenset({"a"}), frozenset()))
    found = Retrieval(("a", "x", "b"), None, 1.0)
    scores = score_retrieval(multi, golds("a", "b"), found, date(2024, 1, 1))
    assert (scores["R@1"], scores["R@5"], scores["MRR@10"]) == (0.0, 1.0, 1.0)
    assert score_retrieval(asked(), golds("a", "b"), found, date(2024, 1, 1))["R@1"] == 1.0


@pytest.mark.parametrize(
    ("understood", "overlap"),
    [
        (Period(date(2023, 5, 1), date(2023, 5, 31)), 1.0),
        (Period(date(2023, 5, 1), date(2023, 5, 10)), 10 / 31),
        (Period(date(2023, 5, 22), date(2023, 6, 10)), 10 / 41),
        (Period(date(2024, 5, 1), date(2024, 5, 31)), 0.0),
        (Period(date(2023, 5, 1), None), 31 / 41),
        (None, 0.0),
    ],
)
def test_periods_overlap_by_days(understood, overlap):
    meant = Period(date(2023, 5, 1), date(2023, 5, 31))
    assert period_overlap(meant, understood, date(2023, 6, 10)) == pytest.approx(overlap)


def test_open_periods_overlap_too():
    since = Period(date(2024, 1, 1), None)
    assert period_overlap(since, since, date(2025, 1, 1)) == 1.0
    before = Period(None, date(2021, 9, 25))
    assert period_overlap(before, before, date(2025, 1, 1)) == 1.0


def test_a_period_where_none_is_meant_is_false():
    found = Retrieval((), Period(date(2024, 1, 1), None), 1.0)
    assert score_retrieval(asked("none"), (), found, date(2025, 1, 1)) == {"ms": 1.0, "false_period": 1.0}


def test_right_by_any_string_or_by_every_group():
    assert is_right(asked(must_contain=["8,5 Mio", "8,5 MILLIONEN"]), "Rund 8,5\u00a0Millionen Geräte.")
    assert not is_right(asked(must_contain=["neun"]), "Rund acht.")
    multi = asked("multi", must_contain=["Obama"], must_all=[["Obama"], ["WFP", "Welternährung"]])
    assert is_right(multi, "Obama, dann das Welternährungsprogramm.")
    assert not is_right(multi, "Obama.")
    assert is_right(asked(), "Ja.") is None


@pytest.mark.parametrize(
    ("text", "so"),
    [
        ("Dazu finde ich im Archiv nichts.", True),
        ("Dazu finde ich im Archiv nichts (Mai 2023). Am nächsten kommen: [1]", True),
        ("I find nothing about this in the archive.", True),
        ("Die Meldungen enthalten keine Angaben zum Eintrittspreis.", True),
        ("", True),
        ("Bei dem Unglück gab es keine Toten [1].", False),
        ("Laut Bericht wurde niemand verletzt [1].", False),
        ("Andres Freund [1].", False),
    ],
)
def test_abstention(text, so):
    assert abstained(text) is so


def test_citations_are_counted_by_article():
    scores = score_answer(asked(must_contain=["Freund"]), golds("a"), answer("Freund [1][2]. Ja [1] [9].", "a", "b"))
    assert scores["cited"] == scores["gold_cited"] == scores["sentences_cited"] == 1
    assert (scores["citation_precision"], scores["citation_recall"]) == (0.5, 1)  # [1][2], [1] and [9], which is none
    assert scores["right"] == scores["right_where_gold_shown"] == 1 and scores["false_abstention"] == 0
    bare = score_answer(asked(must_contain=["Freund"]), golds("c"), answer("Freund.", "a"))
    assert bare["cited"] == 0 and "citation_precision" not in bare and "right_where_gold_shown" not in bare
    half = score_answer(asked("multi"), golds("a", "b"), answer("So [1].", "a"))
    assert half["gold_cited"] == 0.5
    assert score_answer(asked("none"), (), answer("Beyer siegte [1].", "a"))["abstained"] == 0


def test_what_each_stage_made_of_the_hits_is_kept():
    def hit(article, score, **scores):
        passage = Passage(f"{article}#0", article, 0, "Text", "Titel")
        return Hit(passage, score, scores)

    hits = [
        hit("b", 0.9, words=3.0, fused=0.5, reranked=0.9),
        hit("a", 0.8, dense=0.7, fused=0.8, reranked=0.8, blended=1.0),
        hit("b", 0.7, dense=0.9, fused=0.1, reranked=0.7),
    ]
    stages = by_stage(hits)
    assert list(stages) == ["dense", "words", "fused", "reranked", "blended", "final"]
    assert stages["dense"] == [("b", 0.9), ("a", 0.7)] and stages["fused"] == [("a", 0.8), ("b", 0.5)]
    assert stages["words"] == [("b", 3.0)] and stages["final"] == [("b", 0.9), ("a", 0.8)]
    (result,) = judge([asked()], {"q": golds("a")}, {"q": Retrieval(("b", "a"), None, 1.0, stages)}, {},
                      date(2024, 1, 1))  # fmt: skip
    assert {stage: listed.ranks for stage, listed in result.stages.items()} == {
        "dense": [2], "words": [None], "fused": [1], "reranked": [2], "blended": [1], "final": [2],
    }  # fmt: skip
    assert result.rank() == 2 and result.failures == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "line 1: it: "),
        ('{"qid": "a", "kind": "fact"}', "line 1: question: Field required"),
        ('{"qid": "a", "kind": "poem", "question": "?"}', "line 1: kind: "),
        ('{"qid": "a", "kind": "fact", "question": "?", "gold": [{"id": 1, "date": "gestern"}]}', "gold.date"),
        ('{"qid": "a", "kind": "fact", "question": "?"}\n' * 2, "names two questions"),
        ("", "holds no questions"),
    ],
)
def test_a_bad_file_is_one_clear_line(tmp_path, content, message):
    path = tmp_path / "bad.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match=message) as caught:
        read_questions(path)
    assert "\n" not in str(caught.value)


def test_unknown_kinds_and_missing_files(tmp_path, file):
    with pytest.raises(ArchivarError, match="--kinds rhyme: no such kind"):
        read_questions(file, "rhyme")
    with pytest.raises(SourceError, match="No such file"):
        read_questions(tmp_path / "none.jsonl")
    assert [question.qid for question in read_questions(file, "none, fact", 2)] == ["f1", "f2"]


def test_an_interrupted_run_goes_on(archive, file, scripted, tmp_path):
    settings = Settings(home=tmp_path / "data", wording="written", unsupported="mark")
    chat = Chat(archive, Retriever(archive, None, 30), scripted, settings)
    questions = read_questions(file, limit=2)
    path, conditions = tmp_path / "data" / "evaluation" / "mine.jsonl", conditions_of(settings, archive)
    scripted.enqueue("Bananen [1].", GenerationError("the engine fell over"))
    with pytest.raises(GenerationError):
        asyncio.run(answer_all(lambda _: chat, questions, Results(path, conditions, fresh=False)))
    path.write_text(path.read_text() + '{"qid": "f2", "text": "abgeschn')
    scripted.enqueue("Elefanten [1].")
    answers = asyncio.run(answer_all(lambda _: chat, questions, Results(path, conditions, fresh=False)))
    assert len(scripted.asked) == 3
    assert [given.text.split(" ")[0] for given in answers.values()] == ["Bananen", "Elefanten"]
    assert len(path.read_text().splitlines()) == 2
    assert Results(path, conditions, fresh=False).get(questions[0])
    assert Results(path, "other settings", fresh=False).get(questions[0]) is None
    assert len(path.with_suffix(".before.jsonl").read_text().splitlines()) == 2


def test_a_changed_question_is_asked_again(archive, file, scripted, tmp_path):
    chat = Chat(archive, Retriever(archive, None, 30), scripted, Settings(home=tmp_path / "data"))
    (question,) = read_questions(file, limit=1)
    results = Results(tmp_path / "r.jsonl", "same", fresh=False)
    asyncio.run(answer_all(lambda _: chat, [question], results))
    assert results.get(question)
    assert results.get(question.model_copy(update={"question": "Was brannte nicht?"})) is None


@pytest.fixture
def faked(archive, monkeypatch, scripted):
    monkeypatch.setattr(embedding, "load_embedder", lambda settings, store: WordEmbedder())
    monkeypatch.setattr(engine, "load_generators", lambda settings, store: [scripted])
    monkeypatch.setenv("ARCHIVAR_WORDING", "written")
    return scripted


def run(*arguments):
    result = CliRunner().invoke(app, ["evaluate", "questions", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])


def test_the_command_reports_retrieval_by_kind(faked, file):
    shown = run("--questions", file)
    assert (shown["questions"], shown["missing"]) == (4, 1)
    assert shown["kinds"]["fact"]["R@1"] == 1.0 and shown["kinds"]["fact"]["n"] == 2
    assert "right" not in shown["overall"] and faked.asked == []
    assert shown["ci"]["fact"]["R@1"] == [1.0, 1.0]


def test_a_false_period_is_reported(faked, tmp_path):
    path = tmp_path / "dated.jsonl"
    dated = {"question": "Was brannte im Mai 2023 im Hamburger Hafen?", "gold": QUESTIONS[0]["gold"]}
    meant = {**dated, "qid": "t", "kind": "time", "from": "2023-05-01", "to": "2023-05-31"}
    unmeant = {**dated, "qid": "f", "kind": "fact"}
    path.write_text(f"{json.dumps(meant)}\n{json.dumps(unmeant)}\n", encoding="utf-8")
    shown = run("--questions", path, "--name", "periods", "--out", tmp_path / "kept")
    assert shown["kinds"]["time"]["period_understood"] == 1.0 and "false_period" not in shown["kinds"]["time"]
    assert shown["kinds"]["fact"]["false_period"] == 1.0
    report = (tmp_path / "kept" / "report.md").read_text(encoding="utf-8")
    assert "## False periods (1)" in report and "Questions: periods" in report


def test_the_command_reports_answers_and_keeps_them(faked, file, tmp_path):
    faked.enqueue("warm", "Ein Frachter mit Bananen brannte im Hamburger Hafen [1].",
                  "Der Zirkus Brumbach zeigt sich in diesem Winter [1].")  # fmt: skip
    shown = run("--questions", file, "--answers")
    fact = shown["kinds"]["fact"]
    assert fact["right"] == 0.5 and fact["cited"] > 0 and fact["ttft_ms_p50"] <= fact["total_ms_p95"]
    assert "abstained" in shown["kinds"]["none"]
    report = (Path(shown["run"]) / "report.md").read_text()
    assert (
        "### f2, fact: gold at rank 1; answer is not right" in report
        and "zeigt sich in diesem" in report
        and "lost" in report
    )
    asked_before = len(faked.asked)
    assert run("--questions", file, "--answers")["kinds"]["fact"]["right"] == 0.5
    assert len(faked.asked) == asked_before
