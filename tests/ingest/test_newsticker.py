"""Newsticker pages, in layouts written for the project and, where they are at hand, in heise's own of five years."""

import re
from pathlib import Path

import pytest

from ingest.sources.newsticker import links
from ingest.sources.raw import document
from ingest.sources.tree import parsed

PAGES = Path(__file__).parent / "pages"

# Counted by hand: each entry of the list carries its running number (`name="7-tage-news.newsticker.anrissliste.1"`),
# so the last number is the count; heise+ by the logo (`heiseplus-logo` to 2024, `heise-plus-logo` from then on) between
# an entry's <article> and </article>, comments by the word "Kommentare" with a number before it. Not in the list, and
# so not counted: teasers of the page's foot (2022: fourteen; three of their articles are not in the list), templates.
# In 2025 number 212 is an advertisement (class `a-article-teaser--sponsored`).
COUNTED = {
    "2022-02-01": (299, 33, 262),
    "2023-06-01": (229, 27, 188),
    "2024-06-01": (289, 40, 224),
    "2025-06-01": (288, 43, 230),
    "2026-03-01": (356, 46, 293),
}


def read_links(path):
    return links(parsed(document(path))[1])


@pytest.mark.parametrize("day", COUNTED)
def test_all_links_of_five_years_layouts(day, shared):
    path = shared / "heise" / "newsticker" / f"newsticker_{day}.html.gz"
    found = read_links(path)
    count, paid, commented = COUNTED[day]
    numbered = [int(number) for number in re.findall(rb'newsticker\.anrissliste\.(\d+)"', document(path))]
    assert max(numbered) == count
    assert len(found) == count
    assert sum(link.paid for link in found) == paid
    assert sum(link.comments.isdecimal() for link in found) == commented
    assert sum(link.advertisement for link in found) == (day == "2025-06-01")
    assert all(link.number.isdecimal() and link.title and link.published for link in found)
    for link in found:
        if number := re.search(r"-(\d+)\.html$", link.address):
            assert number[1] == link.number
        assert link.address.startswith("https://")
        assert "wt_mc" not in link.address


@pytest.mark.parametrize(("year", "count"), [(2022, 12), (2026, 13)])
def test_entries_in_the_projects_own_pages(year, count):
    found = read_links(PAGES / f"newsticker-{year}.html")
    assert len(found) == count
    assert [link.paid for link in found].index(True) == 2
    assert sum(link.paid for link in found) == (2 if year == 2026 else 1)
    first = found[1]
    assert first.title == "Rechenzentrum der Woche: Folge 1 & mehr"
    assert first.address == f"https://www.heise.de/news/Rechenzentrum-der-Woche-{first.number}.html"
    assert (first.comments, first.published[:16]) == ("1", f"{year}-{'01' if year == 2022 else '02'}-27T08:01")


def test_a_kicker_stays_out_of_the_title():
    found = read_links(PAGES / "newsticker-2022.html")
    assert (found[5].kicker, found[5].title) == ("Rückruf", "Kernspeicher der Woche: Folge 5 & mehr")
    assert not any(link.kicker for link in found if link is not found[5])


def test_advertisements_are_marked_and_no_articles(reading):
    result = reading(PAGES / "newsticker-2026.html")
    assert len(result.articles) == 12
    [reject] = result.rejects
    assert (reject.place, "advertisement" in reject.reason) == ("headline 5", True)


def test_an_article_that_is_listed_again_keeps_its_first_date(reading):
    articles = reading(PAGES / "newsticker-2026.html").articles
    one, other = (article for article in articles if article.id == "11190002")
    assert one == other
    assert one.published.isoformat() == "2026-02-03T17:30:00+01:00"
    assert one.paid


def test_links_to_other_publishers_are_theirs(reading):
    articles = reading(PAGES / "newsticker-2022.html").articles
    assert {article.source for article in articles} == {"heise.de", "techstage.de"}
