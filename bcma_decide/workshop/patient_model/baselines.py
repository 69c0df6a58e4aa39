"""Standardised baselines of options (stage 2 of the patient-level model).

Each arm's count is exact binomial around a rate integrated over the arm's own case mix,

    e_i ~ Binomial(n_i, floor_i + share_i * E_x[ logistic(alpha_i + (x - x_ref) . b) ])
    alpha_i = mu + product_i + gamma * real_world_i + u_i

with normal terms, so the alphas are one Gaussian vector a priori and the options' levels are linear in it. Laplace in
the alphas (Rasmussen CE, Williams CKI. Gaussian Processes for Machine Learning, 2006, algorithm 3.1, with the expected
information), their mean corrected for skewness (Lindley DV. Trab Estad Investig Oper 1980;31:223-245), tau and the
product spread on a grid (Roever C. J Stat Softw 2020;93(6): conditionally normal given tau).

The trait effects ``b`` come from stage 1 and are *not* updated by the arms' overall rates, which would let differences
between studies inform them; their uncertainty is carried through the derivative of the fitted levels (a cut posterior:
Plummer M. Stat Comput 2015;25:37-43).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.patient_model.half_normal import half_normal_nodes
from bcma_decide.workshop.patient_model.laplace import case_mix, modes, movable, skewness

Array = NDArray[np.float64]

RIDGE = 1e-9
"""Variance added to every arm's level, so that two arms are never one and the same unknown."""
CRUDE_RANGE = (0.01, 0.99)


@dataclass(frozen=True)
class Arms:
    """Arms of one class and one threshold.

    ``events``, ``total``, ``share`` (who could respond: 1, or the infused share for rates per randomised patient),
    ``floor`` (who is counted in any case: 0, but where a looser step is counted together with a stricter one) and
    ``real_world`` have shape (arms,); ``products`` (arms, products) holds each arm's product shares, rows summing to 1;
    ``patients`` (arms, points, traits) is each arm's virtual cohort minus the reference profile; ``extra_variance``
    (arms,) the variance of the level that comes from traits the arm did not report; ``trials`` labels of trials;
    ``region`` and ``near`` (arms,) mark East Asia and rows of a near definition; ``offered`` (products,).
    """

    events: Array
    total: Array
    share: Array
    floor: Array
    real_world: Array
    products: Array
    patients: Array
    extra_variance: Array
    trials: tuple[str, ...]
    region: Array
    near: Array
    offered: NDArray[np.bool_]


@dataclass(frozen=True)
class BaselinePrior:
    """Prior scales on the log-odds scale; see evidence/assumptions.yaml for the reasons."""

    intercept_sd: float
    real_world_sd: float
    product_sd_scale: float
    study_sd_scale: float
    same_trial_correlation: float
    region_sd: float
    construct_sd: float
    near_mean: float
    near_mean_sd: float
    near_row_sd: float
    real_world_mean: float = 0.0


@dataclass(frozen=True)
class Baselines:
    """Posterior levels of the options of one class at one threshold, for the reference profile.

    Options are (class, product 1, ..., product P) in the interventional setting, then the same in the real-world
    setting. ``mean`` and ``covariance`` given the trait effects' mean; ``slope`` (options, traits) is the derivative of
    ``mean`` with respect to the trait effects. The nodes are the marginal grid of tau: weight, tau, squared product
    spread, and the options' mean and variance there. ``weights`` (arms,): share of information about the class level.
    """

    mean: Array
    covariance: Array
    slope: Array
    node_weight: Array
    node_tau: Array
    node_mean: Array
    node_covariance: Array
    weights: Array


@dataclass(frozen=True)
class Asked:
    """Linear combinations of the terms whose posterior is wanted, one row each.

    A product without an arm has a column of its own in ``products`` and keeps its prior: it is a further product.

    ``level`` (0 or 1: with the class level), ``real_world``, ``region``, ``near`` (options,); ``products`` (options,
    products); ``share`` (options,): how the information of the arms is counted together over the options.
    """

    level: Array
    products: Array
    real_world: Array
    region: Array
    near: Array
    share: Array


def study_correlation(trials: tuple[str, ...], same_trial: float) -> Array:
    """Correlation of the study effects: ``same_trial`` between cohorts of one trial, zero otherwise."""
    # 1 on the diagonal, as both parts add up there; below 1 beside it, so two cohorts of a trial never weigh as one.
    labels = np.array(trials)
    return np.asarray(
        np.where(labels[:, None] == labels[None, :], same_trial, 0.0) + (1.0 - same_trial) * np.eye(len(trials))
    )


@dataclass(frozen=True)
class NodeLevels:
    """Levels of the arms of one class at one threshold, at every node of the grid of tau and the products' spread.

    ``tau`` (taus,), ``spread`` (spreads,); the nodes are their combinations, tau slowest: ``log_evidence`` (nodes,);
    ``pull`` (nodes, arms) is the prior precision times the mean of the alphas, ``inverse`` (nodes, arms, arms) the
    inverse of their prior covariance with the counts' own errors on its diagonal; ``mix`` (nodes, arms, traits) the
    patients whose own rate can still move.
    """

    tau: Array
    spread: Array
    log_evidence: Array
    pull: Array
    inverse: Array
    mix: Array


def node_levels(
    arms: Arms, effects: Array, prior: BaselinePrior, tau_points: int = 16, product_points: int = 6
) -> NodeLevels:
    """Posterior of the arms' own levels; what is asked of them is read off by :func:`read_levels`.

    Parameters
    ----------
    arms
        The selected arms.
    effects
        Mean conditional trait effects of this class, shape (traits,); zero where not informed.
    prior
        Prior scales.
    tau_points, product_points
        Grid sizes. Against 48 by 18 points the default moves levels by up to 0.03 log odds; 8 by 3 would by 0.09.

    Raises
    ------
    SynthesisError
        When a count is impossible or the fit does not converge.
    """
    if arms.events.size == 0 or (arms.events > arms.total).any() or (arms.total <= 0).any() or (arms.share <= 0).any():
        raise SynthesisError("baselines need at least one arm with 0 <= events <= n and a positive share")
    # Slices of equal prior probability, so that all nodes weigh alike a priori and the evidence alone tells them apart;
    # they lie densest near 0, where the levels react most to the spreads.
    taus = half_normal_nodes(prior.study_sd_scale, tau_points)
    spreads = half_normal_nodes(prior.product_sd_scale, product_points)
    K = _prior_covariances(arms, prior, taus, spreads)
    shift = prior.near_mean * arms.near + prior.real_world_mean * arms.real_world
    offsets = (arms.patients @ effects) + shift[:, None]
    mix = case_mix(offsets, arms.patients)
    # One common start, the mean of the arms' empirical logits, inside the range where the logistic is not yet flat (a
    # crude rate over the share can pass 1). Any start gives the same modes to 1e-11; from the mode of the middle node
    # the others are near.
    crude = np.clip(((arms.events + 0.5) / (arms.total + 1.0) - arms.floor) / arms.share, *CRUDE_RANGE)
    start = np.full(arms.events.size, float(np.log(crude / (1 - crude)).mean()))
    middle = K.shape[0] // 2
    found = modes(arms, mix, K, modes(arms, mix, K[middle : middle + 1], start).alpha[0])
    inverse = np.linalg.inv(K + _diagonal(1.0 / found.information))
    # A skewed posterior has its mean beside its mode, to first order by half of V (l3 * diag V), with V the covariance
    # of the alphas and l3 the third derivatives (Lindley 1980). Without it the levels of rare outcomes lie 0.15 of
    # their standard deviation too near to zero.
    posterior = K - K @ inverse @ K
    variance = np.diagonal(posterior, axis1=1, axis2=2)
    lean = 0.5 * (posterior @ (skewness(arms, mix, found.alpha) * variance)[..., None])[..., 0]
    pull = np.linalg.solve(K, (found.alpha + lean)[..., None])[..., 0]
    # What a count fixes is the arm's rate, so if an effect b is larger than thought the arm's alpha is lower by
    # E[p(1-p) x] / E[p(1-p)]: patients count where their own rate can still move.
    moved = movable(found.alpha, mix)
    return NodeLevels(taus, spreads, found.log_evidence, np.asarray(pull), np.asarray(inverse), moved)


def _prior_covariances(arms: Arms, prior: BaselinePrior, taus: Array, spreads: Array) -> Array:
    """Prior covariance of the alphas at every node, tau slowest, (nodes, arms, arms)."""
    ones = np.ones(arms.events.size)
    construct = np.diag(np.where(arms.offered, 0.0, prior.construct_sd**2))
    fixed = (
        prior.intercept_sd**2 * np.outer(ones, ones)
        + prior.real_world_sd**2 * np.outer(arms.real_world, arms.real_world)
        + prior.region_sd**2 * np.outer(arms.region, arms.region)
        + prior.near_mean_sd**2 * np.outer(arms.near, arms.near)
        + np.diag(prior.near_row_sd**2 * arms.near)
        + arms.products @ construct @ arms.products.T
    )
    tau2, spread2 = (each.ravel() ** 2 for each in np.meshgrid(taus, spreads, indexing="ij"))
    return np.asarray(
        fixed
        + spread2[:, None, None] * (arms.products @ arms.products.T)
        + tau2[:, None, None] * study_correlation(arms.trials, prior.same_trial_correlation)
        + np.diag(arms.extra_variance + RIDGE)
    )


def _diagonal(values: Array) -> Array:
    """Diagonal matrices, (nodes, arms) -> (nodes, arms, arms)."""
    return np.asarray(values[..., None] * np.eye(values.shape[-1]))


def read_levels(levels: NodeLevels, arms: Arms, prior: BaselinePrior, asked: Asked) -> Baselines:
    """What is asked of the levels of some arms; ``arms`` and ``prior`` as the levels were fitted with.

    Products without an arm may have columns in ``arms.products``: they are no part of the fit.
    """
    ones = np.ones(arms.events.size)
    construct = np.diag(np.where(arms.offered, 0.0, prior.construct_sd**2))
    cross_fixed = (
        prior.intercept_sd**2 * np.outer(asked.level, ones)
        + prior.real_world_sd**2 * np.outer(asked.real_world, arms.real_world)
        + prior.region_sd**2 * np.outer(asked.region, arms.region)
        + prior.near_mean_sd**2 * np.outer(asked.near, arms.near)
        + asked.products @ construct @ arms.products.T
    )
    option_fixed = (
        prior.intercept_sd**2 * np.outer(asked.level, asked.level)
        + prior.real_world_sd**2 * np.outer(asked.real_world, asked.real_world)
        + prior.region_sd**2 * np.outer(asked.region, asked.region)
        + prior.near_mean_sd**2 * np.outer(asked.near, asked.near)
        + np.diag(prior.near_row_sd**2 * asked.near)
        + asked.products @ construct @ asked.products.T
    )
    grid, options = (levels.tau.size, levels.spread.size), asked.level.size
    spread2 = np.tile(levels.spread**2, levels.tau.size)[:, None, None]
    cross = cross_fixed + spread2 * (asked.products @ arms.products.T)
    gain = cross @ levels.inverse
    all_means = (cross @ levels.pull[..., None])[..., 0]
    covariances = option_fixed + spread2 * (asked.products @ asked.products.T) - gain @ np.swapaxes(cross, 1, 2)
    asked_shift = prior.near_mean * asked.near + prior.real_world_mean * asked.real_world

    flat = np.exp(levels.log_evidence - levels.log_evidence.max())
    flat /= flat.sum()
    mean = flat @ all_means
    centred = all_means - mean
    # Total variance: nodes disagree about the levels, and that is uncertainty too.
    covariance = np.tensordot(flat, covariances, axes=1) + (centred * flat[:, None]).T @ centred
    information_share = flat @ np.abs(asked.share @ gain)

    weight = flat.reshape(grid)
    node_weight = weight.sum(axis=1)
    # A node far from the counts can weigh nothing at all; its row is then 0 instead of 0 / 0.
    conditional = weight / np.maximum(node_weight[:, None], 1e-300)
    means = all_means.reshape(*grid, options)
    node_mean = np.einsum("ij,ijo->io", conditional, means)
    centred = means - node_mean[:, None, :]
    node_covariance = np.einsum("ij,ijop->iop", conditional, covariances.reshape(*grid, options, options))
    node_covariance += np.einsum("ij,ijo,ijp->iop", conditional, centred, centred)
    return Baselines(
        mean=mean + asked_shift,
        covariance=0.5 * (covariance + covariance.T),
        slope=-np.tensordot(flat, gain @ levels.mix, axes=1),
        node_weight=node_weight,
        node_tau=levels.tau,
        node_mean=node_mean + asked_shift,
        node_covariance=node_covariance,
        weights=information_share / information_share.sum(),
    )
