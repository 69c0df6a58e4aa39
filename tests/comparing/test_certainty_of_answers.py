"""Certainty over the answers for all shipped example patients: it tells rows apart, and is not blind to narrow ones."""

from __future__ import annotations

from collections import Counter
from functools import cache

from bcma_decide import compare, load_model
from bcma_decide.patient.files import example_names, load_example
from bcma_decide.vocabulary import CLASSES, FAMILY_OF


@cache
def rows():
    """(example, outcome, option, estimate) of every number."""
    return [
        (name, outcome.id, option, estimate)
        for name in example_names()
        for outcome in compare(load_example(name), name=name).outcomes
        for option, estimate in outcome.estimates.items()
        if estimate.state == "estimated"
    ]


def test_no_rating_holds_more_than_two_thirds_of_the_rows():
    counts = Counter(estimate.certainty for _, _, _, estimate in rows())
    assert max(counts.values()) <= 2 / 3 * sum(counts.values())
    assert {"very low", "low", "moderate"} <= counts.keys()


def test_a_narrow_row_of_directly_applicable_evidence_is_not_very_low():
    """Narrow for the average and for the next centre: the kind whose error in studies left out is small."""
    for name, outcome, option, estimate in rows():
        width, following = (ends[1] - ends[0] for ends in (estimate.credible, estimate.prediction))
        if width <= 0.15 and following <= 0.25 and not any("indirectness" in each for each in estimate.reasons):
            assert estimate.certainty != "very low", (name, outcome, option)


def test_an_unknown_trait_lowers_only_what_it_could_move_by_ten_of_100():
    """Toxicity that no trait moves is as certain for a patient of whom little is known."""
    for name, outcome, _, estimate in rows():
        if estimate.same_for_every_patient:
            assert not any("unknown" in reason for reason in estimate.reasons), (name, outcome)


def test_same_for_every_patient_means_what_it_says():
    used = load_model().used
    for _, outcome, option, estimate in rows():
        class_id = next(each.class_id for each in load_model().options if each.id == option)
        acting = used[load_model().family_index[FAMILY_OF[outcome].id], CLASSES.index(class_id)]
        assert estimate.same_for_every_patient is not bool(acting.any())
    numbers = {}
    for _, outcome, option, estimate in rows():
        if estimate.same_for_every_patient and not estimate.outside_evidence:
            numbers.setdefault((outcome, option), set()).add(round(estimate.mean, 4))
    assert numbers
    assert all(len(values) == 1 for values in numbers.values())


def test_what_lies_outside_the_evidence_is_marked_only_where_it_bears_on_the_number():
    """Stage III of R-ISS acts nowhere: that few studies report it marks no row."""
    for _, outcome, _, estimate in rows():
        if estimate.same_for_every_patient and outcome.startswith(("crs", "infection", "neutropenia")):
            assert not any("R-ISS" in reason for reason in estimate.outside_evidence)
