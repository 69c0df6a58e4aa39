"""The parts beside the arm totals: own data, contrasts, later studies, sensitivity, history."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bcma_decide.errors import EvidenceError
from bcma_decide.pooled.location import evidence_directory
from bcma_decide.vocabulary import FAMILY_OF, OUTCOMES
from bcma_decide.workshop.evidence.totals import SelectedRow
from bcma_decide.workshop.patient_model.inputs import load_inputs
from bcma_decide.workshop.validation.held_out import gather, held_out_cells
from bcma_decide.workshop.validation.held_out_contrasts import contrast_sets, predict_contrasts
from bcma_decide.workshop.validation.history import FILE, load_history
from bcma_decide.workshop.validation.leave_one_out import shared_fits
from bcma_decide.workshop.validation.own_data import FEWEST_PATIENTS, agree, own_data, own_rate
from bcma_decide.workshop.validation.sensitivity import moved, scaled_priors
from bcma_decide.workshop.validation.temporal import predict_later, search_date
from tests.support.cases import for_each
from tests.workshop.patient_model.support.rows import selected


@cache
def evidence():
    return gather(load_inputs(evidence_directory()))


def arm(study: str, events: int, n: int) -> SelectedRow:
    return selected(study, "orr", events, n, class_id="bite", products=("teclistamab",))


@for_each(
    "own, predicted, agrees",
    [
        (0.50, 0.54, True),
        (0.50, 0.56, False),  # six points
        (0.10, 0.06, False),  # four points, but (0.10 / 0.90) / (0.06 / 0.94) = 1.74
        (0.10, 0.08, True),  # 1.28
        (0.99, 0.98, False),  # one point, but 99 / 49 = 2.02
    ],
)
def test_two_rates_agree_within_five_points_and_a_factor_of_one_and_a_half(own, predicted, agrees):
    assert agree(own, predicted) is agrees
    assert agree(predicted, own) is agrees


def test_the_own_rate_of_one_study_is_its_rate():
    """30 of 60: one half, and a 95 % interval of +-1.96 sqrt(1/30 + 1/30) = 0.506 log odds: 0.376 to 0.624."""
    assert own_rate([arm("a", 30, 60)]) == pytest.approx((0.5, 0.376, 0.624), abs=5e-4)


def test_the_own_rate_of_studies_that_differ_is_an_average_over_centres():
    """10 and 1 of 100 pool at log odds near -3.4; the average over such centres is more than the middle one."""
    rows = [arm("a", 1, 100), arm("b", 30, 100), arm("c", 2, 100), arm("d", 22, 100)]
    rate, low, high = own_rate(rows)
    middle = 1 / (1 + np.exp(-np.mean([np.log(r.events / (r.n - r.events)) for r in rows])))
    assert low < rate < high
    assert rate > 1.1 * middle


def test_own_data_names_the_rows_and_holds_only_products_with_enough_patients():
    found = own_data(evidence(), "icans_any")
    assert found
    for check in found:
        assert check.patients >= FEWEST_PATIENTS
        assert check.patients == sum(row.n for row in check.rows)
        pulls = [abs(row.events - row.n * row.predicted) for row in check.rows]
        assert pulls == sorted(pulls, reverse=True)
        assert check.agrees is agree(check.own, check.predicted)


def test_a_cell_is_predicted_without_its_study_and_all_that_belongs_to_it():
    for _, row, rest in held_out_cells(evidence()):
        mates = evidence().together[row.study]
        assert row.study in mates
        assert not {other.study for other in rest} & mates
        assert {other.class_id for other in rest} == {row.class_id}


def test_every_cell_is_in_one_piece_of_work():
    cells = held_out_cells(evidence())
    places = [place for group in shared_fits(evidence(), OUTCOMES) for place in group]
    assert sorted(places) == list(range(len(cells)))
    for group in shared_fits(evidence(), OUTCOMES):
        assert len({FAMILY_OF[cells[place][0]].id for place in group}) == 1


def test_a_contrast_does_not_predict_itself():
    """A contrast made ten times as large is predicted the same: it is not among those it is predicted from."""
    family, patients = next(each for each in contrast_sets(evidence()) if each[0] == "crs")
    [first, *_] = predict_contrasts(evidence(), family, patients)
    whole = evidence().contrasts
    changed = tuple(
        replace(c, difference=10.0 * c.difference) if c.patients == patients else c for c in whole[family].contrasts
    )
    other = replace(evidence(), contrasts={**whole, family: replace(whole[family], contrasts=changed)})
    [second, *_] = predict_contrasts(other, family, patients)
    assert second.predicted == first.predicted
    assert second.observed == pytest.approx([10 * value for value in first.observed], abs=1e-4)
    assert second.squared_error > first.squared_error


def test_later_studies_do_not_speak_when_later_studies_are_predicted():
    """All their counts set to nought: what is predicted of them stays."""
    assert search_date(evidence().inputs.catalogue) == "2024-10-02"
    studies = evidence().inputs.studies
    emptied = {
        outcome: tuple(row if studies[row.study].search_window else replace(row, events=0) for row in rows)
        for outcome, rows in evidence().rows.items()
    }
    family = FAMILY_OF["infection_any"]
    first, second = predict_later(evidence(), family), predict_later(replace(evidence(), rows=emptied), family)
    assert first
    assert any(row.events for row in first)
    assert {row.events for row in second} == {0}
    assert {studies[row.study].search_window for row in first} == {False}
    for one, other in zip(first, second, strict=True):
        for name, said in one.predicted.items():
            assert other.predicted[name].mean == said.mean


def test_scaled_priors_scale_every_spread_but_the_flat_one():
    stated = evidence().inputs.assumptions
    doubled = scaled_priors(stated, 2.0)
    assert doubled.priors.study_sd_scale.value == 2 * stated.priors.study_sd_scale.value
    assert doubled.priors.near_row_sd.value == 2 * stated.priors.near_row_sd.value
    assert doubled.priors.intercept_sd == stated.priors.intercept_sd
    assert doubled.priors.near_offset_mean == stated.priors.near_offset_mean
    assert [g.scale for g in doubled.trait_effects.groups] == [2 * g.scale for g in stated.trait_effects.groups]
    assert scaled_priors(doubled, 0.5) == stated


def test_moves_by_hand():
    """0.50 to 0.56 and 0.20 to 0.18: mean 4 points, largest 6, one over five points; the third number is lost."""
    shipped = {("a", "orr", "x"): 0.50, ("a", "orr", "y"): 0.20, ("a", "orr", "z"): 0.9}
    found = moved(shipped, {("a", "orr", "x"): 0.56, ("a", "orr", "y"): 0.18}, "another prior")
    assert (found.mean_move, found.largest_move) == pytest.approx((0.04, 0.06))
    assert (found.numbers, found.over_five_points, found.lost) == (2, 1, 1)
    assert found.largest_at == "orr, x, a"


def test_the_shipped_history_begins_with_the_first_version_on_both_evidences():
    history = load_history(evidence_directory())
    first, second, *rest = history.totals
    assert {first.verdict, second.verdict} == {"reference"}
    assert (first.obtained, second.obtained) == ("run", "run")
    assert {each.verdict for each in rest} >= {"kept", "not kept"}


def test_a_history_without_a_verdict_is_refused(tmp_path):
    (tmp_path / FILE).write_text("totals:\n  - {variant: one, obtained: run, date: '2026-11-29'}\ncontrasts: []\n")
    with pytest.raises(EvidenceError, match="verdict"):
        load_history(tmp_path)
