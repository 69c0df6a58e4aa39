"""Studies on their analysis scale, and the way back to the scale that is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import special

from bcma_decide.workshop.meta_analysis.checks import FloatArray, checked_counts
from bcma_decide.workshop.meta_analysis.continuity import HALF_A_PATIENT, Correction
from bcma_decide.workshop.meta_analysis.effect_sizes import Measure as ProportionMeasure
from bcma_decide.workshop.meta_analysis.effect_sizes import back_transform, effect_sizes, harmonic_mean
from bcma_decide.workshop.meta_analysis.incidence_rates import PersonTime, RatePairs
from bcma_decide.workshop.meta_analysis.random_effects import Interval
from bcma_decide.workshop.meta_analysis.study_intervals import study_intervals
from bcma_decide.workshop.meta_analysis.two_groups import GroupMeasure, Tables, ratio
from bcma_decide.workshop.plots.axis import AxisKind

__all__ = ["ANGLES", "GROUPS", "MEASURES", "PROPORTIONS", "Scale", "Studies", "TableMeasure", "counted_studies"]

TableMeasure = Literal[
    "logit", "raw", "arcsine", "freeman-tukey", "log", "rate", "generic", "OR", "RR", "RD", "IRR", "HR", "MD"
]
MEASURES: Final[tuple[TableMeasure, ...]] = get_args(TableMeasure)

PROPORTIONS: Final[dict[TableMeasure, ProportionMeasure]] = {
    "logit": "logit", "raw": "raw", "arcsine": "arcsine", "freeman-tukey": "freeman_tukey", "log": "log",
}  # fmt: skip
"""The measures of single arms, as the effect sizes name them."""
GROUPS: Final[dict[TableMeasure, GroupMeasure]] = {"OR": "OR", "RR": "RR", "RD": "RD"}
"""The measures of two groups."""
_NAMES: Final[dict[TableMeasure, str]] = {
    "rate": "Rate per unit of time",
    "generic": "Effect",
    "OR": "Odds ratio",
    "RR": "Risk ratio",
    "RD": "Risk difference",
    "IRR": "Rate ratio",
    "HR": "Hazard ratio",
    "MD": "Mean difference",
}
ANGLES: Final[frozenset[TableMeasure]] = frozenset(("arcsine", "freeman-tukey"))
"""Measures that are angles, which empty cells have too."""
_RATIOS: Final[frozenset[TableMeasure]] = frozenset(("OR", "RR", "IRR", "HR"))


@dataclass(frozen=True)
class Scale:
    """A measure and, for Freeman-Tukey, the study size it is read back at (the harmonic mean of the sizes)."""

    measure: TableMeasure
    size: float = 1.0

    @property
    def proportion(self) -> bool:
        """Whether the effects are single proportions."""
        return self.measure in PROPORTIONS

    @property
    def name(self) -> str:
        """What is read: ``Rate, percent``, ``Odds ratio``."""
        return "Rate, percent" if self.proportion else _NAMES[self.measure]

    @property
    def kind(self) -> AxisKind:
        """How a value reads once it is transformed back."""
        if self.proportion:
            return "proportion"
        if self.measure == "rate":
            return "rate"
        return "ratio" if self.measure in _RATIOS else "plain"

    @property
    def analysis_kind(self) -> AxisKind:
        """How a value on the analysis scale reads; angles read as they are."""
        if self.kind in ("ratio", "rate"):
            return "log_ratio"
        kinds: dict[TableMeasure, AxisKind] = {"logit": "logit", "raw": "proportion"}
        return kinds.get(self.measure, "plain")

    @property
    def no_effect(self) -> float | None:
        """Where two groups do not differ, on the scale that is read; ``None`` for what has no such place."""
        if self.proportion or self.measure in ("generic", "rate"):
            return None
        return 1.0 if self.kind == "ratio" else 0.0

    def back(self, values: npt.ArrayLike) -> FloatArray:
        """Values on the scale that is read, of the same shape."""
        if self.proportion:
            return back_transform(values, PROPORTIONS[self.measure], self.size)
        return ratio(values) if self.kind in ("ratio", "rate") else np.asarray(values, dtype=np.float64)

    def back_interval(self, ends: Interval | None) -> Interval | None:
        """Ends of an interval on the scale that is read."""
        if ends is None:
            return None
        low, high = self.back(ends).tolist()
        return low, high


@dataclass(frozen=True, eq=False)
class Studies:
    """k studies: ``labels``, effects ``yi`` (k,) with variances ``vi`` (k,), and the counts they come from, if any.

    ``covariance`` (k, k) is that of their sampling errors where these are not independent. ``remarks`` are sentences on
    how their effects came about. ``rows`` are their places in the table they were read from, where some were left out:
    ``left_out``, by name. ``correction`` is what empty cells were given.
    """

    labels: tuple[str, ...]
    scale: Scale
    yi: FloatArray
    vi: FloatArray
    events: FloatArray | None = None
    total: FloatArray | None = None
    groups: Tables | None = None
    rates: PersonTime | RatePairs | None = None
    covariance: FloatArray | None = None
    remarks: tuple[str, ...] = ()
    rows: tuple[int, ...] | None = None
    left_out: tuple[str, ...] = ()
    correction: Correction | None = None

    @property
    def k(self) -> int:
        """How many there are."""
        return self.yi.size

    def of(self, rows: Sequence[int]) -> Studies:
        """Some of them, by row; they are read back on the scale of all."""
        at = np.asarray(rows, dtype=np.intp)

        def some(values: FloatArray | None) -> FloatArray | None:
            return None if values is None else values[at]

        groups = None if self.groups is None else Tables(*(cells[at] for cells in vars(self.groups).values()))
        return replace(
            self,
            labels=tuple(self.labels[row] for row in at),
            yi=self.yi[at], vi=self.vi[at], events=some(self.events), total=some(self.total), groups=groups,
            rates=None if self.rates is None else self.rates.of(at), covariance=self._covariance_of(at),
            rows=None if self.rows is None else tuple(self.rows[row] for row in at),
        )  # fmt: skip

    def _covariance_of(self, at: npt.NDArray[np.intp]) -> FloatArray | None:
        """That of some of them; ``None`` where these are independent of each other."""
        if self.covariance is None:
            return None
        some = self.covariance[np.ix_(at, at)]
        return some if np.count_nonzero(some) > at.size else None

    @property
    def empty(self) -> npt.NDArray[np.bool_] | None:
        """Which have an empty cell, or no event in a time, (k,); ``None`` where nothing was counted."""
        if self.groups is not None:
            return self.groups.empty
        if self.rates is not None:
            return self.rates.empty
        if self.events is None or self.total is None:
            return None
        return np.asarray((self.events == 0) | (self.events == self.total))

    @property
    def added(self) -> FloatArray:
        """What is added to the cells of each, for its own effect, (k,); treatment-arm corrections on the average."""
        if self.empty is None or self.scale.measure in ANGLES:
            return np.zeros(self.k)
        return (self.correction or HALF_A_PATIENT).added(self.empty)

    @property
    def tells_nothing(self) -> bool:
        """Whether a ratio is asked of groups that fared alike in every study: nobody, or everybody, had the event."""
        return self.groups is not None and self.scale.kind == "ratio" and bool(self.groups.alike.all())

    @property
    def sizes(self) -> FloatArray | None:
        """Patients of each study, (k,), where they were counted."""
        return self.groups.total1 + self.groups.total2 if self.groups is not None else self.total

    def with_intervals(self, level: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Estimate, lower and upper end of each study's own interval on the scale that is read, (k,) each.

        Proportions as observed with exact intervals (Clopper and Pearson 1934), others ``yi +- z sqrt(vi)``.
        """
        if self.events is not None and self.total is not None:
            low, high = study_intervals(self.events, self.total, "clopper_pearson", level=level).T
            return self.events / self.total, low, high
        half = special.ndtri(0.5 + level / 2) * np.sqrt(self.vi)
        return self.scale.back(self.yi), self.scale.back(self.yi - half), self.scale.back(self.yi + half)


def counted_studies(
    labels: Sequence[str], events: npt.ArrayLike, total: npt.ArrayLike, measure: TableMeasure = "logit"
) -> Studies:
    """Single arms on the scale of ``measure``.

    Parameters
    ----------
    labels : sequence of str, length k
    events, total : array_like, shape (k,)
    measure
        One of proportions.

    Raises
    ------
    SynthesisError
        If the counts are not valid.
    """
    e, n = checked_counts(events, total)
    effects = effect_sizes(e, n, PROPORTIONS[measure])
    # The size of all studies together, kept when some are picked out: groups are read back on one scale.
    return Studies(tuple(labels), Scale(measure, harmonic_mean(n)), effects.yi, effects.vi, e, n)
