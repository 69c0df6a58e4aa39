"""All of a comparison on a terminal, or parts of it: numbers first, then findings, labels, practice and the profile."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from rich.console import Console

from bcma_decide.comparison import Comparison, Option, TraitLine
from bcma_decide.render.terminal.explain import render_explanation, render_sources
from bcma_decide.render.terminal.first_screen import stamp, write_foot, write_patient
from bcma_decide.render.terminal.layout import GAP, NARROWEST_LABEL, VALUE
from bcma_decide.render.terminal.order import write_order
from bcma_decide.render.terminal.page import WITH_BARS, TerminalPage
from bcma_decide.render.terminal.pair import write_pair
from bcma_decide.render.terminal.parts import PARTS, Part
from bcma_decide.render.terminal.plain import write_plain, write_plain_parts
from bcma_decide.render.terminal.preferences import write_preferences
from bcma_decide.render.terminal.record import write_record
from bcma_decide.render.terminal.rules import write_findings, write_labels, write_practice, write_scores
from bcma_decide.render.terminal.stacked import write_stacked
from bcma_decide.render.terminal.survival import write_published_survival
from bcma_decide.render.terminal.tables import write_table
from bcma_decide.render.terminal.way_bars import write_way
from bcma_decide.render.words import arrange, published, quoted, sentences, survival, wording
from bcma_decide.render.words.clock import clock_sentence
from bcma_decide.render.words.first_screen import first_screen

__all__ = ["render_comparison", "render_explanation", "render_parts", "render_sources"]

LEDGER_LEAD = 17


def render_comparison(
    comparison: Comparison,
    console: Console,
    *,
    products: bool = False,
    sources: bool = False,
    plain: bool = False,
) -> None:
    """Print all of a comparison.

    Parameters
    ----------
    comparison
        What to print; nothing else is looked up.
    console
        Where to print. Its width decides between tables and stacked blocks, its encoding between symbols and
        their ASCII stand-ins, its colour system whether there are escape codes.
    products
        Also print every product beside its class.
    sources
        Also print the references.
    plain
        Tab-separated lines without boxes or bars, for screen readers and scripts.
    """
    if plain:
        write_plain(comparison, console, products=products, sources=sources)
        return
    page = TerminalPage(console)
    page.paragraph("What does the evidence say for this profile?", "bold")
    page.paragraph(stamp(comparison))
    _numbers(page, comparison, products)
    if products:
        _products(page, comparison)
    write_pair(page, comparison)
    write_way(page, comparison, comparison.options if products else arrange.class_options(comparison))
    _published(page, comparison, products)
    _movers(page, comparison)
    write_findings(page, comparison)
    write_labels(page, comparison)
    write_scores(page, comparison)
    write_practice(page, comparison)
    write_order(page, comparison)
    _ledger(page, comparison)
    write_record(page, comparison)
    _not_known(page, comparison)
    write_preferences(page, comparison, products=products)
    if sources:
        render_sources(comparison, console)
    page.gap()
    page.paragraph(f"{wording.how_good()} {sentences.validation_command(comparison)}")
    page.paragraph(comparison.intended_use)


def render_parts(
    comparison: Comparison, console: Console, parts: Collection[Part], *, products: bool = False, plain: bool = False
) -> None:
    """Print parts of a comparison, in the order of `PARTS`, below the patient they are of; without any, whom alone.

    ``products``: every product beside its class, where a part has both.
    """
    screen = first_screen(comparison)
    wanted = [part for part in PARTS if part in parts]
    if plain:
        write_plain_parts(comparison, console, screen, wanted, products=products)
        return
    page = TerminalPage(console)
    write_patient(page, screen)
    for part in wanted:
        _PARTS[part](page, comparison, products)
    if wanted:
        page.gap()
        write_foot(page, comparison, screen)


def _ledger(page: TerminalPage, comparison: Comparison) -> None:
    profile = comparison.profile
    setting = "everyday practice" if profile.setting == "real_world" else "as in a trial"
    page.heading(f"Profile used: {profile.name or 'as given'}, setting: {setting}")
    lines = arrange.ledger(comparison)
    lead = 0 if page.stacked else LEDGER_LEAD
    page.items([_ledger_row(page, line) for line in lines if line.state != "unknown"], lead)
    unknown = [line for line in lines if line.state == "unknown"]
    averaged = "; ".join(f"{line.label}{sentences.ledger_origin(line)}" for line in unknown if line.used)
    idle = "; ".join(line.label for line in unknown if not line.used)
    if averaged:
        text = f"{averaged}. Each is averaged over the patients of the studies, never taken as absent."
        page.items([_ledger_item(page, "unknown", "unknown", text)], lead)
    if idle:
        text = f"{idle}: unknown, and no number depends on it."
        page.items([_ledger_item(page, "in no number", "in no number", text)], lead)
    if rest := "; ".join(arrange.also_given(comparison)):
        page.items([_ledger_item(page, "in no number", "in no number", f"Also given: {rest}.")], lead)
    if rest := "; ".join(arrange.given_for_findings(comparison)):
        page.items([_ledger_item(page, "for findings", "for findings", f"{rest}.")], lead)


def _ledger_row(page: TerminalPage, line: TraitLine) -> tuple[str, str]:
    state = line.state if line.used or line.state == "contradiction" else "no own effect"
    text = f"{line.label}: {line.text}{sentences.ledger_origin(line)}"
    return _ledger_item(page, state, sentences.ledger_word(line), text)


def _ledger_item(page: TerminalPage, state: str, word: str, text: str) -> tuple[str, str]:
    sign = page.ink.symbol(state)
    return (sign, f"{word}: {text}") if page.stacked else (f"{sign} {word}", text)


def _numbers(page: TerminalPage, comparison: Comparison, products: bool) -> None:
    options = arrange.class_options(comparison)
    page.heading("Side by side: " + " and ".join(option.long_label for option in options))
    if page.stacked:
        write_stacked(page, comparison, options)
    else:
        write_table(page, comparison, options, difference=len(options) == 2, bars=True)
    if said := sentences.count_of_same(comparison, options):
        page.paragraph(said)
    page.gap()
    if comparison.tell_apart:
        page.paragraph(comparison.tell_apart, "bold")
    if comparison.clock == "decision":
        page.paragraph(clock_sentence())
    shown = comparison.options if products else options
    for line in (*sentences.legend(comparison, shown), *survival.legend(comparison, shown)):
        page.paragraph(line)
    if page.width >= WITH_BARS:
        page.paragraph("Bar: the number. Line below it: both intervals, heavy for the first, light for the next.")


def _products(page: TerminalPage, comparison: Comparison) -> None:
    by_class = arrange.product_options(comparison)
    everything = [product for _, members in by_class for product in members]
    room = (page.width - NARROWEST_LABEL) // (VALUE + GAP)
    if everything and len(everything) <= room and not page.stacked:
        _product_table(page, comparison, "Products: " + "; ".join(_named(*entry) for entry in by_class), everything)
        return
    for parent, members in by_class:
        for start in range(0, len(members), room or 1):
            part = members[start : start + (room or 1)]
            _product_table(page, comparison, f"Products: {_named(parent, part)}", part)


def _product_table(page: TerminalPage, comparison: Comparison, title: str, products: Sequence[Option]) -> None:
    page.heading(title)
    rest, empty = arrange.with_number(comparison, products)
    if page.stacked:
        write_stacked(page, rest, products)
    elif rest.outcomes or rest.survival:
        write_table(page, rest, products, difference=False, bars=False)
    if empty:
        page.gap()
        page.paragraph("No number for any of these products: " + "; ".join(row.label for row in empty) + ".")


def _named(parent: Option, members: Sequence[Option]) -> str:
    return f"{parent.label} ({', '.join(member.label for member in members)})"


def _published(page: TerminalPage, comparison: Comparison, products: bool) -> None:
    """Write published survival and regimens that the model does not hold: beside the numbers and not among them."""
    if any(row.kind == "published" for row in comparison.survival):
        page.heading(f"Survival. {quoted.title()}, nearest group first")
        write_published_survival(page, comparison, more=products)
    if not comparison.published_options:
        return
    page.heading(f"Regimens. {published.title()}")
    for option in comparison.published_options:
        page.paragraph(published.heading(option), "bold")
        page.paragraph(option.study, indent=2)
        for figure in option.figures:
            page.paragraph(published.figure_text(figure), indent=2)
        for text in (option.note, sentences.named_sources(option.sources)):
            if text:
                page.paragraph(text, indent=2)


def _movers(page: TerminalPage, comparison: Comparison) -> None:
    movers = arrange.movers(comparison)
    if not movers:
        return
    page.heading("What moves these numbers")
    page.bullets(sentences.mover_sentence(mover, comparison) for mover in movers)


def _not_known(page: TerminalPage, comparison: Comparison) -> None:
    if comparison.not_known:
        page.heading("What is not known")
        page.bullets(comparison.not_known)


_PARTS: Final[dict[Part, Callable[[TerminalPage, Comparison, bool], None]]] = {
    "classes": _numbers,
    "products": lambda page, comparison, _: _products(page, comparison),
    "pair": lambda page, comparison, _: write_pair(page, comparison),
    "findings": lambda page, comparison, _: write_findings(page, comparison),
    "labels": lambda page, comparison, _: write_labels(page, comparison),
    "practice": lambda page, comparison, _: write_practice(page, comparison),
    "order": lambda page, comparison, _: write_order(page, comparison),
    "weights": lambda page, comparison, products: write_preferences(page, comparison, products=products),
    "sources": lambda page, comparison, _: render_sources(comparison, page.console),
}
