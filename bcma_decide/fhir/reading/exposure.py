"""Drugs that were given, from medication resources and procedures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bcma_decide.fhir.reading.against import ORDER, against
from bcma_decide.fhir.reading.datatypes import NO_CONCEPT, clip
from bcma_decide.fhir.reading.drug_text import Remark, says
from bcma_decide.fhir.reading.drugs import Resolved, Unresolved, is_other_drug, read_texts, recognise_drug
from bcma_decide.fhir.reading.find import Find
from bcma_decide.fhir.reading.record import PatientRecord
from bcma_decide.fhir.reading.resource import Resource
from bcma_decide.pooled.codes import Codes, Coding
from bcma_decide.pooled.definitions import Definitions, fold

RECEIVED: Final = "received"
TRANSPLANT: Final = "transplant"
"""Field of the finds that only the inference of lines reads."""
_GIVEN: Final = {
    "MedicationAdministration": ("completed", "in-progress", "stopped"),
    "MedicationDispense": ("completed",),
    "MedicationStatement": ("active", "completed", "stopped"),
    "MedicationRequest": ("completed", "stopped"),
    "Procedure": ("completed",),
}
"""Statuses that say that the drug was given: an order that is only active does not."""
_WITHDRAWN: Final = ("entered-in-error", "not-taken", "not-done", "cancelled", "declined")
_NOT_GIVEN: Final = ("not-taken", "not-done")
_DENYING: Final = frozenset(
    (("taken", "n"), ("adherence", "not-taking"),
     *((name, "true") for name in ("notDone", "notGiven", "notPerformed", "wasNotGiven", "wasNotTaken")))
)  # fmt: skip
"""What elements of other versions of FHIR say of a drug that was not given."""
_WEAK: Final = (ORDER, "MedicationDispense")
_ORDERED: Final = ("order", "original-order", "reflex-order", "filler-order", "instance-order", "")
_DOSES: Final = {
    "MedicationAdministration": (
        "effectiveDateTime", "effectivePeriod", "effectiveTimeDateTime", "effectiveTimePeriod", "occurenceDateTime",
        "occurencePeriod",
    ),
    "MedicationDispense": ("whenHandedOver",),
    "MedicationStatement": ("effectiveDateTime", "effectivePeriod"),
    "MedicationRequest": (),
    "Procedure": ("performedDateTime", "performedPeriod", "occurrenceDateTime", "occurrencePeriod"),
}  # fmt: skip
"""Elements that say when a drug was given."""
_WRITTEN: Final = ("authoredOn", "dateWritten", "dateAsserted", "whenPrepared", "recordedDate")
"""Elements that say when something was written or made ready: no day of a dose."""
KINDS: Final = tuple(_GIVEN)
_UNDER_CODE: Final = ("Procedure", "ServiceRequest")
"""Kinds whose own code says what was given or ordered."""
_IN_ERROR: Final = "entered-in-error"


class Dose(Struct, frozen=True):
    """One record of a drug: whether it counts as given, and what speaks against it."""

    drug: str
    find: Find
    dated: bool = True
    """Whether the time of the find is that of a dose, and not of an order or a statement."""
    ongoing: bool = False
    """Whether the drug is still given, so that there is no last dose yet."""
    is_order: bool = False
    """Whether it is an order, behind which doses have to follow."""
    is_weak: bool = False
    """Whether it says that a drug was ordered or handed out, and not that it was given."""
    denies: bool = False
    """Whether it says by its status that the drug was not given."""


def read_drug(
    resource: Resource, record: PatientRecord, codes: Codes, definitions: Definitions
) -> list[Dose] | Find | None:
    """Doses of a medication resource or procedure, a find it makes by itself, or None where nothing is known of it."""
    codings, texts = drug_names(resource, record)
    given = resource.when(*_DOSES[resource.kind])
    when = given or resource.when(*_WRITTEN)
    text = clip(texts[0]) if texts else ", ".join(coding.code for coding in codings)
    base = Find(RECEIVED, text, "usable", None, resource.name, when, codings[0] if codings else None)
    step = next((codes.no_dose_of[coding] for coding in codings if coding in codes.no_dose_of), "")
    if step:
        return _by_status(base, resource, record, codes).refused(step)
    product = _product(resource, record)
    named = ("drug", tuple(codings), tuple(texts), product.ingredients if product else ())
    recognised = record.once(named, lambda: _recognised(codings, texts, product, codes, definitions))
    if recognised is None:
        return _without_a_drug(base, codings, texts, resource, record, codes, definitions)
    if isinstance(recognised, Unresolved):
        return _by_status(base, resource, record, codes).refused(recognised.note)
    ongoing = bool(given and resource.kind == "MedicationStatement" and (resource.status == "active" or given.is_open))
    traits = {drug.id for drug in definitions.drugs if drug.modality is not None}
    return [
        Dose(
            drug,
            _by_status(_named(base, drug, recognised), resource, record, codes, is_trait=drug in traits),
            given is not None,
            ongoing,
            resource.kind == ORDER,
            resource.kind in _WEAK,
            resource.status in _NOT_GIVEN or not _DENYING.isdisjoint(resource.flags),
        )
        for drug in recognised.drugs
    ]


def _recognised(
    codings: Sequence[Coding], texts: Sequence[str], product: Resource | None, codes: Codes, definitions: Definitions
) -> Resolved | Unresolved | None:
    """The drug of a resource, else of what its product consists of; the two may not disagree."""
    main = recognise_drug(codings, texts, codes, definitions)
    parts = [
        recognise_drug(each.codings, each.wordings, codes, definitions)
        for each in (product.ingredients if product else ())
    ]
    inside = [part for part in parts if isinstance(part, Resolved)]
    if main is None:
        drugs = tuple(dict.fromkeys(drug for part in inside for drug in part.drugs))
        return inside[0]._replace(drugs=drugs) if inside else next((part for part in parts if part), None)
    if isinstance(main, Resolved) and any(set(part.drugs).isdisjoint(main.drugs) for part in inside):
        return Unresolved("its name and its ingredients are of different drugs", contradiction=True)
    return main


def _without_a_drug(
    base: Find,
    codings: Sequence[Coding],
    texts: Sequence[str],
    resource: Resource,
    record: PatientRecord,
    codes: Codes,
    definitions: Definitions,
) -> list[Dose] | Find | None:
    """What it is where it names no drug of the definitions: a procedure that is a field, a transplant, another drug."""
    if any(coding in codes.transplant_of for coding in codings) or any(
        fold(text) in codes.transplant_names for text in texts
    ):
        note = "part of a line of therapy; counts for that only"
        return _by_status(replace(base, field=TRANSPLANT, note=note), resource, record, codes)
    if field := next(
        (codes.field_of_procedure[coding] for coding in codings if coding in codes.field_of_procedure), None
    ):
        name, code = field
        find = replace(base, field=name, text=code.text, value="yes", coding=code.key, basis=code.basis, note=code.note)
        find = _by_status(replace(find, layer="procedure"), resource, record, codes)
        if not code.usable:
            return find.refused("its code is known from background only and was not checked")
        remarks = [each for each in read_texts(codings, texts, codes, definitions) if isinstance(each, Remark)]
        return find.refused(remarks[0].note) if remarks and find.state == "usable" else find
    named = ("other drug", tuple(codings), tuple(texts))
    return [] if record.once(named, lambda: is_other_drug(codings, texts, codes, definitions)) else None


def _named(base: Find, drug: str, by: Resolved) -> Find:
    return replace(base, value=drug, layer=by.layer, coding=by.coding or base.coding, basis=by.basis)


def drug_names(resource: Resource, record: PatientRecord) -> tuple[tuple[Coding, ...], tuple[str, ...]]:
    """Codings and texts of the drug: of the resource itself, or of the Medication it refers to."""
    if resource.kind in _UNDER_CODE:
        return resource.code.codings, resource.code.wordings
    reference = resource.medication_reference
    medication = _product(resource, record)
    product = medication.code if medication else NO_CONCEPT
    texts = (*resource.medication.wordings, *product.wordings, *([reference.display] if reference.display else ()))
    return (*resource.medication.codings, *product.codings), tuple(dict.fromkeys(texts))


def _product(resource: Resource, record: PatientRecord) -> Resource | None:
    """Return the Medication a resource refers to."""
    return record.find("Medication", resource.medication_reference.address, resource)


def _by_status(find: Find, resource: Resource, record: PatientRecord, codes: Codes, *, is_trait: bool = False) -> Find:
    status, product = resource.status, _product(resource, record)
    if status in _WITHDRAWN:
        return find.refused(f"status {status}", "ignored")
    if product is not None and product.status == _IN_ERROR:
        return find.refused(f"its Medication has the status {product.status}", "ignored")
    if resource.do_not_perform:
        return find.refused("an order not to give it", "ignored")
    if resource.gives_nothing:
        return find.refused("an amount of zero")
    if resource.kind == ORDER and resource.intent not in _ORDERED:
        return find.refused(f"intent {resource.intent}: planned, not given")
    if status not in _GIVEN[resource.kind]:
        ordered = "ordered; that it was given is not recorded" if resource.kind == ORDER else ""
        return find.refused("; ".join(part for part in (f"status {status or 'missing'}", ordered) if part))
    if category := _no_dose_category(resource, codes):
        return find.refused(category)
    said = against(resource, codes.drug_words, is_trait=is_trait)
    return find.refused(said) if said else find


def _no_dose_category(resource: Resource, codes: Codes) -> str:
    """Why a resource of its category is no dose; empty where the category says nothing of that."""
    known = codes.no_dose_category_of
    coded = (known[coding] for each in resource.categories for coding in each.codings if coding in known)
    words = codes.drug_words.no_dose_phrases
    named = (f"its category is {text!r}" for each in resource.categories for text in each.texts if says(text, words))
    return next(chain(coded, named), "")
