"""``bcma-decide evidence report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from bcma_decide.cli.errors import report_errors
from bcma_decide.cli.output import say
from bcma_decide.errors import EvidenceError, Problem

DEFAULT: Final = Path("reports") / "evidence.html"


@report_errors
def report(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write.")] = DEFAULT,
    evidence: Annotated[
        Path | None, typer.Option("--evidence", metavar="DIR", help="Directory of the evidence files.")
    ] = None,
) -> None:
    """Write one page with every study, every pooled outcome, and everything left out and why.

    Deterministic: the same evidence gives the same bytes.
    """
    from bcma_decide.pooled.location import evidence_directory
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.workshop.evidence_report.report import evidence_report

    directory = evidence_directory(evidence)
    with Console(stderr=True).status("reading the evidence") as status:
        page = evidence_report(directory, status.update)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(page, encoding="utf-8")
    except OSError as error:
        problem = Problem("--output", error.strerror or "cannot be written", "name another file", str(output))
        raise EvidenceError("the report cannot be written", [problem]) from None
    say(f"wrote {output}: {len(page.encode()) / 1e6:.1f} MB")
