"""What a validation found, as plain values: the document that is stored, printed by ``--json`` and drawn as a page.

Rates, widths and differences of rates are fractions; log scores are natural logarithms, lower is better.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from bcma_decide.value import rounded
from bcma_decide.vocabulary import Certainty, ClassId, Design

SCHEMA_VERSION = "1"

Number = Annotated[float, AfterValidator(rounded)]
Interval = tuple[Number, Number]
"""Lower and upper end of an interval."""

Grouping = Literal["overall", "outcome", "design", "certainty"]


class Shape(BaseModel):
    """Base of every shape here: immutable, nothing unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Stamp(Shape):
    """What was validated: hashes of the evidence files and of the pooled file, and the versions."""

    evidence_hash: str
    evidence_date: str
    evidence_version: str
    pooled_hash: str
    software_version: str


class Predicted(Shape):
    """What one predictor said of one arm total, and what the observed count says of that.

    ``intervals``: 50, 80 and 95 % intervals of the observed share. See `forecast.Verdict`.
    """

    mean: Number
    intervals: tuple[Interval, Interval, Interval]
    log_score: Number
    winkler: Number
    crps: Number


class ScoredRow(Shape):
    """One arm total that was predicted without its study, by every predictor."""

    outcome: str
    study: str
    name: str
    arm: str | None
    class_id: ClassId
    design: Design
    events: int
    n: int
    product: str | None = None
    """None where an arm had several."""
    certainty: Certainty | None = None
    """Rating that the comparison gives the number for this product and setting; None where it gives no number."""
    predicted: dict[str, Predicted]


class PredictedShare(Shape):
    """What one predictor said of one printed share free of progression: mean, 95 % interval and its score."""

    mean: Number
    interval: Interval
    winkler: Number


class ScoredPoint(Shape):
    """One printed point of a curve of progression-free survival, predicted without its study."""

    study: str
    name: str
    arm: str | None
    class_id: ClassId
    design: Design
    product: str | None
    n: int
    month: Number
    others: int
    """Other curves of the product that it was predicted from; with none the product's mean is the class's."""
    observed: Number
    predicted: dict[str, PredictedShare]


class CurveSummary(Shape):
    """Scores of one predictor over some points; ``year_error`` over those at 12 months, None where there is none.

    ``error``: mean absolute error of the share; ``inside``: points inside their 95 % interval.
    """

    predictor: str
    points: int
    error: Number
    year_points: int
    year_error: Number | None
    inside: int
    width: Number
    winkler: Number


class CurveGroup(Shape):
    """The predictors side by side over some points of curves."""

    label: str
    studies: int
    summaries: tuple[CurveSummary, ...]


class Summary(Shape):
    """Scores of one predictor over some rows.

    ``mae``, ``bias``: mean absolute and mean signed error of the predicted share. ``slope``: of the binomial regression
    of the counts on the predicted log odds, None where it has no finite estimate. ``coverage``: share of rows inside
    their 50, 80 and 95 % intervals.
    """

    predictor: str
    rows: int
    mae: Number
    bias: Number
    slope: Number | None
    coverage: tuple[Number, Number, Number]
    width: Number
    winkler: Number
    crps: Number
    log_score: Number


class Group(Shape):
    """The predictors side by side over one group of rows; ``studies`` counts the different ones."""

    by: Grouping
    label: str
    class_id: ClassId | None = None
    studies: int
    summaries: tuple[Summary, ...]
    median_error: Number | None = None
    """Median absolute error of the patient model, for groups by certainty."""


class Difference(Shape):
    """The patient model against one baseline, each with its 95 % interval over resampled groups of studies.

    ``log_score``: baseline minus model, a row. ``winkler_ratio``: model over baseline.
    """

    baseline: str
    log_score: Number
    log_score_interval: Interval
    winkler_ratio: Number
    winkler_ratio_interval: Interval


class Temporal(Shape):
    """Later studies predicted from those published by a date; ``undated``: studies of which neither is known."""

    date: str
    earlier_studies: int
    later_studies: int
    undated: tuple[str, ...]
    summaries: tuple[Summary, ...]


class OwnRow(Shape):
    """One of a product's own rows; ``predicted``: the model's rate for that row's patients."""

    study: str
    events: int
    n: int
    predicted: Number


class OwnData(Shape):
    """An offered product's own rate beside the model's for the same patients, in one setting.

    ``own``: random-effects average over its studies, with its 95 % interval; ``rows`` by how far each pulls the two
    apart, the largest first. ``agrees``: within 5 points and a factor of 1.5 in odds.
    """

    product: str
    label: str
    outcome: str
    design: Design
    patients: int
    own: Number
    own_interval: Interval
    predicted: Number
    agrees: bool
    outside_interval: bool
    rows: tuple[OwnRow, ...]


class HeldOutContrast(Shape):
    """One published contrast predicted from the family's others.

    ``squared_error``: squared standardised error, a threshold; ``log_score`` minus the log density, a threshold.
    """

    family: str
    group: str
    study: str
    class_id: ClassId
    trait: str
    observed: tuple[Number, ...]
    predicted: tuple[Number, ...]
    squared_error: Number
    log_score: Number


class ContrastGroup(Shape):
    """Held-out contrasts of some families together."""

    label: str
    contrasts: int
    squared_error: Number
    log_score: Number


class Sensitivity(Shape):
    """How far headlines move under another assumption, in fractions; ``largest_at`` names the number that moves most.

    ``lost``: numbers that are no longer given.
    """

    variant: str
    note: str = ""
    numbers: int
    mean_move: Number
    largest_move: Number
    largest_at: str
    over_five_points: int
    lost: int


class BandResult(Shape):
    """One published figure beside the headline for such a patient."""

    id: str
    said: str
    value: Number | None
    wanted: str
    inside: bool
    published: str
    reason: str = ""


class Aim(Shape):
    """Something aimed at, and what was reached."""

    text: str
    reached: str
    met: bool


class Validation(Shape):
    """Everything one run found."""

    schema_version: str = SCHEMA_VERSION
    stamp: Stamp
    rows: tuple[ScoredRow, ...]
    groups: tuple[Group, ...]
    differences: tuple[Difference, ...]
    aims: tuple[Aim, ...]
    temporal: Temporal | None = None
    own_data: tuple[OwnData, ...] = ()
    contrasts: tuple[HeldOutContrast, ...] = ()
    contrast_groups: tuple[ContrastGroup, ...] = ()
    sensitivity: tuple[Sensitivity, ...] = ()
    bands: tuple[BandResult, ...] = ()
    curves: tuple[ScoredPoint, ...] = ()
    """Points of curves of progression-free survival, each predicted without its study."""
    curve_groups: tuple[CurveGroup, ...] = ()
