"""Two plans side by side: CAR-T and a bispecific antibody one after the other, in either order.

A step that comes next has the number of this patient. A step that comes after another is that of the same patient with
one more line and an earlier BCMA therapy; it is computed only where enough published patients had that order, because
the effect of earlier BCMA therapy in a class may come from other kinds of it. The joint uncertainty of two steps is
that of their common posterior. Response to *either* step is not computed: see `EITHER`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from bcma_decide.comparing.order_evidence import as_shown
from bcma_decide.comparing.order_history import Earlier, earlier_therapies, open_classes
from bcma_decide.comparing.order_steps import (
    Moment,
    PlanQuestion,
    moment_after,
    step_after,
    step_difference,
    step_given,
    step_now,
)
from bcma_decide.comparing.published import Withheld
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.patient.phrases import COURSE_KINDS, and_list
from bcma_decide.time_course import Difference, OrderFinding, OrderOfTherapies, Plan, PlanStep, Survival
from bcma_decide.vocabulary import CLASS_LABELS, CLASSES, KIND_OF_CLASS, ClassId

EITHER: Final = (
    "The second therapy was studied in patients whose disease came back, most of them after a response to the first. "
    "Response to it among those who did not respond to the first was not published, nor how many live and are fit to "
    "receive it."
)
OPEN_HISTORY: Final = (
    "Whether CAR-T or a bispecific antibody against BCMA was given before is not known: the plans are those of a "
    "patient who had neither, and the first steps are averaged over what is not known."
)
COUNTED_ONCE: Final = (
    "An earlier BCMA therapy is in the numbers already; the model counts it once, so that a further one moves none."
)
SECOND_PFS: Final = "Time without progression after the second therapy of a plan is published only, never computed."


def order_of_therapies(
    numbers: PatientNumbers,
    withheld: Mapping[tuple[str, str], Withheld],
    survival: Sequence[Survival],
    region: str,
    on: date,
) -> OrderOfTherapies:
    """Both plans of a patient who had neither class; of one who had, what was given and either class now.

    Parameters
    ----------
    numbers, withheld
        Of this patient.
    survival
        Rows of the answer; the computed ones of the classes are those of a next therapy.
    region, on
        As asked.
    """
    earlier = earlier_therapies(numbers.traits.facts, numbers.pooled.rules)
    redirected = [each for each in earlier if each.kind in KIND_OF_CLASS.values()]
    before = next(iter(redirected or earlier), None)
    question = PlanQuestion(Moment(numbers, withheld, before), survival, region, on)
    ways = _from_here(question, redirected[0]) if redirected else _from_neither(question)
    either = None if redirected else EITHER
    plans = tuple(Plan(id=f"{steps[0].option}-then-{steps[1].option}", steps=steps, reason=either) for steps, _ in ways)
    difference, reason = _second_steps(ways)
    pooled = question.pooled
    shown = dict.fromkeys(entry for plan in plans for step in plan.steps for entry in step.evidence)
    said = dict.fromkeys(rule for plan in plans for step in plan.steps for rule in step.findings)
    entries = {entry.id: entry for entry in pooled.order.entries}
    rules = {rule.id: rule for rule in pooled.rules.rules}
    return OrderOfTherapies(
        plans=plans,
        second_steps=difference,
        second_steps_reason=reason,
        evidence=tuple(as_shown(entries[name]) for name in shown),
        findings=tuple(
            OrderFinding(
                id=rule.id,
                products=rule.products,
                text=rule.text,
                basis=rule.basis,
                sources=rule.sources,
                note=rule.note,
            )
            for rule in (rules[name] for name in said)
        ),
        notes=tuple(_notes(question, redirected)),
        not_known=pooled.order.not_known,
    )


def order_sources(order: OrderOfTherapies | None) -> frozenset[str]:
    """Keys of everything that is cited in it."""
    if order is None:
        return frozenset()
    cited = [key for entry in order.evidence for figure in entry.figures for key in figure.sources]
    return frozenset(cited).union(*(finding.sources for finding in order.findings))


_Way = tuple[tuple[PlanStep, PlanStep], Moment]
"""Steps of a plan, and the patient at the second."""


def _from_neither(question: PlanQuestion) -> list[_Way]:
    ways: list[_Way] = []
    orders: tuple[tuple[ClassId, ClassId], ...] = (CLASSES, (CLASSES[1], CLASSES[0]))
    for first, second in orders:
        moment = moment_after(question, first)
        ways.append(((step_now(question, first), step_after(question, moment, second)), moment))
    return ways


def _from_here(question: PlanQuestion, latest: Earlier) -> list[_Way]:
    return [((step_given(latest), step_now(question, second)), question.now) for second in CLASSES]


def _second_steps(ways: Sequence[_Way]) -> tuple[Difference | None, str | None]:
    """Second step of the first plan minus that of the second, where both are computed."""
    seconds = [steps[1] for steps, _ in ways]
    without = [step for step in seconds if step.response is None or step.response.kind != "computed"]
    if not without:
        first, second = ((moment, steps[1].option) for steps, moment in ways)
        return step_difference(first, second), None
    reasons = (f"{CLASS_LABELS[step.option][0]}: {step.response.reason}" for step in without if step.response)
    return None, "; ".join(reasons)


def _notes(question: PlanQuestion, redirected: Sequence[Earlier]) -> Iterator[str]:
    facts = question.now.numbers.traits.facts
    if redirected:
        if others := [_given(each) for each in redirected[1:]]:
            yield f"Also given before: {and_list(others)}."
    else:
        if open_classes(facts):
            yield OPEN_HISTORY
        lines = facts.patient.prior_lines
        more = "one more line" if lines is None else f"{lines + 1} earlier lines"
        yield (
            f"The second step is of the same patient with the first therapy behind, {more}, and all else as it is "
            "known now; what the disease and its treatment change until then is not known."
        )
        if question.now.numbers.traits["prior_bcma"].value is True:
            yield COUNTED_ONCE
        yield SECOND_PFS


def _given(earlier: Earlier) -> str:
    when = "" if earlier.months is None else f" ({earlier.months:g} months ago)"
    return f"{COURSE_KINDS[earlier.kind]}{when}"
