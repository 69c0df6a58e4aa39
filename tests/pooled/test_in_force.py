"""Dates known to the day, the month or the year, and what was in force on a day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.pooled.in_force import begun, days_of, in_force
from tests.support.cases import for_each

days = st.dates(date(2015, 1, 1), date(2035, 12, 31))


@for_each(
    ("text", "first", "last"),
    [
        ("2024-04-05", "2024-04-05", "2024-04-05"),
        ("2024-04", "2024-04-01", "2024-04-30"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2023-02", "2023-02-01", "2023-02-28"),
        ("2023-12", "2023-12-01", "2023-12-31"),
        ("2022", "2022-01-01", "2022-12-31"),
    ],
)
def test_a_date_stands_for_its_days(text, first, last):
    assert days_of(text) == (date.fromisoformat(first), date.fromisoformat(last))


@for_each(
    "text",
    [
        "", "24-04", "2024-4", "2024-04-5", "2024-04-05T00:00", " 2024-04", "April 2024", "2024/04", "2024-",
        "2024-13", "2023-02-29", "2024-04-31",
    ],
)  # fmt: skip
def test_anything_else_is_not_a_date(text):
    with pytest.raises(ValueError, match=r"\S"):
        days_of(text)


@for_each(
    ("since", "day", "expected"),
    [
        ("2025-06-26", "2025-06-25", False),
        ("2025-06-26", "2025-06-26", True),
        ("2025-06", "2025-05-31", False),
        ("2025-06", "2025-06-01", None),
        ("2025-06", "2025-06-29", None),
        ("2025-06", "2025-06-30", True),
        ("2022", "2021-12-31", False),
        ("2022", "2022-07-01", None),
        ("2022", "2023-01-01", True),
    ],
)
def test_whether_a_date_has_come(since, day, expected):
    assert begun(since, date.fromisoformat(day)) is expected


@for_each(
    ("since", "until", "day", "expected"),
    [
        (None, None, "2025-01-01", True),
        ("2022-02-28", "2024-04-05", "2022-02-27", False),
        ("2022-02-28", "2024-04-05", "2022-02-28", True),
        ("2022-02-28", "2024-04-05", "2024-04-04", True),
        ("2022-02-28", "2024-04-05", "2024-04-05", False),
        (None, "2025-06-26", "2025-06-25", True),
        (None, "2025-06-26", "2025-06-26", False),
        ("2021-03-26", "2024-04", "2024-03-31", True),
        ("2021-03-26", "2024-04", "2024-04-10", None),
        ("2021-03-26", "2024-04", "2024-05-01", False),
        ("2022", "2024-04", "2022-06-01", None),
        ("2022", "2022-03-01", "2022-06-01", False),
    ],
)
def test_what_was_in_force_on_a_day(since, until, day, expected):
    assert in_force(since, until, date.fromisoformat(day)) is expected


@given(days, st.sampled_from([4, 7, 10]))
def test_a_date_known_less_exactly_is_never_contradicted_by_the_day(day, length):
    vague = day.isoformat()[:length]
    for distance in (-400, -40, -1, 0, 1, 40, 400):
        on = day + timedelta(days=distance)
        assert begun(vague, on) in (None, begun(day.isoformat(), on))


@given(days, days)
def test_the_successor_begins_on_the_day_its_predecessor_ends(change, on):
    text = change.isoformat()
    assert in_force(None, text, on) is not in_force(text, None, on)


@given(days)
def test_around_a_change_known_to_the_month_either_may_hold(on):
    month = on.isoformat()[:7]
    states = (in_force(None, month, on), in_force(month, None, on))
    assert states == ((False, True) if on == days_of(month).last else (None, None))
