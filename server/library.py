"""What programs ask of the archive without the chat: search it, and read an article. Blocking: call it in a thread.

/v1/search, the tools of language models, the web search and the web loader all go through these two.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import unquote, urldefrag

from archive.archive import Archive
from archive.articles import Article, Hit, Period, day_now
from archive.models import ModelStore
from archive.opening import open_archive
from archive.records import Record
from archive.settings import Settings
from prompts.templates import harmless
from server.access.access import Access
from server.enough import Verdict, verdict_on
from server.escaping import one_line
from server.events import Source
from server.instructions import without_instructions
from server.reranking import load_reranker
from server.retrieval import Retrieved, Retriever, as_searched, search_for
from server.sources import PageOf, merge, readable, readable_title, shown, stored
from server.timings import Timings
from server.understanding import Question, understand


@dataclass(frozen=True, slots=True)
class Library:
    """An archive and what finds in it; `clock` tells the day that "heute" means."""

    settings: Settings
    archive: Archive
    retriever: Retriever
    page_of: PageOf
    clock: Callable[[], date] = day_now


@dataclass(frozen=True, slots=True)
class Findings:
    """What was understood of a question and found for it; `period` is the one that was given, or that it means."""

    question: Question
    period: Period | None
    found: Retrieved
    timings: Timings

    @property
    def hits(self) -> list[Hit]:
        """The best passage of each article, best first."""
        return shown(self.found.hits, len(self.found.hits), passages=1)


def open_library(settings: Settings) -> Library:
    """Load the models of retrieval, none that writes, and open the archive. Raises ModelError and ArchiveError."""
    store = ModelStore(settings.models, offline=settings.offline)
    reranker = load_reranker(settings, store)
    archive = open_archive(settings, store)
    retriever = Retriever(archive, reranker, settings.candidates, settings.reranked)
    return Library(settings, archive, retriever, Access(settings).page_of)


def search(
    library: Library,
    query: str,
    *,
    period: Period | None = None,
    top_k: int | None = None,
    today: date | None = None,
    rerank: bool = True,
) -> Findings:
    """The articles that fit a question in plain words; `period` goes before the one that is read out of it."""
    timings = Timings()
    with timings.stage("understand"):
        question = understand((), query, today or library.clock(), library.settings.language)
    wanted = replace(search_for(question, period), rerank=rerank)
    found = library.retriever.retrieve(wanted, top_k or library.settings.top_k, timings)
    timings.mark("total")
    return Findings(as_searched(question, found), period or question.period, found, timings)


def likely(library: Library, findings: Findings) -> Verdict:
    """Whether what was found is likely to answer the question."""
    return verdict_on(findings.question, findings.found, library.settings.nearest)


def sources_of(library: Library, findings: Findings) -> list[Source]:
    """What was found as sources, with only what another model may read of them."""
    sources = (readable(source) for source in merge(findings.hits, library.page_of))
    return [replace(source, title=harmless(source.title), passage=harmless(source.passage)) for source in sources]


def title_of(article: Article) -> str:
    """An article's headline, with only what another model may read of it."""
    return harmless(readable_title(one_line(article.title)))


def words_of(text: str) -> str:
    """An article's text or teaser, with only what another model may read of it."""
    return harmless(without_instructions(text))


def find(library: Library, reference: str) -> Record:
    """The article of that id or web address, one it had before too, or of our own page for it.

    Raises NotFound, and Withdrawn where it was taken down.
    """
    reference = reference.strip()
    address = urldefrag(reference).url
    if held := library.archive.ledger.at_addresses((reference, address)):
        return stored(library.archive, held.get(reference) or held[address])
    page = f"{library.settings.base_url}/articles/"
    if address.startswith(page):
        return stored(library.archive, unquote(address.removeprefix(page).partition("?")[0]))
    return stored(library.archive, reference)
