"""The value a resource is read into: what it holds, and that no JSON raises or travels on."""

import copy
from datetime import date
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bcma_decide.fhir.reading as room
from bcma_decide.fhir.reading.datatypes import Concept, WrittenNumber
from bcma_decide.fhir.reading.resource_reading import read_resource, subject_of
from bcma_decide.pooled.codes import Coding
from tests.fhir.reading.support.hostile import ELEMENTS, JSON
from tests.fhir.reading.support.records import LOINC, SNOMED, coded, condition, observation, person, quantity
from tests.fhir.reading.support.records import given as dose
from tests.support.cases import for_each

SYSTEMS = {LOINC: "loinc", SNOMED: "snomed"}
HB = coded(LOINC, "718-7")
SETTINGS = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def value_of(resource):
    return read_resource(resource, SYSTEMS)


@for_each(
    ("status", "state"),
    [
        (None, ""),
        (coded("x", "confirmed", "ignored"), "confirmed"),
        ({"coding": [{}, {"code": "refuted"}]}, "refuted"),
        ({"text": "Ruled out"}, "Ruled out"),
        ({"coding": [{"display": "Ruled out"}]}, "Ruled out"),
        ({}, "not readable"),
        ("confirmed", "confirmed"),  # before R4 a plain code
        ([coded("x", "confirmed")], "not readable"),
        (False, "not readable"),
    ],
)
def test_a_status_that_cannot_be_read_is_not_none(status, state):
    resource = condition("c", SNOMED, "109989006", verificationStatus=status, clinicalStatus=status)
    assert (value_of(resource).verification, value_of(resource).clinical) == (state, state)


def test_every_result_of_a_resource_is_kept_with_its_type():
    results = value_of(
        observation(
            "a",
            HB,
            valueQuantity=quantity(9, "g/dL"),
            valueCodeableConcept={"text": "low"},
            valueInteger=2,
            valueBoolean=False,
            valueString="a\nb",
            valueRange={"low": quantity(1, "g/dL")},
            valueDateTime="2026",
            value=3,
            valueset="x",
            valueSampledData=None,
        )
    ).coded.results
    assert [(each.element, each.content) for each in results] == [
        ("valueQuantity", (WrittenNumber(9, "9"), "g/dL", True, None, "g/dL", "g/dL")),
        ("valueCodeableConcept", Concept((), ("low",), ())),
        ("valueInteger", WrittenNumber(2, "2")),
        ("valueBoolean", False),
        ("valueString", "a\nb"),
        ("valueRange", None),
        ("valueDateTime", None),
    ]
    assert [each.shown for each in results] == ["", "", "", "", "a b", "", "2026"]


def test_a_result_of_another_json_type_is_shown_and_has_no_content():
    results = value_of(
        observation("a", HB, valueQuantity="9 g/dL", valueCodeableConcept=[], valueBoolean="yes", valueString=7)
    ).coded.results
    assert [(each.shown, each.content) for each in results] == [("9 g/dL", None), ("", None), ("yes", None), ("", None)]


def test_components_are_read_like_the_resource_itself():
    part = {
        "code": HB,
        "valueQuantity": quantity(9, "g/dL"),
        "dataAbsentReason": coded("x", "unknown"),
        "referenceRange": [{"high": quantity(17, "g/dL")}],
    }
    whole = value_of({**observation("a", HB), **part, "component": [part, "junk", part]})
    assert list(map(repr, whole.components)) == 2 * [repr(whole.coded)]
    assert whole.coded.absent.codings == (Coding("x", "unknown"),)


def test_upper_limits_are_those_of_the_normal():
    ranges = [
        {"high": quantity(1, "U/L")},
        {"high": quantity(2, "U/L"), "type": coded("x", "normal")},
        {"high": quantity(3, "U/L"), "type": coded("x", "therapeutic")},
        {"low": quantity(4, "U/L")},
        {"high": 5},
        "6",
    ]
    limits = value_of(observation("a", HB, referenceRange=ranges)).coded.upper_limits
    assert [each.number.value for each in limits] == [1, 2]


def test_times_are_told_apart_by_element_and_unreadable_ones_are_none():
    resource = value_of(
        observation(
            "a",
            HB,
            effectivePeriod={"start": "2026-01", "end": "2026-02-03"},
            issued="2026-05-01",
            effectiveInstant="?",
        )
        | {"effectiveDateTime": "yesterday"}
    )
    assert resource.when("effectiveDateTime", "effectiveInstant") is None
    found = resource.when("effectiveDateTime", "effectivePeriod", "issued")
    assert (found.first, found.last) == (date(2026, 1, 1), date(2026, 2, 3))
    assert {"effectiveDateTime", "effectiveInstant"} <= resource.elements


@for_each(
    ("about", "address"),
    [
        ({"subject": {"reference": "Patient/1"}}, "Patient/1"),
        ({"subject": {"reference": "https://a.example/fhir/Patient/1/_history/2"}}, "Patient/1"),
        ({"patient": {"reference": "urn:uuid:1"}}, "urn:uuid:1"),
        ({"subject": {"display": "she"}, "patient": {"reference": "Patient/1"}}, "Patient/1"),
        ({"subject": {"reference": ""}}, None),
        ({"subject": {"reference": ["Patient/1"]}}, None),
        ({"subject": "Patient/1"}, None),
        ({}, None),
    ],
)
def test_whom_a_resource_is_about(about, address):
    assert subject_of(about) == value_of({"resourceType": "Observation", **about}).subject == address


def test_a_resource_is_called_by_kind_and_id_and_the_patient_never_by_id():
    assert value_of(observation("a\nb", HB)).name == "Observation/a b"
    assert value_of(observation(7, HB)).name == "Observation"
    assert value_of(person()).name == "Patient"
    entry = read_resource(person(), SYSTEMS, url="https://a.example/fhir/Patient/9/_history/1")
    assert entry.addresses == {"Patient/example", "Patient/9"}
    assert read_resource(person(), SYSTEMS, url=9).addresses == {"Patient/example"}


def test_an_order_keeps_its_medication_inside_and_beside():
    inside = {"resourceType": "Medication", "id": "m", "code": {"text": "Velcade"}, "contained": [person()]}
    order = value_of(
        dose(
            "a",
            {"text": "bortezomib"},
            kind="MedicationRequest",
            contained=[inside, "junk", {"id": "n"}, {"resourceType": ["Medication"]}],
            medicationReference={"reference": "#m", "display": "her\tdrug"},
            intent="order",
            doNotPerform=True,
        )
    )
    assert order.medication.texts == ("bortezomib",)
    assert order.medication_reference[:2] == ("#m", "her drug")
    assert (order.intent, order.status, order.do_not_perform) == ("order", "completed", True)
    (held,) = order.contained
    assert (held.kind, held.id, held.code.texts, held.contained) == ("Medication", "m", ("Velcade",), ())


@for_each("junk", [1, "true", None, [], {"x": True}])
def test_only_true_is_true(junk):
    assert not value_of({**person(), "deceasedBoolean": junk}).deceased


@for_each(("written", "forbids"), [(None, False), (False, False), ("false", False), ("No", False), (True, True),
                                   ("true", True), ("1", True), (1, True), ([], True), ({"x": 1}, True)])  # fmt: skip
def test_an_order_not_to_give_is_heard_in_any_spelling(written, forbids):
    assert value_of({**person(), "doNotPerform": written}).do_not_perform is forbids


def test_conclusion_and_notes_are_kept_in_full():
    long = "del(17p) " * 1000
    report = value_of(observation("a", HB, note=[{"text": long}, {"text": 3}, "junk", {"text": "b"}], conclusion="c"))
    assert report.remarks == ("c", long, "b")


FULL = [
    {
        **observation("a", HB, valueQuantity=quantity(9, "g/dL"), note=[{"text": "n"}], conclusion="c"),
        "dataAbsentReason": coded("x", "unknown", "unknown"),
        "referenceRange": [{"high": quantity(17, "g/dL"), "type": coded("x", "normal")}],
        "component": [{"code": HB, "valueCodeableConcept": coded("x", "y"), "valueString": "z", "valueInteger": 1}],
        "effectivePeriod": {"start": "2026", "end": "2027-01"},
    },
    {
        **dose("m", coded(SNOMED, "1", "d"), kind="MedicationRequest", intent="order", doNotPerform=False),
        "medicationReference": {"reference": "#i", "display": "d"},
        "contained": [{"resourceType": "Medication", "id": "i", "code": coded(SNOMED, "1", "d")}],
    },
    condition("c", SNOMED, "1", verificationStatus=coded("x", "y"), clinicalStatus=coded("x", "y")),
    person(birthDate="1960-01-01", gender="female", deceasedDateTime="2026", deceasedBoolean=True),
]
JUNK = [None, True, 0, 1.5, -(10**40), float("inf"), "", "x", "#", [], [None], [[]], {}, {"coding": {}}, {"a": [1]}]


def places(value, path=()):
    """Paths to everything inside JSON."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from places(each, (*path, key))


def test_junk_in_every_single_place_of_a_full_resource_never_raises():
    for full in FULL:
        for path in places(full):
            for junk in JUNK if path != ("resourceType",) else ():
                changed = copy.deepcopy(full)
                holder = changed
                for key in path[:-1]:
                    holder = holder[key]
                holder[path[-1]] = junk
                assert not set(parts(value_of(changed))) & {dict, list, set}, (path, junk)


RESOURCES = st.dictionaries(st.sampled_from(ELEMENTS), JSON, max_size=12)


@SETTINGS
@given(RESOURCES)
def test_no_json_raises_or_travels_on(elements):
    """Whatever stands anywhere, the value is made of immutable parts, and what it was read from is as it was."""
    data = {"resourceType": "Observation", **elements}
    before = copy.deepcopy(data)
    resource = value_of(data)
    assert isinstance(hash(resource), int)
    assert not set(parts(resource)) & {dict, list, set}
    assert repr(data) == repr(before)


def parts(value):
    """Types of everything inside a value."""
    yield type(value)
    if isinstance(value, (tuple, list, frozenset)):
        for each in value:
            yield from parts(each)


@SETTINGS
@given(RESOURCES, st.randoms())
def test_the_order_of_elements_changes_nothing_but_the_order_of_results_and_times(elements, random):
    names = list(elements)
    random.shuffle(names)

    def told(order):
        resource = value_of({"resourceType": "Observation", **{name: elements[name] for name in order}})
        rest = resource.with_changes(coded=resource.coded.with_changes(results=()), times=(), elements=frozenset())
        results = sorted(map(repr, resource.coded.results))
        return repr(rest), results, sorted(map(repr, resource.times)), resource.elements

    assert told(elements) == told(names)


@SETTINGS
@given(RESOURCES, JSON)
def test_an_element_that_is_not_read_changes_nothing_but_the_list_of_elements(elements, other):
    one = value_of({"resourceType": "Observation", **elements})
    two = value_of({"resourceType": "Observation", **elements, "encounter": other})
    assert repr(two.with_changes(elements=one.elements)) == repr(one)
    assert ("encounter" in two.elements) is (other is not None)


def test_json_is_looked_at_in_three_modules_only():
    """Behind the door nothing asks for an element by its name."""
    door = {"bundle.py", "datatypes.py", "record.py", "record_day.py", "resource_reading.py"}
    asking = {
        path.name
        for path in Path(room.__file__).parent.glob("*.py")
        if '.get("' in path.read_text(encoding="utf-8") or "Plain" in path.read_text(encoding="utf-8")
    }
    assert asking == door
