"""The comparison on a narrow terminal: one block for each outcome, one option below the other."""

from __future__ import annotations

from collections.abc import Sequence

from bcma_decide.comparison import Comparison, Estimate, Option, Outcome
from bcma_decide.render.terminal.layout import FURTHER
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.words import arrange, published, sentences, survival, wording
from bcma_decide.time_course import Clock
from bcma_decide.vocabulary import PFS


def write_stacked(page: TerminalPage, comparison: Comparison, options: Sequence[Option]) -> None:
    """Write all outcomes for these options; two classes are followed by their difference."""
    for position, group in enumerate(arrange.groups_with_survival(comparison)):
        if position:
            page.gap()
        page.subheading(arrange.heading(group))
        for outcome in group.outcomes:
            _outcome(page, comparison, outcome, options)


def _survival(page: TerminalPage, comparison: Comparison, option: Option) -> None:
    """What stands below the share at one year; nothing where the option has no number."""
    for line in survival.lines(survival.computed(comparison, option), comparison.clock):
        if line.text:
            page.paragraph(f"{line.name} {line.text}", indent=4)


def _outcome(page: TerminalPage, comparison: Comparison, outcome: Outcome, options: Sequence[Option]) -> None:
    page.paragraph(outcome.label, "bold")
    for option in options:
        estimate = arrange.estimate_of(outcome, option)
        style = FURTHER if estimate.further_product else ""
        page.paragraph(
            f"{option.label}{_whose(estimate)}: {_headline(outcome, estimate, comparison.clock)}", style, indent=2
        )
        for line in _below(estimate, comparison.clock):
            page.paragraph(line, style, indent=4)
        if outcome.id == PFS:
            _survival(page, comparison, option)
        if wording.has_number(estimate):
            for note in sentences.estimate_notes(estimate, comparison):
                page.paragraph(note, indent=4)
    if len(options) == 2 and all(option.kind == "class" for option in options):
        _difference(page, outcome, comparison.clock, *options)
    if same := sentences.same_for_every_patient(outcome, options):
        page.paragraph(same, indent=2)
    for note in outcome.notes:
        page.paragraph(note, indent=2)


def _whose(estimate: Estimate) -> str:
    return ", a further product" if estimate.further_product else ""


def _headline(outcome: Outcome, estimate: Estimate, clock: Clock) -> str:
    if estimate.mean is None or not wording.has_number(estimate):
        return survival.without_curve(outcome, estimate) or published.without_number(estimate)
    decided = estimate.from_decision
    return wording.of_100(decided.mean if clock == "decision" and decided else estimate.mean)


def _below(estimate: Estimate, clock: Clock) -> tuple[str, ...]:
    if estimate.mean is None or estimate.credible is None or not wording.has_number(estimate):
        return ()
    prediction = wording.interval(estimate.prediction) if estimate.prediction else "not estimated"
    beyond, certainty = f"next centre {prediction}", f"certainty {wording.certainty(estimate.certainty)}"
    decided = estimate.from_decision
    if decided is None:
        return f"95 % interval {wording.interval(estimate.credible)}", beyond, certainty
    if clock == "decision":
        own = f"from the infusion {wording.of_100(estimate.mean)}, {wording.interval(estimate.credible)}"
        return f"95 % interval {wording.interval(decided.credible)}", own, beyond, certainty
    counted = f"from the decision {wording.of_100(decided.mean)}, {wording.interval(decided.credible)}"
    return f"95 % interval {wording.interval(estimate.credible)}", beyond, counted, certainty


def _difference(page: TerminalPage, outcome: Outcome, clock: Clock, first: Option, second: Option) -> None:
    contrast = arrange.contrast_of(outcome, first, second)
    if contrast is None:
        page.paragraph(f"Difference: not comparable: {sentences.contrast_reason(outcome)}", indent=2)
        return
    decided = any(arrange.estimate_of(outcome, option).from_decision for option in (first, second))
    whence = ", from the infusion" if decided and clock == "decision" else ""
    page.paragraph(
        f"{first.label} minus {second.label}{whence}: {wording.difference(contrast.risk_difference)}", indent=2
    )
    page.paragraph(wording.probability_higher(contrast.probability_first_higher, first.label), indent=4)
    page.paragraph(f"certainty {wording.certainty(contrast.certainty)}", indent=4)
