"""The clinical definitions at the bedside: drugs, classes, cut-offs, scores, stages, as plain values.

They stand in ``evidence/definitions.yaml`` with their sources and reach the bedside inside the pooled file. Named
tuples rather than dataclasses, because they are made at every start of the program, at a tenth of the time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from bcma_decide.errors import EvidenceError, NoEvidenceError, Problem
from bcma_decide.location import pooled_path

T = TypeVar("T")
Modality = Literal["adc", "car_t", "bispecific"]


class DrugClass(NamedTuple):
    """A class of drugs and the words people write for it."""

    id: str
    label: str
    words: tuple[str, ...] = ()
    basis: str = "recalled"
    sources: tuple[str, ...] = ()


class Drug(NamedTuple):
    """A drug under its international name, with brand names and short forms."""

    id: str
    drug_class: str
    names: tuple[str, ...] = ()
    modality: Modality | None = None
    targets: tuple[str, ...] = ()


class Term(NamedTuple):
    """A trait that is said directly."""

    id: str
    text: str
    basis: str
    sources: tuple[str, ...] = ()
    note: str = ""


class AnyOf(NamedTuple):
    """Present if any of ``fields`` is, absent only if all are."""

    id: str
    text: str
    basis: str
    fields: tuple[str, ...]
    not_counted: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    note: str = ""


class Need(NamedTuple):
    """How many drugs of a class."""

    drug_class: str
    at_least: int


class DrugCount(NamedTuple):
    """Present if enough drugs of every class failed."""

    id: str
    text: str
    basis: str
    needs: tuple[Need, ...]
    fewest_prior_lines: int | None = None
    hardly_without: tuple[str, ...] = ()
    """Drugs a patient has practically always had when the answer is yes; never given them, the answer is disputed."""
    sources: tuple[str, ...] = ()
    note: str = ""


class CutOff(NamedTuple):
    """Present where the value of ``field`` lies inside the bounds, or where one of ``or_any_of`` is."""

    id: str
    text: str
    basis: str
    field: str
    unit: str
    at_least: float | None = None
    above: float | None = None
    below: float | None = None
    at_most: float | None = None
    or_any_of: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    note: str = ""


class Band(NamedTuple):
    """Points for values inside the bounds."""

    points: int
    at_least: float | None = None
    above: float | None = None
    below: float | None = None
    at_most: float | None = None


class ScoreItem(NamedTuple):
    """One item of a score; ``field`` is None where the profile does not ask for it."""

    field: str | None
    label: str
    unit: str
    bands: tuple[Band, ...]

    def points(self, value: float | None) -> tuple[int, int]:
        """Lowest and highest points for a value, or for a value that is not known."""
        possible = [band.points for band in self.bands if value is None or holds(band, value)]
        return min(possible), max(possible)


class Score(NamedTuple):
    """Present from ``at_least`` points on."""

    id: str
    text: str
    basis: str
    at_least: int
    items: tuple[ScoreItem, ...]
    sources: tuple[str, ...] = ()
    note: str = ""


class Stage(NamedTuple):
    """Present at one stage of a staging system, which may rest on another one."""

    id: str
    text: str
    basis: str
    field: str
    stage: int
    base_field: str | None = None
    same_as_base: tuple[int, ...] = ()
    sufficient_with: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    note: str = ""


class Citation(NamedTuple):
    """Where a definition was seen."""

    citation: str
    pmid: int | None = None
    doi: str | None = None
    url: str | None = None


Definition = Term | AnyOf | DrugCount | CutOff | Score | Stage


def holds(bounds: CutOff | Band, value: float) -> bool:
    """Whether a value lies inside the bounds."""
    return (
        (bounds.at_least is None or value >= bounds.at_least)
        and (bounds.above is None or value > bounds.above)
        and (bounds.below is None or value < bounds.below)
        and (bounds.at_most is None or value <= bounds.at_most)
    )


def wording(definition: Definition) -> str:
    """Write a definition's text with its own numbers filled in."""
    return definition.text.format(**definition._asdict())


@dataclass(frozen=True, kw_only=True)
class Definitions:
    """All of them."""

    drug_classes: tuple[DrugClass, ...]
    drugs: tuple[Drug, ...]
    any_of: tuple[AnyOf, ...]
    drug_counts: tuple[DrugCount, ...]
    cut_offs: tuple[CutOff, ...]
    scores: tuple[Score, ...]
    stages: tuple[Stage, ...]
    terms: tuple[Term, ...]
    sources: Mapping[str, Citation]

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Definitions:
        """Build from plain data: the pooled file's ``definitions`` or what :meth:`to_dict` gave."""
        try:
            return cls(
                drug_classes=_rows(DrugClass, plain["drug_classes"]),
                drugs=_rows(Drug, plain["drugs"]),
                any_of=_rows(AnyOf, plain["any_of"]),
                drug_counts=tuple(
                    _row(DrugCount, {**row, "needs": _rows(Need, row["needs"])}) for row in plain["drug_counts"]
                ),
                cut_offs=_rows(CutOff, plain["cut_offs"]),
                scores=tuple(_score(row) for row in plain["scores"]),
                stages=_rows(Stage, plain["stages"]),
                terms=_rows(Term, plain["terms"]),
                sources={key: _row(Citation, row) for key, row in plain["sources"].items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise EvidenceError(
                f"definitions: not in the expected shape ({error}); rebuild the pooled evidence file"
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """Plain data that survives JSON and :meth:`from_dict` unchanged."""
        return {part.name: _plain(getattr(self, part.name)) for part in fields(self)}

    @cached_property
    def by_id(self) -> dict[str, Definition]:
        """Every definition by the trait it defines."""
        groups: tuple[tuple[Definition, ...], ...] = (
            self.any_of,
            self.drug_counts,
            self.cut_offs,
            self.scores,
            self.stages,
            self.terms,
        )
        return {definition.id: definition for group in groups for definition in group}

    @cached_property
    def drug_names(self) -> dict[str, Drug]:
        """Every drug by every name it goes by, folded."""
        return {fold(name): drug for drug in self.drugs for name in (drug.id, *drug.names)}

    @cached_property
    def class_words(self) -> dict[str, DrugClass]:
        """Every drug class by every word for it, folded."""
        return {fold(word): one for one in self.drug_classes for word in (one.id, one.label, *one.words)}

    def agents(self, drug_class: str) -> tuple[str, ...]:
        """Drugs of a class."""
        return tuple(drug.id for drug in self.drugs if drug.drug_class == drug_class)

    def class_label(self, drug_class: str) -> str:
        """Return what a class is called."""
        return next(one.label for one in self.drug_classes if one.id == drug_class)


def fold(name: str) -> str:
    """Strip a name of case, spaces, hyphens and underscores, for comparing."""
    return "".join(character for character in name.casefold() if character.isalnum())


def shipped_definitions() -> Definitions:
    """Definitions of the evidence in use, for callers that have no model at hand; read once per process.

    Raises
    ------
    NoEvidenceError
        When there is no readable pooled file.
    """
    return _read(pooled_path())


@cache
def _read(path: Path) -> Definitions:
    try:
        return Definitions.from_dict(json.loads(path.read_text(encoding="utf-8"))["definitions"])
    except (OSError, ValueError, KeyError) as error:
        problem = Problem("definitions", f"cannot be read ({error})", "run: bcma-decide evidence build", str(path))
        raise NoEvidenceError("there is no pooled evidence with the clinical definitions", [problem]) from error


def _row(shape: type[T], row: Mapping[str, Any]) -> T:
    return shape(**{key: tuple(value) if isinstance(value, list) else value for key, value in row.items()})


def _rows(shape: type[T], rows: Iterable[Mapping[str, Any]]) -> tuple[T, ...]:
    return tuple(_row(shape, row) for row in rows)


def _score(row: Mapping[str, Any]) -> Score:
    items = tuple(_row(ScoreItem, {**item, "bands": _rows(Band, item["bands"])}) for item in row["items"])
    return _row(Score, {**row, "items": items})


def _plain(value: object) -> object:
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return value
