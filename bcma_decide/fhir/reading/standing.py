"""What makes a resource not count, whatever stands in it: the elements that every reader of FHIR has to honour."""

from __future__ import annotations

from typing import Final, NamedTuple

from bcma_decide.fhir.reading.find import Find, FindState
from bcma_decide.fhir.reading.record import PatientRecord
from bcma_decide.fhir.reading.resource import Resource

_TAKEN: Final = {
    "taken": ("y",),
    "adherence": (
        "taking", "taking-as-directed", "taking-not-as-directed", "stopped", "stopped-as-directed",
        "stopped-not-as-directed",
    ),
}  # fmt: skip
"""Values that say that a drug was taken (STU3 value set medication-statement-taken, R5 medication-statement-adherence);
all other elements of the kind say by *true* that something was not done."""


_TEST: Final = "HTEST"
"""Label of data made up for a test (v3 ActReason). Where the patient carries it too, all of the record is."""


_UNUSABLE: Final = ("unsatisfactory", "entered-in-error", "unavailable")


class Standing(NamedTuple):
    """Why a resource does not count."""

    note: str
    state: FindState


def standing(resource: Resource, record: PatientRecord) -> Standing | None:
    """Why a resource does not count; None for one that does.

    A modifier extension or a rule that is not known may say the opposite of everything else in the resource (FHIR R4,
    2.4.1.1 and 2.1.10.0.3: a reader that does not know it has to leave the resource alone).
    """
    if resource.set_aside:
        return Standing(resource.set_aside, "ignored")
    if resource.rules:
        return Standing("it is written under rules that are not known here (implicitRules)", "not_usable")
    if resource.modifiers:
        return Standing("it carries an extension that may turn its meaning (modifierExtension)", "not_usable")
    if _TEST in resource.labels and record.patient is not None and _TEST not in record.patient.labels:
        return Standing("it is marked as test data, and the patient is not", "not_usable")
    for name, value in resource.flags:
        if value not in _TAKEN.get(name, ("false",)):
            return Standing(f"{name}: {value}", "ignored")
    product = record.find("Medication", resource.medication_reference.address, resource)
    if product is not None and product.set_aside:
        return Standing(f"its product: {product.set_aside}", "ignored")
    if product is not None and (product.modifiers or product.rules):
        return Standing("its product carries an extension that may turn its meaning (modifierExtension)", "not_usable")
    focus = [each for each in resource.focus if not record.is_patient(each, resource)]
    if focus:
        named = focus[0].display or focus[0].kind or "another"
        return Standing(f"it is about {named}, not the patient (focus)", "not_usable")
    return None


def unfit_specimen(specimen: Resource, resource: Resource) -> str:
    """Why nothing measured in a specimen counts for a resource of the patient; empty where it does."""
    if specimen.subject is not None and specimen.subject != resource.subject:
        return "its specimen is of another patient"
    return f"its specimen is {specimen.status}" if specimen.status in _UNUSABLE else ""


def with_standing(find: Find, why: Standing | None) -> Find:
    """Return a find as the standing of its resource leaves it; what was refused already keeps its own reason."""
    if why is None or find.state == "ignored":
        return find
    return find.refused(why.note, why.state)
