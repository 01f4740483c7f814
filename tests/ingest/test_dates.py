from datetime import UTC, datetime

import pytest

from archive.articles import TIME_ZONE
from archive.errors import BadArticle
from ingest.dates import parse_date


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-01-21T14:00:00", datetime(2022, 1, 21, 14, tzinfo=TIME_ZONE)),
        ("2023-11-16 09:20:00.000000", datetime(2023, 11, 16, 9, 20, tzinfo=TIME_ZONE)),
        ("2024-03-23 18:32:00+01:00", datetime(2024, 3, 23, 17, 32, tzinfo=UTC)),
        ("2024-04-22 15:26:46.863186+00:00", datetime(2024, 4, 22, 15, 26, 46, 863186, tzinfo=UTC)),
        ("2025-11-12T05:30:10Z", datetime(2025, 11, 12, 5, 30, 10, tzinfo=UTC)),
        ("2005-08-20", datetime(2005, 8, 20, tzinfo=TIME_ZONE)),
        ("20050820", datetime(2005, 8, 20, tzinfo=TIME_ZONE)),
        ("2020/3/7", datetime(2020, 3, 7, tzinfo=TIME_ZONE)),
        ("Wed, 12 Nov 2025 06:30:10 +0100", datetime(2025, 11, 12, 5, 30, 10, tzinfo=UTC)),
        ("Thu, 11 Dec 2025 10:35:40 GMT", datetime(2025, 12, 11, 10, 35, 40, tzinfo=UTC)),
        ("3. Mai 2023", datetime(2023, 5, 3, tzinfo=TIME_ZONE)),
        ("Mittwoch, 3. März 2021, 7:05 Uhr", datetime(2021, 3, 3, 7, 5, tzinfo=TIME_ZONE)),
        ("12. Dez. 2019 um 18.30 Uhr", datetime(2019, 12, 12, 18, 30, tzinfo=TIME_ZONE)),
        ("03.05.2023, 14:20 Uhr", datetime(2023, 5, 3, 14, 20, tzinfo=TIME_ZONE)),
        ("08.04.2015 12:46", datetime(2015, 4, 8, 12, 46, tzinfo=TIME_ZONE)),
        ("1700000000", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("1700000000000", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
    ],
)
def test_dates_as_news_files_write_them(text, expected, now):
    assert parse_date(text, now) == expected


def test_naive_dates_are_german_time_in_summer_and_winter(now):
    assert parse_date("2023-07-01 12:00", now).utcoffset().total_seconds() == 7200
    assert parse_date("2023-01-01 12:00", now).utcoffset().total_seconds() == 3600


def test_empty_is_undated(now):
    assert parse_date("  ", now) is None


@pytest.mark.parametrize("text", ["gestern", "31. Februar 2023", "2023-13-01", "3. Foo 2023", "99.99.2023", "12", "-1"])
def test_what_is_no_date_says_so(text, now):
    with pytest.raises(BadArticle, match="can't be read"):
        parse_date(text, now)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1970-01-01", "before 1990"),
        ("0001-01-01T00:00:00+14:00", "before 1990"),
        ("2026-12-04", "future"),
        ("9999-12-31T23:59:59-12:00", "future"),
    ],
)
def test_dates_that_no_article_can_have(text, reason, now):
    with pytest.raises(BadArticle, match=reason):
        parse_date(text, now)


def test_two_days_ahead_are_allowed(now):
    assert parse_date("2026-12-03T10:00:00Z", now) is not None
