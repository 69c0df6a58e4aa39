"""What a forest plot shows, as plain values on the scale that is read: proportions, ratios or plain numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.plots.axis import AxisKind, printed

__all__ = ["Forest", "ForestGroup", "ForestLine", "PooledLine", "interval_text"]


def _check(label: str, estimate: float, low: float, high: float) -> None:
    for name, value in (("estimate", estimate), ("low", low), ("high", high)):
        if not math.isfinite(value):
            raise SynthesisError(f"{label}: {name} is {value}, which is not a finite number")
    if low > high:
        raise SynthesisError(f"{label}: the interval starts at {low:g} above its end {high:g}")


@dataclass(frozen=True)
class ForestLine:
    """One study: ``weight`` in percent, where the method has weights; ``events`` of ``total`` where it counted."""

    label: str
    estimate: float
    low: float
    high: float
    weight: float | None = None
    events: int | None = None
    total: int | None = None

    def __post_init__(self) -> None:
        _check(self.label, self.estimate, self.low, self.high)
        if self.weight is not None and not 0 <= self.weight <= 100 + 1e-9:
            raise SynthesisError(f"{self.label}: weight is {self.weight:g}, but must be a percentage")

    @property
    def size(self) -> float:
        """What the area of its square is: the weight, without one its patients, without those the same for all."""
        if self.weight is not None:
            return self.weight
        return 1.0 if self.total is None else float(self.total)

    @property
    def weight_text(self) -> str:
        """``12.3 %``, or nothing."""
        return "" if self.weight is None else f"{self.weight:.1f} %"

    @property
    def counts(self) -> str:
        """``12/40``, or nothing."""
        return "" if self.events is None or self.total is None else f"{self.events}/{self.total}"


@dataclass(frozen=True)
class PooledLine:
    """A pooled result; ``prediction`` for a new study; ``note`` in words, usually on heterogeneity."""

    label: str
    estimate: float
    low: float
    high: float
    prediction: tuple[float, float] | None = None
    note: str = ""

    def __post_init__(self) -> None:
        _check(self.label, self.estimate, self.low, self.high)
        if self.prediction is not None:
            _check(f"{self.label}, prediction", self.estimate, *self.prediction)


@dataclass(frozen=True)
class ForestGroup:
    """Studies under one heading (none if empty) with their own pooled result, if there is one."""

    label: str
    studies: tuple[ForestLine, ...]
    pooled: PooledLine | None = None


@dataclass(frozen=True)
class Forest:
    """A forest plot.

    ``title`` names it; ``measure`` heads the estimates and the axis (``Response rate, percent``); ``kind`` is what the
    numbers are; ``reference`` is where a line is drawn (1 for a ratio); ``level`` is that of the intervals.
    """

    title: str
    measure: str
    kind: AxisKind
    groups: tuple[ForestGroup, ...]
    overall: PooledLine | None = None
    reference: float | None = None
    level: float = 0.95

    def __post_init__(self) -> None:
        if not any(group.studies for group in self.groups):
            raise SynthesisError("a forest plot needs at least one study")

    @property
    def studies(self) -> tuple[ForestLine, ...]:
        """All studies, in their order."""
        return tuple(study for group in self.groups for study in group.studies)

    @property
    def weighted(self) -> bool:
        """Whether any study has a weight."""
        return any(study.weight is not None for study in self.studies)

    @property
    def pooled(self) -> Iterator[PooledLine]:
        """All pooled results, the overall one last."""
        for group in self.groups:
            if group.pooled is not None:
                yield group.pooled
        if self.overall is not None:
            yield self.overall

    @property
    def lines(self) -> list[ForestLine | PooledLine]:
        """All studies and pooled results."""
        return [*self.studies, *self.pooled]

    @property
    def interval_name(self) -> str:
        """``95 % interval``."""
        return f"{100 * self.level:g} % interval"


def interval_text(kind: AxisKind, low: float, high: float) -> str:
    """The ends of an interval: ``60.2 to 75.3``."""
    return f"{printed(kind, low)} to {printed(kind, high)}"
