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
from bcma_decide.vocabulary import FAMILIES, Basis, ClassId, Family
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.cohort_contrasts import cohort_contrasts
from bcma_decide.workshop.evidence.contrast import SplitContrast, SplitLeftOut
from bcma_decide.workshop.evidence.eligibility import (
    Window,
    against_study,
    against_window,
    follow_up,
    products_of,
    weakest_basis,
)
from bcma_decide.workshop.evidence.overlap import without_overlap
from bcma_decide.workshop.evidence.schema import Split, Study
from bcma_decide.workshop.evidence.split_levels import KINDS, Level, LevelBounds, complete, pairs, read_level

__all__ = [
    "LevelBounds",
    "SplitContrast",
    "SplitLeftOut",
    "SplitSelection",
    "against_split_study",
    "against_trait",
    "select_splits",
]

ROLES: Final = ("whole_group", "splits_only")
"""Roles whose inner contrasts inform the model of current products."""


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
        lines = [f"{self.family}: contrasts selected {len(self.contrasts)}, splits left out {len(self.left_out)}"]
        for c in self.contrasts:
            counts = f"{c.high_events}/{c.high_n} against {c.low_events}/{c.low_n}"
            made = " (one group by subtraction)" if c.completed else ""
            if c.other_cohort is not None:
                made = f" (against cohort {c.other_cohort}, extra variance {c.extra_variance:g})"
            lines.append(f"in   {c.study}: {c.outcome} by {c.trait}, {counts}{made}")
        lines += [f"out  {s.study}: {s.outcome} by {s.trait}, {s.level}: {s.reason}" for s in self.left_out]
        return tuple(lines)


@dataclass(frozen=True)
class _Cut:
    """All thresholds of one cut of one trait in one arm.

    The study of a contrast between two cohorts is the low one, overlapping with whatever either overlaps with.
    """

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
    catalogue: Catalogue,
    family_id: str,
    *,
    include_unverified: bool = False,
    window: Window = "all",
    protocol_cohorts: bool = False,
) -> SplitSelection:
    """Choose the contrasts of the model's traits on the thresholds of one family.

    With ``protocol_cohorts`` also the contrasts between cohorts of one protocol (``protocol_cohorts.yaml``), which
    carry an extra variance.

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
    for pair in catalogue.protocol_cohorts.contrasts if protocol_cohorts else ():
        low, high = catalogue.study(pair.low), catalogue.study(pair.high)
        reason = against_split_study(low, window) or against_split_study(high, window)
        made = reason or cohort_contrasts(pair, high, low, family, include_unverified)
        if isinstance(made, str):
            outcomes = [outcome for outcome in pair.outcomes if outcome in {t.id for t in family.thresholds}]
            left_out += [SplitLeftOut(low.id, None, o, pair.trait, f"cohort {high.id}", made) for o in outcomes]
        elif made:
            both = low.model_copy(update={"overlaps_with": tuple({*low.overlaps_with, *high.overlaps_with})})
            cuts[low.class_id, pair.trait].append(_Cut(both, None, made, ()))
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
    """Group the primary splits of a family by arm and trait."""
    thresholds = {threshold.id for threshold in family.thresholds}
    groups: dict[tuple[str | None, str], list[Split]] = defaultdict(list)
    for split in study.splits:
        if split.primary and split.outcome in thresholds:
            groups[split.arm, split.trait].append(split)
    return [(arm, trait, splits) for (arm, trait), splits in groups.items()]


def against_split_study(study: Study, window: Window) -> str | None:
    """Refuse records whose inner contrasts do not inform the model."""
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
    """Choose the best cut of one trait in one arm: most thresholds, then the larger smaller group."""
    levels: dict[str, list[Level]] = defaultdict(list)
    for split in splits:
        level = read_level(split, unverified)
        if isinstance(level, str):
            left_out += _out(study, [split], level)
        else:
            levels[split.outcome].append(level)
    found: dict[tuple[LevelBounds, LevelBounds], list[tuple[SplitContrast, tuple[Split, ...]]]] = defaultdict(list)
    for outcome, group in levels.items():
        used: set[int] = set()
        for high, low in pairs(group):
            contrast = _contrast(study, arm, outcome, high, low, completed=False)
            found[high.bounds, low.bounds].append((contrast, (high.split, low.split)))
            used |= {id(high.split), id(low.split)}
        for level in group:
            if id(level.split) in used:
                continue
            completed = complete(study, arm, level, unverified)
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


def _order(cut: tuple[LevelBounds, LevelBounds]) -> float:
    """Order equally good cuts: the lower one first."""
    return -(cut[0].at_least or 0.0)


def _contrast(
    study: Study, arm: str | None, outcome: str, high: Level, low: Level, *, completed: bool
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
