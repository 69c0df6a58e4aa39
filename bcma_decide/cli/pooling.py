"""``bcma-decide evidence build`` and ``bcma-decide evidence pool``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bcma_decide.cli.errors import report_errors
from bcma_decide.cli.output import say
from bcma_decide.vocabulary import OUTCOMES

if TYPE_CHECKING:
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.workshop.evidence_report.published import PooledGroup, PublishedPooling

Directory = Annotated[Path | None, typer.Option("--evidence", metavar="DIR", help="Directory of the evidence files.")]
Unverified = Annotated[
    bool, typer.Option("--include-unverified", help="Also use recalled figures; for sensitivity only.")
]
Method = Literal["EE", "DL", "DLIT", "HE", "HS", "HSk", "SJ", "ML", "REML", "EB", "PM", "PMM", "GLMM"]
TestName = Literal["z", "t", "knha", "knha-floored", "kenward-roger"]
MeasureName = Literal["logit", "raw", "arcsine", "freeman-tukey", "log"]
By = Literal["class", "product", "target-number", "design", "region"]


@report_errors
def build(
    evidence: Directory = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write; default pooled.json there.")
    ] = None,
    include_unverified: Unverified = False,
) -> None:
    """Fit the model to the evidence and write pooled.json, the one file the comparison reads.

    Deterministic: the same evidence gives the same bytes.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from bcma_decide.errors import EvidenceError, Problem
    from bcma_decide.pooled.location import POOLED_FILE, evidence_directory
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.workshop.patient_model.document import document_text
    from bcma_decide.workshop.patient_model.fit import fit, step_count
    from bcma_decide.workshop.patient_model.inputs import load_inputs

    directory = evidence_directory(evidence)
    if include_unverified and output is None:
        fix = "name another file with --output; the shipped pooled.json holds verified figures only"
        raise EvidenceError(
            "recalled figures may not replace the pooled evidence", [Problem("--output", "is missing", fix)]
        )
    columns = (TextColumn("{task.description:<44}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading the evidence", total=step_count())

        def step(what: str) -> None:
            progress.update(task, description=what, advance=1)

        document = fit(load_inputs(directory), include_unverified=include_unverified, progress=step)
    path = output or directory / POOLED_FILE
    path.write_text(document_text(document), encoding="utf-8")
    estimated = sum(
        entry["state"] == "estimated" for options in document["outcomes"].values() for entry in options.values()
    )
    say(f"wrote {path}: {estimated} estimates, evidence hash {document['evidence']['hash'][:12]}")


@report_errors
def pool(
    outcome: Annotated[
        str, typer.Option("--outcome", help="An outcome such as orr.", autocompletion=lambda: list(OUTCOMES))
    ],
    by: Annotated[By, typer.Option("--by", help="What the groups are.")] = "class",
    method: Annotated[
        Method | None,
        typer.Option(
            "--method",
            help="Estimator of the between-study variance; GLMM is the binomial-normal model. Default REML, and GLMM "
            "where the outcome is rare.",
        ),
    ] = None,
    test: Annotated[TestName, typer.Option("--test", help="Interval of the mean.")] = "z",
    measure: Annotated[MeasureName, typer.Option("--measure", help="Scale the rates are pooled on.")] = "logit",
    window: Annotated[
        Literal["all", "source"],
        typer.Option("--window", help="All studies, or those published by the source meta-analysis' search date."),
    ] = "all",
    include_unverified: Unverified = False,
    evidence: Directory = None,
    drawn: Annotated[bool, typer.Option("--forest", help="Draw every study and pooled rate.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Pool published rates as a meta-analysis of proportions does: random effects, by group, a test between groups.

    A patient's comparison does not come from here but from the model of: bcma-decide evidence build
    """
    from bcma_decide.cli.output import print_json
    from bcma_decide.pooled.location import evidence_directory
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.workshop.evidence.catalogue import load_catalogue
    from bcma_decide.workshop.evidence_report.published import pool_outcome

    catalogue = load_catalogue(evidence_directory(evidence))
    pooling = pool_outcome(
        catalogue,
        outcome,
        by=by,
        measure=measure,
        method=method,
        test=test,
        window=window,
        include_unverified=include_unverified,
    )
    if as_json:
        print_json(_as_data(pooling))
        return
    console = Console(highlight=False)
    if drawn:
        from bcma_decide.workshop.evidence_report.forest import forest_of
        from bcma_decide.workshop.plots.terminal_forest import write_forest

        write_forest(forest_of(pooling, catalogue, f"{outcome} by {by}"), console)
        console.print()
    _print_groups(pooling, console)


def _as_data(pooling: PublishedPooling) -> list[dict[str, Any]]:
    """One mapping per group; the test between the groups and what is said of all stand in each."""
    from dataclasses import asdict

    model = pooling.model
    asked = {"method": model.method, "test": model.test, "measure": pooling.measure}
    between = None if pooling.between is None else asdict(pooling.between)
    return [{**_group_data(group), **asked, "between": between, "remarks": pooling.remarks} for group in pooling.groups]


def _group_data(group: PooledGroup) -> dict[str, Any]:
    """Rates as fractions; ``analysis`` is the result on the scale of analysis, in the shape that ``meta`` prints."""
    from dataclasses import asdict

    from bcma_decide.workshop.own_table.document import plain, pooled_document

    result = group.result
    written = plain(pooled_document(result, group.scale))
    back = written.pop("back_transformed")
    return {
        "group": group.group,
        "patients": group.patients,
        "events": group.events,
        **back,
        "rows": [f"{row.study} {row.events}/{row.n}" for row in group.rows],
        **{name: written[name] for name in ("k", "tau2", "tau2_ci", "i2", "h2", "q", "q_df", "q_p", "q_by", "se")},
        "mean": written["estimate"],
        "analysis": written,
        "studies": [asdict(row) for row in group.rows],
    }


def _print_groups(pooling: PublishedPooling, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from bcma_decide.workshop.plots.numbers import number_text, p_text

    averaged = any(group.result.method == "GLMM" for group in pooling.groups)
    table = Table(
        box=None,
        pad_edge=False,
        title=f"{pooling.outcome} by {pooling.by}, {pooling.model.method} on the {pooling.measure} scale, percent",
        title_justify="left",
    )
    table.add_column(pooling.by, overflow="fold")
    names = ("k", "n", "pooled (95 % interval)", *(["average"] if averaged else []), "next study", "I2", "tau2")
    for column in names:
        table.add_column(column, justify="right", no_wrap=True)
    for group in pooling.groups:
        result = group.result
        average = "-" if result.average_rate is None else f"{100 * result.average_rate:.1f}"
        table.add_row(
            Text(group.group),
            str(group.k),
            str(group.patients),
            f"{100 * group.estimate:.1f} ({_interval(group.ci)})",
            *([average] if averaged else []),
            _interval(group.prediction),
            "-" if result.i2 is None else f"{result.i2:.0f}",
            "-" if result.tau2 is None else f"{result.tau2:.3f}",
        )
    console.print(table)
    if pooling.between is not None:
        between = pooling.between
        console.print(f"Between groups: Q {number_text(between.q)} (df {between.df}), p {p_text(between.p)}")
    for remark in pooling.remarks:
        console.print(remark, markup=False)


def _interval(ends: tuple[float, float] | None) -> str:
    return "-" if ends is None else f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f}"
