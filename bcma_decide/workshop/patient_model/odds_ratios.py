"""Log odds ratios with their standard errors or covariance, from what papers print."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from bcma_decide.errors import SynthesisError

Array = NDArray[np.float64]


def empirical_logit_difference(
    high_events: Sequence[float], high_total: Sequence[float], low_events: Sequence[float], low_total: Sequence[float]
) -> tuple[Array, Array]:
    """Differences of empirical logits between two groups on nested thresholds, with their covariance.

    0.5 is added to events and non-events (Gart JJ, Zweifel JR. Biometrika 1967;54:181-187). Events of a stricter
    threshold are contained in those of a looser one; two empirical logits of the same patients then have the
    covariance 1 / (n p_loose (1 - p_strict)) by the multinomial delta method.

    Parameters
    ----------
    high_events, high_total, low_events, low_total
        One value per threshold, loosest first.

    Returns
    -------
    difference, covariance
        Shapes (thresholds,) and (thresholds, thresholds).

    Raises
    ------
    SynthesisError
        When a group has no patients or more events than patients.
    """
    groups = []
    for events, total in ((high_events, high_total), (low_events, low_total)):
        e, n = np.asarray(events, dtype=float), np.asarray(total, dtype=float)
        if (n <= 0).any() or (e < 0).any() or (e > n).any():
            raise SynthesisError(f"a contrast needs 0 <= events <= patients in both groups, got {e} of {n}")
        # In every group, empty cell or not: 0.5 takes out the bias of a logit to first order, and adding it only where
        # it is needed would treat 0 of 10 and 1 of 10 by two rules.
        groups.append(((e + 0.5) / (n + 1.0), n + 1.0))
    (high, _), (low, _) = groups
    difference = np.log(high / (1.0 - high)) - np.log(low / (1.0 - low))
    covariance = np.zeros((high.size, high.size))
    for p, n in groups:
        # The looser threshold is the one with the higher rate; on the diagonal both are one, and this is
        # the variance of a logit.
        loose, strict = np.maximum.outer(p, p), np.minimum.outer(p, p)
        covariance += 1.0 / (np.maximum.outer(n, n) * loose * (1.0 - strict))
    return difference, covariance


def standard_error(low: float, high: float) -> float:
    """Standard error behind a 95 % interval that is symmetric on the scale of its ends.

    First step of Altman DG, Bland JM. BMJ 2011;343:d2304.
    """
    return float((high - low) / (2.0 * ndtri(0.975)))


def log_odds_ratio_from_risk_ratio(
    risk_ratio: float, interval: tuple[float, float], overall_rate: float, prevalence: float
) -> tuple[float, float]:
    """Log odds ratio and its standard error from a risk ratio at a known overall rate.

    The rate without the trait follows from ``overall = prevalence * RR * p0 + (1 - prevalence) * p0``; the standard
    error of log RR (from the interval) is carried over by the delta method, d(log OR)/d(log RR) = 1 / (1 - p1)
    (Zhang J, Yu KF. JAMA 1998;280:1690-1691 give the relation of the two ratios).

    Raises
    ------
    SynthesisError
        When the implied rate with the trait is not below 1.
    """
    absent = overall_rate / (prevalence * risk_ratio + 1.0 - prevalence)
    present = risk_ratio * absent
    if not 0.0 < present < 1.0 or not 0.0 < absent < 1.0:
        raise SynthesisError(f"risk ratio {risk_ratio} at rate {overall_rate} implies a rate outside (0, 1)")
    se = standard_error(np.log(interval[0]), np.log(interval[1]))
    value = np.log(present / (1.0 - present)) - np.log(absent / (1.0 - absent))
    return float(value), float(se / (1.0 - present))


def log_odds_ratio_group_versus_all(
    group_rate: float,
    group_interval: tuple[float, float],
    all_rate: float,
    all_interval: tuple[float, float],
    prevalence: float,
) -> tuple[float, float]:
    """Log odds ratio of a trait from the rate of those who have it and the rate of everybody.

    The rate of the others is ``(all - prevalence * group) / (1 - prevalence)``. Standard errors of the two logits
    come from their intervals, are taken as independent (an overstatement, since the group is part of all), and the
    second is scaled by d(logit others)/d(logit all).

    Raises
    ------
    SynthesisError
        When the implied rate of the others lies outside (0, 1).
    """
    others = (all_rate - prevalence * group_rate) / (1.0 - prevalence)
    if not 0.0 < others < 1.0:
        raise SynthesisError(f"group rate {group_rate} of overall {all_rate} implies {others:.3f} for the others")

    def logit(p: float) -> float:
        return float(np.log(p / (1.0 - p)))

    def se(interval: tuple[float, float]) -> float:
        return standard_error(logit(interval[0]), logit(interval[1]))

    scale = all_rate * (1.0 - all_rate) / ((1.0 - prevalence) * others * (1.0 - others))
    return logit(group_rate) - logit(others), float(np.hypot(se(group_interval), scale * se(all_interval)))
