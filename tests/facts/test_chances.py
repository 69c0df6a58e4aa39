"""How likely a trait is where it follows from measured values near a cut-off: by hand, and what it may never do."""

from __future__ import annotations

from math import log, log1p, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from bcma_decide.facts.chances import chance_inside
from bcma_decide.facts.traits import derive
from bcma_decide.logic import Bounds, Chance, Span, chance_of_all, chance_of_any
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.definitions import shipped_definitions


def log_sd(within, analytical):
    """Of a log-normal value with these two coefficients of variation, in percent."""
    return sqrt(log1p((within**2 + analytical**2) / 1e4))


FERRITIN, PLATELETS, NEUTROPHILS = log_sd(14.5, 7.25), log_sd(8.6, 4.3), log_sd(26, 13)
CREATININE, LDH, B2M = log_sd(8.9, 1.4), log_sd(5.2, 2.6), log_sd(8.6, 2.0)


def chance(trait, **profile):
    return derive(Patient(**profile), shipped_definitions())[trait].chance


def beyond(value, cut, sd):
    """Chance that the set point lies above the cut."""
    return norm.cdf(log(value / cut) / sd)


def test_a_value_at_its_cut_is_as_likely_beyond_it_as_not():
    assert chance("ferritin_high", ferritin="400 ng/mL") == pytest.approx((0.5, 0.5))


def test_a_value_near_a_cut_counts_by_its_variation():
    """Ferritin 420: ln(420 / 400) = 0.0488 over 0.1611 is 0.303 standard deviations, so 62 %."""
    found = chance("ferritin_high", ferritin="420 ng/mL")
    assert found.yes == pytest.approx(beyond(420, 400, FERRITIN), abs=1e-9)
    assert found.yes == pytest.approx(0.62, abs=0.005)
    assert found.unknown == pytest.approx(0.0, abs=1e-12)


def test_far_from_a_cut_the_value_is_what_it_was():
    assert chance("ferritin_high", ferritin="900 ng/mL") is None
    assert chance("ferritin_high", ferritin="100 ng/mL") is None
    assert chance("renal_impairment", creatinine_clearance="80 mL/min") is None


def test_what_was_said_has_no_chance_however_near_the_value():
    assert chance("ferritin_high") is None
    assert chance("high_risk_cytogenetics", high_risk_cytogenetics="yes") is None
    assert chance("iss_3", iss=3, beta2_microglobulin="5.6 mg/L") is None
    assert chance("iss_3", r_iss=3) is None
    assert chance("ecog_ge_2", ecog=2) is None


def test_dialysis_settles_renal_impairment():
    assert chance("renal_impairment", dialysis="yes", creatinine_clearance="44 mL/min") is None


def test_a_clearance_that_was_worked_out_carries_the_variation_of_creatinine():
    """(140 - 72) x 60 x 0.85 / (72 x 1.1) = 43.79; inversely proportional to creatinine, so with its variation."""
    found = chance("renal_impairment", age=72, weight="60 kg", sex="female", creatinine="1.1 mg/dL")
    clearance = (140 - 72) * 60 * 0.85 / (72 * 1.1)
    assert found.yes == pytest.approx(1 - beyond(clearance, 45, CREATININE), abs=1e-6)


def test_without_the_sex_only_what_holds_for_both_counts():
    """Women 43.79, men 51.5: present only if it is for the higher, absent only if it is for the lower."""
    found = chance("renal_impairment", age=72, weight="60 kg", creatinine="1.1 mg/dL")
    low, high = ((140 - 72) * 60 * factor / (72 * 1.1) for factor in (0.85, 1.0))
    assert found.yes == pytest.approx(1 - beyond(high, 45, CREATININE), abs=1e-6)
    assert found.no == pytest.approx(beyond(low, 45, CREATININE), abs=1e-6)


def test_a_score_is_the_chance_of_its_points():
    """One sure point (platelets 120); one more from ferritin 650 (1 or 2 points), or from neutrophils 1.3."""
    found = chance(
        "car_hematotox_high",
        platelets="120 10^9/L", neutrophils="1.3 10^9/L", hemoglobin="12 g/dL", crp="0.1 mg/dL", ferritin="650 ng/mL",
    )  # fmt: skip
    none = (1 - beyond(650, 650, FERRITIN)) * beyond(1.3, 1.2, NEUTROPHILS)
    assert found.yes == pytest.approx(1 - none, abs=2e-4)
    assert found.no == pytest.approx(none, abs=2e-4)


def test_what_a_score_lacks_stays_unknown():
    """Platelets 120 and ferritin 650 settle it in one of two cases; else three missing items leave it open."""
    found = chance("car_hematotox_high", platelets="120 10^9/L", ferritin="650 ng/mL")
    assert found.yes == pytest.approx(0.5, abs=1e-3)
    assert found.no == 0
    assert found.unknown == pytest.approx(0.5, abs=1e-3)


def test_a_stage_that_was_worked_out_is_as_soft_as_its_values():
    found = chance("iss_3", beta2_microglobulin="5.4 mg/L", albumin="3.6 g/dL")
    assert found.yes == pytest.approx(beyond(5.4, 5.5, B2M), abs=1e-9)
    both = chance(
        "r_iss_3", beta2_microglobulin="5.4 mg/L", ldh="1.05", high_risk_cytogenetics="no", albumin="3.6 g/dL"
    )
    assert both.yes == pytest.approx(beyond(5.4, 5.5, B2M) * beyond(1.05, 1, LDH), abs=1e-9)
    certain = chance("r_iss_3", iss=3, ldh="1.05", high_risk_cytogenetics="no")
    assert certain.yes == pytest.approx(beyond(1.05, 1, LDH), abs=1e-9)


def test_a_band_between_two_cuts_is_what_lies_between():
    found = chance_inside(Bounds(at_least=75, at_most=175), Span.of(100), 0.2)
    expected = norm.cdf(log(175 / 100) / 0.2) - norm.cdf(log(75 / 100) / 0.2)
    assert found == pytest.approx((expected, 1 - expected))


def test_of_a_span_over_a_band_nothing_is_sure_where_its_middle_lies_inside():
    """From 10 to 1000 the number may be 115, the middle of the band, where it is inside for certain."""
    found = chance_inside(Bounds(at_least=75, at_most=175), Span(10, 1000), 0.05)
    assert found == pytest.approx((0, 0), abs=1e-9)


def test_nothing_measured_is_below_every_cut():
    assert chance_inside(Bounds(at_least=3), Span.of(0), 0.4) == Chance(0.0, 1.0)
    assert chance_inside(Bounds(below=3), Span.of(0), 0.4) == Chance(1.0, 0.0)


def test_a_number_without_variation_is_judged_as_it_stands():
    assert chance_inside(Bounds(at_least=2), Span.of(2), None) == Chance(1.0, 0.0)
    assert chance_inside(Bounds(at_least=2), Span(1, 3), None) == Chance(0.0, 0.0)


def test_the_line_of_the_trait_says_how_it_counts():
    found = derive(Patient(ferritin="420 ng/mL"), shipped_definitions())["ferritin_high"]
    assert found.text == "yes"
    assert (
        found.how == "ferritin 420 ng/mL; cut-off: above 400 ng/mL; counted as yes 62 %, no 38 %: laboratory variation"
    )


shares = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(
    lambda pair: Chance(pair[0] * pair[1], pair[0] * (1 - pair[1]))
)


@given(first=shares, second=shares)
def test_chances_join_as_three_values_do(first, second):
    for joined in (chance_of_all([first, second]), chance_of_any([first, second])):
        assert joined.yes + joined.no <= 1 + 1e-12
    assert chance_of_all([first, second]).yes <= min(first.yes, second.yes) + 1e-12
    assert chance_of_any([first, second]).no <= min(first.no, second.no) + 1e-12


@given(value=st.floats(1, 6000), more=st.floats(1, 1.5))
def test_more_ferritin_never_makes_a_high_score_less_likely(value, more):
    known = {"platelets": "120 10^9/L", "hemoglobin": "10 g/dL"}
    pair = []
    for ferritin in (value, value * more):
        found = derive(Patient(**known, ferritin=f"{ferritin} ng/mL"), shipped_definitions())["car_hematotox_high"]
        pair.append(Chance.of(found.value) if found.chance is None else found.chance)
    assert pair[0].yes <= pair[1].yes + 1.1e-3
    assert pair[1].no <= pair[0].no + 1.1e-3
