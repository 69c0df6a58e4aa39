"""Three simpler ways of predicting an arm, refitted in the same run: what the patient-level model has to beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from bcma_decide.workshop.evidence.selection import SelectedRow
from bcma_decide.workshop.meta_analysis.effect_sizes import effect_sizes
from bcma_decide.workshop.meta_analysis.pooling import pool
from bcma_decide.workshop.validation.forecast import Forecast, normal_mixture, student_forecast

Array = NDArray[np.float64]

TAU_POINTS = 40
HALF_NORMAL = 1.0
"""Scale of the half-normal prior of tau in the Bayesian baseline, on the log-odds scale."""


def class_reml(rows: Sequence[SelectedRow], target: SelectedRow) -> Forecast:
    """Empirical logits of the class pooled by REML, t prediction with k - 2 degrees of freedom.

    Higgins JPT, Thompson SG, Spiegelhalter DJ. J R Stat Soc A 2009;172:137-159, equation 12.
    """
    del target
    return _reml(rows)


def product_reml(rows: Sequence[SelectedRow], target: SelectedRow) -> Forecast:
    """The same on the studies of the target's product; on the class where the product has fewer than three."""
    own = _of_product(rows, target)
    return _reml(own if len(own) >= 3 else rows)


def product_bayes(rows: Sequence[SelectedRow], target: SelectedRow) -> Forecast:
    """The target's product, tau integrated under a half-normal prior with a flat mean.

    Roever C. J Stat Softw 2020;93(6), section 2. The class stands in where the product has no other study.
    """
    own = _of_product(rows, target)
    yi, vi = _effects(own if own else rows)
    taus = HALF_NORMAL * ndtri(0.5 + 0.5 * (np.arange(TAU_POINTS) + 0.5) / TAU_POINTS)
    logs, means, variances = [], [], []
    for tau in taus:
        w = 1.0 / (vi + tau**2)
        mean = float(w @ yi / w.sum())
        logs.append(0.5 * np.log(w).sum() - 0.5 * np.log(w.sum()) - 0.5 * float(w @ (yi - mean) ** 2))
        means.append(mean)
        variances.append(1.0 / w.sum() + tau**2)
    weight = np.exp(np.array(logs) - max(logs))
    return normal_mixture(weight / weight.sum(), np.array(means), np.array(variances))


def _of_product(rows: Sequence[SelectedRow], target: SelectedRow) -> list[SelectedRow]:
    return [row for row in rows if row.products == target.products]


def _effects(rows: Sequence[SelectedRow]) -> tuple[Array, Array]:
    effects = effect_sizes([row.events for row in rows], [row.n for row in rows], "logit")
    return effects.yi, effects.vi


def _reml(rows: Sequence[SelectedRow]) -> Forecast:
    yi, vi = _effects(rows)
    pooled = pool(yi, vi, method="REML")
    scale = float(np.sqrt((pooled.tau2 or 0.0) + pooled.se**2))
    return student_forecast(float(pooled.estimate), scale, max(len(rows) - 2, 1))
