"""Numbers worked out from others: what they need, what they stand in for, and what they never replace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide import Patient
from bcma_decide.facts.measures import ckd_epi_2021, creatinine_behind
from bcma_decide.facts.traits import derive
from bcma_decide.pooled.definitions import shipped_definitions
from tests.support.cases import for_each
from tests.support.examples import examples

MAN = {"age": 60, "weight": "80 kg", "creatinine": "1.0 mg/dL"}
"""The man of 60 years, 80 kg and 1.0 mg/dL has 88.9 mL/min: test/unit/clinical.test.js of clay-good/sophiewell.com."""
FORMULAS = ("cockcroft_gault", "ckd_epi_2021")


def traits(**values):
    return derive(Patient(**values), shipped_definitions())


def score(name, **values):
    return traits(**values).facts.scores[name]


def clearance(**values):
    """The creatinine clearance that rules, labels and traits go by."""
    return traits(**values).facts.number("creatinine_clearance").span


# Kidney function


@pytest.mark.parametrize(
    ("left_out", "cockcroft_gault", "ckd_epi"),
    [("age", "age", "age"), ("creatinine", "creatinine", "creatinine")],
)
def test_a_formula_without_its_inputs_has_no_value_and_names_them(left_out, cockcroft_gault, ckd_epi):
    values = {name: value for name, value in MAN.items() if name != left_out}
    for name, missing in zip(FORMULAS, (cockcroft_gault, ckd_epi), strict=True):
        found = score(name, sex="male", **values)
        assert (found.span is None, found.missing) == (bool(missing), (missing,) if missing else ())


@for_each(
    ("values", "low", "high"),
    [
        # (140 - 72) x 40 / (72 x 3.5) and x 140
        ({"age": 72, "sex": "male", "creatinine": "3.5 mg/dL"}, 10.794, 37.778),
        ({"age": 72, "sex": "female", "creatinine": "3.5 mg/dL"}, 9.175, 32.111),
        ({"age": 72, "creatinine": "3.5 mg/dL"}, 9.175, 37.778),
        ({"age": "70-72", "sex": "male", "creatinine": "3.5 mg/dL"}, 10.794, 38.889),
        # 142 x (r/0.7)^-1.2 x 0.9938^72 x 1.012 = 20 at 2.4931 mg/dL
        ({"age": 72, "sex": "female", "egfr": "20 mL/min/1.73 m2"}, 12.88, 45.08),
        ({"age": 72, "sex": "female", "egfr": "20 mL/min/1.73 m2", "weight": "60 kg"}, 19.32, 19.32),
        ({"age": 72, "sex": "male", "egfr": "stage 4", "weight": "70 kg"}, 16.39, 28.39),
    ],
)
def test_without_a_weight_or_a_creatinine_a_clearance_is_a_span(values, low, high):
    """Worked out by hand; weights from 40 to 140 kg, the creatinine behind a rate by solving CKD-EPI 2021 for it."""
    assert clearance(**values) == pytest.approx((low, high), rel=1e-3)


@for_each(
    ("values", "impaired"),
    [
        ({"age": 72, "sex": "male", "creatinine": "3.5 mg/dL"}, True),
        ({"age": 72, "sex": "male", "creatinine": "1.2 mg/dL"}, None),
        ({"age": 50, "sex": "male", "creatinine": "0.7 mg/dL"}, False),
        ({"age": 72, "sex": "female", "egfr": "12"}, True),
        ({"age": 72, "sex": "female", "egfr": "20"}, None),
        ({"age": 40, "sex": "male", "egfr": "95"}, False),
        ({"egfr": "12"}, None),
        ({"age": 72, "sex": "male", "creatinine": "3.5 mg/dL", "creatinine_clearance": "60 mL/min"}, False),
    ],
)
def test_renal_impairment_follows_only_where_the_whole_span_says_so(values, impaired):
    """Below 45 mL/min."""
    assert traits(**values)["renal_impairment"].value is impaired


def test_a_span_of_clearance_names_what_would_narrow_it():
    found = traits(age=72, sex="male", creatinine="3.5 mg/dL").facts.number("creatinine_clearance")
    assert found.missing == ("body weight",)
    assert "body weight not known, taken as 40 to 140 kg" in found.shown


@given(st.integers(18, 100), st.floats(0.3, 12), st.booleans())
@examples(60)
def test_the_creatinine_behind_a_rate_is_the_inverse_of_the_formula(age, creatinine, female):
    constants = next(each for each in shipped_definitions().scores.formulas if each.kind == "ckd_epi_2021").constants
    rate = ckd_epi_2021(constants, {"creatinine": creatinine, "age": age}, female)
    assert creatinine_behind(constants, rate, age, female) == pytest.approx(creatinine, rel=1e-9)


def test_sex_alone_gives_no_kidney_function():
    assert [score(name, sex="female").span for name in FORMULAS] == [None, None]


@given(st.integers(18, 110), st.integers(25, 300), st.integers(1, 200))
@examples(30)
def test_of_unknown_sex_a_formula_has_the_two_ends_of_women_and_men(age, weight, tenths):
    values = {"age": age, "weight": f"{weight} kg", "creatinine": f"{tenths / 10} mg/dL"}
    for name in FORMULAS:
        ends = sorted(score(name, sex=sex, **values).span.low for sex in ("female", "male"))
        found = score(name, **values)
        assert list(found.span) == ends
        assert found.missing == ("sex",)


@pytest.mark.parametrize(("creatinine", "impaired"), [("1.0 mg/dL", False), ("1.9 mg/dL", None), ("2.5 mg/dL", True)])
def test_of_unknown_sex_kidney_function_settles_only_what_both_ends_agree_on(creatinine, impaired):
    """Renal impairment starts below 45 mL/min; by hand 88.9, 46.8 and 35.6 in men, 0.85 of that in women."""
    assert traits(**{**MAN, "creatinine": creatinine})["renal_impairment"].value is impaired


@pytest.mark.parametrize("sex", ["female", "male", None])
def test_under_dialysis_nothing_follows_from_creatinine(sex):
    found = traits(**MAN, sex=sex, dialysis="yes")
    assert [found.facts.scores[name].span for name in FORMULAS] == [None, None]
    assert found.facts.number("creatinine_clearance") is None
    assert found.facts.number("egfr") is None
    assert found["renal_impairment"].value is True
    assert found.contradictions == ()


def test_without_dialysis_the_formula_is_used():
    assert clearance(**MAN, sex="male", dialysis="no").low == pytest.approx(88.9, abs=0.05)


@pytest.mark.parametrize(("measured", "impaired"), [(30, True), (44.9, True), (45, False), (120, False)])
def test_a_clearance_that_was_measured_is_never_replaced(measured, impaired):
    found = traits(**MAN, sex="male", creatinine_clearance=measured)
    assert tuple(found.facts.number("creatinine_clearance").span) == (measured, measured)
    assert found["renal_impairment"].value is impaired
    assert found.contradictions == ()
    assert found.facts.scores["cockcroft_gault"].span.low == pytest.approx(88.9, abs=0.05)


def test_a_filtration_rate_that_was_given_is_never_replaced():
    assert tuple(traits(**MAN, sex="male", egfr=33).facts.number("egfr").span) == (33, 33)


def test_a_number_that_was_worked_out_says_from_what():
    found = traits(**MAN, sex="male")["renal_impairment"]
    assert (found.state, found.value) == ("derived", False)
    assert all(word in found.how for word in ("88.9 mL/min", "Cockcroft-Gault", "age", "body weight", "creatinine"))
    assert "sex not known" in traits(**MAN)["renal_impairment"].how


def test_what_the_formulas_rest_on_counts_as_used():
    used = {line.field: line.used for line in traits(**MAN, sex="male").ledger}
    assert used == dict.fromkeys((*MAN, "sex"), True)


# Karnofsky stands in for ECOG


@for_each(
    ("values", "ecog_2", "frail"),
    [
        ({"karnofsky": 60}, True, True),
        ({"karnofsky": 70}, False, None),
        ({"karnofsky": 70, "age": 76}, False, True),
        ({"karnofsky": 90, "age": 75}, False, False),
        ({"karnofsky": 70, "age": 75, "charlson": 1}, False, False),
        ({"karnofsky": 70, "age": 75, "charlson": 2}, False, True),
    ],
)
def test_karnofsky_feeds_performance_and_frailty(values, ecog_2, frail):
    found = traits(**values)
    assert (found["ecog_ge_2"].value, found["frail"].value) == (ecog_2, frail)
    assert "Karnofsky" in found["ecog_ge_2"].how


def test_ecog_as_rated_comes_first():
    found = traits(karnofsky=60, ecog=1)
    assert (found["ecog_ge_2"].value, found.contradictions) == (False, ())


@for_each("between", [0, 5, 15, 45, 55, 65, 75, 85, 89, 95])
def test_between_the_tens_of_karnofsky_nothing_follows(between):
    found = traits(karnofsky=between)
    assert found.facts.scores["ecog_karnofsky"].span is None
    assert found["ecog_ge_2"].value is None


# Stages stand in for stages


@for_each(
    ("values", "iss_3", "r_iss_3"),
    [
        ({"beta2_microglobulin": "5.5 mg/L"}, True, None),
        ({"beta2_microglobulin": "5.49 mg/L"}, False, False),
        ({"beta2_microglobulin": "3 mg/L"}, False, False),
        ({"albumin": "2 g/dL"}, None, None),
        ({"beta2_microglobulin": "6 mg/L", "ldh": 1.2}, True, True),
        ({"beta2_microglobulin": "6 mg/L", "t_14_16": "yes"}, True, True),
        ({"beta2_microglobulin": "6 mg/L", "gain_1q": "yes"}, True, None),
        ({"beta2_microglobulin": "6 mg/L", "ldh": 1, "high_risk_cytogenetics": "no"}, True, False),
        ({"iss": 3, "ldh": 1.2}, True, True),
        ({"ldh": 1, "high_risk_cytogenetics": "no"}, None, False),
    ],
)
def test_stages_that_were_worked_out_feed_the_traits(values, iss_3, r_iss_3):
    found = traits(**values)
    assert (found["iss_3"].value, found["r_iss_3"].value) == (iss_3, r_iss_3)
    assert found.contradictions == ()


def test_a_stage_that_agrees_with_the_one_given_is_no_contradiction():
    assert traits(iss=3, beta2_microglobulin="6 mg/L").contradictions == ()
