"""The data types of FHIR: what is kept of each, and that none of them minds junk."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcma_decide.fhir.reading.datatypes import (
    Concept,
    Measurement,
    WrittenNumber,
    clip,
    concept_of,
    local_address,
    measurement_of,
    reference_of,
    written_number,
)
from tests.fhir.reading.support.hostile import JSON
from tests.fhir.reading.support.records import LOINC, UCUM, quantity
from tests.support.cases import for_each

SYSTEMS = {LOINC: "loinc"}
SETTINGS = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_a_concept_has_the_short_names_of_its_systems_and_its_texts_in_order():
    concept = concept_of(
        {
            "coding": [
                {"system": LOINC + "/", "code": " 718-7 ", "display": "Hemoglobin"},
                {"system": "http://local.example", "code": "hb", "display": "Hb"},
                {"code": "without a system"},
                {"system": LOINC},
                {"system": LOINC, "code": "x", "display": "Hb"},
            ],
            "text": "Hb",
        },
        SYSTEMS,
    )
    assert concept.codings == (("loinc", "718-7"), ("http://local.example", "hb"), ("loinc", "x"))
    assert concept.texts == ("Hb", "Hemoglobin")
    assert concept.codes == ("718-7", "hb", "without a system", "", "x")


@for_each(
    ("written", "measured"),
    [
        (quantity(9.5, "g/dL"), Measurement(WrittenNumber(9.5, "9.5"), "g/dL", True, None, "g/dL", "g/dL")),
        ({"value": 9, "unit": " g/dL "}, Measurement(WrittenNumber(9, "9"), "g/dL", False, None, "g/dL")),
        (
            {"value": 9, "unit": "grams", "system": UCUM, "code": "g"},
            (WrittenNumber(9, "9"), "g", True, None, "grams", "g"),
        ),
        (
            {"value": 9, "unit": "grams", "system": "x", "code": "g"},
            (WrittenNumber(9, "9"), "grams", False, None, "grams", "g"),
        ),
        ({"value": 9, "unit": "g", "system": UCUM, "code": 5}, (WrittenNumber(9, "9"), "g", True, None, "g", "")),
        ({"value": 9, "comparator": "<"}, (WrittenNumber(9, "9"), "", False, "<", "", "")),
        ({"value": 9, "comparator": ["<"]}, (WrittenNumber(9, "9"), "", False, "", "", "")),
        ({"value": "9"}, (WrittenNumber(None, "9"), "", False, None, "", "")),
        ({"value": True}, (WrittenNumber(None, "True"), "", False, None, "", "")),
        ({}, (WrittenNumber(None, "?"), "", False, None, "", "")),
    ],
)
def test_a_quantity_keeps_number_unit_and_bound(written, measured):
    assert measurement_of(written) == measured


@for_each(
    ("value", "finite"),
    [(5, 5.0), (0.25, 0.25), (True, None), ("5", None), (10**400, None), (1e400, None), (float("nan"), None)],
)
def test_only_a_number_is_one(value, finite):
    assert Measurement(written_number(value), "", False, None).finite == finite


@SETTINGS
@given(st.text(max_size=400))
def test_shown_text_is_one_short_printable_line_and_stays_it(text):
    shown = clip(text)
    assert len(shown) <= 80
    assert shown.isprintable()
    assert shown == clip(shown)
    assert shown == shown.strip()


@SETTINGS
@given(st.from_regex(r"[A-Z][a-z]{2,9}/[a-z0-9-]{1,9}", fullmatch=True), st.sampled_from(["", "https://a/b/", "x/"]))
def test_an_address_is_the_same_however_it_is_written(address, base):
    for written in (address, f"{address}/", f"{address}/_history/4"):
        assert local_address(base + written) == address


@SETTINGS
@given(JSON)
def test_every_data_type_reads_any_json(value):
    assert isinstance(concept_of(value, SYSTEMS), Concept)
    assert isinstance(reference_of(value).display, str)
    assert isinstance(clip(value), str)
    assert isinstance(written_number(value).shown, str)
