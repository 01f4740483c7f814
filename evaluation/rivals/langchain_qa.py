"""Plain retrieval QA as LangChain's own pages show it: split, embed into Chroma, the four nearest, one prompt.

Source: docs.langchain.com, "Build a RAG agent with LangChain" and "Retrieval": chunks of 1,000 characters with 200 of
overlap, similarity search with k=4, a system prompt with what was found.
"""

import importlib.util
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from archive.articles import Article, german_date
from evaluation.questions import Asked
from evaluation.rivals.own import Models
from evaluation.rivals.replies import Reply, RivalFailed, Stopwatch, document, turns

MEND = "pip install -c constraints.txt langchain-chroma langchain-openai"

PROMPT = """Du beantwortest Fragen zu einem Nachrichtenarchiv, und zwar ausschließlich aus den folgenden Textstellen. \
Antworte auf Deutsch in ein bis drei Sätzen. Setze hinter jeden Satz die Nummer der Textstelle, aus der er stammt, in \
eckigen Klammern, zum Beispiel [1]. Erfinde nichts. Steht die Antwort nicht in den Textstellen, antworte nur: \
Die Textstellen enthalten dazu keine Informationen.

Textstellen:

"""

_BATCH = 64  # texts to a request for embeddings
_ADDED = 200  # passages added at a time, between two reports of progress


class LangChainQA:
    """One store, one retriever, one chat model."""

    def __init__(self, models: Models, folder: Path) -> None:
        if not all(importlib.util.find_spec(package) for package in ("langchain_chroma", "langchain_openai")):
            raise RivalFailed(f"langchain-chroma or langchain-openai is not installed; run `{MEND}`")
        from chromadb.config import Settings
        from langchain_chroma import Chroma
        from langchain_openai import ChatOpenAI
        from pydantic import SecretStr

        self._store: Any = Chroma(
            "articles", _embeddings(models), persist_directory=str(folder),
            client_settings=Settings(anonymized_telemetry=False, is_persistent=True, persist_directory=str(folder)),
        )  # fmt: skip
        self._retriever = self._store.as_retriever(search_kwargs={"k": 4})
        self._model = ChatOpenAI(
            model=models.generator, base_url=models.url, api_key=SecretStr(models.key), temperature=0,
            max_retries=0, max_completion_tokens=models.answer_tokens,
        )  # fmt: skip

    def add(self, articles: Iterable[Article], on_progress: Callable[[int, int], None]) -> None:
        """Split and embed all articles. Raises RivalFailed."""
        import openai
        from langchain_core.documents import Document
        from langchain_text_splitters import RecursiveCharacterTextSplitter

        splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200, add_start_index=True)
        documents = [Document(document(article), metadata=_metadata(article)) for article in articles]
        passages = splitter.split_documents(documents)
        for start in range(0, len(passages), _ADDED):
            try:
                self._store.add_documents(passages[start : start + _ADDED])
            except openai.OpenAIError as error:
                raise RivalFailed(f"LangChain: the server doesn't embed ({error}); see its log") from error
            on_progress(min(start + _ADDED, len(passages)), len(passages))

    def ask(self, question: Asked) -> Reply:
        """Its reply; each of the four passages is one number, whatever article it is of."""
        import openai

        watch, text = Stopwatch(), ""
        try:
            found = self._retriever.invoke(question.question)
            for chunk in self._model.stream(_messages(question, found)):
                if chunk.text:
                    watch.text()
                    text += chunk.text
        except openai.APIConnectionError as error:
            raise RivalFailed(f"LangChain: the server has gone ({error}); see its log") from error
        except openai.OpenAIError as error:
            return Reply(qid=question.qid, total=watch.now(), failed=str(error))
        shown = [passage.metadata["article_id"] for passage in found]
        first = watch.first
        return Reply(qid=question.qid, text=text.strip(), shown=shown, ttft=first, first_text=first, total=watch.now())


def _metadata(article: Article) -> dict[str, str]:
    day = german_date(article.published) if article.published else ""
    return {"article_id": article.id, "title": article.title, "date": day}


def _messages(question: Asked, found: Iterable[Any]) -> list[tuple[str, str]]:
    passages = "\n\n".join(
        f"[{number}] {passage.metadata['title']} ({passage.metadata['date'] or 'ohne Datum'})\n{passage.page_content}"
        for number, passage in enumerate(found, 1)
    )
    talk = [(turn["role"], turn["content"]) for turn in turns(question)]
    today = talk.pop(0)[1] + "\n\n" if talk[0][0] == "system" else ""
    return [("system", today + PROMPT + passages), *talk]


def _embeddings(models: Models) -> Any:  # noqa: ANN401 - LangChain is imported where it is used
    """The server's embedder, told which texts are questions: this kind of model embeds them differently."""
    from langchain_core.embeddings import Embeddings
    from langchain_openai import OpenAIEmbeddings
    from pydantic import SecretStr

    def side(input_type: str) -> OpenAIEmbeddings:
        return OpenAIEmbeddings(
            model=models.embedder, base_url=models.url, api_key=SecretStr(models.key), chunk_size=_BATCH,
            check_embedding_ctx_length=False, model_kwargs={"extra_body": {"input_type": input_type}},
        )  # fmt: skip

    queries, passages = side("query"), side("passage")

    class BothSides(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return passages.embed_documents(texts)

        def embed_query(self, text: str) -> list[float]:
            return queries.embed_query(text)

    return BothSides()
