"""Help of a command that takes a patient: short, with the fields as a list by group; in full with ``--help-all``."""

from __future__ import annotations

import sys
from textwrap import wrap
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand

from bcma_decide.cli.output import say
from bcma_decide.patient.fields import FIELDS, PANELS

_KEPT: Final = "\N{NO-BREAK SPACE}"
ALL: Final = "bcma_decide.help_all"
"""Key in the context: whether every field is explained."""


def _show_all(ctx: typer.Context, value: bool) -> None:
    if value:
        ctx.meta[ALL] = True
        say(ctx.get_help(), nl=False)
        raise typer.Exit


HelpAll = Annotated[
    bool,
    typer.Option(
        "--help-all", metavar="", is_eager=True, callback=_show_all,
        help="This with every field of the patient explained.",
    ),
]  # fmt: skip


def write_help(command: TyperCommand, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  # types of the library
    """Write the help, and unless all was asked for the patient's fields as a list instead of a panel each."""
    short = not ctx.meta.get(ALL)
    metavars = {}
    for parameter in command.params:
        if parameter.name in FIELDS:
            parameter.hidden = short  # type: ignore[attr-defined]
            metavars[parameter.name] = str(parameter.metavar)
    epilog = command.epilog
    if short:
        command.epilog = None
    TyperCommand.format_help(command, ctx, formatter)
    if short:
        _write_fields(metavars, epilog or "")


def _write_fields(metavars: dict[str, str], epilog: str) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from bcma_decide.render.terminal.console import Console

    console = Console(file=sys.stdout, highlight=False)
    numbers = [field for field in FIELDS.values() if not field.findings_only]
    console.print(Text(" The patient (all of it may be left out or 'unknown'; explained by --help-all)", "bold"))
    for panel in PANELS:
        named = "  ".join(f"{f.option}{_KEPT}{metavars[f.id]}" for f in numbers if f.panel == panel)
        if named:
            lines = wrap(f"{panel}: {named}", console.width - 1, initial_indent="  ", subsequent_indent="    ",
                         break_on_hyphens=False, break_long_words=False)  # fmt: skip
            console.print(Text("\n".join(lines).replace(_KEPT, " ")))
    rest = len(FIELDS) - len(numbers)
    more = f"and {rest} fields that findings and labels alone depend on: --help-all, or bcma-decide template"
    console.print(Padding(Text(more, "dim"), (0, 1, 1, 2)))
    console.print(Padding(Text(epilog, "dim"), (0, 1, 0, 1)))
