"""How every field of a profile is asked: one table for template, help texts, questions and forms.

A field's own words hold no cut-off: that stands in the definitions, and :func:`definition_text` adds it.
Ranges here are of what is plausible at all, not of what is normal or high.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from bcma_decide.definitions import Definitions, wording
from bcma_decide.vocabulary import TRAIT_LABELS

Kind = Literal["whole", "yes_no", "stage", "quantity", "drugs", "courses"]

PERSON: Final = "Person and fitness"
DISEASE: Final = "Disease"
TREATMENT: Final = "Earlier treatment"
KIDNEY: Final = "Kidney"
LABORATORY: Final = "Laboratory"
PANELS: Final = (PERSON, DISEASE, TREATMENT, KIDNEY, LABORATORY)


class Unit(NamedTuple):
    """A unit a value may come in: as shown, as the unit library calls it, and its other spellings."""

    name: str
    pint: str
    spellings: tuple[str, ...] = ()


class ProfileField(NamedTuple):
    """One field: what it is, how it is asked, what it may hold, and for which traits it speaks."""

    id: str
    label: str
    kind: Kind
    panel: str
    question: str
    definition: str
    why: str
    low: float = 0
    high: float = 0
    units: tuple[Unit, ...] = ()
    unit_optional: bool = False
    """A bare number is taken in the first unit."""
    example: str = ""
    feeds: tuple[str, ...] = ()
    """Traits of the model that can follow from it; none: shown, in no number."""
    rules: tuple[str, ...] = ()
    """Definitions to show beside its own, by trait."""
    skip_if: str = ""
    """A field that makes this question needless once it is answered."""

    @property
    def unit(self) -> str:
        """The unit values are kept in."""
        return self.units[0].name if self.units else ""

    @property
    def option(self) -> str:
        """Its option on the command line."""
        name = "prior_bcma_course" if self.id == "prior_bcma_courses" else self.id
        return "--" + name.replace("_", "-")

    @property
    def answer(self) -> str:
        """What may be answered, in a few words."""
        return (
            _ANSWERS[self.kind]
            .format(
                low=self.low,
                high=self.high,
                unit=self.unit,
                units=or_list([unit.name for unit in self.units]),
            )
            .strip()
        )


_ANSWERS: Final[dict[Kind, str]] = {
    "whole": "whole number, {low:g} to {high:g} {unit}",
    "yes_no": "yes or no",
    "stage": "1 to 3, or I to III",
    "quantity": "number in {units}",
    "drugs": "names, separated by commas",
    "courses": "kind:months since, separated by commas; kinds adc, car_t, bispecific",
}


def or_list(words: list[str] | tuple[str, ...]) -> str:
    """Write ``a``, ``a or b``, ``a, b or c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}" if words else ""


def in_sentence(label: str) -> str:
    """Write a label inside a sentence: small first letter, abbreviations left alone."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def definition_text(field: ProfileField, definitions: Definitions | None) -> str:
    """Say what the field means, with cut-offs and rules where the definitions are at hand."""
    if definitions is None:
        return field.definition
    sentences = [field.definition]
    for name in (field.id, *field.rules):
        if name in definitions.by_id:
            words = wording(definitions.by_id[name])
            sentences.append(
                f"{words[0].upper()}{words[1:]}." if name == field.id else f"{TRAIT_LABELS[name]}: {words}."
            )
    if field.id == "refractory_to":
        classes = dict.fromkeys(need.drug_class for count in definitions.drug_counts for need in count.needs)
        lists = (f"{definitions.class_label(c)}: {', '.join(definitions.agents(c))}" for c in classes)
        sentences.append(f"Counted by class: {'; '.join(lists)}.")
    return " ".join(sentence for sentence in sentences if sentence)


_COUNT = "gigacount/liter"
_CELLS = (
    Unit("10^9/L", _COUNT, ("10*9/L", "10**9/L", "10e9/L", "1e9/L", "10⁹/L", "G/L", "Gpt/L")),
    Unit("/uL", "count/microliter", ("1/uL", "cells/uL", "/mm3", "/mm^3", "cells/mm3", "/mcL", "cells/mcL")),
    Unit("10^3/uL", "kilocount/microliter", ("10*3/uL", "10**3/uL", "10e3/uL", "10³/uL", "K/uL", "10^3/mm3")),
)
_HEMATOTOX = "One of the five CAR-HEMATOTOX items, which mark blood counts, infection and survival after CAR-T."
_HEMATOTOX_TIME = "Before lymphodepletion, or the latest value."

_TABLE: Final = (
    ProfileField(
        "age", "Age", "whole", PERSON,
        "How old is the patient?",
        "Age in completed years.",
        "Older patients have been treated with both; some toxicities differ by age.",
        low=18, high=110, units=(Unit("years", "year", ("y", "yr", "yrs", "year")),), unit_optional=True,
        example="71", feeds=("age", "frail"),
    ),
    ProfileField(
        "ecog", "ECOG performance status", "whole", PERSON,
        "ECOG performance status now?",
        "0 fully active, 1 restricted in strenuous work, 2 up more than half of the day, "
        "3 in bed or chair more than half of the day, 4 bedbound.",
        "Worse performance goes with shorter control of the disease and more infections.",
        low=0, high=4, example="1", feeds=("ecog_ge_2", "frail"), rules=("ecog_ge_2",),
    ),
    ProfileField(
        "frail", "Frail", "yes_no", PERSON,
        "Is the patient frail?",
        "By the simplified IMWG index; left out, it is worked out from age and ECOG where these settle it.",
        "Frail patients were left out of most trials; ordinary care has data on them.",
        example="no", feeds=("frail",),
    ),
    ProfileField(
        "high_risk_cytogenetics", "High-risk cytogenetics", "yes_no", DISEASE,
        "High-risk cytogenetics?",
        "At any time in the course of the disease.",
        "Lowers the response rate to both classes; most readers ask for it.",
        example="yes", feeds=("high_risk_cytogenetics",),
    ),
    ProfileField(
        "del_17p", "del(17p)", "yes_no", DISEASE,
        "Deletion 17p?", "FISH on plasma cells, at any time.",
        "One of the changes that make high-risk cytogenetics.",
        example="no", feeds=("high_risk_cytogenetics",), skip_if="high_risk_cytogenetics",
    ),
    ProfileField(
        "t_4_14", "t(4;14)", "yes_no", DISEASE,
        "Translocation t(4;14)?", "FISH on plasma cells, at any time.",
        "One of the changes that make high-risk cytogenetics.",
        example="no", feeds=("high_risk_cytogenetics",), skip_if="high_risk_cytogenetics",
    ),
    ProfileField(
        "t_14_16", "t(14;16)", "yes_no", DISEASE,
        "Translocation t(14;16)?", "FISH on plasma cells, at any time.",
        "One of the changes that make high-risk cytogenetics.",
        example="no", feeds=("high_risk_cytogenetics",), skip_if="high_risk_cytogenetics",
    ),
    ProfileField(
        "gain_1q", "Gain of 1q", "yes_no", DISEASE,
        "Gain or amplification of 1q?", "FISH on plasma cells, at any time.",
        "Shown, in no number: most studies did not count it as high risk by itself.",
        example="no",
    ),
    ProfileField(
        "extramedullary_disease", "Extramedullary disease", "yes_no", DISEASE,
        "Extramedullary disease now?", "On current imaging.",
        "Lowers the response rate to both classes.",
        example="no", feeds=("extramedullary_disease",),
    ),
    ProfileField(
        "plasma_cell_leukemia", "Plasma cell leukaemia", "yes_no", DISEASE,
        "Plasma cell leukaemia?", "Primary or secondary.",
        "Rare and aggressive; few such patients are in the studies.",
        example="no", feeds=("plasma_cell_leukemia",),
    ),
    ProfileField(
        "iss", "ISS stage", "stage", DISEASE,
        "ISS stage?", "From albumin and beta-2 microglobulin now; if not measured, the last known stage.",
        "Marks the burden of disease.",
        low=1, high=3, example="2", feeds=("iss_3", "r_iss_3"),
    ),
    ProfileField(
        "r_iss", "R-ISS stage", "stage", DISEASE,
        "R-ISS stage?", "ISS with cytogenetics and LDH; as for ISS.",
        "Marks the burden and the biology of disease.",
        low=1, high=3, example="2", feeds=("r_iss_3", "iss_3"), rules=("r_iss_3",),
    ),
    ProfileField(
        "marrow_plasma_cells", "Marrow plasma cells", "quantity", DISEASE,
        "Plasma cells in the marrow?", "Biopsy or aspirate, the higher, latest sample.",
        "Much disease in the marrow goes with more cytopenia and inflammation.",
        low=0, high=100, units=(Unit("%", "percent", ("percent",)),), unit_optional=True,
        example="60 %", feeds=("bone_marrow_plasma_cells_high",),
        rules=("bone_marrow_plasma_cells_high",),
    ),
    ProfileField(
        "prior_lines", "Earlier lines of therapy", "whole", TREATMENT,
        "How many lines of therapy so far?",
        "A planned course counts once: induction, transplant and maintenance together are one line.",
        "Patients with many earlier lines respond less often.",
        low=1, high=30, units=(Unit("lines", "count", ("line",)),), unit_optional=True,
        example="4", feeds=("prior_lines", "penta_drug_refractory"),
    ),
    ProfileField(
        "refractory_to", "Refractory to", "drugs", TREATMENT,
        "Which drugs is the myeloma refractory to?",
        "A drug not named is unknown.",
        "Tells how much has failed.",
        feeds=("triple_class_refractory", "penta_drug_refractory", "prior_bcma", "prior_t_cell_redirection"),
    ),
    ProfileField(
        "exposed_to", "Exposed, not refractory", "drugs", TREATMENT,
        "Which drugs were given without the myeloma becoming refractory?",
        "Given, stopped for another reason than progression. A drug not named is unknown.",
        "Tells what has not failed.",
        feeds=("triple_class_refractory", "penta_drug_refractory", "prior_bcma", "prior_t_cell_redirection"),
    ),
    ProfileField(
        "naive_to", "Never given", "drugs", TREATMENT,
        "Which drugs were never given?", "A drug not named is unknown.",
        "Tells what cannot have failed.",
        feeds=("triple_class_refractory", "penta_drug_refractory", "prior_bcma", "prior_t_cell_redirection"),
    ),
    ProfileField(
        "triple_class_refractory", "Triple-class refractory", "yes_no", TREATMENT,
        "Triple-class refractory?", "Worked out from the drugs where they settle it.",
        "Marks heavily treated disease.",
        example="yes", feeds=("triple_class_refractory", "penta_drug_refractory"),
    ),
    ProfileField(
        "penta_drug_refractory", "Penta-drug refractory", "yes_no", TREATMENT,
        "Penta-drug refractory?", "Worked out from the drugs where they settle it.",
        "Marks the most heavily treated disease.",
        example="no", feeds=("penta_drug_refractory", "triple_class_refractory"),
    ),
    ProfileField(
        "prior_bcma", "Earlier BCMA therapy", "yes_no", TREATMENT,
        "Any earlier therapy against BCMA?", "",
        "Lowers the response rate to another one.",
        example="no", feeds=("prior_bcma",),
    ),
    ProfileField(
        "prior_bcma_courses", "Earlier BCMA courses", "courses", TREATMENT,
        "Which BCMA therapies, and how many months since the last dose or the infusion?",
        "One entry per course; the months may be unknown.",
        "Kind and time since matter for a second BCMA therapy. The months are shown, in no number.",
        low=0, high=600, example="car_t:7", feeds=("prior_bcma", "prior_t_cell_redirection"),
    ),
    ProfileField(
        "prior_t_cell_redirection", "Earlier T-cell redirection", "yes_no", TREATMENT,
        "Any earlier CAR-T or bispecific antibody?", "",
        "Cytokine release is rarer under a later bispecific antibody.",
        example="no", feeds=("prior_t_cell_redirection",),
    ),
    ProfileField(
        "renal_impairment", "Renal impairment", "yes_no", KIDNEY,
        "Renal impairment?", "Worked out from creatinine clearance or dialysis where given.",
        "Fludarabine before CAR-T is cleared by the kidney; some toxicities are more frequent.",
        example="no", feeds=("renal_impairment",),
    ),
    ProfileField(
        "creatinine_clearance", "Creatinine clearance", "quantity", KIDNEY,
        "Creatinine clearance?", "Measured or by Cockcroft-Gault; not indexed to body surface.",
        "Decides about renal impairment and the dose of fludarabine.",
        low=1, high=250, units=(Unit("mL/min", "milliliter/minute"), Unit("mL/s", "milliliter/second")),
        unit_optional=True, example="62 mL/min", feeds=("renal_impairment",), rules=("renal_impairment",),
    ),
    ProfileField(
        "dialysis", "Dialysis", "yes_no", KIDNEY,
        "On dialysis?", "Chronic dialysis now.",
        "Only case series exist for patients on dialysis.",
        example="no", feeds=("renal_impairment",),
    ),
    ProfileField(
        "ferritin", "Ferritin", "quantity", LABORATORY,
        "Ferritin?", _HEMATOTOX_TIME,
        "Marks inflammation and burden; also a CAR-HEMATOTOX item.",
        low=1, high=200_000,
        units=(Unit("ng/mL", "nanogram/milliliter"), Unit("ug/L", "microgram/liter", ("mcg/L",))),
        example="850 ng/mL", feeds=("ferritin_high", "car_hematotox_high"),
        rules=("ferritin_high",),
    ),
    ProfileField(
        "crp", "C-reactive protein", "quantity", LABORATORY,
        "C-reactive protein?", _HEMATOTOX_TIME, _HEMATOTOX,
        low=0, high=100, units=(Unit("mg/dL", "milligram/deciliter"), Unit("mg/L", "milligram/liter")),
        example="1.2 mg/dL", feeds=("car_hematotox_high",),
    ),
    ProfileField(
        "neutrophils", "Neutrophils", "quantity", LABORATORY,
        "Absolute neutrophil count?", _HEMATOTOX_TIME, _HEMATOTOX,
        low=0, high=100, units=_CELLS, example="1.8 10^9/L", feeds=("car_hematotox_high",),
    ),
    ProfileField(
        "hemoglobin", "Haemoglobin", "quantity", LABORATORY,
        "Haemoglobin?", _HEMATOTOX_TIME, _HEMATOTOX,
        low=2, high=25, units=(Unit("g/dL", "gram/deciliter"), Unit("g/L", "gram/liter")),
        example="10.4 g/dL", feeds=("car_hematotox_high",),
    ),
    ProfileField(
        "platelets", "Platelets", "quantity", LABORATORY,
        "Platelets?", _HEMATOTOX_TIME, _HEMATOTOX,
        low=0, high=3000, units=_CELLS, example="120 10^9/L", feeds=("car_hematotox_high",),
    ),
)  # fmt: skip

FIELDS: Final[dict[str, ProfileField]] = {field.id: field for field in _TABLE}
FIELD_LABELS: Final[dict[str, str]] = {field.id: field.label for field in _TABLE}
