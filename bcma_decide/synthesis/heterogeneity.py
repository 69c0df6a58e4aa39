"""How much true effects differ between studies: tau2 and what follows from it.

Throughout, ``w = 1 / (vi + tau2)``, ``P = diag(w) - w w' / sum(w)`` and ``Q(tau2) = y'P y``, the weighted sum
of squares about the pooled mean. ``P`` is never formed: its traces are sums over studies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.optimize import brentq

from bcma_decide.errors import SynthesisError
from bcma_decide.synthesis.effect_sizes import FloatArray, checked_vector

__all__ = [
    "METHODS",
    "Method",
    "QTest",
    "Tau2",
    "checked_effects",
    "checked_level",
    "cochran_q",
    "estimate_tau2",
    "h_squared",
    "i_squared",
    "tau2_interval",
    "weighted_mean",
]

Method = Literal["DL", "REML", "ML", "PM", "EB", "SJ", "HE", "HS", "EE"]
METHODS: tuple[Method, ...] = get_args(Method)

_MAX_STEPS = 100
_STEP_TOLERANCE = 1e-13
_SMALLEST_ROOT = 1e-300


@dataclass(frozen=True)
class Tau2:
    """Between-study variance and its standard error (``None`` where it is assumed and not estimated)."""

    value: float
    se: float | None


@dataclass(frozen=True)
class QTest:
    """A heterogeneity test: statistic, degrees of freedom, p-value (``None`` with no degrees of freedom)."""

    q: float
    df: int
    p: float | None


def checked_effects(yi: npt.ArrayLike, vi: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Effects and their variances as float arrays of one length, every variance positive.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)

    Raises
    ------
    SynthesisError
        Naming the first row that breaks a rule, counted from 0.
    """
    y, v = checked_vector(yi, "yi"), checked_vector(vi, "vi")
    if y.size != v.size:
        raise SynthesisError(f"yi has {y.size} rows but vi has {v.size}")
    if (v <= 0).any():
        row = int(np.argmax(v <= 0))
        raise SynthesisError(f"vi[{row}] is {v[row]:g}, but a sampling variance must be positive")
    return y, v


def checked_level(level: float) -> float:
    """Return ``level`` if it is a probability strictly between 0 and 1, else raise SynthesisError."""
    if not 0 < level < 1:
        raise SynthesisError(f"level is {level}, but must lie between 0 and 1, for example 0.95")
    return level


def weighted_mean(y: FloatArray, w: FloatArray) -> float:
    """Mean of ``y`` (k,) with weights ``w`` (k,)."""
    return float(w @ y / w.sum())


def _sum_of_squares(y: FloatArray, v: FloatArray, tau2: float) -> float:
    w = 1 / (v + tau2)
    return float(w @ np.square(y - weighted_mean(y, w)))


def _trace(w: FloatArray) -> float:
    """Trace of P."""
    return float(w.sum() - w @ w / w.sum())


def _trace_squared(w: FloatArray, a: FloatArray) -> float:
    """Trace of (P diag(a))^2."""
    s, aw2 = w.sum(), a * w**2
    return float(a @ aw2 - 2 * (a * w) @ aw2 / s + (aw2.sum() / s) ** 2)


def cochran_q(yi: npt.ArrayLike, vi: npt.ArrayLike) -> QTest:
    """Test that all studies share one true effect (Cochran 1954): Q(0) against chi-squared with k - 1 df.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)

    Raises
    ------
    SynthesisError
        If the effects are not valid (see `checked_effects`).
    """
    y, v = checked_effects(yi, vi)
    q, df = _sum_of_squares(y, v, 0.0), y.size - 1
    return QTest(q, df, float(special.chdtrc(df, q)) if df else None)


def _typical_variance(vi: npt.ArrayLike) -> float:
    """Within-study variance typical of the studies, ``(k - 1) / trace(P)`` (Higgins and Thompson 2002)."""
    v = checked_vector(vi, "vi")
    if v.size < 2:
        raise SynthesisError("I2 and H2 need at least two studies")
    return (v.size - 1) / _trace(1 / v)


def i_squared(tau2: float, vi: npt.ArrayLike) -> float:
    """Percentage of the variation that lies between studies, ``100 tau2 / (tau2 + s2)``.

    ``s2`` is the typical within-study variance of Higgins and Thompson (2002). This is metafor's definition;
    with the DL estimate it equals the other one in use, ``100 max(0, (Q - df) / Q)``, and otherwise it does
    not.

    Parameters
    ----------
    tau2 : float
    vi : array_like, shape (k,), k >= 2

    Raises
    ------
    SynthesisError
        If there are fewer than two studies or a variance is not a finite number.
    """
    s2 = _typical_variance(vi)
    return 100 * tau2 / (tau2 + s2)


def h_squared(tau2: float, vi: npt.ArrayLike) -> float:
    """Total over within-study variation, ``(tau2 + s2) / s2`` (Higgins and Thompson 2002).

    Parameters
    ----------
    tau2 : float
    vi : array_like, shape (k,), k >= 2

    Raises
    ------
    SynthesisError
        If there are fewer than two studies or a variance is not a finite number.
    """
    s2 = _typical_variance(vi)
    return (tau2 + s2) / s2


def tau2_interval(yi: npt.ArrayLike, vi: npt.ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Q-profile confidence interval of tau2 (Viechtbauer 2007).

    It holds the values at which Q(tau2) lies between the chi-squared quantiles with k - 1 degrees of freedom,
    and does not depend on the estimator of tau2, so it need not hold the estimate. If even Q(0) is below the
    lower quantile no value qualifies and the interval is (0, 0), as in metafor: the studies agree too well.

    Parameters
    ----------
    yi, vi : array_like, shape (k,), k >= 2
    level : float

    Raises
    ------
    SynthesisError
        If the effects or the level are not valid, or there are fewer than two studies.
    """
    y, v = checked_effects(yi, vi)
    if y.size < 2:
        raise SynthesisError("an interval of tau2 needs at least two studies")
    tail = (1 - checked_level(level)) / 2
    upper_quantile, lower_quantile = (float(special.chdtri(y.size - 1, p)) for p in (tail, 1 - tail))
    return _profile_root(y, v, upper_quantile), _profile_root(y, v, lower_quantile)


def _profile_root(y: FloatArray, v: FloatArray, target: float) -> float:
    """Solve Q(tau2) = target; Q falls as tau2 grows, and the answer is 0 if it starts below."""
    if _sum_of_squares(y, v, 0.0) <= target:
        return 0.0
    above = float(np.square(y - y.mean()).sum()) / target  # Q(t) <= sum((y - mean)^2) / (t + min v)
    return _root(lambda t: _sum_of_squares(y, v, t) - target, 0.0, above)


def _root(function: Callable[[float], float], one_side: float, other_side: float) -> float:
    """Root between two points of opposite sign, to the last digits."""
    rtol = 4 * float(np.finfo(float).eps)
    return float(brentq(function, one_side, other_side, xtol=_SMALLEST_ROOT, rtol=rtol, maxiter=500))


def _solved(y: FloatArray, v: FloatArray, w: FloatArray, less: float, divisor: float) -> Tau2:
    """Moment estimate ``(y'P y - less) / divisor`` cut at 0, with the error of a normal quadratic form."""
    tau2 = max(0.0, (float(w @ np.square(y - weighted_mean(y, w))) - less) / divisor)
    return Tau2(tau2, float(np.sqrt(2 * _trace_squared(w, v + tau2))) / divisor)


def _dersimonian_laird(y: FloatArray, v: FloatArray) -> Tau2:
    """DerSimonian and Laird (1986)."""
    w = 1 / v
    return _solved(y, v, w, y.size - 1, _trace(w))


def _hunter_schmidt(y: FloatArray, v: FloatArray) -> Tau2:
    """Hunter and Schmidt, as in Viechtbauer (2005)."""
    w = 1 / v
    return _solved(y, v, w, y.size, float(w.sum()))


def _hedges(y: FloatArray, v: FloatArray) -> Tau2:
    """Hedges and Olkin (1985): unweighted."""
    return _solved(y, v, np.ones_like(v), (1 - 1 / v.size) * float(v.sum()), v.size - 1)


def _sidik_jonkman(y: FloatArray, v: FloatArray) -> Tau2:
    """Sidik and Jonkman (2005), started from the variance of yi with divisor k."""
    start = float(y.var())
    if start == 0:
        return Tau2(0.0, 0.0)
    return _solved(y, v, start / (v + start), 0.0, y.size - 1)


def _paule_mandel(y: FloatArray, v: FloatArray) -> Tau2:
    """Paule and Mandel (1982): Q(tau2) = k - 1, as does empirical Bayes (Morris 1983)."""
    k = y.size
    tau2 = _profile_root(y, v, k - 1)
    return Tau2(tau2, float(np.sqrt(2 * k**2 / (k - 1)) / (1 / (v + tau2)).sum()))


def _likelihood(y: FloatArray, v: FloatArray, *, restricted: bool) -> Tau2:
    """(Restricted) maximum likelihood by Fisher scoring, started from the HE estimate.

    Plain scoring can circle a maximum or creep towards it for thousands of steps. So a step that keeps its
    direction is followed by one stretched twofold, and once two steps lie on either side of the maximum it is
    found between them.
    """

    def score_and_information(t: float) -> tuple[float, float]:
        """Twice the derivative of the log-likelihood, and twice its information."""
        w = 1 / (v + t)
        squares = float(np.square(w) @ np.square(y - weighted_mean(y, w)))
        if restricted:
            return squares - _trace(w), _trace_squared(w, np.ones_like(w))
        return squares - float(w.sum()), float(w @ w)

    def solution(t: float) -> Tau2:
        return Tau2(t, float(np.sqrt(2 / score_and_information(t)[1])))

    tau2 = _hedges(y, v).value
    for doublings in range(_MAX_STEPS):
        score, information = score_and_information(tau2)
        reached = max(0.0, tau2 + 2.0**doublings * score / information)
        if abs(reached - tau2) <= _STEP_TOLERANCE * (tau2 + float(v.min())):
            return solution(reached)
        if score * score_and_information(reached)[0] < 0:
            return solution(_root(lambda t: score_and_information(t)[0], tau2, reached))
        tau2 = reached
    name = "REML" if restricted else "ML"
    raise SynthesisError(
        f"{name} did not settle on a tau2 in {_MAX_STEPS} steps (last value {tau2:g}); use PM or DL for these studies"
    )


_ESTIMATORS: dict[Method, Callable[[FloatArray, FloatArray], Tau2]] = {
    "DL": _dersimonian_laird,
    "REML": lambda y, v: _likelihood(y, v, restricted=True),
    "ML": lambda y, v: _likelihood(y, v, restricted=False),
    "PM": _paule_mandel,
    "EB": _paule_mandel,
    "SJ": _sidik_jonkman,
    "HE": _hedges,
    "HS": _hunter_schmidt,
    "EE": lambda y, v: Tau2(0.0, None),
}


def estimate_tau2(yi: npt.ArrayLike, vi: npt.ArrayLike, method: Method = "REML") -> Tau2:
    """Between-study variance, never negative, and its standard error.

    Parameters
    ----------
    yi, vi : array_like, shape (k,), k >= 2
    method : str
        ``DL`` DerSimonian and Laird (1986); ``REML`` and ``ML`` (restricted) maximum likelihood, Viechtbauer
        (2005); ``PM`` Paule and Mandel (1982); ``EB`` empirical Bayes, Morris (1983), equal to PM; ``SJ``
        Sidik and Jonkman (2005); ``HE`` Hedges and Olkin (1985); ``HS`` Hunter and Schmidt; ``EE`` one common
        effect, tau2 = 0 by assumption.

    Returns
    -------
    Tau2
        The standard errors are the large-sample ones that metafor gives.

    Raises
    ------
    SynthesisError
        If the effects are not valid, there are fewer than two studies, the method is unknown, or REML or ML
        do not converge.
    """
    if method not in _ESTIMATORS:
        raise SynthesisError(f"method is {method!r}, but must be one of {', '.join(METHODS)}")
    y, v = checked_effects(yi, vi)
    if y.size < 2:
        raise SynthesisError("tau2 needs at least two studies")
    return _ESTIMATORS[method](y, v)
