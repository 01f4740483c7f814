"""The talk before a question, as much of it as a prompt has room for: the oldest goes first."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from prompts.templates import harmless
from server.generation import Message
from server.sentences import sentences
from server.wording import say

_CITED = re.compile(r"\s*[\[【]\d{1,3}(?:\s*[,;]\s*\d{1,3})*[\]】]")
_CUT = " …"


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A question and what was answered to it; either may be missing."""

    question: Message | None
    answer: Message | None


def remembered(talk: Sequence[Message], count_tokens: Callable[[str], int], budget: int) -> list[Message]:
    """The turns of `talk` (oldest first) that stay within `budget` tokens, without citation marks.

    Going back from the newest, a question stays whole with its answer; the answer that no longer fits is cut at a
    sentence and ends it. The newest question always stays. Instructions of the system are no part of the talk.
    """
    kept: list[Message] = []
    left, newest = budget, True
    for exchange in _backwards(talk):
        question, answer = exchange.question, exchange.answer
        cost = count_tokens(question.content) if question else 0
        if not newest and cost >= left:
            break
        shortened = _shortened(answer, count_tokens, left - cost, must=newest and question is not None)
        if shortened is None and not newest:
            break
        kept = [*([question] if question else []), *([shortened] if shortened else []), *kept]
        if answer and (shortened is None or shortened.content != answer.content):
            break
        left -= cost + (count_tokens(shortened.content) if shortened else 0)
        newest = newest and question is None
    return kept


def leaned_on(talk: Sequence[Message], longest: int = 200) -> str:
    """The last question of the talk, which a follow-up leans on; at most `longest` characters."""
    asked = next((_plain(turn).content for turn in reversed(talk) if turn.role == "user"), "")
    return asked[:longest]


def _backwards(talk: Sequence[Message]) -> Iterator[_Exchange]:
    """Exchanges, the newest first. A question without an answer is one only at the end of the talk."""
    answer: Message | None = None
    last = True
    for turn in reversed([_plain(turn) for turn in talk if turn.role != "system"]):
        if turn.role == "assistant":
            answer = answer or turn
            continue
        if answer or last:
            yield _Exchange(turn, answer)
        answer, last = None, False


def _plain(turn: Message) -> Message:
    """The turn without what the program has put into it, and without chat markup."""
    text = harmless(turn.content)
    if turn.role == "assistant":
        text = _CITED.sub("", text)
        for mark in (say("unsupported", "de"), say("unsupported", "en")):
            text = text.replace(f" {mark}", "")
    return Message(turn.role, text.strip())


def _shortened(answer: Message | None, count_tokens: Callable[[str], int], room: int, must: bool) -> Message | None:
    """The answer, or as many of its sentences as have room, or (`must`) the beginning of the first one."""
    if answer is None or count_tokens(answer.content) <= room:
        return answer
    kept = ""
    for sentence in sentences(answer.content):
        if count_tokens(f"{kept} {sentence}") > room:
            break
        kept = f"{kept} {sentence}".strip()
    if not kept and must:  # models want the turns to take turns
        words = sentences(answer.content)[0].split()
        while len(words) > 1 and count_tokens(" ".join(words) + _CUT) > room:
            words.pop()
        kept = " ".join(words) + _CUT
    return Message("assistant", kept) if kept else None
