"""Random patients over all profile fields: what must hold of the numbers of every one of them.

300 in the plain profile of properties, 10,000 at night.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from bcma_decide import load_model
from bcma_decide.facts.traits import derive
from bcma_decide.model.from_decision import from_decision
from bcma_decide.model.numbers import patient_numbers
from bcma_decide.vocabulary import CLASSES, MODEL_TRAIT_IDS
from tests.model.support.chances import with_trait
from tests.model.support.profiles import random_profiles
from tests.support.examples import PROFILE

PATIENTS = {"plain": 100, "ci": 300, "nightly": 10_000}[PROFILE]
PARTS = 4
"""The patients are divided, so that workers share them."""
SETTINGS = ("real_world", "interventional")
LOWER_RESPONSE = ("extramedullary_disease", "high_risk_cytogenetics", "prior_bcma")


def table(found):
    """Of every cell: next centre's low, credible low, mean, credible high, next centre's high."""
    return np.array(
        [(r.prediction[0], r.credible[0], r.mean, r.credible[1], r.prediction[1]) for r in found.rates]
    )  # fmt: skip


def check(found, rng):
    columns, pooled = table(found), found.pooled
    assert (columns > 0).all()
    assert (columns < 1).all()
    low, inside_low, mean, inside_high, high = columns.T
    assert (low <= inside_low).all()
    assert (inside_low < mean).all()
    assert (mean < inside_high).all()
    assert (inside_high <= high).all()
    for rows in pooled.threshold_rows:
        assert (np.diff(columns[rows], axis=0) <= 1e-12).all()
    for members, row in pooled.product_rows:
        assert mean[members].min() - 1e-12 <= mean[row] <= mean[members].max() + 1e-12
    swapped(found, rng)


def decided(found):
    for index, (rate, low, high, *_) in from_decision(found).items():
        assert 0 < low < rate < high < 1
        assert rate < found.rates[index].mean


def swapped(found, rng):
    """Two options of one outcome, drawn: every number of their difference is mirrored."""
    outcome = found.pooled.cells[rng.integers(len(found.pooled.cells))].outcome
    options = [option for name, option in found.place if name == outcome]
    if len(options) < 2:
        return
    first, second = rng.choice(options, size=2, replace=False)
    forth, back = (found.difference(outcome, pair, 0.25) for pair in ((first, second), (second, first)))
    mean, low, high = forth.risk_difference
    assert (-mean, -high, -low) == pytest.approx(back.risk_difference, abs=1e-9)
    assert low <= mean <= high
    assert 1 - forth.probability_first_higher == pytest.approx(back.probability_first_higher, abs=1e-9)
    mean, low, high = forth.log_odds_ratio
    assert (-mean, -high, -low) == pytest.approx(back.log_odds_ratio, abs=1e-9)


@pytest.mark.parametrize("part", range(PARTS))
def test_order_nesting_classes_and_swaps_hold_for_random_patients(part):
    pooled, rng = load_model(), np.random.default_rng(part)
    for number, patient in enumerate(random_profiles(PATIENTS // PARTS, seed=part)):
        found = patient_numbers(pooled, derive(patient, pooled.definitions), SETTINGS[number % 2])
        try:
            check(found, rng)
            if number % 5 == 0:
                decided(found)
        except AssertionError as error:
            raise AssertionError(f"patient {number} of part {part}: {patient!r}") from error


def responses(found):
    return {
        (cell.outcome, cell.option): rates.mean
        for cell, rates in zip(found.pooled.cells, found.rates, strict=True)
        if cell.family == "response"
    }


def test_traits_of_known_direction_never_raise_the_response():
    """Extramedullary disease, high-risk cytogenetics, earlier BCMA therapy, and lines as they rise.

    Of every option, class and depth. Where nobody says whether the trait is there, the number lies between.
    """
    pooled = load_model()
    for number, patient in enumerate(random_profiles(PATIENTS // 60, seed=77)):
        traits = derive(patient, pooled.definitions)

        def response(trait, value, traits=traits):
            return responses(patient_numbers(pooled, with_trait(traits, trait, value), "real_world"))

        for trait in LOWER_RESPONSE:
            no, unknown, yes = (response(trait, answer) for answer in (False, None, True))
            for key in no:
                assert no[key] > yes[key], (number, trait, key)
                assert no[key] + 1e-3 >= unknown[key] >= yes[key] - 1e-3, (number, trait, key)
        ladder = [response("prior_lines", lines) for lines in (1, 3, 6, 15)]
        for fewer, more in pairwise(ladder):
            assert all(fewer[key] >= more[key] - 1e-9 for key in fewer), number


def test_traits_that_move_the_response_of_a_class_are_those_of_the_evidence():
    """The scan above would pass if nothing moved: these do, in both classes."""
    pooled = load_model()
    family = pooled.family_index["response"]
    for trait in LOWER_RESPONSE:
        assert pooled.used[family, :, MODEL_TRAIT_IDS.index(trait)].tolist() == [True] * len(CLASSES)
