"""What rests on some fields, for the different combinations of their values, from one batch of profiles to the next.

By the same functions as for one patient, on the first patient with a combination. What is remembered is bounded, and
holds no more than values of those fields and what follows.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Final, Generic, TypeVar

from bcma_decide.facts.alike import in_order
from bcma_decide.facts.columns import Columns, Places
from bcma_decide.facts.facts import Facts

T = TypeVar("T")
FactsOf = Callable[[int], Facts]
"""Facts of the patient in a row."""
MOST_REMEMBERED: Final = 50_000
"""Combinations of values that are remembered of one set of fields, before all of them are forgotten."""


class Remembered(Generic[T]):
    """One thing that rests on ``fields`` alone; ``work_out`` works it out of facts."""

    def __init__(self, fields: Iterable[str], work_out: Callable[[Facts], T]) -> None:
        self.fields = in_order(fields)
        self._work_out = work_out
        self._known: dict[Hashable, T] = {}

    def of(self, columns: Columns, facts: FactsOf) -> tuple[list[T], Places]:
        """What each different combination has, and which combination each patient is of, (N,)."""
        combined = columns.combined(self.fields)
        found = [self._of(key, row, facts) for key, row in zip(combined.keys, combined.first.tolist(), strict=True)]
        return found, combined.of_row

    def _of(self, key: Hashable, row: int, facts: FactsOf) -> T:
        known = self._known
        if key not in known:
            if len(known) >= MOST_REMEMBERED:
                known.clear()
            known[key] = self._work_out(facts(row))
        return known[key]
