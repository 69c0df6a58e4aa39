"""Small records in which something beside a diagnosis turns, spoils or contradicts it, and their plain twins.

Expected values are read off the record by hand. None: the profile holds nothing of the field, and the ledger says why.
"""

import pytest

from tests.fhir.reading.support.beside import amount, concept, held, loinc, result
from tests.fhir.reading.support.reading import lines, read
from tests.fhir.reading.support.records import ICD10CM, ON, SNOMED, condition, observation, person
from tests.support.cases import for_each

GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
DIMDI = "http://fhir.de/CodeSystem/dimdi/icd-10-gm"
WHO = "http://hl7.org/fhir/sid/icd-10"
ICD_O = "http://terminology.hl7.org/CodeSystem/icd-o-3"
CERTAINTY = "https://fhir.kbv.de/CodeSystem/KBV_CS_SFHIR_ICD_DIAGNOSESICHERHEIT"


def called(concept_, **more):
    """A condition under this code."""
    return {**condition("c", "x", "x"), "code": concept_, **more}


def status(code, of="ver-status"):
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/condition-{of}", "code": code}]}


def two(*codes, of="ver-status"):
    return {"coding": [coding for code in codes for coding in status(code, of)["coding"]]}


def german(code, letter=None):
    extension = {
        "url": "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit",
        "valueCoding": {"system": CERTAINTY, "code": letter},
    }
    return {"coding": [{"system": GM, "code": code, **({"extension": [extension]} if letter else {})}]}


PCL, EMD = "plasma_cell_leukemia", "extramedullary_disease"


def worded(text, code="C90.10", **more):
    return called(concept(ICD10CM, code, "", text), **more)


CONDITIONS = [
    # codes as they are written
    (PCL, [condition("c", ICD10CM, "C9010")], True),
    (PCL, [condition("c", ICD10CM, "c90.10")], True),
    (PCL, [condition("c", GM, "C90.10")], True),
    (PCL, [condition("c", DIMDI, "C90.10")], True),
    (PCL, [condition("c", WHO, "C90.1")], True),
    (PCL, [condition("c", GM, "C90.10+")], True),
    (PCL, [condition("c", GM, "C90.10 G")], True),
    (PCL, [condition("c", GM, "C90.10V")], None),
    (PCL, [condition("c", GM, "C90.10 A")], None),
    (PCL, [condition("c", SNOMED, "95210003")], True),
    (PCL, [condition("c", ICD_O, "9733/3")], True),
    (PCL, [called(german("C90.10", "G"))], True),
    (PCL, [called(german("C90.10", "V"))], None),
    (PCL, [called(german("C90.10", "Z"))], None),
    (PCL, [called(german("C90.10", "A"))], None),
    (EMD, [condition("c", WHO, "C90.2")], True),
    (EMD, [condition("c", GM, "C90.21")], None),
    # two codes of one status, and categories
    (PCL, [worded("PCL", clinicalStatus=two("active", "resolved", of="clinical"))], None),
    (PCL, [worded("PCL", clinicalStatus=two("active", "recurrence", of="clinical"))], True),
    (PCL, [worded("PCL", verificationStatus=two("confirmed", "refuted"))], None),
    (PCL, [worded("PCL", verificationStatus=two("confirmed", "confirmed"))], True),
    (PCL, [worded("PCL", category=[{"text": "Family history"}])], None),
    (PCL, [worded("PCL", category=[concept(SNOMED, "57177007")])], None),
    (PCL, [worded("PCL", category=[{"text": "Familienanamnese"}])], None),
    (PCL, [worded("PCL", category=[{"text": "Problem List Item"}, {"text": "Encounter Diagnosis"}])], True),
    # words of the name
    (PCL, [worded("Plasma cell leukemia not having achieved remission")], True),
    (PCL, [worded("Rule out plasma cell leukemia")], None),
    (PCL, [worded("r/o PCL")], None),
    (PCL, [worded("V.a. Plasmazellleukämie")], None),
    (PCL, [worded("Plasma cell leukemia?")], None),
    (PCL, [worded("Family history of plasma cell leukemia")], None),
    (PCL, [worded("History of plasma cell leukemia")], None),
    (PCL, [worded("Suspected plasma cell leukemia")], None),
    (PCL, [worded("No evidence of plasma cell leukemia")], None),
    (PCL, [worded("Screening for plasma cell leukemia")], None),
    (PCL, [worded("Ausschluss Plasmazellleukämie")], None),
    (PCL, [worded("Z.n. Plasmazellleukämie")], None),
    (PCL, [worded("Possible plasma cell leukemia")], None),
    (PCL, [worded("Multiple myeloma")], None),
    (PCL, [worded("Acute myeloid leukemia")], None),
    (EMD, [worded("Solitary plasmacytoma", "C90.20")], None),
    (EMD, [worded("Extramedullary hematopoiesis", "C90.20")], None),
    (PCL, [worded("Plasma cell leukemia", note=[{"text": "Ruled out by flow cytometry."}])], None),
    (PCL, [worded("Plasma cell leukemia", note=[{"text": "22 % circulating plasma cells."}])], True),
    # by name alone
    (PCL, [called({"text": "Plasma cell leukaemia"})], True),
    (PCL, [called({"text": "Plasmazellleukämie"})], True),
    (PCL, [called({"text": "Plasma cell leukaemia risk"})], None),
    (EMD, [called({"text": "Extramedullary disease"})], True),
    (EMD, [called({"text": "No extramedullary disease"})], None),
    # statuses
    (PCL, [condition("c", ICD10CM, "C90.10", verificationStatus={"text": "Confirmed"})], True),
    (PCL, [condition("c", ICD10CM, "C90.10", verificationStatus={"text": "Refuted"})], None),
    (PCL, [condition("c", ICD10CM, "C90.10", verificationStatus=status("differential"))], None),
    (PCL, [condition("c", ICD10CM, "C90.10", clinicalStatus=status("remission", "clinical"))], True),
    (PCL, [condition("c", ICD10CM, "C90.10", clinicalStatus=status("resolved", "clinical"))], None),
    (PCL, [condition("c", ICD10CM, "C90.10", abatementDateTime="2024-01-01")], None),
    (PCL, [condition("c", ICD10CM, "C90.10", verificationStatus={**status("confirmed"), "text": "Provisional"})], None),
    (PCL, [condition("c", ICD10CM, "C90.10", verificationStatus={**status("confirmed"), "text": "Confirmed"})], True),
    (
        EMD,
        [condition("c", ICD10CM, "C90.20", clinicalStatus={**status("active", "clinical"), "text": "Resolved"})],
        None,
    ),
    (
        EMD,
        [condition("c", ICD10CM, "C90.20", clinicalStatus={**status("active", "clinical"), "text": "No longer"})],
        None,
    ),
    (EMD, [worded("Extramedullary plasmacytoma in remission", "C90.20")], None),
    (EMD, [worded("Extramedullary plasmacytoma not having achieved remission", "C90.20")], True),
    (EMD, [worded("Query extramedullary disease", "C90.20")], None),
    (EMD, [condition("c", ICD10CM, "C90.20", clinicalStatus={"text": "Active"})], True),
    (EMD, [condition("c", ICD10CM, "C90.20", clinicalStatus={"text": "Resolved"})], None),
    (EMD, [condition("c", ICD10CM, "C90.20", clinicalStatus={"text": "in remission"})], None),
    (EMD, [condition("c", ICD10CM, "C90.20", clinicalStatus={"text": "local word"})], None),
    (
        EMD,
        [
            condition(
                "c", ICD10CM, "C90.20", abatementDateTime="2026-10-20", clinicalStatus=status("active", "clinical")
            )
        ],
        None,
    ),
    (EMD, [condition("c", ICD10CM, "C90.20", abatementString="resolved after radiotherapy")], None),
    (EMD, [condition("c", ICD10CM, "C90.20", abatementBoolean=True)], None),
    (EMD, [condition("c", ICD10CM, "C90.20", abatementBoolean=False)], True),
    (EMD, [condition("c", ICD10CM, "C90.20", onsetDateTime="2027-01-01")], None),
    # newer entries
    (
        PCL,
        [
            condition("a", ICD10CM, "C90.10", recordedDate="2024-01-01"),
            condition("b", ICD10CM, "C90.10", verificationStatus=status("refuted")),
        ],
        None,
    ),
    (
        PCL,
        [
            condition("a", ICD10CM, "C90.10"),
            condition("b", ICD10CM, "C90.10", recordedDate="2024-01-01", verificationStatus=status("refuted")),
        ],
        True,
    ),
    (
        PCL,
        [condition("a", ICD10CM, "C90.10"), condition("b", SNOMED, "95210003", verificationStatus=status("refuted"))],
        None,
    ),
    (
        EMD,
        [
            condition("a", ICD10CM, "C90.20", recordedDate="2026-09-01"),
            condition("b", ICD10CM, "C90.20", clinicalStatus=status("resolved", "clinical")),
        ],
        None,
    ),
    (
        PCL,
        [
            condition("a", ICD10CM, "C90.10"),
            condition("b", ICD10CM, "C90.10", recordedDate=None, verificationStatus=status("refuted")),
        ],
        None,
    ),
]

KIDNEY = [
    ("egfr", [condition("c", ICD10CM, "N18.4")], (15, 29)),
    ("egfr", [condition("c", ICD10CM, "N1832")], (30, 44)),
    ("egfr", [condition("c", GM, "N18.3")], (30, 59)),
    ("egfr", [called(concept(SNOMED, "431857002", "Chronic kidney disease stage 4 (disorder)"))], (15, 29)),
    ("egfr", [called(concept(ICD10CM, "N18.4", "", "Chronic kidney disease, stage 3a"))], None),
    ("egfr", [condition("c", ICD10CM, "N18.4", clinicalStatus=status("resolved", "clinical"))], None),
    ("egfr", [condition("c", ICD10CM, "N18.4", recordedDate="2024-01-01")], None),
    ("egfr", [condition("c", ICD10CM, "N18.4"), result("98979-8", amount(33, "mL/min/{1.73_m2}"))], 33),
    (
        "egfr",
        [
            condition("c", ICD10CM, "N18.4"),
            observation("o1", loinc("98979-8"), days=90, valueQuantity=amount(33, "mL/min/{1.73_m2}")),
        ],
        (15, 29),
    ),
    ("egfr", [condition("c", ICD10CM, "N18.9")], None),
    ("dialysis", [condition("c", ICD10CM, "N18.6")], True),
    ("dialysis", [condition("c", ICD10CM, "Z99.2")], True),
    ("dialysis", [condition("c", GM, "Z99.2", clinicalStatus=status("inactive", "clinical"))], None),
    ("dialysis", [called(concept(ICD10CM, "N18.6", "End stage renal disease"))], True),
    ("dialysis", [condition("c", ICD10CM, "N18.5")], None),
]


@for_each(("field", "resources", "expected"), [*CONDITIONS, *KIDNEY])
def test_a_diagnosis_counts_only_where_the_record_says_it_is_so_now(field, resources, expected):
    value = held(resources, field)
    assert value == (pytest.approx(expected, abs=1e-6) if isinstance(expected, tuple) else expected)


CLINICAL = "http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse"
BIRTH = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
RECORDED = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-sex"


def clinical(code):
    return {"url": CLINICAL, "extension": [{"url": "value", "valueCodeableConcept": concept("x", code)}]}


@for_each(
    ("gender", "extensions", "expected"),
    [
        ("male", [], "male"),
        ("male", [clinical("female-typical")], "female"),
        ("female", [clinical("male-typical")], "male"),
        ("other", [clinical("female-typical")], "female"),
        ("male", [clinical("specified")], None),
        ("male", [clinical("female-typical"), clinical("male-typical")], None),
        ("male", [{"url": BIRTH, "valueCode": "M"}], "male"),
        ("male", [{"url": BIRTH, "valueCode": "F"}], None),
        ("male", [{"url": BIRTH, "valueCode": "UNK"}], "male"),
        ("female", [{"url": RECORDED, "valueCode": "248153007"}], None),
        ("female", [{"url": RECORDED, "valueCode": "248152002"}], "female"),
        ("male", [{"url": BIRTH, "valueCode": "F"}, clinical("male-typical")], "male"),
        (None, [{"url": BIRTH, "valueCode": "F"}], "female"),
    ],
)
def test_the_sex_for_formulas(gender, extensions, expected):
    patient = person(**({"gender": gender} if gender else {}), extension=extensions)
    reading = read(patient=patient)
    assert reading.patient.sex == expected
    assert lines(reading, "sex")


@for_each(("born", "expected"), [("1958-03-14", 68), ("1958", (67, 68)), ("1958-11", (67, 68)), ("1958-10", 68)])
def test_a_partial_date_of_birth_gives_the_ages_it_can_be(born, expected):
    """On 25 November 2026."""
    assert ON.isoformat() == "2026-11-25"
    assert held([], "age", patient=person(birthDate=born)) == expected
