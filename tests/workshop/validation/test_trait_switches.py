"""What would switch a trait on: the information rule turned into studies and patients."""

from __future__ import annotations

import pytest

from bcma_decide.pooled.location import evidence_directory
from bcma_decide.vocabulary import CLASSES, FAMILIES, MODEL_TRAIT_IDS
from bcma_decide.workshop.patient_model.inputs import load_inputs
from bcma_decide.workshop.validation.trait_switches import nearest, studies_needed, trait_switches


@pytest.fixture(scope="module")
def found():
    return trait_switches(load_inputs(evidence_directory()))


def test_patients_of_a_balanced_split_by_hand():
    """Without a spread between studies 1 of information at a rate of one half takes 16 patients: 4 / (16 / 4) = 1."""
    assert studies_needed(1.0, 0.5, 0.0) == (1, 16)
    assert studies_needed(1.0, 0.1, 0.0) == (1, 46)  # 4 / (0.09 n) = 1: 44.4, in two equal groups of whole patients


def test_the_patients_carry_what_is_missing_and_two_fewer_do_not():
    for missing, rate, spread in ((0.2, 0.7, 0.25), (5.0, 0.3, 0.6), (8.0, 0.05, 0.6)):
        studies, patients = studies_needed(missing, rate, spread)

        def carried(n, studies=studies, rate=rate, spread=spread):
            return studies / (4.0 / (n * rate * (1.0 - rate)) + spread**2)

        assert carried(patients) >= missing - 1e-12 > carried(patients - 2)


def test_a_spread_between_studies_asks_for_more_studies_not_for_larger_ones():
    """One study of endless patients carries 1 / 0.36 at most; of half of that, 5 of information takes four."""
    assert studies_needed(5.0, 0.5, 0.6)[0] == 4


def test_every_trait_acts_or_says_what_it_lacks(found):
    off = {(switch.family, switch.class_id, switch.trait) for switch in found.off}
    for family in FAMILIES:
        for class_id in CLASSES:
            if class_id in family.classes:
                for trait in MODEL_TRAIT_IDS:
                    acts = trait in found.acting[family.id, class_id]
                    assert acts is ((family.id, class_id, trait) not in off)
    assert all(switch.missing > 0 for switch in found.off)


def test_the_acting_traits_are_those_of_the_pooled_file(found):
    from bcma_decide import load_model

    shipped = load_model()
    for (family, class_id), traits in found.acting.items():
        used = shipped.used[shipped.family_index[family], CLASSES.index(class_id)]
        assert traits == tuple(t for t, acts in zip(MODEL_TRAIT_IDS, used, strict=True) if acts)


def test_wider_priors_let_no_fewer_traits_act(found):
    """A wider prior is overcome by less information."""
    for place, traits in found.acting.items():
        assert set(found.halved[place]) <= set(traits) | set(found.doubled[place])
        assert set(traits) <= set(found.doubled[place])


def test_the_nearest_of_each_family_and_class_comes_once(found):
    places = [(switch.family, switch.class_id) for switch in nearest(found.off)]
    assert len(places) == len(set(places))
    assert set(places) <= set(found.acting)
