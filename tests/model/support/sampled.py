"""The rate of an option with its parameters drawn at random, from the plain pooled document: no line of the model.

For each draw of levels, spreads and trait effects the rate is averaged over the patients given and over centres, by
a table of the logistic function smoothed by the centres' normal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import expit
from scipy.stats import norm, qmc

from bcma_decide.vocabulary import CLASSES, FAMILY_OF, MODEL_TRAIT_IDS, STAGES

GRID = np.linspace(-25.0, 25.0, 5001)
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


class Parameters:
    """Draws of everything that the evidence leaves open, the same for all outcomes and options."""

    def __init__(self, plain: Mapping[str, Any], count: int = 512, setting: str = "real_world", seed: int = 3) -> None:
        self.plain, self.count, self.setting = plain, count, setting
        self._rng = np.random.default_rng(seed)
        self._levels: dict[tuple[str, str], tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        self._effects: dict[str, np.ndarray] = {}
        self._tables: dict[float, np.ndarray] = {}

    def normals(self, mean, covariance):
        """Draws of a normal, quasi-random: (draws, size)."""
        size = len(mean)
        if size == 0:
            return np.zeros((self.count, 0))
        values, vectors = np.linalg.eigh(np.array(covariance, dtype=float).reshape(size, size))
        # shuffled, as two sequences in step are not independent
        points = self._rng.permutation(qmc.Sobol(size, rng=self._rng).random(self.count))
        z = norm.ppf(np.clip(points, 1e-9, 1 - 1e-9))
        return np.array(mean) + z @ (vectors * np.sqrt(np.maximum(values, 0.0))).T

    def effects(self, family: str) -> np.ndarray:
        """Trait effects at the first and at the later stages, (2, draws, classes, traits)."""
        if family not in self._effects:
            block = self.plain["families"][family]
            place = [(CLASSES.index(e["class_id"]), MODEL_TRAIT_IDS.index(e["trait"])) for e in block["effects"]]
            found = np.zeros((2, self.count, len(CLASSES), len(MODEL_TRAIT_IDS)))
            first = self.normals([e["mean"] for e in block["effects"]], block["covariance"])
            later = first
            if "depth" in block:
                depth = block["depth"]
                later = depth["share"] * first + self.normals(depth["deviation"], depth["covariance"])
            for column, (c, t) in enumerate(place):
                found[0, :, c, t], found[1, :, c, t] = first[:, column], later[:, column]
            self._effects[family] = found
        return self._effects[family]

    def levels(self, stage: str, class_id: str, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Levels (draws, products) and spread between centres (draws,); ``moved``: effects beside their mean."""
        if (stage, class_id) not in self._levels:
            block = self.plain["levels"][stage][class_id]
            grid = block["settings"][self.setting]
            edges = np.cumsum(grid["weight"])[:-1]
            node = np.searchsorted(edges, self._rng.permutation((np.arange(self.count) + 0.5) / self.count))
            each = [self.normals(m, v) for m, v in zip(grid["mean"], grid["covariance"], strict=True)]
            self._levels[stage, class_id] = (
                np.array([each[k][d] for d, k in enumerate(node)]),
                np.array(grid["tau"])[node],
                np.array(block["slope"]),
            )
        level, tau, slope = self._levels[stage, class_id]
        return level + moved @ slope.T, tau

    def smoothed(self, tau: float) -> np.ndarray:
        if tau not in self._tables:
            self._tables[tau] = expit(GRID[:, None] + tau * NODES) @ WEIGHTS
        return self._tables[tau]

    def rates(self, outcome: str, class_id: str, values: np.ndarray, weight: np.ndarray) -> dict[str, np.ndarray]:
        """Rates of every product (draws,) and of the class; ``values`` (patients, traits) with their ``weight``."""
        plain, c = self.plain, CLASSES.index(class_id)
        population, reach = plain["population"], plain["assumptions"]["numeric_reach_sd"]
        binary = np.array(population["binary"])
        width = reach * np.array(population["spread"])
        low = np.where(binary, -np.inf, np.array(population["location"]) - width)
        high = np.where(binary, np.inf, np.array(population["location"]) + width)
        people = np.clip(values, low, high) - np.array(plain["traits"]["reference"])
        effects = self.effects(FAMILY_OF[outcome].id)[:, :, c]
        stages, products = [], plain["levels"][STAGES[outcome][0]][class_id]["products"]
        for position, stage in enumerate(STAGES[outcome]):
            b = effects[min(position, 1)]
            level, tau = self.levels(stage, class_id, b - self._centre(outcome, position, c))
            offset = b @ people.T
            rate = np.empty((len(products), self.count, people.shape[0]))
            for spread in np.unique(tau):
                at = tau == spread
                for p in range(len(products)):
                    rate[p, at] = np.interp(level[at, p, None] + offset[at], GRID, self.smoothed(float(spread)))
            stages.append(rate)
        if len(stages) == 1:
            whole = stages[0]
        elif len(stages) == 2:
            whole = stages[0] * stages[1]
        else:
            whole = stages[0] * (stages[1] + (1 - stages[1]) * stages[2])
        of_product = dict(zip(products, whole @ weight, strict=True))
        return {**of_product, class_id: np.mean(list(of_product.values()), axis=0)}

    def _centre(self, outcome: str, position: int, class_index: int) -> np.ndarray:
        """Where the effects were when the levels were fitted: at their means."""
        block = self.plain["families"][FAMILY_OF[outcome].id]
        centre = np.zeros(len(MODEL_TRAIT_IDS))
        for number, effect in enumerate(block["effects"]):
            if effect["class_id"] == CLASSES[class_index]:
                first = effect["mean"]
                deeper = first
                if position and "depth" in block:
                    deeper = block["depth"]["share"] * first + block["depth"]["deviation"][number]
                centre[MODEL_TRAIT_IDS.index(effect["trait"])] = deeper if position else first
        return centre
