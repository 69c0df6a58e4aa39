"""Standardised baselines: against brute-force integration, by hand, and in what must always hold."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import binom, halfnorm, norm

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.patient_model.baselines import (
    Arms,
    BaselinePrior,
    fit_baselines,
    study_correlation,
)
from bcma_decide.workshop.patient_model.half_normal import half_normal_nodes
from tests.support.examples import examples

PRIOR = BaselinePrior(
    intercept_sd=5.0, real_world_sd=0.5, product_sd_scale=1e-6, study_sd_scale=1.0, same_trial_correlation=0.5
)


def arms(events, total, *, traits: int = 1, **changes) -> Arms:
    count = len(events)
    fields = {
        "events": np.array(events, dtype=float),
        "total": np.array(total, dtype=float),
        "share": np.ones(count),
        "real_world": np.zeros(count),
        "products": np.ones((count, 1)),
        "patients": np.zeros((count, 4, traits)),
        "extra_variance": np.zeros(count),
        "trials": tuple(str(number) for number in range(count)),
        "class_mix": np.ones(1),
    }
    return Arms(**{**fields, **changes})


def brute_force(events, total, scale: float = 1.0) -> tuple[float, float, float]:
    """Posterior mean and sd of mu and mean of tau by a plain grid over (mu, tau) and quadrature over each study."""
    mu = np.linspace(-11, 11, 881)
    tau = halfnorm.ppf((np.arange(60) + 0.5) / 60, scale=scale)
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    weights = weights / weights.sum()
    log_posterior = norm.logpdf(mu, 0, 5)[:, None] + np.zeros(tau.size)
    for e, n in zip(events, total, strict=True):
        p = expit(mu[:, None, None] + tau[None, :, None] * nodes)
        log_posterior += np.log((binom.pmf(e, n, p) * weights).sum(axis=2) + 1e-300)
    posterior = np.exp(log_posterior - log_posterior.max())
    posterior /= posterior.sum()
    mean = float((posterior.sum(axis=1) * mu).sum())
    sd = float(np.sqrt((posterior.sum(axis=1) * (mu - mean) ** 2).sum()))
    return mean, sd, float((posterior.sum(axis=0) * tau).sum())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("events", "total"),
    [
        ([94, 63, 20, 41, 110, 30], [128, 97, 33, 55, 165, 60]),
        ([5, 2, 7, 1, 11], [97, 33, 128, 65, 225]),
        ([30, 28, 12, 20], [30, 30, 20, 21]),
        ([0, 1, 0, 4, 0], [123, 165, 57, 201, 30]),
    ],
    ids=["moderate", "rare", "near one", "with zeros"],
)
def test_level_and_spread_agree_with_brute_force_integration(events, total):
    """Laplace in the study levels, tau on a grid, against quadrature of the exact model.

    The mode of a skewed posterior lies nearer to zero than its mean; 0.4 standard deviations are allowed.
    """
    mean, sd, tau = brute_force(events, total)
    found = fit_baselines(arms(events, total), np.zeros(1), PRIOR, tau_points=60)
    assert mean == pytest.approx(found.mean[0], abs=0.4 * sd)
    assert sd == pytest.approx(np.sqrt(found.covariance[0, 0]), rel=0.12)
    assert tau == pytest.approx(float(found.node_weight @ found.node_tau), rel=0.15)


def test_one_huge_study_gives_its_own_logit_up_to_the_study_effect():
    found = fit_baselines(arms([7500], [10000]), np.zeros(1), replace(PRIOR, study_sd_scale=1e-3))
    assert logit(0.75) == pytest.approx(found.mean[0], abs=1e-3)
    # exact binomial: sd of the logit is 1 / sqrt(n p (1 - p)) = 1 / sqrt(1875) = 0.02309
    assert pytest.approx(0.02309, rel=0.02) == np.sqrt(found.covariance[0, 0])


def test_the_level_is_that_of_the_reference_profile_not_of_the_arm():
    """All patients have a trait worth -1: an arm rate of logistic(0.5) means 1.5 without the trait."""
    total = 100_000
    events = total * expit(0.5)
    with_trait = arms([round(events)], [total], patients=np.ones((1, 4, 1)))
    found = fit_baselines(with_trait, np.array([-1.0]), replace(PRIOR, study_sd_scale=1e-3))
    assert pytest.approx(1.5, abs=0.01) == found.mean[0]
    assert pytest.approx(-1.0, abs=0.01) == found.slope[0, 0]


def test_mixed_cohorts_are_averaged_as_rates_not_as_logits():
    """Half of the patients at +2 and half at -2 on the logit: the average of rates is 1/2 exactly at level 0."""
    mixed = np.array([[[2.0], [-2.0], [2.0], [-2.0]]])
    found = fit_baselines(
        arms([50_000], [100_000], patients=mixed), np.array([1.0]), replace(PRIOR, study_sd_scale=1e-3)
    )
    assert pytest.approx(0.0, abs=0.01) == found.mean[0]
    # at +1 and 3: rates logistic(3) and logistic(-1): (0.95257 + 0.26894) / 2 = 0.61076
    higher = fit_baselines(
        arms([61_076], [100_000], patients=mixed), np.array([1.0]), replace(PRIOR, study_sd_scale=1e-3)
    )
    assert pytest.approx(1.0, abs=0.01) == higher.mean[0]


def test_response_per_randomised_patient_is_divided_by_the_share_infused():
    """176 of 208 randomised with 80 % infused: 0.8462 / 0.8 is above 1 and impossible; 150 of 208 is 0.9014."""
    found = fit_baselines(
        arms([15_000], [20_800], share=np.array([0.8])), np.zeros(1), replace(PRIOR, study_sd_scale=1e-3)
    )
    assert logit(15_000 / 20_800 / 0.8) == pytest.approx(found.mean[0], abs=0.02)


def test_the_derivative_in_the_trait_effects_is_the_numerical_one():
    rng = np.random.default_rng(3)
    cohort = (rng.random((6, 64, 2)) < 0.4).astype(float)
    several = arms([20, 30, 12, 40, 9, 25], [30, 40, 20, 66, 15, 50], traits=2, patients=cohort)
    effects = np.array([-0.8, 0.5])
    found = fit_baselines(several, effects, PRIOR)
    for trait in (0, 1):
        step = np.eye(2)[trait] * 0.01
        ahead = fit_baselines(several, effects + step, PRIOR).mean
        behind = fit_baselines(several, effects - step, PRIOR).mean
        assert (ahead - behind) / 0.02 == pytest.approx(found.slope[:, trait], abs=0.02)


def test_a_product_with_much_data_keeps_its_own_level_and_one_without_is_uncertain():
    products = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    found = fit_baselines(
        arms([900, 850, 4], [1000, 1000, 8], products=products, class_mix=np.array([0.5, 0.5])),
        np.zeros(1),
        replace(PRIOR, product_sd_scale=1.0),
    )
    sd = np.sqrt(np.diag(found.covariance))
    assert found.mean[1] > found.mean[2]
    assert sd[1] < sd[2]
    assert 0.5 * (found.mean[1] + found.mean[2]) == pytest.approx(found.mean[0], abs=1e-6)


def test_the_real_world_level_differs_by_what_real_world_arms_show():
    found = fit_baselines(
        arms([80, 82, 60, 61], [100, 100, 100, 100], real_world=np.array([0.0, 0.0, 1.0, 1.0])), np.zeros(1), PRIOR
    )
    assert found.mean[0] > found.mean[2]


def test_an_arm_with_unreported_traits_weighs_less():
    found = fit_baselines(arms([50, 50], [100, 100], extra_variance=np.array([0.0, 2.0])), np.zeros(1), PRIOR)
    assert found.weights[0] > 1.5 * found.weights[1]
    assert pytest.approx(1.0) == found.weights.sum()


def test_cohorts_of_one_trial_share_half_of_their_study_effect():
    assert study_correlation(("a", "a", "b"), 0.5) == pytest.approx(
        np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])
    )


def test_half_normal_nodes_split_the_probability_evenly():
    nodes = half_normal_nodes(2.0, 5)
    assert halfnorm.cdf(nodes, scale=2.0) == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9])


@pytest.mark.parametrize(("events", "total"), [([], []), ([5], [4]), ([0], [0])])
def test_impossible_counts_are_refused(events, total):
    with pytest.raises(SynthesisError, match="at least one arm"):
        fit_baselines(arms(events, total), np.zeros(1), PRIOR)


@examples(25)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 60)), min_size=1, max_size=6))
def test_any_counts_give_finite_levels(rows):
    events, total = [min(e, n) for e, n in rows], [n for _, n in rows]
    found = fit_baselines(arms(events, total), np.zeros(1), PRIOR, tau_points=6, product_points=2)
    assert np.isfinite(found.mean).all()
    assert (np.diag(found.covariance) > 0).all()
    assert pytest.approx(1.0) == found.node_weight.sum()


def test_swapping_events_and_non_events_mirrors_the_level():
    first = fit_baselines(arms([12, 30], [20, 66]), np.zeros(1), PRIOR)
    second = fit_baselines(arms([8, 36], [20, 66]), np.zeros(1), PRIOR)
    assert first.mean[0] == pytest.approx(-second.mean[0], abs=1e-6)
    assert first.covariance[0, 0] == pytest.approx(second.covariance[0, 0], rel=1e-6)
