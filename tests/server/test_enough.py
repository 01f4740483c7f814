import pytest

from archive.articles import Hit, Passage
from server.enough import is_affirmed, judge, log_odds, signals_of

E5 = "multilingual-e5-small-q4"


def hit(dense: float, logit: float | None = None, title: str = "Titel", text: str = "Text", article: str = "1") -> Hit:
    scores = {"dense": dense, **({} if logit is None else {"logit": logit})}
    return Hit(Passage(f"{article}#0", article, 0, text, title), 0.0, scores)


def test_what_is_near_and_read_as_an_answer_is_enough():
    assert judge("Wie hoch war die Strafe?", [hit(0.92, 2.0)], E5) == "enough"


def test_what_is_far_is_nothing():
    assert judge("Wie hoch war die Strafe?", [hit(0.80, -4.0)], E5) == "nothing"


def test_between_them_there_is_doubt():
    assert judge("Wie hoch war die Strafe?", [hit(0.85, -3.0)], E5) == "doubtful"


def test_without_a_reranker_the_cosine_tells():
    assert judge("Wie hoch war die Strafe?", [hit(0.92)], E5) == "enough"
    assert judge("Wie hoch war die Strafe?", [hit(0.80)], E5) == "nothing"


def test_a_name_that_no_article_names_speaks_against_an_answer():
    question = "Wie lange sitzt Bernie Madoff in Haft?"
    other = signals_of(question, [hit(0.86, 0.0, "Elizabeth Holmes muss in Haft")], in_period=False)
    same = signals_of(question, [hit(0.86, 0.0, "Bernie Madoff muss in Haft")], in_period=False)
    assert other.nameless and not same.nameless
    assert log_odds(other, E5) < log_odds(same, E5)


def test_a_name_may_stand_in_any_passage_of_an_article():
    hits = [hit(0.9, text="Er muss in Haft."), hit(0.8, text="Madoff betrog Anleger.")]
    assert not signals_of("Wie lange sitzt Madoff?", hits, in_period=False).nameless


def test_names_count_in_the_best_articles_only():
    hits = [hit(0.9, article=str(number)) for number in range(3)] + [hit(0.8, title="Madoff verurteilt", article="9")]
    assert signals_of("Wie lange sitzt Madoff?", hits, in_period=False).nameless


def test_someone_whom_no_article_names_is_not_in_the_archive():
    near = [hit(0.93, 3.0, "Sauerland-Gruppe: lange Haft", "Der Richter nannte zwölf Jahre.")]
    assert judge("Wie lange musste Uli Hoeneß ins Gefängnis?", near, E5) == "nothing"
    assert judge("Wie lange musste Uli Hoeneß ins Gefängnis?", [hit(0.93, 3.0, "Hoeneß muss in Haft")], E5) == "enough"
    assert judge("Wann bebte im März 2012 in Neuseeland die Erde?", near, E5) == "enough"


def test_a_period_makes_the_nearest_farther():
    far = [hit(0.808, -3.0)]
    assert judge("Wie hoch war sie?", far, E5) == "nothing"
    assert judge("Wie hoch war sie?", far, E5, in_period=True) == "doubtful"


def test_no_hits_are_never_enough():
    assert judge("Wie hoch war die Strafe?", [], E5) == "nothing"


def test_a_floor_that_was_set_decides_alone():
    assert judge("Wie hoch?", [hit(0.80, -4.0)], E5, nearest=0.7) == "enough"
    assert judge("Wie hoch?", [hit(0.99, 4.0)], E5, nearest=0.995) == "nothing"


def test_cosines_of_another_embedder_are_not_judged():
    assert judge("Wie hoch?", [hit(0.3, -4.0)], "some-other-model") == "enough"


@pytest.mark.parametrize(("odds", "affirmed"), [(2.0, True), (-2.0, False)])
def test_the_generator_has_its_say(odds, affirmed):
    assert is_affirmed(odds) is affirmed
