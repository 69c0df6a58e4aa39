"""Rates of single virtual patients, against quadrature with more points than the model has."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from bcma_decide import load_pooled
from bcma_decide.model.by_patient import rates_by_patient
from bcma_decide.model.population import Patients
from bcma_decide.pooled.evidence import Cell
from bcma_decide.vocabulary import MODEL_TRAITS

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


@pytest.fixture(scope="module")
def patients() -> Patients:
    """Some that lie far out too."""
    population, rng = load_pooled().population, np.random.default_rng(3)
    values = population.location + 4.0 * population.spread * rng.standard_normal((40, len(MODEL_TRAITS)))
    values[:, population.binary] = rng.integers(0, 2, (40, int(population.binary.sum())))
    return Patients(values, np.zeros(len(MODEL_TRAITS), dtype=bool), np.full(40, 1.0 / 40))


def _stage(cell: Cell, position: int, member: int, setting: str, patient: np.ndarray) -> float:
    pooled = load_pooled()
    reach = pooled.assumptions["numeric_reach_sd"] * pooled.population.spread
    inside = np.clip(patient, pooled.population.location - reach, pooled.population.location + reach)
    traits = np.where(pooled.population.binary, patient, inside) - pooled.reference
    offset = traits @ pooled.effects_of(cell.outcome)[min(position, 1), cell.class_index]
    levels = pooled.levels[setting][cell.stages[position]]
    by_node = expit(levels.mean[:, member, None] + levels.tau[:, None] * NODES + offset) @ (WEIGHTS / WEIGHTS.sum())
    return float(levels.weight @ by_node)


@pytest.mark.parametrize("setting", ["real_world", "interventional"])
def test_each_patient_has_the_rate_of_a_finer_quadrature(patients: Patients, setting: str) -> None:
    pooled = load_pooled()
    cells = [index for index, cell in enumerate(pooled.cells) if pooled.used[pooled.family_index[cell.family]].any()]
    found = rates_by_patient(pooled, setting, cells, patients)
    assert {len(pooled.cells[index].stages) for index in cells} == {1, 2, 3}
    for index in cells:
        cell = pooled.cells[index]
        for row, patient in enumerate(patients.values[:5]):
            each = []
            for member in cell.members:
                rates = [_stage(cell, position, member, setting, patient) for position in range(len(cell.stages))]
                if len(rates) == 3:  # of those who respond: complete, or else very good
                    rates = [rates[0], 1.0 - (1.0 - rates[1]) * (1.0 - rates[2])]
                each.append(np.prod(rates))
            assert found[index][row] == pytest.approx(np.mean(each), abs=2e-5)
