"""The predictors that are compared: the patient model as it is shipped, and three simpler ones refitted beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bcma_decide.workshop.evidence.selection import SelectedRow
from bcma_decide.workshop.validation.forecast import Forecast
from bcma_decide.workshop.validation.held_out import Evidence, HeldOutEffects, Predict, model_forecast
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


def forecasts(
    evidence: Evidence, effects: HeldOutEffects, row: SelectedRow, rest: Sequence[SelectedRow]
) -> dict[str, Forecast]:
    """What every predictor says of a row from the other rows of its class, by predictor.

    Parameters
    ----------
    evidence
        From which the patient model takes its rows, those that belong together with the row's study left out.
    effects
        Trait effects fitted without what is to be predicted.
    row, rest
        The row, and the others of its class and outcome that the simpler predictors take.
    """
    model = model_forecast(evidence, row.outcome, row, effects)
    return {PATIENT_MODEL: model} | {name: predict(rest, row) for name, predict in BASELINES.items()}
