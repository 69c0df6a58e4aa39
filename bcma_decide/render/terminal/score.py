"""One score on a terminal: the result, its items, what it is good for and where it stops."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console

from bcma_decide.comparison import ScoreItemLine, ScoreLine
from bcma_decide.logic import Span
from bcma_decide.patient.phrases import points_text
from bcma_decide.pooled.score_book import Citation
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.words import rule_view
from bcma_decide.vocabulary import CLASS_LABELS


def render_score(score: ScoreLine, sources: Mapping[str, Citation], console: Console) -> None:
    """Print a score with its definition, validation and limits; ``sources`` by the keys the score names."""
    page = TerminalPage(console)
    page.paragraph(f"{score.name}: {rule_view.score_value(score)}", "bold")
    for text in score.outcomes:
        page.paragraph(text)
    if score.needs:
        page.paragraph(f"Needs {', '.join(score.needs)}.")
    page.heading("Items")
    page.items([(_sign(page, item), f"{item.text}{_points(item)}") for item in score.items])
    page.heading("What it is")
    named = (
        ("Definition", score.definition),
        ("Purpose", score.purpose),
        ("Measured", score.measured_at),
        ("Says something about", ", ".join(CLASS_LABELS[option][1] for option in score.applies_to)),
        ("Validation", score.validation),
        ("Limits", score.limits),
        ("Note", score.note),
        ("Basis", score.basis),
    )
    page.items([(name, text) for name, text in named if text], 12)
    page.heading("Sources")
    page.bullets(f"{key}: {sources[key].citation}{_address(sources[key])}" for key in score.sources)


def _sign(page: TerminalPage, item: ScoreItemLine) -> str:
    return page.ink.symbol("unknown" if item.missing else "given")


def _points(item: ScoreItemLine) -> str:
    return "" if item.points is None else f": {points_text(Span(*item.points))}"


def _address(source: Citation) -> str:
    return f", {source.url}" if source.url else ""
