"""Certainty of the evidence for one estimate: a GRADE-style rating by stated rules, with its reasons.

The steps follow GRADE guidelines 3 (Balshem H et al. J Clin Epidemiol 2011;64:401-406): start by design, move down for
inconsistency, imprecision, indirectness and too few studies, up for a large effect. Limits stand in the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from typing import Final

from bcma_decide.vocabulary import Certainty

LEVELS: Final[tuple[Certainty, ...]] = ("very low", "low", "moderate", "high")

START = "start at low: single-arm studies, compared across studies"


def rate_certainty(
    limits: Mapping[str, float],
    *,
    n_studies: int,
    n_patients: int,
    credible: tuple[float, float],
    prediction: tuple[float, float],
    outside: Sequence[str],
    unknown: Sequence[str],
    uninformed: Sequence[str],
    log_odds_ratio: tuple[float, float] | None,
) -> tuple[Certainty, tuple[str, ...]]:
    """Certainty and its reasons.

    Parameters
    ----------
    limits
        ``few_studies``, ``few_patients``, ``imprecision_width``, ``inconsistency_width``, ``large_effect_odds_ratio``.
    credible, prediction
        95 % intervals as fractions.
    outside, unknown, uninformed
        Labels of: reasons why the patient lies outside the evidence; traits with an effect here that are unknown;
        known traits without any evidence for this outcome.
    log_odds_ratio
        95 % interval of the class log odds ratio for this patient, None where there is no contrast.
    """
    # "Low", the second of LEVELS: GRADE starts evidence without a randomised comparison there, not at "high".
    level = LEVELS.index("low")
    reasons = [START]
    if n_studies < limits["few_studies"]:
        level -= 1
        reasons.append(f"down for few studies: {n_studies}")
    width = credible[1] - credible[0]
    imprecise = [
        *([f"interval {100 * width:.0f} points wide"] if width > limits["imprecision_width"] else []),
        *([f"{n_patients} patients"] if n_patients < limits["few_patients"] else []),
    ]
    # One step for the domain however many of its signs are there: a wide interval and few patients are one weakness.
    if imprecise:
        level -= 1
        reasons.append(f"down for imprecision: {', '.join(imprecise)}")
    width = prediction[1] - prediction[0]
    if width > limits["inconsistency_width"]:
        level -= 1
        reasons.append(f"down for inconsistency: the next centre's interval is {100 * width:.0f} points wide")
    indirect = [
        *(f"outside the evidence ({reason})" for reason in outside),
        *([f"unknown: {', '.join(unknown)}"] if unknown else []),
        *([f"no evidence here on: {', '.join(uninformed)}"] if uninformed else []),
    ]
    if indirect:
        level -= 1
        reasons.append(f"down for indirectness: {'; '.join(indirect)}")
    if log_odds_ratio is not None:
        # The end nearer to 1 has to pass the limit, not the middle: a large ratio from few patients earns nothing.
        large = log(limits["large_effect_odds_ratio"])
        if log_odds_ratio[0] > large or log_odds_ratio[1] < -large:
            level += 1
            reasons.append(
                "up for a large difference between the classes: the whole odds ratio interval lies beyond it"
            )
    return LEVELS[min(max(level, 0), len(LEVELS) - 1)], tuple(reasons)
