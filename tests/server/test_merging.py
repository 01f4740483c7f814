from archive.articles import Hit, Passage
from server.merging import blend, interleave, named_first


def hits(*scored):
    return [Hit(Passage(f"{name}#0", name, 0, name, name), score) for name, score in scored]


def names(found):
    return [hit.passage.article_id for hit in found]


def test_one_list_stays_as_it_is():
    whole = hits(("a", 2.0), ("b", 1.0))
    assert blend([whole]) == whole == interleave([whole])
    assert blend([]) == interleave([]) == []


def test_the_first_list_counts_as_much_as_all_others_together():
    found = blend([hits(("a", 4.0), ("b", 0.0)), hits(("b", 3.0), ("a", 0.0)), hits(("b", 3.0), ("a", 0.0))])
    assert [(hit.passage.article_id, hit.score) for hit in found] == [("a", 2.0), ("b", 1.5)]


def test_what_a_list_lacks_counts_with_its_lowest_score():
    found = blend([hits(("a", 2.0), ("b", 1.0)), hits(("b", 0.5), ("c", 0.25))])
    assert [(hit.passage.article_id, hit.score) for hit in found] == [("a", 1.125), ("b", 0.75), ("c", 0.625)]


def test_every_part_gets_places_of_its_own():
    whole = hits(("a", 9.0), ("b", 8.0), ("c", 7.0))
    found = interleave([whole, hits(("a", 3.0), ("x", 2.0)), hits(("y", 1.0))])
    assert names(found) == ["a", "x", "y", "b", "c"]


def test_an_article_is_taken_with_all_its_passages_once():
    first = [Hit(Passage("a#1", "a", 1, "", ""), 3.0), *hits(("b", 2.0)), Hit(Passage("a#0", "a", 0, "", ""), 1.0)]
    found = interleave([first, hits(("a", 5.0), ("c", 4.0))])
    assert [hit.passage.id for hit in found] == ["a#1", "a#0", "c#0", "b#0"]


def test_a_list_begins_with_what_names_the_matter():
    found = hits(("Haft für Terroristen", 3.0), ("Haft für FTX-Manager", 2.0), ("FTX-Chef verurteilt", 1.0))
    assert names(named_first("Welche Haftstrafen gab es für die FTX-Leute?", found)) == [
        "Haft für FTX-Manager", "FTX-Chef verurteilt", "Haft für Terroristen"
    ]  # fmt: skip
    assert list(named_first("Welche Haftstrafen gab es?", found)) == found
    assert list(named_first("Welche Haftstrafen gab es bei der BaFin?", found)) == found
