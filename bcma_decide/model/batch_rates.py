"""Means and quantiles of mixtures of log odds for many patients: components first, patients along the last axis.

The same numbers as `bcma_decide.model.rates` has for one, by the same rules.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.model import normal
from bcma_decide.model.batch_normal import distribution_and_density
from bcma_decide.model.normal import hermite

Array = NDArray[np.float64]

_SETTLED = 5e-4
"""A step in standard deviations after which the next one, of the third power, is below 1e-9."""
_LARGEST_STEP = 0.7
_MOST_STEPS = 4
_LEAST_DENSITY = 1e-12
_POINTS = 9
"""Of Gauss and Hermite, as for one patient."""
_POWERS = tuple((first, second) for first in range(4) for second in range(4 - first))
"""Of skewness and excess in the polynomial that a quantile starts from."""


def expected_rate(weight: Array, centre: Array, spread: Array) -> Array:
    """E[logistic(X)] of mixtures of normals: ``weight`` (K, C), ``centre``, ``spread`` (K, C, N) -> (C, N).

    Nodes of the rule lie in pairs on both sides of the middle, and what the two of a pair give has one form.
    """
    nodes, share = hermite(_POINTS)
    odds = np.exp(centre)
    both = 1.0 / odds
    both += odds
    twice_odds = odds + odds
    found = share[_POINTS // 2] * odds / (1.0 + odds)
    for node, part in zip(nodes[_POINTS // 2 + 1 :].tolist(), share[_POINTS // 2 + 1 :].tolist(), strict=True):
        # logistic(m + d) + logistic(m - d) = (2 e^m + 2 cosh d) / (e^m + e^-m + 2 cosh d)
        cosh = np.exp(node * spread)
        cosh += 1.0 / cosh
        above = cosh + twice_odds
        cosh += both
        above /= cosh
        above *= part
        found += above
    return np.asarray(np.einsum("kc,kcn->cn", weight, found))


class MixtureQuantiles(Struct, frozen=True):
    """Quantiles of mixtures of K normals with weights that are the same for everyone, ``weight`` (K, C).

    ``starts`` (quantiles, C, terms): where a quantile lies in standard deviations of the mixture, as a polynomial of
    its skewness and excess kurtosis. It was fitted once, to patients of every kind, and is right to about 0.001.
    """

    weight: Array
    probabilities: tuple[float, ...]
    starts: Array

    @classmethod
    def fitted(cls, weight: Array, probabilities: tuple[float, ...], centre: Array, spread: Array) -> MixtureQuantiles:
        """With starts from some patients, arguments as in :meth:`of`."""
        cells, count = centre.shape[1:]
        middle, sd, terms = _moments(weight, centre, spread)
        flat = weight[..., None].repeat(count, axis=2), centre, spread
        weights, centres, sds = (each.reshape(len(weight), -1).T for each in flat)
        found = normal.mixture_quantiles(weights, centres, sds, np.array(probabilities)).reshape(cells, count, -1)
        standard = (found - middle[..., None]) / sd[..., None]
        fits = [np.linalg.lstsq(terms[:, c].T, standard[c], rcond=None)[0] for c in range(cells)]
        return cls(weight, probabilities, np.stack(fits, axis=0).transpose(2, 0, 1))

    def of(self, centre: Array, spread: Array) -> Array:
        """For N patients: ``centre``, ``spread`` (K, C, N) -> (quantiles, C, N)."""
        middle, sd, terms = _moments(self.weight, centre, spread)
        x: Array = np.einsum("qct,tcn->qcn", self.starts, terms)
        x *= sd
        x += middle
        inverse = 1.0 / spread
        mixture = _Mixture(self.weight, inverse, centre * inverse, sd)
        step = mixture.step(x, np.array(self.probabilities)[:, None, None])
        x -= step
        step /= sd
        far = np.nonzero(np.abs(step, out=step) > _SETTLED)
        if far[0].size:
            x[far] = self._one_by_one(x, far, mixture, centre)
        return x

    def _one_by_one(self, x: Array, at: tuple[NDArray[np.intp], ...], mixture: _Mixture, centre: Array) -> Array:
        """Quantiles that have not settled, (rows,)."""
        level, cell, row = at
        levels = np.array(self.probabilities)[level][:, None]
        own = _Mixture(
            self.weight[:, cell],
            mixture.inverse[:, cell, row][..., None],
            mixture.shift[:, cell, row][..., None],
            mixture.sd[cell, row][:, None],
        )
        found = x[at][None, :, None]
        for _ in range(_MOST_STEPS):
            step = own.step(found, levels)
            found = found - step
            moving = np.abs(step[0]) > _SETTLED * own.sd
            if not moving.any():
                return np.asarray(found[0, :, 0])
        # narrow and far components: as for one patient, with a bracket
        still = np.flatnonzero(moving)
        rows = own.weight[:, still].T, centre[:, cell, row][:, still].T, 1.0 / own.inverse[:, still, 0].T
        every = normal.mixture_quantiles(*rows, np.array(self.probabilities))
        found[0, still, 0] = np.take_along_axis(every, level[still][:, None], axis=1)[:, 0]
        return np.asarray(found[0, :, 0])


class _Mixture(Struct, frozen=True):
    """Mixtures of N patients.

    ``weight`` (K, C); ``inverse`` standard deviation and ``shift`` (centre times that) (K, C, N); ``sd`` of the mixture
    (C, N).
    """

    weight: Array
    inverse: Array
    shift: Array
    sd: Array

    def step(self, x: Array, levels: Array) -> Array:
        """Halley's step from each quantile, (quantiles, C, N), as in `bcma_decide.model.normal`."""
        standard = x[:, None] * self.inverse
        standard -= self.shift
        share, dense = distribution_and_density(standard)
        below = np.einsum("kc,qkcn->qcn", self.weight, share)
        below -= levels
        dense *= self.inverse
        dense *= self.weight[..., None]
        slope = np.maximum(dense.sum(axis=1), _LEAST_DENSITY)
        below /= slope
        standard *= self.inverse
        standard *= dense
        # Halley's factor, held where a far step would turn it round
        curve = standard.sum(axis=1)
        curve *= below
        curve /= slope
        curve *= 0.5
        curve += 1.0
        below /= np.clip(curve, 0.5, 2.0, out=curve)
        limit = _LARGEST_STEP * self.sd
        return np.asarray(np.clip(below, -limit, limit, out=below))


def _moments(weight: Array, centre: Array, spread: Array) -> tuple[Array, Array, Array]:
    """Mean and standard deviation of mixtures, (C, N), and the terms of a start, (terms, C, N)."""
    middle = np.einsum("kc,kcn->cn", weight, centre)
    away = centre - middle
    variance, square = spread * spread, away * away
    total = np.einsum("kc,kcn->cn", weight, variance + square)
    sd = np.sqrt(total)
    third = 3.0 * variance
    third += square
    third *= away
    fourth = 6.0 * variance
    fourth += square
    fourth *= square
    variance *= variance
    variance *= 3.0
    fourth += variance
    skewness = np.einsum("kc,kcn->cn", weight, third) / (total * sd)
    excess = np.einsum("kc,kcn->cn", weight, fourth) / (total * total) - 3.0
    terms = np.ones((len(_POWERS), *sd.shape))
    for place, (first, second) in enumerate(_POWERS):
        if second:
            np.multiply(terms[place - 1], excess, out=terms[place])
        elif first:
            np.multiply(terms[_POWERS.index((first - 1, 0))], skewness, out=terms[place])
    return middle, sd, terms
