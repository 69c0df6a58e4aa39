"""What is behind progression-free survival on a terminal: curves, the difference, trait effects, studies, method."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console
from rich.text import Text

from bcma_decide.behind import SurvivalExplanation, SurvivalStudy
from bcma_decide.comparison import Comparison, Option, Outcome
from bcma_decide.render.terminal.behind import write_contrast, write_effects, write_end, write_left_out
from bcma_decide.render.terminal.curve_chart import Signs, curve_chart, signs
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.terminal.plain import write_plain_survival_explanation
from bcma_decide.render.words import arrange, published, quoted, sentences, survival, wording

LEAD = 5


def render_survival_explanation(comparison: Comparison, console: Console, *, products: bool, plain: bool) -> None:
    """Print everything behind progression-free survival.

    Parameters
    ----------
    comparison
        Where the rows and their explanation stand.
    console
        Where to print.
    products
        Also the curve of every product, not of the classes only.
    plain
        Tab-separated lines without tables or curves.
    """
    options = comparison.options if products else arrange.class_options(comparison)
    if plain:
        write_plain_survival_explanation(comparison, console, options)
        return
    page = TerminalPage(console)
    outcome = survival.outcome_at(comparison, survival.MAIN)
    page.paragraph(f"{survival.title()}: how the numbers come about", "bold")
    page.paragraph(outcome.horizon)
    drawn = [_option(page, comparison, outcome, option) for option in options]
    if any(drawn):
        page.gap()
        page.paragraph(_key(signs(page.ink)))
    _movers(page, comparison, outcome)
    write_contrast(page, comparison, outcome)
    explanation = comparison.survival_explanation
    if explanation is None:
        page.heading("Studies")
        page.paragraph("No studies are listed for this outcome.")
    else:
        write_effects(page, comparison, explanation.effects, of="being free of progression")
        _studies(page, comparison, explanation)
        write_left_out(page, explanation.left_out, explanation.method)
    write_end(page, comparison)


def _key(drawn: Signs) -> str:
    return (
        f"Curve, of 100: {drawn.share} without progression, on average; {drawn.interval} 95 % interval of the average; "
        f"{drawn.end} end of follow-up, past which nothing is calculated. Below it: months."
    )


def _option(page: TerminalPage, comparison: Comparison, outcome: Outcome, option: Option) -> bool:
    """Write the curve of an option and what it rests on, or why there is none; whether there is one."""
    row, estimate = survival.computed(comparison, option), arrange.estimate_of(outcome, option)
    shown = survival.figures(row, comparison.clock) if row else None
    page.heading(option.long_label)
    if row is None or shown is None:
        page.paragraph(f"{option.label}: {survival.without_figures(row)}.")
        return False
    page.paragraph(published.option_sentence(estimate, option, outcome))
    page.paragraph("; ".join(f"{line.name}: {line.text}" for line in survival.lines(row, comparison.clock)) + ".")
    page.gap()
    for line in curve_chart(page.ink, shown.curve, page.width):
        page.put(Text(line, no_wrap=True))
    page.gap()
    page.paragraph(sentences.size(estimate))
    for line in sentences.estimate_facts(estimate, comparison):
        page.paragraph(line)
    return True


def _movers(page: TerminalPage, comparison: Comparison, outcome: Outcome) -> None:
    movers = arrange.movers_of(comparison, outcome)
    if movers:
        page.heading("What is not known and would move it")
        page.bullets(sentences.mover_sentence(mover, comparison) for mover in movers)


def _studies(page: TerminalPage, comparison: Comparison, explanation: SurvivalExplanation) -> None:
    page.heading("Studies: weight in the class, printed points, design, patients, what they are counted from")
    rows = zip(explanation.studies, arrange.curve_weights(explanation), strict=True)
    for option, members in groupby(rows, key=lambda row: row[0].class_id):
        page.paragraph(sentences.option_label(comparison, option), "bold")
        page.items(((wording.share(share), _study(comparison, study)) for study, share in members), LEAD)


def _study(comparison: Comparison, study: SurvivalStudy) -> str:
    points = "; ".join(map(quoted.printed_point, study.points))
    facts = (
        wording.DESIGNS[study.design],
        quoted.patients(study.n),
        quoted.counted_from(study.origin),
        study.basis,
    )
    products = ", ".join(sentences.option_label(comparison, product) for product in study.products)
    return f"{study.name} ({products}): {points}; {', '.join(fact for fact in facts if fact)} ({study.source})"
