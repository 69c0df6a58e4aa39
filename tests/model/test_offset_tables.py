"""Tabulated rates against the rates themselves, and against quadrature of another kind."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit

from bcma_decide import load_pooled
from bcma_decide.model.normal import hermite
from bcma_decide.model.offset_tables import (
    DENSITY,
    MIDDLE_DENSITY,
    MIDDLE_RATE,
    RATE,
    OffsetAxis,
    interpolated,
    offset_axis,
    stage_table,
)
from bcma_decide.model.prediction import CENTRES, held
from bcma_decide.pooled.evidence import Levels
from bcma_decide.vocabulary import CLASSES, MODEL_TRAITS, STAGES


def _levels(mean: list[list[float]], tau: list[float]) -> Levels:
    nodes, products = len(mean), len(mean[0])
    return Levels(np.full(nodes, 1.0 / nodes), np.array(tau), np.array(mean), np.zeros((nodes, products, products)))


def _rate(levels: Levels, product: int, offsets: np.ndarray) -> np.ndarray:
    """At every offset, averaged over centres."""
    points, weight = hermite(CENTRES)
    centres = levels.mean[:, product, None] + levels.tau[:, None] * points
    return np.asarray(expit(offsets[:, None] + centres.ravel()) @ (levels.weight[:, None] * weight).ravel())


@pytest.mark.parametrize(("low", "high"), [(-0.4, 0.1), (-2.5, 1.0), (-6.0, 5.0), (-15.0, 15.0), (2.0, 2.0)])
def test_a_tabulated_rate_is_the_rate(low: float, high: float) -> None:
    levels = _levels([[-4.0, 0.0], [1.5, 3.0]], [0.05, 0.9])
    axis = OffsetAxis.between(low, high)
    offsets = np.linspace(low, high, 301)
    found = interpolated(axis.basis(offsets), stage_table(levels, axis))
    for node in range(2):
        own = Levels(np.ones(1), levels.tau[[node]], levels.mean[[node]], levels.covariance[[node]])
        for product in range(2):
            direct = _rate(own, product, offsets)
            assert found[:, RATE, node, product] == pytest.approx(direct, abs=1e-9)
            logit = offsets + levels.mean[node, product]
            assert found[:, MIDDLE_RATE, node, product] == pytest.approx(expit(logit), abs=1e-9)
            assert found[:, MIDDLE_DENSITY, node, product] == pytest.approx(expit(logit) * expit(-logit), abs=1e-9)


def test_the_mean_over_centres_is_that_of_adaptive_quadrature() -> None:
    axis = OffsetAxis.between(-1.0, 1.0)
    found = interpolated(axis.basis(np.array([0.3])), stage_table(_levels([[0.7]], [0.6]), axis))[0, :, 0, 0]

    def density(u: float) -> float:
        return float(np.exp(-0.5 * (u / 0.6) ** 2) / (0.6 * np.sqrt(2.0 * np.pi)))

    mean = quad(lambda u: expit(1.0 + u) * density(u), -6.0, 6.0)[0]
    slope = quad(lambda u: expit(1.0 + u) * expit(-1.0 - u) * density(u), -6.0, 6.0)[0]
    assert found[RATE] == pytest.approx(mean, abs=1e-6)
    assert found[DENSITY] == pytest.approx(slope, abs=1e-6)


def test_bases_average_as_rates_do() -> None:
    axis, rng = OffsetAxis.between(-3.0, 2.0), np.random.default_rng(7)
    table, offsets, weight = (
        stage_table(_levels([[0.2]], [0.4]), axis),
        rng.uniform(-3.0, 2.0, 50),
        rng.dirichlet(np.ones(50)),
    )
    of_mean = interpolated(weight @ axis.basis(offsets), table)
    mean = np.tensordot(weight, interpolated(axis.basis(offsets), table), 1)
    assert of_mean == pytest.approx(mean, abs=1e-13)


def test_no_patient_lies_beyond_the_axis() -> None:
    pooled, rng = load_pooled(), np.random.default_rng(11)
    population = pooled.population
    drawn = rng.normal(0.0, 30.0, (4000, len(MODEL_TRAITS))) * population.spread + population.location
    drawn[:, population.binary] = rng.integers(0, 2, (4000, int(population.binary.sum())))
    deviation = held(pooled, drawn) - pooled.reference
    for outcome in STAGES:
        for effects in pooled.effects_of(outcome).reshape(2 * len(CLASSES), -1):
            axis, offset = offset_axis(pooled, effects), deviation @ effects
            assert axis.low - 1e-12 <= offset.min()
            assert offset.max() <= axis.high + 1e-12
