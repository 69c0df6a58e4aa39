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
    Asked,
    BaselinePrior,
    study_correlation,
)
from bcma_decide.workshop.patient_model.half_normal import half_normal_nodes
from tests.support.cases import for_each
from tests.support.examples import examples
from tests.workshop.patient_model.support.levels import fit_baselines

PRIOR = BaselinePrior(
    intercept_sd=5.0,
    real_world_sd=0.5,
    product_sd_scale=1e-6,
    study_sd_scale=1.0,
    same_trial_correlation=0.5,
    region_sd=1.0,
    construct_sd=0.5,
    near_mean=0.3,
    near_mean_sd=0.3,
    near_row_sd=0.3,
)


def arms(events, total, *, traits: int = 1, **changes) -> Arms:
    count = len(events)
    products = changes.get("products", np.ones((count, 1)))
    fields = {
        "events": np.array(events, dtype=float),
        "total": np.array(total, dtype=float),
        "share": np.ones(count),
        "floor": np.zeros(count),
        "real_world": np.zeros(count),
        "products": products,
        "patients": np.zeros((count, 4, traits)),
        "extra_variance": np.zeros(count),
        "trials": tuple(str(number) for number in range(count)),
        "region": np.zeros(count),
        "near": np.zeros(count),
        "offered": np.ones(np.shape(products)[1], dtype=bool),
    }
    return Arms(**{**fields, **changes})


def asked(products: int = 1, **terms) -> Asked:
    """The level of every product in trials, then in practice; or one level with the terms given."""
    if terms:
        fields = {name: np.array([terms.get(name, 0.0)]) for name in ("real_world", "region", "near")}
        level = np.array([terms.get("level", 1.0)])
        mix = terms.get("mix", level * np.eye(products)[0])
        return Asked(level=level, products=np.array([mix]), share=np.ones(1), **fields)
    none = np.zeros(2 * products)
    return Asked(
        level=np.ones(2 * products),
        products=np.vstack([np.eye(products)] * 2),
        real_world=np.repeat([0.0, 1.0], products),
        region=none,
        near=none,
        share=np.ones(2 * products),
    )


def levels(found_arms, effects, prior, question=None, **grid):
    return fit_baselines(found_arms, effects, prior, question or asked(found_arms.products.shape[1]), **grid)


def brute_force(events, total, scale: float = 1.0) -> tuple[float, float, float]:
    """Posterior mean and sd of mu and mean of tau by a plain grid over (mu, tau) and quadrature over each study."""
    mu = np.linspace(-16, 16, 481)
    tau = halfnorm.ppf((np.arange(20) + 0.5) / 20, scale=scale)
    nodes, weights = np.polynomial.hermite_e.hermegauss(31)
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


@pytest.mark.parametrize(
    ("events", "total", "off"),
    [
        ([94, 63, 20, 41, 110, 30], [128, 97, 33, 55, 165, 60], 0.02),
        ([5, 2, 7, 1, 11], [97, 33, 128, 65, 225], 0.02),
        ([30, 28, 12, 20], [30, 30, 20, 21], 0.02),
        ([0, 1, 0, 4, 0], [123, 165, 57, 201, 30], 0.02),
        ([1], [40], 0.05),
        ([0], [30], 0.15),
        ([5], [5], 0.2),
    ],
    ids=["moderate", "rare", "near one", "with zeros", "one study", "no event", "only events"],
)
def test_level_and_spread_agree_with_brute_force_integration(events, total, off):
    """Laplace in the study levels with their skewness, tau on a grid, against quadrature of the exact model.

    Off by so many standard deviations at most; of one study without an event hardly more than a bound is known.
    """
    mean, sd, tau = brute_force(events, total)
    found = levels(arms(events, total), np.zeros(1), PRIOR, tau_points=20, product_points=1)
    assert mean == pytest.approx(found.mean[0], abs=off * sd)
    assert sd == pytest.approx(np.sqrt(found.covariance[0, 0]), rel=0.05 if len(events) > 1 else 0.2)
    assert tau == pytest.approx(float(found.node_weight @ found.node_tau), rel=0.02)


def test_one_huge_study_gives_its_own_logit_up_to_the_study_effect():
    found = levels(arms([7500], [10000]), np.zeros(1), replace(PRIOR, study_sd_scale=1e-3))
    assert logit(0.75) == pytest.approx(found.mean[0], abs=1e-3)
    # exact binomial: sd of the logit is 1 / sqrt(n p (1 - p)) = 1 / sqrt(1875) = 0.02309
    assert pytest.approx(0.02309, rel=0.02) == np.sqrt(found.covariance[0, 0])


def test_the_level_is_that_of_the_reference_profile_not_of_the_arm():
    """All patients have a trait worth -1: an arm rate of logistic(0.5) means 1.5 without the trait."""
    total = 100_000
    events = total * expit(0.5)
    with_trait = arms([round(events)], [total], patients=np.ones((1, 4, 1)))
    found = levels(with_trait, np.array([-1.0]), replace(PRIOR, study_sd_scale=1e-3))
    assert pytest.approx(1.5, abs=0.01) == found.mean[0]
    assert pytest.approx(-1.0, abs=0.01) == found.slope[0, 0]


def test_mixed_cohorts_are_averaged_as_rates_not_as_logits():
    """Half of the patients at +2 and half at -2 on the logit: the average of rates is 1/2 exactly at level 0."""
    mixed = np.array([[[2.0], [-2.0], [2.0], [-2.0]]])
    found = levels(arms([50_000], [100_000], patients=mixed), np.array([1.0]), replace(PRIOR, study_sd_scale=1e-3))
    assert pytest.approx(0.0, abs=0.01) == found.mean[0]
    # at +1 and 3: rates logistic(3) and logistic(-1): (0.95257 + 0.26894) / 2 = 0.61076
    higher = levels(arms([61_076], [100_000], patients=mixed), np.array([1.0]), replace(PRIOR, study_sd_scale=1e-3))
    assert pytest.approx(1.0, abs=0.01) == higher.mean[0]


def test_response_per_randomised_patient_is_divided_by_the_share_infused():
    """176 of 208 randomised with 80 % infused: 0.8462 / 0.8 is above 1 and impossible; 150 of 208 is 0.9014."""
    found = levels(arms([15_000], [20_800], share=np.array([0.8])), np.zeros(1), replace(PRIOR, study_sd_scale=1e-3))
    assert logit(15_000 / 20_800 / 0.8) == pytest.approx(found.mean[0], abs=0.02)


def test_the_derivative_in_the_trait_effects_is_the_numerical_one():
    rng = np.random.default_rng(3)
    cohort = (rng.random((6, 64, 2)) < 0.4).astype(float)
    several = arms([20, 30, 12, 40, 9, 25], [30, 40, 20, 66, 15, 50], traits=2, patients=cohort)
    effects = np.array([-0.8, 0.5])
    found = levels(several, effects, PRIOR)
    for trait in (0, 1):
        step = np.eye(2)[trait] * 0.01
        ahead = levels(several, effects + step, PRIOR).mean
        behind = levels(several, effects - step, PRIOR).mean
        assert (ahead - behind) / 0.02 == pytest.approx(found.slope[:, trait], abs=0.02)


def test_a_product_with_much_data_keeps_its_own_level_and_one_without_is_uncertain():
    """900 of 1000 and 850 of 1000 of one product, 4 of 8 of another, none of a third: a further product."""
    products = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    found = levels(
        arms([900, 850, 4], [1000, 1000, 8], products=products), np.zeros(1), replace(PRIOR, product_sd_scale=1.0)
    )
    sd = np.sqrt(np.diag(found.covariance))[:3]
    assert found.mean[0] > found.mean[2] > found.mean[1]
    assert sd[0] < sd[1] < sd[2]


def exact(arms_, prior, asked_, effects):
    """Mean and variance of one level by brute force: importance weights of draws of every term from its prior."""
    rng = np.random.default_rng(8)
    count, draws = arms_.events.size, 100_000
    tau = np.abs(rng.standard_normal(draws)) * prior.study_sd_scale
    level = {
        "level": rng.normal(0, prior.intercept_sd, draws),
        "real_world": rng.normal(prior.real_world_mean, prior.real_world_sd, draws),
        "region": rng.normal(0, prior.region_sd, draws),
        "near": rng.normal(prior.near_mean, prior.near_mean_sd, draws),
    }
    spread = np.abs(rng.standard_normal(draws)) * prior.product_sd_scale
    own = rng.standard_normal((draws, arms_.products.shape[1])) * spread[:, None]
    own += rng.standard_normal(own.shape) * np.where(arms_.offered, 0.0, prior.construct_sd)
    log_weight = np.zeros(draws)
    for i in range(count):
        alpha = level["level"] + own @ arms_.products[i] + tau * rng.standard_normal(draws)
        alpha += sum(getattr(arms_, name)[i] * level[name] for name in ("real_world", "region", "near"))
        alpha += rng.standard_normal(draws) * np.sqrt(arms_.extra_variance[i] + prior.near_row_sd**2 * arms_.near[i])
        kinds, each = np.unique(arms_.patients[i] @ effects, return_counts=True)
        rate = arms_.floor[i] + arms_.share[i] * (expit(alpha[:, None] + kinds) @ each) / each.sum()
        log_weight += binom.logpmf(arms_.events[i], arms_.total[i], rate)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    wanted = asked_.level[0] * level["level"] + own @ asked_.products[0]
    wanted += sum(getattr(asked_, name)[0] * level[name] for name in ("real_world", "region", "near"))
    wanted += rng.standard_normal(draws) * prior.near_row_sd * asked_.near[0]
    mean = float(weight @ wanted)
    return mean, float(weight @ (wanted - mean) ** 2), 1.0 / float((weight**2).sum())


TERMS = {
    "floor": arms([14, 9, 12], [20, 16, 22], floor=np.array([0.3, 0.0, 0.2]), share=np.array([0.7, 1.0, 0.8])),
    "region": arms([14, 9, 17], [20, 16, 20], region=np.array([0.0, 0.0, 1.0])),
    "near": arms([4, 9, 10], [20, 30, 20], near=np.array([0.0, 0.0, 1.0])),
    "practice": arms([14, 9, 8], [20, 16, 20], real_world=np.array([0.0, 1.0, 1.0])),
    "construct": arms(
        [14, 15, 6],
        [20, 20, 20],
        products=np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
        offered=np.array([True, False]),
    ),
    "mixed cohort": arms([14, 9], [20, 16], patients=np.array([[[0.0], [1.0], [1.0], [2.0]]] * 2)),
    "unreported traits": arms([14, 9], [20, 16], extra_variance=np.array([0.0, 0.8])),
}
QUESTIONS = {
    "region": [{"level": 1.0}, {"level": 0.0, "region": 1.0}],
    "near": [{"level": 1.0}, {"level": 1.0, "near": 1.0}],
    "practice": [{"level": 1.0, "real_world": 1.0}, {"level": 0.0, "real_world": 1.0}],
    "construct": [{"mix": [1.0, 0.0]}, {"mix": [0.0, 1.0]}],
}


@for_each("name", list(TERMS))
def test_every_term_of_the_model_agrees_with_draws_from_its_prior(name):
    """Floors, East Asia, near definitions, practice, constructs, case mix: levels and differences asked for one by one.

    A narrow intercept, so that enough of the 100 000 draws carry weight.
    """
    prior = replace(PRIOR, intercept_sd=1.5, study_sd_scale=0.4, product_sd_scale=0.5, real_world_mean=0.2)
    rows = TERMS[name]
    for terms in QUESTIONS.get(name, [{"level": 1.0}]):
        question = asked(rows.products.shape[1], **terms)
        mean, variance, effective = exact(rows, prior, question, np.full(1, -0.9))
        assert effective > 1000
        found = levels(rows, np.full(1, -0.9), prior, question)
        spread = np.sqrt(variance)
        assert mean == pytest.approx(found.mean[0], abs=0.08 * spread), terms
        assert spread == pytest.approx(np.sqrt(found.covariance[0, 0]), rel=0.08), terms


def test_east_asia_does_not_pull_the_level():
    """Three studies elsewhere at 60 of 100, three in East Asia at 90: the level is that elsewhere."""
    events, total = [60, 60, 60, 90, 90, 90], [100] * 6
    apart = levels(arms(events, total, region=np.repeat([0.0, 1.0], 3)), np.zeros(1), PRIOR).mean[0]
    together = levels(arms(events, total), np.zeros(1), PRIOR).mean[0]
    assert logit(0.6) == pytest.approx(apart, abs=0.15)
    assert together > apart + 0.4


def test_the_real_world_level_differs_by_what_real_world_arms_show():
    found = levels(
        arms([80, 82, 60, 61], [100, 100, 100, 100], real_world=np.array([0.0, 0.0, 1.0, 1.0])), np.zeros(1), PRIOR
    )
    assert found.mean[0] > found.mean[1]


def test_an_arm_with_unreported_traits_weighs_less():
    found = levels(arms([50, 50], [100, 100], extra_variance=np.array([0.0, 2.0])), np.zeros(1), PRIOR)
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
        levels(arms(events, total), np.zeros(1), PRIOR)


@examples(25)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 60)), min_size=1, max_size=6))
def test_any_counts_give_finite_levels(rows):
    events, total = [min(e, n) for e, n in rows], [n for _, n in rows]
    found = levels(arms(events, total), np.zeros(1), PRIOR, tau_points=6, product_points=2)
    assert np.isfinite(found.mean).all()
    assert (np.diag(found.covariance) > 0).all()
    assert pytest.approx(1.0) == found.node_weight.sum()


def test_swapping_events_and_non_events_mirrors_the_level():
    first = levels(arms([12, 30], [20, 66]), np.zeros(1), PRIOR)
    second = levels(arms([8, 36], [20, 66]), np.zeros(1), PRIOR)
    assert first.mean[0] == pytest.approx(-second.mean[0], abs=1e-6)
    assert first.covariance[0, 0] == pytest.approx(second.covariance[0, 0], rel=1e-6)
