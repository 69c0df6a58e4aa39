"""All stages of one family in one class, each fitted to its own counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from bcma_decide.model.normal import hermite
from bcma_decide.vocabulary import CR_GIVEN_RESPONSE, STAGES, VGPR_WITHOUT_CR, Family
from bcma_decide.workshop.evidence.selection import SelectedRow
from bcma_decide.workshop.patient_model.baselines import BaselinePrior
from bcma_decide.workshop.patient_model.class_fit import ClassFit, arm_patients, fit_class, setting_prior
from bcma_decide.workshop.patient_model.depth import DepthEffects
from bcma_decide.workshop.patient_model.family_fit import FamilyEffects
from bcma_decide.workshop.patient_model.preparation import Inputs, Workshop
from bcma_decide.workshop.patient_model.stages import (
    Counted,
    complete_of_responders,
    deep_without_complete,
    of_all,
)

Array = NDArray[np.float64]
Rows = Mapping[str, Sequence[SelectedRow]]
"""Outcome -> its rows of one class."""
CENTRE_POINTS = 9


@dataclass(frozen=True)
class StageEffects:
    """Trait effects of one class at the first stage of an outcome and at the later ones, (traits,) each."""

    first: Array
    later: Array

    def of(self, stage: str) -> Array:
        """Those of one stage."""
        return self.later if stage in (CR_GIVEN_RESPONSE, VGPR_WITHOUT_CR) else self.first


def stage_effects(effects: FamilyEffects, depth: DepthEffects | None) -> tuple[StageEffects, ...]:
    """Trait effects by class; without ``depth`` the family has no later stages."""
    later = effects.mean if depth is None else depth.effects(effects.mean)
    return tuple(StageEffects(first, deeper) for first, deeper in zip(effects.mean, later, strict=True))


@dataclass(frozen=True)
class FamilyRows:
    """What the levels of one family in one class are fitted to, and under which prior."""

    workshop: Workshop
    inputs: Inputs
    family: Family
    rows: Rows
    effects: StageEffects
    prior: BaselinePrior


def product_levels(data: FamilyRows) -> dict[str, ClassFit | None]:
    """Levels of the offered products at every stage of the family; None where no arm counts anything.

    Raises
    ------
    SynthesisError
        When a fit does not converge.
    """
    first = _fitted(data, _first(data.family), None)
    stages = dict.fromkeys(stage for threshold in data.family.thresholds for stage in STAGES[threshold.id])
    return {stage: first if stage == _first(data.family) else _fitted(data, stage, first) for stage in stages}


def arm_levels(data: FamilyRows, outcome: str, target: SelectedRow) -> list[ClassFit | None]:
    """The level of one arm at every stage of an outcome; None where no other arm counts anything.

    Raises
    ------
    SynthesisError
        When a fit does not converge.
    """
    stages = STAGES[outcome]
    alone = stages == (_first(data.family),)
    first = None if alone else _fitted(data, _first(data.family), None)
    return [_fitted(data, stage, first, target) for stage in stages]


def _first(family: Family) -> str:
    return STAGES[family.thresholds[0].id][0]


def _fitted(data: FamilyRows, stage: str, first: ClassFit | None, target: SelectedRow | None = None) -> ClassFit | None:
    """One stage; ``first`` is the fit of the family's first one, which a first stage itself does not look at."""
    counted = _counted(data, stage, first)
    if not counted:
        return None
    earlier = None if stage == _first(data.family) else first
    prior = setting_prior(data.prior, data.inputs.assumptions, counted, earlier)
    return fit_class(data.workshop, data.inputs, counted, data.effects.of(stage), prior, target)


def _counted(data: FamilyRows, stage: str, first: ClassFit | None) -> tuple[Counted, ...]:
    """The arms of one stage with what they count there."""
    rows = data.rows
    if stage == CR_GIVEN_RESPONSE:
        return complete_of_responders(rows["orr"], rows["cr_or_better"])
    if stage == VGPR_WITHOUT_CR:
        if not complete_of_responders(rows["orr"], rows["cr_or_better"]):
            return ()
        return deep_without_complete(
            rows["orr"], rows["cr_or_better"], rows["vgpr_or_better"], lambda row: _complete_expected(data, row, first)
        )
    return of_all(rows[stage])


def _complete_expected(data: FamilyRows, row: SelectedRow, first: ClassFit | None) -> tuple[float, float]:
    fitted = _fitted(data, CR_GIVEN_RESPONSE, first, row)
    assert fitted is not None  # asked only where arms count complete responses
    base = fitted.baselines
    patients, _ = arm_patients(data.workshop, data.inputs.studies[row.study])
    spread = np.sqrt(base.node_covariance[:, 0, 0] + base.node_tau**2)
    points, weight = hermite(CENTRE_POINTS)
    level = base.node_mean[:, :1] + spread[:, None] * points
    rate = expit(level[..., None] + patients @ data.effects.later).mean(axis=-1)
    mass = base.node_weight[:, None] * weight
    mean = float((mass * rate).sum())
    return mean, float((mass * (rate - mean) ** 2).sum())
