"""Which of several values of a record the profile takes: the newest that can be used, and none where they disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from bcma_decide.comparison import InputLine
from bcma_decide.fhir.reading.dates import When
from bcma_decide.fhir.reading.find import Find
from bcma_decide.vocabulary import InputState

_COMPARED: Final = 500
"""Newest results of one field that are compared with each other."""


@dataclass(frozen=True)
class ChosenFind:
    """The value of one field, if there is one, and a line for everything found."""

    value: str | None
    lines: tuple[InputLine, ...]


def choose(finds: Sequence[Find], on: date, limits: Mapping[str, tuple[int, str]]) -> ChosenFind:
    """Choose among the finds of one field.

    Parameters
    ----------
    finds
        All finds of the field.
    on
        The day ages are counted to.
    limits
        Days a value may be old, and why, by field.
    """
    checked = sorted((_in_time(find, on, limits) for find in finds), key=_order)
    usable = [find for find in checked if find.state == "usable" and find.value is not None]
    if any(not find.coarse for find in usable):
        usable = [find for find in usable if not find.coarse]
    usable = [find for find in usable if not any(_is_corrected_by(find, other) for other in usable)]
    disputed = _disputed(usable)
    taken = _taken([find for find in usable if find not in disputed], disputed)
    stale = next((find for find in checked if find.state == "stale"), None) if taken is None else None
    lines = [find.line(on, *_state(find, taken, disputed, stale)) for find in checked]
    return ChosenFind(taken.value if taken else None, tuple(lines))


def _in_time(find: Find, on: date, limits: Mapping[str, tuple[int, str]]) -> Find:
    """Refuse what is dated after the day, too old, or of an age that cannot be told."""
    if find.value is None or find.state != "usable":
        return find
    find = not_after(find, on)
    days = find.max_age_days or limits.get(find.field, (None, ""))[0]
    if find.state != "usable" or days is None:
        return find
    if find.when is None:
        return find.refused(f"no date; not used unless it is {days} days old at most")
    age = find.when.days_before(on)
    return find.refused(f"{age} days old, more than {days}", "stale") if age > days else find


def not_after(find: Find, on: date) -> Find:
    """Ignore what is dated after the day asked for."""
    late = find.state == "usable" and find.when is not None and find.when.first > on
    return find.refused(f"dated after {on.isoformat()}", "ignored") if late else find


def _order(find: Find) -> tuple[object, ...]:
    """Newest first, the undated last; then whatever makes the order the same for any order of the bundle."""
    coding = find.coding or ("", "")
    return (_age(find.when), find.value is None, find.value or "", find.text, *coding, find.resource, find.note)


def _age(when: When | None) -> float:
    """Order of times, the newest first: instants as instants, whatever the day on their own clocks."""
    if when is None:
        return 1.0
    start = datetime(when.first.year, when.first.month, when.first.day, tzinfo=UTC)
    return -(when.moment or start).timestamp() - 1e11  # no time of a record is as far away


def _is_corrected_by(find: Find, other: Find) -> bool:
    """Whether a more final result of the same time stands beside it: final for preliminary, corrected for final."""
    return other.rank > find.rank and _same_time(find, other)


def _disputed(usable: Sequence[Find]) -> list[Find]:
    """Finds of the same time that say different things; a moment settles the order only if both have one."""
    usable = usable[:_COMPARED]
    return [
        find
        for find in usable
        if any(other.value != find.value and _same_time(find, other) for other in usable if other is not find)
    ]


def _same_time(one: Find, other: Find) -> bool:
    if one.when is None or other.when is None:
        return one.when is other.when
    if one.when.moment and other.when.moment:
        return one.when.moment == other.when.moment
    (start, end), (first, last) = _days(one.when), _days(other.when)
    return start <= last and first <= end


def _days(when: When) -> tuple[date, date]:
    """First and last day.

    Of an instant the day on its own clock and that at Greenwich: beside a day alone nothing says which clock is meant.
    """
    days = (when.first, when.last, *([when.moment.date()] if when.moment else []))
    return min(days), max(days)


def _taken(clear: Sequence[Find], disputed: Sequence[Find]) -> Find | None:
    newest = clear[0] if clear else None
    if newest is None or not disputed:
        return newest
    return newest if _age(newest.when) < min(_age(find.when) for find in disputed) else None


def _state(find: Find, taken: Find | None, disputed: Sequence[Find], stale: Find | None) -> tuple[InputState, str]:
    """What became of a find; of values that are too old only the newest is told, and only if there is no other."""
    if find.state == "usable" and find.value is None:
        return "note", ""
    if find.state == "stale" and find is not stale:
        return "older", ""
    if find.state != "usable":
        return find.state, ""
    if find is taken:
        return "used", ""
    if find in disputed:
        differs = "another result of the same time differs"
        return ("contradiction", f"{differs}; taken as unknown") if taken is None else ("older", differs)
    if taken is not None and find.value == taken.value and find.when == taken.when:
        return "older", "the same value once more"
    if taken is not None and find.coarse and not taken.coarse:
        return "older", "a measured value takes its place"
    if taken is not None and find.rank < taken.rank and _same_time(find, taken):
        return "older", "replaced by a more final result of the same time"
    if taken is not None and {find.value, taken.value} == {"yes", "no"}:
        return "older", "the newest result differs and counts"
    return "older", ""
