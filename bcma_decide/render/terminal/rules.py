"""Findings, labels, scores and practical facts on a terminal."""

from __future__ import annotations

from bcma_decide.comparison import Comparison
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.words import arrange, rule_view

TOPIC = 16
"""Columns of the topic in the table of practical facts."""
SCORE_LEAD = 22
LABEL_LEAD = 18


def write_findings(page: TerminalPage, comparison: Comparison) -> None:
    """Write the findings per option, worst first, by sign and word; what cannot be judged says what it needs."""
    groups, open_ones = rule_view.finding_groups(comparison), rule_view.open_findings(comparison)
    if not groups and not open_ones:
        return
    page.heading("Findings")
    for group in groups:
        page.subheading(group.title)
        page.items(
            (page.ink.symbol(finding.severity), rule_view.finding_text(comparison, finding, group))
            for finding in group.findings
        )
    if open_ones:
        page.subheading(rule_view.open_title())
        page.items((page.ink.symbol("cannot_be_judged"), rule_view.open_text(each)) for each in open_ones)


def write_labels(page: TerminalPage, comparison: Comparison) -> None:
    """Write whether each product's label is met, item by item."""
    rows = rule_view.shown_labels(comparison)
    if not rows:
        return
    page.heading(rule_view.label_heading(comparison))
    lead = 0 if page.stacked else LABEL_LEAD
    page.items(
        [(f"{page.ink.symbol(label.state)} {name}", rule_view.label_text(label)) for name, label in rows],
        lead,
    )


def write_scores(page: TerminalPage, comparison: Comparison) -> None:
    """Write the scores that have begun to be settled."""
    scores = rule_view.shown_scores(comparison)
    if not scores:
        return
    page.heading("Scores")
    lead = 0 if page.stacked else SCORE_LEAD
    page.items([(score.name, rule_view.score_text(comparison, score)) for score in scores], lead)
    page.paragraph("Definition, items and limits of each: bcma-decide score NAME")


def write_practice(page: TerminalPage, comparison: Comparison) -> None:
    """Write what giving each option takes, side by side."""
    rows = rule_view.practice_rows(comparison)
    options = arrange.class_options(comparison)
    if not rows or not options:
        return
    page.heading(f"In practice: {comparison.labels.region} on {comparison.labels.date}")
    if page.stacked:
        for row in rows:
            page.paragraph(row.label, "bold")
            for option, text in zip(options, row.texts, strict=True):
                page.paragraph(f"{option.label}: {text}", indent=2)
        return
    width = (page.width - TOPIC - len(options)) // len(options)
    widths = [TOPIC, *(width for _ in options)]
    page.columns(widths, [[page.ink.text(""), *(page.ink.text(option.label, "bold") for option in options)]], 1)
    page.rule()
    for row in rows:
        cells = [page.ink.text(row.label, "bold"), *(page.ink.text(text) for text in row.texts)]
        page.columns(widths, [cells], 1)
