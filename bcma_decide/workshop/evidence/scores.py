"""What ``evidence/scores.yaml`` may say, and the checks a type cannot make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from bcma_decide.patient.fields import FIELDS
from bcma_decide.pooled.conditions import Condition, Score, Within, leaves, to_plain
from bcma_decide.pooled.conditions import Is as IsCondition
from bcma_decide.vocabulary import Basis, ClassId
from bcma_decide.workshop.evidence.conditions import NUMBERS, BoundsEntry, ConditionEntry
from bcma_decide.workshop.evidence.schema import Number, Source, Strict, Text

FILE = "scores.yaml"

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class ScoreFigure(Strict):
    """A published result of a score, carried with its basis; no number rests on it."""

    what: Text
    value: Number | str | None = None
    low: Number | str | None = None
    high: Number | str | None = None
    n: Annotated[int, Field(ge=1)] | None = None
    ci95: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = None
    p: str = ""
    events_low: int | None = None
    events_high: int | None = None
    events_derived: bool = False
    note: str = ""
    basis: Basis
    source: str | None = None


class AboutEntry(Strict):
    """What every score says of itself."""

    id: Name
    name: Text
    text: Text
    purpose: Text
    measured_at: Text
    applies_to: Annotated[list[ClassId], Field(min_length=1)]
    validation: Text
    limits: Text
    basis: Basis
    sources: Annotated[list[str], Field(min_length=1)]
    note: str = ""
    figures: tuple[ScoreFigure, ...] = ()
    gaps: tuple[str, ...] = ()

    def about(self) -> dict[str, Any]:
        """The part the bedside shows."""
        keys = ("id", "name", "text", "purpose", "measured_at", "applies_to", "validation", "limits", "basis")
        return {key: getattr(self, key) for key in (*keys, "sources", "note")}


class BandEntry(BoundsEntry):
    """Points for values inside the bounds."""

    points: Annotated[Number, Field(ge=0)]


class ItemEntry(Strict):
    """One item of a point score: bands of a number, or points where a condition holds."""

    label: Text
    field: Name | None = None
    unit: str = ""
    bands: tuple[BandEntry, ...] = ()
    when: ConditionEntry | None = None
    points: Annotated[Number, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> ItemEntry:
        if (self.field is None) == (self.when is None):
            raise ValueError("an item has either a field with bands or a condition with points")
        if self.field is not None and len(self.bands) < 2:
            raise ValueError("a field needs two bands or more")
        if self.when is not None and (self.points is None or self.bands):
            raise ValueError("a condition needs points, and no bands")
        return self


class GroupEntry(BoundsEntry):
    """One category of a point score."""

    label: Text
    outcomes: tuple[str, ...] = ()


class PointScoreEntry(AboutEntry):
    """Points added up."""

    items: Annotated[list[ItemEntry], Field(min_length=1)]
    groups: Annotated[list[GroupEntry], Field(min_length=2)]


class StageOfEntry(Strict):
    """One stage; without a condition it is what remains."""

    stage: Annotated[int, Field(ge=1)]
    label: Annotated[str, Field(min_length=1)]
    when: ConditionEntry | None = None
    outcomes: tuple[str, ...] = ()


class StagingEntry(AboutEntry):
    """Stages by conditions."""

    gives: Name
    stages: Annotated[list[StageOfEntry], Field(min_length=2)]


class AssumedEntry(Strict):
    """Ends between which an input that is not known is taken to lie, in the unit of its field."""

    low: Number
    high: Number
    reason: Text


class FormulaEntry(AboutEntry):
    """A formula with its constants, and what is taken for an input that is not known."""

    kind: Literal["cockcroft_gault", "ckd_epi_2021"]
    gives: Name
    constants: dict[Name, Number]
    where_missing: dict[Name, AssumedEntry] = Field(default_factory=dict)


class ConversionRowEntry(Strict):
    """One value of the one scale for some of the other."""

    value: Number
    where: Annotated[list[Number], Field(min_length=1)]


class ConversionEntry(AboutEntry):
    """A table between two scales."""

    takes: Name
    gives: Name
    rows: Annotated[list[ConversionRowEntry], Field(min_length=2)]


class NotComputedEntry(Strict):
    """A score whose published account does not suffice to work it out."""

    id: Name
    name: Text
    purpose: Text
    limits: Text
    gaps: list[str]
    figures: list[ScoreFigure]


class ScoresFile(Strict):
    """The whole file."""

    conversions: list[ConversionEntry]
    formulas: list[FormulaEntry]
    stagings: list[StagingEntry]
    points: list[PointScoreEntry]
    not_computed: list[NotComputedEntry]
    sources: dict[str, Source]

    def entries(self) -> tuple[AboutEntry, ...]:
        """Every score that is worked out, in order."""
        return (*self.conversions, *self.formulas, *self.stagings, *self.points)

    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """Every condition of an item or a stage, with the score it belongs to."""
        for score in self.points:
            yield from ((score.id, item.when.condition()) for item in score.items if item.when is not None)
        for staging in self.stagings:
            yield from ((staging.id, stage.when.condition()) for stage in staging.stages if stage.when is not None)

    def bedside(self) -> dict[str, Any]:
        """Plain data for the pooled file, without the figures."""
        cited = {source for entry in self.entries() for source in entry.sources}
        return {
            "conversions": [
                {"about": e.about(), "takes": e.takes, "gives": e.gives, "rows": [row.model_dump() for row in e.rows]}
                for e in self.conversions
            ],
            "formulas": [
                {
                    "about": e.about(),
                    "kind": e.kind,
                    "gives": e.gives,
                    "constants": e.constants,
                    "where_missing": {name: [span.low, span.high] for name, span in e.where_missing.items()},
                }
                for e in self.formulas
            ],
            "stagings": [
                {"about": e.about(), "gives": e.gives, "stages": [_stage(stage) for stage in e.stages]}
                for e in self.stagings
            ],
            "points": [
                {
                    "about": e.about(),
                    "items": [_item(item) for item in e.items],
                    "groups": [
                        {"label": g.label, "bounds": g.bounds().given(), "outcomes": g.outcomes} for g in e.groups
                    ],
                }
                for e in self.points
            ],
            "sources": {key: source.bedside() for key, source in self.sources.items() if key in cited},
        }


def _stage(stage: StageOfEntry) -> dict[str, Any]:
    when = None if stage.when is None else to_plain(stage.when.condition())
    return {"stage": stage.stage, "label": stage.label, "when": when, "outcomes": stage.outcomes}


def _item(item: ItemEntry) -> dict[str, Any]:
    if item.when is not None:
        return {"label": item.label, "when": to_plain(item.when.condition()), "points": item.points}
    bands = [{"points": band.points, "bounds": band.bounds().given()} for band in item.bands]
    return {"label": item.label, "field": item.field, "unit": item.unit, "bands": bands}


def score_problems(checked: ScoresFile) -> Iterator[tuple[str, str]]:
    """Where the file contradicts itself or the profile: (entry, message)."""
    cited: set[str] = set()
    seen: set[str] = set()
    for entry in checked.entries():
        if entry.id in seen:
            yield entry.id, "stands there twice"
        seen.add(entry.id)
        cited |= {*entry.sources, *(figure.source for figure in entry.figures if figure.source)}
    cited |= {figure.source for left_out in checked.not_computed for figure in left_out.figures if figure.source}
    yield from (("sources", f"{name!r} is not listed") for name in sorted(cited - checked.sources.keys()))
    yield from (("sources", f"{name!r} is not cited") for name in sorted(checked.sources.keys() - cited))
    figures = [(entry.id, figure) for entry in checked.entries() for figure in entry.figures]
    figures += [(left_out.id, figure) for left_out in checked.not_computed for figure in left_out.figures]
    for where, figure in figures:
        if (figure.source is None) != (figure.basis == "recalled"):
            yield where, f"{figure.what}: a recalled figure has no source, any other has one"
    for score in checked.points:
        yield from _point_problems(score)
    for staging in checked.stagings:
        yield from _staging_problems(staging)
    for formula in checked.formulas:
        yield from _gives(formula.id, formula.gives, ("quantity",))
        for name, ends in formula.where_missing.items():
            field = FIELDS.get(name)
            if field is None or not field.low <= ends.low < ends.high <= field.high:
                yield formula.id, f"where_missing.{name}: no field, or ends outside its range"
    for conversion in checked.conversions:
        yield from _gives(conversion.id, conversion.gives, ("whole",))
        yield from _gives(conversion.id, conversion.takes, ("whole", "quantity"))


def _gives(where: str, name: str, kinds: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if name not in FIELDS or FIELDS[name].kind not in kinds:
        yield where, f"{name!r} is not a {' or '.join(kinds)} field of the profile"


def _point_problems(score: PointScoreEntry) -> Iterator[tuple[str, str]]:
    for item in score.items:
        if item.field is not None:
            yield from in_unit(score.id, item.field, item.unit)
        yield from (
            (score.id, f"{item.label}: {value:g} falls into {hits} bands")
            for value, hits in coverage(item.bands)
            if hits != 1
        )
    yield from (
        (score.id, f"{value:g} points fall into {hits} groups") for value, hits in coverage(score.groups) if hits != 1
    )


def _staging_problems(staging: StagingEntry) -> Iterator[tuple[str, str]]:
    yield from _gives(staging.id, staging.gives, ("stage",))
    if sum(stage.when is None for stage in staging.stages) != 1:
        yield staging.id, "needs exactly one stage without a condition"
    for stage in staging.stages:
        for leaf in leaves(stage.when.condition()) if stage.when is not None else ():
            if isinstance(leaf, Score) or (isinstance(leaf, Within) and leaf.trait == staging.gives):
                yield staging.id, f"stage {stage.label} rests on a score or on itself"
            if isinstance(leaf, IsCondition) and leaf.trait == f"{staging.id}_{stage.stage}":
                yield staging.id, f"stage {stage.label} rests on itself"


def in_unit(where: str, name: str, unit: str) -> Iterator[tuple[str, str]]:
    """Whether a numeric field is named in the unit the profile keeps."""
    if name not in NUMBERS:
        yield where, f"{name!r} is not a numeric field of the profile"
    elif FIELDS[name].unit != unit:
        yield where, f"{name!r} is kept in {FIELDS[name].unit!r}, not {unit!r}"


def coverage(bands: Iterable[BoundsEntry]) -> Iterator[tuple[float, int]]:
    """How many bands hold at every bound, between the bounds and beyond them."""
    placed = [band.bounds() for band in bands]
    edges = sorted({edge for bounds in placed for edge in bounds.edges})
    between = [(low + high) / 2 for low, high in pairwise(edges)]
    for value in sorted([*edges, *between, edges[0] - 1, edges[-1] + 1] if edges else []):
        yield value, sum(bounds.hold(value) for bounds in placed)
