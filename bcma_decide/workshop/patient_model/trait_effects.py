"""Conditional trait effects from contrasts inside studies (stage 1 of the patient-level model).

A contrast says how much higher the log odds of an outcome are in one level of a trait than in the other, in the same
study. The levels also differ in other traits, so a published contrast is *marginal*; the virtual cohort tells by how
much, and the conditional effects of all traits are solved for together:

    d = f(b) + r,    r ~ N(0, V + tau_b^2 J)
    b[t, c] ~ N(0, s_b^2);    of a trait shared between the classes
    b[t, c] = b[t] + delta[t, c],    b[t] ~ N(0, s_b^2),    delta[t, c] ~ N(0, s_d^2)

where f(b) is the log odds ratio between the two levels' average rates over the virtual patients in them. Because odds
ratios are not collapsible, f is smaller than the difference of the linear predictors; it is linearised around the
current b and solved again (Gauss-Newton), which removes that shrinkage (Gail MH et al. Biometrika 1984;71:431-444
describe it). Differences between studies never enter (Fisher DJ et al. BMJ 2017;356:j573). The standard deviations
(s_b of every group of traits, s_d, and tau_b unless it is fixed) are integrated over a grid under half-normal priors,
so the result is a mixture of normals, reported by its exact mean and covariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.patient_model.effect_contrast import EffectContrast, StackedContrasts, contrast_covariance
from bcma_decide.workshop.patient_model.half_normal import half_normal_nodes

Array = NDArray[np.float64]

LINEARISATIONS = 200
DAMPING = 0.6
"""Share of each Gauss-Newton step that is taken: whole steps swing between two values where a level is nearly all or
nothing (ICANS under other priors)."""
SETTLED = 1e-7
"""Largest move of an effect at which it counts as settled, below the sixth digit that the pooled file keeps."""


@dataclass(frozen=True)
class TraitPrior:
    """Scales of the standard deviations of the hierarchical model (log odds), and which traits go together.

    ``groups``: half-normal scale of s_b for each group of traits that shares one, and the group's traits (traits,) as
    yes or no. ``shared`` (traits,): whose effects in the two classes are drawn from one mean. ``contrast_sd``: half-
    normal scale of tau_b, or its value where ``contrast_sd_fixed``.
    """

    groups: tuple[tuple[float, NDArray[np.bool_]], ...]
    shared: NDArray[np.bool_]
    class_difference_sd: float
    contrast_sd: float
    contrast_sd_fixed: bool = False


@dataclass(frozen=True)
class TraitEffects:
    """Posterior of the conditional trait effects of one family.

    ``mean`` has shape (classes, traits), ``covariance`` (classes * traits, classes * traits) with the class index
    slowest. ``seen[c, t]``: a contrast of trait t exists in class c. ``trait_sd`` (traits,), ``class_difference_sd``,
    ``contrast_sd``: posterior means of s_b, s_d and tau_b. ``information`` (classes, traits): what the contrasts of
    each class alone say of a trait.
    """

    mean: Array
    covariance: Array
    seen: NDArray[np.bool_]
    trait_sd: Array
    class_difference_sd: float
    contrast_sd: float
    information: Array


def fit_trait_effects(
    contrasts: Sequence[EffectContrast],
    trait_count: int,
    class_count: int,
    trait_correlation: Array,
    prior: TraitPrior,
    grid_points: int = 4,
    acting: NDArray[np.bool_] | None = None,
    prior_mean: Array | None = None,
) -> TraitEffects:
    """Posterior of the conditional effects of every trait in every class.

    Parameters
    ----------
    contrasts
        All contrasts of one family, both classes.
    trait_count, class_count
        Sizes of the result.
    trait_correlation
        Correlation of the traits, shape (traits, traits), for the dependence of contrasts of the same patients.
    prior
        Half-normal scales.
    grid_points
        Points per standard deviation; every combination of them is a small normal posterior.
    acting
        Which effects enter at all, shape (classes, traits); default: those that a contrast can inform.
    prior_mean
        Where the effects are centred a priori, shape (classes, traits); default zero.

    Returns
    -------
    TraitEffects
        Effects of traits without any contrast keep mean zero and their prior variance; ``seen`` tells.

    Raises
    ------
    SynthesisError
        When the repeated linearisation does not settle.
    """
    size = class_count * trait_count
    seen = np.zeros((class_count, trait_count), dtype=bool)
    for contrast in contrasts:
        seen[contrast.class_index, contrast.trait_index] = True
    if acting is not None:
        seen &= acting
    centre = np.zeros((class_count, trait_count)) if prior_mean is None else prior_mean
    if not contrasts:
        return replace(_prior_alone(seen, prior), mean=centre)
    # A trait enters a class's equations where it may move numbers there: by its own contrasts, or by sharing.
    enters = seen | (seen.any(axis=0) & prior.shared) if acting is None else acting
    blocks = np.repeat(np.arange(len(contrasts)), [c.difference.size for c in contrasts])
    same_block = (blocks[:, None] == blocks[None, :]).astype(float)
    V = contrast_covariance(contrasts, trait_correlation)
    grid = _grid(seen, prior, grid_points, V, same_block)
    stacked = StackedContrasts.of(contrasts)
    difference = np.concatenate([contrast.difference for contrast in contrasts])
    of_class = enters[stacked.class_index]
    place = np.zeros((difference.size, class_count, 1))
    place[np.arange(difference.size), stacked.class_index] = 1.0
    effects = centre
    for _ in range(LINEARISATIONS):
        expected, gradient = stacked.linearised(np.where(enters, effects, 0.0))
        gradient = np.where(of_class, gradient, 0.0)
        X = (place * gradient[:, None, :]).reshape(difference.size, size)
        # Working response of Gauss-Newton: what the difference would be if f were the line that touches it here. Of
        # what is left to the deviations from the prior mean.
        away = np.where(of_class, (effects - centre)[stacked.class_index], 0.0)
        solved = _solved(X, difference - expected + np.einsum("rt,rt->r", gradient, away), grid)
        mean = centre + solved.mean.reshape(seen.shape)
        moved = float(np.abs(mean - effects).max())
        # a full step overshoots where a level is nearly all or nothing: the fit then swings between two values
        effects = effects + DAMPING * (mean - effects)
        if moved < SETTLED:
            result = _posterior(solved, grid, seen)
            return replace(result, mean=mean, information=_information(contrasts, result.contrast_sd, seen.shape))
    raise SynthesisError(f"the trait effects did not settle in {LINEARISATIONS} linearisations (last move {moved:.2g})")


def _information(contrasts: Sequence[EffectContrast], contrast_sd: float, shape: tuple[int, int]) -> Array:
    """What the contrasts of each class alone say about each trait: sum of 1 / (variance + tau_b^2), (classes, traits).

    Of a contrast on several thresholds the best single one counts: they are the same patients.
    """
    found = np.zeros(shape)
    for contrast in contrasts:
        variance = float(np.diag(contrast.covariance).min())
        found[contrast.class_index, contrast.trait_index] += 1.0 / (variance + contrast_sd**2)
    return found


def _prior_alone(seen: NDArray[np.bool_], prior: TraitPrior) -> TraitEffects:
    shape = seen.shape
    spread = sum((scale**2 * group for scale, group in prior.groups), np.zeros(shape[1]))
    return TraitEffects(
        np.zeros(shape), np.diag(np.tile(spread, shape[0])), seen, np.sqrt(spread), 0.0, 0.0, np.zeros(shape)
    )


@dataclass(frozen=True)
class _Grid:
    """Every combination of the standard deviations: ``scales`` (nodes, traits + 2) are s_b of each trait, s_d, tau_b.

    ``prior`` (nodes, effects, effects) is the prior covariance of the effects, ``noise`` (nodes, rows, rows) that of
    the contrasts around what the effects make of them.
    """

    scales: Array
    prior: Array
    noise: Array


def _grid(seen: NDArray[np.bool_], prior: TraitPrior, grid_points: int, V: Array, same_block: Array) -> _Grid:
    class_count, trait_count = seen.shape
    grids = [
        half_normal_nodes(scale, grid_points if (seen.any(axis=0) & group).any() else 1)
        for scale, group in prior.groups
    ]
    shared_seen = bool((seen.any(axis=0) & prior.shared).any())
    differences = half_normal_nodes(prior.class_difference_sd, grid_points if shared_seen else 1)
    taus = (
        np.array([prior.contrast_sd]) if prior.contrast_sd_fixed else half_normal_nodes(prior.contrast_sd, grid_points)
    )
    nodes = np.array(list(product(*grids, differences, taus)))
    s_b2 = np.square(nodes[:, :-2]) @ np.array([group for _, group in prior.groups], dtype=float)
    s_d2, tau2 = np.square(nodes[:, -2:]).T
    covariances = np.zeros((len(nodes), class_count, trait_count, class_count, trait_count))
    trait = np.arange(trait_count)
    for one, other in product(range(class_count), repeat=2):
        own = s_b2 + s_d2[:, None] * prior.shared if one == other else s_b2 * prior.shared
        covariances[:, one, trait, other, trait] = own
    scales = np.column_stack([np.sqrt(s_b2), nodes[:, -2:]])
    size = class_count * trait_count
    return _Grid(scales, covariances.reshape(-1, size, size), V + tau2[:, None, None] * same_block)


@dataclass(frozen=True)
class _Solved:
    """The linear model at every node: its ``weight`` (nodes,) and ``means`` (nodes, effects), averaged in ``mean``.

    ``cross`` (nodes, rows, effects) is the covariance of contrasts and effects, ``root`` (nodes, rows, rows) the
    Cholesky factor of that of the contrasts.
    """

    weight: Array
    means: Array
    mean: Array
    cross: Array
    root: Array


def _solved(X: Array, d: Array, grid: _Grid) -> _Solved:
    """Fit contrasts d (rows,) with the design X (rows, effects) at every node."""
    used = np.flatnonzero(X.any(axis=0))
    cross: Array = X[:, used] @ grid.prior[:, used]
    root = np.asarray(np.linalg.cholesky(cross[:, :, used] @ X[:, used].T + grid.noise))
    white = _forward(root, np.broadcast_to(d[:, None], (root.shape[0], d.size, 1)))
    # The marginal likelihood of the contrasts; nodes are equally likely a priori and need no prior here.
    log_weight = -np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1) - 0.5 * np.square(white[..., 0]).sum(axis=1)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    means = (_backward(root, white).swapaxes(1, 2) @ cross)[:, 0]
    return _Solved(weight, means, weight @ means, cross, root)


def _forward(root: Array, right: Array) -> Array:
    """Solve L x = b by forward substitution at all nodes together: L (nodes, rows, rows), b (nodes, rows, m)."""
    x = np.empty(right.shape)
    for row in range(root.shape[1]):
        known = root[:, row : row + 1, :row] @ x[:, :row]
        x[:, row] = (right[:, row] - known[:, 0]) / root[:, row, row, None]
    return x


def _backward(root: Array, right: Array) -> Array:
    """Solve L' x = b, likewise."""
    x = np.empty(right.shape)
    for row in reversed(range(root.shape[1])):
        known = root[:, row + 1 :, row][:, None] @ x[:, row + 1 :]
        x[:, row] = (right[:, row] - known[:, 0]) / root[:, row, row, None]
    return x


def _posterior(solved: _Solved, grid: _Grid, seen: NDArray[np.bool_]) -> TraitEffects:
    """Posterior of the linear model, averaged over the grid of the standard deviations."""
    class_count, trait_count = seen.shape
    white = _forward(solved.root, solved.cross)
    covariances = grid.prior - white.swapaxes(1, 2) @ white
    centred = solved.means - solved.mean
    covariance = np.tensordot(solved.weight, covariances, axes=1) + (centred * solved.weight[:, None]).T @ centred
    s = solved.weight @ grid.scales
    return TraitEffects(
        mean=solved.mean.reshape(class_count, trait_count),
        covariance=0.5 * (covariance + covariance.T),
        seen=seen,
        trait_sd=s[:-2],
        class_difference_sd=float(s[-2]),
        contrast_sd=float(s[-1]),
        information=np.zeros(seen.shape),
    )
