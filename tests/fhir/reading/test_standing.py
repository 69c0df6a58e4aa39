"""What makes a resource not count whatever stands in it, versions of one resource, and whose a resource is."""

import pytest

from bcma_decide.errors import ProfileError
from tests.fhir.reading.support.reading import lines, only, read, states
from tests.fhir.reading.support.records import (
    ICD10CM,
    LOINC,
    RXNORM,
    SNOMED,
    bundle,
    coded,
    condition,
    given,
    observation,
    person,
    quantity,
)
from tests.support.cases import for_each

HB = coded(LOINC, "718-7")
LENALIDOMIDE = coded(RXNORM, "342369")
UNKNOWN = {"url": "https://ehr.example/negated", "valueBoolean": True}


def hb(name="h", amount=9.1, **more):
    return observation(name, HB, **{"valueQuantity": quantity(amount, "g/dL"), **more})


def stamped(version=None, updated=None):
    meta = {"versionId": version, "lastUpdated": updated}
    return {"meta": {name: value for name, value in meta.items() if value is not None}}


# --- what turns the meaning


@for_each(
    "more",
    [
        {"modifierExtension": [UNKNOWN]},
        {"modifierExtension": UNKNOWN},
        {"modifierExtension": ["junk"]},
        {"valueQuantity": {**quantity(9.1, "g/dL"), "modifierExtension": [UNKNOWN]}},
        {"referenceRange": [{"modifierExtension": [UNKNOWN], "low": quantity(12, "g/dL")}]},
        {"implicitRules": "https://ehr.example/rules"},
    ],
)
def test_an_observation_that_may_say_the_opposite_is_shown_and_not_used(more):
    reading = read(hb(**more))
    assert reading.values == {}
    assert only(reading, "hemoglobin").state == "not_usable"


def test_an_empty_list_of_modifiers_is_none_and_an_ordinary_extension_is_no_modifier():
    assert "hemoglobin" in read(hb(modifierExtension=[], extension=[UNKNOWN])).values


def test_a_condition_and_a_drug_with_a_modifier_are_not_used_either():
    reading = read(
        condition("e", ICD10CM, "C90.20", modifierExtension=[UNKNOWN]),
        condition("m", SNOMED, "109989006", modifierExtension=[UNKNOWN]),
        given("d", LENALIDOMIDE, modifierExtension=[UNKNOWN]),
    )
    assert reading.values == {}
    assert reading.has_myeloma is None
    assert [line.state for line in lines(reading, "received")] == ["not_usable"]


@for_each(
    ("flag", "used"),
    [
        ({"taken": "y"}, True), ({"taken": "n"}, False), ({"taken": "unk"}, False), ({"taken": "na"}, False),
        ({"taken": True}, False), ({"wasNotTaken": False}, True), ({"wasNotTaken": True}, False),
        ({"notGiven": True}, False), ({"notGiven": "true"}, False), ({"wasNotGiven": True}, False),
        ({"notGiven": None}, True), ({"reasonNotTaken": [{"text": "cost"}]}, False),
        ({"notDoneReasonCodeableConcept": {"text": "declined"}}, False),
        ({"adherence": {"code": {"coding": [{"code": "not-taking"}]}}}, False),
        ({"adherence": {"code": {"coding": [{"code": "taking-as-directed"}]}}}, True), ({"adherence": "x"}, False),
    ],
)  # fmt: skip
def test_older_versions_say_by_a_flag_that_a_drug_was_not_taken(flag, used):
    """DSTU2: wasNotTaken, wasNotGiven; STU3: taken (y, n, unk, na), notGiven."""
    reading = read(given("s", LENALIDOMIDE, kind="MedicationStatement", **flag))
    assert ("received" in reading.values) is used


def test_a_procedure_that_was_not_done_in_an_older_version():
    car_t = coded("http://www.cms.gov/Medicare/Coding/ICD10", "XW033A7")
    assert read(given("p", car_t, kind="Procedure", notDone=True)).values == {}
    assert read(given("p", car_t, kind="Procedure", notPerformed=True)).values == {}
    assert read(given("p", car_t, kind="Procedure", notDone=False)).values != {}


def test_a_record_of_an_older_version_is_read_by_its_rules_and_said():
    reading = read(
        condition("c", ICD10CM, "C90.22", clinicalStatus="active", verificationStatus="confirmed"),
        condition("r", ICD10CM, "C90.10", clinicalStatus="active", verificationStatus="refuted"),
        {"resourceType": "MedicationOrder", "id": "o", "status": "completed", "dateWritten": "2025-02-01",
         "patient": {"reference": "Patient/example"}, "medicationCodeableConcept": LENALIDOMIDE},
    )  # fmt: skip
    assert reading.values["extramedullary_disease"] == "yes"
    assert "plasma_cell_leukemia" not in reading.values
    assert [line.state for line in lines(reading, "received")] == ["used"]
    assert any(
        "3 resources are in the shape of an older version of FHIR" in line.text for line in reading.ledger.inputs
    )


@for_each(
    ("focus", "used"),
    [
        ({"reference": "Patient/example"}, True),
        ({"reference": "https://records.example/Patient/example"}, True),
        ({"reference": "RelatedPerson/donor", "display": "Stem cell donor"}, False),
        ({"display": "Donor"}, False),
        ({"identifier": {"system": "urn:x", "value": "7"}}, False),
    ],
)
def test_what_is_about_another_is_not_the_patients(focus, used):
    reading = read(hb(focus=[focus]))
    assert ("hemoglobin" in reading.values) is used
    if not used:
        assert "focus" in only(reading, "hemoglobin").note


# --- versions


@for_each(
    ("first", "second"),
    [
        (stamped("1"), stamped("2")),
        (stamped("9"), stamped("10")),
        (stamped("1", "2026-11-24T00:00:00Z"), stamped("2", "2026-11-23T00:00:00Z")),
        (stamped("a", "2026-11-22T09:00:00Z"), stamped("b", "2026-11-22T09:00:01Z")),
        (stamped(None, "2026-11-22T23:00:00-02:00"), stamped(None, "2026-11-23T01:30:00Z")),
    ],
)
@for_each("turned", [False, True])
def test_the_highest_version_counts(first, second, turned):
    """By number where both have one, else by the instant of the last change."""
    order = [hb(amount=8.0, **first), hb(amount=9.1, **second)]
    reading = read(*(reversed(order) if turned else order))
    assert reading.values["hemoglobin"].startswith("9.1")
    assert states(reading, "hemoglobin") == [("9.1 g/dL", "used"), ("8 g/dL", "ignored")]


@for_each("versions", [(stamped("1"), stamped("2")), ({}, {})])
@for_each("kind", ["observation", "condition", "drug"])
def test_what_was_entered_in_error_removes_what_stood_there_before(versions, kind):
    error = {"coding": [{"code": "entered-in-error"}]}
    made = {
        "observation": lambda wrong, more: hb(status="entered-in-error" if wrong else "final", **more),
        "condition": lambda wrong, more: condition(
            "e", ICD10CM, "C90.20", **({"verificationStatus": error} if wrong else {}), **more
        ),
        "drug": lambda wrong, more: given(
            "d", LENALIDOMIDE, status="entered-in-error" if wrong else "completed", **more
        ),
    }[kind]
    before, after = made(False, versions[0]), made(True, versions[1])
    assert read(before).values != {}
    assert read(before, after).values == read(after, before).values == {}


def test_two_versions_of_a_condition_that_nothing_orders_are_not_used():
    active = condition("e", ICD10CM, "C90.20", clinicalStatus=coded("x", "active"))
    over = condition("e", ICD10CM, "C90.20", clinicalStatus=coded("x", "resolved"))
    reading = read(active, over)
    assert reading.values == {}
    assert {line.state for line in lines(reading, "extramedullary_disease")} == {"ignored"}


def test_one_id_under_two_codes_is_two_resources():
    """Generators give one id to several results; a new version of a result keeps its code."""
    platelets = observation("h", coded(LOINC, "777-3"), valueQuantity=quantity(90, "10*9/L"))
    assert set(read(hb("h"), platelets).values) == {"hemoglobin", "platelets"}


def test_equal_ids_of_two_servers_are_two_resources():
    record = bundle(person(), hb("h", 9.1, **stamped("1")), hb("h", 8.0, days=9, **stamped("2")))
    record["entry"][2]["fullUrl"] = "https://other.example/fhir/Observation/h"
    record["entry"][2]["resource"]["subject"] = {"reference": "https://records.example/Patient/example"}
    assert states(reading_of(record), "hemoglobin") == [("9.1 g/dL", "used"), ("8 g/dL", "older")]


def test_what_an_entry_deletes_does_not_count():
    record = bundle(person(), hb("h"))
    record["entry"].append({"request": {"method": "DELETE", "url": "Observation/h"}})
    assert reading_of(record).values == {}


# --- whose it is


def reading_of(record):
    from bcma_decide.comparing.compare import load_pooled
    from bcma_decide.fhir.reading.reader import read_bundle
    from tests.fhir.reading.support.records import ON

    return read_bundle(record, load_pooled().codes, load_pooled().definitions, ON)


def left_out(reading):
    return [(line.text, line.note) for line in reading.ledger.inputs if line.label == "Bundle"]


@for_each(
    ("subject", "reason"),
    [
        ({"reference": "https://other.example/fhir/Patient/example"}, "is about a patient of another server"),
        ({"reference": "Group/g"}, "is about a Group, not the patient"),
        ({"reference": "Device/d"}, "is about a Device, not the patient"),
        ({"reference": "#p"}, "names a patient of its own"),
        ({"identifier": {"system": "urn:mrn", "value": "2"}},
         "names its patient by an identifier that the Patient does not carry"),
        ({"identifier": {"value": "1"}}, "names no patient"),
        ({"display": "Anna"}, "names no patient"),
    ],
)  # fmt: skip
def test_what_is_not_the_patients_is_left_out_by_name(subject, reason):
    reading = read(hb(subject=subject), patient=person(identifier=[{"system": "urn:mrn", "value": "1"}]))
    assert "hemoglobin" not in reading.values
    assert left_out(reading) == [("1 resource: Observation/h", reason)]


def test_a_patient_may_be_named_by_an_identifier_alone():
    mrn = {"system": "urn:mrn", "value": "1"}
    reading = read(
        hb(subject={"identifier": mrn}), patient=person(identifier=[{"system": "urn:other", "value": "1"}, mrn])
    )
    assert reading.values["hemoglobin"].startswith("9.1")


@for_each(
    "links",
    [
        ([{"type": "replaces", "other": {"reference": "Patient/former"}}], []),
        ([], [{"type": "replaced-by", "other": {"reference": "Patient/example"}}]),
    ],
)
def test_a_merged_patient_is_read_as_one_and_said(links):
    survivor, former = links
    reading = read(
        person(id="former", link=former, active=False),
        hb("a", subject={"reference": "Patient/former"}),
        observation("p", coded(LOINC, "777-3"), valueQuantity=quantity(90, "10*9/L")),
        patient=person(link=survivor, gender="female"),
    )
    assert set(reading.values) == {"sex", "hemoglobin", "platelets"}
    assert ("the record of the patient was merged from two, which are read as one", "") in left_out(reading)


def test_a_record_that_was_replaced_by_one_not_here_says_so():
    reading = read(patient=person(active=False, link=[{"type": "replaced-by", "other": {"reference": "Patient/new"}}]))
    assert [text for text, _ in left_out(reading)] == [
        "this record of the patient is marked as no longer in use",
        "this record of the patient was replaced by another, which is not in the bundle",
    ]


def test_one_patient_twice_is_refused_and_told_as_such():
    mrn = [{"system": "urn:mrn", "value": "1"}]
    with pytest.raises(ProfileError) as caught:
        read(person(id="twin", identifier=mrn), patient=person(identifier=mrn))
    assert "under an identifier of the first" in caught.value.problems[0].message


def test_two_versions_of_the_patient_are_one():
    older = person(gender="male", meta={"versionId": "1"})
    assert read(older, patient=person(gender="female", meta={"versionId": "2"})).values == {"sex": "female"}


# --- where it stands


def report(*contained, **more):
    return {"resourceType": "DiagnosticReport", "id": "d", "status": "final", "code": coded(LOINC, "58410-2"),
            "subject": {"reference": "Patient/example"}, "contained": list(contained), **more}  # fmt: skip


def test_results_contained_in_a_report_are_read_and_named_after_it():
    inside = {name: value for name, value in hb("c1").items() if name != "subject"}
    reading = read(report(inside))
    assert reading.values["hemoglobin"].startswith("9.1")
    assert only(reading, "hemoglobin").resource == "DiagnosticReport/d#Observation/c1"


@for_each("more", [{"status": "entered-in-error"}, {"status": "cancelled"}, {"modifierExtension": [UNKNOWN]}])
def test_they_fall_with_their_report(more):
    assert read(report(hb("c1"), **more)).values == {}


def test_bundles_inside_bundles_are_read_and_their_kinds_checked():
    inner = bundle(person(gender="female"), hb("a"), kind="searchset", link=[{"relation": "next", "url": "x"}])
    outer = {
        "resourceType": "Bundle",
        "type": "batch-response",
        "entry": [{"resource": inner}, {"resource": bundle(hb("b", days=9))}],
    }
    reading = reading_of(outer)
    assert set(reading.values) == {"sex", "hemoglobin"}
    assert ("the record has more pages than were given", "") in left_out(reading)
    inner["type"] = "history"
    with pytest.raises(ProfileError) as caught:
        reading_of(outer)
    assert caught.value.problems[0].field == "entry[0].resource.type"


def test_what_is_not_needed_is_counted_apart_from_what_is_not_understood():
    reading = read(
        {"resourceType": "Encounter", "id": "e"},
        {"resourceType": "Encounter", "id": "f"},
        {"resourceType": "Medication", "id": "m", "code": LENALIDOMIDE},
        given("x", coded(RXNORM, "612865")),
        given("y", coded(RXNORM, "1")),
    )
    assert [(line.kind, line.count) for line in reading.ledger.not_needed] == [
        ("Encounter", 2), ("Medication", 1), ("drugs that say nothing of the myeloma", 1),
    ]  # fmt: skip
    assert [(line.kind, line.code) for line in reading.ledger.unmapped] == [("drug", "1")]


def test_they_are_left_out_with_their_report():
    """A result without a server of its own cannot be another patient's than its report."""
    elsewhere = {"reference": "https://other.example/fhir/Patient/example"}
    reading = read(report(hb("c1"), subject=elsewhere))
    assert reading.values == {}
    assert left_out(reading) == [
        (
            "2 resources: DiagnosticReport/d, DiagnosticReport/d#Observation/c1",
            "is about a patient of another server",
        )
    ]


@for_each("order", [1, -1])
def test_of_a_product_the_highest_version_counts_too(order):
    right = {"resourceType": "Medication", "id": "m", "code": LENALIDOMIDE, "meta": {"versionId": "1"}}
    wrong = {**right, "status": "entered-in-error", "meta": {"versionId": "2"}}
    dose = given("d", None, medicationReference={"reference": "Medication/m"})
    assert read(dose, right).values["received"] == ["lenalidomide"]
    assert read(dose, *[right, wrong][::order]).values == {}
