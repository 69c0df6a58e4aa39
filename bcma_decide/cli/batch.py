"""``bcma-decide batch``: the sheets of every profile or FHIR bundle in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date as Day  # noqa: N812  # a parameter is called date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from bcma_decide.cli.compare import CountedFrom, Date, EvidenceDirectory, Region, Setting
from bcma_decide.cli.errors import report_errors
from bcma_decide.cli.output import say
from bcma_decide.cli.record_options import Infer
from bcma_decide.cli.sheets import (
    ForAudiences,
    Icons,
    InLanguage,
    OnPaper,
    Rows,
    Site,
    audiences,
    check_known,
    check_pdf,
    make_folder,
    read_sheet,
    split,
    write,
)
from bcma_decide.cli.table import EPILOG
from bcma_decide.cli.tasks import Task, read_bundle_of, tasks_of
from bcma_decide.errors import EXIT_INVALID_INPUT, BcmaDecideError, Problem, one_line
from bcma_decide.vocabulary import DEFAULT_REGION

if TYPE_CHECKING:
    from bcma_decide.cli.records import FromRecord
    from bcma_decide.comparison import Comparison
    from bcma_decide.pooled.evidence import PooledEvidence
    from bcma_decide.render.sheet.sheet import Sheet
    from bcma_decide.time_course import Clock
    from bcma_decide.vocabulary import Design

batch_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Format = Literal["html", "pdf", "json"]
FORMATS: Final[tuple[Format, ...]] = ("html", "pdf", "json")
SHEETS: Final[tuple[Format, ...]] = ("html", "pdf")
"""What is written when nothing else is asked for."""
EXIT_INTERRUPTED: Final = 130

Folder = Annotated[
    Path,
    typer.Argument(
        metavar="FOLDER", help="Folder with profiles, *.yaml, *.yml and *.json, or with bundles; not those below it."
    ),
]
Fhir = Annotated[
    bool,
    typer.Option(
        "--fhir",
        metavar="",
        help="The folder holds FHIR R4 Bundles of one patient each: *.json, and *.ndjson with one on every line. Ages "
        "are counted to --date, else to the newest date in each.",
    ),
]
Out = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where the files go; made if it is not there.")]
Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format", metavar="|".join(FORMATS), autocompletion=lambda: list(FORMATS),
        help="A kind of file to write; default html and pdf. Repeatable.",
    ),
]  # fmt: skip
AsSummary = Annotated[
    bool, typer.Option("--json", metavar="", help="Print as JSON which files were written and what failed.")
]


@dataclass(frozen=True)
class Order:
    """What is written for every patient, and where."""

    out: Path
    sheets: tuple[Sheet, ...]
    pooled: PooledEvidence
    formats: tuple[Format, ...] = SHEETS
    setting: Design = "real_world"
    region: str = DEFAULT_REGION
    day: Day | None = None
    fhir: bool = False
    """Whether the patients are FHIR bundles, and whether lines of therapy are inferred from them."""
    infer: bool = False
    clock: Clock = "infusion"


@dataclass
class Done:
    """Files written so far, and the problems of each profile that failed."""

    written: list[Path] = field(default_factory=list)
    failed: dict[Task, tuple[Problem, ...]] = field(default_factory=dict)
    profiles: int = 0
    interrupted: bool = False


@batch_app.command(epilog=EPILOG)
@report_errors
def batch(
    folder: Folder,
    out: Out,
    fhir: Fhir = False,
    infer: Infer = False,
    formats: Formats = None,
    audience: ForAudiences = None,
    paper: OnPaper = None,
    lang: InLanguage = None,
    rows: Rows = None,
    icons: Icons = None,
    site: Site = None,
    setting: Setting = "real-world",
    counted_from: CountedFrom = "infusion",
    region: Region = DEFAULT_REGION,
    date: Date = None,
    evidence: EvidenceDirectory = None,
    as_json: AsSummary = False,
) -> None:
    """Write the sheets of every profile in a folder, named after the profile: patient-07.clinician.pdf.

    A profile that cannot be used is named at the end with its field, and the exit code is 3; the others are written.

    Example: bcma-decide batch profiles --out sheets --audience both --format pdf

    Of records, one in a file or one on a line: bcma-decide batch bundles --fhir --out results --format json
    """
    from bcma_decide.cli.answer import read_day, read_design, warn_if_old
    from bcma_decide.comparing.compare import check_region, load_pooled

    if infer and not fhir:
        raise typer.BadParameter("belongs to records: give --fhir with it", param_hint="--infer")
    tasks = tasks_of(folder, fhir=fhir)
    kinds = _formats(formats)
    day = read_day(date)
    design = read_design(setting)
    sheets = tuple(read_sheet(each, paper, lang, rows, icons, site=site) for each in audiences(audience))
    if "json" in kinds and out.resolve() == folder.resolve():
        raise typer.BadParameter("the JSON would be read as profiles the next time: name another", param_hint="--out")
    if "pdf" in kinds:
        check_pdf("go on with --format html")
    pooled = load_pooled(evidence)
    region = check_region(pooled, region)
    if day is None:
        warn_if_old(pooled)
    order = Order(out, sheets, pooled, kinds, design, region, day, fhir, infer, counted_from)
    done = write_all(tasks, order)
    report(done, as_json=as_json)


def _formats(asked: Sequence[str] | None) -> tuple[Format, ...]:
    wanted = split(asked) or SHEETS
    check_known(wanted, FORMATS, "--format")
    return tuple(each for each in FORMATS if each in wanted)


def write_all(tasks: Sequence[Task], order: Order) -> Done:
    """Write every patient's files; one that cannot be used leaves none and stops no other.

    Raises
    ------
    SheetError
        When the folder cannot be made or is read-only.
    """
    make_folder(order.out)
    done = Done()
    try:
        with _progress(tasks) as turns:
            for task in turns:
                _one(task, order, done)
    except KeyboardInterrupt:
        done.interrupted = True
    return done


def _one(task: Task, order: Order, done: Done) -> None:
    from bcma_decide.comparing.compare import answer_question
    from bcma_decide.comparing.question import Question
    from bcma_decide.patient.files import read_profile

    try:
        record = _record(task, order) if order.fhir else None
        question = Question(
            patient=record.patient if record else read_profile(task.file, order.pooled.definitions),
            setting=order.setting,
            region=order.region,
            date=order.day,
            clock=order.clock,
            name=task.example,
            record=record.ledger if record else None,
        )
        comparison = answer_question(question, order.pooled)
        pages = dict(_pages(task, order, comparison))
        for path, content in pages.items():
            write(path, content, inside=order.out)
            done.written.append(path)
    except BcmaDecideError as error:
        done.failed[task] = error.problems or (Problem("", error.message),)
    except Exception as error:  # a fault of this program or of a library: the other patients' sheets go on
        done.failed[task] = (Problem("", f"failed in the program: {type(error).__name__}: {error}"),)
    else:
        done.profiles += 1


def _record(task: Task, order: Order) -> FromRecord:
    from bcma_decide.cli.records import patient_from_bundle

    return patient_from_bundle(read_bundle_of(task), {}, order.pooled, order.day, infer=order.infer, file=task.place)


def _pages(task: Task, order: Order, comparison: Comparison) -> Iterator[tuple[Path, bytes]]:
    """Names and contents of a patient's files."""
    for sheet in order.sheets:
        stem = f"{task.stem}.{sheet.audience}"
        if "html" in order.formats:
            from bcma_decide.render.sheet.html import render_html

            yield order.out / f"{stem}.html", render_html(comparison, sheet).encode()
        if "pdf" in order.formats:
            from bcma_decide.render.sheet.pdf import render_pdf

            yield order.out / f"{stem}.pdf", render_pdf(comparison, sheet)
    if "json" in order.formats:
        from bcma_decide.comparison import result_json

        yield order.out / f"{task.stem}.json", result_json(comparison).encode()


@contextmanager
def _progress(tasks: Sequence[Task]) -> Iterator[Iterator[Task]]:
    """The tasks one by one: with a bar on a terminal, elsewhere with a line each."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from bcma_decide.render.terminal.console import Console

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _announced(tasks)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=len(tasks))

        def turns() -> Iterator[Task]:
            for task in tasks:
                progress.update(bar, description=one_line(task.name))
                yield task
                progress.advance(bar)

        yield turns()


def _announced(tasks: Sequence[Task]) -> Iterator[Task]:
    for number, task in enumerate(tasks, 1):
        say(f"{number}/{len(tasks)} {one_line(task.name)}", err=True)
        yield task


def report(done: Done, *, as_json: bool = False) -> None:
    """Say what was written and what failed; exit code 3 if anything failed, 130 if it was interrupted."""
    if as_json:
        from bcma_decide.cli.output import print_json

        failed = [
            {
                "file": str(task.file),
                **({"line": task.line} if task.line is not None else {}),
                "problems": [{"field": p.field, "message": p.message, "fix": p.fix} for p in problems],
            }
            for task, problems in done.failed.items()
        ]
        print_json({"written": [str(path) for path in done.written], "failed": failed})
    for task, problems in done.failed.items():
        for problem in problems:
            say(str(Problem(problem.field, problem.message, problem.fix, task.place)), err=True)
    counts = f"{_counted(done.profiles, 'profile')} written ({_counted(len(done.written), 'file')})"
    say(f"{'stopped: ' if done.interrupted else ''}{counts}, {len(done.failed)} failed", err=True)
    if done.interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)
    if done.failed:
        raise typer.Exit(EXIT_INVALID_INPUT)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
