"""Read and check the pooled file: everything the bedside knows.

`PooledEvidence` is the file as arrays, laid out cell by cell (a cell is one option at one outcome) so that one patient
costs a handful of array operations.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcma_decide.comparison import Option, Reference, StudyEntry
from bcma_decide.errors import EvidenceError, NoEvidenceError, Problem
from bcma_decide.pooled.codes import Codes
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.pooled.published_book import PublishedBook
from bcma_decide.pooled.rule_book import RuleBook
from bcma_decide.pooled.seal import POOLED_SCHEMA_VERSION, SETTINGS, seal_holds
from bcma_decide.pooled.studies import all_studies
from bcma_decide.vocabulary import (
    CLASSES,
    FAMILIES,
    FAMILY_OF,
    MODEL_TRAIT_IDS,
    OUTCOMES,
    STAGE_FAMILY,
    STAGE_IDS,
    STAGES,
    State,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """One option at one outcome that has a number: where it stands in the arrays, and what is behind it."""

    outcome: str
    option: str
    class_index: int
    family: str
    n_studies: int
    n_patients: int
    follow_up_months: float | None
    sources: tuple[str, ...]
    stages: tuple[int, ...]
    """Indices of the blocks whose rates make it up."""
    members: tuple[int, ...]
    """Which products of those blocks it is, or averages."""
    further_product: bool
    """Whether the product has no rows of its own here."""


@dataclass(frozen=True)
class Block:
    """One class at one stage of an outcome: its offered products.

    ``slope`` (products, traits): derivative of the levels in the trait effects of the stage.
    """

    stage: str
    class_index: int
    family: str
    products: tuple[str, ...]
    slope: Array


@dataclass(frozen=True)
class Levels:
    """Joint levels of a block's products in one setting, on the log-odds scale at the reference profile.

    A mixture over the between-study spread: ``weight``, ``tau`` (nodes,), ``mean`` (nodes, products), ``covariance``
    (nodes, products, products).
    """

    weight: Array
    tau: Array
    mean: Array
    covariance: Array


@dataclass(frozen=True)
class Depth:
    """Trait effects on the depth of a response: ``share`` times those on response, plus a deviation.

    ``deviation`` (classes, traits), ``covariance`` (classes, traits, classes, traits) of the deviation.
    """

    share: float
    deviation: Array
    covariance: Array


@dataclass(frozen=True)
class Population:
    """The evidence population: how traits are distributed together among the patients studied.

    Latent normals with ``correlation``; binary traits are present above ``cut``, numeric ones are
    ``location + spread * latent``. ``points`` (draws, traits) are fixed quasi-random normals.
    """

    binary: NDArray[np.bool_]
    cut: Array
    location: Array
    spread: Array
    correlation: Array
    points: Array


@dataclass(frozen=True)
class PooledEvidence:
    """The pooled file, checked, as arrays.

    ``effects`` has shape (families, classes, traits), ``effect_covariance`` (families, classes * traits, classes *
    traits); ``used`` and ``borrowed`` mark the trait effects that move numbers. ``family_index`` maps family ids.
    """

    hash: str
    date: str
    version: str
    options: tuple[Option, ...]
    cells: tuple[Cell, ...]
    blocks: tuple[Block, ...]
    levels: Mapping[str, tuple[Levels, ...]]
    """By setting, one for each block."""
    missing: Mapping[tuple[str, str], tuple[State, str]]
    """(outcome, option) -> (state, reason) where there is no number."""
    family_index: Mapping[str, int]
    effects: Array
    effect_covariance: Array
    depth: Depth
    used: NDArray[np.bool_]
    borrowed: NDArray[np.bool_]
    reference: Array
    population: Population
    age_range: Array
    patients_with_trait: Array
    assumptions: Mapping[str, float]
    definitions: Definitions
    rules: RuleBook
    published: PublishedBook
    codes: Codes
    references: tuple[Reference, ...]
    studies: tuple[StudyEntry, ...]
    provenance: Mapping[str, Any]
    not_known: tuple[str, ...]

    @property
    def trait_count(self) -> int:
        """How many traits the linear predictor has."""
        return int(self.reference.size)

    @cached_property
    def citations(self) -> Mapping[str, Reference]:
        """Sources of rules, labels, practical facts, scores and published figures, by key."""
        known = {**self.definitions.scores.sources, **self.rules.sources, **self.published.sources}
        return {key: Reference(key=key, **source._asdict()) for key, source in known.items()}

    @cached_property
    def place(self) -> Mapping[tuple[str, str], int]:
        """Where the cell of an outcome and an option stands in the arrays."""
        return {(cell.outcome, cell.option): index for index, cell in enumerate(self.cells)}

    @cached_property
    def effect_blocks(self) -> Array:
        """Covariance of the trait effects by class, shape (families, classes, traits, classes, traits)."""
        C, T = self.effects.shape[1:]
        return self.effect_covariance.reshape(-1, C, T, C, T)

    def effects_of(self, outcome: str) -> Array:
        """Trait effects at the first and at the later stages of an outcome, shape (2, classes, traits)."""
        first = self.effects[self.family_index[FAMILY_OF[outcome].id]]
        return np.stack([first, self.depth.share * first + self.depth.deviation])

    @cached_property
    def outcome_covariance(self) -> Mapping[str, Array]:
        """Covariance of what moves an outcome: its family's effects, and for later stages the deviations beside them.

        Shape (classes, parameters, classes, parameters); parameters are the traits, twice where there are later stages.
        """
        T = self.trait_count
        result = {}
        for outcome, stages in STAGES.items():
            first = self.effect_blocks[self.family_index[FAMILY_OF[outcome].id]]
            if len(stages) == 1:
                result[outcome] = first
                continue
            both = np.zeros((len(CLASSES), 2 * T, len(CLASSES), 2 * T))
            both[:, :T, :, :T], both[:, T:, :, T:] = first, self.depth.covariance
            result[outcome] = both
        return result

    @cached_property
    def product_rows(self) -> tuple[tuple[list[int], int], ...]:
        """For every cell of a class: the cells of its products at the same outcome, and its own."""
        return tuple(
            (
                [
                    index
                    for index, each in enumerate(self.cells)
                    if each.outcome == cell.outcome
                    and each.class_index == cell.class_index
                    and each.option != CLASSES[each.class_index]
                ],
                row,
            )
            for row, cell in enumerate(self.cells)
            if cell.option in CLASSES
        )

    @cached_property
    def threshold_rows(self) -> tuple[list[int], ...]:
        """Cells of one family and option, loosest threshold first, where there is more than one."""
        groups = (
            [self.place[t.id, option.id] for t in family.thresholds if (t.id, option.id) in self.place]
            for family in FAMILIES
            for option in self.options
        )
        return tuple(rows for rows in groups if len(rows) > 1)


def read_pooled(path: Path) -> PooledEvidence:
    """Read the pooled file.

    Raises
    ------
    NoEvidenceError
        When it is missing, unreadable, of another schema version, or was changed by hand.
    """
    rebuild = "build it with: bcma-decide evidence build"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        problem = Problem("", f"cannot be read: {error.strerror or error}", rebuild, str(path))
        raise NoEvidenceError("there is no pooled evidence to answer with", [problem]) from error
    except UnicodeDecodeError as error:
        raise NoEvidenceError(
            "the pooled evidence is not UTF-8 text", [Problem("", str(error), rebuild, str(path))]
        ) from error
    try:
        document = json.loads(text)
    except ValueError as error:
        raise NoEvidenceError(
            "the pooled evidence is not valid JSON", [Problem("", str(error), rebuild, str(path))]
        ) from error
    if not isinstance(document, dict) or document.get("schema_version") != POOLED_SCHEMA_VERSION:
        found = document.get("schema_version") if isinstance(document, dict) else None
        problem = Problem(
            "schema_version", f"{found!r}, this program reads {POOLED_SCHEMA_VERSION!r}", rebuild, str(path)
        )
        raise NoEvidenceError("the pooled evidence has another format", [problem])
    if not seal_holds(text):
        problem = Problem("pooled_hash", "does not match the content", rebuild, str(path))
        raise NoEvidenceError("the pooled evidence was changed after it was built", [problem])
    try:
        return pooled_from_document(document)
    except (KeyError, TypeError, ValueError, IndexError, EvidenceError) as error:
        raise NoEvidenceError(
            "the pooled evidence is incomplete", [Problem("", repr(error), rebuild, str(path))]
        ) from error


def pooled_from_document(document: Mapping[str, Any]) -> PooledEvidence:
    """Arrays from a parsed pooled file; raises KeyError, TypeError or ValueError where it is not as expected."""
    traits: Sequence[str] = document["traits"]["ids"]
    if tuple(traits) != MODEL_TRAIT_IDS:
        raise ValueError("the traits of the pooled evidence are not those of this program")
    options = tuple(Option(**option) for option in document["options"])
    families = list(document["families"])
    T, C, F = len(traits), len(CLASSES), len(families)
    effects = np.zeros((F, C, T))
    covariance = np.zeros((F, C * T, C * T))
    used = np.zeros((F, C, T), dtype=bool)
    depth = Depth(0.0, np.zeros((C, T)), np.zeros((C, T, C, T)))
    borrowed = np.zeros((F, C, T), dtype=bool)
    for f, family in enumerate(families):
        block = document["families"][family]
        position = [CLASSES.index(e["class_id"]) * T + traits.index(e["trait"]) for e in block["effects"]]
        effects[f].reshape(-1)[position] = [e["mean"] for e in block["effects"]]
        covariance[f][np.ix_(position, position)] = np.array(block["covariance"]).reshape(len(position), len(position))
        used[f].reshape(-1)[position] = True
        borrowed[f].reshape(-1)[position] = [e["borrowed"] for e in block["effects"]]
        if "depth" in block:
            depth = _depth(block["depth"], position, (C, T))

    cells: list[Cell] = []
    missing: dict[tuple[str, str], tuple[State, str]] = {}
    blocks, levels = _blocks(document["levels"])
    block_of = {(block.stage, block.class_index): index for index, block in enumerate(blocks)}
    for outcome in OUTCOMES:
        for option in options:
            entry = document["outcomes"][outcome][option.id]
            if entry["state"] != "estimated":
                missing[outcome, option.id] = (entry["state"], entry["reason"])
                continue
            cells.append(
                Cell(
                    outcome=outcome,
                    option=option.id,
                    class_index=CLASSES.index(option.class_id),
                    family=FAMILY_OF[outcome].id,
                    n_studies=entry["n_studies"],
                    n_patients=entry["n_patients"],
                    follow_up_months=entry["follow_up_months"],
                    sources=tuple(entry["sources"]),
                    stages=(stages := tuple(block_of[s, CLASSES.index(option.class_id)] for s in STAGES[outcome])),
                    members=_members(blocks[stages[0]], option),
                    further_product=entry["further_product"],
                )
            )
    population = document["population"]
    return PooledEvidence(
        hash=document["evidence"]["hash"],
        date=document["evidence"]["date"],
        version=document["evidence"]["version"],
        options=options,
        cells=tuple(cells),
        blocks=blocks,
        levels=levels,
        missing=missing,
        family_index={family: f for f, family in enumerate(families)},
        effects=effects,
        effect_covariance=covariance,
        depth=depth,
        used=used,
        borrowed=borrowed,
        reference=np.array(document["traits"]["reference"]),
        population=Population(
            binary=np.array(population["binary"], dtype=bool),
            cut=np.array(population["cut"], dtype=float),
            location=np.array(population["location"], dtype=float),
            spread=np.array(population["spread"], dtype=float),
            correlation=np.array(population["correlation"]),
            points=np.array(population["points"]),
        ),
        age_range=np.array(document["traits"]["age_range"]),
        patients_with_trait=np.array(document["traits"]["patients_with_trait"], dtype=float),
        assumptions=document["assumptions"],
        definitions=Definitions.from_dict(document["definitions"]),
        rules=RuleBook.from_dict(document["rules"]),
        published=PublishedBook.from_dict(document["published"]),
        codes=Codes.from_dict(document["codes"]),
        references=tuple(Reference(key=key, **source) for key, source in document["sources"].items()),
        studies=all_studies(document["provenance"]["outcomes"]),
        provenance=document["provenance"],
        not_known=tuple(document["not_known"]),
    )


def _blocks(plain: Mapping[str, Any]) -> tuple[tuple[Block, ...], dict[str, tuple[Levels, ...]]]:
    blocks: list[Block] = []
    levels: dict[str, list[Levels]] = {setting: [] for setting in SETTINGS}
    for stage in STAGE_IDS:
        for class_id, entry in plain[stage].items():
            products = tuple(entry["products"])
            blocks.append(
                Block(
                    stage=stage,
                    class_index=CLASSES.index(class_id),
                    family=STAGE_FAMILY[stage].id,
                    products=products,
                    slope=np.array(entry["slope"], dtype=float),
                )
            )
            for setting in SETTINGS:
                level = entry["settings"][setting]
                weight = np.array(level["weight"], dtype=float)
                levels[setting].append(
                    Levels(
                        # rounded in the file; what a probability and its opposite add up to must be 1
                        weight=weight / weight.sum(),
                        tau=np.array(level["tau"], dtype=float),
                        mean=np.array(level["mean"], dtype=float),
                        covariance=np.array(level["covariance"], dtype=float),
                    )
                )
    return tuple(blocks), {setting: tuple(rows) for setting, rows in levels.items()}


def _depth(plain: Mapping[str, Any], position: Sequence[int], shape: tuple[int, int]) -> Depth:
    size = shape[0] * shape[1]
    deviation, covariance = np.zeros(size), np.zeros((size, size))
    deviation[position] = plain["deviation"]
    covariance[np.ix_(position, position)] = np.array(plain["covariance"]).reshape(len(position), len(position))
    return Depth(plain["share"], deviation.reshape(shape), covariance.reshape(*shape, *shape))


def _members(block: Block, option: Option) -> tuple[int, ...]:
    return tuple(range(len(block.products))) if option.kind == "class" else (block.products.index(option.id),)
