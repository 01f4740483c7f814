"""Bytes of an HTML page -> its text and its tree."""

import re
from typing import Any

from archive.errors import BadArticle
from ingest.sources.raw import decode

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")  # lxml refuses decoded text that still names an encoding


def parsed(data: bytes) -> tuple[str, Any]:
    """The page as text and as an lxml tree. Raises BadArticle where it is no HTML."""
    from lxml import etree  # type: ignore[import-untyped]
    from lxml.html import HTMLParser, document_fromstring  # type: ignore[import-untyped]

    html = _DECLARATION.sub("", decode(data))
    try:
        return html, document_fromstring(html.encode("utf-8", "replace"), parser=HTMLParser(encoding="utf-8"))
    except (etree.LxmlError, ValueError) as error:
        raise BadArticle(f"no HTML: {error}") from error
