"""Events in person-time as studies: rates of single arms, and rate ratios of two groups."""

from __future__ import annotations

from typing import Literal

from bcma_decide.workshop.meta_analysis import study_table
from bcma_decide.workshop.meta_analysis.incidence_rates import PersonTime, RatePairs, compare_rates, log_rates
from bcma_decide.workshop.meta_analysis.study_table import StudyTable
from bcma_decide.workshop.synthesis.studies import Scale, Studies

__all__ = ["rated_studies"]


def rated_studies(table: StudyTable, labels: tuple[str, ...], measure: Literal["rate", "IRR"]) -> Studies:
    """Log rates or log rate ratios; raises SynthesisError as `study_table.events_in_time`."""
    rates: PersonTime | RatePairs
    if measure == "rate":
        rates = PersonTime(*study_table.events_in_time(table))
        effects = log_rates(rates)
    else:
        rates = RatePairs(*(PersonTime(*study_table.events_in_time(table, group)) for group in ("1", "2")))
        effects = compare_rates(rates)
    return Studies(labels, Scale(measure), effects.yi, effects.vi, rates=rates)
