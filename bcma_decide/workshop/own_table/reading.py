"""The columns of a user's table as studies on the scale of a measure."""

from __future__ import annotations

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis import study_table
from bcma_decide.workshop.meta_analysis.given_effects import GIVEN_MEASURES
from bcma_decide.workshop.meta_analysis.study_table import StudyTable
from bcma_decide.workshop.meta_analysis.two_groups import compare_groups, tables
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
    table: StudyTable, measure: TableMeasure, *, apart: bool = True, input_level: float | None = None
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

    Raises
    ------
    SynthesisError
        For whatever is wrong with a column, and when there is one study only.
    """
    # Rows of one name may be arms that share a control; where they are not, they are refused below.
    compared = measure in GROUPS or measure == "IRR"
    given = measure in GIVEN_MEASURES and is_given(table, measure)
    counted = compared and not given
    labels = study_table.labels(table, apart=apart and not counted)
    if len(labels) == 1:
        raise SynthesisError(
            f"{table.file}: there is one study, {labels[0]!r}: nothing to pool; a pooled result needs two or more"
        )
    if input_level is not None and not given:
        raise SynthesisError("--input-level is that of intervals given with estimates, and there are none")
    if measure in GIVEN_MEASURES and is_given(table, measure):
        return given_studies(table, labels, measure, input_level)
    if measure == "rate" or measure == "IRR":
        return _apart(table, rated_studies(table, labels, measure), apart=apart and counted)
    if measure in PROPORTIONS:
        events, total = study_table.counts(table)
        return counted_studies(labels, events, total, measure)
    if measure in GROUPS:
        groups = study_table.two_by_two(table)
        effects = compare_groups(*groups, GROUPS[measure])
        studies = Studies(labels, Scale(measure), effects.yi, effects.vi, groups=tables(*groups))
        return _apart(table, studies, apart=apart)
    return effect_studies(table, labels, measure)


def _apart(table: StudyTable, studies: Studies, *, apart: bool) -> Studies:
    return with_shared_controls(table, studies) if apart else studies
