"""What holds for every record: order does not matter, the unrelated does not matter, nothing is made up."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.comparing.compare import load_pooled
from bcma_decide.fhir.reading.reader import read_bundle
from bcma_decide.patient.files import example_names, load_example
from bcma_decide.patient.quantities import read_quantity
from tests.fhir.reading.support.drawn import records
from tests.fhir.reading.support.records import (
    LOINC,
    ON,
    bundle,
    coded,
    observation,
    person,
    quantity,
    record_of,
)
from tests.fhir.reading.support.records import given as dose
from tests.support.examples import examples

SETTINGS = examples(50)

unrelated = st.sampled_from(
    [
        {"resourceType": "Encounter", "id": "e", "status": "finished", "subject": {"reference": "Patient/example"}},
        {"resourceType": "Immunization", "id": "i", "patient": {"reference": "Patient/example"}},
        {"resourceType": "Practitioner", "id": "x", "name": [{"family": "del(17p) detected"}]},
        observation("u", coded(LOINC, "8480-6"), valueQuantity=quantity(120, "mm[Hg]")),
        observation(
            "v", coded(LOINC, "8302-2"), valueQuantity=quantity(170, "cm"), note=[{"text": "del(17p) detected"}]
        ),
        dose("w", {"text": "Wonderdrug"}),
    ]
)


def read(resources, infer=False):
    model = load_pooled()
    return read_bundle(bundle(person(), *resources), model.codes, model.definitions, ON, infer=infer)


@SETTINGS
@given(records.flatmap(lambda each: st.tuples(st.just(each), st.permutations(each))), st.booleans())
def test_the_order_of_entries_changes_nothing(pair, infer):
    first, second = pair
    assert read(first, infer) == read(second, infer)


@SETTINGS
@given(records, unrelated)
def test_an_unrelated_resource_changes_no_value_and_no_line(resources, other):
    """What it says of a change of the chromosomes is shown beside them, and not used."""
    without, with_it = read(resources), read([*resources, other])
    more = [line for line in with_it.ledger.inputs if line not in without.ledger.inputs]
    assert with_it.values == without.values
    assert len(with_it.ledger.inputs) == len(without.ledger.inputs) + len(more)
    assert {line.state for line in more} <= {"not_usable"}


@SETTINGS
@given(records)
def test_every_number_of_the_profile_stands_in_the_record(resources):
    """For every quantity used, one result in the record is that value in one of the units of its field."""
    from bcma_decide.patient.fields import FIELDS

    reading = read(resources)
    for name, value in reading.patient.given().items():
        field = FIELDS[name]
        if field.kind != "quantity" or name in reading.patient.spans:
            continue
        found = set()
        for each in resources:
            result = each.get("valueQuantity")
            if result and result["unit"] and each["status"] in ("final", "amended") and "comparator" not in result:
                try:
                    found.add(read_quantity(field, {"value": result["value"], "unit": result["unit"]}).value.value)
                except ValueError:
                    continue
        assert value.value in found, (name, value, found)


@SETTINGS
@given(records)
def test_what_was_used_is_in_the_profile_and_nothing_else(resources):
    reading = read(resources)
    used = {line.field for line in reading.ledger.inputs if line.state == "used" and line.field}
    assert used == set(reading.values) == set(reading.patient.given())


@SETTINGS
@given(records)
def test_without_results_nothing_is_known(resources):
    """Taking every result and drug out of a record leaves no value."""
    emptied = [{k: v for k, v in each.items() if not re.match("value|medication", k)} for each in resources]
    assert read(emptied).values == {}


@SETTINGS
@given(st.sampled_from(example_names()), st.data())
def test_removing_an_entry_adds_no_value(name, data):
    """With one resource less, every value that is left was there before."""
    resources = [entry["resource"] for entry in record_of(load_example(name))["entry"][1:]]
    gone = data.draw(st.integers(0, len(resources) - 1))
    full, less = read(resources).values, read(resources[:gone] + resources[gone + 1 :]).values
    for field, value in less.items():
        assert set(value) <= set(full[field]) if isinstance(value, list) else value == full[field]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["resourceType", "code", "coding", "system", "value", "unit", "status", "subject", "reference", "id", "text"]
    ), inner, max_size=4), max_leaves=12,
)  # fmt: skip


@SETTINGS
@given(st.sampled_from(["Observation", "Condition", "Procedure", "MedicationStatement", "DiagnosticReport"]), st.data())
def test_any_json_in_any_element_is_read_without_harm(kind, data):
    base = {
        "Observation": observation("o", coded(LOINC, "718-7"), valueQuantity=quantity(9, "g/dL")),
        "Procedure": dose("p", {"text": "Carvykti"}, kind="Procedure"),
        "MedicationStatement": dose("m", {"text": "Velcade"}, kind="MedicationStatement"),
        "Condition": {"resourceType": kind, "id": "c", "subject": {"reference": "Patient/example"}},
        "DiagnosticReport": observation("d", coded(LOINC, "98014-4"), conclusion="x") | {"resourceType": kind},
    }[kind]
    elements = sorted(
        {*base, "code", "component", "note", "contained", "medicationReference"} - {"resourceType", "subject"}
    )
    changed = {**base, data.draw(st.sampled_from(elements)): data.draw(JSON)}
    reading = read([changed])
    json.dumps([line.model_dump() for line in reading.ledger.inputs])
