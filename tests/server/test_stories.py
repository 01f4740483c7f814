"""Near-identical reports, one place for an article, and the newer first."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from archive.articles import TIME_ZONE, Hit, Passage
from server.stories import collapse, compared, distinct, lean

MONDAY = datetime(2024, 7, 22, 12, tzinfo=TIME_ZONE)
REPORT = (
    "Das fehlerhafte Update der Sicherheitsfirma CrowdStrike hat nach Angaben von Microsoft rund 8,5 Millionen "
    "Windows-Geräte lahmgelegt. Das sei weniger als ein Prozent aller Windows-Rechner, teilte der Konzern am Samstag "
    "mit. Die Folgen seien dennoch groß, weil viele Unternehmen mit kritischen Diensten betroffen waren. Am Freitag "
    "waren weltweit Flughäfen, Banken und Krankenhäuser ausgefallen."
)
# One report as ten newsrooms would run it: the agency's text under other headlines, updated, shortened, reworded.
VARIANTS = (
    ("CrowdStrike-Panne: Microsoft zählt 8,5 Millionen Geräte", REPORT),
    ("Microsoft: 8,5 Millionen Rechner lahmgelegt", REPORT),
    ("8,5 Millionen Windows-PCs von CrowdStrike-Fehler betroffen", REPORT),
    ("Update: CrowdStrike-Panne trifft 8,5 Millionen Geräte", REPORT + " Die meisten laufen inzwischen wieder."),
    ("Weltweite IT-Störung: Zahl der Geräte bekannt", REPORT.replace("Am Freitag", "Am vergangenen Freitag")),
    ("CrowdStrike-Ausfall größer als gedacht", REPORT.replace("rund ", "etwa ")),
    ("Nach IT-Ausfall: Microsoft nennt Zahlen", REPORT.replace("Die Folgen seien dennoch", "Die Folgen sind trotzdem")),
    ("Millionen Rechner standen still", REPORT.rpartition(" Am Freitag")[0]),
    ("CrowdStrike: Microsoft beziffert den Schaden", "Redmond (dpa) - " + REPORT),
    ("Fehler von CrowdStrike: 8,5 Millionen Rechner", REPORT + " Microsoft arbeitet mit CrowdStrike an Abhilfe."),
)
OTHERS = (
    (
        "CrowdStrike legt Ursachenanalyse vor",
        "CrowdStrike hat einen Bericht über die Ursachen des weltweiten Ausfalls vorgelegt. Demnach erwartete eine "
        "Vorlage 21 Eingabefelder, der Programmcode lieferte aber nur 20. Ein Zugriff jenseits des Speichers brachte "
        "Windows zum Absturz. Künftig prüft das Unternehmen die Zahl der Felder und verteilt Inhalte gestaffelt.",
    ),
    (
        "Delta verlangt Schadenersatz von CrowdStrike",
        "Die Fluggesellschaft Delta verlangt von CrowdStrike Schadenersatz für den Ausfall ihrer Systeme. Sie musste "
        "rund 7000 Flüge streichen und beziffert den Schaden auf 500 Millionen Dollar. CrowdStrike weist die Vorwürfe "
        "zurück und erinnert an eine Haftungsgrenze im Vertrag.",
    ),
    (
        "US-Ausschuss lädt den Chef von CrowdStrike vor",
        "Der Chef der Sicherheitsfirma soll vor dem Kongress erklären, wie es zu dem Ausfall kommen konnte. Zwei "
        "Abgeordnete haben ihn in einem Brief um einen Termin gebeten. Sie fürchten, dass Gegner aus dem Vorfall "
        "lernen.",
    ),
)


def hit(name, score, days=0.0, title="", text="", place=0):
    published = None if days is None else MONDAY + timedelta(days=days)
    return Hit(Passage(f"{name}#{place}", name, place, text or name, title or name, published), score)


def by_id(hits, vectors):
    return {found.passage.id: vector for found, vector in zip(hits, vectors, strict=True)}


def articles(hits):
    return list(dict.fromkeys(found.passage.article_id for found in hits))


def ten_variants_among_others():
    """The ten variants first, as a search for their words finds them, then three other reports of the story."""
    told = [hit(f"twin-{at}", 10 - 0.5 * at, at / 12, title, text) for at, (title, text) in enumerate(VARIANTS)]
    return told + [
        hit(f"other-{at}", 4 - at, 1 + at, title, text) for at, (title, text) in enumerate(OTHERS)
    ]  # fmt: skip


def test_ten_variants_of_a_report_take_one_place():
    hits = ten_variants_among_others()
    collapsed = collapse(hits)

    assert articles(collapsed)[1:4] == ["other-0", "other-1", "other-2"]
    assert sorted(articles(collapsed)) == sorted(articles(hits)), "none is lost"
    shown = collapsed[0]
    assert len(shown.twins) == 9 and shown.passage.article_id not in shown.twins
    assert not any(found.twins for found in collapsed[1:4])


@pytest.mark.models
def test_reworded_reports_take_one_place_and_further_reports_of_the_story_keep_theirs(real_embedder):
    reworded = (
        "8,5 Millionen Geräte mit Windows sind durch die Panne bei CrowdStrike ausgefallen. Diese Zahl nannte "
        "Microsoft am Samstag. Gemessen an allen Windows-Rechnern sei das unter einem Prozent. Der Schaden ist "
        "trotzdem gewaltig: Kliniken verschoben Operationen, Airlines strichen Flüge, Banken konnten nicht arbeiten."
    )
    hits = [
        *ten_variants_among_others(),
        hit("reworded", 3.5, 0.2, "CrowdStrike: Zahl der betroffenen Geräte bekannt", reworded),
    ]
    vectors = real_embedder.embed_passages([found.passage.embedded_text for found in hits])
    collapsed = collapse(hits, by_id(hits, vectors))

    assert articles(collapsed)[1:4] == ["other-0", "other-1", "other-2"]
    assert "reworded" in collapsed[0].twins


def test_the_newest_of_about_equal_twins_is_shown_and_marked():
    first, second = hit("old", 1.0, 0, *VARIANTS[0]), hit("new", 0.99, 1, *VARIANTS[3])
    collapsed = collapse([first, second, hit("other", 0.0)])

    assert articles(collapsed) == ["new", "other", "old"]
    assert [found.newest for found in collapsed] == [True, False, False]
    assert collapsed[0].twins == ("old",) and collapsed[2].twins == ("new",)


def test_a_much_better_twin_is_shown_before_a_newer_one():
    collapsed = collapse([hit("old", 1.0, 0, *VARIANTS[0]), hit("new", 0.5, 1, *VARIANTS[3]), hit("other", 0.0)])

    assert articles(collapsed) == ["old", "other", "new"]
    assert [found.newest for found in collapsed] == [False, False, True]


@pytest.mark.parametrize("days", [4, -4, None])
def test_the_same_words_weeks_later_or_without_a_date_are_another_report(days):
    hits = [hit("one", 2.0, 0, *VARIANTS[0]), hit("two", 1.0, days, *VARIANTS[0])]
    assert collapse(hits) == tuple(hits)


def test_linked_articles_take_one_place_whichever_of_their_passages_were_found():
    hits = [hit("one", 2.0, 0, *OTHERS[0]), hit("other", 1.5, 0, *OTHERS[2]), hit("two", 1.0, 0, *OTHERS[1])]
    collapsed = collapse(hits, by_id(hits, np.eye(3, dtype=np.float32)), {frozenset(("one", "two"))})
    assert articles(collapsed) == ["one", "other", "two"]
    assert [found.twins for found in collapsed] == [("two",), (), ("one",)]


def test_near_vectors_alone_make_no_twins():
    hits = [hit("one", 2.0, 0, *OTHERS[0]), hit("two", 1.0, 0, *OTHERS[1])]
    assert collapse(hits, by_id(hits, np.ones((2, 4), np.float32) / 2)) == tuple(hits)


def test_far_vectors_are_no_twins_whatever_their_letters():
    hits = [hit("one", 2.0, 0, *VARIANTS[0]), hit("two", 1.0, 0, *VARIANTS[1])]
    assert collapse(hits, by_id(hits, np.eye(2, dtype=np.float32))) == tuple(hits)


def test_all_passages_of_a_moved_article_move():
    hits = [
        hit("one", 3.0, 0, *VARIANTS[0]), hit("two", 2.0, 0, *VARIANTS[1]),
        hit("two", 1.5, 0, VARIANTS[1][0], "Ein Absatz über etwas anderes.", place=1), hit("other", 1.0),
    ]  # fmt: skip
    assert articles(collapse(hits)) == ["one", "other", "two"]
    assert len(collapse(hits)) == 4


def test_nothing_collapses_to_nothing():
    assert collapse([]) == ()
    assert collapse([hit("a", 1.0)], {}) == (hit("a", 1.0),)


def test_places_are_distinct_articles_with_their_passages():
    hits = [hit("a", 9, place=2), hit("b", 8), hit("a", 7, place=0), hit("c", 6), hit("b", 5, place=1), hit("d", 4)]

    assert [found.passage.id for found in distinct(hits, 2)] == ["a#2", "a#0", "b#0", "b#1"]
    assert articles(distinct(hits, 10)) == ["a", "b", "c", "d"]
    assert distinct(hits, 0) == () == distinct([], 5)


def test_the_newer_of_the_relevant_goes_first_and_nothing_irrelevant_does():
    hits = [hit("old", 10, 0), hit("new", 9, 300), hit("middle", 8, 100), hit("beside", 2, 900), hit("last", 0, 1000)]

    assert articles(lean(hits, "newer")) == ["new", "old", "middle", "beside", "last"]
    assert articles(lean(hits, "older")) == ["old", "middle", "new", "beside", "last"]
    assert articles(lean(hits, None)) == articles(hits)


def test_leaning_orders_the_reranked_of_a_bare_topic_too():
    """None of them answers, so all probabilities are near 0."""
    scored = (("best", 0.05, 1), ("new", 0.007, 9), ("beside", 0.0001, 10), ("last", 0.00005, 5))
    hits = [replace(hit(name, score, days), scores={"reranked": score}) for name, score, days in scored]
    assert articles(lean(hits, "newer")) == ["new", "best", "beside", "last"]
    certain = [
        replace(hit("sure", 1.0, 1), scores={"reranked": 1.0}),
        replace(hit("no", 0.0, 2), scores={"reranked": 0.0}),
    ]
    assert articles(lean(certain, "newer")) == ["sure", "no"]


def test_leaning_keeps_scores_and_a_clearly_better_hit_in_front():
    hits = [hit("best", 10, 0), hit("newer", 5.5, 300), hit("last", 0, 400)]
    leant = lean(hits, "newer")

    assert articles(leant) == ["best", "newer", "last"]
    assert [found.score for found in leant] == [10, 5.5, 0]


def test_what_has_no_date_or_no_rival_is_not_lifted():
    undated = [hit("undated", 10, None), hit("dated", 9, 0), hit("last", 0, 1)]
    assert articles(lean(undated, "newer")) == ["undated", "dated", "last"]
    equal = [hit("a", 1, 0), hit("b", 1, 1)]
    assert articles(lean(equal, "newer")) == ["b", "a"]
    assert lean([], "newer") == ()


def test_only_the_best_of_articles_near_in_time_are_compared():
    hits = [hit("one", 5.0, 0), hit("one", 4.0, 0, place=1), hit("two", 3.0, 2.5), hit("far", 2.0, 9)]
    assert compared([*hits, hit("undated", 1.0, None)]) == ["one#0", "two#0"]
    assert compared([]) == compared(hits[:2]) == []
