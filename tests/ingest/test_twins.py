"""One article at two addresses, one story in two papers, and what only looks like it."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from archive.articles import Article
from archive.ledger import Ledger
from archive.links import Links
from archive.sketches import Sketches
from ingest.report import Found
from ingest.twins import Recognition, catch_up

DAY = datetime(2024, 5, 3, 12, tzinfo=UTC)
STORY = """Im Hafen von Rostock ist am Freitagmorgen ein Frachter gegen die Kaimauer gefahren. Verletzt wurde niemand,
wie die Wasserschutzpolizei mitteilte. Das 180 Meter lange Schiff unter der Flagge Panamas war aus Danzig
gekommen und sollte Getreide laden. Beim Anlegen fiel nach ersten Erkenntnissen das Ruder aus.

Am Rumpf entstand ein Riss von vier Metern Länge, Öl lief nicht aus. Die Kaimauer wurde auf einer Strecke von
25 Metern beschädigt. Den Schaden schätzt die Polizei auf 2,3 Millionen Euro. Taucher sollen das Schiff am
Samstag untersuchen, bis dahin darf es nicht auslaufen.

Der Hafenbetreiber sperrte den Liegeplatz vorsorglich. Zwei weitere Schiffe mussten vor der Einfahrt warten.
Ein Sprecher sagte, der Betrieb laufe sonst ohne Einschränkungen. Die Staatsanwaltschaft hat ein Verfahren
wegen Gefährdung des Schiffsverkehrs eingeleitet. Der Kapitän wurde vernommen, ein Atemtest ergab null
Promille."""
UPDATE = """Update vom Abend: Die Reederei hat unterdessen einen Schlepper bestellt, der den Frachter in die Werft nach
Warnemünde bringen soll. Das Unternehmen bedauerte den Unfall und sagte zu, für alle Schäden aufzukommen."""
OTHER = """Der Rat der Stadt hat den Haushalt beschlossen. Für Schulen und Kindergärten ist mehr Geld vorgesehen als im
vergangenen Jahr, für Straßen und Brücken weniger. Die Opposition stimmte dagegen und verwies auf die
Schulden, die sich seit Beginn der Wahlperiode verdoppelt haben. Die Kämmerin nannte den Entwurf einen
vertretbaren Kompromiss."""


def at(
    slug: str, text: str = STORY, title: str = "Frachter rammt Kaimauer in Rostock", host: str = "zeitung.de", **fields
):
    """An article whose id is made of its address, as pages and feeds without ids of their own have them."""
    url = f"https://{host}/{slug}.html"
    article_id = f"{host}-{hashlib.sha256(url.encode()).hexdigest()[:12]}"
    return Article(article_id, title, text, url=url, source=host, **{"published": DAY} | fields)


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger.open(tmp_path)
    yield ledger
    ledger.close()


@pytest.fixture
def came(ledger):
    """Takes articles in as one batch, led to by `through`, and says under which ids they go."""

    def came(*articles: Article, through: Iterable[str] = ()) -> list[str]:
        recognition = Recognition(ledger)
        batch = recognition.identify([Found(article, "feed.xml", addresses=tuple(through)) for article in articles])
        identified = {found.article.id: found.article for found in batch}
        known = ledger.known(identified)
        fresh = [
            article for article in identified.values()
            if article.id not in known or known[article.id].content_hash != article.content_hash
        ]  # fmt: skip
        ledger.store([(article, []) for article in fresh])
        recognition.settle(fresh)
        return [found.article.id for found in batch]

    return came


def twins(ledger: Ledger, article: Article) -> list[str]:
    return [twin.article_id for twin in Links(ledger).of(article.id)]


MOVES = {
    "other words in the address": at("neu"),
    "typos put right": at("neu", STORY.replace("Kaimauer wurde", "Kai wurde").replace("Taucher", "Die Taucher")),
    "an update below": at("neu", f"{STORY}\n\n{UPDATE}"),
    "an update above, a longer title": at("neu", f"{UPDATE}\n\n{STORY}", "Frachter rammt Kaimauer in Rostock – Update"),
    "another title": at("neu", title="Ruder fiel aus: Schiff fährt in die Mauer"),
    "shortened under its title": at("neu", STORY.rpartition("\n\n")[0]),
    "another title and an update": at("neu", f"{STORY}\n\n{UPDATE}", "Ruder fiel aus: Schiff fährt in die Mauer"),
    "a day later": at("neu", published=DAY + timedelta(days=1)),
}


@pytest.mark.parametrize("moved", MOVES.values(), ids=MOVES)
def test_a_moved_article_is_recognized_by_its_text(moved, came, ledger):
    old = at("alt")
    came(old)
    assert came(moved) == [old.id]
    held = ledger.article(old.id)
    assert (held.url, held.text, held.title) == (moved.url, moved.text, moved.title)
    assert ledger.counts().articles == 1
    assert set(ledger.at_addresses([old.url, moved.url]).values()) == {old.id}


def test_two_addresses_in_one_batch_are_one_article(came, ledger):
    old, new = at("alt"), at("neu")
    assert came(old, new) == [old.id, old.id]
    assert ledger.counts().articles == 1


def test_two_addresses_that_both_live_change_nothing_on_the_next_run(came, ledger):
    old, new = at("politik/frachter"), at("rostock/frachter", title="Rostock: Frachter rammt Kaimauer")
    came(old, new)
    version = ledger.record(old.id).version
    for _ in range(2):
        assert came(old, new) == [old.id, old.id]
        assert came(new, old) == [old.id, old.id]
    record = ledger.record(old.id)
    assert (record.version, record.article.url) == (version, new.url)


def test_a_new_text_at_a_former_address_is_taken_in_all_the_same(came, ledger):
    old, new = at("alt"), at("neu")
    came(old)
    came(new)
    came(at("alt", f"{OTHER}\n\n{STORY}"))
    assert ledger.article(old.id).text.startswith("Der Rat")


def test_an_article_that_moves_back_has_its_first_address_again(came, ledger):
    old, new = at("alt"), at("neu")
    came(old)
    came(new)
    assert came(old, through=[new.url, old.url]) == [old.id]
    assert ledger.article(old.id).url == old.url


def test_a_redirect_tells_the_article_though_all_its_text_is_new(came, ledger):
    old = at("alt", text="")
    came(old)
    new = at("neu", OTHER, "Haushalt der Stadt beschlossen")
    assert came(new, through=[old.url, new.url]) == [old.id]
    assert ledger.article(old.id).text == OTHER


@pytest.mark.parametrize(
    "notice", [at("hinweis", "Diesen Artikel gibt es nicht mehr.", "Nicht gefunden", published=None),
               at("start", OTHER, "Nachrichten aus dem Norden", published=DAY + timedelta(days=90))],
    ids=["notice", "front page"],
)  # fmt: skip
def test_a_redirect_to_something_else_leaves_the_article_alone(notice, came, ledger):
    old = at("alt")
    came(old)
    assert came(notice, through=[old.url, notice.url]) == [notice.id]
    assert ledger.article(old.id) == old


def test_another_id_at_the_same_address_is_the_same_article(came, ledger):
    """As when a feed without ids is followed by an export with them."""
    came(at("frachter"))
    assert came(replace(at("frachter", f"{STORY}\n\n{UPDATE}"), id="4711")) == [at("frachter").id]


def test_one_page_with_many_entries_is_not_one_article(came):
    entries = [
        replace(at("ticker", text, title), id=made)
        for text, title, made in ((STORY, "10.15 Uhr: Unfall", "zeitung.de-0123456789ab"), (OTHER, "Haushalt", "77"))
    ]
    assert came(*entries) == [entry.id for entry in entries]


def test_ids_that_the_publisher_gave_are_its_word(came, ledger):
    one, other = replace(at("a-1234567"), id="1234567"), replace(at("b-1234568"), id="1234568")
    assert came(one, other) == [one.id, other.id]
    assert twins(ledger, one) == [other.id]


def weather(day: int) -> Article:
    low, high, wind = day % 7 + 3, day % 9 + 14, day * 5 % 30 + 11
    text = f"""Das Wetter für Mecklenburg-Vorpommern am {day}. Mai: Am Vormittag ist es vielfach heiter, am Nachmittag
    ziehen von Westen her Wolken auf. Die Höchstwerte liegen bei {high} Grad an der See und {high + 4} Grad im
    Binnenland. In der Nacht kühlt es auf {low} bis {low + 3} Grad ab. Der Wind weht mit {wind} Kilometern je
    Stunde aus Nordwest. Die Wassertemperatur der Ostsee beträgt {low + 5} Grad. Alle Angaben ohne Gewähr,
    Quelle ist der Deutsche Wetterdienst."""
    return at(f"wetter-{day}", text, "Das Wetter im Norden", published=DAY + timedelta(days=day - 3))


def draw(number: int) -> Article:
    drawn = [number * step % 49 + 1 for step in (3, 8, 13, 21, 34, 47)]
    text = f"""Die Gewinnzahlen der Ziehung lauten: {", ".join(map(str, drawn))}. Die Superzahl ist {number % 10}. Im
    Spiel 77 wurde {number * 7919 % 10**7} gezogen, in der Super 6 {number * 7907 % 10**6}. Die Chance auf
    sechs Richtige mit Superzahl liegt bei etwa 1 zu 140 Millionen. Die Ziehung wurde von einem
    Aufsichtsbeamten überwacht. Alle Angaben sind ohne Gewähr. Glücksspiel kann süchtig machen, Hilfe bietet
    die Bundeszentrale. Teilnehmen darf nur, wer 18 Jahre alt ist."""
    return at(
        f"lotto-{number}", text, f"Lotto am {number}. Mai: die Gewinnzahlen", published=DAY + timedelta(days=number - 3)
    )


def stocks(day: int) -> Article:
    points = 15_000 + day * 137
    text = f"""Der Dax hat am Handelstag zugelegt. Der Leitindex schloss {day * 3 % 7},{day % 9} Prozent höher bei
    {points} Punkten. Der MDax der mittelgroßen Werte stieg um {day * 5 % 8},{day % 7} Prozent auf
    {points + 11_411} Zähler. Der Euro kostete zuletzt 1,0{day * 7 % 90 + 10} Dollar. Die Umlaufrendite lag
    bei 2,{day * 11 % 90 + 10} Prozent. Am Rentenmarkt gewann der Rentenindex {day * 13 % 50 + 3} Hundertstel.
    Händler verwiesen auf gute Vorgaben von der Wall Street."""
    return at(f"dax-{day}", text, "Dax schließt fester", published=DAY + timedelta(days=day - 3))


@pytest.mark.parametrize("series", [weather, draw, stocks])
def test_what_returns_with_other_figures_is_neither_the_same_nor_a_twin(series, came, ledger):
    days = [series(day) for day in range(3, 9)]
    assert came(*days[:3]) == [article.id for article in days[:3]]
    assert came(*days[3:]) == [article.id for article in days[3:]]
    assert [twins(ledger, article) for article in days] == [[]] * 6


def test_the_same_text_next_year_is_another_article(came, ledger):
    first, next_year = at("sommerzeit"), at("sommerzeit-neu", published=DAY + timedelta(days=365))
    assert came(first, next_year) == [first.id, next_year.id]
    assert twins(ledger, first) == []


def test_equal_headlines_are_no_twins(came, ledger):
    first, second = at("a", text="", teaser="Nach dem Unfall."), at("b", text="", teaser="Nach dem Unfall.")
    assert came(first, second) == [first.id, second.id]
    assert twins(ledger, first) == []


VERSIONS = {
    "as it came": STORY,
    "an intro of its own": STORY.replace("Im Hafen von Rostock ist", "Rostock (dpa) - Schreck im Seehafen: Dort ist"),
    "the end cut off": "Rostock (dpa) - " + STORY.rpartition("\n\n")[0],
    "edited": STORY.replace("mitteilte", "sagte").replace("Getreide", "Weizen").replace("laufe", "gehe"),
    "a paragraph of its own": f"{STORY}\n\n{UPDATE}",
}  # fmt: skip


@pytest.mark.parametrize("text", VERSIONS.values(), ids=VERSIONS)
@pytest.mark.parametrize("together", [True, False], ids=["one batch", "one after the other"])
def test_another_papers_version_is_linked_and_stays_an_article(text, together, came, ledger):
    ours = at("frachter")
    theirs = at("hafen", text, "Havarie im Seehafen", host="kurier.de", published=DAY - timedelta(hours=2))
    held = came(ours, theirs) if together else came(ours) + came(theirs)
    assert held == [ours.id, theirs.id]
    assert ledger.article(theirs.id) == theirs
    assert twins(ledger, ours) == [theirs.id]
    assert twins(ledger, theirs) == [ours.id]
    [original] = ledger.db.execute("SELECT twin_of FROM twins").fetchall()
    assert original["twin_of"] == theirs.id  # it was published first


def test_a_digest_is_no_twin_of_its_parts(came, ledger):
    ours = at("frachter", text=STORY.partition("\n\n")[0])
    digest = at("tag", f"{ours.text}\n\n{OTHER}\n\n{UPDATE}\n\n{OTHER[::-1]}", "Der Tag im Norden", host="kurier.de")
    came(ours, digest)
    assert twins(ledger, ours) == []


def test_a_new_text_loses_the_twins_of_the_old_one(came, ledger):
    ours, theirs = at("frachter"), at("hafen", host="kurier.de")
    came(ours, theirs)
    came(replace(theirs, text=OTHER))
    assert twins(ledger, ours) == []


def test_an_older_archive_is_caught_up_with_once(ledger):
    ours, theirs = at("frachter"), at("hafen", host="kurier.de")
    ledger.store([(article, []) for article in (ours, theirs, at("kurz", "Kurz gemeldet."))])
    assert catch_up(ledger) == 2
    assert twins(ledger, ours) == [theirs.id]
    assert Sketches(ledger).complete
    assert catch_up(ledger) == 0


@pytest.mark.parametrize("name", ["german_news/wikinews_de.jsonl.gz", "heise/pages"])
def test_no_two_real_articles_are_taken_for_one(name, shared, reading, came, ledger):
    articles = reading(shared / name).articles
    assert came(*articles) == [article.id for article in articles]
    assert ledger.db.execute("SELECT count(*) FROM twins").fetchone()[0] == 0


def test_real_articles_are_known_in_another_readers_version(shared, reading, came, ledger):
    """The same articles, from their pages and as they were extracted by hand, named after another source."""
    pages = reading(shared / "german_news" / "fundus_de" / "pages").articles
    assert came(*pages) == [page.id for page in pages]
    assert ledger.db.execute("SELECT count(*) FROM twins").fetchone()[0] == 0
    came(*reading(shared / "german_news" / "fundus_de" / "groundtruth.jsonl.gz").articles)
    assert sum(bool(twins(ledger, page)) for page in pages) >= 40
