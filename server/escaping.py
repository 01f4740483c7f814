"""What articles and the model wrote, made safe for clients that render Markdown and HTML.

Text of an article is data: in a client it looks as it looks in print, and nothing of it becomes a link, an image, a
heading or an element. Source of the rules: CommonMark 0.31, backslash escapes and raw HTML; GFM, extended autolinks.
"""

import re
import unicodedata
from urllib.parse import urlsplit

# Marks that mean something anywhere in a line; "_" does only at the edge of a word.
_ANYWHERE = re.compile(
    r"[\\`*\[\]<>|~$^]|(?<!\w)_|_(?!\w)|&(?=#?\w{1,31};)|(?<=\{)\{|(?<=:)/(?=/)|\b(?<=www)\.|@(?=\w)", re.IGNORECASE
)
_AT_START = re.compile(r"^(\s*)([#+=-]|(?:\d{1,9})(?=[.)]))", re.MULTILINE)
_ELEMENT = re.compile(r"<(?=[a-z/!?])", re.IGNORECASE)
_LINK = re.compile(r"(?<=\])(?=\(|:\s)|(?<=\]) ?(?=\[[^\]\d])")
_AUTOLINK = re.compile(r"(?<=:)/(?=/)|\b(?<=www)\.|(?<=mailto):", re.IGNORECASE)


def one_line(text: str) -> str:
    """`text` as a headline: no control or invisible characters, single spaces."""
    seen = (" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in text)
    return " ".join(
        "".join(letter for letter in seen if unicodedata.category(letter) not in ("Cf", "Co", "Cs")).split()
    )


def markdown(text: str) -> str:
    """Plain `text` as Markdown that shows it to the letter: no marks, elements, links or formulas."""
    escaped = _ANYWHERE.sub(r"\\\g<0>", text)
    return _AT_START.sub(lambda match: match[1] + _escaped_start(match[2]), escaped)


def inline_markdown(text: str) -> str:
    """Plain `text` on one line, as a part of a line of Markdown that shows it to the letter."""
    return _ANYWHERE.sub(r"\\\g<0>", " ".join(text.split()))


def _escaped_start(mark: str) -> str:
    # A list's number can't be escaped, its full stop can.
    return f"{mark}\\" if mark[0].isdigit() else f"\\{mark}"


def tame(answer: str) -> str:
    """What the model wrote, emphasis and lists left, but without links, images and elements that a client would load.

    It takes whole sentences; an answer that was tamed stays the same when it is tamed again.
    """
    text = _ELEMENT.sub(_unless_escaped, answer)
    text = _LINK.sub(r"\\", text)
    return _AUTOLINK.sub(_unless_escaped, text)


def _unless_escaped(match: re.Match[str]) -> str:
    before = match.string[: match.start()]
    backslashes = len(before) - len(before.rstrip("\\"))
    return match[0] if backslashes % 2 else f"\\{match[0]}"


def web_address(url: str | None) -> str | None:
    """`url` where it is an address on the web, None for any other scheme and for none."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    sound = parts.scheme in ("http", "https") and parts.hostname and not re.search(r"[\s<>\"'`\\]", url)
    return url if sound else None
