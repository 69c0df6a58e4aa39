"""The difference between two classes for one patient, from their joint posterior.

Common trait effects cancel as far as they are common, because the effects of both classes are drawn together and the
same virtual patients stand on both sides. The comparison is unanchored, so it carries an explicit bias term (NICE
Decision Support Unit, Technical Support Document 18, 2016: unanchored comparisons assume that every prognostic factor
is accounted for).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcma_decide.model.normal import Z95, distribution, logistic
from bcma_decide.model.prediction import LinearPredictor
from bcma_decide.pooled.file import Levels, PooledEvidence

Array = NDArray[np.float64]

PAIRINGS = 4
"""With how many shifted copies of the parameter draws each virtual patient is paired."""

SMALLEST_VARIANCE = 1e-12
"""Variances below this are taken as this: a standard deviation of a millionth of a log odds, which no output shows."""


@dataclass(frozen=True)
class Difference:
    """First minus second: risk difference (median, lower, upper), P(first higher), log odds ratio (mean, 95 %)."""

    risk_difference: tuple[float, float, float]
    probability_first_higher: float
    log_odds_ratio: tuple[float, float, float]


def sample_quantiles(draws: Array, probabilities: Sequence[float]) -> Array:
    """Quantiles along the last axis by linear interpolation of the order statistics, shape (..., probabilities).

    Definition 7 of Hyndman RJ, Fan Y. Am Stat 1996;50:361-365, which is numpy's own.
    """
    position = np.asarray(probabilities) * (draws.shape[-1] - 1)
    below = np.floor(position).astype(np.intp)
    above = np.minimum(below + 1, draws.shape[-1] - 1)
    # Only the order statistics that are read are put in place: two thirds of the time of a full sort.
    ordered = np.partition(draws, sorted({*below.tolist(), *above.tolist()}), axis=-1)
    return np.asarray(ordered[..., below] + (position - below) * (ordered[..., above] - ordered[..., below]))


def differences(
    pooled: PooledEvidence,
    levels: Levels,
    predictor: LinearPredictor,
    pairs: Sequence[tuple[int, int]],
    extra: Array,
    bias_sd: float,
) -> tuple[Difference, ...]:
    """Differences between pairs of cells, each pair of one outcome.

    Parameters
    ----------
    pairs
        Indices of the first and the second cell.
    extra
        Variance per cell for lying outside the evidence, shape (cells,).
    bias_sd
        Standard deviation of the bias of the comparison on the log-odds scale; 0 leaves it out.
    """
    if not pairs:
        return ()
    T, C = pooled.trait_count, pooled.effects.shape[1]
    index = np.array(pairs)
    family, klass = pooled.cell_family[index[:, 0]], pooled.cell_class[index]
    gradient = np.zeros((len(pairs), 2, C, T))
    rows = np.arange(len(pairs))
    for side in (0, 1):
        gradient[rows, side, klass[:, side]] = predictor.typical[index[:, side]]
    flat = gradient.reshape(len(pairs), 2, C * T)
    covariance = flat @ pooled.effect_covariance[family] @ flat.transpose(0, 2, 1)
    # Effects are unsure and patients differ, so their product varies beyond what the average patient shows: tr(V S) for
    # effect covariance V and patient covariance S. Both sides have the same patients, so it is part of what they share.
    scatter = np.einsum("fctdu,tu->fcd", pooled.effect_blocks, predictor.patient_covariance)
    covariance += scatter[family[:, None, None], klass[:, :, None], klass[:, None, :]]
    # The bias belongs to the comparison, not to one of the options. Half of it raises one side and half lowers the
    # other (variances b^2 / 4, covariance -b^2 / 4, so b^2 in the difference). All of it on one side would give the
    # same log odds ratio but a risk difference that depends on the side chosen: a shift of the log odds moves a rate
    # near 0 or 1 less than one near a half.
    own = levels.variance[index] + extra[index] + 0.25 * bias_sd**2
    covariance[:, [0, 1], [0, 1]] += own
    covariance[:, [0, 1], [1, 0]] -= 0.25 * bias_sd**2

    logits = levels.mean[index][:, :, None] + predictor.offset[family[:, None], klass]
    gap = logits[:, 0] - logits[:, 1]
    # Two nearly equal numbers are subtracted where the classes share most of their uncertainty; rounding there must not
    # give a negative variance, nor a division by zero below.
    variance = np.maximum(covariance[:, 0, 0] + covariance[:, 1, 1] - 2.0 * covariance[:, 0, 1], SMALLEST_VARIANCE)
    probability = distribution(gap / np.sqrt(variance)[:, None]).mean(axis=1)
    # The ridge lets the factor exist where the two sides are one and the same unknown (a singular matrix). With the
    # shipped evidence it does nothing: the smallest eigenvalue is 0.19, a hundred thousand million times as large.
    root = np.linalg.cholesky(covariance + SMALLEST_VARIANCE * np.eye(2))
    noise = pooled.population.noise[:, :2].T
    # Patients and parameter draws are columns of one quasi-random sequence. Row i with row i alone leaves the ends of
    # the interval up to 3 points from those of all 512 x 512 pairs; rolling the draws by quarters uses the same points
    # in four more pairings and comes within about 2, at a hundredth of the work, and gives the same bytes every time.
    shifts = range(0, noise.shape[1], max(noise.shape[1] // PAIRINGS, 1))
    rate = np.concatenate([logistic(logits + root @ np.roll(noise, shift, axis=1)) for shift in shifts], axis=2)
    risk = sample_quantiles(rate[:, 0] - rate[:, 1], (0.5, 0.025, 0.975))
    centre = gap.mean(axis=1)
    # Total variance: what the parameters leave open for one patient, and how patients like this one differ in the gap.
    reach = Z95 * np.sqrt(variance + gap.var(axis=1))
    return tuple(
        Difference(
            risk_difference=(float(risk[row, 0]), float(risk[row, 1]), float(risk[row, 2])),
            probability_first_higher=float(probability[row]),
            log_odds_ratio=(float(centre[row]), float(centre[row] - reach[row]), float(centre[row] + reach[row])),
        )
        for row in rows
    )
