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
from scipy.special import expit, xlog1py, xlogy

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.patient_model.half_normal import half_normal_nodes

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
RIDGE = 1e-9
"""Variance added to every arm's level, so that two arms are never one and the same unknown."""
STEP = 1e-3
"""Of the second difference of the score."""
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


def _rates(alpha: Array, offsets: Array, arms: Arms) -> tuple[Array, Array, Array]:
    """Arm rates, their derivative in alpha, and the logistic densities per virtual patient."""
    p = expit(alpha[:, None] + offsets)
    density = p * (1.0 - p)
    return arms.floor + arms.share * p.mean(axis=1), arms.share * density.mean(axis=1), density


def _log_likelihood(arms: Arms, rate: Array) -> float:
    return float((xlogy(arms.events, rate) + xlog1py(arms.total - arms.events, -rate)).sum())


def _information(arms: Arms, rate: Array, slope: Array) -> Array:
    """Expected (Fisher) information of each arm's count about its alpha, shape (arms,)."""
    # It vanishes where a rate runs to 0 or 1 and is divided by when the options' levels are read off.
    return np.maximum(arms.total * slope**2 / (rate * (1.0 - rate)), LEAST_INFORMATION)


def _score(arms: Arms, rate: Array, slope: Array) -> Array:
    """Derivative of each arm's log likelihood in its alpha, (arms,)."""
    return np.asarray((arms.events - arms.total * rate) * slope / (rate * (1.0 - rate)))


def _skewness(arms: Arms, offsets: Array, alpha: Array) -> Array:
    """Third derivative of each arm's log likelihood in its alpha, (arms,), by the second difference of the score."""
    above, here, below = (_score(arms, *_rates(at, offsets, arms)[:2]) for at in (alpha + STEP, alpha, alpha - STEP))
    return (above - 2.0 * here + below) / STEP**2


def _mode(arms: Arms, offsets: Array, K: Array, start: Array) -> tuple[Array, Array, float]:
    """Mode of the alphas given their prior covariance ``K``: alphas, expected information, Laplace log evidence."""
    # Work is done on a = K^-1 alpha and on B = I + W^(1/2) K W^(1/2), whose eigenvalues are 1 or more (Rasmussen and
    # Williams 2006, section 3.4.3), so that no precision matrix of a nearly flat prior is ever formed.
    alpha, a = start, np.linalg.solve(K, start)
    identity = np.eye(K.shape[0])
    rate, slope, _ = _rates(alpha, offsets, arms)
    objective = _log_likelihood(arms, rate) - 0.5 * float(a @ alpha)
    for _ in range(MAX_STEPS):
        # Expected information, not observed: the rate is an average over patients, for which the likelihood need not be
        # concave in alpha; the expected one is never negative, so every step is uphill and B can be factored.
        information = _information(arms, rate, slope)
        score = _score(arms, rate, slope)
        root = np.sqrt(information)
        B = identity + root[:, None] * K * root[None, :]
        b = information * alpha + score
        target = b - root * np.linalg.solve(B, root * (K @ b))
        # The full step settles almost always (one halving in the 96 modes of a rare outcome); halving is for starts
        # so far off that the quadratic it stands on is another curve.
        step = 1.0
        while True:
            a_new = a + step * (target - a)
            alpha_new = K @ a_new
            rate_new, slope_new, _ = _rates(alpha_new, offsets, arms)
            value = _log_likelihood(arms, rate_new) - 0.5 * float(a_new @ alpha_new)
            if value >= objective - ROUNDING or step < SMALLEST_STEP:
                break
            step /= 2.0
        moved = float(np.abs(alpha_new - alpha).max())
        alpha, a, rate, slope, objective = alpha_new, a_new, rate_new, slope_new, value
        if moved < SETTLED:
            information = _information(arms, rate, slope)
            root = np.sqrt(information)
            B = identity + root[:, None] * K * root[None, :]
            return alpha, information, objective - 0.5 * float(np.linalg.slogdet(B)[1])
    raise SynthesisError(f"the baseline fit did not converge in {MAX_STEPS} steps (last move {moved:.2g})")


def fit_baselines(
    arms: Arms, effects: Array, prior: BaselinePrior, asked: Asked, tau_points: int = 16, product_points: int = 6
) -> Baselines:
    """Levels of all options of one class at one threshold.

    Parameters
    ----------
    arms
        The selected arms; every product of ``arms.products`` becomes an option.
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
    arm_count = arms.products.shape[0]
    shift = prior.near_mean * arms.near + prior.real_world_mean * arms.real_world
    offsets = (arms.patients @ effects) + shift[:, None]
    correlation = study_correlation(arms.trials, prior.same_trial_correlation)
    ones = np.ones(arm_count)
    construct = np.diag(np.where(arms.offered, 0.0, prior.construct_sd**2))
    fixed = (
        prior.intercept_sd**2 * np.outer(ones, ones)
        + prior.real_world_sd**2 * np.outer(arms.real_world, arms.real_world)
        + prior.region_sd**2 * np.outer(arms.region, arms.region)
        + prior.near_mean_sd**2 * np.outer(arms.near, arms.near)
        + np.diag(prior.near_row_sd**2 * arms.near)
        + arms.products @ construct @ arms.products.T
    )
    product_overlap = arms.products @ arms.products.T

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
    option_overlap = asked.products @ asked.products.T
    cross_overlap = asked.products @ arms.products.T
    asked_shift = prior.near_mean * asked.near + prior.real_world_mean * asked.real_world

    # Slices of equal prior probability, so that all nodes weigh alike a priori and the evidence alone tells them apart;
    # they lie densest near 0, where the levels react most to the spreads.
    taus = half_normal_nodes(prior.study_sd_scale, tau_points)
    spreads = half_normal_nodes(prior.product_sd_scale, product_points)
    # One common start, the mean of the arms' empirical logits, inside the range where the logistic is not yet flat (a
    # crude rate over the share can pass 1). Any start gives the same modes to 1e-11; this one saves steps.
    crude = np.clip(((arms.events + 0.5) / (arms.total + 1.0) - arms.floor) / arms.share, *CRUDE_RANGE)
    start = np.full(arm_count, float(np.log(crude / (1 - crude)).mean()))
    shape = (tau_points, product_points)
    log_evidence = np.empty(shape)
    options = asked.level.size
    means = np.empty((*shape, options))
    covariances = np.empty((*shape, options, options))
    slopes = np.empty((*shape, options, effects.size))
    shares = np.empty((*shape, arm_count))
    for i, tau in enumerate(taus):
        for j, spread in enumerate(spreads):
            K = fixed + spread**2 * product_overlap + tau**2 * correlation + np.diag(arms.extra_variance + RIDGE)
            # The mode of the node before is the next start: neighbouring spreads have nearly the same mode.
            start, information, log_evidence[i, j] = _mode(arms, offsets, K, start)
            cross = cross_fixed + spread**2 * cross_overlap
            gain = np.linalg.solve(K + np.diag(1.0 / information), cross.T).T
            _, _, density = _rates(start, offsets, arms)
            # What a count fixes is the arm's rate, so if an effect b is larger than thought the arm's alpha is lower by
            # E[p(1-p) x] / E[p(1-p)]: patients count where their own rate can still move.
            mix = np.einsum("am,amt->at", density, arms.patients) / density.sum(axis=1, keepdims=True)
            # A skewed posterior has its mean beside its mode, to first order by half of V (l3 * diag V), with V the
            # covariance of the alphas and l3 the third derivatives (Lindley 1980). Without it the levels of rare
            # outcomes lie 0.15 of their standard deviation too near to zero.
            posterior = K - K @ np.linalg.solve(K + np.diag(1.0 / information), K)
            lean = 0.5 * posterior @ (_skewness(arms, offsets, start) * np.diag(posterior))
            means[i, j] = np.linalg.solve(K, cross.T).T @ (start + lean)
            covariances[i, j] = option_fixed + spread**2 * option_overlap - gain @ cross.T
            slopes[i, j] = -gain @ mix
            shares[i, j] = np.abs(asked.share @ gain)
    weight = np.exp(log_evidence - log_evidence.max())
    weight /= weight.sum()

    flat = weight.ravel()
    option_count = means.shape[-1]
    all_means = means.reshape(-1, option_count)
    mean = flat @ all_means
    centred = all_means - mean
    covariance = np.tensordot(flat, covariances.reshape(-1, option_count, option_count), axes=1)
    # Total variance: nodes disagree about the levels, and that is uncertainty too.
    covariance += (centred * flat[:, None]).T @ centred
    information_share = flat @ shares.reshape(-1, arm_count)

    node_weight = weight.sum(axis=1)
    # A node far from the counts can weigh nothing at all; its row is then 0 instead of 0 / 0.
    conditional = weight / np.maximum(node_weight[:, None], 1e-300)
    node_mean = np.einsum("ij,ijo->io", conditional, means)
    centred = means - node_mean[:, None, :]
    node_covariance = np.einsum("ij,ijop->iop", conditional, covariances)
    node_covariance += np.einsum("ij,ijo,ijp->iop", conditional, centred, centred)
    slope = np.tensordot(flat, slopes.reshape(-1, option_count, effects.size), axes=1)
    return Baselines(
        mean=mean + asked_shift,
        covariance=0.5 * (covariance + covariance.T),
        slope=slope,
        node_weight=node_weight,
        node_tau=taus,
        node_mean=node_mean + asked_shift,
        node_covariance=node_covariance,
        weights=information_share / information_share.sum(),
    )
