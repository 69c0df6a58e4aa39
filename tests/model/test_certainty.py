"""The certainty rating: each rule alone, and the reasons it gives."""

from __future__ import annotations

from itertools import product
from math import log

import pytest

from bcma_decide.model.certainty import LEVELS, START, Ground, rate_certainty
from tests.support.cases import for_each

LIMITS = {
    "few_studies": 3.0,
    "few_patients": 200.0,
    "imprecision_width": 0.3,
    "inconsistency_width": 0.45,
    "many_studies": 4.0,
    "many_patients": 600.0,
    "narrow_width": 0.15,
    "consistent_width": 0.25,
    "large_effect_odds_ratio": 2.0,
    "unstable_move": 0.1,
}
PLAIN = {"n_studies": 5, "n_patients": 300, "credible": (0.5, 0.69), "prediction": (0.4, 0.79)}
NARROW = {"n_studies": 4, "n_patients": 600, "credible": (0.0, 0.15), "prediction": (0.0, 0.25)}


def rated(base=PLAIN, **changes):
    return rate_certainty(LIMITS, Ground(**{**base, **changes}))


def test_it_starts_at_low_with_the_design_as_the_reason():
    assert rated() == ("low", (START,))
    assert "single-arm" in START


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_studies": 2}, "down for few data: 2 studies"),
        ({"n_studies": 1}, "down for few data: 1 study"),
        ({"n_patients": 199}, "down for few data: 199 patients"),
        ({"n_studies": 1, "n_patients": 33}, "down for few data: 1 study, 33 patients"),
        ({"credible": (0.4, 0.71)}, "down for imprecision: interval 31 points wide"),
        ({"prediction": (0.1, 0.85)}, "down for inconsistency: the next centre's interval is 75 points wide"),
        ({"indirect": ("outside the evidence (age 100)",)}, "down for indirectness: outside the evidence (age 100)"),
        (
            {"open_moves": (("Extramedullary disease", 0.1), ("Age", 0.3), ("Frail", 0.099))},
            "down for indirectness: unknown, and it would move the number: Extramedullary disease, Age",
        ),
    ],
)
def test_each_fault_moves_down_by_one_and_says_so(change, words):
    level, reasons = rated(**change)
    assert level == "very low"
    assert reasons == (START, words)


@pytest.mark.parametrize(
    "change",
    [
        {"n_studies": 3},
        {"n_patients": 200},
        {"credible": (0.0, 0.3)},
        {"prediction": (0.0, 0.45)},
        {"open_moves": (("Frail", 0.0999),)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_at_the_limit_nothing_moves(change):
    assert rated(**change) == ("low", (START,))


def test_an_unknown_trait_that_hardly_moves_the_number_is_no_indirectness():
    assert rated(open_moves=(("Age", 0.02), ("Prior lines", 0.09)))[0] == "low"


def test_kinds_of_indirectness_count_once():
    level, reasons = rated(indirect=("x", "y"), open_moves=(("z", 0.5),))
    assert level == "very low"
    assert reasons[1:] == ("down for indirectness: x; y; unknown, and it would move the number: z",)


def test_much_consistent_evidence_moves_up():
    level, reasons = rated(NARROW)
    assert level == "moderate"
    assert reasons[1] == (
        "up for consistent evidence: 4 studies of 600 patients, interval 15 points wide, at the next centre 25"
    )


@for_each(
    "change",
    [
        {"n_studies": 3},
        {"n_patients": 599},
        {"credible": (0.0, 0.151)},
        {"prediction": (0.0, 0.251)},
    ],
)
def test_it_takes_all_four_marks_of_consistent_evidence(change):
    assert rated(NARROW, **change) == ("low", (START,))


@for_each("change", [{"indirect": ("x",)}, {"open_moves": (("x", 0.2),)}])
def test_consistent_evidence_on_others_earns_nothing(change):
    level, reasons = rated(NARROW, **change)
    assert level == "very low"
    assert not any(reason.startswith("up") for reason in reasons)


@for_each("change", [{"n_studies": 1}, {"n_patients": 30}, {"n_studies": 1, "n_patients": 30}])
def test_few_data_with_narrow_intervals_are_no_fault_and_no_merit(change):
    """Studies left out are predicted as well from two studies as from ten where both intervals are narrow."""
    assert rated(NARROW, **change) == ("low", (START,))


def test_high_takes_consistent_evidence_and_a_large_difference():
    level, reasons = rated(NARROW, log_odds_ratio=(log(2) + 0.1, 3.0))
    assert level == "high"
    assert len(reasons) == 3
    assert rated(log_odds_ratio=(log(2) + 0.1, 3.0))[0] == "moderate"


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
    """All 32 combinations of the five switches."""
    for few, wide, uneven, indirect, large in product((False, True), repeat=5):
        level, reasons = rated(
            n_studies=1 if few else 9,
            credible=(0.1, 0.8) if wide else (0.5, 0.69),
            prediction=(0.0, 1.0) if uneven else (0.4, 0.7),
            indirect=("x",) if indirect else (),
            log_odds_ratio=(2.0, 3.0) if large else None,
        )
        down = few + wide + uneven + indirect
        assert LEVELS[max(0, 1 - down + large)] == level
        assert down == sum(reason.startswith("down ") for reason in reasons)
        assert large == sum(reason.startswith("up ") for reason in reasons)
        assert len(reasons) == 1 + down + large
