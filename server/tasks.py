"""Open WebUI's background tasks, answered from what the server knows, without the generator.

Tasks are told from questions by the header `X-OWUI-Task` alone: their prompts look like questions and real questions
look like their prompts.
"""

import json
import re
from collections import OrderedDict

from server.titles import title_of

TASK_HEADER = "X-OWUI-Task"
CHAT_HEADER = "X-OWUI-Chat-Id"

_FIRST_QUESTION = re.compile(r"^\s*(?:USER|User|user):\s*(.+)$", re.MULTILINE)
_REMEMBERED_CHATS = 1000


class ChatMemory:
    """What was suggested last in each chat, for the follow-up task that comes after the answer."""

    def __init__(self) -> None:
        self._suggestions: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def remember(self, chat_id: str, suggestions: tuple[str, ...]) -> None:
        """Keep the suggestions of a chat's last answer; the oldest chats are forgotten."""
        self._suggestions[chat_id] = suggestions
        self._suggestions.move_to_end(chat_id)
        while len(self._suggestions) > _REMEMBERED_CHATS:
            self._suggestions.popitem(last=False)

    def suggestions(self, chat_id: str) -> tuple[str, ...]:
        """The suggestions of a chat's last answer, or none."""
        return self._suggestions.get(chat_id, ())


def answer_task(task: str, prompt: str, chat_id: str, memory: ChatMemory) -> str:
    """The content that Open WebUI expects for a task, as JSON text; empty for tasks that make no sense here."""
    match task:
        case "title_generation":
            return _json(title=title_of(_question(prompt)))
        case "tags_generation":
            return _json(tags=["Archiv"])
        case "follow_up_generation":
            return _json(follow_ups=list(memory.suggestions(chat_id)))
        case "query_generation":
            return _json(queries=[_question(prompt)])
        case _:
            return ""


def _question(prompt: str) -> str:
    asked = _FIRST_QUESTION.search(prompt)
    return asked.group(1) if asked else ""


def _json(**content: object) -> str:
    return json.dumps(content, ensure_ascii=False)
