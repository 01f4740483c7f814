"""filled(): what a publisher's parser leaves out between the paragraphs that it takes."""

from collections import Counter
from collections.abc import Set
from typing import Any

_KINDS = frozenset({"ul", "ol", "dl", "table", "pre"})
_ITEMS = "./descendant::*[self::li or self::dt or self::dd or self::tr]"
# None that holds others: the text of a page's outer elements would be put together once for each level.
_PARAGRAPHS = """//*[self::p or self::li or self::h2 or self::h3 or self::h4 or self::div]
    [not(p or div or section or article or ul or ol or table or main)]"""
_LINKED = 0.3  # share of characters within links from which on a list is one of links, not of facts
_SHORTEST = 80  # characters of a paragraph that is the article's and no note beside it


def filled(paragraphs: list[str], page: Any, others: Set[str]) -> list[str]:  # noqa: ANN401  # lxml has no types
    """The paragraphs with what was lost among them on the page (an lxml tree), in its order.

    A parser selects certain elements of a publisher's pages. So it loses whole kinds that an article has now and then,
    lists and tables above all, and paragraphs that are set in another way, often the first. What is lost is told from
    what is left out on purpose by three signs: it lies beside the paragraphs, right within the same element; it is not
    mostly links; and the parser took nothing of its kind there or, if it is a paragraph, another reader has it among
    its own, `others`.
    """
    taken = set(paragraphs)
    body = _body(taken, page)
    if body is None:
        return paragraphs
    children = [(child, _text(child), _items(child)) for child in body]
    kinds = _KINDS - {child.tag for child, _, items in children if taken.intersection(items)}
    lost: dict[str, list[str]] = {}  # by the paragraph that it follows, the empty one for what stands first
    last = ""
    for child, text, items in children:
        if text in taken:
            last = text
        elif kept := [item for item in items if item in taken]:
            last = kept[-1]
        elif child.tag == "p":
            if len(text) >= _SHORTEST and text in others and _share_of_links(child, text) < _LINKED:
                lost.setdefault(last, []).append(text)
        elif last and child.tag in kinds and text and _share_of_links(child, text) < _LINKED:
            lost.setdefault(last, []).extend(items or [text])
    return [part for paragraph in ("", *paragraphs) for part in (paragraph, *lost.pop(paragraph, ())) if part]


def _body(taken: Set[str], page: Any) -> Any:  # noqa: ANN401
    """The element right below which most of the text lies; None where no paragraph is found again on the page."""
    held: Counter[Any] = Counter()
    for element in page.xpath(_PARAGRAPHS):
        if (parent := element.getparent()) is not None and (text := _text(element)) in taken:
            held[parent] += len(text)
    return held.most_common(1)[0][0] if held else None


def _items(element: Any) -> list[str]:  # noqa: ANN401
    return [item for part in element.xpath(_ITEMS) if (item := _text(part))] if isinstance(element.tag, str) else []


def _share_of_links(element: Any, text: str) -> float:  # noqa: ANN401
    return sum(len(_text(link)) for link in element.iter("a")) / len(text)


def _text(element: Any) -> str:  # noqa: ANN401
    """As parsers give it, on one line; the cells of a table's row apart. Comments have none."""
    if not isinstance(element.tag, str):
        return ""
    return " ".join((" " if element.tag == "tr" else "").join(element.itertext()).split())
