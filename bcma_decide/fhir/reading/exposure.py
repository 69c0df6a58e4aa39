"""Drugs that were given, from medication resources and procedures, and the courses of BCMA therapy among them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from bcma_decide.fhir.reading.datatypes import NO_CONCEPT
from bcma_decide.fhir.reading.dates import When, whole_months
from bcma_decide.fhir.reading.drugs import Resolved, Unresolved, is_other_drug, recognise_drug
from bcma_decide.fhir.reading.find import Find
from bcma_decide.fhir.reading.record import PatientRecord
from bcma_decide.fhir.reading.resource import Resource
from bcma_decide.pooled.codes import LAYERS, Codes, Coding
from bcma_decide.pooled.definitions import Definitions

RECEIVED: Final = "received"
COURSES: Final = "prior_bcma_courses"
_GIVEN: Final = {
    "MedicationAdministration": ("completed", "in-progress", "stopped"),
    "MedicationDispense": ("completed",),
    "MedicationStatement": ("active", "completed", "stopped"),
    "MedicationRequest": ("completed", "stopped"),
    "Procedure": ("completed",),
}
"""Statuses that say that the drug was given: an order that is only active does not."""
_WITHDRAWN: Final = ("entered-in-error", "not-taken", "not-done", "cancelled", "declined")
_ORDERED: Final = ("order", "original-order", "reflex-order", "filler-order", "instance-order", "")
_TIMES: Final = {
    "MedicationAdministration": ("effectiveDateTime", "effectivePeriod"),
    "MedicationDispense": ("whenHandedOver", "whenPrepared"),
    "MedicationStatement": ("effectiveDateTime", "effectivePeriod", "dateAsserted"),
    "MedicationRequest": ("authoredOn",),
    "Procedure": ("performedDateTime", "performedPeriod"),
}
KINDS: Final = tuple(_GIVEN)
_UNDER_CODE: Final = ("Procedure", "ServiceRequest")
"""Kinds whose own code says what was given or ordered."""


@dataclass(frozen=True)
class Dose:
    """One record of a drug: whether it counts as given, and what speaks against it."""

    drug: str
    find: Find


def read_drug(
    resource: Resource, record: PatientRecord, codes: Codes, definitions: Definitions
) -> list[Dose] | Find | None:
    """Doses of a medication resource or procedure, a find it makes by itself, or None where nothing is known of it."""
    codings, texts = drug_names(resource, record)
    when = resource.when(*_TIMES[resource.kind])
    text = texts[0] if texts else ", ".join(coding.code for coding in codings)
    base = Find(RECEIVED, text, "usable", None, resource.name, when, codings[0] if codings else None)
    fields = [codes.field_of_procedure[coding] for coding in codings if coding in codes.field_of_procedure]
    recognised = recognise_drug(codings, texts, codes, definitions)
    if recognised is None and fields:
        name, code = fields[0]
        find = replace(base, field=name, text=code.text, value="yes", coding=code.key, basis=code.basis, note=code.note)
        return _by_status(replace(find, layer="procedure"), resource)
    if recognised is None:
        return [] if is_other_drug(codings, texts, codes) else None
    if isinstance(recognised, Unresolved):
        return _by_status(base, resource).refused(recognised.note)
    return [Dose(drug, _by_status(_named(base, drug, recognised), resource)) for drug in recognised.drugs]


def _named(base: Find, drug: str, by: Resolved) -> Find:
    return replace(base, value=drug, layer=by.layer, coding=by.coding or base.coding, basis=by.basis)


def names_a_drug(resource: Resource, codes: Codes, definitions: Definitions) -> bool:
    """Whether a procedure is one that is read here; most are not."""
    codings, texts, _ = resource.code
    known = any(coding in codes.drug_of or coding in codes.field_of_procedure for coding in codings)
    return known or recognise_drug(codings, texts, codes, definitions) is not None


def drug_names(resource: Resource, record: PatientRecord) -> tuple[tuple[Coding, ...], tuple[str, ...]]:
    """Codings and texts of the drug: of the resource itself, or of the Medication it refers to."""
    if resource.kind in _UNDER_CODE:
        return resource.code.codings, resource.code.texts
    reference = resource.medication_reference
    medication = record.find("Medication", reference.address, resource)
    product = medication.code if medication else NO_CONCEPT
    texts = (*resource.medication.texts, *product.texts, *([reference.display] if reference.display else ()))
    return (*resource.medication.codings, *product.codings), tuple(dict.fromkeys(texts))


def _by_status(find: Find, resource: Resource) -> Find:
    status = resource.status
    if status in _WITHDRAWN:
        return find.refused(f"status {status}", "ignored")
    if resource.do_not_perform:
        return find.refused("an order not to give it", "ignored")
    if resource.kind == "MedicationRequest" and resource.intent not in _ORDERED:
        return find.refused(f"intent {resource.intent}: planned, not given")
    if status not in _GIVEN[resource.kind]:
        ordered = "ordered; that it was given is not recorded" if resource.kind == "MedicationRequest" else ""
        return find.refused("; ".join(part for part in (f"status {status or 'missing'}", ordered) if part))
    return find


def one_line_each(doses: Sequence[Dose], definitions: Definitions) -> Iterator[tuple[str, Find, bool]]:
    """One find for each drug that was given, and for each reason why records of a drug do not count.

    Yields
    ------
    tuple
        The drug, the find to show (the surest step, the newest date), and whether it was given.
    """
    groups: dict[tuple[int, str], list[Find]] = defaultdict(list)
    order = {drug.id: number for number, drug in enumerate(definitions.drugs)}
    for dose in doses:
        reason = "" if dose.find.state == "usable" else f"{dose.find.state}: {dose.find.note}"
        groups[order[dose.drug], reason].append(dose.find)
    for (number, _), finds in sorted(groups.items()):
        surest = min(finds, key=_surety)
        count = f"{len(finds)} records" if len(finds) > 1 else ""
        note = "; ".join(part for part in (surest.note, count) if part)
        drug = definitions.drugs[number].id
        text = surest.text
        shown = text if text.casefold() == drug else f"{drug} ({text})" if text else drug
        ended = When(surest.when.last, surest.when.last, None, surest.when.text) if surest.when else None
        yield drug, replace(surest, text=shown, note=note, when=ended), surest.state == "usable"


def _surety(find: Find) -> tuple[int, int, str, str]:
    step = LAYERS.index(find.layer) if find.layer in LAYERS else len(LAYERS)
    return step, -(find.when.last.toordinal() if find.when else 0), find.text, find.resource


def courses(doses: Iterable[Dose], definitions: Definitions, on: date) -> tuple[list[str], list[Find]]:
    """Courses of BCMA therapy as the profile reads them, and the find of the last dose behind each."""
    against = {drug.id: drug for drug in definitions.drugs if "bcma" in drug.targets}
    last: dict[str, Find] = {}
    for dose in doses:
        if dose.drug in against and dose.find.state == "usable":
            known = last.get(dose.drug)
            if known is None or _later(dose.find) > _later(known):
                last[dose.drug] = dose.find
    values, finds = [], []
    for drug, find in [(drug, last[name]) for name, drug in against.items() if name in last]:
        months = whole_months(find.when, on) if find.when else None
        value = str(drug.modality) if months is None else f"{drug.modality}:{months}"
        values.append(value)
        finds.append(replace(find, field=COURSES, text=drug.id, value=value, note=_since(find.when, months)))
    return values, finds


def _later(find: Find) -> tuple[int, str]:
    return (find.when.last.toordinal() if find.when else 0, find.resource)


def _since(when: When | None, months: int | None) -> str:
    if months is None:
        return "months since the last dose not known" if when is None else "its date is not exact enough for months"
    return f"last recorded dose {months} months before"
