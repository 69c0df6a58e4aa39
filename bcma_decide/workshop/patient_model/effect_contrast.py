"""Contrasts of one trait inside one study: what effects make of them, and how they hang together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, expit

from bcma_decide.workshop.patient_model.virtual_cohort import EIGENVALUE_FLOOR, nearest_correlation

Array = NDArray[np.float64]

LEVEL_STEPS = 50
LONGEST_LEVEL_STEP = 1.0
LEVEL_SETTLED = 1e-10


@dataclass(frozen=True)
class EffectContrast:
    """One trait's contrast in one study, on one or more thresholds of a family.

    ``patients`` names the patient set; contrasts of the same set are dependent. ``difference``: log odds ratios, high
    level minus low, shape (thresholds,). ``covariance``: their sampling covariance. ``high`` and ``low``: virtual
    patients of the two levels on the model's scale, shape (points, traits), and ``rate`` their common rate per
    threshold, shape (thresholds,). An effect that is conditional already (from a multivariable model) has
    ``rate`` None and one virtual patient per level who differ in this trait only.
    """

    patients: str
    class_index: int
    trait_index: int
    thresholds: tuple[str, ...]
    difference: Array
    covariance: Array
    high: Array
    low: Array
    rate: Array | None
    kind: str
    source: str
    text: str


def contrast_covariance(contrasts: Sequence[EffectContrast], trait_correlation: Array) -> Array:
    """Sampling covariance of all contrasts stacked, shape (rows, rows).

    Contrasts of different traits in the same patients are dependent: each is, to first order, the regression of the
    outcome on one standardised trait, so two of them correlate like the traits do. Put together pair by pair, strongly
    dependent contrasts need not have a covariance at all; then their correlations are the nearest that can be.
    """
    sizes = [c.difference.size for c in contrasts]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    full = np.zeros((starts[-1], starts[-1]))
    for i, first in enumerate(contrasts):
        full[starts[i] : starts[i + 1], starts[i] : starts[i + 1]] = first.covariance
        for j in range(i):
            second = contrasts[j]
            if second.patients != first.patients or second.trait_index == first.trait_index:
                continue
            rho = trait_correlation[first.trait_index, second.trait_index]
            # One trait twice under one study's name is taken for two arms, so for other patients.
            block = rho * np.sqrt(np.outer(np.diag(first.covariance), np.diag(second.covariance)))
            full[starts[i] : starts[i + 1], starts[j] : starts[j + 1]] = block
            full[starts[j] : starts[j + 1], starts[i] : starts[i + 1]] = block.T
    sd = np.sqrt(np.diag(full))
    correlation = full / np.outer(sd, sd)
    if np.linalg.eigvalsh(correlation)[0] < EIGENVALUE_FLOOR:
        full = nearest_correlation(correlation) * np.outer(sd, sd)
    return full


def level_of_rate(offset: Array, rate: float) -> float:
    """The intercept at which the average of logistic(intercept + offset) is ``rate``."""
    return float(levels_of_rates(offset, np.array([rate]), np.zeros(1, dtype=np.intp), np.array([offset.size]))[0])


def levels_of_rates(offset: Array, rate: Array, start: NDArray[np.intp], count: NDArray[np.intp]) -> Array:
    """Intercepts (rows,) at which each row's average of logistic(intercept + offset) is its ``rate`` (rows,).

    ``offset`` (points,) holds the rows one after the other, each of ``count`` points from ``start`` (rows,).
    """
    # Safeguarded Newton. The start is exact if all offsets of a row were equal. Where they differ much the average is
    # flat and a full step can overshoot into the part that is flatter still, from which Newton does not come back: with
    # half of the offsets at 8 and a rate of 0.1 it runs off, held to steps of 1 it settles in seven.
    row = np.repeat(np.arange(rate.size), count)
    intercept = np.log(rate / (1.0 - rate)) - np.add.reduceat(offset, start) / count
    for _ in range(LEVEL_STEPS):
        p = expit(intercept[row] + offset)
        gap = np.add.reduceat(p, start) / count - rate
        step = gap / (np.add.reduceat(p * (1.0 - p), start) / count)
        intercept -= np.clip(step, -LONGEST_LEVEL_STEP, LONGEST_LEVEL_STEP)
        if np.abs(step).max() < LEVEL_SETTLED:
            break
    return np.asarray(intercept)


def linearised(contrast: EffectContrast, effects: Array) -> tuple[Array, Array]:
    """Expected log odds ratio of a contrast at the given effects, and its derivative.

    Parameters
    ----------
    contrast
        The contrast.
    effects
        Conditional effects of its class, shape (traits,).

    Returns
    -------
    expected, gradient
        Shapes (thresholds,) and (thresholds, traits). A conditional effect is exactly linear.
    """
    of_class = np.zeros((contrast.class_index + 1, effects.size))
    of_class[contrast.class_index] = effects
    return StackedContrasts.of([contrast]).linearised(of_class)


@dataclass(frozen=True)
class StackedContrasts:
    """Contrasts laid end to end, so that one pass over all their virtual patients linearises them together.

    A row is one threshold of one contrast. ``class_index`` (rows,); ``direct`` (rows, traits): the gradient of rows
    that are conditional already, zero elsewhere; ``rows`` (marginal,): the places of the others, with their ``rate``
    (marginal,). ``patients`` (points, traits) are those of the marginal rows, the high level before the low one;
    ``side`` (marginal * 2,) where each level begins, ``count`` (marginal * 2,) how many it has.
    """

    class_index: NDArray[np.intp]
    direct: Array
    rows: NDArray[np.intp]
    rate: Array
    patients: Array
    side: NDArray[np.intp]
    count: NDArray[np.intp]

    @classmethod
    def of(cls, contrasts: Sequence[EffectContrast]) -> StackedContrasts:
        """Lay some contrasts end to end."""
        traits = contrasts[0].high.shape[1]
        classes, direct, rows, rates, groups = [], [], [], [], []
        for contrast in contrasts:
            for place in range(contrast.difference.size):
                classes.append(contrast.class_index)
                if contrast.rate is None:
                    direct.append(contrast.high.mean(axis=0) - contrast.low.mean(axis=0))
                    continue
                direct.append(np.zeros(traits))
                rows.append(len(classes) - 1)
                rates.append(float(contrast.rate[place]))
                groups += [contrast.high, contrast.low]
        count = np.array([group.shape[0] for group in groups], dtype=np.intp)
        return cls(
            class_index=np.array(classes, dtype=np.intp),
            direct=np.array(direct),
            rows=np.array(rows, dtype=np.intp),
            rate=np.array(rates),
            patients=np.vstack(groups) if groups else np.zeros((0, traits)),
            side=np.cumsum(count) - count,
            count=count,
        )

    def linearised(self, effects: Array) -> tuple[Array, Array]:
        """Expected log odds ratios (rows,) and their derivatives (rows, traits) at the effects (classes, traits)."""
        expected = np.einsum("rt,rt->r", self.direct, effects[self.class_index])
        gradient = self.direct.copy()
        if not self.rows.size:
            return expected, gradient
        both = self.count.reshape(-1, 2).sum(axis=1)
        row = np.repeat(np.arange(self.rows.size), both)
        offset = (self.patients @ effects.T)[np.arange(row.size), self.class_index[self.rows][row]]
        # The level is that of both groups together, once for both: what differs between them is then the traits alone.
        intercept = levels_of_rates(offset, self.rate, self.side[::2], both)
        p = expit(intercept[row] + offset)
        average = np.add.reduceat(p, self.side) / self.count
        slope = average * (1.0 - average)
        density = (p * (1.0 - p))[:, None]
        moved = np.add.reduceat(density * self.patients, self.side, axis=0) / (self.count * slope)[:, None]
        level = np.log(average / (1.0 - average))
        expected[self.rows] = level[::2] - level[1::2]
        gradient[self.rows] = moved[::2] - moved[1::2]
        return expected, gradient


@dataclass(frozen=True)
class ProportionalOddsTest:
    """Whether a trait acts alike on all thresholds: Q of the within-contrast differences, its df and p value."""

    q: float
    df: int
    p: float


def proportional_odds_test(contrasts: Sequence[EffectContrast]) -> ProportionalOddsTest | None:
    """Chi-squared test that each contrast is the same on all its thresholds.

    The differences between a contrast's thresholds are tested against zero with their covariance (Wald), summed
    over contrasts; the score-type analogue for grouped data of Brant R. Biometrics 1990;46:1171-1178.
    Returns None when no contrast has two thresholds.
    """
    q, df = 0.0, 0
    for contrast in contrasts:
        m = contrast.difference.size
        if m < 2:
            continue
        # Differences of neighbours: any m - 1 independent ones give the same Q.
        step = np.diff(np.eye(m), axis=0)
        gap = step @ contrast.difference
        q += float(gap @ np.linalg.solve(step @ contrast.covariance @ step.T, gap))
        df += m - 1
    return ProportionalOddsTest(q, df, float(chdtrc(df, q))) if df else None
