"""A question on its way: as a client asks it, and as it is being answered."""

from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, replace
from datetime import date

from archive.articles import Period
from server.events import Event, Finished, Source, Status
from server.forms import Wanted
from server.generation import Generator, Message, Sampling, Usage
from server.retrieval import Retrieved
from server.statuses import read, understood
from server.timings import Timings
from server.turns import Turn
from server.understanding import Question
from server.wording import count_reports

NO_USAGE = Usage(0, 0)  # where the generator was not asked


@dataclass(frozen=True, slots=True)
class Ask:
    """A question with the talk before it, oldest first. `period` and `today` override what would be understood.

    `turn` is its right to an engine, where several share it.
    """

    question: str
    history: tuple[Message, ...] = ()
    period: Period | None = None
    top_k: int | None = None
    today: date | None = None
    sampling: Sampling | None = None
    turn: Turn | None = None

    async def places(self) -> AsyncGenerator[int]:
        """Where it waits for an engine, 1 being next; ends when it may be asked."""
        if self.turn is not None:
            async for place in self.turn.wait():
                yield place


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is being answered: what was understood, and what was found."""

    question: Question
    form: Wanted
    period: Period | None
    found: Retrieved
    timings: Timings
    generator: Generator

    def free_engine(self) -> None:
        """The generator is asked no more: the next who waits may have it, while this answer is finished."""
        if isinstance(self.generator, Turn):
            self.generator.end()

    def told(self, sources: tuple[Source, ...]) -> Iterator[Event]:
        """What goes before the first word: that the sources are read, and the sources."""
        self.timings.mark("first_token")
        reports = count_reports(len(sources), self.question.language)
        line = read(self.question, self.period, self.found, reports, self.timings.ms()["first_token"])
        yield Status(line, done=True)
        yield from sources

    def finished(self, end: Finished) -> Finished:
        """The end, with the times and what was understood."""
        self.timings.mark("total")
        known = understood(self.question, self.period, self.found, self.form.form)
        return replace(end, timings=self.timings.ms(), understood=known)
