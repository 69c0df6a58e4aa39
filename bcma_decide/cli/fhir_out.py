"""``--fhir-out``: the comparison as a FHIR Bundle, in a file or on standard output."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from bcma_decide.cli.records import FromRecord
    from bcma_decide.comparison import Comparison
    from bcma_decide.pooled.evidence import PooledEvidence

STANDARD_OUTPUT: Final = "-"

FhirOut = Annotated[
    str | None,
    typer.Option(
        "--fhir-out", metavar="FILE", rich_help_panel="How it is shown",
        help="A FHIR R4 Bundle, with --pdf the sheet inside; - prints it. See: bcma-decide guide records",
    ),
]  # fmt: skip


def bundle_target(
    name: str | None, printed: Mapping[str, bool], source: str | None, taken: Collection[Path]
) -> Path | None:
    """Return the file of a bundle, refused before any work where it cannot be written; None for standard output.

    Parameters
    ----------
    name
        As given.
    printed
        Options that print something else on standard output, and whether they are given.
    source
        Where the patient comes from; never written over.
    taken
        Files that are written as well.

    Raises
    ------
    SheetError
        When the file cannot be written.
    """
    from bcma_decide.cli.sheets import check_target
    from bcma_decide.patient.files import STANDARD_INPUT

    if name is None:
        return None
    if name == STANDARD_OUTPUT:
        for option, given in printed.items():
            if given:
                raise typer.BadParameter(
                    f"- prints the Bundle alone: leave out {option}, or name a file", param_hint="--fhir-out"
                )
        return None
    path = Path(name)
    check_target(path)
    if source not in (None, STANDARD_INPUT) and path.resolve() == Path(str(source)).resolve():
        raise typer.BadParameter(f"{path} is where the patient comes from: name another", param_hint="--fhir-out")
    if path.resolve() in {other.resolve() for other in taken}:
        raise typer.BadParameter(f"{path} is the name of a sheet already", param_hint="--fhir-out")
    return path


def bundle_text(
    comparison: Comparison, pooled: PooledEvidence, recorded: datetime, record: FromRecord | None, pdf: bytes | None
) -> str:
    """Write the Bundle of a comparison; of a record, about its patient."""
    from bcma_decide.fhir.writing.bundle import bundle_json, fhir_bundle, patient_reference

    subject = patient_reference(record.bundle) if record else None
    return bundle_json(fhir_bundle(comparison, pooled.codes, recorded=recorded, subject=subject, pdf=pdf))
