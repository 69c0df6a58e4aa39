"""What follows for many patients: each trait and leaf judged once for all who are alike in the fields it rests on.

By the same functions as for one patient, or by the same definitions over arrays where measured values, which seldom
repeat, are behind it (:mod:`bcma_decide.facts.settled_columns`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bcma_decide.facts.claims import gather
from bcma_decide.facts.columns import Columns
from bcma_decide.facts.contradictions import contradicts
from bcma_decide.facts.drug_history import HEADINGS, DrugHistory
from bcma_decide.facts.facts import GIVEN_ONLY, Facts
from bcma_decide.facts.leaf_table import CODE, Codes
from bcma_decide.facts.reads import fields_of, fields_of_trait, fields_said
from bcma_decide.facts.remembered import FactsOf, Remembered
from bcma_decide.facts.settled_columns import NumberColumn, PointColumn, SettledColumn, judged_ends
from bcma_decide.facts.traits import Modelled, Traits, derive, trait_settled
from bcma_decide.logic import Chance
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.conditions import Is, IsKnown, Leaf, Score, Within
from bcma_decide.pooled.definitions import Contradictory, CutOff, Definitions, FromScore
from bcma_decide.vocabulary import MODEL_TRAITS

Array = NDArray[np.float64]
_NUMBERS = np.array([trait.kind != "binary" for trait in MODEL_TRAITS])


class ManyFacts(NamedTuple):
    """What follows for N patients, in the order given.

    ``number`` (N, traits): numbers of the model in natural units, NaN where unknown and for yes-or-no traits. ``yes``,
    ``no`` (N, traits): how likely a yes-or-no trait is present and absent. ``unknown`` (N, traits): which traits have
    no value. ``contradictions`` has the fields of each, by patient. ``codes`` (leaves, N) holds 1 for true, 0 for
    unknown, -1 for false.
    """

    number: Array
    yes: Array
    no: Array
    unknown: NDArray[np.bool_]
    contradictions: tuple[tuple[tuple[str, ...], ...], ...]
    codes: Codes


class _Judged(NamedTuple):
    """Of one combination of values: codes of the leaves, and number, yes, no and whether it is open of the traits."""

    codes: tuple[int, ...]
    traits: tuple[tuple[float, float, float, float], ...]


class _Unit:
    """The leaves and traits that rest on one set of fields."""

    def __init__(self) -> None:
        self.leaves: list[tuple[int, Leaf]] = []
        self.traits: list[tuple[int, str]] = []

    def judged(self, facts: Facts) -> _Judged:
        """One patient."""
        return _Judged(
            tuple(CODE[facts.judge(leaf).value] for _, leaf in self.leaves),
            tuple(_plain(*trait_settled(name, facts)) for _, name in self.traits),
        )


class ManyProfiles:
    """Judges the same leaves, and the traits of the model, for one batch of patients after the other."""

    def __init__(self, definitions: Definitions, leaves: Sequence[Leaf]) -> None:
        self.definitions = definitions
        self._leaf_count = len(leaves)
        scores, cuts, numbers = _over_arrays(definitions)
        self._numbers = numbers
        self._traits: dict[str, tuple[FromScore, PointColumn] | tuple[CutOff, NumberColumn]] = {**scores, **cuts}
        self._points = {rule.score: column for rule, column in scores.values()}
        self._of_traits: list[tuple[int, str]] = []
        self._of_leaves: list[tuple[int, Leaf]] = []
        units: dict[frozenset[str], _Unit] = {}
        for place, leaf in enumerate(leaves):
            if self._is_over_arrays(leaf):
                self._of_leaves.append((place, leaf))
            else:
                units.setdefault(fields_of(leaf, definitions), _Unit()).leaves.append((place, leaf))
        for place, trait in enumerate(MODEL_TRAITS):
            if trait.id in self._traits:
                self._of_traits.append((place, trait.id))
            else:
                units.setdefault(fields_of_trait(trait.id, definitions), _Unit()).traits.append((place, trait.id))
        self._units = [(unit, Remembered(fields, unit.judged)) for fields, unit in units.items()]
        self._in_question = [
            (needs, Remembered(fields_said(entry.when, definitions) | needs, partial(_contradicts, entry)))
            for entry, needs in zip(definitions.contradictions, definitions.contradiction_needs, strict=True)
        ]

    def _is_over_arrays(self, leaf: Leaf) -> bool:
        match leaf:
            case Is(trait):
                return trait in self._traits
            case Within(trait) | IsKnown(trait):
                return trait in self._numbers
            case Score(name):
                return name in self._points
            case _:
                return False

    def judge(self, patients: Sequence[Patient]) -> ManyFacts:
        """Judge a batch: a few thousand at a time is enough for what repeats to be worked out once."""
        columns, rows = Columns(patients), len(patients)
        disputed = {
            row: traits
            for row in self._suspects(columns)
            if (traits := derive(patients[row], self.definitions)).contradictions
        }
        if disputed:
            consistent = [disputed[row].facts.patient if row in disputed else each for row, each in enumerate(patients)]
            columns = Columns(consistent)
        facts = _facts_of(columns, self.definitions)
        codes = np.zeros((self._leaf_count, rows), dtype=np.int8)
        plain = np.zeros((4, rows, len(MODEL_TRAITS)))
        for unit, remembered in self._units:
            found, of_row = remembered.of(columns, facts)
            if unit.leaves and found:
                table = np.array([each.codes for each in found], dtype=np.int8)
                codes[[place for place, _ in unit.leaves]] = table.T[:, of_row]
            for index, (place, _) in enumerate(unit.traits if found else ()):
                plain[:, :, place] = np.array([each.traits[index] for each in found]).T[:, of_row]
        self._over_arrays(columns, facts, codes, plain)
        for row, traits in disputed.items():
            plain[:, row] = np.array([_plain(each.value, each.modelled) for each in traits]).T
        number, yes, no, unknown = plain
        number[:, ~_NUMBERS] = np.nan
        contradictions = tuple(_fields(disputed[row]) if row in disputed else () for row in range(rows))
        return ManyFacts(number, yes, no, unknown > 0.0, contradictions, codes)

    def _over_arrays(self, columns: Columns, facts: FactsOf, codes: Codes, plain: Array) -> None:
        settled = {name: self._settled(name, columns, facts) for name in self._traits}
        for place, name in self._of_traits:
            value, yes, no = settled[name]
            plain[1:, :, place] = yes, no, value == 0
        for place, leaf in self._of_leaves:
            match leaf:
                case Is(trait, wanted):
                    codes[place] = settled[trait].value if wanted else -settled[trait].value
                case Within(trait, bounds):
                    codes[place] = judged_ends(bounds, self._numbers[trait].ends(columns))
                case IsKnown(trait, wanted):
                    low, high = self._numbers[trait].ends(columns)
                    codes[place] = np.where((low == high) == wanted, 1, -1)
                case Score(name, bounds):
                    codes[place] = judged_ends(bounds, self._points[name].ends(columns, facts)[0])

    def _settled(self, name: str, columns: Columns, facts: FactsOf) -> SettledColumn:
        rule, column = self._traits[name]
        if isinstance(column, PointColumn):
            return column.settled(rule, columns, facts)  # type: ignore[arg-type]
        return column.settled(rule, columns)  # type: ignore[arg-type]

    def _suspects(self, columns: Columns) -> list[int]:
        """Patients in whom inputs contradict each other."""
        given_only: dict[int, Facts] = {}

        def facts_of(row: int) -> Facts:
            if row not in given_only:
                given_only[row] = Facts(columns.patients[row], self.definitions, GIVEN_ONLY)
            return given_only[row]

        found: set[int] = set(self._under_two_headings(columns))
        for needs, remembered in self._in_question:
            if not needs or all(columns.any_known(name) for name in needs):
                contradicted, of_row = remembered.of(columns, facts_of)
                if any(contradicted):
                    found.update(np.flatnonzero(np.array(contradicted)[of_row]).tolist())
        return sorted(found)

    def _under_two_headings(self, columns: Columns) -> Iterator[int]:
        """Patients of whom a drug stands under two headings that exclude each other."""
        combined = columns.combined(HEADINGS)
        for place, key in enumerate(combined.keys):
            if sum(1 for drugs in key if drugs) > 1:
                row = int(combined.first[place])
                if DrugHistory(columns.patients[row], self.definitions).overlaps:
                    yield from np.flatnonzero(combined.of_row == place).tolist()


def _over_arrays(
    definitions: Definitions,
) -> tuple[dict[str, tuple[FromScore, PointColumn]], dict[str, tuple[CutOff, NumberColumn]], dict[str, NumberColumn]]:
    """Traits and numbers that follow from measured values, and by what."""
    points = {score.about.id: PointColumn(score, definitions) for score in definitions.scores.points}
    scores = {rule.id: (rule, points[rule.score]) for rule in definitions.from_scores if rule.score in points}
    names = dict.fromkeys(formula.gives for formula in definitions.scores.formulas)
    numbers = {name: column for name in names if (column := NumberColumn.of_formulas(name, definitions)) is not None}
    cuts = {rule.id: (rule, numbers[rule.field]) for rule in definitions.cut_offs if rule.field in numbers}
    return scores, cuts, numbers


def _facts_of(columns: Columns, definitions: Definitions) -> FactsOf:
    facts: dict[int, Facts] = {}

    def facts_of(row: int) -> Facts:
        if row not in facts:
            facts[row] = gather(columns.patients[row], definitions)
        return facts[row]

    return facts_of


def _contradicts(entry: Contradictory, given: Facts) -> bool:
    return contradicts(entry, given)


def _plain(value: float | bool | None, modelled: Modelled) -> tuple[float, float, float, float]:
    """Number, yes, no, and whether there is no value."""
    if isinstance(modelled, (bool, Chance)):
        yes, no = modelled if isinstance(modelled, Chance) else Chance.of(modelled)
        return np.nan, yes, no, float(value is None)
    return np.nan if modelled is None else modelled, 0.0, 0.0, float(value is None)


def _fields(traits: Traits) -> tuple[tuple[str, ...], ...]:
    return tuple(each.fields for each in traits.contradictions)
