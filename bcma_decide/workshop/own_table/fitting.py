"""Which measure goes with the columns of a table."""

from __future__ import annotations

from typing import Final

from bcma_decide.errors import Problem
from bcma_decide.workshop.meta_analysis.given_effects import GIVEN_MEASURES
from bcma_decide.workshop.meta_analysis.study_table import StudyTable, column
from bcma_decide.workshop.meta_analysis.table_estimates import estimates_column
from bcma_decide.workshop.meta_analysis.table_file import refused
from bcma_decide.workshop.synthesis.studies import GROUPS, PROPORTIONS, TableMeasure

__all__ = ["counted_columns", "fitting", "has_columns"]

_COUNTED: Final[dict[TableMeasure, tuple[str, ...]]] = {
    **dict.fromkeys(PROPORTIONS, ("events", "n")),
    **dict.fromkeys(GROUPS, ("events1", "n1", "events2", "n2")),
    "rate": ("events", "time"),
    "IRR": ("events1", "time1", "events2", "time2"),
}


def counted_columns(measure: TableMeasure) -> tuple[str, ...]:
    """Columns that a measure is worked out from; none where it cannot but be given."""
    return _COUNTED.get(measure, ())


def has_columns(table: StudyTable, *quantities: str) -> bool:
    """Whether there is a column of each quantity."""
    return all(column(table, quantity) is not None for quantity in quantities)


def fitting(table: StudyTable) -> TableMeasure:
    """The measure that the columns are for.

    Effects as they are; counts of two groups, of patients or in person-time; counts of single arms; estimates with
    limits or p-values, by the name of their column. A table with none of them is taken for one of counts of single
    arms, whose missing columns are then named.

    Raises
    ------
    SynthesisError
        When the columns are for several measures, or for estimates of no known kind.
    """
    if has_columns(table, "yi"):
        return "generic"
    measures: list[TableMeasure] = []
    if has_columns(table, "events1", "events2"):
        in_time = has_columns(table, "time1", "time2") and not has_columns(table, "n1", "n2")
        measures.append("IRR" if in_time else "OR")
    elif has_columns(table, "events", "n"):
        measures.append("logit")
    elif has_columns(table, "events", "time"):
        measures.append("rate")
    measures += [each for each in GIVEN_MEASURES if estimates_column(table, each, named=True) is not None]
    if len(measures) > 1:
        raise refused(
            table.file, [Problem("--measure", f"may be {' or '.join(measures)} by the columns there are", "give it")]
        )
    if not measures and estimates_column(table, "HR") is not None:
        problem = Problem(
            "--measure", "is not given, and the estimates may be of any kind", f"one of {', '.join(GIVEN_MEASURES)}"
        )
        raise refused(table.file, [problem])
    return measures[0] if measures else "logit"
