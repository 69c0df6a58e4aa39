"""One arm held against its forecast: values by hand, and the beta-binomial of scipy as the outside truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import beta, betabinom, binom

from bcma_decide.workshop.validation.forecast import Forecast, judge, normal_mixture
from tests.support.cases import for_each


def certain(rate: float) -> Forecast:
    """All weight on one rate."""
    return Forecast(np.array([rate]), np.array([1.0]))


def beta_forecast(a: float, b: float) -> Forecast:
    """A beta distribution in 40,000 slices of equal width."""
    edges = np.linspace(0.0, 1.0, 40_001)
    return Forecast(0.5 * (edges[1:] + edges[:-1]), np.diff(beta.cdf(edges, a, b)))


def test_crps_of_one_patient_is_the_squared_miss():
    """With one patient and a rate of 0.3 the distribution function at 0 is 0.7: (0.7 - 0)^2 if the event happened."""
    assert judge(certain(0.3), 1, 1).crps == pytest.approx(0.49)
    assert judge(certain(0.3), 0, 1).crps == pytest.approx(0.09)


def test_crps_of_two_patients_by_hand():
    """Counts 0, 1, 2 have 1/4, 1/2, 1/4; 2 seen: (1/4^2 + 3/4^2 + 0) / 2 = 5/16."""
    assert judge(certain(0.5), 2, 2).crps == pytest.approx(5 / 16)


def test_log_score_of_a_known_rate_is_that_of_the_binomial():
    """3 of 5 at one half: 10 / 32."""
    assert judge(certain(0.5), 3, 5).log_score == pytest.approx(-math.log(10 / 32))


@for_each("a, b, events, total", [(2.0, 5.0, 3, 20), (8.0, 3.0, 40, 50), (1.5, 30.0, 0, 120), (4.0, 4.0, 80, 80)])
def test_log_score_of_a_beta_forecast_is_that_of_the_beta_binomial(a, b, events, total):
    found = judge(beta_forecast(a, b), events, total)
    assert found.log_score == pytest.approx(-betabinom.logpmf(events, total, a, b), abs=2e-4)
    assert found.mean == pytest.approx(a / (a + b), abs=1e-6)


@for_each("a, b, total", [(2.0, 5.0, 60), (8.0, 3.0, 200), (30.0, 30.0, 100)])
def test_intervals_are_those_of_the_beta_binomial_to_half_a_patient(a, b, total):
    found = judge(beta_forecast(a, b), 0, total).intervals
    for (low, high), level in zip(found, (0.5, 0.8, 0.95), strict=True):
        ends = betabinom.ppf([0.5 - level / 2, 0.5 + level / 2], total, a, b) / total
        assert [low, high] == pytest.approx(ends, abs=0.5 / total + 1e-9)


def test_winkler_adds_forty_times_what_is_missed():
    """Inside it is the width; outside, 2 / 0.05 times the distance is added."""
    inside, outside = judge(certain(0.5), 50, 100), judge(certain(0.5), 90, 100)
    low, high = inside.intervals[-1]
    assert [low, high] == pytest.approx(binom.ppf([0.025, 0.975], 100, 0.5) / 100, abs=0.005)
    assert inside.winkler == pytest.approx(high - low)
    assert outside.winkler == pytest.approx(high - low + 40 * (0.9 - high))


def test_a_sharper_forecast_of_the_right_rate_scores_better_and_of_a_wrong_rate_worse():
    sharp, wide = beta_forecast(30, 30), beta_forecast(3, 3)
    for name in ("log_score", "winkler", "crps"):
        assert getattr(judge(sharp, 50, 100), name) < getattr(judge(wide, 50, 100), name)
        assert getattr(judge(sharp, 95, 100), name) > getattr(judge(wide, 95, 100), name)


def test_arms_drawn_from_the_forecast_lie_inside_its_intervals_as_often_as_they_say():
    """500 arms of a normal with mean 0.5 and sd 0.8 on the log odds, 20 to 150 patients: within 3 standard errors."""
    rng = np.random.default_rng(7)
    forecast = normal_mixture(np.array([1.0]), np.array([0.5]), np.array([0.64]))
    arms = 500
    inside = np.zeros(3)
    for _ in range(arms):
        total = int(rng.integers(20, 150))
        events = int(rng.binomial(total, expit(0.5 + 0.8 * rng.standard_normal())))
        found = judge(forecast, events, total)
        inside += [low <= found.observed <= high for low, high in found.intervals]
    for share, level in zip(inside / arms, (0.5, 0.8, 0.95), strict=True):
        assert abs(share - level) < 3 * math.sqrt(level * (1 - level) / arms) + 0.01
