"""The readers on real files: what each holds is known."""

import pytest

from archive.errors import SourceError


@pytest.mark.parametrize(
    ("name", "count", "texts", "undated"),
    [
        ("heise/headlines_teasers_2022-2026.jsonl.gz", 14_424, 0, 818),
        ("heise/newsticker-2022-2023-good-bad.csv.gz", 13_306, 0, 0),
        ("heise/feed/heise-atom-2025-11.xml", 155, 0, 0),
        ("heise/newsticker/newsticker_2022-02-01.html.gz", 299, 0, 0),
        ("heise/newsticker/newsticker_2026-03-01.html.gz", 356, 0, 0),
        ("heise/pages", 5, 5, 0),
        ("german_news/wikinews_de.jsonl.gz", 998, 998, 1),
        ("german_news/fundus_de/groundtruth.jsonl.gz", 86, 86, 0),
        ("german_news/feeds", 291, 0, 0),
    ],
)
def test_real_files(name, count, texts, undated, shared, reading):
    result = reading(shared / name)
    assert len(result.articles) == count
    assert sum(bool(article.text) for article in result.articles) == texts
    assert sum(article.published is None for article in result.articles) == undated
    assert not result.rejects


def test_feed_and_page_give_an_article_the_same_id(shared, reading):
    [page] = reading(shared / "heise" / "pages" / "heise-story-2025.html.gz").articles
    feed = reading(shared / "heise" / "feed").articles
    assert [article.url for article in feed if article.id == page.id] == [page.url]


def test_tables_that_hold_no_articles(shared, reading):
    with pytest.raises(SourceError, match="no column is a title"):
        reading(shared / "heise" / "articles_per_day.csv")
