"""The pooled evidence as arrays, laid out so that one patient costs a handful of array operations.

A cell is one option at one outcome; a block holds the levels of one class at one stage, from which cells are made up.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from msgspec.structs import asdict, replace
from numpy.typing import NDArray

from bcma_decide.comparison import Option, Reference, StudyEntry
from bcma_decide.errors import EvidenceError, NoEvidenceError, Problem
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.pooled.order_book import OrderBook
from bcma_decide.pooled.published_book import PublishedBook
from bcma_decide.pooled.rule_book import RuleBook
from bcma_decide.pooled.survival_levels import SurvivalEvidence
from bcma_decide.pooled.way_book import WayBook
from bcma_decide.vocabulary import CLASSES, FAMILIES, FAMILY_OF, STAGES, State

if TYPE_CHECKING:
    from bcma_decide.pooled.codes import Codes

Array = NDArray[np.float64]


class Cell(Struct, frozen=True):
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


class Block(Struct, frozen=True):
    """One class at one stage of an outcome: its offered products.

    ``slope`` (products, traits): derivative of the levels in the trait effects of the stage.
    """

    stage: str
    class_index: int
    products: tuple[str, ...]
    slope: Array


class Levels(Struct, frozen=True):
    """Joint levels of a block's products in one setting, on the log-odds scale at the reference profile.

    A mixture over the between-study spread: ``weight``, ``tau`` (nodes,), ``mean`` (nodes, products), ``covariance``
    (nodes, products, products).
    """

    weight: Array
    tau: Array
    mean: Array
    covariance: Array


class Depth(Struct, frozen=True):
    """Trait effects on the depth of a response: ``share`` times those on response, plus a deviation.

    ``deviation`` (classes, traits), ``covariance`` (classes, traits, classes, traits) of the deviation.
    """

    share: float
    deviation: Array
    covariance: Array


class Population(Struct, frozen=True, dict=True):
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

    @cached_property
    def beside(self) -> dict[Hashable, Any]:
        """What was worked out from it, by name: it is dropped with it."""
        return {}


class PooledEvidence(Struct, frozen=True, eq=False, dict=True, weakref=True):
    """The pooled file, checked, as arrays.

    One that was read is equal to itself only, so that what follows from it alone can be kept by it.
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
    way: WayBook
    order: OrderBook
    survival: SurvivalEvidence
    plain_codes: Mapping[str, Any]
    """What records are read and written with, as it stands in the file; see :attr:`codes`."""
    references: tuple[Reference, ...]
    studies: tuple[StudyEntry, ...]
    provenance: Mapping[str, Any]
    not_known: tuple[str, ...]

    @cached_property
    def beside(self) -> dict[Hashable, Any]:
        """What was worked out from it, by name, see `bcma_decide.model.beside`: it is dropped with it."""
        return {}

    @property
    def trait_count(self) -> int:
        """How many traits the linear predictor has."""
        return int(self.reference.size)

    @cached_property
    def codes(self) -> Codes:
        """Codes and words of records; built when a record is first read or written.

        Raises
        ------
        NoEvidenceError
            When they have not the expected shape.
        """
        from bcma_decide.pooled.codes import Codes

        try:
            return Codes.from_dict(self.plain_codes)
        except (KeyError, TypeError, ValueError, IndexError, EvidenceError) as error:
            problem = Problem("codes", repr(error), "build it with: bcma-decide evidence build")
            raise NoEvidenceError("the pooled evidence is incomplete", [problem]) from error

    @cached_property
    def citations(self) -> Mapping[str, Reference]:
        """Sources of rules, labels, practical facts, scores and published figures, by key."""
        known = {**self.definitions.scores.sources, **self.rules.sources, **self.published.sources}
        known |= {**self.way.sources, **self.order.sources}
        return {key: Reference(key=key, **asdict(source)) for key, source in known.items()}

    @cached_property
    def response_alone(self) -> PooledEvidence:
        """The same evidence with one outcome, response, for patients of whom nothing else is asked."""
        family = FAMILY_OF["orr"].id
        return replace(
            self,
            cells=tuple(cell for cell in self.cells if cell.outcome == "orr"),
            family_index={family: self.family_index[family]},
        )

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
            if FAMILY_OF[outcome].id not in self.family_index:
                continue
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
                    and each.members[0] in cell.members
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
