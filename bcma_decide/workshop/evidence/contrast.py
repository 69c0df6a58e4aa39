"""A contrast of one trait, and a split that gives none."""

from __future__ import annotations

from dataclasses import dataclass

from bcma_decide.vocabulary import Basis, ClassId, Design
from bcma_decide.workshop.evidence.split_levels import LevelBounds


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
    high_bounds: LevelBounds
    low_bounds: LevelBounds
    completed: bool
    """One of the groups is the arm total minus the other."""
    basis: Basis
    source: str | None
    follow_up_months: float | None
    trial: str | None
    extra_variance: float = 0.0
    """Variance on the log odds beyond sampling: above 0 where the groups are two cohorts of one protocol."""
    other_cohort: str | None = None
    """The study file of the high group, where it is another cohort than ``study``."""

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
