"""Levels and slopes of survival curves: a log-logistic line for every study, products and studies varying around it.

    log odds of S(t) in study i = level_i - slope_i log(t / 12) + error
    level_i = a_class + product + gamma * real_world + region + early lines + u_i,    u ~ N(0, tau^2)
    slope_i = k_class + product + v_i,                                                v ~ N(0, slope_sd^2)

The log-logistic distribution is the one whose log odds are a straight line in log time (Bennett S. Appl Stat
1983;32:165-171, equation 3), so that landmarks and medians of any time are linear observations of two numbers for each
study; given tau and the spread of the products everything is normal (Roever C. J Stat Softw 2020;93(6)), and both are
on a grid. All levels are read at one year for the reference profile: what a study prints is an average over its own
patients, and the trait effects say how far those are from the reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.patient_model.baselines import study_correlation
from bcma_decide.workshop.patient_model.effect_contrast import level_of_rate
from bcma_decide.workshop.patient_model.half_normal import half_normal_nodes
from bcma_decide.workshop.survival.points import Points

Array = NDArray[np.float64]

TAU_POINTS = 6
PRODUCT_POINTS = 4
_MIXED = 1e-300
"""Least weight of a node that its conditional weights are divided by."""


@dataclass(frozen=True)
class TimePrior:
    """Prior scales on the log-odds scale; see evidence/assumptions.yaml for the reasons.

    ``shared``: correlation between the classes of slope, practice, region and early lines.
    """

    level_sd: float
    slope_mean: float
    slope_sd: float
    product_slope_sd: float
    study_slope_sd: float
    product_sd_scale: float
    study_sd_scale: float
    construct_sd: float
    real_world_sd: float
    region_sd: float
    early_sd: float
    shared: float
    same_trial_correlation: float


@dataclass(frozen=True)
class Setting:
    """What sets a study apart beside its product, each 0 or 1: practice, East Asia, only early lines of therapy."""

    real_world: float = 0.0
    region: float = 0.0
    early: float = 0.0


@dataclass(frozen=True)
class StudyCurve:
    """One curve ready for the fit.

    ``products`` (products,) its product shares; ``setting`` where its patients were treated; ``patients`` (draws,
    traits) its virtual patients as deviations from the reference; ``extra_variance`` of its level, for traits it does
    not report.
    """

    points: Points
    products: Array
    setting: Setting
    trial: str
    patients: Array
    extra_variance: float


@dataclass(frozen=True)
class ClassLevels:
    """Posterior of one class: what was asked for, by node of tau.

    ``weight``, ``tau`` (nodes,); ``mean`` (nodes, asked); ``covariance`` (nodes, asked, asked); ``slope`` (asked,
    traits), the derivative of the mean in the trait effects; ``share`` (curves,), of the information about the class.
    """

    weight: Array
    tau: Array
    mean: Array
    covariance: Array
    slope: Array
    share: Array


@dataclass(frozen=True)
class Terms:
    """Columns of the linear model: level, slope, products' levels, products' slopes, practice, region, early lines."""

    products: int

    @property
    def count(self) -> int:
        """How many."""
        return 2 * self.products + 5

    def row(self, time: Array, products: Array, setting: Setting) -> Array:
        """Design rows of points at some log times, (points, terms)."""
        ones = np.ones((time.size, 1))
        fall = -time[:, None]
        apart = ones * np.array([setting.real_world, setting.region, setting.early])
        return np.hstack([ones, fall, ones * products, fall * products, apart])

    def level(self, products: Array, setting: Setting) -> Array:
        """The combination that is a level at one year, (terms,)."""
        return np.asarray(self.row(np.zeros(1), products, setting)[0])

    def slope(self, products: Array) -> Array:
        """The combination that is a slope, (terms,)."""
        return np.concatenate([[0.0, 1.0], np.zeros(products.size), products, np.zeros(3)])

    @property
    def common(self) -> tuple[int, int, int, int]:
        """Places of the terms that classes share in part: slope, practice, region, early lines."""
        return 1, self.count - 3, self.count - 2, self.count - 1

    def prior_variance(self, prior: TimePrior, offered: NDArray[np.bool_]) -> Array:
        """Prior variance of the terms but for the spread of the products, (terms,)."""
        spread = np.where(offered, 0.0, prior.construct_sd**2)
        slopes = np.full(self.products, prior.product_slope_sd**2)
        ends = [prior.real_world_sd**2, prior.region_sd**2, prior.early_sd**2]
        return np.concatenate([[prior.level_sd**2, prior.slope_sd**2], spread, slopes, ends])


@dataclass(frozen=True)
class _Standardised:
    """Log odds of all points for the reference profile, stacked over curves, with what belongs to each."""

    level: Array
    gradient: Array
    covariance: Array
    time: Array
    curve: NDArray[np.intp]
    extra: Array


def fit_levels(
    classes: Sequence[Sequence[StudyCurve]],
    offered: Sequence[NDArray[np.bool_]],
    effects: Array,
    prior: TimePrior,
    asked: Sequence[Array],
) -> tuple[ClassLevels, ...]:
    """Posterior of the levels and slopes asked for, class by class; the spreads are common to the classes.

    Parameters
    ----------
    classes
        Curves of each class; a class without curves keeps its prior.
    offered
        Which of the products of each class a clinic can order, (products,) each.
    effects
        Trait effects on the log odds of survival, (classes, traits).
    prior
        Scales.
    asked
        Combinations of the terms of each class, (asked, terms) each.

    Raises
    ------
    SynthesisError
        When there is no curve at all.
    """
    if not any(len(curves) for curves in classes):
        raise SynthesisError("no published curve to fit")
    data = _together([_standardised(curves, effects[c]) for c, curves in enumerate(classes)])
    design = _design(classes, offered, prior)
    wanted = [_placed(rows, c, offered) for c, rows in enumerate(asked)]
    rows = np.vstack(wanted)
    taus = half_normal_nodes(prior.study_sd_scale, TAU_POINTS)
    spreads = half_normal_nodes(prior.product_sd_scale, PRODUCT_POINTS)
    grid = [[_node(design, data, rows, tau, sd) for sd in spreads] for tau in taus]
    log_evidence = np.array([[node.log_evidence for node in row] for row in grid])
    weight = np.exp(log_evidence - log_evidence.max())
    weight /= weight.sum()
    every = _mixed(grid, weight, taus)
    starts = np.cumsum([0, *(len(each) for each in asked)])
    curves = np.cumsum([0, *(len(each) for each in classes)])
    return tuple(
        _of_class(every, slice(starts[c], starts[c + 1]), slice(curves[c], curves[c + 1]), asked[c], c)
        for c in range(len(classes))
    )


@dataclass(frozen=True)
class _Design:
    """The linear model of both classes: rows of all points, prior variance of the terms, and how studies go together.

    The terms are those of the first class, of the second, and what is common to both: slope, practice, region, early
    lines. ``fixed`` (terms,) is the prior variance but for the products' spread, ``products`` (terms,) marks theirs.
    """

    rows: Array
    fixed: Array
    products: Array
    centre: Array
    trials: Array
    prior: TimePrior


def _design(classes: Sequence[Sequence[StudyCurve]], offered: Sequence[NDArray[np.bool_]], prior: TimePrior) -> _Design:
    rows, fixed, products, centre = [], [], [], []
    for c, curves in enumerate(classes):
        terms = Terms(offered[c].size)
        own = [terms.row(curve.points.time, curve.products, curve.setting) for curve in curves]
        if own:
            rows.append(_placed(np.vstack(own), c, offered))
        variance = terms.prior_variance(prior, offered[c])
        variance[list(terms.common)] *= 1.0 - prior.shared
        fixed.append(variance)
        marks = np.zeros(terms.count)
        marks[2 : 2 + offered[c].size] = 1.0
        products.append(marks)
        centre.append(np.where(np.arange(terms.count) == 1, prior.slope_mean, 0.0))
    common = np.array([prior.slope_sd, prior.real_world_sd, prior.region_sd, prior.early_sd]) ** 2 * prior.shared
    trials = tuple(curve.trial for curves in classes for curve in curves)
    return _Design(
        rows=np.vstack(rows),
        fixed=np.concatenate([*fixed, common]),
        products=np.concatenate([*products, np.zeros(common.size)]),
        centre=np.concatenate([*centre, np.zeros(common.size)]),
        trials=study_correlation(trials, prior.same_trial_correlation),
        prior=prior,
    )


def _placed(rows: Array, class_index: int, offered: Sequence[NDArray[np.bool_]]) -> Array:
    """Rows of one class among the terms of both, the common ones last."""
    blocks = [np.zeros((rows.shape[0], Terms(each.size).count)) for each in offered]
    blocks[class_index] = rows
    return np.hstack([*blocks, rows[:, list(Terms(offered[class_index].size).common)]])


def _standardised(curves: Sequence[StudyCurve], effects: Array) -> _Standardised:
    level, gradient, scale = [], [], []
    for curve in curves:
        offset = curve.patients @ effects
        for value in curve.points.level:
            rate = float(expit(value))
            intercept = level_of_rate(offset, rate)
            p = expit(intercept + offset)
            density = p * (1.0 - p)
            level.append(intercept)
            gradient.append(-(density @ curve.patients) / density.sum())
            scale.append(rate * (1.0 - rate) / float(density.mean()))
    sizes = [curve.points.level.size for curve in curves]
    total = sum(sizes)
    covariance = np.zeros((total, total))
    start = 0
    for curve, size in zip(curves, sizes, strict=True):
        covariance[start : start + size, start : start + size] = curve.points.covariance
        start += size
    return _Standardised(
        level=np.array(level),
        gradient=np.array(gradient).reshape(total, effects.size),
        covariance=covariance * np.outer(scale, scale),
        time=np.concatenate([np.zeros(0), *(curve.points.time for curve in curves)]),
        curve=np.repeat(np.arange(len(curves)), sizes),
        extra=np.array([curve.extra_variance for curve in curves]),
    )


def _together(classes: Sequence[_Standardised]) -> _Standardised:
    """Points of both classes in one; gradients keep the traits of their class apart, (points, classes, traits)."""
    starts = np.cumsum([0, *(each.extra.size for each in classes)])
    sizes = [each.level.size for each in classes]
    gradient = np.zeros((sum(sizes), len(classes), classes[0].gradient.shape[1]))
    covariance = np.zeros((sum(sizes), sum(sizes)))
    at = 0
    for c, each in enumerate(classes):
        gradient[at : at + sizes[c], c] = each.gradient
        covariance[at : at + sizes[c], at : at + sizes[c]] = each.covariance
        at += sizes[c]
    return _Standardised(
        level=np.concatenate([each.level for each in classes]),
        gradient=gradient,
        covariance=covariance,
        time=np.concatenate([each.time for each in classes]),
        curve=np.concatenate([each.curve + start for each, start in zip(classes, starts, strict=False)]),
        extra=np.concatenate([each.extra for each in classes]),
    )


@dataclass(frozen=True)
class _Node:
    log_evidence: float
    mean: Array
    covariance: Array
    slope: Array
    gain: Array


def _node(design: _Design, data: _Standardised, asked: Array, tau: float, product_sd: float) -> _Node:
    variance = design.fixed + product_sd**2 * design.products
    between = tau**2 * design.trials + np.diag(data.extra)
    same = (data.curve[:, None] == data.curve[None, :]).astype(float)
    lines = design.prior.study_slope_sd**2 * same * np.outer(data.time, data.time)
    V = (design.rows * variance) @ design.rows.T + between[np.ix_(data.curve, data.curve)] + lines + data.covariance
    root = np.linalg.cholesky(V)
    white = np.linalg.solve(root, data.level - design.rows @ design.centre)
    cross = (asked * variance) @ design.rows.T
    white_cross = np.linalg.solve(root, cross.T)
    gain = np.linalg.solve(root.T, white_cross).T
    by_curve = np.zeros((asked.shape[0], data.extra.size))
    np.add.at(by_curve.T, data.curve, np.abs(gain).T)
    return _Node(
        log_evidence=float(-np.log(np.diag(root)).sum() - 0.5 * white @ white),
        mean=asked @ design.centre + white_cross.T @ white,
        covariance=(asked * variance) @ asked.T - white_cross.T @ white_cross,
        slope=np.einsum("ap,pct->act", gain, data.gradient),
        gain=by_curve,
    )


@dataclass(frozen=True)
class _Every:
    """Posterior of what was asked in both classes, by node of tau; ``slope`` (asked, classes, traits)."""

    weight: Array
    tau: Array
    mean: Array
    covariance: Array
    slope: Array
    gain: Array


def _mixed(grid: Sequence[Sequence[_Node]], weight: Array, taus: Array) -> _Every:
    """Average over the products' spread at each tau; means that differ between nodes are uncertainty too."""
    means = np.array([[node.mean for node in row] for row in grid])
    covariances = np.array([[node.covariance for node in row] for row in grid])
    node_weight = weight.sum(axis=1)
    conditional = weight / np.maximum(node_weight[:, None], _MIXED)
    mean = np.einsum("ij,ija->ia", conditional, means)
    away = means - mean[:, None]
    covariance = np.einsum("ij,ijab->iab", conditional, covariances)
    covariance += np.einsum("ij,ija,ijb->iab", conditional, away, away)
    return _Every(
        weight=node_weight,
        tau=taus,
        mean=mean,
        covariance=0.5 * (covariance + np.swapaxes(covariance, 1, 2)),
        slope=np.einsum("ij,ijact->act", weight, np.array([[node.slope for node in row] for row in grid])),
        gain=np.einsum("ij,ijac->ac", weight, np.array([[node.gain for node in row] for row in grid])),
    )


def _of_class(every: _Every, at: slice, curves: slice, asked: Array, class_index: int) -> ClassLevels:
    """What concerns one class; what the other class's traits move in it through common terms is left out."""
    # the information is that about levels, not about slopes: the first term is the class level
    share = asked[:, 0] @ every.gain[at, curves]
    return ClassLevels(
        weight=every.weight,
        tau=every.tau,
        mean=every.mean[:, at],
        covariance=every.covariance[:, at, at],
        slope=every.slope[at, class_index],
        share=share / max(float(share.sum()), _MIXED),
    )
