"""The difference of two options: by hand, against drawn parameters, mirrored, and what the bias term does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtr
from scipy.stats import norm

from bcma_decide import compare, load_model
from bcma_decide.comparing.order_history import after
from bcma_decide.facts.traits import derive
from bcma_decide.model.contrast import Joint, Side, differences, joint_differences
from bcma_decide.model.numbers import patient_numbers
from bcma_decide.patient.files import load_example
from bcma_decide.pooled.seal import SETTINGS
from bcma_decide.vocabulary import CLASSES, CR_GIVEN_RESPONSE, KIND_OF_CLASS, OUTCOMES, VGPR_WITHOUT_CR
from tests.model.support.factory import Effect, Level, all_known, ask, document, model, shipped_document, traits
from tests.model.support.people import people_like
from tests.model.support.sampled import Parameters
from tests.support.cases import for_each

EMD, AGE = "extramedullary_disease", "age"
Z = 1.959963984540054
ALIKE = 1e-5

V = np.array([[0.10, 0.06, 0.0], [0.06, 0.12, 0.0], [0.0, 0.0, 0.02]])
PARTS = {
    "effects": {"response": [Effect("car_t", EMD, -1.0), Effect("bite", EMD, -0.4), Effect("bite", AGE, 0.3)]},
    "covariance": {"response": V},
    "prevalence": {EMD: 0.35},
    "correlation": {(AGE, EMD): -0.3},
}
HAND = model(
    {
        ("orr", "car_t"): Level(1.3, 0.05, {EMD: -0.3}, tau=ALIKE),
        ("orr", "bite"): Level(0.6, 0.08, {EMD: -0.2, AGE: 0.1}, tau=ALIKE),
    },
    **PARTS,
)
LEVELS = {
    ("orr", "alpha-cel"): Level(1.3, 0.05, {EMD: -0.3}, tau=0.5),
    ("orr", "beta-cel"): Level(0.9, 0.15, {EMD: -0.3}, tau=0.5),
    ("orr", "bite"): Level(0.6, 0.08, {EMD: -0.2, AGE: 0.1}, tau=0.3),
    (CR_GIVEN_RESPONSE, "alpha-cel"): Level(0.2, 0.1, tau=0.3),
    (CR_GIVEN_RESPONSE, "beta-cel"): Level(-0.1, 0.2, tau=0.3),
    (CR_GIVEN_RESPONSE, "bite"): Level(-0.2, 0.15, tau=0.4),
    (VGPR_WITHOUT_CR, "alpha-cel"): Level(0.2, 0.2, tau=0.3),
    (VGPR_WITHOUT_CR, "beta-cel"): Level(0.4, 0.2, tau=0.3),
    (VGPR_WITHOUT_CR, "bite"): Level(0.5, 0.2, tau=0.3),
}
FOUND = model(LEVELS, **PARTS)
PAIRS = [("car_t", "bite"), ("alpha-cel", "beta-cel"), ("alpha-cel", "car_t"), ("beta-cel", "gamma-mab")]


def test_everything_known_by_hand():
    """No disease, 65 years: log odds 1.3 and 0.6, gap 0.7.

    What the slopes leave of the effects: first -0.3 * b1, second -0.2 * b2 + 0.1 * b3. Variances 0.09 * 0.10 = 0.009
    and 0.04 * 0.12 + 0.01 * 0.02 = 0.005, covariance 0.06 * 0.06 = 0.0036. Variance of the gap
    0.05 + 0.08 + 0.009 + 0.005 - 2 * 0.0036 = 0.1368; with bias of SD 0.5, 0.3868.
    """
    found = ask(HAND, all_known())
    for bias_sd, variance in ((0.0, 0.1368), (0.5, 0.3868)):
        one = found.difference("orr", CLASSES, bias_sd)
        half = Z * np.sqrt(variance)
        assert (0.7, 0.7 - half, 0.7 + half) == pytest.approx(one.log_odds_ratio, abs=1e-4)
        assert norm.cdf(0.7 / np.sqrt(variance)) == pytest.approx(one.probability_first_higher, abs=1e-4)


def test_the_interval_of_the_risk_difference_against_drawn_log_odds():
    """400 000 draws of two independent normals, with a fixed seed; half of the bias on each side."""
    rng = np.random.default_rng(3)
    levels = {("orr", "car_t"): Level(1.3, 0.1, tau=ALIKE), ("orr", "bite"): Level(0.2, 0.2, tau=ALIKE)}
    found = ask(model(levels), all_known())
    bias = rng.standard_normal(400_000)
    for sd in (0.0, 0.6):
        gap = expit(rng.normal(1.3, np.sqrt(0.1), 400_000) + sd * bias / 2)
        gap -= expit(rng.normal(0.2, np.sqrt(0.2), 400_000) - sd * bias / 2)
        one = found.difference("orr", CLASSES, sd)
        assert np.quantile(gap, [0.025, 0.975]) == pytest.approx(one.risk_difference[1:], abs=0.003)


@for_each("outcome", ["orr", "vgpr_or_better", "cr_or_better"])
@for_each("known", [{}, {"age": 80, EMD: True}])
def test_differences_agree_with_drawn_parameters(outcome, known):
    """Of two classes, two products of one class and two of different ones; 512 draws leave about a point."""
    plain = document(LEVELS, **PARTS)
    found = ask(FOUND, traits(**known))
    parameters = Parameters(plain, 512)
    people = people_like(found, "response")
    drawn = {}
    for class_id in CLASSES:
        drawn |= parameters.rates(outcome, class_id, people.values, people.weight)
    for first, second in PAIRS:
        gap = drawn[first] - drawn[second]
        one = found.difference(outcome, (first, second), 0.0)
        assert gap.mean() == pytest.approx(one.risk_difference[0], abs=0.02), (first, second)
        assert np.quantile(gap, [0.025, 0.975]) == pytest.approx(one.risk_difference[1:], abs=0.035), (first, second)
        assert (gap > 0).mean() == pytest.approx(one.probability_first_higher, abs=0.04), (first, second)
        odds = logit(drawn[first]) - logit(drawn[second])
        assert odds.mean() == pytest.approx(one.log_odds_ratio[0], abs=0.05), (first, second)


@for_each("outcome", ["orr", "vgpr_or_better", "cr_or_better"])
@for_each("pair", PAIRS)
def test_the_mean_is_the_difference_of_the_headlines_and_swapping_mirrors(outcome, pair):
    for known in ({}, {"age": 45, EMD: True}):
        found = ask(FOUND, traits(**known))
        for bias_sd in (0.0, 0.25, 1.0):
            mirrored(found, outcome, pair, bias_sd)


def mirrored(found, outcome, pair, bias_sd):
    forth, back = found.difference(outcome, pair, bias_sd), found.difference(outcome, pair[::-1], bias_sd)
    first, second = (found.rates[found.place[outcome, option]].mean for option in pair)
    assert first - second == forth.risk_difference[0]
    assert forth.risk_difference[1] <= forth.risk_difference[0] <= forth.risk_difference[2]
    low, high = forth.risk_difference[1:]
    assert (forth.risk_difference[0], -high, -low) == pytest.approx(
        (-back.risk_difference[0], *back.risk_difference[1:]), abs=1e-9
    )
    assert 1 - forth.probability_first_higher == pytest.approx(back.probability_first_higher, abs=1e-9)
    mean, low, high = forth.log_odds_ratio
    assert (-mean, -high, -low) == pytest.approx(back.log_odds_ratio, abs=1e-9)


def test_the_same_question_has_the_same_answer_to_the_last_digit():
    one, two = (ask(FOUND, traits(age=60)).difference("orr", CLASSES, 0.25) for _ in range(2))
    assert one == two


@for_each("known", [{}, {"age": 60, EMD: True}])
def test_the_bias_term_widens_and_moves_the_probability_towards_one_half_and_leaves_the_mean(known):
    found = ask(FOUND, traits(**known))
    ladder = [found.difference("orr", CLASSES, sd) for sd in (0.0, 0.25, 0.6, 1.2)]
    assert len({d.risk_difference[0] for d in ladder}) == 1
    assert len({d.log_odds_ratio[0] for d in ladder}) == 1
    widths = [d.risk_difference[2] - d.risk_difference[1] for d in ladder]
    assert sorted(set(widths)) == widths
    distances = [abs(d.probability_first_higher - 0.5) for d in ladder]
    assert sorted(distances, reverse=True) == distances


def test_two_options_with_the_same_evidence_do_not_differ():
    same = {
        "effects": {"response": [Effect("car_t", EMD, -0.8), Effect("bite", EMD, -0.8)]},
        "covariance": {"response": [[0.1, 0.05], [0.05, 0.1]]},
    }
    level = Level(0.9, 0.07, {EMD: -0.2})
    found = ask(model({("orr", "car_t"): level, ("orr", "bite"): level}, **same), traits())
    one = found.difference("orr", CLASSES, 0.25)
    assert one.risk_difference[0] == pytest.approx(0.0, abs=1e-12)
    assert one.log_odds_ratio[0] == pytest.approx(0.0, abs=1e-12)
    assert one.probability_first_higher == pytest.approx(0.5, abs=1e-9)
    assert -one.risk_difference[1] == pytest.approx(one.risk_difference[2], abs=1e-9)


def test_an_option_against_itself_differs_by_nothing():
    found = ask(FOUND, traits())
    one = found.difference("orr", ("alpha-cel", "alpha-cel"), 0.0)
    assert one.risk_difference == pytest.approx((0.0, 0.0, 0.0), abs=1e-4)
    assert one.probability_first_higher == pytest.approx(0.5)


def test_uncertainty_that_both_sides_share_cancels():
    """An effect of SD 2 that is the same in both classes: each rate is all over the place, the log odds ratio is not.

    Gap 1.3 - 0.6 = 0.7 with variance 0.05 + 0.08 = 0.13 however unsure the common effect.
    """
    levels = {("orr", "car_t"): Level(1.3, 0.05, tau=ALIKE), ("orr", "bite"): Level(0.6, 0.08, tau=ALIKE)}
    for variance in (0.0001, 4.0):
        parts = {
            "effects": {"response": [Effect("car_t", EMD, -1.0), Effect("bite", EMD, -1.0)]},
            "covariance": {"response": np.full((2, 2), variance)},
        }
        found = ask(model(levels, **parts), all_known(extramedullary_disease=True))
        one = found.difference("orr", CLASSES, 0.0)
        assert one.log_odds_ratio[0] == pytest.approx(0.7, abs=1e-4)
        assert pytest.approx(one.log_odds_ratio[2] - 0.7, abs=1e-3) == Z * np.sqrt(0.13)
        if variance > 1:
            assert all(rates.credible[1] - rates.credible[0] > 0.85 for rates in found.rates)


def test_effects_seen_apart_do_not_cancel():
    """The same two effects, independent: variance 0.13 + 2 * 0.5."""
    parts = {
        "effects": {"response": [Effect("car_t", EMD, -1.0), Effect("bite", EMD, -1.0)]},
        "covariance": {"response": np.diag([0.5, 0.5])},
    }
    levels = {("orr", "car_t"): Level(1.3, 0.05, tau=ALIKE), ("orr", "bite"): Level(0.6, 0.08, tau=ALIKE)}
    one = ask(model(levels, **parts), all_known(extramedullary_disease=True)).difference("orr", CLASSES, 0.0)
    assert pytest.approx(one.log_odds_ratio[2] - 0.7, abs=1e-3) == Z * np.sqrt(1.13)


def test_levels_that_two_products_share_cancel_between_them():
    """Variance 0.2 each, 0.15 of it common: the log odds ratio has 2 * (0.2 - 0.15) = 0.1."""
    levels = {("orr", option): Level(0.0, 0.2, tau=ALIKE) for option in ("alpha-cel", "beta-cel")}
    one = ask(model(levels, common=0.15), all_known()).difference("orr", ("alpha-cel", "beta-cel"), 0.0)
    assert pytest.approx(one.log_odds_ratio[2], abs=1e-4) == Z * np.sqrt(0.1)


def test_lying_outside_the_evidence_of_a_trait_that_acts_adds_its_variance():
    """Age acts; 95 years lies beyond both classes' studies: 0.5^2 on each side, at 88 on one, at 84 on none."""
    parts = {"effects": {"response": [Effect("car_t", AGE, 0.0), Effect("bite", AGE, 0.0)]}}
    levels = {("orr", "car_t"): Level(1.3, 0.05, tau=ALIKE), ("orr", "bite"): Level(0.6, 0.08, tau=ALIKE)}
    bare = model(levels, **parts)
    for age, variance in ((84, 0.13), (88, 0.38), (95, 0.63)):
        one = ask(bare, all_known(age=age)).difference("orr", CLASSES, 0.0)
        assert pytest.approx(one.log_odds_ratio[2] - 0.7, abs=1e-3) == Z * np.sqrt(variance)


def test_the_class_index_says_whose_effects_a_side_has():
    """Two sides made by hand from one table: the covariance between them is that of the classes named."""
    found = ask(HAND, all_known(extramedullary_disease=True))
    sides = []
    for class_index, class_id in enumerate(CLASSES):
        sides.append(Side(found.averages[found.place["orr", class_id]], 0.5, class_index))
    covariance = HAND.outcome_covariance["orr"]
    joint = differences(*sides, covariance, (0.0,))[0]
    apart = covariance.copy()
    apart[0, :, 1, :] = apart[1, :, 0, :] = 0.0
    wider = differences(*sides, apart, (0.0,))[0]
    assert wider.log_odds_ratio[2] > joint.log_odds_ratio[2]


def test_shipped_differences_exist_where_both_classes_have_a_number_and_make_sense():
    found = ask(load_model(), traits(age=70))
    both = [o for o in OUTCOMES if all((o, c) in found.place for c in CLASSES)]
    assert both == list(found.class_differences[True]) == list(found.class_differences[False])
    for outcome in both:
        biased, plain = (found.class_differences[with_bias][outcome] for with_bias in (True, False))
        mean, low, high = biased.risk_difference
        assert -1 < low <= plain.risk_difference[1] <= mean <= plain.risk_difference[2] <= high < 1
        assert 0 < biased.probability_first_higher < 1
        assert (biased.log_odds_ratio[0] > 0) == (biased.probability_first_higher > 0.5) or abs(mean) < 0.05, outcome


def test_shipped_differences_against_drawn_parameters():
    """Response and complete response of the two classes for one patient: within 3 points."""
    found = ask(load_model(), traits(age=71, extramedullary_disease=True))
    parameters = Parameters(shipped_document(), 256)
    people = people_like(found, "response")
    for outcome in ("orr", "cr_or_better"):
        car_t, bite = (parameters.rates(outcome, c, people.values, people.weight)[c] for c in CLASSES)
        mean, low, high = found.difference(outcome, CLASSES, 0.0).risk_difference
        assert (car_t - bite).mean() == pytest.approx(mean, abs=0.02)
        assert np.quantile(car_t - bite, [0.025, 0.975]) == pytest.approx((low, high), abs=0.03)


@pytest.mark.parametrize(
    ("means", "variances", "between"),
    [
        ((2.2, 0.8), (0.5, 0.05), 0.0),
        ((2.2, 0.8), (0.05, 0.5), 0.1),
        ((2.5, -1.0), (0.2, 0.3), 0.1),
        ((3.5, -3.0), (1.2, 1.0), 0.2),
        ((3.5, -3.0), (2.0, 1.5), 1.6),
        ((0, 0), (1, 1), 0.9),
        ((0.2, 0.9), (0.41, 0.36), 0.361),
        ((1.5, 0.5), (2.0, 2.0), 1.96),
        ((-6.0, -5.0), (0.5, 0.2), 0.1),
        ((6.0, 5.0), (0.3, 1.0), 0.4),
        ((1.0, 0.7), (1e-8, 2e-8), 1e-9),
        ((1.0, 1.0), (0.5, 0.5), 0.5),
    ],
)
def test_the_interval_holds_however_unlike_the_two_sides_are(means, variances, between):
    """One surer than the other, correlated or not: the share of both log odds between the ends, by fine quadrature."""
    one = single(means, variances, between)
    for bias in (0.0, 0.25):
        low, high, *_ = joint_differences(one, one, np.array([bias**2]))[0, 0].tolist()
        own = np.array(variances) + bias**2 / 4
        across = between - bias**2 / 4
        z = np.linspace(-8, 8, 8001)
        second = means[1] + np.sqrt(own[1]) * z
        centre = means[0] + across / own[1] * (second - means[1])
        spread = np.sqrt(max(own[0] - across**2 / own[1], 1e-14))

        def below(end, second=second, centre=centre, spread=spread, z=z):
            p = np.clip(end + expit(second), 1e-12, 1 - 1e-12)
            return np.trapezoid(ndtr((np.log(p / (1 - p)) - centre) / spread) * norm.pdf(z), z)

        for end, share in ((low, 0.025), (high, 0.975)):
            exact = brentq(lambda t, share=share, below=below: below(t) - share, -0.999, 0.999)
            assert exact == pytest.approx(end, abs=2e-4)


def single(means, variances, between):
    return Joint(
        np.ones((1, 1)),
        np.array(means, dtype=float).reshape(1, 2, 1),
        np.array(variances, dtype=float).reshape(1, 2, 1),
        np.full((1, 1), float(between)),
    )


def test_every_pair_has_what_it_has_alone():
    """Rows that need few points and many, beside each other and alone."""
    pairs = [((2.2, 0.8), (0.5, 0.05), 0.0), ((1.5, 0.5), (2.0, 2.0), 1.96), ((0.0, 0.0), (1e-8, 1e-8), 0.0)]
    alone = [single(*pair) for pair in pairs]
    together = Joint(*(np.concatenate([getattr(one, name) for one in alone]) for name in Joint.__struct_fields__))
    bias = np.array([0.0625, 0.0])
    found = joint_differences(together, together, bias)
    for row, one in zip(found, alone, strict=True):
        assert row == pytest.approx(joint_differences(one, one, bias)[0], abs=1e-12)


def share_below(end, first, second, covariance, bias_sd):
    """Share of the differences of two rates below an end: 61 points of the half sum at every pair of nodes."""
    node, weight = np.polynomial.hermite_e.hermegauss(61)
    between = first.average.gradient[1] @ covariance[0, :, 1, :] @ second.average.gradient[1].T
    v1 = first.average.variance(covariance[0, :, 0, :])[:, None] + bias_sd**2 / 4
    v2 = second.average.variance(covariance[1, :, 1, :])[None] + bias_sd**2 / 4
    between = between - bias_sd**2 / 4
    mean = first.average.logit[:, None], second.average.logit[None]
    half = (v1 + v2 + 2 * between) / 4
    slope = (v1 - v2) / 2 / half
    left = np.sqrt(v1 + v2 - 2 * between - slope**2 * half)
    away = np.sqrt(half)[..., None] * node
    half_sum = (mean[0] + mean[1])[..., None] / 2 + away
    share = (first.average.weight[:, None] * second.average.weight)[..., None] * weight / weight.sum()

    # Halving finds the difference of log odds d at which expit(s + d/2) - expit(s - d/2) is the end.
    low, high = np.full(half_sum.shape, -60.0), np.full(half_sum.shape, 60.0)
    for _ in range(40):
        d = (low + high) / 2
        under = expit(half_sum + d / 2) - expit(half_sum - d / 2) < end
        low, high = np.where(under, d, low), np.where(under, high, d)
    gap = (mean[0] - mean[1])[..., None] + slope[..., None] * away
    return (share * ndtr((low - gap) / left[..., None])).sum()


@pytest.mark.parametrize("setting", SETTINGS)
def test_shipped_intervals_against_many_points(setting):
    """Drawn profiles, and one far outside the evidence: what is sought lies within 2e-4 of either end."""
    pooled, rng = load_model(), np.random.default_rng(11)
    drawn = [{"age": 85, "prior_lines": 12}]
    for _ in range(9):
        given = {"age": int(rng.integers(40, 92)), "prior_lines": int(rng.integers(1, 13))}
        flags = rng.choice(["extramedullary_disease", "prior_bcma", "high_risk_cytogenetics"], 2, replace=False)
        drawn.append(given | {str(flag): bool(rng.integers(2)) for flag in flags})
    for place, given in enumerate(drawn):
        found = patient_numbers(pooled, traits(**given), setting)
        outcome = ("orr", "vgpr_or_better", "cr_or_better")[place % 3]
        bias = (0.0, 0.25)[place % 2]
        sides = [found.side(outcome, class_id) for class_id in CLASSES]
        ends = found.difference(outcome, CLASSES, bias).risk_difference[1:]
        for end, wanted in zip(ends, (0.025, 0.975), strict=True):
            about = [share_below(e, *sides, pooled.outcome_covariance[outcome], bias) for e in (end - 2e-4, end + 2e-4)]
            assert about[0] < wanted < about[1], given


def test_two_moments_of_one_class_against_draws():
    """Sides with standard deviations of 0.6 and a correlation of 0.94: 200 000 draws of both log odds."""
    pooled = load_model()
    profile = load_example("extramedullary-66-high-risk", pooled.definitions)
    plans = compare(profile, pooled=pooled, order=True).order_of_therapies.plans
    shown = next(step.than_now for plan in plans for step in plan.steps if step.than_now is not None)
    later = derive(after(profile, KIND_OF_CLASS["car_t"], pooled.definitions), pooled.definitions)
    sides = [
        patient_numbers(evidence, given, "real_world").side("orr", "bite").average
        for evidence, given in ((pooled.response_alone, later), (pooled, derive(profile, pooled.definitions)))
    ]
    covariance = pooled.outcome_covariance["orr"][1, :, 1, :]
    rng, draws = np.random.default_rng(0), 200_000
    node = rng.choice(sides[0].weight.size, draws, p=sides[0].weight)
    effects = rng.multivariate_normal(np.zeros(len(covariance)), covariance, draws)
    rates = np.empty((2, draws))
    for k in range(sides[0].weight.size):
        here = node == k
        levels = sides[0].level_covariance[k, 0]
        level = rng.multivariate_normal(np.zeros(len(levels)), levels, here.sum())
        for row, side in zip(rates, sides, strict=True):
            row[here] = expit(side.logit[k] + level @ side.gradient[0][k, 0] + effects[here] @ side.gradient[1][k])
    assert np.corrcoef(logit(rates))[0, 1] > 0.9
    assert np.quantile(rates[0] - rates[1], [0.025, 0.975]) == pytest.approx(shown.interval, abs=1e-3)
