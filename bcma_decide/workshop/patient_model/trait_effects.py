"""Conditional trait effects from contrasts inside studies (stage 1 of the patient-level model).

A contrast says how much higher the log odds of an outcome are in one level of a trait than in the other, in the same
study. The levels also differ in other traits, so a published contrast is *marginal*; the virtual cohort tells by how
much, and the conditional effects of all traits are solved for together:

    d = f(b) + r,    r ~ N(0, V + tau_b^2 J)
    b[t, c] = b[t] + delta[t, c],    b[t] ~ N(0, s_b^2),    delta[t, c] ~ N(0, s_d^2)

where f(b) is the log odds ratio between the two levels' average rates over the virtual patients in them. Because odds
ratios are not collapsible, f is smaller than the difference of the linear predictors; it is linearised around the
current b and solved again (Gauss-Newton), which removes that shrinkage (Gail MH et al. Biometrika 1984;71:431-444
describe it). Differences between studies never enter (Fisher DJ et al. BMJ 2017;356:j573). The three standard
deviations are integrated over a grid under half-normal priors, so the result is a mixture of normals, reported by
its exact mean and covariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, expit, ndtri

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.patient_model.half_normal import half_normal_nodes
from bcma_decide.workshop.patient_model.virtual_cohort import EIGENVALUE_FLOOR, nearest_correlation

Array = NDArray[np.float64]

LINEARISATIONS = 200
DAMPING = 0.6
"""Share of each Gauss-Newton step that is taken: whole steps swing between two values where a level is nearly all or
nothing (ICANS under other priors)."""
SETTLED = 1e-7
"""Largest move of an effect at which it counts as settled, below the sixth digit that the pooled file keeps."""
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
    slowest. ``seen[c, t]``: a contrast of trait t exists in class c. ``standard_deviations``: posterior means of
    s_b, s_d and tau_b.
    """

    mean: Array
    covariance: Array
    seen: NDArray[np.bool_]
    trait_sd: Array
    class_difference_sd: float
    contrast_sd: float
    information: Array


def empirical_logit_difference(
    high_events: Sequence[float], high_total: Sequence[float], low_events: Sequence[float], low_total: Sequence[float]
) -> tuple[Array, Array]:
    """Differences of empirical logits between two groups on nested thresholds, with their covariance.

    0.5 is added to events and non-events (Gart JJ, Zweifel JR. Biometrika 1967;54:181-187). Events of a stricter
    threshold are contained in those of a looser one; two empirical logits of the same patients then have the
    covariance 1 / (n p_loose (1 - p_strict)) by the multinomial delta method.

    Parameters
    ----------
    high_events, high_total, low_events, low_total
        One value per threshold, loosest first.

    Returns
    -------
    difference, covariance
        Shapes (thresholds,) and (thresholds, thresholds).

    Raises
    ------
    SynthesisError
        When a group has no patients or more events than patients.
    """
    groups = []
    for events, total in ((high_events, high_total), (low_events, low_total)):
        e, n = np.asarray(events, dtype=float), np.asarray(total, dtype=float)
        if (n <= 0).any() or (e < 0).any() or (e > n).any():
            raise SynthesisError(f"a contrast needs 0 <= events <= patients in both groups, got {e} of {n}")
        # In every group, empty cell or not: 0.5 takes out the bias of a logit to first order, and adding it only where
        # it is needed would treat 0 of 10 and 1 of 10 by two rules.
        groups.append(((e + 0.5) / (n + 1.0), n + 1.0))
    (high, _), (low, _) = groups
    difference = np.log(high / (1.0 - high)) - np.log(low / (1.0 - low))
    covariance = np.zeros((high.size, high.size))
    for p, n in groups:
        # The looser threshold is the one with the higher rate; on the diagonal both are one, and this is
        # the variance of a logit.
        loose, strict = np.maximum.outer(p, p), np.minimum.outer(p, p)
        covariance += 1.0 / (np.maximum.outer(n, n) * loose * (1.0 - strict))
    return difference, covariance


def standard_error(low: float, high: float) -> float:
    """Standard error behind a 95 % interval that is symmetric on the scale of its ends.

    First step of Altman DG, Bland JM. BMJ 2011;343:d2304.
    """
    return float((high - low) / (2.0 * ndtri(0.975)))


def log_odds_ratio_from_risk_ratio(
    risk_ratio: float, interval: tuple[float, float], overall_rate: float, prevalence: float
) -> tuple[float, float]:
    """Log odds ratio and its standard error from a risk ratio at a known overall rate.

    The rate without the trait follows from ``overall = prevalence * RR * p0 + (1 - prevalence) * p0``; the standard
    error of log RR (from the interval) is carried over by the delta method, d(log OR)/d(log RR) = 1 / (1 - p1)
    (Zhang J, Yu KF. JAMA 1998;280:1690-1691 give the relation of the two ratios).

    Raises
    ------
    SynthesisError
        When the implied rate with the trait is not below 1.
    """
    absent = overall_rate / (prevalence * risk_ratio + 1.0 - prevalence)
    present = risk_ratio * absent
    if not 0.0 < present < 1.0 or not 0.0 < absent < 1.0:
        raise SynthesisError(f"risk ratio {risk_ratio} at rate {overall_rate} implies a rate outside (0, 1)")
    se = standard_error(np.log(interval[0]), np.log(interval[1]))
    value = np.log(present / (1.0 - present)) - np.log(absent / (1.0 - absent))
    return float(value), float(se / (1.0 - present))


def log_odds_ratio_group_versus_all(
    group_rate: float,
    group_interval: tuple[float, float],
    all_rate: float,
    all_interval: tuple[float, float],
    prevalence: float,
) -> tuple[float, float]:
    """Log odds ratio of a trait from the rate of those who have it and the rate of everybody.

    The rate of the others is ``(all - prevalence * group) / (1 - prevalence)``. Standard errors of the two logits
    come from their intervals, are taken as independent (an overstatement, since the group is part of all), and the
    second is scaled by d(logit others)/d(logit all).

    Raises
    ------
    SynthesisError
        When the implied rate of the others lies outside (0, 1).
    """
    others = (all_rate - prevalence * group_rate) / (1.0 - prevalence)
    if not 0.0 < others < 1.0:
        raise SynthesisError(f"group rate {group_rate} of overall {all_rate} implies {others:.3f} for the others")

    def logit(p: float) -> float:
        return float(np.log(p / (1.0 - p)))

    def se(interval: tuple[float, float]) -> float:
        return standard_error(logit(interval[0]), logit(interval[1]))

    scale = all_rate * (1.0 - all_rate) / ((1.0 - prevalence) * others * (1.0 - others))
    return logit(group_rate) - logit(others), float(np.hypot(se(group_interval), scale * se(all_interval)))


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


def _level(offset: Array, rate: float) -> float:
    """The intercept at which the average of logistic(intercept + offset) is ``rate`` (safeguarded Newton)."""
    # Exact if all offsets were equal. Where they differ much the average is flat and a full step can overshoot into the
    # part that is flatter still, from which Newton does not come back: with half of the offsets at 8 and a rate of 0.1
    # it runs off, held to steps of 1 it settles in seven.
    intercept = float(np.log(rate / (1.0 - rate)) - offset.mean())
    for _ in range(LEVEL_STEPS):
        p = expit(intercept + offset)
        step = float((p.mean() - rate) / (p * (1.0 - p)).mean())
        intercept -= float(np.clip(step, -LONGEST_LEVEL_STEP, LONGEST_LEVEL_STEP))
        if abs(step) < LEVEL_SETTLED:
            break
    return intercept


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
    if contrast.rate is None:
        gradient = contrast.high.mean(axis=0) - contrast.low.mean(axis=0)
        return np.array([gradient @ effects]), gradient[None, :]
    offsets = [group @ effects for group in (contrast.high, contrast.low)]
    together = np.concatenate(offsets)
    expected, rows = [], []
    # The level is that of both groups together, once for both: what differs between them is then the traits alone.
    for rate in contrast.rate:
        intercept = _level(together, float(rate))
        sides = []
        for group, offset in zip((contrast.high, contrast.low), offsets, strict=True):
            p = expit(intercept + offset)
            average, density = float(p.mean()), p * (1.0 - p)
            sides.append(
                (np.log(average / (1.0 - average)), density @ group / group.shape[0] / (average * (1.0 - average)))
            )
        expected.append(sides[0][0] - sides[1][0])
        rows.append(sides[0][1] - sides[1][1])
    return np.array(expected), np.array(rows)


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
        Points per standard deviation; the grid has this number cubed, so eight make 512 small normal posteriors.
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
