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
from bcma_decide.synthesis.effect_sizes import FloatArray

__all__ = ["Design", "WeightedFit", "dependent_column", "intercept_only", "inverse", "prepare", "weighted_fit"]

_DEPENDENT = 1e-10


@dataclass(frozen=True, eq=False)
class Design:
    """A design matrix ``X = basis @ triangle`` of k rows and p independent columns.

    Work is done on ``basis`` (k, p), whose columns are orthonormal, so that a column such as the calendar year costs
    no digits. ``products`` (k, p * p) holds the products of its columns, row by row.
    """

    basis: FloatArray
    triangle: FloatArray
    products: FloatArray

    @property
    def rows(self) -> int:
        """Number of studies, k."""
        return int(self.basis.shape[0])

    @property
    def columns(self) -> int:
        """Number of coefficients, p."""
        return int(self.basis.shape[1])

    def grams(self, *weights: FloatArray) -> FloatArray:
        """``basis' diag(w) basis`` for each of n weight vectors; shape (n, p, p)."""
        p = self.columns
        return (np.array(weights) @ self.products).reshape(len(weights), p, p)


def intercept_only(k: int) -> Design:
    """The design of a plain mean of k studies."""
    size = float(np.sqrt(k))
    return Design(np.full((k, 1), 1 / size), np.array([[size]]), np.full((k, 1), 1 / k))


def prepare(matrix: npt.ArrayLike, rows: int) -> Design:
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
    dependent = dependent_column(X)
    if dependent is not None:
        raise SynthesisError(f"column {dependent} of the design is a combination of the columns before it")
    basis, triangle = np.linalg.qr(X)
    products = (basis[:, :, None] * basis[:, None, :]).reshape(rows, -1)
    return Design(basis, triangle, products)


def dependent_column(X: FloatArray) -> int | None:
    """Index of the first column of X (k, p) that is a combination of those before it, if there is one."""
    size = np.linalg.norm(X, axis=0)
    scaled = X / np.where(size > 0, size, 1.0)
    left = np.abs(np.diagonal(np.linalg.qr(scaled, mode="r")))
    dependent = np.flatnonzero(left <= _DEPENDENT)
    return int(dependent[0]) if dependent.size else None


@dataclass(frozen=True, eq=False)
class WeightedFit:
    """Weighted least squares of y on a design.

    ``gamma`` (p,) are the coefficients of the orthonormal basis, ``phi`` (p, p) is ``(basis' W basis)^-1``, and
    ``residuals`` (k,) and ``weights`` (k,) go with the studies.
    """

    design: Design
    weights: FloatArray
    gamma: FloatArray
    phi: FloatArray
    residuals: FloatArray

    @property
    def sum_of_squares(self) -> float:
        """``y'P y``, the weighted sum of squared residuals."""
        return float(self.weights @ np.square(self.residuals))

    def coefficients(self) -> FloatArray:
        """Coefficients of the columns of X; shape (p,)."""
        return np.asarray(np.linalg.solve(self.design.triangle, self.gamma))

    def covariance(self) -> FloatArray:
        """``(X'W X)^-1``; shape (p, p)."""
        half = np.linalg.solve(self.design.triangle, self.phi)
        return np.asarray(np.linalg.solve(self.design.triangle, half.T))

    def trace(self, a: FloatArray | None = None) -> float:
        """Trace of ``P diag(a)``; without a, of P."""
        w = self.weights
        wa = w if a is None else w * a
        return float(wa.sum() - np.sum(self.phi * self.design.grams(w * wa)[0]))

    def trace_squared(self, a: FloatArray) -> float:
        """Trace of ``(P diag(a))^2``."""
        w = self.weights
        wa = w * a
        inner, outer = self.design.grams(w * wa, wa * wa * w)
        projected = self.phi @ inner
        return float(wa @ wa - 2 * np.sum(self.phi * outer) + np.sum(projected * projected.T))


def weighted_fit(y: FloatArray, w: FloatArray, design: Design) -> WeightedFit:
    """Fit y (k,) with weights w (k,), all positive."""
    phi = inverse(design.grams(w)[0])
    gamma = phi @ ((w * y) @ design.basis)
    return WeightedFit(design, w, gamma, phi, y - design.basis @ gamma)


def inverse(gram: FloatArray) -> FloatArray:
    """Inverse of a positive definite p-by-p matrix."""
    return 1 / gram if gram.size == 1 else np.asarray(np.linalg.inv(gram))
