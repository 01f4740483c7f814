"""Any record that JSON can hold becomes an article that holds what it promises, or says in one line why not."""

from pathlib import Path

from fuzzing import NOW, check_article, check_passages, check_reason
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archive.errors import BadArticle
from ingest.clean import clean
from ingest.report import Reject
from ingest.sources.records import FIELDS, Origin, article_from
from ingest.split import split

NAMES = [name for names in FIELDS.values() for name in names]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()))
# What looks like the real thing finds more than any text does.
DATES = st.datetimes().map(str) | st.dates().map(str) | st.integers(-(10**14), 10**14)
ADDRESSES = st.builds("{}://{}/{}".format, st.sampled_from(["http", "https", "ftp"]), st.text(), st.text())
VALUES = st.recursive(SCALARS | DATES | ADDRESSES, lambda inner: st.lists(inner, max_size=3), max_leaves=4)
RECORDS = st.dictionaries(st.sampled_from(NAMES), VALUES)
TITLES = st.text(st.characters(exclude_categories=["Cs"]), min_size=10)


@settings(max_examples=100, deadline=None)
@given(record=RECORDS, title=TITLES | st.none())
@example(record={"id": "1\x85"}, title="Ein Titel, der genügt")
@example(record={"date": "2024-03-23T12:00:00+23:59"}, title="Ein Titel, der genügt")
@example(record={"url": "https://a.de/ein weg<b>"}, title="Ein Titel, der genügt")
@example(record={"id": 10**400, "comments": 10**400}, title="Ein Titel, der genügt")
def test_any_record(record, title):
    if title is not None:
        record = record | {"title": title}
    file = Path("a.jsonl")
    try:
        article = clean(article_from(record, Origin(str(file), "a", NOW)))
    except BadArticle as error:
        check_reason(str(Reject(str(file), str(error), "line 1")), file)
        return
    check_article(article)
    check_passages(article, split(article))
