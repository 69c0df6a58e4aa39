"""The difference of the classes in progression-free survival is that of the rows; without one of them there is none."""

from __future__ import annotations

import pytest

from bcma_decide import Patient, compare
from bcma_decide.comparing.compare import load_pooled
from bcma_decide.comparing.survival import computed_survival, sides_at_one_year, survival_contrast, survival_moves
from bcma_decide.facts.traits import derive
from bcma_decide.model.numbers import patient_numbers
from bcma_decide.model.survival import survival_curves
from bcma_decide.patient.files import example_names, load_example


def at_one_year(comparison, option):
    (row,) = (row for row in comparison.survival if row.kind == "computed" and row.option == option)
    return next(time.mean for time in row.times if time.month == 12)


@pytest.mark.parametrize("name", example_names())
def test_it_is_the_difference_of_the_two_rows_and_the_bias_term_widens_it(name):
    comparison = compare(load_example(name), name=name)
    found = comparison.survival_contrast
    apart = at_one_year(comparison, "car_t") - at_one_year(comparison, "bite")
    assert found.risk_difference.mean == pytest.approx(apart, abs=2e-6)
    bare = found.without_bias_term.risk_difference
    assert bare.mean == pytest.approx(apart, abs=2e-6)
    (low, high), (inner_low, inner_high) = found.risk_difference.interval, bare.interval
    assert low < inner_low < apart < inner_high < high
    assert (found.probability_first_higher > 0.5) == (found.tipping_point_log_or > 0.0)


def test_without_a_share_at_one_year_there_is_none():
    pooled = load_pooled()
    numbers = patient_numbers(pooled, derive(Patient(age=70), pooled.definitions), "real_world")
    curves = survival_curves(numbers)
    rows = computed_survival(numbers, curves, {}, {}, survival_moves(numbers, curves, {}))
    assert survival_contrast(numbers, sides_at_one_year(numbers, rows), rows) is not None
    short = [row.model_copy(update={"times": row.times[:1]}) if row.option == "bite" else row for row in rows]
    without = [row for row in rows if row.option != "car_t"]
    for left in (short, without):
        assert survival_contrast(numbers, sides_at_one_year(numbers, left), left) is None
