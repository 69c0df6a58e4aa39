"""Published survival in words, in both languages."""

from __future__ import annotations

import pytest

from bcma_decide import Patient, compare
from bcma_decide.render.words import language, quoted
from bcma_decide.time_course import Comparator, Duration, Survival, SurvivalTime
from tests.render.support import catalogue

ROW = Survival(
    option="cilta-cel",
    endpoint="pfs",
    label="Progression-free survival",
    kind="published",
    origin="randomisation",
    population="extramedullary disease",
    subgroup=("extramedullary disease", "1 to 3 prior lines"),
    setting="interventional",
    times=(SurvivalTime(month=36, mean=0.834, credible=(0.782, 0.874)),),
    median_months=Duration(value=12.6, credible=(1.2, 18.4)),
    n_patients=21,
    follow_up_months=33.6,
    study="CARTITUDE-4",
    comparator=Comparator(
        label="standard care",
        median_months=Duration(value=4.0, credible=(2.8, 8.4)),
        n_patients=18,
        hazard_ratio=0.71,
        hazard_ratio_interval=(0.34, 1.49),
    ),
    sources=("cartitude-4:S32",),
)


def test_a_row_in_one_line():
    expected = (
        "CARTITUDE-4: median 12.6 months (1.2 to 18.4), 83.4 % after 36 months (78.2 to 87.4); "
        "extramedullary disease, 21 patients, trial, followed for 33.6 months, from randomisation; "
        "in common: extramedullary disease, 1 to 3 prior lines; "
        "randomised against standard care: median 4 months (2.8 to 8.4), 18 patients; hazard ratio 0.71 (0.34 to 1.49) "
        "(source: cartitude-4:S32)"
    )
    assert quoted.row_text(ROW) == expected


MEDIANS = {
    "median 1 month": Duration(value=1.0),
    "median 1.4 months": Duration(value=1.4),
    "median not reached": Duration(value=None),
    "median not reached (34.5 to not reached)": Duration(value=None, credible=(34.5, None)),
    "median 37.1 months (26.7 to not reached)": Duration(value=37.1, credible=(26.7, None)),
}


@pytest.mark.parametrize(("expected", "duration"), MEDIANS.items())
def test_a_median(expected, duration):
    assert quoted.median(duration) == expected


def test_an_end_of_a_rate_that_was_not_printed_is_not_called_reached():
    assert quoted.landmark(SurvivalTime(month=30, mean=0.71, credible=(0.588, None))) == (
        "71 % after 30 months (58.8 to not printed)"
    )


NEARNESS = {
    "everybody in the study": {"subgroup": ()},
    "if: 1 to 3 prior lines": {"subgroup": (), "not_settled": ("1 to 3 prior lines",)},
    "in common: R-ISS III": {"subgroup": ("R-ISS III",)},
}


@pytest.mark.parametrize(("expected", "fields"), NEARNESS.items())
def test_how_near_the_group_is(expected, fields):
    assert quoted.nearness(ROW.model_copy(update=fields)) == expected


def test_a_row_of_all_products_is_not_taken_for_one_of_its_own():
    pooled = ROW.model_copy(update={"of_class": True})
    assert quoted.short_text(ROW).startswith("median 12.6 months")
    for text in (quoted.short_text(pooled), quoted.row_text(pooled).removeprefix("CARTITUDE-4: ")):
        assert text.startswith("products of the class pooled: median 12.6 months"), text


def test_rows_of_an_option_and_endpoint_keep_their_order():
    computed = ROW.model_copy(update={"kind": "computed"})
    later = ROW.model_copy(update={"study": "later"})
    alive = ROW.model_copy(update={"endpoint": "os"})
    assert quoted.rows_of((computed, ROW, alive, later), "cilta-cel", "pfs") == (ROW, later)


def test_the_row_in_german():
    with language.speaking("de"):
        assert quoted.figures(ROW) == "Median 12,6 Monate (1,2 bis 18,4), 83,4 % nach 36 Monaten (78,2 bis 87,4)"
        assert quoted.title() == "Veröffentlicht, nicht für diesen Patienten berechnet"
        assert quoted.endpoint_name("dor") == "Dauer des Ansprechens"


def test_every_message_is_translated_into_german():
    german = catalogue.read(catalogue.translations()[0], "de")
    mine = [each for each in german if any(file == "words/quoted.py" for file, _ in each.locations)]
    assert len(mine) > 20
    assert all(language._complete(each.string) for each in mine)


def test_every_row_of_an_answer_can_be_said():
    found = compare(Patient(extramedullary_disease="yes", prior_lines=2))
    for row in (row for row in found.survival if row.kind == "published"):
        said = quoted.row_text(row)
        assert row.study in said
        assert "None" not in said
