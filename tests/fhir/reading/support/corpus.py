"""Read many records and say what was misread: drawn ones whose truth is known, and a folder of public ones.

``python -m tests.fhir.reading.support.corpus --drawn 600`` and ``... FOLDER`` print a table kind by kind
and every misread with the name of its record, and ``SILENT`` resources of which nothing is said. What public records
say is worked out in ``public``; nothing of theirs is kept here.
"""

import argparse
import json
import re
import sys
from pathlib import Path

from bcma_decide.errors import ProfileError
from tests.fhir.reading.support.myeloma import drawn
from tests.fhir.reading.support.public import NAMES, day_of, truths_of
from tests.fhir.reading.support.truths import Tally, held_of, read

SEED = 15


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
    """Public records of others with a drawn myeloma record inside: nothing around it may change what is read."""
    tally = Tally()
    for number, file in enumerate(files):
        public, record = json.loads(file.read_text(encoding="utf-8")), drawn(seed + 1, number)
        patient = next((entry for entry in public["entry"] if entry["resource"]["resourceType"] == "Patient"), None)
        if patient is None:
            continue
        whose = {"reference": patient.get("fullUrl") or f"Patient/{patient['resource']['id']}"}
        others = [
            entry["resource"] for entry in record.bundle["entry"] if entry["resource"]["resourceType"] != "Patient"
        ]
        mine = [
            each | ({"subject": whose} if each.get("subject") == {"reference": "Patient/example"} else {})
            for each in others
        ]
        public["entry"] += [
            {"fullUrl": f"urn:x:{number}:{each['resourceType']}:{each['id']}", "resource": each} for each in mine
        ]
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


def check_folder(folder: Path) -> Tally:
    tally = Tally()
    for file in sorted(folder.rglob("*.json")):
        record = json.loads(file.read_text(encoding="utf-8-sig"))
        if record.get("resourceType") != "Bundle":
            continue
        name = str(file.relative_to(folder))
        on = day_of(record)
        tally.records += 1
        try:
            reading = read(record, on)
        except ProfileError as error:
            tally.refused.append(f"{name}: {str(error).splitlines()[-1][:160]}")
            continue
        text = json.dumps(record).lower()
        tally.special += bool(re.search(r"17p|t\(4;14\)|iss stage|c139007|" + "|".join(NAMES), text))
        for truth in truths_of(record, on):
            tally.add(name, truth, held_of(reading, truth.field))
    return tally


def silent_in(folder: Path) -> list[str]:
    """Resources, one of each kind, status and code, of which a record of the patient and them alone says nothing."""
    seen, silent = set(), []
    for file in sorted(folder.rglob("*.json")):
        record = json.loads(file.read_text(encoding="utf-8-sig"))
        resources = [entry["resource"] for entry in record.get("entry", []) if "resource" in entry]
        patient = next((each for each in resources if each["resourceType"] == "Patient"), None)
        for resource in resources:
            concept = resource.get("code") or resource.get("medicationCodeableConcept") or resource.get("vaccineCode")
            key = json.dumps([resource["resourceType"], resource.get("status"), concept], sort_keys=True)
            if key in seen or patient is None or resource["resourceType"] == "Patient":
                continue
            seen.add(key)
            entries = [entry for entry in record["entry"] if entry.get("resource") in (patient, resource)]
            try:
                ledger = read({"resourceType": "Bundle", "type": "collection", "entry": entries}).ledger
            except ProfileError:
                continue
            told_of = any(line.resource and not line.resource.startswith("Patient") for line in ledger.inputs)
            if not (told_of or ledger.unmapped or ledger.not_needed):
                silent.append(f"{file.name}: {key[:160]}")
    return silent


def told(tally: Tally) -> str:
    lines = [
        f"{kind:44} {tally.right[kind]:5} right {tally.unread[kind]:5} unread of {count}"
        for kind, count in sorted(tally.kinds.items())
    ]
    lines += [f"MISREAD {line}" for line in tally.misread] + [f"UNREAD {line}" for line in tally.must_be_read]
    lines += [f"refused {line}" for line in tally.refused]
    lines.append(
        f"{tally.records} records, {tally.special} with FISH text, a BCMA drug or a stage; "
        f"{len(tally.refused)} refused; {len(tally.misread)} misread, "
        f"{len(tally.must_be_read)} unread that must be read"
    )
    return "\n".join(lines)


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
        tallies.append(
            check_grafted([file for folder in asked.folders for file in sorted(folder.rglob("*.json"))][: asked.graft])
        )
    for tally in tallies:
        print(told(tally))
    for line in [line for folder in asked.folders for line in silent_in(folder)]:
        print("SILENT", line)
    return int(any(tally.misread for tally in tallies))


if __name__ == "__main__":
    sys.exit(main())
