"""What ``compare`` prints: the first screen, all of the comparison, or the parts that were asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bcma_decide.cli.errors import Misuse

if TYPE_CHECKING:
    from bcma_decide.comparison import Comparison
    from bcma_decide.pooled.evidence import PooledEvidence
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.render.terminal.parts import Part


@dataclass(frozen=True)
class View:
    """What to print, and how."""

    full: bool
    parts: tuple[Part, ...]
    explain: tuple[str, ...]
    products: bool
    sources: bool
    plain: bool


def read_view(
    flags: Mapping[Part, bool], *, full: bool, explain: Collection[str] | None, pair: bool, plain: bool
) -> View:
    """Read the flags of the parts: without any there is the first screen, which has the difference of a pair."""
    explained, products = tuple(explain or ()), flags["products"]
    # Beside an explanation it is the explanation that shows the products.
    parts = [part for part, asked in flags.items() if asked and not (part == "products" and explained)]
    if pair and (parts or full):
        parts.append("pair")
    return View(full, tuple(parts), explained, products, flags["sources"], plain)


def read_pair(text: str | None, pooled: PooledEvidence) -> tuple[str, str] | None:
    """Read two options with a comma between them, by id or by name; anything else is a usage error."""
    if text is None:
        return None
    names = {each.casefold(): option.id for option in pooled.options for each in (option.label, option.id)}
    asked = [part.strip().casefold() for part in text.split(",")]
    for each in asked:
        if each not in names:
            known = ", ".join(option.id for option in pooled.options)
            raise Misuse(f"{each!r} is not compared here; two of {known}", "--pair")
    if len(asked) != 2 or names[asked[0]] == names[asked[1]]:
        raise Misuse(f"{text!r} is not two options with a comma between them", "--pair")
    return names[asked[0]], names[asked[1]]


def show(comparison: Comparison, console: Console, view: View) -> None:
    """Print what the view asks for."""
    from bcma_decide.render.terminal.comparison import render_comparison, render_explanation, render_parts
    from bcma_decide.render.terminal.first_screen import render_first_screen

    if view.full:
        render_comparison(comparison, console, products=view.products, sources=view.sources, plain=view.plain)
    elif view.parts or view.explain:
        render_parts(comparison, console, view.parts, products=view.products, plain=view.plain)
    else:
        render_first_screen(comparison, console, plain=view.plain)
    for outcome in view.explain:
        if not view.plain:
            console.print()
        render_explanation(comparison, outcome, console, products=view.products, plain=view.plain)
