"""Synthetic records: the shipped example patients as FHIR bundles, shaped as mCODE has them.

``python -m tests.fhir.reading.support.records`` writes them to the folder ``bundles``. Codes and units are written
out here by hand, apart from evidence/codes, so that the tests compare two statements and not one with itself.
"""

import json
from datetime import date, timedelta
from pathlib import Path

from bcma_decide.patient.files import example_names, load_example

BUNDLES = Path(__file__).parents[1] / "bundles"
ON = date(2026, 11, 25)

LOINC = "http://loinc.org"
NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
NDC = "http://hl7.org/fhir/sid/ndc"
UCUM = "http://unitsofmeasure.org"
SNOMED = "http://snomed.info/sct"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
HGNC = "http://www.genenames.org"

QUANTITIES = {
    "ferritin": ("2276-4", 1, "ng/mL"),
    "crp": ("1988-5", 10, "mg/L"),
    "neutrophils": ("751-8", 1000, "/uL"),
    "hemoglobin": ("718-7", 10, "g/L"),
    "platelets": ("777-3", 1, "10*3/uL"),
    "lymphocytes": ("731-0", 1, "10*9/L"),
    "igg": ("2465-3", 0.01, "g/L"),
    "marrow_plasma_cells": ("11118-7", 1, "%"),
    "creatinine_clearance": ("2164-2", 1, "mL/min"),
    "lvef": ("10230-1", 1, "%"),
}
"""Field -> code, factor from the unit of the profile, UCUM unit."""
STAGES = {"iss": ("C139007", ["C70658", "C70659", "C70660"]), "r_iss": ("C141392", ["C141394", "C141395", "C141396"])}
DRUGS = {
    "bortezomib": (RXNORM, "358258"),
    "carfilzomib": (RXNORM, "1302966"),
    "ixazomib": (RXNORM, "1723735"),
    "lenalidomide": (RXNORM, "342369"),
    "pomalidomide": (ATC, "L04AX06"),
    "daratumumab": (RXNORM, "1721947"),
    "isatuximab": (ATC, "L01FC02"),
    "belantamab mafodotin": (NDC, "0173-0913-01"),
    "melphalan": (RXNORM, "6718"),
    "cyclophosphamide": (RXNORM, "3002"),
}
CAR_T = {"ciltacabtagene autoleucel": "XW033A7"}
FISH = {"del_17p": "del(17p)", "t_4_14": "t(4;14)", "t_14_16": "t(14;16)", "gain_1q": "Gain of 1q"}
CARRIED = (
    "age", "sex", "ecog", "iss", "r_iss", "hbsag", "received", "prior_bcma_courses", *QUANTITIES, *FISH,
)  # fmt: skip
"""Fields that a record can carry in full; a diagnosis carries only the yes."""


def coded(system, code, text=""):
    return {"coding": [{"system": system, "code": code}], **({"text": text} if text else {})}


def quantity(value, unit):
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def observation(name, concept, *, days=3, on=ON, **more):
    return {
        "resourceType": "Observation", "id": name, "status": "final", "code": concept,
        "subject": {"reference": "Patient/example"},
        "effectiveDateTime": (on - timedelta(days=days)).isoformat(), **more,
    }  # fmt: skip


def given(name, concept, *, kind="MedicationAdministration", day="2025-01-10", status="completed", **more):
    time = {"MedicationRequest": "authoredOn", "Procedure": "performedDateTime"}.get(kind, "effectiveDateTime")
    drug = "code" if kind == "Procedure" else "medicationCodeableConcept"
    return {"resourceType": kind, "id": name, "status": status, drug: concept,
            "subject": {"reference": "Patient/example"}, time: day, **more}  # fmt: skip


def condition(name, system, code, **more):
    return {"resourceType": "Condition", "id": name, "code": coded(system, code),
            "subject": {"reference": "Patient/example"}, "recordedDate": "2026-10-01", **more}  # fmt: skip


def person(**more):
    return {"resourceType": "Patient", "id": "example", **more}


def bundle(*resources, kind="collection", **more):
    base = "https://records.example"
    entries = [{"fullUrl": f"{base}/{each['resourceType']}/{each.get('id')}", "resource": each} for each in resources]
    stamp = f"{ON.isoformat()}T08:00:00Z"
    return {"resourceType": "Bundle", "type": kind, "timestamp": stamp, "entry": entries, **more}


def months_before(months):
    return ON.replace(year=ON.year - (months + 1) // 12, month=(ON.month - months - 1) % 12 + 1, day=20)


def record_of(patient):
    """The bundle of a profile, as far as a record can carry it."""
    born = ON.replace(year=ON.year - patient.age, month=3, day=14)
    resources = [person(gender=patient.sex, birthDate=born.isoformat()), condition("mm", SNOMED, "109989006")]
    if patient.ecog is not None:
        resources.append(observation("ecog", coded(LOINC, "89247-1"), valueInteger=patient.ecog))
    for field, (code, factor, unit) in QUANTITIES.items():
        value = getattr(patient, field)
        if value is not None:
            number = float(f"{value.value * factor:.12g}")
            resources.append(observation(field, coded(LOINC, code), valueQuantity=quantity(number, unit)))
    for field, (code, answers) in STAGES.items():
        stage = getattr(patient, field)
        if stage is not None:
            answer = coded(NCIT, answers[stage - 1])
            resources.append(observation(field, coded(NCIT, code), days=400, valueCodeableConcept=answer))
    if patient.hbsag is not None:
        answer = coded(SNOMED, "10828004" if patient.hbsag else "260385009")
        resources.append(observation("hbsag", coded(LOINC, "5195-3"), days=60, valueCodeableConcept=answer))
    said = [f"{text} {'detected' if getattr(patient, f) else 'not detected'}" for f, text in FISH.items()
            if getattr(patient, f) is not None]  # fmt: skip
    if said:
        resources.append(observation("fish", coded(LOINC, "98014-4"), days=500, valueString=". ".join(said)))
    if patient.extramedullary_disease:
        resources.append(condition("emd", ICD10CM, "C90.22", clinicalStatus=coded("x", "active")))
    months = {course.kind: course.months_since for course in patient.prior_bcma_courses}
    for number, drug in enumerate((*patient.refractory_to, *patient.exposed_to)):
        if drug in CAR_T:
            day = months_before(int(months["car_t"])).isoformat()
            resources.append(given(f"p{number}", coded(ICD10PCS, CAR_T[drug]), kind="Procedure", day=day))
        elif "mafodotin" in drug:
            day = months_before(int(months["adc"])).isoformat()
            resources.append(given(f"d{number}", coded(*DRUGS[drug], drug), day=day))
        else:
            resources.append(given(f"d{number}", coded(*DRUGS[drug], drug), day=f"2025-0{number + 1}-10"))
    return bundle(*resources)


def text_of(record):
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for each in example_names():
        (BUNDLES / f"{each}.json").write_text(text_of(record_of(load_example(each))), encoding="utf-8")
