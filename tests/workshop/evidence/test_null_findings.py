"""A standard error from a p value, and a published "no difference" as a wide zero."""

from __future__ import annotations

import json

import pytest

from bcma_decide.pooled.location import evidence_directory
from bcma_decide.vocabulary import FAMILIES
from bcma_decide.workshop.evidence.catalogue import load_catalogue
from bcma_decide.workshop.evidence.check import check
from bcma_decide.workshop.evidence.null_findings import log_standard_error, null_contrasts, null_standard_error
from bcma_decide.workshop.evidence.reviews import ReviewEffect
from bcma_decide.workshop.patient_model.inputs import load_inputs

EFFECT = {
    "id": "x1",
    "traits": ["frail"],
    "class_id": "car_t",
    "outcomes": ["icans_any"],
    "measure": "OR",
    "basis": "verified",
    "source": "S1",
}
NULL = EFFECT | {
    "measure": "no_difference",
    "rate_pct": 50,
    "groups": [{"level": "yes", "group": "present", "n": 100}, {"level": "no", "group": "absent", "n": 100}],
}


def effect(**fields):
    return ReviewEffect.model_validate_json(json.dumps(EFFECT | fields))


def test_the_error_behind_a_p_value():
    """OR 1.99 with P = 0.013: z = 2.484, so 0.688 / 2.484 = 0.277; OR 4.49 with P = 0.003: 1.502 / 2.968 = 0.506."""
    assert pytest.approx(0.277, abs=5e-4) == log_standard_error(effect(value=1.99, p=0.013))
    assert pytest.approx(0.506, abs=5e-4) == log_standard_error(effect(value=4.49, p=0.003))


def test_the_error_behind_an_interval_goes_first():
    """1.4 to 14.9: log width 2.365 over 3.92 is 0.603."""
    assert pytest.approx(0.603, abs=5e-4) == log_standard_error(effect(value=4.0, ci95=[1.4, 14.9], p=0.5))


@pytest.mark.parametrize("fields", [{"value": 1.99}, {"p": 0.01}, {"value": 1.0, "p": 0.9}, {"measure": "direction"}])
def test_no_error_without_a_ratio_and_its_uncertainty(fields):
    assert log_standard_error(effect(**fields)) is None


def test_one_and_a_half_times_the_error_of_two_groups():
    """Two groups of 100 at 50 %: sqrt(4/100 + 4/100) = 0.283, times 1.5."""
    assert pytest.approx(1.5 * 0.2828, abs=1e-4) == null_standard_error(100, 100, 0.5)


def problems(root, row):
    path = root / "adjusted_effects.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\neffects:\n", f"\neffects:\n  - {json.dumps(row)}\n", 1), encoding="utf-8")
    return {(problem.file, problem.field): problem.message for problem in check(root)}


def test_a_sound_null_row(root):
    assert problems(root, NULL) == {}


SLIPS = {
    "error beside an interval": (
        EFFECT | {"value": 2.0, "ci95": [1.0, 4.0], "log_se": 0.35},
        "effects[0].log_se",
        "stands beside an interval, which says it already",
    ),
    "another error": (
        EFFECT | {"value": 1.99, "p": 0.013, "log_se": 0.35},
        "effects[0].log_se",
        "is 0.35, but the p value gives 0.277",
    ),
    "error from nothing": (
        EFFECT | {"value": 1.99, "log_se": 0.35},
        "effects[0].log_se",
        "cannot be worked out without a ratio and its p value",
    ),
    "null with a value": (NULL | {"value": 1.1}, "effects[0].value", "a printed effect is entered as itself"),
    "null without a rate": (NULL | {"rate_pct": None}, "effects[0].rate_pct", "is needed, between 0 and 100"),
    "null with a rate of nobody": (NULL | {"rate_pct": 0}, "effects[0].rate_pct", "is needed, between 0 and 100"),
    "null without sizes": (
        NULL | {"groups": [{"level": "yes", "group": "present", "n": 9}, {"level": "no", "group": "absent"}]},
        "effects[0].groups",
        "has to be two groups with n, the higher one first",
    ),
    "null of two outcomes": (
        NULL | {"outcomes": ["icans_any", "crs_any"]},
        "effects[0].outcomes",
        "no_difference speaks of one trait and one outcome",
    ),
    "rate without a null": (EFFECT | {"rate_pct": 9}, "effects[0].rate_pct", "belongs to no_difference"),
    "no such study": (NULL | {"study": "nowhere"}, "effects[0].study", "there is no study nowhere"),
}


@pytest.mark.parametrize(("row", "field", "message"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_named_with_its_field(root, row, field, message):
    assert problems(root, row)["adjusted_effects.yaml", field] == message


# the real evidence


def test_no_difference_by_age_in_the_registry():
    """821 patients, 30.6 % aged 70 or older: 251 and 570; response 73 %."""
    found = {c.id: c for c in null_contrasts(load_catalogue(), "response")}
    age = found["te112"]
    assert (age.study, age.trait, age.high_n, age.low_n) == ("cibmtr-ide-cel-2025", "age", 251, 570)
    assert (age.high_bounds.at_least, age.low_bounds.below, age.log_odds_ratio) == (70, 70, 0.0)
    assert pytest.approx(1.5 * ((1 / 251 + 1 / 570) / (0.73 * 0.27)) ** 0.5) == age.standard_error
    assert age.adjusted


def test_the_fit_reads_no_such_row_unless_told():
    """The pooled effects, all that a fit takes from that file, name none of these rows."""
    inputs = load_inputs(evidence_directory())
    null = {c.id for family in FAMILIES for c in null_contrasts(inputs.catalogue, family.id)}
    assert len(null) == 7
    assert not null & {pooled.row for pooled in inputs.pooled_effects.effects}
