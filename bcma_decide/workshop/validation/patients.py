"""Patients of one's own, one by one: whether what is known of a patient tells more than the product's rate alone.

The only check of single patients. The table is the reader's and is never stored.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from bcma_decide.comparing.compare import compare
from bcma_decide.errors import Problem, ProfileError
from bcma_decide.patient.files import build
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.vocabulary import OUTCOMES, Design

Array = NDArray[np.float64]

OPTION: Final = "option"
RESULTS: Final = {"1": True, "0": False, "": None}


@dataclass(frozen=True)
class OnePatient:
    """A line of the table: the product given, and which outcomes happened (None: not known)."""

    patient: Patient
    option: str
    happened: dict[str, bool | None]


@dataclass(frozen=True)
class PatientScores:
    """One outcome over the patients: discrimination and accuracy of two ways of predicting it.

    ``auc`` is the probability that a patient with the event was given more than one without (ties half), None where all
    or none had it; ``brier`` the mean squared error. ``expected``: mean of what was predicted.
    """

    outcome: str
    predictor: str
    patients: int
    events: int
    expected: float
    auc: float | None
    brier: float


def read_patients(path: Path, pooled: PooledEvidence) -> list[OnePatient]:
    """Read a table of patients: a CSV file with a title line.

    Columns: ``option`` (a product), any outcomes (1, 0 or empty), and any fields of a profile; empty is not known.

    Raises
    ------
    ProfileError
        When the file cannot be read, an option or result is unknown, or a profile cannot be used; with the line.
    """
    options = {option.id for option in pooled.options}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem("--patients", str(getattr(error, "strerror", None) or "is not UTF-8 text"), file=path.name)
        raise ProfileError("the patients cannot be read", [problem]) from None
    found = []
    for number, line in enumerate(lines, start=2):
        place = f"{path.name}:{number}"
        cells = {name: (value or "").strip() for name, value in line.items() if name is not None}
        option = cells.pop(OPTION, "")
        if option not in options:
            known = ", ".join(sorted(options))
            raise _refusal(Problem(OPTION, f"{option!r} is not an option", f"one of {known}", place))
        happened = {}
        for outcome in (each for each in OUTCOMES if each in cells):
            result = cells.pop(outcome)
            if result not in RESULTS:
                raise _refusal(Problem(outcome, f"{result!r} is not 1, 0 or empty", file=place))
            happened[outcome] = RESULTS[result]
        values = {name: value for name, value in cells.items() if value}
        found.append(OnePatient(build(values, pooled.definitions, file=place), option, happened))
    if not found:
        raise _refusal(Problem("--patients", "holds no patient", "a title line and one line a patient", path.name))
    return found


def _refusal(problem: Problem) -> ProfileError:
    return ProfileError("the patients cannot be used", [problem])


def score_patients(
    patients: Sequence[OnePatient], pooled: PooledEvidence, setting: Design = "real_world"
) -> Iterator[PatientScores]:
    """Scores of the patients' own headlines and of the product's for a patient of whom nothing is known."""
    unknown = _headlines(Patient(), setting, pooled)
    own = [_headlines(each.patient, setting, pooled) for each in patients]
    for outcome in OUTCOMES:
        rows = [
            (said[outcome, each.option], unknown[outcome, each.option], bool(each.happened[outcome]))
            for each, said in zip(patients, own, strict=True)
            if each.happened.get(outcome) is not None
            and (outcome, each.option) in said
            and (outcome, each.option) in unknown
        ]
        if rows:
            happened = np.array([row[2] for row in rows], dtype=float)
            for place, predictor in enumerate(("this patient", "the product alone")):
                yield _scores(outcome, predictor, np.array([row[place] for row in rows], dtype=float), happened)


def _headlines(patient: Patient, setting: Design, pooled: PooledEvidence) -> dict[tuple[str, str], float]:
    outcomes = compare(patient, setting=setting, pooled=pooled).outcomes
    return {
        (outcome.id, option): estimate.mean
        for outcome in outcomes
        for option, estimate in outcome.estimates.items()
        if estimate.mean is not None
    }


def _scores(outcome: str, predictor: str, predicted: Array, happened: Array) -> PatientScores:
    return PatientScores(
        outcome=outcome,
        predictor=predictor,
        patients=happened.size,
        events=int(happened.sum()),
        expected=float(predicted.mean()),
        auc=area(predicted, happened),
        brier=float(((predicted - happened) ** 2).mean()),
    )


def area(predicted: Array, happened: Array) -> float | None:
    """Area under the ROC curve from ranks (Hanley JA, McNeil BJ. Radiology 1982;143:29-36), ties counted half."""
    with_event = happened > 0
    events, others = int(with_event.sum()), int((~with_event).sum())
    if not events or not others:
        return None
    ranks = rankdata(predicted)
    return float((ranks[with_event].sum() - events * (events + 1) / 2) / (events * others))
