"""One record with named fields -> one article; every reader ends here."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from archive.articles import Article
from archive.errors import BadArticle
from ingest.dates import parse_date
from ingest.sources.ids import article_id, clean_url, host_of

FIELDS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "_id"),
    "url": ("url", "link"),
    "title": ("title", "headline"),
    "teaser": ("teaser", "summary", "description"),
    "text": ("text", "body", "content"),
    "published": ("published", "publishing_date", "date", "datetime", "time"),
    "authors": ("authors", "author"),
    "topics": ("topics", "keywords", "tags"),
    "comments": ("comments",),
    "paid": ("paid",),
    "modified": ("modified", "updated", "datemodified"),
    "source": ("source", "publisher"),
    "feed_id": ("feed_id",),
}
_NAMES = frozenset(name for names in FIELDS.values() for name in names)
_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LONGEST_ID = 500


@dataclass(frozen=True, slots=True)
class Origin:
    """Where records come from and what is taken for granted about them.

    `file` is the path or address as given, `stem` what stands for a publisher that is named nowhere, `publisher` one
    that the user named and that wins over all else, `now` the clock that dates are held against.
    """

    file: str
    stem: str
    now: datetime
    publisher: str = ""


def known_fields(names: Iterable[str]) -> set[str]:
    """Which of an article's fields a record with these names could fill."""
    lowered = {name.strip().lower() for name in names}
    return {field for field, aliases in FIELDS.items() if lowered.intersection(aliases)}


def article_from(record: Mapping[str, object], origin: Origin) -> Article:
    """The article in a record, its texts still uncleaned. Raises BadArticle with the reason."""
    values = {str(name).strip().lower(): value for name, value in record.items()}
    values = {name: value for name, value in values.items() if name in _NAMES}
    url = clean_url(_text(values, "url"))
    title = _text(values, "title").strip()
    published = parse_date(_text(values, "published"), origin.now)
    source = origin.publisher or _text(values, "source").strip() or host_of(url) or origin.stem
    given = _text(values, "id").strip()
    if _CONTROL.search(given) or len(given) > _LONGEST_ID:
        raise BadArticle(f"id {given[:40]!r} has control characters or more than {_LONGEST_ID} characters")
    return Article(
        id=article_id(
            given=given, url=url, feed_id=_text(values, "feed_id"), source=source, title=title, published=published
        ),
        title=title,
        text=_text(values, "text"),
        teaser=_text(values, "teaser"),
        published=published,
        url=url,
        source=source,
        authors=_names(values, "authors"),
        topics=_names(values, "topics"),
        comments=_count(_first(values, "comments")),
        paid=_text(values, "paid").lower() in ("true", "1", "yes"),
        modified=_modified(_text(values, "modified"), published, origin.now),
    )


def _modified(text: str, published: datetime | None, now: datetime) -> datetime | None:
    """When the article was last changed, where that is after it was published; what can't be read is not known."""
    try:
        moment = parse_date(text, now)
    except BadArticle:
        return None
    return moment if moment and published and moment > published else None


def _first(values: Mapping[str, object], field: str) -> object:
    for name in FIELDS[field]:
        value = values.get(name)
        if value is not None and value != "" and value != []:
            return value
    return None


def _text(values: Mapping[str, object], field: str) -> str:
    return _as_text(_first(values, field), field)


def _as_text(value: object, field: str) -> str:
    if isinstance(value, Mapping):
        value = value.get("name")  # {"name": ...}, as schema.org writes authors and publishers
    if isinstance(value, float):
        if value != value:
            return ""  # NaN is how data frames write "nothing"
        value = int(value) if value.is_integer() else value  # 6233916.0 is an id that went through a data frame
    if value is None:
        return ""
    if not isinstance(value, str | int | float) or (isinstance(value, bool) and field != "paid"):
        raise BadArticle(f"{field} is a {type(value).__name__}, not text")
    # Half of a surrogate pair can be written in JSON but nowhere be stored.
    return _HALF_CHARACTER.sub("", str(value))


def _names(values: Mapping[str, object], field: str) -> tuple[str, ...]:
    """A list, a JSON list in a string, or names with commas between; without repeats, in order."""
    value = _first(values, field)
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = value.strip("[] ")
    if isinstance(value, str):
        value = re.split(r"[;,]| und ", value)
    if not isinstance(value, list | tuple):
        value = [value]
    names = (" ".join(_as_text(name, field).split()) for name in value)
    return tuple(dict.fromkeys(name for name in names if name))


def _count(value: object) -> int | None:
    """How many comments; a list of comments counts by its length, what is no number is not known."""
    if isinstance(value, list):
        return len(value)
    try:
        number = int(float(value)) if isinstance(value, str | int | float) else -1
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < 2**31 else None
