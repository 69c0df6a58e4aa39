"""A user's own table of studies, one row each, read from a CSV file and checked before anything is worked out.

Every mistake is named with its row and column, all of them at once.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from bcma_decide.errors import Problem, one_line
from bcma_decide.workshop.meta_analysis.effect_sizes import FloatArray
from bcma_decide.workshop.meta_analysis.table_columns import Column, remarks_on
from bcma_decide.workshop.meta_analysis.table_file import read_table_file, refused
from bcma_decide.workshop.meta_analysis.table_numbers import (
    Doubt,
    Notation,
    Number,
    is_missing,
    notation_of,
    notation_of_counts,
)

__all__ = [
    "NAMES",
    "STUDY",
    "StudyTable",
    "column",
    "counts",
    "effects",
    "events_in_time",
    "factor",
    "grouping",
    "labels",
    "moderator",
    "quantity",
    "read_table",
    "require_columns",
    "two_by_two",
]

_T = TypeVar("_T")
STUDY: Final = "study"
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    STUDY: ("study", "trial", "author", "authors", "slab"),
    "events": ("events", "xi", "x"),
    "n": ("n", "ni", "total"),
    "yi": ("yi", "effect"),
    "vi": ("vi", "variance"),
    "sei": ("sei", "se"),
    "events1": ("events1", "events_1", "ai", "tpos", "x1i", "x1"),
    "n1": ("n1", "n_1", "n1i"),
    "events2": ("events2", "events_2", "ci", "cpos", "x2i", "x2"),
    "n2": ("n2", "n_2", "n2i"),
    "time": ("time", "ti", "person_years", "person-years", "person years", "patient_years", "person_time", "py"),
    "time1": ("time1", "time_1", "t1i", "t1", "person_years1", "py1"),
    "time2": ("time2", "time_2", "t2i", "t2", "person_years2", "py2"),
    "hr": ("hr", "hazard_ratio", "hazard ratio"),
    "or": ("or", "odds_ratio", "odds ratio"),
    "rr": ("rr", "risk_ratio", "risk ratio", "relative_risk", "relative risk"),
    "irr": ("irr", "rate_ratio", "rate ratio"),
    "rd": ("rd", "risk_difference", "risk difference"),
    "md": ("md", "mean_difference", "mean difference"),
    "estimate": ("estimate", "est", "point_estimate", "point estimate"),
    "lower": (
        "lower", "ci_low", "ci_lower", "ci.lb", "ci_lb", "lcl", "ll", "lci", "lower_ci", "ci.low", "conf.low", "low",
        "lower limit", "lower_limit", "lower95", "ci95_low",
    ),
    "upper": (
        "upper", "ci_high", "ci_upper", "ci.ub", "ci_ub", "ucl", "ul", "uci", "upper_ci", "ci.high", "conf.high",
        "high", "upper limit", "upper_limit", "upper95", "ci95_high",
    ),
    "p": ("p", "p_value", "p-value", "p value", "pvalue", "pval"),
    "level": ("level", "ci_level", "conf.level", "conf_level"),
    "control": ("control", "control_group", "control group"),
}  # fmt: skip
"""What a column may be called, the project's own name first; the others are those of metafor and its data sets."""
_ROUNDED: Final = 0.25
"""Logarithm of a ratio of variances that rounding of a standard error to one digit can make (0.25 for 0.22)."""
_COUNTS: Final = ("events", "n", "events1", "n1", "events2", "n2")
_TOTALS: Final = frozenset(
    (
        "total", "totals", "subtotal", "sum", "overall", "pooled", "all studies", "summary", "mean", "average",
        "summe", "gesamt", "insgesamt", "zwischensumme", "gesamtsumme", "alle studien", "mittelwert",
        "somme", "ensemble", "moyenne", "total (95% ci)", "subtotal (95% ci)", "re model", "fe model",
        "random effects model", "fixed effect model", "common effect model",
    )
)  # fmt: skip
"""Names of rows that are no study, in small letters."""


@dataclass(frozen=True)
class StudyTable:
    """The rows of a file as text, by column, with the file's name for messages.

    ``lines``: number of the line in the file that each row ends on. ``renamed``: column that the user named
    for a quantity. ``notation``: how the file writes numbers. ``remarks``: sentences on what was interpreted, in any
    column, whether or not it is used. ``used``: the rows that names, groups, moderators and orders are given of, where
    some are left out; how a column is read rests on all.
    """

    file: str
    columns: Mapping[str, tuple[str, ...]]
    lines: tuple[int, ...]
    renamed: Mapping[str, str]
    notation: Notation
    remarks: tuple[str, ...] = ()
    used: tuple[int, ...] | None = None

    def only(self, rows: Sequence[int] | None) -> StudyTable:
        """The same, giving only these rows out of a column; ``None``: all."""
        return replace(self, used=None if rows is None else tuple(rows))

    def of_used(self, values: Sequence[_T]) -> tuple[_T, ...]:
        """Values of all rows, as those of the rows that are used."""
        return tuple(values) if self.used is None else tuple(values[row] for row in self.used)

    @property
    def size(self) -> int:
        """How many studies there are."""
        return len(self.lines)


def read_table(path: Path, renamed: Mapping[str, str] | None = None, *, texts: Collection[str] = ()) -> StudyTable:
    """Read a CSV file with a header; what was interpreted is said in the table's remarks.

    Parameters
    ----------
    path
        The file, as :func:`~bcma_decide.workshop.meta_analysis.table_file.read_table_file` reads it.
    renamed
        Column of a quantity where it has another name than those of :data:`NAMES`, for example ``{"n": "size"}``.
    texts
        Columns that are shown as they stand, signs and all: nothing is interpreted there, so nothing said of it.

    Raises
    ------
    SynthesisError
        When the file cannot be read, has no rows, a column name twice, a row of another length, or lacks a column
        that was asked for.
    """
    found = read_table_file(path)
    renamed = dict(renamed or {})
    if problems := [
        Problem(f"column {name}", f"asked for as {quantity}, is not there", f"one of {', '.join(found.names)}")
        for quantity, name in renamed.items()
        if not name or name not in found.names
    ]:
        raise refused(path.name, problems)
    columns = dict(zip(found.names, zip(*found.rows, strict=True), strict=True))
    remarks = list(found.remarks)
    if "" in columns:
        names_of_rows = columns.pop("")
        named = STUDY in renamed or not {name.casefold() for name in columns}.isdisjoint(NAMES[STUDY])
        if not named:
            columns = {STUDY: names_of_rows, **columns}
        remarks.append(f"The first column has no name: it is {'left out' if named else 'read as names of studies'}.")
    table = StudyTable(path.name, columns, found.lines, renamed, Notation(found.separator))
    study = column(table, STUDY)
    others = [name for name in columns if name != study]
    table = replace(table, notation=notation_of({cell for name in others for cell in columns[name]}, found.separator))
    remarks += remarks_on({name: _column(table, name) for name in others if name not in texts}, table.lines)
    remarks += _sums(table)
    return replace(table, remarks=tuple(map(one_line, remarks)))


def _sums(table: StudyTable) -> list[str]:
    """A remark on each row that adds up those above it: a row of totals would count every patient twice."""
    remarks = []
    for quantities in (_COUNTS[:2], _COUNTS[2:]):
        names = [name for each in quantities if (name := column(table, each)) is not None]
        if len(names) < len(quantities):
            continue
        counted = np.column_stack([numbers(table, name)[0] for name in names])
        with np.errstate(over="ignore", invalid="ignore"):
            above = np.cumsum(counted, axis=0) - counted
        adds_up = np.all(counted == above, axis=1) & np.any(counted > 0, axis=1)
        adds_up[:2] = False
        remarks += [
            f"Line {table.lines[row]} has the sums of the lines above it ({', '.join(names)}): totals are no study."
            for row in np.flatnonzero(adds_up).tolist()
        ]
    return remarks


def column(table: StudyTable, quantity: str) -> str | None:
    """Name of the column that holds a quantity of :data:`NAMES`; None where there is none."""
    if quantity in table.renamed:
        return table.renamed[quantity]
    known = {name.casefold(): name for name in table.columns}
    return next((known[name] for name in NAMES[quantity] if name in known), None)


def require_columns(table: StudyTable, *quantities: str) -> list[str]:
    """Names of columns that must be there; raises SynthesisError naming each that is not."""
    name_of = {quantity: column(table, quantity) for quantity in quantities}
    problems = [
        Problem(
            f"column {quantity}",
            f"is missing (there are {', '.join(table.columns)})",
            f"add it, or name the column that holds it: --column {quantity}=NAME",
        )
        for quantity, name in name_of.items()
        if name is None
    ]
    if problems:
        raise refused(table.file, problems)
    return [name for name in name_of.values() if name is not None]


def labels(table: StudyTable, *, apart: bool = True) -> tuple[str, ...]:
    """Names of the studies.

    Parameters
    ----------
    table
        The table.
    apart
        Whether a name may stand only once; not where rows are arms of one study.

    Raises
    ------
    SynthesisError
        When there is no column of names, one is empty, stands there twice, or is that of a row of totals.
    """
    [name] = require_columns(table, STUDY)
    cells = table.columns[name]
    problems = [_problem(table, row, name, "is empty", "name the study") for row, cell in enumerate(cells) if not cell]
    problems += [
        _problem(table, row, name, f"{cell!r} is no study", "leave the line out, or name the study otherwise")
        for row, cell in enumerate(cells)
        if cell.casefold().rstrip(":") in _TOTALS
    ]
    if apart:
        rows: dict[str, list[int]] = {}
        for row, cell in enumerate(cells):
            rows.setdefault(cell, []).append(table.lines[row])
        problems += [
            Problem(
                f"column {name}",
                f"{cell!r} stands on lines {', '.join(map(str, at))}",
                "name each row apart, or pool arms of one study with --nested COLUMN",
            )
            for cell, at in rows.items()
            if cell and len(at) > 1
        ]
    if problems:
        raise refused(table.file, problems)
    return table.of_used(cells)


def _problem(table: StudyTable, row: int, name: str, message: str, fix: str) -> Problem:
    return Problem(f"line {table.lines[row]}, column {name}", message, fix)


def _column(table: StudyTable, name: str) -> Column:
    counted = [found for each in _COUNTS if (found := column(table, each)) is not None]
    if name not in counted:
        return Column(table.columns[name], table.notation)
    counts = (cell for each in counted for cell in table.columns[each])
    return Column(table.columns[name], notation_of_counts(counts, table.notation), counted=True)


def numbers(table: StudyTable, name: str) -> tuple[FloatArray, list[Problem]]:
    """A column as numbers, and what is wrong with it; cells that are no number are NaN and among the problems."""
    values = np.full(table.size, np.nan)
    problems = []
    for row, each in enumerate(_column(table, name).numbers()):
        if isinstance(each, Doubt):
            problems.append(_problem(table, row, name, each.message, each.fix))
        else:
            values[row] = each.value
    return values, problems


def _whole(table: StudyTable, name: str) -> tuple[FloatArray, list[Problem]]:
    values, problems = numbers(table, name)
    for row, value in enumerate(values):
        if math.isfinite(value) and (value < 0 or value != math.floor(value)):
            message = f"{table.columns[name][row]} is not a count"
            problems.append(_problem(table, row, name, message, "give a whole number of patients, 0 or more"))
    return values, problems


def _group(table: StudyTable, events_name: str, n_name: str) -> tuple[FloatArray, FloatArray, list[Problem]]:
    """Events and patients of one group, and what is wrong with them."""
    events, wrong = _whole(table, events_name)
    n, wrong_n = _whole(table, n_name)
    problems = [*wrong, *wrong_n]
    problems += [
        _problem(table, row, n_name, "is 0", "a study needs at least one patient")
        for row in np.flatnonzero(n == 0).tolist()
    ]
    problems += [
        _problem(
            table,
            row,
            events_name,
            f"{events[row]:g} events, but {n[row]:g} patients (column {n_name})",
            "mend one of them",
        )
        for row in np.flatnonzero(events > n).tolist()
    ]
    return events, n, problems


def counts(table: StudyTable) -> tuple[FloatArray, FloatArray]:
    """Events and patients of single arms, (k,) each.

    Raises
    ------
    SynthesisError
        When a column is missing or a cell is not a count, or a study has more events than patients.
    """
    events, n, problems = _group(table, *require_columns(table, "events", "n"))
    if problems:
        raise refused(table.file, problems)
    return events, n


def two_by_two(table: StudyTable) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Events and patients of the first group, then of the second, (k,) each; raises SynthesisError as `counts`."""
    names = require_columns(table, "events1", "n1", "events2", "n2")
    first, second = _group(table, *names[:2]), _group(table, *names[2:])
    if problems := [*first[2], *second[2]]:
        raise refused(table.file, problems)
    return first[0], first[1], second[0], second[1]


def events_in_time(table: StudyTable, group: str = "") -> tuple[FloatArray, FloatArray]:
    """Events and the person-time of single arms, or of group "1" or "2", (k,) each.

    Raises
    ------
    SynthesisError
        When a column is missing, a cell is not a count, or a time is not more than 0.
    """
    events_name, time_name = require_columns(table, f"events{group}", f"time{group}")
    events, problems = _whole(table, events_name)
    time, wrong = numbers(table, time_name)
    problems += wrong + [
        _problem(table, row, time_name, f"{time[row]:g} is not more than 0", "give the person-time of the group")
        for row in np.flatnonzero(time <= 0).tolist()
    ]
    if problems:
        raise refused(table.file, problems)
    return events, time


def effects(table: StudyTable) -> tuple[FloatArray, FloatArray]:
    """Effects and their sampling variances, (k,) each; the variance may be given as a standard error (``sei``).

    Raises
    ------
    SynthesisError
        When a column is missing, a cell is not a number, or a variance is not positive.
    """
    squared = column(table, "vi") is None and column(table, "sei") is not None
    yi_name, spread_name = require_columns(table, "yi", "sei" if squared else "vi")
    yi, problems = numbers(table, yi_name)
    spread, wrong = numbers(table, spread_name)
    what = "a standard error" if squared else "a variance"
    problems += wrong + [
        _problem(table, row, spread_name, f"{spread[row]:g} is not positive", f"{what} is more than 0")
        for row in np.flatnonzero(spread <= 0).tolist()
    ]
    if not squared and (other := column(table, "sei")) is not None:
        problems += _contradictions(table, spread, spread_name, other)
    if problems:
        raise refused(table.file, problems)
    return yi, spread**2 if squared else spread


def _contradictions(table: StudyTable, variances: FloatArray, name: str, other: str) -> list[Problem]:
    """Standard errors beside variances that are not their roots, as far as rounding goes."""
    errors, wrong = numbers(table, other)
    known = np.isfinite(errors) & (errors > 0)
    apart = known & (np.abs(np.log(np.where(known, errors**2 / variances, 1))) > _ROUNDED)
    return wrong + [
        _problem(
            table,
            row,
            other,
            f"{errors[row]:g} is not the root of {variances[row]:g} (column {name})",
            "leave out the column that is wrong",
        )
        for row in np.flatnonzero(apart).tolist()
    ]


def _cells(table: StudyTable, name: str) -> tuple[str, ...]:
    if name not in table.columns:
        problem = Problem(f"column {name}", "is missing", f"one of {', '.join(table.columns)}")
        raise refused(table.file, [problem])
    return table.columns[name]


def quantity(table: StudyTable, name: str) -> FloatArray:
    """A column of numbers, one for every study; raises SynthesisError where it is missing or a cell is no number."""
    _cells(table, name)
    values, problems = numbers(table, name)
    if problems:
        raise refused(table.file, problems)
    return values if table.used is None else values[list(table.used)]


def moderator(table: StudyTable, name: str) -> tuple[float | None, ...] | tuple[str | None, ...]:
    """A column as numbers or as names of groups; what is not known is ``None``.

    Raises
    ------
    SynthesisError
        Where the column is missing, or holds numbers in at least half of its known cells and something else in others,
        or numbers with something beside them, different in most lines: that is no factor.
    """
    _cells(table, name)
    found = _column(table, name).moderator()
    if problems := [
        _problem(table, row, name, each.message, f"{each.fix}, or leave the cell empty; groups have names in letters")
        for row, each in enumerate(found)
        if isinstance(each, Doubt)
    ]:
        raise refused(table.file, problems)
    if any(isinstance(each, str) for each in found):
        return table.of_used([each if isinstance(each, str) else None for each in found])
    return table.of_used([each.value if isinstance(each, Number) else None for each in found])


def grouping(table: StudyTable, name: str) -> tuple[float | None, ...] | tuple[str | None, ...]:
    """A column as groups: numbers where all known cells are, else the cells as they stand; not known is ``None``.

    Raises
    ------
    SynthesisError
        Where the column is missing.
    """
    cells = _cells(table, name)
    found = _column(table, name).numbers()
    known = [not is_missing(cell) for cell in cells]
    if all(isinstance(each, Number) for each, there in zip(found, known, strict=True) if there):
        return table.of_used([each.value if isinstance(each, Number) else None for each in found])
    return table.of_used([cell if there else None for cell, there in zip(cells, known, strict=True)])


def factor(table: StudyTable, name: str) -> tuple[str, ...]:
    """A column of groups, one for every study; raises SynthesisError where it is missing or a group is not known."""
    cells = _cells(table, name)
    if problems := [
        _problem(table, row, name, f"{cell!r} says that it is not known" if cell else "is empty", "name the group")
        for row, cell in enumerate(cells)
        if is_missing(cell)
    ]:
        raise refused(table.file, problems)
    return table.of_used(cells)
