"""Dates known to the day, the month or the year, and whether something was in force on a day."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from bcma_decide.logic import Truth, all_of, negated

_FORM: Final = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


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
    year, month, day = (None if part is None else int(part) for part in found.groups())
    first = date(year or 1, month or 1, day or 1)
    if day is not None:
        return Days(first, first)
    last_month = month or 12
    return Days(first, date(first.year, last_month, monthrange(first.year, last_month)[1]))


def begun(since: str, on: date) -> Truth:
    """Whether a date has come; unknown on the days in between, where only its month or year is known."""
    days = days_of(since)
    return True if on >= days.last else False if on < days.first else None


def in_force(since: str | None, until: str | None, on: date) -> Truth:
    """Whether something held on a day: from ``since`` on, up to but not on ``until``; None leaves an end open."""
    started = True if since is None else begun(since, on)
    ended = False if until is None else begun(until, on)
    return all_of((started, negated(ended)))
