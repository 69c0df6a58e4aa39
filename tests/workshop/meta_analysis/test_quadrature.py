"""Integrals over the random intercept agree with brute force, and their derivatives with differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import comb, expit

from bcma_decide.workshop.meta_analysis import quadrature
from bcma_decide.workshop.meta_analysis.quadrature import (
    POINTS,
    integrate,
    log_binomial_coefficients,
    mean_of_logistic,
    modes,
)
from tests.support.cases import for_each
from tests.support.examples import examples

GRID = np.linspace(-40, 40, 200_001)
STUDIES = [(0, 10, 0.0), (0, 88_391, -5.0), (5, 10, 1.0), (0, 3, -3.0), (400, 88_391, -4.0), (3, 3, 2.0)]


def one(events, total, eta):
    """Arrays of a single study."""
    return np.array([float(events)]), np.array([float(total)]), np.array([float(eta)])


def brute_force(events, total, eta, tau):
    """The trapezoidal rule on a fine grid."""
    linear = eta + tau * GRID
    h = events * linear - total * np.logaddexp(0, linear) - GRID**2 / 2 - 0.5 * math.log(2 * math.pi)
    return h.max() + math.log(np.exp(h - h.max()).sum() * (GRID[1] - GRID[0]))


def at(study, tau, points):
    """Integral of one study with the rule about its mode."""
    e, n, eta = one(*study)
    return integrate(e, n, eta, tau, modes(e, n, eta, tau, np.zeros(1)), points)


@for_each(("tau", "points"), [(0.3, 15), (1, 31), (3, 127), (6, 511)])
@for_each("study", STUDIES, ids=lambda study: f"{study[0]}-of-{study[1]}")
def test_integrals_agree_with_brute_force(study, tau, points):
    """More spread needs more points; the size of the study does not matter."""
    assert brute_force(*study, tau) == pytest.approx(at(study, tau, points).log_likelihood[0], abs=1e-9)


@for_each("study", STUDIES, ids=lambda study: f"{study[0]}-of-{study[1]}")
def test_derivatives_agree_with_differences(study):
    """First derivatives of the integral, second of the first, at tau = 0.8."""
    step, (e, n, eta) = 1e-4, study
    found = at(study, 0.8, 127)
    up, down = at((e, n, eta + step), 0.8, 127), at((e, n, eta - step), 0.8, 127)
    more, less = at(study, 0.8 + step, 127), at(study, 0.8 - step, 127)
    pairs = [
        (found.d_eta, up.log_likelihood - down.log_likelihood),
        (found.d_tau, more.log_likelihood - less.log_likelihood),
        (found.d_eta_eta, up.d_eta - down.d_eta),
        (found.d_eta_tau, up.d_tau - down.d_tau),
        (found.d_tau_tau, more.d_tau - less.d_tau),
    ]
    for derivative, difference in pairs:
        assert difference[0] / (2 * step) == pytest.approx(derivative[0], rel=1e-6, abs=1e-6)


def test_no_spread_leaves_the_binomial():
    """At tau = 0 the integral is the binomial likelihood and the slope in tau is 0."""
    found = at((3, 10, 0.4), 0.0, 15)
    assert found.log_likelihood[0] == pytest.approx(3 * 0.4 - 10 * math.log1p(math.exp(0.4)))
    assert (found.d_tau[0], found.d_eta_tau[0]) == pytest.approx((0, 0), abs=1e-12)


@for_each("points", POINTS)
def test_rules_have_the_moments_of_the_normal(points):
    """Mass 1, variance 1, and 105 for the eighth power."""
    nodes, log_weights = quadrature.gauss_hermite(points)
    weights = np.exp(log_weights - nodes**2 / 2)
    assert [weights @ nodes**power for power in (0, 1, 2, 8)] == pytest.approx([1, 0, 1, 105], rel=1e-12, abs=1e-12)


def test_many_studies_are_integrated_in_blocks():
    """The same as one at a time."""
    rng = np.random.default_rng(3)
    n = rng.integers(1, 100, 1500).astype(float)
    e, eta = rng.binomial(n.astype(int), 0.3).astype(float), rng.normal(size=1500)
    centre = modes(e, n, eta, 0.7, np.zeros(1500))
    whole = integrate(e, n, eta, 0.7, centre, 31).log_likelihood
    for row in (0, 700, 1499):
        part = integrate(e[[row]], n[[row]], eta[[row]], 0.7, centre[[row]], 31)
        assert part.log_likelihood[0] == pytest.approx(whole[row], rel=1e-14)


def test_binomial_coefficients_by_hand():
    """2 of 5 and 0 of 88391: 10 and 1."""
    found = log_binomial_coefficients(np.array([2.0, 0.0]), np.array([5.0, 88_391.0]))
    assert found == pytest.approx([math.log(comb(5, 2)), 0], abs=1e-9)


steady = examples(60)


@steady
@given(
    st.integers(1, 10**5).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.floats(-8, 8),
    st.floats(0.01, 8),
)
def test_modes_are_found_from_anywhere(row, eta, tau):
    """The slope of h vanishes, whatever the start."""
    e, n, predictor = one(*row, eta)
    for start in (-20.0, 0.0, 20.0):
        u = modes(e, n, predictor, tau, np.array([start]))
        slope = tau * (e - n * expit(predictor + tau * u)) - u
        assert abs(slope[0]) < 1e-6 * (1 + tau * n[0])


@steady
@given(st.floats(-10, 10), st.floats(0, 10))
def test_average_rates_are_symmetric(mean, sd):
    """Counting the others gives one minus the average; without spread it is the logistic itself."""
    assert mean_of_logistic(mean, sd) + mean_of_logistic(-mean, sd) == pytest.approx(1, abs=1e-12)
    assert mean_of_logistic(mean, 0.0) == pytest.approx(expit(mean), rel=1e-12)
