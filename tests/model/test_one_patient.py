"""One patient behind all numbers: what does not act moves nothing, and an average over answers is what was there."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec import structs

from bcma_decide.model.from_decision import from_decision
from bcma_decide.vocabulary import MODEL_TRAIT_IDS, MODEL_TRAITS
from tests.model.support.chances import BASES, acting, derived, numbers, shipped, with_trait
from tests.model.support.people import people_like

EVERY_BASE = [*list(BASES)[::2], *(pytest.param(base, marks=pytest.mark.slow) for base in list(BASES)[1::2])]
BINARY = [trait.id for trait in MODEL_TRAITS if trait.kind == "binary"]


def values_of(trait):
    return (45, 80) if trait == "age" else (2, 9) if trait == "prior_lines" else (True, False)


def flat(rates):
    return np.hstack([rates.mean, rates.median, rates.credible, rates.prediction])


@pytest.mark.parametrize("base", EVERY_BASE)
def test_a_trait_outside_a_familys_set_moves_it_by_nothing(base):
    """But for rounding; not even where the trait lies outside what was studied."""
    before = derived(BASES[base])
    plain, tried = numbers(before), 0
    for trait in MODEL_TRAIT_IDS:
        idle = [family for family in plain.pooled.family_index if trait not in acting(plain.pooled, family)]
        if before[trait].value is not None:
            continue
        for value in values_of(trait):
            found = numbers(with_trait(before, trait, value))
            for cell, own, other in zip(plain.pooled.cells, plain.rates, found.rates, strict=True):
                if cell.family in idle:
                    assert flat(own) == pytest.approx(flat(other), abs=1e-12), (trait, value, cell.outcome, cell.option)
            tried += 1
    assert tried > len(BINARY)


@pytest.mark.parametrize("base", EVERY_BASE)
def test_averaging_over_an_acting_trait_gives_the_number_without_it(base):
    """Theta at every node of every outcome, to a thousandth; the headline, over parameters too, to 0.6 of a point."""
    before = derived(BASES[base])
    plain, pooled, tried = numbers(before), shipped(), 0
    for trait in BINARY:
        if before[trait].value is not None:
            continue
        sides = [numbers(with_trait(before, trait, answer)) for answer in (True, False)]
        share = {
            family: float(people.weight @ people.values[:, MODEL_TRAIT_IDS.index(trait)])
            for family in pooled.family_index
            for people in (people_like(plain, family),)
            if trait in acting(pooled, family)
        }
        for index, cell in enumerate(pooled.cells):
            if cell.family in share:
                yes, no = (side.averages[index].rate for side in sides)
                mixed = share[cell.family] * yes + (1 - share[cell.family]) * no
                assert mixed == pytest.approx(plain.averages[index].rate, abs=1e-3), (trait, cell.outcome)
                tried += 1
        for index, cell in enumerate(pooled.cells):
            if cell.family in share:
                yes, no = (side.rates[index].mean for side in sides)
                mixed = share[cell.family] * yes + (1 - share[cell.family]) * no
                assert mixed == pytest.approx(plain.rates[index].mean, abs=6e-3), (trait, cell.outcome, cell.option)
    assert tried > 0


def test_response_is_among_the_families_that_traits_move():
    assert {"prior_lines", "extramedullary_disease", "prior_bcma"} <= set(acting(shipped(), "response"))


def test_response_and_the_way_to_the_infusion_are_of_the_same_patients():
    """Of a trait that acts before the infusion only, from decision moves and response does not."""
    pooled = shipped()
    family, position = pooled.family_index["apheresed_not_infused"], MODEL_TRAIT_IDS.index("plasma_cell_leukemia")
    effects, used = pooled.effects.copy(), pooled.used.copy()
    effects[family, 0, position], used[family, 0, position] = 1.5, True
    changed = structs.replace(pooled, effects=effects, used=used)
    assert "plasma_cell_leukemia" not in acting(changed, "response")
    before = derived(BASES["age and lines"])
    absent, present = (numbers(with_trait(before, "plasma_cell_leukemia", answer), changed) for answer in (False, True))
    place = changed.place["orr", "car_t"]
    assert absent.rates[place].mean == pytest.approx(present.rates[place].mean, abs=1e-12)
    assert from_decision(present)[place][0] < from_decision(absent)[place][0] - 0.02
