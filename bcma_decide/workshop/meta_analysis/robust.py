"""Covariance of coefficients that stays valid when rows of one study depend on each other in unknown ways.

The working model is ``V_j = diag(variances_j) + shared 1 1'`` for the rows of cluster j: with variances ``vi + tau2``
and nothing shared that of a meta-regression, with ``vi + within`` and ``shared = between`` that of a multilevel fit.
Coefficients are its generalised least squares; only their covariance is made from the residuals.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.clustered import ClusteredEffects, LeastSquares
from bcma_decide.workshop.meta_analysis.coefficients import Coefficients, checked_design, coefficients
from bcma_decide.workshop.meta_analysis.effect_sizes import FloatArray
from bcma_decide.workshop.meta_analysis.heterogeneity import checked_effects
from bcma_decide.workshop.meta_analysis.multilevel import checked_clusters

__all__ = ["Correction", "robust_coefficients"]

Correction = Literal["CR0", "CR1", "CR2"]

_RANK_TOLERANCE = 1e-10
"""Eigenvalues this near to 1 (a cluster alone) or to 0 (a direction without a residual) are these, up to rounding."""
_NOTHING = 1e-20
"""Of the model's variance: residuals of 1e-10 standard deviations are the rounding of an exact fit."""


def robust_coefficients(
    yi: npt.ArrayLike,
    variances: npt.ArrayLike,
    clusters: Sequence[Hashable],
    design: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
    *,
    shared: float = 0.0,
    correction: Correction = "CR1",
    level: float = 0.95,
) -> Coefficients:
    """Coefficients with cluster-robust ("sandwich") standard errors, t tests and intervals.

    Parameters
    ----------
    yi, variances : array_like, shape (k,)
        Effects and their variances in the working model, without what clusters share.
    clusters : sequence, length k
        The study each row belongs to.
    design : array_like, shape (k, p), optional
        An intercept alone without.
    names : sequence of str, length p, optional
    shared : float
        Variance that the rows of a cluster share in the working model.
    correction : {"CR0", "CR1", "CR2"}
        As it is (Hedges, Tipton and Johnson 2010); times m / (m - p) for m clusters, with m - p degrees of freedom
        (the default of metafor's ``robust``); or with residuals adjusted so that the covariance is unbiased under the
        working model, and Satterthwaite degrees of freedom for each coefficient (Tipton 2015; Pustejovsky and Tipton
        2018). CR0 has m - p degrees of freedom too.
    level : float

    Raises
    ------
    SynthesisError
        If effects, clusters or design are not valid, an option is unknown, there are not more clusters than
        coefficients, a column rests on one cluster alone, or all rows fit exactly.
    """
    y, v = checked_effects(yi, variances)
    X = checked_design(design, y.size, names)
    if correction not in get_args(Correction):
        raise SynthesisError(f"correction is {correction!r}, but must be one of {', '.join(get_args(Correction))}")
    if not (np.isfinite(shared) and shared >= 0):
        raise SynthesisError(f"shared is {shared}, but a variance is a finite number of at least 0")
    order, size = checked_clusters(clusters, y.size)
    m = size.size
    if m <= X.p:
        raise SynthesisError(
            f"robust standard errors of {X.p} coefficients need more than {X.p} clusters, not {m}; leave out columns "
            "or use the standard errors of the model"
        )
    # On orthonormal columns, whatever the units; taken back by R at the end.
    Q, R = np.linalg.qr(X.X)
    back = np.linalg.inv(R)
    effects = ClusteredEffects(y[order], v[order], Q[order], np.concatenate([[0], np.cumsum(size)[:-1]]), size)
    fit = effects.least_squares(np.array([shared, 0.0]))
    _refuse_lone_clusters(effects, fit, back, X.names, [clusters[row] for row in order[effects.first]])
    df: float | FloatArray = float(m - X.p)
    if correction == "CR2":
        vcov, df = _unbiased(effects, fit, back, shared)
    else:
        scores = effects.sums(effects.X * fit.r[:, None])
        vcov = fit.vcov @ (scores.T @ scores) @ fit.vcov * (m / (m - X.p) if correction == "CR1" else 1.0)
        vcov = back @ vcov @ back.T
    if (np.diag(vcov) <= _NOTHING * np.diag(back @ fit.vcov @ back.T)).any():
        raise SynthesisError("the rows fit exactly, so residuals say nothing: use the standard errors of the model")
    return coefficients(X.names, back @ fit.estimate, vcov, df, level)


def _refuse_lone_clusters(
    effects: ClusteredEffects,
    fit: LeastSquares,
    back: FloatArray,
    names: Sequence[str],
    clusters: Sequence[Hashable],
) -> None:
    """Refuse a combination of columns that one cluster alone informs: its residual is 0 whatever the truth.

    Such a cluster holds the whole information in some direction: an eigenvalue of its share is 1.
    """
    informations = effects.sums(effects.X[:, :, None] * fit.F[:, None, :])
    # In the metric of the whole information, where the clusters' shares add up to the identity.
    root = np.linalg.cholesky(fit.vcov)
    shares, directions = np.linalg.eigh(root.T @ informations @ root)
    alone = int(np.argmax(shares[:, -1]))
    if shares[alone, -1] > 1 - _RANK_TOLERANCE:
        spread = np.sqrt(np.diag(back @ fit.vcov @ back.T))
        name = names[int(np.argmax(np.abs(back @ root @ directions[alone, :, -1]) / spread))]
        raise SynthesisError(
            f"{name} rests on cluster {clusters[alone]!r} alone, whose residuals say nothing about its error: leave "
            "out the column or use the standard errors of the model"
        )


def _unbiased(
    effects: ClusteredEffects, fit: LeastSquares, back: FloatArray, shared: float
) -> tuple[FloatArray, FloatArray]:
    """CR2 covariance, and Satterthwaite degrees of freedom, of each coefficient ``back @ estimate``.

    With ``V_j = D'D`` the residuals of cluster j are multiplied by ``A_j = D' B^(+1/2) D``, where
    ``B = D (V_j - X_j M X_j') D'`` and ``M`` is the model's covariance (Pustejovsky and Tipton 2018, equation 4). The
    variance of coefficient c is then a sum of squares of ``a_j'residual_j`` with ``a_j = A_j' F_j M e_c``, whose
    covariances under the working model are ``a_i'(V - X M X')_ij a_j``; two moments of it set the degrees of freedom.
    """
    M, residual = fit.vcov, effects.yi - effects.X @ fit.estimate
    meat = np.zeros_like(M)
    own, across = np.empty((effects.size.size, len(M))), np.empty((effects.size.size, *M.shape))
    for j, (first, size) in enumerate(zip(effects.first.tolist(), effects.size.tolist(), strict=True)):
        rows = slice(first, first + size)
        X, V = effects.X[rows], np.diag(effects.vi[rows]) + shared
        D = np.linalg.cholesky(V).T
        values, vectors = np.linalg.eigh(D @ (V - X @ M @ X.T) @ D.T)
        # What a cluster has no residual in (a column that is constant in all others) cannot be adjusted: the inverse
        # root is taken in the remaining directions. The scale is that of D V D', a squared variance.
        kept = values > _RANK_TOLERANCE * float(np.trace(V)) ** 2
        adjusted = D.T @ (vectors[:, kept] / np.sqrt(values[kept])) @ vectors[:, kept].T @ D
        score = fit.F[rows].T @ adjusted @ residual[rows]
        meat += np.outer(score, score)
        a = adjusted.T @ fit.F[rows] @ M @ back.T
        own[j] = np.einsum("ic,ij,jc->c", a, V, a)
        across[j] = X.T @ a
    # Row c of these holds, for coefficient c, a_j'V_j a_j, g_j'M g_j and the sum of (g_i'M g_j)^2, g_j = X_j'a_j.
    leverage = np.einsum("jac,ab,jbc->jc", across, M, across)
    mixed = np.einsum("ab,jbc,jdc->cad", M, across, across)
    squares = np.square(own).sum(axis=0) - 2 * (own * leverage).sum(axis=0) + np.einsum("cad,cda->c", mixed, mixed)
    return back @ M @ meat @ M @ back.T, np.square((own - leverage).sum(axis=0)) / squares
