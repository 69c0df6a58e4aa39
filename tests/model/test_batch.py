"""Many patients at once have the numbers that each of them has alone, whoever stands beside them."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import fields
from weakref import ref

import numpy as np
import pytest
from msgspec.structs import replace

from bcma_decide import load_model
from bcma_decide.model.batch import Profiles, batch_numbers, compared_outcomes
from bcma_decide.vocabulary import MODEL_TRAIT_IDS, MODEL_TRAITS
from tests.model.support.chances import BASES, derived, numbers, shipped

T = len(MODEL_TRAIT_IDS)


def drawn(count, seed=3):
    """Profiles in which anything may be known, unknown, or known by its chance."""
    rng = np.random.default_rng(seed)
    number, yes, no = np.full((count, T), np.nan), np.zeros((count, T)), np.zeros((count, T))
    number[:, 0] = np.where(rng.random(count) < 0.8, rng.uniform(2.5, 9.8, count), np.nan)
    number[:, 1] = np.where(rng.random(count) < 0.7, np.log2(rng.integers(1, 15, count)), np.nan)
    for place in range(2, T):
        kind = rng.integers(0, 4, count)
        yes[:, place] = np.select([kind == 0, kind == 3], [1.0, 0.3])
        no[:, place] = np.select([kind == 1, kind == 3], [1.0, 0.5])
    return Profiles(number, yes, no)


def test_together_is_as_alone():
    profiles = drawn(150)
    together = batch_numbers(shipped(), "real_world", profiles)
    for row in (0, 1, 63, 64, 100, 149):
        alone = batch_numbers(shipped(), "real_world", profiles[row : row + 1])
        for each in fields(together):
            assert getattr(together, each.name)[row] == pytest.approx(getattr(alone, each.name)[0], abs=1e-12), (
                each.name
            )


def test_the_batch_has_the_numbers_of_the_patient():
    """Those that a comparison is made of, traits with a chance and outside the evidence included."""
    for base in BASES.values():
        given = derived(base)
        profiles = Profiles.of([{trait.id: given[trait.id].modelled for trait in MODEL_TRAITS}])
        for found in [numbers(given)]:
            many = batch_numbers(found.pooled, found.setting, profiles)
            own = np.array([(r.mean, r.median, *r.credible, *r.prediction) for r in found.rates])
            assert many.mean[0] == pytest.approx(own[:, 0], abs=1e-9)
            assert many.median[0] == pytest.approx(own[:, 1], abs=1e-9)
            assert many.credible[0] == pytest.approx(own[:, 2:4], abs=1e-9)
            assert many.prediction[0] == pytest.approx(own[:, 4:], abs=1e-9)
            for place, outcome in enumerate(compared_outcomes(found.pooled)):
                gap = found.class_differences[True][outcome]
                assert many.risk_difference[0, place] == pytest.approx(gap.risk_difference, abs=1e-9)
                assert many.first_higher[0, place] == pytest.approx(gap.probability_first_higher, abs=1e-9)


def test_memory_does_not_grow_with_the_number_of_patients_beyond_the_result():
    batch_numbers(shipped(), "real_world", drawn(1024))

    def peak(count):
        profiles = drawn(count)
        tracemalloc.start()
        found = batch_numbers(shipped(), "real_world", profiles)
        most, own = tracemalloc.get_traced_memory()[1], sum(getattr(found, e.name).nbytes for e in fields(found))
        tracemalloc.stop()
        return most - own

    assert peak(1152) < peak(384) + 3_000_000


def test_what_was_worked_out_once_goes_with_the_evidence():
    pooled = replace(load_model())
    batch_numbers(pooled, "real_world", drawn(1))
    watched = ref(pooled)
    del pooled
    gc.collect()
    assert watched() is None


def test_other_assumptions_have_their_own_numbers():
    """What is kept beside one pooled evidence is not taken for that of another made from it."""
    pooled = shipped()
    other = replace(pooled, assumptions={**pooled.assumptions, "unanchored_sd": 1.0})
    first, second = (batch_numbers(each, "real_world", drawn(2)) for each in (pooled, other))
    assert (second.risk_difference[..., 2] > first.risk_difference[..., 2]).all()
