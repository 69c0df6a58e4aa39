"""``bcma-decide template`` and ``bcma-decide examples``: profile files to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bcma_decide.cli.errors import report_errors

template_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
examples_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

EvidenceDirectory = Annotated[
    Path | None, typer.Option("--evidence", metavar="DIR", help="Another evidence directory.")
]


@template_app.command()
@report_errors
def template(evidence: EvidenceDirectory = None) -> None:
    """Write an empty profile as YAML: every field with its definition, unit and why it matters, all unknown.

    Fill in what is known and run: bcma-decide compare profile.yaml
    """
    from bcma_decide.assemble import load_model
    from bcma_decide.profile_io import template as profile_template

    typer.echo(profile_template(load_model(evidence).definitions), nl=False)


@examples_app.command()
@report_errors
def examples(
    show: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Print this example's profile file.")] = None,
) -> None:
    """List the shipped example patients (all fictional), or print the profile of one.

    Run one with: bcma-decide compare --example NAME
    """
    from bcma_decide.profile_io import describe_example, example_names, example_path

    if show is not None:
        typer.echo(example_path(show).read_text(encoding="utf-8"), nl=False)
        return
    names = example_names()
    width = max(map(len, names))
    for name in names:
        typer.echo(f"{name:<{width}}  {describe_example(name)}")
