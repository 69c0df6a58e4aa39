"""Published scores as plain values: points, stages, formulas and conversions, each with what it is good for.

They stand in ``evidence/scores.yaml`` with their sources and reach the bedside inside the pooled file. Structs, because
they are made at every start of the program.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from msgspec import Struct
from msgspec.structs import asdict

from bcma_decide.logic import Bounds
from bcma_decide.pooled.conditions import Condition, from_plain, to_plain
from bcma_decide.vocabulary import Basis, ClassId

T = TypeVar("T")
FormulaKind = Literal["cockcroft_gault", "ckd_epi_2021"]


class Citation(Struct, frozen=True):
    """Where something was seen."""

    citation: str
    pmid: int | None = None
    doi: str | None = None
    url: str | None = None


class About(Struct, frozen=True):
    """What a score is, for whom it was made, and where it stops."""

    id: str
    name: str
    text: str
    purpose: str
    measured_at: str
    applies_to: tuple[ClassId, ...]
    validation: str
    limits: str
    basis: Basis
    sources: tuple[str, ...]
    note: str = ""


class Band(Struct, frozen=True):
    """Points for values inside the bounds."""

    points: float
    bounds: Bounds


class ScoreItem(Struct, frozen=True):
    """One item: points by bands of a number, or points where a condition holds."""

    label: str
    field: str | None = None
    unit: str = ""
    bands: tuple[Band, ...] = ()
    when: Condition | None = None
    points: float = 0.0


class ScoreGroup(Struct, frozen=True):
    """One category of a score, with what was published for it."""

    label: str
    bounds: Bounds
    outcomes: tuple[str, ...] = ()


class PointScore(Struct, frozen=True):
    """Points added up over items."""

    about: About
    items: tuple[ScoreItem, ...]
    groups: tuple[ScoreGroup, ...]

    @property
    def highest(self) -> float:
        """The most points there can be."""
        return sum(max(item.points, *(band.points for band in item.bands), 0.0) for item in self.items)


class StageOf(Struct, frozen=True):
    """One stage; without a condition it is what remains."""

    stage: int
    label: str
    when: Condition | None = None
    outcomes: tuple[str, ...] = ()


class Staging(Struct, frozen=True):
    """Stages by conditions that exclude each other; ``gives`` is the field it stands in for."""

    about: About
    gives: str
    stages: tuple[StageOf, ...]


class Formula(Struct, frozen=True):
    """A published formula, its constants by name; ``gives`` is the field it stands in for."""

    about: About
    kind: FormulaKind
    gives: str
    constants: Mapping[str, float]
    where_missing: Mapping[str, tuple[float, float]] = MappingProxyType({})
    """Ends between which an input lies that is not known, by field, in its unit."""


class ConversionRow(Struct, frozen=True):
    """One value of the one scale for some of the other; what lies between those says nothing."""

    value: float
    where: tuple[float, ...]


class Conversion(Struct, frozen=True):
    """A table between two scales: ``gives`` stands in for a field where only ``takes`` is known."""

    about: About
    takes: str
    gives: str
    rows: tuple[ConversionRow, ...]


AnyScore = PointScore | Staging | Formula | Conversion


class ScoreBook(Struct, frozen=True):
    """All of them; each may rest on those before it."""

    conversions: tuple[Conversion, ...]
    formulas: tuple[Formula, ...]
    stagings: tuple[Staging, ...]
    points: tuple[PointScore, ...]
    sources: Mapping[str, Citation]

    def every(self) -> Iterator[AnyScore]:
        """Every score, in the order in which they are worked out."""
        yield from self.conversions
        yield from self.formulas
        yield from self.stagings
        yield from self.points

    def find(self, name: str) -> AnyScore | None:
        """The score of that id, spelled with hyphens or underscores; None if there is none."""
        wanted = name.casefold().replace("-", "_")
        return next((score for score in self.every() if score.about.id == wanted), None)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> ScoreBook:
        """Build from plain data: the pooled file's, or what :func:`plain_value` made of one."""
        return cls(
            conversions=tuple(
                Conversion(_about(row), row["takes"], row["gives"], rows_of(ConversionRow, row["rows"]))
                for row in plain["conversions"]
            ),
            formulas=tuple(
                Formula(
                    _about(row),
                    row["kind"],
                    row["gives"],
                    dict(row["constants"]),
                    {name: (low, high) for name, (low, high) in row["where_missing"].items()},
                )
                for row in plain["formulas"]
            ),
            stagings=tuple(
                Staging(_about(row), row["gives"], tuple(_stage(stage) for stage in row["stages"]))
                for row in plain["stagings"]
            ),
            points=tuple(
                PointScore(
                    _about(row),
                    tuple(_item(item) for item in row["items"]),
                    tuple(
                        row_of(ScoreGroup, {**group, "bounds": Bounds(**group["bounds"])}) for group in row["groups"]
                    ),
                )
                for row in plain["points"]
            ),
            sources={key: row_of(Citation, row) for key, row in plain["sources"].items()},
        )


def row_of(shape: type[T], row: Mapping[str, Any]) -> T:
    """A struct from plain data; lists become tuples."""
    return shape(**{key: tuple(value) if isinstance(value, list) else value for key, value in row.items()})


def rows_of(shape: type[T], rows: Iterable[Mapping[str, Any]]) -> tuple[T, ...]:
    """Structs from plain data."""
    return tuple(row_of(shape, row) for row in rows)


def plain_value(value: object) -> Any:  # noqa: ANN401  # JSON
    """Plain data of structs, conditions and bounds, such as survives JSON and ``from_dict`` unchanged."""
    if isinstance(value, Bounds):
        return value.given()
    if isinstance(value, Condition):
        return to_plain(value)
    if isinstance(value, Struct):
        return plain_value(asdict(value))
    if isinstance(value, Mapping):
        return {key: plain_value(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [plain_value(inner) for inner in value]
    return value


def _about(row: Mapping[str, Any]) -> About:
    return row_of(About, row["about"])


def _item(row: Mapping[str, Any]) -> ScoreItem:
    bands = tuple(Band(band["points"], Bounds(**band["bounds"])) for band in row.get("bands", ()))
    when = row.get("when")
    return ScoreItem(**{**row, "bands": bands, "when": None if when is None else from_plain(when)})


def _stage(row: Mapping[str, Any]) -> StageOf:
    when = row.get("when")
    return row_of(StageOf, {**row, "when": None if when is None else from_plain(when)})
