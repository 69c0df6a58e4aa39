"""One therapy of a plan: its response and time without progression, computed, published or not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from bcma_decide.comparing.order_evidence import RESPONSE, nearest_figure, nearest_first
from bcma_decide.comparing.order_history import Earlier, after
from bcma_decide.comparing.published import Withheld, withheld_numbers
from bcma_decide.facts.traits import derive
from bcma_decide.model.contrast import differences
from bcma_decide.model.numbers import PatientNumbers, patient_numbers
from bcma_decide.patient.phrases import COURSE_KINDS
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.pooled.in_force import in_force
from bcma_decide.pooled.order_book import OrderEntry
from bcma_decide.rules.concerned import applies
from bcma_decide.time_course import Difference, PlannedPfs, PlannedResponse, PlanStep, ProductResponse, Survival
from bcma_decide.vocabulary import CLASSES, KIND_OF_CLASS, PFS, ClassId

NONE_PUBLISHED: Final = "none was published for this order"


@dataclass(frozen=True)
class Moment:
    """A patient at one step of a plan: the numbers, those withheld, and the BCMA therapy before it, if any."""

    numbers: PatientNumbers
    withheld: Mapping[tuple[str, str], Withheld]
    before: Earlier | None


@dataclass(frozen=True)
class PlanQuestion:
    """What every step reads: the patient now, the rows on survival, region and day."""

    now: Moment
    survival: Sequence[Survival]
    region: str
    on: date

    @property
    def pooled(self) -> PooledEvidence:
        """The evidence."""
        return self.now.numbers.pooled


def step_given(earlier: Earlier) -> PlanStep:
    """A therapy that was given."""
    option = next(class_id for class_id in CLASSES if KIND_OF_CLASS[class_id] == earlier.kind)
    return PlanStep(option=option, when="had", months_since=earlier.months, given=earlier.products)


def step_now(question: PlanQuestion, option: ClassId) -> PlanStep:
    """The next therapy: the number of this patient, as in the table of outcomes."""
    response = _headline(question.now, option)
    if response is None:
        response = _without_number(question.now, option, _why_none(question.now, option))
    return _step(question, question.now, option, "now", response, _computed_pfs(question, option))


def step_after(question: PlanQuestion, moment: Moment, option: ClassId) -> PlanStep:
    """The second therapy of a plan: computed where enough published patients had that order."""
    reason, response = _too_few(moment, option), None
    if reason is None:
        response = _headline(moment, option)
        reason = None if response else _why_none(moment, option)
    if response is None:
        response = _without_number(moment, option, reason or "")
    than_now = None
    if response.kind == "computed" and _headline(question.now, option) and not _counts_already(question):
        than_now = step_difference((moment, option), (question.now, option))
    return _step(question, moment, option, "after", response, None, than_now)


def moment_after(question: PlanQuestion, first: ClassId) -> Moment:
    """The same patient once this class has been given and the disease is back."""
    pooled, kind = question.pooled, KIND_OF_CLASS[first]
    patient = after(question.now.numbers.traits.facts.patient, kind, pooled.definitions)
    numbers = patient_numbers(pooled.response_alone, derive(patient, pooled.definitions), question.now.numbers.setting)
    return Moment(numbers, withheld_numbers(numbers), Earlier(kind))


def step_difference(first: tuple[Moment, ClassId], second: tuple[Moment, ClassId]) -> Difference:
    """Response to one step minus that to another; both need a number.

    Two classes are compared across studies: the bias term of `Contrast` widens it. Within a class the studies, and
    with them any bias, are the same.
    """
    one, other = (moment.numbers.side(RESPONSE, option) for moment, option in (first, second))
    pooled = first[0].numbers.pooled
    bias = pooled.assumptions["unanchored_sd"] if first[1] != second[1] else 0.0
    found = differences(one, other, pooled.outcome_covariance[RESPONSE], [bias])[0]
    return Difference(
        mean=found.risk_difference[0],
        interval=found.risk_difference[1:],
        probability_first_higher=found.probability_first_higher,
    )


def _step(
    question: PlanQuestion,
    moment: Moment,
    option: ClassId,
    when: Literal["now", "after"],
    response: PlannedResponse,
    pfs: PlannedPfs | None,
    than_now: Difference | None = None,
) -> PlanStep:
    entries = _entries(moment, option)
    return PlanStep(
        option=option,
        when=when,
        response=response,
        pfs=pfs or _published_pfs(moment, option, entries),
        products=_products(moment, option) if response.kind == "computed" else (),
        than_now=than_now,
        evidence=tuple(entry.id for entry in entries),
        findings=tuple(_findings(question, moment, option, when)),
    )


def _counts_already(question: PlanQuestion) -> bool:
    """Whether earlier BCMA therapy is in the number of the next one: the model counts it once, however often given."""
    return question.now.numbers.traits["prior_bcma"].value is True


def _entries(moment: Moment, option: ClassId) -> tuple[OrderEntry, ...]:
    if moment.before is None:
        return ()
    return nearest_first(moment.numbers.pooled.order, moment.before, option)


def _headline(moment: Moment, option: ClassId) -> PlannedResponse | None:
    place = RESPONSE, option
    if place in moment.withheld or place not in moment.numbers.place:
        return None
    rates, few = moment.numbers.rates[moment.numbers.place[place]], _few(moment, option)
    figure, entry = nearest_figure(_entries(moment, option), option, RESPONSE) if few is not None else (None, "")
    return PlannedResponse(
        kind="computed",
        mean=rates.mean,
        credible=rates.credible,
        prediction=rates.prediction,
        published=figure,
        evidence=entry,
        few=few,
    )


def _counted(moment: Moment, option: ClassId) -> tuple[int, float]:
    """How many published patients had this class after what this one had before, and how many are asked for."""
    pooled = moment.numbers.pooled
    counted = 0 if moment.before is None else pooled.order.counted(moment.before.kind, option)
    return counted, pooled.assumptions["minimum_patients_with_trait"]


def _few(moment: Moment, option: ClassId) -> int | None:
    counted, least = _counted(moment, option)
    return counted if moment.before is not None and counted < least else None


def _too_few(moment: Moment, option: ClassId) -> str | None:
    counted, least = _counted(moment, option)
    if moment.before is None or counted >= least:
        return None
    kind = COURSE_KINDS[moment.before.kind]
    who = f"{counted} patients were" if counted != 1 else "1 patient was"
    if not counted:
        return f"no number of patients given it after {_article(kind)} was published"
    return f"only {who} counted who had {_article(kind)} before; {least:g} are asked for"


def _article(kind: str) -> str:
    return kind if kind == COURSE_KINDS["car_t"] else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _why_none(moment: Moment, option: ClassId) -> str:
    instead = moment.withheld.get((RESPONSE, option))
    if instead is not None:
        return instead.reason
    return moment.numbers.pooled.missing[RESPONSE, option][1]


def _without_number(moment: Moment, option: ClassId, reason: str) -> PlannedResponse:
    """Published where patients with that order were counted; a number that a limit takes away has none in its place.

    What was published of such patients stands among the evidence either way.
    """
    figure, entry = None, ""
    if (RESPONSE, option) not in moment.withheld:
        figure, entry = nearest_figure(_entries(moment, option), option, RESPONSE)
    kind: Literal["published", "not_known"] = "not_known" if figure is None else "published"
    return PlannedResponse(kind=kind, published=figure, evidence=entry, reason=reason)


def _computed_pfs(question: PlanQuestion, option: ClassId) -> PlannedPfs:
    """That of the next therapy, as in the computed row of its class."""
    row = next(row for row in question.survival if (row.option, row.endpoint, row.kind) == (option, PFS, "computed"))
    if row.state != "estimated":
        return PlannedPfs(kind="not_known", reason=row.reason)
    figure, entry = nearest_figure(_entries(question.now, option), option, PFS)
    return PlannedPfs(kind="computed", median_months=row.median_months, published=figure, evidence=entry)


def _published_pfs(moment: Moment, option: ClassId, entries: Sequence[OrderEntry]) -> PlannedPfs:
    """That of a therapy that comes after another: published only."""
    figure, entry = nearest_figure(entries, option, PFS)
    if (RESPONSE, option) in moment.withheld:
        return PlannedPfs(kind="not_known", reason=_why_none(moment, option))
    if figure is None:
        return PlannedPfs(kind="not_known", reason=NONE_PUBLISHED)
    return PlannedPfs(kind="published", published=figure, evidence=entry)


def _products(moment: Moment, option: ClassId) -> tuple[ProductResponse, ...]:
    numbers = moment.numbers
    return tuple(
        ProductResponse(option=each.id, mean=rates.mean, credible=rates.credible, prediction=rates.prediction)
        for each in numbers.pooled.options
        if each.kind == "product" and each.class_id == option
        if (RESPONSE, each.id) in numbers.place and (RESPONSE, each.id) not in moment.withheld
        for rates in [numbers.rates[numbers.place[RESPONSE, each.id]]]
    )


def _findings(question: PlanQuestion, moment: Moment, option: ClassId, when: str) -> list[str]:
    """Rules on this class after that kind, of the region and day; of a next therapy, those not false for this patient.

    When a therapy of a plan will be given is open, so that a rule with an interval stands there with its words.
    """
    pooled, before = question.pooled, moment.before
    listed = () if before is None else pooled.order.findings.get((before.kind, option), ())
    rules = {rule.id: rule for rule in pooled.rules.rules if rule.id in listed}
    return [
        name
        for name in listed
        if applies(rules[name], question.region)
        and in_force(rules[name].since, rules[name].until, question.on) is not False
        and (when == "after" or moment.numbers.traits.facts.judge(rules[name].when).value is not False)
    ]
