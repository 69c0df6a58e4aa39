"""What is behind one number on a terminal: steps to this patient, trait effects, studies, method, sources."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from bcma_decide.behind import Explanation, StudyLine
from bcma_decide.comparison import Comparison, Estimate, Option, Outcome
from bcma_decide.errors import NoEvidenceError
from bcma_decide.render.terminal.behind import write_contrast, write_effects, write_end, write_left_out
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.terminal.plain import write_plain_explanation
from bcma_decide.render.terminal.survival_explained import render_survival_explanation
from bcma_decide.render.words import arrange, published, sentences, survival, wording
from bcma_decide.vocabulary import PFS

_LABEL = 34
_STUDY_WIDTHS = (8, 9, 12, 6, 8)


def render_explanation(
    comparison: Comparison, outcome_id: str, console: Console, *, products: bool = False, plain: bool = False
) -> None:
    """Print everything behind one outcome.

    Parameters
    ----------
    comparison
        Where the outcome and its explanation stand.
    outcome_id
        Identifier of the outcome, for example ``orr``.
    console
        Where to print.
    products
        Also the steps of every product, not of the classes only.
    plain
        Tab-separated lines without tables or bars.

    Raises
    ------
    NoEvidenceError
        If the comparison has no such outcome.
    """
    if outcome_id == PFS and survival.is_computed(comparison):
        render_survival_explanation(comparison, console, products=products, plain=plain)
        return
    outcome = next((entry for entry in comparison.outcomes if entry.id == outcome_id), None)
    if outcome is None:
        known = ", ".join(entry.id for entry in comparison.outcomes)
        raise NoEvidenceError(f"outcome {outcome_id!r} is not in this comparison; it has: {known}")
    if plain:
        write_plain_explanation(comparison, outcome, console, products=products)
        return
    page = TerminalPage(console)
    page.paragraph(f"{outcome.label}: how the numbers come about", "bold")
    page.paragraph(outcome.horizon)
    for option in comparison.options:
        if products or option.kind == "class":
            _option(page, comparison, outcome, option)
    write_contrast(page, comparison, outcome)
    explanation = arrange.explanation_of(comparison, outcome_id)
    if explanation is None:
        page.heading("Studies")
        page.paragraph("No studies are listed for this outcome.")
    else:
        write_effects(page, comparison, explanation.effects, explanation.same_effect_test)
        _studies(page, comparison, explanation)
        write_left_out(page, explanation.left_out, explanation.method)
    write_end(page, comparison)


def render_sources(comparison: Comparison, console: Console) -> None:
    """Print the references with their identifiers."""
    page = TerminalPage(console)
    page.heading("Sources")
    if not comparison.references:
        page.paragraph("No references are listed.")
    for reference in comparison.references:
        page.paragraph(reference.key, "bold")
        page.paragraph(reference.citation, indent=2)
        for line in sentences.reference_ids(reference):
            page.paragraph(line, indent=2)


def _option(page: TerminalPage, comparison: Comparison, outcome: Outcome, option: Option) -> None:
    estimate = arrange.estimate_of(outcome, option)
    page.heading(option.long_label)
    page.paragraph(published.option_sentence(estimate, option, outcome))
    if not wording.has_number(estimate):
        return
    page.paragraph(sentences.size(estimate))
    if estimate.waterfall:
        page.gap()
        _waterfall(page, estimate)
        page.gap()
    for line in sentences.estimate_facts(estimate, comparison):
        page.paragraph(line)


def _waterfall(page: TerminalPage, estimate: Estimate) -> None:
    rows = list(_waterfall_rows(page, estimate))
    if page.stacked:
        for label, change, level, _ in rows:
            page.paragraph(label, indent=2)
            page.paragraph(f"{level}" + (f" ({change})" if change else ""), indent=4)
        return
    bar = page.width - _LABEL - 8 - 14 - 6
    header = [page.ink.text(name, "bold") for name in ("Step", "Change", "Of 100")]
    lines = [[*header, Text("0" + "100".rjust(bar - 1), style="dim", no_wrap=True)]]
    for label, change, level, drawn in rows:
        cells = [page.ink.text(label), page.ink.text(change), page.ink.text(level)]
        lines.append([*cells, Text(drawn, style="cyan", no_wrap=True)])
    page.columns((_LABEL, 8, 14, bar), lines)


def _waterfall_rows(page: TerminalPage, estimate: Estimate) -> Iterator[tuple[str, str, str, str]]:
    width = max(1, page.width - _LABEL - 8 - 14 - 6)
    for position, step in enumerate(estimate.waterfall):
        label = arrange.capitalised(step.label)
        if position == 0:
            yield label, "", wording.count(step.mean), page.ink.bar(step.mean, width)
        else:
            drawn = page.ink.span(step.mean - step.change, step.mean, width)
            yield label, wording.signed(step.change), wording.count(step.mean), drawn
    if estimate.mean is not None and estimate.credible is not None:
        level = f"{wording.count(estimate.mean)} ({wording.interval(estimate.credible)})"
        yield "Average and its 95 % interval", "", level, page.ink.bar(estimate.mean, width)


def _studies(page: TerminalPage, comparison: Comparison, explanation: Explanation) -> None:
    page.heading("Studies")
    shares = arrange.weights(explanation)
    rows = list(zip(explanation.studies, shares, strict=True))
    if page.stacked:
        for study, share in rows:
            page.paragraph(study.name, "bold")
            for line in _study_facts(comparison, study, share):
                page.paragraph(line, indent=2)
        return
    _study_table(page, comparison, rows)


def _study_table(page: TerminalPage, comparison: Comparison, rows: list[tuple[StudyLine, int]]) -> None:
    widths = (page.width - sum(_STUDY_WIDTHS) - 2 * len(_STUDY_WIDTHS), *_STUDY_WIDTHS)
    titles = ("Study and source", "Design", "Events/n", "Follow-up", "Weight", "Basis")
    lines = [[page.ink.text(title, "bold") for title in titles]]
    option = ""
    for study, share in rows:
        if study.option != option:
            option = study.option
            lines.append([page.ink.text(sentences.option_label(comparison, option), "bold")])
        cells = (
            f"{study.name} ({study.source})",
            wording.DESIGNS[study.design],
            f"{study.events}/{study.n}",
            wording.follow_up(study.follow_up_months).removeprefix("follow-up "),
            wording.share(share),
            study.basis,
        )
        lines.append([page.ink.text(cell) for cell in cells])
    page.columns(widths, lines)


def _study_facts(comparison: Comparison, study: StudyLine, share: int) -> Iterator[str]:
    yield f"{sentences.option_label(comparison, study.option)}, {wording.DESIGNS[study.design]}"
    yield f"{study.events} of {study.n} patients"
    yield wording.follow_up(study.follow_up_months)
    yield f"weight {wording.share(share)}, {study.basis}"
    yield f"source {study.source}"
