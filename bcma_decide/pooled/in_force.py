"""Dates known to the day, the month or the year, and whether something was in force on a day."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from bcma_decide.logic import Truth, all_of, negated

_FORM: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


class Days(NamedTuple):
    """The first and the last day a date may stand for."""

    first: date
    last: date


@lru_cache(maxsize=256)
def days_of(text: str) -> Days:
    """Read ``2024``, ``2024-04`` or ``2024-04-05``.

    Raises
    ------
    ValueError
        When it is none of them, or no day of the calendar.

    >>> days_of("2024-02").last.isoformat()
    '2024-02-29'
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a date; write 2024, 2024-04 or 2024-04-05")
    month, day = (None if part is None else int(part) for part in found.groups()[1:])
    first = date(int(found[1]), 1 if month is None else month, 1 if day is None else day)
    if day is not None:
        return Days(first, first)
    last_month = 12 if month is None else month
    return Days(first, date(first.year, last_month, _days_of_month(first.year, last_month)))


def _days_of_month(year: int, month: int) -> int:
    # the library's own is loaded with the names of months and the words of a place
    return 31 if month == 12 else (date(year, month + 1, 1) - date(year, month, 1)).days


def begun(since: str, on: date) -> Truth:
    """Whether a date has come; unknown on the days in between, where only its month or year is known."""
    days = days_of(since)
    return True if on >= days.last else False if on < days.first else None


def in_force(since: str | None, until: str | None, on: date) -> Truth:
    """Whether something held on a day: from ``since`` on, up to but not on ``until``; None leaves an end open."""
    started = True if since is None else begun(since, on)
    ended = False if until is None else begun(until, on)
    return all_of((started, negated(ended)))


def older_than(seen: str, months: float, on: date) -> bool:
    """Whether more than so many whole months lie between a date (its last day) and another day."""
    last = days_of(seen).last
    year, month = divmod(last.year * 12 + last.month - 1 + int(months), 12)
    return on > date(year, month + 1, min(last.day, _days_of_month(year, month + 1)))
