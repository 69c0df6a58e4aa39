"""Fewer grid nodes with the same first two moments, so that the bedside has less to carry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Nodes:
    """A mixture over the between-study spread.

    ``weight``, ``spread2`` (squared spread) have shape (nodes,), ``mean`` (nodes, levels), ``covariance`` (nodes,
    levels, levels).
    """

    weight: Array
    mean: Array
    covariance: Array
    spread2: Array


def compress_nodes(weight: Array, mean: Array, covariance: Array, spread2: Array, count: int) -> Nodes:
    """Merge neighbouring nodes, lightest first, until ``count`` are left.

    Merging keeps the total weight, the means, the covariances and the mean squared spread of the mixture.
    """
    w, s = (list(map(float, values)) for values in (weight, spread2))
    m, v = list(mean), list(covariance)
    while len(w) > count:
        i = min(range(len(w) - 1), key=lambda k: w[k] + w[k + 1])
        total = w[i] + w[i + 1]
        a = w[i] / total if total > 0 else 0.5  # two nodes of no weight: any mean of them will do
        centre = a * m[i] + (1 - a) * m[i + 1]
        first, second = m[i] - centre, m[i + 1] - centre
        v[i] = a * (v[i] + np.outer(first, first)) + (1 - a) * (v[i + 1] + np.outer(second, second))
        s[i] = a * s[i] + (1 - a) * s[i + 1]
        w[i], m[i] = total, centre
        for values in (w, m, v, s):
            del values[i + 1]
    return Nodes(np.array(w), np.array(m), np.array(v), np.array(s))
