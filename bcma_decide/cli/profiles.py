"""``bcma-decide template`` and ``bcma-decide examples``: profile files to start from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bcma_decide.cli.errors import report_errors
from bcma_decide.cli.output import print_listing, say
from bcma_decide.cli.table import EPILOG

template_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
examples_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

EvidenceDirectory = Annotated[
    Path | None, typer.Option("--evidence", metavar="DIR", help="Another evidence directory, with its pooled.json.")
]


@template_app.command()
@report_errors
def template(
    weights: Annotated[
        bool, typer.Option("--weights", metavar="", help="Write an example of weights instead: compare --weights FILE.")
    ] = False,
    evidence: EvidenceDirectory = None,
) -> None:
    """Write an empty profile as YAML: every field with its definition, unit and why it matters, all unknown.

    Fill in what is known and run: bcma-decide compare profile.yaml
    """
    from bcma_decide.comparing.compare import load_pooled

    if weights:
        from bcma_decide.patient.weights_files import weights_template
        from bcma_decide.pooled.criteria import criteria_of

        say(weights_template(criteria_of(load_pooled(evidence))), nl=False)
        return
    from bcma_decide.patient.files import template as profile_template

    say(profile_template(load_pooled(evidence).definitions), nl=False)


def _names() -> list[str]:
    from bcma_decide.patient.files import example_names

    return list(example_names())


@examples_app.command(epilog=EPILOG)
@report_errors
def examples(
    show: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Print this example's profile file.", autocompletion=_names),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FOLDER", help="Write the sheets of all, or of NAME, here: HTML and PDF, English, A4."
        ),
    ] = None,
) -> None:
    """List the shipped example patients (all fictional), print the profile of one, or write their sheets.

    Run one with: bcma-decide compare --example NAME

    Example: bcma-decide examples --out sheets
    """
    from bcma_decide.patient.files import describe_example, example_names, example_path

    if out is not None:
        _write_sheets(example_names() if show is None else (show,), out)
        return
    if show is not None:
        say(example_path(show).read_text(encoding="utf-8"), nl=False)
        return
    print_listing({name: describe_example(name) for name in example_names()})


def _write_sheets(names: Sequence[str], out: Path) -> None:
    """Write the sheets of examples for every audience."""
    from bcma_decide.cli.batch import Order, report, write_all
    from bcma_decide.cli.sheets import audiences, check_pdf, read_sheet
    from bcma_decide.cli.tasks import Task
    from bcma_decide.comparing.compare import load_pooled
    from bcma_decide.patient.files import example_path

    tasks = [Task(example_path(name), name, example=name) for name in names]
    check_pdf("write single pages with compare --example NAME --html")
    sheets = tuple(read_sheet(each) for each in audiences(["both"]))
    report(write_all(tasks, Order(out, sheets, load_pooled())))
