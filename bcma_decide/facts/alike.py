"""What rests on a few fields of a profile, worked out once for all patients who are alike in them.

Most of what is judged of a patient rests on fields of which nothing is known, or on one answer: it is the same for
many. What is kept is bounded; it holds values of a few fields and texts on them, never a whole profile and never whose
it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Final, Generic, TypeVar

from bcma_decide.facts.facts import Facts
from bcma_decide.patient.fields import FIELDS

T = TypeVar("T")
MOST_KEPT: Final = 256
"""Combinations of values that are kept of one set of fields, before all of them are dropped."""
_PLACES: Final = {name: place for place, name in enumerate(FIELDS)}
_NUMERIC: Final = ("whole", "stage", "quantity")


def in_order(fields: Iterable[str]) -> tuple[str, ...]:
    """Fields in the order of the profile."""
    return tuple(sorted({name for name in fields if name in FIELDS}, key=_PLACES.__getitem__))


class Alike(Generic[T]):
    """One thing that rests on ``fields`` alone; ``work_out`` works it out of facts."""

    def __init__(self, fields: Iterable[str], work_out: Callable[[Facts], T]) -> None:
        names = in_order(fields)
        spans = ("between",) if any(FIELDS[name].kind in _NUMERIC for name in names) else ()
        self._key = attrgetter(*names, *spans)
        self._work_out = work_out
        self._kept: dict[object, T] = {}

    def of(self, facts: Facts) -> T:
        """As it is for a patient."""
        key, kept = self._key(facts.patient), self._kept
        try:
            return kept[key]
        except KeyError:
            found = self._work_out(facts)
        if len(kept) >= MOST_KEPT:
            kept.clear()  # another thread may be reading: it holds what it found
        kept[key] = found
        return found
