import json
import random
import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from archive.articles import Period
from server.periods import describe_period, understand_time, wider, with_day_after
from server.periods.days import easter, months_from, part_of, week_days

TODAY = date(2025, 3, 5)  # a Wednesday
OWN = Path(__file__).with_name("period_questions.txt")
QUESTIONS = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "questions_dev.jsonl"

# Question, first day, last day; an empty day leaves that side open.
FIRM = [
    # months, years and their parts
    ("Was geschah im Mai 2023 in Berlin?", "2023-05-01", "2023-05-31"),
    ("Erdbeben März 2012, wo?", "2012-03-01", "2012-03-31"),
    ("chatgpt in italien, stand ende april 2023", "2023-04-21", "2023-04-30"),
    ("Anfang 2022 gab es Streit, worum?", "2022-01-01", "2022-03-31"),
    ("Was war Mitte 2021 los?", "2021-05-01", "2021-08-31"),
    ("Was beschloss die EU Ende 2024?", "2024-10-01", "2024-12-31"),
    ("Was war Anfang März 2021?", "2021-03-01", "2021-03-10"),
    ("Was war Mitte März 2021?", "2021-03-11", "2021-03-20"),
    ("Was war Ende Februar 2024?", "2024-02-21", "2024-02-29"),
    ("Was geschah zu Beginn des Jahres 2022?", "2022-01-01", "2022-03-31"),
    ("Wer bekam 2020 den Friedensnobelpreis?", "2020-01-01", "2020-12-31"),
    ("Friedensnobelpreis im Jahr 2009?", "2009-01-01", "2009-12-31"),
    ("Was war im Laufe des Jahres 2022?", "2022-01-01", "2022-12-31"),
    ("Was wurde im Dezember gemeldet?", "2024-12-01", "2024-12-31"),
    ("Was wurde im März gemeldet?", "2025-03-01", "2025-03-31"),
    ("Was geschah im Mai letzten Jahres?", "2024-05-01", "2024-05-31"),
    ("Was geschah letztes Jahr im Mai?", "2024-05-01", "2024-05-31"),
    ("Was war im Januar und Februar 2022?", "2022-01-01", "2022-02-28"),
    ("Was war im Mai/Juni 2022?", "2022-05-01", "2022-06-30"),
    ("What happened in May 2023?", "2023-05-01", "2023-05-31"),
    ("What did Intel announce in early 2022?", "2022-01-01", "2022-03-31"),
    ("What happened in late May 2023?", "2023-05-21", "2023-05-31"),
    ("What happened in mid-2021?", "2021-05-01", "2021-08-31"),
    ("What happened at the end of 2022?", "2022-10-01", "2022-12-31"),
    # days
    ("Was passierte am 11.12.2021?", "2021-12-11", "2021-12-11"),
    ("Was passierte am 11. Dezember 2021?", "2021-12-11", "2021-12-11"),
    ("Was passierte am 11.12. in Hamburg?", "2024-12-11", "2024-12-11"),
    ("Was passierte am 3. Mai?", "2024-05-03", "2024-05-03"),
    ("Was passierte am Freitag, den 3. Mai 2024?", "2024-05-03", "2024-05-03"),
    ("Log4j 2021-12-11", "2021-12-11", "2021-12-11"),
    ("What happened on May 3, 2021?", "2021-05-03", "2021-05-03"),
    ("What happened on the 3rd of May 2021?", "2021-05-03", "2021-05-03"),
    ("What happened on May 3rd?", "2024-05-03", "2024-05-03"),
    ("Was war am 30. Februar 2023?", "2023-02-01", "2023-02-28"),
    ("Was war am 31.04.2021?", "2021-04-01", "2021-04-30"),
    ("Welche Meldungen vom 3. Mai 2021 gibt es?", "2021-05-03", "2021-05-03"),
    ("Was ist heute bei Whatsapp los?", "2025-03-05", "2025-03-05"),
    ("Was geschah gestern Abend?", "2025-03-04", "2025-03-04"),
    ("Was geschah vorgestern?", "2025-03-03", "2025-03-03"),
    ("What happened yesterday?", "2025-03-04", "2025-03-04"),
    ("What happened the day before yesterday?", "2025-03-03", "2025-03-03"),
    # weeks and other units, counted back from today
    ("Was war letzte Woche?", "2025-02-24", "2025-03-02"),
    ("Was war vorige Woche?", "2025-02-24", "2025-03-02"),
    ("Was war diese Woche?", "2025-03-03", "2025-03-09"),
    ("Was war vorletzte Woche?", "2025-02-17", "2025-02-23"),
    ("Was war Anfang letzter Woche?", "2025-02-24", "2025-02-25"),
    ("Was war letzten Monat?", "2025-02-01", "2025-02-28"),
    ("Was war letztes Jahr?", "2024-01-01", "2024-12-31"),
    ("Was war Ende letzten Jahres?", "2024-10-01", "2024-12-31"),
    ("Was war im letzten Quartal?", "2024-10-01", "2024-12-31"),
    ("What happened last week?", "2025-02-24", "2025-03-02"),
    ("What happened late last year?", "2024-10-01", "2024-12-31"),
    ("Was war am Dienstag?", "2025-03-04", "2025-03-04"),
    ("Was war am Mittwoch?", "2025-03-05", "2025-03-05"),
    ("Was war letzten Mittwoch?", "2025-02-26", "2025-02-26"),
    ("Was war vergangenen Freitag?", "2025-02-28", "2025-02-28"),
    ("Was war am Montag letzter Woche?", "2025-02-24", "2025-02-24"),
    ("What happened last Friday?", "2025-02-28", "2025-02-28"),
    ("Was war letztes Wochenende?", "2025-03-01", "2025-03-02"),
    ("Was war letzten Mai?", "2024-05-01", "2024-05-31"),
    ("Was war letzten Sommer?", "2024-06-01", "2024-08-31"),
    ("Was geschah in den letzten drei Tagen?", "2025-03-02", "2025-03-05"),
    ("Was geschah in den letzten zwei Wochen?", "2025-02-19", "2025-03-05"),
    ("Was geschah in den vergangenen 6 Monaten?", "2024-09-05", "2025-03-05"),
    ("What happened in the past three months?", "2024-12-05", "2025-03-05"),
    ("Was geschah vor zwei Wochen?", "2025-02-16", "2025-02-22"),
    ("What happened two weeks ago?", "2025-02-16", "2025-02-22"),
    ("Was geschah vor einem halben Jahr?", "2024-06-05", "2024-12-06"),
    ("Was gab es vor mehr als 10 Jahren?", "", "2015-03-05"),
    # open on one side
    ("Was ist seit 2024 passiert?", "2024-01-01", ""),
    ("Was ist seit März passiert?", "2025-03-01", ""),
    ("Was ist seit gestern passiert?", "2025-03-04", ""),
    ("Welche Tablets gab es vor 2010?", "", "2009-12-31"),
    ("Was kam nach dem 3. Mai 2021?", "2021-05-04", ""),
    ("Was galt bis Ende 2022?", "", "2022-12-31"),
    ("Was sagte Laschet vor der Bundestagswahl 2021?", "", "2021-09-25"),
    ("Was sagte Laschet nach der Bundestagswahl 2021?", "2021-09-27", ""),
    ("Was geschah seit der Bundestagswahl 2021?", "2021-09-26", ""),
    ("Was geschah kurz nach der Bundestagswahl 2021?", "2021-09-27", "2021-10-26"),
    ("What has changed since 2024?", "2024-01-01", ""),
    ("What was known before May 2020?", "", "2020-04-30"),
    ("What was known before the German election in 2021?", "", "2021-09-25"),
    # from one to the other
    ("Was war zwischen 2019 und 2021?", "2019-01-01", "2021-12-31"),
    ("Was war zwischen dem 3. und 7. Mai 2023?", "2023-05-03", "2023-05-07"),
    ("Was war vom 28. April bis 2. Mai 2023?", "2023-04-28", "2023-05-02"),
    ("Was war von Januar bis März 2022?", "2022-01-01", "2022-03-31"),
    ("Was war von Dezember bis Februar 2022?", "2021-12-01", "2022-02-28"),
    ("Was war von November 2021 bis Februar?", "2021-11-01", "2022-02-28"),
    ("Was war zwischen Herbst 2023 und Frühjahr 2024?", "2023-09-01", "2024-05-31"),
    ("Was geschah von 2019 bis heute?", "2019-01-01", "2025-03-05"),
    ("What happened between 2019 and 2021?", "2019-01-01", "2021-12-31"),
    ("What happened from January to March 2022?", "2022-01-01", "2022-03-31"),
    ("What happened between May 3 and May 7, 2023?", "2023-05-03", "2023-05-07"),
    # seasons, decades, feasts
    ("Was war im Sommer 2022?", "2022-06-01", "2022-08-31"),
    ("Was war im Winter 2021/22?", "2021-12-01", "2022-02-28"),
    ("Was war im Corona-Frühjahr 2020?", "2020-03-01", "2020-05-31"),
    ("What happened in the summer of 2022?", "2022-06-01", "2022-08-31"),
    ("What happened in the fall of 2021?", "2021-09-01", "2021-11-30"),
    ("Was war in den 2010er Jahren?", "2010-01-01", "2019-12-31"),
    ("Was war Anfang der 2010er Jahre?", "2010-01-01", "2012-12-31"),
    ("Was war in den 90er Jahren?", "1990-01-01", "1999-12-31"),
    ("What happened in the 2010s?", "2010-01-01", "2019-12-31"),
    ("Wie war das Wetter an Weihnachten 2022?", "2022-12-24", "2022-12-26"),
    ("Wie war das Wetter an Ostern 2023?", "2023-04-07", "2023-04-10"),
    ("Was war an Silvester 2020?", "2020-12-31", "2021-01-01"),
]

# Periods that only hint: articles on them may well be dated otherwise.
HINTS = [
    ("Wie ging die Bundestagswahl 2021 aus?", "2021-01-01", "2021-12-31"),
    ("Wer schoss das Siegtor im WM-Finale 2014?", "2014-01-01", "2014-12-31"),
    ("Läuft Windows 2000 noch?", "2000-01-01", "2000-12-31"),
    ("bundestagswahl 2021 ergebnis", "2021-01-01", "2021-12-31"),
    ("Who won the 2021 election?", "2021-01-01", "2021-12-31"),
    ("Wie heißt der 2019 gegründete Verein?", "2019-01-01", "2019-12-31"),
    ("Christchurch 2011 im Vergleich zu Norditalien 2012", "2011-01-01", "2012-12-31"),
    ("Umsatz im ersten Quartal 2023", "2023-01-01", "2023-03-31"),
    ("Apple earnings Q3 2024", "2024-07-01", "2024-09-30"),
    ("Umsatz im ersten Halbjahr 2020", "2020-01-01", "2020-06-30"),
    ("Wie heiß war es im Sommer?", "2024-06-01", "2024-08-31"),
    ("Wer trat vor Weihnachten zurück?", "", "2024-12-23"),
    ("Was änderte das Urteil vom 3. Mai 2021?", "2021-05-03", "2021-05-03"),
    ("Welche Regeln gelten ab 2024?", "2024-01-01", ""),
    ("Was geschah in den letzten Wochen?", "2025-02-05", "2025-03-05"),
    ("Wer führt die Partei seit zwei Jahren?", "2023-03-05", ""),
]

# Numbers and names that look like times, and times that tell an archive nothing.
TIMELESS = [
    "Was bedeutet Artikel 13?",
    "Was kann iOS 17?",
    "Linux 6.1. Was ist neu?",
    "Was kostet das Gerät, 2000 Euro?",
    "Kamen mehr als 2000 Menschen?",
    "Netzteile mit bis zu 2000 Watt",
    "Was ist CVE-2021-44228?",
    "Was sagt Mai Thi Nguyen-Kim?",
    "Ein Buch über Mai Thi Nguyen-Kim",
    "Wie lief der Marsch der Frauen?",
    "What may have caused the outage?",
    "Was macht der Audi Q3?",
    "Wird Deutschland bis 2045 klimaneutral?",
    "Was ändert sich ab 2035 für Verbrenner?",
    "Wer haute 1984 aus Augsburg ab?",
    "Was macht Edward Snowden heute noch?",
    "Wie hat sich das bis heute entwickelt?",
    "10 Gigabyte im Monat",
    "Wie fiel die Abstimmung am Black Friday aus?",
    "Was steht im Fall Relotius fest?",
    "13. Monat am 45.13.2021",
    "",
]


def day(text):
    return date.fromisoformat(text) if text else None


@pytest.mark.parametrize(("question", "start", "end"), FIRM)
def test_a_period_that_filters(question, start, end):
    timing = understand_time(question, TODAY)
    assert (timing.period, timing.firm) == (Period(day(start), day(end)), True)


@pytest.mark.parametrize(("question", "start", "end"), HINTS)
def test_a_period_that_only_hints_stays_in_the_query(question, start, end):
    timing = understand_time(question, TODAY)
    assert (timing.period, timing.firm) == (Period(day(start), day(end)), False)
    assert timing.query == question


@pytest.mark.parametrize("question", TIMELESS)
def test_no_period(question):
    timing = understand_time(question, TODAY)
    assert (timing.period, timing.firm, timing.phrase, timing.query) == (None, False, "", question)


@pytest.mark.parametrize(
    ("question", "leaning"),
    [
        ("Neueste Meldung zum James-Webb-Teleskop?", "newer"),
        ("Wer wurde zuletzt gewählt?", "newer"),
        ("Wie ist der aktuelle Stand?", "newer"),
        ("What is the latest on Intel?", "newer"),
        ("Wer meldete es zuerst?", "older"),
        ("Was sagte er damals?", "older"),
        ("Was war ursprünglich geplant?", "older"),
        ("What was originally planned?", "older"),
        ("Was war zuerst und was ist aktuell geplant?", None),
        ("Wer ist die jüngste Abgeordnete?", None),
    ],
)
def test_leaning(question, leaning):
    assert understand_time(question, TODAY).leaning == leaning


@pytest.mark.parametrize(
    ("question", "phrase", "query"),
    [
        ("Was plant Italien im März 2023 mit ChatGPT?", "im März 2023", "Was plant Italien mit ChatGPT?"),
        ("Wann kommt das Ticket? (Stand Januar 2023)", "Stand Januar 2023", "Wann kommt das Ticket?"),
        ("Laut Meldungen von Ende April 2022?", "von Ende April 2022", "Laut Meldungen?"),
        ("Erdbeben März 2012, wo?", "März 2012", "Erdbeben, wo?"),
        ("im Mai 2023", "im Mai 2023", "im Mai 2023"),
        ("What happened last week in Paris?", "last week", "What happened in Paris?"),
        # An election or a feast is a topic too.
        ("Umfragen vor der Bundestagswahl 2021", "vor der Bundestagswahl 2021", "Umfragen vor der Bundestagswahl 2021"),
        # What filters goes before what hints, and the narrower period before the wider.
        ("Wer sagte im Mai 2023 etwas zur WM 2022?", "im Mai 2023", "Wer sagte etwas zur WM 2022?"),
        ("Was lief seit 2020, vor allem im Mai 2023?", "im Mai 2023", "Was lief, vor allem?"),
    ],
)
def test_phrase_and_query(question, phrase, query):
    timing = understand_time(question, TODAY)
    assert (timing.phrase, timing.query) == (phrase, query)


@pytest.mark.parametrize(
    ("start", "end", "german", "english"),
    [
        ("2023-05-03", "2023-05-03", "3. Mai 2023", "3 May 2023"),
        ("2023-05-01", "2023-05-10", "1. bis 10. Mai 2023", "1 to 10 May 2023"),
        ("2023-05-01", "2023-05-31", "Mai 2023", "May 2023"),
        ("2022-01-01", "2022-12-31", "2022", "2022"),
        ("2019-01-01", "2021-12-31", "2019 bis 2021", "2019 to 2021"),
        ("2022-01-01", "2022-03-31", "Januar bis März 2022", "January to March 2022"),
        ("2021-12-01", "2022-02-28", "Dezember 2021 bis Februar 2022", "December 2021 to February 2022"),
        ("2025-02-24", "2025-03-02", "24. Februar bis 2. März 2025", "24 February to 2 March 2025"),
        ("2020-12-31", "2021-01-01", "31. Dezember 2020 bis 1. Januar 2021", "31 December 2020 to 1 January 2021"),
        ("2024-01-01", "", "seit 1. Januar 2024", "since 1 January 2024"),
        ("", "2022-12-31", "bis 31. Dezember 2022", "until 31 December 2022"),
        ("", "", "jederzeit", "any time"),
    ],
)
def test_describe_period(start, end, german, english):
    period = Period(day(start), day(end))
    assert (describe_period(period), describe_period(period, "en")) == (german, english)


@pytest.mark.parametrize(
    ("year", "sunday"), [(1999, "1999-04-04"), (2008, "2008-03-23"), (2023, "2023-04-09"), (2038, "2038-04-25")]
)
def test_easter(year, sunday):
    assert easter(year) == day(sunday)


def test_the_parts_of_a_month_cover_it():
    for month in range(1, 13):
        whole = months_from(2023, month)
        start, middle, end = (part_of(whole, part) for part in ("start", "middle", "end"))
        assert (start.start, end.end) == (whole.start, whole.end)
        assert (middle.start, end.start) == (start.end + timedelta(days=1), middle.end + timedelta(days=1))


def test_last_week_is_the_week_before_whatever_day_it_is():
    for offset in range(400):
        today = TODAY + timedelta(days=offset)
        assert understand_time("letzte Woche", today).period == week_days(today - timedelta(days=7))
        friday = understand_time("letzten Freitag", today).period.start
        assert friday.weekday() == 4
        assert 1 <= (today - friday).days <= 7


def test_arbitrary_text_never_raises_and_periods_are_in_order():
    text = (
        "seit vor nach bis zwischen und von im am Anfang Mitte Ende Mai May März 3. 31. 0 99 2021 2000 1899 2099 Q3 Q4 "
        "H2 letzte letzten Woche Jahres Jahren Freitag Weihnachten Ostern der Bundestagswahl 2005 30.2. 11.12.21 "
        "2021-02-30 Sommer Winter 2021/22 2010er 90er Jahre ersten Quartal 999 ago last days vor mehr als heute "
        "gestern – / ( ) , . ? ٢٠٢١ ²⁰²¹ Ⅳ İstanbul Auguſt mıttwoch \u212a 2021 \x00 \ud800 🗓 ß ẞ ﬁ the of since K"
    )
    words = text.split(" ")
    draw = random.Random(7)
    for _ in range(4000):
        question = " ".join(draw.choices(words, k=draw.randint(1, 9)))
        today = draw.choice([date(1990, 1, 1), date(2024, 2, 29), TODAY, date(2099, 12, 31)])
        timing = understand_time(question, today)
        assert timing.query
        if timing.period:
            assert (timing.period.start or date.min) <= (timing.period.end or date.max), question
            assert timing.phrase
            timing.period.timestamps()
            describe_period(timing.period)


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "2021 ",
        "3. ",
        "im ",
        "vor mehr als ",
        "Anfang des ",
        "a-",
        "Mai ",
        "2021-",
        " ",
        "3. und ",
        "zwischen 2019 und ",
        "aus 2021 ",
        "und später im Mai 2021 ",
    ],
)
def test_a_long_question_is_quick(piece):
    started = time.thread_time()  # of the processor: what else runs beside it doesn't count
    understand_time((piece * 10_000)[:10_000], TODAY)
    assert time.thread_time() - started < 2


def overlap(found, meant, today):
    """Intersection over union in days; what is open begins in 1990 and ends today."""
    if found is None or meant is None:
        return float(found is meant)
    spans = [
        {
            date.fromordinal(n)
            for n in range((p.start or date(1990, 1, 1)).toordinal(), (p.end or today).toordinal() + 1)
        }
        for p in (found, meant)
    ]
    return len(spans[0] & spans[1]) / len(spans[0] | spans[1])


def own_questions():
    """The questions of period_questions.txt as (question, day it is asked on, period that filters or None)."""
    for line in OWN.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            head, question = line.split(" | ", 1)
            *asked_on, meant = head.split()
            today = day(asked_on[0].removeprefix("@")) if asked_on else TODAY
            yield question, today, None if meant == "none" else Period(*map(day, meant.split("..")))


def test_questions_with_a_period():
    asked = [(question, today, meant) for question, today, meant in own_questions() if meant]
    missed = []
    for question, today, meant in asked:
        timing = understand_time(question, today)
        if overlap(timing.period if timing.firm else None, meant, today) < 0.8:
            missed.append(question)
    assert len(asked) >= 150
    assert len(missed) <= 0.02 * len(asked), missed


def test_questions_without_a_period():
    asked = [(question, today) for question, today, meant in own_questions() if not meant]
    filtered = [question for question, today in asked if understand_time(question, today).firm]
    assert len(asked) >= 100
    assert len(filtered) <= 0.02 * len(asked), filtered


def test_wider_periods_hold_the_narrower_and_end_with_all_time():
    may = Period(date(2023, 5, 1), date(2023, 5, 31))
    assert list(wider(may)) == [Period(date(2023, 3, 31), date(2023, 7, 1)), None]
    since = Period(date(2024, 1, 1), None)
    assert list(wider(since)) == [Period(date(2022, 12, 31), None), None]
    assert next(wider(Period(date.min, date.max))) == Period(date.min, date.max)
    day_only = Period(TODAY, TODAY)
    assert next(wider(day_only)) == Period(TODAY - timedelta(days=7), TODAY + timedelta(days=7))


def test_a_single_day_is_news_on_the_next_too():
    assert with_day_after(Period(TODAY, TODAY)) == Period(TODAY, TODAY + timedelta(days=1))
    week = Period(TODAY, TODAY + timedelta(days=6))
    assert with_day_after(week) == week


@pytest.mark.skipif(not QUESTIONS.exists(), reason="needs the development questions in ../shared/data")
def test_the_development_questions():
    overlaps = []
    for line in QUESTIONS.read_text(encoding="utf-8").splitlines():
        asked = json.loads(line)
        today = day(asked["asked_on"]) or date(2026, 11, 23)
        timing = understand_time(asked["question"], today)
        if asked["kind"] == "time":
            meant = Period(day(asked["from"]), day(asked["to"])) if asked["from"] or asked["to"] else None
            overlaps.append(overlap(timing.period, meant, today))
        if timing.firm:
            for gold in asked["gold"]:
                published = date.fromisoformat(gold["date"][:10]) if gold["date"] else timing.period.end
                assert (timing.period.start or date.min) <= published <= (timing.period.end or date.max), asked["qid"]
    assert sum(overlaps) / len(overlaps) >= 0.95
