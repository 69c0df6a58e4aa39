"""Modes of the arms' levels given their prior, at every node of a grid together.

Leading axis of every array is the node: what is done is the same at each of them, and one patient model has about a
hundred with a dozen arms, so that node by node the time would go into calling functions on small arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, xlog1py, xlogy

from bcma_decide.errors import SynthesisError

Array = NDArray[np.float64]

MAX_STEPS = 200
SMALLEST_STEP = 1e-6
"""A Newton step is halved no further than this share of itself."""
ROUNDING = 1e-10
"""A fall of the objective below this is rounding: near the mode it is a sum of hundreds and flat."""
SETTLED = 1e-9
"""Largest move of a log odds at which the mode counts as reached."""
LEAST_INFORMATION = 1e-10
"""Of an arm about its own level; one patient at a rate of one half has 0.25."""
DIGITS = 40.0
"""Logarithm of the accuracy of averages over patients: e^-40 is below rounding."""
STEP = 1e-3
"""Of the second difference of the score."""


class Counts(Protocol):
    """What arms counted, (arms,) each: ``events`` of ``total`` at the rate ``floor + share * mean logistic``."""

    @property
    def events(self) -> Array:
        """Patients with the outcome."""

    @property
    def total(self) -> Array:
        """Patients."""

    @property
    def share(self) -> Array:
        """Who could have it."""

    @property
    def floor(self) -> Array:
        """Who is counted in any case."""


@dataclass(frozen=True)
class Modes:
    """``alpha`` and expected ``information`` (nodes, arms), Laplace ``log_evidence`` (nodes,)."""

    alpha: Array
    information: Array
    log_evidence: Array


@dataclass(frozen=True)
class CaseMix:
    """The virtual patients of every arm as a quadrature of their offsets: an average over them is one over its points.

    ``offset``, ``weight`` (arms, points): the average of a function is its weighted sum over the points; ``traits``
    (arms, points, traits) are weights too, for the average of the function times a trait.
    """

    offset: Array
    weight: Array
    traits: Array


def case_mix(offsets: Array, patients: Array) -> CaseMix:
    """Quadrature of offsets (arms, patients) with their traits (arms, patients, traits), exact to rounding.

    Averages of the polynomial through Chebyshev's points in the range of an arm's offsets. The logistic function is
    analytic but for poles at a distance of pi from the real line, so that the error falls with the sum of the half axes
    of the ellipse through them (Trefethen LN. Approximation Theory and Approximation Practice, 2013, theorem 8.2):
    about 30 points do for 256 patients, and one where all are alike.
    """
    middle = 0.5 * (offsets.max(axis=1) + offsets.min(axis=1))
    half = 0.5 * np.ptp(offsets, axis=1)
    widest = float(half.max())
    reach = np.pi / widest if widest else np.inf
    points = 1 if not widest else int(np.ceil(DIGITS / np.log(reach + np.hypot(1.0, reach))))
    angle = np.pi * (np.arange(points) + 0.5) / points
    degree = np.arange(points)
    scaled = np.clip((offsets - middle[:, None]) / np.where(half, half, 1.0)[:, None], -1.0, 1.0)
    # Chebyshev polynomials of the patients' offsets, averaged, and from them what each point stands for.
    of_patients = np.cos(np.arccos(scaled)[:, None, :] * degree[:, None])
    of_points = np.cos(angle[:, None] * degree) * np.where(degree, 2.0, 1.0) / points
    with_traits = of_patients @ patients / offsets.shape[1]
    return CaseMix(
        offset=middle[:, None] + half[:, None] * np.cos(angle),
        weight=of_patients.mean(axis=2) @ of_points.T,
        traits=of_points @ with_traits,
    )


def rates(alpha: Array, mix: CaseMix, arms: Counts) -> tuple[Array, Array]:
    """Rates of the arms and their derivative in alpha, of the shape of ``alpha`` (nodes, arms)."""
    p = expit(alpha[..., None] + mix.offset)
    mean = np.einsum("nap,ap->na", p, mix.weight)
    p *= 1.0 - p
    return arms.floor + arms.share * mean, arms.share * np.einsum("nap,ap->na", p, mix.weight)


def movable(alpha: Array, mix: CaseMix) -> Array:
    """Mean traits of the patients of every arm, each counted as far as the own rate can move, (nodes, arms, traits)."""
    p = expit(alpha[..., None] + mix.offset)
    density = p * (1.0 - p)
    of_arm = np.einsum("nap,apt->nat", density, mix.traits, optimize=True)
    return np.asarray(of_arm / np.einsum("nap,ap->na", density, mix.weight)[..., None])


def score(arms: Counts, rate: Array, slope: Array) -> Array:
    """Derivative of each arm's log likelihood in its alpha, (nodes, arms)."""
    return np.asarray((arms.events - arms.total * rate) * slope / (rate * (1.0 - rate)))


def skewness(arms: Counts, mix: CaseMix, alpha: Array) -> Array:
    """Third derivative of each arm's log likelihood in its alpha, (nodes, arms): second difference of the score."""
    above, here, below = (score(arms, *rates(at, mix, arms)) for at in (alpha + STEP, alpha, alpha - STEP))
    return (above - 2.0 * here + below) / STEP**2


def modes(arms: Counts, mix: CaseMix, K: Array, start: Array) -> Modes:
    """Modes of the alphas given their prior covariances ``K`` (nodes, arms, arms), from ``start`` (arms,).

    Newton's method with the expected information (Rasmussen CE, Williams CKI. Gaussian Processes for Machine Learning,
    2006, algorithm 3.1), each node on its own: one that has settled is not moved any more.

    Raises
    ------
    SynthesisError
        When a node does not settle.
    """
    nodes = K.shape[0]
    alpha = np.broadcast_to(start, (nodes, start.size)).copy()
    # Work is done on a = K^-1 alpha and on B = I + W^(1/2) K W^(1/2), whose eigenvalues are 1 or more (Rasmussen and
    # Williams 2006, section 3.4.3), so that no precision matrix of a nearly flat prior is ever formed.
    a = np.asarray(np.linalg.solve(K, alpha[..., None])[..., 0])
    rate, slope = rates(alpha, mix, arms)
    objective = _objective(arms, rate, a, alpha)
    active = np.arange(nodes)
    for _ in range(MAX_STEPS):
        here, K_here = alpha[active], K[active]
        # Expected information, not observed: the rate is an average over patients, for which the likelihood need not be
        # concave in alpha; the expected one is never negative, so every step is uphill and B can be factored.
        weight = _information(arms, rate[active], slope[active])
        b = weight * here + score(arms, rate[active], slope[active])
        root = np.sqrt(weight)
        right = root * (K_here @ b[..., None])[..., 0]
        target = b - root * np.linalg.solve(_factor(K_here, root), right[..., None])[..., 0]
        _move(arms, mix, K, active, target - a[active], (alpha, a, rate, slope, objective))
        active = active[np.abs(alpha[active] - here).max(axis=1) >= SETTLED]
        if not active.size:
            weight = _information(arms, rate, slope)
            determinant = np.linalg.slogdet(_factor(K, np.sqrt(weight)))[1]
            return Modes(alpha, weight, objective - 0.5 * determinant)
    raise SynthesisError(f"the baseline fit did not converge in {MAX_STEPS} steps ({active.size} nodes left)")


def _move(
    arms: Counts,
    mix: CaseMix,
    K: Array,
    active: NDArray[np.intp],
    direction: Array,
    state: tuple[Array, Array, Array, Array, Array],
) -> None:
    """Take the step of every active node, halved where the objective would fall; ``state`` is changed in place.

    The full step settles almost always; halving is for starts so far off that the quadratic the step stands on is
    another curve.
    """
    alpha, a, rate, slope, objective = state
    from_a, from_objective = a[active], objective[active]
    step = 1.0
    trying = np.arange(active.size)
    while trying.size:
        at = active[trying]
        a_new = from_a[trying] + step * direction[trying]
        alpha_new = (K[at] @ a_new[..., None])[..., 0]
        rate_new, slope_new = rates(alpha_new, mix, arms)
        value = _objective(arms, rate_new, a_new, alpha_new)
        alpha[at], a[at], rate[at], slope[at], objective[at] = alpha_new, a_new, rate_new, slope_new, value
        if step < SMALLEST_STEP:
            return
        trying = trying[value < from_objective[trying] - ROUNDING]
        step /= 2.0


def _objective(arms: Counts, rate: Array, a: Array, alpha: Array) -> Array:
    """Log likelihood and log prior up to a constant, (nodes,)."""
    likelihood = (xlogy(arms.events, rate) + xlog1py(arms.total - arms.events, -rate)).sum(axis=1)
    return np.asarray(likelihood - 0.5 * np.einsum("na,na->n", a, alpha))


def _information(arms: Counts, rate: Array, slope: Array) -> Array:
    """Expected (Fisher) information of each arm's count about its alpha, (nodes, arms)."""
    # It vanishes where a rate runs to 0 or 1 and is divided by when the options' levels are read off.
    return np.maximum(arms.total * slope**2 / (rate * (1.0 - rate)), LEAST_INFORMATION)


def _factor(K: Array, root: Array) -> Array:
    """``B = I + W^(1/2) K W^(1/2)``, (nodes, arms, arms)."""
    return np.eye(K.shape[-1]) + root[:, :, None] * K * root[:, None, :]
