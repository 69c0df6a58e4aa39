"""What stated weights make of the evidence, on a terminal: after the evidence, and only where weights were given."""

from __future__ import annotations

from collections.abc import Iterator

from bcma_decide.comparison import Comparison
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.words import preferences as words


def write_preferences(page: TerminalPage, comparison: Comparison, *, products: bool) -> None:
    """Write criteria, ranks and where they would change; nothing where no weights were given."""
    result = comparison.preferences
    if result is None:
        return
    page.heading(words.heading())
    page.paragraph(words.lead(result))
    for ranking in words.shown_rankings(result, products=products):
        page.gap()
        options = words.ranking_options(ranking)
        page.bullets(words.criterion_text(comparison, line, options) for line in result.criteria)
        page.paragraph(words.first_ranks(comparison, ranking), "bold")
        page.bullets(words.ranking_texts(comparison, result, ranking))
    page.gap()
    for text in result.assumptions:
        page.paragraph(text)


def preference_lines(comparison: Comparison, *, products: bool) -> Iterator[tuple[str, ...]]:
    """The same as lines for scripts and screen readers."""
    result = comparison.preferences
    if result is None:
        return
    yield ("weights", words.lead(result))
    for ranking in words.shown_rankings(result, products=products):
        options = words.ranking_options(ranking)
        for line in result.criteria:
            yield ("criterion", ranking.kind, words.criterion_text(comparison, line, options))
        for text in (words.first_ranks(comparison, ranking), *words.ranking_texts(comparison, result, ranking)):
            yield ("ranks", ranking.kind, text)
    for text in result.assumptions:
        yield ("weights rest on", text)
