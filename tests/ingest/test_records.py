import pytest

from archive.errors import BadArticle
from ingest.sources.ids import article_id, clean_url
from ingest.sources.records import Origin, article_from

HEISE = "https://www.heise.de/news/Ein-Artikel-9664198.html"


@pytest.fixture
def origin(now):
    return Origin("nachrichten.jsonl", "nachrichten", now)


def identified(**given):
    return article_id(
        **({"given": "", "url": None, "feed_id": "", "source": "s", "title": "t", "published": None} | given)
    )


def test_ids_in_their_order():
    assert identified(given="muster-1001", url=HEISE) == "muster-1001"
    assert identified(url=HEISE, feed_id="http://heise.de/-1") == "9664198"
    assert identified(url="https://www.heise.de/s/kurz", feed_id="http://heise.de/-1234567") == "1234567"
    assert identified(url="https://www.heise.de/s/kurz").startswith("heise.de-")
    assert identified(url="https://www.taz.de/!5928990/").removeprefix("taz.de-").isalnum()
    assert len(identified(title="ohne Adresse")) == 16


def test_only_heise_numbers_name_heise_articles():
    assert identified(url="https://www.tagesschau.de/inland/wehrdienst-1234567.html").startswith("tagesschau.de-")
    assert identified(url="https://www.notheise.de/news/Ein-Artikel-9664198.html").startswith("notheise.de-")


def test_last_ids_differ_with_source_title_and_date(now):
    assert len({identified(), identified(source="x"), identified(title="x"), identified(published=now)}) == 4


@pytest.mark.parametrize(
    ("url", "cleaned"),
    [
        (f"{HEISE}?wt_mc=rss.red.ho.ho.atom.beitrag.beitrag", HEISE),
        ("https://t3n.de/news/x-1/?utm_source=rss&utm_medium=f", "https://t3n.de/news/x-1/"),
        ("https://a.de/?curid=11059&utm_source=rss", "https://a.de/?curid=11059"),
        ("https://a.de/?q=a%20b&leer=", "https://a.de/?q=a%20b&leer="),
        ("https://a.de/x#kommentare", "https://a.de/x"),
        ("javascript:alert(1)", None),
        ("/news/ohne-host.html", None),
        ("", None),
    ],
)
def test_urls_lose_tracking_and_nothing_else(url, cleaned):
    assert clean_url(url) == cleaned


def test_a_url_that_only_looks_like_one_is_bad():
    with pytest.raises(BadArticle, match="url"):
        clean_url("http://[kaputt/")


def test_fields_by_all_their_names(origin):
    by_other_names = {
        "ID": 7, "Link": HEISE, "headline": "Titel", "Summary": "Anriss", "body": "Text", "comments": "132.0",
        "publishing_date": "2024-03-23", "author": "Nico Ernst und Dirk Knop", "keywords": ["KI", "KI", "Sora"],
        "publisher": "heise online",
    }  # fmt: skip
    article = article_from(by_other_names, origin)
    assert (article.id, article.url, article.title, article.teaser, article.text) == (
        "7",
        HEISE,
        "Titel",
        "Anriss",
        "Text",
    )
    assert (article.authors, article.topics) == (("Nico Ernst", "Dirk Knop"), ("KI", "Sora"))
    assert (article.comments, article.source, article.published.day) == (132, "heise online", 23)


def test_source_is_named_else_host_else_file(origin, now):
    assert article_from({"title": "T", "url": HEISE}, origin).source == "heise.de"
    assert article_from({"title": "T"}, origin).source == "nachrichten"
    named = Origin("f", "f", now, "heise.de")
    assert article_from({"title": "T", "source": "Anders"}, named).source == "heise.de"


def test_schema_org_and_data_frame_habits(origin):
    record = {
        "id": 6233916.0, "title": "T", "author": [{"name": "A. B."}, {"name": None}], "source": {"name": "WAZ"},
        "tags": '["x", "y"]', "comments": float("nan"), "text": float("nan"),
    }  # fmt: skip
    article = article_from(record, origin)
    assert (article.id, article.authors, article.source, article.topics) == ("6233916", ("A. B.",), "WAZ", ("x", "y"))
    assert (article.comments, article.text) == (None, "")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"title": ["a"]}, "title is a list"),
        ({"title": True}, "title is a bool"),
        ({"title": "T", "id": "a\nb"}, "control characters"),
        ({"title": "T", "id": "x" * 501}, "more than 500"),
        ({"title": "T", "date": "irgendwann"}, "can't be read"),
        ({"title": "T", "authors": [["x"]]}, "authors is a list"),
    ],
)
def test_bad_records_say_why(record, reason, origin):
    with pytest.raises(BadArticle, match=reason):
        article_from(record, origin)


def test_half_characters_are_dropped(origin):
    assert article_from({"title": "Halb\ud800 so wild", "id": "\udc00a"}, origin).title == "Halb so wild"
