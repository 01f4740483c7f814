"""The prompt: the rules, the talk that a follow-up leans on, what matters of the sources, the question.

What never changes stands first, so that an engine finds it in its KV cache; what is asked of the sources stands last,
so that several requests about the same sources share all before it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from prompts import render
from server.choosing import LETTERS, lettered
from server.events import Source
from server.excerpts import Line
from server.generation import Message
from server.sources import passage_block
from server.understanding import Language

_CHAT_TEMPLATE = 64  # tokens that an engine's chat template adds, about


@dataclass(frozen=True, slots=True)
class Prompt:
    """What an answer is made from: sources numbered from 1, and their lines, each source's headed by its headline."""

    question: str
    language: Language
    sources: tuple[Source, ...]
    lines: tuple[Line, ...]
    talk: tuple[Message, ...] = ()
    hint: str = ""

    def reading(self, template: str, question: str = "") -> list[Message]:
        """The turns that ask about the lettered lines; `question` stands in the place of the prompt's own."""
        passages = lettered(self.lines, self.sources, self.language)
        asked = render(template, self.language, passages=passages, question=question or self.question, hint=self.hint)
        return [Message("system", render("reader", self.language)), Message("user", asked)]

    def writing(self, template: str) -> list[Message]:
        """The turns that ask for sentences about the numbered sources."""
        passages = "\n\n".join(passage_block(source, self.language) for source in self.sources)
        asked = render(template, self.language, passages=passages, question=self.question, hint=self.hint)
        return [Message("system", render("system", self.language)), *self.talk, Message("user", asked)]

    def within(self, tokens: int, count_tokens: Callable[[str], int]) -> "Prompt":
        """The prompt with as many sources, best first, as fit into `tokens`, and have letters; at least one."""
        prompt = self
        while len(prompt.sources) > 1:
            used = sum(count_tokens(message.content) for message in prompt.writing("question"))
            if used + _CHAT_TEMPLATE <= tokens and len(prompt.lines) <= len(LETTERS):
                break
            kept = len(prompt.sources) - 1
            lines = tuple(line for line in prompt.lines if line.source < kept)
            prompt = replace(prompt, sources=prompt.sources[:kept], lines=lines)
        return replace(prompt, lines=prompt.lines[: len(LETTERS)])
