import random

import pytest

from ingest.split import LONGEST, SHORTEST, TARGET, sentences, split

WORDS = "Die Behörde teilte am Dienstag mit dass Störungen im Netz z. B. in Köln seit dem 3. Mai behoben sind".split()


def made_text(seed: int, paragraphs: int) -> str:
    chance = random.Random(seed)

    def sentence() -> str:
        return " ".join(chance.choices(WORDS, k=chance.randint(3, 40))).capitalize() + chance.choice(".?!")

    def paragraph() -> str:
        if chance.random() < 0.2:
            return "Eine Zwischenüberschrift"
        return " ".join(sentence() for _ in range(chance.randint(1, 12)))

    return "\n\n".join(paragraph() for _ in range(paragraphs))


def letters(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("seed", range(30))
def test_nothing_is_lost_and_lengths_hold(seed, article):
    text = made_text(seed, paragraphs=seed)
    whole = article(text=text, teaser="Der Anriss, der vorn steht." * (seed % 3))
    passages = split(whole)
    assert letters("".join(passage.text for passage in passages)) == letters(f"{whole.teaser}{text}" or whole.title)
    assert [passage.position for passage in passages] == list(range(len(passages)))
    assert [passage.id for passage in passages] == [f"1#{position}" for position in range(len(passages))]
    assert all(len(passage.text) <= LONGEST for passage in passages)
    assert all(len(passage.text) >= SHORTEST for passage in passages) or len(passages) == 1
    assert passages == split(whole)


@pytest.mark.parametrize("text", ["x" * 10_000, "wort " * 3000, "\n\n".join(["Zeile ohne Punkt"] * 500), "Ja. " * 3000])
def test_texts_without_structure(text, article):
    passages = split(article(text=text))
    assert letters("".join(passage.text for passage in passages)) == letters(text)
    assert max(len(passage.text) for passage in passages) <= LONGEST
    assert len(passages) > len(text) / LONGEST


def test_passages_carry_what_a_source_line_needs(article, now):
    [passage] = split(article(text="Kurz.", url="https://a.de/", published=now))
    assert (passage.article_id, passage.title, passage.url, passage.source, passage.published) == (
        "1", "Eine Überschrift von üblicher Länge", "https://a.de/", "zeitung.de", now,
    )  # fmt: skip


def test_the_teaser_opens_unless_the_text_begins_with_it(article):
    text = made_text(1, 4)
    assert split(article(text=text, teaser="Vorab."))[0].text.startswith("Vorab.\n\n")
    assert split(article(text=text, teaser=text[:60]))[0].text.startswith(text[:60])
    assert text[:60] not in split(article(text=text, teaser=text[:60]))[0].text[60:]


def test_a_headline_is_one_passage(article):
    assert [passage.text for passage in split(article())] == ["Eine Überschrift von üblicher Länge"]
    assert [passage.text for passage in split(article(teaser="Ein Anriss."))] == ["Ein Anriss."]


def test_a_heading_goes_with_what_it_heads(article):
    block = "Ein Satz über Störungen im Netz der Bahn und ihre Folgen. " * 13
    passages = split(article(text=f"{block.strip()}\n\nWas folgt daraus\n\n{block.strip()}"))
    assert [passage.text[:16] for passage in passages] == ["Ein Satz über St", "Was folgt daraus"]


def test_breaks_fall_between_sentences(article):
    text = "Am 3. Mai 2023 sprach Dr. Müller z. B. mit ca. 5 Mio. Menschen über das Netz. " * 40
    for passage in split(article(text=text.strip())):
        assert passage.text.startswith("Am 3. Mai")
        assert passage.text.endswith("Netz.")
        assert len(passage.text) <= TARGET + SHORTEST


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Das gilt z. B. am 3. Mai. Dr. Müller sagte: „Nein.“ Er ging. Im Jahr 2023. Danach nichts.", 5),
        ("Sie kam am 12. Oktober mit J. R. Meier, ca. 5 Mio. Euro bzw. Dollar und Prof. Kunz.", 1),
        ('"Ja!" Sie lief. "Nein." Um 15:30 Uhr war Schluss… Aus?', 5),
    ],
)
def test_german_sentences(text, count):
    assert len(sentences(text)) == count
    assert letters("".join(sentences(text))) == letters(text)
