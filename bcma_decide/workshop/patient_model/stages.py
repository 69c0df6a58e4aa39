"""What each arm counts at each stage of an outcome.

Most outcomes are one stage: events of all patients. Response depth is a continuation ratio: response of all patients,
complete response of those with a response, and VGPR of those with a response short of a complete one (Agresti A.
Categorical Data Analysis, 3rd edition, 2013, section 8.3.4). An arm that prints response and VGPR without complete
response tells of the last two together: complete responses expected there are its ``floor``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bcma_decide.workshop.evidence.selection import SelectedRow


@dataclass(frozen=True)
class Counted:
    """One arm at one stage.

    ``events`` of ``total`` are counted at the rate ``floor + share * p``, where p is the stage's own rate;
    ``extra_variance`` is that of the level from what ``floor`` leaves open.
    """

    row: SelectedRow
    events: int
    total: int
    share: float
    floor: float = 0.0
    extra_variance: float = 0.0


Expected = Callable[[SelectedRow], tuple[float, float]]
"""An arm -> share of complete responses among its responders, and the variance of that share."""

MOST_FLOOR = 0.95
"""A floor nearer to 1 leaves nothing to tell the stage's own rate by."""


def of_all(rows: Iterable[SelectedRow]) -> tuple[Counted, ...]:
    """Events of all patients, as printed; per randomised patient only those infused can have one."""
    return tuple(Counted(row, row.events, row.n, row.infused_share or 1.0) for row in rows)


def complete_of_responders(response: Sequence[SelectedRow], complete: Sequence[SelectedRow]) -> tuple[Counted, ...]:
    """Complete responses among the responders of the same arm, where both were counted of the same patients."""
    by_arm = _by_arm(response)
    return tuple(
        Counted(row, row.events, by_arm[key].events, 1.0)
        for key, row in _by_arm(complete).items()
        if key in by_arm and by_arm[key].n == row.n and row.events <= by_arm[key].events
    )


def deep_without_complete(
    response: Sequence[SelectedRow], complete: Sequence[SelectedRow], deep: Sequence[SelectedRow], expected: Expected
) -> tuple[Counted, ...]:
    """VGPR among the responders of the same arm without a complete response.

    Where an arm prints no complete responses, VGPR or better among its responders, with those ``expected`` below it.
    """
    by_arm, completes = _by_arm(response), _by_arm(complete)
    counted = []
    for key, row in _by_arm(deep).items():
        responders = by_arm.get(key)
        if responders is None or responders.n != row.n or row.events > responders.events:
            continue
        best = completes.get(key)
        if best is None:
            share, variance = expected(row)
            floor = min(share, MOST_FLOOR)
            # d logit(p) / d floor is -1 / (p (1 - floor)), at the rate the arm itself shows.
            rate = (row.events + 0.5) / (responders.events + 1.0)
            own = max((rate - floor) / (1.0 - floor), 0.1)
            extra = variance / (own * (1.0 - floor)) ** 2
            counted.append(Counted(row, row.events, responders.events, 1.0 - floor, floor, extra))
        elif best.n == row.n and best.events <= row.events and best.events < responders.events:
            counted.append(Counted(row, row.events - best.events, responders.events - best.events, 1.0))
    return tuple(counted)


def _by_arm(rows: Iterable[SelectedRow]) -> Mapping[tuple[str, str | None], SelectedRow]:
    return {(row.study, row.arm): row for row in rows}
