"""Units of a record: the UCUM code where there is one, else the text; case counts in the code.

FHIR R4, Quantity: ``code`` is the unit in a form a program can read, ``system`` says in which; ``unit`` is for people.
"""

from tests.fhir.reading.support.reading import only, read
from tests.fhir.reading.support.records import LOINC, UCUM, coded, observation
from tests.support.cases import for_each

HB, FERRITIN, ANC, EGFR = (coded(LOINC, code) for code in ("718-7", "2276-4", "751-8", "98979-8"))
OTHER = "http://local.example/units"


@for_each(
    ("field", "concept", "amount", "kept"),
    [
        ("hemoglobin", HB, {"value": 9, "code": "g/dL", "system": UCUM}, 9),
        ("hemoglobin", HB, {"value": 9, "unit": "grams", "code": "g/dL", "system": UCUM}, 9),
        ("hemoglobin", HB, {"value": 90, "unit": "grams a litre", "code": " g/L ", "system": UCUM}, 9),
        ("hemoglobin", HB, {"value": 9, "code": "g/dL", "system": "urn:oid:2.16.840.1.113883.6.8"}, 9),
        ("hemoglobin", HB, {"value": 9, "unit": "g/dL", "code": "77", "system": OTHER}, 9),
        ("hemoglobin", HB, {"value": 9, "unit": " g/dl "}, 9),
        ("hemoglobin", HB, {"value": 9, "unit": "g/dL", "code": "", "system": UCUM}, 9),
        ("hemoglobin", HB, {"value": 9, "unit": "G/DL", "system": UCUM}, 9),
        ("hemoglobin", HB, {"value": 9, "code": "g/dl", "system": UCUM}, 9),
        ("ferritin", FERRITIN, {"value": 850, "code": "ug/L", "system": UCUM}, 850),
        ("ferritin", FERRITIN, {"value": 850, "code": "\u00b5g/L", "system": UCUM}, 850),
        ("ferritin", FERRITIN, {"value": 850, "code": "\u03bcg/L", "system": UCUM}, 850),
        ("neutrophils", ANC, {"value": 1.1, "code": "10*9/L", "system": UCUM}, 1.1),
        ("neutrophils", ANC, {"value": 1.1, "code": "10^9/L", "system": UCUM}, 1.1),
        ("neutrophils", ANC, {"value": 1100, "code": "{cells}/uL", "system": UCUM}, 1.1),
        ("egfr", EGFR, {"value": 58, "code": "mL/min/{1.73_m2}", "system": UCUM}, 58),
    ],
)
def test_a_unit_that_is_read(field, concept, amount, kept):
    assert getattr(read(observation("x", concept, valueQuantity=amount)).patient, field).value == kept


@for_each(
    ("amount", "note"),
    [
        (
            {"value": 9, "unit": "g/dL", "code": "G/DL", "system": UCUM},
            "G/DL is not a unit for it (g/dL, g/L or mmol/L)",
        ),
        (
            {"value": 90, "unit": "g/dL", "code": "g/L", "system": UCUM},
            "its unit is g/dL in words and g/L by its code",
        ),
        ({"value": 9, "code": "Mg/dL", "system": UCUM}, "Mg/dL is not a unit for it (g/dL, g/L or mmol/L)"),
        ({"value": 9, "code": "g/dL", "system": OTHER}, "no unit"),
        ({"value": 9, "code": "g/dL"}, "no unit"),
        ({"value": 9, "unit": 5}, "no unit"),
        ({"value": 9, "unit": " "}, "no unit"),
        ({"value": 9, "code": "{mass}", "system": UCUM}, "{mass} is not a unit for it (g/dL, g/L or mmol/L)"),
    ],
)
def test_a_unit_that_is_not(amount, note):
    line = only(read(observation("x", HB, valueQuantity=amount)), "hemoglobin")
    assert (line.state, line.note) == ("not_usable", note)


def test_an_indexed_rate_is_no_clearance():
    clearance = {"value": 58, "code": "mL/min/{1.73_m2}", "system": UCUM}
    assert read(observation("x", coded(LOINC, "2164-2"), valueQuantity=clearance)).values == {}
