"""An article's own page, for sources without a web address: plain HTML, no scripts, everything escaped."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from archive.articles import TIME_ZONE, Article, german_date
from server.escaping import web_address

SAMPLE_SOURCE = "Beispielarchiv"  # as the sample archive calls itself

# A page may show text and its own style, nothing else.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape(["html"]), undefined=StrictUndefined
)


def article_html(article: Article) -> str:
    """The page of an article."""
    moment = article.published.astimezone(TIME_ZONE) if article.published else None
    dated = f"{german_date(moment)}, {moment:%H:%M} Uhr" if moment else "ohne Datum"
    return _TEMPLATES.get_template("article.html").render(
        article=article, dated=dated, link=web_address(article.url), is_sample=article.source == SAMPLE_SOURCE,
        paragraphs=[paragraph for paragraph in article.text.split("\n\n") if paragraph.strip()],
    )  # fmt: skip
