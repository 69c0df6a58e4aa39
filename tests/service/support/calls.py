"""Calls of a client of CDS Hooks, made from the records of the examples."""

import json

from tests.service.support.service import view
from tests.support.places import RECORDS as BUNDLES

KEYS = {
    "Patient": "patient",
    "Condition": "conditions",
    "Observation": "observations",
    "DiagnosticReport": "diagnosticReports",
    "MedicationRequest": "medicationRequests",
    "MedicationAdministration": "medicationAdministrations",
    "MedicationStatement": "medicationStatements",
    "MedicationDispense": "medicationDispenses",
    "Procedure": "procedures",
}


def call(name):
    """A call as a client makes it from the record of an example; and what its parts hold."""
    whole = json.loads((BUNDLES / f"{name}.json").read_text(encoding="utf-8"))
    parts = {key: [] for key in KEYS.values()}
    for entry in whole["entry"]:
        kind = entry["resource"]["resourceType"]
        if kind in KEYS:
            parts[KEYS[kind]].append(entry["resource"])
    (patient,) = parts.pop("patient")
    searches = {
        key: {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in found]}
        for key, found in parts.items()
    }
    context = {"userId": "Practitioner/7", "patientId": patient["id"]}
    return view(context=context, prefetch={"patient": patient, **searches})
