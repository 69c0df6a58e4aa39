"""Three values: true, false and unknown; their probabilities; numbers that are known only to lie between two ends.

Kleene's strong logic of indeterminacy (Kleene SC, Introduction to Metamathematics, 1952, section 64): a compound is
known exactly where its known parts settle it whatever the unknown ones turn out to be. Unknown is None.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import NamedTuple

Truth = bool | None
"""True, False, or None for *unknown*."""


def all_of(values: Iterable[Truth]) -> Truth:
    """Conjunction: false if any part is false, true if all are true, else unknown.

    >>> all_of([True, None]), all_of([False, None]), all_of([])
    (None, False, True)
    """
    result: Truth = True
    for value in values:
        if value is False:
            return False
        if value is None:
            result = None
    return result


def any_of(values: Iterable[Truth]) -> Truth:
    """Disjunction: true if any part is true, false if all are false, else unknown.

    >>> any_of([True, None]), any_of([False, None]), any_of([])
    (True, None, False)
    """
    return negated(all_of(negated(value) for value in values))


def negated(value: Truth) -> Truth:
    """Negation; of unknown, unknown."""
    return None if value is None else not value


class Chance(NamedTuple):
    """How likely something holds and how likely it does not; the rest is the share of *unknown*."""

    yes: float
    no: float

    @classmethod
    def of(cls, value: Truth) -> Chance:
        """What is certain, or wholly unknown."""
        return cls(float(value is True), float(value is False))

    @property
    def unknown(self) -> float:
        """The share that nothing settles."""
        return max(1.0 - self.yes - self.no, 0.0)

    @property
    def negated(self) -> Chance:
        """The chance of the contrary."""
        return Chance(self.no, self.yes)


def chance_of_all(parts: Iterable[Chance]) -> Chance:
    """Conjunction of independent parts, each in three values.

    >>> chance_of_all([Chance(0.5, 0.5), Chance(0.5, 0.0)])
    Chance(yes=0.25, no=0.5)
    """
    known = list(parts)
    return Chance(prod(part.yes for part in known), 1.0 - prod(1.0 - part.no for part in known))


def chance_of_any(parts: Iterable[Chance]) -> Chance:
    """Disjunction of independent parts.

    >>> chance_of_any([Chance(0.5, 0.5), Chance(0.5, 0.0)])
    Chance(yes=0.75, no=0.0)
    """
    return chance_of_all(part.negated for part in parts).negated


class Span(NamedTuple):
    """A number known to lie between two ends, both included; a known number is a span of one point."""

    low: float
    high: float

    @classmethod
    def of(cls, value: float) -> Span:
        """The span of a known number."""
        return cls(float(value), float(value))

    @property
    def exact(self) -> bool:
        """Whether the number itself is known."""
        return self.low == self.high


class Bounds(NamedTuple):
    """Limits of a number; None where there is none."""

    at_least: float | None = None
    above: float | None = None
    below: float | None = None
    at_most: float | None = None

    def hold(self, value: float) -> bool:
        """Whether a known number lies inside."""
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
            and (self.at_most is None or value <= self.at_most)
        )

    def judge(self, span: Span) -> Truth:
        """Whether a number in ``span`` lies inside: unknown where the span reaches over a limit.

        Bounds describe one interval, so both ends inside put everything inside; with both ends outside it is settled
        only where they lie on the same side.
        """
        if span.low == span.high:
            return self.hold(span.low)
        low, high = self.hold(span.low), self.hold(span.high)
        if low and high:
            return True
        if low or high or self._between(span):
            return None
        return False

    def _between(self, span: Span) -> bool:
        """Whether some of the interval lies strictly inside a span whose ends both lie outside."""
        floor, ceiling = self.floor, self.ceiling
        return floor is not None and ceiling is not None and span.low < ceiling and span.high > floor

    @property
    def floor(self) -> float | None:
        """The lower limit, itself inside or not."""
        return self.above if self.at_least is None else self.at_least

    @property
    def ceiling(self) -> float | None:
        """The upper limit, itself inside or not."""
        return self.below if self.at_most is None else self.at_most

    def given(self) -> dict[str, float]:
        """Every limit there is, by name."""
        return {name: edge for name, edge in self._asdict().items() if edge is not None}

    @property
    def edges(self) -> tuple[float, ...]:
        """Every limit there is."""
        return tuple(edge for edge in self if edge is not None)

    def words(self, unit: str = "") -> str:
        """Write the limits: ``at least 2``, ``above 1 and at most 3 mg/L``."""
        named = (
            ("at least", self.at_least),
            ("above", self.above),
            ("below", self.below),
            ("at most", self.at_most),
        )
        limits = " and ".join(f"{word} {edge:g}" for word, edge in named if edge is not None)
        return f"{limits} {unit}".strip()
