"""Single proportions on the scales they are pooled on, and the way back.

``yi`` is a proportion on the analysis scale and ``vi`` its sampling variance, named as in the meta-analysis
literature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray, checked_choice, checked_counts, checked_vector, refuse
from bcma_decide.workshop.meta_analysis.continuity import HALF_A_PATIENT, Correction

__all__ = [
    "MEASURES",
    "EffectSizes",
    "FloatArray",
    "Measure",
    "arcsine",
    "back_transform",
    "checked_counts",
    "checked_vector",
    "effect_sizes",
    "freeman_tukey",
    "harmonic_mean",
    "inverse_arcsine",
    "inverse_freeman_tukey",
    "inverse_log",
    "inverse_logit",
    "log",
    "logit",
    "mean_proportion",
    "raw",
]

Measure = Literal["logit", "raw", "arcsine", "freeman_tukey", "log"]
MEASURES: tuple[Measure, ...] = get_args(Measure)


@dataclass(frozen=True, eq=False)
class EffectSizes:
    """Effects of k studies: ``yi`` (k,) on the analysis scale and ``vi`` (k,), their sampling variances."""

    yi: FloatArray
    vi: FloatArray

    def where_known(self) -> EffectSizes:
        """The same with NaN for an effect, and its variance, that cannot be weighed: infinite, or exact."""
        known = np.isfinite(self.yi) & np.isfinite(self.vi) & (self.vi > 0)
        return EffectSizes(np.where(known, self.yi, np.nan), np.where(known, self.vi, np.nan))


def _padded_counts(
    events: npt.ArrayLike, total: npt.ArrayLike, correction: Correction
) -> tuple[FloatArray, FloatArray]:
    e, n = checked_counts(events, total)
    added = correction.added((e == 0) | (e == n))
    return e + added, n + 2 * added


def logit(events: npt.ArrayLike, total: npt.ArrayLike, correction: Correction = HALF_A_PATIENT) -> EffectSizes:
    """Log odds ``log(e / (n - e))`` with variance ``1/e + 1/(n - e)``.

    Rows with no events or only events get 0.5 added to both cells (Gart and Zweifel 1967); other rows are
    left as they are. Another ``correction`` may leave a row without an effect: NaN.

    Parameters
    ----------
    events, total : array_like, shape (k,)
    correction

    Raises
    ------
    SynthesisError
        If the counts are not valid (see `checked_counts`).
    """
    e, n = _padded_counts(events, total, correction)
    with np.errstate(divide="ignore"):
        return EffectSizes(np.log(e / (n - e)), 1 / e + 1 / (n - e)).where_known()


def log(events: npt.ArrayLike, total: npt.ArrayLike, correction: Correction = HALF_A_PATIENT) -> EffectSizes:
    """Log proportion ``log(e / n)`` with variance ``1/e - 1/n``; rows are corrected as for the logit.

    Parameters
    ----------
    events, total : array_like, shape (k,)
    correction

    Raises
    ------
    SynthesisError
        If the counts are not valid (see `checked_counts`).
    """
    e, n = _padded_counts(events, total, correction)
    with np.errstate(divide="ignore"):
        return EffectSizes(np.log(e / n), 1 / e - 1 / n).where_known()


def raw(events: npt.ArrayLike, total: npt.ArrayLike, correction: Correction = HALF_A_PATIENT) -> EffectSizes:
    """Proportion ``p = e / n`` itself, with variance ``p (1 - p) / n``.

    Rows with no events or only events get 0.5 added to both cells, as in metafor: their variance would
    otherwise be zero and their weight infinite.

    Parameters
    ----------
    events, total : array_like, shape (k,)
    correction

    Raises
    ------
    SynthesisError
        If the counts are not valid (see `checked_counts`).
    """
    e, n = _padded_counts(events, total, correction)
    p = e / n
    return EffectSizes(p, p * (1 - p) / n).where_known()


def arcsine(events: npt.ArrayLike, total: npt.ArrayLike) -> EffectSizes:
    """``arcsin(sqrt(e / n))`` with variance ``1 / (4 n)``; no row is corrected (Rücker et al. 2009).

    Parameters
    ----------
    events, total : array_like, shape (k,)

    Raises
    ------
    SynthesisError
        If the counts are not valid (see `checked_counts`).
    """
    e, n = checked_counts(events, total)
    return EffectSizes(np.arcsin(np.sqrt(e / n)), 1 / (4 * n))


def freeman_tukey(events: npt.ArrayLike, total: npt.ArrayLike) -> EffectSizes:
    """Double arcsine of Freeman and Tukey (1950), with variance ``1 / (4 n + 2)``; no row is corrected.

    The transform is ``(arcsin(sqrt(e / (n + 1))) + arcsin(sqrt((e + 1) / (n + 1)))) / 2``: the mean of the
    two angles, as in metafor, where some papers use their sum. Offered to reproduce published results; see
    the warning at `inverse_freeman_tukey`.

    Parameters
    ----------
    events, total : array_like, shape (k,)

    Raises
    ------
    SynthesisError
        If the counts are not valid (see `checked_counts`).
    """
    e, n = checked_counts(events, total)
    return EffectSizes(_double_arcsine(e, n), 1 / (4 * n + 2))


def _double_arcsine(e: FloatArray, n: FloatArray) -> FloatArray:
    return (np.arcsin(np.sqrt(e / (n + 1))) + np.arcsin(np.sqrt((e + 1) / (n + 1)))) / 2


def inverse_logit(y: npt.ArrayLike) -> FloatArray:
    """Proportion with log odds ``y``; same shape as ``y``."""
    return np.asarray(special.expit(np.asarray(y, dtype=np.float64)))


def mean_proportion(log_odds: float, variance: float) -> float:
    """Mean of the proportions whose log odds are normal with this mean and variance.

    It lies nearer to one half than the proportion of the mean log odds. Trapezoidal rule over nine standard deviations
    to either side, exact to the last digits for a smooth integrand that has died out at both ends (Trefethen and
    Weideman 2014).
    """
    if variance == 0:
        return float(special.expit(log_odds))
    # Divided by the sum of the weights, not by the root of 2 pi: what the cut tails and the step leave out cancels.
    z = np.linspace(-9.0, 9.0, 721)
    density = np.exp(-np.square(z) / 2)
    return float(density @ special.expit(log_odds + np.sqrt(variance) * z) / density.sum())


def inverse_log(y: npt.ArrayLike) -> FloatArray:
    """Proportion with logarithm ``y``, at most 1; same shape as ``y``."""
    return np.exp(np.minimum(np.asarray(y, dtype=np.float64), 0.0))


def inverse_arcsine(y: npt.ArrayLike) -> FloatArray:
    """Proportion ``sin(y)^2``; angles outside 0 to pi/2 become 0 or 1. Same shape as ``y``."""
    return np.square(np.sin(np.clip(np.asarray(y, dtype=np.float64), 0.0, np.pi / 2)))


def inverse_freeman_tukey(y: npt.ArrayLike, n: float) -> FloatArray:
    """Proportion with double arcsine ``y`` in a study of ``n`` patients (Miller 1978).

    Warning: the transform has no inverse without a study size, and a pooled value has none. Miller takes the
    harmonic mean of the sizes; other choices give other proportions, and where sizes differ much the result
    can mislead, even lie outside what any study saw (Schwarzer, Chemaitelly, Abu-Raddad and Rücker 2019). Use
    it to reproduce a paper, and the logit or the binomial-normal model to answer a question.

    Parameters
    ----------
    y : array_like, any shape
        Double arcsine; values below that of 0 events become 0, above that of n events 1.
    n : float
        Study size the value is read at, usually `harmonic_mean` of the sizes.

    Returns
    -------
    numpy.ndarray, same shape as ``y``

    Raises
    ------
    SynthesisError
        If ``n`` is not a positive number.
    """
    if not (np.isfinite(n) and n > 0):
        raise SynthesisError(f"n is {n}, but the Freeman-Tukey inverse needs a positive study size")
    # Angles that no count of n patients has: Miller's formula does not hold for them.
    lowest, highest = _double_arcsine(np.array([0.0, n]), np.array([n, n]))
    t = 2 * np.clip(np.asarray(y, dtype=np.float64), lowest, highest)
    inner = np.sin(t) + (np.sin(t) - 1 / np.sin(t)) / n
    # The cosine tells which half of the scale the angle is in; the root alone has lost it. Rounding can take its
    # argument below 0 at the ends.
    p = (1 - np.sign(np.cos(t)) * np.sqrt(np.clip(1 - inner**2, 0.0, 1.0))) / 2
    return np.where(t <= 2 * lowest, 0.0, np.where(t >= 2 * highest, 1.0, p))


def harmonic_mean(total: npt.ArrayLike) -> float:
    """Harmonic mean of study sizes, ``k / sum(1 / n)``.

    Parameters
    ----------
    total : array_like, shape (k,)

    Raises
    ------
    SynthesisError
        If a size is missing or not positive.
    """
    n = checked_vector(total, "total")
    refuse(n <= 0, lambda i: f"total[{i}] is {n[i]:g}, but a study needs at least one patient")
    return float(1 / np.mean(1 / n))


_CORRECTED: Final[dict[Measure, Callable[[npt.ArrayLike, npt.ArrayLike, Correction], EffectSizes]]] = {
    "logit": logit,
    "raw": raw,
    "log": log,
}
_AS_THEY_ARE: Final[dict[Measure, Callable[[npt.ArrayLike, npt.ArrayLike], EffectSizes]]] = {
    "arcsine": arcsine,
    "freeman_tukey": freeman_tukey,
}


def effect_sizes(
    events: npt.ArrayLike,
    total: npt.ArrayLike,
    measure: Measure = "logit",
    *,
    correction: Correction = HALF_A_PATIENT,
) -> EffectSizes:
    """Effect sizes of single proportions on the scale named by ``measure``.

    Parameters
    ----------
    events, total : array_like, shape (k,)
    measure : {"logit", "raw", "arcsine", "freeman_tukey", "log"}
    correction
        Of empty cells; angles (arcsine, Freeman-Tukey) need none and take none.

    Raises
    ------
    SynthesisError
        If the measure is unknown or the counts are not valid (see `checked_counts`).
    """
    checked_choice("measure", measure, MEASURES)
    if measure in _CORRECTED:
        return _CORRECTED[measure](events, total, correction)
    return _AS_THEY_ARE[measure](events, total)


def back_transform(y: npt.ArrayLike, measure: Measure, n: float) -> FloatArray:
    """Proportions, always within 0 and 1, for values on the analysis scale.

    Parameters
    ----------
    y : array_like, any shape
    measure : {"logit", "raw", "arcsine", "freeman_tukey", "log"}
    n : float
        Study size for Freeman-Tukey (see `inverse_freeman_tukey`); the other scales do not need it.

    Raises
    ------
    SynthesisError
        If the measure is unknown, or ``n`` is not positive where it is needed.
    """
    checked_choice("measure", measure, MEASURES)
    match measure:
        case "logit":
            return inverse_logit(y)
        case "raw":
            return np.clip(np.asarray(y, dtype=np.float64), 0.0, 1.0)
        case "arcsine":
            return inverse_arcsine(y)
        case "log":
            return inverse_log(y)
        case "freeman_tukey":
            return inverse_freeman_tukey(y, n)
