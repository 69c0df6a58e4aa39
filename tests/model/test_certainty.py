"""The certainty rating: each rule alone, and the reasons it gives."""

from __future__ import annotations

from itertools import product
from math import log

import pytest

from bcma_decide.model.certainty import LEVELS, START, rate_certainty
from tests.support.cases import for_each

LIMITS = {
    "few_studies": 5.0,
    "few_patients": 300.0,
    "imprecision_width": 0.2,
    "inconsistency_width": 0.4,
    "large_effect_odds_ratio": 2.0,
}
PLAIN = {
    "n_studies": 5,
    "n_patients": 300,
    "credible": (0.5, 0.69),
    "prediction": (0.4, 0.79),
    "outside": (),
    "unknown": (),
    "uninformed": (),
    "log_odds_ratio": None,
}


def rated(**changes):
    return rate_certainty(LIMITS, **{**PLAIN, **changes})


def test_it_starts_at_low_with_the_design_as_the_reason():
    assert rated() == ("low", (START,))
    assert "single-arm" in START


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_studies": 4}, "down for few studies: 4"),
        ({"credible": (0.4, 0.65)}, "down for imprecision: interval 25 points wide"),
        ({"n_patients": 299}, "down for imprecision: 299 patients"),
        ({"n_patients": 10, "credible": (0.4, 0.65)}, "imprecision: interval 25 points wide, 10 patients"),
        ({"prediction": (0.1, 0.85)}, "down for inconsistency: the next centre's interval is 75 points wide"),
        ({"outside": ("age 100, studied 30 to 85",)}, "outside the evidence (age 100, studied 30 to 85)"),
        ({"unknown": ("Frail", "High ferritin")}, "down for indirectness: unknown: Frail, High ferritin"),
        ({"uninformed": ("ISS stage III",)}, "down for indirectness: no evidence here on: ISS stage III"),
    ],
)
def test_each_fault_moves_down_by_one_and_says_so(change, words):
    level, reasons = rated(**change)
    assert level == "very low"
    assert reasons[0] == START
    assert len(reasons) == 2
    assert words in reasons[1]


@pytest.mark.parametrize(
    "change",
    [{"n_studies": 5}, {"credible": (0.0, 0.2)}, {"prediction": (0.0, 0.4)}],
    ids=lambda change: next(iter(change)),
)
def test_at_the_limit_nothing_moves(change):
    assert rated(**change) == ("low", (START,))


def test_three_kinds_of_indirectness_count_once():
    level, reasons = rated(outside=("x",), unknown=("y",), uninformed=("z",), log_odds_ratio=(log(2) + 0.1, log(2) + 1))
    assert level == "low"
    assert reasons[1] == "down for indirectness: outside the evidence (x); unknown: y; no evidence here on: z"


@for_each(
    ("interval", "expected"),
    [
        ((log(2) + 0.01, 3.0), "moderate"),
        ((-3.0, -log(2) - 0.01), "moderate"),
        ((log(2) - 0.01, 3.0), "low"),
        ((-3.0, -log(2) + 0.01), "low"),
        ((-3.0, 3.0), "low"),
        ((0.0, 0.0), "low"),
    ],
)
def test_a_large_difference_moves_up_only_when_the_whole_interval_is_beyond_two(interval, expected):
    level, reasons = rated(log_odds_ratio=interval)
    assert expected == level
    assert (expected == "moderate") == any(reason.startswith("up ") for reason in reasons)


def test_never_below_very_low_nor_above_high_and_every_step_has_its_reason():
    """All 64 combinations of the six switches."""
    for few, wide, uneven, outside, unknown, large in product((False, True), repeat=6):
        level, reasons = rated(
            n_studies=1 if few else 9,
            credible=(0.1, 0.8) if wide else (0.5, 0.6),
            prediction=(0.0, 1.0) if uneven else (0.4, 0.7),
            outside=("x",) if outside else (),
            unknown=("y",) if unknown else (),
            log_odds_ratio=(2.0, 3.0) if large else None,
        )
        down = few + wide + uneven + (outside or unknown)
        assert LEVELS[max(0, 1 - down + large)] == level
        assert down == sum(reason.startswith("down ") for reason in reasons)
        assert large == sum(reason.startswith("up ") for reason in reasons)
        assert len(reasons) == 1 + down + large
