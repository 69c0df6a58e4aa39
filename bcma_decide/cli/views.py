"""What ``compare`` prints: the first screen, all of the comparison, or the parts that were asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from bcma_decide.vocabulary import EXPLAINED

if TYPE_CHECKING:
    from bcma_decide.comparison import Comparison
    from bcma_decide.pooled.evidence import PooledEvidence
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.render.terminal.parts import Part

RESULT: Final = "What is shown instead of the first screen"
BASIS: Final = "What it is judged by"
OUTPUT: Final = "How it is shown"


def _flag(name: str, text: str, panel: str = RESULT) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(name, metavar="", help=text, rich_help_panel=panel)
    return option


def _options(incomplete: str) -> list[str]:
    """Complete the last option of a pair."""
    from bcma_decide.comparing.compare import load_pooled

    before = incomplete[: incomplete.rfind(",") + 1]
    return [before + option.id for option in load_pooled().options if option.id not in before.split(",")]


Full = Annotated[bool, _flag("--full", "Everything: both intervals, findings, labels, scores, practice.")]
Findings = Annotated[bool, _flag("--findings", "All findings, and what cannot be judged yet.")]
Labels = Annotated[bool, _flag("--labels", "Each label item by item.")]
Practice = Annotated[bool, _flag("--practice", "What giving each option takes.")]
Classes = Annotated[bool, _flag("--classes", "The two classes with both intervals, certainty and difference.")]
PairOfOptions = Annotated[
    str | None,
    typer.Option(
        "--pair", metavar="A,B", rich_help_panel=RESULT, help="The difference of two products or classes.",
        autocompletion=_options,
    ),
]  # fmt: skip
Explain = Annotated[
    list[str] | None,
    typer.Option(
        "--why", "--explain", metavar="OUTCOME", rich_help_panel=RESULT,
        help="What is behind an outcome (orr, pfs, ...; a wrong one names all).",
        autocompletion=lambda: list(EXPLAINED),
    ),
]  # fmt: skip
Order = Annotated[bool, _flag("--order", "CAR-T and a bispecific one after the other, in either order.")]
Products = Annotated[bool, _flag("--products", "Every product with both intervals; adds them to --full and --why.")]
Sources = Annotated[bool, _flag("--sources", "The references.")]
AsJson = Annotated[bool, _flag("--json", "One JSON document, nothing else.", OUTPUT)]
Plain = Annotated[bool, _flag("--plain", "Tab-separated lines.", OUTPUT)]
Color = Annotated[
    Literal["auto", "always", "never"],
    typer.Option("--color", help="Colour; NO_COLOR is honoured.", rich_help_panel=OUTPUT),
]


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
            raise typer.BadParameter(f"{each!r} is not compared here; two of {known}", param_hint="--pair")
    if len(asked) != 2 or names[asked[0]] == names[asked[1]]:
        raise typer.BadParameter(f"{text!r} is not two options with a comma between them", param_hint="--pair")
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
