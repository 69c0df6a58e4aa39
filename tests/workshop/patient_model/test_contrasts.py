"""From the evidence to the contrasts of a family: splits, adjusted effects, pooled effects, and what replaces what."""

from dataclasses import replace
from math import log

import numpy as np
import pytest

from bcma_decide.pooled.location import evidence_directory
from bcma_decide.vocabulary import CLASSES, FAMILIES, MODEL_TRAIT_IDS
from bcma_decide.workshop.evidence.assumptions import PooledEffects
from bcma_decide.workshop.patient_model.contrasts import family_contrasts
from bcma_decide.workshop.patient_model.inputs import load_inputs
from bcma_decide.workshop.patient_model.preparation import prepare

FAMILY = {family.id: family for family in FAMILIES}


@pytest.fixture(scope="module")
def inputs():
    return load_inputs(evidence_directory())


@pytest.fixture(scope="module")
def workshop(inputs):
    return prepare(inputs)


def of(found, trait, class_id, study=None):
    return [
        contrast
        for contrast in found.contrasts
        if contrast.trait_index == MODEL_TRAIT_IDS.index(trait)
        and contrast.class_index == CLASSES.index(class_id)
        and study in (None, contrast.patients)
    ]


def test_an_adjusted_odds_ratio_is_turned_to_present_against_absent(inputs, workshop):
    """Printed naive against experienced, 4 (1.4 to 14.9): log odds ratio of experienced -1.386, se 0.6033."""
    (contrast,) = of(family_contrasts(inputs, workshop, FAMILY["crs"]), "prior_t_cell_redirection", "bite")
    assert contrast.kind == "adjusted effect"
    assert -log(4) == pytest.approx(contrast.difference[0])
    assert (log(14.9) - log(1.4)) / 3.919928 == pytest.approx(np.sqrt(contrast.covariance[0, 0]), rel=1e-6)
    assert contrast.rate is None


def test_the_split_of_the_same_patients_gives_way_and_says_so(inputs, workshop):
    left_out = family_contrasts(inputs, workshop, FAMILY["crs"]).left_out
    assert any("tec-crs-prior-tcr-2024" in line and "adjusted effect" in line for line in left_out)


def test_a_split_keeps_its_counts_and_its_levels(inputs, workshop):
    """MajesTEC-1: 10 of 28 with extramedullary disease, 94 of 137 without."""
    found = family_contrasts(inputs, workshop, FAMILY["response"])
    (contrast,) = of(found, "extramedullary_disease", "bite", "majestec-1")
    assert log(10.5 / 18.5) - log(94.5 / 43.5) == pytest.approx(contrast.difference[0])
    column = MODEL_TRAIT_IDS.index("extramedullary_disease")
    assert (contrast.high[:, column] == 1).all()
    assert (contrast.low[:, column] == 0).all()
    share = contrast.high.shape[0] / (contrast.high.shape[0] + contrast.low.shape[0])
    assert pytest.approx(share, abs=0.01) == 28 / 165
    assert "10 of 28 with, 94 of 137 without" in contrast.text


def test_a_cut_of_age_divides_the_virtual_patients_at_that_age(inputs, workshop):
    found = family_contrasts(inputs, workshop, FAMILY["response"])
    (contrast,) = of(found, "age", "bite", "us-mmic-tec-385")
    assert contrast.high[:, 0].min() >= 7.5
    assert contrast.low[:, 0].max() < 7.5


def test_a_cut_of_prior_lines_lies_between_whole_numbers(inputs, workshop):
    found = family_contrasts(inputs, workshop, FAMILY["response"])
    (contrast,) = of(found, "prior_lines", "car_t", "karmma")
    assert 2 ** contrast.high[:, 1].min() >= 3.5
    assert 2 ** contrast.low[:, 1].max() < 3.5
    assert contrast.thresholds == ("orr", "vgpr_or_better", "cr_or_better")


def test_pooled_effects_enter_only_where_there_is_no_split(inputs, workshop):
    found = family_contrasts(inputs, workshop, FAMILY["response"])
    assert [c.kind for c in of(found, "high_risk_cytogenetics", "car_t")] == ["pooled effect"]
    about_disease = inputs.pooled_effects.effects[0].model_copy(update={"trait": "extramedullary_disease", "id": "x"})
    doubled = replace(inputs, pooled_effects=PooledEffects(effects=(about_disease,)))
    again = family_contrasts(doubled, workshop, FAMILY["response"])
    assert all(c.kind == "split" for c in of(again, "extramedullary_disease", "car_t"))
    assert "x: own splits of this trait and class exist" in again.left_out


def test_a_crude_pooled_effect_has_its_variance_raised(inputs, workshop):
    (crude,) = of(family_contrasts(inputs, workshop, FAMILY["response"]), "high_risk_cytogenetics", "bite")
    effects = tuple(effect.model_copy(update={"crude": False}) for effect in inputs.pooled_effects.effects)
    plain_inputs = replace(inputs, pooled_effects=PooledEffects(effects=effects))
    (plain,) = of(family_contrasts(plain_inputs, workshop, FAMILY["response"]), "high_risk_cytogenetics", "bite")
    assert pytest.approx(crude.covariance[0, 0] / plain.covariance[0, 0]) == 1.5


def test_no_patient_set_is_used_twice_for_a_trait(inputs, workshop):
    overlaps = {study.id: set(study.overlaps_with) for study in inputs.catalogue.studies}
    for family in FAMILIES:
        found = family_contrasts(inputs, workshop, family)
        for trait in MODEL_TRAIT_IDS:
            for class_id in CLASSES:
                sets = {c.patients for c in of(found, trait, class_id)}
                assert not any(overlaps.get(one, set()) & sets for one in sets), (family.id, trait, class_id)
