"""What a diagnosis is called: every word of a name is a known one, or the diagnosis is shown and not used.

The names that are read are written as records print them: official displays in English, British and German, and the
short forms of problem lists. Those that are not read say, in words no list of bad words would hold, that the disease is
not the patient's, not now, or not certain.
"""

import pytest

from tests.fhir.reading.support.reading import read
from tests.fhir.reading.support.records import ICD10CM, condition, person
from tests.support.cases import for_each

MYELOMA = ("C90.00", None)
PCL = ("C90.10", "plasma_cell_leukemia")
EMD = ("C90.20", "extramedullary_disease")
DIALYSIS = ("Z99.2", "dialysis")


def stage(code):
    return (code, "egfr")


READ = {
    MYELOMA: [
        "Multiple myeloma",
        "Multiple myeloma (HCC)",
        "Multiple myeloma (CMS/HCC)",
        "Multiple myeloma not having achieved remission (CMS/HCC)",
        "Multiple myeloma not having achieved remission (HCC)",
        "MULTIPLE MYELOMA, WITHOUT MENTION OF HAVING ACHIEVED REMISSION",
        "Multiple myeloma in relapse",
        "Multiple myeloma in remission (HCC)",
        "Multiple myeloma (disorder)",
        "Multiple myeloma, NOS",
        "Multiple myeloma and malignant plasma cell neoplasms",
        "MM, IgG kappa, ISS III",
        "IgG kappa multiple myeloma, R-ISS stage II",
        "IgA lambda myeloma",
        "Kappa light chain myeloma",
        "Light chain multiple myeloma (HCC)",
        "Multiple myeloma, remission status unspecified (HCC)",
        "Relapsed/refractory multiple myeloma",
        "Relapsed multiple myeloma after ASCT 2020",
        "Newly diagnosed multiple myeloma, high risk",
        "Multiple myeloma, stage 3 (Durie-Salmon IIIA)",
        "Multiple myeloma with del(17p) and 1q gain",
        "Multiple myeloma of bone with lytic lesions",
        "Triple-class refractory multiple myeloma, progressive",
        "Non-secretory multiple myeloma",
        "Kahler's disease",
        "Plasma cell myeloma (HCC)",
        "Myelomatosis",
        "Plasmozytom, multiples Myelom",
        "Multiples Myelom: Ohne Angabe einer kompletten Remission",
        "Multiples Myelom IgG kappa, Stadium III nach ISS, ED 03/2019",
        "Multiples Myelom, Rezidiv",
        "Leichtkettenmyelom lambda",
        "C90.00 Multiples Myelom",
        "Myélome multiple",
    ],
    PCL: [
        "Plasma cell leukemia",
        "Plasma cell leukaemia",
        "PLASMA CELL LEUKEMIA (HCC)",
        "Plasma cell leukemia (disorder)",
        "Plasma cell leukemia not having achieved remission (CMS/HCC)",
        "Plasma cell leukemia in relapse (HCC)",
        "Plasma cell leukemia in remission",
        "Plasma cell leukemia, without mention of remission",
        "Primary plasma cell leukemia",
        "Secondary plasma cell leukaemia, newly diagnosed 2026",
        "Plasma cell leukemia, NOS",
        "Plasma cell leukemia, refractory, on treatment",
        "Active plasma cell leukemia",
        "Multiple myeloma with plasma cell leukemia",
        "Plasmazellenleukämie: Ohne Angabe einer kompletten Remission",
        "Plasmazellleukämie, Erstdiagnose 2025",
        "Sekundäre Plasmazellleukämie bei multiplem Myelom",
        "PCL (plasma cell leukemia)",
    ],
    EMD: [
        "Extramedullary plasmacytoma",
        "Extramedullary plasmacytoma (HCC)",
        "Extramedullary plasmacytoma not having achieved remission (CMS/HCC)",
        "Extramedullary plasmacytoma in relapse",
        "Plasmacytoma, extramedullary (not occurring in bone)",
        "Extramedullary multiple myeloma, liver",
        "Extramedullary plasmacytoma, chest wall, left",
        "Active extramedullary disease",
        "Extramedullary disease of soft tissue in multiple myeloma",
        "Extramedulläres Plasmozytom",
        "Extramedulläres Plasmozytom: Ohne Angabe einer kompletten Remission",
    ],
    stage("N18.4"): [
        "Chronic kidney disease, stage 4 (severe)",
        "Chronic kidney disease stage 4 (disorder)",
        "CKD (chronic kidney disease) stage 4, GFR 15-29 ml/min (HCC)",
        "Stage 4 chronic kidney disease (HCC)",
        "CKD stage 4 (eGFR 15-29)",
        "CKD G4 A2",
        "CKD - Chronische Niereninsuffizienz Grad 4",
        "CKD stage IV",
        "Chronic kidney disease stage 4 due to type 2 diabetes mellitus",
        "Hypertensive chronic kidney disease, stage 4",
        "Chronische Nierenkrankheit, Stadium 4",
        "Chronische Niereninsuffizienz Stadium IV",
    ],
    stage("N18.2"): ["Chronic kidney disease, stage 2 (mild)", "CKD (chronic kidney disease), stage II (CMS/HCC)"],
    stage("N18.30"): ["Chronic kidney disease, stage 3 unspecified", "Stage 3 chronic kidney disease (CMS/HCC)"],
    stage("N18.31"): ["Stage 3a chronic kidney disease (CMS/HCC)", "Chronic kidney disease, stage 3a"],
    stage("N18.32"): ["CKD stage 3b, GFR 30-44 ml/min (HCC)", "Chronic kidney disease stage 3B (disorder)"],
    stage("N18.5"): ["Chronic kidney disease, stage 5", "CKD stage 5 secondary to multiple myeloma"],
    DIALYSIS: [
        "Dependence on renal dialysis",
        "Dependence on renal dialysis (HCC)",
        "ESRD (end stage renal disease) on dialysis (HCC)",
        "ESRD on hemodialysis (CMS/HCC)",
        "Hemodialysis status",
        "Dependence on hemodialysis",
        "Haemodialysis-dependent end-stage renal failure",
        "Abhängigkeit von Dialyse bei Niereninsuffizienz",
        "Dialysepflichtige terminale Niereninsuffizienz",
    ],
}
NOT_READ = {
    MYELOMA: [
        "Fear of multiple myeloma",
        "Multiple myeloma risk",
        "DD multiples Myelom",
        "Smoldering multiple myeloma",
        "Multiple myeloma, smoldering",
        "Multiple myeloma (neighbour)",
        "Multiple myeloma awareness day",
        "Myelom beim Ehemann",
        "Multiple myeloma vaccine",
    ],
    PCL: [
        "Fear of plasma cell leukemia",
        "Plasma cell leukemia risk",
        "DD Plasmazellleukämie",
        "Plasma cell leukemia phobia",
        "Plasma cell leukemia in wife",
        "Told of plasma cell leukemia",
        "Plasma cell leukemia, imaginary",
        "Plasma cell leukemia gene panel",
        "Angst vor Plasmazellleukämie",
        "Plasma cell leukemia mimic",
    ],
    EMD: [
        "Old extramedullary plasmacytoma",
        "Extramedullary plasmacytoma, treated",
        "Extramedullary plasmacytoma 2019",
        "Extramedullary plasmacytoma, irradiated",
        "Burnt-out extramedullary plasmacytoma",
        "Extramedullary plasmacytoma, excised",
        "Extramedullary plasmacytoma operated 03/2018",
    ],
    stage("N18.4"): [
        "CKD stage 3-4",
        "Acute on chronic kidney disease stage 4",
        "CKD stage 4 pet owner support",
        "Chronic kidney disease stage 4 corrected by transplant",
    ],
    DIALYSIS: ["Dialysis dependence, temporary", "Dialysis dependence averted", "Dialysis talk"],
}
BESIDE_PCL = [
    ("Plasma cell leukemia, left without treatment by the neighbour", False),
    ("Fear of plasma cell leukemia; talked about it.", False),
    ("Plasma cell leukemia in relapse.", True),
    ("Seen on the ward today.", True),
]


def said(code, text, note=None):
    """What the record of a condition of this code and text says: whether of myeloma, and its values."""
    beside = {"note": [{"text": note}]} if note else {}
    coded = {"coding": [{"system": ICD10CM, "code": code}], "text": text}
    return read(person(), {**condition("c", ICD10CM, code), "code": coded, **beside})


def is_read(code, field, text, note=None):
    reading = said(code, text, note)
    return reading.has_myeloma is True if field is None else field in reading.values


@for_each("code, field, text", [(*of, text) for of, texts in READ.items() for text in texts])
def test_names_as_records_print_them_are_read(code, field, text):
    assert is_read(code, field, text)


@for_each("code, field, text", [(*of, text) for of, texts in NOT_READ.items() for text in texts])
def test_a_name_with_another_word_is_shown_and_not_used(code, field, text):
    reading = said(code, text)

    assert reading.has_myeloma is not True
    assert not set(reading.values) - {"age", "sex"}
    assert [line.state for line in reading.ledger.inputs if line.text == text or line.note] != []


@for_each("note, counts", BESIDE_PCL)
def test_a_note_that_names_the_diagnosis_says_nothing_else(note, counts):
    assert is_read(*PCL, "Plasma cell leukemia", note) is counts


@for_each(
    "text", ["Multiple myeloma (HCC)", "MM, IgG kappa, ISS III", "Kappa light chain myeloma", "IgG myeloma, relapsed"]
)
def test_a_name_of_myeloma_counts_without_a_code(text):
    bare = {**condition("c", ICD10CM, "x"), "code": {"text": text}}

    assert read(person(), bare).has_myeloma is True


@pytest.mark.parametrize("text", ["MM", "Multiple myeloma, smoldering", "Fear of multiple myeloma"])
def test_another_text_without_a_code_does_not(text):
    bare = {**condition("c", ICD10CM, "x"), "code": {"text": text}}

    assert read(person(), bare).has_myeloma is None
