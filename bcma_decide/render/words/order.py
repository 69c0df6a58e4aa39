"""The order of therapies in words: two plans row by row, what was published of each order, what is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from bcma_decide.comparison import Comparison
from bcma_decide.render.words import published, wording
from bcma_decide.render.words.arrange import capitalised
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.language import pointed
from bcma_decide.render.words.sentences import named_sources, option_label
from bcma_decide.time_course import (
    Bounds,
    Difference,
    Duration,
    OrderEvidence,
    OrderFigure,
    OrderFinding,
    OrderOfTherapies,
    Plan,
    PlannedPfs,
    PlannedResponse,
    PlanStep,
)
from bcma_decide.vocabulary import CourseKind

Kind = Literal["words", "computed", "published", "not_known"]
"""How a face draws a field: what is computed and what is only quoted look different everywhere."""


class Field(NamedTuple):
    """One field of the table of plans: lines, and what kind of figure they hold."""

    lines: tuple[str, ...]
    kind: Kind = "words"
    beside: str = ""
    """A published figure beside a computed one."""

    @property
    def all_lines(self) -> tuple[str, ...]:
        """Its lines, and what stands beside them."""
        return (*self.lines, self.beside) if self.beside else self.lines


class Row(NamedTuple):
    """One row of the table of plans, one field for each plan."""

    label: str
    fields: tuple[Field, ...]
    heads: bool = False
    """Whether it names a step."""


def title() -> str:
    """Heading over both plans."""
    return _("One after the other: the order of CAR-T and bispecific antibody")


def kind_word(kind: CourseKind) -> str:
    """A kind of BCMA therapy inside a sentence."""
    words: dict[CourseKind, str] = {
        "car_t": _("CAR-T"),
        "bispecific": _("bispecific antibody"),
        "adc": _("antibody-drug conjugate"),
    }
    return words[kind]


def plan_name(comparison: Comparison, plan: Plan) -> str:
    """Both therapies in their order: ``CAR-T, then Bispecific``."""
    first, second = (option_label(comparison, step.option) for step in plan.steps)
    return _("{first}, then {second}").format(first=first, second=second)


def rows(comparison: Comparison, order: OrderOfTherapies) -> tuple[Row, ...]:
    """Both plans row by row: each step with its response and time without progression, then what joins them."""
    return tuple(_rows(comparison, order))


def _rows(comparison: Comparison, order: OrderOfTherapies) -> Iterator[Row]:
    for place, label in enumerate((_("First"), _("Second"))):
        steps = [plan.steps[place] for plan in order.plans]
        yield Row(label, tuple(Field((_step(comparison, step),)) for step in steps), heads=True)
        if any(step.response for step in steps):
            yield Row(_("Response"), tuple(_response(step.response) for step in steps))
        if any(step.pfs for step in steps):
            yield Row(_("Time without progression"), tuple(_pfs(step.pfs) for step in steps))
    seconds = [plan.steps[1] for plan in order.plans]
    if any(step.when == "after" for step in seconds):
        yield Row(_("Second rather than now"), tuple(_than_now(step) for step in seconds))
        yield Row(_("Response to either"), tuple(_either(plan) for plan in order.plans))


def _step(comparison: Comparison, step: PlanStep) -> str:
    option = option_label(comparison, step.option)
    if step.when == "now":
        return _("{option}, now").format(option=option)
    if step.when == "after":
        return _("{option}, when the disease is back").format(option=option)
    given = ", ".join(option_label(comparison, product) for product in step.given)
    said = f"{option} ({given})" if given else option
    if step.months_since is None:
        return _("{option}, given before").format(option=said)
    return _("{option}, given {months} months ago").format(option=said, months=pointed(f"{step.months_since:g}"))


def _response(response: PlannedResponse | None) -> Field:
    if response is None:
        return Field(())
    if response.mean is not None and response.credible is not None and response.prediction is not None:
        number = _("{number} of 100 ({interval})").format(
            number=wording.count(response.mean), interval=wording.interval(response.credible)
        )
        following = _("next centre {interval}").format(interval=wording.interval(response.prediction))
        return Field((number, following), "computed", _quotation(response.published, _counts))
    if response.published is not None:
        return Field((_quotation(response.published, _counts),), "published")
    return _not_known()


def _pfs(pfs: PlannedPfs | None) -> Field:
    if pfs is None:
        return Field(())
    if pfs.kind == "computed" and pfs.median_months is not None:
        return Field((_median(pfs.median_months),), "computed", _quotation(pfs.published, _time))
    if pfs.published is not None:
        return Field((_quotation(pfs.published, _time),), "published")
    return _not_known()


def _quotation(figure: OrderFigure | None, said: Callable[[OrderFigure], str]) -> str:
    return "" if figure is None else _("published: {text}").format(text=said(figure))


def _not_known() -> Field:
    return Field((_("not known"),), "not_known")


def _than_now(step: PlanStep) -> Field:
    return _not_known() if step.than_now is None else Field((_difference(step.than_now),), "computed")


def _either(plan: Plan) -> Field:
    share = plan.responds_to_either
    if share is None or share.credible is None:
        return _not_known()
    return Field((f"{wording.of_100(share.mean)} ({wording.interval(share.credible)})",), "computed")


def _difference(value: Difference) -> str:
    return _("{number} ({interval}) of 100").format(
        number=wording.signed(value.mean), interval=wording.signed_interval(value.interval)
    )


def _median(duration: Duration) -> str:
    if duration.value is None:
        return _("median not reached")
    return _months(duration.value, duration.credible)


def _months(value: float, ends: Bounds | None) -> str:
    median = _("median {months} months").format(months=pointed(f"{value:.1f}"))
    if ends is None:
        return median
    low, high = (_("not reached") if end is None else pointed(f"{end:.1f}") for end in ends)
    return f"{median} ({_('{low} to {high}').format(low=low, high=high)})"


def _counts(figure: OrderFigure) -> str:
    if figure.events is None or figure.n is None:
        return "" if figure.rate is None else f"{wording.whole(100 * figure.rate)} %"
    counted = _("{events} of {n}").format(events=figure.events, n=figure.n)
    return f"{counted} ({wording.whole(100 * figure.events / figure.n)} %)"


def _time(figure: OrderFigure) -> str:
    if figure.median_months is not None:
        return _months(figure.median_months, figure.interval)
    return figure.text.rpartition(": ")[2]


def second_steps(comparison: Comparison, order: OrderOfTherapies) -> str:
    """The difference of the two second steps as a sentence, or why there is none; empty without plans."""
    if not order.plans:
        return ""
    first, second = (option_label(comparison, plan.steps[1].option) for plan in order.plans)
    if order.second_steps is None:
        without = [
            option_label(comparison, plan.steps[1].option)
            for plan in order.plans
            if plan.steps[1].response is None or plan.steps[1].response.kind != "computed"
        ]
        return _(
            "Response to the second step, {first} minus {second}: not known, as {options} is not computed."
        ).format(first=first, second=second, options=_(" and ").join(without))
    return _("Response to the second step, {first} minus {second}: {difference}; {probability}.").format(
        first=first,
        second=second,
        difference=_difference(order.second_steps),
        probability=wording.probability_higher(order.second_steps.probability_first_higher, first),
    )


def remarks(comparison: Comparison, order: OrderOfTherapies) -> tuple[str, ...]:
    """Why a step has no computed number, where one rests on few, why nothing is said of either; then the notes."""
    return tuple(dict.fromkeys((*_remarks(comparison, order), *order.notes)))


def _remarks(comparison: Comparison, order: OrderOfTherapies) -> Iterator[str]:
    if comparison.clock == "decision":
        yield _("Both plans are counted from the infusion or the first dose.")
    for plan in order.plans:
        before: list[str] = []
        for step in plan.steps:
            option, response = option_label(comparison, step.option), step.response
            where = option if not before else _("{option} after {before}").format(option=option, before=before[-1])
            if response is not None and response.few is not None:
                few = _(
                    "{where}: the number is of any earlier BCMA therapy; {count} published patients had this order."
                )
                yield few.format(where=where, count=response.few)
            if response is not None and response.reason:
                yield _("{where}: response is not computed: {reason}.").format(
                    where=where, reason=response.reason.rstrip(".")
                )
            before.append(option)
        if plan.reason:
            yield _("Response to either: not known. {reason}").format(reason=plan.reason)


def evidence_lines(
    comparison: Comparison, order: OrderOfTherapies, naming: Callable[[Sequence[str]], str] = named_sources
) -> tuple[tuple[str, str], ...]:
    """What was published of each order: whose therapy after which, and the figures; nearest first by plan."""
    return tuple((_order_of(comparison, entry), _figures(entry, naming)) for entry in order.evidence)


def _order_of(comparison: Comparison, entry: OrderEvidence) -> str:
    named = entry.second_products or (
        (_("CAR-T or bispecific"),) if entry.second == "any" else (option_label(comparison, entry.second),)
    )
    before = _(" or ").join(kind_word(kind) for kind in entry.first) if entry.first else _("any BCMA therapy")
    if entry.first_products:
        before = ", ".join(option_label(comparison, product) for product in entry.first_products)
    said = _("{option} after {before}").format(option=", ".join(named), before=before)
    return said if not entry.months else _("{order}, {months} months after it").format(order=said, months=entry.months)


def _figures(entry: OrderEvidence, naming: Callable[[Sequence[str]], str]) -> str:
    figures = "; ".join(figure.text for figure in entry.figures)
    cited = naming(tuple(dict.fromkeys(key for figure in entry.figures for key in figure.sources)))
    said = f"{entry.study}. {figures}. {entry.remark}"
    return f"{said} ({cited})" if cited else said


def finding_text(
    comparison: Comparison, finding: OrderFinding, naming: Callable[[Sequence[str]], str] = named_sources
) -> str:
    """A finding with the products it speaks of, what it leaves out, and its sources."""
    said = ". ".join(part.rstrip(".") for part in (capitalised(finding.text), finding.note) if part)
    if finding.products:
        products = ", ".join(option_label(comparison, product) for product in finding.products)
        said = _("{products}: {finding}").format(products=products, finding=said)
    cited = naming(finding.sources)
    return f"{said} ({cited})" if cited else f"{said}."


def evidence_title() -> str:
    """Heading over what was published of each order."""
    return published.title()


def findings_title() -> str:
    """Heading over the findings on an order."""
    return _("Findings on the order")


def not_known_title() -> str:
    """Heading over what nothing of this tells."""
    return _("Not known of either order")
