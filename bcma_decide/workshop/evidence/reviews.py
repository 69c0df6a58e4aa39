"""What the cross-cutting files may say: effects over many studies, other meta-analyses, the vocabulary."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bcma_decide.vocabulary import ClassId
from bcma_decide.workshop.evidence.schema import Figure, Identifier, Interval, Number, Source, Strict

ClassLabel = ClassId | Literal["both", "other"]
"""*both*: a contrast between the classes, or a figure over both."""
SourceKey = Annotated[str, Field(pattern=r"^S(R|[0-9]+)$")]
Percent = Annotated[Number, Field(ge=0, le=100)]
Scalar = Number | str | None
Detail = Scalar | tuple[Scalar, ...]
Details = dict[str, Detail | dict[str, Detail]]
"""Figures of a row whose shape is its own, by name; two levels at most."""


class EffectGroup(Strict):
    """One of the groups a contrast compares, in the source's own words."""

    level: str
    group: Literal["present", "absent"] | None = None
    at_least: Number | None = None
    below: Number | None = None
    """Bounds of the group for a numeric trait of the model, as in a split."""
    pct: Percent | None = None
    value: Number | None = None
    ci95: Interval | None = None
    events: Annotated[int, Field(ge=0)] | None = None
    n: Annotated[int, Field(ge=1)] | None = None
    note: str = ""


class ReviewEffect(Figure):
    """A published effect of one or more traits on one or more outcomes, with the groups it compares."""

    id: Identifier
    traits: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    class_id: ClassLabel
    products: tuple[Identifier, ...] = ()
    product_text: str = ""
    outcomes: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    contrast: str = ""
    measure: Literal[
        "HR",
        "OR",
        "RR",
        "proportion",
        "proportions",
        "median_months",
        "median_days",
        "landmark_6m_pct",
        "landmark_12m_pct",
        "cumulative_incidence_pct",
        "case_series",
        "definition",
        "direction",
        "no_difference",
    ]
    """*no_difference*: said to be the same or not significantly different, with the sizes of the two groups (the
    one with the trait or the larger values first) and ``rate_pct``; a fit takes it only when told."""
    value: Number | None = None
    ci95: Interval | None = None
    p: Number | None = None
    log_se: Number | None = None
    """Standard error of the log of ``value``, worked out from ``p`` where no interval is printed."""
    rate_pct: Percent | None = None
    """Rate of the outcome in both groups together, for *no_difference*; ``note`` says where it is from."""
    study: Identifier | None = None
    """The study file that holds the same patients, where there is one."""
    groups: tuple[EffectGroup, ...] = ()
    direction: str = ""
    adjustment: Literal["multivariable", "propensity", "immortal_time", "crude"] | None = None
    """How the effect was adjusted; ``None`` where the source does not say."""
    baseline: bool = True
    """False for what is only known after the treatment: monitoring, never a baseline trait."""
    factors: tuple[str, ...] = ()
    n: Annotated[int, Field(ge=1)] | None = None
    k: Annotated[int, Field(ge=1)] | None = None
    validation_n: Annotated[int, Field(ge=1)] | None = None
    design: str = ""


class OverlapWarning(Strict):
    """Rows that share patients and must not be counted as independent."""

    text: str
    rows: tuple[Identifier, ...] = ()


class Conflict(Strict):
    """Sources that disagree, and how the disagreement was settled, if it was."""

    topic: str
    detail: str
    rows: tuple[Identifier, ...] = ()


class AdjustedEffectsFile(Strict):
    """``adjusted_effects.yaml``."""

    overlap_warnings: tuple[OverlapWarning, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    not_found: tuple[str, ...] = ()
    effects: tuple[ReviewEffect, ...]
    sources: dict[SourceKey, Source]


class PooledRow(Figure):
    """One pooled figure of another meta-analysis."""

    outcomes: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    class_id: ClassLabel
    dual_target: bool = False
    product: Identifier | None = None
    traits: tuple[Identifier, ...] = ()
    level: str = ""
    contrast: str = ""
    disease: str = ""
    targets: tuple[str, ...] = ()
    measure: Literal["proportion", "RR", "median_months", "mean_days", "median", "direction"] = "proportion"
    pct: Percent | None = None
    value: Number | None = None
    ci95: Interval | None = None
    range: Interval | None = None
    i2: Percent | None = None
    k: Annotated[int, Field(ge=1)] | None = None
    n: Annotated[int, Field(ge=1)] | None = None
    events: Annotated[int, Field(ge=0)] | None = None
    direction: str = ""


class OtherMetaAnalysis(Strict):
    """Another meta-analysis; calibration only."""

    id: Identifier
    scope: str
    k: int | None = None
    n: int | None = None
    design: str = ""
    adjusted: str = ""
    estimates: tuple[PooledRow, ...]
    not_found: tuple[str, ...] = ()


class ClassComparison(Figure):
    """A comparison between options or classes, randomised, matched or indirect; never pooled."""

    id: Identifier
    kind: Literal["randomised", "real_world", "indirect"]
    comparison: str
    outcome: Identifier | None = None
    measure: Literal["HR", "RR", "OR"] | None = None
    value: Number | None = None
    ci95: Interval | None = None
    n: Annotated[int, Field(ge=1)] | None = None
    follow_up_months: Annotated[Number, Field(ge=0)] | None = None
    adjustment: str = ""
    design: str = ""
    result: str = ""
    details: Details = Field(default={})


class OtherMetaAnalysesFile(Strict):
    """``other_meta_analyses.yaml``."""

    meta_analyses: tuple[OtherMetaAnalysis, ...]
    comparisons: tuple[ClassComparison, ...]
    conflicts: tuple[Conflict, ...] = ()
    not_found: tuple[str, ...] = ()
    sources: dict[SourceKey, Source]


class StatedFact(Figure):
    """A fact about the source meta-analysis itself."""

    item: Identifier
    value: Number | str | None = None
    studies: int | None = None
    patients: int | None = None
    values: tuple[str, ...] = ()


class SafetyDirection(Figure):
    """Which class has more of an outcome; no size was published."""

    outcome: Identifier
    higher_in: ClassId | None = None
    lower_in: ClassId | None = None


class SourceMetaAnalysisFile(Strict):
    """``source_meta_analysis.yaml``: the meta-analysis whose search date the evidence starts from."""

    title: str
    journal: str
    facts: tuple[StatedFact, ...]
    pooled: tuple[PooledRow, ...]
    safety_directions: tuple[SafetyDirection, ...]
    meta_regression: tuple[PooledRow, ...]
    not_found: tuple[str, ...] = ()
    sources: dict[SourceKey, Source]


class ProductEntry(Strict):
    """A product, how it is printed, and whether the comparison offers it."""

    label: str
    class_id: ClassLabel
    generic: str = ""
    option: bool = False


class Vocabulary(Strict):
    """``vocabulary.yaml``: every id the evidence may use, with a short label."""

    outcomes: dict[Identifier, str]
    endpoints: dict[Identifier, str]
    traits: dict[Identifier, str]
    population: dict[Identifier, str]
    kinetics: dict[Identifier, str]
    regions: dict[Identifier, str]
    products: dict[Identifier, ProductEntry]
