"""``bcma-decide evidence``: look at the evidence, check it, and see what is pooled and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bcma_decide.cli.errors import report_errors
from bcma_decide.cli.evidence_report import report
from bcma_decide.cli.output import print_json, say
from bcma_decide.cli.pooling import build, pool
from bcma_decide.cli.validation import validate
from bcma_decide.vocabulary import OUTCOMES

if TYPE_CHECKING:
    from rich.table import Table

    from bcma_decide.errors import Problem
    from bcma_decide.workshop.evidence.catalogue import Catalogue
    from bcma_decide.workshop.evidence.eligibility import Window
    from bcma_decide.workshop.evidence.schema import Study
    from bcma_decide.workshop.evidence.todo import TodoItem

WIDEST = 2_000
"""Columns a table may take where the output is no terminal."""

evidence_app = typer.Typer(
    name="evidence",
    help="Look at the evidence, check it, and see what is pooled and why.",
    no_args_is_help=True,
    add_completion=False,
)

evidence_app.command()(build)
evidence_app.command()(pool)
evidence_app.command()(report)
evidence_app.command()(validate)

Directory = Annotated[Path | None, typer.Option("--evidence", metavar="DIR", help="Directory of the evidence files.")]
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON instead of text.")]


@evidence_app.command()
@report_errors
def check(evidence: Directory = None, as_json: AsJson = False) -> None:
    """Check every evidence file; list what is wrong and end with code 3 if anything is."""
    from bcma_decide.errors import EXIT_INVALID_INPUT
    from bcma_decide.workshop.evidence.catalogue import load_catalogue
    from bcma_decide.workshop.evidence.check import check as check_evidence

    problems = check_evidence(evidence)
    if as_json:
        print_json([problem._asdict() for problem in problems])
    elif problems:
        _print_problems(problems)
    else:
        catalogue = load_catalogue(evidence)
        figures = _figure_counts(catalogue.studies)
        say(
            f"The evidence is sound: {len(catalogue.studies)} studies with {sum(figures.values())} figures "
            f"({', '.join(f'{count} {basis}' for basis, count in figures.items())}), "
            f"{len(catalogue.adjusted_effects.effects)} adjusted effects, hash {catalogue.hash[:12]}."
        )
        _print_news(catalogue, evidence)
        _print_time_remarks(catalogue)
    if problems:
        raise typer.Exit(EXIT_INVALID_INPUT)


@evidence_app.command("list")
@report_errors
def list_studies(
    class_id: Annotated[str | None, typer.Option("--class", help="Only this class: car_t or bite.")] = None,
    product: Annotated[str | None, typer.Option("--product", help="Only studies with this product.")] = None,
    design: Annotated[str | None, typer.Option("--design", help="Only this design.")] = None,
    evidence: Directory = None,
    as_json: AsJson = False,
) -> None:
    """List the studies with their size and how their figures are known."""
    from bcma_decide.workshop.evidence.views import basis_counts

    catalogue = _catalogue(evidence)
    _known("class", class_id, sorted({s.class_id for s in catalogue.studies}))
    _known("design", design, sorted({s.design for s in catalogue.studies}))
    if product is not None:
        catalogue.vocabulary.require("products", product)
    studies = [
        study
        for study in catalogue.studies
        if class_id in (None, study.class_id) and design in (None, study.design)
        if product is None or product in study.products
    ]
    rows = [
        {
            "id": study.id,
            "class": study.class_id,
            "products": list(study.products),
            "design": study.design,
            "n": study.treated if study.treated is not None else study.enrolled,
            "role": study.pooling.role,
            **basis_counts(study),
        }
        for study in studies
    ]
    if as_json:
        print_json(rows)
        return
    table = _table("study", "class", "products", "design", ">n", ">verified", ">derived", ">recalled")
    for row in rows:
        _add(table, *(value for key, value in row.items() if key != "role"))
    _print(table)
    say(f"{len(rows)} studies")


@evidence_app.command()
@report_errors
def show(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="Its id, as in the first column of the list.")],
    evidence: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Show one study with every figure, its basis and its source."""
    catalogue = _catalogue(evidence)
    found = catalogue.study(study)
    if as_json:
        say(found.model_dump_json(indent=2, exclude_defaults=True))
        return
    _show_head(found)
    _show_figures(found, catalogue)
    _show_sources([found])
    if found.notes:
        say(f"\n{found.notes}")


@evidence_app.command()
@report_errors
def sources(
    study: Annotated[str | None, typer.Argument(help="Only the sources of this study.")] = None,
    evidence: Directory = None,
    as_json: AsJson = False,
) -> None:
    """List where the figures come from."""
    catalogue = _catalogue(evidence)
    studies = [catalogue.study(study)] if study else list(catalogue.studies)
    if as_json:
        print_json(
            {
                s.id: {key: source.model_dump(exclude_defaults=True) for key, source in s.sources.items()}
                for s in studies
            }
        )
        return
    _show_sources(studies)


@evidence_app.command()
@report_errors
def todo(
    limit: Annotated[int, typer.Option(min=1, help="How many to list.")] = 30,
    traits: Annotated[
        bool, typer.Option("--traits", metavar="", help="Instead: which traits act, and what would switch one on.")
    ] = False,
    evidence: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Recalled figures that would sharpen the model most if they were verified, with where to look."""
    from bcma_decide.workshop.evidence.todo import ranked_todo

    if traits:
        from bcma_decide.cli.trait_switches import show_trait_switches

        show_trait_switches(evidence, limit, as_json=as_json)
        return

    items = ranked_todo(_catalogue(evidence))
    if as_json:
        print_json([_todo_data(item) for item in items[:limit]])
        return
    table = _table(">gain", "study", "outcome", "figure", "where")
    for item in items[:limit]:
        what = f"{item.outcome} by {item.trait}" if item.trait else item.outcome
        _add(table, f"{item.gain:.2f}", item.study, what, item.figure, item.where)
    _print(table)
    say(f"{min(limit, len(items))} of {len(items)} recalled figures; gain is the fall in variance (log odds).")


@evidence_app.command()
@report_errors
def selected(
    outcome: Annotated[
        str,
        typer.Option(
            help="An outcome such as orr; with --splits, a family such as response.",
            autocompletion=lambda: list(OUTCOMES),
        ),
    ],
    splits: Annotated[
        bool, typer.Option("--splits", metavar="", help="Contrasts inside studies instead of arm totals.")
    ] = False,
    cohorts: Annotated[
        bool, typer.Option("--cohorts", metavar="", help="With --splits: also cohorts of one protocol.")
    ] = False,
    published: Annotated[bool, typer.Option("--published", metavar="", help="Admit early constructs too.")] = False,
    near: Annotated[
        bool, typer.Option("--near", metavar="", help="Also rows of near definitions, such as reported neurotoxicity.")
    ] = False,
    include_unverified: Annotated[
        bool, typer.Option("--include-unverified", metavar="", help="Admit recalled figures.")
    ] = False,
    window: Annotated[str, typer.Option(help="all, or source: up to its search date.")] = "all",
    evidence: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Show what is pooled for one outcome, and the reason for everything left out."""
    from bcma_decide.vocabulary import FAMILY_OF
    from bcma_decide.workshop.evidence.selection import select, select_splits

    _known("window", window, ["all", "source"])
    chosen_window: Window = "source" if window == "source" else "all"
    catalogue = _catalogue(evidence)
    if splits:
        family = FAMILY_OF[outcome].id if outcome in FAMILY_OF else outcome
        contrasts = select_splits(
            catalogue,
            family,
            include_unverified=include_unverified,
            window=chosen_window,
            protocol_cohorts=cohorts,
        )
        content, lines = asdict(contrasts), contrasts.explain()
    else:
        rows = select(
            catalogue,
            outcome,
            purpose="published" if published else "model",
            include_unverified=include_unverified,
            window=chosen_window,
            near=near,
        )
        content, lines = asdict(rows), rows.explain()
    if as_json:
        print_json(content)
        return
    for line in lines:
        say(line)


def _catalogue(directory: Path | None) -> Catalogue:
    from bcma_decide.workshop.evidence.catalogue import load_catalogue

    return load_catalogue(directory)


def _known(what: str, value: str | None, allowed: Sequence[str]) -> None:
    """Refuse a word that is not one of the allowed ones."""
    if value is not None and value not in allowed:
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(allowed)}", param_hint=f"--{what}")


def _figure_counts(studies: Iterable[Study]) -> dict[str, int]:
    from bcma_decide.workshop.evidence.views import basis_counts

    total: dict[str, int] = {}
    for study in studies:
        for basis, count in basis_counts(study).items():
            total[basis] = total.get(basis, 0) + count
    return total


def _print_problems(problems: Sequence[Problem]) -> None:
    for problem in problems:
        say(str(problem))
    files = len({problem.file for problem in problems})
    say(f"{len(problems)} problems in {files} files", err=True)


def _print_news(catalogue: Catalogue, directory: Path | None) -> None:
    """Remark on the sources that are news pages, by file: a last resort, but no error."""
    from itertools import groupby

    from bcma_decide.pooled.location import evidence_directory
    from bcma_decide.workshop.evidence.definitions import load_definitions
    from bcma_decide.workshop.evidence.news import news_sources
    from bcma_decide.workshop.evidence.rules import load_rules

    root = evidence_directory(directory)
    found = news_sources(root, catalogue, load_rules(root, load_definitions(root)))
    by_file = [(file, [source.key for source in group]) for file, group in groupby(found, lambda source: source.file)]
    if found:
        say(f"Remark: {len(found)} sources in {len(by_file)} files are news pages, a last resort:")
    for file, keys in by_file:
        say(f"  {file}: {', '.join(keys)}")


def _print_time_remarks(catalogue: Catalogue) -> None:
    """Remark on the times to event that stay unclear, though they are no error."""
    from bcma_decide.workshop.evidence.check_times import time_remarks

    found = time_remarks(catalogue.studies)
    if found:
        are = "time to event is" if len(found) == 1 else "times to event are"
        say(f"Remark: {len(found)} {are} not fully described:")
    for remark in found:
        say(f"  {remark}")


def _show_head(study: Study) -> None:
    say(f"{study.name} ({study.id})")
    lines = {
        "Class": study.class_id,
        "Product": study.product_text,
        "Design": " ".join(filter(None, [study.design, study.phase and f"phase {study.phase}"])),
        "Region": study.region_text,
        "Registration": ", ".join(study.registration),
        "Published": study.first_published or "",
        "Patients": f"{_cell(study.enrolled)} enrolled, {_cell(study.treated)} treated",
        "Follow-up": f"{study.median_follow_up_months:g} months" if study.median_follow_up_months else "",
        "Pooling": f"{study.pooling.role}. {study.pooling.reason}".rstrip(". "),
        "Overlaps": ", ".join(study.overlaps_with),
    }
    for label, text in lines.items():
        if text:
            say(f"  {label}: {text}")


def _show_figures(study: Study, catalogue: Catalogue) -> None:
    from bcma_decide.workshop.evidence.views import blocks

    for block in blocks(study, catalogue.vocabulary.ids):
        table = _table(block.title, "figure", "basis", "source", "note")
        for line in block.lines:
            _add(table, line.label, line.figure, line.basis, line.source, line.note)
        _print(table)
    if any(not row.primary for row in study.outcomes):
        say("* another data cut or denominator than the primary row")


def _show_sources(studies: Iterable[Study]) -> None:
    from bcma_decide.workshop.evidence.views import address

    table = _table("study", "key", "citation", "address")
    for study in studies:
        for key, source in study.sources.items():
            _add(table, study.id, key, source.citation, address(source))
    _print(table)


def _table(*columns: str) -> Table:
    """Make a plain table; a column named ``>n`` is set to the right."""
    from rich import box
    from rich.table import Table as RichTable

    table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        right = column.startswith(">")
        table.add_column(column.removeprefix(">"), justify="right" if right else "left", overflow="fold", no_wrap=right)
    return table


def _add(table: Table, *cells: object) -> None:
    """One row of plain text: brackets in it are no markup."""
    from rich.text import Text

    table.add_row(*(Text(_cell(cell)) for cell in cells))


def _print(table: Table) -> None:
    """To stdout; where that is no terminal, as wide as the text needs and without colour."""
    from bcma_decide.render.terminal.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        unbounded = console.options.update(max_width=WIDEST)
        console.width = max(console.width, console.measure(table, options=unbounded).maximum)
    console.print(table)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return str(value)


def _todo_data(item: TodoItem) -> dict[str, object]:
    fields = {key: value for key, value in asdict(item).items() if key not in ("source", "study_text")}
    source = None if item.source is None else item.source.model_dump(exclude_defaults=True)
    return {**fields, "source": source, "where": item.where}
