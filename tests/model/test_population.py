"""Unknown traits follow what is known as the joint normal of the traits says."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from scipy.special import expit
from scipy.stats import multivariate_normal, norm

from bcma_decide.logic import Chance
from bcma_decide.model.population import Patients, conditional_patients
from bcma_decide.pooled.evidence import Population
from bcma_decide.vocabulary import MODEL_TRAIT_IDS, MODEL_TRAITS, model_scale
from tests.model.support.chances import acting, shipped
from tests.model.support.drawn import profiles
from tests.support.cases import for_each

T = len(MODEL_TRAIT_IDS)
AGE, LINES = 0, 1
BINARY = [trait.id for trait in MODEL_TRAITS if trait.kind == "binary"]
CLOSE = 0.002
"""What the quasi-random points leave open in a share or a mean of a standardised number."""

PREVALENCE = {"iss_3": 0.25, "r_iss_3": 0.15, "extramedullary_disease": 0.3, "car_hematotox_high": 0.4}
CORRELATION = {
    ("iss_3", "r_iss_3"): 0.7,
    ("iss_3", "car_hematotox_high"): 0.4,
    ("r_iss_3", "car_hematotox_high"): 0.35,
    ("age", "iss_3"): 0.5,
    ("age", "prior_lines"): -0.3,
}


def at(trait):
    return MODEL_TRAIT_IDS.index(trait)


def population(prevalence=PREVALENCE, correlation=CORRELATION):
    """Age normal around 65 years with SD 10, lines around 4 with SD 0.5 doublings; other traits in 30 %."""
    matrix = np.eye(T)
    for (first, second), rho in correlation.items():
        matrix[at(first), at(second)] = matrix[at(second), at(first)] = rho
    binary = np.array([trait in BINARY for trait in MODEL_TRAIT_IDS])
    share = np.array([prevalence.get(trait, 0.3) for trait in MODEL_TRAIT_IDS])
    numbers = np.array([6.5, 2.0] + [0.0] * (T - 2))
    return Population(
        binary=binary,
        cut=np.where(binary, norm.isf(share), 0.0),
        location=np.where(binary, share, numbers),
        spread=np.array([1.0, 0.5] + [1.0] * (T - 2)),
        correlation=matrix,
        points=shipped().population.points,
    )


FOUND = population()


def alike(*unknown, among=FOUND, **values):
    """Virtual patients with these traits, in natural units; they and the ``unknown`` ones act."""
    mask = np.array([trait in values or trait in unknown for trait in MODEL_TRAIT_IDS])
    scaled = [
        values.get(trait) if isinstance(values.get(trait), Chance) else model_scale(trait, values.get(trait))
        for trait in MODEL_TRAIT_IDS
    ]
    return conditional_patients(among, scaled, mask)


def mean(found: Patients, trait):
    return float(found.weight @ found.values[:, at(trait)])


def sd(found: Patients, trait):
    return float(np.sqrt(found.weight @ (found.values[:, at(trait)] - mean(found, trait)) ** 2))


def test_of_nothing_known_the_population_itself():
    found = alike("age", "prior_lines", *PREVALENCE)
    assert not found.known.any()
    for trait, share in PREVALENCE.items():
        assert share == pytest.approx(mean(found, trait), abs=CLOSE), trait
    assert mean(found, "age") == pytest.approx(6.5, abs=0.01)
    assert mean(found, "prior_lines") == pytest.approx(2.0, abs=0.01)
    assert sd(found, "age") == pytest.approx(1.0, abs=0.02)
    assert sd(found, "prior_lines") == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("present", [True, False])
def test_one_known_trait_moves_its_neighbour_as_bayes_says(present):
    """P(ISS III | R-ISS III) from the bivariate normal: both above their cuts, over the second above its cut."""
    sign = 1.0 if present else -1.0
    joint = multivariate_normal([0, 0], [[1, sign * 0.7], [sign * 0.7, 1]])
    share = PREVALENCE["r_iss_3"] if present else 1 - PREVALENCE["r_iss_3"]
    expected = joint.cdf([-norm.isf(0.25), -norm.isf(share)]) / share
    assert expected == pytest.approx(mean(alike("iss_3", r_iss_3=present), "iss_3"), abs=CLOSE)


def test_a_trait_without_a_neighbour_stays_as_it_is():
    found = alike("extramedullary_disease", r_iss_3=True, age=80)
    assert mean(found, "extramedullary_disease") == pytest.approx(0.3, abs=1e-6)


def test_a_trait_that_does_not_act_is_left_at_the_mean_and_tells_nothing():
    beside = conditional_patients(
        FOUND,
        [1.0 if trait == "r_iss_3" else None for trait in MODEL_TRAIT_IDS],
        np.array([trait == "iss_3" for trait in MODEL_TRAIT_IDS]),
    )
    assert mean(beside, "iss_3") == pytest.approx(0.25, abs=1e-6)
    assert (beside.values[:, at("r_iss_3")] == PREVALENCE["r_iss_3"]).all()
    assert (beside.values[:, AGE] == 6.5).all()


def test_a_known_number_moves_and_narrows_another_as_regression_says():
    """Age 85 is 2 SD up, correlation -0.3: lines 2 - 0.3 * 2 * 0.5 = 1.7 doublings, SD 0.5 * sqrt(1 - 0.09)."""
    found = alike("prior_lines", age=85)
    assert mean(found, "prior_lines") == pytest.approx(1.7, abs=0.005)
    assert 0.5 * np.sqrt(0.91) == pytest.approx(sd(found, "prior_lines"), abs=0.01)


def test_a_known_number_moves_a_yes_no_trait():
    """Age 85, correlation 0.5: latent ISS N(1, 0.75), so P(above the cut of 25 %) = P(Z > (0.674 - 1) / 0.866)."""
    expected = norm.sf((norm.isf(0.25) - 1.0) / np.sqrt(0.75))
    assert expected == pytest.approx(mean(alike("iss_3", age=85), "iss_3"), abs=1e-5)


def test_a_known_yes_no_trait_moves_a_number_by_the_truncated_mean():
    """E[age | ISS III] = 6.5 + 0.5 * phi(c) / P(Z > c), c the cut of 25 %."""
    cut = norm.isf(0.25)
    found = alike("age", iss_3=True)
    hazard = norm.pdf(cut) / 0.25
    assert 6.5 + 0.5 * hazard == pytest.approx(mean(found, "age"), abs=0.01)
    assert np.sqrt(1 - 0.25 * hazard * (hazard - cut)) == pytest.approx(sd(found, "age"), abs=0.02)


@pytest.mark.parametrize("present", [True, False])
def test_a_trait_that_hardly_anybody_has_is_no_exception(present):
    """Of one in 10^14, or all but those, age with correlation 0.5: the truncated mean 7.65 standard deviations out."""
    rare = population({"iss_3": 1e-14 if present else 1 - 1e-14}, {("age", "iss_3"): 0.5})
    cut = norm.isf(1e-14)
    hazard = np.exp(norm.logpdf(cut) - norm.logsf(cut))
    sign = 1 if present else -1
    found = alike("age", among=rare, iss_3=present)
    assert 6.5 + sign * 0.5 * hazard == pytest.approx(mean(found, "age"), abs=0.02)


@cache
def a_million():
    rng = np.random.default_rng(1)
    latent = rng.standard_normal((1_000_000, T)) @ np.linalg.cholesky(FOUND.correlation).T
    return np.where(FOUND.binary, latent > FOUND.cut, FOUND.location + FOUND.spread * latent)


@for_each(
    "known",
    [
        {"iss_3": True, "r_iss_3": True},
        {"iss_3": True, "r_iss_3": False},
        {"iss_3": False, "r_iss_3": False},
        {"iss_3": False, "r_iss_3": True, "extramedullary_disease": True},
    ],
)
def test_several_known_traits_agree_with_rejection_sampling(known):
    """Keep those of a million simulated patients who have them; the spread of age, from 64 points a group, to 0.1."""
    everyone = a_million()
    kept = np.ones(len(everyone), dtype=bool)
    for trait, present in known.items():
        kept &= everyone[:, at(trait)] == present
    kept = everyone[kept]
    assert len(kept) > 10_000
    found = alike("car_hematotox_high", "age", **known)
    assert kept[:, at("car_hematotox_high")].mean() == pytest.approx(mean(found, "car_hematotox_high"), abs=0.01)
    assert kept[:, AGE].mean() == pytest.approx(mean(found, "age"), abs=0.02)
    assert kept[:, AGE].std() == pytest.approx(sd(found, "age"), abs=0.1)


def test_what_acts_on_response_agrees_with_rejection_sampling():
    """The shipped population with earlier BCMA therapy and without extramedullary disease, of 400,000 simulated."""
    among, names = shipped().population, acting(shipped(), "response")
    rng = np.random.default_rng(3)
    latent = rng.standard_normal((400_000, T)) @ np.linalg.cholesky(among.correlation).T
    kept = (latent[:, at("prior_bcma")] > among.cut[at("prior_bcma")]) & (
        latent[:, at("extramedullary_disease")] < among.cut[at("extramedullary_disease")]
    )
    drawn = np.where(among.binary, latent > among.cut, among.location + among.spread * latent)[kept]
    found = alike(*names, among=among, prior_bcma=True, extramedullary_disease=False)
    for trait in names:
        assert drawn[:, at(trait)].mean() == pytest.approx(mean(found, trait), abs=0.02), trait


NAMES = ("age", "prior_lines", "iss_3", "r_iss_3", "car_hematotox_high", "extramedullary_disease")
SLOPE = np.array(
    [{"age": 0.3, "prior_lines": -0.5, "iss_3": -0.8, "r_iss_3": -0.6}.get(t, 0.4) for t in MODEL_TRAIT_IDS]
)


def rate(found: Patients):
    """A rate that every trait moves."""
    return float(found.weight @ expit((found.values - FOUND.location) @ SLOPE))


known_or_not = st.none() | st.booleans()


@given(
    age=st.none() | st.floats(30, 90),
    lines=st.none() | st.integers(1, 12),
    answers=st.tuples(known_or_not, known_or_not, known_or_not),
    asked=st.sampled_from(NAMES[2:]),
)
def test_averaging_over_the_answers_gives_what_was_there_before_the_question(age, lines, answers, asked):
    """The law of total expectation, to rounding: the points are the same whatever is known."""
    rest = [name for name in NAMES[2:] if name != asked]
    known = {"age": age, "prior_lines": lines} | dict(zip(rest, answers, strict=True))
    known = {name: value for name, value in known.items() if value is not None}
    before = alike(*NAMES, **known)
    share = mean(before, asked)
    after = [rate(alike(*NAMES, **known, **{asked: answer})) for answer in (True, False)]
    assert rate(before) == pytest.approx(share * after[0] + (1 - share) * after[1], abs=1e-9)


@given(yes=st.floats(0, 1), rest=st.floats(0, 1))
def test_a_chance_is_a_mixture_of_having_it_not_having_it_and_not_knowing(yes, rest):
    chance = Chance(yes * rest, (1 - yes) * rest)
    sides = [rate(alike(*NAMES, age=70, r_iss_3=True, iss_3=side)) for side in (True, False)]
    unknown = rate(alike(*NAMES, age=70, r_iss_3=True))
    expected = chance.yes * sides[0] + chance.no * sides[1] + chance.unknown * unknown
    assert rate(alike(*NAMES, age=70, r_iss_3=True, iss_3=chance)) == pytest.approx(expected, abs=1e-9)


def test_two_chances_are_mixed_side_by_side():
    first, second = Chance(0.7, 0.3), Chance(0.2, 0.5)
    expected = 0.0
    for own, side in ((0.7, True), (0.3, False)):
        for other, answer in ((0.2, {"r_iss_3": True}), (0.5, {"r_iss_3": False}), (0.3, {})):
            expected += own * other * rate(alike(*NAMES, iss_3=side, **answer))
    assert rate(alike(*NAMES, iss_3=first, r_iss_3=second)) == pytest.approx(expected, abs=1e-9)


@given(age=st.floats(30, 89), more=st.floats(0.01, 1))
def test_a_little_more_age_moves_the_rate_a_little(age, more):
    """Age acts with 0.03 a year on the log odds and moves ISS III, worth 0.8: less than two points a year together."""
    pair = [rate(alike(*NAMES, age=years, r_iss_3=False)) for years in (age, age + more)]
    assert abs(pair[1] - pair[0]) <= 0.02 * more


@given(values=profiles)
def test_known_values_are_kept_exactly_and_nothing_is_ever_not_a_number(values):
    names = acting(shipped(), "response")
    mask = np.array([trait in names for trait in MODEL_TRAIT_IDS])
    for among in (FOUND, shipped().population):
        found = conditional_patients(among, values, mask)
        assert np.isfinite(found.values).all()
        assert len(found.weight) % 32 == 0
        assert (found.weight > 0).all()
        assert found.weight.sum() == pytest.approx(1)
        for index, trait in enumerate(MODEL_TRAIT_IDS):
            known = mask[index] and values[index] is not None
            assert found.known[index] == known
            if known:
                assert (found.values[:, index] == values[index]).all()
            elif trait in names and trait in BINARY:
                assert set(np.unique(found.values[:, index])) <= {0.0, 1.0}


def test_with_every_acting_trait_known_no_draw_differs():
    known = {"age": 71, "prior_lines": 5} | {trait: i % 2 == 0 for i, trait in enumerate(NAMES[2:])}
    found = alike(**known)
    assert (found.values == found.values[0]).all()
    assert [7.1, np.log2(5)] == pytest.approx(found.values[0, [AGE, LINES]].tolist())


def test_traits_that_nearly_exclude_each_other_do_no_harm():
    """Almost the same trait twice, said yes and no: no error, and both answers are kept."""
    tight = replace(FOUND, correlation=population(correlation={("iss_3", "r_iss_3"): 0.999999}).correlation)
    found = alike("car_hematotox_high", among=tight, iss_3=True, r_iss_3=False)
    assert np.isfinite(found.values).all()
    assert np.isfinite(found.weight).all()
    assert (found.values[:, [at("iss_3"), at("r_iss_3")]] == [1.0, 0.0]).all()
