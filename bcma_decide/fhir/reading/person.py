"""Age, sex and death from the Patient resource."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from bcma_decide.fhir.reading.datatypes import clip
from bcma_decide.fhir.reading.dates import When, whole_years
from bcma_decide.fhir.reading.find import Find
from bcma_decide.fhir.reading.resource import Resource
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.quantities import read_whole
from bcma_decide.patient.reading import Unreadable


def read_person(patient: Resource, on: date) -> Iterator[Find]:
    """Finds of the person; the birth date itself is never repeated."""
    if "birthDate" in patient.elements:
        yield _age(patient.when("birthDate"), on)
    if "gender" in patient.elements:
        known = patient.gender in ("female", "male")
        shown = clip(patient.gender)
        find = Find("sex", shown, "usable", shown if known else None, patient.name, layer="gender")
        yield find if known else find.refused("the formulas of kidney function know female and male")
    # a date of death that cannot be read is still one
    if patient.deceased or "deceasedDateTime" in patient.elements:
        when = patient.when("deceasedDateTime")
        text = f"recorded as deceased{f' ({when.text})' if when else ''}"
        yield Find("", text, "note", None, patient.name, label="Death")


def _age(born: When | None, on: date) -> Find:
    find = Find("age", "date of birth", "usable", None, "Patient", layer="birth date")
    if born is None:
        return find.refused("the date of birth is not a date")
    low, high = whole_years(born, on)
    find = replace(find, text=f"{low} years" if low == high else f"{low} or {high} years")
    if low != high:
        return find.refused("the date of birth is not exact enough for one age")
    try:
        read_whole(FIELDS["age"], low)
    except Unreadable as error:
        return find.refused("; ".join(fault.message for fault in error.faults))
    return replace(find, value=str(low), note=f"on {on.isoformat()}")
