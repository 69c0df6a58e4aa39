"""Trait effects: contrasts, their covariance, conversion of published ratios, shrinkage and borrowing."""

from math import exp, log, sqrt

import numpy as np
import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.patient_model.effect_contrast import (
    EffectContrast,
    contrast_covariance,
    linearised,
    proportional_odds_test,
)
from bcma_decide.workshop.patient_model.odds_ratios import (
    empirical_logit_difference,
    log_odds_ratio_from_risk_ratio,
    log_odds_ratio_group_versus_all,
)
from bcma_decide.workshop.patient_model.trait_effects import TraitPrior, fit_trait_effects


def prior(scale=1.0, traits=3, *, shared=(), difference=0.1, contrast_sd=0.5, fixed=False) -> TraitPrior:
    return TraitPrior(
        groups=((scale, np.ones(traits, dtype=bool)),),
        shared=np.isin(np.arange(traits), shared),
        class_difference_sd=difference,
        contrast_sd=contrast_sd,
        contrast_sd_fixed=fixed,
    )


PRIOR = prior()
SHARED = prior(shared=(0,))


def unit(trait: int, traits: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Two virtual patients who differ in one trait only."""
    high = np.zeros((1, traits))
    high[0, trait] = 1.0
    return high, np.zeros((1, traits))


def contrast(
    value: float, se: float, *, trait: int = 0, klass: int = 0, patients: str = "a", **changes
) -> EffectContrast:
    high, low = unit(trait)
    fields = {
        "patients": patients,
        "class_index": klass,
        "trait_index": trait,
        "thresholds": ("orr",),
        "difference": np.array([value]),
        "covariance": np.array([[se**2]]),
        "high": high,
        "low": low,
        "rate": None,
        "kind": "adjusted effect",
        "source": "",
        "text": "",
    }
    return EffectContrast(**{**fields, **changes})


def test_empirical_logits_by_hand():
    # 10/28 against 94/137 with half an event added: log(10.5/18.5) - log(94.5/43.5) = -0.56639 - 0.77582
    difference, covariance = empirical_logit_difference([10], [28], [94], [137])
    assert pytest.approx(-1.34221, abs=1e-4) == difference[0]
    # 1/10.5 + 1/18.5 + 1/94.5 + 1/43.5 = 0.095238 + 0.054054 + 0.010582 + 0.022989
    assert pytest.approx(0.182863, abs=1e-5) == covariance[0, 0]


def test_nested_thresholds_are_positively_dependent_as_the_multinomial_says():
    # one group of 100 (and a huge one that adds nothing): p1 = 0.6, p2 = 0.3; cov = 1 / (n p1 (1 - p2))
    _, covariance = empirical_logit_difference([60, 30], [100, 100], [6e8, 3e8], [1e9, 1e9])
    n, loose, strict = 101.0, 60.5 / 101, 30.5 / 101
    assert pytest.approx(1 / (n * loose * (1 - strict)), rel=1e-6) == covariance[0, 1]
    simulated = np.random.default_rng(1).multinomial(100, [0.4, 0.3, 0.3], 200_000)
    first = np.log((simulated[:, 1] + simulated[:, 2] + 0.5) / (simulated[:, 0] + 0.5))
    second = np.log((simulated[:, 2] + 0.5) / (100 - simulated[:, 2] + 0.5))
    assert np.cov(first, second)[0, 1] == pytest.approx(covariance[0, 1], rel=0.05)


def test_no_events_or_only_events_still_give_a_finite_contrast():
    difference, covariance = empirical_logit_difference([0], [20], [15], [15])
    assert np.isfinite(difference).all()
    assert np.isfinite(covariance).all()


@pytest.mark.parametrize(("events", "total"), [([5], [4]), ([-1], [4]), ([0], [0])])
def test_an_impossible_count_is_refused(events, total):
    with pytest.raises(SynthesisError, match="events"):
        empirical_logit_difference(events, total, [1], [2])


def test_risk_ratio_becomes_an_odds_ratio_at_its_rate():
    # RR 0.5, half have the trait, overall 0.6: p0 = 0.6 / 0.75 = 0.8, p1 = 0.4; OR = (0.4/0.6)/(0.8/0.2) = 1/6
    value, se = log_odds_ratio_from_risk_ratio(0.5, (0.4, 0.625), 0.6, 0.5)
    assert pytest.approx(log(1 / 6), abs=1e-12) == value
    # interval of log RR: (log 0.625 - log 0.4) / 3.92 = 0.113849; times 1 / (1 - 0.4)
    assert pytest.approx((log(0.625) - log(0.4)) / 3.919928 / 0.6, rel=1e-6) == se


def test_group_against_all_gives_the_odds_ratio_against_the_others():
    # 0.6 of those with the trait, 0.65 of all, 30 % have it: others (0.65 - 0.18) / 0.7 = 0.671429
    value, se = log_odds_ratio_group_versus_all(0.6, (0.5, 0.7), 0.65, (0.57, 0.74), 0.3)
    assert pytest.approx(log(0.6 / 0.4) - log(0.671429 / 0.328571), abs=1e-5) == value
    assert se > (log(0.7 / 0.3) - log(0.5 / 0.5)) / 3.92


def test_impossible_published_ratios_are_refused():
    with pytest.raises(SynthesisError, match="outside"):
        log_odds_ratio_from_risk_ratio(3.0, (2.0, 4.0), 0.9, 0.1)
    with pytest.raises(SynthesisError, match="others"):
        log_odds_ratio_group_versus_all(0.1, (0.05, 0.2), 0.9, (0.8, 0.95), 0.5)


def test_one_precise_contrast_is_taken_almost_as_it_is():
    found = fit_trait_effects([contrast(-1.0, 0.02)] * 3, 3, 2, np.eye(3), PRIOR)
    assert pytest.approx(-1.0, abs=0.1) == found.mean[0, 0]
    assert found.seen[0, 0]
    assert not found.seen[1].any()


def test_a_vague_contrast_is_shrunk_towards_zero_but_keeps_its_sign():
    found = fit_trait_effects([contrast(-1.0, 1.5)], 3, 2, np.eye(3), PRIOR)
    assert -0.7 < found.mean[0, 0] < -0.02


def test_a_shared_effect_seen_in_one_class_is_carried_to_the_other_with_more_uncertainty():
    found = fit_trait_effects([contrast(-1.0, 0.1)] * 4, 3, 2, np.eye(3), SHARED)
    assert found.mean[0, 0] < found.mean[1, 0] < -0.6
    assert found.covariance[3, 3] > found.covariance[0, 0]
    assert found.covariance[0, 3] > 0
    assert not found.seen[1].any()


def test_what_is_borrowed_is_never_larger_than_its_source():
    for value in (-2.0, -0.5, 0.3, 1.5):
        found = fit_trait_effects([contrast(value, 0.2)] * 3, 3, 2, np.eye(3), SHARED)
        assert 0 < found.mean[1, 0] / found.mean[0, 0] < 1


def test_an_effect_that_is_not_shared_stays_in_its_class():
    found = fit_trait_effects([contrast(-1.0, 0.1)] * 4, 3, 2, np.eye(3), PRIOR)
    assert found.mean[1] == pytest.approx(np.zeros(3), abs=1e-12)
    assert found.covariance[:3, 3:] == pytest.approx(np.zeros((3, 3)), abs=1e-12)


def test_a_trait_that_does_not_act_is_out_of_the_equations():
    """The contrast of trait 1 says -2; where only trait 0 acts it moves nothing."""
    rows = [contrast(-1.0, 0.2), contrast(-2.0, 0.2, trait=1, patients="b")]
    acting = np.array([[True, False, False], [False, False, False]])
    alone = fit_trait_effects(rows[:1], 3, 2, np.eye(3), prior(fixed=True), acting=acting)
    both = fit_trait_effects(rows, 3, 2, np.eye(3), prior(fixed=True), acting=acting)
    assert both.mean[0, 0] == pytest.approx(alone.mean[0, 0], abs=0.02)
    assert both.mean[0, 1] == pytest.approx(0.0, abs=1e-12)


def test_the_prior_mean_is_where_an_effect_stays_without_data_and_what_it_shrinks_to():
    centre = np.array([[-0.8, 0.0, 0.0], [0.3, 0.0, 0.0]])
    empty = fit_trait_effects([], 3, 2, np.eye(3), PRIOR, prior_mean=centre)
    assert empty.mean == pytest.approx(centre)
    vague = fit_trait_effects([contrast(0.5, 1.0)], 3, 2, np.eye(3), prior(0.25), prior_mean=centre)
    assert -0.8 < vague.mean[0, 0] < -0.6
    assert vague.mean[1] == pytest.approx(centre[1])


def test_information_counts_the_best_threshold_of_a_contrast_once():
    """Variances 0.09 and 0.04 of the same patients, and 0.25 of others; tau_b fixed at 0.5 (0.25).

    1 / (0.04 + 0.25) + 1 / (0.25 + 0.25) = 3.4483 + 2.
    """
    two = {"thresholds": ("orr", "cr_or_better"), "difference": np.array([-1.0, -0.4])}
    rows = [
        contrast(0, 1, covariance=np.diag([0.09, 0.04]), **two),
        contrast(-1.0, 0.5, patients="b"),
    ]
    found = fit_trait_effects(rows, 3, 2, np.eye(3), prior(fixed=True))
    assert found.information[0, 0] == pytest.approx(5.4483, abs=1e-4)
    assert found.information[1].tolist() == [0.0, 0.0, 0.0]


def test_groups_of_traits_have_scales_of_their_own():
    """The same contrast counts for more where effects are expected to be large."""
    groups = ((1.0, np.array([True, False, False])), (0.1, np.array([False, True, True])))
    apart = TraitPrior(groups, np.zeros(3, dtype=bool), 0.1, 0.25)
    found = fit_trait_effects([contrast(-1.0, 0.5), contrast(-1.0, 0.5, trait=1, patients="b")], 3, 1, np.eye(3), apart)
    assert found.mean[0, 0] < 3 * found.mean[0, 1] < 0
    assert found.trait_sd[0] > found.trait_sd[1]


def test_a_trait_without_contrasts_keeps_mean_zero():
    found = fit_trait_effects([contrast(-1.0, 0.2)], 3, 2, np.eye(3), PRIOR)
    assert found.mean[:, 1:] == pytest.approx(np.zeros((2, 2)))


def test_no_contrast_at_all_gives_the_prior():
    found = fit_trait_effects([], 3, 2, np.eye(3), PRIOR)
    assert not found.seen.any()
    assert found.mean == pytest.approx(np.zeros((2, 3)))


def test_correlated_traits_are_not_counted_twice():
    """Two traits that always go together, each seen marginally with -1: together they are worth about -1, not -2."""
    rng = np.random.default_rng(5)
    latent = rng.standard_normal(4000)
    both = np.column_stack([latent > 0, latent + 0.3 * rng.standard_normal(4000) > 0, np.zeros(4000)]).astype(float)
    rows = []
    for trait in (0, 1):
        has = both[:, trait] > 0.5
        groups = {"high": both[has], "low": both[~has], "rate": np.array([0.6])}
        rows += [contrast(-1.0, 0.1, trait=trait, patients=str(study), **groups) for study in range(6)]
    found = fit_trait_effects(rows, 3, 1, np.eye(3), PRIOR)
    assert pytest.approx(-1.1, abs=0.25) == found.mean[0, :2].sum()


def test_the_marginal_contrast_is_smaller_than_the_conditional_effect():
    """Odds ratios are not collapsible: averaged over another strong trait, a log odds ratio of 1 shows as less."""
    other = np.tile([0.0, 1.0], 500)
    high = np.column_stack([np.ones(1000), other, np.zeros(1000)])
    low = np.column_stack([np.zeros(1000), other, np.zeros(1000)])
    row = contrast(0.0, 0.1, high=high, low=low, rate=np.array([0.5]))
    expected, gradient = linearised(row, np.array([1.0, 3.0, 0.0]))
    # by hand: P = (logistic(a + x) + logistic(a + x + 3)) / 2 in both groups, a set so that the overall rate is 1/2
    grid = np.linspace(-4, 4, 80001)
    rate = lambda shift: 0.5 / (1 + np.exp(-grid - shift)) + 0.5 / (1 + np.exp(-grid - shift - 3))  # noqa: E731
    at = np.argmin(np.abs(0.5 * rate(1.0) + 0.5 * rate(0.0) - 0.5))
    by_hand = log(rate(1.0)[at] / (1 - rate(1.0)[at])) - log(rate(0.0)[at] / (1 - rate(0.0)[at]))
    assert by_hand == pytest.approx(expected[0], abs=1e-3)
    assert 0.5 < expected[0] < 0.9
    step = 1e-5
    ahead, _ = linearised(row, np.array([1.0 + step, 3.0, 0.0]))
    assert (ahead[0] - expected[0]) / step == pytest.approx(gradient[0, 0], rel=0.25)


def test_contrasts_of_other_traits_in_the_same_patients_are_correlated_like_the_traits():
    correlation = np.array([[1.0, 0.4, 0.0], [0.4, 1.0, 0.0], [0.0, 0.0, 1.0]])
    same = contrast_covariance([contrast(0, 0.5), contrast(0, 0.2, trait=1)], correlation)
    assert pytest.approx(0.4 * 0.5 * 0.2) == same[0, 1]
    apart = contrast_covariance([contrast(0, 0.5), contrast(0, 0.2, trait=1, patients="b")], correlation)
    assert apart[0, 1] == 0.0


def test_contrasts_that_no_covariance_could_have_are_given_the_nearest():
    """Two traits with correlation 0.9, each on two thresholds that correlate by 0.2 only.

    Pair by pair all four would have cross correlation 0.9; the vector (1, -1) of one trait against the other then has
    a variance below zero: smallest eigenvalue 1 + 0.2 - 2 * 0.9 = -0.6 in the direction (1, 1, -1, -1).
    """
    traits = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
    two = {
        "thresholds": ("orr", "cr_or_better"),
        "difference": np.array([-1.0, -0.8]),
        "covariance": 0.04 * np.array([[1.0, 0.2], [0.2, 1.0]]),
    }
    rows = [contrast(0, 1, trait=trait, **two) for trait in (0, 1)]
    plain = np.block([[np.array([[1.0, 0.2], [0.2, 1.0]]), np.full((2, 2), 0.9)], [np.full((2, 2), 0.9), np.eye(2)]])
    plain[2:, 2:] = [[1.0, 0.2], [0.2, 1.0]]
    assert np.linalg.eigvalsh(plain)[0] == pytest.approx(-0.6)
    found = contrast_covariance(rows, traits)
    assert np.linalg.eigvalsh(found)[0] > 0
    assert np.diag(found) == pytest.approx(np.full(4, 0.04))
    effects = fit_trait_effects(rows, 3, 1, traits, prior(contrast_sd=1e-6, fixed=True))
    assert np.isfinite(effects.mean).all()
    assert np.linalg.eigvalsh(effects.covariance)[0] > -1e-9


def test_contrasts_that_can_be_together_are_left_as_they_are():
    traits = np.array([[1.0, 0.4, 0.0], [0.4, 1.0, 0.0], [0.0, 0.0, 1.0]])
    found = contrast_covariance([contrast(0, 0.5), contrast(0, 0.2, trait=1)], traits)
    assert found.tolist() == [[0.25, 0.4 * 0.5 * 0.2], [0.4 * 0.5 * 0.2, 0.2**2]]


def test_proportional_odds_by_hand():
    # -1.0 and -0.4, variances 0.04 and 0.04, covariance 0.01: 0.6^2 / 0.06 = 6 on 1 df, p = 0.01431
    row = contrast(
        0,
        1,
        thresholds=("orr", "cr_or_better"),
        difference=np.array([-1.0, -0.4]),
        covariance=np.array([[0.04, 0.01], [0.01, 0.04]]),
    )
    found = proportional_odds_test([row, contrast(-1, 0.1)])
    assert found is not None
    assert (pytest.approx(6.0), 1) == (found.q, found.df)
    assert pytest.approx(0.014306, abs=1e-6) == found.p
    assert proportional_odds_test([contrast(-1, 0.1)]) is None


def test_the_result_does_not_depend_on_the_order_of_the_contrasts():
    rows = [contrast(-1.0, 0.3), contrast(0.5, 0.4, trait=1, patients="b"), contrast(-0.6, 0.2, klass=1, patients="c")]
    first, second = (fit_trait_effects(r, 3, 2, np.eye(3), PRIOR) for r in (rows, rows[::-1]))
    assert first.mean == pytest.approx(second.mean, abs=1e-9)
    assert first.covariance == pytest.approx(second.covariance, abs=1e-9)


def test_posterior_with_fixed_spreads_is_the_textbook_one():
    """Nearly no grid (tiny scales for s_d and tau_b): precision-weighted mean of prior and data, averaged over s_b."""
    alone = prior(difference=1e-6, contrast_sd=1e-6)
    found = fit_trait_effects([contrast(-1.0, 0.5)], 1 + 2, 1, np.eye(3), alone, grid_points=24)
    from scipy.stats import norm

    grid = norm.ppf(0.5 + 0.5 * (np.arange(24) + 0.5) / 24)
    weight = norm.pdf(-1.0, 0, np.sqrt(grid**2 + 0.25))
    shrunk = grid**2 / (grid**2 + 0.25)
    assert float((weight * shrunk).sum() / weight.sum()) * -1.0 == pytest.approx(found.mean[0, 0], abs=1e-4)
    assert sqrt(found.covariance[0, 0]) < 0.5
    assert exp(found.mean[0, 0]) < 1
