"""Effects that a table gives as such: on the analysis scale, or as estimates with limits or p-values."""

from __future__ import annotations

from bcma_decide.errors import Problem
from bcma_decide.workshop.meta_analysis import study_table
from bcma_decide.workshop.meta_analysis.given_effects import GIVEN_RATIOS, GivenMeasure
from bcma_decide.workshop.meta_analysis.study_table import StudyTable
from bcma_decide.workshop.meta_analysis.table_estimates import NAMES_OF_MEASURES, estimates, estimates_column
from bcma_decide.workshop.meta_analysis.table_file import refused
from bcma_decide.workshop.own_table.fitting import counted_columns, has_columns
from bcma_decide.workshop.synthesis.studies import Scale, Studies, TableMeasure

__all__ = ["effect_studies", "given_studies", "is_given"]


def is_given(table: StudyTable, measure: GivenMeasure) -> bool:
    """Whether the effects of a measure stand in the table, and not only what they can be worked out from.

    Raises
    ------
    SynthesisError
        When the table has both.
    """
    counts = counted_columns(measure)
    if not counts:
        return True
    there, counted = estimates_column(table, measure), has_columns(table, *counts)
    if there is not None and counted:
        names = ", ".join(str(study_table.column(table, each)) for each in counts)
        what = f"gives the {NAMES_OF_MEASURES[measure]} beside the counts it is worked out from ({names})"
        raise refused(table.file, [Problem(f"column {there}", what, "leave the columns of one kind out of the file")])
    alone = not counted and not has_columns(table, counts[0])
    own = any(has_columns(table, each) for each in (measure.casefold(), "estimate"))
    return there is not None or (alone and (own or has_columns(table, "yi")))


def given_studies(
    table: StudyTable, labels: tuple[str, ...], measure: GivenMeasure, input_level: float | None
) -> Studies:
    """Estimates with limits or p-values on the scale of their measure; raises SynthesisError as `estimates`."""
    if estimates_column(table, measure) is None and has_columns(table, "yi"):
        return effect_studies(table, labels, measure)
    found = estimates(table, measure, input_level)
    return Studies(labels, Scale(measure), found.yi, found.vi, remarks=found.remarks)


def effect_studies(table: StudyTable, labels: tuple[str, ...], measure: TableMeasure) -> Studies:
    """Effects on the analysis scale with their variances or standard errors; raises SynthesisError as `effects`."""
    yi, vi = study_table.effects(table)
    beside = [study_table.column(table, name) for name in ("vi", "sei")]
    said = () if None in beside else (f"Column {beside[0]} is used as the variance; {beside[1]} beside it agrees.",)
    if measure in GIVEN_RATIOS:
        what = f"{NAMES_OF_MEASURES[measure]}s"
        said = (f"Column {study_table.column(table, 'yi')} is read as logarithms of {what}.", *said)
    return Studies(labels, Scale(measure), yi, vi, remarks=said)
