"""Known truths are found back from what papers print about them, and intervals cover them as often as they say."""

import numpy as np
import pytest
from scipy.special import expit

from bcma_decide.workshop.survival.levels import Setting, Terms, TimePrior, fit_levels
from bcma_decide.workshop.survival.points import log_time
from tests.workshop.survival.support.printed import printed_study

PRIOR = TimePrior(
    level_sd=2.0, slope_mean=1.0, slope_sd=0.3, product_slope_sd=0.2, study_slope_sd=0.2, product_sd_scale=0.5,
    study_sd_scale=0.2, construct_sd=0.5, real_world_sd=0.5, region_sd=1.0, early_sd=0.5, shared=0.7,
    same_trial_correlation=0.5,
)  # fmt: skip
ONE = np.array([1.0, 0.0]), np.array([0.0, 1.0])
MONTHS = (6.0, 12.0, 24.0)
WORLDS = 60
TAU = 0.25


def log_logistic(level, slope):
    """Times with log odds ``level - slope log(t / 12)``."""
    return lambda uniform, offset: 12.0 * np.exp((level + offset - np.log(uniform / (1.0 - uniform))) / slope)


def weibull(median, shape):
    """Times of a Weibull distribution, its log odds moved by an offset at the median."""
    scale = median / np.log(2.0) ** (1.0 / shape)
    return lambda uniform, offset: scale * np.exp(offset / (2.0 * np.log(2.0) * shape)) * (
        -np.log(uniform)
    ) ** (1.0 / shape)  # fmt: skip


def fitted(draw, seed, products=(0, 0, 0, 0, 0, 1, 1, 1)):
    """Levels and slopes of two products of one class, from eight studies of 60 to 200 patients."""
    rng = np.random.default_rng(seed)
    curves = [
        printed_study(draw[product], rng, int(rng.integers(60, 200)), ONE[product], TAU * rng.normal())
        for product in products
    ]
    terms = Terms(2)
    asked = np.array([row for p in ONE for row in (terms.level(p, Setting()), terms.slope(p))])
    offered = np.array([True, True])
    result = fit_levels([curves, []], [offered, offered], np.zeros((2, 1)), PRIOR, [asked, asked[:0]])
    return result[0]


def shares(levels, product, month):
    """Mean and sd of the log odds at a month of the median study, over the nodes."""
    line = np.zeros(levels.mean.shape[1])
    line[2 * product], line[2 * product + 1] = 1.0, -log_time(month)
    means = levels.mean @ line
    mean = float(levels.weight @ means)
    variance = np.einsum("a,kab,b->k", line, levels.covariance, line)
    return mean, float(np.sqrt(levels.weight @ (variance + (means - mean) ** 2)))


def coverage(draw, truth):
    """Share of worlds in which the 95 % interval of the log odds holds the truth, and the mean error in points."""
    inside, error = [], []
    for seed in range(WORLDS):
        levels = fitted(draw, seed)
        for product in (0, 1):
            for month in MONTHS:
                mean, sd = shares(levels, product, month)
                true = truth[product](month)
                inside.append(abs(mean - true) < 1.96 * sd)
                error.append(expit(mean) - expit(true))
    return float(np.mean(inside)), float(np.mean(error))


def test_a_log_logistic_truth_is_found_back_with_the_stated_coverage():
    levels, slopes = (0.8, -0.3), (1.2, 0.9)
    draw = [log_logistic(level, slope) for level, slope in zip(levels, slopes, strict=True)]
    truth = [lambda month, p=p: levels[p] - slopes[p] * log_time(month) for p in (0, 1)]
    inside, bias = coverage(draw, truth)
    assert 0.91 < inside <= 1.0
    assert abs(bias) < 0.01


def test_a_weibull_truth_is_found_back_although_the_line_is_log_logistic():
    medians, shapes = (24.0, 9.0), (1.0, 0.9)
    draw = [weibull(median, shape) for median, shape in zip(medians, shapes, strict=True)]

    def log_odds(p):
        def at(month):
            share = 0.5 ** ((month / medians[p]) ** shapes[p])
            return np.log(share / (1.0 - share))

        return at

    inside, bias = coverage(draw, [log_odds(0), log_odds(1)])
    assert inside > 0.88
    assert abs(bias) < 0.02


def test_one_large_study_is_its_own_answer():
    """With one study of 20,000 the level is what it prints, within the spread between studies."""
    rng = np.random.default_rng(5)
    curve = printed_study(log_logistic(0.8, 1.2), rng, 20_000, ONE[0], 0.0)
    terms, offered = Terms(2), np.array([True, True])
    asked = np.array([terms.level(ONE[0], Setting()), terms.slope(ONE[0])])
    levels = fit_levels([[curve], []], [offered, offered], np.zeros((2, 1)), PRIOR, [asked, asked[:0]])[0]
    assert levels.weight @ levels.mean[:, 0] == pytest.approx(0.8, abs=0.1)


def test_a_product_without_a_curve_keeps_the_width_of_a_further_product():
    levels = fitted([log_logistic(0.5, 1.0)] * 2, 1, products=(0,) * 8)
    own, further = (shares(levels, product, 12.0)[1] for product in (0, 1))
    assert further > 1.5 * own


def test_what_practice_does_in_one_class_is_learnt_in_part_from_the_other():
    """Practice is 0.8 lower in the first class; of the second there are only trials."""
    rng = np.random.default_rng(9)
    trial, practice = log_logistic(0.5, 1.0), log_logistic(-0.3, 1.0)
    first = [printed_study(trial, rng, 400, ONE[0], 0.0) for _ in range(6)]
    first += [printed_study(practice, rng, 400, ONE[0], 0.0, real_world=1.0) for _ in range(6)]
    second = [printed_study(trial, rng, 400, ONE[0], 0.0) for _ in range(6)]
    terms, offered = Terms(2), np.array([True, True])
    asked = np.array([terms.level(ONE[0], Setting(real_world=1.0)), terms.level(ONE[0], Setting())])
    levels = fit_levels([first, second], [offered, offered], np.zeros((2, 1)), PRIOR, [asked, asked])
    drops = [float(each.weight @ (each.mean[:, 0] - each.mean[:, 1])) for each in levels]
    assert -0.9 < drops[0] < -0.5
    assert drops[0] < drops[1] < -0.2
