"""The options of commands that read a FHIR record."""

from __future__ import annotations

from typing import Annotated, Final

import typer

PANEL: Final = "Where the patient comes from"

FhirFile = Annotated[
    str | None,
    typer.Option(
        "--fhir", metavar="FILE", rich_help_panel=PANEL,
        help="FHIR R4 Bundle of one patient as JSON; - reads standard input. See: bcma-decide guide records",
    ),
]  # fmt: skip
Infer = Annotated[
    bool,
    typer.Option(
        "--infer", metavar="", rich_help_panel=PANEL,
        help="With --fhir: lines of therapy from the dates of drugs.",
    ),
]  # fmt: skip
