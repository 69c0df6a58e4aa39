"""Certainty of the evidence for one estimate: a GRADE-style rating by stated rules, with its reasons.

The steps follow GRADE: start by design (Balshem H et al. J Clin Epidemiol 2011;64:401-406), move down for too few
studies, imprecision, inconsistency and indirectness, up for a large effect (Guyatt GH et al. J Clin Epidemiol
2011;64:1311-1316), and, as for estimates of event rates in groups of patients (Iorio A et al. BMJ 2015;350:h870), up
where many patients of many studies agree and are like the one asked about. Limits stand in the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from typing import Final

from msgspec import Struct

from bcma_decide.vocabulary import Certainty

LEVELS: Final[tuple[Certainty, ...]] = ("very low", "low", "moderate", "high")

START = "start at low: single-arm studies, compared across studies"


class Ground(Struct, frozen=True):
    """What a rating rests on.

    ``credible`` and ``prediction``: 95 % intervals of the average and of the next centre, as fractions. ``indirect``:
    how the patient or the product differs from those studied, in words. ``open_moves``: label of each unknown trait and
    how far it could move the rate. ``log_odds_ratio``: 95 % interval of the class difference, None without a contrast.
    """

    n_studies: int
    n_patients: int
    credible: tuple[float, float]
    prediction: tuple[float, float]
    indirect: Sequence[str] = ()
    open_moves: Sequence[tuple[str, float]] = ()
    log_odds_ratio: tuple[float, float] | None = None


def rate_certainty(limits: Mapping[str, float], ground: Ground) -> tuple[Certainty, tuple[str, ...]]:
    """Certainty and its reasons.

    Few studies or patients lower it only where intervals are wide: in studies left out, estimates with narrow
    intervals of both kinds were as good from two studies as from ten.

    Parameters
    ----------
    limits
        The values of *certainty* in the assumptions, and ``unstable_move``: an unknown trait that could move the rate
        by less is no indirectness.
    ground
        What is rated.
    """
    width, next_width = (ends[1] - ends[0] for ends in (ground.credible, ground.prediction))
    agrees = width <= limits["narrow_width"] and next_width <= limits["consistent_width"]
    down = [
        *([] if agrees else _few_data(limits, ground)),
        *_imprecision(limits, width),
        *_inconsistency(limits, next_width),
        *_indirectness(limits, ground),
    ]
    up = _large_effect(limits, ground)
    # Only what has no fault is raised for agreement: many patients of many studies that agree, and are like this one.
    if agrees and not down:
        up += _much_data(limits, ground, width, next_width)
    # "Low", the second of LEVELS: GRADE starts evidence without a randomised comparison there, not at "high".
    level = LEVELS.index("low") - len(down) + len(up)
    return LEVELS[min(max(level, 0), len(LEVELS) - 1)], (START, *down, *up)


def _few_data(limits: Mapping[str, float], ground: Ground) -> list[str]:
    """One step however many of its signs are there: few studies and few patients are one weakness."""
    signs = [
        *([_counted(ground.n_studies, "study", "studies")] if ground.n_studies < limits["few_studies"] else []),
        *([_counted(ground.n_patients, "patient", "patients")] if ground.n_patients < limits["few_patients"] else []),
    ]
    return [f"down for few data: {', '.join(signs)}"] if signs else []


def _imprecision(limits: Mapping[str, float], width: float) -> list[str]:
    wide = width > limits["imprecision_width"]
    return [f"down for imprecision: interval {100 * width:.0f} points wide"] if wide else []


def _inconsistency(limits: Mapping[str, float], next_width: float) -> list[str]:
    wide = next_width > limits["inconsistency_width"]
    return [f"down for inconsistency: the next centre's interval is {100 * next_width:.0f} points wide"] if wide else []


def _indirectness(limits: Mapping[str, float], ground: Ground) -> list[str]:
    deciding = [label for label, move in ground.open_moves if move >= limits["unstable_move"]]
    signs = [
        *ground.indirect,
        *([f"unknown, and it would move the number: {', '.join(deciding)}"] if deciding else []),
    ]
    return [f"down for indirectness: {'; '.join(signs)}"] if signs else []


def _large_effect(limits: Mapping[str, float], ground: Ground) -> list[str]:
    """The end nearer to 1 has to pass the limit, not the middle: a large ratio from few patients earns nothing."""
    large = log(limits["large_effect_odds_ratio"])
    ratio = ground.log_odds_ratio
    if ratio is not None and (ratio[0] > large or ratio[1] < -large):
        return ["up for a large difference between the classes: the whole odds ratio interval lies beyond it"]
    return []


def _much_data(limits: Mapping[str, float], ground: Ground, width: float, next_width: float) -> list[str]:
    if ground.n_studies < limits["many_studies"] or ground.n_patients < limits["many_patients"]:
        return []
    return [
        f"up for consistent evidence: {ground.n_studies} studies of {ground.n_patients} patients, interval "
        f"{100 * width:.0f} points wide, at the next centre {100 * next_width:.0f}"
    ]


def _counted(count: int, one: str, more: str) -> str:
    """A count with its noun."""
    return f"{count} {one if count == 1 else more}"
