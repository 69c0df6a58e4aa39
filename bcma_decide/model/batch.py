"""Many patients at once: headlines, intervals and class differences of every outcome, by the kernel of one patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bcma_decide.model.kernel import class_differences, evaluated, fixed_differences
from bcma_decide.model.outside import extra_variances
from bcma_decide.model.profiles import Profiles
from bcma_decide.model.rates import HIGH, LOW, MEAN, MEDIAN, NEXT_HIGH, NEXT_LOW
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.vocabulary import CLASSES, OUTCOMES, Design

__all__ = ["BatchNumbers", "Profiles", "batch_numbers", "compared_outcomes"]

Array = NDArray[np.float64]

_AT_ONCE: Final = 64
"""Profiles whose components are held at the same time: about 200 kB each, so that they stay near the processor."""


@dataclass(frozen=True)
class BatchNumbers:
    """Numbers of some patients in one setting, as fractions.

    ``mean``, ``median`` (profiles, cells), ``credible``, ``prediction`` (profiles, cells, 2): cells in the order of
    `PooledEvidence.cells`. ``risk_difference`` (profiles, outcomes, 3): mean and 95 % interval of first class minus
    second, bias term included; ``first_higher`` (profiles, outcomes); for the outcomes of :func:`compared_outcomes`.
    """

    mean: Array
    median: Array
    credible: Array
    prediction: Array
    risk_difference: Array
    first_higher: Array


def compared_outcomes(pooled: PooledEvidence) -> Sequence[str]:
    """Outcomes at which both classes have a number, in their order."""
    return tuple(o for o in OUTCOMES if all((o, option) in pooled.place for option in CLASSES))


def batch_numbers(pooled: PooledEvidence, setting: Design, profiles: Profiles) -> BatchNumbers:
    """Compute the numbers of some patients; each is what the patient alone has, to 1e-12.

    What limits of the evidence withhold is not taken out here (:mod:`bcma_decide.comparing.published`).
    """
    bias = pooled.assumptions["unanchored_sd"]
    compared = compared_outcomes(pooled)
    place = {outcome: index for index, outcome in enumerate(compared)}
    rates = np.empty((len(profiles), len(pooled.cells), 6))
    gaps = np.empty((len(profiles), len(compared), 4))
    still = fixed_differences(pooled, setting)
    for outcome, difference in still.items():
        gaps[:, place[outcome]] = difference[0, :4]
    for start in range(0, len(profiles), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        some = profiles[rows]
        found = evaluated(pooled, setting, some, extra_variances(pooled, some))
        rates[rows] = found.table
        for meeting, *sides in found.met():
            columns = [place[outcome] for outcome in meeting.names]
            gaps[rows, columns] = class_differences(meeting, sides[0], sides[1], found.table, (bias,))[:, :, 0, :4]
    return BatchNumbers(
        mean=rates[..., MEAN],
        median=rates[..., MEDIAN],
        credible=rates[..., LOW : HIGH + 1],
        prediction=rates[..., NEXT_LOW : NEXT_HIGH + 1],
        risk_difference=gaps[..., :3],
        first_higher=gaps[..., 3],
    )
