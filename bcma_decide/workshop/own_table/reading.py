"""The columns of a user's table as studies on the scale of a measure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from bcma_decide.errors import Problem, SynthesisError
from bcma_decide.workshop.meta_analysis import study_table
from bcma_decide.workshop.meta_analysis.effect_sizes import effect_sizes
from bcma_decide.workshop.meta_analysis.given_effects import GIVEN_MEASURES
from bcma_decide.workshop.meta_analysis.study_table import StudyTable
from bcma_decide.workshop.meta_analysis.two_groups import compare_groups, tables
from bcma_decide.workshop.own_table.empty_cells import EmptyCells
from bcma_decide.workshop.own_table.fitting import counted_columns
from bcma_decide.workshop.own_table.reading_effects import effect_studies, given_studies, is_given
from bcma_decide.workshop.own_table.reading_rates import rated_studies
from bcma_decide.workshop.own_table.shared_control import with_shared_controls
from bcma_decide.workshop.synthesis.studies import (
    GROUPS,
    PROPORTIONS,
    Scale,
    Studies,
    TableMeasure,
    counted_studies,
)

__all__ = ["read_studies"]


def read_studies(
    table: StudyTable,
    measure: TableMeasure,
    *,
    apart: bool = True,
    input_level: float | None = None,
    empty: EmptyCells | None = None,
) -> Studies:
    """Read the columns a measure needs and put the studies on its scale.

    Parameters
    ----------
    table
        The user's table.
    measure
        One of :data:`MEASURES`.
    apart
        Whether each row needs a name of its own; not where rows are arms of one study.
    input_level
        Of intervals that are given with estimates; 0.95 without.
    empty
        What is done with empty cells; without it half a patient is added to them, and studies that tell nothing of a
        ratio are left out. So is, as in metafor, a study that has no effect with what is added.

    Raises
    ------
    SynthesisError
        For whatever is wrong with a column, when there is one study only, and when no study tells anything.
    """
    empty = empty or EmptyCells()
    # Rows of one name may be arms that share a control; where they are not, they are refused below.
    compared = measure in GROUPS or measure == "IRR"
    given = measure in GIVEN_MEASURES and is_given(table, measure)
    counted = compared and not given
    study_table.require_columns(table, study_table.STUDY, *(() if given else counted_columns(measure)))
    try:
        labels = study_table.labels(table, apart=apart and not counted)
    except SynthesisError as error:
        raise SynthesisError(error.message, (*error.problems, *_wrong_cells(table, measure, given))) from None
    if len(labels) == 1:
        raise SynthesisError(
            f"{table.file}: there is one study, {labels[0]!r}: nothing to pool; a pooled result needs two or more"
        )
    if given and empty != EmptyCells():
        raise SynthesisError(
            "--correction, --to, --drop-double-zero and --keep-double-zero are about counts, and the table gives the "
            "estimates: leave them out"
        )
    if input_level is not None and not given:
        raise SynthesisError("--input-level is that of intervals given with estimates, and there are none")
    if measure in GIVEN_MEASURES and given:
        return given_studies(table, labels, measure, input_level)
    if measure == "rate" or measure == "IRR":
        studies = rated_studies(table, labels, measure)
        return with_shared_controls(table, studies) if apart and measure == "IRR" else studies
    if measure in PROPORTIONS:
        return _known(_single_arms(table, labels, measure, empty), labels, table.file)
    if measure in GROUPS:
        studies = _known(_two_groups(table, labels, measure, empty), labels, table.file)
        return with_shared_controls(table, studies) if apart else studies
    return effect_studies(table, labels, measure)


def _wrong_cells(table: StudyTable, measure: TableMeasure, given: bool) -> tuple[Problem, ...]:
    """What is wrong with the counts of a table whose names are refused, to be told of together."""
    try:
        if given:
            return ()
        if measure in PROPORTIONS:
            study_table.counts(table)
        elif measure in GROUPS:
            study_table.two_by_two(table)
        elif measure == "generic":
            study_table.effects(table)
        else:
            for group in ("",) if measure == "rate" else ("1", "2"):
                study_table.events_in_time(table, group)
    except SynthesisError as error:
        return error.problems
    return ()


def _single_arms(table: StudyTable, labels: tuple[str, ...], measure: TableMeasure, empty: EmptyCells) -> Studies:
    events, total = study_table.counts(table)
    studies = counted_studies(labels, events, total, measure)
    effects = effect_sizes(events, total, PROPORTIONS[measure], correction=empty.used)
    rows = tuple(range(len(labels)))
    return replace(studies, yi=effects.yi, vi=effects.vi, rows=rows, correction=empty.correction)


def _two_groups(table: StudyTable, labels: tuple[str, ...], measure: TableMeasure, empty: EmptyCells) -> Studies:
    counted = study_table.two_by_two(table)
    alike = tables(*counted).alike
    ratio = {"OR": "odds ratio", "RR": "risk ratio"}.get(measure)
    if ratio and alike.all():
        raise SynthesisError(
            f"{table.file}: nobody, or everybody, had the event in both groups of every study: no method can say "
            f"anything of the {ratio}; --measure RD pools differences"
        )
    drops = empty.drops(measure)
    rows = np.flatnonzero(~(alike & drops)).tolist()
    if not rows:
        raise SynthesisError(
            f"{table.file}: nobody, or everybody, had the event in both groups of every study: none is left; take "
            "--keep-double-zero"
        )
    # Left out before anything is added: what --to if0all adds rests on the studies that stay.
    a, n1, c, n2 = (counts[rows] for counts in counted)
    effects = compare_groups(a, n1, c, n2, GROUPS[measure], correction=empty.used)
    # Of those that have no effect without a correction it is said that they are left out for that.
    silent = [label for label, each in zip(labels, alike.tolist(), strict=True) if each]
    if not drops:
        silent = [labels[row] for row, y in zip(rows, effects.yi, strict=True) if alike[row] and np.isfinite(y)]
    return Studies(
        labels=tuple(labels[row] for row in rows),
        scale=Scale(measure),
        yi=effects.yi,
        vi=effects.vi,
        groups=tables(a, n1, c, n2),
        remarks=tuple(_on_silent(silent, ratio, drops=drops)),
        rows=tuple(rows),
        correction=empty.correction,
    )


def _on_silent(silent: Sequence[str], ratio: str | None, *, drops: bool) -> Iterator[str]:
    """On studies in which nobody, or everybody, had the event in both groups."""
    if not silent:
        return
    it, tells = ("them", "they tell") if len(silent) > 1 else ("it", "it tells")
    said = f"Nobody, or everybody, had the event in both groups of {', '.join(silent)}: "
    if drops:
        why = f", as {tells} nothing of the {ratio}" if ratio else ""
        yield f"{said}left out{why}. --keep-double-zero keeps {it}."
    else:
        yield f"{said}kept, as {tells} of no difference. --drop-double-zero leaves {it} out."


def _known(studies: Studies, labels: Sequence[str], file: str) -> Studies:
    """Without studies that have no effect; ``labels`` are of all that stand in the file."""
    known = np.isfinite(studies.yi)
    remarks = list(studies.remarks)
    if not known.all():
        without = [studies.labels[row] for row in np.flatnonzero(~known)]
        them = "them" if len(without) > 1 else "it"
        if not known.any():
            raise SynthesisError(
                f"{file}: every study has an empty cell, and nothing is added to them: none is left to pool; "
                "leave --correction and --to out, or take a method that needs no correction"
            )
        remarks.append(
            f"Left out, as nothing is added to the empty cells of {', '.join(without)}, which "
            f"{'have' if len(without) > 1 else 'has'} no effect, or none that can be weighed, without it. "
            f"--correction 0.5 keeps {them}."
        )
        studies = studies.of(np.flatnonzero(known).tolist())
    if studies.k == len(labels):
        return replace(studies, rows=None)
    if studies.k == 1:
        remarks.append(f"One study is left, {studies.labels[0]}: the result is its own, and nothing is pooled.")
    used = set(studies.rows or ())
    left_out = tuple(label for row, label in enumerate(labels) if row not in used)
    return replace(studies, remarks=tuple(remarks), left_out=left_out)
