"""``bcma-decide reports``: everything in ``reports/``, by one command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bcma_decide.cli.errors import report_errors
from bcma_decide.cli.output import say
from bcma_decide.cli.table import EPILOG

if TYPE_CHECKING:
    from bcma_decide.workshop.reports import Report

reports_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

DIFFERS: Final = 1
"""Exit code where a file is not the one written today, or could not be written."""


@reports_app.command(epilog=EPILOG)
@report_errors
def reports(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go; made if it is not there.")] = Path(
        "reports"
    ),
    check: Annotated[
        bool,
        typer.Option(
            "--check", metavar="", help="Write nothing; list the files that differ and end with code 1 if any."
        ),
    ] = False,
) -> None:
    """Write the sheets of the examples, their pictures, the report of the evidence and the schema of a comparison.

    The same evidence gives the same bytes, with the same version of the PDF libraries. A file whose parts are not
    installed is left as it is, and the exit code is 1.

    Example: bcma-decide reports --check
    """
    from bcma_decide.workshop.reports import reports as all_reports

    if check:
        _check(folder, all_reports())
    else:
        _write(folder, all_reports())


def _write(folder: Path, wanted: tuple[Report, ...]) -> None:
    from bcma_decide.cli.sheets import make_folder, write

    make_folder(folder)
    left = 0
    for report in wanted:
        path = folder / report.name
        if needed := report.missing():
            say(f"left {path}: install: {needed}", err=True)
            left += 1
        else:
            write(path, _made(report), inside=folder)
            say(f"wrote {path}")
    if left:
        raise typer.Exit(DIFFERS)


def _check(folder: Path, wanted: tuple[Report, ...]) -> None:
    """Compare with what would be written; of what another program draws, only that it is there."""
    differing = 0
    for report in wanted:
        path = folder / report.name
        if not path.is_file():
            say(f"{path}: is not there")
            differing += 1
        elif report.settled and (needed := report.missing()):
            say(f"not checked {path}: install: {needed}", err=True)
        elif report.settled and path.read_bytes() != _made(report):
            say(f"{path}: differs from what is written today")
            differing += 1
    if differing:
        say(f"{differing} of {len(wanted)} files; write them with: bcma-decide reports {folder}", err=True)
        raise typer.Exit(DIFFERS)


def _made(report: Report) -> bytes:
    """Make a file, which is named on a terminal meanwhile."""
    from bcma_decide.render.terminal.console import Console

    with Console(stderr=True).status(report.name):
        return report.make()
