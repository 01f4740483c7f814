from datetime import datetime

from archive.articles import TIME_ZONE, Article
from server.events import Source
from server.reports import Report, on_the_matter
from server.timelines import compose_overview, compose_timeline, superseded


def report(number: int, title: str, day: str, teaser: str = "", *, text: str = "", near: float = 1.0) -> Report:
    published = datetime.fromisoformat(day).replace(tzinfo=TIME_ZONE) if day else None
    article = Article(f"a{number}", title, text=text, teaser=teaser, published=published)
    source = Source(number, article.id, title, "http://x", published, text or teaser or title, near)
    return Report(source, article, near)


PLAN = report(
    1, "Intel baut Chipfabriken in Magdeburg", "2022-03-15", "17 Milliarden Euro will der Konzern investieren."
)
DELAY = report(
    2, "Intel verschiebt Bau der Chipfabrik in Magdeburg", "2024-09-17", "Der Bau beginnt zwei Jahre später."
)
END = report(3, "Endgültiges Aus: Intel streicht Chipfabrik in Magdeburg", "2025-07-25")
STRANGER = report(4, "Magdeburg: Auftaktsitzung des Stadtrates", "2009-07-07", near=0.1)
MATTER = "Intel in Magdeburg"


def test_a_timeline_goes_from_old_to_new_and_leaves_out_what_is_beside_the_matter():
    composed = compose_timeline([END, STRANGER, DELAY, PLAN], MATTER, "de")
    assert composed is not None
    assert composed.text.splitlines() == [
        "- **15. März 2022:** Intel baut Chipfabriken in Magdeburg. 17 Milliarden Euro will der Konzern investieren. [1]",  # noqa: E501
        "- **17. September 2024:** Intel verschiebt Bau der Chipfabrik in Magdeburg. Der Bau beginnt zwei Jahre später. [2]",  # noqa: E501
        "- **25. Juli 2025:** Endgültiges Aus: Intel streicht Chipfabrik in Magdeburg [3]",
    ]
    assert [(source.number, source.article_id) for source in composed.sources] == [(1, "a1"), (2, "a2"), (3, "a3")]


def test_an_overview_opens_with_the_newest_state():
    composed = compose_overview([PLAN, END, DELAY], MATTER, "de")
    assert composed is not None
    first, *rest = composed.text.split("\n\n")
    assert first == "**Stand: 25. Juli 2025.** Endgültiges Aus: Intel streicht Chipfabrik in Magdeburg [1]"
    assert [line[4:8] for line in rest[0].splitlines()] == ["17. ", "15. "]


def test_one_report_is_no_list():
    assert compose_timeline([PLAN, STRANGER], MATTER, "de") is None
    assert compose_timeline([], MATTER, "de") is None


def test_reports_of_one_event_share_a_line():
    again = report(5, "Intel streicht Chipfabrik in Magdeburg endgültig", "2025-07-26", near=0.9)
    composed = compose_timeline([END, again, PLAN], MATTER, "de")
    assert composed is not None
    assert composed.text.splitlines()[-1].endswith("Magdeburg [2][3]")
    assert len(composed.text.splitlines()) == 2


def test_digests_and_credits_stay_out_and_markup_is_shown_as_text():
    digest = report(6, "Montag: Intel in Magdeburg, Start der Mondrakete", "2024-09-18", "Aus für Intel + Mond + Bahn")
    marked = report(7, "Intel in Magdeburg: <b>Neues</b> [9]", "2023-06-19", "Foto: dpa")
    composed = compose_timeline([PLAN, digest, marked], MATTER, "de")
    assert composed is not None
    assert "Montag" not in composed.text and "Foto" not in composed.text
    assert r"\<b\>Neues\</b\> \[9\] [2]" in composed.text


def test_a_matter_that_is_described_is_found_by_nearness_and_by_what_the_story_shares():
    matter = "die geplante Halbleiterfertigung in Sachsen-Anhalt von der Ankündigung bis zum Scheitern"
    near = [report(1, PLAN.article.title, "2022-03-15", near=2.4), report(2, END.article.title, "2025-07-25", near=2.0)]
    later = report(3, DELAY.article.title, "2024-09-17", near=1.0)
    other = report(4, "Landkreis ruft Katastrophenfall aus", "2021-07-12", near=1.5)
    assert on_the_matter([*near, other, later], matter) == (*near, later)


def test_a_cited_report_is_superseded_by_a_later_one_on_the_same_matter():
    reports = [PLAN, DELAY, END, STRANGER]
    assert superseded([PLAN.source], reports, MATTER) == PLAN.source
    assert superseded([PLAN.source, END.source], reports, MATTER) is None
    assert superseded([STRANGER.source], reports, MATTER) is None
    assert superseded([], reports, MATTER) is None
