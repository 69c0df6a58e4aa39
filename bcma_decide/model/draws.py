"""Numbers that look random and never change: one column of draws for every named source of uncertainty.

Each column goes once through every one of as many equally likely strata, in an order of its own (Latin hypercube:
McKay MD, Beckman RJ, Conover WJ. Technometrics 1979;21:239-245). The order comes from the raw bits of a generator
whose stream numpy keeps unchanged, seeded by the name alone: the same question gives the same bytes, and what is drawn
for one criterion does not depend on which others are asked for.
"""

from __future__ import annotations

from functools import cache, lru_cache
from math import sqrt
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from bcma_decide.model.normal import quantile

Array = NDArray[np.float64]

DRAWS = 16384
"""A share of one half then has a standard error of 0.4 points, less than the half point it is rounded by."""
LARGEST_ERROR = 0.5 / sqrt(DRAWS)
_SEED = 20071
_KEPT = 256
"""Columns kept between questions, 32 kB each."""


def uniforms(name: str) -> Array:
    """Draws between 0 and 1, ends excluded, (DRAWS,)."""
    return np.asarray((_order(name) + 0.5) / DRAWS)


def normals(name: str) -> Array:
    """Standard normal draws, (DRAWS,)."""
    return np.asarray(_strata()[_order(name)])


@lru_cache(maxsize=_KEPT)
def _order(name: str) -> NDArray[np.uint16]:
    bits = np.random.PCG64([_SEED, crc32(name.encode())]).random_raw(DRAWS)
    return np.argsort(bits, kind="stable").astype(np.uint16)


@cache
def _strata() -> Array:
    return quantile((np.arange(DRAWS) + 0.5) / DRAWS)
