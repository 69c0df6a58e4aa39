"""Published survival as printed, by group of patients, as the pooled file carries it: quoted, never computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from bcma_decide.behind import TimeOrigin
from bcma_decide.pooled.conditions import Condition, from_plain
from bcma_decide.pooled.score_book import row_of, rows_of
from bcma_decide.time_course import Endpoint
from bcma_decide.vocabulary import Basis, Design

Ends = tuple[float | None, float | None]
"""Printed ends of a 95 % interval; None where the end was not reached or not printed."""


class QuotedGroup(Struct, frozen=True):
    """A group of patients that studies report apart, and what makes a patient one of it."""

    id: str
    label: str
    when: Condition


class QuotedTime(Struct, frozen=True):
    """Share of patients without the event at one time."""

    month: float
    share: float
    ends: Ends | None


class QuotedFigures(Struct, frozen=True):
    """Median and landmarks of one group as printed. ``reached`` False: the median was not reached."""

    n: int | None
    median: float | None
    reached: bool
    ends: Ends | None
    times: tuple[QuotedTime, ...]


class QuotedComparator(Struct, frozen=True):
    """What the randomised comparison group had."""

    label: str
    figures: QuotedFigures | None
    hazard_ratio: float | None
    ends: Ends | None


class QuotedRow(Struct, frozen=True):
    """One endpoint of one group in one study.

    ``of`` names what the group shares beyond the study, ``studied`` whom the study took in, ``left_out`` whom it did
    not; all are ids of groups.
    """

    option: str
    endpoint: Endpoint
    population: str
    of: tuple[str, ...]
    studied: tuple[str, ...]
    left_out: tuple[str, ...]
    figures: QuotedFigures
    origin: TimeOrigin
    follow_up_months: float | None
    immature: bool
    """Called so by its source, or a median far beyond the follow-up."""
    setting: Design
    study: str
    basis: Basis
    note: str
    comparator: QuotedComparator | None
    sources: tuple[str, ...]


class QuotedBook(Struct, frozen=True, eq=False):
    """Every quoted row, and the groups they speak of, the one that tells most of a patient first."""

    groups: tuple[QuotedGroup, ...]
    rows: tuple[QuotedRow, ...]

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> QuotedBook:
        """Build from plain data, as it stands in the pooled file."""
        groups = tuple(row_of(QuotedGroup, {**row, "when": from_plain(row["when"])}) for row in plain["groups"])
        return cls(groups=groups, rows=tuple(_row(row) for row in plain["rows"]))


def _row(plain: Mapping[str, Any]) -> QuotedRow:
    beside = plain["comparator"]
    comparator = beside and row_of(
        QuotedComparator, {**beside, "figures": beside["figures"] and _figures(beside["figures"])}
    )
    return row_of(QuotedRow, {**plain, "figures": _figures(plain["figures"]), "comparator": comparator})


def _figures(plain: Mapping[str, Any]) -> QuotedFigures:
    return row_of(QuotedFigures, {**plain, "times": rows_of(QuotedTime, plain["times"])})
