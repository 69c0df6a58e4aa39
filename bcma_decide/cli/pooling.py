"""``bcma-decide evidence build`` and ``bcma-decide evidence pool``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from bcma_decide.cli.errors import report_errors
from bcma_decide.vocabulary import OUTCOMES

if TYPE_CHECKING:
    from bcma_decide.synthesis.pooling import MeanTest
    from bcma_decide.synthesis.published import PooledGroup

Directory = Annotated[Path | None, typer.Option("--evidence", metavar="DIR", help="Directory of the evidence files.")]
Unverified = Annotated[
    bool, typer.Option("--include-unverified", help="Also use recalled figures; for sensitivity only.")
]
Method = Literal["EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM"]
TestName = Literal["z", "t", "knha", "knha-floored"]
By = Literal["class", "product", "target-number", "design", "region"]


_TESTS: Final[Mapping[TestName, MeanTest]] = {
    "z": "z",
    "t": "t",
    "knha": "knapp_hartung",
    "knha-floored": "floored_knapp_hartung",
}


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
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from bcma_decide.errors import EvidenceError, Problem
    from bcma_decide.location import POOLED_FILE, evidence_directory
    from bcma_decide.synthesis.document import document_text
    from bcma_decide.synthesis.fit import fit, step_count
    from bcma_decide.synthesis.inputs import load_inputs

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
    typer.echo(f"wrote {path}: {estimated} estimates, evidence hash {document['evidence']['hash'][:12]}")


@report_errors
def pool(
    outcome: Annotated[
        str, typer.Option("--outcome", help="An outcome such as orr.", autocompletion=lambda: list(OUTCOMES))
    ],
    by: Annotated[By, typer.Option("--by", help="What the groups are.")] = "class",
    method: Annotated[Method, typer.Option("--method", help="Estimator of the between-study variance.")] = "REML",
    test: Annotated[TestName, typer.Option("--test", help="Interval of the mean.")] = "z",
    window: Annotated[
        Literal["all", "source"],
        typer.Option("--window", help="All studies, or those published by the source meta-analysis' search date."),
    ] = "all",
    include_unverified: Unverified = False,
    evidence: Directory = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Pool published rates as a meta-analysis of proportions does: logit scale, random effects, by group.

    A patient's comparison does not come from here but from the model of: bcma-decide evidence build
    """
    from dataclasses import asdict

    from bcma_decide.evidence.catalogue import load_catalogue
    from bcma_decide.location import evidence_directory
    from bcma_decide.synthesis.published import pool_outcome

    groups = pool_outcome(
        load_catalogue(evidence_directory(evidence)),
        outcome,
        by=by,
        method=method,
        test=_TESTS[test],
        window=window,
        include_unverified=include_unverified,
    )
    if as_json:
        typer.echo(json.dumps([asdict(group) for group in groups], indent=2))
        return
    _print_groups(outcome, by, method, groups)


def _print_groups(outcome: str, by: str, method: str, groups: tuple[PooledGroup, ...]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        box=None,
        pad_edge=False,
        title=f"{outcome} by {by}, {method} on the logit scale, percent",
        title_justify="left",
    )
    table.add_column(by, overflow="fold")
    for column in ("k", "n", "pooled (95 % interval)", "next study", "I2", "tau2"):
        table.add_column(column, justify="right", no_wrap=True)
    for group in groups:
        table.add_row(
            group.group,
            str(group.k),
            str(group.patients),
            f"{100 * group.estimate:.1f} ({_interval(group.ci)})",
            _interval(group.prediction),
            "-" if group.i2 is None else f"{group.i2:.0f}",
            "-" if group.tau2 is None else f"{group.tau2:.3f}",
        )
    Console(highlight=False).print(table)


def _interval(ends: Any) -> str:  # noqa: ANN401 - pair of fractions or None
    return "-" if ends is None else f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f}"
