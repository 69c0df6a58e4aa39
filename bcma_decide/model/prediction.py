"""From the pooled evidence and virtual patients like this one to every option's rates.

The linear predictor of an option is its level plus the patient's trait effects, Gaussian given the between-study
spread; the unknown traits make it a mixture. Medians and intervals are quantiles of that mixture on the log-odds
scale, without sampling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcma_decide.model.normal import expected_logistic, logistic, mixture_quantiles
from bcma_decide.model.population import Patients
from bcma_decide.pooled.file import Levels, PooledEvidence

Array = NDArray[np.float64]

BINS = 4
"""Into how many equal groups the virtual patients are put by their predicted risk.

One normal would miss that the mixture is skewed when a strong trait is unknown: its ends are up to 6 points from those
of 64 groups, those of four up to 1.6 (means: 0.5 and 0.2). The cost of the quantiles grows with the groups.
"""

_CREDIBLE = np.array([0.025, 0.5, 0.975])
_PREDICTION = np.array([0.025, 0.975])


@dataclass(frozen=True)
class LinearPredictor:
    """Linear predictor of every cell as a mixture over groups of virtual patients.

    ``offset`` (families, classes, draws): trait part per virtual patient. ``mean``, ``variance`` (cells, bins):
    log odds and their variance (parameters, plus the spread of patients inside the bin, plus what lies outside the
    evidence); ``typical`` (cells, traits): derivative of the average predictor in the trait effects;
    ``patient_covariance`` (traits, traits): how the virtual patients vary.
    """

    offset: Array
    mean: Array
    variance: Array
    typical: Array
    patient_covariance: Array


@dataclass(frozen=True)
class Rates:
    """Rates of every cell as fractions: medians and means (cells,), intervals (cells, 2)."""

    median: Array
    mean: Array
    credible: Array
    prediction: Array


def linear_predictor(
    pooled: PooledEvidence, levels: Levels, patients: Patients, extra_variance: Array
) -> LinearPredictor:
    """Mixture of the linear predictor for every cell.

    Parameters
    ----------
    pooled, levels
        The pooled evidence and the levels of one setting.
    patients
        Virtual patients like this one.
    extra_variance
        Added per cell for lying outside the evidence, shape (cells,).
    """
    deviation = held(pooled, patients.values) - pooled.reference
    offset = np.einsum("fct,nt->fcn", pooled.effects, deviation)
    # Groups of one size have one weight; at most three virtual patients are left out for it. The sort is stable because
    # patients who differ in no trait with an effect are ties, and the groups must be the same on every machine.
    draws = offset.shape[2] - offset.shape[2] % BINS
    order = np.argsort(offset[:, :, :draws], axis=2, kind="stable").reshape(*offset.shape[:2], BINS, -1)
    binned = np.take_along_axis(offset[:, :, None, :], order, axis=3)
    bin_mean, bin_variance = binned.mean(axis=3), binned.var(axis=3)
    bin_deviation = deviation[order].mean(axis=3)

    family, klass = pooled.cell_family, pooled.cell_class
    # An effect moves the patient's own term, and through the standardised studies also the level (`slope`), the other
    # way. Added before they are squared: for a patient like those of the studies the two cancel, as they should.
    gradient = levels.slope[:, None, :] + bin_deviation[family, klass]
    own = np.einsum("fctcu->fctu", pooled.effect_blocks)
    centred = bin_deviation - bin_deviation.mean(axis=2, keepdims=True)
    patient_covariance = np.cov(deviation.T, bias=True)
    # Patients of one bin differ also where the effect is unsure: E[x'Vx] is more than E[x]'V E[x].
    within_bins = patient_covariance - centred.transpose(0, 1, 3, 2) @ centred / BINS
    scatter = np.einsum("fctu,fctu->fc", own, within_bins)[family, klass]
    parameter_variance = np.einsum("cbt,cbt->cb", gradient @ own[family, klass], gradient) + scatter[:, None]
    return LinearPredictor(
        offset=offset,
        mean=levels.mean[:, None] + bin_mean[family, klass],
        variance=levels.variance[:, None] + parameter_variance + bin_variance[family, klass] + extra_variance[:, None],
        typical=gradient.mean(axis=1),
        patient_covariance=patient_covariance,
    )


def numeric_range(pooled: PooledEvidence) -> tuple[Array, Array]:
    """Lower and upper end of the range in which traits act, model scale, shape (traits,); infinite for yes/no traits.

    A line through published cuts says nothing about the far ends, so the effect of a numeric trait is held constant
    beyond a stated number of standard deviations of the evidence population.
    """
    population = pooled.population
    reach = pooled.assumptions["numeric_reach_sd"] * population.spread
    low = np.where(population.binary, -np.inf, population.location - reach)
    high = np.where(population.binary, np.inf, population.location + reach)
    return low, high


def held(pooled: PooledEvidence, values: Array) -> Array:
    """Trait values with numeric ones held inside :func:`numeric_range`, same shape."""
    low, high = numeric_range(pooled)
    return np.clip(values, low, high)


def rates(pooled: PooledEvidence, levels: Levels, predictor: LinearPredictor) -> Rates:
    """Medians, means and both 95 % intervals of every cell.

    *Credible*: the rate for such patients at a typical centre. *Prediction*: at the next centre, whose own level
    adds the between-study variance (and for a class, the spread of its products), averaged over its grid.
    Thresholds of one family are in order, see :func:`in_order`.
    """
    even = np.full(predictor.mean.shape, 1.0 / BINS)
    # Quantiles are taken on the log-odds scale and transformed: a quantile may be, a mean may not, so that has a
    # quadrature of its own.
    sd = np.sqrt(predictor.variance)
    credible = mixture_quantiles(even, predictor.mean, sd, _CREDIBLE)
    mean = (even * expected_logistic(predictor.mean, sd)).sum(axis=1)

    # Here the mixture runs over the spread between centres, whose long tail makes the interval; the patients enter by
    # mean and variance only, since both grids together would be BINS times as many components.
    between = levels.node_mean - levels.mean[:, None]
    average = predictor.mean.mean(axis=1)
    # Less the variance of the level: each node brings its own.
    spread = predictor.mean.var(axis=1) + predictor.variance.mean(axis=1) - levels.variance
    node_variance = levels.node_variance + levels.node_spread2 + spread[:, None]
    prediction = mixture_quantiles(levels.node_weight, average[:, None] + between, np.sqrt(node_variance), _PREDICTION)

    table = np.column_stack([credible, prediction])
    # A new centre cannot be surer than the typical one. Without the widening it can come out so, by up to 0.07 on the
    # log odds, where centres hardly differ: the patients are four groups in one interval and one normal in the other.
    table[:, 3], table[:, 4] = np.minimum(table[:, 3], table[:, 0]), np.maximum(table[:, 4], table[:, 2])
    table = in_order(pooled, np.column_stack([logistic(table), mean]))
    return Rates(median=table[:, 1], mean=table[:, 5], credible=table[:, [0, 2]], prediction=table[:, 3:5])


def in_order(pooled: PooledEvidence, table: Array) -> Array:
    """A table (cells, columns) with the thresholds of each family and option in order, column by column.

    Rearrangement of quantiles (Chernozhukov V et al. Econometrica 2010;78:1093-1125): a stricter threshold is never
    more frequent than a looser one.
    """
    # Each threshold is fitted alone, so levels can cross (by 0.4 points at most in the shipped examples). Each column
    # is sorted for itself: order statistics keep low <= median <= high, which swapping whole rows by their medians
    # might not, and where nothing crosses nothing moves.
    table = table.copy()
    for rows in pooled.threshold_rows:
        table[rows] = -np.sort(-table[rows], axis=0)
    return table
