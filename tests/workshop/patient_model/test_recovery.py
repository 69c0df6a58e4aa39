"""The model finds a known truth back from what papers would print about it."""

import numpy as np
import pytest
from scipy.special import expit, logit

from tests.documents.support.pages import GUIDE, table, text_of
from tests.workshop.patient_model.support.simulation import (
    ARMS,
    TRAITS,
    TRUE_EFFECTS,
    TRUE_LEVEL,
    World,
    simulate,
    true_correlation,
)

pytestmark = pytest.mark.slow

WORLDS = 12


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return [simulate(seed) for seed in range(WORLDS)]


def patients(seed: int, count: int = 200) -> np.ndarray:
    """Patients with correlated traits, each present in 35 of 100."""
    latent = np.random.default_rng(1000 + seed).multivariate_normal(np.zeros(TRAITS), true_correlation(), count)
    return (latent > 0.3853).astype(float)


def coefficient_errors(worlds: list[World]) -> tuple[float, float]:
    """Root mean square error of conditional and of marginal effects, log odds."""
    conditional = np.sqrt(np.mean([(world.effects.mean[0] - TRUE_EFFECTS) ** 2 for world in worlds]))
    marginal = np.sqrt(np.mean([(world.naive_effects - TRUE_EFFECTS) ** 2 for world in worlds]))
    return float(conditional), float(marginal)


def test_conditional_effects_are_closer_to_the_truth_than_marginal_ones(worlds):
    conditional, marginal = coefficient_errors(worlds)
    print(f"\ncoefficient error: conditional {conditional:.3f}, marginal {marginal:.3f}")
    assert conditional < 0.18
    assert conditional < 0.75 * marginal


def probability_errors(worlds: list[World]) -> dict[str, float]:
    """Root mean square error of a patient's probability by the model, by marginal effects, by the pooled rate."""
    errors = {"model": [], "marginal": [], "pooled": []}
    for seed, world in enumerate(worlds):
        x = patients(seed)
        truth = expit(TRUE_LEVEL + x @ TRUE_EFFECTS)
        errors["model"].append(expit(world.baselines.mean[0] + x @ world.effects.mean[0]) - truth)
        centred = x - x.mean(axis=0)
        errors["marginal"].append(expit(logit(world.crude_rate) + centred @ world.naive_effects) - truth)
        errors["pooled"].append(world.crude_rate - truth)
    return {name: float(np.sqrt(np.mean(np.square(values)))) for name, values in errors.items()}


def test_patient_probabilities_beat_adding_marginal_effects_and_the_pooled_rate(worlds):
    error = probability_errors(worlds)
    print(f"\nprobability error: {error}")
    assert error["model"] < 0.045
    assert error["model"] < 0.75 * error["marginal"]
    assert error["model"] < 0.4 * error["pooled"]


def coverage_of(worlds: list[World]) -> float:
    """Share of patients whose true log odds lie in the 95 % interval."""
    inside = []
    for seed, world in enumerate(worlds):
        x = patients(seed)
        truth = TRUE_LEVEL + x @ TRUE_EFFECTS
        mean = world.baselines.mean[0] + x @ world.effects.mean[0]
        gradient = x + world.baselines.slope[0]
        variance = world.baselines.covariance[0, 0] + np.einsum(
            "nt,ts,ns->n", gradient, world.effects.covariance, gradient
        )
        inside.append(np.abs(truth - mean) < 1.96 * np.sqrt(variance))
    return float(np.mean(inside))


def test_95_percent_intervals_cover_the_truth(worlds):
    coverage = coverage_of(worlds)
    print(f"\ncoverage of the 95 % interval: {coverage:.3f}")
    assert 0.92 <= coverage <= 1.0


def test_the_between_study_spread_is_found(worlds):
    tau = np.mean([world.baselines.node_weight @ world.baselines.node_tau for world in worlds])
    assert 0.28 < tau < 0.52


def test_the_guide_states_these_figures(worlds):
    """To the digits printed; a little is left to the machine."""
    page = GUIDE / "validation.md"
    rows = table(page, "quantity", "patient model", "adding marginal effects", "pooled rate")
    said = {name: [float(cell.rstrip(" %")) for cell in cells if cell != "–"] for name, *cells in rows}
    assert said["error of a coefficient, log odds"] == pytest.approx(coefficient_errors(worlds), abs=0.006)
    assert said["error of a patient's probability"] == pytest.approx(
        list(probability_errors(worlds).values()), abs=0.006
    )
    assert said["coverage of the 95 % interval"] == pytest.approx([100 * coverage_of(worlds)], abs=1.0)
    assert (WORLDS, ARMS, TRAITS) == (12, 44, 6)
    assert "Twelve worlds of 44 studies with six correlated traits" in text_of(page)
