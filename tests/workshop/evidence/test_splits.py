"""Contrasts inside studies: printed pairs, subtraction from the arm total, overlap."""

from __future__ import annotations

import pytest

from bcma_decide.errors import EvidenceError
from bcma_decide.vocabulary import FAMILIES, MODEL_TRAIT_IDS
from bcma_decide.workshop.evidence.catalogue import load_catalogue
from bcma_decide.workshop.evidence.selection import LevelBounds, select_splits
from tests.workshop.evidence.support.factory import catalogue, row, split, study

EMD = "extramedullary_disease"


def contrasts(*studies, family="response", **options):
    return select_splits(catalogue(*studies), family, **options).contrasts


def counts(contrast):
    return (contrast.high_events, contrast.high_n, contrast.low_events, contrast.low_n)


def reason_for(*studies, family="response"):
    selection = select_splits(catalogue(*studies), family)
    assert selection.contrasts == ()
    return {left.reason for left in selection.left_out}


def present(events, n, **fields):
    return split(EMD, "present", events, n, group="present", **fields)


def absent(events, n, **fields):
    return split(EMD, "absent", events, n, group="absent", **fields)


def test_two_printed_levels_are_a_contrast():
    (found,) = contrasts(study(outcomes=[], splits=[absent(94, 137), present(10, 28)]))
    assert counts(found) == (10, 28, 94, 137)
    assert not found.completed
    assert found.basis == "verified"


def test_the_missing_level_is_the_arm_total_minus_the_other():
    """30 of 50 respond, 8 of 20 with the trait: 22 of 30 without it."""
    (found,) = contrasts(study(outcomes=[row(events=30, n=50)], splits=[present(8, 20)]))
    assert counts(found) == (8, 20, 22, 30)
    assert found.completed
    assert found.basis == "derived"


def test_the_missing_level_may_be_the_one_with_the_trait():
    (found,) = contrasts(study(outcomes=[row(events=30, n=50)], splits=[absent(22, 30)]))
    assert counts(found) == (8, 20, 22, 30)


def test_a_numeric_cut_keeps_its_bounds():
    splits = [split("age", ">=70", 20, 25, at_least=70), split("age", "<70", 40, 60, below=70)]
    (found,) = contrasts(study(outcomes=[], splits=splits))
    assert counts(found) == (20, 25, 40, 60)
    assert (LevelBounds(at_least=70), LevelBounds(below=70)) == (found.high_bounds, found.low_bounds)


def test_a_numeric_level_is_completed_on_its_other_side():
    (found,) = contrasts(study(outcomes=[row()], splits=[split("prior_lines", "<=3", 14, 20, below=4)]))
    assert counts(found) == (16, 30, 14, 20)
    assert (LevelBounds(at_least=4), LevelBounds(below=4)) == (found.high_bounds, found.low_bounds)


def test_adjacent_levels_need_not_cover_the_lowest_values():
    splits = [split("prior_lines", "3", 11, 15, at_least=3, below=4), split("prior_lines", ">=4", 82, 112, at_least=4)]
    (found,) = contrasts(study(outcomes=[], splits=splits))
    assert LevelBounds(at_least=3, below=4) == found.low_bounds


def test_of_several_cuts_the_one_with_more_thresholds_and_larger_groups_is_used():
    splits = [
        split("age", ">=65", 20, 30, at_least=65),
        split("age", ">=75", 6, 10, at_least=75),
        split("age", ">=65", 5, 30, "cr_or_better", at_least=65),
    ]
    one = study(outcomes=[row(), row("cr_or_better", 10, 50)], splits=splits)
    selection = select_splits(catalogue(one), "response")
    assert [c.outcome for c in selection.contrasts] == ["orr", "cr_or_better"]
    assert {65} == {c.high_bounds.at_least for c in selection.contrasts}
    assert {s.level: s.reason for s in selection.left_out} == {">=75": "another cut of the same patients is used"}


def test_the_level_that_is_the_whole_arm_has_no_counterpart():
    assert {"no counterpart, and the level is the whole arm"} == reason_for(study(splits=[present(30, 50)]))


def test_no_total_no_counterpart():
    assert {"no counterpart, and no arm total to subtract from"} == reason_for(
        study(outcomes=[], splits=[present(8, 20)])
    )


def test_a_recalled_total_is_not_subtracted_from():
    one = study(outcomes=[row(basis="recalled")], splits=[present(8, 20)])
    assert {"no counterpart, and the arm total is unusable: the figure is recalled, not verified"} == reason_for(one)
    assert len(contrasts(one, include_unverified=True)) == 1


def test_a_total_of_other_patients_is_not_subtracted_from():
    assert {"no counterpart, and the arm total and the level do not count the same patients"} == reason_for(
        study(outcomes=[row(events=5, n=50)], splits=[present(8, 20)])
    )


def test_a_total_of_another_data_cut_is_not_subtracted_from():
    one = study(outcomes=[row()], splits=[present(8, 20, follow_up_months=30.4)], median_follow_up_months=14.1)
    assert {"no counterpart, and the arm total is of another data cut"} == reason_for(one)


def test_patients_in_whom_the_trait_is_unknown_are_not_counted_as_without_it():
    known = {EMD: {"n": 20, "of": 44, "basis": "verified", "source": "S1"}}
    one = study(outcomes=[row()], splits=[present(8, 20)], population=known)
    assert {"no counterpart, and the trait is known in 44 of 50 patients only"} == reason_for(one)


def test_a_level_bounded_on_both_sides_cannot_be_completed():
    one = study(splits=[split("age", "65-75", 8, 20, at_least=65, below=75)])
    assert {"the level is bounded on both sides, so the rest is not one group"} == reason_for(one)


def test_traits_the_model_does_not_know_are_listed():
    assert {"not a trait of the model"} == reason_for(study(splits=[split("race", "Black", 8, 20)]))


def test_recalled_levels_are_left_out():
    one = study(outcomes=[], splits=[present(8, 20, basis="recalled"), absent(22, 30, basis="recalled")])
    assert {"the figure is recalled, not verified"} == reason_for(one)
    (found,) = contrasts(one, include_unverified=True)
    assert found.basis == "recalled"


def test_sets_kept_for_their_splits_are_used_and_others_not():
    pair = [present(8, 20), absent(22, 30)]
    kept = {"role": "splits_only", "reason": "contained in a larger set"}
    assert len(contrasts(study(pooling=kept, splits=pair))) == 1
    assert {"context: nothing seen"} == reason_for(
        study(pooling={"role": "context", "reason": "nothing seen"}, splits=pair)
    )
    assert {"the set mixes BCMA with other targets"} == reason_for(study(mixed_targets=True, splits=pair))


def test_overlapping_sets_give_one_contrast_per_trait_and_family():
    large = study("large", outcomes=[], splits=[present(8, 40), absent(30, 60)], overlaps_with=["small"])
    small = study(
        "small",
        outcomes=[],
        splits=[
            present(2, 10),
            absent(5, 10),
            split("frail", "yes", 2, 9, group="present"),
            split("frail", "no", 5, 11, group="absent"),
        ],
        overlaps_with=["large"],
    )
    found = contrasts(large, small)
    assert [(c.trait, c.study) for c in found] == [(EMD, "large"), ("frail", "small")]


def test_an_unknown_family_is_an_error():
    with pytest.raises(EvidenceError, match="no family 'orr'; there are response, crs"):
        select_splits(catalogue(study()), "orr")


# the real evidence


@pytest.fixture(scope="module")
def real():
    return load_catalogue()


def test_every_real_contrast_is_whole_and_verified(real):
    for family in FAMILIES:
        for c in select_splits(real, family.id).contrasts:
            assert c.trait in MODEL_TRAIT_IDS
            assert c.basis != "recalled"
            assert 0 <= c.high_events <= c.high_n
            assert 0 <= c.low_events <= c.low_n
            assert c.high_n > 0
            assert c.low_n > 0


def test_the_consortium_subgroups_are_used_though_their_rate_is_not(real):
    found = {(c.study, c.trait) for c in select_splits(real, "response").contrasts}
    assert {("us-mmic-tec-385", t) for t in (EMD, "prior_bcma", "age")} <= found


def test_true_extramedullary_disease_is_compared_with_none(real):
    """Paraskeletal plasmacytomas (33 patients) are in neither group."""
    (found,) = [c for c in select_splits(real, "response").contrasts if (c.study, c.trait) == ("us-mmic-tec-385", EMD)]
    assert counts(found) == (41, 109, 152, 243)


def test_one_ide_cel_consortium_set_speaks_for_extramedullary_disease(real):
    studies = {c.study for c in select_splits(real, "response").contrasts if c.trait == EMD}
    assert "us-mmic-ide-cel-emd-2024" in studies
    assert "dima-emd-cart-2024" not in studies


def test_every_split_of_a_family_is_in_or_out(real):
    for family in FAMILIES:
        selection = select_splits(real, family.id)
        thresholds = {t.id for t in family.thresholds}
        expected = {(s.id, x.trait) for s in real.studies for x in s.splits if x.primary and x.outcome in thresholds}
        seen = {(c.study, c.trait) for c in selection.contrasts} | {(s.study, s.trait) for s in selection.left_out}
        assert expected == seen
