"""The comparison on a narrow terminal: one block for each outcome, one option below the other."""

from __future__ import annotations

from collections.abc import Sequence

from bcma_decide.comparison import Comparison, Estimate, Option, Outcome
from bcma_decide.render.terminal.layout import FURTHER
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.words import arrange, published, sentences, survival, wording
from bcma_decide.render.words.clock import Both, clock_words, counted, from_decision_first
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
        both = counted(estimate, comparison.clock)
        style = FURTHER if estimate.further_product else ""
        page.paragraph(f"{option.label}{_whose(estimate)}: {_headline(outcome, estimate, both)}", style, indent=2)
        for line in _below(estimate, both):
            page.paragraph(line, style, indent=4)
        if outcome.id == PFS:
            _survival(page, comparison, option)
        if wording.has_number(estimate):
            for note in sentences.estimate_notes(estimate, comparison):
                page.paragraph(note, indent=4)
    if len(options) == 2 and all(option.kind == "class" for option in options):
        estimates = [arrange.estimate_of(outcome, option) for option in options]
        other = from_decision_first(estimates, comparison.clock)
        _difference(page, outcome, *options, clock="infusion" if other else None)
    if same := sentences.same_for_every_patient(outcome, options):
        page.paragraph(same, indent=2)
    for note in outcome.notes:
        page.paragraph(note, indent=2)


def _whose(estimate: Estimate) -> str:
    return ", a further product" if estimate.further_product else ""


def _headline(outcome: Outcome, estimate: Estimate, both: Both | None) -> str:
    if both is None:
        return survival.without_curve(outcome, estimate) or published.without_number(estimate)
    counted_from = f" {clock_words('decision')}" if both[0].clock == "decision" else ""
    return f"{wording.of_100(both[0].mean)}{counted_from}"


def _below(estimate: Estimate, both: Both | None) -> tuple[str, ...]:
    if both is None:
        return ()
    first, other = both
    prediction = wording.interval(first.prediction) if first.prediction else "not estimated"
    return (
        f"95 % interval {wording.interval(first.credible)}",
        f"next centre {prediction}",
        *(
            (f"{clock_words(other.clock)} {wording.of_100(other.mean)}, {wording.interval(other.credible)}",)
            if other
            else ()
        ),
        f"certainty {wording.certainty(estimate.certainty)}",
    )


def _difference(page: TerminalPage, outcome: Outcome, first: Option, second: Option, *, clock: Clock | None) -> None:
    contrast = arrange.contrast_of(outcome, first, second)
    if contrast is None:
        page.paragraph(f"Difference: not comparable: {sentences.contrast_reason(outcome)}", indent=2)
        return
    name = f"{first.label} minus {second.label}" + (f", {clock_words(clock)}" if clock else "")
    page.paragraph(f"{name}: {wording.difference(contrast.risk_difference)}", indent=2)
    page.paragraph(wording.probability_higher(contrast.probability_first_higher, first.label), indent=4)
    page.paragraph(f"certainty {wording.certainty(contrast.certainty)}", indent=4)
