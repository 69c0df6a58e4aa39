"""``bcma-decide cohort``: a whole registry at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bcma_decide.cli.compare import Date, EvidenceDirectory, Region, Setting
from bcma_decide.cli.errors import report_errors
from bcma_decide.cli.output import say
from bcma_decide.cli.record_options import Infer
from bcma_decide.cli.sheets import split
from bcma_decide.cli.table import EPILOG
from bcma_decide.errors import EXIT_INVALID_INPUT
from bcma_decide.vocabulary import DEFAULT_REGION

if TYPE_CHECKING:
    from bcma_decide.cohort.question import CohortQuestion
    from bcma_decide.cohort.run import CohortDone, Told
    from bcma_decide.cohort.tables import Table

cohort_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

EXIT_INTERRUPTED: Final = 130
_FINDINGS: Final = 20
"""On the terminal, the most frequent ones; all are in the file of --summary."""
INSTALL: Final = 'pip install "bcma-decide[cohort]"'

In = Annotated[
    Path,
    typer.Argument(metavar="IN", help="Parquet, Arrow, CSV, lines of JSON (ndjson), or an export of FHIR: a file or "
                   "folder of ndjson."),
]  # fmt: skip
Out = Annotated[Path, typer.Argument(metavar="OUT.parquet", help="Where the answers go, a row for each row.")]
Id = Annotated[str, typer.Option("--id", metavar="COLUMN", help="The column that names the patients; default: id.")]
Carry = Annotated[
    list[str] | None, typer.Option("--carry", metavar="COLUMN", help="A column to pass through. Repeatable.")
]
Others = Annotated[
    bool, typer.Option("--ignore-others", metavar="", help="Leave columns aside that are no field of a profile.")
]
MappingFile = Annotated[
    Path | None,
    typer.Option("--mapping", metavar="FILE", help="YAML: which column is which field, its unit, what its words mean."),
]
Rejects = Annotated[
    Path | None,
    typer.Option("--rejects", metavar="FILE", help="Rows that cannot be used, with field, reason and what to do; "
                 "default: OUT.parquet.rejects.csv."),
]  # fmt: skip
SummaryFile = Annotated[Path | None, typer.Option("--summary", metavar="FILE", help="Write the summary as JSON too.")]
Workers = Annotated[int, typer.Option("--workers", min=1, metavar="N", help="Processes on this machine.")]


@cohort_app.command(epilog=EPILOG)
@report_errors
def cohort(
    table: In,
    out: Out,
    id: Id = "",  # as the option is called
    carry: Carry = None,
    ignore_others: Others = False,
    mapping: MappingFile = None,
    infer: Infer = False,
    setting: Setting = "real-world",
    region: Region = DEFAULT_REGION,
    date: Date = None,
    evidence: EvidenceDirectory = None,
    workers: Workers = 1,
    rejects: Rejects = None,
    summary: SummaryFile = None,
) -> None:
    r"""Answer for every patient of a table: the numbers of compare, findings, labels, what is unknown.

    Each column is a field of the profile (bcma-decide template lists them), with the unit of its numbers in brackets:
    age, emd, creatinine \[mg/dL]. An empty cell is unknown. A row that cannot be used gets no number; it is listed in
    the rejects, and the exit code is 3. A run that was stopped, even killed, goes on with the same command.

    Example: bcma-decide cohort registry.csv answers.parquet --id patient --workers 4

    Of records: bcma-decide cohort export/ answers.parquet --date 2026-11-30

    What the columns mean, and how it runs on a cluster: bcma-decide guide cohort
    """
    _check_installed()
    from bcma_decide.cli.answer import read_day, read_design, warn_if_old
    from bcma_decide.cohort.question import CohortQuestion
    from bcma_decide.cohort.run import CohortOrder, parts_beside, run_cohort
    from bcma_decide.cohort.tables import open_table
    from bcma_decide.comparing.compare import check_region, load_pooled

    _check_out(out, table)
    pooled = load_pooled(evidence)
    asked = CohortQuestion(
        (), (), setting=read_design(setting), region=check_region(pooled, region), date=read_day(date), infer=infer,
        evidence=evidence,
    )  # fmt: skip
    if asked.date is None:
        warn_if_old(pooled)
    opened = open_table(table, parts_beside(out).folder)
    question = _with_columns(asked, opened, mapping, id, tuple(split(carry) or ()), others=ignore_others)
    rejects = rejects or out.with_name(f"{out.name}.rejects.csv")
    order = CohortOrder(opened, question, out, rejects, workers)
    try:
        with _progress(opened.rows) as told:
            done = run_cohort(order, told)
    except KeyboardInterrupt:
        say(f"stopped: the same command goes on where it was, from {order.parts.folder}", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    if summary is not None:
        summary.write_text(json.dumps(done.summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    _report(done, out, rejects)


def _check_installed() -> None:
    from importlib.util import find_spec

    if find_spec("pyarrow") is None:
        raise typer.BadParameter(f"tables need a part that is not installed: {INSTALL}", param_hint="IN")


def _check_out(out: Path, table: Path) -> None:
    if out.suffix.lower() != ".parquet":
        raise typer.BadParameter(f"{out} does not end in .parquet", param_hint="OUT.parquet")
    if out.is_dir() or out.resolve() == table.resolve():
        raise typer.BadParameter(f"{out} is the input or a folder: name another file", param_hint="OUT.parquet")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"{out.parent} is not a folder", param_hint="OUT.parquet")


def _with_columns(
    question: CohortQuestion, table: Table, mapping: Path | None, named: str, carry: tuple[str, ...], *, others: bool
) -> CohortQuestion:
    """The question with the columns of the table; raises ProfileError where they cannot be used."""
    from bcma_decide.cohort.question import (
        ID,
        NOTHING_MAPPED,
        RECORD,
        Column,
        choose_columns,
        read_mapping,
        units_left_out,
        with_columns,
    )
    from bcma_decide.errors import ProfileError

    if table.records:
        if mapping or named or carry:
            raise typer.BadParameter("records have no columns to choose", param_hint="--mapping, --id, --carry")
        return with_columns(question, (Column(RECORD, RECORD),), (ID,))
    if question.infer:
        raise typer.BadParameter("belongs to records: give an export of FHIR", param_hint="--infer")
    mapped = read_mapping(mapping) if mapping else NOTHING_MAPPED
    chosen = with_columns(question, *choose_columns(table.schema.names, mapped, id=named, carry=carry, others=others))
    if problems := units_left_out(chosen, table.numeric):
        raise ProfileError("the columns of the table cannot be used", problems)
    return chosen


@contextmanager
def _progress(rows: int) -> Iterator[Told]:
    """A bar with rows a second and the time left on a terminal; elsewhere nothing."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    from bcma_decide.render.terminal.console import Console

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda _rows, _before: None
        return

    class Rate(TextColumn):
        """Rows a second."""

        def render(self, task: Any) -> Text:  # noqa: ANN401  # as the library has it
            return Text(f"{task.speed:,.0f} rows/s" if task.speed else "")

    columns = (BarColumn(), MofNCompleteColumn(), Rate(""), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=rows or None)

        def told(count: int, before: bool) -> None:
            if before:  # done by an earlier run: no part of the rate of this one
                progress.reset(bar, total=rows or None, completed=int(progress.tasks[0].completed) + count)
            else:
                progress.advance(bar, count)

        yield told


def _report(done: CohortDone, out: Path, rejects: Path) -> None:
    """The summary on the terminal; exit code 3 where a row could not be used."""
    from bcma_decide.render.terminal.console import Console

    console = Console(highlight=False)
    for each in _tables(done.summary):
        console.print(each)
    say(f"wrote {out}: {done.summary['rows']['answered']:,} rows answered, {done.rejected:,} not used", err=True)
    if done.rejected:
        say(f"rows not used are in {rejects}, each with its field, the reason and what to do", err=True)
        raise typer.Exit(EXIT_INVALID_INPUT)


def _tables(summary: dict[str, Any]) -> Iterator[Any]:
    from rich.table import Table as Drawn

    from bcma_decide.vocabulary import CLASS_LABELS, OUTCOMES, PFS_FAMILY, THRESHOLDS

    labels = {outcome: THRESHOLDS[outcome].label for outcome in OUTCOMES}
    labels |= {PFS_FAMILY.id: f"{PFS_FAMILY.label}, 12 months"}
    drawn = Drawn(
        "Outcome, of 100 patients", "Class", title="Patients by what is expected of them", title_justify="left"
    )
    for level in ("5 %", "25 %", "median", "75 %", "95 %", "no number"):
        drawn.add_column(level, justify="right")
    for outcome, classes in summary["outcomes"].items():
        for option, found in classes.items():
            given = found["states"].get("estimated", {}).get("rows", 0)
            left = summary["rows"]["answered"] - given
            shown = [f"{100 * value:.1f}" for value in found["quantiles"].values()] or [""] * 5
            drawn.add_row(labels[outcome], CLASS_LABELS[option][0], *shown, f"{left:,}" if left else "")
    yield drawn
    drawn = Drawn("Label", title="Labels, share of patients", title_justify="left")
    for state in ("met", "not_met", "cannot_be_judged"):
        drawn.add_column(state.replace("_", " "), justify="right")
    for label, states in summary["labels"].items():
        shares = (states.get(state, {}).get("share", 0.0) for state in ("met", "not_met", "cannot_be_judged"))
        drawn.add_row(label.replace(".", " ").replace("_", " "), *(f"{100 * share:.1f} %" for share in shares))
    yield drawn
    drawn = Drawn("Finding that fires", title="The most frequent findings, share of patients", title_justify="left")
    drawn.add_column("share", justify="right")
    most = sorted(summary["findings"].items(), key=lambda item: (-item[1]["rows"], item[0]))
    for name, found in most[:_FINDINGS]:
        drawn.add_row(name, f"{100 * found['share']:.1f} %")
    yield drawn
