"""The difference between the classes agrees with the joint posterior drawn by plain Monte Carlo."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.special import expit
from scipy.stats import norm

from bcma_decide import load_model
from bcma_decide.model.contrast import differences, sample_quantiles
from bcma_decide.vocabulary import CLASSES, OUTCOMES
from tests.model.support.factory import Effect, Level, all_known, ask, model, traits
from tests.support.cases import for_each

EMD, AGE = "extramedullary_disease", "age"
DRAWS = (0.015, 0.03, 0.03)
"""What 512 quasi-random draws leave open in the median and the 95 % limits of a risk difference: the standard error
of the 13th of 512 ordered draws is sqrt(0.025 * 0.975 / 512) over a density of about 0.4 there, 0.017."""

MEANS = np.array([-1.0, -0.4, 0.3])
V = np.array([[0.10, 0.06, 0.0], [0.06, 0.12, 0.0], [0.0, 0.0, 0.02]])
PARTS = {
    "effects": {"response": [Effect("car_t", EMD, -1.0), Effect("bite", EMD, -0.4), Effect("bite", AGE, 0.3)]},
    "covariance": {"response": V},
    "prevalence": {EMD: 0.35},
    "correlation": {(AGE, EMD): -0.3},
}
LEVELS = {("orr", "car_t"): Level(1.3, 0.05, {EMD: -0.3}), ("orr", "bite"): Level(0.6, 0.08, {EMD: -0.2, AGE: 0.1})}
FOUND = model(LEVELS, **PARTS)


def monte_carlo(known, bias_sd):
    """Log odds of both classes with levels, effects, patient and bias drawn anew each time."""
    first, second, bias = drawn(tuple(known.items()))
    return first + bias_sd * bias / 2, second - bias_sd * bias / 2


@cache
def drawn(known, count=400_000):
    """The same without the bias, and the bias with an SD of 1."""
    known = dict(known)
    rng = np.random.default_rng(17)
    age = np.full(6 * count, known["age"] / 10.0) if "age" in known else rng.normal(6.5, 1.0, 6 * count)
    emd = rng.normal(-0.3 * (age - 6.5), np.sqrt(1 - 0.09)) > norm.isf(0.35)
    keep = emd == known.get(EMD, emd)
    emd, age = emd[keep][:count], age[keep][:count]
    b = rng.multivariate_normal(MEANS, V, count)
    error = b - MEANS
    first = 1.3 + rng.normal(0, np.sqrt(0.05), count) - 0.3 * error[:, 0] + b[:, 0] * emd
    second = 0.6 + rng.normal(0, np.sqrt(0.08), count) - 0.2 * error[:, 1] + 0.1 * error[:, 2]
    second += b[:, 1] * emd + b[:, 2] * (age - 6.5)
    return first, second, rng.standard_normal(count)


@for_each("bias_sd", [0.0, 0.6])
@for_each("known", [{}, {"age": 55}, {"age": 80, EMD: True}, {EMD: False}])
def test_the_difference_agrees_with_monte_carlo(known, bias_sd):
    first, second = monte_carlo(known, bias_sd)
    found = ask(FOUND, traits(**known)).differences(bias_sd)["orr"]
    risk = expit(first) - expit(second)
    for p, value, tolerance in zip((0.5, 0.025, 0.975), found.risk_difference, DRAWS, strict=True):
        assert np.quantile(risk, p) == pytest.approx(value, abs=tolerance)
    assert (first > second).mean() == pytest.approx(found.probability_first_higher, abs=0.01)
    gap = first - second
    assert gap.mean() == pytest.approx(found.log_odds_ratio[0], abs=0.01)
    assert gap.mean() + 1.96 * gap.std() == pytest.approx(found.log_odds_ratio[2], abs=0.03)


def test_everything_known_by_hand():
    """No disease, 65 years: log odds 1.3 and 0.6, gap 0.7.

    What the slopes leave of the effects: first -0.3 * b1, second -0.2 * b2 + 0.1 * b3. Variances 0.09 * 0.10 = 0.009
    and 0.04 * 0.12 + 0.01 * 0.02 = 0.005, covariance 0.06 * 0.06 = 0.0036. Variance of the gap
    0.05 + 0.08 + 0.009 + 0.005 - 2 * 0.0036 = 0.1368; with bias of SD 0.5, 0.3868.
    """
    found = ask(FOUND, all_known())
    for bias_sd, variance in ((0.0, 0.1368), (0.5, 0.3868)):
        one = found.differences(bias_sd)["orr"]
        half = 1.959963984540054 * np.sqrt(variance)
        assert (0.7, 0.7 - half, 0.7 + half) == pytest.approx(one.log_odds_ratio, abs=1e-6)
        assert norm.cdf(0.7 / np.sqrt(variance)) == pytest.approx(one.probability_first_higher, abs=1e-5)
        assert expit(1.3) - expit(0.6) == pytest.approx(one.risk_difference[0], abs=DRAWS[0])


@pytest.mark.parametrize("known", [{}, {"age": 60, EMD: True}])
def test_the_bias_term_widens_and_moves_the_probability_towards_one_half(known):
    found = ask(FOUND, traits(**known))
    ladder = [found.differences(sd)["orr"] for sd in (0.0, 0.25, 0.6, 1.2)]
    widths = [d.risk_difference[2] - d.risk_difference[1] for d in ladder]
    assert sorted(widths) == widths
    distances = [abs(d.probability_first_higher - 0.5) for d in ladder]
    assert sorted(distances, reverse=True) == distances
    assert len({d.log_odds_ratio[0] for d in ladder}) == 1


def test_two_options_with_the_same_evidence_do_not_differ():
    same = {
        "effects": {"response": [Effect("car_t", EMD, -0.8), Effect("bite", EMD, -0.8)]},
        "covariance": {"response": [[0.1, 0.05], [0.05, 0.1]]},
    }
    level = Level(0.9, 0.07, {EMD: -0.2})
    found = ask(model({("orr", "car_t"): level, ("orr", "bite"): level}, **same), traits()).differences(0.25)["orr"]
    assert found.log_odds_ratio[0] == pytest.approx(0.0, abs=1e-12)
    assert found.probability_first_higher == pytest.approx(0.5, abs=1e-9)
    assert found.risk_difference[0] == pytest.approx(0.0, abs=DRAWS[0])
    assert -found.risk_difference[1] == pytest.approx(found.risk_difference[2], abs=2 * DRAWS[1])


def test_uncertainty_that_both_classes_share_cancels():
    """An effect of SD 2 that is the same in both classes: each rate is all over the place, the difference is not.

    Gap 1.3 - 0.6 = 0.7 with variance 0.05 + 0.08 = 0.13 however unsure the common effect.
    """
    for variance in (0.0001, 4.0):
        parts = {
            "effects": {"response": [Effect("car_t", EMD, -1.0), Effect("bite", EMD, -1.0)]},
            "covariance": {"response": np.full((2, 2), variance)},
        }
        shared = model({("orr", "car_t"): Level(1.3, 0.05), ("orr", "bite"): Level(0.6, 0.08)}, **parts)
        for given_traits in (all_known(extramedullary_disease=True), traits()):
            found = ask(shared, given_traits)
            one = found.differences(0.0)["orr"]
            assert one.log_odds_ratio[0] == pytest.approx(0.7, abs=1e-9)
            assert 1.96 * np.sqrt(0.13) == pytest.approx(one.log_odds_ratio[2] - 0.7, abs=1e-3)
            assert norm.cdf(0.7 / np.sqrt(0.13)) == pytest.approx(one.probability_first_higher, abs=1e-5)
        if variance > 1:
            credible = ask(shared, all_known(extramedullary_disease=True)).rates.credible
            assert (np.diff(credible, axis=1) > 0.85).all()


def test_effects_seen_apart_do_not_cancel():
    """The same two effects, independent: variance 0.13 + 2 * 0.5."""
    parts = {
        "effects": {"response": [Effect("car_t", EMD, -1.0), Effect("bite", EMD, -1.0)]},
        "covariance": {"response": np.diag([0.5, 0.5])},
    }
    apart = model({("orr", "car_t"): Level(1.3, 0.05), ("orr", "bite"): Level(0.6, 0.08)}, **parts)
    one = ask(apart, all_known(extramedullary_disease=True)).differences(0.0)["orr"]
    assert 1.96 * np.sqrt(1.13) == pytest.approx(one.log_odds_ratio[2] - 0.7, abs=1e-3)


def test_lying_outside_the_evidence_adds_its_variance_on_each_side():
    """Age 95, beyond both classes' studies: 0.05 + 0.08 of the levels and 2 * 0.5^2; age 88, beyond one: 0.5^2."""
    bare = model({("orr", "car_t"): Level(1.3, 0.05), ("orr", "bite"): Level(0.6, 0.08)})
    for age, variance in ((84, 0.13), (88, 0.38), (95, 0.63)):
        one = ask(bare, all_known(age=age)).differences(0.0)["orr"]
        assert 1.959963984540054 * np.sqrt(variance) == pytest.approx(one.log_odds_ratio[2] - 0.7, abs=1e-6)
        assert norm.cdf(0.7 / np.sqrt(variance)) == pytest.approx(one.probability_first_higher, abs=1e-5)


def test_second_against_first_is_the_mirror_image():
    found = ask(FOUND, traits(age=72))
    forth, back = differences(FOUND, found.levels, found.predictor, [(0, 1), (1, 0)], found.extra, 0.25)
    assert -forth.log_odds_ratio[0] == pytest.approx(back.log_odds_ratio[0])
    assert 1 - forth.probability_first_higher == pytest.approx(back.probability_first_higher, abs=1e-6)
    assert -forth.risk_difference[0] == pytest.approx(back.risk_difference[0], abs=DRAWS[0])
    assert (-forth.risk_difference[2], -forth.risk_difference[1]) == pytest.approx(
        back.risk_difference[1:], abs=2 * DRAWS[1]
    )


def test_no_pairs_no_differences():
    found = ask(FOUND, traits())
    assert differences(FOUND, found.levels, found.predictor, [], found.extra, 0.0) == ()
    assert ask(model({("orr", "car_t"): Level(0.0)}), traits()).differences(0.0) == {}


def test_shipped_differences_exist_where_both_classes_have_a_number_and_make_sense():
    shipped = load_model()
    found = ask(shipped, traits(age=70))
    differing = found.differences(0.25)
    both = [o for o in OUTCOMES if all((o, c) in found.place for c in CLASSES)]
    assert both == list(differing)
    for outcome, one in differing.items():
        median, low, high = one.risk_difference
        assert -1 < low < median < high < 1
        assert 0 < one.probability_first_higher < 1
        assert (one.log_odds_ratio[0] > 0) == (one.probability_first_higher > 0.5) or abs(median) < 0.05, outcome


@given(
    draws=npst.arrays(float, st.tuples(st.integers(1, 3), st.integers(1, 40)), elements=st.floats(-5, 5)),
    p=st.lists(st.floats(0, 1), min_size=1, max_size=4),
)
def test_sample_quantiles_are_numpys(draws, p):
    assert sample_quantiles(draws, p) == pytest.approx(np.quantile(draws, p, axis=-1).T, abs=1e-9)
