"""What an evidence file may say: the strict shape of every study, row, split, effect and source.

Every figure carries a ``basis``: *verified* (seen in the cited source), *derived* (arithmetic on verified
figures) or *recalled* (known from background only; carried and labelled, never pooled).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bcma_decide.vocabulary import Basis, ClassId, Design

Number = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=3)]
Interval = tuple[Number | None, Number | None]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]


EffectMeasure = Literal[
    "OR",
    "HR",
    "sHR",
    "RR",
    "IRR",
    "rate",
    "survival",
    "association",
    "none",
    "direction",
    "descriptive",
    "unknown",
]
"""How an effect is expressed; the last five carry words, not a size."""


class Strict(BaseModel):
    """Base of all evidence shapes: unknown keys are errors, text is never read as number, nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CitationEntry(Strict):
    """Where something was seen, as the bedside has it."""

    citation: Text
    pmid: int | None = None
    doi: str | None = None
    url: str | None = None

    def bedside(self) -> dict[str, str | int | None]:
        """Plain data for the pooled file."""
        return self.model_dump(include=set(CitationEntry.model_fields))


class Source(CitationEntry):
    """Where a figure was seen."""

    traceable: bool = True
    kind: Literal["news"] | None = None
    """*news*: a news page, a source of last resort behind labels, agencies, registries and journals."""
    note: str = ""


class Figure(Strict):
    """What every figure carries: its basis, the key of its source in the same file, and remarks."""

    basis: Basis
    source: str | None = None
    note: str = ""


class OutcomeRow(Figure):
    """Events of one outcome among ``n`` patients of the arm (an *arm total*)."""

    outcome: Identifier
    arm: Identifier | None = None
    events: Annotated[int, Field(ge=0)] | None = None
    n: Annotated[int, Field(ge=1)] | None = None
    pct: Annotated[Number, Field(ge=0, le=100)] | None = None
    ci95: Interval | None = None
    primary: bool
    denominator: Literal["treated", "evaluable", "randomised", "leukapheresed", "responders"] | None = None
    """Who is counted; ``None`` where the source does not say. Response per randomised or leukapheresed
    patient counts those who never reached the infusion as non-responders."""
    definition: Identifier | None = None
    """How the outcome was defined, by an id of ``outcome_definitions.yaml``; ``None``: as usual, or not said."""
    events_derived: bool = False
    events_basis: Basis | None = None
    n_basis: Basis | None = None
    follow_up_months: Annotated[Number, Field(ge=0)] | None = None
    """Median follow-up of this data cut where it is not the study's own."""
    inconsistent: str = ""
    """Why the source's own figures contradict each other; switches the arithmetic check of this row off."""


class Split(Figure):
    """The same outcome in one level of one trait inside the study.

    ``level`` is the source's own wording. Where the trait is one of the model's, ``group`` says present or
    absent, or ``at_least`` (inclusive) and ``below`` (exclusive) give the bounds of a numeric trait.
    """

    outcome: Identifier
    trait: Identifier
    level: str
    group: Literal["present", "absent"] | None = None
    at_least: Number | None = None
    below: Number | None = None
    arm: Identifier | None = None
    events: Annotated[int, Field(ge=0)] | None = None
    n: Annotated[int, Field(ge=1)] | None = None
    pct: Annotated[Number, Field(ge=0, le=100)] | None = None
    ci95: Interval | None = None
    primary: bool = True
    events_derived: bool = False
    events_basis: Basis | None = None
    n_basis: Basis | None = None
    follow_up_months: Annotated[Number, Field(ge=0)] | None = None
    inconsistent: str = ""


class AdjustedEffect(Figure):
    """A published effect of a trait (or of a product or treatment) with the words of the source."""

    outcome: Identifier
    trait: Identifier
    contrast: str
    measure: EffectMeasure
    value: Number | str | None = None
    ci95: Interval | None = None
    adjusted: bool | None = None
    adjusted_for: tuple[str, ...] | None = None
    reference: Literal["present", "absent"] | None = None
    """The level the effect is relative to, for yes-or-no traits of the model, where the contrast is clear."""


class PopulationFigure(Figure):
    """One line of an arm's baseline table: a count, a percentage, or a median with its range."""

    n: Annotated[int, Field(ge=0)] | None = None
    of: Annotated[int, Field(ge=1)] | None = None
    pct: Annotated[Number, Field(ge=0, le=100)] | None = None
    value: Number | str | None = None
    range: Interval | None = None
    iqr: Interval | None = None
    sd: Number | None = None
    definition: str | None = None
    events_basis: Basis | None = None
    n_basis: Basis | None = None


class Landmark(Strict):
    """Survival at one month."""

    month: Annotated[Number, Field(gt=0)]
    pct: Annotated[Number, Field(ge=0, le=100)]
    ci95: Interval | None = None
    at_risk: Annotated[int, Field(ge=0)] | None = None
    """Patients still followed without the event at that month, where printed."""


Origin = Literal["randomisation", "apheresis", "infusion", "first_dose", "other"]
"""What a time is counted from; *other* is said in the population (relapse, the next treatment, a landmark)."""


class TimeToEvent(Figure):
    """A median and landmarks of one time-to-event endpoint in one group of the study.

    ``level`` is the source's own wording; ``group``, ``at_least`` and ``below`` as in :class:`Split`.
    """

    endpoint: Identifier
    population: str
    origin: Origin | None = None
    """What the time is counted from; ``None`` where it was not noted."""
    primary: bool = False
    """The row belongs to the curve of the arm's whole group that is counted. Several primary rows of one arm, such as
    a landmark of one cut and the median of a later one, are points of one curve; never two cuts of the same figure."""
    arm: Identifier | None = None
    median_months: Annotated[Number, Field(ge=0)] | None = None
    ci95: Interval | None = None
    """Of the median, also where the median itself was not reached."""
    landmarks: tuple[Landmark, ...] = ()
    n: Annotated[int, Field(ge=1)] | None = None
    trait: Identifier | None = None
    level: str | None = None
    group: Literal["present", "absent"] | None = None
    at_least: Number | None = None
    below: Number | None = None
    follow_up_months: Annotated[Number, Field(ge=0)] | None = None
    """Median follow-up of this data cut where it is not the study's own."""
    inconsistent: str = ""
    """Why the source's own figures contradict each other; such a row is carried, not counted, and the checks that
    compare it with other figures leave it out."""


class Kinetic(Figure):
    """When something happens or how long it lasts."""

    what: Identifier
    median: Number | None = None
    value: Number | None = None
    range: Interval | None = None
    iqr: Interval | None = None


class Arm(Figure):
    """One arm of a study that has several."""

    arm: Identifier
    product: Identifier
    enrolled: int | None = None
    treated: int | None = None
    median_follow_up_months: Number | None = None


class ComparatorArm(Figure):
    """Another treatment reported beside the study's own; carried, never pooled."""

    arm: str
    class_id: ClassId | Literal["other"]
    outcome: Identifier | None = None
    events: int | None = None
    n: int | None = None
    pct: Number | None = None
    population: dict[Identifier, Number] = {}


class IndirectComparison(Figure):
    """An effect against an outside comparator."""

    outcome: Identifier
    comparator: str
    measure: str
    value: Number
    ci95: Interval | None = None
    method: str = ""


class PooledEstimate(Figure):
    """An estimate of somebody else's meta-analysis; calibration only."""

    what: str
    value: Number | str
    ci95: Interval | None = None
    n: int | None = None
    studies: int | None = None


class RegulatoryFact(Figure):
    """A dated regulatory statement carried with the study."""

    item: Identifier
    value: str = ""
    approval: str = ""
    indication: str = ""
    boxed_warning: str = ""
    rems: str = ""
    warnings: str = ""


Role = Literal["whole_group", "published_only", "splits_only", "context"]


class Pooling(Strict):
    """How far a study may speak, decided once and with a reason.

    ``whole_group``: everywhere. ``published_only``: published-style pooling of all studies, but not the model
    of current products (early constructs, dose escalation far below the dose used). ``splits_only``:
    contrasts inside the study, never its overall rate (patients chosen for the trait, or contained in another set).
    ``context``: nothing is pooled.
    """

    role: Role
    reason: str = ""


class Study(Strict):
    """One study or cohort, with every figure seen in it."""

    id: Identifier
    name: str
    record_type: Literal["study", "label", "meta_analysis"] = "study"
    setting: Literal["rrmm", "not_rrmm"] = "rrmm"
    registration: tuple[str, ...] = ()
    trial: Identifier | None = None
    """Shared by cohorts of one protocol, whose study effects are correlated."""
    design: Design | Literal["label", "meta_analysis"]
    phase: str | None = None
    class_id: ClassId
    products: tuple[Identifier, ...]
    product_text: str
    combination: bool = False
    """Given together with another active anti-myeloma drug: not pooled with single agents."""
    targets: tuple[str, ...]
    mixed_targets: bool = False
    region: Identifier
    region_text: str
    search_window: bool | None = None
    """Published by the source meta-analysis' search date; ``None`` where that could not be told."""
    first_published: str | None = None
    pooling: Pooling
    overlaps_with: tuple[Identifier, ...] = ()
    enrolled: int | None = None
    treated: int | None = None
    median_follow_up_months: Annotated[Number, Field(ge=0)] | None = None
    longest_follow_up_months: Annotated[Number, Field(ge=0)] | None = None
    """Of the patient followed longest, where stated."""
    population: dict[Identifier, PopulationFigure] = {}
    outcomes: tuple[OutcomeRow, ...] = ()
    splits: tuple[Split, ...] = ()
    effects: tuple[AdjustedEffect, ...] = ()
    time_to_event: tuple[TimeToEvent, ...] = ()
    kinetics: tuple[Kinetic, ...] = ()
    arms: tuple[Arm, ...] = ()
    comparator_arms: tuple[ComparatorArm, ...] = ()
    indirect_comparisons: tuple[IndirectComparison, ...] = ()
    pooled_estimates: tuple[PooledEstimate, ...] = ()
    regulatory: tuple[RegulatoryFact, ...] = ()
    sources: dict[Annotated[str, Field(pattern=r"^S(R|[0-9]+)$")], Source]
    notes: str = ""
