"""The comparison on a narrow terminal: one block for each outcome, one option below the other."""

from __future__ import annotations

from collections.abc import Sequence

from bcma_decide.comparison import Comparison, Estimate, Option, Outcome
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.terminal.tables import FURTHER
from bcma_decide.render.words import arrange, published, sentences, wording


def write_stacked(page: TerminalPage, comparison: Comparison, options: Sequence[Option]) -> None:
    """Write all outcomes for these options; two classes are followed by their difference."""
    for position, group in enumerate(arrange.groups(comparison)):
        if position:
            page.gap()
        page.subheading(arrange.heading(group))
        for outcome in group.outcomes:
            _outcome(page, comparison, outcome, options)


def _outcome(page: TerminalPage, comparison: Comparison, outcome: Outcome, options: Sequence[Option]) -> None:
    page.paragraph(outcome.label, "bold")
    for option in options:
        estimate = arrange.estimate_of(outcome, option)
        style = FURTHER if estimate.further_product else ""
        page.paragraph(f"{option.label}{_whose(estimate)}: {_headline(estimate)}", style, indent=2)
        for line in _below(estimate):
            page.paragraph(line, style, indent=4)
        if wording.has_number(estimate):
            for note in sentences.estimate_notes(estimate, comparison):
                page.paragraph(note, indent=4)
    if len(options) == 2 and all(option.kind == "class" for option in options):
        _difference(page, outcome, *options)
    if same := sentences.same_for_every_patient(outcome, options):
        page.paragraph(same, indent=2)
    for note in outcome.notes:
        page.paragraph(note, indent=2)


def _whose(estimate: Estimate) -> str:
    return ", a further product" if estimate.further_product else ""


def _headline(estimate: Estimate) -> str:
    if estimate.mean is None or not wording.has_number(estimate):
        return published.without_number(estimate)
    return wording.of_100(estimate.mean)


def _below(estimate: Estimate) -> tuple[str, ...]:
    if estimate.credible is None or not wording.has_number(estimate):
        return ()
    prediction = wording.interval(estimate.prediction) if estimate.prediction else "not estimated"
    return (
        f"95 % interval {wording.interval(estimate.credible)}",
        f"next centre {prediction}",
        *_from_decision(estimate),
        f"certainty {wording.certainty(estimate.certainty)}",
    )


def _from_decision(estimate: Estimate) -> tuple[str, ...]:
    value = estimate.from_decision
    if value is None:
        return ()
    return (f"from the decision {wording.of_100(value.mean)}, {wording.interval(value.credible)}",)


def _difference(page: TerminalPage, outcome: Outcome, first: Option, second: Option) -> None:
    contrast = arrange.contrast_of(outcome, first, second)
    if contrast is None:
        page.paragraph(f"Difference: not comparable: {sentences.contrast_reason(outcome)}", indent=2)
        return
    page.paragraph(f"{first.label} minus {second.label}: {wording.difference(contrast.risk_difference)}", indent=2)
    page.paragraph(wording.probability_higher(contrast.probability_first_higher, first.label), indent=4)
    page.paragraph(f"certainty {wording.certainty(contrast.certainty)}", indent=4)
