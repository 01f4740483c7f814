"""Fill the templates. Placeholders are `{name}`; a literal brace is doubled, as in `str.format`."""

import re
import string
import unicodedata
from functools import cache
from pathlib import Path

from archive.errors import SettingsError

_FOLDER = Path(__file__).parent

# What each template is given; the server refuses to start where a template asks for anything else.
PLACEHOLDERS: dict[str, frozenset[str]] = {
    "system": frozenset(),
    "question": frozenset({"passages", "question", "hint"}),
    "passage": frozenset({"number", "title", "date", "text"}),
    "reader": frozenset(),
    "choose": frozenset({"passages", "question", "hint"}),
    "affirm": frozenset({"passages", "question", "hint"}),
    "nothing": frozenset({"period"}),
    "nearest": frozenset({"reports"}),
    "comparison": frozenset({"passages", "question", "hint"}),
    "dated_line": frozenset({"date", "text", "citations"}),
    "overview": frozenset({"date", "text", "citations", "lines"}),
    "quotation": frozenset({"quote", "speaker", "date", "citations"}),
    "no_quotation": frozenset(),
    "as_of": frozenset({"date"}),
    "evidence": frozenset({"title", "date", "text", "citation"}),
    "headline": frozenset({"title", "date", "citation"}),
    "unsure": frozenset(),
    "synthesis": frozenset({"title", "text"}),
    "tool_search": frozenset(),
    "tool_article": frozenset(),
    "tool_empty": frozenset(),
    "tool_unlikely": frozenset(),
    "tool_loosened": frozenset(),
}
LANGUAGES = ("de", "en")

# Marks that chat templates give a meaning; inside an article or a question they are mere text.
_CHAT_MARKUP = re.compile(
    r"<\s*[|｜][^|｜<>]{0,40}[|｜]\s*>|</?s>|<(?:bos|eos|pad|unk)>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>"
    r"|</?(?:tool_call|tool_response|tools|think)>"
    r"|^[ \t]*#{1,6}[ \t]*(?:System|User|Assistant|Human|Instruction|Response)\b:?",
    re.IGNORECASE | re.MULTILINE,
)
_UNSEEN = ("Cc", "Cf", "Cs", "Co")  # Unicode categories of characters that print nothing


def harmless(text: str) -> str:
    """`text` without chat markup and without characters that can't be seen, so that an article can't open a turn."""
    text = "".join(letter for letter in text if letter in "\n\t" or unicodedata.category(letter) not in _UNSEEN)
    while (stripped := _CHAT_MARKUP.sub(" ", text)) != text:  # what was taken out may have held a mark together
        text = stripped
    return text


@cache
def read_template(name: str, language: str) -> str:
    """The template as it stands. Raises SettingsError where it can't be read."""
    path = _FOLDER / f"{name}.{language}.md"
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}; restore the template") from error


def render(name: str, language: str, **values: object) -> str:
    """The template `name` in `language` with its placeholders filled; values are stripped of chat markup."""
    return read_template(name, language).format(**{key: harmless(str(value)) for key, value in values.items()})


def check_templates() -> None:
    """Raise SettingsError for a template that is missing, malformed or asks for a placeholder it isn't given."""
    for name, given in PLACEHOLDERS.items():
        for language in LANGUAGES:
            where = f"prompts/{name}.{language}.md"
            try:
                asked = {
                    field
                    for _, field, _, _ in string.Formatter().parse(read_template(name, language))
                    if field is not None
                }
            except ValueError as error:
                raise SettingsError(f"{where}: {error}; write a literal brace twice") from error
            if not asked <= given:
                unknown = ", ".join(sorted(asked - given)) or "{}"
                raise SettingsError(f"{where}: unknown placeholder {unknown}; known: {', '.join(sorted(given))}")
