"""The clinical definitions at the bedside: drugs, classes, cut-offs, scores, stages, variation, contradictions.

They stand in ``definitions.yaml``, ``scores.yaml``, ``laboratory_variation.yaml`` and ``contradictions.yaml`` of the
evidence, with sources, and reach the bedside inside the pooled file. Structs rather than dataclasses, because they are
made at every start of the program, at a tenth of the time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, cached_property
from math import log1p, sqrt
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import asdict

from bcma_decide.errors import EvidenceError, NoEvidenceError, Problem
from bcma_decide.logic import Bounds
from bcma_decide.pooled.conditions import Condition, from_plain, needed
from bcma_decide.pooled.location import pooled_path
from bcma_decide.pooled.score_book import Citation, ScoreBook, plain_value, row_of, rows_of

Modality = Literal["adc", "car_t", "bispecific"]


class DrugClass(Struct, frozen=True):
    """A class of drugs and the words people write for it."""

    id: str
    label: str
    words: tuple[str, ...] = ()
    basis: str = "recalled"
    sources: tuple[str, ...] = ()


class Drug(Struct, frozen=True):
    """A drug under its international name, with brand names and short forms."""

    id: str
    drug_class: str
    names: tuple[str, ...] = ()
    modality: Modality | None = None
    targets: tuple[str, ...] = ()


class Regimen(Struct, frozen=True):
    """A combination of drugs under the name people write."""

    id: str
    drugs: tuple[str, ...]
    names: tuple[str, ...] = ()
    basis: str = "recalled"
    sources: tuple[str, ...] = ()


class KidneyStage(Struct, frozen=True):
    """A stage of chronic kidney disease, in mL/min/1.73 m2; without an end it reaches as far as the field."""

    id: str
    low: float | None = None
    high: float | None = None
    basis: str = "recalled"
    sources: tuple[str, ...] = ()


class Term(Struct, frozen=True):
    """A trait that is said directly."""

    id: str
    text: str
    basis: str
    sources: tuple[str, ...] = ()
    note: str = ""


class AnyOf(Struct, frozen=True):
    """Present if any of ``fields`` is, absent only if all are."""

    id: str
    text: str
    basis: str
    fields: tuple[str, ...]
    not_counted: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    note: str = ""


class Need(Struct, frozen=True):
    """How many drugs of a class."""

    drug_class: str
    at_least: int


class DrugCount(Struct, frozen=True):
    """Present if enough drugs of every class failed."""

    id: str
    text: str
    basis: str
    needs: tuple[Need, ...]
    sources: tuple[str, ...] = ()
    note: str = ""


class CutOff(Struct, frozen=True):
    """Present where the value of ``field`` lies inside the bounds, or where one of ``or_any_of`` is."""

    id: str
    text: str
    basis: str
    field: str
    unit: str
    bounds: Bounds
    or_any_of: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    note: str = ""


class RuledOut(Struct, frozen=True):
    """A field that is absent wherever the condition holds."""

    id: str
    when: Condition


class Contradictory(Struct, frozen=True):
    """Answers that cannot all be true: where ``when`` holds, what it rests on is reported and taken as not given.

    ``context`` are fields that are read and not put in question, ``because`` is the reason in few words.
    """

    id: str
    when: Condition
    context: tuple[str, ...] = ()
    because: str = ""


class FromScore(Struct, frozen=True):
    """Present from ``at_least`` points of a score on."""

    id: str
    text: str
    basis: str
    score: str
    at_least: float
    sources: tuple[str, ...] = ()
    note: str = ""


class Stage(Struct, frozen=True):
    """Present at one stage of a staging system: given, worked out by ``score``, or settled by the base system."""

    id: str
    text: str
    basis: str
    field: str
    stage: int
    score: str
    base_field: str | None = None
    same_as_base: tuple[int, ...] = ()
    sources: tuple[str, ...] = ()
    note: str = ""


class Variation(Struct, frozen=True):
    """How far a measured value lies from another day's: coefficients of variation in percent, of subject and method."""

    field: str
    within_subject: float
    analytical: float

    @property
    def log_sd(self) -> float:
        """Standard deviation of the logarithm of a value around its set point: log-normal, both parts together."""
        squared = (self.within_subject**2 + self.analytical**2) / 100.0**2
        return sqrt(log1p(squared))


Definition = Term | AnyOf | DrugCount | CutOff | FromScore | Stage


def wording(definition: Definition) -> str:
    """Write a definition's text with its own numbers filled in."""
    limits = definition.bounds._asdict() if isinstance(definition, CutOff) else {}
    return definition.text.format(**{**asdict(definition), **limits})


class Definitions(Struct, frozen=True, kw_only=True, dict=True):
    """All of them."""

    drug_classes: tuple[DrugClass, ...]
    drugs: tuple[Drug, ...]
    regimens: tuple[Regimen, ...]
    kidney_stages: tuple[KidneyStage, ...]
    any_of: tuple[AnyOf, ...]
    drug_counts: tuple[DrugCount, ...]
    cut_offs: tuple[CutOff, ...]
    from_scores: tuple[FromScore, ...]
    stages: tuple[Stage, ...]
    terms: tuple[Term, ...]
    ruled_out: tuple[RuledOut, ...]
    contradictions: tuple[Contradictory, ...]
    variation: tuple[Variation, ...]
    sources: Mapping[str, Citation]
    scores: ScoreBook

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Definitions:
        """Build from plain data: the pooled file's ``definitions`` or what :meth:`to_dict` gave."""
        try:
            return cls(
                drug_classes=rows_of(DrugClass, plain["drug_classes"]),
                drugs=rows_of(Drug, plain["drugs"]),
                regimens=rows_of(Regimen, plain["regimens"]),
                kidney_stages=rows_of(KidneyStage, plain["kidney_stages"]),
                any_of=rows_of(AnyOf, plain["any_of"]),
                drug_counts=tuple(
                    row_of(DrugCount, {**row, "needs": rows_of(Need, row["needs"])}) for row in plain["drug_counts"]
                ),
                cut_offs=tuple(row_of(CutOff, {**row, "bounds": Bounds(**row["bounds"])}) for row in plain["cut_offs"]),
                from_scores=rows_of(FromScore, plain["from_scores"]),
                stages=rows_of(Stage, plain["stages"]),
                terms=rows_of(Term, plain["terms"]),
                ruled_out=tuple(RuledOut(row["id"], from_plain(row["when"])) for row in plain["ruled_out"]),
                contradictions=tuple(
                    row_of(Contradictory, {**row, "when": from_plain(row["when"])}) for row in plain["contradictions"]
                ),
                variation=rows_of(Variation, plain["variation"]),
                sources={key: row_of(Citation, row) for key, row in plain["sources"].items()},
                scores=ScoreBook.from_dict(plain["scores"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise EvidenceError(
                f"definitions: not in the expected shape ({error}); rebuild the pooled evidence file"
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """Plain data that survives JSON and :meth:`from_dict` unchanged."""
        return {name: plain_value(getattr(self, name)) for name in self.__struct_fields__}

    @cached_property
    def by_id(self) -> dict[str, Definition]:
        """Every definition by the trait it defines."""
        groups: tuple[tuple[Definition, ...], ...] = (
            self.any_of,
            self.drug_counts,
            self.cut_offs,
            self.from_scores,
            self.stages,
            self.terms,
        )
        return {definition.id: definition for group in groups for definition in group}

    @cached_property
    def drug_names(self) -> dict[str, Drug]:
        """Every drug by every name it goes by, folded."""
        return {fold(name): drug for drug in self.drugs for name in (drug.id, *drug.names)}

    def regimen(self, name: str) -> Regimen | None:
        """The regimen of that name; names of two letters keep their case: *PD* is no drug, *Pd* is two."""
        folded = fold(name)
        found = self._regimen_names.get(folded)
        return found if found is not None and (len(folded) > 2 or name.strip() in (found.id, *found.names)) else None

    @cached_property
    def _regimen_names(self) -> dict[str, Regimen]:
        return {fold(name): one for one in self.regimens for name in (one.id, *one.names)}

    @cached_property
    def class_words(self) -> dict[str, DrugClass]:
        """Every drug class by every word for it, folded."""
        return {fold(word): one for one in self.drug_classes for word in (one.id, one.label, *one.words)}

    @cached_property
    def log_sd(self) -> dict[str, float]:
        """Standard deviation of the logarithm of every measured field that a cut-off reads."""
        return {one.field: one.log_sd for one in self.variation}

    @cached_property
    def contradiction_needs(self) -> tuple[frozenset[str], ...]:
        """What has to be given for each of ``contradictions`` to hold at all: the rest need not be judged."""
        return tuple(needed(one.when) for one in self.contradictions)

    @cached_property
    def drugs_by_id(self) -> dict[str, Drug]:
        """Every drug by its id."""
        return {drug.id: drug for drug in self.drugs}

    @cached_property
    def _agents(self) -> dict[str, tuple[str, ...]]:
        classes = dict.fromkeys(drug.drug_class for drug in self.drugs)
        return {one: tuple(drug.id for drug in self.drugs if drug.drug_class == one) for one in classes}

    def agents(self, drug_class: str) -> tuple[str, ...]:
        """Drugs of a class."""
        return self._agents.get(drug_class, ())

    @cached_property
    def _class_labels(self) -> dict[str, str]:
        return {one.id: one.label for one in self.drug_classes}

    def class_label(self, drug_class: str) -> str:
        """Return what a class is called."""
        return self._class_labels[drug_class]

    @cached_property
    def _hash(self) -> int:
        return hash((self.drugs, self.terms, self.cut_offs, self.contradictions))

    def __hash__(self) -> int:
        """By parts of it, worked out once: definitions are a key of what is prepared for them."""
        return self._hash


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
