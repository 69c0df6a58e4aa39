"""What the answer says about time: survival, the way from the decision to the treatment, the order of therapies.

What is computed for the patient and what is only quoted are marked apart by ``kind``. Shares are fractions, times are
months unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import field

from bcma_decide.behind import Move, TimeOrigin
from bcma_decide.value import Interval, Number, Value
from bcma_decide.vocabulary import Basis, Certainty, ClassId, CourseKind, Design, State

Endpoint = Literal["pfs", "os", "dor"]
ENDPOINT_LABELS: Final[Mapping[Endpoint, str]] = {
    "pfs": "Progression-free survival",
    "os": "Overall survival",
    "dor": "Duration of response",
}
Clock = Literal["infusion", "decision"]
"""*infusion*: from the infusion, or the first dose of a bispecific antibody; *decision*: CAR-T from apheresis."""
LANDMARKS: Final = (6, 12, 18, 24)
"""Months of the computed shares."""
WITHIN: Final = 24
"""Months within which the mean time free of the event is taken."""
Bounds = tuple[Number | None, Number | None]
"""Lower and upper end of a 95 % interval; an end that is not reached within what is known is None."""


class SurvivalTime(Value, in_bulk=True):
    """Share of patients without the event at one time, with its 95 % intervals as in `Estimate`.

    Computed: ``credible`` of the average and ``prediction`` at the next centre. Published: ``credible`` is the printed
    confidence interval, None where none was printed; ``prediction`` is None.
    """

    month: Number
    mean: Number
    credible: Bounds | None = None
    prediction: Bounds | None = None


class Duration(Value):
    """A time in months with its intervals; ``value`` None: not reached within what is known."""

    value: Number | None
    credible: Bounds | None = None
    prediction: Bounds | None = None


class Clocked(Value):
    """The same figures from the decision: those never infused count as not free of progression."""

    times: tuple[SurvivalTime, ...]
    median_months: Duration
    restricted_mean_months: Duration
    curve: tuple[SurvivalTime, ...] = ()


class Comparator(Value):
    """The randomised comparison treatment beside a published row."""

    label: str
    times: tuple[SurvivalTime, ...] = ()
    median_months: Duration | None = None
    n_patients: int | None = None
    hazard_ratio: Number | None = None
    hazard_ratio_interval: Interval | None = None


class Survival(Value):
    """One time-to-event endpoint of one option.

    ``kind`` *computed*: for patients like this one, average over centres and over what is not known of the patient.
    *published*: of a whole study or a subgroup, as printed, not calculated for this patient; ``population`` says whose,
    ``subgroup`` which of the patient's traits the group shares, and the nearest group stands first. Figures are empty
    unless ``state`` is *estimated*; ``reason`` then says why.
    """

    option: str
    endpoint: Endpoint
    label: str
    kind: Literal["computed", "published"]
    state: State = "estimated"
    reason: str | None = None
    origin: TimeOrigin = "not_stated"
    population: str = ""
    subgroup: tuple[str, ...] = ()
    not_settled: tuple[str, ...] = ()
    """Whom the study of a published row took in, where that is not known of this patient: the row stands after those
    that are settled."""
    of_class: bool = False
    """A published row that pools products of the class and stands here because the product has no such row."""
    setting: Design | None = None
    """Whether a published row comes from a trial or from ordinary care."""
    times: tuple[SurvivalTime, ...] = ()
    """6, 12, 18 and 24 months where computed; the published landmarks otherwise."""
    median_months: Duration | None = None
    restricted_mean_months: Duration | None = None
    """Mean time free of the event within 24 months."""
    curve: tuple[SurvivalTime, ...] = ()
    """From 0 to the end of follow-up, for drawing: every month of the first year, then every third; computed only."""
    end_of_follow_up_months: Number | None = None
    """How far the studies behind it reach; nothing is computed past it."""
    from_decision: Clocked | None = None
    """CAR-T only."""
    certainty: Certainty | None = None
    reasons: tuple[str, ...] = ()
    informed_traits: tuple[str, ...] = ()
    uninformed_traits: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    """What is not known of the patient and would change the share at one year, computed only."""
    outside_evidence: tuple[str, ...] = ()
    further_product: bool = False
    n_studies: int = 0
    n_patients: int | None = None
    follow_up_months: Number | None = None
    study: str = ""
    """Name of the study of a published row."""
    comparator: Comparator | None = None
    basis: Literal["verified", "derived", "recalled"] | None = None
    sources: tuple[str, ...] = ()
    note: str = ""


class StateShares(Value, in_bulk=True):
    """Where of all patients the option is decided for they are after some months; the shares add up to 1."""

    month: Number
    waiting: Number
    """Apheresed, not yet infused."""
    not_infused: Number
    """Never infused: progression, death, failed manufacture or another reason before the infusion."""
    free: Number
    """Treated, without progression."""
    progressed_or_died: Number
    """Progression or death after the infusion or the first dose."""


class Share(Value):
    """A share of patients with its 95 % interval."""

    mean: Number
    credible: Interval | None = None


class Weeks(Value):
    """A published time in weeks: median and range."""

    median: Number
    range: Bounds | None = None
    population: str = ""
    n: int | None = None
    sources: tuple[str, ...] = ()


class QuotedCount(Value):
    """A published count, not calculated for this patient."""

    label: str
    text: str
    events: int | None = None
    n: int | None = None
    population: str = ""
    sources: tuple[str, ...] = ()


class WayToTreatment(Value):
    """One option from the decision on."""

    option: str
    infused: Share | None = None
    """Of those apheresed, who reach the infusion, for patients like this one; None where there is none to reach."""
    weeks: tuple[Weeks, ...] = ()
    """From apheresis to infusion, as published."""
    months_assumed: Number | None = None
    """Time to the infusion by which the curve from the decision is shifted."""
    states: tuple[StateShares, ...] = ()
    """The first six months; empty where the option has no computed curve."""
    published: tuple[QuotedCount, ...] = ()
    """Failed manufacture, progression and death while waiting, as published."""
    assumptions: tuple[str, ...] = ()
    reason: str | None = None
    """Why there are no shares."""


class OrderFigure(Value):
    """A published figure of a second therapy, not computed for this patient."""

    text: str
    outcome: str
    events: int | None = None
    n: int | None = None
    rate: Number | None = None
    median_months: Number | None = None
    interval: Bounds | None = None
    """As printed, of the median."""
    sources: tuple[str, ...] = ()


class PlannedResponse(Value):
    """Response to one therapy of a plan.

    *computed*: the average for patients like this one, with 95 % intervals of the average and of the next centre.
    *published*: not computed; ``published`` is the figure of the nearest published patients, of the entry ``evidence``.
    *not_known*: neither. ``reason`` says why it is not computed. Where it is computed after a therapy that few had
    before, ``published`` stands beside it.
    """

    kind: Literal["computed", "published", "not_known"]
    mean: Number | None = None
    credible: Interval | None = None
    prediction: Interval | None = None
    published: OrderFigure | None = None
    evidence: str = ""
    reason: str | None = None
    few: int | None = None
    """Where computed after a therapy that fewer published patients had before than a trait asks for: how many had."""


class PlannedPfs(Value):
    """Median time without progression after one therapy of a plan, as `PlannedResponse`.

    Where it is computed for somebody who had BCMA therapy before, ``published`` is that of the nearest such patients.
    """

    kind: Literal["computed", "published", "not_known"]
    median_months: Duration | None = None
    """Of a computed one."""
    published: OrderFigure | None = None
    evidence: str = ""
    reason: str | None = None


class Difference(Value):
    """One share minus another, from their joint posterior: mean, 95 % interval, chance that the first is higher."""

    mean: Number
    interval: Interval
    probability_first_higher: Number


class ProductResponse(Value):
    """Response to one product of the class, computed."""

    option: str
    mean: Number
    credible: Interval
    prediction: Interval


class PlanStep(Value):
    """One therapy of an ordered plan."""

    option: ClassId
    when: Literal["had", "now", "after"]
    """*had*: already given; *now*: the next one; *after*: once the disease is back after the first."""
    months_since: Number | None = None
    """Of one that was given: since its last dose."""
    given: tuple[str, ...] = ()
    """Of one that was given: its products, where they are known."""
    response: PlannedResponse | None = None
    """None of one that was given."""
    pfs: PlannedPfs | None = None
    products: tuple[ProductResponse, ...] = ()
    """Where the class is computed."""
    than_now: Difference | None = None
    """Of one that comes after: its response there minus the response to it now, where both are computed."""
    evidence: tuple[str, ...] = ()
    """Ids of what was published of it after the therapies before it, nearest kind and interval first."""
    findings: tuple[str, ...] = ()
    """Ids of the findings that speak of it there."""


class Plan(Value):
    """Two therapies in one order."""

    id: str
    steps: tuple[PlanStep, PlanStep]
    responds_to_either: Share | None = None
    """Response to the first or, failing it, to the second; None where it cannot be had."""
    reason: str | None = None
    """Why it cannot; None where the first was given already, so that there is nothing to be had."""


class OrderEvidence(Value):
    """What one study reports of a second therapy after a first."""

    id: str
    study: str
    first: tuple[CourseKind, ...]
    """Kinds of the first; empty where the source does not say."""
    first_products: tuple[str, ...] = ()
    months: str = ""
    """Since the last dose of the first, in words; empty where the source does not restrict it."""
    second: ClassId | Literal["any"]
    second_products: tuple[str, ...] = ()
    """Labels."""
    of_whom: dict[CourseKind, int] = field(default_factory=dict)
    """How many of the patients counted had each kind before, where the source says so."""
    figures: tuple[OrderFigure, ...]
    remark: str
    basis: Basis


class OrderFinding(Value):
    """A rule that speaks of an order, with what it says."""

    id: str
    products: tuple[str, ...] = ()
    """It speaks of; empty for the whole class."""
    text: str
    basis: Basis
    sources: tuple[str, ...] = ()
    note: str = ""


class OrderOfTherapies(Value):
    """Two ordered plans side by side."""

    plans: tuple[Plan, ...]
    second_steps: Difference | None = None
    """Response to the second step of the first plan minus that of the second plan."""
    second_steps_reason: str | None = None
    """Why there is no such difference."""
    evidence: tuple[OrderEvidence, ...] = ()
    """What was published of a second therapy, each entry once."""
    findings: tuple[OrderFinding, ...] = ()
    notes: tuple[str, ...] = ()
    """How the plans are meant for this patient, and what is assumed."""
    not_known: tuple[str, ...] = ()
