"""Levels and slopes of survival curves: a log-logistic line for every study, products and studies varying around it.

    log odds of S(t) in study i = level_i - slope_i log(t / 12) + error
    level_i = a_class + product + gamma * real_world + region + u_i,    u ~ N(0, tau^2)
    slope_i = k_class + product + v_i,                                  v ~ N(0, slope_sd^2)

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
    """Prior scales on the log-odds scale; see evidence/assumptions.yaml for the reasons."""

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
    same_trial_correlation: float


@dataclass(frozen=True)
class StudyCurve:
    """One curve ready for the fit.

    ``products`` (products,) its product shares; ``patients`` (draws, traits) its virtual patients as deviations from
    the reference; ``extra_variance`` of its level, for traits it does not report.
    """

    points: Points
    products: Array
    real_world: float
    region: float
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
    """Columns of the linear model: level, slope, products' levels, products' slopes, practice, region."""

    products: int

    @property
    def count(self) -> int:
        """How many."""
        return 2 * self.products + 4

    def row(self, time: Array, products: Array, real_world: float, region: float) -> Array:
        """Design rows of points at some log times, (points, terms)."""
        ones = np.ones((time.size, 1))
        fall = -time[:, None]
        return np.hstack([ones, fall, ones * products, fall * products, real_world * ones, region * ones])

    def level(self, products: Array, real_world: float, region: float) -> Array:
        """The combination that is a level at one year, (terms,)."""
        return np.asarray(self.row(np.zeros(1), products, real_world, region)[0])

    def slope(self, products: Array) -> Array:
        """The combination that is a slope, (terms,)."""
        return np.concatenate([[0.0, 1.0], np.zeros(products.size), products, [0.0, 0.0]])

    def prior_variance(self, prior: TimePrior, offered: NDArray[np.bool_], product_sd: float) -> Array:
        """Prior variance of the terms, (terms,)."""
        spread = product_sd**2 + np.where(offered, 0.0, prior.construct_sd**2)
        slopes = np.full(self.products, prior.product_slope_sd**2)
        ends = [prior.real_world_sd**2, prior.region_sd**2]
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
    data = [_standardised(curves, effects[c]) if curves else None for c, curves in enumerate(classes)]
    taus = half_normal_nodes(prior.study_sd_scale, TAU_POINTS)
    spreads = half_normal_nodes(prior.product_sd_scale, PRODUCT_POINTS)
    log_evidence = np.zeros((TAU_POINTS, PRODUCT_POINTS))
    parts = []
    for c, curves in enumerate(classes):
        grid = [
            [_node(curves, data[c], offered[c], prior, asked[c], tau, sd, effects.shape[1]) for sd in spreads]
            for tau in taus
        ]
        log_evidence += np.array([[node.log_evidence for node in row] for row in grid])
        parts.append(grid)
    weight = np.exp(log_evidence - log_evidence.max())
    weight /= weight.sum()
    return tuple(_mixed(grid, weight, taus) for grid in parts)


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
        gradient=np.array(gradient),
        covariance=covariance * np.outer(scale, scale),
        time=np.concatenate([curve.points.time for curve in curves]),
        curve=np.repeat(np.arange(len(curves)), sizes),
        extra=np.array([curve.extra_variance for curve in curves]),
    )


@dataclass(frozen=True)
class _Node:
    log_evidence: float
    mean: Array
    covariance: Array
    slope: Array
    share: Array


def _node(
    curves: Sequence[StudyCurve],
    data: _Standardised | None,
    offered: NDArray[np.bool_],
    prior: TimePrior,
    asked: Array,
    tau: float,
    product_sd: float,
    traits: int,
) -> _Node:
    terms = Terms(offered.size)
    variance = terms.prior_variance(prior, offered, product_sd)
    centre = np.zeros(terms.count)
    centre[1] = prior.slope_mean
    prior_covariance = (asked * variance) @ asked.T
    if data is None:
        return _Node(0.0, asked @ centre, prior_covariance, np.zeros((asked.shape[0], traits)), np.zeros(0))
    Z = np.vstack([terms.row(c.points.time, c.products, c.real_world, c.region) for c in curves])
    between = tau**2 * study_correlation(tuple(c.trial for c in curves), prior.same_trial_correlation)
    between += np.diag(data.extra)
    same = (data.curve[:, None] == data.curve[None, :]).astype(float)
    study = between[np.ix_(data.curve, data.curve)] + prior.study_slope_sd**2 * same * np.outer(data.time, data.time)
    V = (Z * variance) @ Z.T + study + data.covariance
    root = np.linalg.cholesky(V)
    white = np.linalg.solve(root, data.level - Z @ centre)
    cross = (asked * variance) @ Z.T
    white_cross = np.linalg.solve(root, cross.T)
    gain = np.linalg.solve(root.T, white_cross).T
    share = np.zeros(len(curves))
    # of the levels asked for, not of the slopes: the first term is the class level
    np.add.at(share, data.curve, np.abs(asked[:, 0] @ gain))
    return _Node(
        log_evidence=float(-np.log(np.diag(root)).sum() - 0.5 * white @ white),
        mean=asked @ centre + white_cross.T @ white,
        covariance=prior_covariance - white_cross.T @ white_cross,
        slope=gain @ data.gradient,
        share=share,
    )


def _mixed(grid: Sequence[Sequence[_Node]], weight: Array, taus: Array) -> ClassLevels:
    """Average over the products' spread at each tau; means that differ between nodes are uncertainty too."""
    means = np.array([[node.mean for node in row] for row in grid])
    covariances = np.array([[node.covariance for node in row] for row in grid])
    node_weight = weight.sum(axis=1)
    conditional = weight / np.maximum(node_weight[:, None], _MIXED)
    mean = np.einsum("ij,ija->ia", conditional, means)
    away = means - mean[:, None]
    covariance = np.einsum("ij,ijab->iab", conditional, covariances)
    covariance += np.einsum("ij,ija,ijb->iab", conditional, away, away)
    slope = np.einsum("ij,ijat->at", weight, np.array([[node.slope for node in row] for row in grid]))
    share = np.einsum("ij,ijc->c", weight, np.array([[node.share for node in row] for row in grid]))
    return ClassLevels(
        weight=node_weight,
        tau=taus,
        mean=mean,
        covariance=0.5 * (covariance + np.swapaxes(covariance, 1, 2)),
        slope=slope,
        share=share / max(float(share.sum()), _MIXED),
    )
