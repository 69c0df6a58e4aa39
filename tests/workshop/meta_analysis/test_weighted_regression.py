"""The sums over studies equal the k-by-k matrices they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.workshop.meta_analysis.likelihood import _at, _scores, log_likelihood
from bcma_decide.workshop.meta_analysis.weighted_regression import (
    intercept_only,
    prepare,
    random_effects_fit,
    weighted_fit,
)
from tests.support.examples import examples

steady = examples(20)
SEEDS = st.integers(0, 10_000)


def example(seed):
    """Effects, variances, a design with one to three columns, and tau2."""
    random = np.random.default_rng(seed)
    k, p = int(random.integers(5, 12)), int(random.integers(1, 4))
    X = np.column_stack([np.ones(k), random.normal(size=(k, p - 1))])
    return random.normal(size=k), random.uniform(0.05, 2, k), X, float(random.uniform(0, 2))


def projector(w, X):
    """W - W X (X'W X)^-1 X'W, written out."""
    W = np.diag(w)
    return W - W @ X @ np.linalg.inv(X.T @ W @ X) @ X.T @ W


@steady
@given(SEEDS)
def test_fit_and_traces(seed):
    """Coefficients, their covariance, the sum of squares and the traces of P and its square."""
    y, v, X, tau2 = example(seed)
    design = prepare(X, y.size)
    fit = random_effects_fit(y, v, tau2, design)
    w = 1 / (v + tau2)
    P = projector(w, X)
    W = np.diag(w)
    inverse = np.linalg.inv(X.T @ W @ X)
    np.testing.assert_allclose(fit.coefficients(), inverse @ X.T @ W @ y, atol=1e-9)
    np.testing.assert_allclose(fit.covariance(), inverse, atol=1e-9)
    assert fit.sum_of_squares == pytest.approx(y @ P @ y, abs=1e-10)
    assert fit.traces() == pytest.approx((np.trace(P), np.trace(P @ P)), rel=1e-9)
    assert fit.traces(v) == pytest.approx(
        (np.trace(P @ np.diag(v)), np.trace(P @ np.diag(v) @ P @ np.diag(v))), rel=1e-9
    )


@steady
@given(SEEDS, st.booleans())
def test_slope_of_the_likelihood(seed, restricted):
    """The score is the derivative of the log-likelihood, the observed information that of the score, on a grid too."""
    y, v, X, tau2 = example(seed)
    tau2 += 0.1
    design = prepare(X, y.size)
    step = 1e-5

    def density(t):
        return log_likelihood(y, v, t, design, restricted=restricted)

    at = _at(y, v, tau2, design, restricted=restricted)
    assert at.score == pytest.approx((density(tau2 + step) - density(tau2 - step)) / step, rel=1e-4, abs=1e-4)
    ends = [_at(y, v, tau2 + side * step, design, restricted=restricted).score for side in (-1, 1)]
    assert at.observed == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-4, abs=1e-4)
    P = projector(1 / (v + tau2), X)
    assert at.expected == pytest.approx(np.trace(P @ P) if restricted else (1 / (v + tau2) ** 2).sum(), rel=1e-9)
    residuals = weighted_fit(y, np.ones_like(v), design).residuals
    grid = np.array([tau2, 2 * tau2])
    scores = _scores(residuals, v, grid, design, restricted=restricted)
    assert scores == pytest.approx([_at(y, v, t, design, restricted=restricted).score for t in grid], abs=1e-8)


def test_an_intercept_is_the_design_of_one_column_of_ones():
    """Both ways to make it fit the same mean, with the same error."""
    y, w = np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0])
    one, other = (weighted_fit(y, w, design) for design in (intercept_only(3), prepare([[1], [1], [1]], 3)))
    assert one.coefficients() == pytest.approx([17 / 6])
    assert other.coefficients() == pytest.approx([17 / 6])
    assert one.covariance() == pytest.approx(np.array([[1 / 6]]))
    assert other.covariance() == pytest.approx(np.array([[1 / 6]]))
