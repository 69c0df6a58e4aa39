"""Which traits act, in which class, and that every family settles under other priors."""

from dataclasses import replace

import numpy as np
import pytest

from bcma_decide.vocabulary import CLASSES, FAMILIES, MODEL_TRAIT_IDS
from bcma_decide.workshop.patient_model.family_fit import acting_traits, fit_family, trait_prior
from bcma_decide.workshop.patient_model.trait_effects import TraitEffects, fit_trait_effects
from bcma_decide.workshop.validation.sensitivity import scaled_priors
from tests.support.cases import for_each
from tests.workshop.patient_model.support.real import FAMILY, contrasts, effects, inputs, workshop

DISEASE = ("extramedullary_disease", "high_risk_cytogenetics", "prior_bcma")
COLUMN = {trait: number for number, trait in enumerate(MODEL_TRAIT_IDS)}


def test_a_trait_acts_from_a_third_of_the_information_that_halves_its_prior_variance():
    """s_b 0.8 and s_d 0.6: variance 1, so information must exceed 1/3; and a contrast of the class must exist."""
    found = TraitEffects(
        mean=np.zeros((2, 3)),
        covariance=np.eye(6),
        seen=np.array([[True, True, False], [True, False, False]]),
        trait_sd=np.full(3, 0.8),
        class_difference_sd=0.6,
        contrast_sd=0.2,
        information=np.array([[0.34, 0.33, 9.0], [0.333, 9.0, 0.0]]),
    )
    assert acting_traits(found, 1 / 3).tolist() == [[True, False, False], [False, False, False]]


def test_shared_traits_act_in_both_classes_or_in_neither():
    for family in ("response", "apheresed_not_infused"):
        acting = effects(family).acting
        for trait in DISEASE:
            allowed = acting[: len(FAMILY[family].classes), COLUMN[trait]]
            assert len(set(allowed.tolist())) == 1, (family, trait)


def test_age_lines_and_fitness_are_never_borrowed():
    """They act in a class only where contrasts of that class were published."""
    for family in FAMILIES:
        found = effects(family.id)
        for trait in ("age", "prior_lines", "frail", "ecog_ge_2", "renal_impairment"):
            column = COLUMN[trait]
            assert not (found.acting & ~found.every.seen)[:, column].any(), (family.id, trait)


def test_what_does_not_act_has_no_effect_and_no_uncertainty():
    for family in FAMILIES:
        found = effects(family.id)
        still = ~found.acting
        assert not found.mean[still].any()
        assert not found.covariance[still.ravel()].any()
        assert (np.diag(found.covariance)[~still.ravel()] > 0).all()


def test_a_class_that_does_not_have_the_outcome_has_no_effects():
    assert not effects("apheresed_not_infused").acting[CLASSES.index("bite")].any()


def test_effects_of_the_disease_lower_the_response_in_both_classes():
    """As every published contrast that is large does: MajesTEC-1 10/28 with extramedullary disease, 94/137 without."""
    found = effects("response")
    for trait in DISEASE:
        assert (found.mean[:, COLUMN[trait]] < -0.2).all(), trait


def settles(family, factor):
    found = fit_family(
        scaled_priors(inputs().assumptions, factor), workshop(), FAMILY[family], contrasts(family).contrasts
    )
    assert np.isfinite(found.mean).all(), family
    assert np.abs(found.mean).max() < 3, family
    assert np.linalg.eigvalsh(found.covariance)[0] > -1e-9, family


@for_each("factor", [0.5, 2.0])
@for_each("family", [family.id for family in FAMILIES if family.id != "response"])
def test_every_family_settles_under_halved_and_doubled_priors(family, factor):
    """Whole Gauss-Newton steps swung between two values under ICANS; damped ones do not."""
    settles(family, factor)


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_response_settles_under_halved_and_doubled_priors(factor):
    settles("response", factor)


def test_where_it_settles_does_not_depend_on_the_order_of_the_contrasts():
    rows = contrasts("icans").contrasts
    prior = trait_prior(inputs().assumptions, "icans")
    first, second = (
        fit_trait_effects(r, len(MODEL_TRAIT_IDS), len(CLASSES), workshop().correlation, prior)
        for r in (rows, rows[::-1])
    )
    assert first.mean == pytest.approx(second.mean, abs=1e-6)


def test_every_trait_belongs_to_one_group_of_its_family():
    for family in FAMILIES:
        prior = trait_prior(inputs().assumptions, family.id)
        assert sum(group.astype(int) for _, group in prior.groups).tolist() == [1] * len(MODEL_TRAIT_IDS)
        assert not prior.shared.any() or family.id in ("response", "apheresed_not_infused")


def test_more_contrasts_of_a_trait_can_switch_it_on_and_none_leave_it_off():
    """The ICANS contrast of one trait ten times over carries ten times its information."""
    rows = [c for c in contrasts("icans").contrasts if c.class_index == 0]
    assert rows
    one = rows[0]
    assumptions = inputs().assumptions
    many = [replace(one, patients=f"{one.patients} {number}") for number in range(60)]
    found = fit_family(assumptions, workshop(), FAMILY["icans"], many)
    assert found.acting[0, one.trait_index]
    assert not fit_family(assumptions, workshop(), FAMILY["icans"], []).acting.any()
