"""What is behind any number, on a terminal: the difference, trait effects, what was left out and how it is done."""

from __future__ import annotations

from collections.abc import Sequence

from bcma_decide.behind import EffectLine
from bcma_decide.comparison import Comparison, Outcome
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.words import arrange, sentences, wording


def write_contrast(page: TerminalPage, comparison: Comparison, outcome: Outcome) -> None:
    """Write the difference of the two classes in sentences."""
    classes = arrange.class_options(comparison)
    if len(classes) != 2:
        return
    first, second = classes
    page.heading(f"Difference: {first.label} minus {second.label}")
    for line in sentences.contrast_facts(outcome, first, second):
        page.paragraph(line)


def write_effects(
    page: TerminalPage,
    comparison: Comparison,
    effects: Sequence[EffectLine],
    same_effect_test: str | None = None,
    *,
    of: str = "",
) -> None:
    """Write the trait effects with the contrasts behind each; ``of``: what the odds are of, where it is not plain."""
    page.heading(f"Trait effects (odds ratio{f' of {of}' if of else ''} with 95 % interval)")
    if not effects:
        page.paragraph("No trait effect is known for this outcome.")
    for effect in effects:
        page.paragraph(_effect(comparison, effect))
        for line in effect.evidence:
            page.paragraph(line, indent=4)
    if same_effect_test:
        page.paragraph(same_effect_test)


def _effect(comparison: Comparison, effect: EffectLine) -> str:
    ratio = wording.odds_ratio(effect.log_odds_ratio, effect.interval)
    option = sentences.option_label(comparison, effect.class_id)
    return f"{effect.label}, {option}: {ratio} {effect.unit}; {effect.origin}"


def write_left_out(page: TerminalPage, left_out: Sequence[str], method: str) -> None:
    """Write which studies were left out and why, and the method."""
    if left_out:
        page.heading("Left out")
        page.bullets(left_out)
    page.heading("Method")
    page.paragraph(method)


def write_end(page: TerminalPage, comparison: Comparison) -> None:
    """Write where it is said how good the numbers are, and the intended use."""
    page.gap()
    page.paragraph(f"{wording.how_good()} {sentences.validation_command(comparison)}")
    page.paragraph(comparison.intended_use)
