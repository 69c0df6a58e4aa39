"""Contrasts of one trait inside one study: the events of two groups that together make up the arm.

Where a source prints one level only, the other one is the arm total minus that level, if both count the same
patients at the same data cut.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bcma_decide.errors import EvidenceError
from bcma_decide.evidence.catalogue import Catalogue
from bcma_decide.evidence.eligibility import (
    Window,
    against_basis,
    against_study,
    against_window,
    count_of,
    follow_up,
    products_of,
    weakest_basis,
)
from bcma_decide.evidence.overlap import without_overlap
from bcma_decide.evidence.schema import Basis, OutcomeRow, Split, Study
from bcma_decide.vocabulary import FAMILIES, MODEL_TRAITS, ClassId, Design, Family

ROLES: Final = ("whole_group", "splits_only")
"""Roles whose inner contrasts inform the model of current products."""
KINDS: Final = {trait.id: trait.kind for trait in MODEL_TRAITS}


@dataclass(frozen=True)
class Bounds:
    """The part of a numeric trait a group covers: from ``at_least`` (inclusive) to ``below`` (exclusive)."""

    at_least: float | None = None
    below: float | None = None


@dataclass(frozen=True)
class SplitContrast:
    """Events of the high and the low group of one trait, inside one arm.

    *High* is the group with the trait present, or with the larger values of a numeric trait.
    """

    study: str
    arm: str | None
    class_id: ClassId
    products: tuple[str, ...]
    design: Design
    outcome: str
    trait: str
    high_events: int
    high_n: int
    low_events: int
    low_n: int
    high_bounds: Bounds
    low_bounds: Bounds
    completed: bool
    """One of the groups is the arm total minus the other."""
    basis: Basis
    source: str | None
    follow_up_months: float | None
    trial: str | None

    @property
    def patients(self) -> int:
        """Both groups together."""
        return self.high_n + self.low_n


@dataclass(frozen=True)
class SplitLeftOut:
    """A split that gives no contrast, with the reason."""

    study: str
    arm: str | None
    outcome: str
    trait: str
    level: str
    reason: str


@dataclass(frozen=True)
class SplitSelection:
    """The contrasts of one family, sorted by trait, class, study and threshold, and the splits left out."""

    family: str
    include_unverified: bool
    window: Window
    contrasts: tuple[SplitContrast, ...]
    left_out: tuple[SplitLeftOut, ...]

    def explain(self) -> tuple[str, ...]:
        """Plain lines: what is in, then what is out and why."""
        lines = [f"{self.family}: {len(self.contrasts)} contrasts selected, {len(self.left_out)} splits left out"]
        for c in self.contrasts:
            counts = f"{c.high_events}/{c.high_n} against {c.low_events}/{c.low_n}"
            made = " (one group by subtraction)" if c.completed else ""
            lines.append(f"in   {c.study}: {c.outcome} by {c.trait}, {counts}{made}")
        lines += [f"out  {s.study}: {s.outcome} by {s.trait}, {s.level}: {s.reason}" for s in self.left_out]
        return tuple(lines)


@dataclass(frozen=True)
class _Level:
    """One level with its count."""

    split: Split
    events: int
    n: int
    bounds: Bounds
    high: bool | None
    """Present (true) or absent (false); ``None`` for numeric traits."""


@dataclass(frozen=True)
class _Cut:
    """All thresholds of one cut of one trait in one arm."""

    study: Study
    arm: str | None
    contrasts: tuple[SplitContrast, ...]
    splits: tuple[Split, ...]

    @property
    def patients(self) -> int:
        return max(c.patients for c in self.contrasts)

    @property
    def follow_up(self) -> float:
        return max((c.follow_up_months or 0.0) for c in self.contrasts)


def select_splits(
    catalogue: Catalogue, family_id: str, *, include_unverified: bool = False, window: Window = "all"
) -> SplitSelection:
    """Choose the contrasts of the model's traits on the thresholds of one family.

    Raises
    ------
    EvidenceError
        If there is no such family.
    """
    family = _family(family_id)
    left_out: list[SplitLeftOut] = []
    cuts: dict[tuple[ClassId, str], list[_Cut]] = defaultdict(list)
    for study in catalogue.studies:
        for arm, trait, splits in _by_trait(study, family):
            reason = against_split_study(study, window) or against_trait(trait)
            if reason:
                left_out += _out(study, splits, reason)
                continue
            cut = _cut(study, arm, splits, include_unverified, left_out)
            if cut is not None:
                cuts[study.class_id, trait].append(cut)
    chosen: list[SplitContrast] = []
    for candidates in cuts.values():
        kept, beaten = without_overlap(candidates)
        chosen += [contrast for cut in kept for contrast in cut.contrasts]
        for cut, reason in beaten:
            left_out += _out(cut.study, cut.splits, reason)
    order = [threshold.id for threshold in family.thresholds]
    return SplitSelection(
        family=family_id,
        include_unverified=include_unverified,
        window=window,
        contrasts=tuple(
            sorted(chosen, key=lambda c: (c.trait, c.class_id, c.study, c.arm or "", order.index(c.outcome)))
        ),
        left_out=tuple(sorted(left_out, key=lambda s: (s.study, s.trait, order.index(s.outcome), s.level))),
    )


def _family(family_id: str) -> Family:
    for family in FAMILIES:
        if family.id == family_id:
            return family
    raise EvidenceError(f"no family {family_id!r}; there are {', '.join(f.id for f in FAMILIES)}")


def _by_trait(study: Study, family: Family) -> Iterable[tuple[str | None, str, list[Split]]]:
    """The primary splits of a family, by arm and trait."""
    thresholds = {threshold.id for threshold in family.thresholds}
    groups: dict[tuple[str | None, str], list[Split]] = defaultdict(list)
    for split in study.splits:
        if split.primary and split.outcome in thresholds:
            groups[split.arm, split.trait].append(split)
    return [(arm, trait, splits) for (arm, trait), splits in groups.items()]


def against_split_study(study: Study, window: Window) -> str | None:
    """Records whose inner contrasts do not inform the model."""
    reason = against_study(study) or against_window(study, window)
    if reason or study.pooling.role in ROLES:
        return reason
    return f"{study.pooling.role.replace('_', ' ')}: {study.pooling.reason}"


def against_trait(trait: str) -> str | None:
    """Traits the model does not know."""
    return None if trait in KINDS else "not a trait of the model"


def _cut(
    study: Study, arm: str | None, splits: Sequence[Split], unverified: bool, left_out: list[SplitLeftOut]
) -> _Cut | None:
    """The best cut of one trait in one arm: most thresholds, then the larger smaller group."""
    levels: dict[str, list[_Level]] = defaultdict(list)
    for split in splits:
        level = _level(split, unverified)
        if isinstance(level, str):
            left_out += _out(study, [split], level)
        else:
            levels[split.outcome].append(level)
    found: dict[tuple[Bounds, Bounds], list[tuple[SplitContrast, tuple[Split, ...]]]] = defaultdict(list)
    for outcome, group in levels.items():
        used: set[int] = set()
        for high, low in _pairs(group):
            contrast = _contrast(study, arm, outcome, high, low, completed=False)
            found[high.bounds, low.bounds].append((contrast, (high.split, low.split)))
            used |= {id(high.split), id(low.split)}
        for level in group:
            if id(level.split) in used:
                continue
            completed = _complete(study, arm, level, unverified)
            if isinstance(completed, str):
                left_out += _out(study, [level.split], completed)
            else:
                contrast = _contrast(study, arm, outcome, *completed, completed=True)
                found[completed[0].bounds, completed[1].bounds].append((contrast, (level.split,)))
    if not found:
        return None
    best = max(found, key=lambda cut: (len(found[cut]), _smaller_group(c for c, _ in found[cut]), _order(cut)))
    for cut, made in found.items():
        if cut != best:
            for _, parts in made:
                left_out += _out(study, parts, "another cut of the same patients is used")
    return _Cut(
        study=study,
        arm=arm,
        contrasts=tuple(contrast for contrast, _ in found[best]),
        splits=tuple(split for _, parts in found[best] for split in parts),
    )


def _smaller_group(contrasts: Iterable[SplitContrast]) -> int:
    return min(min(c.high_n, c.low_n) for c in contrasts)


def _order(cut: tuple[Bounds, Bounds]) -> float:
    """A fixed order among equally good cuts: the lower one first."""
    return -(cut[0].at_least or 0.0)


def _level(split: Split, unverified: bool) -> _Level | str:
    """The level with its count, or the reason it has none."""
    reason = None if unverified else against_basis(split)
    if reason:
        return reason
    counted = count_of(split)
    if isinstance(counted, str):
        return counted
    bounds = Bounds(split.at_least, split.below)
    high = {"present": True, "absent": False, None: None}[split.group]
    if KINDS[split.trait] == "binary" and high is None:
        return "neither present nor absent"
    return _Level(split=split, events=counted[0], n=split.n or 0, bounds=bounds, high=high)


def _pairs(levels: Sequence[_Level]) -> Iterable[tuple[_Level, _Level]]:
    """Pairs (high, low) of levels that the source itself prints as two sides of one cut."""
    for high in levels:
        for low in levels:
            if high.high is True and low.high is False:
                yield high, low
            elif high.high is None and low.high is None and _adjacent(high.bounds, low.bounds):
                yield high, low


def _adjacent(high: Bounds, low: Bounds) -> bool:
    return high.at_least is not None and high.at_least == low.below and high.below is None


def _complete(study: Study, arm: str | None, level: _Level, unverified: bool) -> tuple[_Level, _Level] | str:
    """(high, low) with the missing level made from the arm total, or the reason it cannot be."""
    if level.high is None and (level.bounds.at_least is None) == (level.bounds.below is None):
        return "the level is bounded on both sides, so the rest is not one group"
    totals = [row for row in study.outcomes if row.outcome == level.split.outcome and row.arm == arm]
    if not totals:
        return "no counterpart, and no arm total to subtract from"
    reasons = []
    for total in sorted(totals, key=lambda row: not row.primary):
        rest = _rest(study, level, total, unverified)
        if isinstance(rest, _Level):
            low_is_rest = level.high is True or level.bounds.at_least is not None
            return (level, rest) if low_is_rest else (rest, level)
        reasons.append(rest)
    return f"no counterpart, and {reasons[0]}"


def _rest(study: Study, level: _Level, total: OutcomeRow, unverified: bool) -> _Level | str:
    """The arm total minus one level, or why the two cannot be subtracted."""
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
    flipped = Bounds(at_least=level.bounds.below, below=level.bounds.at_least)
    high = None if level.high is None else not level.high
    return _Level(split=level.split, events=events, n=n, bounds=flipped, high=high)


def _contrast(
    study: Study, arm: str | None, outcome: str, high: _Level, low: _Level, *, completed: bool
) -> SplitContrast:
    if study.design not in ("interventional", "real_world"):
        raise EvidenceError(f"{study.id}: a {study.design} has no design to pool by")
    bases = {weakest_basis(high.split), weakest_basis(low.split)}
    basis: Basis = "recalled" if "recalled" in bases else "derived" if completed or "derived" in bases else "verified"
    return SplitContrast(
        study=study.id,
        arm=arm,
        class_id=study.class_id,
        products=products_of(study, arm),
        design=study.design,
        outcome=outcome,
        trait=high.split.trait,
        high_events=high.events,
        high_n=high.n,
        low_events=low.events,
        low_n=low.n,
        high_bounds=high.bounds,
        low_bounds=low.bounds,
        completed=completed,
        basis=basis,
        source=high.split.source,
        follow_up_months=follow_up(study, high.split),
        trial=study.trial,
    )


def _out(study: Study, splits: Iterable[Split], reason: str) -> list[SplitLeftOut]:
    return [SplitLeftOut(study.id, s.arm, s.outcome, s.trait, s.level, reason) for s in splits]
