"""Draws of several options' rates at several outcomes together, from what the parameters leave open.

What two numbers have in common is drawn once: the trait effects of a family for both classes, the levels of a class's
products, the spread between centres. Every rate is the linearised one of :mod:`bcma_decide.model.prediction`, so that
one outcome alone ranks the classes as often as their contrast says (:mod:`bcma_decide.model.contrast`); the shares free
of progression at all months are one family. Outcomes of different families are independent. The bias of the comparison
between the classes is drawn once a family, half on each side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bcma_decide.model.draws import DRAWS, normals, uniforms
from bcma_decide.model.normal import logistic
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.model.prediction import Average
from bcma_decide.model.survival import averages_at
from bcma_decide.pooled.evidence import Cell, PooledEvidence
from bcma_decide.vocabulary import CLASSES, FAMILY_OF, PFS

Array = NDArray[np.float64]

_JITTER = 1e-12
"""Variance added where effects are borrowed and their covariance has no Cholesky root."""
_CERTAIN = 1e-14
"""Variance of an effect that is not there."""


def drawn_rates(numbers: PatientNumbers, outcome: str, options: Sequence[str]) -> Array:
    """Draws of the average rates of some options at one outcome, (DRAWS, options); each needs a number there."""
    effects = _effects(numbers.pooled, outcome)
    drawn = np.empty((DRAWS, len(options)))
    for column, option in enumerate(options):
        cell = numbers.pooled.cells[numbers.place[outcome, option]]
        drawn[:, column] = _rates(numbers, cell, effects[cell.class_index])
    return drawn


def drawn_shares(numbers: PatientNumbers, month: int, options: Sequence[str]) -> Array:
    """Draws of the shares free of progression at one month, (DRAWS, options); each option needs a curve.

    The products' normals are the same at every month, so that a curve that is drawn high is high throughout.
    """
    pooled = numbers.pooled
    effects = _drawn(f"{PFS}:effects", pooled.effect_blocks[pooled.family_index[PFS]])
    blocks = {name: block for block in pooled.survival.blocks for name in (CLASSES[block.class_index], *block.products)}
    drawn = np.empty((DRAWS, len(options)))
    averages = averages_at(numbers, options, float(month))
    for column, option in enumerate(options):
        block = blocks[option]
        name = f"{PFS}:{block.class_index}"
        names = [[f"{name}:{product}" for product in block.products]]
        log_odds = _log_odds(averages[option], name, names, effects[block.class_index])
        drawn[:, column] = logistic(log_odds + _bias(PFS, block.class_index, pooled.assumptions["unanchored_sd"]))
    return drawn


def _rates(numbers: PatientNumbers, cell: Cell, effects: Array) -> Array:
    """Rates of one cell, (DRAWS,); ``effects`` (DRAWS, parameters) are those of its class."""
    pooled = numbers.pooled
    average = numbers.averages[numbers.place[cell.outcome, cell.option]]
    blocks = [pooled.blocks[index] for index in cell.stages]
    names = [[f"{block.stage}:{block.class_index}:{product}" for product in block.products] for block in blocks]
    log_odds = _log_odds(average, f"{blocks[0].stage}:{blocks[0].class_index}", names, effects)
    return np.asarray(logistic(log_odds + _bias(cell.family, cell.class_index, pooled.assumptions["unanchored_sd"])))


def _log_odds(average: Average, name: str, levels: Sequence[Sequence[str]], effects: Array) -> Array:
    """Log odds of one average, (DRAWS,).

    ``name`` is that of the spread, whose node is the same for every option and outcome that begins with the same
    stage; ``levels`` those of the products at each stage.
    """
    by_level, by_trait = average.gradient
    node = np.searchsorted(np.cumsum(average.weight)[:-1], uniforms(f"{name}:spread"))
    log_odds = average.logit[node]
    for stage, names in enumerate(levels):
        root = np.linalg.cholesky(average.level_covariance[:, stage] + _JITTER * np.eye(len(names)))
        by_normal = np.einsum("kp,kpq->kq", by_level[:, stage], root)
        for place, own in enumerate(names):
            log_odds += by_normal[node, place] * normals(own)
    log_odds += np.take_along_axis(effects @ by_trait.T, node[:, None], axis=1)[:, 0]
    return np.asarray(log_odds)


def _effects(pooled: PooledEvidence, outcome: str) -> Array:
    """Deviations of the trait parameters from their means, (classes, DRAWS, parameters).

    Those at the first stage and what is added at later ones are independent, and shared by the outcomes of a family.
    """
    covariance, traits = pooled.outcome_covariance[outcome], pooled.trait_count
    family = FAMILY_OF[outcome].id
    parts = [_drawn(f"{family}:effects", covariance[:, :traits, :, :traits])]
    if covariance.shape[1] > traits:
        parts.append(_drawn(f"{family}:depth", covariance[:, traits:, :, traits:]))
    return np.concatenate(parts, axis=2)


def _drawn(name: str, covariance: Array) -> Array:
    """Draws of normals with mean 0 and this covariance, (classes, DRAWS, traits)."""
    classes, traits = covariance.shape[:2]
    joint = covariance.reshape(classes * traits, classes * traits)
    acting = np.flatnonzero(np.diag(joint) > _CERTAIN)
    drawn = np.zeros((DRAWS, classes * traits))
    if acting.size:
        root = np.linalg.cholesky(joint[np.ix_(acting, acting)] + _JITTER * np.eye(acting.size))
        drawn[:, acting] = np.column_stack([normals(f"{name}:{place}") for place in acting.tolist()]) @ root.T
    return np.stack(np.split(drawn, classes, axis=1))


def _bias(family: str, class_index: int, sd: float) -> Array:
    """Half of the bias of the comparison between the classes, with the sign of the class, (DRAWS,)."""
    return (0.5 - class_index) * sd * normals(f"{family}:bias")
