"""Read many records and say what was misread: drawn ones whose truth is known, and a folder of public ones.

``python -m tests.fhir.reading.corpus --drawn 600`` and ``python -m tests.fhir.reading.corpus FOLDER`` print a table kind by
kind and every misread with the name of its record. For public records the expected values are worked out here, straight
from the JSON: age, sex, laboratory values by code, unit and newest final date, and drugs by their names.
"""

import argparse
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bcma_decide.comparing.compare import load_pooled
from bcma_decide.errors import ProfileError
from bcma_decide.fhir.reading.reader import read_bundle
from tests.fhir.reading.support.myeloma import Truth, drawn
from tests.fhir.reading.support.records import ON

SEED = 15


@dataclass
class Tally:
    """Right, unread and misread, kind by kind."""

    kinds: Counter = field(default_factory=Counter)
    right: Counter = field(default_factory=Counter)
    unread: Counter = field(default_factory=Counter)
    misread: list[str] = field(default_factory=list)
    must_be_read: list[str] = field(default_factory=list)
    records: int = 0
    refused: list[str] = field(default_factory=list)
    special: int = 0

    def add(self, record: str, truth: Truth, held: object) -> None:
        self.kinds[truth.kind] += 1
        line = f"{record}: {truth.field} is {held!r}, accepted {truth.accepted} [{truth.kind}] {truth.said}"
        if not any(same(held, each) for each in truth.accepted):
            (self.must_be_read if held is None else self.misread).append(line)
        elif held is None and truth.accepted != (None,) and truth.accepted[0] is not None:
            self.unread[truth.kind] += 1
        else:
            self.right[truth.kind] += 1


def same(held: object, accepted: object) -> bool:
    """Whether the profile holds the accepted value; a number to one in a million, a course with its months."""
    if held is None or accepted is None:
        return held is accepted
    if isinstance(accepted, bool) or isinstance(held, bool):
        return held is accepted
    if isinstance(accepted, frozenset) and isinstance(held, list):
        return {kind for kind, _ in held} <= accepted
    if isinstance(accepted, list) and isinstance(held, list):
        return all(any(name in each for name in accepted) or each in ("prednisone",) for each in held)
    if isinstance(accepted, tuple) and isinstance(held, list):
        months = accepted[1] if isinstance(accepted[1], tuple) else (accepted[1],)
        return len(held) == 1 and held[0][0] == accepted[0] and held[0][1] in months
    if isinstance(accepted, int | float) and isinstance(held, int | float):
        return abs(held - accepted) <= 1e-6 * max(1.0, abs(accepted))
    return held == accepted


def held_of(reading, name):
    """A field of the patient as plain data: a number in the unit of the profile, a list of courses."""
    value = getattr(reading.patient, name)
    if name == "prior_bcma_courses":
        return [(course.kind, course.months_since) for course in value] or None
    if name == "received":
        return sorted(value) or None
    return getattr(value, "value", value)


def read(record, on=ON):
    pooled = load_pooled()
    return read_bundle(record, pooled.codes, pooled.definitions, on)


def check_drawn(numbers, seed=SEED) -> Tally:
    tally = Tally()
    for number in numbers:
        record = drawn(seed, number)
        tally.records += 1
        tally.special += record.special
        try:
            reading = read(record.bundle)
        except ProfileError as error:
            tally.refused.append(f"{record.name}: {error}")
            continue
        for truth in record.truths:
            tally.add(record.name, truth, held_of(reading, truth.field))
    return tally


def check_grafted(files, seed=SEED) -> Tally:
    """Public records of other patients with a drawn myeloma record inside: nothing around it may change what is read."""
    tally = Tally()
    for number, file in enumerate(files):
        public, record = json.loads(file.read_text(encoding="utf-8")), drawn(seed + 1, number)
        patient = next(entry for entry in public["entry"] if entry["resource"]["resourceType"] == "Patient")
        whose = {"reference": patient.get("fullUrl") or f"Patient/{patient['resource']['id']}"}
        others = [entry["resource"] for entry in record.bundle["entry"] if entry["resource"]["resourceType"] != "Patient"]
        mine = [each | ({"subject": whose} if each.get("subject") == {"reference": "Patient/example"} else {}) for each in others]
        public["entry"] += [{"fullUrl": f"urn:x:{number}:{each['resourceType']}:{each['id']}", "resource": each} for each in mine]
        tally.records += 1
        tally.special += record.special
        try:
            reading = read(public)
        except ProfileError as error:
            tally.refused.append(f"{file.name} with {record.name}: {error}")
            continue
        for truth in record.truths:
            if truth.kind != "person":
                tally.add(f"{file.name} with {record.name}", truth, held_of(reading, truth.field))
    return tally


# --- public records

LABORATORY = {
    # field: LOINC codes, unit -> factor to the unit of the profile, days a value counts
    "hemoglobin": (("718-7",), {"g/dL": 1, "g/L": 0.1}, 14),
    "platelets": (("777-3", "26515-7", "49497-1"), {"10*3/uL": 1, "10*9/L": 1, "K/uL": 1, "/uL": 0.001, "10³/µL": 1}, 14),
    "creatinine": (("2160-0", "38483-4"), {"mg/dL": 1}, 14),
    "ferritin": (("2276-4",), {"ng/mL": 1, "ug/L": 1}, 14),
    "neutrophils": (("751-8", "753-4", "26499-4"), {"10*3/uL": 1, "10*9/L": 1, "/uL": 0.001, "K/uL": 1, "10³/µL": 1}, 14),
    "lymphocytes": (("731-0", "26474-7"), {"10*3/uL": 1, "10*9/L": 1, "/uL": 0.001, "K/uL": 1, "10³/µL": 1}, 14),
    "weight": (("29463-7", "3141-9"), {"kg": 1}, 90),
    "egfr": (("98979-8", "62238-1", "69405-9", "77147-7", "33914-3"), {"mL/min/{1.73_m2}": 1, "mL/min": 1, "mL/min/1.73m2": 1}, 14),
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
    "elotuzumab", "selinexor", "venetoclax", "melphalan", "cyclophosphamide", "doxorubicin", "dexamethasone", "bendamustine",
    "teclistamab", "elranatamab", "talquetamab", "linvoseltamab", "belantamab", "ciltacabtagene", "idecabtagene",
)  # fmt: skip
ROMAN = {"I": 1, "II": 2, "III": 3}
CHANGES = {
    "del_17p": r"17p|tp53|del\(17\)", "t_4_14": r"t\(4;14\)|fgfr3|nsd2", "t_14_16": r"t\(14;16\)|maf",
    "gain_1q": r"1q|cks1b",
}  # fmt: skip
DIAGNOSES = {"plasma_cell_leukemia": r"C90\.?1|95210003", "extramedullary_disease": r"C90\.?2|extramedullary"}


def check_folder(folder: Path) -> Tally:
    tally = Tally()
    for file in sorted(folder.rglob("*.json")):
        record = json.loads(file.read_text(encoding="utf-8-sig"))
        if record.get("resourceType") != "Bundle":
            continue
        name = str(file.relative_to(folder))
        on = _day_of(record)
        tally.records += 1
        try:
            reading = read(record, on)
        except ProfileError as error:
            tally.refused.append(f"{name}: {str(error).splitlines()[-1][:160]}")
            continue
        text = json.dumps(record).lower()
        tally.special += bool(re.search(r"17p|t\(4;14\)|iss stage|c139007|" + "|".join(NAMES), text))
        for truth in _truths(record, on):
            tally.add(name, truth, held_of(reading, truth.field))
    return tally


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


def _day_of(record):
    return max((_date(when) for _, when in _final(record)), default=ON)


def _truths(record, on):
    patient = next((each for each in _resources(record) if each["resourceType"] == "Patient"), {})
    born = _date(patient.get("birthDate", ""))
    if born:
        age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
        yield Truth("age", (age, None) if not 18 <= age <= 110 else (age,), "age", True)
    sex = patient.get("gender")
    yield Truth("sex", (sex,) if sex in ("female", "male") else (None,), "sex", True)
    for name, (codes, units, days) in LABORATORY.items():
        yield _laboratory(record, on, name, codes, units, days)
    yield from _coded_and_named(record)
    yield from _stages_and_scores(record, on)
    drugs = _drugs(record)
    yield Truth("received", (drugs, None) if drugs else (None,), f"drugs, {'named' if drugs else 'none named'}", False)


def _laboratory(record, on, name, codes, units, days):
    """The newest final result: its value, or unknown where none is recent, its unit is another, or two of one time differ."""
    results = [
        (_instant(when), each) for each, when in _final(record)
        if any(c.get("system") == "http://loinc.org" and c.get("code") in codes for c in each["code"].get("coding", []))
        and on - timedelta(days=days) <= _date(when) <= on and "modifierExtension" not in each
    ]  # fmt: skip
    values = [(when, each["valueQuantity"]) for when, each in results if "valueQuantity" in each]
    said = f"{len(results)} results"
    if not values:
        return Truth(name, (None,), f"{name}, none", False, said)
    newest = max(when for when, _ in values)
    found = {
        quantity.get("value", 0) * units[unit] if unit in units else None
        for when, quantity in values if when == newest for unit in [quantity.get("code") or quantity.get("unit", "")]
    }  # fmt: skip
    plain = [float(f"{each:.12g}") for each in found if each is not None]
    if len(found) > 1 or not plain:
        return Truth(name, (*plain, None), name, False, said)
    return Truth(name, (plain[0], None), name, False, said)


def _coded_and_named(record):
    medications = [each for each in _resources(record) if each["resourceType"].startswith("Medication") or each["resourceType"] == "Procedure"]
    words = json.dumps(medications).lower()
    courses = {course for name, course in NAMES.items() if name in words}
    accepted = frozenset(courses) if courses else None
    yield Truth("prior_bcma_courses", (accepted,) if courses else (None,), f"BCMA drug, {'named' if courses else 'none named'}", False)
    results = [each for each in _resources(record) if each["resourceType"] in ("Observation", "DiagnosticReport")]
    for name, pattern in CHANGES.items():
        said = [each for each in results if re.search(pattern, json.dumps(each).lower())]
        plain = {each.get("valueBoolean") for each in said if "valueBoolean" in each}
        accepted = (*(plain or ((True, False) if said else ())), None)
        yield Truth(name, accepted, f"{name}, {'said' if said else 'not said'}", False, str(len(said)))
    conditions = json.dumps([each for each in _resources(record) if each["resourceType"] in ("Condition", "DiagnosticReport")])
    for name, pattern in DIAGNOSES.items():
        if not re.search(pattern, conditions):
            yield Truth(name, (None,), f"{name}, not said", False)


def _stages_and_scores(record, on):
    """Stages by the words of the result, a performance status by its whole number."""
    for name, pattern in (("iss", r"^ISS(?: stage)? (I{1,3})\b"), ("r_iss", r"^R-?ISS(?: stage)? (I{1,3})\b")):
        texts = [text for each, _ in _final(record) for text in _texts(each)]
        found = {ROMAN[match[1]] for text in texts if (match := re.search(pattern, text, re.IGNORECASE))}
        yield Truth(name, (*found, None), f"{name}, {'said' if found else 'not said'}", False)
    scores = [(_instant(when), each["valueInteger"]) for each, when in _final(record) if "89247-1" in json.dumps(each["code"])
              and "valueInteger" in each and on - timedelta(days=30) <= _date(when) <= on]  # fmt: skip
    yield Truth("ecog", (max(scores)[1], None) if scores else (None,), f"ecog, {'said' if scores else 'not said'}", False)


def _texts(observation):
    value = observation.get("valueCodeableConcept", {})
    codings = value.get("coding", [])
    return [each for each in (observation.get("valueString"), value.get("text"), *(c.get("display") for c in codings)) if each]


def _drugs(record):
    """Drugs by the names of completed or current medication resources; nothing else may be held."""
    taken = [each for each in _resources(record) if each["resourceType"].startswith("Medication") or each["resourceType"] == "Procedure"]
    words = json.dumps([each for each in taken if each.get("status") not in ("entered-in-error", "not-taken", "draft")]).lower()
    return sorted(name for name in DRUGS if name in words)


def told(tally: Tally) -> str:
    lines = [f"{kind:44} {tally.right[kind]:5} right {tally.unread[kind]:5} unread of {count}" for kind, count in sorted(tally.kinds.items())]
    lines += [f"MISREAD {line}" for line in tally.misread] + [f"UNREAD {line}" for line in tally.must_be_read]
    lines += [f"refused {line}" for line in tally.refused]
    return "\n".join([*lines, f"{tally.records} records, {tally.special} with FISH text, a BCMA drug or a stage; {len(tally.refused)} refused; "
                      f"{len(tally.misread)} misread, {len(tally.must_be_read)} unread that must be read"])  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, help="folders of public bundles (*.json)")
    parser.add_argument("--drawn", type=int, default=0, help="how many drawn records")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--graft", type=int, default=0, help="how many of the public records to graft a drawn one into")
    asked = parser.parse_args()
    tallies = [check_folder(folder) for folder in asked.folders]
    if asked.drawn:
        tallies.append(check_drawn(range(asked.drawn), asked.seed))
    if asked.graft:
        tallies.append(check_grafted([file for folder in asked.folders for file in sorted(folder.rglob("*.json"))][: asked.graft]))
    for tally in tallies:
        print(told(tally))
    return int(any(tally.misread for tally in tallies))


if __name__ == "__main__":
    sys.exit(main())
