"""Design matrices and what is said about fitted coefficients: intervals and Wald tests, by normal or t."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.effect_sizes import FloatArray
from bcma_decide.workshop.meta_analysis.heterogeneity import checked_level

__all__ = [
    "CoefficientTest",
    "Coefficients",
    "NamedDesignMatrix",
    "Predictions",
    "WaldTest",
    "checked_design",
    "checked_test",
    "coefficients",
    "predictions",
    "wald_test",
]

CoefficientTest = Literal["z", "t"]

_RANK_TOLERANCE = 1e-10
"""Of a column of length 1: what the columns before it leave of it, if it is a combination of them, is rounding (1e-16
times the condition of those before), and what a real moderator leaves is many orders above."""


@dataclass(frozen=True, eq=False)
class NamedDesignMatrix:
    """A design matrix ``X`` (k, p) of full column rank, and the names of its columns."""

    X: FloatArray
    names: tuple[str, ...]

    @property
    def p(self) -> int:
        """Number of columns."""
        return len(self.names)

    @property
    def moderators(self) -> tuple[int, ...]:
        """Columns that are not constant; all of them where every column is constant."""
        varying = tuple(np.flatnonzero(np.ptp(self.X, axis=0) > 0).tolist())
        return varying or tuple(range(self.p))


@dataclass(frozen=True)
class WaldTest:
    """Chi-squared statistic with ``df`` degrees of freedom, or F with ``df`` and ``df_residual``; its p-value."""

    statistic: float
    df: int
    df_residual: float | None
    p: float


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Estimates (p,) with standard errors, tests of 0, intervals (p, 2) and covariance (p, p).

    ``df`` (p,) are the degrees of freedom of t, ``None`` where the normal is used.
    """

    names: tuple[str, ...]
    estimate: FloatArray
    se: FloatArray
    statistic: FloatArray
    p: FloatArray
    ci: FloatArray
    vcov: FloatArray
    df: FloatArray | None
    level: float


@dataclass(frozen=True, eq=False)
class Predictions:
    """Expected values at m rows of a design: ``estimate`` and ``se`` (m,), intervals (m, 2).

    ``ci`` is for the mean of such studies, ``prediction`` for a further one; it is ``None`` where studies are assumed
    not to differ.
    """

    estimate: FloatArray
    se: FloatArray
    ci: FloatArray
    prediction: FloatArray | None


def _finite_matrix(values: npt.ArrayLike, names: Sequence[str] | None) -> tuple[FloatArray, tuple[str, ...]]:
    try:
        X = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SynthesisError(f"the design matrix must hold numbers: {error}") from error
    if X.ndim != 2 or X.size == 0:
        raise SynthesisError(f"the design matrix must have rows and columns, not shape {X.shape}")
    labels = tuple(f"column {j}" for j in range(X.shape[1])) if names is None else tuple(names)
    if len(labels) != X.shape[1]:
        raise SynthesisError(f"the design matrix has {X.shape[1]} columns but {len(labels)} names")
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise SynthesisError(f"{labels[column]}[{row}] is {X[row, column]}, which is not a finite number")
    return X, labels


def checked_design(design: npt.ArrayLike | None, k: int, names: Sequence[str] | None = None) -> NamedDesignMatrix:
    """Design matrix as finite floats with k rows and independent columns; an intercept where none is given.

    Parameters
    ----------
    design : array_like, shape (k, p), or None
    k : int
        Rows of the data.
    names : sequence of str, length p, optional
        Columns are numbered from 0 where they are not named.

    Raises
    ------
    SynthesisError
        Naming the first row and column at fault.
    """
    if design is None:
        return NamedDesignMatrix(np.ones((k, 1)), ("intercept",))
    X, labels = _finite_matrix(design, names)
    if X.shape[0] != k:
        raise SynthesisError(f"the design matrix has {X.shape[0]} rows but there are {k} rows of data")
    if X.shape[1] > k:
        raise SynthesisError(f"{X.shape[1]} coefficients cannot be estimated from {k} rows: leave out columns")
    # Columns of length 1 first: a year in thousands and a share in hundredths would else be judged by one limit. A
    # column of zeros has no length and is found by what it leaves, nothing.
    norms = np.sqrt(np.square(X).sum(axis=0))
    left_over = np.abs(np.diag(np.linalg.qr(X / np.where(norms > 0, norms, 1), mode="r")))
    if (left_over < _RANK_TOLERANCE).any():
        column = int(np.argmax(left_over < _RANK_TOLERANCE))
        raise SynthesisError(f"{labels[column]} is a combination of the columns before it: leave it out")
    return NamedDesignMatrix(X, labels)


def checked_test(test: str, df: int) -> int | None:
    """Degrees of freedom of the test: ``df`` for t, ``None`` for the normal.

    Raises
    ------
    SynthesisError
        If the test is unknown, or t has no degrees of freedom.
    """
    if test not in get_args(CoefficientTest):
        raise SynthesisError(f"test is {test!r}, but must be one of {', '.join(get_args(CoefficientTest))}")
    if test == "z":
        return None
    if df < 1:
        raise SynthesisError("test t has no degrees of freedom with as many coefficients as rows: use z")
    return df


def _quantile(level: float, df: float | FloatArray | None) -> float | FloatArray:
    """Half-width, in standard errors, of an interval of this level: by t with ``df``, or by the normal without."""
    tail = 1 - (1 - checked_level(level)) / 2
    if df is None:
        return float(special.ndtri(tail))
    return special.stdtrit(df, tail) if isinstance(df, np.ndarray) else float(special.stdtrit(df, tail))


def coefficients(
    names: Sequence[str],
    estimate: FloatArray,
    vcov: FloatArray,
    df: float | FloatArray | None = None,
    level: float = 0.95,
) -> Coefficients:
    """Standard errors, Wald tests and intervals of estimates (p,) with covariance (p, p).

    Parameters
    ----------
    names : sequence of str, length p
    estimate : numpy.ndarray, shape (p,)
    vcov : numpy.ndarray, shape (p, p)
    df : float or numpy.ndarray, shape (p,), optional
        Degrees of freedom of t; the normal is used without.
    level : float

    Raises
    ------
    SynthesisError
        If the level is not between 0 and 1.
    """
    se = np.sqrt(np.diag(vcov))
    statistic = estimate / se
    each = None if df is None else np.broadcast_to(np.asarray(df, dtype=np.float64), se.shape)
    tail = special.ndtr(-np.abs(statistic)) if each is None else special.stdtr(each, -np.abs(statistic))
    half_width = _quantile(level, each) * se
    return Coefficients(
        tuple(names), estimate, se, statistic, 2 * tail, _about(estimate, half_width), vcov, each, level
    )


def _about(centre: FloatArray, half_width: FloatArray) -> FloatArray:
    return np.column_stack([centre - half_width, centre + half_width])


def predictions(fitted: Coefficients, rows: npt.ArrayLike | None, spread2: float | None) -> Predictions:
    """Expected values with their intervals, ``x'beta +- q se`` and ``x'beta +- q sqrt(se^2 + spread2)``.

    Parameters
    ----------
    fitted : Coefficients
        The quantile is that of its tests: normal, or t where all coefficients share their degrees of freedom.
    rows : array_like, shape (m, p), or None
        In the columns of the fit; needed unless there is an intercept alone.
    spread2 : float or None
        Variance of true effects about the mean, ``None`` for no prediction interval.

    Raises
    ------
    SynthesisError
        If the rows are not finite numbers, do not have these columns, or are missing where there are moderators.
    """
    if rows is None and len(fitted.names) > 1:
        raise SynthesisError(f"rows to predict at are needed for the columns {', '.join(fitted.names)}")
    X, _ = _finite_matrix(np.ones((1, 1)) if rows is None else rows, fitted.names)
    estimate = X @ fitted.estimate
    variance = np.einsum("ij,jk,ik->i", X, fitted.vcov, X)
    # A robust fit has degrees of freedom for each coefficient, a prediction mixes them: the fewest err on the wide
    # side.
    q = _quantile(fitted.level, None if fitted.df is None else float(fitted.df.min()))
    further = None if spread2 is None else _about(estimate, q * np.sqrt(variance + spread2))
    return Predictions(estimate, np.sqrt(variance), _about(estimate, q * np.sqrt(variance)), further)


def wald_test(
    estimate: FloatArray, vcov: FloatArray, columns: Sequence[int], df_residual: float | None = None
) -> WaldTest:
    """Test that the coefficients in ``columns`` are all 0 (Wald 1943): chi-squared, or F with ``df_residual``.

    Parameters
    ----------
    estimate : numpy.ndarray, shape (p,)
    vcov : numpy.ndarray, shape (p, p)
    columns : sequence of int
    df_residual : float, optional
    """
    chosen, df = list(columns), len(columns)
    q = float(estimate[chosen] @ np.linalg.solve(vcov[np.ix_(chosen, chosen)], estimate[chosen]))
    if df_residual is None:
        return WaldTest(q, df, None, float(special.chdtrc(df, q)))
    return WaldTest(q / df, df, df_residual, float(special.fdtrc(df, df_residual, q / df)))
