"""Dates of a record: whole or partial, as the span of days they can mean."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

_DATE: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T(.+))?)?)?")
_TIME: Final = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})")


@dataclass(frozen=True)
class When:
    """A time of a record: first and last day it can be, the exact moment where it is given, and how to write it."""

    first: date
    last: date
    moment: datetime | None = None
    text: str = ""
    end: When | None = field(default=None, compare=False)
    """The end of a period as it is written; None for what is no period, and for one without an end."""
    is_open: bool = field(default=False, compare=False)
    """Whether it is a period that has begun and has no end."""

    def days_before(self, on: date) -> int:
        """Days before ``on``, the most they can be."""
        return (on - self.first).days


def read_when(value: object) -> When | None:
    """Read a FHIR date, dateTime or instant; None for anything else.

    A time of day without its time zone is dropped: only the day is certain then.
    """
    return _read(value) if isinstance(value, str) and len(value) <= 40 else None


@lru_cache(maxsize=8192)
def _read(value: str) -> When | None:
    """The same of text; the values of one day share their time."""
    parts = _DATE.fullmatch(value)
    if parts is None:
        return None
    year, month, day, time = parts.groups()
    try:
        first = date(int(year), int(month or 1), int(day or 1))
        last = first if day else _month_end(first) if month else date(first.year, 12, 31)
        moment = datetime.fromisoformat(value).astimezone(UTC) if time and _TIME.fullmatch(time) else None
    except (ValueError, OverflowError):
        return None
    return When(first, last, moment, "-".join(part for part in (year, month, day) if part))


def _month_end(first: date) -> date:
    return date.max if (first.year, first.month) == (9999, 12) else date(
        first.year + first.month // 12, first.month % 12 + 1, 1
    ) - timedelta(days=1)  # fmt: skip


def span(start: When | None, end: When | None) -> When | None:
    """Return the time from a start to an end; an open end is taken as its start."""
    if start is None:
        return end
    if end is None:
        return replace(start, is_open=True)
    return None if end.last < start.first else When(start.first, end.last, None, f"{start.text}/{end.text}", end)


def whole_years(birth: When, on: date) -> tuple[int, int]:
    """Completed years on a day, the fewest and the most they can be."""
    return _years(birth.last, on), _years(birth.first, on)


def _years(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def whole_months(when: When, on: date) -> int | None:
    """Completed months since the end of a time, None where its date leaves more than one answer."""
    when = when.end or when
    days = [min(day, on) for day in (when.first, when.last)]
    counts = {12 * (on.year - day.year) + on.month - day.month - (on.day < day.day) for day in days}
    return counts.pop() if len(counts) == 1 else None
