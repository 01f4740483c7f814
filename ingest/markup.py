"""Markup out of strings that should be plain: tags, entities, characters that can't be seen."""

import html
import re
import unicodedata

# Only names that HTML knows, so that "<3" and "C++ <chrono>" in a headline stay.
_NAMES = (
    "a|abbr|article|aside|audio|b|big|blockquote|body|br|button|caption|center|cite|code|dd|del|div|dl|dt|em|figcaption|"
    "figure|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|label|li|link|main|mark|meta|nav|object|"
    "ol|p|picture|pre|q|s|section|small|source|span|strike|strong|sub|sup|svg|table|tbody|td|tfoot|th|thead|time|title|"
    "tr|tt|u|ul|video|wbr"
)
_TAG = re.compile(rf"</?(?:{_NAMES})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_BLOCK = re.compile(
    r"<br\s*/?>|</?(?:p|div|li|ul|ol|h[1-6]|blockquote|section|article|figure|table|tr)(?:\s[^<>]*)?/?>", re.IGNORECASE
)
_UNSEEN = re.compile(r"<(?:(?P<name>script|style|figcaption)\b[^<>]*>|!--)", re.IGNORECASE)
_CLOSERS = {name: re.compile(rf"</{name}\s{{0,20}}>", re.IGNORECASE) for name in ("script", "style", "figcaption")}
_CLOSERS[""] = re.compile("-->")
# Bounded, and never opened by spaces: whatever is between two such links, each character of it is looked at once.
_MORE_LINK = re.compile(
    r"(?:\[\s{0,20})?<a\b[^<>]*>\s{0,20}(?:weiterlesen|weiterlesen auf [^<>]{1,60}|mehr|weiter|read more)"
    r"[^\w<>]{0,20}</a>(?:\s{0,20}\])?",
    re.IGNORECASE,
)
# Entities need their semicolon here: "&copy" without one is more often a query string than a sign.
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_STRETCH = re.compile(r".{1,500}\s|.{1,500}", re.DOTALL)
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029\x85\v\f]")


class _Seen(dict[int, int | None]):
    """For str.translate: characters that can be seen, line ends and tabs as they are, others away; looked up once."""

    def __missing__(self, code: int) -> int | None:
        seen = chr(code) in "\n\t" or unicodedata.category(chr(code)) not in ("Cc", "Cf", "Cs", "Co")
        self[code] = code if seen else None
        return self[code]


_SEEN = _Seen()


def plain(markup: str) -> str:
    """The text of an HTML fragment: blocks become paragraphs, "weiterlesen" links go."""
    text = _MORE_LINK.sub("", _without_unseen(markup))
    text = _BLOCK.sub("\n\n", text)
    return unescape(_TAG.sub("", text)).strip()


def _without_unseen(markup: str) -> str:
    """Comments and elements that no reader sees cut out, in linear time; what is never closed stays."""
    kept, at, unclosed = [], 0, set[str]()
    for opener in _UNSEEN.finditer(markup):
        name = (opener["name"] or "").lower()
        if opener.start() < at or name in unclosed:
            continue
        if closer := _CLOSERS[name].search(markup, opener.end()):
            kept.append(markup[at : opener.start()])
            at = closer.end()
        else:
            unclosed.add(name)
    return "".join(kept) + markup[at:]


def unescape(text: str) -> str:
    """Entities to characters, one level deep."""
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)


def has_markup(text: str) -> bool:
    """True where HTML blocks show that a whole text is markup and not prose about it."""
    return _BLOCK.search(text) is not None


def visible(text: str) -> str:
    """NFC, without soft hyphens, zero-width, control and half characters; line ends are newlines, spaces single."""
    text = _LINE_ENDS.sub("\n", text)
    kept = text if text.isprintable() else text.translate(_SEEN)
    lines = (_SPACES.sub(" ", line).strip() for line in _composed(kept).split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def _composed(text: str) -> str:
    """NFC, stretch by stretch: over one long run of combining marks it would take time by the square."""
    return text if text.isascii() else _STRETCH.sub(lambda stretch: unicodedata.normalize("NFC", stretch[0]), text)


def one_line(text: str) -> str:
    """`visible`, with newlines as spaces too."""
    return " ".join(visible(text).split())
