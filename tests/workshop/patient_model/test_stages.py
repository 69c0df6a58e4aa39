"""What arms count at each stage of an outcome, by hand."""

import pytest

from bcma_decide.workshop.patient_model.stages import (
    MOST_FLOOR,
    complete_of_responders,
    deep_without_complete,
    of_all,
)
from tests.support.cases import for_each
from tests.workshop.patient_model.support.rows import selected


def counts(found):
    return [(each.row.study, each.events, each.total, each.share, each.floor) for each in found]


def never(row):
    raise AssertionError(f"{row.study} prints its complete responses")


def test_an_outcome_of_one_stage_counts_all_patients():
    """Per randomised patient, only the 80 % infused can respond."""
    rows = [selected("a", "orr", 94, 128), selected("b", "orr", 150, 208, infused_share=0.8)]
    assert counts(of_all(rows)) == [("a", 94, 128, 1.0, 0.0), ("b", 150, 208, 0.8, 0.0)]


def test_complete_responses_are_counted_among_responders():
    """KarMMa: 94 of 128 respond, 42 completely."""
    response, complete = [selected("karmma", "orr", 94, 128)], [selected("karmma", "cr_or_better", 42, 128)]
    assert counts(complete_of_responders(response, complete)) == [("karmma", 42, 94, 1.0, 0.0)]


@for_each(
    "complete",
    [
        selected("a", "cr_or_better", 10, 39),  # other patients
        selected("a", "cr_or_better", 31, 40),  # more than respond
        selected("b", "cr_or_better", 10, 40),  # another study
        selected("a", "cr_or_better", 10, 40, arm="2"),  # another arm
    ],
)
def test_counts_of_other_patients_are_not_put_together(complete):
    assert complete_of_responders([selected("a", "orr", 30, 40)], [complete]) == ()


def test_vgpr_short_of_complete_response():
    """Of 40, 30 respond, 12 completely, 24 reach VGPR or better: 12 of the 18 responders without CR."""
    found = deep_without_complete(
        [selected("a", "orr", 30, 40)],
        [selected("a", "cr_or_better", 12, 40)],
        [selected("a", "vgpr_or_better", 24, 40)],
        never,
    )
    assert counts(found) == [("a", 12, 18, 1.0, 0.0)]
    assert found[0].extra_variance == 0.0


def test_without_printed_complete_responses_those_expected_are_the_floor():
    """24 of 30 responders at VGPR or better; 40 of 100 responders expected in CR, with standard deviation 0.1.

    The rate is 0.4 + 0.6 p; p = (24.5 / 31 - 0.4) / 0.6 = 0.65054. A floor of 0.01 more lowers p by
    0.01 (1 - p) / 0.6 and the log odds of p by 0.01 / (0.6 p): standard deviation 0.1 / 0.39032, variance 0.06564.
    """
    (found,) = deep_without_complete(
        [selected("a", "orr", 30, 40)], [], [selected("a", "vgpr_or_better", 24, 40)], lambda row: (0.4, 0.01)
    )
    assert (found.events, found.total, found.share, found.floor) == (24, 30, pytest.approx(0.6), 0.4)
    assert found.extra_variance == pytest.approx(0.06564, abs=1e-4)


def test_a_floor_leaves_something_to_tell():
    (found,) = deep_without_complete(
        [selected("a", "orr", 30, 40)], [], [selected("a", "vgpr_or_better", 29, 40)], lambda row: (0.99, 0.01)
    )
    assert found.floor == MOST_FLOOR
    assert found.share == pytest.approx(0.05)


@for_each(
    ("response", "complete", "deep"),
    [
        (30, 12, 31),  # deeper than the response
        (30, 26, 24),  # more CR than VGPR or better
        (30, 30, 30),  # nobody without CR
        (None, None, 24),  # no response printed
    ],
)
def test_impossible_or_empty_tables_count_nothing(response, complete, deep):
    rows = {
        "response": [selected("a", "orr", response, 40)] if response else [],
        "complete": [selected("a", "cr_or_better", complete, 40)] if complete else [],
        "deep": [selected("a", "vgpr_or_better", deep, 40)],
    }
    assert deep_without_complete(**rows, expected=never) == ()


def test_complete_responses_of_other_patients_give_no_remainder():
    found = deep_without_complete(
        [selected("a", "orr", 30, 40)],
        [selected("a", "cr_or_better", 12, 38)],
        [selected("a", "vgpr_or_better", 24, 40)],
        never,
    )
    assert found == ()
