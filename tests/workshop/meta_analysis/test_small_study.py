"""Begg's test, trim and fill, and Henmi and Copas's interval agree with metafor."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis import begg_test as begg
from bcma_decide.workshop.meta_analysis import trim_and_fill as trimming
from bcma_decide.workshop.meta_analysis.begg_test import begg_test
from bcma_decide.workshop.meta_analysis.henmi_copas import henmi_copas
from bcma_decide.workshop.meta_analysis.pooling import pool
from bcma_decide.workshop.meta_analysis.trim_and_fill import trim_and_fill
from tests.support.cases import for_each
from tests.workshop.meta_analysis.support.reference import sets_holding

SETS = sets_holding("small_study")
EACH_SET = for_each("place", SETS)
ROOT_OF_HC = 2e-4
"""metafor's hc() looks for the quantile with R's uniroot at its default tolerance, 1.2e-4, so the half-widths in the
reference are good to about 1e-4; ours is exact to 1e-12 (test_henmi_copas_covers_as_it_says has the right value)."""


@EACH_SET
def test_begg(place):
    """Kendall's tau and its p-value, exact without ties and normal with."""
    effects, expected = SETS[place]["escalc"], SETS[place]["small_study"]["begg"]
    found = begg_test(effects["yi"], effects["vi"])
    assert expected["tau"] == pytest.approx(found.tau, rel=1e-9)
    assert expected["pval"] == pytest.approx(found.p, rel=1e-9)


def test_begg_by_counting():
    """Five studies: the p-value is the share of all 120 orders that are at least as far from no correlation."""
    y, v = np.array([0.3, -0.2, 0.9, 1.4, 0.8]), np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    found = begg_test(y, v)
    score = round(found.tau * 10)
    scores = [
        sum(1 if b > a else -1 for a, b in itertools.combinations(order, 2))
        for order in itertools.permutations(range(5))
    ]
    assert found.exact
    assert found.p == pytest.approx(sum(abs(each) >= abs(score) for each in scores) / 120)


def test_begg_exact_and_normal_agree_for_many(monkeypatch):
    """At a hundred studies it makes no difference that matters."""
    rng = np.random.default_rng(4)
    v = rng.uniform(0.1, 1, 100)
    y = rng.normal(0.3 * v, np.sqrt(v))
    exact = begg_test(y, v)
    monkeypatch.setattr(begg, "_EXACT_UP_TO", 10)
    normal = begg_test(y, v)
    assert (exact.exact, normal.exact) == (True, False)
    assert normal.p == pytest.approx(exact.p, abs=2e-3)


def test_begg_needs_ranks():
    """Fewer than three studies, or all alike, cannot be ranked."""
    with pytest.raises(SynthesisError, match="at least three studies, not 2"):
        begg_test([0, 1], [1, 2])
    with pytest.raises(SynthesisError, match="all variances are equal"):
        begg_test([0, 1, 2], [1, 1, 1])
    with pytest.raises(SynthesisError, match="all effects are equal"):
        begg_test([1, 1, 1], [1, 2, 3])


@EACH_SET
def test_trim_and_fill(place):
    """Side, number of missing studies and the result with them, side found by the slope as metafor does."""
    effects, expected = SETS[place]["escalc"], SETS[place]["small_study"]["trimfill_DL_L0"]
    found = trim_and_fill(effects["yi"], effects["vi"], method="DL")
    assert (expected["k0"], expected["side"]) == (found.missing, found.side)
    assert found.filled_yi.size == found.filled_vi.size == found.missing
    assert (expected["beta"], expected["se"]) == pytest.approx((found.pooled.estimate, found.pooled.se), rel=1e-9)
    assert expected["tau2"] == pytest.approx(found.pooled.tau2, rel=1e-9, abs=1e-12)


def test_trim_and_fill_by_hand():
    """Equal variances, yi = -1, 0, 0, 1, 2, 4: the mean 1 leaves ranks 6 + 3.. of those above; see the steps below.

    k = 6. About the mean 1 the distances are 2, 1, 1, 0, 1, 3; above it lie 2 (rank 4) and 4 (rank 6), T = 10 and
    L0 = (40 - 42) / 11 < 0: nothing is missing.
    """
    found = trim_and_fill([-1, 0, 0, 1, 2, 4], [1] * 6, side="left", method="EE")
    assert found.missing == 0
    assert found.pooled == pool([-1, 0, 0, 1, 2, 4], [1] * 6, method="EE")


def test_trim_and_fill_mirrors_the_outermost():
    """Of 0, 0, 0, 0.1, 5, 6 the two high ones have mirror images missing on the left, about the mean of the rest."""
    y, v = [0, 0, 0, 0.1, 5, 6], [0.01, 0.01, 0.01, 0.01, 1, 1]
    left = trim_and_fill(y, v, method="EE")
    right = trim_and_fill([-each for each in y], v, method="EE")
    assert (left.side, right.side) == ("left", "right")
    assert left.missing == right.missing > 0
    np.testing.assert_allclose(left.filled_yi, -right.filled_yi)
    centre = (left.filled_yi[-1] + 6) / 2
    np.testing.assert_allclose(left.filled_yi, [2 * centre - each for each in y[-left.missing :]])


def test_trim_and_fill_refuses_what_it_cannot_do(monkeypatch):
    """Too few studies, an unknown side, a number that does not settle."""
    with pytest.raises(SynthesisError, match="at least three studies, not 2"):
        trim_and_fill([0, 1], [1, 2])
    with pytest.raises(SynthesisError, match="side is 'up'"):
        trim_and_fill([0, 1, 2], [1, 2, 3], side="up")
    monkeypatch.setattr(trimming, "_MAX_STEPS", 1)
    with pytest.raises(SynthesisError, match="did not settle"):
        trim_and_fill([0, 0, 0, 0.1, 5, 6], [0.01, 0.01, 0.01, 0.01, 1, 1], method="EE")


@EACH_SET
def test_henmi_copas(place):
    """Mean, standard error and tau2 to the last digits; the half-width as far as the reference is good."""
    effects, expected = SETS[place]["escalc"], SETS[place]["small_study"]["henmi_copas"]
    found = henmi_copas(effects["yi"], effects["vi"])
    assert (expected["beta"], expected["se"]) == pytest.approx((found.estimate, found.se), rel=1e-9)
    assert expected["tau2"] == pytest.approx(found.tau2, rel=1e-9, abs=1e-12)
    half_widths = expected["ci_ub"] - expected["beta"], expected["beta"] - expected["ci_lb"]
    assert half_widths == pytest.approx((found.ci[1] - found.estimate, found.estimate - found.ci[0]), rel=ROOT_OF_HC)


def test_henmi_copas_covers_as_it_says():
    """Equal variances and no heterogeneity, k = 3: simulated, 95 % of the intervals hold the mean.

    With w = 1 the estimated standard error is sqrt(max(1, Q / 2) / 3). The quantile belongs to tau2 = 0, where the true
    distribution of Q is the chi-squared that the gamma then is.
    """
    rng = np.random.default_rng(11)
    y = rng.normal(size=(200_000, 3))
    mean = y.mean(axis=1)
    q = np.square(y - mean[:, None]).sum(axis=1)
    found = henmi_copas([-0.1, 0.0, 0.1], [1, 1, 1])
    assert found.tau2 == 0
    reach = (found.ci[1] - found.estimate) / found.se
    covered = np.abs(mean) <= reach * np.sqrt(np.maximum(1, q / 2) / 3)
    assert covered.mean() == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / 200_000))


def test_henmi_copas_refuses_one_study():
    """And a level that is none."""
    with pytest.raises(SynthesisError, match="at least two studies"):
        henmi_copas([1], [1])
    with pytest.raises(SynthesisError, match="level is 95"):
        henmi_copas([1, 2], [1, 1], level=95)


@pytest.mark.parametrize("function", [begg_test, trim_and_fill, henmi_copas])
def test_remarks_stand_in_every_result(function):
    """On few studies and on proportions."""
    remarks = function([0.1, 0.5, 0.9, 1.1], [0.1, 0.4, 0.2, 0.9], proportions=True).remarks
    assert "fewer than 10" in remarks[0]
    assert "single proportions" in remarks[1]
