"""Models, search, articles, embeddings, reranking: what programs ask for beside the chat."""

import asyncio
import base64
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from archive.articles import Hit, Period
from archive.errors import BadRequest, NotFound
from archive.links import Links
from server.answering import ARCHIVE_MODEL
from server.engine import Engine
from server.escaping import web_address
from server.reranking import probabilities
from server.retrieval import search_for
from server.sources import PageOf, shown, stored
from server.timings import Timings
from server.understanding import understand
from server.wire.fields import ArchiveOptions

router = APIRouter(prefix="/v1")

_CREATED = 1_700_000_000  # models have no birthday worth telling; clients want a number


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


@router.get("/models")
def models(request: Request) -> dict[str, Any]:
    """The archive's model, and the bare generator, which Open WebUI's picker hides."""
    engine: Engine = request.app.state.engine
    capabilities = {"builtin_tools": False, "usage": True, "vision": False, "file_upload": False, "web_search": False}
    archive = {
        "name": "Heise-Archiv",
        "info": {
            "meta": {"description": "Antworten aus dem Nachrichtenarchiv, mit Quellen", "capabilities": capabilities}
        },
    }
    return {
        "object": "list",
        "data": [_model(ARCHIVE_MODEL, archive), _model(engine.generator.name, {"info": {"meta": {"hidden": True}}})],
    }


@router.get("/models/{name}")
def model(name: str, request: Request) -> dict[str, Any]:
    """One model. 404 for any other name."""
    for known in models(request)["data"]:
        if known["id"] == name:
            found: dict[str, Any] = known
            return found
    raise NotFound(f"model {name} does not exist", "model_not_found", "model")


def _model(name: str, more: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "archivar", **more}


class SearchRequest(ArchiveOptions):
    """POST /v1/search: a question in plain words; the period in it is understood unless `from` or `to` is given.

    `rerank` false leaves the reranker out, which takes nine tenths of the time.
    """

    query: Annotated[str, Field(min_length=1, max_length=10_000)]
    rerank: bool = True


@router.post("/search")
async def search(body: SearchRequest, request: Request) -> dict[str, Any]:
    """Passages for a question, with each stage's score and time, and what was understood of it."""
    engine: Engine = request.app.state.engine
    return await asyncio.to_thread(_search, body, engine)


def _search(body: SearchRequest, engine: Engine) -> dict[str, Any]:
    timings = Timings()
    with timings.stage("understand"):
        question = understand((), body.query, body.now or engine.chat.today())
    given = Period(body.start, body.end) if body.start or body.end else None
    period = given or question.period
    wanted = replace(search_for(question, given), rerank=body.rerank)
    found = engine.retriever.retrieve(wanted, body.top_k or engine.settings.top_k, timings)
    timings.mark("total")
    return {
        "object": "list",
        "query": question.search,
        "from": period.start.isoformat() if period and period.start else None,
        "to": period.end.isoformat() if period and period.end else None,
        "leaning": question.leaning,
        "parts": list(question.parts),
        "loosened": found.loosened,
        "data": [_hit(hit, engine.access.page_of) for hit in shown(found.hits, len(found.hits), passages=1)],
        "timings": timings.ms(),
    }


def _hit(hit: Hit, page_of: PageOf) -> dict[str, Any]:
    passage = hit.passage
    return {
        "article_id": passage.article_id, "passage_id": passage.id, "title": passage.title,
        "url": web_address(passage.url) or page_of(passage.article_id), "source": passage.source,
        "published": passage.published.isoformat() if passage.published else None, "passage": passage.text,
        "score": round(hit.score, 4), "scores": {stage: round(score, 4) for stage, score in hit.scores.items()},
        "twins": list(hit.twins), "newest": hit.newest,
    }  # fmt: skip


@router.get("/articles/{article_id:path}")
def article(article_id: str, request: Request) -> dict[str, Any]:
    """An article as it is stored, with its history here. 404 where there is none, 410 where it was withdrawn."""
    engine: Engine = request.app.state.engine
    record = stored(engine.archive, article_id)
    found = record.article
    return {
        "id": found.id, "title": found.title, "teaser": found.teaser, "text": found.text,
        "published": found.published.isoformat() if found.published else None,
        "url": web_address(found.url) or engine.access.page_of(found.id), "source": found.source,
        "authors": list(found.authors), "topics": list(found.topics), "comments": found.comments,
        "paid": found.paid, "modified": found.modified.isoformat() if found.modified else None,
        "version": record.version, "added": record.added.isoformat(),
        "updated": record.updated.isoformat() if record.updated else None,
        "twins": [twin.article_id for twin in Links(engine.archive.ledger).of(article_id)],
    }  # fmt: skip


class EmbeddingsRequest(_Lenient):
    """POST /v1/embeddings; `input_type` tells questions from passages, which this kind of model embeds differently."""

    model: str
    input: str | Annotated[list[str], Field(min_length=1, max_length=2048)]
    encoding_format: Literal["float", "base64"] = "float"
    input_type: Literal["query", "passage"] = "passage"


@router.post("/embeddings")
async def embeddings(body: EmbeddingsRequest, request: Request) -> dict[str, Any]:
    """Normalized vectors in the order of the input. 404 for another model than the archive's."""
    engine: Engine = request.app.state.engine
    embedder = engine.archive.embedder
    if body.model != embedder.name:
        raise NotFound(f"model {body.model} does not embed here; {embedder.name} does", "model_not_found", "model")
    texts = [body.input] if isinstance(body.input, str) else body.input
    if not all(text.strip() for text in texts):
        raise BadRequest("input holds an empty text; send words", "input")
    embed = embedder.embed_queries if body.input_type == "query" else embedder.embed_passages
    vectors = await asyncio.to_thread(embed, texts)
    encoded = [
        vector.tolist() if body.encoding_format == "float" else base64.b64encode(vector.tobytes()).decode()
        for vector in vectors
    ]
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(encoded)]
    tokens = sum(len(text) for text in texts) // 4 + 1  # an estimate, as clients want a figure
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": embedder.name, "data": data, "usage": usage}


class RerankRequest(_Lenient):
    """POST /v1/rerank, in the shape that Jina, Cohere and Open WebUI share."""

    model: str
    query: Annotated[str, Field(min_length=1, max_length=10_000)]
    documents: Annotated[list[str], Field(min_length=1, max_length=1000)]
    top_n: int | None = Field(None, ge=1)


@router.post("/rerank")
async def rerank(body: RerankRequest, request: Request) -> dict[str, Any]:
    """Documents by relevance to the query, best first. 404 where no reranker of that name is loaded."""
    engine: Engine = request.app.state.engine
    reranker = engine.reranker
    if reranker is None or body.model != reranker.name:
        there = f"{reranker.name} does" if reranker else "none is loaded, set ARCHIVAR_RERANKER"
        raise NotFound(f"model {body.model} does not rerank here; {there}", "model_not_found", "model")
    logits = await asyncio.to_thread(reranker.logits, body.query, body.documents)
    ranked = sorted(enumerate(map(float, probabilities(logits))), key=lambda item: -item[1])[: body.top_n]
    results = [{"index": index, "relevance_score": score} for index, score in ranked]
    return {"model": reranker.name, "results": results}
