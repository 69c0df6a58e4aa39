"""``bcma-decide compare``."""

from __future__ import annotations

import sys
from datetime import date as Day  # noqa: N812  # a parameter is called date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bcma_decide.cli import EPILOG
from bcma_decide.cli.errors import report_errors
from bcma_decide.cli.profile_options import ExampleName, ProfileCommand, patient_from_sources, with_profile_options
from bcma_decide.vocabulary import DEFAULT_REGION, OUTCOMES, Design

if TYPE_CHECKING:
    from rich.console import Console

    from bcma_decide.comparison import Comparison

compare_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

RESULT = "What is shown"
OUTPUT = "How it is shown"

ProfileArgument = Annotated[
    str | None,
    typer.Argument(metavar="PROFILE", help="Profile of the patient, YAML or JSON; - reads standard input."),
]
Setting = Annotated[
    Literal["real-world", "trial"],
    typer.Option("--setting", help="Expect the results of ordinary care or of trials.", rich_help_panel=RESULT),
]
Explain = Annotated[
    list[str] | None,
    typer.Option(
        "--explain", metavar="OUTCOME", rich_help_panel=RESULT,
        help="Show what is behind an outcome: steps to this patient, trait effects, studies, weights. Repeatable. "
        f"OUTCOME is one of {', '.join(OUTCOMES)}.",
        autocompletion=lambda: list(OUTCOMES),
    ),
]  # fmt: skip
Region = Annotated[
    str,
    typer.Option(
        "--region", metavar="REGION", rich_help_panel=RESULT, autocompletion=lambda: ["US", "EU", "China"],
        help="Whose labels and regional rules to judge: US, EU, China and others of the evidence.",
    ),
]  # fmt: skip
Date = Annotated[
    str | None,
    typer.Option(
        "--date", metavar="YYYY-MM-DD", rich_help_panel=RESULT,
        help="As of which day to judge labels and rules; default the date of the evidence.",
    ),
]  # fmt: skip
Products = Annotated[
    bool,
    typer.Option("--products", metavar="", help="Add the products to the classes.", rich_help_panel=RESULT),
]
Sources = Annotated[bool, typer.Option("--sources", metavar="", help="Add the references.", rich_help_panel=RESULT)]
Ask = Annotated[
    bool,
    typer.Option(
        "--ask", metavar="", help="Ask for every field on the terminal.", rich_help_panel="Where the patient comes from"
    ),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", metavar="", help="Print the comparison as one JSON document, nothing else.", rich_help_panel=OUTPUT
    ),
]
Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Also write a self-contained HTML page.", rich_help_panel=OUTPUT),
]
Plain = Annotated[
    bool,
    typer.Option("--plain", metavar="", help="Tab-separated lines, no boxes or bars.", rich_help_panel=OUTPUT),
]
Color = Annotated[
    Literal["auto", "always", "never"],
    typer.Option("--color", help="Colour on the terminal; NO_COLOR is honoured.", rich_help_panel=OUTPUT),
]
EvidenceDirectory = Annotated[
    Path | None,
    typer.Option(
        "--evidence", metavar="DIR", help="Another evidence directory, with its pooled.json.", rich_help_panel=RESULT
    ),
]


@compare_app.command(cls=ProfileCommand, epilog=EPILOG)
@with_profile_options
@report_errors
def compare(
    profile: ProfileArgument = None,
    example: ExampleName = None,
    ask: Ask = False,
    setting: Setting = "real-world",
    region: Region = DEFAULT_REGION,
    date: Date = None,
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

    The patient comes from a profile file, a shipped example, single options (which override both), or questions.

    Anything may be unknown: it is averaged over, never taken as normal, and what it could change is shown.

    Example: bcma-decide compare --age 71 --prior-lines 4 --extramedullary-disease yes --explain orr
    """
    from bcma_decide.assemble import compare as compare_patient
    from bcma_decide.assemble import load_model

    for outcome in explain or ():
        if outcome not in OUTCOMES:
            raise typer.BadParameter(
                f"{outcome!r} is not an outcome; one of {', '.join(OUTCOMES)}", param_hint="--explain"
            )
    day = read_day(date)
    asking = _asks(ask, profile, example, options)
    model = load_model(evidence)
    if asking:
        from bcma_decide.cli.ask import Left, ask_patient

        try:
            patient = ask_patient(definitions=model.definitions)
        except Left:
            raise typer.Exit(0) from None
    else:
        patient = patient_from_sources(profile, example, options, model.definitions)
    design: Design = "interventional" if setting == "trial" else "real_world"
    comparison = compare_patient(
        patient, setting=design, region=region, date=day, explain=explain or (), name=example, model=model
    )
    if html is not None:
        _write_html(comparison, html)
    if as_json:
        sys.stdout.write(comparison.model_dump_json(indent=2) + "\n")
        return
    from bcma_decide.render.terminal import render_comparison, render_explanation

    console = _console(color)
    render_comparison(comparison, console, products=products, sources=sources, plain=plain)
    for outcome in explain or ():
        if not plain:
            console.print()
        render_explanation(comparison, outcome, console, products=products, plain=plain)


def _asks(ask: bool, profile: str | None, example: str | None, options: dict[str, str]) -> bool:
    """Whether to ask for the patient; refuses two patients at once, none at all, and questions to no one."""
    if profile is not None and example is not None:
        raise typer.BadParameter("two patients: give either a PROFILE or --example", param_hint="--example")
    given = profile is not None or example is not None or bool(options)
    if ask and given:
        raise typer.BadParameter("asks for every field: give no other patient with it", param_hint="--ask")
    if given:
        return False
    if sys.stdin is None or not sys.stdin.isatty():
        raise typer.BadParameter(
            "no terminal to ask on"
            if ask
            else "no patient: give a PROFILE (- for standard input), --example NAME, single options, or --ask",
            param_hint="--ask" if ask else "PROFILE",
        )
    return True


def read_day(text: str | None) -> Day | None:
    """Read a day of the calendar; anything else is a usage error."""
    if text is None:
        return None
    try:
        return Day.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day; write it as 2026-11-25", param_hint="--date") from None


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
