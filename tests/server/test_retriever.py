"""Retrieval over real indexes, with an embedder of hashed words and a reranker that counts them."""

from datetime import datetime

import numpy as np
import pytest
from embedders import WordEmbedder

from archive.archive import Archive
from archive.articles import TIME_ZONE, Article, Passage, Period
from archive.settings import Settings
from server.retrieval import Retriever, Search, as_searched, search_for
from server.statuses import understood
from server.timings import Timings
from server.understanding import understand

ARTICLES = (
    ("alt", "2022-03-01", "Vulkan auf Island ausgebrochen. Die Lava fließt ins Tal."),
    ("neu", "2024-02-08", "Vulkan auf Island wieder ausgebrochen. Die Lava fließt zur Straße."),
    ("bahn", "2023-05-10", "Bahn streicht Züge nach Sylt. Der Damm wird erneuert."),
    ("wal", "2023-06-02", "Wal vor Sylt gesichtet. Fischer sahen ihn am Damm."),
)


class CountingReranker:
    """The more words of the query a passage has, the higher its logit; it remembers what it read."""

    name, blend = "counting", None

    def __init__(self):
        self.read = []

    def logits(self, query, passages):
        self.read.append((query, list(passages)))
        words = set(query.lower().split())
        return np.array([len(words & set(text.lower().split())) - 3 for text in passages], np.float32)


@pytest.fixture
def archive(tmp_path):
    archive = Archive.open(Settings(home=tmp_path), WordEmbedder())
    with archive.writing():
        for name, day, text in ARTICLES:
            moment = datetime.fromisoformat(day).replace(hour=12, tzinfo=TIME_ZONE)
            title = text.split(".")[0]
            parts = text.split(". ")
            passages = [
                Passage(f"{name}#{place}", name, place, part, title, moment) for place, part in enumerate(parts)
            ]
            archive.ledger.store([(Article(name, title, text, published=moment), passages)])
        archive.index_pending()
    yield archive
    archive.close()


def found(archive, query, reranker=None, top_k=10, **options):
    timings = Timings()
    retrieved = Retriever(archive, reranker, 30).retrieve(Search(query, **options), top_k, timings)
    return retrieved, list(dict.fromkeys(hit.passage.article_id for hit in retrieved.hits)), timings.ms()


def test_passages_of_one_article_stand_together_and_take_one_place(archive):
    retrieved, articles, ms = found(archive, "Vulkan Island Lava", top_k=2)

    assert set(articles) == {"alt", "neu"}
    assert [hit.passage.article_id for hit in retrieved.hits] == [name for name in articles for _ in range(2)]
    assert {"embed", "search", "fuse", "order"} <= ms.keys() and "rerank" not in ms


def test_the_parts_of_a_question_are_searched_too(archive):
    parts = ("Vulkan Island", "Wal Sylt gesichtet")
    _, articles, _ = found(archive, "Was war mit dem Vulkan und dem Wal?", parts=parts, top_k=3)

    assert "wal" in articles and {"alt", "neu"} & set(articles)


def test_what_different_articles_tell_is_searched_apart(archive):
    reranker = CountingReranker()
    question = understand((), "Was geschah mit Sylt und Island?", datetime(2024, 3, 1).date())
    retrieved = Retriever(archive, reranker, 30).retrieve(search_for(question), 4, Timings())
    first, second = retrieved.apart
    assert (first, second) == ("Was geschah mit Sylt", "Was geschah mit Island?")
    assert len(reranker.read) == 1  # the parts of a question are not reranked
    known = understood(as_searched(question, retrieved), None, retrieved, "fact")
    assert known["parts"] == [first, second]


def test_what_one_article_tells_is_one_question(archive):
    question = understand((), "Was geschah mit dem Damm und Sylt?", datetime(2024, 3, 1).date())
    assert question.conjuncts
    assert Retriever(archive, None, 30).retrieve(search_for(question), 4, Timings()).apart == ()


def test_a_minus_word_holds_for_vectors_too(archive):
    assert "wal" in found(archive, "Sylt Damm")[1]
    assert "wal" not in found(archive, "Sylt Damm -Fischer -Wal")[1]


def test_a_phrase_must_be_held(archive):
    assert found(archive, 'Damm "streicht Züge"')[1] == ["bahn"]


def test_a_phrase_that_nothing_holds_is_searched_as_words(archive):
    assert "bahn" in found(archive, 'Damm "Züge streicht" -Wal')[1]
    assert "wal" not in found(archive, 'Damm "Züge streicht" -Wal')[1]


def test_a_period_filters_and_loosens_step_by_step(archive):
    may = Period(datetime(2023, 5, 1).date(), datetime(2023, 5, 31).date())
    inside, articles, _ = found(archive, "Sylt Damm", period=may)
    assert articles == ["bahn"] and inside.period == may and not inside.loosened

    april = Period(datetime(2023, 4, 10).date(), datetime(2023, 4, 30).date())
    near, articles, _ = found(archive, "Sylt Damm", period=april)
    assert articles == ["bahn"] and near.loosened and near.period and near.period.end > april.end

    long_ago = Period(datetime(1999, 1, 1).date(), datetime(1999, 1, 31).date())
    anything, articles, _ = found(archive, "Sylt Damm", period=long_ago)
    assert {"bahn", "wal"} <= set(articles) and anything.loosened and anything.period is None


def test_leaning_to_newer_lifts_the_newer_of_equals(archive):
    assert found(archive, "Vulkan auf Island ausgebrochen", leaning="newer", top_k=1)[1] == ["neu"]
    assert found(archive, "Vulkan auf Island ausgebrochen", leaning="older", top_k=1)[1] == ["alt"]


def test_the_reranker_reads_the_best_and_its_score_orders(archive):
    reranker = CountingReranker()
    retrieved, articles, ms = found(archive, "fischer sahen ihn am damm", reranker=reranker)

    assert articles[0] == "wal" and "rerank" in ms
    assert all(0 <= hit.score <= 1 and hit.score == hit.scores["reranked"] for hit in retrieved.hits)
    assert [hit.score for hit in retrieved.hits if hit.passage.article_id == "wal"] == sorted(
        (hit.score for hit in retrieved.hits if hit.passage.article_id == "wal"), reverse=True
    )
    assert len(reranker.read) == 1


def test_an_empty_archive_finds_nothing(tmp_path):
    archive = Archive.open(Settings(home=tmp_path), WordEmbedder())
    assert found(archive, "Vulkan", reranker=CountingReranker())[0].hits == ()
    archive.close()


def test_a_query_of_operators_alone_is_no_error(archive):
    for query in ("-Vulkan", '""', "-", "?!", '"'):
        assert found(archive, query)[0] is not None


def test_a_question_becomes_a_search():
    question = understand((), "Was ist das neueste zum Vulkan im Mai 2023?", datetime(2024, 1, 1).date())
    search = search_for(question)

    assert "Vulkan" in search.query and search.period == question.published and search.leaning == "newer"
    assert search_for(question, Period(None, None)).period == Period(None, None)


def test_a_search_may_leave_the_reranker_out(archive):
    reranker = CountingReranker()
    with_it, _, ms = found(archive, "Vulkan Island Lava", reranker)
    without, _, others = found(archive, "Vulkan Island Lava", reranker, rerank=False)

    assert len(reranker.read) == 1 and "rerank" in ms and "rerank" not in others
    assert {hit.passage.id for hit in with_it.hits} == {hit.passage.id for hit in without.hits}
    assert all("reranked" in hit.scores for hit in with_it.hits)
    assert not any("reranked" in hit.scores for hit in without.hits)
