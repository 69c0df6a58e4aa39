"""Records of FHIR exports: one Bundle of a patient as a row, read as `compare --fhir` reads it."""

from __future__ import annotations

from datetime import date as Day  # noqa: N812  # a parameter is called date

from bcma_decide.cohort.cells import Said
from bcma_decide.errors import Problem, ProfileError
from bcma_decide.fhir.reading.bundle import parse_bundle
from bcma_decide.fhir.reading.reader import read_bundle
from bcma_decide.fhir.reading.record_day import newest_date
from bcma_decide.patient.fields import FIELDS
from bcma_decide.pooled.evidence import PooledEvidence

_NO_DATE = Problem("", "the record has no date to count ages to", "give one with --date YYYY-MM-DD")


def read_record(text: str, pooled: PooledEvidence, day: Day | None, *, infer: bool) -> Said:
    """Read a Bundle.

    Parameters
    ----------
    text
        As JSON.
    pooled
        The evidence with its codes and definitions.
    day
        To which ages are counted; None: the newest date in the record.
    infer
        Whether lines of therapy are inferred from the dates of drugs.
    """
    try:
        bundle = parse_bundle(text)
        newest = None if day else newest_date(bundle, Day.today())
        on = day or (newest.last if newest else None)
        if on is None:
            return Said(problems=(_NO_DATE,))
        reading = read_bundle(bundle, pooled.codes, pooled.definitions, on, infer=infer)
    except ProfileError as error:
        return Said(problems=error.problems or (Problem("", error.message),))
    patient = reading.patient
    values = tuple((name, value) for name in FIELDS if (value := getattr(patient, name)) not in (None, ()))
    return Said(values, patient.between, patient.read_as, (), reading.ledger.inferred)
