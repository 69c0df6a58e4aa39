"""Scores over many rows by hand, and the bootstrap of differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from bcma_decide.workshop.validation.bootstrap import belonging, difference
from bcma_decide.workshop.validation.scores import calibration_line, summarise
from tests.workshop.validation.support.rows import predicted, row


def test_error_bias_coverage_and_width_by_hand():
    """Observed 0.2, 0.6, 0.5; predicted 0.3, 0.5, 0.5: errors 0.1, 0.1, 0, their signed sum 0."""
    rows = [
        row("a", 2, 10, m=predicted(0.3, ends=((0.25, 0.35), (0.2, 0.4), (0.1, 0.5)))),
        row("b", 6, 10, m=predicted(0.5, ends=((0.45, 0.55), (0.4, 0.58), (0.3, 0.59)))),
        row("c", 5, 10, m=predicted(0.5, ends=((0.45, 0.55), (0.4, 0.6), (0.3, 0.7)))),
    ]
    found = summarise(rows, "m")
    assert found.rows == 3
    assert found.mae == pytest.approx(0.2 / 3, abs=1e-6)
    assert found.bias == pytest.approx(0.0, abs=1e-6)
    assert found.coverage == pytest.approx((1 / 3, 2 / 3, 2 / 3), abs=1e-6)
    assert found.width == pytest.approx((0.4 + 0.29 + 0.4) / 3, abs=1e-6)


def test_means_of_the_proper_scores_by_hand():
    rows = [
        row("a", 1, 10, m=predicted(0.1, log_score=1.0, winkler=0.2, crps=0.01)),
        row("b", 1, 10, m=predicted(0.1, log_score=4.0, winkler=0.6, crps=0.05)),
    ]
    found = summarise(rows, "m")
    assert (found.log_score, found.winkler, found.crps) == pytest.approx((2.5, 0.4, 0.03))
    assert found.slope is None  # two rows always lie on a line


def test_the_calibration_line_goes_through_the_counts_of_two_predictions():
    """Predicted 0.2: 20/50 and 10/50, together 0.3; predicted 0.5: 60/100. Intercept logit(0.6) = 0.4055, and slope
    (logit(0.6) - logit(0.3)) / (logit(0.5) - logit(0.2)) = (0.4055 + 0.8473) / 1.3863 = 0.9037.
    """
    line = calibration_line(np.array([0.2, 0.2, 0.5]), np.array([20.0, 10.0, 60.0]), np.array([50.0, 50.0, 100.0]))
    assert line is not None
    assert (line.intercept, line.slope) == pytest.approx((0.4055, 0.9037), abs=1e-4)


def test_predictions_that_are_twice_too_extreme_have_a_slope_of_one_half():
    x = np.linspace(-2.0, 2.0, 40)
    total = np.full(40, 1e6)
    line = calibration_line(expit(2.0 * x), total * expit(x), total)
    assert line is not None
    assert (line.intercept, line.slope) == pytest.approx((0.0, 0.5), abs=1e-6)


def test_counts_without_a_finite_line_give_none():
    """No event at all, and all below one prediction and none above: the likelihood rises for ever."""
    rates, total = np.array([0.1, 0.2, 0.3, 0.4]), np.full(4, 20.0)
    assert calibration_line(rates, np.zeros(4), total) is None
    assert calibration_line(rates, np.array([0.0, 0.0, 20.0, 20.0]), total) is None
    assert calibration_line(np.full(4, 0.3), np.array([3.0, 4.0, 5.0, 6.0]), total) is None


def test_studies_that_belong_together_by_a_chain_are_one_group():
    """a shares patients with b, and b with c; d stands alone."""
    links = {"a": {"a", "b"}, "b": {"a", "b", "c"}, "c": {"b", "c"}, "d": {"d"}}
    group = belonging({study: frozenset(mates) for study, mates in links.items()})
    assert group["a"] == group["b"] == group["c"] != group["d"]


def gains(values, studies=None):
    """Rows in which the model is better by these log scores, each of a study of its own unless given."""
    studies = studies or [f"s{place}" for place in range(len(values))]
    return [
        row(study, 1, 10, patient_model=predicted(0.1, winkler=0.3), b=predicted(0.1, log_score=value, winkler=0.6))
        for study, value in zip(studies, values, strict=True)
    ]


def test_a_gain_that_every_row_shares_has_no_width():
    found = difference(gains([0.2] * 6), {f"s{place}": place for place in range(6)}, "b")
    assert found.log_score == pytest.approx(0.2)
    assert found.log_score_interval == pytest.approx((0.2, 0.2))
    assert (found.winkler_ratio, *found.winkler_ratio_interval) == pytest.approx((0.5, 0.5, 0.5))


def test_the_interval_is_that_of_resampled_groups_not_rows():
    """Every row printed four times under its study says no more; as studies of their own it would seem to."""
    values = [0.9, -0.4, 0.3, 0.7, -0.2, 0.1, 0.5, -0.6]
    names = [f"s{place}" for place in range(len(values))]
    once = difference(gains(values), {name: place for place, name in enumerate(names)}, "b")
    copied, studies = values * 4, names * 4
    grouped = difference(gains(copied, studies), {name: place for place, name in enumerate(names)}, "b")
    apart = difference(gains(copied), {f"s{place}": place for place in range(len(copied))}, "b")
    assert grouped.log_score_interval == pytest.approx(once.log_score_interval)
    low, high = once.log_score_interval
    assert apart.log_score_interval[1] - apart.log_score_interval[0] < 0.6 * (high - low)


def test_the_interval_of_a_mean_is_about_that_of_the_normal():
    """200 studies with unit variance: half-width 1.96 / sqrt(200) = 0.139."""
    values = np.random.default_rng(3).standard_normal(200)
    values = ((values - values.mean()) / values.std() + 1.0).tolist()
    found = difference(gains(values), {f"s{place}": place for place in range(200)}, "b")
    low, high = found.log_score_interval
    assert (low, high) == pytest.approx((1 - 0.139, 1 + 0.139), abs=0.012)
