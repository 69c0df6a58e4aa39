"""From the evidence to the contrasts of a family: splits, adjusted effects, pooled effects, and what replaces what."""

from dataclasses import replace
from math import log

import numpy as np
import pytest

from bcma_decide.vocabulary import CLASSES, FAMILIES, MODEL_TRAIT_IDS
from bcma_decide.workshop.evidence.assumptions import CorrelationPair, PooledEffects, TraitCorrelations
from bcma_decide.workshop.patient_model.contrasts import family_contrasts
from bcma_decide.workshop.patient_model.preparation import trait_correlation
from bcma_decide.workshop.patient_model.virtual_cohort import tetrachoric
from tests.workshop.patient_model.support import real

FAMILY = {family.id: family for family in FAMILIES}


@pytest.fixture
def inputs():
    return real.inputs()


@pytest.fixture
def workshop():
    return real.workshop()


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


def test_two_cohorts_of_one_protocol_carry_their_extra_variance(inputs, workshop):
    """MajesTEC-1: 21 of 40 with earlier BCMA therapy, 104 of 165 without; sampling variance and 0.16 on top.

    1/21.5 + 1/19.5 + 1/104.5 + 1/61.5 = 0.046512 + 0.051282 + 0.009569 + 0.016260 = 0.123623.
    """
    found = of(family_contrasts(inputs, workshop, FAMILY["response"]), "prior_bcma", "bite", "majestec-1")
    (contrast,) = [c for c in found if c.kind == "split"]
    assert log(21.5 / 19.5) - log(104.5 / 61.5) == pytest.approx(contrast.difference[0])
    assert contrast.covariance[0, 0] == pytest.approx(0.123623 + 0.16, abs=1e-5)


def test_a_published_no_difference_is_a_wide_zero(inputs, workshop):
    """CIBMTR: 251 patients from 70 years, 570 below, response 73 %: 1.5 times the error of these groups, adjusted."""
    found = of(family_contrasts(inputs, workshop, FAMILY["response"]), "age", "car_t", "cibmtr-ide-cel-2025")
    (contrast,) = [c for c in found if c.kind == "no difference"]
    assert contrast.difference.tolist() == [0.0]
    assert pytest.approx(np.sqrt(contrast.covariance[0, 0])) == 1.5 * ((1 / 251 + 1 / 570) / (0.73 * 0.27)) ** 0.5
    assert contrast.high[:, 0].min() >= 7.0
    assert contrast.low[:, 0].max() < 7.0
    assert contrast.rate is None


def test_only_a_pooled_effect_gives_way_to_own_contrasts(inputs, workshop):
    """Whatever family: of the kinds of contrast, another meta-analysis never stands beside one of our own."""
    for family in FAMILIES:
        kinds = {}
        for contrast in real.contrasts(family.id).contrasts:
            kinds.setdefault((contrast.class_index, contrast.trait_index), set()).add(contrast.kind)
        assert not any("pooled effect" in found and len(found) > 1 for found in kinds.values()), family.id


# The correlation of the traits


def pair(**fields):
    return CorrelationPair.model_validate({"a": "frail", "b": "iss_3"} | fields)


TABLE = {"basis": "verified", "study": "x"}


def test_only_tables_without_an_empty_cell_count(inputs):
    column, other = MODEL_TRAIT_IDS.index("frail"), MODEL_TRAIT_IDS.index("iss_3")
    prior = inputs.assumptions.trait_correlations
    for given, counts in (
        (pair(table=((30, 10), (10, 30)), **TABLE), True),
        (pair(table=((30, 10), (0, 30)), **TABLE), False),
        (pair(assumed=0.6, reason="invented"), False),
    ):
        found = trait_correlation(TraitCorrelations(pairs=(given,)), prior)[column, other]
        assert (abs(found) > 0.1) == counts
        assert abs(trait_correlation(TraitCorrelations(pairs=(given,)), prior, assumed=True)[column, other]) > 0.1


def test_one_table_is_shrunk_for_sampling_and_for_other_cohorts(inputs):
    """By hand: half of the patients on either side of both cuts, so r = sin(pi / 2 * (0.75 - 0.25)) = 0.7071.

    Sampling variance (2/30 + 2/10) (0.375 (1 - 0.5))^2 = 0.009375; kept 0.04 / (0.04 + 0.009375 + 0.0225) = 0.5565.
    """
    prior = inputs.assumptions.trait_correlations
    assert (prior.sd.value, prior.between_sd.value) == (0.2, 0.15)
    matrix = trait_correlation(TraitCorrelations(pairs=(pair(table=((30, 10), (10, 30)), **TABLE),)), prior)
    found = matrix[MODEL_TRAIT_IDS.index("frail"), MODEL_TRAIT_IDS.index("iss_3")]
    assert found == pytest.approx(0.3935, abs=2e-4)


def test_what_was_seen_needs_no_repair(inputs):
    """The shrunk tetrachoric correlations stand in the matrix as they are: together they are those of a population."""
    matrix = trait_correlation(inputs.correlations, inputs.assumptions.trait_correlations)
    seen = [p for p in inputs.correlations.pairs if p.table and all(n > 0 for row in p.table for n in row)]
    assert len(seen) >= 5
    for each in seen:
        i, j = MODEL_TRAIT_IDS.index(each.a), MODEL_TRAIT_IDS.index(each.b)
        assert 0.2 < matrix[i, j] / tetrachoric(each.table) < 0.64  # without sampling error 0.04 / 0.0625 would be kept
    assert np.count_nonzero(np.abs(matrix) > 1e-9) == len(MODEL_TRAIT_IDS) + 2 * len(seen)
    assert np.linalg.eigvalsh(matrix)[0] > 0.01


def test_of_overlapping_patients_without_a_difference_the_largest_set_counts(inputs, workshop):
    """The elderly of 13 centres are in the registry's 821 patients too."""
    found = family_contrasts(inputs, workshop, FAMILY["response"])
    assert {"cibmtr-ide-cel-2025"} == {c.patients for c in of(found, "age", "car_t") if c.kind == "no difference"}
    assert any(line.startswith("te115, age: these patients") for line in found.left_out)
