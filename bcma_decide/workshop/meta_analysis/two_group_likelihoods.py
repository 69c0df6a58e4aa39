"""Likelihoods of 2-by-2 tables with an odds ratio that varies between studies, and their derivatives.

Every model is a function of parameters ``theta``, the last of which is tau, the standard deviation of the log odds
ratios. Random effects of a study are integrated out: one by the trapezoidal rule over all of the integrand that is not
nothing, two by a product of Gauss-Hermite rules. Derivatives are moments of the complete-data derivatives under the
distribution of the random effects given the counts (Louis 1982).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.quadrature import gauss_hermite
from bcma_decide.workshop.meta_analysis.two_groups import Tables

__all__ = ["Conditional", "Likelihood", "OddsRatios", "Place", "RareConditional", "StudyEffects", "TwoRandomEffects"]

_STEPS: Final = 400
_MODE: Final = 1e-12
"""Squared step in posterior standard deviations: the rule need only be centred near the mode."""
_SETTLED: Final = 1e-20
"""Squared step of a study's own parameter, in its standard errors."""
_NEAR: Final = 1e-14
_FALL: Final = 42.0
"""Logarithm by which an integrand has fallen where it is nothing: 6e-19 of its height."""
_HALVINGS: Final = 20


@dataclass(frozen=True, eq=False)
class Place:
    """The log-likelihood at ``theta`` (p,), its ``score`` (p,) and observed ``information`` (p, p).

    ``state`` is what the next evaluation nearby starts from.
    """

    theta: FloatArray
    log_likelihood: float
    score: FloatArray
    information: FloatArray
    state: tuple[FloatArray, ...]


class Likelihood(Protocol):
    """A model: where to start, which sizes of rule there are, and its likelihood at a point."""

    def rules(self, theta: FloatArray) -> tuple[int, ...]:
        """Sizes of rule to go through about ``theta`` until the answer stays."""
        ...

    def start(self) -> tuple[FloatArray, tuple[FloatArray, ...]]:
        """Parameters and state to start from."""
        ...

    def at(self, theta: FloatArray, state: tuple[FloatArray, ...], rule: int) -> Place:
        """The likelihood at ``theta`` by a rule of that size."""
        ...


class OddsRatios(Protocol):
    """Log-likelihood of each study as a function of its log odds ratio."""

    def at(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Value and first two derivatives at ``x`` (k, q), each (k, q)."""
        ...


_EVEN: Final[tuple[int, ...]] = (33, 65, 129, 257, 513, 1025, 2049)
"""Sizes of the trapezoidal rule: the first is exact to rounding for a normal integrand."""
_PRODUCT: Final[tuple[int, ...]] = (9, 17, 33, 65, 129, 257)
"""Sizes of the Gauss-Hermite rule in each of two directions."""
_NODES: Final = 2**15
"""Nodes of several studies that are worked on at a time."""
_PREDICTOR: Final = (0, 1, 0, 1)
"""What each parameter of two random effects moves: the log odds of a study, or its log odds ratio."""


def _even(theta: FloatArray) -> tuple[int, ...]:
    # An integrand is smooth on the scale of 1 / tau, some two nodes to which are wanted over at most 18.
    wanted = min(12 * abs(float(theta[-1])), float(_EVEN[-3]))
    return tuple(size for size in _EVEN if size >= wanted)


@dataclass(frozen=True, eq=False)
class _Integrals:
    """Nodes ``u`` (k, q), their ``weight`` given the counts, and derivatives of the log-likelihood in the effect."""

    log_likelihood: FloatArray
    u: FloatArray
    weight: FloatArray
    first: FloatArray
    second: FloatArray
    centre: FloatArray


def _integrals(model: OddsRatios, mean: float, tau: float, start: FloatArray, rule: int) -> _Integrals:
    """Over effects ``mean + tau u``, ``u`` standard normal."""
    centre, bend = _modes(model, mean, tau, start)
    reach = _reaches(bend - 1, abs(tau))
    u = centre[:, None] + reach[:, None] * np.linspace(-1.0, 1.0, rule)
    value, first, second = model.at(mean + tau * u)
    height = value - 0.5 * u * u
    highest = height.max(axis=1)
    weight = np.exp(height - highest[:, None])
    sums = weight.sum(axis=1)
    step = 2 * reach / (rule - 1)
    log_likelihood = highest + np.log(sums * step / np.sqrt(2 * np.pi))
    return _Integrals(log_likelihood, u, weight / sums[:, None], first, second, centre)


def _modes(model: OddsRatios, mean: float, tau: float, start: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Most likely random effect of each study, and the curvature there.

    A step shortened as in `quadrature.modes` never passes the mode, the third derivative of the log-likelihood being
    bounded by the second.
    """
    if tau == 0:
        return np.zeros_like(start), np.ones_like(start)
    u, size = start, abs(tau)
    for _ in range(_STEPS):
        _, first, second = (each[:, 0] for each in model.at((mean + tau * u)[:, None]))
        bend = 1 - tau**2 * second
        newton = (tau * first - u) / bend
        u = u + np.copysign(np.log1p(size * np.abs(newton)) / size, newton)
        if (newton * newton * bend).max() < _MODE:
            return u, bend
    raise SynthesisError(f"a study's random effect was not found in {_STEPS} steps; check the counts")


def _reaches(bend: FloatArray, size: float) -> FloatArray:
    """How far from its mode an integrand is nothing, at most.

    With curvature ``bend`` of the log-likelihood at the mode, whose derivative is bounded by ``size`` times itself, it
    has fallen by at least ``bend (exp(-size d) + size d - 1) / size^2 + d^2 / 2`` at distance ``d`` (Bach 2010).
    """
    inside, outside = np.zeros_like(bend), np.full_like(bend, np.sqrt(2 * _FALL))
    if size < 1e-4:
        return outside / np.sqrt(1 + bend)
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        way = size * middle
        fallen = bend * (np.expm1(-way) + way) / size**2 + middle**2 / 2 > _FALL
        inside, outside = np.where(fallen, inside, middle), np.where(fallen, middle, outside)
    return outside


class Conditional:
    """Studies whose own rates the likelihood does not know: ``theta`` is the mean log odds ratio, and tau."""

    def __init__(self, effects: OddsRatios, crude: FloatArray) -> None:
        """With the log-likelihood of each study's log odds ratio, and crude values of these, (k,)."""
        self._effects, self._crude = effects, crude

    def rules(self, theta: FloatArray) -> tuple[int, ...]:
        """Of the trapezoidal rule."""
        return _even(theta)

    def start(self) -> tuple[FloatArray, tuple[FloatArray, ...]]:
        """Mean and spread of the crude values."""
        return np.array([self._crude.mean(), self._crude.std()]), (np.zeros_like(self._crude),)

    def at(self, theta: FloatArray, state: tuple[FloatArray, ...], rule: int) -> Place:
        """The likelihood at ``theta``."""
        found = _integrals(self._effects, float(theta[0]), float(theta[1]), state[0], rule)
        one = found.weight * found.first
        two = found.weight * (found.first**2 + found.second)
        d = np.column_stack([one.sum(axis=1), (one * found.u).sum(axis=1)])
        mixed = (two * found.u).sum()
        dd = np.array([[two.sum(), mixed], [mixed, (two * found.u**2).sum()]]) - d.T @ d
        return Place(theta, float(found.log_likelihood.sum()), d.sum(axis=0), -dd, (found.centre,))


class RareConditional:
    """Events of group 1 among those of both as binomial, ``logit p = x + log(n1 / n2)``: near enough where rare."""

    def __init__(self, t: Tables) -> None:
        """Of these tables."""
        self._events = t.events1[:, None]
        self._all = (t.events1 + t.events2)[:, None]
        self._offset = np.log(t.total1 / t.total2)[:, None]
        self._ways = -np.log1p(self._all) - special.betaln(self._all - self._events + 1, self._events + 1)

    def at(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Log-likelihood and its first two derivatives at log odds ratios ``x`` (k, q)."""
        linear = x + self._offset
        p = special.expit(linear)
        value = self._ways + self._events * linear + self._all * special.log_expit(-linear)
        return value, self._events - self._all * p, -self._all * p * (1 - p)


@dataclass(frozen=True, eq=False)
class _Arms:
    """Both groups with linear predictors ``own * a + effect * x``, pairs of factors for group 1 and group 2."""

    t: Tables
    own: tuple[float, float]
    effect: tuple[float, float]
    level: FloatArray

    def arms(self, x: FloatArray) -> tuple[FloatArray, list[FloatArray], list[FloatArray]]:
        """Log-likelihood, and residual and variance of each group."""
        value, residuals, variances = np.zeros_like(x), [], []
        counted = ((self.t.events1, self.t.total1), (self.t.events2, self.t.total2))
        for (events, total), own, effect in zip(counted, self.own, self.effect, strict=True):
            e, n = events[:, None], total[:, None]
            linear = own * self.level[:, None] + effect * x
            p = special.expit(linear)
            value = value + e * linear + n * special.log_expit(-linear)
            residuals.append(e - n * p)
            variances.append(n * p * (1 - p))
        return value, residuals, variances

    def at(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Log-likelihood and its first two derivatives in ``x``."""
        value, (r1, r2), (v1, v2) = self.arms(x)
        f1, f2 = self.effect
        return value, f1 * r1 + f2 * r2, -(f1 * f1 * v1 + f2 * f2 * v2)

    def own_derivatives(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """First and second derivative in ``a``, and the mixed one."""
        _, (r1, r2), (v1, v2) = self.arms(x)
        (o1, o2), (f1, f2) = self.own, self.effect
        return o1 * r1 + o2 * r2, -(o1 * o1 * v1 + o2 * o2 * v2), -(o1 * f1 * v1 + o2 * f2 * v2)


class StudyEffects:
    """A parameter of every study's own beside a normal effect: ``theta`` is the mean of the latter, and tau.

    The likelihood is that of the best own parameters at each ``theta``. They are found study by study: given theta a
    study's marginal log-likelihood is concave in its own (Prékopa 1973).
    """

    def __init__(
        self, t: Tables, crude: FloatArray, level: FloatArray, own: tuple[float, float], effect: tuple[float, float]
    ) -> None:
        """With what ``own`` and ``effect`` add to the log odds of group 1 and 2, and crude values of both, (k,)."""
        self._t, self._crude, self._level, self._own, self._effect = t, crude, level, own, effect

    def rules(self, theta: FloatArray) -> tuple[int, ...]:
        """Of the trapezoidal rule."""
        return _even(theta)

    def start(self) -> tuple[FloatArray, tuple[FloatArray, ...]]:
        """Mean and spread of the crude values."""
        theta = np.array([self._crude.mean(), self._crude.std()])
        return theta, (np.zeros_like(self._crude), self._level)

    def at(self, theta: FloatArray, state: tuple[FloatArray, ...], rule: int) -> Place:
        """The likelihood at ``theta``."""
        mean, tau = theta.tolist()
        centre, level = state
        low, high = np.full_like(level, -np.inf), np.full_like(level, np.inf)
        for _ in range(_STEPS):
            arms = _Arms(self._t, self._own, self._effect, level)
            found = _integrals(arms, mean, tau, centre, rule)
            centre = found.centre
            first, second, mixed = arms.own_derivatives(mean + tau * found.u)
            own = (found.weight * first).sum(axis=1)
            bend = own**2 - (found.weight * (first**2 + second)).sum(axis=1)
            # A parameter without end, as the odds ratio of a study with an empty cell, has no curvature left either.
            newton = own / np.maximum(bend, 1e-300)
            near = _NEAR * (1 + np.abs(level))
            settled = own * own < _SETTLED * np.maximum(bend, 1e-12)
            if (settled | (np.abs(newton) < near) | (high - low < near)).all():
                return self._place(theta, found, first, mixed, own, bend, level)
            low, high = np.where(own > 0, level, low), np.where(own > 0, high, level)
            reached = level + np.copysign(np.log1p(np.abs(newton)), newton)
            # The slope falls all the way: where a step leaves the bounds it has set, their middle is nearer.
            bounded = np.isfinite(low) & np.isfinite(high) & ((reached <= low) | (reached >= high))
            level = np.where(bounded, low / 2 + high / 2, reached)
        raise SynthesisError(f"a study's own log odds were not found in {_STEPS} steps; check the counts")

    def _place(
        self,
        theta: FloatArray,
        found: _Integrals,
        own_first: FloatArray,
        mixed: FloatArray,
        own: FloatArray,
        bend: FloatArray,
        level: FloatArray,
    ) -> Place:
        one, two = found.weight * found.first, found.weight * (found.first**2 + found.second)
        d = np.column_stack([one.sum(axis=1), (one * found.u).sum(axis=1)])
        across = (two * found.u).sum()
        dd = np.array([[two.sum(), across], [across, (two * found.u**2).sum()]]) - d.T @ d
        both = found.weight * (mixed + own_first * found.first)
        beside = np.column_stack([both.sum(axis=1), (both * found.u).sum(axis=1)]) - own[:, None] * d
        # What the own parameters take with them when theta moves (Schur complement).
        free = bend > 1e-9
        dd += (beside[free] / bend[free, None]).T @ beside[free]
        return Place(theta, float(found.log_likelihood.sum()), d.sum(axis=0), -dd, (found.centre, level))


class TwoRandomEffects:
    """Studies' own rates are normal as well: ``theta`` is their mean log odds, the mean log odds ratio, sigma, tau.

    The own log odds are those midway between the groups, independent of the odds ratio.
    """

    def __init__(self, t: Tables, crude: FloatArray, level: FloatArray) -> None:
        """With crude log odds ratios and log odds of the studies, (k,)."""
        self._t, self._crude, self._level = t, crude, level

    def rules(self, theta: FloatArray) -> tuple[int, ...]:
        """Of the Gauss-Hermite rule in each direction."""
        del theta
        return _PRODUCT

    def start(self) -> tuple[FloatArray, tuple[FloatArray, ...]]:
        """Means and spreads of the crude values."""
        theta = [self._level.mean(), self._crude.mean(), self._level.std(), self._crude.std()]
        return np.array(theta), (np.zeros((self._crude.size, 2)),)

    def at(self, theta: FloatArray, state: tuple[FloatArray, ...], rule: int) -> Place:
        """The likelihood at ``theta``."""
        centre, root = self._modes(theta, state[0])
        nodes, log_weights = gauss_hermite(rule)
        grid = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1).reshape(-1, 2)
        log_weight = (log_weights[:, None] + log_weights[None, :]).ravel()
        log_likelihood, d, dd = 0.0, np.zeros((self._crude.size, 4)), np.zeros((4, 4))
        step = max(1, _NODES // grid.shape[0])
        for begin in range(0, self._crude.size, step):
            rows = slice(begin, begin + step)
            # The curvature is root root': nodes are spread by the inverse of its transpose.
            u = centre[rows, None, :] + np.einsum("kij,qi->kqj", np.linalg.inv(root[rows]), grid)
            value, first, second = self._derivatives(theta, u, rows)
            height = value - 0.5 * np.square(u).sum(axis=2) + log_weight
            highest = height.max(axis=1)
            weight = np.exp(height - highest[:, None])
            sums = weight.sum(axis=1)
            weight /= sums[:, None]
            log_likelihood += float((highest + np.log(sums) - np.log(np.linalg.det(root[rows]))).sum())
            # Parameters move a predictor as their factor does: 1 for a mean, the random effect for a spread.
            factor = np.concatenate([np.ones_like(u), u], axis=2)
            one = first[:, :, _PREDICTOR] * factor
            weighted = weight[:, :, None] * factor
            d[rows] = np.einsum("kq,kqi->ki", weight, one)
            dd += np.einsum("kqi,kqj->ij", weight[:, :, None] * one, one)
            for i in range(4):
                for j in range(4):
                    dd[i, j] += float(
                        (weighted[:, :, i] * factor[:, :, j] * second[:, :, _PREDICTOR[i], _PREDICTOR[j]]).sum()
                    )
        return Place(theta, log_likelihood, d.sum(axis=0), d.T @ d - dd, (centre,))

    def _derivatives(self, theta: FloatArray, u: FloatArray, rows: slice) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Log-likelihood, gradient and Hessian in the study's log odds and log odds ratio, at ``u`` (k, q, 2)."""
        alpha, mean, sigma, tau = theta.tolist()
        level, effect = alpha + sigma * u[:, :, 0], mean + tau * u[:, :, 1]
        value = np.zeros_like(level)
        first, second = np.zeros((*level.shape, 2)), np.zeros((*level.shape, 2, 2))
        for events, total, sign in (
            (self._t.events1, self._t.total1, 0.5),
            (self._t.events2, self._t.total2, -0.5),
        ):
            e, n = events[rows, None], total[rows, None]
            linear = level + sign * effect
            p = special.expit(linear)
            value += e * linear + n * special.log_expit(-linear)
            direction = np.array([1.0, sign])
            first += (e - n * p)[:, :, None] * direction
            second -= (n * p * (1 - p))[:, :, None, None] * np.outer(direction, direction)
        return value, first, second

    def _modes(self, theta: FloatArray, start: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Most likely random effects (k, 2), and the Cholesky root of the curvature there, (k, 2, 2)."""
        scale = theta[2:]
        u = start
        largest = max(float(np.abs(scale).sum()), 1e-12)
        for _ in range(_STEPS):
            _, first, second = self._derivatives(theta, u[:, None, :], slice(None))
            gradient = first[:, 0] * scale - u
            bend = np.eye(2) - second[:, 0] * np.outer(scale, scale)
            newton = np.linalg.solve(bend, gradient[:, :, None])[:, :, 0]
            # As in one direction: shortened so that the way along the predictors never passes the mode.
            way = largest * np.linalg.norm(newton, axis=1)
            u = u + newton * np.where(way > 0, np.log1p(way) / np.maximum(way, 1e-300), 1.0)[:, None]
            if float((newton * gradient).sum(axis=1).max()) < _MODE:
                return u, np.asarray(np.linalg.cholesky(bend), dtype=np.float64)
        raise SynthesisError(f"a study's random effects were not found in {_STEPS} steps; check the counts")
