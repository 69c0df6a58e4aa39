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
from bcma_decide.workshop.patient_model.effect_contrast import EffectContrast, contrast_covariance, linearised
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
    effects = centre
    for _ in range(LINEARISATIONS):
        rows, working = [], []
        for contrast in contrasts:
            of_class = enters[contrast.class_index]
            current = np.where(of_class, effects[contrast.class_index], 0.0)
            expected, gradient = linearised(contrast, current)
            gradient = np.where(of_class, gradient, 0.0)
            row = np.zeros((contrast.difference.size, class_count, trait_count))
            row[:, contrast.class_index] = gradient
            rows.append(row.reshape(contrast.difference.size, size))
            # Working response of Gauss-Newton: what the difference would be if f were the line that touches it here.
            # Of what is left to the deviations from the prior mean.
            away = np.where(of_class, (effects - centre)[contrast.class_index], 0.0)
            working.append(contrast.difference - expected + gradient @ away)
        result = _posterior(np.vstack(rows), np.concatenate(working), V, same_block, seen, prior, grid_points)
        result = replace(result, mean=centre + result.mean)
        moved = float(np.abs(result.mean - effects).max())
        # a full step overshoots where a level is nearly all or nothing: the fit then swings between two values
        effects = effects + DAMPING * (result.mean - effects)
        if moved < SETTLED:
            return replace(result, information=_information(contrasts, result.contrast_sd, seen.shape))
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


def _posterior(
    X: Array, d: Array, V: Array, same_block: Array, seen: NDArray[np.bool_], prior: TraitPrior, grid_points: int
) -> TraitEffects:
    """Posterior of the linear model, averaged over the grid of the standard deviations."""
    class_count, trait_count = seen.shape
    between = np.ones((class_count, class_count)) - np.eye(class_count)
    grids = [
        half_normal_nodes(scale, grid_points if (seen.any(axis=0) & group).any() else 1)
        for scale, group in prior.groups
    ]
    shared_seen = bool((seen.any(axis=0) & prior.shared).any())
    differences = half_normal_nodes(prior.class_difference_sd, grid_points if shared_seen else 1)
    taus = (
        np.array([prior.contrast_sd]) if prior.contrast_sd_fixed else half_normal_nodes(prior.contrast_sd, grid_points)
    )
    weights, means, covariances, scales = [], [], [], []
    for trait_sds in product(*grids):
        s_b2 = sum(
            (sd**2 * group for sd, (_, group) in zip(trait_sds, prior.groups, strict=True)), np.zeros(trait_count)
        )
        for s_d in differences:
            own = np.kron(np.eye(class_count), np.diag(s_b2 + s_d**2 * prior.shared))
            prior_covariance = own + np.kron(between, np.diag(s_b2 * prior.shared))
            XS = X @ prior_covariance
            explained = XS @ X.T
            for tau_b in taus:
                root = np.linalg.cholesky(explained + V + tau_b**2 * same_block)
                white = np.linalg.solve(root, d)
                white_XS = np.linalg.solve(root, XS)
                # The marginal likelihood of the contrasts; nodes are equally likely a priori and need no prior here.
                weights.append(-np.log(np.diag(root)).sum() - 0.5 * white @ white)
                means.append(white_XS.T @ white)
                covariances.append(prior_covariance - white_XS.T @ white_XS)
                scales.append((*np.sqrt(s_b2), s_d, tau_b))
    weight = np.exp(np.array(weights) - max(weights))
    weight /= weight.sum()
    stacked = np.array(means)
    mean = weight @ stacked
    centred = stacked - mean
    covariance = np.tensordot(weight, np.array(covariances), axes=1) + (centred * weight[:, None]).T @ centred
    s = weight @ np.array(scales)
    return TraitEffects(
        mean=mean.reshape(class_count, trait_count),
        covariance=0.5 * (covariance + covariance.T),
        seen=seen,
        trait_sd=s[:-2],
        class_difference_sd=float(s[-2]),
        contrast_sd=float(s[-1]),
        information=np.zeros(seen.shape),
    )
