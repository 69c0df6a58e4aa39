"""The differences of two options that were asked for, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from bcma_decide.comparison import Comparison, Contrast
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.words import arrange, sentences, wording


def write_pair(page: TerminalPage, comparison: Comparison) -> None:
    """Write each difference with its interval, how likely the first is higher, and its certainty."""
    if comparison.pair is None:
        return
    first, second = (sentences.option_label(comparison, option) for option in comparison.pair.options)
    page.heading(f"{first} minus {second}, of 100")
    for label, contrast in _contrasts(comparison):
        page.items([(label, "; ".join(_figures(contrast, first)))], lead=0 if page.stacked else page.width // 3)


def pair_lines(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    """The same as fields of tab-separated lines."""
    if comparison.pair is None:
        return
    first, second = (sentences.option_label(comparison, option) for option in comparison.pair.options)
    for label, contrast in _contrasts(comparison):
        yield ("difference", label, f"{first} minus {second}", *_figures(contrast, first))


def _contrasts(comparison: Comparison) -> Iterator[tuple[str, Contrast]]:
    """Rows that have a difference, in the order of all faces."""
    contrasts = comparison.pair.contrasts if comparison.pair else {}
    for outcome in arrange.outcomes_with_survival(comparison):
        if outcome.id in contrasts:
            yield outcome.label, contrasts[outcome.id]


def _figures(contrast: Contrast, first: str) -> tuple[str, ...]:
    return (
        wording.difference(contrast.risk_difference),
        wording.probability_higher(contrast.probability_first_higher, first),
        f"certainty {wording.certainty(contrast.certainty)}",
    )
