"""Articles of heise and of other publishers, off pages written for the project and off real ones."""

import json
from pathlib import Path

import pytest
from page_scores import overlap, scores, table

from archive.errors import SourceError
from ingest.clean import clean
from ingest.report import Found
from ingest.sources import extraction
from ingest.sources.page import read_article, read_page
from ingest.sources.records import Origin
from ingest.web.visits import Fetched, Gone

PAGES = Path(__file__).parent / "pages"
PARTS = "https://www.heise.de/news/Zugleitung-der-Woche-11190007.html"


def page(name):
    return (PAGES / f"{name}.html").read_bytes()


def article_of(reading, name):
    [article] = reading(PAGES / f"{name}.html").articles
    return clean(article)


def test_an_article_with_all_that_its_page_says_of_it(reading):
    article = article_of(reading, "article")
    assert (article.id, article.title) == ("11190000", "Funkmast aus Holz geht in Betrieb")
    assert article.teaser.startswith("In Niederau steht")
    assert (article.authors, article.topics, article.comments) == (("Ada Muster",), ("Holzbau", "Mobilfunk"), 42)
    assert article.published.isoformat() == "2026-02-27T08:01:00+01:00"
    assert article.modified.isoformat() == "2026-02-28T10:00:00+01:00"
    assert not article.paid


def test_lists_and_tables_are_kept_and_boxes_of_links_left_out(reading):
    paragraphs = article_of(reading, "article").text.split("\n\n")
    at = paragraphs.index("Die Segmente werden verschraubt.")
    assert paragraphs[at - 2].startswith("Die Kosten liegen")
    assert paragraphs[at + 2 : at + 4] == ["Baustoff Preis", "Holz 310.000 Euro"]
    assert paragraphs[-2].startswith("Update 28.02.2026")
    assert not any("anderer Artikel" in paragraph or "Anzeige" in paragraph for paragraph in paragraphs)


def test_a_paid_article_is_its_free_part_without_the_offer(reading):
    article = article_of(reading, "article-paid")
    assert article.paid
    assert article.teaser == "Ein Bit pro Ring: Wie man einen Kernspeicher baut und was man dabei lernt."
    assert article.text.startswith("Wer einmal vier mal vier Ringe")
    assert not any(word in article.text for word in ("heise+", "Abo", "weiterlesen", "kündbar"))


def test_a_saved_page_of_a_subscriber_is_kept_to_its_end(reading, tmp_path):
    offer = "<p>Wer beim Händler jetzt das Digitalabo bestellt, bekommt die Ringe dazu, so steht es im Prospekt.</p>"
    long = "<p>" + "Der letzte Draht führt durch alle Ringe und liest sie aus, wobei er sie löscht. " * 6 + "</p>"
    html = (PAGES / "article-paid.html").read_text(encoding="utf-8").replace("<a-paid-content-teaser>", offer + long)
    (tmp_path / "a.html").write_text(html, encoding="utf-8")
    [article] = reading(tmp_path / "a.html").articles
    assert "im Prospekt" in article.text
    assert article.text.rstrip().endswith("löscht.")


@pytest.fixture
def origin(now):
    return Origin("adresse", "adresse", now)


def read_with(origin, pages, asked, address=PARTS):
    def visit(address):
        asked.append(address)
        outcome = pages[address]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome if isinstance(outcome, Gone) else Fetched(outcome, address, "text/html")

    return read_article(Fetched(pages[address], address, "text/html"), origin, visit)


def test_an_article_of_three_pages_is_one(origin):
    asked = []
    pages = {
        PARTS: page("article-part-1"),
        f"{PARTS}?seite=2": page("article-part-2"),
        f"{PARTS}?seite=3": page("article-part-3"),
    }
    article = read_with(origin, pages, asked)
    assert asked == [f"{PARTS}?seite=2", f"{PARTS}?seite=3"]
    assert [article.text.count(name) for name in ("Hannes Kolb", "Miriam Tran", "Allgäu")] == [1, 1, 1]
    assert article.text.index("Kolb") < article.text.index("Tran") < article.text.index("Allgäu")
    assert (article.id, article.url, article.comments) == ("11190007", PARTS, 3)


def test_any_of_its_pages_leads_to_all_of_it(origin):
    pages = {
        PARTS: page("article-part-1"),
        f"{PARTS}?seite=2": page("article-part-2"),
        f"{PARTS}?seite=3": page("article-part-3"),
    }
    assert read_with(origin, pages, [], f"{PARTS}?seite=3") == read_with(origin, pages, [])


def test_one_page_with_all_of_it_is_enough(origin):
    link = f'<a href="{PARTS}?seite=all">Auf einer Seite lesen</a></footer>'.encode()
    first = page("article-part-1").replace(b"</footer>", link, 1)
    parts = [page(f"article-part-{number}").split(b'article-content">')[1].split(b"</div>")[0] for number in (1, 2, 3)]
    whole = page("article-part-1").replace(parts[0], b"".join(parts))
    asked = []
    article = read_with(origin, {PARTS: first, f"{PARTS}?seite=all": whole}, asked)
    assert asked == [f"{PARTS}?seite=all"]
    assert "Allgäu" in article.text


@pytest.mark.parametrize("outcome", [SourceError("zu langsam"), Gone(f"{PARTS}?seite=2", 404)])
def test_an_article_with_a_page_missing_is_no_article(outcome, origin):
    pages = {PARTS: page("article-part-1"), f"{PARTS}?seite=2": outcome}
    with pytest.raises(Exception, match="one page of the article"):
        read_with(origin, pages, [])


def test_a_new_layout_that_fundus_does_not_know_is_read_by_trafilatura(origin):
    body = page("article").decode()
    strange = body.replace("<p>", '<p class="neu">').replace('class="article-layout__content article-content"', "")
    [record] = read_page(strange.encode(), origin)
    assert isinstance(record, Found)
    assert "Aussichtstürme" in record.article.text
    assert "Sägewerk" in record.article.text


def test_fundus_knows_publishers_by_host():
    assert extraction._fundus_parsers("heise.de")
    assert extraction._fundus_parsers("www1.wdr.de")
    assert not extraction._fundus_parsers("keineheise.de")
    assert not extraction._fundus_parsers("localhost")


TITLES = {
    "Heise_2024_03_23": ("OpenAI will Hollywood den KI-Generator Sora schmackhaft machen", "2024-03-23T18:32:00+01:00"),
    "Heise_2024_04_06": ("SAP will in Deutschland 2600 Stellen streichen", "2024-04-06T13:51:00+02:00"),
    "Heise_2024_04_19": (
        "Ionos-Phishing: Masche mit neuen EU-Richtlinien soll Opfer überzeugen",
        "2024-04-19T13:37:00+02:00",
    ),
    "heise-2015-mac-and-i": ("1Password für Mac generiert Einmal-Passwörter", "2015-04-08T12:46:00+02:00"),
    "heise-story-2025": (
        "Proaktive IT-Security mit Pentesting: Ethical Hacking für Admins",
        "2025-11-12T10:00:00+01:00",
    ),
}


@pytest.mark.parametrize("name", TITLES)
def test_real_pages_of_heise(name, shared, reading):
    folder = shared / "heise" / "pages"
    [article] = map(clean, reading(folder / f"{name}.html.gz").articles)
    assert (article.title, article.published.isoformat()) == TITLES[name]
    assert len(article.text.split()) > 150
    if (truth := folder / f"{name}.groundtruth.json").exists():
        body = json.loads(truth.read_text(encoding="utf-8"))["V1"]["body"]
        parts = [part for section in body["sections"] for part in (*section["headline"], *section["paragraphs"])]
        f1, recall = overlap(f"{article.teaser}\n{article.text}", "\n".join((*body["summary"], *parts)))
        assert recall >= 0.95
        assert f1 >= 0.95


def test_publishers_pages_against_their_ground_truth(shared):
    found = list(scores(shared))
    summary = table(found)
    assert sum(score.f1 for score in found) / len(found) >= 0.98, summary
    assert sum(score.trafilatura for score in found) / len(found) >= 0.95, summary
    assert min(score.f1 for score in found) >= 0.9, summary
    assert min(score.recall for score in found) >= 0.95, summary
    assert all(score.title_right and score.date_right for score in found), summary
