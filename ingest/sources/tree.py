"""Bytes of an HTML page -> its text and its tree."""

import re
from typing import Any

from archive.errors import BadArticle
from ingest.sources.raw import decode, too_much

_LARGEST_PAGE = 5 * 2**20  # bytes; extraction takes seconds for each million
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")  # lxml refuses decoded text that still names an encoding


def parsed(data: bytes) -> tuple[str, Any]:
    """The page as text and as an lxml tree. Raises BadArticle where it is no HTML."""
    from lxml import etree  # type: ignore[import-untyped]
    from lxml.html import HTMLParser, document_fromstring  # type: ignore[import-untyped]

    if len(data) > _LARGEST_PAGE:
        raise BadArticle(f"a page larger than {_LARGEST_PAGE // 2**20} MB; store its article as JSONL")
    if reason := too_much(data):
        raise BadArticle(reason)
    html = _DECLARATION.sub("", decode(data))
    try:
        return html, document_fromstring(html.encode("utf-8", "replace"), parser=HTMLParser(encoding="utf-8"))
    except (etree.LxmlError, ValueError) as error:
        raise BadArticle(f"no HTML: {' '.join(str(error).split())[:120]}") from error
