"""Laboratory values, stages and results: what is used, and why the rest is not."""

from datetime import date

import pytest

from tests.fhir.reading.support.reading import lines, only, read, states
from tests.fhir.reading.support.records import LOINC, NCIT, ON, SNOMED, UCUM, coded, observation, quantity
from tests.support.cases import for_each

HB, PLT, FERRITIN, CRP, LDH, ANC = (
    coded(LOINC, code) for code in ("718-7", "777-3", "2276-4", "1988-5", "2532-0", "751-8")
)


def value(field, concept, amount):
    return getattr(read(observation("x", concept, valueQuantity=amount)).patient, field)


@for_each(
    ("field", "concept", "amount", "expected"),
    [
        ("hemoglobin", HB, quantity(104, "g/L"), 10.4),
        ("hemoglobin", HB, quantity(10.4, "g/dL"), 10.4),
        ("crp", CRP, quantity(12, "mg/L"), 1.2),
        ("crp", CRP, quantity(1.2, "mg/dL"), 1.2),
        ("platelets", PLT, quantity(71, "10*3/uL"), 71),
        ("platelets", PLT, quantity(71000, "/uL"), 71),
        ("platelets", PLT, quantity(71, "10*9/L"), 71),
        ("platelets", PLT, {"value": 71, "unit": "K/uL"}, 71),
        ("neutrophils", ANC, quantity(1100, "{cells}/uL"), 1.1),
        ("ferritin", FERRITIN, quantity(850, "ug/L"), 850),
        ("creatinine", coded(LOINC, "2160-0"), quantity(1.1, "mg/dL"), 1.1),
        ("albumin", coded(LOINC, "1751-7"), quantity(36, "g/L"), 3.6),
        ("egfr", coded(LOINC, "98979-8"), quantity(58, "mL/min/{1.73_m2}"), 58),
    ],
)
def test_units_are_converted(field, concept, amount, expected):
    assert value(field, concept, amount).value == pytest.approx(expected, rel=1e-9)


def test_creatinine_in_moles_is_turned_into_mass():
    """113.12 g/mol: 97.24 umol/L are 1.1 mg/dL."""
    assert value("creatinine", coded(LOINC, "14682-9"), quantity(97.242, "umol/L")).value == pytest.approx(
        1.1, rel=1e-4
    )


@for_each(
    ("field", "concept", "amount", "why"),
    [
        ("hemoglobin", HB, {"value": 10.4}, "no unit"),
        ("hemoglobin", HB, {"value": 10.4, "unit": ""}, "no unit"),
        ("hemoglobin", HB, quantity(6.5, "mol/L"), "not a unit"),
        ("hemoglobin", HB, quantity(104, "g/dL"), "outside"),
        ("hemoglobin", HB, quantity(10.4, "Mg/dL"), "not a unit"),
        ("hemoglobin", HB, {"value": "10.4", "unit": "g/dL"}, "not a number"),
        ("hemoglobin", HB, {"value": True, "unit": "g/dL"}, "not a number"),
        ("hemoglobin", HB, {"value": float("inf"), "unit": "g/dL"}, "not a number"),
        ("hemoglobin", HB, {"value": float("nan"), "unit": "g/dL"}, "not a number"),
        ("hemoglobin", HB, {"value": 10**400, "unit": "g/dL"}, ""),
        ("hemoglobin", HB, {"value": None, "unit": "g/dL"}, "not a number"),
        ("crp", CRP, {**quantity(5, "mg/L"), "comparator": "ad"}, "bound"),
        ("marrow_plasma_cells", coded(LOINC, "11118-7"), {"value": 0.6}, "no unit"),
        ("creatinine_clearance", coded(LOINC, "2164-2"), quantity(60, "mL/min/{1.73_m2}"), "not a unit"),
        ("egfr", coded(LOINC, "98979-8"), quantity(58, "mL/min"), "not a unit"),
        ("egfr", coded(LOINC, "48643-1"), quantity(58, "mL/min/{1.73_m2}"), "race-specific"),
        ("beta2_microglobulin", coded(LOINC, "76484-5"), quantity(350, "nmol/L"), "not a unit"),
    ],
)
def test_what_cannot_be_used_is_shown_with_the_reason(field, concept, amount, why):
    reading = read(observation("x", concept, valueQuantity=amount))
    line = only(reading, field)
    assert field not in reading.values
    assert line.state == "not_usable"
    assert why in line.note


@for_each(
    ("field", "concept", "result", "expected"),
    [
        ("crp", CRP, {"valueQuantity": {**quantity(5, "mg/L"), "comparator": "<"}}, (0, 0.5)),
        ("ferritin", FERRITIN, {"valueQuantity": {**quantity(15000, "ng/mL"), "comparator": ">="}}, (15000, 200_000)),
        ("ferritin", FERRITIN, {"valueString": "> 15000 ng/ml"}, (15000, 200_000)),
    ],
)
def test_a_bound_is_a_span(field, concept, result, expected):
    reading = read(observation("x", concept, **result))
    assert only(reading, field).state == "used"
    assert getattr(reading.patient, field) is None
    assert reading.patient.spans[field] == pytest.approx(expected)


@for_each(
    ("field", "concept", "result", "expected"),
    [
        ("hemoglobin", HB, {"valueString": "10,4 g/dl"}, 10.4),
        ("hemoglobin", HB, {"valueQuantity": quantity(10, "mmol/L")}, 16.114),
        ("platelets", PLT, {"valueString": "85 Tsd/µl"}, 85),
        ("ferritin", FERRITIN, {"valueQuantity": quantity(120.125, "ng/mL")}, 120.125),
    ],
)
def test_what_a_record_writes_is_read_as_if_typed(field, concept, result, expected):
    reading = read(observation("x", concept, **result))
    assert getattr(reading.patient, field).value == pytest.approx(expected)
    assert bool(reading.patient.read_as) is (field != "ferritin")


def test_ldh_is_divided_by_the_limit_of_the_same_laboratory():
    range_ = [{"high": quantity(250, "U/L")}]
    reading = read(observation("x", LDH, valueQuantity=quantity(325, "U/L"), referenceRange=range_))
    assert str(reading.patient.ldh) == "1.3 x ULN"


@for_each(
    "range_",
    [None, [], [{"low": quantity(100, "U/L")}], [{"high": quantity(4.2, "ukat/L")}], [{"high": quantity(0, "U/L")}]],
)
def test_ldh_without_a_limit_in_its_unit_is_not_used(range_):
    reading = read(observation("x", LDH, valueQuantity=quantity(325, "U/L"), referenceRange=range_))
    assert reading.patient.ldh is None
    assert only(reading, "ldh").state == "not_usable"


def test_a_code_that_was_never_checked_is_shown_and_not_used():
    reading = read(observation("x", coded(LOINC, "30522-7"), valueQuantity=quantity(1, "mg/L")))
    assert reading.values == {}
    assert (only(reading, "crp").basis, only(reading, "crp").state) == ("recalled", "not_usable")


def test_a_secondary_code_is_used_and_marked():
    line = only(read(observation("x", CRP, valueQuantity=quantity(8, "mg/L"))), "crp")
    assert (line.basis, line.state, line.unit, line.age_days) == ("secondary", "used", "mg/L", 3)


@pytest.mark.parametrize("code", ["26098-4", "33944-8", "21908-9-riss", "72838-3x"])
def test_wrong_and_invented_codes_give_nothing(code):
    """26098-4 is an X-ray of the ankle, 33944-8 one digit from a light chain; both are seen in demonstration data."""
    reading = read(observation("x", coded(LOINC, code, "Plasma cells in bone marrow"), valueQuantity=quantity(60, "%")))
    assert reading.values == {}
    assert [(line.kind, line.code) for line in reading.ledger.unmapped] == [("observation", code)]


def test_a_code_of_another_system_is_another_code():
    assert (
        read(observation("x", coded("http://local.example", "718-7"), valueQuantity=quantity(10, "g/dL"))).values == {}
    )
    assert read(observation("x", {"coding": [{"code": "718-7"}]}, valueQuantity=quantity(10, "g/dL"))).values == {}


def test_codes_that_mean_different_things_are_not_used():
    both = {"coding": [*HB["coding"], *PLT["coding"]]}
    reading = read(observation("x", both, valueQuantity=quantity(10, "g/dL")))
    assert reading.values == {}


def test_the_newest_value_wins_and_the_older_is_listed():
    reading = read(
        observation("a", HB, days=9, valueQuantity=quantity(9.1, "g/dL")),
        observation("b", HB, days=2, valueQuantity=quantity(10.2, "g/dL")),
    )
    assert str(reading.patient.hemoglobin) == "10.2 g/dL"
    assert states(reading, "hemoglobin") == [("10.2 g/dL", "used"), ("9.1 g/dL", "older")]


def test_an_unusable_newer_value_does_not_hide_the_older():
    reading = read(
        observation("a", HB, days=9, valueQuantity=quantity(9.1, "g/dL")),
        observation("b", HB, days=2, valueQuantity={"value": 10.2}),
    )
    assert str(reading.patient.hemoglobin) == "9.1 g/dL"


@pytest.mark.parametrize(("days", "used"), [(0, True), (14, True), (15, False), (400, False)])
def test_blood_counts_count_for_fourteen_days(days, used):
    reading = read(observation("a", HB, days=days, valueQuantity=quantity(9.1, "g/dL")))
    assert ("hemoglobin" in reading.values) is used
    assert only(reading, "hemoglobin").state == ("used" if used else "stale")


def test_of_old_values_only_the_newest_is_told():
    finds = [observation(f"o{days}", HB, days=days, valueQuantity=quantity(9, "g/dL")) for days in (40, 60, 80)]
    assert [state for _, state in states(read(*finds), "hemoglobin")] == ["stale", "older", "older"]


def test_a_stage_of_any_time_counts():
    stage = observation("s", coded(NCIT, "C139007"), days=3000, valueCodeableConcept=coded(NCIT, "C70660"))
    assert read(stage).patient.iss == 3


def test_a_value_from_the_future_is_ignored():
    reading = read(observation("a", HB, days=-1, valueQuantity=quantity(9.1, "g/dL")))
    assert only(reading, "hemoglobin").state == "ignored"
    assert reading.values == {}


def test_a_value_without_a_date_is_not_used_where_age_matters():
    reading = read(observation("a", HB, valueQuantity=quantity(9.1, "g/dL"), effectiveDateTime=None))
    assert "no date" in only(reading, "hemoglobin").note
    assert reading.values == {}


def test_a_month_is_as_old_as_it_can_be():
    """November 2026 seen from the 25th may be 24 days ago: too old for a count."""
    reading = read(observation("a", HB, valueQuantity=quantity(9.1, "g/dL"), effectiveDateTime="2026-11"))
    assert (only(reading, "hemoglobin").age_days, only(reading, "hemoglobin").state) == (24, "stale")


@for_each(
    ("status", "state"),
    [("entered-in-error", "ignored"), ("cancelled", "ignored"), ("registered", "not_usable"), ("unknown", "not_usable"),
     (None, "not_usable"), ("final", "used"), ("corrected", "used"), ("amended", "used"), ("preliminary", "used")],
)  # fmt: skip
def test_status(status, state):
    reading = read(observation("a", HB, valueQuantity=quantity(9.1, "g/dL")) | {"status": status})
    assert only(reading, "hemoglobin").state == state
    assert ("hemoglobin" in reading.values) is (state == "used")


def test_a_missing_result_says_why():
    reason = coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", "not-performed")
    reading = read(observation("a", HB, dataAbsentReason=reason))
    assert only(reading, "hemoglobin").note == "no result: not-performed"


def test_two_results_of_the_same_day_that_differ_are_a_contradiction():
    reading = read(
        observation("a", HB, days=2, valueQuantity=quantity(9.1, "g/dL")),
        observation("b", HB, days=2, valueQuantity=quantity(10.2, "g/dL")),
        observation("c", HB, days=8, valueQuantity=quantity(9.9, "g/dL")),
    )
    assert reading.values == {}
    assert [state for _, state in states(reading, "hemoglobin")] == ["contradiction", "contradiction", "older"]


def test_the_same_result_in_two_units_is_no_contradiction():
    reading = read(
        observation("a", HB, days=2, valueQuantity=quantity(91, "g/L")),
        observation("b", HB, days=2, valueQuantity=quantity(9.1, "g/dL")),
    )
    assert str(reading.patient.hemoglobin) == "9.1 g/dL"


def test_of_one_day_the_later_hour_wins_if_both_have_one():
    reading = read(
        observation("a", HB, valueQuantity=quantity(9.1, "g/dL"), effectiveDateTime="2026-11-20T07:00:00+01:00"),
        observation("b", HB, valueQuantity=quantity(10.2, "g/dL"), effectiveDateTime="2026-11-20T06:30:00Z"),
    )
    assert str(reading.patient.hemoglobin) == "10.2 g/dL"


def test_a_contradiction_of_old_does_not_touch_a_newer_value():
    reading = read(
        observation("a", HB, days=9, valueQuantity=quantity(9.1, "g/dL")),
        observation("b", HB, days=9, valueQuantity=quantity(10.2, "g/dL")),
        observation("c", HB, days=2, valueQuantity=quantity(9.9, "g/dL")),
    )
    assert str(reading.patient.hemoglobin) == "9.9 g/dL"


def test_components_of_a_panel_are_read():
    panel = observation("p", coded(LOINC, "58410-2"), component=[{"code": HB, "valueQuantity": quantity(9.1, "g/dL")}])
    assert str(read(panel).patient.hemoglobin) == "9.1 g/dL"


@for_each(
    ("result", "expected"),
    [
        ({"valueCodeableConcept": coded(SNOMED, "10828004")}, True),
        ({"valueCodeableConcept": coded(SNOMED, "260415000")}, False),
        ({"valueString": "Negative"}, False),
        ({"valueString": "nicht reaktiv"}, False),
        ({"valueString": "reaktiv"}, True),
        ({"valueString": "grenzwertig reaktiv"}, None),
        ({"valueCodeableConcept": {"text": "Non-reactive"}}, False),
        ({"valueBoolean": True}, True),
        ({"valueString": "negative, repeat advised"}, None),
        ({"valueCodeableConcept": coded(SNOMED, "42425007", "Equivocal")}, None),
        ({"valueQuantity": quantity(0.1, "[IU]/mL")}, None),
        ({"valueString": "negative", "valueBoolean": True}, None),
        (
            {"valueCodeableConcept": {"coding": [{"system": SNOMED, "code": c} for c in ("10828004", "260385009")]}},
            None,
        ),
    ],
)
def test_a_test_result_is_yes_no_or_unknown(result, expected):
    reading = read(observation("h", coded(LOINC, "5196-1"), **result))
    assert reading.patient.hbsag is expected
    assert only(reading, "hbsag").state == ("not_usable" if expected is None else "used")


@for_each(
    ("result", "expected"),
    [({"valueInteger": 2}, 2), ({"valueQuantity": quantity(2, "{score}")}, 2),
     ({"valueCodeableConcept": coded(LOINC, "LA9623-5")}, 1), ({"valueInteger": 7}, None),
     ({"valueQuantity": {"value": 1.5}}, None), ({"valueString": "2"}, 2), ({"valueInteger": "2"}, None),
     ({"valueString": "ECOG PS 2"}, 2), ({"valueString": "Grad 1"}, 1), ({"valueString": "ECOG of the carer 1"}, None),
     ({"valueCodeableConcept": {"text": "ECOG <2"}}, None), ({"valueCodeableConcept": {"text": "≥1"}}, None),
     ({"valueCodeableConcept": {"text": "1+"}}, None),
     ({"valueString": "2 - Ambulatory and capable of all selfcare but unable to carry out any work activities"}, 2),
     ({"valueCodeableConcept": {"text": "ECOG 0: Fully active"}}, 0),
     ({"valueString": "1 = Einschränkung bei körperlicher Anstrengung, aber gehfähig"}, 1),
     ({"valueString": "1 - Fully active"}, None), ({"valueString": "2 - ambulatory at the last visit"}, None),
     ({"valueString": "1-2 - Ambulatory and capable of all selfcare"}, None), ({"valueString": "2 - not done"}, None)],
)  # fmt: skip
def test_performance_status(result, expected):
    for code in (coded(LOINC, "89247-1"), coded(SNOMED, "423740007")):
        assert read(observation("e", code, **result)).patient.ecog == expected


@for_each(
    ("name", "stage", "iss", "r_iss"),
    [
        ("ISS stage", "III", 3, None), ("ISS", "II", 2, None), ("ISS-Stadium", "Stadium I", 1, None),
        ("Revised ISS (R-ISS)", "Stage II", None, 2), ("International Staging System", "III", 3, None),
        ("ISS stage at diagnosis", "ISS III", 3, None), ("ISS", "3", None, None), ("ISS stage", "≥ II", None, None),
        ("ISS stage", "I-II", None, None), ("R2-ISS", "III", None, None), ("Durie-Salmon stage", "III", None, None),
        ("ISS stage of brother", "III", None, None), ("Injury Severity Score (ISS)", "II", None, None),
        ("R-ISS or ISS", "II", None, None),
    ],
)  # fmt: skip
def test_a_stage_is_read_by_a_name_that_says_its_system_and_nothing_else(name, stage, iss, r_iss):
    patient = read(observation("s", {"text": name}, valueString=stage)).patient
    assert (patient.iss, patient.r_iss) == (iss, r_iss)


@for_each("unit", [quantity(71, "/nL"), quantity(71, "10*3/mm3"), {"value": 71, "unit": "/nl"}])
def test_counts_in_other_units_of_the_same_size(unit):
    reading = read(observation("p", coded(LOINC, "777-3"), valueQuantity=unit))
    assert reading.patient.platelets is not None, lines(reading, "platelets")


def test_a_stage_outside_its_value_set_is_not_used():
    stage = observation("s", coded(NCIT, "C139007"), valueCodeableConcept=coded(NCIT, "C141395", "Stage II"))
    assert read(stage).values == {}


def test_the_day_decides_what_is_old():
    hb = observation("a", HB, valueQuantity={"value": 9.1, "unit": "g/dL", "system": UCUM, "code": "g/dL"})
    assert "hemoglobin" in read(hb, on=ON).values
    assert "hemoglobin" not in read(hb, on=date(2027, 1, 1)).values
    assert len(lines(read(hb, on=date(2027, 1, 1)), "hemoglobin")) == 1
