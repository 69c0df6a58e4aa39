"""One step of the last digit that laboratories print moves no headline by more than three points in a hundred."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from bcma_decide.patient.fields import FIELDS
from bcma_decide.workshop.evidence.laboratory_variation import varying_fields
from tests.model.support.chances import BASES, derived, means, shipped, steps, with_effects
from tests.support.cases import for_each

MOST = 0.03

MEASURED = {
    # field: lowest, highest, step of the last digit, unit
    "ferritin": (1, 3300, 1, "ng/mL"),
    "crp": (0, 30, 0.1, "mg/dL"),
    "platelets": (0, 400, 1, "10^9/L"),
    "neutrophils": (0, 10, 0.1, "10^9/L"),
    "hemoglobin": (4, 17, 0.1, "g/dL"),
    "creatinine": (0.3, 6, 0.01, "mg/dL"),
    "creatinine_clearance": (5, 150, 1, "mL/min"),
    "egfr": (5, 120, 1, "mL/min/1.73m2"),
    "weight": (35, 150, 1, "kg"),
    "albumin": (1, 5.5, 0.1, "g/dL"),
    "beta2_microglobulin": (0.5, 30, 0.1, "mg/L"),
    "ldh": (0.2, 6, 0.01, "x ULN"),
    "marrow_plasma_cells": (0, 100, 1, "%"),
}
"""LDH is printed in U/L and divided by its upper limit of about 200 here: one unit is less than 0.01 of it."""
NEAR = {
    "ferritin": (400, 650, 2000), "crp": (3,), "platelets": (75, 175), "neutrophils": (1.2,), "hemoglobin": (9,),
    "creatinine": (1.07,), "creatinine_clearance": (45,), "egfr": (20, 93), "weight": (60,), "albumin": (3.5,),
    "beta2_microglobulin": (3.5, 5.5), "ldh": (1,), "marrow_plasma_cells": (50,),
}  # fmt: skip
"""Where a cut-off lies, where the creatinine and the weight of the kidney profile below meet one, and where the lowest
and the highest weight behind an eGFR do."""
LABORATORY = {
    "platelets": "160 10^9/L", "neutrophils": "2.5 10^9/L", "hemoglobin": "10.5 g/dL", "crp": "0.5 mg/dL",
    "ferritin": "700 ng/mL", "beta2_microglobulin": "6 mg/L", "albumin": "3.8 g/dL", "ldh": "1.3 x ULN",
    "high_risk_cytogenetics": "no",
}  # fmt: skip
"""One point more makes CAR-HEMATOTOX high, and one less low."""
KIDNEY = {"age": 72, "sex": "female", "weight": "60 kg", "creatinine": "1.07 mg/dL"}
WHOLE = {
    "age": range(18, 100), "prior_lines": range(1, 16), "ecog": range(5), "karnofsky": range(10, 101, 10),
    "charlson": range(8), "iss": range(1, 4), "r_iss": range(1, 4),
}  # fmt: skip
"""Whole numbers, exempt: a step of theirs is a difference between patients and not of measurement."""

STRONG = {"renal_impairment": -0.6, "ferritin_high": 0.6, "iss_3": 0.6, "bone_marrow_plasma_cells_high": -0.6}
"""Odds ratios of about 1.8 on every outcome, as if traits from measured values acted that do not."""


@cache
def evidence(name):
    return shipped() if name == "shipped" else with_effects(STRONG)


def profile(base, field):
    """A base profile with laboratory values of which ``field`` decides, and nothing that already says its trait."""
    if field == "egfr":
        return {**BASES[base], "age": 72, "sex": "female"}
    rest = KIDNEY if field in ("creatinine", "weight") else LABORATORY if field != "creatinine_clearance" else {}
    return {**rest, **BASES[base]} if field not in ("creatinine", "weight") else {**BASES[base], **rest}


def largest_move(pooled, base, field, values, unit):
    """Largest move of a headline between neighbours, over all cells; only traits that act are looked at."""
    moving = pooled.used.any(axis=(0, 1))
    last, last_key, most = None, None, 0.0
    for value in values:
        traits = derived({**profile(base, field), field: f"{value:g} {unit}"}, pooled)
        key = tuple(trait.modelled for trait, moves in zip(traits, moving, strict=True) if moves)
        if key != last_key:
            found = means(traits, pooled)
            most = most if last is None else max(most, float(np.abs(found - last).max()))
            last, last_key = found, key
    return most


def test_a_step_is_small_also_where_haemoglobin_alone_decides_the_score():
    """Platelets at 100 give one point for sure and nothing else is near a cut-off: the steepest place there is."""
    alone = {"platelets": "100 10^9/L", "neutrophils": "3 10^9/L", "crp": "0.3 mg/dL", "ferritin": "100 ng/mL"}
    found = [means(derived({"age": 66, **alone, "hemoglobin": f"{value} g/dL"})) for value in (8.9, 9.0, 9.1)]
    apart = [float(np.abs(later - earlier).max()) for earlier, later in pairwise(found)]
    assert 0.005 < max(apart) <= MOST


@pytest.mark.parametrize("field", MEASURED)
def test_a_step_across_a_cut_off_is_small(field):
    """Nowhere does a chance move faster than at its cut-off."""
    _, _, step, unit = MEASURED[field]
    for cut in NEAR[field]:
        values = [round(cut + index * step, 2) for index in (-1, 0, 1)]
        assert largest_move(evidence("shipped"), "age and lines", field, values, unit) <= MOST


def test_where_other_traits_act_a_step_across_their_cut_off_is_small_too():
    for field in ("creatinine_clearance", "ferritin"):
        _, _, step, unit = MEASURED[field]
        cut = NEAR[field][0]
        moves = largest_move(evidence("strong"), "age and lines", field, [cut - step, cut], unit)
        assert 0 < moves <= MOST


def test_a_score_with_missing_items_has_no_cliff_where_it_is_settled():
    """Platelets give one point; with ferritin at 650 a second one settles the score whatever is missing."""
    found = [
        means(derived({"platelets": "120 10^9/L", "ferritin": f"{ferritin} ng/mL"}))
        for ferritin in (300, 649, 650, 1200)
    ]
    apart = [float(np.abs(later - earlier).max()) for earlier, later in pairwise(found)]
    assert apart[1] < 0.005
    assert apart[0] > 0.01
    assert apart[2] > 0.01


def test_every_measured_field_that_moves_a_number_is_scanned():
    assert varying_fields(shipped().definitions) | {"weight", "egfr"} == MEASURED.keys()
    feeding = {name for name, field in FIELDS.items() if field.feeds and field.kind in ("whole", "stage", "quantity")}
    assert feeding == MEASURED.keys() | WHOLE.keys()


@pytest.mark.nightly
@pytest.mark.parametrize("field", MEASURED)
@for_each("base", list(BASES))
def test_no_step_of_a_measured_value_moves_a_headline_by_more_than_three_points(field, base):
    low, high, step, unit = MEASURED[field]
    assert largest_move(evidence("shipped"), base, field, steps(low, high, step), unit) <= MOST


@pytest.mark.nightly
@pytest.mark.parametrize("field", MEASURED)
def test_nor_would_it_if_every_measured_trait_acted(field):
    low, high, step, unit = MEASURED[field]
    middle = NEAR[field][0]
    values = steps(max(low, round(middle / 2, 1)), min(high, 2 * middle), step)
    assert largest_move(evidence("strong"), "age and lines", field, values, unit) <= MOST


@pytest.mark.nightly
@pytest.mark.parametrize("field", WHOLE)
def test_whole_numbers_are_listed_with_their_largest_move(field, record_property):
    """Exempt, and still no number is a jump of more than a third: what is exempt can be read in the report."""
    unit = "%" if field == "karnofsky" else ""
    moves = {base: largest_move(shipped(), base, field, WHOLE[field], unit) for base in BASES}
    for base, move in moves.items():
        record_property(f"{field}, {base}", round(100 * move, 2))
    assert max(moves.values()) < 1 / 3
