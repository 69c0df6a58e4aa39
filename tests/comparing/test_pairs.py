"""Two options at a time: a pair's differences mirror, agree with what is told apart, and refuse what is no pair."""

from __future__ import annotations

from itertools import combinations

import pytest

from bcma_decide import Patient, compare, load_pooled
from bcma_decide.errors import ProfileError
from bcma_decide.facts.traits import derive
from bcma_decide.model.apart import fixed_higher, moving_higher
from bcma_decide.model.contrast import higher_of_pairs
from bcma_decide.model.numbers import patient_numbers
from bcma_decide.patient.files import example_names, load_example

PRODUCTS = ("cilta-cel", "ide-cel", "teclistamab", "elranatamab", "linvoseltamab")


def test_the_difference_of_a_pair_is_that_of_its_two_numbers():
    found = compare(Patient(age=66, prior_lines=5), pair=("cilta-cel", "elranatamab"))
    for outcome in found.outcomes:
        numbers = [outcome.estimates[option].mean for option in ("cilta-cel", "elranatamab")]
        if None not in numbers:
            contrast = found.pair.contrasts[outcome.id]
            assert contrast.risk_difference.mean == pytest.approx(numbers[0] - numbers[1], abs=2e-6)
            low, high = contrast.risk_difference.interval
            assert low <= contrast.risk_difference.mean <= high


def test_turned_round_it_is_mirrored():
    patient = Patient(age=66, prior_lines=5, extramedullary_disease="yes")
    one = compare(patient, pair=("ide-cel", "teclistamab")).pair
    other = compare(patient, pair=("teclistamab", "ide-cel")).pair
    assert one.contrasts.keys() == other.contrasts.keys()
    for outcome, contrast in one.contrasts.items():
        mirrored = other.contrasts[outcome]
        assert contrast.risk_difference.mean == pytest.approx(-mirrored.risk_difference.mean, abs=2e-6)
        low, high = mirrored.risk_difference.interval
        assert contrast.risk_difference.interval == pytest.approx((-high, -low), abs=2e-6)
        assert contrast.probability_first_higher == pytest.approx(1.0 - mirrored.probability_first_higher, abs=2e-6)


def test_the_pair_of_the_classes_is_the_difference_that_stands_in_every_answer():
    found = compare(Patient(age=70), pair=("car_t", "bite"))
    expected = {outcome.id: outcome.contrast for outcome in found.outcomes if outcome.contrast is not None}
    assert found.pair.contrasts == {**expected, "pfs": found.survival_contrast}


@pytest.mark.parametrize("name", example_names())
def test_told_apart_is_what_the_interval_of_the_difference_says(name):
    patient = load_example(name)
    apart = {each.outcome: each for each in compare(patient).apart}
    assert any(each.pairs for each in apart.values())
    for pair in combinations(PRODUCTS, 2):
        for outcome, contrast in compare(patient, pair=pair).pair.contrasts.items():
            if outcome in apart and set(pair) <= set(apart[outcome].compared):
                low, high = contrast.risk_difference.interval
                assert (pair in apart[outcome].pairs) == (low > 0.0), (outcome, pair)
                assert (pair[::-1] in apart[outcome].pairs) == (high < 0.0), (outcome, pair)


@pytest.mark.parametrize("name", example_names())
def test_all_pairs_at_once_are_those_worked_out_one_by_one(name):
    pooled = load_pooled()
    numbers = patient_numbers(pooled, derive(load_example(name), pooled.definitions), "real_world")
    found = {**moving_higher(pooled, numbers.evaluated, 0.3), **fixed_higher(pooled, "real_world", 0.3)}
    assert found.keys() == {outcome for outcome, _ in numbers.place}
    for outcome, pairs in found.items():
        sides = {option: numbers.side(outcome, option) for of, option in numbers.place if of == outcome}
        expected = higher_of_pairs(sides, pooled.outcome_covariance[outcome], 0.3)
        assert pairs == pytest.approx(expected, abs=1e-12), outcome


@pytest.mark.parametrize(
    ("pair", "said"),
    [(("cilta-cel", "teclistmab"), "teclistamab"), (("talquetamab", "car_t"), "talquetamab"),
     (("ide-cel", "ide-cel"), "twice")],
)  # fmt: skip
def test_what_is_no_pair_is_refused(pair, said):
    with pytest.raises(ProfileError) as caught:
        compare(Patient(age=70), pair=pair)
    assert any(said in f"{problem.message} {problem.fix}" for problem in caught.value.problems)
