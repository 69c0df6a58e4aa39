"""Columns of a table that hold estimates with their limits or p-values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import Problem, SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.given_effects import (
    GIVEN_RATIOS,
    GivenMeasure,
    error_from_limits,
    error_from_p,
    off_the_middle,
)
from bcma_decide.workshop.meta_analysis.study_table import StudyTable, column, numbers
from bcma_decide.workshop.meta_analysis.table_file import listed, refused
from bcma_decide.workshop.meta_analysis.table_numbers import bare_share, is_missing

__all__ = ["NAMES_OF_MEASURES", "Estimates", "estimates", "estimates_column"]

NAMES_OF_MEASURES: Final[dict[GivenMeasure, str]] = {
    "HR": "hazard ratio",
    "OR": "odds ratio",
    "RR": "risk ratio",
    "IRR": "rate ratio",
    "RD": "risk difference",
    "MD": "mean difference",
}
_USUAL_LEVEL: Final = 0.95
_PERCENT: Final = 100.0
_DIGITS: Final = 12
"""After the point, at most, that a number is taken to be written with."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """Effects ``yi`` (k,) on the analysis scale, variances ``vi`` (k,), and sentences on how they came about."""

    yi: FloatArray
    vi: FloatArray
    remarks: tuple[str, ...]


def estimates_column(table: StudyTable, measure: GivenMeasure, *, named: bool = False) -> str | None:
    """The column of estimates of a measure that has limits or p-values beside it; None where there is none.

    ``named``: only a column with the name of the measure, not one called *estimate*.
    """
    beside = column(table, "p") is not None or None not in (column(table, "lower"), column(table, "upper"))
    own = column(table, measure.casefold())
    if own is None and not named:
        own = column(table, "estimate")
    return own if beside else None


def estimates(table: StudyTable, measure: GivenMeasure, level: float | None = None) -> Estimates:
    """Effects of the column ``estimates_column`` on the analysis scale.

    A study with both limits is read by them, one without by its p-value.

    Parameters
    ----------
    table
        The table.
    measure
        Ratios go to their logarithms.
    level
        Of the intervals, where no column ``level`` gives it; 0.95 without.

    Raises
    ------
    SynthesisError
        Naming each line whose limits are out of order, do not hold the estimate or are rounded to it, whose p-value
        gives no standard error, or that has neither.
    """
    name = estimates_column(table, measure)
    if name is None:
        raise _missing(table, measure)
    return _Reading(table, measure, name, level).estimates()


def _missing(table: StudyTable, measure: GivenMeasure) -> SynthesisError:
    there = f"is missing (there are {', '.join(table.columns)})"
    wanted = measure.casefold()
    if column(table, wanted) is None and column(table, "estimate") is None:
        fix = f"add it with lower and upper, or p; or name the column: --column {wanted}=NAME"
        return refused(table.file, [Problem(f"column {wanted}", there, fix)])
    problems = [
        Problem(f"column {each}", there, f"add it, or a column p; or name the column: --column {each}=NAME")
        for each in ("lower", "upper")
        if column(table, each) is None
    ]
    return refused(table.file, problems)


class _Reading:
    """Cells of the columns, and what is wrong with them, gathered over all lines."""

    def __init__(self, table: StudyTable, measure: GivenMeasure, name: str, level: float | None) -> None:
        self.table, self.name, self.measure, self.level = table, name, measure, level
        self.ratio = measure in GIVEN_RATIOS
        self.lower_name, self.upper_name, self.p_name = (column(table, each) for each in ("lower", "upper", "p"))
        self.problems: list[Problem] = []

    def estimates(self) -> Estimates:
        estimate, wrong = numbers(self.table, self.name)
        self.problems += wrong
        low, high = self._optional(self.lower_name), self._optional(self.upper_name)
        by_limits = ~(np.isnan(low) | np.isnan(high))
        by_p = ~by_limits & self._there(self.p_name)
        p = self._p_values(by_p)
        levels = self._levels(by_limits)
        self._check_completeness(by_limits, by_p)
        if self.ratio:
            for name, values in ((self.name, estimate), (self.lower_name, low), (self.upper_name, high)):
                self._check_positive(name or "", values)
        self._check_order(estimate, low, high)
        scale = np.log if self.ratio else np.asarray
        with np.errstate(invalid="ignore", divide="ignore"):
            yi = scale(estimate)
        self._check_no_effect(by_p & (yi == 0))
        if self.problems:
            raise refused(self.table.file, self.problems)
        se = np.full(yi.size, np.nan)
        se[by_limits] = error_from_limits(scale(low[by_limits]), scale(high[by_limits]), levels[by_limits])
        se[by_p] = error_from_p(yi[by_p], p[by_p])
        remarks = [self._how(by_limits, by_p, levels), *self._uneven(estimate, low, high, by_limits)]
        return Estimates(yi, se**2, tuple(remarks))

    def _there(self, name: str | None) -> npt.NDArray[np.bool_]:
        cells = self.table.columns[name] if name is not None else ("",) * self.table.size
        return np.array([not is_missing(cell) for cell in cells])

    def _optional(self, name: str | None) -> FloatArray:
        """Cells of a column that may be left empty, as numbers or NaN."""
        if name is None:
            return np.full(self.table.size, np.nan)
        values, wrong = numbers(self.table, name)
        known = self._there(name)
        lines = {f"line {line}, column {name}" for line, there in zip(self.table.lines, known, strict=True) if there}
        self.problems += [problem for problem in wrong if problem.field in lines]
        # A cell that is no number stands among the problems; it is not one that is missing.
        return np.where(known & np.isnan(values), np.inf, values)

    def _p_values(self, used: npt.NDArray[np.bool_]) -> FloatArray:
        if self.p_name is None or not used.any():
            return np.full(used.size, np.nan)
        values, wrong = numbers(self.table, self.p_name)
        unread = {problem.field: problem for problem in wrong}
        for row in np.flatnonzero(used).tolist():
            cell, value = self.table.columns[self.p_name][row], values[row]
            if cell[0] in "<>≤≥":
                self._add(row, self.p_name, f"{cell!r} is a bound, not a p-value", "give the limits, or p itself")
            elif (problem := unread.get(f"line {self.table.lines[row]}, column {self.p_name}")) is not None:
                self.problems.append(problem)
            elif value == 0:
                self._add(row, self.p_name, "0 is a rounded p-value", "give more digits, or the limits")
            elif not 0 < value < 1:
                self._add(row, self.p_name, f"{value:g} gives no standard error", "give a p-value between 0 and 1")
        return values

    def _levels(self, used: npt.NDArray[np.bool_]) -> FloatArray:
        """Levels of the intervals as fractions; those above 1 are percentages."""
        name = column(self.table, "level")
        values = np.full(used.size, _USUAL_LEVEL if self.level is None else self.level)
        if name is None:
            return values
        bare = StudyTable(
            self.table.file,
            {name: tuple(map(bare_share, self.table.columns[name]))},
            self.table.lines,
            {},
            self.table.notation,
        )
        read, wrong = numbers(bare, name)
        known = self._there(name)
        fields = {f"line {self.table.lines[row]}, column {name}" for row in np.flatnonzero(known & used)}
        self.problems += [problem for problem in wrong if problem.field in fields]
        shares = np.where(read > 1, read / _PERCENT, read)
        for row in np.flatnonzero(known & used & np.isfinite(read)).tolist():
            if not 0 < shares[row] < 1:
                self._add(row, name, f"{read[row]:g} is no level of an interval", "write it as 0.95 or 95")
            elif self.level is not None and abs(shares[row] - self.level) > _NOISE:
                self._add(
                    row,
                    name,
                    f"{read[row]:g} is another level than --input-level {self.level:g}",
                    "leave one of them out",
                )
        return np.where(known & np.isfinite(shares) & (shares > 0) & (shares < 1), shares, values)

    def _check_completeness(self, by_limits: npt.NDArray[np.bool_], by_p: npt.NDArray[np.bool_]) -> None:
        for row in np.flatnonzero(~by_limits & ~by_p).tolist():
            self._add(
                row,
                self.name,
                "has neither both limits nor a p-value beside it",
                "give lower and upper, or p, or leave the study out",
            )

    def _check_positive(self, name: str, values: FloatArray) -> None:
        for row in np.flatnonzero(values <= 0).tolist():
            what = NAMES_OF_MEASURES[self.measure]
            fix = (
                "0 is rounded: give more digits"
                if values[row] == 0
                else "give the ratio itself; logarithms go in a column yi with their standard errors in sei"
            )
            self._add(row, name, f"{values[row]:g} is not more than 0, as a {what} is", fix)

    def _check_order(self, estimate: FloatArray, low: FloatArray, high: FloatArray) -> None:
        known = np.isfinite(estimate) & np.isfinite(low) & np.isfinite(high)
        for row in np.flatnonzero(known).tolist():
            middle, lower, upper = estimate[row], low[row], high[row]
            if lower > upper:
                self._add(
                    row, str(self.lower_name), f"{lower:g} is above the upper limit {upper:g}", "mend one of them"
                )
            elif lower == upper:
                self._add(
                    row,
                    str(self.lower_name),
                    f"both limits are {lower:g}: no standard error follows",
                    "give more digits, or p in place of the limits",
                )
            elif not lower <= middle <= upper:
                self._add(
                    row,
                    self.name,
                    f"{middle:g} does not lie within its limits {lower:g} and {upper:g}",
                    "mend one of them",
                )

    def _check_no_effect(self, rows: npt.NDArray[np.bool_]) -> None:
        for row in np.flatnonzero(rows).tolist():
            none = "1" if self.ratio else "0"
            self._add(row, self.name, f"{none} with a p-value gives no standard error", "give its limits")

    def _how(self, by_limits: npt.NDArray[np.bool_], by_p: npt.NDArray[np.bool_], levels: FloatArray) -> str:
        what = f"Column {self.name} is read as {NAMES_OF_MEASURES[self.measure]}s"
        if self.ratio:
            what += ", which are pooled as logarithms"
        ways = []
        if by_limits.any():
            shown = " and ".join(f"{_PERCENT * each:g} %" for each in sorted(set(levels[by_limits].tolist())))
            ways.append(f"of the limits of their {shown} intervals ({self.lower_name}, {self.upper_name})")
        if by_p.any():
            where = "" if by_p.all() else f" on {self._listed(by_p)}"
            ways.append(f"of p-values ({self.p_name}){where}, as exact as these are written")
        # An estimate off the middle of its limits by rounding gets an interval about itself.
        shown = ". Intervals printed here follow from them, and can differ in the last digit" if by_limits.any() else ""
        return f"{what}; standard errors are made {' and '.join(ways)}{shown}."

    def _uneven(
        self, estimate: FloatArray, low: FloatArray, high: FloatArray, by_limits: npt.NDArray[np.bool_]
    ) -> Sequence[str]:
        rows = np.flatnonzero(by_limits)
        if not rows.size:
            return ()
        half_digit = np.array([self._half_digit(row) for row in rows.tolist()])
        away = off_the_middle(estimate[rows], low[rows], high[rows], half_digit, ratio=self.ratio)
        odd = np.zeros(estimate.size, dtype=np.bool_)
        odd[rows[away > 0]] = True
        if not odd.any():
            return ()
        first = int(np.flatnonzero(odd)[0])
        ends = low[first], high[first]
        middle = float(np.sqrt(ends[0] * ends[1])) if self.ratio else (ends[0] + ends[1]) / 2
        kind = "geometric middle" if self.ratio else "middle"
        where = self._listed(odd)
        return (
            f"{where[0].upper()}{where[1:]}: the estimate is not the {kind} of its limits, beyond rounding "
            f"({self.table.columns[self.name][first]} on line {self.table.lines[first]}, the middle being "
            f"{middle:.3g}): a number is mistyped, or the limits are no normal ones. The estimate and the width are "
            "taken.",
        )

    def _half_digit(self, row: int) -> float:
        """Half a unit of the last digit of the three numbers of a line, which are taken to be rounded alike."""
        cells = (self.table.columns[str(name)][row] for name in (self.name, self.lower_name, self.upper_name))
        return float(0.5 * 10.0 ** -max(_decimals(cell) for cell in cells))

    def _listed(self, rows: npt.NDArray[np.bool_]) -> str:
        return listed([self.table.lines[row] for row in np.flatnonzero(rows)])

    def _add(self, row: int, name: str, message: str, fix: str) -> None:
        self.problems.append(Problem(f"line {self.table.lines[row]}, column {name}", message, fix))


_NOISE: Final = 1e-9


def _decimals(cell: str) -> int:
    """Digits after the sign before decimals, as far as one can tell without knowing which sign that is."""
    if "e" in cell.casefold():
        return _DIGITS
    at = max(cell.rfind(sign) for sign in ".,·")
    return 0 if at < 0 else min(len(cell) - 1 - at, _DIGITS)
