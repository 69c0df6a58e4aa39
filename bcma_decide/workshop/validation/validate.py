"""One run: what is predicted without itself, what is held against own data, and how far assumptions carry."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from bcma_decide.comparing.compare import compare
from bcma_decide.errors import EvidenceError, NoEvidenceError, Problem
from bcma_decide.model.certainty import LEVELS
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.pooled.file import read_pooled
from bcma_decide.pooled.location import pooled_path
from bcma_decide.pooled.seal import SEAL, SETTINGS
from bcma_decide.version import __version__
from bcma_decide.vocabulary import CLASS_LABELS, FAMILIES, OUTCOMES, THRESHOLDS, Certainty
from bcma_decide.workshop.patient_model.inputs import load_inputs
from bcma_decide.workshop.validation.aims import aims
from bcma_decide.workshop.validation.bands import held_to, load_bands
from bcma_decide.workshop.validation.bootstrap import belonging, difference
from bcma_decide.workshop.validation.curve_scores import curve_aims, curve_groups
from bcma_decide.workshop.validation.held_out import Evidence, gather
from bcma_decide.workshop.validation.held_out_contrasts import contrast_groups, contrast_sets, predict_contrasts
from bcma_decide.workshop.validation.held_out_curves import held_out_curves, predict_curve, predict_later_curve
from bcma_decide.workshop.validation.leave_one_out import predict_cells, shared_fits
from bcma_decide.workshop.validation.own_data import own_data
from bcma_decide.workshop.validation.predictors import BASELINES, LABELS, PATIENT_MODEL
from bcma_decide.workshop.validation.scores import summarise
from bcma_decide.workshop.validation.sensitivity import AS_SHIPPED, VARIANTS, headlines_under, moved
from bcma_decide.workshop.validation.shapes import (
    Group,
    Grouping,
    ScoredRow,
    Sensitivity,
    Stamp,
    Summary,
    Temporal,
    Validation,
)
from bcma_decide.workshop.validation.temporal import predict_later, search_date, undated
from bcma_decide.workshop.validation.words import DESIGN_LABELS
from bcma_decide.workshop.validation.work import Piece, run

FILE: Final = "validation.json"
"""Where the last whole run is kept, beside the pooled file it is of."""

Progress = Callable[[str, int], None]
"""Told what was done last, and how many pieces there are in all."""


def validate(
    directory: Path,
    *,
    outcomes: Collection[str] = (),
    workers: int = 2,
    progress: Progress = lambda _label, _total: None,
) -> Validation:
    """Validate the model on an evidence directory; the same evidence gives the same result with any ``workers``.

    Parameters
    ----------
    directory
        Of the evidence files and the pooled file.
    outcomes
        Only these left out and predicted, and none of the other parts; empty for the whole run.
    workers
        How many processes share the work.
    progress
        Called after each piece of it.

    Raises
    ------
    NoEvidenceError
        When an outcome is unknown or has no row that can be predicted, or the pooled file is missing.
    EvidenceError
        When a file of the evidence does not follow its schema, or the pooled file is not of this evidence.
    SynthesisError
        When a fit does not settle.
    """
    for outcome in outcomes:
        if outcome not in THRESHOLDS:
            problem = Problem("--outcome", f"unknown outcome {outcome!r}", f"one of {', '.join(OUTCOMES)}")
            raise NoEvidenceError("there is no evidence on that outcome", [problem])
    evidence = gather(load_inputs(directory))
    pooled = read_pooled(pooled_path(directory))
    stamp = stamp_of(directory, pooled, evidence)
    chosen = [outcome for outcome in OUTCOMES if not outcomes or outcome in outcomes]
    left_out = [Piece("arm totals left out", predict_cells, (places,)) for places in shared_fits(evidence, chosen)]
    if not left_out:
        problem = Problem("--outcome", "has too few rows to predict one from the others", "name another outcome")
        raise NoEvidenceError("nothing can be predicted", [problem])
    parts = [left_out] if outcomes else [left_out, *_other_parts(evidence)]
    pieces = [piece for part in parts for piece in part]
    results = iter(run(directory, pieces, workers, lambda label: progress(label, len(pieces))))
    totals, *rest = [[next(results) for _ in part] for part in parts]
    cells = sorted((cell for found in totals for cell in found), key=lambda cell: cell[0])
    rows = tuple(_rated([row for _, row in cells], pooled))
    groups = tuple(_groups(rows))
    belongs = belonging(evidence.together)
    differences = tuple(difference(rows, belongs, baseline) for baseline in BASELINES)
    whole = dict(_other_results(evidence, directory, pooled, rest)) if rest else {}
    return Validation(
        stamp=stamp,
        rows=rows,
        groups=groups,
        differences=differences,
        # Aims are about all arm totals.
        aims=() if outcomes else (*aims(groups, differences), *curve_aims(whole["curve_groups"])),
        **whole,
    )


def _other_parts(evidence: Evidence) -> list[list[Piece]]:
    """Pieces of the contrasts, the later studies, the own data, the sensitivity and the curves, in this order."""
    return [
        [Piece("contrasts left out", predict_contrasts, each) for each in contrast_sets(evidence)],
        [Piece("later studies", predict_later, (family,)) for family in FAMILIES],
        [Piece("own data", own_data, (outcome,)) for outcome in OUTCOMES],
        [Piece("sensitivity", headlines_under, (variant,)) for variant in VARIANTS],
        [Piece("curves left out", predict_curve, (place,)) for place in range(len(held_out_curves(evidence)))],
        [Piece("later curves", predict_later_curve, (place,)) for place in range(len(held_out_curves(evidence)))],
    ]


def _other_results(
    evidence: Evidence, directory: Path, pooled: PooledEvidence, results: Sequence[Sequence[Any]]
) -> Iterator[tuple[str, Any]]:
    """Fields of the validation beyond the arm totals, from the results of :func:`_other_parts`."""
    contrasts, later, own, headlines, left_out, later_curves = results
    held_out = tuple(contrast for found in contrasts for contrast in found)
    yield "contrasts", held_out
    yield "contrast_groups", contrast_groups(held_out)
    yield "temporal", _temporal(evidence, [row for found in later for row in found])
    yield "own_data", tuple(each for found in own for each in found)
    yield "sensitivity", _sensitivity(dict(zip(VARIANTS, headlines, strict=True)))
    points = [point for found in left_out for point in found]
    labels = {option.id: option.label for option in pooled.options}
    yield "curves", tuple(points)
    yield "curve_groups", tuple(curve_groups(points, [point for found in later_curves for point in found], labels))
    yield "bands", tuple(held_to(load_bands(directory), pooled))


def _temporal(evidence: Evidence, rows: Sequence[ScoredRow]) -> Temporal:
    studies = evidence.inputs.studies
    used = {row.study for of_outcome in evidence.rows.values() for row in of_outcome}
    return Temporal(
        date=search_date(evidence.inputs.catalogue),
        earlier_studies=sum(bool(studies[study].search_window) for study in used),
        later_studies=len({row.study for row in rows}),
        undated=undated(evidence),
        summaries=_summaries(rows),
    )


def _sensitivity(found: dict[str, tuple[str, dict[tuple[str, str, str], float]]]) -> tuple[Sensitivity, ...]:
    shipped = found[AS_SHIPPED][1]
    return tuple(
        moved(shipped, headlines, variant, note)
        for variant, (note, headlines) in found.items()
        if variant != AS_SHIPPED
    )


def stamp_of(directory: Path, pooled: PooledEvidence, evidence: Evidence) -> Stamp:
    """What is validated; raises EvidenceError where the pooled file was built from other evidence."""
    if pooled.hash != evidence.inputs.catalogue.hash:
        problem = Problem("pooled.json", "was built from other evidence files", "run: bcma-decide evidence build")
        raise EvidenceError("the pooled file is not that of this evidence", [problem])
    return Stamp(
        evidence_hash=pooled.hash,
        evidence_date=pooled.date,
        evidence_version=pooled.version,
        pooled_hash=pooled_hash(directory),
        software_version=__version__,
    )


def pooled_hash(directory: Path) -> str:
    """The checksum in the first line of a directory's pooled file."""
    first = pooled_path(directory).read_text(encoding="utf-8").partition("\n")[0]
    return str(json.loads(first.rstrip(",") + "}")[SEAL])


def _rated(rows: Sequence[ScoredRow], pooled: PooledEvidence) -> Iterator[ScoredRow]:
    """Rows with the certainty that a comparison gives the number of their product, for a patient not described."""
    ratings: dict[tuple[str, str, str], Certainty | None] = {}
    for setting in SETTINGS:
        for outcome in compare(Patient(), setting=setting, pooled=pooled).outcomes:
            for option, estimate in outcome.estimates.items():
                own = None if estimate.further_product else estimate.certainty
                ratings[setting, outcome.id, option] = own
    for row in rows:
        yield row.model_copy(update={"certainty": ratings.get((row.design, row.outcome, row.product or ""))})


def _groups(rows: Sequence[ScoredRow]) -> Iterator[Group]:
    """All rows, then by outcome and class, by design, and by certainty."""
    yield _group("overall", "all arm totals", rows)
    for outcome in OUTCOMES:
        for class_id, (label, _) in CLASS_LABELS.items():
            members = [row for row in rows if row.outcome == outcome and row.class_id == class_id]
            if members:
                name = f"{THRESHOLDS[outcome].label}, {label}"
                yield _group("outcome", name, members).model_copy(update={"class_id": class_id})
    for design, label in DESIGN_LABELS.items():
        members = [row for row in rows if row.design == design]
        if members:
            yield _group("design", label, members)
    for certainty in LEVELS:
        members = [row for row in rows if row.certainty == certainty]
        if members:
            errors = sorted(abs(row.predicted[PATIENT_MODEL].mean - row.events / row.n) for row in members)
            middle = (errors[(len(errors) - 1) // 2] + errors[len(errors) // 2]) / 2
            yield _group("certainty", certainty, members).model_copy(update={"median_error": round(middle, 6)})


def _group(by: Grouping, label: str, rows: Sequence[ScoredRow]) -> Group:
    return Group(by=by, label=label, studies=len({row.study for row in rows}), summaries=_summaries(rows))


def _summaries(rows: Sequence[ScoredRow]) -> tuple[Summary, ...]:
    return tuple(summarise(rows, name) for name in LABELS) if rows else ()
