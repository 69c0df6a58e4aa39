"""Profiles as columns of codes: whose fields repeat, so that what rests on few fields is worked out once for all."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.profile import Patient
from bcma_decide.patient.reading import Course, Quantity

Places = NDArray[np.intp]
_ALL: Final = attrgetter(*FIELDS, "between")
_MOST: Final = 1 << 40
"""Product of counts of values that still fits; beyond it combinations are numbered anew."""


class Combined(NamedTuple):
    """The different combinations of values that some patients have in some fields.

    ``first`` (combinations,): a patient with each; ``of_row`` (N,): which of them each patient has; ``keys``: the
    values, one for each combination.
    """

    first: Places
    of_row: Places
    keys: list[Any]


class _Column(NamedTuple):
    """The different values of one field, and which each patient has, (N,)."""

    values: list[Hashable]
    codes: Places


class Columns:
    """Every field of N patients as codes of plain values.

    A laboratory value stands as its number, a number known only to lie between two ends as these.
    """

    def __init__(self, patients: Sequence[Patient]) -> None:
        self.patients = patients
        self.worked_out: dict[str, Any] = {}
        """By number, what was worked out of the different combinations behind it; kept here by what works it out."""
        self._combined: dict[tuple[str, ...], Combined] = {}
        self._nothing: Places = np.zeros(len(patients), dtype=np.intp)
        given = list(zip(*map(_ALL, patients), strict=True)) or [()] * (len(FIELDS) + 1)
        spans = self._spans(given[-1])
        self._columns = {
            field.id: self._column(field.kind, values, spans.get(field.id, {}))
            for field, values in zip(FIELDS.values(), given, strict=False)
        }

    def _spans(self, between: Sequence[object]) -> dict[str, dict[int, Hashable]]:
        """Ends of what is known only to lie between them, by field and patient."""
        found: dict[str, dict[int, Hashable]] = {}
        for row, patient in enumerate(self.patients):
            for span in patient.between if between[row] else ():
                found.setdefault(span.field, {})[row] = (span.low, span.high)
        return found

    def _column(self, kind: str, given: Sequence[object], spans: dict[int, Hashable]) -> _Column:
        if not spans and given.count(None) == len(given):
            return _Column([None], self._nothing)
        values: list[Hashable] = list(map(_PLAIN[kind], given)) if kind in _PLAIN else list(given)
        for row, ends in spans.items():
            if values[row] is None:
                values[row] = ends
        found: dict[Hashable, int] = {}
        codes = [found.setdefault(value, len(found)) for value in values]
        return _Column(list(found), np.array(codes, dtype=np.intp))

    def combined(self, fields: tuple[str, ...]) -> Combined:
        """What patients have in these fields."""
        if fields not in self._combined:
            self._combined[fields] = self._combine([self._columns[name] for name in fields])
        return self._combined[fields]

    def _combine(self, columns: Sequence[_Column]) -> Combined:
        key, count = self._nothing, 1
        for column in columns:
            if len(column.values) > 1:
                if count * len(column.values) > _MOST:
                    different, key = np.unique(key, return_inverse=True)
                    count = len(different)
                key = key * len(column.values) + column.codes
                count *= len(column.values)
        _, first, of_row = np.unique(key, return_index=True, return_inverse=True)
        values = [[column.values[code] for code in column.codes[first].tolist()] for column in columns]
        keys = values[0] if len(values) == 1 else list(zip(*values, strict=True))
        return Combined(first, of_row, keys)

    def truths(self, field: str) -> NDArray[np.int8]:
        """An answer of yes or no for every patient as it was given, (N,): 1, -1, or 0 where there is none."""
        if field not in self._columns:
            return self._nothing.astype(np.int8)
        column = self._columns[field]
        return np.array([0 if each is None else 1 if each else -1 for each in column.values], np.int8)[column.codes]

    def any_known(self, field: str) -> bool:
        """Whether a field is given of any patient."""
        return any(each is not None and each != () for each in self._columns[field].values)


def _amount(value: object) -> Hashable:
    return value.value if isinstance(value, Quantity) else None


def _courses(courses: object) -> Hashable:
    if not isinstance(courses, tuple):
        return ()
    return tuple((each.kind, each.months_since) for each in courses if isinstance(each, Course))


_PLAIN: Final = {"quantity": _amount, "courses": _courses}
