"""Answers of several systems to the same questions: who gets which articles, what is asked, what is made of it."""

import json
from pathlib import Path

import httpx
import pytest
from completions import EMBEDDER, GENERATOR, completions
from embedders import WordEmbedder
from typer.testing import CliRunner

from archivar import app
from archive.archive import Archive
from archive.articles import Article
from archive.errors import ArchivarError, ArchiveError, SettingsError
from archive.settings import Settings
from evaluation import side_by_side
from evaluation.exams import Exam, build, take, take_squad
from evaluation.questions import Asked
from evaluation.rivals import langchain_qa, openwebui, own
from evaluation.rivals.langchain_qa import LangChainQA
from evaluation.rivals.openwebui import OpenWebUI, file_name, knowledge_environment
from evaluation.rivals.own import Archivar, Models, generator_of
from evaluation.rivals.replies import Reply, RivalFailed, document
from evaluation.scale_articles import SAMPLE
from evaluation.side_by_side import Kept, ask_all, ask_systems, rivals_of
from evaluation.side_by_side_table import OVERALL, earned, table
from ingest.pipeline import ingest

FIRE = Article("7", "Frachter brennt", "Ein Frachter mit 300 Tonnen Bananen brannte im Hamburger Hafen.")
CIRCUS = Article("8", "Zirkus zeigt Elefanten", "Der Zirkus Brumbach zeigt zwei Elefanten in Köln.")


def asked(qid, kind="fact", **fields):
    return Asked.model_validate({"qid": qid, "kind": kind, "question": "Was brannte im Hafen?", **fields})


@pytest.fixture
def server():
    with completions() as server:
        yield server


def models_of(server):
    return Models(server.url, "none", GENERATOR, EMBEDDER, 50)


@pytest.fixture
def archive(tmp_path):
    archive = Archive.open(Settings(home=tmp_path / "data"), WordEmbedder())
    ingest([str(SAMPLE)], archive)
    yield archive
    archive.close()


def gold_of(article, **fields):
    return asked(article.id, gold=[{"id": article.id, "title": article.title}], must_contain=["x"], **fields)


def test_an_exam_has_all_golds_and_a_rest_that_the_seed_decides(archive):
    every = list(archive.ledger.articles())
    questions = [gold_of(every[5]), gold_of(every[90]), asked("n", "none"), asked("lost", gold=[{"id": "gone"}])]

    one, again, other = (take(archive, questions, 10, seed) for seed in (1, 1, 2))

    assert [question.qid for question in one.questions] == [every[5].id, every[90].id, "n"] and one.missing == 1
    assert len(one.articles) == 10 and {every[5], every[90]} <= set(one.articles)
    assert one.articles == again.articles != other.articles
    assert [every.index(article) for article in one.articles] == sorted(map(every.index, one.articles))
    assert not one.whole and one.digest(Settings()) == again.digest(Settings()) != other.digest(Settings())
    everything = take(archive, questions, None, 1)
    assert everything.whole and list(everything.articles) == every
    assert len(take(archive, questions, 1, 1).articles) == 2  # golds are never left out


def test_without_the_golds_there_is_no_exam(archive):
    with pytest.raises(ArchiveError, match="ingest"):
        take(archive, [asked("lost", gold=[{"id": "gone"}])], 10, 0)


def test_the_archive_of_an_exam_holds_exactly_its_articles(archive, tmp_path):
    exam = take(archive, [gold_of(next(archive.ledger.articles()))], 12, 0)
    settings = Settings(home=tmp_path / "exam")
    build(exam, settings, WordEmbedder(), lambda done, total: None)
    built = Archive.open(settings, WordEmbedder())
    assert list(built.ledger.articles()) == list(exam.articles)
    assert built.ledger.passages_of(exam.articles[0].id) == archive.ledger.passages_of(exam.articles[0].id)
    assert built.ledger.counts().pending == 0
    built.close()


def test_what_answers_the_unanswerable_is_left_out(tmp_path):
    paragraphs = [
        {"context": f"Absatz {n} nennt Stadt{n}.",
         "qas": [{"id": f"{n}-{m}", "question": "Welche?", "answers": [{"text": f"Stadt{n}"}]} for m in range(2)]}
        for n in range(12)
    ]  # fmt: skip
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [{"title": "Alle_Orte", "paragraphs": paragraphs}]}))
    exam = take_squad(path, 14, 6, 3)
    texts = " ".join(article.text for article in exam.articles)
    kinds = [question.kind for question in exam.questions]
    assert kinds.count("none") == 6 and kinds.count("fact") + exam.missing == 14 and exam.missing > 0
    for question in exam.questions:
        if question.kind == "none":
            assert question.answer not in texts and exam.golds[question.qid] == ()
        else:
            (gold,) = exam.golds[question.qid]
            assert next(one.text for one in exam.articles if one.id in gold).endswith(f"{question.must_contain[0]}.")


def test_langchain_asks_with_the_four_nearest_passages(server, tmp_path):
    others = [Article(f"o{n}", f"Sport {n}", f"Spiel {n} endete unentschieden.") for n in range(6)]
    server.answers = ["Bananen verbrannten [1]. Sonst nichts."]
    rival = LangChainQA(models_of(server), tmp_path)
    progress = []
    rival.add([*others, FIRE, CIRCUS], lambda *done: progress.append(done))

    reply = rival.ask(asked("f", asked_on="2024-05-03", history=[{"role": "user", "content": "Moin"}]))

    assert reply.text == "Bananen verbrannten [1]. Sonst nichts." and not reply.failed
    assert len(reply.shown) == 4 and reply.shown[0] == "7"
    assert 0 < reply.first_text == reply.ttft <= reply.total
    assert progress == [(8, 8)]
    (body,) = server.asked
    system, earlier, question = body["messages"]
    assert system["content"].startswith("Heute ist der 3. Mai 2024.") and "[1] Frachter brennt" in system["content"]
    assert FIRE.text in system["content"] and "[5]" not in system["content"]
    assert (earlier["content"], question["content"]) == ("Moin", "Was brannte im Hafen?")
    assert body["temperature"] == 0 and body["model"] == GENERATOR and body["max_completion_tokens"] == 50
    assert {one["input_type"] for one in server.embedded[:-1]} == {"passage"}
    assert server.embedded[-1]["input_type"] == "query" and server.embedded[-1]["model"] == EMBEDDER


def test_langchain_cuts_long_articles_as_usual(server, tmp_path):
    rival = LangChainQA(models_of(server), tmp_path)
    long = Article("long", "Lang", " ".join(f"Satz Nummer {n} hat genau sechs Wörter." for n in range(60)))
    rival.add([long], lambda *done: None)
    texts = [text for body in server.embedded for text in body["input"]]
    assert len(texts) >= 3 and all(len(text) <= 1000 for text in texts)
    assert rival.ask(asked("f")).shown == ["long"] * len(texts[:4])


def test_an_error_is_part_of_the_reply_and_a_server_that_has_gone_ends_the_rival(tmp_path):
    with completions() as server:
        server.answers = [400, 400]
        rival = LangChainQA(models_of(server), tmp_path)
        rival.add([FIRE], lambda *done: None)
        assert "zu lang" in rival.ask(asked("f")).failed
        ours = Archivar(models_of(server))
        assert ours.ask(asked("f")).failed == "zu lang"
    with pytest.raises(RivalFailed, match="log"):
        rival.ask(asked("f"))
    with pytest.raises(RivalFailed, match="log"):
        ours.ask(asked("f"))
    ours.close()


def test_langchain_that_is_not_installed_tells_how_to_mend_it(server, tmp_path, monkeypatch):
    monkeypatch.setattr(langchain_qa.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RivalFailed, match="pip install"):
        LangChainQA(models_of(server), tmp_path)


class RecordedWebUI:
    """Answers in the shapes that Open WebUI 0.12.4 was recorded with; keeps `lost` files to itself."""

    def __init__(self, lost=0, chunks=()):
        self.lost, self.chunks = lost, chunks
        self.files, self.asked = [], []

    def __call__(self, request):
        path = request.url.path
        if path == "/api/v1/auths/signin":
            return httpx.Response(200, json={"token": "t0", "role": "admin"})
        assert request.headers["Authorization"] == "Bearer t0"
        if path == "/api/v1/knowledge/create":
            return httpx.Response(200, json={"id": "k1", "name": "Nachrichtenarchiv"})
        if path == "/api/v1/files/":
            assert request.url.params["process_in_background"] == "false"
            self.files.append(request.content.decode())
            return httpx.Response(200, json={"status": True, "id": f"f{len(self.files)}"})
        if path == "/api/v1/knowledge/k1/files":
            return httpx.Response(200, json={"items": [], "total": len(self.files) - self.lost})
        self.asked.append(json.loads(request.content))
        lines = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in self.chunks)
        return httpx.Response(200, text=f"{lines}data: [DONE]\n\n", headers={"Content-Type": "text/event-stream"})


def webui_of(recorded):
    server = httpx.Client(base_url="http://webui", transport=httpx.MockTransport(recorded))
    webui = OpenWebUI(server, GENERATOR)
    webui.sign_in()
    return webui


def source_of(*names):
    """As it was recorded: one entry for the knowledge base, one document and metadata for each passage."""
    return {
        "source": {"type": "collection", "id": "k1"}, "document": ["T"] * len(names), "distances": [0.9] * len(names),
        "metadata": [{"source": name, "name": name, "file_id": "f", "start_index": 0} for name in names],
    }  # fmt: skip


def text_of(text):
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}


def test_open_webui_gets_files_and_numbers_them_in_the_order_of_its_sources():
    fire, circus = file_name(1, FIRE), file_name(2, CIRCUS)
    recorded = RecordedWebUI(chunks=[
        {"sources": [source_of(circus, fire, circus)]}, text_of(""), text_of("Bananen "), text_of("[2]. "),
        {"choices": [], "usage": {"total_tokens": 9}},
    ])  # fmt: skip
    webui = webui_of(recorded)
    webui.add([FIRE, CIRCUS], lambda *done: None)

    reply = webui.ask(asked("f", asked_on="2024-05-03"))

    assert reply.text == "Bananen [2]." and reply.shown == ["8", "7"] and reply.first_text == reply.ttft <= reply.total
    assert document(FIRE) in recorded.files[0] and f'filename="{fire}"' in recorded.files[0]
    assert '{"knowledge_id": "k1"}' in recorded.files[1]
    (body,) = recorded.asked
    assert body["files"] == [{"type": "collection", "id": "k1"}] and body["stream"] and body["model"] == GENERATOR
    assert body["messages"][0] == {"role": "system", "content": "Heute ist der 3. Mai 2024."}
    assert body["messages"][1]["content"] == "Was brannte im Hafen?"


def test_open_webui_that_loses_files_or_fails_says_so():
    with pytest.raises(RivalFailed, match="1 of 2"):
        webui_of(RecordedWebUI(lost=1)).add([FIRE, CIRCUS], lambda *done: None)
    failing = webui_of(RecordedWebUI(chunks=[text_of("Ban"), {"error": {"message": "zu lang"}}]))
    assert failing.ask(asked("f")).failed == "zu lang"
    broken = OpenWebUI(
        httpx.Client(base_url="http://webui", transport=httpx.MockTransport(lambda request: httpx.Response(500))), "m"
    )
    with pytest.raises(RivalFailed, match="500"):
        broken.sign_in()


def test_files_of_one_title_have_names_of_their_own():
    odd = Article("9", 'Was/wie? "Ja" \\ nein: ' + "lang " * 30)
    assert file_name(1, odd) != file_name(2, odd)
    assert not set('/\\"?:') & set(file_name(1, odd)) and len(file_name(1, odd)) < 80


def test_open_webui_is_set_up_with_the_shared_models_and_its_own_data(tmp_path):
    models = Models("http://127.0.0.1:9/v1", "none", GENERATOR, EMBEDDER, 50)
    env = knowledge_environment(Settings(home=tmp_path / "a"), models, tmp_path / "fresh", "http://127.0.0.1:8")
    assert env["OPENAI_API_BASE_URLS"] == env["RAG_OPENAI_API_BASE_URL"] == models.url
    assert Path(env["DATA_DIR"]).is_relative_to(tmp_path / "fresh") and env["OFFLINE_MODE"] == "true"
    assert json.loads(env["DEFAULT_MODEL_METADATA"])["capabilities"]["file_context"] is True
    assert env["RAG_EMBEDDING_MODEL"] == Settings().embedder and env["RAG_EMBEDDING_PREFIX_FIELD_NAME"] == "input_type"
    assert "X-OWUI-Task" not in env["OPENAI_API_CONFIGS"]


def test_archivar_is_asked_as_any_client_asks_it():
    chunk = {
        "choices": [], "timings": {"first_token": 12.5, "total": 40.0},
        "sources": [{"number": 2, "article_id": "b"}, {"number": 1, "article_id": "a"}],
    }  # fmt: skip
    assert own.told(chunk) == {"shown": ["a", "b"], "ttft": 12.5}
    assert own.told({**chunk, "sources": []})["shown"] == [] and own.told({"choices": []}) == {}
    assert generator_of({"data": [{"id": "heise-archiv"}, {"id": GENERATOR}]}) == GENERATOR
    with pytest.raises(RivalFailed):
        generator_of({"data": [{"id": "heise-archiv"}]})


def test_archivar_gets_the_day_that_the_question_hangs_on(server):
    ours = Archivar(models_of(server))
    ours.ask(asked("f", asked_on="2024-05-03", history=[{"role": "user", "content": "Moin"}]))
    ours.close()
    (body,) = server.asked
    assert body["archive"] == {"now": "2024-05-03"} and body["messages"][0]["content"] == "Moin"


class Counting:
    def __init__(self, fails_at=None):
        self.asked, self.fails_at = [], fails_at

    def ask(self, question):
        if question.qid == self.fails_at:
            raise RivalFailed("gone")
        self.asked.append(question.qid)
        return Reply(qid=question.qid, text="Ja [1].", total=1)


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path):
    questions, path = [asked("a"), asked("b"), asked("c")], tmp_path / "runs" / "x.jsonl"
    first, second = Counting(fails_at="c"), Counting()
    with pytest.raises(RivalFailed):
        ask_all("x", first, questions, Kept(path, fresh=False), lambda *done: None)
    path.write_text(path.read_text() + '\n{"qid": "cut')
    ask_all("x", second, questions, Kept(path, fresh=False), lambda *done: None)
    assert first.asked == ["warm", "a", "b"] and second.asked == ["warm", "c"]
    third = Counting()
    ask_all("x", third, questions, Kept(path, fresh=False), lambda *done: None)
    assert third.asked == [] and not Kept(path, fresh=True).replies


def test_a_rival_that_fails_doesnt_stop_the_others(tmp_path, monkeypatch):
    @side_by_side.contextmanager
    def started(name, *rest):
        if name == "openwebui":
            raise RivalFailed("not installed")
        yield Counting()

    @side_by_side.contextmanager
    def served(settings, logs):
        yield None

    monkeypatch.setattr(side_by_side, "started", started)
    monkeypatch.setattr(side_by_side, "served", served)
    exam = Exam((asked("a"),), {"a": (frozenset({"7"}),)}, (FIRE,), whole=True)
    kept = {name: Kept(tmp_path / name, fresh=False) for name in ("archivar", "openwebui", "langchain")}
    failed = ask_systems(list(kept), Settings(), exam, kept, tmp_path, lambda *done: None)
    assert failed == {"openwebui": "not installed"}
    assert kept["archivar"].replies and kept["langchain"].replies and not kept["openwebui"].replies

    def broken(name, *rest):
        raise ArchivarError("no archive")

    monkeypatch.setattr(side_by_side, "started", broken)
    with pytest.raises(ArchivarError, match="no archive"):
        ask_systems(["archivar"], Settings(), exam, {"archivar": Kept(tmp_path / "2", fresh=False)}, tmp_path, print)


EXAM = Exam(
    (asked("f", must_contain=["Bananen"]), asked("g", must_contain=["Elefanten"]), asked("n", "none")),
    {"f": (frozenset({"7"}),), "g": (frozenset({"8"}),), "n": ()}, (FIRE, CIRCUS),
)  # fmt: skip


def test_the_table_tells_the_systems_apart():
    good = {
        "f": Reply(qid="f", text="Es brannten Bananen [2].", shown=["8", "7"], ttft=900, first_text=1500, total=3000),
        "g": Reply(qid="g", text="Gezeigt werden zwei Elefanten [1].", shown=["8"], ttft=1, first_text=1, total=1000),
        "n": Reply(qid="n", text="Die Textstellen enthalten dazu keine Informationen.", shown=["7"], total=500),
    }
    bad = {
        "f": Reply(qid="f", text="Es brannten 17 Autos in Madrid. Elefanten kamen [1].", shown=["8", "7"], total=9000),
        "g": Reply(qid="g", text="Elefanten", shown=["7"], ttft=1, first_text=1, total=1000),
        "n": Reply(qid="n", failed="zu lang", total=1),
    }
    one, other = earned(EXAM, good), earned(EXAM, bad)

    assert one.get("fact", "right_where_gold_shown") == 1 and one.get(OVERALL, "gold_retrieved") == 1
    assert one.get(OVERALL, "sentences_cited") == one.get(OVERALL, "citation_precision") == 1
    assert one.get("none", "abstained") == 1 and one.get(OVERALL, "errors") == 0
    assert one.get(OVERALL, "unmarked_figures") == one.get(OVERALL, "unmarked_names") == 0
    # "g" is right, but not from its gold article; an error is no honest answer, and its time is none of an answer
    assert other.get("fact", "right_where_gold_shown") == 0 and other.get(OVERALL, "gold_retrieved") == 0.5
    assert other.get("none", "abstained") == 0 and other.get(OVERALL, "errors") == 1
    assert other.get(OVERALL, "unmarked_figures") == 1 and other.get(OVERALL, "unmarked_names") >= 1
    assert other.get(OVERALL, "citation_precision") == 0 and other.get("none", "total_ms_p50") is None

    lines = table({"archivar": one, "langchain": other}, {"openwebui": "not installed"}).splitlines()
    rows = {line.split(" | ")[0].strip("| "): line.strip("| ").split(" | ")[1:] for line in lines}
    assert lines[0] == "|  | Archivar | LangChain | Open WebUI |"
    assert rows["fact: right where its gold article was retrieved"] == ["1.000", "0.000", "–"]
    assert rows["first text to read, p50 (s)"][0] == "0.8" and rows["errors instead of answers"] == ["0", "1", "–"]
    assert rows["unmarked figures that stand in no source"] == ["0", "1", "–"]
    assert rows["questions asked"] == ["3", "3", "–"]


def test_the_command_prints_a_table_and_one_json_line(tmp_path, monkeypatch):
    home = tmp_path / "data"
    archive = Archive.open(Settings(home=home), WordEmbedder())
    ingest([str(SAMPLE)], archive)
    gold = next(archive.ledger.articles())
    archive.close()
    question = {
        "qid": "1",
        "kind": "fact",
        "question": "Wo?",
        "must_contain": ["ja"],
        "gold": [{"id": gold.id, "title": gold.title}],
    }
    (tmp_path / "q.jsonl").write_text(json.dumps(question))

    def ask_systems(names, settings, exam, kept, logs, on_progress):
        assert names == ["archivar", "langchain"] and len(exam.articles) == 5
        kept["archivar"].add(Reply(qid="1", text="Ja [1].", shown=[gold.id], total=1))
        return {"langchain": "not installed"}

    monkeypatch.setattr(side_by_side, "ask_systems", ask_systems)
    monkeypatch.setattr("archive.embedding.load_embedder", lambda settings, store: WordEmbedder())
    command = ["bench", "answers", "--questions", str(tmp_path / "q.jsonl"), "--articles", "5", "--rivals", "langchain"]
    result = CliRunner().invoke(app, command)

    assert result.exit_code == 0, result.output
    assert "langchain: not installed" in result.stderr and "| Archivar | LangChain |" in result.stdout
    summary = json.loads(result.stdout.splitlines()[-1])
    assert summary["systems"]["archivar"]["fact"]["right"] == 1 and summary["articles"] == 5
    assert summary["failed"] == {"langchain": "not installed"} and Path(summary["replies"]).is_dir()


@pytest.mark.parametrize(
    "options", [[], ["--questions", "a", "--squad", "b"], ["--questions", "a", "--articles", "viele"]]
)
def test_options_that_cant_be_meant_are_named(options):
    result = CliRunner().invoke(app, ["bench", "answers", *options])
    assert result.exit_code == 1 and isinstance(result.exception, ArchivarError)


def test_unknown_rivals_are_named():
    assert rivals_of("openwebui, langchain,openwebui") == ["openwebui", "langchain"] and rivals_of("") == []
    with pytest.raises(SettingsError, match="haystack"):
        rivals_of("langchain,haystack")


def test_open_webui_that_is_not_installed_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(openwebui, "OPEN_WEBUI", tmp_path / "nowhere")
    models = Models("http://127.0.0.1:9/v1", "none", GENERATOR, EMBEDDER, 50)
    with pytest.raises(RivalFailed, match="make setup"), openwebui.running(Settings(), models, tmp_path, tmp_path):
        pass
