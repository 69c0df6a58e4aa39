"""The shipped example patients, read from their records, are the same patients."""

import json

from bcma_decide.comparing.compare import load_pooled
from bcma_decide.fhir.reading.reader import read_bundle
from bcma_decide.patient.files import example_names, load_example
from tests.fhir.reading.support.records import BUNDLES, CARRIED, ON, record_of, text_of
from tests.support.cases import for_each


def read(name):
    model = load_pooled()
    record = json.loads((BUNDLES / f"{name}.json").read_text(encoding="utf-8"))
    return read_bundle(record, model.codes, model.definitions, ON)


@for_each("name", example_names())
def test_the_committed_record_is_the_one_generated(name):
    committed = (BUNDLES / f"{name}.json").read_text(encoding="utf-8")
    assert committed == text_of(record_of(load_example(name))), "run: python -m tests.fhir.reading.support.records"


@for_each("name", example_names())
def test_every_field_a_record_can_carry_is_the_same(name):
    example, patient = load_example(name), read(name).patient
    expected = {field: getattr(example, field) for field in CARRIED if field != "received"}
    assert {field: getattr(patient, field) for field in expected} == expected
    assert set(patient.received) == {*example.refractory_to, *example.exposed_to}


@for_each("name", example_names())
def test_nothing_else_is_made_up(name):
    example, reading = load_example(name), read(name)
    assert {f for f in reading.values if f not in CARRIED} == ({"extramedullary_disease"} & set(_yes(example)))
    assert reading.has_myeloma is True
    assert reading.ledger.unmapped == ()


def _yes(example):
    return [field for field, value in example.given().items() if value is True]


def test_there_are_at_least_six():
    assert len(example_names()) >= 6
