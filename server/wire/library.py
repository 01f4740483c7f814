"""Requests of what programs use beside the chat: search, embeddings, reranking.

Sources: OpenAI API reference, embeddings; Jina AI's API, rerank; Cohere's API reference, rerank v1 and v2.
"""

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from archive.errors import BadRequest
from server.wire.fields import ArchiveOptions, Count, Fields, LongText, ModelName

Query = Annotated[str, Field(min_length=1, max_length=10_000)]
_MOST_CHARACTERS = 4_000_000  # of all texts of one request together


class SearchRequest(ArchiveOptions):
    """POST /v1/search: a question in plain words; the period in it is understood unless `from` or `to` is given.

    `rerank` false leaves the reranker out, which takes nine tenths of the time.
    """

    query: Query
    rerank: bool = True


EmbeddedText = Annotated[str, Field(min_length=1, max_length=200_000)]
_TOKENS = (
    "tokens of another model's vocabulary mean nothing here; send text "
    "(LangChain: OpenAIEmbeddings(check_embedding_ctx_length=False))"
)


class EmbeddingsRequest(Fields):
    """POST /v1/embeddings; `input_type` tells questions from passages, which this kind of model embeds differently."""

    model: ModelName
    input: EmbeddedText | Annotated[list[EmbeddedText], Field(fail_fast=True, min_length=1, max_length=2048)]
    encoding_format: Literal["float", "base64"] | None = None
    input_type: Literal["query", "passage"] | None = None
    dimensions: Count | None = Field(None, description="the model's own, if any: vectors can't be shortened")

    @field_validator("input", mode="before")
    @classmethod
    def _is_text(cls, given: object) -> object:
        if isinstance(given, list) and given and isinstance(given[0], int | list):
            raise PydanticCustomError("tokens_type", _TOKENS)
        return given

    def texts(self) -> list[str]:
        """The texts to embed. Raises BadRequest."""
        texts = [self.input] if isinstance(self.input, str) else self.input
        for number, text in enumerate(texts):
            if not text.strip():
                param = "input" if isinstance(self.input, str) else f"input[{number}]"
                raise BadRequest(f"{param} is an empty text; send words", param)
        _within_bounds(texts, "input")
        return texts


class Document(Fields):
    """A document as an object; whatever else it holds is ignored."""

    text: LongText


class RerankRequest(Fields):
    """POST /v1/rerank and /v2/rerank, in the shape that Jina, Cohere and Open WebUI share."""

    model: ModelName
    query: Query
    documents: Annotated[list[LongText | Document], Field(fail_fast=True, min_length=1, max_length=1000)]
    top_n: Count | None = None
    return_documents: bool | None = None

    def texts(self) -> list[str]:
        """The documents' texts. Raises BadRequest."""
        texts = [document if isinstance(document, str) else document.text for document in self.documents]
        _within_bounds(texts, "documents")
        return texts


def _within_bounds(texts: list[str], param: str) -> None:
    if sum(map(len, texts)) > _MOST_CHARACTERS:
        raise BadRequest(f"{param} holds more than {_MOST_CHARACTERS:,} characters; send it in parts", param)
