"""Every reason why something of a record is not used, as the ledger says it, and what it shows of the record."""

from datetime import date

from tests.fhir.reading.support.reading import lines, only, read
from tests.fhir.reading.support.records import (
    ICD10CM,
    ICD10PCS,
    LOINC,
    NCIT,
    RXNORM,
    SNOMED,
    coded,
    condition,
    given,
    observation,
    person,
    quantity,
)
from tests.support.cases import for_each

HB, PLT, FERRITIN, LDH, ECOG, HBSAG = (
    coded(LOINC, code) for code in ("718-7", "777-3", "2276-4", "2532-0", "89247-1", "5195-3")
)
LENALIDOMIDE = coded(RXNORM, "342369")
CAR_T = coded(ICD10PCS, "XW033A7")


ORDERED = "the date is that of the order or statement; the day of a dose is not recorded"


def told(field, *resources, **more):
    """Text, state and note of the one line of a field."""
    line = only(read(*resources, **more), field)
    return line.text, line.state, line.note


def of_ldh(value, unit="U/L", **limits):
    ranges = [{"high": quantity(limit, limit_unit)} for limit, limit_unit in limits.get("limits", ())]
    return observation("x", LDH, valueQuantity=quantity(value, unit), referenceRange=ranges)


@for_each(
    ("field", "concept", "result", "text", "note"),
    [
        ("hemoglobin", HB, {}, "no result", "no result"),
        ("hemoglobin", HB, {"dataAbsentReason": {"text": "clotted"}}, "no result", "no result: clotted"),
        ("hemoglobin", HB, {"dataAbsentReason": coded("x", "not-performed")}, "no result", "no result: not-performed"),
        ("hemoglobin", HB, {"valueString": "9.1"}, "9.1", "'9.1' has no unit; use g/dL, g/L or mmol/L"),
        ("hemoglobin", HB, {"valueRatio": {}}, "valueRatio", "valueRatio is not read for it"),
        ("hemoglobin", HB, {"valueInteger": 9}, "valueInteger", "valueInteger is not read for it"),
        ("hemoglobin", HB, {"valueQuantity": "9.1"}, "9.1", "valueQuantity is not read for it"),
        (
            "hemoglobin", HB, {"valueString": "9", "valueQuantity": quantity(9, "g/dL")},
            "valueQuantity, valueString", "more than one result",
        ),
        ("hemoglobin", HB, {"valueQuantity": {"value": 9}}, "9", "no unit"),
        ("hemoglobin", HB, {"valueQuantity": {"unit": "g/dL"}}, "? g/dL", "is not a number"),
        ("hemoglobin", HB, {"valueQuantity": {"value": "9", "unit": "g/dL"}}, "9 g/dL", "is not a number"),
        (
            "hemoglobin", HB, {"valueQuantity": {**quantity(9, "g/dL"), "comparator": "ad"}},
            "ad9 g/dL", "a bound, not a value",
        ),
        (
            "hemoglobin", HB, {"valueQuantity": quantity(6.5, "mol/L")},
            "6.5 mol/L", "mol/L is not a unit for it (g/dL, g/L or mmol/L)",
        ),
        (
            "iss", coded(NCIT, "C139007"), {"valueQuantity": quantity(2, "mg")},
            "2 mg", "a number, where a coded result is asked for",
        ),
        ("hbsag", HBSAG, {"valueString": "see letter"}, "see letter", "the words are not read; only a plain result is"),
        (
            "hbsag", HBSAG, {"valueCodeableConcept": coded(SNOMED, "42425007", "Equivocal")},
            "Equivocal", "the words are not read; only a plain result is",
        ),
        (
            "hbsag", HBSAG, {"valueCodeableConcept": coded("x", "42")},
            "42", "the words are not read; only a plain result is",
        ),
        (
            "hbsag", HBSAG, {"valueCodeableConcept": {}},
            "no result", "the words are not read; only a plain result is",
        ),
        (
            "iss", coded(NCIT, "C139007"), {"valueCodeableConcept": coded(NCIT, "C141395", "Stage II")},
            "Stage II", "its answer is one of another question",
        ),
        (
            "hbsag",
            HBSAG,
            {"valueCodeableConcept": {"coding": [{"system": SNOMED, "code": c} for c in ("10828004", "260385009")]}},
            "10828004, 260385009", "its codes contradict each other",
        ),
        ("hbsag", HBSAG, {"valueInteger": 1}, "valueInteger", "valueInteger is not read for it"),
        ("ecog", ECOG, {"valueInteger": 7}, "7", "'7' is outside 0 to 4"),
        ("ecog", ECOG, {"valueInteger": "2"}, "2", "is not a number"),
        ("ecog", ECOG, {"valueQuantity": quantity(2, "mg")}, "2 mg", "mg is not a unit for it"),
        ("ecog", ECOG, {"valueQuantity": {"value": 1.5}}, "1.5", "'1.5' is not a whole number"),
    ],
)  # fmt: skip
def test_a_result_that_cannot_be_used(field, concept, result, text, note):
    assert told(field, observation("x", concept, **result)) == (text, "not_usable", note)


@for_each(
    ("resource", "text", "note"),
    [
        (of_ldh(300), "300 U/L", "no single upper limit of normal (referenceRange.high) to divide by"),
        (
            of_ldh(300, limits=[(250, "U/L"), (240, "U/L")]),
            "300 U/L",
            "no single upper limit of normal (referenceRange.high) to divide by",
        ),
        (of_ldh(300, "", limits=[(250, "U/L")]), "300", "no unit"),
        (of_ldh(300, limits=[(0, "U/L")]), "300 U/L", "its upper limit of normal is not a number"),
        (of_ldh(300, limits=[("high", "U/L")]), "300 U/L", "its upper limit of normal is not a number"),
        (of_ldh(300, limits=[(4, "ukat/L")]), "300 U/L", "its upper limit of normal is in another unit"),
    ],
)
def test_a_multiple_of_an_upper_limit_that_cannot_be_had(resource, text, note):
    assert told("ldh", resource) == (text, "not_usable", note)


@for_each(
    ("kind", "used"), [(None, True), ("normal", True), ("treatment", False)],
)  # fmt: skip
def test_only_a_normal_range_is_a_limit(kind, used):
    """FHIR R4, Observation.referenceRange.type: normal where it says nothing."""
    limit = {"high": quantity(250, "U/L"), **({"type": coded("x", kind)} if kind else {})}
    reading = read(observation("x", LDH, valueQuantity=quantity(300, "U/L"), referenceRange=[limit]))
    assert (only(reading, "ldh").state == "used") is used
    if used:
        assert reading.patient.ldh.value == 1.2
        assert only(reading, "ldh").text == "300 U/L (upper limit 250)"


@for_each(
    ("status", "state", "note"),
    [
        ("entered-in-error", "ignored", "status entered-in-error"),
        ("cancelled", "ignored", "status cancelled"),
        ("registered", "not_usable", "status registered"),
        (None, "not_usable", "status missing"),
        ("preliminary", "used", "preliminary"),
        ("final", "used", ""),
        ("amended", "used", ""),
        ("corrected", "used", ""),
    ],
)
def test_what_the_status_of_an_observation_does(status, state, note):
    resource = observation("x", HB, valueQuantity=quantity(9.1, "g/dL"), status=status)
    assert told("hemoglobin", resource) == ("9.1 g/dL", state, note)


def test_what_became_of_each_of_several_results():
    def hb(name, amount, days):
        return observation(name, HB, days=days, valueQuantity=quantity(amount, "g/dL"))

    reading = read(hb("a", 9.1, 2), hb("b", 9.1, 2), hb("c", 8.4, 5), hb("d", 8.8, 5), hb("e", 7, 9), hb("f", 7, -1))
    assert [(line.resource, line.state, line.note) for line in lines(reading, "hemoglobin")] == [
        ("Observation/a", "used", ""),
        ("Observation/b", "older", "the same value once more"),
        ("Observation/c", "older", "another result of the same time differs"),
        ("Observation/d", "older", "another result of the same time differs"),
        ("Observation/e", "older", ""),
        ("Observation/f", "ignored", "dated after 2026-11-25"),
    ]


@for_each(("early", "late"), [(9.1, 10.2), (10.2, 9.1), (9.1, 8.4)])
def test_of_one_day_the_later_moment_counts(early, late):
    reading = read(
        observation("a", HB, valueQuantity=quantity(early, "g/dL"), effectiveDateTime="2026-11-20T07:00:00+01:00"),
        observation("b", HB, valueQuantity=quantity(late, "g/dL"), effectiveDateTime="2026-11-20T06:30:00Z"),
    )
    assert [(line.resource, line.state) for line in lines(reading, "hemoglobin")] == [
        ("Observation/b", "used"),
        ("Observation/a", "older"),
    ]


@for_each("other", ["2026-11-05", "2026-11", "2026-11-05T06:00:00"])
def test_a_moment_settles_the_order_only_if_both_have_one(other):
    """A day, a month and a time without its zone may be before and after."""
    reading = read(
        observation("a", HB, valueQuantity=quantity(9.1, "g/dL"), effectiveDateTime="2026-11-05T07:00:00Z"),
        observation("b", HB, valueQuantity=quantity(10.2, "g/dL"), effectiveDateTime=other),
        on=date(2026, 11, 6),
    )
    assert reading.values == {}


def test_the_same_value_of_another_day_is_only_older():
    hbs = [observation(f"h{days}", HB, days=days, valueQuantity=quantity(9.1, "g/dL")) for days in (2, 3)]
    assert [(line.state, line.note) for line in lines(read(*hbs), "hemoglobin")] == [("used", ""), ("older", "")]


def test_a_code_that_was_never_checked_says_so():
    line = only(read(observation("x", coded(LOINC, "30522-7"), valueQuantity=quantity(1, "mg/L"))), "crp")
    assert (line.state, line.note) == ("not_usable", "its code is known from background only and was not checked")


def test_codes_of_different_meanings_are_not_used():
    both = {"coding": [*HB["coding"], *PLT["coding"]]}
    line = only(read(observation("x", both, valueQuantity=quantity(9.1, "g/dL"))), "hemoglobin")
    assert (line.state, line.note) == ("not_usable", "its codes mean different things")


def test_results_of_one_time_that_differ_leave_the_field_unknown():
    reading = read(
        observation("a", HB, days=2, valueQuantity=quantity(9.1, "g/dL")),
        observation("b", HB, days=2, valueQuantity=quantity(8.4, "g/dL")),
    )
    assert {(line.state, line.note) for line in lines(reading, "hemoglobin")} == {
        ("contradiction", "another result of the same time differs; taken as unknown")
    }


def test_of_results_that_are_too_old_only_the_newest_is_told():
    reading = read(
        *(observation(f"h{days}", HB, days=days, valueQuantity=quantity(9, "g/dL")) for days in (15, 20, 30))
    )
    assert [(line.state, line.age_days, line.note) for line in lines(reading, "hemoglobin")] == [
        ("stale", 15, "15 days old, more than 14"),
        ("older", 20, "20 days old, more than 14"),
        ("older", 30, "30 days old, more than 14"),
    ]


@for_each(
    ("kind", "more", "state", "note"),
    [
        ("MedicationAdministration", {"status": "not-done"}, "ignored", "status not-done"),
        ("MedicationAdministration", {"status": "on-hold"}, "not_usable", "status on-hold"),
        ("MedicationAdministration", {"status": None}, "not_usable", "status missing"),
        ("MedicationStatement", {"status": "intended"}, "not_usable", "status intended"),
        ("MedicationStatement", {"status": "not-taken"}, "ignored", "status not-taken"),
        (
            "MedicationRequest", {"status": "active"},
            "not_usable", "status active; ordered; that it was given is not recorded",
        ),
        ("MedicationRequest", {"intent": "plan"}, "not_usable", "intent plan: planned, not given"),
        ("MedicationRequest", {"intent": "order"}, "used", ORDERED),
        ("MedicationRequest", {"doNotPerform": True}, "ignored", "an order not to give it"),
        ("MedicationRequest", {"doNotPerform": False}, "used", ORDERED),
        ("MedicationAdministration", {"day": "2026-12-01"}, "ignored", "dated after 2026-11-25"),
        ("MedicationAdministration", {"status": "in-progress"}, "used", ""),
        ("MedicationDispense", {"status": "completed"}, "used", ""),
        ("MedicationDispense", {"status": "declined"}, "ignored", "status declined"),
    ],
)  # fmt: skip
def test_why_a_drug_does_not_count_as_given(kind, more, state, note):
    text = "lenalidomide (342369)"
    assert told("received", given("x", LENALIDOMIDE, kind=kind, **more)) == (text, state, note)


@for_each("status", ["not-done", "entered-in-error", "on-hold", None])
def test_a_drug_against_bcma_that_was_not_given_is_no_course(status):
    reading = read(given("p", CAR_T, kind="Procedure", status=status))
    assert reading.values == {}
    assert lines(reading, "prior_bcma_courses") == []


@for_each(
    ("day", "note"),
    [
        ("2026-04-25", "last recorded dose 7 months before"),
        ("2026-04", "its date is not exact enough for months"),
        (None, "months since the last dose not known"),
    ],
)
def test_a_course_says_how_long_ago_it_was(day, note):
    reading = read(given("p", CAR_T, kind="Procedure", day=day))
    line = only(reading, "prior_bcma_courses")
    assert (line.text, line.state, line.note) == ("ciltacabtagene autoleucel", "used", note)


@for_each(
    ("more", "state", "note"),
    [
        ({}, "used", ""),
        ({"verificationStatus": coded("x", "confirmed")}, "used", ""),
        ({"verificationStatus": coded("x", "entered-in-error")}, "ignored", "verification status entered-in-error"),
        ({"verificationStatus": coded("x", "provisional")}, "not_usable", "verification status provisional"),
        ({"verificationStatus": {"text": "maybe"}}, "not_usable", "verification status maybe"),
        ({"verificationStatus": {}}, "not_usable", "verification status not readable"),
        ({"verificationStatus": "confirmed"}, "used", ""),
        ({"verificationStatus": 3}, "not_usable", "verification status not readable"),
        ({"clinicalStatus": coded("x", "active")}, "used", ""),
        (
            {"clinicalStatus": coded("x", "remission")},
            "not_usable",
            "clinical status remission; the profile asks for now",
        ),
        ({"recordedDate": "2026-12-01"}, "ignored", "dated after 2026-11-25"),
        ({"recordedDate": "2026-05-29"}, "used", ""),
        ({"recordedDate": "2026-05-28"}, "stale", "181 days old, more than 180"),
    ],
)
def test_what_the_statuses_of_a_condition_do(more, state, note):
    line = only(read(condition("c", ICD10CM, "C90.22", **more)), "extramedullary_disease")
    assert (line.state, line.note) == (state, note)


@for_each(
    ("more", "field", "text", "state", "note"),
    [
        ({"birthDate": "1955-03-14"}, "age", "71 years", "used", "on 2026-11-25"),
        (
            {"birthDate": "1955"}, "age", "70 or 71 years",
            "used", "on 2026-11-25",
        ),
        ({"birthDate": "long ago"}, "age", "date of birth", "not_usable", "the date of birth is not a date"),
        ({"birthDate": "2020-03-14"}, "age", "6 years", "not_usable", "6 is outside 18 to 110 years"),
        ({"gender": "female"}, "sex", "female", "used", ""),
        ({"gender": "other"}, "sex", "other", "not_usable", "the formulas of kidney function know female and male"),
    ],
)  # fmt: skip
def test_what_is_said_of_the_person(more, field, text, state, note):
    assert told(field, patient=person(**more)) == (text, state, note)


@for_each(
    ("more", "text"),
    [
        ({"deceasedBoolean": True}, "recorded as deceased"),
        ({"deceasedDateTime": "2026-11-01T10:00:00Z"}, "recorded as deceased (2026-11-01)"),
        ({"deceasedDateTime": "in autumn"}, "recorded as deceased"),
    ],
)
def test_a_death_is_told(more, text):
    (line,) = [line for line in read(patient=person(**more)).ledger.inputs if line.label == "Death"]
    assert (line.text, line.state) == (text, "note")


def test_the_living_are_not_told_to_be_dead():
    assert "Death" not in {line.label for line in read(patient=person(deceasedBoolean=False)).ledger.inputs}
