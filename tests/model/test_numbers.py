"""One patient's numbers before they are put into words: scales, limits of the evidence, decision, moves, steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm

from bcma_decide import load_model
from bcma_decide.model.numbers import (
    cumulative_means,
    from_decision,
    outside_evidence,
    trait_moves,
)
from bcma_decide.vocabulary import CLASSES, MODEL_TRAIT_IDS, MODEL_TRAITS, model_scale, natural_scale
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


def test_age_is_compared_with_each_class_apart_and_the_ends_are_inside():
    small = model(EMPTY)
    assert outside_evidence(small, unknown_values(age=88)) == (("age 88, studied 30 to 85",), ())
    assert outside_evidence(small, unknown_values(age=91)) == (
        ("age 91, studied 30 to 85",),
        ("age 91, studied 30 to 90",),
    )
    for age in (30, 85):
        assert outside_evidence(small, unknown_values(age=age)) == ((), ())
    assert outside_evidence(small, unknown_values()) == ((), ())


def test_a_present_trait_seen_in_fewer_than_twenty_patients_is_outside():
    small = model(EMPTY, seen={"plasma_cell_leukemia": 12, "frail": 20})
    found = outside_evidence(small, unknown_values(plasma_cell_leukemia=True, frail=True))
    assert found == (("Plasma cell leukaemia: seen in 12 patients",),) * 2
    assert outside_evidence(small, unknown_values(plasma_cell_leukemia=False)) == ((), ())


def test_a_trait_no_study_reports_is_never_called_rare():
    small = model(EMPTY, seen={"ferritin_high": None})
    assert outside_evidence(small, unknown_values(ferritin_high=True)) == ((), ())


def test_every_reason_adds_its_variance_once():
    """Two reasons under CAR-T (age 88, plasma cell leukaemia), one under bispecifics: 2 * 0.5^2 and 0.5^2."""
    small = model(EMPTY, seen={"plasma_cell_leukemia": 12})
    found = ask(small, all_known(age=88, plasma_cell_leukemia=True))
    assert found.extra.tolist() == [0.5, 0.25]


# From the decision.

ATTRITION = {
    ("orr", "car_t"): Level(1.5, 0.06),
    ("vgpr_or_better", "car_t"): Level(0.8, 0.06),
    ("orr", "alpha-cel"): Level(2.2, 0.1),
    ("orr", "bite"): Level(0.5, 0.05),
    ("crs_any", "car_t"): Level(1.0),
    ("apheresed_not_infused", "car_t"): Level(-2.0, 0.09),
}


def test_from_decision_agrees_with_monte_carlo():
    """Rate times the chance of infusion, both drawn 400 000 times from their log-odds normals."""
    small = model(ATTRITION)
    found = ask(small, all_known())
    decided = from_decision(found)
    rng = np.random.default_rng(2)
    for (outcome, option), (mean, variance) in {
        ("orr", "car_t"): (1.5, 0.06),
        ("vgpr_or_better", "car_t"): (0.8, 0.06),
        ("orr", "alpha-cel"): (2.2, 0.1),
    }.items():
        infused = 1 - expit(rng.normal(-2.0, 0.3, 400_000))
        draws = expit(rng.normal(mean, np.sqrt(variance), 400_000)) * infused
        expected = np.quantile(draws, [0.5, 0.025, 0.975])
        assert expected == pytest.approx(decided[found.place[outcome, option]], abs=0.012)


def test_from_decision_is_of_car_t_responses_only():
    found = ask(model(ATTRITION), all_known())
    cells = [found.pooled.cells[index] for index in from_decision(found)]
    assert {("orr", "car_t"), ("vgpr_or_better", "car_t"), ("orr", "alpha-cel")} == {
        (cell.outcome, cell.option) for cell in cells
    }


def test_a_products_own_attrition_comes_before_that_of_its_class():
    own = {**ATTRITION, ("apheresed_not_infused", "alpha-cel"): Level(0.0, 0.0001)}
    for levels, lost in ((ATTRITION, expit(-2.0)), (own, 0.5)):
        found = ask(model(levels), all_known())
        median = from_decision(found)[found.place["orr", "alpha-cel"]][0]
        assert expit(2.2) * (1 - lost) == pytest.approx(median, abs=0.01)


def test_without_known_attrition_there_is_nothing_from_decision():
    levels = {key: level for key, level in ATTRITION.items() if key[0] != "apheresed_not_infused"}
    assert from_decision(ask(model(levels), all_known())) == {}


def test_thresholds_from_decision_stay_in_order_where_the_levels_cross():
    crossing = {**ATTRITION, ("vgpr_or_better", "car_t"): Level(1.7, 0.5), ("cr_or_better", "car_t"): Level(1.6, 0.1)}
    found = ask(model(crossing), all_known())
    decided = from_decision(found)
    rows = [decided[found.place[o, "car_t"]] for o in ("orr", "vgpr_or_better", "cr_or_better")]
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
    """Everything else known, so the ends are the means one gets by answering.

    CAR-T, log odds 1 or 0. The level has variance 0.05; what is unsure of the effect (0.04, on 30 % of patients) is
    spread over both answers, hence a tolerance of 0.004.
    """
    small = model({("orr", "car_t"): Level(1.0), ("orr", "bite"): Level(0.0)}, **MOVING)
    found = ask(small, all_known(extramedullary_disease=None))
    move = moves(found, EMD)["orr", "car_t"]
    draws = np.random.default_rng(4).normal(0, 1, 400_000)
    absent, present = (expit(1.0 + np.sqrt(0.05) * draws).mean(), expit(0.0 + np.sqrt(0.09) * draws).mean())
    assert (present, absent) == pytest.approx((move.low, move.high), abs=0.004)
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
    levels = {("orr", "car_t"): Level(1.0), ("orr", "alpha-cel"): Level(2.0), ("orr", "bite"): Level(0.0)}
    small = model({**levels, ("crs_any", "car_t"): Level(0.0)}, **MOVING)
    found = ask(small, traits())
    assert {("orr", "car_t")} == set(moves(found, EMD))
    assert {("orr", "bite")} == set(moves(found, BCMA))
    assert moves(found, "frail") == {}


def test_the_mean_lies_between_the_ends_of_every_move_of_the_shipped_model():
    """Whatever the trait turns out to be, the rate is an average over it (within the 512 virtual patients)."""
    found = ask(load_model(), traits(age=70))
    checked = 0
    for trait, listed in trait_moves(found, BINARY).items():
        for move in listed:
            mean = found.rates.mean[found.place[move.outcome, move.option]]
            assert move.low - 0.01 <= mean <= move.high + 0.01, (trait, move)
            checked += 1
    assert checked > 20


def test_the_ends_of_a_move_are_near_the_answers_themselves():
    """What is announced for an unknown trait is what answering it gives, in both classes, within 3 of 100."""
    shipped = load_model()
    shipped = replace(shipped, assumptions={**shipped.assumptions, "outside_evidence_sd": 0.0})
    for trait in (EMD, BCMA, "high_risk_cytogenetics", "car_hematotox_high"):
        found = ask(shipped, traits(age=70, prior_lines=5))
        answers = {value: ask(shipped, traits(age=70, prior_lines=5, **{trait: bool(value)})) for value in (0.0, 1.0)}
        for (outcome, option), move in moves(found, trait).items():
            index = found.place[outcome, option]
            assert answers[move.low_value].rates.mean[index] == pytest.approx(move.low, abs=0.03), (trait, outcome)
            assert answers[move.high_value].rates.mean[index] == pytest.approx(move.high, abs=0.03), (trait, outcome)


def test_a_trait_nobody_alike_varies_in_has_no_moves():
    never = model({("orr", "car_t"): Level(1.0)}, **{**MOVING, "prevalence": {EMD: 1e-9}})
    assert trait_moves(ask(never, traits()), [EMD]) == {}


# Steps from the average patient to this one.


def test_cumulative_means_go_from_the_average_patient_to_this_one():
    small = model({("orr", "car_t"): Level(1.0), ("orr", "bite"): Level(0.0)}, **MOVING)
    found = ask(small, traits(prior_lines=6, extramedullary_disease=True))
    steps, means = cumulative_means(found)
    assert steps == [None, "prior_lines", EMD]
    assert ask(small, traits()).rates.mean == pytest.approx(means[0])
    assert ask(small, traits(prior_lines=6)).rates.mean == pytest.approx(means[1])
    assert found.rates.mean == pytest.approx(means[2])


# What does not move a number.


@for_each("trait", BINARY)
def test_a_trait_without_an_effect_moves_nothing_once_the_others_are_known(trait):
    """The shipped model, all other traits known: only cells of families and classes with an effect of it change.

    Quantiles are searched for all cells together until the last one is within 1e-5, hence *change* by more than that.
    """
    shipped = load_model()
    shipped = replace(shipped, assumptions={**shipped.assumptions, "outside_evidence_sd": 0.0})
    no, yes = (ask(shipped, all_known(**{trait: value})) for value in (False, True))
    column = MODEL_TRAIT_IDS.index(trait)
    for index, cell in enumerate(shipped.cells):
        moved = any(
            np.abs(getattr(no.rates, name)[index] - getattr(yes.rates, name)[index]).max() > 1e-5
            for name in ("median", "mean", "credible", "prediction")
        )
        assert shipped.used[shipped.family_index[cell.family], cell.class_index, column] == moved, cell


def test_a_trait_without_an_effect_moves_through_its_unknown_neighbour_only():
    """Correlated with an unknown trait that has an effect: moved; without the correlation: not at all."""
    levels = {("orr", "car_t"): Level(1.0)}
    for rho in (0.0, 0.6):
        small = model(levels, **MOVING, correlation={("iss_3", EMD): rho})
        means = [ask(small, traits(iss_3=value)).rates.mean[0] for value in (False, True)]
        if rho:
            assert means[1] < means[0] - 0.02
        else:
            assert means[1] == pytest.approx(means[0], abs=0.003)


def test_differences_are_of_outcomes_both_classes_have():
    small = model({**EMPTY, ("crs_any", "car_t"): Level(0.0)})
    assert list(ask(small, traits()).differences(0.2)) == ["orr"]
    assert CLASSES == ("car_t", "bite")
