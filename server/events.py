"""What Chat.stream() yields: the way of one answer as values, before any wire format."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from server.generation import ToolCall, Usage
from server.grounding.citations import Grounding


@dataclass(frozen=True, slots=True)
class Status:
    """A line that tells what is being done; `done` ends its shimmer."""

    text: str
    done: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """An article that an answer may cite as `[number]`, from 1.

    `passage` is what was found of it, `excerpt` what the model was shown of that. `twins` are the articles that report
    the same in nearly the same words; `newest` marks the newest among them.
    """

    number: int
    article_id: str
    title: str
    url: str
    published: datetime | None
    passage: str
    score: float
    excerpt: str = ""
    twins: tuple[str, ...] = ()
    newest: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """Checked text of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Calls:
    """Functions that the bare model wants called, each whole; nothing but Finished follows."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """The end: why, at what cost, from what, and what could be asked next; `abstained` where no answer was found."""

    finish_reason: str
    usage: Usage
    timings: Mapping[str, float]
    sources: tuple[Source, ...] = ()
    grounding: Grounding | None = None
    suggestions: tuple[str, ...] = ()
    understood: Mapping[str, object] | None = None
    abstained: bool = False


Event = Status | Source | Text | Calls | Finished
