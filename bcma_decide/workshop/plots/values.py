"""What a forest plot shows, as plain values on the scale that is read: proportions, ratios or plain numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.plots.axis import AxisKind, printed
from bcma_decide.workshop.plots.bias import Judgement

__all__ = ["Forest", "ForestGroup", "ForestLine", "PooledLine", "interval_text"]


def _check(label: str, estimate: float, low: float, high: float) -> None:
    for name, value in (("estimate", estimate), ("low", low), ("high", high)):
        if not math.isfinite(value):
            raise SynthesisError(f"{label}: {name} is {value}, which is not a finite number")
    if low > high:
        raise SynthesisError(f"{label}: the interval starts at {low:g} above its end {high:g}")


@dataclass(frozen=True)
class ForestLine:
    """One study: ``weight`` in percent, where the method has weights; ``events`` of ``total`` where it counted.

    ``cells`` and ``bias`` are what the columns and domains of its forest say of it; ``None`` where nothing was judged.
    """

    label: str
    estimate: float
    low: float
    high: float
    weight: float | None = None
    events: int | None = None
    total: int | None = None
    cells: tuple[str, ...] = ()
    bias: tuple[Judgement | None, ...] = ()

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
    numbers are; ``reference`` is where a line is drawn (1 for a ratio); ``level`` is that of the intervals. ``columns``
    name what stands beside the studies as it is, ``domains`` what their risk of bias was judged in; ``favours`` says
    whom the sides to the left and to the right of the reference favour. ``notes`` stand below all results.
    """

    title: str
    measure: str
    kind: AxisKind
    groups: tuple[ForestGroup, ...]
    overall: PooledLine | None = None
    reference: float | None = None
    level: float = 0.95
    columns: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    favours: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not any(group.studies for group in self.groups):
            raise SynthesisError("a forest plot needs at least one study")
        if self.favours is not None and self.reference is None:
            raise SynthesisError("without a line of no effect there are no sides of it to favour anybody")
        for study in self.studies:
            if len(study.cells) != len(self.columns) or len(study.bias) != len(self.domains):
                raise SynthesisError(f"{study.label}: not a cell for each column, or a judgement for each domain")

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
    def bias_legend(self) -> str:
        """What the domains and the signs are, in words; nothing without domains."""
        if not self.domains:
            return ""
        named = ", ".join(f"{short} {name}" for short, name in zip(self.domain_signs, self.domains, strict=True))
        return f"Risk of bias: {named}"

    @property
    def domain_signs(self) -> tuple[str, ...]:
        """``D1``, ``D2`` and so on."""
        return tuple(f"D{number}" for number in range(1, len(self.domains) + 1))

    @property
    def interval_name(self) -> str:
        """``95 % interval``."""
        return f"{100 * self.level:g} % interval"


def interval_text(kind: AxisKind, low: float, high: float) -> str:
    """The ends of an interval: ``60.2 to 75.3``."""
    return f"{printed(kind, low)} to {printed(kind, high)}"
