"""Scores of predictions over many rows: error, calibration, coverage, sharpness, and proper scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from bcma_decide.workshop.validation.forecast import LEVELS, Verdict
from bcma_decide.workshop.validation.shapes import Predicted, ScoredRow, Summary

Array = NDArray[np.float64]

STEPS: Final = 100
SETTLED: Final = 1e-9
LARGEST: Final = 20.0
"""A calibration line steeper than this, or further off, runs away: the counts have no finite one."""
FEWEST_ROWS: Final = 3
"""Of a calibration line: two rows always lie on one."""
NEARLY_CERTAIN: Final = 1e-9


@dataclass(frozen=True)
class CalibrationLine:
    """Observed log odds as ``intercept + slope * predicted log odds``; perfect is 0 and 1."""

    intercept: float
    slope: float


def calibration_line(predicted: Array, events: Array, total: Array) -> CalibrationLine | None:
    """Binomial regression of counts on predicted log odds (Cox DR. Biometrika 1958;45:562-565, equation 2).

    Parameters
    ----------
    predicted
        Predicted rates, fractions, shape (rows,).
    events, total
        Counts, shape (rows,).

    Returns
    -------
    CalibrationLine or None
        None with fewer than three rows, or where the likelihood has no finite maximum.
    """
    if predicted.size < FEWEST_ROWS:
        return None
    x = logit(np.clip(predicted, NEARLY_CERTAIN, 1.0 - NEARLY_CERTAIN))
    design = np.column_stack([np.ones_like(x), x])
    line = np.array([0.0, 1.0])
    for _ in range(STEPS):
        rate = expit(design @ line)
        information = (design * (total * rate * (1.0 - rate))[:, None]).T @ design
        if np.linalg.cond(information) > 1.0 / np.finfo(float).eps:
            return None
        step = np.linalg.solve(information, design.T @ (events - total * rate))
        # Newton can run off where nearly all counts are 0; steps of one keep it near enough to come back.
        line = line + np.clip(step, -1.0, 1.0)
        if np.abs(line).max() > LARGEST:
            return None
        if np.abs(step).max() < SETTLED:
            return CalibrationLine(float(line[0]), float(line[1]))
    return None


def predicted_of(verdict: Verdict) -> Predicted:
    """A verdict as it is stored: rounded, without the observed share, which the row has."""
    first, second, third = verdict.intervals
    return Predicted(
        mean=verdict.mean,
        intervals=(first, second, third),
        log_score=verdict.log_score,
        winkler=verdict.winkler,
        crps=verdict.crps,
    )


def summarise(rows: Sequence[ScoredRow], predictor: str) -> Summary:
    """Scores of one predictor over some rows, at least one."""
    said = [row.predicted[predictor] for row in rows]
    events, total = (np.array([getattr(row, name) for row in rows], dtype=float) for name in ("events", "n"))
    observed = events / total
    mean = np.array([each.mean for each in said])
    ends = np.array([each.intervals for each in said])
    inside = (ends[:, :, 0] <= observed[:, None]) & (observed[:, None] <= ends[:, :, 1])
    line = calibration_line(mean, events, total)
    first, second, third = (float(inside[:, place].mean()) for place in range(len(LEVELS)))
    return Summary(
        predictor=predictor,
        rows=len(rows),
        mae=float(np.abs(mean - observed).mean()),
        bias=float((mean - observed).mean()),
        slope=None if line is None else line.slope,
        coverage=(first, second, third),
        width=float((ends[:, -1, 1] - ends[:, -1, 0]).mean()),
        winkler=_mean(each.winkler for each in said),
        crps=_mean(each.crps for each in said),
        log_score=_mean(each.log_score for each in said),
    )


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
