"""How sure the difference between two predictors is: resampled by groups of studies that belong together.

Rows of one study share its patients and its centre effect, and a study shares patients with those that overlap it, so
whole groups are drawn (cluster bootstrap: Field CA, Welsh AH. J R Stat Soc B 2007;69:369-390, section 2.2), with the
percentile interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bcma_decide.workshop.validation.predictors import PATIENT_MODEL
from bcma_decide.workshop.validation.shapes import Difference, ScoredRow

Array = NDArray[np.float64]

REPLICATES: Final = 4000
SEED: Final = 20241002
"""The search date of the source meta-analysis, as for the virtual patients."""
ENDS: Final = (0.025, 0.975)


def belonging(together: Mapping[str, frozenset[str]]) -> dict[str, int]:
    """Number of the group of every study: studies linked by any chain of shared patients or trials are one group."""
    group: dict[str, int] = {}
    for study in sorted(together):
        if study in group:
            continue
        number, waiting = len(set(group.values())), [study]
        while waiting:
            each = waiting.pop()
            if each not in group:
                group[each] = number
                waiting += sorted(together.get(each, ()))
    return group


def difference(
    rows: Sequence[ScoredRow], group: Mapping[str, int], baseline: str, model: str = PATIENT_MODEL
) -> Difference:
    """The model against one baseline over some rows.

    Parameters
    ----------
    rows
        At least one.
    group
        Number of the group of every study, as :func:`belonging` gives it.
    baseline, model
        Names of the two predictors.
    """
    ours, theirs = ([row.predicted[name] for row in rows] for name in (model, baseline))
    gain = np.array([b.log_score - a.log_score for a, b in zip(ours, theirs, strict=True)])
    winkler = np.array([[a.winkler, b.winkler] for a, b in zip(ours, theirs, strict=True)])
    members = np.array([group[row.study] for row in rows])
    _, place = np.unique(members, return_inverse=True)
    sums = np.zeros((int(place.max()) + 1, 4))
    np.add.at(sums, place, np.column_stack([gain, np.ones(len(rows)), winkler]))
    drawn = np.random.default_rng(SEED).integers(len(sums), size=(REPLICATES, len(sums)))
    total = sums[drawn].sum(axis=1)
    low, high = (_interval(values) for values in (total[:, 0] / total[:, 1], total[:, 2] / total[:, 3]))
    return Difference(
        baseline=baseline,
        log_score=float(gain.mean()),
        log_score_interval=low,
        winkler_ratio=float(winkler[:, 0].sum() / winkler[:, 1].sum()),
        winkler_ratio_interval=high,
    )


def _interval(values: Array) -> tuple[float, float]:
    low, high = np.quantile(values, ENDS)
    return float(low), float(high)
