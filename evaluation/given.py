"""An answer as it is scored, whoever gave it: this program's own chat, or another system over the same articles."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html import unescape

from prompts import render

# "[1]", "[1, 2]", and how some models set the brackets.
_CITED = re.compile(r"(?<!\\)[\[【]\s*(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*[\]】]")
_ESCAPED = re.compile(r"\\([^\w\s\[\]])")  # a bracket keeps its backslash, else it might name a source
_SENTENCE_END = re.compile(r"[.!?](?:\s|$)|\n")
# What a model says in its own words where the passages don't tell: it speaks of its sources, and denies.
_SOURCES = re.compile(
    r"\b(?:meldung|archiv|quelle|bericht|text|artikel|kontext|dokument|angaben|information|report|source|passage|context"
    r"|document)",
    re.I,
)
_DENIES = re.compile(r"\b(?:nichts?|kein\w*|weder|no|not|nothing|none|neither)\b|n't\b", re.I)
_DOES_NOT_KNOW = re.compile(
    r"^(?:(?:es tut mir leid|tut mir leid|entschuldigung|i'?m sorry|sorry)\b.{0,80}\b(?:nicht|kein\w*|not|no|n't)\b"
    r"|(?:das |dies )?(?:weiß|kenne) ich nicht|ich (?:weiß|kenne) (?:es|das|die antwort|das leider)? ?nicht"
    r"|ich kann (?:\w+ )*nicht beantworten|i (?:do not|don't) know|i (?:cannot|can't) answer)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """An article that an answer was written from. `text` is the whole article, not only what was shown of it."""

    article_id: str
    title: str
    text: str
    published: datetime | None = None


_QUOTED = re.compile(r"„(.+?)“|“(.+?)”", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Given:
    """An answer with what it was written from.

    `shown` are the articles whose passages stood in the prompt; `[n]` in the text names the n-th, from 1. A system that
    cites without such marks names in `cited` the articles that the answer as a whole cites; each of its sentences then
    counts as citing all of them. `retrieved` are articles, best first, that its retrieval handed on, None where these
    are `shown`. `abstained` tells whether it said that there is nothing, None where its wording must tell. Times are
    milliseconds since the question, None where they were not taken: `first_status` until anything was told, `ttft`
    until the first token, `first_text` until the first text that a reader could see. `borne_out` is the share of
    sentences that the system itself, where it checks them, found to be borne out.
    """

    text: str
    shown: tuple[Evidence, ...]
    cited: tuple[str, ...] | None = None
    retrieved: tuple[str, ...] | None = None
    abstained: bool | None = None
    first_status: float | None = None
    ttft: float | None = None
    first_text: float | None = None
    total: float | None = None
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    borne_out: float | None = None

    @property
    def said(self) -> str:
        """The text as a reader sees it: Markdown's and HTML's escapes undone."""
        return unescape(_ESCAPED.sub(r"\1", self.text))

    @property
    def abstains(self) -> bool:
        """Whether it says that there is nothing."""
        return abstained(self.text) if self.abstained is None else self.abstained

    @property
    def extracts(self) -> str:
        """What it quotes: an answer that can say nothing for certain may still show where it stands."""
        return "\n".join(quoted for pair in _QUOTED.findall(self.said) for quoted in pair)

    def measured(self) -> Mapping[str, float]:
        """Times and tokens that were taken."""
        taken = {
            "first_status": self.first_status, "ttft": self.ttft, "first_text": self.first_text, "total": self.total,
            "prompt_tokens": self.prompt_tokens, "answer_tokens": self.answer_tokens, "grounded": self.borne_out,
        }  # fmt: skip
        return {name: value for name, value in taken.items() if value is not None}


def cited_numbers(text: str) -> list[int]:
    """The numbers that a text cites, each once."""
    numbers = (int(number) for group in _CITED.findall(text) for number in re.split(r"\s*[,;]\s*", group))
    return list(dict.fromkeys(numbers))


def without_citations(text: str) -> str:
    """A text without its citation marks."""
    return _CITED.sub("", text)


def abstained(text: str) -> bool:
    """Whether an answer says at its beginning that nothing was found, or makes no claim at all."""
    first = _SENTENCE_END.split(text.strip(), maxsplit=1)[0].strip()
    if not first:
        return True
    ours = (render("nothing", language, period="\0").partition("\0")[0].strip(" .") for language in ("de", "en"))
    if any(opening and first.startswith(opening) for opening in ours) or _DOES_NOT_KNOW.search(first):
        return True
    return bool(_SOURCES.search(first) and _DENIES.search(first) and not _CITED.search(first))
