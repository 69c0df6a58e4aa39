"""One patient's numbers before they are put into words: scales, limits of the evidence, decision, moves, steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from scipy.special import expit
from scipy.stats import norm

from bcma_decide import load_model
from bcma_decide.model.from_decision import from_decision
from bcma_decide.model.moves import cumulative_means, trait_moves
from bcma_decide.model.outside import outside_evidence
from bcma_decide.vocabulary import (
    CLASSES,
    CR_GIVEN_RESPONSE,
    MODEL_TRAIT_IDS,
    MODEL_TRAITS,
    model_scale,
    natural_scale,
)
from tests.model.support.factory import Effect, Level, all_known, ask, model, traits
from tests.support.cases import for_each

EMD, BCMA = "extramedullary_disease", "prior_bcma"
BINARY = [trait.id for trait in MODEL_TRAITS if trait.kind == "binary"]


def unknown_values(**known):
    return dict.fromkeys(MODEL_TRAIT_IDS) | known


@for_each(
    ("trait", "value", "expected"),
    [("age", 71, 7.1), ("prior_lines", 8, 3.0), ("prior_lines", 1, 0.0), ("frail", True, 1.0), ("frail", False, 0.0)],
)
def test_the_model_counts_decades_doublings_and_yes_or_no(trait, value, expected):
    assert expected == pytest.approx(model_scale(trait, value))


def test_unknown_stays_unknown_on_the_models_scale():
    assert [None] * len(MODEL_TRAIT_IDS) == [model_scale(trait, None) for trait in MODEL_TRAIT_IDS]


@given(age=st.floats(18, 110), lines=st.floats(1, 30))
def test_scales_and_back(age, lines):
    assert age == pytest.approx(natural_scale("age", model_scale("age", age)))
    assert lines == pytest.approx(natural_scale("prior_lines", model_scale("prior_lines", lines)))


# Outside the evidence: the factory's studies saw ages 30 to 85 under CAR-T and 30 to 90 under bispecifics.

EMPTY = {("orr", "car_t"): Level(1.0), ("orr", "bite"): Level(0.5)}


def outside(small, **values):
    """Reasons by class."""
    return tuple(tuple(each.reason for each in found) for found in outside_evidence(small, unknown_values(**values)))


def test_age_is_compared_with_each_class_apart_and_the_ends_are_inside():
    small = model(EMPTY)
    assert outside(small, age=88) == (("age 88, studied 30 to 85",), ())
    assert outside(small, age=91) == (("age 91, studied 30 to 85",), ("age 91, studied 30 to 90",))
    for age in (30, 85):
        assert outside(small, age=age) == ((), ())
    assert outside(small) == ((), ())


def test_a_present_trait_seen_in_fewer_than_twenty_patients_is_outside():
    small = model(EMPTY, seen={"plasma_cell_leukemia": 12, "frail": 20})
    found = outside(small, plasma_cell_leukemia=True, frail=True)
    assert found == (("Plasma cell leukaemia: seen in 12 patients",),) * 2
    assert outside(small, plasma_cell_leukemia=False) == ((), ())


def test_a_trait_no_study_reports_is_as_far_outside_as_one_seen_in_few():
    """Silence is no evidence: an option is not thereby safer than one whose studies say how few there were."""
    small = model(EMPTY, seen={"ferritin_high": None})
    assert outside(small, ferritin_high=True) == (("High ferritin: not reported by these studies",),) * 2


def test_every_reason_of_a_trait_that_acts_adds_its_variance_once():
    """Two reasons under CAR-T (age 88, plasma cell leukaemia), one under bispecifics: 2 * 0.5^2 and 0.5^2.

    Where only age acts, plasma cell leukaemia widens nothing.
    """
    levels = {("orr", "car_t"): Level(0.0, 0.05, tau=1e-5), ("orr", "bite"): Level(0.0, 0.05, tau=1e-5)}
    age, leukaemia = Effect("car_t", "age", 0.0), Effect("car_t", "plasma_cell_leukemia", 0.0)
    for acting, variances in (([age, leukaemia], (0.55, 0.30)), ([age], (0.30, 0.05)), ([], (0.05, 0.05))):
        small = model(levels, seen={"plasma_cell_leukemia": 12}, effects={"response": acting})
        found = ask(small, all_known(age=88, plasma_cell_leukemia=True))
        for class_id, variance in zip(CLASSES, variances, strict=True):
            credible = found.rates[found.place["orr", class_id]].credible
            assert expit(1.959964 * np.sqrt(variance)) == pytest.approx(credible[1], abs=1e-4)


# From the decision.

ATTRITION = {
    ("orr", "alpha-cel"): Level(1.5, 0.06),
    ("orr", "beta-cel"): Level(2.2, 0.1),
    (CR_GIVEN_RESPONSE, "alpha-cel"): Level(0.3, 0.06, tau=0.3),
    (CR_GIVEN_RESPONSE, "beta-cel"): Level(0.5, 0.06, tau=0.3),
    ("orr", "bite"): Level(0.5, 0.05),
    ("crs_any", "car_t"): Level(1.0),
    ("apheresed_not_infused", "car_t"): Level(-2.0, 0.09),
}
BOTH = {
    "effects": {
        "response": [Effect("car_t", EMD, -1.5)],
        "apheresed_not_infused": [Effect("car_t", EMD, 2.0)],
    },
    "covariance": {"response": [[0.02]], "apheresed_not_infused": [[0.05]]},
    "prevalence": {EMD: 0.4},
}


def over_centres(level, tau):
    nodes, weights = np.polynomial.hermite_e.hermegauss(31)
    return expit(level + tau * nodes) @ weights / weights.sum()


def test_from_decision_is_the_mean_over_patients_of_the_product():
    """40 of 100 have extramedullary disease, which drives both: by hand over the two kinds of patient and centres.

    The product of the two means would be lower: those who are lost more are those who respond less.
    """
    small = model({**ATTRITION, ("apheresed_not_infused", "car_t"): Level(-2.0, 0.01)}, **BOTH)
    found = ask(small, traits())
    kinds = [
        (share, over_centres(1.5 - 1.5 * emd, 0.5), over_centres(-2.0 + 2.0 * emd, 0.5))
        for share, emd in ((0.6, 0), (0.4, 1))
    ]
    expected = sum(share * response * (1 - lost) for share, response, lost in kinds)
    apart = sum(s * r for s, r, _ in kinds) * (1 - sum(s * lost for s, _, lost in kinds))
    mean = from_decision(found)[found.place["orr", "alpha-cel"]][0]
    assert expected == pytest.approx(mean, abs=0.003)
    assert apart < expected - 0.02


def test_the_interval_from_decision_agrees_with_drawn_parameters():
    """400 000 draws of both levels, averaged over centres; nothing else is unknown."""
    found = ask(model(ATTRITION), all_known())
    rng = np.random.default_rng(2)
    grid = np.linspace(-8, 8, 801)
    smooth = np.array([over_centres(x, 0.5) for x in grid])
    response = np.interp(rng.normal(1.5, np.sqrt(0.06), 400_000), grid, smooth)
    infused = 1 - np.interp(rng.normal(-2.0, 0.3, 400_000), grid, smooth)
    mean, low, high, *_ = from_decision(found)[found.place["orr", "alpha-cel"]]
    assert (response * infused).mean() == pytest.approx(mean, abs=0.01)
    assert np.quantile(response * infused, [0.025, 0.975]) == pytest.approx((low, high), abs=0.015)


def test_the_next_centre_from_decision_agrees_with_drawn_centres():
    """400 000 centres that are not yet studied, each with its own level of response and of attrition."""
    found = ask(model(ATTRITION), all_known())
    rng = np.random.default_rng(5)
    response = expit(rng.normal(1.5, np.sqrt(0.06 + 0.5**2), 400_000))
    infused = 1 - expit(rng.normal(-2.0, np.sqrt(0.09 + 0.5**2), 400_000))
    _, low, high, next_low, next_high = from_decision(found)[found.place["orr", "alpha-cel"]]
    assert np.quantile(response * infused, [0.025, 0.975]) == pytest.approx((next_low, next_high), abs=0.03)
    assert next_low < low < high < next_high


def test_of_patients_alike_in_everything_from_decision_is_the_product_of_the_two_headlines():
    """Levels as unsure as those of a product with few patients: the rate at their mean is 2 points off the average."""
    unsure = {("orr", "alpha-cel"): Level(2.0, 1.0), ("apheresed_not_infused", "car_t"): Level(-2.0, 1.0)}
    found = ask(model(ATTRITION | unsure), all_known())
    for cell, (mean, *_) in from_decision(found).items():
        own = "apheresed_not_infused", found.pooled.cells[cell].option
        lost = found.place[own if own in found.place else ("apheresed_not_infused", "car_t")]
        assert mean == pytest.approx(found.rates[cell].mean * (1 - found.rates[lost].mean), abs=1e-9)


def test_from_decision_is_of_car_t_responses_only():
    found = ask(model(ATTRITION), all_known())
    cells = {(found.pooled.cells[index].outcome, found.pooled.cells[index].option) for index in from_decision(found)}
    assert cells == {(o, c) for o in ("orr", "cr_or_better") for c in ("car_t", "alpha-cel", "beta-cel")}


def test_a_products_own_attrition_comes_before_that_of_its_class():
    own = {key: level for key, level in ATTRITION.items() if key[0] != "apheresed_not_infused"}
    own |= {("apheresed_not_infused", "alpha-cel"): Level(0.0, 0.0001, tau=1e-5)}
    found = ask(model(own), all_known())
    mean = from_decision(found)[found.place["orr", "alpha-cel"]][0]
    assert over_centres(1.5, 0.5) * 0.5 == pytest.approx(mean, abs=0.005)


def test_without_known_attrition_there_is_nothing_from_decision():
    levels = {key: level for key, level in ATTRITION.items() if key[0] != "apheresed_not_infused"}
    assert from_decision(ask(model(levels), all_known())) == {}


def test_a_deeper_response_from_decision_is_never_more_frequent():
    found = ask(model(ATTRITION, **BOTH), traits(age=70))
    decided = from_decision(found)
    for option in ("car_t", "alpha-cel", "beta-cel"):
        rows = [decided[found.place[outcome, option]] for outcome in ("orr", "cr_or_better")]
        assert (np.diff(rows, axis=0) <= 0).all()


# Moves of unknown traits.

MOVING = {
    "effects": {
        "response": [Effect("car_t", EMD, -1.0), Effect("car_t", "prior_lines", -0.6), Effect("bite", BCMA, 0.7)]
    },
    "covariance": {"response": np.diag([0.04, 0.01, 0.04])},
    "prevalence": {EMD: 0.3, BCMA: 0.25},
}


def moves(found, trait):
    return {(move.outcome, move.option): move for move in trait_moves(found, [trait])[trait]}


def test_a_yes_no_trait_moves_between_the_rates_of_its_two_answers():
    """Log odds 1 without and 0 with extramedullary disease, each averaged over centres with tau 0.5."""
    small = model({("orr", "car_t"): Level(1.0), ("orr", "bite"): Level(0.0)}, **MOVING)
    move = moves(ask(small, all_known(extramedullary_disease=None)), EMD)["orr", "car_t"]
    assert (over_centres(0.0, 0.5), over_centres(1.0, 0.5)) == pytest.approx((move.low, move.high), abs=1e-3)
    assert (move.low_value, move.high_value) == (1.0, 0.0)


def test_what_raises_the_rate_is_high_when_present():
    small = model({("orr", "car_t"): Level(1.0), ("orr", "bite"): Level(0.0)}, **MOVING)
    move = moves(ask(small, traits()), BCMA)["orr", "bite"]
    assert move.low < move.high
    assert (move.low_value, move.high_value) == (0.0, 1.0)


def test_a_number_moves_between_its_lowest_and_highest_fifth():
    """Lines: 2 doublings with SD 0.5; the mean of the outer fifth of a normal is phi(z)/0.2 = 1.400 SD out."""
    small = model({("orr", "car_t"): Level(1.0)}, **MOVING)
    move = moves(ask(small, traits()), "prior_lines")["orr", "car_t"]
    reach = 0.5 * norm.pdf(norm.isf(0.2)) / 0.2
    assert 2 ** (2 + reach) == pytest.approx(move.low_value, rel=0.02)
    assert 2 ** (2 - reach) == pytest.approx(move.high_value, rel=0.02)


def test_only_the_cells_with_an_effect_move_and_no_products():
    levels = {("orr", "car_t"): Level(1.0), ("orr", "bite"): Level(0.0), ("crs_any", "car_t"): Level(0.0)}
    found = trait_moves(ask(model(levels, **MOVING), traits()), [EMD, BCMA, "frail"])
    where = {trait: {(move.outcome, move.option) for move in listed} for trait, listed in found.items()}
    assert where == {EMD: {("orr", "car_t")}, BCMA: {("orr", "bite")}}


def test_the_mean_lies_between_the_ends_of_every_move_of_the_shipped_model():
    """Whatever the trait turns out to be, the rate is an average over it (within the 512 virtual patients)."""
    found = ask(load_model(), traits(age=70))
    checked = 0
    for trait, listed in trait_moves(found, BINARY).items():
        for move in listed:
            mean = found.rates[found.place[move.outcome, move.option]].mean
            assert move.low - 0.01 <= mean <= move.high + 0.01, (trait, move)
            checked += 1
    assert checked >= 10


def test_the_ends_of_a_move_are_near_the_answers_themselves():
    """What is announced for an unknown trait is what answering it gives, in both classes, within 3 of 100."""
    shipped = load_model()
    shipped = replace(shipped, assumptions={**shipped.assumptions, "outside_evidence_sd": 0.0})
    for trait in (EMD, BCMA, "high_risk_cytogenetics", "car_hematotox_high"):
        found = ask(shipped, traits(age=70, prior_lines=5))
        answers = {value: ask(shipped, traits(age=70, prior_lines=5, **{trait: bool(value)})) for value in (0.0, 1.0)}
        for (outcome, option), move in moves(found, trait).items():
            index = found.place[outcome, option]
            assert answers[move.low_value].rates[index].mean == pytest.approx(move.low, abs=0.03), (trait, outcome)
            assert answers[move.high_value].rates[index].mean == pytest.approx(move.high, abs=0.03), (trait, outcome)


def test_a_trait_nobody_alike_varies_in_has_no_moves():
    small = model({("orr", "car_t"): Level(1.0)}, **MOVING)
    assert trait_moves(ask(small, traits(extramedullary_disease=True)), [EMD]) == {}


# Steps from the average patient to this one.


def test_cumulative_means_go_from_the_average_patient_to_this_one():
    small = model({("orr", "car_t"): Level(1.0), ("orr", "bite"): Level(0.0)}, **MOVING)
    found = ask(small, traits(prior_lines=6, extramedullary_disease=True))
    steps, means = cumulative_means(found)
    assert steps == [None, "prior_lines", EMD]
    for step, patient in enumerate((traits(), traits(prior_lines=6))):
        assert [rates.mean for rates in ask(small, patient).rates] == pytest.approx(means[step])
    assert [rates.mean for rates in found.rates] == pytest.approx(means[2])


def test_differences_are_of_outcomes_both_classes_have():
    small = model({**EMPTY, ("crs_any", "car_t"): Level(0.0)})
    assert list(ask(small, traits()).class_differences[True]) == ["orr"]
