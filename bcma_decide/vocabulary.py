"""The words of the domain, once: classes, families with their thresholds, and the traits of the model.

Python knows shapes only. Labels of products, drug lists, cut-offs and definitions stand in evidence/ with their
source and reach the bedside through the pooled file.
"""

from __future__ import annotations

from math import log2
from typing import Final, Literal, NamedTuple

ClassId = Literal["car_t", "bite"]
Design = Literal["interventional", "real_world"]
Direction = Literal["benefit", "harm"]
CourseKind = Literal["adc", "car_t", "bispecific"]
"""Kinds of BCMA therapy."""

Certainty = Literal["very low", "low", "moderate", "high"]
State = Literal["estimated", "too_thin", "not_applicable", "no_evidence", "withheld"]
Basis = Literal["verified", "derived", "recalled"]
UNVERIFIED: Final = "recalled"
Severity = Literal["contraindication", "caution", "information"]
Origin = Literal["label", "consensus", "trial_entry", "study", "expert"]
"""What a rule rests on."""
FindingState = Literal["fires", "cannot_be_judged"]
ONE_LINE: Final = 72
"""Characters of a finding in one line."""
SEVERITIES: Final[tuple[Severity, ...]] = ("contraindication", "caution", "information")
"""Worst first."""
LabelState = Literal["met", "not_met", "cannot_be_judged"]
InputState = Literal["used", "inferred", "older", "stale", "contradiction", "not_usable", "ignored", "replaced", "note"]
"""What became of a value of a record; only *used*, and *inferred* where that was asked for, reached the profile."""

CLASSES: Final[tuple[ClassId, ClassId]] = ("car_t", "bite")
KIND_OF_CLASS: Final[dict[ClassId, CourseKind]] = {"car_t": "car_t", "bite": "bispecific"}
"""As which kind of earlier BCMA therapy a class counts once it was given."""

DEFAULT_REGION: Final = "US"
"""For which labels are judged where no region is asked for."""

CLASS_LABELS: Final[dict[ClassId, tuple[str, str]]] = {
    "car_t": ("CAR-T", "BCMA CAR-T cells"),
    "bite": ("Bispecific", "BCMAxCD3 bispecific antibodies"),
}
"""Short and long label of each class."""


class Threshold(NamedTuple):
    """One level of an outcome: *response, at least VGPR* or *infection, grade 3 or higher*."""

    id: str
    label: str
    plain: str
    """How the sentence "of 100 patients like this, about N ..." goes on."""


class Family(NamedTuple):
    """An ordered set of thresholds of one outcome, loosest first; a trait acts alike on all of them."""

    id: str
    label: str
    direction: Direction
    thresholds: tuple[Threshold, ...]
    horizon: str
    grows_with_follow_up: bool = False
    classes: tuple[ClassId, ...] = CLASSES


def _single(
    outcome: str, label: str, plain: str, horizon: str, *, grows: bool = False, car_t_only: bool = False
) -> Family:
    return Family(
        id=outcome,
        label=label,
        direction="harm",
        thresholds=(Threshold(outcome, label, plain),),
        horizon=horizon,
        grows_with_follow_up=grows,
        classes=("car_t",) if car_t_only else CLASSES,
    )


FAMILIES: Final[tuple[Family, ...]] = (
    Family(
        id="response",
        label="Response",
        direction="benefit",
        thresholds=(
            Threshold("orr", "Response (PR or better)", "respond"),
            Threshold("vgpr_or_better", "VGPR or better", "reach at least a very good partial response"),
            Threshold("cr_or_better", "CR or better", "reach a complete response"),
        ),
        horizon="confirmed response at any time in the study",
    ),
    Family(
        id="crs",
        label="Cytokine release syndrome",
        direction="harm",
        thresholds=(
            Threshold("crs_any", "CRS, any grade", "have cytokine release syndrome"),
            Threshold("crs_g3plus", "CRS, grade 3 or higher", "have severe cytokine release syndrome"),
        ),
        horizon="first weeks",
    ),
    Family(
        id="icans",
        label="ICANS",
        direction="harm",
        thresholds=(
            Threshold("icans_any", "ICANS, any grade", "have immune-effector-cell neurotoxicity"),
            Threshold("icans_g3plus", "ICANS, grade 3 or higher", "have severe immune-effector-cell neurotoxicity"),
        ),
        horizon="first weeks",
    ),
    Family(
        id="infection",
        label="Infection",
        direction="harm",
        thresholds=(
            Threshold("infection_any", "Infection, any grade", "have an infection"),
            Threshold("infection_g3plus", "Infection, grade 3 or higher", "have a severe infection"),
        ),
        horizon="over the follow-up of the studies",
        grows_with_follow_up=True,
    ),
    _single("neutropenia_g3plus", "Neutropenia, grade 3 or higher", "have severe neutropenia", "on treatment"),
    _single("anemia_g3plus", "Anaemia, grade 3 or higher", "have severe anaemia", "on treatment"),
    _single(
        "thrombocytopenia_g3plus", "Thrombocytopenia, grade 3 or higher", "have severe thrombocytopenia", "on treatment"
    ),
    _single(
        "hypogammaglobulinemia",
        "Hypogammaglobulinaemia",
        "have low immunoglobulins",
        "over the follow-up of the studies",
        grows=True,
    ),
    _single(
        "delayed_neurotoxicity",
        "Delayed neurotoxicity",
        "have delayed neurotoxicity (movement disorder, cranial nerve palsy, neuropathy)",
        "over the follow-up of the studies",
        grows=True,
        car_t_only=True,
    ),
    _single(
        "treatment_related_death",
        "Treatment-related death",
        "die of the treatment",
        "over the follow-up of the studies",
        grows=True,
    ),
    _single(
        "non_relapse_mortality",
        "Non-relapse mortality",
        "die without relapse or progression of the myeloma, of whatever cause",
        "over the follow-up of the studies",
        grows=True,
    ),
    _single(
        "secondary_primary_malignancy",
        "Second cancer",
        "have a second cancer",
        "over the follow-up of the studies",
        grows=True,
    ),
    _single(
        "apheresed_not_infused",
        "Apheresis done, infusion not reached",
        "do not reach the infusion after apheresis",
        "from apheresis to infusion",
        car_t_only=True,
    ),
)

THRESHOLDS: Final[dict[str, Threshold]] = {t.id: t for family in FAMILIES for t in family.thresholds}
FAMILY_OF: Final[dict[str, Family]] = {t.id: family for family in FAMILIES for t in family.thresholds}
OUTCOMES: Final[tuple[str, ...]] = tuple(THRESHOLDS)

PFS: Final = "pfs"
PFS_FAMILY: Final = Family(
    id=PFS,
    label="Progression-free survival",
    direction="benefit",
    thresholds=(Threshold(PFS, "Without progression", "are alive without progression"),),
    horizon="from the infusion or the first dose",
)
"""The one time to an event that is computed. It has trait effects like other families, and curves instead of rates."""

EXPLAINED: Final[tuple[str, ...]] = (*OUTCOMES, PFS)
"""What can be explained."""

CR_GIVEN_RESPONSE: Final = "cr_given_response"
VGPR_WITHOUT_CR: Final = "vgpr_given_response_without_cr"
STAGES: Final[dict[str, tuple[str, ...]]] = {
    **{outcome: (outcome,) for outcome in THRESHOLDS},
    "cr_or_better": ("orr", CR_GIVEN_RESPONSE),
    "vgpr_or_better": ("orr", CR_GIVEN_RESPONSE, VGPR_WITHOUT_CR),
}
"""Stages whose rates make up an outcome, each with levels of its own.

A complete response is one among the responders; VGPR is reached with CR or, among those without, short of it. So a
deeper response is never more frequent, by construction (continuation ratios: Agresti A. Categorical Data Analysis, 3rd
edition, 2013, section 8.3.4).
"""
STAGE_IDS: Final[tuple[str, ...]] = tuple(dict.fromkeys(stage for stages in STAGES.values() for stage in stages))


class ModelTrait(NamedTuple):
    """A trait of the linear predictor.

    ``binary`` traits count 0 or 1. ``age`` counts in decades and ``prior_lines`` in doublings (log2), so that one
    coefficient speaks for every published cut of them.
    """

    id: str
    label: str
    kind: Literal["binary", "age", "prior_lines"]


MODEL_TRAITS: Final[tuple[ModelTrait, ...]] = (
    ModelTrait("age", "Age", "age"),
    ModelTrait("prior_lines", "Prior lines", "prior_lines"),
    ModelTrait("high_risk_cytogenetics", "High-risk cytogenetics", "binary"),
    ModelTrait("extramedullary_disease", "Extramedullary disease", "binary"),
    ModelTrait("prior_bcma", "Earlier BCMA therapy", "binary"),
    ModelTrait("prior_t_cell_redirection", "Earlier T-cell redirection", "binary"),
    ModelTrait("triple_class_refractory", "Triple-class refractory", "binary"),
    ModelTrait("penta_drug_refractory", "Penta-drug refractory", "binary"),
    ModelTrait("iss_3", "ISS stage III", "binary"),
    ModelTrait("r_iss_3", "R-ISS stage III", "binary"),
    ModelTrait("frail", "Frail", "binary"),
    ModelTrait("ecog_ge_2", "ECOG 2 or worse", "binary"),
    ModelTrait("renal_impairment", "Renal impairment", "binary"),
    ModelTrait("bone_marrow_plasma_cells_high", "High marrow plasma cells", "binary"),
    ModelTrait("plasma_cell_leukemia", "Plasma cell leukaemia", "binary"),
    ModelTrait("ferritin_high", "High ferritin", "binary"),
    ModelTrait("car_hematotox_high", "CAR-HEMATOTOX high", "binary"),
)

MODEL_TRAIT_IDS: Final[tuple[str, ...]] = tuple(trait.id for trait in MODEL_TRAITS)
TRAIT_LABELS: Final[dict[str, str]] = {trait.id: trait.label for trait in MODEL_TRAITS}

TRAIT_KINDS: Final[dict[str, str]] = {trait.id: trait.kind for trait in MODEL_TRAITS}


def model_scale(trait: str, value: bool | float | None) -> float | None:
    """A trait's value as the model counts it: decades of age, doublings of prior lines, 0 or 1; None stays None."""
    return None if value is None else scaled(trait, float(value))


def scaled(trait: str, value: float) -> float:
    """A known value on the model's scale: decades of age, doublings of prior lines, 0 or 1."""
    if TRAIT_KINDS[trait] == "age":
        return value / 10.0
    return log2(value) if TRAIT_KINDS[trait] == "prior_lines" else value


def natural_scale(trait: str, value: float) -> float:
    """The inverse of :func:`scaled` for numeric traits: years, number of lines."""
    return 10.0 * value if TRAIT_KINDS[trait] == "age" else float(2.0**value)


INTENDED_USE: Final = (
    "For haematologists: to inform, not to direct. Not for urgent decisions. Not a medical device; "
    "research and education. Numbers come from published groups of patients, compared across studies without "
    "randomisation; a person may differ."
)
