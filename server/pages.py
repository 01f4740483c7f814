"""An article's own page, for sources without a web address: plain HTML, no scripts, everything escaped."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from archive.articles import TIME_ZONE, german_date
from archive.records import Record
from server.escaping import web_address

if TYPE_CHECKING:
    from jinja2 import Template

SAMPLE_SOURCE = "Beispielarchiv"  # as the sample archive calls itself

# A page may show text and its own style, nothing else.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
}


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape  # not while a server starts

    html = select_autoescape(["html"])
    templates = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=html, undefined=StrictUndefined)
    return templates.get_template("article.html")


def article_html(record: Record) -> str:
    """The page of an article; later versions say so."""
    article, changed = record.article, record.article.modified or record.updated
    dated = _in_words(article.published) if article.published else "ohne Datum"
    updated = changed if changed and (not article.published or changed > article.published) else None
    return _template().render(
        article=article,
        dated=dated,
        updated=_in_words(updated) if updated else "",
        link=web_address(article.url),
        is_sample=article.source == SAMPLE_SOURCE,
        paragraphs=[paragraph for paragraph in article.text.split("\n\n") if paragraph.strip()],
    )


def _in_words(moment: datetime) -> str:
    local = moment.astimezone(TIME_ZONE)
    return f"{german_date(local)}, {local:%H:%M} Uhr"
