"""What a resource is called, what refers to it, and when two are one."""

import pytest

from bcma_decide.comparing.compare import load_pooled
from bcma_decide.errors import ProfileError
from bcma_decide.fhir.reading.reader import read_bundle
from tests.fhir.reading.support.reading import lines, only, read
from tests.fhir.reading.support.records import (
    ICD10CM,
    ICD10PCS,
    LOINC,
    ON,
    RXNORM,
    bundle,
    coded,
    condition,
    given,
    observation,
    quantity,
)
from tests.support.cases import for_each

HB = coded(LOINC, "718-7")
LENALIDOMIDE, CARFILZOMIB = coded(RXNORM, "342369"), coded(RXNORM, "1302966")


def hb(name, amount=9.1, **more):
    return observation(name, HB, valueQuantity=quantity(amount, "g/dL"), **more)


@for_each(
    ("name", "shown"),
    [("h", "Observation/h"), ("", "Observation"), (None, "Observation"), (7, "Observation")],
)
def test_a_line_names_its_resource_as_far_as_it_has_a_name(name, shown):
    assert only(read(hb(name)), "hemoglobin").resource == shown


def test_the_id_of_the_patient_is_never_shown():
    reading = read(patient={"resourceType": "Patient", "id": "example", "birthDate": "1955-03-14", "gender": "male"})
    assert {line.resource for line in reading.ledger.inputs} == {"", "Patient"}


@for_each(
    ("length", "shown"), [(80, "x" * 80), (81, "x" * 77 + "..."), (400, "x" * 77 + "...")],
)  # fmt: skip
def test_a_long_text_is_cut_to_eighty_characters(length, shown):
    assert only(read(observation("h", HB, valueString="x" * length)), "hemoglobin").text == shown


def medication(name, concept):
    return {"resourceType": "Medication", "id": name, "code": concept}


def by_reference(name, reference, **more):
    return given(name, None, medicationReference={"reference": reference}, **more)


def test_a_reference_names_one_of_several():
    first, second = medication("a", LENALIDOMIDE), medication("b", CARFILZOMIB)
    assert read(by_reference("d", "Medication/b"), first, second).patient.received == ("carfilzomib",)
    inside = by_reference("d", "#b", contained=[first, second])
    assert read(inside).patient.received == ("carfilzomib",)


@for_each(
    "reference",
    ["Medication/c", "#c", "Observation/a", "", None, 7, "https://elsewhere.example/Medication/c", "urn:uuid:c"],
)
def test_a_reference_to_nothing_names_no_drug(reference):
    dose = by_reference("d", reference, contained=[{"resourceType": "Observation", "id": "c", "code": LENALIDOMIDE}])
    assert read(dose, medication("a", LENALIDOMIDE)).values == {}


def test_a_reference_may_say_what_it_means():
    assert read(given("d", None, medicationReference={"display": "Velcade"})).patient.received == ("bortezomib",)


def test_only_what_has_an_id_can_be_the_same_resource_twice():
    twice = given("d", LENALIDOMIDE)
    assert only(read(twice, dict(twice)), "received").note == ""
    assert only(read(given(None, LENALIDOMIDE), given(None, LENALIDOMIDE)), "received").note == "2 records"


def test_two_versions_under_one_id_are_two_results():
    assert [line.state for line in lines(read(hb("h", 9.1), hb("h", 8.4)), "hemoglobin")] == ["contradiction"] * 2


def test_a_refusal_says_first_that_the_record_cannot_be_read():
    with pytest.raises(ProfileError, match="the record cannot be read"):
        read(patient={"resourceType": "Patient", "id": "a"}, type="history")


@for_each("code", [5, None, "", ["718-7"], {"code": "718-7"}, True])
def test_a_code_that_is_no_text_is_no_code(code):
    reading = read(observation("x", {"coding": [{"system": LOINC, "code": code}]}, valueQuantity=quantity(9, "g/dL")))
    assert reading.values == {}
    assert [(line.text, line.code) for line in reading.ledger.unmapped] == [("without code and name", "")]


@for_each("system", [5, None, "", "http://loinc.org/x"])
def test_a_code_without_its_system_is_no_code(system):
    concept = {"coding": [{"system": system, "code": "718-7"}]}
    assert read(observation("x", concept, valueQuantity=quantity(9, "g/dL"))).values == {}


def test_a_system_may_end_with_a_stroke_and_a_code_with_a_blank():
    concept = {"coding": [{"system": f"{LOINC}/", "code": " 718-7 "}]}
    assert "hemoglobin" in read(observation("x", concept, valueQuantity=quantity(9, "g/dL"))).values


def test_of_several_records_of_a_drug_the_surest_is_shown_with_the_newest_date():
    """A code is surer than a name, whenever it was written; of two codes the newer is shown."""
    reading = read(
        given("n", {"text": "Revlimid"}, day="2026-01-10"),
        given("c1", LENALIDOMIDE, day="2025-01-10"),
        given("c2", LENALIDOMIDE, day="2025-03-10"),
    )
    line = only(reading, "received")
    assert (line.resource, line.layer, line.code, line.date, line.note) == (
        "MedicationAdministration/c2", "ingredient", "342369", "2025-03-10", "3 records",
    )  # fmt: skip


def test_records_that_count_and_records_that_do_not_stand_apart():
    reading = read(
        given("a", LENALIDOMIDE),
        given("b", LENALIDOMIDE, status="not-done"),
        given("c", LENALIDOMIDE, status="not-done"),
    )
    assert [(line.resource, line.state, line.note) for line in lines(reading, "received")] == [
        ("MedicationAdministration/a", "used", ""),
        ("MedicationAdministration/b", "ignored", "status not-done; 2 records"),
    ]


@for_each(
    ("intent", "state"),
    [
        ("order", "used"),
        ("original-order", "used"),
        ("reflex-order", "used"),
        ("filler-order", "used"),
        ("instance-order", "used"),
        (None, "used"),
        ("proposal", "not_usable"),
        ("plan", "not_usable"),
        ("option", "not_usable"),
    ],
)
def test_only_an_order_can_have_been_given(intent, state):
    """FHIR R4, value set medicationrequest-intent: proposals, plans and options authorise nothing."""
    order = given("d", LENALIDOMIDE, kind="MedicationRequest", intent=intent)
    assert only(read(order), "received").state == state


@for_each(
    ("text", "drugs"),
    [
        ("len/dex", ("lenalidomide", "dexamethasone")),
        ("Dara + Pom", ("pomalidomide", "daratumumab")),
        ("bortezomib and dexamethasone", ("bortezomib", "dexamethasone")),
        ("lenalidomide & unheard-of", ()),
        ("Velcade (bortezomib)", ("bortezomib",)),
        ("Carfilzomib 60 MG, Lenalidomide 25 MG", ("carfilzomib", "lenalidomide")),
        ("belantamab mafodotin-blmf 100 MG Injection", ("belantamab mafodotin",)),
    ],
)
def test_a_text_may_name_several_drugs(text, drugs):
    assert set(read(given("d", {"text": text})).patient.received) == set(drugs)


def test_a_car_t_procedure_of_unknown_product_is_told_by_its_field():
    line = only(read(given("p", coded(ICD10PCS, "XW033C3"), kind="Procedure")), "prior_t_cell_redirection")
    assert (line.state, line.layer, line.code) == ("used", "procedure", "XW033C3")


def test_a_record_may_leave_out_the_patient_it_speaks_of():
    """All of one subject, the Patient resource itself is missing: read; of two subjects: refused."""
    found = load_pooled()
    record = bundle(hb("a"), hb("b", days=9))
    reading = read_bundle(record, found.codes, found.definitions, ON)
    assert list(reading.values) == ["hemoglobin"]
    assert [line.resource for line in reading.ledger.inputs if line.field] == ["Observation/a", "Observation/b"]


@for_each(
    ("kind", "element"),
    [
        ("MedicationAdministration", "effectiveDateTime"),
        ("MedicationDispense", "whenHandedOver"),
        ("MedicationDispense", "whenPrepared"),
        ("MedicationStatement", "effectiveDateTime"),
        ("MedicationStatement", "dateAsserted"),
        ("MedicationRequest", "authoredOn"),
    ],
)
def test_each_kind_of_record_of_a_drug_has_its_own_times(kind, element):
    dose = given("d", LENALIDOMIDE, kind=kind, day=None) | {element: "2026-02-03"}
    assert only(read(dose), "received").date == "2026-02-03"


@for_each("element", ["effectiveDateTime", "effectiveInstant"])
def test_an_observation_has_a_time_in_either_element(element):
    stamped = hb("h", effectiveDateTime=None) | {element: "2026-11-20T08:00:00Z"}
    assert only(read(stamped), "hemoglobin").date == "2026-11-20"


@for_each("element", ["recordedDate", "onsetDateTime"])
def test_a_condition_has_a_time_in_either_element(element):
    found = condition("c", ICD10CM, "C90.22", recordedDate=None) | {element: "2026-11-20"}
    assert only(read(found), "extramedullary_disease").date == "2026-11-20"
