"""The patient from a FHIR bundle, for commands of one patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date as Day  # noqa: N812  # a parameter is called date
from typing import TYPE_CHECKING, Any

from bcma_decide.cli.sources import with_labs
from bcma_decide.errors import Problem, ProfileError
from bcma_decide.patient.entry import overridden
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.files import STANDARD_INPUT, build
from bcma_decide.patient.names import LABS

if TYPE_CHECKING:
    from bcma_decide.comparison import RecordLedger
    from bcma_decide.patient.profile import Patient
    from bcma_decide.pooled.evidence import PooledEvidence


@dataclass(frozen=True)
class FromRecord:
    """A patient from a record, with its ledger and the day ages are counted to."""

    bundle: Mapping[str, Any]
    patient: Patient
    ledger: RecordLedger


def patient_from_record(
    source: str, options: Mapping[str, str], pooled: PooledEvidence, day: Day | None, *, infer: bool
) -> FromRecord:
    """Read the patient from a bundle; options replace single fields and are marked so in the ledger.

    Raises
    ------
    ProfileError
        When the bundle cannot be used, naming the file and the place in it.
    """
    from bcma_decide.fhir.reading.bundle import read_bundle_file

    options = with_labs(options, source)
    file = "standard input" if source == STANDARD_INPUT else source
    return patient_from_bundle(read_bundle_file(source), options, pooled, day, infer=infer, file=file)


def patient_from_bundle(
    bundle: Mapping[str, Any],
    options: Mapping[str, str],
    pooled: PooledEvidence,
    day: Day | None,
    *,
    infer: bool,
    file: str,
) -> FromRecord:
    """Read the patient from a bundle at hand; ``file`` is what messages call it. Raises ProfileError."""
    from bcma_decide.fhir.reading.bundle import refusal
    from bcma_decide.fhir.reading.ledger import replaced
    from bcma_decide.fhir.reading.reader import read_bundle
    from bcma_decide.fhir.reading.record import open_record
    from bcma_decide.fhir.reading.record_day import newest_date

    newest = newest_date(bundle, Day.today())
    on = day or (newest.last if newest else None)
    try:
        if on is None:
            open_record(bundle)  # what is no record at all is said first
            raise refusal("", "has no date to count ages to", "give one with --date YYYY-MM-DD")
        reading = read_bundle(bundle, pooled.codes, pooled.definitions, on, infer=infer)
    except ProfileError as error:
        placed = [Problem(each.field, each.message, each.fix, file) for each in error.problems]
        raise ProfileError(error.message, placed) from None
    values = overridden(reading.values, options)
    patient = build(values, pooled.definitions) if options else reading.patient
    gone = [name for name in reading.values if name not in values or name in options]
    notes = {name: f"replaced by {FIELDS[name].option if name in options else f'--{LABS}'}" for name in gone}
    return FromRecord(bundle, patient, replaced(reading.ledger, notes))
