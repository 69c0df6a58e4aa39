"""Events in person-time as studies: rates of single arms, and rate ratios of two groups."""

from __future__ import annotations

from typing import Literal

import numpy as np

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
        effects, empty = log_rates(rates), rates.events == 0
        instead = "--method GLMM takes the counts as they are"
    else:
        rates = RatePairs(*(PersonTime(*study_table.events_in_time(table, group)) for group in ("1", "2")))
        effects, empty = compare_rates(rates), (rates.first.events == 0) | (rates.second.events == 0)
        instead = "--method MH takes the counts as they are"
    said: tuple[str, ...] = ()
    if empty.any():
        named = ", ".join(labels[row] for row in np.flatnonzero(empty))
        both = "" if measure == "rate" else " of both groups"
        said = (
            f"Where studies are weighted, half an event is added to the counts{both} of those without any ({named}); "
            f"{instead}.",
        )
    return Studies(labels, Scale(measure), effects.yi, effects.vi, rates=rates, remarks=said)
