"""Weighted least squares on a few columns: the arithmetic under pooling, heterogeneity and meta-regression.

Throughout ``W = diag(w)`` and ``P = W - W X (X'W X)^-1 X'W``, the matrix that takes the fitted part out of y. ``P`` is
never formed: its traces come from p-by-p matrices, so every step costs O(k p^2). An intercept alone is a design with
one column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray

__all__ = [
    "DesignMatrix",
    "WeightedFit",
    "Weighting",
    "dependent_column",
    "intercept_only",
    "prepare",
    "random_effects_fit",
    "weighted_fit",
    "weighting",
]

_DEPENDENT = 1e-10
"""Share of a column that those before it leave: a combination leaves rounding, about 1e-15 of it."""
_LOST = 1e-11
"""Share of tr P^2 that must be left after what one study's weight takes out: rounding then leaves about five digits."""


@dataclass(frozen=True, eq=False)
class DesignMatrix:
    """A design matrix ``X`` of k rows and p independent columns.

    Work is done on ``basis = X @ back`` (k, p), whose columns are orthonormal, so that a column such as the calendar
    year costs no digits. ``products`` (k, p * p) holds the products of its columns, row by row.
    """

    basis: FloatArray
    back: FloatArray
    products: FloatArray

    @property
    def rows(self) -> int:
        """Number of studies, k."""
        return int(self.basis.shape[0])

    @property
    def columns(self) -> int:
        """Number of coefficients, p."""
        return int(self.basis.shape[1])

    def gram(self, w: FloatArray) -> FloatArray:
        """``basis' diag(w) basis`` for weights w (k,); shape (p, p)."""
        return (w @ self.products).reshape(self.back.shape)


def intercept_only(k: int) -> DesignMatrix:
    """The design of a plain mean of k studies."""
    size = float(np.sqrt(k))
    return DesignMatrix(np.full((k, 1), 1 / size), np.array([[1 / size]]), np.full((k, 1), 1 / k))


def prepare(matrix: npt.ArrayLike, rows: int) -> DesignMatrix:
    """Orthonormalise a design matrix of ``rows`` rows.

    Parameters
    ----------
    matrix : array_like, shape (rows, p)
        Intercept included.
    rows : int

    Raises
    ------
    SynthesisError
        If the matrix has another shape, holds something that is not a finite number, has no more rows than columns,
        or a column is a combination of those before it.
    """
    try:
        X = np.asarray(matrix, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SynthesisError(f"the design must be numbers: {error}") from error
    if X.ndim != 2 or X.shape[0] != rows or X.shape[1] == 0:
        raise SynthesisError(f"the design has shape {X.shape}, but must have one row for each of {rows} studies")
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise SynthesisError(f"design[{row}, {column}] is {X[row, column]}, which is not a finite number")
    if rows <= X.shape[1]:
        raise SynthesisError(f"{rows} studies are too few for {X.shape[1]} coefficients: at least one more is needed")
    basis, triangle = np.linalg.qr(X)
    dependent = _first_dependent(triangle)
    if dependent is not None:
        raise SynthesisError(f"column {dependent} of the design is a combination of the columns before it")
    products = (basis[:, :, None] * basis[:, None, :]).reshape(rows, -1)
    return DesignMatrix(basis, np.linalg.inv(triangle), products)


def dependent_column(X: FloatArray) -> int | None:
    """Index of the first column of X (k, p) that is a combination of those before it, if there is one."""
    return _first_dependent(np.asarray(np.linalg.qr(X, mode="r")))


def _first_dependent(triangle: FloatArray) -> int | None:
    """First column of which the columns before it leave nothing, to ten digits of its length."""
    left, size = np.abs(np.diagonal(triangle)), np.sqrt(np.square(triangle).sum(axis=0))
    dependent = np.flatnonzero(left <= _DEPENDENT * size)
    return int(dependent[0]) if dependent.size else None


@dataclass(frozen=True, eq=False)
class Weighting:
    """A design with weights (k,); ``phi`` (p, p) is ``(basis' W basis)^-1``."""

    design: DesignMatrix
    weights: FloatArray
    phi: FloatArray

    def covariance(self) -> FloatArray:
        """``(X'W X)^-1``; shape (p, p)."""
        return self.design.back @ self.phi @ self.design.back.T

    def traces(self, a: FloatArray | None = None) -> tuple[float, float]:
        """Traces of ``P diag(a)`` and of its square; without a, of P and its square.

        Raises
        ------
        SynthesisError
            If so few studies carry all the weight that what the others add to the traces is lost in rounding.
        """
        w = self.weights
        wa = w if a is None else w * a
        waw = wa * w
        once, twice = self.design.gram(waw), self.design.gram(waw * wa)
        projected = self.phi @ once
        largest = float(wa @ wa)
        square = largest - 2 * float(np.vdot(self.phi, twice)) + float(np.vdot(projected, projected.T))
        if square <= _LOST * largest:
            raise SynthesisError(
                "the variances of some studies are so much smaller than the others' that heterogeneity cannot be told "
                "from rounding: check the units of vi"
            )
        return float(wa.sum() - np.vdot(self.phi, once)), square


@dataclass(frozen=True, eq=False)
class WeightedFit(Weighting):
    """Weighted least squares of y: coefficients of the orthonormal basis ``gamma`` (p,), and residuals (k,)."""

    gamma: FloatArray
    residuals: FloatArray

    @property
    def sum_of_squares(self) -> float:
        """``y'P y``, the weighted sum of squared residuals."""
        return float(self.weights @ np.square(self.residuals))

    def coefficients(self) -> FloatArray:
        """Coefficients of the columns of X; shape (p,)."""
        return self.design.back @ self.gamma


def weighting(w: FloatArray, design: DesignMatrix) -> Weighting:
    """The design under weights w (k,), all positive."""
    return Weighting(design, w, _inverse(design.gram(w)))


def weighted_fit(y: FloatArray, w: FloatArray, design: DesignMatrix) -> WeightedFit:
    """Fit y (k,) with weights w (k,), all positive."""
    phi = _inverse(design.gram(w))
    gamma = phi @ ((w * y) @ design.basis)
    return WeightedFit(design, w, phi, gamma, y - design.basis @ gamma)


def random_effects_fit(y: FloatArray, v: FloatArray, tau2: float, design: DesignMatrix) -> WeightedFit:
    """Fit y (k,) with the weights of the random-effects model, ``1 / (v + tau2)``."""
    return weighted_fit(y, 1 / (v + tau2), design)


def _inverse(gram: FloatArray) -> FloatArray:
    """Inverse of a positive definite p-by-p matrix."""
    return 1 / gram if gram.size == 1 else np.asarray(np.linalg.inv(gram))
