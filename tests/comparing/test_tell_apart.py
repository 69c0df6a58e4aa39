"""The sentence on what the data can tell apart agrees with the contrasts it is made of."""

from __future__ import annotations

import pytest

from bcma_decide import Patient, compare
from bcma_decide.comparing.tell_apart import tell_apart
from bcma_decide.patient.files import example_names, load_example
from tests.render.support import factory


@pytest.mark.parametrize("name", example_names())
def test_an_outcome_stands_where_its_interval_puts_it(name):
    found = compare(load_example(name), name=name)
    apart, _, rest = found.tell_apart.partition("; they do not for ")
    alike = rest.partition(";")[0]
    said = {"crs_any": "CRS of any grade", "neutropenia_g3plus": "neutropenia of grade 3 or higher"}
    for outcome in found.outcomes:
        if outcome.id in said:
            low, high = outcome.contrast.risk_difference.interval
            assert said[outcome.id] in (apart if low > 0 or high < 0 else alike)
    assert found.tell_apart.endswith(".")
    assert "infusion not reached" not in found.tell_apart
    assert all(word not in found.tell_apart for word in ("best", "recommend", "should", "safe"))


def outcome(name, interval):
    estimate = factory.estimate(0.5, 0.4)
    contrast = None if interval is None else factory.contrast(sum(interval) / 2, interval, 0.5)
    return factory.outcome(name, estimate, estimate, contrast)


def test_two_verdicts_make_two_parts_and_too_few_data_none():
    found = [
        outcome("orr", (0.1, 0.3)),
        outcome("crs_any", (-0.1, 0.3)),
        outcome("crs_g3plus", (-0.3, -0.1)),
        outcome("infection_g3plus", None),
    ]
    assert tell_apart(found) == (
        "The data tell the two classes apart for response and CRS of grade 3 or higher; they do not for CRS of any "
        "grade."
    )


def test_a_family_of_one_verdict_is_named_once():
    found = [outcome("icans_any", (0.1, 0.2)), outcome("icans_g3plus", (0.01, 0.02))]
    assert tell_apart(found) == "The data tell the two classes apart for ICANS."


def test_nothing_told_apart_and_nothing_compared():
    assert tell_apart([outcome("orr", (-0.1, 0.1))]) == "The data do not tell the two classes apart for response."
    assert tell_apart([outcome("orr", None)]) == ""
    assert tell_apart([]) == ""


def test_a_difference_that_ends_at_zero_is_not_told_apart():
    assert "do not" in tell_apart([outcome("orr", (0.0, 0.1))])


def test_what_is_withheld_is_not_compared():
    found = compare(Patient(age=65, plasma_cell_leukemia="yes"))
    assert "no difference is given for response" in found.tell_apart
