"""What is refused of a record as a whole, in full; and which day it is of."""

import json

import pytest

from bcma_decide.errors import ProfileError
from bcma_decide.fhir.reading import bundle as door
from bcma_decide.fhir.reading.record_day import newest_date
from tests.fhir.reading.support.reading import read
from tests.fhir.reading.support.records import LOINC, ON, bundle, coded, observation, person
from tests.support.cases import for_each

HB = coded(LOINC, "718-7")


def refused(do, *arguments, **more):
    with pytest.raises(ProfileError, match="the record cannot be read") as caught:
        do(*arguments, **more)
    (problem,) = caught.value.problems
    return problem.field, problem.message, problem.fix


@for_each(
    ("text", "field", "message", "fix"),
    [
        ("", "line 1", "not JSON: Expecting value", "a FHIR Bundle as JSON"),
        ("{\n\n]", "line 3", "not JSON: Expecting property name enclosed in double quotes", "a FHIR Bundle as JSON"),
        ('{"a": 1, "a": 2}', "'a'", "stands there twice in one object", "keep one of them"),
        ('{"a": NaN}', "NaN", "is not a number of JSON", "leave the element out"),
        ("[]", "", "is not a JSON object", "a FHIR R4 Bundle"),
        ("1", "", "is not a JSON object", "a FHIR R4 Bundle"),
    ],
)
def test_a_text_that_is_no_record(text, field, message, fix):
    assert refused(door.parse_bundle, text) == (field, message, fix)


def test_a_text_of_exactly_the_limit_is_read(monkeypatch):
    monkeypatch.setattr(door, "SIZE_LIMIT", 2_000_000)
    text = json.dumps({"a": "x" * (2_000_000 - 9)})
    assert len(text) == 2_000_000
    assert set(door.parse_bundle(text)) == {"a"}
    assert refused(door.parse_bundle, f"{text} ") == ("", "is larger than 2 MB", "the record of one patient")


@for_each(("levels", "fits"), [(64, True), (65, False)])
def test_a_record_of_sixty_four_levels_is_read(levels, fits):
    text = '{"a":' * levels + "1" + "}" * levels
    if fits:
        assert door.parse_bundle(text)
    else:
        assert refused(door.parse_bundle, text) == ("", "is nested deeper than 64 levels", "a FHIR R4 Bundle")


@for_each(
    ("more", "field", "message", "fix"),
    [
        ({"resourceType": None}, "resourceType", "is missing", "a FHIR R4 Bundle"),
        ({"resourceType": "Patient"}, "resourceType", "is 'Patient', not 'Bundle'", "a FHIR R4 Bundle"),
        (
            {"type": "history"}, "type", "'history' is not read",
            "one of collection, searchset, document, transaction, batch, batch-response, transaction-response",
        ),
        ({"entry": {}}, "entry", "is not a list", "a list of entries, each with a resource"),
        (
            {"entry": [{"resource": person()}, {"resource": person(id="b")}]},
            "entry[1].resource", "is a second patient", "one patient per bundle",
        ),
        (
            {"entry": [{"resource": person()}, {"resource": observation("a", HB, subject={"reference": "Patient/b"})}]},
            "entry[1].resource.subject", "is not the patient of the bundle", "one patient per bundle",
        ),
        (
            {"entry": [{"resource": observation("a", HB, subject={"reference": f"Patient/{name}"})} for name in "aab"]},
            "entry[2].resource.subject", "is not the patient of the bundle", "one patient per bundle",
        ),
    ],
)  # fmt: skip
def test_a_bundle_that_is_not_read(more, field, message, fix):
    if "entry" in more and isinstance(more["entry"], list):
        for number, entry in enumerate(more["entry"]):
            entry["resource"]["id"] = entry["resource"]["id"] if number < 1 else f"r{number}"
    assert refused(read, **more) == (field, message, fix)


@for_each("kind", ["collection", "searchset", "document", "transaction", "batch", None])
def test_kinds_of_bundles_that_are_read(kind):
    assert read(patient=person(gender="male"), kind=kind).values == {"sex": "male"}


@for_each(
    "element",
    ["effectiveDateTime", "effectiveInstant", "performedDateTime", "recordedDate", "authoredOn", "issued",
     "dateAsserted", "whenHandedOver"],
)  # fmt: skip
def test_a_bundle_without_a_stamp_is_of_the_newest_day_in_it(element):
    old = observation("old", HB, effectiveDateTime="2025-01-01")
    new = observation("new", HB, effectiveDateTime=None) | {element: "2026-11-20"}
    for order in ((old, new), (new, old)):
        assert newest_date(bundle(*order, timestamp=None), ON).text == "2026-11-20"


def test_a_day_of_birth_is_no_day_of_the_record():
    assert newest_date(bundle(person(birthDate="2026-11-20"), timestamp=None), ON) is None


def test_a_stamp_comes_before_all_days_inside():
    new = observation("new", HB, effectiveDateTime="2026-11-20", meta={"lastUpdated": "2026-11-21T00:00:00Z"})
    stamped = bundle(new, timestamp="2026-01-01T00:00:00Z", meta={"lastUpdated": "2026-02-01T00:00:00Z"})
    assert newest_date(stamped, ON).text == "2026-01-01"
    assert newest_date({**stamped, "timestamp": None}, ON).text == "2026-02-01"
    assert newest_date({**stamped, "timestamp": None, "meta": None}, ON).text == "2026-11-21"


@for_each(
    ("more", "on"),
    [
        ({"effectiveDateTime": "2062-11-20"}, "2026-11-20"),
        ({"effectiveDateTime": "2026-11-24", "status": "registered"}, "2026-11-20"),
        ({"effectiveDateTime": "2026-11-24", "status": "entered-in-error"}, "2026-11-20"),
        ({"effectiveDateTime": "2026-11-24", "status": "preparation"}, "2026-11-20"),
        ({"effectiveDateTime": "2026-11-24", "status": ["final"]}, "2026-11-20"),
        ({"effectiveDateTime": "2026-11-24", "status": "amended"}, "2026-11-24"),
        ({"effectiveDateTime": "2026-11-24", "meta": {"lastUpdated": "2062-01-01T00:00:00Z"}}, "2026-11-24"),
    ],
)
def test_only_what_is_final_and_past_dates_a_record(more, on):
    held = observation("a", HB, effectiveDateTime="2026-11-20"), observation("b", HB, **more)
    assert newest_date(bundle(*held, timestamp=None), ON).text == on


def test_a_stamp_in_the_future_is_a_slip():
    held = bundle(observation("a", HB, effectiveDateTime="2026-11-20"), timestamp="2062-01-01T00:00:00Z")
    assert newest_date(held, ON).text == "2026-11-20"


def test_a_month_that_has_not_ended_ends_today():
    held = bundle(observation("a", HB, effectiveDateTime="2026-11"), timestamp=None)
    assert newest_date(held, ON).last == ON
