"""One number on two clocks: CAR-T from the infusion, or from the decision, where those never infused count as well."""

from __future__ import annotations

from bcma_decide.comparison import Estimate
from bcma_decide.render.words import wording
from bcma_decide.render.words.language import gettext as _
from bcma_decide.time_course import Clock


def shown(estimate: Estimate, clock: Clock) -> Estimate:
    """The number on the clock asked for; the interval of the next centre is known from the infusion only."""
    decided = estimate.from_decision
    if clock == "infusion" or decided is None or not wording.has_number(estimate):
        return estimate
    return estimate.model_copy(
        update={"mean": decided.mean, "median": None, "credible": decided.credible, "prediction": None}
    )


def beside(estimate: Estimate, clock: Clock) -> str:
    """The number on the other clock: ``from the decision: 48 (34 to 62)``; empty where there is one clock only."""
    decided = estimate.from_decision
    if decided is None or estimate.mean is None or estimate.credible is None or not wording.has_number(estimate):
        return ""
    if clock == "decision":
        said = _("from the infusion: {number} ({interval})")
        return said.format(number=wording.count(estimate.mean), interval=wording.interval(estimate.credible))
    said = _("from the decision: {number} ({interval})")
    return said.format(number=wording.count(decided.mean), interval=wording.interval(decided.credible))
