"""Confidence intervals of the proportion of each single study, for tables and forest plots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import special

from bcma_decide.workshop.meta_analysis.checks import FloatArray, checked_choice, checked_counts, checked_level
from bcma_decide.workshop.meta_analysis.effect_sizes import inverse_logit, logit

__all__ = ["STUDY_INTERVALS", "StudyInterval", "study_intervals"]

StudyInterval = Literal["clopper_pearson", "wilson", "agresti_coull", "logit"]
STUDY_INTERVALS: tuple[StudyInterval, ...] = get_args(StudyInterval)


def study_intervals(
    events: npt.ArrayLike, total: npt.ArrayLike, kind: StudyInterval = "clopper_pearson", *, level: float = 0.95
) -> FloatArray:
    """Lower and upper ends of the interval of each study's proportion, within 0 and 1.

    Parameters
    ----------
    events, total : array_like, shape (k,)
    kind : {"clopper_pearson", "wilson", "agresti_coull", "logit"}
        ``clopper_pearson`` (1934) covers at least as often as its level says, and is the default; ``wilson`` (1927)
        inverts the score test and covers as often on average; ``agresti_coull`` (1998) is the simple approximation to
        it; ``logit`` is normal on the logit scale that studies are pooled on, with 0.5 added to both cells where one is
        empty.
    level : float

    Returns
    -------
    numpy.ndarray, shape (k, 2)

    Raises
    ------
    SynthesisError
        If the counts are not valid (see `checked_counts`), the kind is unknown, or the level is not between 0 and 1.
    """
    checked_choice("kind", kind, STUDY_INTERVALS)
    tail = (1 - checked_level(level)) / 2
    e, n = checked_counts(events, total)
    # Agresti and Coull's ends can lie outside 0 and 1, the others' by rounding.
    low, high = _INTERVALS[kind](e, n, tail)
    return np.column_stack([np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)])


def _clopper_pearson(e: FloatArray, n: FloatArray, tail: float) -> tuple[FloatArray, FloatArray]:
    """Quantiles of beta distributions; an end at 0 or n events is 0 or 1."""
    # A beta distribution has no parameter 0; the 1 in its place gives a value that is not taken.
    low = np.where(e == 0, 0.0, special.betaincinv(np.maximum(e, 1), n - e + 1, tail))
    high = np.where(e == n, 1.0, special.betaincinv(e + 1, np.maximum(n - e, 1), 1 - tail))
    return low, high


def _wilson(e: FloatArray, n: FloatArray, tail: float) -> tuple[FloatArray, FloatArray]:
    """Roots of ``(p - e / n)^2 = z^2 p (1 - p) / n``; an end at 0 or n events is 0 or 1."""
    z = float(special.ndtri(1 - tail))
    centre = (e + z**2 / 2) / (n + z**2)
    half_width = z * np.sqrt(e * (n - e) / n + z**2 / 4) / (n + z**2)
    return np.where(e == 0, 0.0, centre - half_width), np.where(e == n, 1.0, centre + half_width)


def _agresti_coull(e: FloatArray, n: FloatArray, tail: float) -> tuple[FloatArray, FloatArray]:
    """Of the proportion with z^2 / 2 events and as many other patients added."""
    z = float(special.ndtri(1 - tail))
    p = (e + z**2 / 2) / (n + z**2)
    half_width = z * np.sqrt(p * (1 - p) / (n + z**2))
    return p - half_width, p + half_width


def _logit(e: FloatArray, n: FloatArray, tail: float) -> tuple[FloatArray, FloatArray]:
    effects = logit(e, n)
    half_width = float(special.ndtri(1 - tail)) * np.sqrt(effects.vi)
    return inverse_logit(effects.yi - half_width), inverse_logit(effects.yi + half_width)


_INTERVALS: dict[StudyInterval, Callable[[FloatArray, FloatArray, float], tuple[FloatArray, FloatArray]]] = {
    "clopper_pearson": _clopper_pearson,
    "wilson": _wilson,
    "agresti_coull": _agresti_coull,
    "logit": _logit,
}
