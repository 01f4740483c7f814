"""What the server holds while it runs: models loaded once, the archive open, the chat ready."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from archive import collector
from archive.archive import Archive
from archive.articles import day_now
from archive.errors import ArchivarError, SettingsError
from archive.models import ModelStore
from archive.opening import open_archive
from archive.serving import with_own_embedder
from archive.settings import Settings
from prompts import check_templates, render
from server.access.access import Access, check_keys
from server.chat import Chat
from server.generation import Generator, Message, Sampling, load_generators
from server.grounding.names import names
from server.library import Library
from server.loading import LoadingModels
from server.reranking import Reranker
from server.retrieval import Retriever, Search
from server.tasks import ChatMemory
from server.timings import Timings
from server.turns import Turns

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Engine:
    """Everything that answers; built by load_engine() and closed by its `close`."""

    settings: Settings
    archive: Archive
    reranker: Reranker | None
    retriever: Retriever
    turns: Turns
    chat: Chat
    memory: ChatMemory
    access: Access
    clock: Callable[[], date]

    @property
    def generator(self) -> Generator:
        """What writes, without waiting for a turn."""
        return self.turns.generator

    @property
    def library(self) -> Library:
        """What programs ask without the chat."""
        return Library(self.settings, self.archive, self.retriever, self.access.page_of, self.clock)

    def close(self) -> None:
        """Free the models and close the archive."""
        for member in self.turns.members:
            if close := getattr(member.generator, "close", None):
                close()
        self.archive.close()
        self.access.close()


def check_settings(settings: Settings) -> None:
    """Raise SettingsError for settings that contradict each other."""
    check_keys(settings)
    if settings.generator.startswith("openai:") and "@" in settings.generator_url:
        raise SettingsError("ARCHIVAR_GENERATOR_URL holds a password; put the engine's key into ARCHIVAR_GENERATOR_KEY")
    if settings.answer_tokens * 2 > settings.context_tokens:
        raise SettingsError(
            f"ARCHIVAR_ANSWER_TOKENS={settings.answer_tokens} leaves too little of "
            f"ARCHIVAR_CONTEXT_TOKENS={settings.context_tokens} for passages; halve it"
        )
    check_templates()


def load_engine(
    settings: Settings,
    generator: Generator | None = None,
    clock: Callable[[], date] = day_now,
    models: LoadingModels | None = None,
) -> Engine:
    """Load models and archive; blocking.

    `generator` takes the place of the one that the settings name; `clock` tells the day that "heute" means; `models`
    are those that are being loaded already.
    """
    models = models or LoadingModels(with_own_embedder(settings))
    store = ModelStore(settings.models, offline=settings.offline)
    access = Access(settings)
    with ThreadPoolExecutor(1, "load") as pool:
        generating = pool.submit(lambda: [generator] if generator else load_generators(settings, store))
        archive = open_archive(settings, store, begun=models.embedder)
        try:
            reranker, generators = models.reranker.result(), generating.result()
        except BaseException:
            archive.close()
            raise
    collector.wake()
    retriever = Retriever(archive, reranker, settings.candidates, settings.reranked)
    chat = Chat(archive, retriever, generators[0], settings, clock, access.page_of)
    slots = settings.engine_slots or (1 if settings.generates_in_process else 4)
    turns = Turns(generators, slots, settings.queue)
    return Engine(settings, archive, reranker, retriever, turns, chat, ChatMemory(), access, clock)


async def warm_up(engine: Engine) -> None:
    """Read the fixed head of the prompt and search once, so that the first question finds all of it in memory."""
    generators = [member.generator for member in engine.turns.members]
    warming = [_warm_generator(generator, engine.settings) for generator in generators]
    await asyncio.gather(*warming, asyncio.to_thread(_warm_search, engine))
    collector.keep()


def _warm_search(engine: Engine) -> None:
    try:
        engine.retriever.retrieve(Search("Was ist neu?", rerank=False), 1, Timings())
        if engine.reranker is not None:  # one passage: thirty take half a second that the first question has to share
            engine.reranker.logits("Was ist neu?", ["Nichts."])
        names("Die Stadt Berlin meldet zwei Fälle.")  # loads the lexicon
    except ArchivarError as error:
        log.warning("the archive can't be searched yet: %s", error)


async def _warm_generator(generator: Generator, settings: Settings) -> None:
    template = "system" if settings.wording == "written" else "reader"
    messages = [Message("system", render(template, settings.language)), Message("user", "Frage:")]
    try:
        async with contextlib.aclosing(generator.stream(messages, Sampling(1))) as pieces:
            async for _ in pieces:
                pass
    except ArchivarError as error:
        log.warning("the generator isn't ready yet: %s", error)
    else:
        log.info("generator %s is warm", generator.name)
