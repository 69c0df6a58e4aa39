"""The order of therapies on a terminal: two plans side by side, then what was published of each and is not known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.text import Text

from bcma_decide.comparison import Comparison
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.words import order as words
from bcma_decide.time_course import OrderOfTherapies

LABEL: Final = 26
GAP: Final = 2
STYLES: Final[dict[words.Kind, str]] = {"words": "", "computed": "bold", "published": "italic", "not_known": "dim"}


def write_order(page: TerminalPage, comparison: Comparison) -> None:
    """Write both plans where they were asked for; stacked where columns would not fit."""
    order = comparison.order_of_therapies
    if order is None:
        return
    page.heading(words.title())
    if page.stacked:
        _stacked(page, comparison, order)
    else:
        _side_by_side(page, comparison, order)
    page.gap()
    page.paragraph(words.second_steps(comparison, order))
    page.bullets(words.remarks(comparison, order))
    if entries := words.evidence_lines(comparison, order):
        page.subheading(words.evidence_title())
        for name, text in entries:
            page.paragraph(name, "bold")
            page.paragraph(text, indent=2)
    if order.findings:
        page.subheading(words.findings_title())
        page.bullets(words.finding_text(comparison, finding) for finding in order.findings)
    if order.not_known:
        page.subheading(words.not_known_title())
        page.bullets(order.not_known)


def order_lines(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    """Both plans as fields of plain lines."""
    order = comparison.order_of_therapies
    if order is None:
        return
    for place, plan in enumerate(order.plans):
        name = words.plan_name(comparison, plan)
        step = ""
        for row in words.rows(comparison, order):
            field = row.fields[place]
            step = row.label if row.heads else step
            if field.lines:
                yield ("order", name, *([] if row.heads else [step]), row.label, *field.all_lines)
    yield ("order", words.second_steps(comparison, order))
    for text in words.remarks(comparison, order):
        yield ("order", text)
    for name, text in words.evidence_lines(comparison, order):
        yield ("order, published, not calculated", name, text)
    for finding in order.findings:
        yield ("order, finding", words.finding_text(comparison, finding))
    for text in order.not_known:
        yield ("order, not known", text)


def _side_by_side(page: TerminalPage, comparison: Comparison, order: OrderOfTherapies) -> None:
    width = (page.width - LABEL) // len(order.plans) - GAP
    names = [page.ink.text(words.plan_name(comparison, plan), "bold") for plan in order.plans]
    lines: list[list[Text]] = [[Text(""), *names]]
    for row in words.rows(comparison, order):
        label = page.ink.text(row.label, "bold" if row.heads else "", indent=0 if row.heads else 2)
        lines.append([label, *(_field(page, field) for field in row.fields)])
    page.columns([LABEL, *[width] * len(order.plans)], lines, GAP)


def _field(page: TerminalPage, field: words.Field) -> Text:
    lines = [page.ink.text(line, "" if place else STYLES[field.kind]) for place, line in enumerate(field.lines)]
    return Text("\n").join([*lines, page.ink.text(field.beside, STYLES["published"])] if field.beside else lines)


def _stacked(page: TerminalPage, comparison: Comparison, order: OrderOfTherapies) -> None:
    for place, plan in enumerate(order.plans):
        page.paragraph(words.plan_name(comparison, plan), "bold")
        for row in words.rows(comparison, order):
            field = row.fields[place]
            if field.lines:
                text = f"{row.label}: {'; '.join(field.all_lines)}"
                page.paragraph(text, STYLES[field.kind], indent=2 if row.heads else 4)
