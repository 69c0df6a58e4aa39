"""What is worked out from the evidence is kept with it: made once, and dropped when the evidence is."""

from __future__ import annotations

import gc
from datetime import date
from weakref import ref

from msgspec.structs import replace

from bcma_decide import Patient
from bcma_decide.comparing.compare import load_pooled
from bcma_decide.comparing.published import published_options, withheld_numbers
from bcma_decide.facts.traits import derive
from bcma_decide.model.beside import beside, kept_beside
from bcma_decide.model.numbers import patient_numbers
from bcma_decide.model.survival import survival_curves


def test_what_is_kept_is_that_of_its_own_evidence():
    asked = []

    @kept_beside(2)
    def named(pooled, word):
        asked.append(word)
        return pooled, word

    first, second = replace(load_pooled()), replace(load_pooled())
    assert named(first, "a")[0] is first
    assert named(second, "a")[0] is second
    assert named(first, "a") is named(first, "a")
    assert asked == ["a", "a"]
    for word in "bca":  # a third word puts out the first
        named(first, word)
    assert asked == ["a", "a", "b", "c", "a"]
    assert beside(first, "x", lambda: 1) == beside(first, "x", lambda: 2) == 1


def test_evidence_that_is_dropped_is_freed_with_all_that_was_worked_out_from_it():
    pooled = replace(load_pooled())
    numbers = patient_numbers(pooled, derive(Patient(age=60, prior_lines=3), pooled.definitions), "real_world")
    assert numbers.class_differences
    assert survival_curves(numbers)
    assert withheld_numbers(numbers) is withheld_numbers(numbers)
    published_options(pooled, "US", date(2026, 1, 1))
    gone = ref(pooled)
    del pooled, numbers
    gc.collect()
    assert gone() is None
