"""How the numbers of a validation read: points of 100, plain decimals, intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from bcma_decide.render.words.wording import MINUS

DESIGN_LABELS: Final = {"interventional": "trials", "real_world": "practice"}
YES_NO: Final = {True: "yes", False: "no"}


def percent(share: float) -> str:
    """A fraction in percent with one decimal, without the sign."""
    return decimal(100 * share, 1)


def decimal(value: float, digits: int = 3) -> str:
    """A plain number with a typographic minus."""
    text = f"{abs(value):.{digits}f}"
    return f"{MINUS}{text}" if value < 0 and float(text) else text


def change(value: float, factor: float = 100.0, digits: int = 1) -> str:
    """A number with its sign: of a difference of fractions, in points."""
    text = f"{abs(factor * value):.{digits}f}"
    return text if not float(text) else f"{'+' if value > 0 else MINUS}{text}"


def slope(value: float | None) -> str:
    """The slope of a calibration line; a dash where there is no finite one."""
    return "–" if value is None else f"{value:.2f}"


def coverage(shares: Sequence[float]) -> str:
    """Shares of rows inside their intervals, in whole percent, the narrowest interval first."""
    return " / ".join(f"{100 * share:.0f}" for share in shares)


def interval(ends: tuple[float, float], shown: Callable[[float], str] = decimal) -> str:
    """Both ends of an interval."""
    return f"{shown(ends[0])} to {shown(ends[1])}"
