"""Rates of one patient against hand calculation, scipy and plain Monte Carlo."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtr
from scipy.stats import norm

from bcma_decide import load_model
from bcma_decide.model.population import conditional_patients
from bcma_decide.model.prediction import in_order, linear_predictor, rates
from bcma_decide.vocabulary import FAMILIES, MODEL_TRAIT_IDS
from tests.model.support.drawn import profiles
from tests.model.support.factory import Effect, Level, all_known, ask, model, traits
from tests.support.cases import for_each

EMD, BCMA, AGE = "extramedullary_disease", "prior_bcma", "age"
EFFECTS = {"response": [Effect("car_t", EMD, -0.8), Effect("car_t", BCMA, -0.5), Effect("car_t", AGE, 0.2)]}
COVARIANCE = {"response": [[0.09, 0.03, 0.0], [0.03, 0.04, 0.0], [0.0, 0.0, 0.01]]}
LEVELS = {("orr", "car_t"): Level(1.2, 0.05, {EMD: -0.3, BCMA: -0.1}, spread2=0.25)}
FOUND = model(LEVELS, effects=EFFECTS, covariance=COVARIANCE)
Z = 1.959963984540054


def ends(mean, variance):
    """Logistic of mean -+ 1.96 SD."""
    return expit([mean - Z * np.sqrt(variance), mean + Z * np.sqrt(variance)])


def test_the_reference_patient_has_the_level_itself():
    """Mean 1.2; only the slope is left of the effects: 0.05 + 0.09*0.09 + 0.01*0.04 + 2*0.03*0.03 = 0.0603."""
    found = ask(FOUND, all_known()).rates
    assert expit(1.2) == pytest.approx(found.median[0], abs=1e-6)
    assert ends(1.2, 0.0603) == pytest.approx(found.credible[0], abs=1e-5)


def test_everything_known_by_hand():
    """Extramedullary disease and earlier BCMA therapy.

    Mean: 1.2 - 0.8 - 0.5 = -0.1. Derivative in the two effects: (1 - 0.3, 1 - 0.1) = (0.7, 0.9), so the variance is
    0.05 + 0.49*0.09 + 0.81*0.04 + 2*0.63*0.03 = 0.05 + 0.0441 + 0.0324 + 0.0378 = 0.1643.
    The next centre adds 0.25.
    """
    found = ask(FOUND, all_known(extramedullary_disease=True, prior_bcma=True)).rates
    assert expit(-0.1) == pytest.approx(found.median[0], abs=1e-6)
    assert ends(-0.1, 0.1643) == pytest.approx(found.credible[0], abs=1e-5)
    assert ends(-0.1, 0.4143) == pytest.approx(found.prediction[0], abs=1e-5)


def test_age_counts_in_decades_from_the_reference():
    """80 years is 1.5 decades above 65: 1.2 + 1.5*0.2 = 1.5; variance 0.0603 + 1.5^2 * 0.01 = 0.0828."""
    found = ask(FOUND, all_known(age=80)).rates
    assert expit(1.5) == pytest.approx(found.median[0], abs=1e-6)
    assert ends(1.5, 0.0828) == pytest.approx(found.credible[0], abs=1e-5)


def test_lying_outside_the_evidence_adds_its_variance():
    """Age 95, studied to 85: 0.5^2 on top of 0.0603 + 3^2 * 0.01 = 0.1503; mean 1.2 + 3*0.2 = 1.8."""
    found = ask(FOUND, all_known(age=95)).rates
    assert expit(1.8) == pytest.approx(found.median[0], abs=1e-6)
    assert ends(1.8, 0.4003) == pytest.approx(found.credible[0], abs=1e-5)
    assert ends(1.8, 0.6503) == pytest.approx(found.prediction[0], abs=1e-5)


def test_the_effect_of_a_number_is_held_beyond_its_reach():
    """Reach 1.5 SD of 10 years around 65: 80 years and 84 years are alike, so are 50 and 40; 75 is on the line."""
    near = model(LEVELS, effects=EFFECTS, covariance=COVARIANCE, assumptions={"numeric_reach_sd": 1.5})
    for age, expected in ((80, 1.5), (84, 1.5), (50, 0.9), (40, 0.9), (75, 1.4)):
        found = ask(near, all_known(age=age)).rates
        assert expit(expected) == pytest.approx(found.median[0], abs=1e-6), age
    variance = 0.0603 + 1.5**2 * 0.01
    assert ends(1.5, variance) == pytest.approx(ask(near, all_known(age=84)).rates.credible[0], abs=1e-5)


def test_the_other_class_is_not_moved_by_effects_it_does_not_have():
    both = model({**LEVELS, ("orr", "bite"): Level(0.3, 0.04)}, effects=EFFECTS, covariance=COVARIANCE)
    found = ask(both, all_known(extramedullary_disease=True, prior_bcma=True, age=80))
    assert expit(0.3) == pytest.approx(found.rates.median[found.place["orr", "bite"]], abs=1e-6)
    assert ends(0.3, 0.04) == pytest.approx(found.rates.credible[found.place["orr", "bite"]], abs=1e-5)


def test_the_next_centre_is_the_mixture_over_the_grid():
    """Two nodes; quantiles by root finding in scipy's mixture distribution function.

    The level's own moments are those of the nodes: mean 0.7*1.0 + 0.3*1.6 = 1.18,
    variance 0.7*(0.04 + 0.18^2) + 0.3*(0.08 + 0.42^2) = 0.1276.
    """
    nodes = ((0.7, 1.0, 0.04, 0.1), (0.3, 1.6, 0.08, 0.9))
    found = ask(model({("orr", "car_t"): Level(1.18, 0.1276, nodes=nodes)}), all_known()).rates

    def distribution(x):
        return sum(w * ndtr((x - m) / np.sqrt(v + s)) for w, m, v, s in nodes)

    expected = [expit(brentq(lambda x, p=p: distribution(x) - p, -10, 10)) for p in (0.025, 0.975)]
    assert expected == pytest.approx(found.prediction[0], abs=1e-4)
    assert expit(1.18) == pytest.approx(found.median[0], abs=1e-6)
    assert ends(1.18, 0.1276) == pytest.approx(found.credible[0], abs=1e-5)


@given(mean=st.floats(-4, 4), variance=st.floats(0.01, 3))
def test_the_mean_is_nearer_one_half_than_the_median(mean, variance):
    found = ask(model({("orr", "car_t"): Level(mean, variance)}), all_known()).rates
    assert expit(mean) == pytest.approx(found.median[0], abs=1e-5)
    assert abs(found.mean[0] - 0.5) <= abs(found.median[0] - 0.5) + 1e-6
    assert (found.mean[0] - 0.5) * (found.median[0] - 0.5) >= -1e-9


def test_the_mean_agrees_with_monte_carlo():
    draws = np.random.default_rng(5).normal(1.5, 0.9, 400_000)
    found = ask(model({("orr", "car_t"): Level(1.5, 0.81)}), all_known()).rates
    assert expit(draws).mean() == pytest.approx(found.mean[0], abs=1e-3)
    assert found.mean[0] < found.median[0]


MIXED = {
    "effects": {"response": [Effect("car_t", EMD, -1.0), Effect("car_t", AGE, 0.5), Effect("car_t", "frail", 0.0)]},
    "covariance": {"response": np.diag([0.09, 0.04, 0.64])},
    "prevalence": {EMD: 0.3, "frail": 0.4},
    "correlation": {(AGE, "frail"): 0.5},
}


@pytest.mark.parametrize("known", [{}, {"age": 80}, {"age": 80, "frail": True}, {"extramedullary_disease": True}])
def test_unknown_traits_give_the_mixture_of_plain_monte_carlo(known):
    """Patient, effects and level drawn anew each time; the latent of frailty given age from the bivariate normal.

    The effect of frailty is 0 on average and very unsure: an unknown frailty must still widen the interval.
    """
    level = {("orr", "car_t"): Level(1.0, 0.06, {EMD: -0.3, AGE: 0.1}, spread2=0.3)}
    found = model(level, **MIXED)
    rng = np.random.default_rng(11)
    age = np.full(1_000_000, known["age"] / 10.0) if "age" in known else rng.normal(6.5, 1.0, 1_000_000)
    frail = rng.normal(0.5 * (age - 6.5), np.sqrt(0.75)) > norm.isf(0.4)
    emd = np.full(age.size, True) if EMD in known else rng.random(age.size) < 0.3
    people = np.column_stack([emd, age, frail])[frail == known.get("frail", frail)][:400_000]
    reference = np.array([0.0, 6.5, 0.0])
    effects = rng.normal([-1.0, 0.5, 0.0], np.sqrt([0.09, 0.04, 0.64]), (len(people), 3))
    # The level moves with the effects it was fitted under: its derivative times their error.
    alpha = 1.0 + rng.normal(0, np.sqrt(0.06), len(people)) + (effects - [-1.0, 0.5, 0.0]) @ [-0.3, 0.1, 0.0]
    eta = alpha + ((people - reference) * effects).sum(axis=1)
    next_centre = eta + rng.normal(0, np.sqrt(0.3), len(people))
    answer = ask(found, traits(**known)).rates
    assert expit(eta).mean() == pytest.approx(answer.mean[0], abs=0.006)
    assert expit(np.quantile(eta, [0.025, 0.5, 0.975])) == pytest.approx(
        [answer.credible[0, 0], answer.median[0], answer.credible[0, 1]], abs=0.015
    )
    assert expit(np.quantile(next_centre, [0.025, 0.975])) == pytest.approx(answer.prediction[0], abs=0.03)


CROSSING = model(
    {
        ("orr", "car_t"): Level(0.2, 0.9),
        ("vgpr_or_better", "car_t"): Level(0.6, 0.05),
        ("cr_or_better", "car_t"): Level(0.5, 0.4, spread2=2.0),
        ("orr", "bite"): Level(0.0, 0.1),
        ("cr_or_better", "bite"): Level(0.3, 0.1),
        ("crs_any", "car_t"): Level(-1.0),
        ("crs_g3plus", "car_t"): Level(1.0),
    },
    effects=EFFECTS,
    covariance=COVARIANCE,
)


def holds(model, values):
    """Ordered thresholds, intervals inside each other, everything inside (0, 1)."""
    levels = model.levels["real_world"]
    people = conditional_patients(model.population, values)
    found = rates(model, levels, linear_predictor(model, levels, people, np.zeros(len(model.cells))))
    columns = np.column_stack(
        [found.prediction[:, 0], found.credible, found.prediction[:, 1], found.median, found.mean]
    )
    assert (columns > 0).all()
    assert (columns < 1).all()
    assert (found.prediction[:, 0] <= found.credible[:, 0]).all()
    assert (found.credible[:, 0] <= found.median).all()
    assert (found.median <= found.credible[:, 1]).all()
    assert (found.credible[:, 1] <= found.prediction[:, 1]).all()
    place = {(cell.outcome, cell.option): index for index, cell in enumerate(model.cells)}
    for family in FAMILIES:
        for option in model.options:
            rows = [place[t.id, option.id] for t in family.thresholds if (t.id, option.id) in place]
            assert (np.diff(columns[rows], axis=0) <= 0).all(), (family.id, option.id)


@given(values=profiles)
def test_thresholds_are_ordered_and_intervals_nested_where_levels_cross(values):
    holds(CROSSING, values)


@given(values=profiles)
def test_thresholds_are_ordered_and_intervals_nested_in_the_shipped_model(values):
    holds(load_model(), values)


def test_putting_in_order_only_swaps_within_a_family_and_an_option():
    table = np.arange(2.0 * len(CROSSING.cells)).reshape(-1, 2)
    ordered = in_order(CROSSING, table)
    place = {(cell.outcome, cell.option): index for index, cell in enumerate(CROSSING.cells)}
    for names, option in (
        (("orr", "vgpr_or_better", "cr_or_better"), "car_t"),
        (("orr", "cr_or_better"), "bite"),
        (("crs_any", "crs_g3plus"), "car_t"),
    ):
        rows = [place[name, option] for name in names]
        assert sorted(table[rows, 0], reverse=True) == ordered[rows, 0].tolist()
    assert table[0, 0] == 0.0


def test_more_spread_between_studies_widens_only_the_next_centre():
    narrow, wide = (ask(model({("orr", "car_t"): Level(1.0, 0.1, spread2=s)}), all_known()).rates for s in (0.01, 1.0))
    assert narrow.credible[0].tolist() == wide.credible[0].tolist()
    assert wide.prediction[0, 0] < narrow.prediction[0, 0] < narrow.prediction[0, 1] < wide.prediction[0, 1]
    assert narrow.mean[0] == wide.mean[0]


def spread(found):
    """Variance of the log odds of every cell: inside the groups of patients and between them."""
    return found.predictor.variance.mean(axis=1) + found.predictor.mean.var(axis=1)


@for_each("trait", [EMD, BCMA, "high_risk_cytogenetics", "car_hematotox_high", "frail"])
def test_knowing_a_trait_narrows_by_what_its_answers_differ(trait):
    """Law of total variance: Var = E[Var given the answer] + Var[mean given the answer], so on average over the two
    answers the interval never widens; one answer alone may, towards the less studied end."""
    shipped = load_model()
    unwidened = replace(shipped, assumptions={**shipped.assumptions, "outside_evidence_sd": 0.0})
    unknown, yes, no = (ask(unwidened, traits(age=70, prior_lines=5, **{trait: v})) for v in (None, True, False))
    share = unknown.patients.values[:, MODEL_TRAIT_IDS.index(trait)].mean()
    inside = share * spread(yes) + (1 - share) * spread(no)
    gap = yes.predictor.mean.mean(axis=1) - no.predictor.mean.mean(axis=1)
    assert inside + share * (1 - share) * gap**2 == pytest.approx(spread(unknown), rel=0.05)
    assert (inside <= 1.03 * spread(unknown)).all()


def test_no_rate_leaves_zero_to_one_even_for_extreme_levels():
    extreme = model({("orr", "car_t"): Level(9.0, 4.0), ("crs_any", "car_t"): Level(-9.0, 4.0)})
    found = ask(extreme, traits()).rates
    for values in (found.median, found.mean, found.credible, found.prediction):
        assert (values > 0).all()
        assert (values < 1).all()


@given(age=st.integers(30, 84), yes=st.booleans())
def test_median_is_the_logistic_of_the_linear_predictor_for_any_known_patient(age, yes):
    found = ask(FOUND, all_known(age=age, extramedullary_disease=yes)).rates
    assert 1.2 + 0.02 * (age - 65) - 0.8 * yes == pytest.approx(logit(found.median[0]), abs=1e-5)
