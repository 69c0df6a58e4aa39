"""Points of a published curve on the log-odds scale, from the infusion or first dose, with their covariance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from bcma_decide.workshop.patient_model.odds_ratios import standard_error
from bcma_decide.workshop.survival.curves import Curve, CurvePoint

Array = NDArray[np.float64]

YEAR = 12.0
NEAREST = 0.005
"""A share closer than this to 0 or 1 has no usable log odds."""


@dataclass(frozen=True)
class Points:
    """Points of one curve.

    ``time`` (points,): log of the month over twelve; ``level`` (points,): log odds of being free of the event;
    ``covariance`` (points, points): of their sampling; ``printed``: the same points as they were printed.
    """

    time: Array
    level: Array
    covariance: Array
    printed: tuple[CurvePoint, ...]


def log_time(month: float) -> float:
    """Log of a month over twelve: the level of a curve is read at one year."""
    return float(np.log(month / YEAR))


@dataclass(frozen=True)
class PointError:
    """How sure a printed point is.

    ``slope``: the usual fall of the log odds for one unit of log time; ``factor``: variance of a point without a
    printed interval, times the binomial one; ``own_sd``: error beside sampling, log odds.
    """

    slope: float
    factor: float
    own_sd: float


def curve_log_odds(curve: Curve, error: PointError) -> Points | None:
    """Log odds of a curve's points; None where none is usable.

    A point's variance comes from its printed interval; of a median from that of the time, times the slope. Where none
    is printed it is factor / (n S (1 - S)), the binomial one widened for censoring. Points of one curve go together
    like counts of the same patients: for s < t the covariance of the log odds is 1 / (n S(s) (1 - S(t))), the
    multinomial delta method.

    A curve that starts before the infusion is that of everybody, S_all(t) = p S(t - w) with p the share infused and w
    the months waited, as nobody who is never infused counts as free of the event at the time of the infusion.
    """
    usable = [point for point in curve.points if _infused(curve, point.pct) is not None and _month(curve, point) > 0.0]
    if not usable:
        return None
    share = np.array([_infused(curve, point.pct) or 0.0 for point in usable])
    crude = np.array([point.pct / 100.0 for point in usable])
    own = np.array([_variance(curve, point, error) for point in usable])
    # for s < t: correlation of two nested counts
    more, fewer = np.maximum.outer(crude, crude), np.minimum.outer(crude, crude)
    together = np.sqrt(fewer * (1.0 - more) / (more * (1.0 - fewer)))
    covariance = together * np.sqrt(np.outer(own, own)) + error.own_sd**2 * np.eye(own.size)
    return Points(
        time=np.array([log_time(_month(curve, point)) for point in usable]),
        level=np.asarray(logit(share)),
        covariance=covariance,
        printed=tuple(usable),
    )


def _month(curve: Curve, point: CurvePoint) -> float:
    return point.month - (curve.wait.months if curve.wait else 0.0)


def _infused(curve: Curve, pct: float) -> float | None:
    share = pct / 100.0 / (curve.wait.infused if curve.wait else 1.0)
    return share if NEAREST < share < 1.0 - NEAREST else None


def _variance(curve: Curve, point: CurvePoint, error: PointError) -> float:
    """Variance of a point's log odds among those infused."""
    crude = point.pct / 100.0
    share = crude / (curve.wait.infused if curve.wait else 1.0)
    # what a log odds of all patients moves that of those infused by: dS = dS_all / p
    scale = (1.0 - crude) / (1.0 - share)
    printed = _printed_error(point, error.slope)
    variance = printed**2 if printed else error.factor / (curve.n * crude * (1.0 - crude))
    return scale**2 * variance


def _printed_error(point: CurvePoint, slope: float) -> float | None:
    """Standard error on the log-odds scale behind a printed interval; of half an interval where one end is missing."""
    if point.ci95 is not None:
        ends = [None if end is None or not 0.0 < end < 100.0 else float(logit(end / 100.0)) for end in point.ci95]
        return _error(ends[0], float(logit(point.pct / 100.0)), ends[1])
    if point.interval_months is None:
        return None
    times = [None if end is None or end <= 0.0 else float(np.log(end)) for end in point.interval_months]
    found = _error(times[0], float(np.log(point.month)), times[1])
    return None if found is None else slope * found


def _error(low: float | None, middle: float, high: float | None) -> float | None:
    if low is not None and high is not None and high > low:
        return standard_error(low, high)
    if low is not None and middle > low:
        return standard_error(low, 2.0 * middle - low)
    if high is not None and high > middle:
        return standard_error(2.0 * middle - high, high)
    return None
