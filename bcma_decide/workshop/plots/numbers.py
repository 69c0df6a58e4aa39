"""Numbers as the tables of results print them."""

from __future__ import annotations

from typing import Final

from bcma_decide.render.words.wording import MINUS

__all__ = ["NOTHING", "ends_text", "number_text", "p_text"]

NOTHING: Final = "not known"

_SMALLEST_P: Final = 0.0001


def number_text(value: float | None, digits: int = 4) -> str:
    """A number to so many significant digits: ``0.1234``."""
    if value is None:
        return NOTHING
    return f"{value:.{digits}g}".replace("-", MINUS)


def ends_text(ends: tuple[float, float] | None, digits: int = 4) -> str:
    """The ends of an interval: ``0.12 to 0.34``."""
    return NOTHING if ends is None else f"{number_text(ends[0], digits)} to {number_text(ends[1], digits)}"


def p_text(value: float | None) -> str:
    """A p-value as papers print it."""
    if value is None:
        return NOTHING
    return f"<{_SMALLEST_P}" if value < _SMALLEST_P else f"{value:.4f}"
