"""The first screen: every number is one of the comparison, every place is kept, nothing is cut."""

from __future__ import annotations

import re
from datetime import date

import pytest

from bcma_decide import Patient, compare
from bcma_decide.patient.files import example_names, load_example
from bcma_decide.render.words import wording
from bcma_decide.render.words.first_screen import first_screen, folded

ROWS = ["label", "orr", "cr_or_better", "pfs", "published_pfs", "crs_g3plus", "icans_any", "icans_g3plus",
        "delayed_neurotoxicity", "infection_g3plus", "treatment_related_death", "infused", "start"]  # fmt: skip
EARLY = Patient(age=55, prior_lines=1, refractory_to="lenalidomide", exposed_to="daratumumab, bortezomib", ecog=0)
AFTER_BISPECIFIC = Patient(
    age=61, prior_lines=5, refractory_to="lenalidomide, daratumumab, bortezomib, teclistamab",
    prior_bcma_courses="bispecific:2",
)  # fmt: skip


def cells(screen, row):
    return next(each for each in screen.rows if each.id == row).cells


def places(screen):
    return {column.option: place for place, column in enumerate(screen.columns)}


@pytest.mark.parametrize("name", example_names())
def test_every_row_stands_and_every_computed_cell_is_the_number_of_the_comparison(name):
    comparison = compare(load_example(name))
    screen = first_screen(comparison)
    assert [row.id for row in screen.rows] == [row for row in ROWS if row in {each.id for each in screen.rows}]
    assert {row.id for row in screen.rows} >= set(ROWS) - {"published_pfs"}
    outcomes = {outcome.id: outcome for outcome in comparison.outcomes}
    for row in screen.rows:
        for column, cell in zip(screen.columns, row.cells, strict=True):
            if row.id in outcomes and column.kind == "product" and cell.kind == "computed":
                estimate = outcomes[row.id].estimates[column.option]
                assert (cell.mean, (cell.low, cell.high)) == (estimate.mean, estimate.credible)
                assert cell.number == wording.short_count(estimate.mean)
                low, high = map(wording.short_count, estimate.credible)
                assert re.fullmatch(rf"{cell.number} ?\({low}-{high}\)\*?", cell.text)


@pytest.mark.parametrize("name", example_names())
def test_labels_fit_their_room(name):
    screen = first_screen(compare(load_example(name)))
    assert all(len(row.label) <= 19 for row in screen.rows)
    assert all(len(cell.text) <= 11 for row in screen.rows for cell in row.cells)
    assert all(len(column.label) <= 11 for column in screen.columns)


def test_an_early_line_has_the_labelled_regimen_as_published_and_folds_what_is_not_on_label():
    screen = first_screen(compare(EARLY))
    kept, line = folded(screen, 5)
    assert [screen.columns[place].option for place in kept] == ["cilta-cel", "teclistamab-daratumumab"]
    assert screen.columns[kept[1]].kind == "published"
    # MajesTEC-3: 259 of 291 responded, 83.4 % without progression at 36 months
    assert cells(screen, "orr")[kept[1]].text == "[89]"
    assert cells(screen, "pfs")[kept[1]].text == "[83] 36mo"
    assert all(name in line for name in ("ide-cel", "teclistamab", "elranatamab", "linvoseltamab"))
    assert line.startswith("Not on label")


def test_a_number_that_is_withheld_shows_what_was_published_or_that_it_is_withheld():
    screen = first_screen(compare(AFTER_BISPECIFIC))
    at = places(screen)["elranatamab"]
    # one centre: response to a second bispecific antibody in 33 %
    assert (cells(screen, "orr")[at].kind, cells(screen, "orr")[at].text) == ("published", "[33]")
    assert cells(screen, "cr_or_better")[at].kind == "withheld"


def test_the_columns_are_the_products_of_the_region():
    china = first_screen(compare(Patient(age=64, prior_lines=3), region="China"))
    offered = {column.option for column in china.columns}
    assert "ide-cel" not in offered  # no label in China
    assert {"eque-cel", "zevor-cel"} <= offered
    assert [column.class_id for column in china.columns] == sorted(
        (column.class_id for column in china.columns), key=("car_t", "bite").index
    )


def test_the_strip_marks_what_is_not_known():
    strip = first_screen(compare(Patient(age=70, prior_lines=1))).patient
    assert strip == "70 y, 1 line, EMD ?, risk ?, refractory ?, BCMA ?"


def test_an_age_beyond_all_studies_leaves_no_number():
    screen = first_screen(compare(Patient(age=95)))
    assert {cell.kind for cell in cells(screen, "orr")} == {"withheld"}
    assert screen.certainty == "No number can be given for this patient."
    assert screen.tell_apart == ()


def test_from_the_decision_the_first_number_is_the_lower_one():
    infusion, decision = (
        first_screen(compare(Patient(age=70, prior_lines=4), clock=clock)) for clock in ("infusion", "decision")
    )
    at = places(infusion)
    for row in ("orr", "pfs"):
        assert cells(decision, row)[at["cilta-cel"]].mean < cells(infusion, row)[at["cilta-cel"]].mean
        assert cells(decision, row)[at["teclistamab"]] == cells(infusion, row)[at["teclistamab"]]


def test_the_difference_is_of_the_pair_that_was_asked_for():
    screen = first_screen(compare(Patient(age=70, prior_lines=4), pair=("cilta-cel", "teclistamab")))
    assert screen.difference_title == "Cilta-cel minus Teclistamab"
    found = compare(Patient(age=70, prior_lines=4), pair=("cilta-cel", "teclistamab")).pair.contrasts["orr"]
    expected = wording.signed(found.risk_difference.mean)
    assert dict(zip([row.id for row in screen.rows], screen.differences, strict=True))["orr"].startswith(expected)


def test_a_day_and_a_region_stand_on_it():
    screen = first_screen(compare(Patient(age=70), region="EU", date=date(2026, 11, 25)))
    assert screen.region_and_day == "EU, 2026-11-25"
