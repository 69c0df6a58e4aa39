"""Fewer grid nodes with the same first two moments, so that the bedside has less to carry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Nodes:
    """A mixture over the between-study spread: weight, level mean and variance, squared spread, each (nodes,)."""

    weight: Array
    mean: Array
    variance: Array
    spread2: Array


def compress_nodes(weight: Array, mean: Array, variance: Array, spread2: Array, count: int) -> Nodes:
    """Merge neighbouring nodes, lightest first, until ``count`` are left.

    Merging keeps the total weight, the mean, the variance and the mean squared spread of the mixture (moment-preserving
    merge of normal components; Runnalls AR. IEEE Trans Aerosp Electron Syst 2007;43:989-999, gives the formulas).
    """
    # Only neighbours are merged, since nodes are in the order of tau: what is joined has nearly the same spread.
    # The lightest pair first: the quantiles feel it least.
    w, m, v, s = (list(map(float, values)) for values in (weight, mean, variance, spread2))
    while len(w) > count:
        i = min(range(len(w) - 1), key=lambda k: w[k] + w[k + 1])
        total = w[i] + w[i + 1]
        a = w[i] / total if total > 0 else 0.5  # two nodes of no weight: any mean of them will do
        centre = a * m[i] + (1 - a) * m[i + 1]
        # Within plus between: without the second part the mixture would come out narrower with every merge.
        v[i] = a * (v[i] + (m[i] - centre) ** 2) + (1 - a) * (v[i + 1] + (m[i + 1] - centre) ** 2)
        s[i] = a * s[i] + (1 - a) * s[i + 1]
        w[i], m[i] = total, centre
        for values in (w, m, v, s):
            del values[i + 1]
    return Nodes(np.array(w), np.array(m), np.array(v), np.array(s))
