"""What the sheet needs of a comparison: age of the evidence, unstable numbers, the table of studies."""

from datetime import date

import pytest

from bcma_decide import Patient, compare, load_model
from bcma_decide.comparing.compare import evidence_stamp
from bcma_decide.patient.files import load_example
from bcma_decide.vocabulary import CLASSES, OUTCOMES
from tests.support.cases import for_each


@pytest.fixture(scope="module")
def little_known():
    return compare(load_example("little-known-70"), explain=OUTCOMES)


@for_each(
    ("day", "out_of_date"),
    [
        (date(2026, 11, 22), False),
        (date(2027, 11, 21), False),  # one day short of twelve months
        (date(2027, 11, 22), True),
        (date(2030, 1, 1), True),
        (date(2024, 2, 29), False),  # before the evidence
    ],
)
def test_evidence_is_out_of_date_after_twelve_whole_months(day, out_of_date):
    model = load_model()
    assert (model.date, model.assumptions["evidence_months"]) == ("2026-11-22", 12)
    assert evidence_stamp(model, day).out_of_date is out_of_date
    assert compare(Patient(age=70), date=day).evidence.out_of_date is out_of_date


def test_a_number_is_unstable_where_one_unknown_trait_moves_it_by_ten_of_100(little_known):
    moves = [move for unknown in little_known.unknowns for move in unknown.moves]
    assert {move.unstable for move in moves} == {True, False}
    widest_stable = max(move.high - move.low for move in moves if not move.unstable)
    narrowest_unstable = min(move.high - move.low for move in moves if move.unstable)
    assert widest_stable < 0.1 <= narrowest_unstable


def test_nothing_is_unstable_where_everything_is_known():
    known = compare(load_example("fit-58"))
    assert not any(move.unstable for unknown in known.unknowns for move in unknown.moves)


def test_the_table_of_studies_holds_those_of_every_explanation_and_no_other(little_known):
    told = {
        (line.option, line.study, each.outcome)
        for each in little_known.explanations
        for line in each.studies
        if line.option in CLASSES
    }
    listed = {(entry.class_id, entry.study, each) for entry in little_known.studies for each in entry.outcomes}
    assert listed == told


def test_an_estimate_rests_on_as_many_studies_as_the_table_lists_for_it(little_known):
    for outcome in little_known.outcomes:
        for class_id in CLASSES:
            estimate = outcome.estimates[class_id]
            if estimate.state == "estimated":
                behind = [
                    entry
                    for entry in little_known.studies
                    if entry.class_id == class_id and outcome.id in entry.outcomes
                ]
                assert len(behind) == estimate.n_studies, (outcome.id, class_id)


def test_a_study_of_the_table_by_hand(little_known):
    """CARTITUDE-1: 97 infused, 113 collected cells; median follow-up of the last report 33.4 months."""
    (entry,) = (entry for entry in little_known.studies if entry.study == "cartitude-1")
    assert (entry.class_id, entry.design, entry.n, entry.follow_up_months) == ("car_t", "interventional", 113, 33.4)
    keys = {reference.key for reference in little_known.references}
    assert {key for each in little_known.studies for key in each.sources} <= keys


def test_studies_are_there_without_any_explanation(little_known):
    assert compare(load_example("little-known-70")).studies == little_known.studies
