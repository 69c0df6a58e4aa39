"""One patient behind all numbers: what does not act moves nothing, and an average over answers is what was there."""

from __future__ import annotations

import numpy as np
import pytest

from bcma_decide.vocabulary import MODEL_TRAIT_IDS, MODEL_TRAITS, OUTCOMES
from tests.model.support.chances import BASES, acting, derived, numbers, shipped, with_trait

BINARY = [trait.id for trait in MODEL_TRAITS if trait.kind == "binary"]


def values_of(trait):
    return (45, 80) if trait == "age" else (2, 9) if trait == "prior_lines" else (True, False)


@pytest.mark.parametrize("base", BASES)
def test_a_trait_outside_a_familys_set_moves_it_by_nothing(base):
    """Exactly: except that rare traits widen what is said of a class, which is marked and not a matter of the trait."""
    before = derived(BASES[base])
    plain, tried = numbers(before), 0
    for trait in MODEL_TRAIT_IDS:
        idle = [family for family in plain.pooled.family_index if trait not in acting(plain.pooled, family)]
        if before[trait].value is not None:
            continue
        for value in values_of(trait):
            found = numbers(with_trait(before, trait, value))
            if found.outside != plain.outside:
                continue
            for cell, own, other in zip(plain.pooled.cells, plain.rates, found.rates, strict=True):
                if cell.family in idle:
                    assert own == other, (trait, value, cell.outcome, cell.option)
            tried += 1
    assert tried > len(BINARY)


@pytest.mark.parametrize("base", BASES)
def test_averaging_over_an_acting_trait_gives_the_number_without_it(base):
    """Theta at every node of every block, to a thousandth; the headline, over parameters too, to half a point."""
    before = derived(BASES[base])
    plain, pooled, tried = numbers(before), shipped(), 0
    for trait in BINARY:
        if before[trait].value is not None:
            continue
        sides = [numbers(with_trait(before, trait, answer)) for answer in (True, False)]
        share = {
            family: float(people.weight @ people.values[:, MODEL_TRAIT_IDS.index(trait)])
            for family, people in plain.patients.items()
            if trait in acting(pooled, family)
        }
        for index, block in enumerate(pooled.blocks):
            if block.family in share:
                yes, no = (side.averages[index].rate for side in sides)
                mixed = share[block.family] * yes + (1 - share[block.family]) * no
                assert mixed == pytest.approx(plain.averages[index].rate, abs=1e-3), (trait, block.outcome)
                tried += 1
        for index, cell in enumerate(pooled.cells):
            if cell.family in share:
                yes, no = (side.rates[index].mean for side in sides)
                mixed = share[cell.family] * yes + (1 - share[cell.family]) * no
                assert mixed == pytest.approx(plain.rates[index].mean, abs=5e-3), (trait, cell.outcome, cell.option)
    assert tried > 0


def test_response_is_among_the_families_that_traits_move():
    assert {"prior_lines", "extramedullary_disease", "prior_bcma"} <= set(acting(shipped(), "response"))
    assert np.isin("orr", OUTCOMES)
