"""split(): an article -> passages short enough to embed."""

import re
from functools import cache
from typing import TYPE_CHECKING

from archive.articles import Article, Passage

if TYPE_CHECKING:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

TARGET = 900  # characters, about 230 tokens of the default embedder, which reads 512
LONGEST = 1400
SHORTEST = 200  # below this a piece says too little to be found on its own

_ABBREVIATIONS = (
    "Abb", "Abs", "Art", "Aufl", "Az", "Bd", "Bsp", "Chr", "Co", "Dipl", "Dr", "Fa", "Fr", "Hg", "Hr", "Hrsg", "Ing",
    "Jg", "Jh", "Kap", "Mio", "Mrd", "Mr", "Mrs", "Nr", "Prof", "Rd", "St", "Str", "Tel", "Tsd", "Ziff", "allg", "bspw",
    "bzgl", "bzw", "ca", "dgl", "ebd", "einschl", "etc", "evtl", "exkl", "geb", "gegr", "gest", "ggf", "inkl", "insb",
    "jew", "lt", "max", "mind", "min", "rd", "sog", "u", "usw", "vgl", "zzgl",
    "Jan", "Feb", "Apr", "Jun", "Jul", "Aug", "Sept", "Sep", "Okt", "Nov", "Dez",
)  # fmt: skip
# A sentence ends at a mark, perhaps with a closing quotation mark behind it, before a capital, a digit or an opening
# quotation mark; not after an abbreviation, a single letter ("z. B.", "J. R.") or one or two digits ("3. Mai").
_NO_ABBREVIATION = "".join(rf"(?<!\b{abbreviation}\.)" for abbreviation in _ABBREVIATIONS)
_SENTENCE = (
    r"(?:(?<=[.!?…])|(?<=[.!?…][\"“”»«’)]))"
    rf"{_NO_ABBREVIATION}(?<!\b[^\W\d_]\.)(?<!\b\d\.)(?<!\b\d\d\.)"
    r"\s+(?=[\"„“»«‚(]?[A-ZÄÖÜ0-9])"
)
_CLOSING_HEADING = re.compile(r"(?<=\n\n)[^\n]{3,120}(?<![.!?…:;,\"“”»«’')])\n\n\Z")
_SEPARATORS = (r"\n\n", r"\n", _SENTENCE, r"(?<=[;:,])\s+", r"\s+", "")


def split(article: Article) -> tuple[Passage, ...]:
    """The article's passages in reading order: about TARGET characters, never over LONGEST, no word lost.

    They break between paragraphs, else sentences, else words. The teaser opens the first one unless the text begins
    with it; an article that is only a headline has one passage, its title.
    """
    pieces = _evened(_with_headings(_splitter().split_text(_body(article))))
    return tuple(
        Passage(
            id=f"{article.id}#{position}", article_id=article.id, position=position, text=piece.strip(),
            title=article.title, published=article.published, url=article.url, source=article.source,
        )
        for position, piece in enumerate(pieces)
    )  # fmt: skip


def sentences(text: str) -> list[str]:
    """The sentences of a German text, without the spaces between them."""
    return re.split(_SENTENCE, text.strip())


def _body(article: Article) -> str:
    if not article.text:
        return article.teaser or article.title
    if not article.teaser or _letters(article.text).startswith(_letters(article.teaser)):
        return article.text
    return f"{article.teaser}\n\n{article.text}"


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text).lower()


def _with_headings(pieces: list[str]) -> list[str]:
    """Move a heading that closes a piece in front of what it heads."""
    for number in range(len(pieces) - 1):
        piece = pieces[number]
        if heading := _CLOSING_HEADING.search(piece):
            pieces[number] = piece[: heading.start()]
            pieces[number + 1] = piece[heading.start() :] + pieces[number + 1]
    return pieces


def _evened(pieces: list[str]) -> list[str]:
    """Join a piece that is too short to what follows (it is often a heading), the last one to what went before."""
    evened: list[str] = []
    for piece in pieces:
        if not piece.strip():
            continue
        last = len(evened) - 1
        short = evened and (len(evened[last].strip()) < SHORTEST or len(piece.strip()) < SHORTEST)
        if short and len(evened[last]) + len(piece) <= LONGEST:
            evened[last] += piece
        else:
            evened.append(piece)
    return evened


@cache
def _splitter() -> "RecursiveCharacterTextSplitter":
    from langchain_text_splitters import RecursiveCharacterTextSplitter  # half a second, not needed for --help

    # Separators stay and nothing is stripped, so the pieces put together are the text again.
    return RecursiveCharacterTextSplitter(
        separators=list(_SEPARATORS),
        is_separator_regex=True,
        keep_separator="end",
        strip_whitespace=False,
        chunk_size=TARGET,
        chunk_overlap=0,
    )
