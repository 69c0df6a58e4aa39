"""Weights of kinds of patients against scipy's multivariate normal and against plain simulation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from bcma_decide.model.kinds import orthants
from bcma_decide.model.profiles import Profiles
from bcma_decide.model.sheets import all_sheets, likeness
from bcma_decide.vocabulary import MODEL_TRAIT_IDS
from tests.model.support.chances import acting, shipped

T = len(MODEL_TRAIT_IDS)
AGE, LINES = 0, 1


def exact(cuts, correlation):
    found = []
    for sides in product((1.0, -1.0), repeat=len(cuts)):
        sign = np.array(sides)
        cell = multivariate_normal(np.zeros(len(cuts)), correlation * np.outer(sign, sign), seed=1)
        found.append(cell.cdf(sign * cuts))
    return np.array(found)


@pytest.mark.parametrize(
    ("cuts", "correlation"),
    [
        ([0.4], [[1.0]]),
        ([0.4, -1.2], [[1.0, 0.6], [0.6, 1.0]]),
        ([0.7, 1.0, 0.25], [[1.0, 0.7, 0.4], [0.7, 1.0, 0.35], [0.4, 0.35, 1.0]]),
        ([0.4, 0.7, 0.9, 0.1], [[1, 0, 0, 0.1], [0, 1, 0, 0.05], [0, 0, 1, 0.2], [0.1, 0.05, 0.2, 1]]),
    ],
)
def test_combinations_are_as_likely_as_scipy_says(cuts, correlation):
    found = orthants(np.array([cuts]), np.array(correlation, dtype=float))[0]
    assert exact(np.array(cuts), np.array(correlation)) == pytest.approx(found, abs=5e-5)


def profiles_of(count, **known):
    number, yes, no = np.full((count, T), np.nan), np.zeros((count, T)), np.zeros((count, T))
    for trait, value in known.items():
        place = MODEL_TRAIT_IDS.index(trait)
        if isinstance(value, bool):
            (yes if value else no)[:, place] = 1.0
        else:
            number[:, place] = value
    return Profiles(number, yes, no)


def weights(profiles, family="response"):
    own = likeness(shipped(), family)
    kinds = own.kinds(shipped().used[shipped().family_index[family]].any(axis=0))
    return kinds.values, kinds.weights(own.weights(profiles.number, profiles.yes, profiles.no), len(profiles))


@pytest.mark.slow
@pytest.mark.parametrize(
    "known", [{}, {"age": 7.9}, {"extramedullary_disease": True}, {"car_hematotox_high": True, "prior_bcma": False}]
)
def test_means_of_smooth_functions_are_those_of_simulated_patients(known):
    """A rate of the kind that response has, over 2 million simulated patients, of whom those alike are kept."""
    population, names = shipped().population, acting(shipped(), "response")
    values, weight = weights(profiles_of(1, **known))
    rng = np.random.default_rng(5)
    factor = np.linalg.cholesky(population.correlation)
    kept = []
    low, high = values.min(axis=0), values.max(axis=0)
    for _ in range(8):
        latent = rng.standard_normal((250_000, T)) @ factor.T
        if "age" in known:
            # exact: the latent normal of the others given the age
            z = (known["age"] - population.location[AGE]) / population.spread[AGE]
            latent += np.outer(z - latent[:, AGE], population.correlation[AGE])
        drawn = np.where(population.binary, latent > population.cut, population.location + population.spread * latent)
        fits = np.ones(len(drawn), dtype=bool)
        for trait, value in known.items():
            if isinstance(value, bool):
                fits &= drawn[:, MODEL_TRAIT_IDS.index(trait)] == value
        kept.append(drawn[fits])
    drawn = np.concatenate(kept)
    reach = shipped().assumptions["numeric_reach_sd"] * population.spread
    drawn = np.where(population.binary, drawn, np.clip(drawn, population.location - reach, population.location + reach))
    slope = np.array([{"age": 0.1, "prior_lines": -0.3}.get(t, -0.7) * (t in names) for t in MODEL_TRAIT_IDS])

    def rate(x):
        return 1 / (1 + np.exp(-1.0 - (x - population.location) @ slope))

    assert (low[~population.binary] >= (population.location - reach)[~population.binary]).all()
    assert (high[~population.binary] <= (population.location + reach)[~population.binary]).all()
    error = rate(drawn).std() / np.sqrt(len(drawn))
    assert rate(drawn).mean() == pytest.approx(float(weight[0] @ rate(values)), abs=5 * error + 1e-5)


@pytest.mark.parametrize("family", ["response", "apheresed_not_infused", "pfs"])
def test_averaging_over_the_answers_gives_the_weights_before_the_question(family):
    for trait in acting(shipped(), family):
        if trait in ("age", "prior_lines"):
            continue
        values, before = weights(profiles_of(1, prior_lines=2.0), family)
        share = float(before[0] @ values[:, MODEL_TRAIT_IDS.index(trait)])
        yes, no = (weights(profiles_of(1, prior_lines=2.0, **{trait: side}), family)[1][0] for side in (True, False))
        assert share * yes + (1 - share) * no == pytest.approx(before[0], abs=1e-12), trait


def test_averaging_over_ages_gives_the_weights_before_the_question():
    """Of the marginal effect of the others: 4,000 equally likely ages."""
    population = shipped().population
    ages = population.location[AGE] + population.spread[AGE] * norm.ppf((np.arange(4000) + 0.5) / 4000)
    profiles = profiles_of(4000)
    profiles.number[:, AGE] = ages
    values, asked = weights(profiles)
    _, before = weights(profiles_of(1))
    for trait in acting(shipped(), "response"):
        column = values[:, MODEL_TRAIT_IDS.index(trait)]
        assert (asked @ column).mean() == pytest.approx(float(before[0] @ column), abs=1e-3), trait


def test_weights_sum_to_one_and_change_smoothly_with_age():
    profiles = profiles_of(2001)
    profiles.number[:, AGE] = np.linspace(1.8, 11.0, 2001)
    for sheet in all_sheets(shipped(), "real_world"):
        own = likeness(shipped(), sheet.family).weights(profiles.number, profiles.yes, profiles.no)
        found = sheet.kinds.weights(own, len(profiles))
        assert found.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
        assert np.abs(np.diff(found @ sheet.table, axis=0)).max() < 2e-3
