"""How much true effects differ between studies: tau2 and what follows from it.

Every function takes a design, of which a plain mean is the default: with moderators, tau2, Q, I2 and H2 are about what
is left between studies of the same moderator values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray, checked_choice, checked_level, checked_vector
from bcma_decide.workshop.meta_analysis.tau2 import METHODS, Method, Tau2, estimated
from bcma_decide.workshop.meta_analysis.weighted_regression import (
    DesignMatrix,
    intercept_only,
    random_effects_fit,
    weighting,
)

__all__ = [
    "METHODS",
    "Method",
    "QTest",
    "Tau2",
    "checked_design",
    "checked_effects",
    "checked_level",
    "cochran_q",
    "estimate_tau2",
    "h_squared",
    "i_squared",
    "q_test",
    "shares",
    "weighted_mean",
]


_LARGEST_EFFECT: Final = 1e20
_SMALLEST_VARIANCE: Final = 1e-30
_LARGEST_VARIANCE: Final = 1e60
"""Sums hold fourth powers of weights, and of tau2 (as large as a squared effect) times a weight: within these bounds
both stay floating-point numbers, (1e20^2 / 1e-30)^4 = 1e280 and 1e-60^4 = 1e-240 of the 1e-308 to 1.8e308 there are."""
_WIDEST: Final = 1e12
"""Ratio of the largest to the smallest variance: of 16 digits it leaves a sum of weights four of its smallest term."""


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
    unusable = (v < _SMALLEST_VARIANCE) | (v > _LARGEST_VARIANCE)
    for name, values, beyond in (("vi", v, unusable), ("yi", y, np.abs(y) > _LARGEST_EFFECT)):
        if beyond.any():
            row = int(np.argmax(beyond))
            raise SynthesisError(
                f"{name}[{row}] is {values[row]:g}, too small or too large to be reckoned with (variances from "
                f"{_SMALLEST_VARIANCE:g} to {_LARGEST_VARIANCE:g}, effects up to {_LARGEST_EFFECT:g}): give effects "
                "and variances in another unit"
            )
    if v.max() > _WIDEST * v.min():
        low, high = int(np.argmin(v)), int(np.argmax(v))
        raise SynthesisError(
            f"vi[{low}] is {v[low]:g} and vi[{high}] is {v[high]:g}: variances more than {_WIDEST:g} times one another "
            "cannot be weighed against each other in floating-point numbers; check the units of vi"
        )
    return y, v


def checked_design(design: DesignMatrix | None, k: int) -> DesignMatrix:
    """The design if it has k rows, that of a plain mean if there is none; else raise SynthesisError."""
    if design is None:
        return intercept_only(k)
    if design.rows != k:
        raise SynthesisError(f"the design has {design.rows} rows but yi has {k}")
    return design


def weighted_mean(y: FloatArray, w: FloatArray) -> float:
    """Mean of ``y`` (k,) with weights ``w`` (k,)."""
    return float(w @ y / w.sum())


def cochran_q(yi: npt.ArrayLike, vi: npt.ArrayLike, design: DesignMatrix | None = None) -> QTest:
    """Test that the design explains all differences between studies (Cochran 1954).

    ``Q(0)`` against chi-squared with k - p degrees of freedom; for a plain mean, the test that all studies share one
    true effect.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
    design : Design, optional

    Raises
    ------
    SynthesisError
        If the effects are not valid (see `checked_effects`) or the design has another number of rows.
    """
    y, v = checked_effects(yi, vi)
    X = checked_design(design, y.size)
    return q_test(random_effects_fit(y, v, 0.0, X).sum_of_squares, y.size - X.columns)


def q_test(q: float, df: int) -> QTest:
    """A statistic against chi-squared with ``df`` degrees of freedom."""
    return QTest(q, df, float(special.chdtrc(df, q)) if df else None)


def _checked_shares(tau2: float, vi: npt.ArrayLike, design: DesignMatrix | None) -> tuple[float, float]:
    v = checked_vector(vi, "vi")
    if v.size < 2:
        raise SynthesisError("I2 and H2 need at least two studies")
    return shares(tau2, v, checked_design(design, v.size))


def shares(tau2: float, v: FloatArray, design: DesignMatrix) -> tuple[float, float]:
    """I2 and H2, from the typical within-study variance ``s2 = (k - p) / trace(P)`` of Higgins and Thompson (2002)."""
    s2 = (v.size - design.columns) / weighting(1 / v, design).traces()[0]
    return 100 * tau2 / (tau2 + s2), (tau2 + s2) / s2


def i_squared(tau2: float, vi: npt.ArrayLike, design: DesignMatrix | None = None) -> float:
    """Percentage of the variation that lies between studies, ``100 tau2 / (tau2 + s2)``.

    ``s2`` is the typical within-study variance of Higgins and Thompson (2002). This is metafor's definition; with the
    DL estimate it equals the other one in use, ``100 max(0, (Q - df) / Q)``, and otherwise it does not.

    Parameters
    ----------
    tau2 : float
    vi : array_like, shape (k,), k >= 2
    design : Design, optional
        With moderators, of the variation they leave.

    Raises
    ------
    SynthesisError
        If there are fewer than two studies, a variance is not a finite number, or the design has another number of
        rows.
    """
    return _checked_shares(tau2, vi, design)[0]


def h_squared(tau2: float, vi: npt.ArrayLike, design: DesignMatrix | None = None) -> float:
    """Total over within-study variation, ``(tau2 + s2) / s2`` (Higgins and Thompson 2002).

    Parameters
    ----------
    tau2 : float
    vi : array_like, shape (k,), k >= 2
    design : Design, optional

    Raises
    ------
    SynthesisError
        As `i_squared`.
    """
    return _checked_shares(tau2, vi, design)[1]


def estimate_tau2(
    yi: npt.ArrayLike, vi: npt.ArrayLike, method: Method = "REML", design: DesignMatrix | None = None
) -> Tau2:
    """Between-study variance, never negative, and its standard error.

    Parameters
    ----------
    yi, vi : array_like, shape (k,), k >= 2
    method : str
        ``DL`` DerSimonian and Laird (1986), ``DLIT`` its steps repeated until they rest; ``REML`` and ``ML``
        (restricted) maximum likelihood, Viechtbauer (2005); ``PM`` Paule and Mandel (1982); ``EB`` empirical Bayes,
        Morris (1983), equal to PM; ``PMM`` its median-unbiased form, Viechtbauer (2021); ``SJ`` Sidik and Jonkman
        (2005); ``HE`` Hedges and Olkin (1985); ``HS`` Hunter and Schmidt; ``HSk`` the same corrected for few studies,
        Brannick et al. (2019); ``EE`` one common effect, tau2 = 0 by assumption.
    design : Design, optional
        With moderators, tau2 is the variance they leave.

    Returns
    -------
    Tau2
        The standard errors are the large-sample ones that metafor gives.

    Raises
    ------
    SynthesisError
        If the effects are not valid, there are fewer than two studies, the method is unknown, the design has another
        number of rows, or an iteration does not converge.
    """
    checked_choice("method", method, METHODS)
    y, v = checked_effects(yi, vi)
    if y.size < 2:
        raise SynthesisError("tau2 needs at least two studies")
    return estimated(y, v, checked_design(design, y.size), method)
