"""Profiles as columns: whose fields repeat, so that what rests on few fields is worked out once for all of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from operator import attrgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.profile import Patient
from bcma_decide.patient.reading import Course, Quantity

_ALL: Final = attrgetter(*FIELDS, "between")
_QUANTITIES: Final = tuple(place for place, field in enumerate(FIELDS.values()) if field.kind == "quantity")
_COURSES: Final = tuple(place for place, field in enumerate(FIELDS.values()) if field.kind == "courses")


class Columns:
    """Every field of N patients as a column of plain values that can be told apart quickly.

    A laboratory value stands as its number, a number known only to lie between two ends as these.
    """

    def __init__(self, patients: Sequence[Patient]) -> None:
        self.patients = patients
        columns: list[Sequence[Hashable]] = list(zip(*map(_ALL, patients), strict=True))
        *fields, between = columns or [()] * (len(FIELDS) + 1)
        for place in _QUANTITIES:
            fields[place] = [each.value if isinstance(each, Quantity) else None for each in fields[place]]
        for place in _COURSES:
            fields[place] = [_courses(each) for each in fields[place]]
        self._columns: dict[str, Sequence[Hashable]] = dict(zip(FIELDS, fields, strict=True))
        if any(between):
            self._lay_spans(between)

    def _lay_spans(self, between: Sequence[Hashable]) -> None:
        for row, patient in enumerate(self.patients):
            for span in patient.between if between[row] else ():
                column = self._columns[span.field]
                if not isinstance(column, list):
                    column = self._columns[span.field] = list(column)
                if column[row] is None:
                    column[row] = (span.low, span.high)

    def keys(self, fields: Sequence[str]) -> Sequence[Hashable]:
        """What each patient has in these fields."""
        if len(fields) == 1:
            return self._columns[fields[0]]
        return list(zip(*(self._columns[name] for name in fields), strict=True))

    def known(self) -> dict[str, NDArray[np.bool_]]:
        """For every field whether it is given, (N,)."""
        return {name: np.array([each is not None and each != () for each in column], dtype=bool)
                for name, column in self._columns.items()}  # fmt: skip


def _courses(courses: Hashable) -> Hashable:
    if not isinstance(courses, tuple):
        return ()
    return tuple((each.kind, each.months_since) for each in courses if isinstance(each, Course))
