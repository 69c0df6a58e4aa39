"""Integrals over a normal random effect of a study, by Gauss-Hermite quadrature centred and scaled study by study.

For study i with ``e`` events of ``n`` and linear predictor ``eta``, the integrand is ``exp(h(u))`` with

    h(u) = e (eta + tau u) - n log(1 + exp(eta + tau u)) - u^2 / 2,

which is log-concave in ``u``. Liu and Pierce (1994) put the nodes of the rule about its mode with the curvature
there as scale (also Pinheiro and Bates 1995); few points then suffice, whatever the size of the study.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import linalg, special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.effect_sizes import FloatArray

__all__ = [
    "POINTS",
    "RandomIntercepts",
    "gauss_hermite",
    "integrate",
    "integrate_evenly",
    "log_binomial_coefficients",
    "mean_of_logistic",
    "modes",
]

POINTS = (15, 31, 63, 127, 255, 511)
"""Sizes of rule to go through until the answer stays; each is about twice the last."""

_MODE_STEPS = 200
"""A step from far off adds at least log(1 + size) / size to the way: slow but sure, where Newton's runs off."""
_MODE_TOLERANCE = 1e-12
"""Squared step in posterior standard deviations. The rule need only be centred near the mode: 1e-6 is plenty."""
_BLOCK = 16_384
"""Nodes times studies worked on at a time, so that they stay in the processor's cache."""
_REACH = 9.0
"""Standard deviations; beyond it the weight of the normal is 1e-18."""
_STEPS = 400
"""Of the rule over twice that reach: `mean_of_logistic` says what they leave."""
_FALL = 42.0
"""Logarithm by which an integrand has fallen where it is nothing: 6e-19 of its height."""
_HALVINGS = 12
"""Of the reach in which an integrand is looked for: to 1 / 4096 of it, and what is beyond its end is nothing anyway."""
_EVEN_NODES = 801
"""Over at most 18 standard deviations: a rise as wide as 1 / 20 still holds two nodes, and rounding is reached."""


@dataclass(frozen=True, eq=False)
class RandomIntercepts:
    """What the integrals of k studies give, each array (k,) with the random intercept ``u`` integrated out.

    ``log_likelihood`` is without binomial coefficients. The rest are derivatives of it: ``d_eta`` and ``d_tau``
    the first, ``d_eta_eta``, ``d_eta_tau`` and ``d_tau_tau`` the second.
    """

    log_likelihood: FloatArray
    d_eta: FloatArray
    d_tau: FloatArray
    d_eta_eta: FloatArray
    d_eta_tau: FloatArray
    d_tau_tau: FloatArray


@cache
def gauss_hermite(points: int) -> tuple[FloatArray, FloatArray]:
    """Nodes for the standard normal, and the logarithm of their weights times ``exp(x^2 / 2)``.

    Eigenvalues of the recurrence (Golub and Welsch 1969) with one Newton step; weights from the polynomial one degree
    lower, ``1 / (points h(x)^2)``, so that the smallest keep their digits.
    """
    nodes = linalg.eigvalsh_tridiagonal(np.zeros(points), np.sqrt(np.arange(1.0, points)))
    lower, value = _orthonormal(nodes, points)
    nodes = nodes - value / (np.sqrt(points) * lower)
    # Logarithms: with 511 points the outermost weights are below the smallest float, though their product with the
    # integrand is not.
    lower, _ = _orthonormal(nodes, points)
    return nodes, -np.log(points) - 2 * np.log(np.abs(lower)) + 0.5 * nodes**2


def _orthonormal(x: FloatArray, degree: int) -> tuple[FloatArray, FloatArray]:
    """Hermite polynomials of ``degree - 1`` and ``degree``, orthonormal under the standard normal."""
    lower, value = np.zeros_like(x), np.ones_like(x)
    for n in range(degree):
        lower, value = value, (x * value - np.sqrt(n) * lower) / np.sqrt(n + 1)
    return lower, value


def log_binomial_coefficients(events: FloatArray, total: FloatArray) -> FloatArray:
    """Logarithm of ``total`` choose ``events``, each (k,)."""
    return np.asarray(-np.log1p(total) - special.betaln(total - events + 1, events + 1))


def modes(events: FloatArray, total: FloatArray, eta: FloatArray, tau: float, start: FloatArray) -> FloatArray:
    """Most likely random intercept of each study, close enough to centre a rule on.

    The third derivative of h is at most ``|tau|`` times its second, so a Newton step shortened from ``d`` to
    ``log(1 + |tau| d) / |tau|`` never passes the mode (Bach 2010, section 2): the search cannot swing or run off.

    Parameters
    ----------
    events, total, eta, start : numpy.ndarray, shape (k,)
    tau : float

    Returns
    -------
    numpy.ndarray, shape (k,)

    Raises
    ------
    SynthesisError
        If the search does not settle.
    """
    if tau == 0:
        return np.zeros_like(eta)
    u, size = start, abs(tau)
    for _ in range(_MODE_STEPS):
        p = special.expit(eta + tau * u)
        curvature = 1 + tau**2 * total * p * (1 - p)
        newton = (tau * (events - total * p) - u) / curvature
        step = np.copysign(np.log1p(size * np.abs(newton)) / size, newton)
        u = u + step
        if (step * step * curvature).max() < _MODE_TOLERANCE:
            return np.asarray(u)
    raise SynthesisError(f"a study's random intercept was not found in {_MODE_STEPS} steps; check the counts")


def integrate(
    events: FloatArray, total: FloatArray, eta: FloatArray, tau: float, centre: FloatArray, points: int
) -> RandomIntercepts:
    """Marginal log-likelihood of each study and its derivatives in ``eta`` and ``tau``.

    The derivatives are moments of the complete-data derivatives under the distribution of ``u`` given the counts
    (Louis 1982), from the same nodes as the likelihood.

    Parameters
    ----------
    events, total, eta : numpy.ndarray, shape (k,)
    tau : float
        Of either sign: the likelihood is even in it.
    centre : numpy.ndarray, shape (k,)
        Where the rule of each study is centred, see `modes`.
    points : int
        Nodes of the rule.
    """
    rows = max(1, _BLOCK // points)  # as many studies at a time as stay in the processor's cache
    if events.size > rows:
        blocks = [slice(first, first + rows) for first in range(0, events.size, rows)]
        parts = [integrate(events[b], total[b], eta[b], tau, centre[b], points) for b in blocks]
        return RandomIntercepts(*(np.concatenate(arrays) for arrays in zip(*map(_arrays, parts), strict=True)))
    nodes, log_weights = gauss_hermite(points)
    at_centre = special.expit(eta + tau * centre)
    scale = 1 / np.sqrt(1 + tau**2 * total * at_centre * (1 - at_centre))
    return _summed(events, total, eta, tau, centre[:, None] + scale[:, None] * nodes, log_weights, scale)


def integrate_evenly(
    events: FloatArray, total: FloatArray, eta: FloatArray, tau: float, centre: FloatArray
) -> RandomIntercepts:
    """As `integrate`, by the trapezoidal rule over all of each integrand that is not nothing.

    For a study without events, or with events only, the integrand is one-sided where tau is large: a normal on one side
    and next to nothing on the other, which a Gauss-Hermite rule takes hundreds of points for. The trapezoidal rule is
    exact to rounding for a smooth integrand that has died out at both ends (Trefethen and Weideman 2014, section 5).

    Parameters
    ----------
    events, total, eta : numpy.ndarray, shape (k,)
    tau : float
        Up to some 20: the steepest rise, as wide as 1 / tau, needs some nodes.
    centre : numpy.ndarray, shape (k,)
        The mode of each integrand, see `modes`.
    """

    def height(u: FloatArray) -> FloatArray:
        linear = eta + tau * u
        return np.asarray(events * linear + total * special.log_expit(-linear) - 0.5 * u * u)

    top = height(centre)
    ends = []
    for side in (-1.0, 1.0):
        # The integrand falls at least as fast as the normal: by as much within this reach of its mode.
        inside, outside = np.zeros_like(eta), np.full_like(eta, np.sqrt(2 * _FALL))
        for _ in range(_HALVINGS):
            middle = (inside + outside) / 2
            fallen = top - height(centre + side * middle) > _FALL
            inside, outside = np.where(fallen, inside, middle), np.where(fallen, middle, outside)
        ends.append(centre + side * outside)
    step = (ends[1] - ends[0]) / (_EVEN_NODES - 1)
    u = ends[0][:, None] + step[:, None] * np.arange(_EVEN_NODES)
    return _summed(events, total, eta, tau, u, np.zeros(_EVEN_NODES), step / np.sqrt(2 * np.pi))


def _summed(
    events: FloatArray,
    total: FloatArray,
    eta: FloatArray,
    tau: float,
    u: FloatArray,
    log_weights: FloatArray,
    scale: FloatArray,
) -> RandomIntercepts:
    """Sums over the nodes ``u`` (k, points) with weights times ``scale`` (k,)."""
    e, n = events[:, None], total[:, None]
    linear = eta[:, None] + tau * u
    h = e * linear + n * special.log_expit(-linear) - 0.5 * u * u + log_weights
    # The largest term is taken out before exponentials are: a study of a thousand patients has a likelihood of 1e-300.
    highest = h.max(axis=1)
    weight = np.exp(h - highest[:, None])
    sums = weight.sum(axis=1)
    weight /= sums[:, None]
    p = special.expit(linear)
    residual = e - n * p
    first = weight * residual
    second = first * residual - weight * (n * p * (1 - p))
    d_eta, d_tau = first.sum(axis=1), np.einsum("ij,ij->i", first, u)
    return RandomIntercepts(
        log_likelihood=highest + np.log(sums * scale),
        d_eta=d_eta,
        d_tau=d_tau,
        d_eta_eta=second.sum(axis=1) - d_eta**2,
        d_eta_tau=np.einsum("ij,ij->i", second, u) - d_eta * d_tau,
        d_tau_tau=np.einsum("ij,ij,ij->i", second, u, u) - d_tau**2,
    )


def _arrays(part: RandomIntercepts) -> tuple[FloatArray, ...]:
    return (part.log_likelihood, part.d_eta, part.d_tau, part.d_eta_eta, part.d_eta_tau, part.d_tau_tau)


def mean_of_logistic(mean: float, sd: float) -> float:
    """Average of ``1 / (1 + exp(-x))`` over a normal ``x``, by the trapezoidal rule.

    The rule converges exponentially for such integrands (Trefethen and Weideman 2014, section 5): at this step the
    error is below 1e-13 for an ``sd`` up to 15, and 1e-7 at 30.
    """
    z = np.linspace(-_REACH, _REACH, _STEPS + 1)
    density = np.exp(-0.5 * z * z)
    return float(density @ special.expit(mean + sd * z) / density.sum())
