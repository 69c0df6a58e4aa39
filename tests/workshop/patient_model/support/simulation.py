"""A world with known truth: arms, correlated traits, splits of which a third are published.

As in the design's section on trait effects: 44 arms, 6 correlated traits. Everything the model is told is what a
paper would print (prevalences, arm totals, one-trait-at-a-time splits); the truth stays here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from bcma_decide.workshop.patient_model.baselines import (
    Arms,
    Asked,
    BaselinePrior,
    Baselines,
)
from bcma_decide.workshop.patient_model.effect_contrast import EffectContrast
from bcma_decide.workshop.patient_model.odds_ratios import empirical_logit_difference
from bcma_decide.workshop.patient_model.trait_effects import TraitEffects, TraitPrior, fit_trait_effects
from bcma_decide.workshop.patient_model.virtual_cohort import Margin, cohort, correlated_points
from tests.workshop.patient_model.support.levels import fit_baselines

Array = NDArray[np.float64]

ARMS, TRAITS = 44, 6
TRUE_EFFECTS = np.array([-1.0, -0.6, -0.5, 0.4, -0.8, 0.0])
TRUE_LEVEL = 1.2
TRUE_TAU = 0.4
PUBLISHED_SHARE = 1 / 3


PRIOR = TraitPrior(
    groups=((1.0, np.ones(TRAITS, dtype=bool)),),
    shared=np.zeros(TRAITS, dtype=bool),
    class_difference_sd=0.1,
    contrast_sd=0.25,
)
"""As for disease traits under response."""
BASELINE_PRIOR = BaselinePrior(
    intercept_sd=5.0,
    real_world_sd=1.0,
    product_sd_scale=0.5,
    study_sd_scale=0.4,
    same_trial_correlation=0.5,
    region_sd=1.0,
    construct_sd=0.5,
    near_mean=0.3,
    near_mean_sd=0.3,
    near_row_sd=0.3,
)
LEVEL = Asked(np.ones(1), np.ones((1, 1)), np.zeros(1), np.zeros(1), np.zeros(1), np.ones(1))
"""The level of the one product."""


@dataclass(frozen=True)
class World:
    """What was published, and what was estimated from it."""

    contrasts: tuple[EffectContrast, ...]
    effects: TraitEffects
    naive_effects: Array
    baselines: Baselines
    crude_rate: float


def true_correlation() -> Array:
    """Exchangeable latent correlation of 0.35: sick patients tend to be sick in several ways."""
    return np.full((TRAITS, TRAITS), 0.35) + 0.65 * np.eye(TRAITS)


def simulate(seed: int) -> World:
    """One world from its seed: draw, publish, fit."""
    rng = np.random.default_rng(seed)
    correlation = true_correlation()
    root = np.linalg.cholesky(correlation)
    latent = correlated_points(correlation, 1024)
    contrasts, events, totals, cohorts = [], [], [], []
    for arm in range(ARMS):
        prevalence = rng.uniform(0.1, 0.6, TRAITS)
        n = int(rng.integers(30, 250))
        x = (rng.standard_normal((n, TRAITS)) @ root.T > ndtri(1 - prevalence)).astype(float)
        level = TRUE_LEVEL + TRUE_TAU * rng.standard_normal()
        y = rng.random(n) < expit(level + x @ TRUE_EFFECTS)
        events.append(float(y.sum()))
        totals.append(float(n))
        margins = [Margin(True, float(p), 0.0) for p in x.mean(axis=0)]
        virtual = cohort(latent, margins)
        cohorts.append(virtual)
        for trait in range(TRAITS):
            high = x[:, trait] > 0.5
            if rng.random() > PUBLISHED_SHARE or high.sum() < 3 or (~high).sum() < 3:
                continue
            d, v = empirical_logit_difference(
                [float(y[high].sum())], [float(high.sum())], [float(y[~high].sum())], [float((~high).sum())]
            )
            has = virtual[:, trait] > 0.5
            contrasts.append(
                EffectContrast(
                    patients=str(arm),
                    class_index=0,
                    trait_index=trait,
                    thresholds=("orr",),
                    difference=d,
                    covariance=v,
                    high=virtual[has],
                    low=virtual[~has],
                    rate=np.array([(y.sum() + 0.5) / (n + 1)]),
                    kind="split",
                    source="",
                    text="",
                )
            )
    effects = fit_trait_effects(contrasts, TRAITS, 1, correlation, PRIOR)
    arms = Arms(
        events=np.array(events),
        total=np.array(totals),
        share=np.ones(ARMS),
        real_world=np.zeros(ARMS),
        products=np.ones((ARMS, 1)),
        patients=np.array(cohorts)[:, :256],
        extra_variance=np.zeros(ARMS),
        trials=tuple(str(arm) for arm in range(ARMS)),
        floor=np.zeros(ARMS),
        region=np.zeros(ARMS),
        near=np.zeros(ARMS),
        offered=np.ones(1, dtype=bool),
    )
    baselines = fit_baselines(arms, effects.mean[0], BASELINE_PRIOR, LEVEL)
    naive = np.zeros(TRAITS)
    for trait in range(TRAITS):
        rows = [c for c in contrasts if c.trait_index == trait]
        weight = np.array([1 / c.covariance[0, 0] for c in rows])
        naive[trait] = float(weight @ np.array([c.difference[0] for c in rows]) / weight.sum())
    return World(tuple(contrasts), effects, naive, baselines, float(np.sum(events) / np.sum(totals)))
