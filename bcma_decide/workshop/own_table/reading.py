"""The columns of a user's table as studies on the scale of a measure."""

from __future__ import annotations

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis import study_table
from bcma_decide.workshop.meta_analysis.study_table import StudyTable
from bcma_decide.workshop.meta_analysis.two_groups import compare_groups, tables
from bcma_decide.workshop.synthesis.studies import (
    GROUPS,
    PROPORTIONS,
    Scale,
    Studies,
    TableMeasure,
    counted_studies,
)

__all__ = ["read_studies"]


def read_studies(table: StudyTable, measure: TableMeasure, *, apart: bool = True) -> Studies:
    """Read the columns a measure needs and put the studies on its scale.

    Parameters
    ----------
    table
        The user's table.
    measure
        One of :data:`MEASURES`.
    apart
        Whether each row needs a name of its own; not where rows are arms of one study.

    Raises
    ------
    SynthesisError
        For whatever is wrong with a column, and when there is one study only.
    """
    labels = study_table.labels(table, apart=apart)
    if len(labels) == 1:
        raise SynthesisError(
            f"{table.file}: there is one study, {labels[0]!r}: nothing to pool; a pooled result needs two or more"
        )
    if measure in PROPORTIONS:
        events, total = study_table.counts(table)
        return counted_studies(labels, events, total, measure)
    if measure in GROUPS:
        counted = study_table.two_by_two(table)
        effects = compare_groups(*counted, GROUPS[measure])
        return Studies(labels, Scale(measure), effects.yi, effects.vi, groups=tables(*counted))
    yi, vi = study_table.effects(table)
    beside = [study_table.column(table, name) for name in ("vi", "sei")]
    said = () if None in beside else (f"Column {beside[0]} is used as the variance; {beside[1]} beside it agrees.",)
    return Studies(labels, Scale(measure), yi, vi, remarks=said)
