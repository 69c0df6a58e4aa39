"""Records that are wrong, odd or meant to do harm: refused with the place named, or read without harm."""

import copy
import json

import pytest

from bcma_decide.errors import ProfileError
from bcma_decide.fhir.reading import bundle as reader
from bcma_decide.fhir.reading.bundle import parse_bundle, read_bundle_file
from bcma_decide.fhir.reading.record_day import newest_date
from bcma_decide.patient.files import load_example
from tests.fhir.reading.support.reading import only, read
from tests.fhir.reading.support.records import (
    LOINC,
    ON,
    bundle,
    coded,
    condition,
    given,
    observation,
    person,
    quantity,
    record_of,
)
from tests.support.cases import for_each

HB = coded(LOINC, "718-7")


def problem(record):
    from bcma_decide.comparing.compare import load_pooled
    from bcma_decide.fhir.reading.reader import read_bundle

    with pytest.raises(ProfileError) as error:
        read_bundle(record, load_pooled().codes, load_pooled().definitions, ON)
    (found,) = error.value.problems
    return found


@for_each(
    ("record", "field", "message"),
    [
        ({}, "resourceType", "is missing"),
        ({"resourceType": "Patient", "id": "p"}, "resourceType", "'Patient', not 'Bundle'"),
        ({"resourceType": ["Bundle"]}, "resourceType", "not 'Bundle'"),
        ({"resourceType": "Bundle", "type": "history"}, "type", "'history' is not read"),
        ({"resourceType": "Bundle", "type": 3}, "type", "is not read"),
        ({"resourceType": "Bundle", "entry": {"a": 1}}, "entry", "is not a list"),
        (bundle(person(), {**person(), "id": "other"}), "entry[1].resource", "second patient"),
        (bundle(person(), observation("a", HB) | {"subject": {"reference": "Patient/other"}}),
         "entry[1].resource.subject", "not the patient"),
        (bundle(observation("a", HB), observation("b", HB) | {"subject": {"reference": "Patient/other"}}),
         "entry[1].resource.subject", "not the patient"),
    ],
)  # fmt: skip
def test_what_is_no_record_of_one_patient_is_refused_with_its_place(record, field, message):
    found = problem(record)
    assert found.field == field
    assert message in found.message
    assert found.fix


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/example",
        "https://records.example/Patient/example",
        "Patient/example/_history/3",
        "http://records.example/Patient/example/",
    ],
)
def test_the_patient_may_be_named_in_every_usual_way(reference):
    hb = observation("a", HB, valueQuantity=quantity(9, "g/dL")) | {"subject": {"reference": reference}}
    assert "hemoglobin" in read(hb).values


def test_a_patient_named_by_a_uuid():
    record = bundle(person(), observation("a", HB, valueQuantity=quantity(9, "g/dL")))
    record["entry"][0]["fullUrl"] = record["entry"][1]["resource"]["subject"]["reference"] = "urn:uuid:1"
    from bcma_decide.comparing.compare import load_pooled
    from bcma_decide.fhir.reading.reader import read_bundle

    assert "hemoglobin" in read_bundle(record, load_pooled().codes, load_pooled().definitions, ON).values


def test_a_resource_that_names_no_patient_is_ignored_and_counted():
    reading = read(observation("a", HB, valueQuantity=quantity(9, "g/dL")) | {"subject": None})
    assert reading.values == {}
    assert ("1 resource: Observation/a", "names no patient") in [
        (line.text, line.note) for line in reading.ledger.inputs
    ]


JUNK = [
    None, 1, "x", [], {}, {"resource": None}, {"resource": []}, {"resource": {}}, {"resource": {"resourceType": 5}},
    {"resource": {"resourceType": "../Patient"}}, {"request": {"method": "DELETE"}, "resource": observation("a", HB)},
]  # fmt: skip


def test_entries_without_a_resource_are_counted():
    record = bundle(person(), observation("a", HB, valueQuantity=quantity(9, "g/dL")))
    record["entry"] += copy.deepcopy(JUNK)
    from bcma_decide.comparing.compare import load_pooled
    from bcma_decide.fhir.reading.reader import read_bundle

    reading = read_bundle(record, load_pooled().codes, load_pooled().definitions, ON)
    assert list(reading.values) == ["hemoglobin"]
    assert f"{len(JUNK)} entries without a resource" in [line.text for line in reading.ledger.inputs]


def test_odd_ids_do_no_harm_and_are_shown_on_one_line():
    odd = "urn:x;y\n\x1b[31m" + "z" * 500
    line = only(read(observation(odd, HB, valueQuantity=quantity(9, "g/dL"))), "hemoglobin")
    assert line.state == "used"
    assert "\n" not in line.resource
    assert "\x1b" not in line.resource
    assert len(line.resource) < 120


@for_each("junk", [None, 1, "x", [], [None], [[]], {}, {"coding": 1}, {"coding": [1, None, {"code": 1}]}, True])
@for_each(
    "element", ["code", "status", "valueQuantity", "effectiveDateTime", "component", "referenceRange", "id", "note"]
)
def test_junk_in_any_element_of_an_observation_is_read_without_harm(element, junk):
    for concept in (
        HB,
        coded(LOINC, "2532-0"),
        coded(LOINC, "98014-4"),
        coded(LOINC, "69548-6"),
        coded(LOINC, "89247-1"),
    ):
        read(observation("a", concept, valueQuantity=quantity(9, "g/dL")) | {element: junk})


@for_each("junk", [None, 1, "x", [], [None], {}, {"coding": 1}, {"reference": "#"}, {"reference": 1}, True])
@for_each(
    "element", ["code", "status", "medicationCodeableConcept", "medicationReference", "contained", "intent",
                "verificationStatus", "clinicalStatus", "authoredOn", "effectivePeriod", "performedPeriod"],
)  # fmt: skip
def test_junk_in_any_element_of_other_resources_is_read_without_harm(element, junk):
    for kind in (
        "MedicationRequest",
        "MedicationStatement",
        "MedicationAdministration",
        "MedicationDispense",
        "Procedure",
    ):
        read(given("a", {"text": "Velcade"}, kind=kind) | {element: junk})
    read(condition("c", "http://snomed.info/sct", "109989006") | {element: junk})


def test_references_in_a_circle_end():
    a = {"resourceType": "Medication", "id": "a", "ingredient": [{"itemReference": {"reference": "Medication/b"}}]}
    b = {"resourceType": "Medication", "id": "b", "ingredient": [{"itemReference": {"reference": "Medication/a"}}]}
    part = observation("o", HB, hasMember=[{"reference": "Observation/o"}], valueQuantity=quantity(9, "g/dL"))
    reading = read(a, b, given("m", None, medicationReference={"reference": "Medication/a"}), part)
    assert list(reading.values) == ["hemoglobin"]


def test_a_value_that_holds_itself_is_refused():
    record = bundle(person())
    record["entry"].append(record)
    assert "nested deeper" in problem(record).message


def test_deep_nesting_is_refused_as_text_and_as_data():
    with pytest.raises(ProfileError, match="nested deeper"):
        parse_bundle('{"a":' * 200 + "1" + "}" * 200)
    with pytest.raises(ProfileError, match="nested deeper"):
        parse_bundle("[" * 500_000)


@for_each(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("resourceType: Bundle", "not JSON"),
        ("[]", "not a JSON object"),
        ("null", "not a JSON object"),
        ('{"a": NaN}', "NaN"),
        ('{"a": -Infinity}', "Infinity"),
        ('{"a": 1, "a": 2}', "stands there twice"),
        ('{"a": {"b": 1, "b": 1}}', "stands there twice"),
    ],
)
def test_text_that_is_not_plain_json_is_refused(text, message):
    with pytest.raises(ProfileError, match=message):
        parse_bundle(text)


def test_numbers_beyond_any_measure_are_not_used():
    number = "1" + "0" * 5000
    record = json.dumps(bundle(person(), observation("a", HB, valueQuantity=quantity(0, "g/dL"))))
    for huge in (number, "1e999", "-1e999"):
        found = parse_bundle(record.replace('"value": 0', f'"value": {huge}'))
        reading = read(*(entry["resource"] for entry in found["entry"][1:]))
        assert reading.values == {}
        assert only(reading, "hemoglobin").state == "not_usable"


def test_a_file_that_is_too_large_is_refused_before_it_is_parsed(tmp_path, monkeypatch):
    path = tmp_path / "large.json"
    with path.open("wb") as stream:
        stream.truncate(50_000_000)
    monkeypatch.setattr(reader.json, "loads", lambda *_, **__: pytest.fail("was parsed"))
    with pytest.raises(ProfileError, match="larger than 20 MB") as error:
        read_bundle_file(path)
    assert error.value.problems[0].file == str(path)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ProfileError, match="cannot be read"):
        read_bundle_file(tmp_path / "none.json")
    with pytest.raises(ProfileError, match="cannot be read"):
        read_bundle_file(tmp_path)
    (tmp_path / "latin.json").write_bytes(b'{"a": "\xe9"}')
    with pytest.raises(ProfileError, match="UTF-8"):
        read_bundle_file(tmp_path / "latin.json")


def test_more_pages_are_noted():
    assert "the record has more pages than were given" in [
        line.text for line in read(link=[{"relation": "next", "url": "https://records.example/2"}]).ledger.inputs
    ]


def test_the_same_resource_twice_counts_once():
    hb = observation("a", HB, valueQuantity=quantity(9, "g/dL"))
    assert only(read(hb, copy.deepcopy(hb)), "hemoglobin").state == "used"


@for_each(
    ("record", "text"),
    [
        (bundle(person(), timestamp="2026-11-25T08:00:00Z"), "2026-11-25"),
        (bundle(person(), timestamp=None, meta={"lastUpdated": "2026-10-01T00:00:00Z"}), "2026-10-01"),
        (
            bundle(person(meta={"lastUpdated": "2026-09-01T00:00:00Z"}), observation("a", HB), timestamp=None),
            "2026-09-01",
        ),
        (bundle(person(), observation("a", HB, days=3), observation("b", HB, days=9), timestamp=None), "2026-11-22"),
        (bundle(person(), timestamp=None), None),
    ],
)
def test_the_newest_date_of_a_record(record, text):
    found = newest_date(record, ON)
    assert (found.text if found else None) == text


def test_a_large_record_of_one_day_is_read_in_time():
    """Every value differs from every other: nothing is used, and it does not take the square of their number."""
    many = [observation(f"o{n}", HB, valueQuantity=quantity(5 + n / 1000, "g/dL")) for n in range(2000)]
    assert read(*many).values == {}


def test_an_example_with_every_id_spoiled_is_still_that_example():
    record = record_of(load_example("fit-58"))
    resources = [entry["resource"] for entry in record["entry"][1:]]
    spoiled = [{**each, "id": f"{each['id']};{number}"} for number, each in enumerate(resources)]
    assert read(*spoiled).values == read(*resources).values
