"""An axis: which range it shows, where its ticks stand and how its numbers read.

A value is a proportion, a ratio, a rate or a plain number, given as such or, for plots on the analysis scale, as its
logit or logarithm; it always reads as what it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from bcma_decide.errors import SynthesisError
from bcma_decide.render.words.wording import MINUS

__all__ = ["KINDS", "Axis", "AxisKind", "axis_along", "axis_for", "printed"]

AxisKind = Literal["proportion", "ratio", "rate", "plain", "logit", "log_ratio"]
KINDS: Final[tuple[AxisKind, ...]] = get_args(AxisKind)

_FEWEST, _MOST, _WANTED = 3, 7, 5
_ROOM_BESIDE: Final = 0.07
"""Share of a span that an axis along it goes on beyond either end: the marks at the ends stand clear of the frame."""
_RATIO_LADDERS: Final = ((1.0, 1.5, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0), (1.0, 3.0), (1.0,))
_PROPORTION_LADDERS: Final = (
    tuple(percent / 100 for percent in range(1, 100)),
    tuple(percent / 100 for percent in range(5, 100, 5)),
    (0.001, 0.005, 0.01, 0.02, 0.05, *(tenth / 10 for tenth in range(1, 10)), 0.95, 0.98, 0.99, 0.995, 0.999),
    (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999),
    (0.0001, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999),
)


@dataclass(frozen=True)
class Axis:
    """``low`` and ``high`` end and ``ticks``, in the values of its kind."""

    kind: AxisKind
    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Where a value lies: 0 at the low end, 1 at the high end, beyond that outside."""
        along = _ALONG[self.kind]
        return (along(value) - along(self.low)) / (along(self.high) - along(self.low))

    def tick_label(self, value: float) -> str:
        """A tick as it is printed: a round number, with a percent sign where it is one."""
        unit = " %" if self.kind in ("proportion", "logit") else ""
        return _signed(f"{_SHOWN[self.kind](value):.6g}") + unit


def printed(kind: AxisKind, value: float) -> str:
    """A result as it is printed in a table: percent with one decimal (without its sign), other numbers with two.

    Rates per time have three digits.
    """
    number = _SHOWN[kind](value)
    if kind in ("proportion", "logit"):
        return _signed(f"{number:.1f}")
    if kind in ("ratio", "log_ratio") and (number >= 1000 or 0 < number < 0.005):
        return _signed(f"{number:.1e}")
    if kind == "rate":
        return _signed(f"{number:.3g}")
    return _signed(f"{number:.2f}")


def axis_for(kind: AxisKind, values: Iterable[float], ends: Iterable[float] = ()) -> Axis:
    """Fit an axis to what has to be seen.

    Parameters
    ----------
    kind
        What the values are.
    values
        Lie inside, whatever they are.
    ends
        Ends of intervals: they widen the axis by no more than the values' own spread on each side and may be cut
        there, but for proportions, of which nothing is far.

    Raises
    ------
    SynthesisError
        If the kind is unknown, there are no values, or one is not finite, not within 0 and 1 where it is a proportion,
        or not positive where it is a ratio or a rate.
    """
    if kind not in KINDS:
        raise SynthesisError(f"the kind of axis is {kind!r}, but must be one of {', '.join(KINDS)}")
    along, back = _ALONG[kind], _BACK[kind]
    inside, cut = [along(_checked(kind, value)) for value in values], [along(_checked(kind, end)) for end in ends]
    if not inside:
        raise SynthesisError("an axis needs at least one value")
    low, high = min(inside), max(inside)
    least = _LEAST_SPREAD[kind] or 0.1 * max(abs(low), abs(high)) or 1.0
    spread = 1.0 if kind == "proportion" else max(high - low, least)
    widened = [*inside, *(min(max(end, low - spread), high + spread) for end in cut)]
    low, high = min(widened), max(widened)
    if high - low < least:
        low, high = low - least / 2, high + least / 2
    if kind == "proportion":
        low, high = max(0.0, low), min(1.0, high)
    if kind in ("proportion", "plain"):
        ticks = _even_ticks(low, high)
        if kind == "proportion":
            ticks = [tick for tick in ticks if 0 <= tick <= 1]
        return Axis(kind, min(low, ticks[0]), max(high, ticks[-1]), tuple(ticks))
    margin = 0.02 * (high - low)
    low, high = low - margin, high + margin
    ticks = _laddered_ticks(kind, back(low), back(high))
    return Axis(kind, back(low), back(high), tuple(ticks))


def axis_along(values: Iterable[float]) -> Axis:
    """An axis of a number of the studies, such as their year: as long as they need, whatever their size.

    Ticks are whole where all values are.

    Raises
    ------
    SynthesisError
        If there are no values, or one is not finite.
    """
    known = [float(_checked("plain", value)) for value in values]
    if not known:
        raise SynthesisError("an axis needs at least one value")
    low, high = min(known), max(known)
    margin = _ROOM_BESIDE * (high - low) or 1.0
    low, high = low - margin, high + margin
    smallest = 1.0 if all(value.is_integer() for value in known) else 0.0
    ticks = [tick for tick in _even_ticks(low, high, smallest) if low <= tick <= high]
    return Axis("plain", low, high, tuple(ticks))


def _checked(kind: AxisKind, value: float) -> float:
    if not math.isfinite(value):
        raise SynthesisError(f"a value to be drawn is {value}, which is not a finite number")
    if kind == "proportion" and not 0 <= value <= 1:
        raise SynthesisError(f"a value to be drawn is {value:g}, but a proportion lies within 0 and 1")
    if kind in ("ratio", "rate") and value <= 0:
        raise SynthesisError(f"a value to be drawn is {value:g}, but a {kind} is positive")
    return value


def _identity(value: float) -> float:
    return value


def _percent_of_logit(value: float) -> float:
    return 100 / (1 + math.exp(-value)) if value > -700 else 0.0


def _exponential(value: float) -> float:
    return math.exp(min(value, 700.0))


_ALONG: Final[dict[AxisKind, Callable[[float], float]]] = {
    "proportion": _identity, "ratio": math.log, "rate": math.log, "plain": _identity, "logit": _identity,
    "log_ratio": _identity,
}  # fmt: skip
"""From a value to its place along the line."""
_BACK: Final[dict[AxisKind, Callable[[float], float]]] = {
    "proportion": _identity, "ratio": _exponential, "rate": _exponential, "plain": _identity, "logit": _identity,
    "log_ratio": _identity,
}  # fmt: skip
_SHOWN: Final[dict[AxisKind, Callable[[float], float]]] = {
    "proportion": lambda value: 100 * value, "ratio": _identity, "rate": _identity, "plain": _identity,
    "logit": _percent_of_logit, "log_ratio": _exponential,
}  # fmt: skip
"""From a value to the number that is printed."""
_LEAST_SPREAD: Final[dict[AxisKind, float]] = {
    "proportion": 0.05, "ratio": 0.4, "rate": 0.4, "plain": 0.0, "logit": 0.4, "log_ratio": 0.4,
}  # fmt: skip
"""Narrower axes are widened; for plain numbers, whose unit is not known, to a tenth of their size."""


def _even_ticks(low: float, high: float, smallest: float = 0.0) -> list[float]:
    """Ticks at multiples of 1, 2, 2.5 or 5 times a power of ten that hold the range, about five of them.

    Whole multiples of ``smallest``, unless that is 0.
    """
    raw = max((high - low) / _WANTED, smallest)
    power = 10.0 ** math.floor(math.log10(raw))
    units = [unit for unit in (1, 2, 2.5, 5, 10) if not smallest or (unit * power / smallest).is_integer()]
    step = power * min((unit for unit in units if unit * power >= raw * (1 - 1e-9)), default=10)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{index * step:.12g}") for index in range(first, last + 1)]


def _laddered_ticks(kind: AxisKind, low: float, high: float) -> list[float]:
    """Round ratios or proportions inside the range: the densest ladder that does not crowd it."""
    shown = _SHOWN[kind]
    if kind == "logit":
        ladders: Sequence[Sequence[float]] = [[math.log(p / (1 - p)) for p in ladder] for ladder in _PROPORTION_LADDERS]
    else:
        to_value = math.log if kind == "log_ratio" else _identity
        tens = range(math.floor(math.log10(shown(low))), math.ceil(math.log10(shown(high))) + 1)
        ladders = [[to_value(unit * 10.0**ten) for ten in tens for unit in ladder] for ladder in _RATIO_LADDERS]
    inside = [[tick for tick in ladder if low <= tick <= high] for ladder in ladders]
    fitting = [ticks for ticks in inside if len(ticks) <= _MOST]
    best = max(fitting, key=len) if fitting else inside[-1][:: math.ceil(len(inside[-1]) / _MOST)]
    if len(best) >= _FEWEST:
        return best
    even = _even_ticks(shown(low), shown(high))
    return [tick for tick in (_unshown(kind, number) for number in even) if tick is not None and low <= tick <= high]


def _unshown(kind: AxisKind, number: float) -> float | None:
    if kind == "logit":
        return math.log(number / (100 - number)) if 0 < number < 100 else None
    if number <= 0:
        return None
    return math.log(number) if kind == "log_ratio" else number


def _signed(number: str) -> str:
    if float(number) == 0:
        return number.lstrip("-")
    return number.replace("-", MINUS)
