"""Myeloma records, drawn from a seed in the styles of ``styles``, each with what a reader may and must take from it.

Beside what the record says plainly stands what only looks like it: general knowledge, other people, panels, planned
doses, refuted diagnoses, withdrawn results. Nothing of that may reach the profile.
"""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from tests.fhir.reading.support.records import (
    ICD10CM,
    LOINC,
    NCIT,
    ON,
    SNOMED,
    bundle,
    coded,
    condition,
    given,
    observation,
    person,
)
from tests.fhir.reading.support.styles import (
    CHANGE,
    FISH,
    ICD10GM,
    ICD10WHO,
    LABS,
    PRODUCTS,
    STYLES,
    Draw,
    product_form,
    report,
    shown,
    trait,
)
from tests.fhir.reading.support.truths import Truth

MUST_READ = {
    "mCODE": {"iss", "r_iss", "ecog", "del_17p", "plasma_cell_leukemia", "extramedullary_disease", *LABS},
    "US Core": {"ecog", *CHANGE, "plasma_cell_leukemia", "extramedullary_disease", *LABS},
    "plain SNOMED": {"plasma_cell_leukemia", *LABS},
    "ICD-10": {"plasma_cell_leukemia", "extramedullary_disease", *LABS},
    "German core data set": {"plasma_cell_leukemia", "extramedullary_disease", *LABS},
    "text": set(),
}
"""Fields that a style writes so plainly that an unread value is an error; elsewhere it is only counted."""

MYELOMA = {
    "mCODE": (ICD10CM, "C90.00"), "US Core": (ICD10CM, "C9002"), "plain SNOMED": (SNOMED, "109989006"),
    "ICD-10": (ICD10WHO, "C90.0"), "German core data set": (ICD10GM, "C90.00"), "text": (SNOMED, "109989006"),
}  # fmt: skip

NOT_A_RESULT = (
    "{c} is found in about {p}% of patients with myeloma.", "Patients in whom {c} is detected have a shorter survival.",
    "Patient's sister: {c} detected", "Positive control: {c} present", "Probes for {c} were present on the panel",
    "Indication: {c}?", "{c} cannot be excluded", "Possible {c} detected", "Test for {c} failed",
    "Literature: {c} positive cases relapse earlier", "Preliminary: {c} detected. Amended report: issued in error.",
    "Donor cells: {c} identified in {p}% of nuclei", "{c} detected in the control sample",
    "Previously {c} detected elsewhere",
    "Kontrollprobe: {c} nachgewiesen", "Die {c} wird bei {p}% der Patienten gefunden", "Request: {c} present?",
)  # fmt: skip
NOT_THERE = (
    "{c} detected in 0 of 200 nuclei", "{c}: none seen", "{c} detected: N", "{c} positive in 0% of nuclei",
    "{c} detected in 3% of nuclei (cut-off 10%)", "{c} seen in 2% of nuclei, within normal limits", "Sample lacks {c}",
    "{c} excluded", "{c} detected - false", "{c} in keinem Kern nachgewiesen", "{c} present: 0 %",
)  # fmt: skip
NOT_GIVEN = (
    "{d} patient education", "{d} leukapheresis", "{d} (planned, awaiting slot)", "{d} declined", "{d} not given",
    "{d} consent signed", "{d} cancelled", "{d}-free interval", "Apheresis for {d}", "{d} geplant",
    "{d} information leaflet",
    "{d} eligibility assessment", "{d} slot reservation", "{d} prior authorization",
)  # fmt: skip
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
TURNED = (
    {"status": "not-done"}, {"status": "entered-in-error"},
    {"modifierExtension": [{"url": "urn:x:negated", "valueBoolean": True}]},
    {"subject": {"reference": "https://elsewhere.example/fhir/Patient/example"}},
)  # fmt: skip
ACTIVE = coded(CLINICAL, "active")
NOT_NOW = (
    {"clinicalStatus": coded(CLINICAL, "resolved")}, {"clinicalStatus": {"text": "Resolved"}},
    {"clinicalStatus": ACTIVE, "abatementDateTime": "2021-03-01"},
    {"clinicalStatus": ACTIVE, "verificationStatus": coded(VERIFICATION, "refuted")},
    {"clinicalStatus": ACTIVE, "verificationStatus": coded(VERIFICATION, "provisional")},
)  # fmt: skip
NOT_CERTAIN = (
    "Suspected {d}",
    "Rule out {d}",
    "Family history of {d}",
    "No {d}",
    "Verdacht auf {d}",
    "{d} excluded",
    "Possible {d}",
)


SPECIAL = {*CHANGE, "iss", "r_iss", "prior_bcma_courses"}


@dataclass(frozen=True)
class Record:
    name: str
    style: str
    bundle: dict
    truths: tuple[Truth, ...]
    special: bool
    """Whether it holds FISH text, a BCMA drug or a stage."""


def drawn(seed: int, number: int) -> Record:
    """The record of one number: the same for the same seed."""
    random = Random(f"{seed}/{number}")
    style = STYLES[number % len(STYLES)]
    draw = Draw(random)
    age, sex = random.randint(45, 88), random.choice(["female", "male"])
    born = ON.replace(year=ON.year - age, month=random.randint(1, 10), day=random.randint(1, 28))
    truths = [Truth("age", (age,), "person"), Truth("sex", (sex,), "person")]
    resources = [condition("mm", *MYELOMA[style])]
    for part in (_labs, _changes, _stages, _diagnoses, _products, _ecog):
        made, said = part(draw, style)
        resources += made
        truths += said
    random.shuffle(resources)
    special = any(each.field in SPECIAL and each.kind != "no BCMA drug" for each in truths)
    patient = person(gender=sex, birthDate=born.isoformat())
    return Record(
        f"drawn-{seed}-{number}-{style.replace(' ', '-')}", style, bundle(patient, *resources), tuple(truths), special
    )


def _truth(style, field, value, kind, said=""):
    return Truth(field, (value,) if field in MUST_READ[style] else (value, None), kind, said)


RANGES = {
    "platelets": (20, 300), "hemoglobin": (7, 15), "creatinine": (0.6, 6), "ferritin": (50, 3000), "crp": (0.2, 20),
    "neutrophils": (0.4, 7), "weight": (48, 110), "egfr": (12, 110),
}  # fmt: skip


def _labs(draw, style):
    resources, truths = [], []
    for name in draw.random.sample(sorted(LABS), draw.random.randint(2, 5)):
        value = round(draw.random.uniform(*RANGES[name]), 1)
        made = trait(name).resources(style, draw, value)
        truths.append(_truth(style, name, value, "laboratory value"))
        resources += [*made, *_beside(draw, made[0], truths)]
    return resources, truths


def _beside(draw, right, truths):
    """A second result of the same test that may not be taken: older, withdrawn, of urine, of somebody else."""
    number = right["valueQuantity"]["value"]
    wrong = {
        **right,
        "id": draw.name(),
        "valueQuantity": right["valueQuantity"] | {"value": round(number * 1.7 + 1, 2)},
    }
    newer, older = (ON - timedelta(days=1)).isoformat(), (ON - timedelta(days=9)).isoformat()
    absent = coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", "error")
    return draw.one(
        [], [], [wrong | {"effectiveDateTime": older}],
        [wrong | {"effectiveDateTime": newer, "status": "entered-in-error"}],
        [wrong | {"effectiveDateTime": newer, "status": "cancelled"}],
        [wrong | {"effectiveDateTime": newer, "specimen": {"display": "Urine"}}],
        [wrong | {"effectiveDateTime": newer, "focus": [{"reference": "RelatedPerson/donor"}]}],
        [wrong | {"effectiveDateTime": newer, "dataAbsentReason": absent}],
        [wrong | {"effectiveDateTime": (ON + timedelta(days=40)).isoformat()}],
        [wrong | {"effectiveDateTime": newer, "modifierExtension": [{"url": "urn:x:other", "valueBoolean": True}]}],
    )  # fmt: skip


def _changes(draw, style):
    resources, truths = [], []
    for change in CHANGE:
        form = trait(change).forms[style]
        what = draw.one("said", "said", "trap", "trap", "both", "nothing")
        concept = FISH if draw.one(True, True, False) else {"text": "FISH"}
        trap = draw.one("not a result", "not there")
        words = draw.random.choice(NOT_A_RESULT if trap == "not a result" else NOT_THERE)
        text = words.format(c=CHANGE[change], p=draw.random.randint(5, 60))
        if what == "both" and form:
            value = draw.one(True, False)
            older = report(draw.name(), draw.random.choice(NOT_A_RESULT).format(c=CHANGE[change], p=20), FISH, days=700)
            resources += [*form(draw, value), older]
            truths.append(_truth(style, change, value, "cytogenetics beside general words", older["conclusion"]))
        elif what == "said" and form:
            value = draw.one(True, False)
            resources += form(draw, value)
            truths.append(_truth(style, change, value, "cytogenetics", resources[-1].get("conclusion", "")))
        elif what == "trap":
            resources.append(report(draw.name(), text, concept))
            accepted = (None,) if trap == "not a result" else (None, False)
            truths.append(Truth(change, accepted, f"cytogenetics, {trap}", text))
    return resources, truths


STAGE_GROUP = shown(LOINC, "21908-9", "Stage group")
NO_ISS = (
    ("stage of no system", STAGE_GROUP, {"text": "Stage III"}),
    ("Durie and Salmon", STAGE_GROUP, {"text": "Durie-Salmon IIIA"}),
    ("code against words", coded(NCIT, "C139007"), shown(NCIT, "C70658", "ISS Stage III")),
)


def _stages(draw, style):
    resources, truths = [], []
    for name in ("iss", "r_iss"):
        value = draw.random.randint(1, 3)
        made = trait(name).resources(style, draw, value) if draw.one(True, False) else None
        if made:
            resources += made
            truths.append(_truth(style, name, value, "stage"))
        elif name == "iss" and draw.one(True, False, False):
            said, concept, answer = draw.random.choice(NO_ISS)
            resources.append(observation(draw.name(), concept, days=200, valueCodeableConcept=answer))
            truths.append(Truth("iss", (None,), "stage that is none", said))
    return resources, truths


def _diagnoses(draw, style):
    resources, truths = [], []
    for name, words in (
        ("plasma_cell_leukemia", "plasma cell leukemia"),
        ("extramedullary_disease", "extramedullary plasmacytoma"),
    ):
        made = trait(name).resources(style, draw)
        what = draw.one("said", "turned", "doubt", "nothing", "nothing")
        if not made or what == "nothing":
            continue
        (resource,) = made
        if what == "said":
            truths.append(_truth(style, name, True, "diagnosis"))
        elif what == "turned" and name == "extramedullary_disease":
            resource |= draw.random.choice(NOT_NOW)
            truths.append(Truth(name, (None,), "diagnosis that is over or refuted"))
        else:
            resource["code"]["text"] = draw.random.choice(NOT_CERTAIN).format(d=words)
            truths.append(Truth(name, (None,), "diagnosis in doubt", resource["code"]["text"]))
        resources.append(resource)
    return resources, truths


def _products(draw, style):
    product = draw.random.choice(PRODUCTS)
    form = product_form(style, product)
    what = draw.one("said", "said", "turned", "words", "nothing", "no dose yet or not known")
    months = draw.random.randint(2, 40)
    if what in ("said", "turned") and form:
        made = form(draw, months)
        if what == "said":
            return made, [Truth("prior_bcma_courses", ((product.course, months),), "BCMA drug given", str(made[-1]))]
        made[-1] |= draw.random.choice(TURNED)
        return made, [Truth("prior_bcma_courses", (None,), "BCMA drug not given", str(made[-1]))]
    if what == "no dose yet or not known":
        name = {"text": draw.one(product.drug, product.text[0])}
        if product.course != "car_t" and draw.one(True, False):
            made = given(
                draw.name(), name, kind="MedicationStatement", status="active", effectivePeriod={"start": "2025-01-10"}
            )
            del made["effectiveDateTime"]
            return [made], [
                Truth("prior_bcma_courses", ((product.course, (0, None)), None), "BCMA drug, ongoing", str(made))
            ]
        made = given(draw.name(), name, kind="MedicationRequest", intent="order")
        return [made], [
            Truth("prior_bcma_courses", ((product.course, (None,)), None), "BCMA drug, only ordered", str(made))
        ]
    if what == "words":
        words = draw.random.choice(NOT_GIVEN).format(d=draw.one(product.drug.capitalize(), product.text[0].split()[0]))
        kind = draw.one("Procedure", "MedicationStatement", "MedicationAdministration")
        made = given(draw.name(), {"text": words}, kind=kind, day="2025-03-01")
        return [made], [Truth("prior_bcma_courses", (None,), "BCMA drug in other words", words)]
    return [], [Truth("prior_bcma_courses", (None,), "no BCMA drug")]


def _ecog(draw, style):
    value = draw.random.randint(0, 4)
    made = trait("ecog").resources(style, draw, value)
    if not made or draw.one(True, False, False):
        return [], []
    return made, [_truth(style, "ecog", value, "performance status")]
