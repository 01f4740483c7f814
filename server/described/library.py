"""Models, search, articles, embeddings, reranking, and whether the server is up."""

from typing import Any, Literal

from pydantic import Field

from server.described.shape import Shape


class Model(Shape):
    """A model in OpenAI's shape; `name` and `info` are for Open WebUI."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    name: str | None = None
    info: dict[str, Any] | None = None


class Models(Shape):
    """All models."""

    object: Literal["list"]
    data: list[Model]


class SearchHit(Shape):
    """The best passage of an article; `scores` by stage."""

    article_id: str
    passage_id: str
    title: str
    url: str
    source: str
    published: str | None
    passage: str
    score: float
    scores: dict[str, float]
    twins: list[str]
    newest: bool


class SearchResults(Shape):
    """What was found, best first, and what was understood; `timings` are milliseconds."""

    object: Literal["list"]
    query: str
    from_: str | None = Field(alias="from")
    to: str | None
    leaning: Literal["newer", "older"] | None
    parts: list[str]
    loosened: bool
    data: list[SearchHit]
    timings: dict[str, float]


class ArticleShape(Shape):
    """An article as it is stored, with its history here."""

    id: str
    title: str
    teaser: str
    text: str
    published: str | None
    url: str
    source: str
    authors: list[str]
    topics: list[str]
    comments: int | None
    paid: bool
    modified: str | None
    version: int
    added: str
    updated: str | None
    twins: list[str]


class Embedding(Shape):
    """A normalized vector; in base64 the bytes of its float32 values, little-endian."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class TokenUsage(Shape):
    """Tokens, estimated."""

    prompt_tokens: int
    total_tokens: int


class Embeddings(Shape):
    """Vectors in the order of the input."""

    object: Literal["list"]
    model: str
    data: list[Embedding]
    usage: TokenUsage


class RankedDocument(Shape):
    """The text of a document."""

    text: str


class Ranked(Shape):
    """A document by its place in the request; the score is a probability."""

    index: int
    relevance_score: float
    document: RankedDocument | None = None


class Reranked(Shape):
    """Documents, best first."""

    id: str
    model: str
    results: list[Ranked]
    usage: TokenUsage
    meta: dict[str, dict[str, int]]


class Live(Shape):
    """The process answers."""

    status: Literal["live"]


class Ready(Shape):
    """Whether a question can be answered; all but `status` is for those who may administer."""

    status: Literal["ready", "not ready"]
    missing: list[str] | None = None
    worrying: list[str] | None = None
    engines: dict[str, str] | None = None
    generator: str | None = None
    embedder: str | None = None
    articles: int | None = None
    passages: int | None = None
    pending: int | None = None
