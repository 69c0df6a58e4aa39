"""``bcma-decide evidence validate``: how good the numbers are, measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bcma_decide.cli.errors import report_errors
from bcma_decide.cli.output import say
from bcma_decide.vocabulary import OUTCOMES

if TYPE_CHECKING:
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.workshop.validation.shapes import Validation

DEFAULT: Final = Path("reports") / "validation.html"


@report_errors
def validate(
    outcome: Annotated[
        list[str] | None,
        typer.Option(
            "--outcome",
            help="Only this outcome, left out study by study; may be repeated. Nothing is written then.",
            autocompletion=lambda: list(OUTCOMES),
        ),
    ] = None,
    patients: Annotated[
        Path | None,
        typer.Option(
            "--patients",
            metavar="FILE",
            help="Only these patients of yours, a CSV file: option, outcomes (1, 0, empty), fields of a profile.",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "--workers", min=1, help="Processes, by default one for each processor; the result is the same."
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the page goes.")] = DEFAULT,
    evidence: Annotated[
        Path | None, typer.Option("--evidence", metavar="DIR", help="Directory of the evidence files.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", metavar="", help="Print the whole result as JSON and write nothing.")
    ] = False,
) -> None:
    """Measure how good the numbers are; a minute or two on two cores.

    Every study is left out with all that shares patients or a trial with it, and predicted from the others.

    Three simpler predictors are refitted beside the model in the same run.

    Then: contrasts of traits, later studies from earlier ones, a product's own data, other assumptions, known figures.

    The aims stand beside what was reached; one that is not met is a result and no error: the exit code stays 0.

    Writes validation.json beside the evidence and the page drawn from it; the same evidence gives the same bytes.

    Examples: bcma-decide evidence validate; bcma-decide evidence validate --outcome orr --json

    How to read it: bcma-decide guide validation
    """
    import os

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from bcma_decide.pooled.location import evidence_directory
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.workshop.validation.history import load_history
    from bcma_decide.workshop.validation.page import validation_page
    from bcma_decide.workshop.validation.stored import stored_text
    from bcma_decide.workshop.validation.validate import FILE
    from bcma_decide.workshop.validation.validate import validate as run

    directory = evidence_directory(evidence)
    if patients is not None:
        _patients(patients, directory, as_json=as_json)
        return
    history = load_history(directory)
    columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading the evidence", total=None)

        def step(label: str, total: int) -> None:
            progress.update(task, description=label, total=total, advance=1)

        validation = run(directory, outcomes=outcome or (), workers=jobs or os.cpu_count() or 1, progress=step)
    if as_json:
        say(stored_text(validation), nl=False)
        return
    _print_summary(validation, Console(highlight=False))
    if not outcome:
        _write(directory / FILE, stored_text(validation))
        _write(output, validation_page(validation, history))


def _patients(path: Path, directory: Path, *, as_json: bool) -> None:
    """Score a table of patients and print what was found; nothing of it is kept."""
    from dataclasses import asdict

    from rich.table import Table

    from bcma_decide.cli.output import print_json
    from bcma_decide.pooled.file import read_pooled
    from bcma_decide.pooled.location import pooled_path
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.workshop.validation.patients import read_patients, score_patients
    from bcma_decide.workshop.validation.words import percent

    pooled = read_pooled(pooled_path(directory))
    scores = list(score_patients(read_patients(path, pooled), pooled))
    if as_json:
        print_json([asdict(each) for each in scores])
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("outcome")
    table.add_column("predicted by")
    for column in ("patients", "had it", "expected", "area", "Brier"):
        table.add_column(column, justify="right", no_wrap=True)
    for each in scores:
        area = "-" if each.auc is None else f"{each.auc:.3f}"
        had, expected = percent(each.events / each.patients), percent(each.expected)
        table.add_row(each.outcome, each.predictor, str(each.patients), had, expected, area, f"{each.brier:.3f}")
    Console(highlight=False).print(table)


def _print_summary(validation: Validation, console: Console) -> None:
    """The predictors side by side, then the aims."""
    from rich.table import Table
    from rich.text import Text

    from bcma_decide.workshop.validation.predictors import LABELS
    from bcma_decide.workshop.validation.words import decimal, percent

    summaries = validation.groups[0].summaries
    table = Table(
        box=None, pad_edge=False, title=f"{summaries[0].rows} arm totals left out, percent", title_justify="left"
    )
    table.add_column("predictor")
    for column in ("error", "slope", "50/80/95 %", "width", "Winkler", "log score"):
        table.add_column(column, justify="right", no_wrap=True)
    for each in summaries:
        table.add_row(
            Text(LABELS[each.predictor]),
            percent(each.mae),
            "-" if each.slope is None else f"{each.slope:.2f}",
            "/".join(f"{100 * share:.0f}" for share in each.coverage),
            percent(each.width),
            decimal(each.winkler),
            decimal(each.log_score),
        )
    console.print(table)
    if validation.aims:
        aims = Table(box=None, pad_edge=False, title="\nAims", title_justify="left", show_header=False)
        for aim in validation.aims:
            aims.add_row("met" if aim.met else "not met", Text(aim.text), Text(aim.reached))
        console.print(aims)
    if validation.own_data:
        agreeing = sum(check.agrees for check in validation.own_data)
        inside = sum(band.inside for band in validation.bands)
        console.print(f"\nOwn data: {agreeing} of {len(validation.own_data)} products and outcomes agree")
        console.print(f"Published figures: {inside} of {len(validation.bands)} inside their band")


def _write(path: Path, text: str) -> None:
    from bcma_decide.errors import EvidenceError, Problem

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        problem = Problem("", error.strerror or "cannot be written", "name another folder", str(path))
        raise EvidenceError("the validation cannot be written", [problem]) from None
    say(f"wrote {path}")
