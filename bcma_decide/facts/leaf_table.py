"""Conditions over one table of leaves: what several of them ask is judged once, and they are logic over the table.

Truth stands as 1, false as -1, unknown as 0, so that Kleene's conjunction is the least, his disjunction the most of
its parts, and negation the opposite: the same program holds for one patient and, over arrays, for many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from bcma_decide.facts.alike import Alike
from bcma_decide.facts.facts import Facts, Judgement, joined
from bcma_decide.facts.reads import fields_of
from bcma_decide.logic import Truth
from bcma_decide.pooled.conditions import Condition, Every, Leaf, Not, Some
from bcma_decide.pooled.definitions import Definitions

CODE: Final[dict[Truth, int]] = {True: 1, None: 0, False: -1}
TRUTH: Final[dict[int, Truth]] = {code: truth for truth, code in CODE.items()}
Codes = NDArray[np.int8]
T = TypeVar("T", int, Codes)


class Joined(NamedTuple):
    """A condition of several parts, or the contrary of one."""

    kind: Literal["not", "all", "any"]
    parts: tuple[Program, ...]


Program = int | Joined
"""A condition by places in the table."""


class Agreed(NamedTuple):
    """What all of several conditions agree on, else unknown; ``never_sure``: it may be false, but never surely true."""

    parts: tuple[Program, ...]
    never_sure: bool


class LeafTable:
    """The leaves of many conditions, each once, and the conditions as programs over them."""

    def __init__(self, conditions: Iterable[Condition], definitions: Definitions) -> None:
        # By kind too: as tuples, that a test is negative and that it is not known are equal.
        self._places: dict[tuple[type[Leaf], Leaf], int] = {}
        self.programs: tuple[Program, ...] = tuple(self._program(condition) for condition in conditions)
        """In the order of the conditions."""
        self.leaves: tuple[Leaf, ...] = tuple(leaf for _, leaf in self._places)
        by_fields: dict[frozenset[str], list[int]] = {}
        for place, leaf in enumerate(self.leaves):
            by_fields.setdefault(fields_of(leaf, definitions), []).append(place)
        self._groups = tuple(
            (Alike(fields, _judging([self.leaves[place] for place in places])), tuple(places))
            for fields, places in by_fields.items()
        )
        self._touched: dict[str, list[int]] = {}
        """By field, the groups of leaves that can rest on it."""
        for group, fields in enumerate(by_fields):
            for field in fields:
                self._touched.setdefault(field, []).append(group)
        self._of_nobody: list[Judgement] | None = None
        """Where nothing is known of a patient: most leaves of most patients."""

    def _program(self, condition: Condition) -> Program:
        if isinstance(condition, Not):
            return Joined("not", (self._program(condition.part),))
        if isinstance(condition, (Every, Some)):
            kind: Literal["all", "any"] = "all" if isinstance(condition, Every) else "any"
            return Joined(kind, tuple(self._program(part) for part in condition.parts))
        return self._places.setdefault((type(condition), condition), len(self._places))

    def place(self, leaf: Leaf) -> int:
        """Where a leaf of the table stands."""
        return self._places[type(leaf), leaf]

    def judged(self, facts: Facts) -> list[Judgement]:
        """Every leaf of one patient, judged once; in the order of the leaves."""
        if self._of_nobody is None:
            self._of_nobody = self._judge(
                [Judgement(None)] * len(self.leaves), facts.of_nobody, range(len(self._groups))
            )
        touched = {group for field in facts.given for group in self._touched.get(field, ())}
        return self._judge(self._of_nobody, facts, touched)

    def _judge(self, before: list[Judgement], facts: Facts, groups: Iterable[int]) -> list[Judgement]:
        """The judgements as they were, but for some groups of leaves."""
        found = before.copy()
        for group in groups:
            alike, places = self._groups[group]
            for place, judgement in zip(places, alike.of(facts), strict=True):
                found[place] = judgement
        return found


def _judging(leaves: Sequence[Leaf]) -> Callable[[Facts], tuple[Judgement, ...]]:
    return lambda facts: tuple(facts.judge(leaf) for leaf in leaves)


def code_of_one(program: Program | Agreed, codes: Sequence[int]) -> int:
    """Truth of a program for one patient; ``codes`` by leaf."""
    if type(program) is int:  # most are
        return codes[program]
    return _code(program, codes, _least_of_one, _most_of_one)


def code_of_many(program: Program | Agreed, codes: Sequence[Codes]) -> Codes:
    """Truth of a program for many patients, (N,) or one for all, (); ``codes`` by leaf, each (N,)."""
    return _code(program, codes, _least_of_many, _most_of_many)


def _code(
    program: Program | Agreed, codes: Sequence[T], least: Callable[[list[T]], T], most: Callable[[list[T]], T]
) -> T:
    if isinstance(program, int):
        return codes[program]
    parts = [_code(part, codes, least, most) for part in program.parts]
    if isinstance(program, Agreed):
        low, high = least(parts), most(parts)
        agreed = least([high, 0 * high]) + most([low, 0 * low])
        return least([agreed, 0 * agreed]) if program.never_sure else agreed
    return -parts[0] if program.kind == "not" else least(parts) if program.kind == "all" else most(parts)


def _least_of_one(parts: list[int]) -> int:
    return min(parts, default=1)


def _most_of_one(parts: list[int]) -> int:
    return max(parts, default=-1)


def _least_of_many(parts: list[Codes]) -> Codes:
    return np.asarray(np.minimum.reduce(parts) if parts else np.int8(1))


def _most_of_many(parts: list[Codes]) -> Codes:
    return np.asarray(np.maximum.reduce(parts) if parts else np.int8(-1))


def judgement_of(program: Program, judged: Sequence[Judgement]) -> Judgement:
    """Judgement of a condition for one patient, with what it rests on; ``judged`` by leaf."""
    if isinstance(program, int):
        return judged[program]
    return joined(program.kind, [judgement_of(part, judged) for part in program.parts])


def leaves_of(program: Program) -> set[int]:
    """Places of the leaves of a condition."""
    return {program} if isinstance(program, int) else set().union(*(leaves_of(part) for part in program.parts))
