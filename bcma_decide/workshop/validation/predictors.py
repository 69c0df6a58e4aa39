"""The predictors that are compared: the patient model as it is shipped, and three simpler ones refitted beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bcma_decide.vocabulary import CLASSES, MODEL_TRAIT_IDS, ClassId
from bcma_decide.workshop.evidence.selection import SelectedRow
from bcma_decide.workshop.patient_model.family_fit import FamilyEffects
from bcma_decide.workshop.validation.forecast import Forecast
from bcma_decide.workshop.validation.held_out import Evidence, Predict, patient_model
from bcma_decide.workshop.validation.simple_models import class_reml, product_bayes, product_reml

PATIENT_MODEL: Final = "patient_model"
BASELINES: Final[Mapping[str, Predict]] = {
    "class_reml": class_reml,
    "product_reml": product_reml,
    "product_bayes": product_bayes,
}
"""The simpler predictors, by the name they have in results."""
LABELS: Final[Mapping[str, str]] = {
    PATIENT_MODEL: "patient model",
    "class_reml": "class, REML",
    "product_reml": "product, REML",
    "product_bayes": "product, Bayes",
}
"""Every predictor in words, the patient model first."""


def shipped_model(evidence: Evidence, effects: FamilyEffects, class_id: ClassId) -> Predict:
    """The patient model of one class with trait effects that were fitted without what is to be predicted."""
    index, count = CLASSES.index(class_id), len(MODEL_TRAIT_IDS)
    of_class = slice(index * count, (index + 1) * count)
    return patient_model(evidence, effects.mean[index], effects.covariance[of_class, of_class])


def forecasts(
    evidence: Evidence, effects: FamilyEffects, row: SelectedRow, rest: Sequence[SelectedRow]
) -> dict[str, Forecast]:
    """What every predictor says of a row from the other rows of its class, by predictor."""
    model = shipped_model(evidence, effects, row.class_id)
    return {PATIENT_MODEL: model(rest, row)} | {name: predict(rest, row) for name, predict in BASELINES.items()}
