"""Models, search, articles, embeddings, reranking: what programs ask for beside the chat."""

import asyncio
import base64
import uuid
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from archive.articles import Hit
from archive.embedding import Embedder
from archive.errors import BadRequest, NotFound
from archive.links import Links
from server.answering import ARCHIVE_MODEL
from server.bodies import JsonRoute
from server.described.library import ArticleShape, Embeddings, Model, Models, Reranked, SearchResults
from server.engine import Engine
from server.escaping import web_address
from server.library import search as search_library
from server.reranking import Reranker, probabilities
from server.sources import PageOf, stored
from server.timings import Timings
from server.wire.library import EmbeddingsRequest, RerankRequest, SearchRequest

router = APIRouter(prefix="/v1", route_class=JsonRoute)
cohere = APIRouter(prefix="/v2", route_class=JsonRoute)  # the second version of Cohere's API, for its clients

_CREATED = 1_700_000_000  # models have no birthday worth telling; clients want a number


@router.get("/models", response_model=None, responses={200: {"model": Models}})
def models(request: Request) -> JSONResponse:
    """The archive's model, and the bare generator, which Open WebUI's picker hides."""
    return JSONResponse({"object": "list", "data": _models(request.app.state.engine)})


@router.get("/models/{name:path}", response_model=None, responses={200: {"model": Model}})
def model(name: str, request: Request) -> JSONResponse:
    """One model. 404 for any other name."""
    for known in _models(request.app.state.engine):
        if known["id"] == name:
            return JSONResponse(known)
    raise NotFound(f"model {name} does not exist", "model_not_found", "model")


def _models(engine: Engine) -> list[dict[str, Any]]:
    capabilities = {"builtin_tools": False, "usage": True, "vision": False, "file_upload": False, "web_search": False}
    archive = {
        "name": "Heise-Archiv",
        "info": {
            "meta": {"description": "Antworten aus dem Nachrichtenarchiv, mit Quellen", "capabilities": capabilities}
        },
    }
    return [_model(ARCHIVE_MODEL, archive), _model(engine.generator.name, {"info": {"meta": {"hidden": True}}})]


def _model(name: str, more: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "archivar", **more}


@router.post("/search", response_model=None, responses={200: {"model": SearchResults}})
async def search(body: SearchRequest, request: Request) -> JSONResponse:
    """Passages for a question, with each stage's score and time, and what was understood of it."""
    engine: Engine = request.app.state.engine
    return JSONResponse(await asyncio.to_thread(_search, body, engine))


def _search(body: SearchRequest, engine: Engine) -> dict[str, Any]:
    findings = search_library(
        engine.library, body.query, period=body.period, top_k=body.top_k, today=body.now, rerank=body.rerank
    )
    question, period = findings.question, findings.period
    return {
        "object": "list",
        "query": question.search,
        "from": period.start.isoformat() if period and period.start else None,
        "to": period.end.isoformat() if period and period.end else None,
        "leaning": question.leaning,
        "parts": list(question.parts),
        "loosened": findings.found.loosened,
        "data": [_hit(hit, engine.access.page_of) for hit in findings.hits],
        "timings": findings.timings.ms(),
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


@router.get("/articles/{article_id:path}", response_model=None, responses={200: {"model": ArticleShape}})
def article(article_id: str, request: Request) -> JSONResponse:
    """An article as it is stored, with its history here. 404 where there is none, 410 where it was withdrawn."""
    engine: Engine = request.app.state.engine
    record = stored(engine.archive, article_id)
    found = record.article
    return JSONResponse({
        "id": found.id, "title": found.title, "teaser": found.teaser, "text": found.text,
        "published": found.published.isoformat() if found.published else None,
        "url": web_address(found.url) or engine.access.page_of(found.id), "source": found.source,
        "authors": list(found.authors), "topics": list(found.topics), "comments": found.comments,
        "paid": found.paid, "modified": found.modified.isoformat() if found.modified else None,
        "version": record.version, "added": record.added.isoformat(),
        "updated": record.updated.isoformat() if record.updated else None,
        "twins": [twin.article_id for twin in Links(engine.archive.ledger).of(article_id)],
    })  # fmt: skip


@router.post("/embeddings", response_model=None, responses={200: {"model": Embeddings}})
async def embeddings(body: EmbeddingsRequest, request: Request) -> Response:
    """Normalized vectors in the order of the input. 404 for another model than the archive's."""
    engine: Engine = request.app.state.engine
    embedder = engine.archive.embedder
    if body.model != embedder.name:
        raise NotFound(f"model {body.model} does not embed here; {embedder.name} does", "model_not_found", "model")
    if body.dimensions not in (None, embedder.dimensions):
        raise BadRequest(f"{embedder.name} has {embedder.dimensions} dimensions; leave it out", "dimensions")
    # The writing of two thousand vectors takes a while, too.
    return Response(await asyncio.to_thread(_embeddings, body, embedder), media_type="application/json")


def _embeddings(body: EmbeddingsRequest, embedder: Embedder) -> bytes:
    texts = body.texts()
    with Timings().stage("embed"):
        vectors = (embedder.embed_queries if body.input_type == "query" else embedder.embed_passages)(texts)
    is_packed = body.encoding_format == "base64"
    data = [
        {"object": "embedding", "index": index,
         "embedding": base64.b64encode(vector.astype("<f4").tobytes()).decode() if is_packed else vector}
        for index, vector in enumerate(vectors)
    ]  # fmt: skip
    tokens = _tokens(texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    answer = {"object": "list", "model": embedder.name, "data": data, "usage": usage}
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def _tokens(texts: list[str]) -> int:
    """Estimated, as clients want a figure."""
    return sum(map(len, texts)) // 4 + 1


@router.post("/rerank", response_model=None, responses={200: {"model": Reranked}})
@cohere.post("/rerank", response_model=None, responses={200: {"model": Reranked}}, operation_id="rerank_v2")
async def rerank(body: RerankRequest, request: Request) -> JSONResponse:
    """Documents by relevance to the query, best first. 404 where no reranker of that name is loaded."""
    engine: Engine = request.app.state.engine
    reranker = engine.reranker
    if reranker is None or body.model != reranker.name:
        there = f"{reranker.name} does" if reranker else "none is loaded, set ARCHIVAR_RERANKER"
        raise NotFound(f"model {body.model} does not rerank here; {there}", "model_not_found", "model")
    return JSONResponse(await asyncio.to_thread(_rerank, body, reranker))


def _rerank(body: RerankRequest, reranker: Reranker) -> dict[str, Any]:
    texts = body.texts()
    with Timings().stage("rerank"):
        scores = probabilities(reranker.logits(body.query, texts)).tolist()
    ranked = sorted(enumerate(scores), key=lambda item: -item[1])[: body.top_n]
    tokens = _tokens([body.query, *texts])
    return {
        "id": uuid.uuid4().hex,
        "model": reranker.name,
        "results": [
            {"index": index, "relevance_score": score,
             **({"document": {"text": texts[index]}} if body.return_documents else {})}
            for index, score in ranked
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},  # as Jina tells it
        "meta": {"billed_units": {"search_units": 1}},  # as Cohere does
    }  # fmt: skip
