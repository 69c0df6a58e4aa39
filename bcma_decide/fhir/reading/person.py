"""Age, sex and death from the Patient resource."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

from msgspec.structs import replace

from bcma_decide.fhir.reading.datatypes import clip
from bcma_decide.fhir.reading.dates import When, whole_years
from bcma_decide.fhir.reading.find import Find
from bcma_decide.fhir.reading.resource import Resource
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.quantities import read_whole
from bcma_decide.patient.reading import Unreadable
from bcma_decide.pooled.agreement import Agreement

_FOR_CLINICAL_USE: Final = "http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse"
"""Sex as laboratory ranges and formulas take it (FHIR R5, HL7 Gender Harmony)."""
_RECORDED: Final = {
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex": "birth sex",
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-sex": "recorded sex",
    "http://hl7.org/fhir/StructureDefinition/patient-birthSex": "birth sex",
}


def read_person(patient: Resource, on: date, book: Agreement) -> Iterator[Find]:
    """Finds of the person; the birth date itself is never repeated."""
    if "birthDate" in patient.elements:
        yield _age(patient.when("birthDate"), on)
    sex = sex_of(patient, book)
    if sex.text:
        find = Find("sex", sex.text, "usable", sex.value, patient.name, layer=sex.layer, note=sex.note)
        yield find if sex.value else find.refused(sex.note)
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
    value = str(low) if low == high else f"{low} to {high}"
    find = replace(find, text=f"{low} years" if low == high else f"{low} or {high} years")
    try:
        read_whole(FIELDS["age"], low if low == high else value)
    except Unreadable as error:
        return find.refused("; ".join(fault.message for fault in error.faults))
    return replace(find, value=value, note=f"on {on.isoformat()}")


class Sex(NamedTuple):
    """The sex for formulas and ranges: None where the record does not settle it; everything it says is shown."""

    value: str | None
    text: str = ""
    layer: str = "gender"
    note: str = ""


def sex_of(patient: Resource, book: Agreement) -> Sex:
    """Read the sex for formulas and ranges.

    The sex parameter for clinical use comes first. Without it the gender counts, unless a recorded sex differs.
    """
    own = {"female": "female", "male": "male"}.get(patient.gender)
    said = [patient.gender and f"gender {clip(patient.gender)}"]
    recorded: set[str | None] = set()
    clinical: set[str | None] = set()
    for extension in patient.extensions:
        codes = [code for code in extension.codes if book.sex_of.get(code.casefold()) != "silent"]
        if extension.url == _FOR_CLINICAL_USE:
            clinical |= _sexes(extension.codes, book) or {None}
            said.append(f"for clinical use {', '.join(extension.codes) or 'not readable'}")
        elif extension.url in _RECORDED and codes:
            recorded |= _sexes(codes, book) or {None}
            said.append(f"{_RECORDED[extension.url]} {', '.join(codes)}")
    shown = [word for word in said if word]
    text = clip(patient.gender) if len(shown) == 1 and patient.gender else "; ".join(shown)
    if clinical:
        value = clinical.pop() if len(clinical) == 1 else None
        note = "" if value else "its sex parameter for clinical use is neither female-typical nor male-typical"
        return Sex(value, text, "sex for clinical use", note)
    if not text:
        return Sex(None)
    if recorded and recorded != ({own} if patient.gender else recorded):
        return Sex(None, text, note="the recorded sex and the gender differ; taken as unknown")
    value = own if patient.gender else recorded.pop() if len(recorded) == 1 else None
    return Sex(value, text, note="" if value else "the formulas of kidney function know female and male")


def _sexes(codes: Iterable[str], book: Agreement) -> set[str | None]:
    """The sexes that codes name; one that names neither is left out."""
    named = (book.sex_of.get(code.casefold()) for code in codes)
    return {sex for sex in named if sex in ("female", "male")}
