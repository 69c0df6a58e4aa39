"""Age, sex and death from the Patient resource."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from bcma_decide.fhir.reading.bundle import Resource, clip
from bcma_decide.fhir.reading.dates import read_when, whole_years
from bcma_decide.fhir.reading.find import Find
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.reading import Unreadable, read_whole


def read_person(patient: Resource, on: date) -> Iterator[Find]:
    """Finds of the person; the birth date itself is never repeated."""
    data = patient.data
    if data.get("birthDate") is not None:
        yield _age(data["birthDate"], on)
    gender = data.get("gender")
    if gender is not None:
        known = gender in ("female", "male")
        find = Find("sex", clip(gender), "usable", clip(gender) if known else None, patient.name, layer="gender")
        yield find if known else find.refused("the formulas of kidney function know female and male")
    dead = data.get("deceasedDateTime")
    if data.get("deceasedBoolean") is True or dead is not None:
        when = read_when(dead)
        text = f"recorded as deceased{f' ({when.text})' if when else ''}"
        yield Find("", text, "note", None, patient.name, label="Death")


def _age(birth_date: object, on: date) -> Find:
    find = Find("age", "date of birth", "usable", None, "Patient", layer="birth date")
    when = read_when(birth_date)
    if when is None:
        return find.refused("the date of birth is not a date")
    low, high = whole_years(when, on)
    find = replace(find, text=f"{low} years" if low == high else f"{low} or {high} years")
    if low != high:
        return find.refused("the date of birth is not exact enough for one age")
    try:
        read_whole(FIELDS["age"], low)
    except Unreadable as error:
        return find.refused("; ".join(fault.message for fault in error.faults))
    return replace(find, value=str(low), note=f"on {on.isoformat()}")
