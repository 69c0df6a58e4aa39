"""The two groups of one cut of a trait: as printed, or one of them as the arm total minus the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bcma_decide.vocabulary import MODEL_TRAITS
from bcma_decide.workshop.evidence.eligibility import against_basis, count_of, follow_up
from bcma_decide.workshop.evidence.schema import OutcomeRow, Split, Study

KINDS: Final = {trait.id: trait.kind for trait in MODEL_TRAITS}


@dataclass(frozen=True)
class LevelBounds:
    """The part of a numeric trait a group covers: from ``at_least`` (inclusive) to ``below`` (exclusive)."""

    at_least: float | None = None
    below: float | None = None


@dataclass(frozen=True)
class Level:
    """One level with its count."""

    split: Split
    events: int
    n: int
    bounds: LevelBounds
    high: bool | None
    """Present (true) or absent (false); ``None`` for numeric traits."""


def read_level(split: Split, unverified: bool) -> Level | str:
    """Return the level with its count, or the reason it has none."""
    reason = None if unverified else against_basis(split)
    if reason:
        return reason
    counted = count_of(split)
    if isinstance(counted, str):
        return counted
    bounds = LevelBounds(split.at_least, split.below)
    high = {"present": True, "absent": False, None: None}[split.group]
    if KINDS[split.trait] == "binary" and high is None:
        return "neither present nor absent"
    return Level(split=split, events=counted[0], n=split.n or 0, bounds=bounds, high=high)


def pairs(levels: Sequence[Level]) -> Iterable[tuple[Level, Level]]:
    """Pairs (high, low) of levels that the source itself prints as two sides of one cut."""
    for high in levels:
        for low in levels:
            numeric = high.high is None and low.high is None
            if (high.high is True and low.high is False) or (numeric and _adjacent(high.bounds, low.bounds)):
                yield high, low


def _adjacent(high: LevelBounds, low: LevelBounds) -> bool:
    return high.at_least is not None and high.at_least == low.below and high.below is None


def complete(study: Study, arm: str | None, level: Level, unverified: bool) -> tuple[Level, Level] | str:
    """(high, low) with the missing level made from the arm total, or the reason it cannot be."""
    if level.high is None and (level.bounds.at_least is None) == (level.bounds.below is None):
        return "the level is bounded on both sides, so the rest is not one group"
    totals = [row for row in study.outcomes if row.outcome == level.split.outcome and row.arm == arm]
    if not totals:
        return "no counterpart, and no arm total to subtract from"
    reasons = []
    for total in sorted(totals, key=lambda row: not row.primary):
        rest = _rest(study, level, total, unverified)
        if isinstance(rest, Level):
            low_is_rest = level.high is True or level.bounds.at_least is not None
            return (level, rest) if low_is_rest else (rest, level)
        reasons.append(rest)
    return f"no counterpart, and {reasons[0]}"


def _rest(study: Study, level: Level, total: OutcomeRow, unverified: bool) -> Level | str:
    """Return the arm total minus one level, or why the two cannot be subtracted."""
    reason = None if unverified else against_basis(total)
    if reason:
        return f"the arm total is unusable: {reason}"
    counted = count_of(total)
    if isinstance(counted, str):
        return f"the arm total is unusable: {counted}"
    n, events = (total.n or 0) - level.n, counted[0] - level.events
    if n <= 0:
        return "the level is the whole arm"
    if events < 0 or events > n:
        return "the arm total and the level do not count the same patients"
    if follow_up(study, level.split) != follow_up(study, total):
        return "the arm total is of another data cut"
    known = study.population.get(level.split.trait)
    if known is not None and known.of is not None and known.n is not None and known.of < (total.n or 0):
        return f"the trait is known in {known.of} of {total.n} patients only"
    flipped = LevelBounds(at_least=level.bounds.below, below=level.bounds.at_least)
    high = None if level.high is None else not level.high
    return Level(split=level.split, events=events, n=n, bounds=flipped, high=high)
