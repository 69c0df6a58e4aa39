"""What follows for many patients: each trait and leaf judged once for all who are alike in the fields it rests on.

By the same functions as for one patient: a leaf is judged on the first patient with a combination of values, and
remembered under that combination. What is remembered is bounded, and holds no more than those values and codes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bcma_decide.facts.alike import in_order
from bcma_decide.facts.claims import gather
from bcma_decide.facts.columns import Columns
from bcma_decide.facts.contradictions import contradicts
from bcma_decide.facts.drug_history import HEADINGS, DrugHistory
from bcma_decide.facts.facts import GIVEN_ONLY, Facts
from bcma_decide.facts.leaf_table import CODE, Codes
from bcma_decide.facts.reads import fields_of, fields_of_trait
from bcma_decide.facts.traits import Modelled, Traits, derive, trait_settled
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.conditions import Leaf
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.vocabulary import MODEL_TRAITS

MOST_REMEMBERED: Final = 50_000
"""Combinations of values that are remembered of one set of fields, before all of them are forgotten."""


class ManyFacts(NamedTuple):
    """What follows for N patients, in the order given.

    ``codes`` (leaves, N) holds 1 for true, 0 for unknown, -1 for false; ``unknown`` (N, traits) marks the traits of the
    model without a value. ``modelled`` has every trait in the order of the model, ``contradictions`` the fields of
    each.
    """

    modelled: tuple[tuple[Modelled, ...], ...]
    unknown: NDArray[np.bool_]
    contradictions: tuple[tuple[tuple[str, ...], ...], ...]
    codes: Codes


class _Judged(NamedTuple):
    """Of one combination of values: codes of the leaves, what the model takes of the traits, and which are open."""

    codes: bytes
    modelled: tuple[Modelled, ...]
    unknown: bytes


class _Unit:
    """The leaves and traits that rest on one set of fields."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        self.fields = fields
        self.leaves: list[tuple[int, Leaf]] = []
        self.traits: list[tuple[int, str]] = []
        self._known: dict[Hashable, _Judged] = {}

    def judge(self, columns: Columns, facts: Callable[[int], Facts]) -> list[_Judged]:
        """Every patient; ``facts`` of a row are asked for where its values are new."""
        known, keys = self._known, columns.keys(self.fields)
        if len(known) > MOST_REMEMBERED:
            known.clear()
        found = [known.get(key) for key in keys]
        for row, judged in enumerate(found):
            if judged is None:
                key = keys[row]
                if key not in known:
                    known[key] = self._of(facts(row))
                found[row] = known[key]
        return found  # type: ignore[return-value]  # no row is left open

    def _of(self, facts: Facts) -> _Judged:
        traits = [trait_settled(name, facts) for _, name in self.traits]
        return _Judged(
            codes=bytes(CODE[facts.judge(leaf).value] + 1 for _, leaf in self.leaves),
            modelled=tuple(modelled for _, modelled in traits),
            unknown=bytes(value is None for value, _ in traits),
        )


class ManyProfiles:
    """Judges the same leaves, and the traits of the model, for one batch of patients after the other."""

    def __init__(self, definitions: Definitions, leaves: Sequence[Leaf]) -> None:
        self.definitions = definitions
        self._leaf_count = len(leaves)
        units: dict[frozenset[str], _Unit] = {}
        for place, leaf in enumerate(leaves):
            self._unit(units, fields_of(leaf, definitions)).leaves.append((place, leaf))
        for place, trait in enumerate(MODEL_TRAITS):
            self._unit(units, fields_of_trait(trait.id, definitions)).traits.append((place, trait.id))
        self._units = tuple(units.values())
        self._in_question = [
            (entry, needs, in_order(fields_of(entry.when, definitions)))
            for entry, needs in zip(definitions.contradictions, definitions.contradiction_needs, strict=True)
        ]
        self._contradicted: list[dict[Hashable, bool]] = [{} for _ in self._in_question]

    @staticmethod
    def _unit(units: dict[frozenset[str], _Unit], fields: frozenset[str]) -> _Unit:
        if fields not in units:
            units[fields] = _Unit(in_order(fields))
        return units[fields]

    def judge(self, patients: Sequence[Patient]) -> ManyFacts:
        """Judge a batch: a few thousand at a time is enough for what repeats to be worked out once."""
        disputed = {
            row: traits
            for row in self._suspects(Columns(patients))
            if (traits := derive(patients[row], self.definitions)).contradictions
        }
        consistent = [disputed[row].facts.patient if row in disputed else each for row, each in enumerate(patients)]
        columns, rows = Columns(consistent), len(patients)
        facts: dict[int, Facts] = {}

        def facts_of(row: int) -> Facts:
            if row not in facts:
                facts[row] = gather(consistent[row], self.definitions)
            return facts[row]

        codes = np.zeros((self._leaf_count, rows), dtype=np.int8)
        unknown = np.zeros((rows, len(MODEL_TRAITS)), dtype=np.bool_)
        modelled: list[list[Modelled]] = [[] for _ in MODEL_TRAITS]
        for unit in self._units:
            judged = unit.judge(columns, facts_of)
            if unit.leaves:
                table = np.frombuffer(b"".join([each.codes for each in judged]), dtype=np.int8)
                codes[[place for place, _ in unit.leaves]] = table.reshape(rows, len(unit.leaves)).T - 1
            if unit.traits:
                table = np.frombuffer(b"".join([each.unknown for each in judged]), dtype=np.int8)
                unknown[:, [place for place, _ in unit.traits]] = table.reshape(rows, len(unit.traits))
            for index, (place, _) in enumerate(unit.traits):
                modelled[place] = [each.modelled[index] for each in judged]
        by_row = list(zip(*modelled, strict=True))
        for row, traits in disputed.items():
            by_row[row] = tuple(each.modelled for each in traits)
            unknown[row] = [each.value is None for each in traits]
        contradictions = tuple(_fields(disputed[row]) if row in disputed else () for row in range(rows))
        return ManyFacts(tuple(by_row), unknown, contradictions, codes)

    def _suspects(self, columns: Columns) -> list[int]:
        """Patients in whom inputs contradict each other."""
        known = columns.known()
        found: set[int] = set(self._under_two_headings(columns, known))
        given_only: dict[int, Facts] = {}
        for (entry, needs, fields), remembered in zip(self._in_question, self._contradicted, strict=True):
            given = np.logical_and.reduce([known[name] for name in needs]) if needs else np.True_
            rows = np.flatnonzero(np.broadcast_to(given, len(columns.patients)))
            if not rows.size:
                continue
            if len(remembered) > MOST_REMEMBERED:
                remembered.clear()
            keys = columns.keys(fields)
            for row in rows.tolist():
                key = keys[row]
                if key not in remembered:
                    if row not in given_only:
                        given_only[row] = Facts(columns.patients[row], self.definitions, GIVEN_ONLY)
                    remembered[key] = contradicts(entry, given_only[row])
                if remembered[key]:
                    found.add(row)
        return sorted(found)

    def _under_two_headings(self, columns: Columns, known: dict[str, NDArray[np.bool_]]) -> Iterator[int]:
        """Patients of whom a drug stands under two headings that exclude each other."""
        several = np.sum([known[name] for name in HEADINGS], axis=0) > 1
        for row in np.flatnonzero(several).tolist():
            if DrugHistory(columns.patients[row], self.definitions).overlaps:
                yield row


def _fields(traits: Traits) -> tuple[tuple[str, ...], ...]:
    return tuple(each.fields for each in traits.contradictions)
