"""The normal distribution without scipy agrees with scipy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, ndtr
from scipy.stats import norm

from bcma_decide.model.normal import Z95, distribution, expected_logistic, logistic, mixture_quantiles


def test_z95_is_the_975th_quantile():
    assert pytest.approx(1.959963984540054, abs=1e-12) == Z95


def test_distribution_agrees_with_scipy_over_its_whole_range():
    x = np.linspace(-9, 9, 20001)
    assert np.abs(distribution(x) - ndtr(x)).max() < 1e-6


def test_logistic_agrees_with_scipy_and_does_not_overflow():
    x = np.array([-800.0, -5.0, 0.0, 3.0, 800.0])
    assert expit(x) == pytest.approx(logistic(x), abs=1e-15)


@given(mean=st.floats(-6, 6), sd=st.floats(0.01, 3))
def test_quantiles_of_one_normal_are_the_normal_ones(mean, sd):
    found = mixture_quantiles(np.ones((1, 1)), np.array([[mean]]), np.array([[sd]]), np.array([0.025, 0.5, 0.975]))
    assert norm.ppf([0.025, 0.5, 0.975], mean, sd) == pytest.approx(found[0], abs=2e-4 * max(sd, 1))


@given(
    means=st.lists(st.floats(-8, 8), min_size=4, max_size=4),
    sds=st.lists(st.floats(0.02, 3), min_size=4, max_size=4),
)
def test_quantiles_of_a_mixture_hold_the_probability_they_name(means, sds):
    probabilities = np.array([0.025, 0.5, 0.975])
    weights = np.array([[0.1, 0.2, 0.3, 0.4]])
    found = mixture_quantiles(weights, np.array([means]), np.array([sds]), probabilities)
    held = (weights[0] * ndtr((found[0][:, None] - means) / sds)).sum(axis=1)
    assert probabilities == pytest.approx(held, abs=1e-4)
    assert (np.diff(found[0]) >= 0).all()


def test_expected_logistic_agrees_with_direct_integration():
    x = np.linspace(-12, 12, 200001)
    for mean, sd in ((0.0, 1.0), (2.0, 0.5), (-3.0, 1.5)):
        direct = float(np.sum(expit(x) * norm.pdf(x, mean, sd)) * (x[1] - x[0]))
        assert direct == pytest.approx(float(expected_logistic(np.array(mean), np.array(sd))), abs=2e-4)


def test_one_cell_found_at_once_does_not_keep_the_others_from_converging():
    """A symmetric cell starts at its median; the second has its median on a plateau between two groups; the third
    has a spike beside its median, between whose sides Newton's steps swing for ever."""
    weights = np.array([[0.25] * 4, [0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4]])
    means = np.array([[0.3] * 4, [-3.5, 7.0, 0.5, -3.125], [1.0, 0.0, 2.0, 1.0]])
    sds = np.array([[0.5] * 4, [0.25, 1.0, 0.25, 0.25], [0.0215, 0.125, 2.0, 1.0]])
    probabilities = np.array([0.025, 0.5, 0.975])
    found = mixture_quantiles(weights, means, sds, probabilities)
    for cell in range(3):
        held = (weights[cell] * ndtr((found[cell][:, None] - means[cell]) / sds[cell])).sum(axis=1)
        assert probabilities == pytest.approx(held, abs=1e-5)
