"""Who the patient is and which diagnoses count; dates that are not exact stay what they are."""

from datetime import date

import pytest

from bcma_decide.fhir.reading.datatypes import period_of
from bcma_decide.fhir.reading.dates import read_when, whole_years
from tests.fhir.reading.support.reading import only, read
from tests.fhir.reading.support.records import ICD10CM, ON, SNOMED, coded, condition, person
from tests.support.cases import for_each


def state(code):
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": code}]}


@for_each(
    ("born", "age"),
    [("1960-11-25", 66), ("1960-11-26", 65), ("1960-10", 66), ("1960-12", 65), ("1960-11", (65, 66)),
     ("1960", (65, 66)),
     ("1960-02-30", None), ("16.3.1960", None), (1960, None), ("2026-11-24", None), ("1850-01-01", None),
     ("2030-01-01", None), ("", None)],
)  # fmt: skip
def test_age(born, age):
    """On 25 November 2026; a year alone leaves two ages, a month only in the month of the birthday."""
    reading = read(patient=person(birthDate=born))
    assert reading.patient.spans.get("age", reading.patient.age) == age
    assert only(reading, "age").state == ("not_usable" if age is None else "used")


def test_two_possible_ages_are_said_and_the_birth_date_is_not_repeated():
    reading = read(patient=person(birthDate="1960", gender="male"))
    assert only(reading, "age").text == "65 or 66 years"
    assert not any("1960" in line.model_dump_json() for line in reading.ledger.inputs)


@pytest.mark.parametrize(
    ("gender", "sex"), [("female", "female"), ("male", "male"), ("other", None), ("x" * 999, None)]
)
def test_sex(gender, sex):
    assert read(patient=person(gender=gender)).patient.sex == sex


def test_a_death_is_noted():
    dead = read(patient=person(deceasedDateTime="2026-11-01"))
    notes = [line for line in dead.ledger.inputs if line.label == "Death"]
    assert [(line.state, line.text) for line in notes] == [("note", "recorded as deceased (2026-11-01)")]
    assert not [line for line in read(patient=person(deceasedBoolean=False)).ledger.inputs if line.label == "Death"]


@for_each(
    ("conditions", "expected"),
    [
        ([condition("c", SNOMED, "109989006")], True),
        ([condition("c", SNOMED, "55921005")], True),
        ([condition("c", ICD10CM, "C90.01")], True),
        ([condition("c", SNOMED, "109989006", verificationStatus=state("confirmed"))], True),
        ([condition("c", SNOMED, "109989006", verificationStatus=state("refuted"))], False),
        ([condition("c", SNOMED, "109989006", verificationStatus=state("provisional"))], None),
        ([condition("c", SNOMED, "109989006", verificationStatus=state("entered-in-error"))], None),
        ([condition("c", SNOMED, "109989006", verificationStatus={"coding": [{"code": "refuted"}]})], False),
        ([condition("c", SNOMED, "109989006", verificationStatus={"coding": [{}]})], None),
        ([condition("c", SNOMED, "109989006", verificationStatus={"text": "perhaps"})], None),
        ([condition("a", SNOMED, "109989006", verificationStatus=state("refuted")),
          condition("b", ICD10CM, "C90.00")], None),
        ([condition("a", SNOMED, "109989006", verificationStatus=state("refuted")),
          condition("b", ICD10CM, "C90.00", recordedDate="2026-11-01")], True),
        ([condition("a", SNOMED, "109989006", verificationStatus=state("refuted")),
          condition("b", ICD10CM, "C90.00", recordedDate="2026-09-01")], False),
        ([{**condition("a", SNOMED, "109989006"),
           "code": coded(SNOMED, "109989006", "Rule out multiple myeloma")}], None),
        ([condition("c", "http://hl7.org/fhir/sid/icd-10", "C90.0")], True),
        ([condition("c", "http://fhir.de/CodeSystem/bfarm/icd-10-gm", "C90.00G")], True),
        ([condition("c", SNOMED, "109989006", clinicalStatus=coded("x", "remission"))], True),
        ([condition("c", SNOMED, "109989006", note=[{"text": "Mother had breast cancer."}])], True),
        ([condition("c", SNOMED, "109989006", note=[{"text": "Not confirmed: no multiple myeloma in the biopsy."}])],
         None),
        ([condition("c", "http://hl7.org/fhir/sid/icd-10", "C90.00")], None),
        ([], None),
    ],
)  # fmt: skip
def test_whether_the_record_says_myeloma(conditions, expected):
    assert read(*conditions).has_myeloma is expected


def test_a_record_without_the_diagnosis_says_so():
    assert any(line.text == "no condition with a code of multiple myeloma" for line in read().ledger.inputs)


@for_each(
    ("code", "more", "expected"),
    [
        ("C90.20", {}, True),
        ("C90.22", {"clinicalStatus": coded("x", "recurrence")}, True),
        ("C90.22", {"clinicalStatus": coded("x", "resolved")}, None),
        ("C90.22", {"clinicalStatus": coded("x", "remission")}, None),
        ("C90.21", {}, None),
        ("C90.22", {"verificationStatus": state("refuted")}, None),
        ("C90.22", {"recordedDate": "2024-01-01"}, None),
        ("C90.22", {"recordedDate": None}, None),
        ("C90.30", {}, None),
    ],
)
def test_extramedullary_disease_only_as_a_current_yes(code, more, expected):
    assert read(condition("e", ICD10CM, code, **more)).patient.extramedullary_disease is expected


def test_plasma_cell_leukaemia_counts_from_any_time():
    assert read(condition("p", ICD10CM, "C90.11", recordedDate="2019-01-01")).patient.plasma_cell_leukemia is True
    assert read(condition("p", SNOMED, "95210003")).patient.plasma_cell_leukemia is True


def test_no_condition_is_ever_a_no():
    reading = read(condition("c", SNOMED, "109989006"))
    assert (reading.patient.extramedullary_disease, reading.patient.plasma_cell_leukemia) == (None, None)


@for_each(
    ("text", "first", "last"),
    [("2024", date(2024, 1, 1), date(2024, 12, 31)), ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
     ("2024-12", date(2024, 12, 1), date(2024, 12, 31)), ("9999-12", date(9999, 12, 1), date(9999, 12, 31)),
     ("2024-02-29", date(2024, 2, 29), date(2024, 2, 29)),
     ("2024-02-29T23:30:00-05:00", date(2024, 2, 29), date(2024, 2, 29))],
)  # fmt: skip
def test_a_date_is_the_span_it_can_mean(text, first, last):
    when = read_when(text)
    assert (when.first, when.last) == (first, last)


@for_each("text", ["2023-02-29", "2024-13", "0000", "24", "2024-1-1", "yesterday", "", None, 2024, [], "9" * 50])
def test_what_is_no_date_is_none(text):
    assert read_when(text) is None


def test_a_time_without_its_zone_is_only_a_day():
    assert read_when("2024-02-29T10:00:00").moment is None
    assert read_when("2024-02-29T10:00:00Z").moment is not None


def test_a_period_that_ends_before_it_begins_is_none():
    assert period_of({"start": "2024-03-01", "end": "2024-02-01"}) is None
    assert period_of({"start": "2024-03-01"}).first == date(2024, 3, 1)


def test_a_leap_day_birthday():
    assert whole_years(read_when("1960-02-29"), date(2026, 2, 28)) == (65, 65)
    assert whole_years(read_when("1960-02-29"), date(2026, 3, 1)) == (66, 66)
    assert date(2026, 11, 25) == ON
