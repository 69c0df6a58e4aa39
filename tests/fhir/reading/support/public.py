"""What public records say, worked out straight from their JSON and apart from the reader and its codes.

Age, sex, laboratory values by code, unit and newest final date, stages and drugs by their words; and that nothing is
held of chromosome changes, stages, diagnoses and BCMA drugs where the record has no word of them.
"""

import json
import re
from datetime import datetime, timedelta

from tests.fhir.reading.support.records import ON
from tests.fhir.reading.support.truths import Truth

LABORATORY = {
    # field: LOINC codes, unit -> factor to the unit of the profile, days a value counts
    "hemoglobin": (("718-7",), {"g/dL": 1, "g/L": 0.1}, 14),
    "platelets": (
        ("777-3", "26515-7", "49497-1"),
        {"10*3/uL": 1, "10*9/L": 1, "K/uL": 1, "/uL": 0.001, "10³/µL": 1},
        14,
    ),
    "creatinine": (("2160-0", "38483-4"), {"mg/dL": 1}, 14),
    "ferritin": (("2276-4",), {"ng/mL": 1, "ug/L": 1}, 14),
    "neutrophils": (
        ("751-8", "753-4", "26499-4"),
        {"10*3/uL": 1, "10*9/L": 1, "/uL": 0.001, "K/uL": 1, "10³/µL": 1},
        14,
    ),
    "lymphocytes": (("731-0", "26474-7"), {"10*3/uL": 1, "10*9/L": 1, "/uL": 0.001, "K/uL": 1, "10³/µL": 1}, 14),
    "weight": (("29463-7", "3141-9"), {"kg": 1}, 90),
    "egfr": (
        ("98979-8", "62238-1", "69405-9", "77147-7", "33914-3"),
        {"mL/min/{1.73_m2}": 1, "mL/min": 1, "mL/min/1.73m2": 1},
        14,
    ),
    "albumin": (("1751-7",), {"g/dL": 1, "g/L": 0.1}, 30),
    "beta2_microglobulin": (("1952-1",), {"mg/L": 1, "ug/mL": 1}, 30),
}
NAMES = {
    "teclistamab": "bispecific", "tecvayli": "bispecific", "elranatamab": "bispecific", "elrexfio": "bispecific",
    "linvoseltamab": "bispecific", "ciltacabtagene": "car_t", "carvykti": "car_t", "cilta-cel": "car_t",
    "idecabtagene": "car_t", "abecma": "car_t", "ide-cel": "car_t", "belantamab": "adc", "blenrep": "adc",
}  # fmt: skip
DRUGS = (
    "bortezomib", "carfilzomib", "ixazomib", "lenalidomide", "pomalidomide", "thalidomide", "daratumumab", "isatuximab",
    "elotuzumab", "selinexor", "venetoclax", "melphalan", "cyclophosphamide", "doxorubicin", "dexamethasone",
    "bendamustine",
    "teclistamab", "elranatamab", "talquetamab", "linvoseltamab", "belantamab", "ciltacabtagene", "idecabtagene",
)  # fmt: skip
ROMAN = {"I": 1, "II": 2, "III": 3}
CHANGES = {
    "del_17p": r"17p|tp53|del\(17\)", "t_4_14": r"t\(4;14\)|fgfr3|nsd2", "t_14_16": r"t\(14;16\)|maf",
    "gain_1q": r"1q|cks1b",
}  # fmt: skip
DIAGNOSES = {"plasma_cell_leukemia": r"C90\.?1|95210003", "extramedullary_disease": r"C90\.?2|extramedullary"}


def _resources(record):
    return [entry["resource"] for entry in record.get("entry", []) if "resource" in entry]


def _date(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).date() if len(text) > 9 else None


def _instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=None)


def _final(record):
    for each in _resources(record):
        if each["resourceType"] == "Observation" and each.get("status") in ("final", "amended", "corrected"):
            when = each.get("effectiveDateTime") or each.get("effectivePeriod", {}).get("start", "")
            if _date(when):
                yield each, when


def day_of(record):
    return max((_date(when) for _, when in _final(record)), default=ON)


def truths_of(record, on):
    patient = next((each for each in _resources(record) if each["resourceType"] == "Patient"), {})
    born = _date(patient.get("birthDate", ""))
    if born:
        age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
        yield Truth("age", (age, None) if not 18 <= age <= 110 else (age,), "age")
    sex = patient.get("gender")
    yield Truth("sex", (sex,) if sex in ("female", "male") else (None,), "sex")
    for name, (codes, units, days) in LABORATORY.items():
        yield _laboratory(record, on, name, codes, units, days)
    yield from _coded_and_named(record)
    yield from _stages_and_scores(record, on)
    drugs = _drugs(record)
    yield Truth("received", (drugs, None) if drugs else (None,), f"drugs, {'named' if drugs else 'none named'}")


def _laboratory(record, on, name, codes, units, days):
    """The newest final result; unknown where none is recent, its unit is another, or two of one time differ."""
    results = [
        (_instant(when), each) for each, when in _final(record)
        if any(c.get("system") == "http://loinc.org" and c.get("code") in codes for c in each["code"].get("coding", []))
        and on - timedelta(days=days) <= _date(when) <= on and "modifierExtension" not in each
    ]  # fmt: skip
    values = [(when, each["valueQuantity"]) for when, each in results if "valueQuantity" in each]
    said = f"{len(results)} results"
    if not values:
        return Truth(name, (None,), f"{name}, none", said)
    newest = max(when for when, _ in values)
    found = {
        quantity.get("value", 0) * units[unit] if unit in units else None
        for when, quantity in values if when == newest for unit in [quantity.get("code") or quantity.get("unit", "")]
    }  # fmt: skip
    plain = [float(f"{each:.12g}") for each in found if each is not None]
    if len(found) > 1 or not plain:
        return Truth(name, (*plain, None), name, said)
    return Truth(name, (plain[0], None), name, said)


def _coded_and_named(record):
    medications = [
        each
        for each in _resources(record)
        if each["resourceType"].startswith("Medication") or each["resourceType"] == "Procedure"
    ]
    words = json.dumps(medications).lower()
    courses = {course for name, course in NAMES.items() if name in words}
    accepted = frozenset(courses) if courses else None
    yield Truth(
        "prior_bcma_courses",
        (accepted,) if courses else (None,),
        f"BCMA drug, {'named' if courses else 'none named'}",
    )
    results = [each for each in _resources(record) if each["resourceType"] in ("Observation", "DiagnosticReport")]
    for name, pattern in CHANGES.items():
        said = [each for each in results if re.search(pattern, json.dumps(each).lower())]
        plain = {each.get("valueBoolean") for each in said if "valueBoolean" in each}
        accepted = (*(plain or ((True, False) if said else ())), None)
        yield Truth(name, accepted, f"{name}, {'said' if said else 'not said'}", str(len(said)))
    conditions = json.dumps(
        [each for each in _resources(record) if each["resourceType"] in ("Condition", "DiagnosticReport")]
    )
    for name, pattern in DIAGNOSES.items():
        if not re.search(pattern, conditions):
            yield Truth(name, (None,), f"{name}, not said")


def _stages_and_scores(record, on):
    """Stages by the words of the result, a performance status by its whole number."""
    for name, pattern in (("iss", r"^ISS(?: stage)? (I{1,3})\b"), ("r_iss", r"^R-?ISS(?: stage)? (I{1,3})\b")):
        texts = [text for each, _ in _final(record) for text in _texts(each)]
        found = {ROMAN[match[1]] for text in texts if (match := re.search(pattern, text, re.IGNORECASE))}
        yield Truth(name, (*found, None), f"{name}, {'said' if found else 'not said'}")
    scores = [
        (_instant(when), each["valueInteger"]) for each, when in _final(record)
        if "89247-1" in json.dumps(each["code"]) and "valueInteger" in each
        and on - timedelta(days=30) <= _date(when) <= on
    ]  # fmt: skip
    yield Truth(
        "ecog", (max(scores)[1], None) if scores else (None,), f"ecog, {'said' if scores else 'not said'}", False
    )


def _texts(observation):
    value = observation.get("valueCodeableConcept", {})
    codings = value.get("coding", [])
    return [
        each
        for each in (observation.get("valueString"), value.get("text"), *(c.get("display") for c in codings))
        if each
    ]


def _drugs(record):
    """Drugs by the names of completed or current medication resources; nothing else may be held."""
    taken = [
        each
        for each in _resources(record)
        if each["resourceType"].startswith("Medication") or each["resourceType"] == "Procedure"
    ]
    words = json.dumps(
        [each for each in taken if each.get("status") not in ("entered-in-error", "not-taken", "draft")]
    ).lower()
    return sorted(name for name in DRUGS if name in words)
