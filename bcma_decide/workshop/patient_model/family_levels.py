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
from bcma_decide.workshop.patient_model.class_fit import BASELINE_POINTS, ClassFit, fit_class, setting_prior
from bcma_decide.workshop.patient_model.preparation import Inputs, Workshop
from bcma_decide.workshop.patient_model.stages import (
    Counted,
    complete_of_responders,
    deep_without_complete,
    of_all,
)
from bcma_decide.workshop.patient_model.virtual_cohort import cohort

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


class FamilyLevels:
    """Fits the stages of one family in one class when they are asked for, each once.

    ``fit`` gives a stage's levels of the offered products, or with a ``target`` that of one arm; None where no arm
    counts anything.
    """

    def __init__(
        self,
        workshop: Workshop,
        inputs: Inputs,
        family: Family,
        rows: Rows,
        effects: StageEffects,
        prior: BaselinePrior,
    ) -> None:
        self._workshop, self._inputs, self._family = workshop, inputs, family
        self._rows, self._effects, self._prior = rows, effects, prior
        self._counted: dict[str, tuple[Counted, ...]] = {}
        self._fits: dict[str, ClassFit | None] = {}

    def fit(self, stage: str, target: SelectedRow | None = None) -> ClassFit | None:
        """Levels at one stage."""
        if target is None and stage in self._fits:
            return self._fits[stage]
        counted = self.counted(stage)
        fitted = None
        if counted:
            first = STAGES[self._family.thresholds[0].id][0]
            earlier = None if stage == first else self.fit(first)
            prior = setting_prior(self._prior, self._inputs.assumptions, counted, earlier)
            fitted = fit_class(self._workshop, self._inputs, counted, self._effects.of(stage), prior, target)
        if target is None:
            self._fits[stage] = fitted
        return fitted

    def counted(self, stage: str) -> tuple[Counted, ...]:
        """The arms of one stage with what they count there."""
        if stage not in self._counted:
            self._counted[stage] = self._count(stage)
        return self._counted[stage]

    def _count(self, stage: str) -> tuple[Counted, ...]:
        if stage == CR_GIVEN_RESPONSE:
            return complete_of_responders(self._rows["orr"], self._rows["cr_or_better"])
        if stage == VGPR_WITHOUT_CR:
            if not self.counted(CR_GIVEN_RESPONSE):
                return ()
            return deep_without_complete(
                self._rows["orr"], self._rows["cr_or_better"], self._rows["vgpr_or_better"], self._complete_expected
            )
        return of_all(self._rows[stage])

    def _complete_expected(self, row: SelectedRow) -> tuple[float, float]:
        fitted = self.fit(CR_GIVEN_RESPONSE, row)
        assert fitted is not None  # asked only where arms count complete responses
        base = fitted.baselines
        margins = self._workshop.margins_of(self._inputs.studies[row.study])
        patients = cohort(self._workshop.latent[:BASELINE_POINTS], margins) - self._workshop.reference
        spread = np.sqrt(base.node_covariance[:, 0, 0] + base.node_tau**2)
        points, weight = hermite(CENTRE_POINTS)
        level = base.node_mean[:, :1] + spread[:, None] * points
        rate = expit(level[..., None] + patients @ self._effects.later).mean(axis=-1)
        mass = base.node_weight[:, None] * weight
        mean = float((mass * rate).sum())
        return mean, float((mass * (rate - mean) ** 2).sum())
