"""Arithmetic between a printed percentage and a count of patients."""

from __future__ import annotations

from decimal import Decimal

SLACK = 1e-9


def half_unit(pct: float) -> float:
    """Half of the last printed place of a percentage: 0.5 for 73, 0.05 for 73.4, 0.005 for 73.44."""
    exponent = Decimal(repr(pct)).normalize().as_tuple().exponent
    places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    return 0.5 * 10.0**-places


def agrees(events: int, n: int, pct: float) -> bool:
    """Tell whether ``events`` of ``n`` round to the printed percentage."""
    return abs(100.0 * events / n - pct) <= half_unit(pct) + SLACK


def implied_events(pct: float, n: int) -> int | None:
    """Return the whole number nearest to ``pct`` percent of ``n``, if it rounds to the printed percentage."""
    events = round(n * pct / 100.0)
    return events if agrees(events, n, pct) else None
