"""Rates of one patient against hand calculation, quadrature and plain sampling of the parameters."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import expit, ndtr
from scipy.stats import norm

from bcma_decide import load_model
from bcma_decide.model.prediction import made_up
from bcma_decide.vocabulary import CLASSES, CR_GIVEN_RESPONSE, FAMILY_OF, VGPR_WITHOUT_CR
from tests.model.support.factory import Effect, Level, all_known, ask, document, model, shipped_document, traits
from tests.model.support.people import people_like
from tests.model.support.sampled import Parameters
from tests.support.cases import for_each

EMD, BCMA, AGE = "extramedullary_disease", "prior_bcma", "age"
EFFECTS = {"response": [Effect("car_t", EMD, -0.8), Effect("car_t", BCMA, -0.5), Effect("car_t", AGE, 0.2)]}
COVARIANCE = {"response": [[0.09, 0.03, 0.0], [0.03, 0.04, 0.0], [0.0, 0.0, 0.01]]}
ALIKE = 1e-5
"""A spread between centres so small that averaging over them changes nothing."""
LEVELS = {("orr", "car_t"): Level(1.2, 0.05, {EMD: -0.3, BCMA: -0.1}, tau=ALIKE)}
FOUND = model(LEVELS, effects=EFFECTS, covariance=COVARIANCE)
Z = 1.959963984540054


def ends(mean, variance):
    """Logistic of mean -+ 1.96 SD."""
    return expit([mean - Z * np.sqrt(variance), mean + Z * np.sqrt(variance)])


def average(function, mean, sd):
    """Expectation of a function of a normal, by adaptive quadrature."""
    return quad(lambda x: function(x) * norm.pdf(x, mean, sd), mean - 9 * sd, mean + 9 * sd, limit=200)[0]


def first(found):
    return found.rates[0]


def test_the_reference_patient_has_the_level_itself():
    """Mean 1.2; only the slope is left of the effects: 0.05 + 0.09*0.09 + 0.01*0.04 + 2*0.03*0.03 = 0.0603."""
    found = first(ask(FOUND, all_known()))
    assert average(expit, 1.2, np.sqrt(0.0603)) == pytest.approx(found.mean, abs=1e-6)
    assert expit(1.2) == pytest.approx(found.median, abs=1e-5)
    assert ends(1.2, 0.0603) == pytest.approx(found.credible, abs=1e-5)


def test_everything_known_by_hand():
    """Extramedullary disease and earlier BCMA therapy.

    Mean: 1.2 - 0.8 - 0.5 = -0.1. Derivative in the two effects: (1 - 0.3, 1 - 0.1) = (0.7, 0.9), so the variance is
    0.05 + 0.49*0.09 + 0.81*0.04 + 2*0.63*0.03 = 0.05 + 0.0441 + 0.0324 + 0.0378 = 0.1643.
    """
    found = first(ask(FOUND, all_known(extramedullary_disease=True, prior_bcma=True)))
    assert average(expit, -0.1, np.sqrt(0.1643)) == pytest.approx(found.mean, abs=1e-6)
    assert ends(-0.1, 0.1643) == pytest.approx(found.credible, abs=1e-5)


def test_age_counts_in_decades_from_the_reference():
    """80 years is 1.5 decades above 65: 1.2 + 1.5*0.2 = 1.5; variance 0.0603 + 1.5^2 * 0.01 = 0.0828."""
    found = first(ask(FOUND, all_known(age=80)))
    assert expit(1.5) == pytest.approx(found.median, abs=1e-5)
    assert ends(1.5, 0.0828) == pytest.approx(found.credible, abs=1e-5)


def test_lying_outside_the_evidence_adds_its_variance():
    """Age 95, studied to 85: 0.5^2 on top of 0.0603 + 3^2 * 0.01 = 0.1503; level 1.2 + 3*0.2 = 1.8."""
    found = first(ask(FOUND, all_known(age=95)))
    assert expit(1.8) == pytest.approx(found.median, abs=1e-5)
    assert ends(1.8, 0.4003) == pytest.approx(found.credible, abs=1e-5)


def test_the_effect_of_a_number_is_held_beyond_its_reach():
    """Reach 1.5 SD of 10 years around 65: 80 years and 84 years are alike, so are 50 and 40; 75 is on the line."""
    near = model(LEVELS, effects=EFFECTS, covariance=COVARIANCE, assumptions={"numeric_reach_sd": 1.5})
    for age, expected in ((80, 1.5), (84, 1.5), (50, 0.9), (40, 0.9), (75, 1.4)):
        assert expit(expected) == pytest.approx(first(ask(near, all_known(age=age))).median, abs=1e-5), age
    variance = 0.0603 + 1.5**2 * 0.01
    assert ends(1.5, variance) == pytest.approx(first(ask(near, all_known(age=84))).credible, abs=1e-5)


def test_the_other_class_is_not_moved_by_effects_it_does_not_have():
    both = model({**LEVELS, ("orr", "bite"): Level(0.3, 0.04, tau=ALIKE)}, effects=EFFECTS, covariance=COVARIANCE)
    found = ask(both, all_known(extramedullary_disease=True, prior_bcma=True, age=80))
    rates = found.rates[found.place["orr", "bite"]]
    assert expit(0.3) == pytest.approx(rates.median, abs=1e-5)
    assert ends(0.3, 0.04) == pytest.approx(rates.credible, abs=1e-5)


# Averaged over centres: theta(level) = E[logistic(level + u)] rises with the level, so the ends of its interval are
# those of the level, averaged over centres.


@for_each("level", [-4.5, -2.0, 0.3, 2.5])
@for_each("tau", [0.3, 1.2])
def test_the_headline_is_the_average_over_centres(level, tau):
    """At tau 1.2 the median centre of 0.3 % at log odds -4.5 would stand for an average of twice that."""
    variance = 0.09
    found = first(ask(model({("orr", "car_t"): Level(level, variance, tau=tau)}), all_known()))

    def theta(at):
        return average(expit, at, tau)

    # level and centre are independent normals: together one normal
    assert average(expit, level, np.sqrt(variance + tau**2)) == pytest.approx(found.mean, abs=2e-3)
    assert [theta(level - Z * 0.3), theta(level + Z * 0.3)] == pytest.approx(found.credible, abs=3e-3)
    # next centre: its own level, doubt and spread together
    assert ends(level, variance + tau**2) == pytest.approx(found.prediction, abs=2e-3)


def test_rare_events_average_well_above_the_median_centre():
    """Log odds -6 with tau 1.5: the median centre has 0.25 %, the average 0.70 % (quadrature)."""
    found = first(ask(model({("orr", "car_t"): Level(-6.0, 0.01, tau=1.5)}), all_known()))
    expected = average(expit, -6.0, np.sqrt(2.26))
    assert expected == pytest.approx(found.mean, rel=0.02)
    assert expected > 2 * expit(-6.0)


def test_rates_near_one_mirror_rare_events():
    low, high = (
        first(ask(model({("orr", "car_t"): Level(level, 0.3, tau=1.0)}), all_known())) for level in (-5.0, 5.0)
    )
    assert low.mean == pytest.approx(1 - high.mean, abs=1e-12)
    assert low.credible == pytest.approx([1 - end for end in reversed(high.credible)], abs=1e-5)
    assert low.prediction == pytest.approx([1 - end for end in reversed(high.prediction)], abs=1e-5)
    assert 0 < low.prediction[0] < low.credible[0] < low.mean


def test_the_next_centre_is_the_mixture_over_the_grid():
    """Two nodes; quantiles by root finding in scipy's mixture distribution function."""
    nodes = ((0.7, 1.0, 0.04, 0.3), (0.3, 1.6, 0.08, 0.9))
    found = first(ask(model({("orr", "car_t"): Level(0.0, nodes=nodes)}), all_known()))

    def beyond(x):
        return sum(w * ndtr((x - m) / np.sqrt(v + t**2)) for w, m, v, t in nodes)

    expected = [expit(brentq(lambda x, p=p: beyond(x) - p, -10, 10)) for p in (0.025, 0.975)]
    assert expected == pytest.approx(found.prediction, abs=1e-4)
    mean = sum(w * average(expit, m, np.sqrt(v + t**2)) for w, m, v, t in nodes)
    assert mean == pytest.approx(found.mean, abs=1e-3)


def test_more_spread_between_centres_widens_the_next_centre_and_moves_the_average_to_one_half():
    near, far = (first(ask(model({("orr", "car_t"): Level(2.0, 0.1, tau=t)}), all_known())) for t in (0.1, 1.0))
    assert far.prediction[0] < near.prediction[0] < near.prediction[1] < far.prediction[1]
    assert 0.5 < far.mean < near.mean


# Averaged over patients and centres, parameters drawn at random.

MIXED = {
    "effects": {"response": [Effect("car_t", EMD, -1.0), Effect("car_t", AGE, 0.5), Effect("car_t", "frail", 0.0)]},
    "covariance": {"response": np.diag([0.09, 0.04, 0.25])},
    "prevalence": {"frail": 0.4},
    "correlation": {(AGE, "frail"): 0.5},
    "depth": (0.6, [0.2, 0.0, -0.1], np.diag([0.05, 0.01, 0.02])),
    "common": 0.03,
}
DEEP = {
    ("orr", "alpha-cel"): Level(1.4, 0.06, {EMD: -0.3, AGE: 0.1}, tau=0.6),
    ("orr", "beta-cel"): Level(0.4, 0.15, {EMD: -0.2}, tau=0.6),
    (CR_GIVEN_RESPONSE, "alpha-cel"): Level(-0.3, 0.1, {EMD: -0.2}, tau=0.4),
    (CR_GIVEN_RESPONSE, "beta-cel"): Level(0.3, 0.2, tau=0.4),
    (VGPR_WITHOUT_CR, "alpha-cel"): Level(0.2, 0.2, {AGE: 0.2}, tau=0.3),
    (VGPR_WITHOUT_CR, "beta-cel"): Level(-0.2, 0.3, tau=0.3),
    ("icans_g3plus", "car_t"): Level(-4.0, 0.3, tau=0.9),
}


@cache
def _mixed():
    return document(DEEP, **MIXED), model(DEEP, **MIXED)


@for_each("known", [{}, {"age": 80, "frail": True}, {EMD: True}])
def test_one_and_three_stages_agree_with_drawn_parameters(known):
    """Products and class; ends within 3.5 points and 1.3 on average, of which drawing leaves about 0.5."""
    plain, small = _mixed()
    found = ask(small, traits(**known))
    parameters = Parameters(plain, 512)
    errors = []
    for outcome in ("orr", "vgpr_or_better", "cr_or_better", "icans_g3plus"):
        family = FAMILY_OF[outcome].id
        people = people_like(found, family)
        for option, theta in parameters.rates(outcome, "car_t", people.values, people.weight).items():
            rates = found.rates[found.place[outcome, option]]
            assert theta.mean() == pytest.approx(rates.mean, abs=0.015), (outcome, option)
            errors.append(np.abs(np.quantile(theta, [0.025, 0.975]) - rates.credible))
    assert np.max(errors) < 0.035
    assert np.mean(errors) < 0.013


def test_depth_of_the_reference_patient_by_quadrature():
    """Stages are independent: the mean of r (c + (1 - c) v) is R (C + (1 - C) V) of the stages' own averages."""
    levels = {"orr": (1.0, 0.1), CR_GIVEN_RESPONSE: (-0.5, 0.2), VGPR_WITHOUT_CR: (0.4, 0.3)}
    small = model({(key, "car_t"): Level(mean, variance, tau=0.5) for key, (mean, variance) in levels.items()})
    found = ask(small, all_known())
    R, C, V = (average(expit, mean, np.sqrt(variance + 0.25)) for mean, variance in levels.values())
    for outcome, expected in (("orr", R), ("vgpr_or_better", R * (C + (1 - C) * V)), ("cr_or_better", R * C)):
        assert expected == pytest.approx(found.rates[found.place[outcome, "car_t"]].mean, abs=5e-3), outcome


def ends_and_means(found, parameters, outcomes):
    """Errors of the credible ends and means of the shipped cells of these outcomes."""
    ends, means = [], []
    for outcome in outcomes:
        for class_id in CLASSES:
            if (outcome, class_id) not in found.place:
                continue
            people = people_like(found, found.pooled.cells[found.place[outcome, class_id]].family)
            for option, theta in parameters.rates(outcome, class_id, people.values, people.weight).items():
                if (outcome, option) in found.place:
                    rates = found.rates[found.place[outcome, option]]
                    ends.append(np.abs(np.quantile(theta, [0.025, 0.975]) - rates.credible))
                    means.append(abs(theta.mean() - rates.mean))
    return np.array(ends), np.array(means)


def test_shipped_intervals_agree_with_drawn_parameters():
    """One outcome of one stage, one of two, one rare; all of them at night."""
    found = ask(load_model(), traits(age=71, extramedullary_disease=True))
    ends, means = ends_and_means(found, Parameters(shipped_document(), 256), ("orr", "cr_or_better", "icans_g3plus"))
    assert ends.shape[0] > 10
    assert ends.mean() < 0.013
    assert ends.max() < 0.05
    assert means.max() < 0.02


@pytest.mark.slow
@pytest.mark.parametrize(
    "known",
    [
        {},
        {"age": 71, EMD: True},
        {"age": 60, "prior_lines": 3, EMD: False, BCMA: False, "high_risk_cytogenetics": False},
    ],
    ids=["nothing known", "age and extramedullary disease", "five traits"],
)
def test_every_shipped_interval_agrees_with_drawn_parameters(known):
    """Within 1.3 points on average and 5 at most: what one linearisation of the average leaves."""
    found = ask(load_model(), traits(**known))
    ends, means = ends_and_means(found, Parameters(shipped_document(), 1024), dict.fromkeys(o for o, _ in found.place))
    assert ends.shape[0] == len(found.pooled.cells)
    print(f"\nends {100 * ends.mean():.2f} points on average, {100 * ends.max():.1f} at most")
    assert ends.mean() < 0.013
    assert ends.max() < 0.05
    assert means.max() < 0.02


# The class, and stricter thresholds.


def test_the_class_is_the_equal_weight_mean_of_its_products():
    found = ask(_mixed()[1], traits(age=72))
    for outcome in ("orr", "vgpr_or_better", "cr_or_better"):
        alpha, beta, together = (found.rates[found.place[outcome, o]].mean for o in ("alpha-cel", "beta-cel", "car_t"))
        assert 0.5 * (alpha + beta) == pytest.approx(together, abs=1e-12)


def test_the_spread_of_products_belongs_to_the_next_centre_not_to_the_average():
    """Two products 3 log odds apart and hardly any doubt: the average is sure, the next centre has one of them."""
    levels = {("orr", "alpha-cel"): Level(1.5, 1e-4, tau=ALIKE), ("orr", "beta-cel"): Level(-1.5, 1e-4, tau=ALIKE)}
    found = first(ask(model(levels), all_known()))
    assert found.mean == pytest.approx(0.5, abs=1e-6)
    assert found.credible[1] - found.credible[0] < 0.01
    assert (expit(-1.5), expit(1.5)) == pytest.approx(found.prediction, abs=0.01)


def test_levels_of_two_products_that_move_together_do_not_average_out():
    """Two equal products with variance 0.2: independent 0.1 is left of it, with covariance 0.15 0.175."""
    levels = {("orr", option): Level(0.0, 0.2, tau=ALIKE) for option in ("alpha-cel", "beta-cel")}
    for common, variance in ((0.0, 0.1), (0.15, 0.175)):
        found = first(ask(model(levels, common=common), all_known()))
        assert ends(0.0, variance) == pytest.approx(found.credible, abs=1e-4)


CROSSING = {
    ("crs_any", "alpha-cel"): Level(-1.0, 0.9),
    ("crs_g3plus", "alpha-cel"): Level(1.0, 0.05),
    ("crs_any", "beta-cel"): Level(2.0, 0.1),
    ("crs_g3plus", "beta-cel"): Level(-2.0, 0.2),
}


def test_thresholds_that_are_fitted_apart_are_put_in_order_product_by_product():
    """Alpha's levels cross and are swapped; beta's stay; the class is the mean of the ordered ones."""
    found = ask(model(CROSSING), all_known())
    alone = {
        (outcome, option): first(ask(model({(outcome, option): level}), all_known())).mean
        for (outcome, option), level in CROSSING.items()
    }
    mean = {key: found.rates[index].mean for key, index in found.place.items()}
    assert alone["crs_g3plus", "alpha-cel"] == pytest.approx(mean["crs_any", "alpha-cel"])
    assert alone["crs_any", "alpha-cel"] == pytest.approx(mean["crs_g3plus", "alpha-cel"])
    assert alone["crs_any", "beta-cel"] == pytest.approx(mean["crs_any", "beta-cel"])
    for outcome in ("crs_any", "crs_g3plus"):
        products = 0.5 * (mean[outcome, "alpha-cel"] + mean[outcome, "beta-cel"])
        assert products == pytest.approx(mean[outcome, "car_t"], abs=1e-12)


def test_a_deeper_response_is_made_up_of_its_stages():
    """Of 100, 60 respond, 24 of these completely (0.4); of the other 36, 9 reach VGPR (0.25): 33 of 100."""
    rates = [np.array([0.6]), np.array([0.4]), np.array([0.25])]
    assert [pytest.approx(value) for value in (0.6, 0.24, 0.33)] == [
        made_up(rates[:1])[0][0],
        made_up(rates[:2])[0][0],
        made_up(rates)[0][0],
    ]


@given(st.lists(st.floats(0.01, 0.99), min_size=3, max_size=3), st.integers(2, 3))
def test_the_derivatives_of_the_make_up_are_the_numerical_ones(values, stages):
    at = np.array(values[:stages])
    _, partial = made_up([np.array(v) for v in at])
    for index in range(stages):
        step = 1e-6 * np.eye(stages)[index]
        ahead, behind = (made_up([np.array(v) for v in point])[0] for point in (at + step, at - step))
        assert (ahead - behind) / 2e-6 == pytest.approx(float(partial[index]), abs=1e-6)


def test_no_rate_leaves_zero_to_one_even_for_extreme_levels():
    extreme = model({("orr", "car_t"): Level(12.0, 4.0, tau=2.0), ("crs_any", "car_t"): Level(-12.0, 4.0, tau=2.0)})
    for rates in ask(extreme, traits()).rates:
        for value in (rates.median, rates.mean, *rates.credible, *rates.prediction):
            assert 0 < value < 1
