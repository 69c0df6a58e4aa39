"""What a number is counted from: the infusion or, for CAR-T, the decision; which of the two a face shows first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bcma_decide.comparison import Estimate
from bcma_decide.render.words import wording
from bcma_decide.render.words.language import gettext as _
from bcma_decide.time_course import Clock
from bcma_decide.value import Interval


@dataclass(frozen=True)
class Counted:
    """A number with its intervals as counted from one clock.

    ``prediction``: at the next centre, None where it is not estimated.
    """

    clock: Clock
    mean: float
    credible: Interval
    prediction: Interval | None = None


Both = tuple[Counted, Counted | None]
"""A number on the clock that is shown first, and on the other."""


def counted(estimate: Estimate, clock: Clock) -> Both | None:
    """The number to show first, and the same on the other clock where there is one; None without a number.

    A number without one from the decision, as all of the bispecific antibodies, is the same on every clock.
    """
    if estimate.mean is None or estimate.credible is None or not wording.has_number(estimate):
        return None
    infusion = Counted("infusion", estimate.mean, estimate.credible, estimate.prediction)
    if estimate.from_decision is None:
        return infusion, None
    found = estimate.from_decision
    decision = Counted("decision", found.mean, found.credible, found.prediction)
    return (infusion, decision) if clock == "infusion" else (decision, infusion)


def shown(estimate: Estimate, clock: Clock) -> Estimate:
    """The estimate with the number that is shown first; one without a number as it is."""
    both = counted(estimate, clock)
    if both is None or both[0].clock == "infusion":
        return estimate
    first = both[0]
    changed = {"mean": first.mean, "median": None, "credible": first.credible, "prediction": first.prediction}
    return estimate.model_copy(update=changed)


def beside(estimate: Estimate, clock: Clock) -> str:
    """The number on the other clock: ``from the decision: 48 (34 to 62)``; empty where there is one clock only."""
    both = counted(estimate, clock)
    other = both[1] if both else None
    if other is None:
        return ""
    return f"{clock_words(other.clock)}: {wording.count(other.mean)} ({wording.interval(other.credible)})"


def from_decision_first(estimates: Iterable[Estimate], clock: Clock) -> bool:
    """Whether any of these numbers is shown from the decision, so that their difference is on another clock."""
    shown = (counted(estimate, clock) for estimate in estimates)
    return any(both is not None and both[0].clock == "decision" for both in shown)


def clock_words(clock: Clock) -> str:
    """Return ``from the decision`` or ``from the infusion``."""
    return _("from the decision") if clock == "decision" else _("from the infusion")


def clock_sentence() -> str:
    """What the first number of a CAR-T response is, where numbers are counted from the decision."""
    return _(
        "Response and progression-free survival of CAR-T are counted from the decision: of everybody with apheresis, "
        "those never infused as without response and as not free of progression; below it, from the infusion, of those "
        "infused. The difference between the classes is counted from the infusion or first dose."
    )
