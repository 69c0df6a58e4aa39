"""Unknown traits follow what is known as the joint normal of the traits says."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from scipy.stats import multivariate_normal, norm

from bcma_decide import load_model
from bcma_decide.model.population import conditional_patients
from bcma_decide.vocabulary import MODEL_TRAIT_IDS, MODEL_TRAITS
from tests.model.support.drawn import profiles
from tests.model.support.factory import document, model, patients, simulated_traits
from tests.support.cases import for_each

AGE, LINES = 0, 1
EMD = MODEL_TRAIT_IDS.index("extramedullary_disease")
ISS = MODEL_TRAIT_IDS.index("iss_3")
RISS = MODEL_TRAIT_IDS.index("r_iss_3")
HEMATOTOX = MODEL_TRAIT_IDS.index("car_hematotox_high")
QUASI = 0.01
"""What 512 quasi-random points leave open in a share or a mean."""

PREVALENCE = {"iss_3": 0.25, "r_iss_3": 0.15, "extramedullary_disease": 0.3, "car_hematotox_high": 0.4}
CORRELATION = {
    ("iss_3", "r_iss_3"): 0.7,
    ("iss_3", "car_hematotox_high"): 0.4,
    ("r_iss_3", "car_hematotox_high"): 0.35,
    ("age", "iss_3"): 0.5,
    ("age", "prior_lines"): -0.3,
}
PLAIN = document({}, prevalence=PREVALENCE, correlation=CORRELATION)
FOUND = model({}, prevalence=PREVALENCE, correlation=CORRELATION)


def test_of_nothing_known_the_population_itself():
    found = patients(FOUND)
    assert not found.known.any()
    shares = found.values.mean(axis=0)
    for trait in MODEL_TRAIT_IDS[2:]:
        assert PREVALENCE.get(trait, 0.3) == pytest.approx(shares[MODEL_TRAIT_IDS.index(trait)], abs=QUASI), trait
    assert shares[AGE] == pytest.approx(6.5, abs=QUASI)
    assert shares[LINES] == pytest.approx(2.0, abs=QUASI)
    assert found.values[:, AGE].std() == pytest.approx(1.0, abs=0.02)
    assert found.values[:, LINES].std() == pytest.approx(0.5, abs=0.02)
    assert np.corrcoef(found.values[:, AGE], found.values[:, LINES])[0, 1] == pytest.approx(-0.3, abs=0.02)


@pytest.mark.parametrize("present", [True, False])
def test_one_known_trait_moves_its_neighbour_as_bayes_says(present):
    """P(ISS III | R-ISS III) from the bivariate normal: both above their cuts, over the second above its cut."""
    sign = 1.0 if present else -1.0
    joint = multivariate_normal([0, 0], [[1, sign * 0.7], [sign * 0.7, 1]])
    share = PREVALENCE["r_iss_3"] if present else 1 - PREVALENCE["r_iss_3"]
    expected = joint.cdf([-norm.isf(0.25), -norm.isf(share)]) / share
    assert expected == pytest.approx(patients(FOUND, r_iss_3=present).values[:, ISS].mean(), abs=0.02)


def test_a_trait_without_a_neighbour_stays_as_it_is():
    assert patients(FOUND, r_iss_3=True, age=80).values[:, EMD].mean() == pytest.approx(0.3, abs=QUASI)


def test_a_known_number_moves_and_narrows_another_as_regression_says():
    """Age 85 is 2 SD up, correlation -0.3: lines 2 - 0.3 * 2 * 0.5 = 1.7 doublings, SD 0.5 * sqrt(1 - 0.09)."""
    lines = patients(FOUND, age=85).values[:, LINES]
    assert lines.mean() == pytest.approx(1.7, abs=QUASI)
    assert 0.5 * np.sqrt(0.91) == pytest.approx(lines.std(), abs=0.01)


def test_a_known_number_moves_a_yes_no_trait():
    """Age 85, correlation 0.5: latent ISS N(1, 0.75), so P(above the cut of 25 %) = P(Z > (0.674 - 1) / 0.866)."""
    expected = norm.sf((norm.isf(0.25) - 1.0) / np.sqrt(0.75))
    assert expected == pytest.approx(patients(FOUND, age=85).values[:, ISS].mean(), abs=QUASI)


def test_a_known_yes_no_trait_moves_a_number_by_the_truncated_mean():
    """E[age | ISS III] = 6.5 + 0.5 * phi(c) / P(Z > c), c the cut of 25 %."""
    cut = norm.isf(0.25)
    age = patients(FOUND, iss_3=True).values[:, AGE]
    hazard = norm.pdf(cut) / 0.25
    assert 6.5 + 0.5 * hazard == pytest.approx(age.mean(), abs=QUASI)
    assert np.sqrt(1 - 0.25 * hazard * (hazard - cut)) == pytest.approx(age.std(), abs=0.02)


@cache
def a_million():
    return simulated_traits(PLAIN, 1_000_000)


@for_each(
    "known",
    [
        {"iss_3": True, "r_iss_3": True},
        {"iss_3": True, "r_iss_3": False},
        {"iss_3": False, "r_iss_3": False},
    ],
)
def test_several_known_traits_agree_with_rejection_sampling(known):
    """Keep those of a million simulated patients who have the known traits; the rule is approximate to about 0.02."""
    everyone = a_million()
    alike = np.ones(len(everyone), dtype=bool)
    for trait, present in known.items():
        alike &= everyone[:, MODEL_TRAIT_IDS.index(trait)] == present
    alike = everyone[alike]
    assert len(alike) > 5000
    found = patients(FOUND, **known).values
    assert alike[:, HEMATOTOX].mean() == pytest.approx(found[:, HEMATOTOX].mean(), abs=0.025)
    assert alike[:, AGE].mean() == pytest.approx(found[:, AGE].mean(), abs=0.03)
    assert alike[:, AGE].std() == pytest.approx(found[:, AGE].std(), abs=0.03)


def test_the_shipped_population_agrees_with_rejection_sampling():
    """Triple-class and penta-drug refractory, as most patients are: every other trait's share within 0.03."""
    population = load_model().population
    rng = np.random.default_rng(3)
    latent = rng.standard_normal((400_000, population.cut.size)) @ np.linalg.cholesky(population.correlation).T
    triple, penta = (MODEL_TRAIT_IDS.index(t) for t in ("triple_class_refractory", "penta_drug_refractory"))
    alike = latent[(latent[:, triple] > population.cut[triple]) & (latent[:, penta] > population.cut[penta])]
    values = [1.0 if index in (triple, penta) else None for index in range(population.cut.size)]
    found = conditional_patients(population, values).values
    for index, trait in enumerate(MODEL_TRAITS):
        if trait.kind == "binary":
            expected = (alike[:, index] > population.cut[index]).mean()
        else:
            expected = population.location[index] + population.spread[index] * alike[:, index].mean()
        assert expected == pytest.approx(found[:, index].mean(), abs=0.03), trait.id


@given(values=profiles)
def test_known_values_are_kept_exactly_and_nothing_is_ever_not_a_number(values):
    for population in (FOUND.population, load_model().population):
        found = conditional_patients(population, values)
        assert np.isfinite(found.values).all()
        assert (512, len(MODEL_TRAIT_IDS)) == found.values.shape
        for index, value in enumerate(values):
            assert found.known[index] == (value is not None)
            if value is not None:
                assert (found.values[:, index] == value).all()
            elif MODEL_TRAITS[index].kind == "binary":
                assert set(np.unique(found.values[:, index])) <= {0.0, 1.0}


def test_with_every_trait_known_no_draw_differs():
    known = {"age": 71, "prior_lines": 5} | {trait: i % 2 == 0 for i, trait in enumerate(MODEL_TRAIT_IDS[2:])}
    found = patients(FOUND, **known)
    assert found.known.all()
    assert (found.values == found.values[0]).all()
    assert [7.1, np.log2(5)] == pytest.approx(found.values[0, :2].tolist())


def test_traits_that_nearly_exclude_each_other_do_no_harm():
    """Almost the same trait twice, said yes and no: no error, and both answers are kept."""
    tight = model({}, correlation={("iss_3", "r_iss_3"): 0.999999})
    found = patients(tight, iss_3=True, r_iss_3=False)
    assert np.isfinite(found.values).all()
    assert (found.values[:, [ISS, RISS]] == [1.0, 0.0]).all()
