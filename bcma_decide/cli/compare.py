"""``bcma-decide compare``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bcma_decide.cli.errors import report_errors
from bcma_decide.cli.profile_options import ExampleName, ProfileCommand, patient_from_sources, with_profile_options
from bcma_decide.vocabulary import OUTCOMES, Design

if TYPE_CHECKING:
    from rich.console import Console

    from bcma_decide.comparison import Comparison

compare_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

RESULT = "What is shown"
OUTPUT = "How it is shown"

ProfileArgument = Annotated[
    str | None,
    typer.Argument(metavar="[PROFILE]", help="Profile of the patient, YAML or JSON; - reads standard input."),
]
Setting = Annotated[
    Literal["real-world", "trial"],
    typer.Option("--setting", help="Expect the results of ordinary care or of trials.", rich_help_panel=RESULT),
]
Explain = Annotated[
    list[str] | None,
    typer.Option(
        "--explain", metavar="OUTCOME", rich_help_panel=RESULT,
        help="Show what is behind an outcome (such as orr): steps, trait effects, studies, weights. Repeatable.",
        autocompletion=lambda: list(OUTCOMES),
    ),
]  # fmt: skip
Products = Annotated[bool, typer.Option("--products", help="Add the products to the classes.", rich_help_panel=RESULT)]
Sources = Annotated[bool, typer.Option("--sources", help="Add the references.", rich_help_panel=RESULT)]
Ask = Annotated[
    bool,
    typer.Option("--ask", help="Ask for every field on the terminal.", rich_help_panel="Where the patient comes from"),
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print the comparison as one JSON document, nothing else.", rich_help_panel=OUTPUT),
]
Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Also write a self-contained HTML page.", rich_help_panel=OUTPUT),
]
Plain = Annotated[bool, typer.Option("--plain", help="Tab-separated lines, no boxes or bars.", rich_help_panel=OUTPUT)]
Color = Annotated[
    Literal["auto", "always", "never"],
    typer.Option("--color", help="Colour on the terminal; NO_COLOR is honoured.", rich_help_panel=OUTPUT),
]
EvidenceDirectory = Annotated[
    Path | None,
    typer.Option("--evidence", metavar="DIR", help="Another evidence directory.", rich_help_panel=OUTPUT),
]


@compare_app.command(cls=ProfileCommand)
@with_profile_options
@report_errors
def compare(
    profile: ProfileArgument = None,
    example: ExampleName = None,
    ask: Ask = False,
    setting: Setting = "real-world",
    products: Products = False,
    explain: Explain = None,
    sources: Sources = False,
    as_json: AsJson = False,
    html: Html = None,
    plain: Plain = False,
    color: Color = "auto",
    evidence: EvidenceDirectory = None,
    *,
    options: dict[str, str],
) -> None:
    """Compare BCMA CAR-T with BCMAxCD3 bispecific antibodies for one patient.

    Everything about the patient may be unknown: unknown traits are averaged over patients of the evidence who are
    alike in what is known, and the answer says how far each could move it.
    """
    from bcma_decide.assemble import compare as compare_patient
    from bcma_decide.assemble import load_model

    for outcome in explain or ():
        if outcome not in OUTCOMES:
            raise typer.BadParameter(
                f"{outcome!r} is not an outcome; one of {', '.join(OUTCOMES)}", param_hint="--explain"
            )
    nothing_given = profile is None and example is None and not options
    if nothing_given and not ask and not sys.stdin.isatty():
        raise typer.BadParameter(
            "no patient: give a PROFILE, --example NAME, single options, or --ask", param_hint="PROFILE"
        )
    model = load_model(evidence)
    if ask or nothing_given:
        from bcma_decide.cli.ask import Left, ask_patient

        try:
            patient = ask_patient(definitions=model.definitions)
        except Left:
            raise typer.Exit(0) from None
    else:
        patient = patient_from_sources(profile, example, options, model.definitions)
    design: Design = "interventional" if setting == "trial" else "real_world"
    comparison = compare_patient(patient, setting=design, explain=explain or (), name=example, model=model)
    if html is not None:
        _write_html(comparison, html)
    if as_json:
        sys.stdout.write(comparison.model_dump_json(indent=2) + "\n")
        return
    from bcma_decide.render.terminal import render_comparison, render_explanation

    console = _console(color)
    render_comparison(comparison, console, products=products, sources=sources, plain=plain)
    for outcome in explain or ():
        console.print()
        render_explanation(comparison, outcome, console, products=products)


def _console(color: str) -> Console:
    from rich.console import Console

    if color == "auto":
        return Console(highlight=False)
    return Console(highlight=False, force_terminal=color == "always", no_color=color == "never")


def _write_html(comparison: Comparison, path: Path) -> None:
    from bcma_decide.errors import EXIT_USAGE
    from bcma_decide.render.html import render_html

    try:
        path.write_text(render_html(comparison), encoding="utf-8")
    except OSError as error:
        typer.echo(f"{path}: cannot be written: {error.strerror or error}", err=True)
        raise typer.Exit(EXIT_USAGE) from None
    typer.echo(f"wrote {path}", err=True)
