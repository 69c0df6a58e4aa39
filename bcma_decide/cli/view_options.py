"""The options of ``compare`` that choose what is printed and how."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import typer

from bcma_decide.vocabulary import EXPLAINED

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
