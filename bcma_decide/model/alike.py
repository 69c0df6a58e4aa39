"""Patients who are alike in everything that moves a curve: what is worked out for one of them holds for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bcma_decide.logic import Chance
from bcma_decide.model.population import Patients, conditional_patients
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.vocabulary import CLASSES, PFS, Design

Array = NDArray[np.float64]
Known = float | Chance | None
"""A trait on the model's scale; None: unknown."""

NOT_INFUSED: Final = "apheresed_not_infused"
KEPT: Final = 64
"""For how many kinds of patients what was worked out is kept: more than three yes/no traits make in two settings."""


class Alike(NamedTuple):
    """What of a patient moves curves, from the infusion and from the decision.

    ``values`` (traits,): those that act in either, the others None. ``extra_variance`` of the level of progression-free
    survival (classes,), for lying outside the evidence.
    """

    setting: Design
    values: tuple[Known, ...]
    extra_variance: tuple[float, ...]


def alike(
    pooled: PooledEvidence, setting: Design, values: Sequence[Known], extra_variance: Mapping[tuple[str, int], float]
) -> Alike:
    """Of one patient's ``values`` (traits,), all of them, and extra variances by family and class."""
    acting = acts_on_curves(pooled).tolist()
    return Alike(
        setting,
        tuple(value if acts else None for value, acts in zip(values, acting, strict=True)),
        tuple(extra_variance.get((PFS, index), 0.0) for index in range(len(CLASSES))),
    )


@lru_cache(maxsize=KEPT)
def patients_alike(pooled: PooledEvidence, values: tuple[Known, ...]) -> Patients:
    """Virtual patients of the evidence with these values of the traits that act on curves."""
    return conditional_patients(pooled.population, values, acts_on_curves(pooled))


@lru_cache(maxsize=4)
def acts_on_curves(pooled: PooledEvidence) -> NDArray[np.bool_]:
    """Which traits act on progression-free survival or on the way to it, in either class, (traits,)."""
    families = [pooled.family_index[family] for family in (PFS, NOT_INFUSED) if family in pooled.family_index]
    return np.asarray(pooled.used[families].any(axis=(0, 1)))
