"""What a meta-regression expects of studies with stated moderator values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from bcma_decide.workshop.meta_analysis.checks import FloatArray, checked_choice
from bcma_decide.workshop.meta_analysis.effect_sizes import Measure, back_transform, harmonic_mean
from bcma_decide.workshop.meta_analysis.meta_regression import MetaRegression
from bcma_decide.workshop.meta_analysis.moderators import Value, code_new
from bcma_decide.workshop.meta_analysis.random_effects import Interval, interval

__all__ = [
    "REGRESSION_PREDICTION_DFS",
    "PredictedProportion",
    "Prediction",
    "RegressionPredictionDf",
    "predict",
    "predict_proportions",
]

RegressionPredictionDf = Literal["k-p-1", "k-p", "normal"]
REGRESSION_PREDICTION_DFS: tuple[RegressionPredictionDf, ...] = get_args(RegressionPredictionDf)

_NOTICEABLE = 0.1
"""Relative difference that counts as one: 20 % that could as well be read as 22 %."""


@dataclass(frozen=True)
class Prediction:
    """Mean effect at stated moderator values, its interval, and where a new such study would lie.

    ``prediction`` is ``None`` with method EE, where tau2 is assumed, and where its degrees of freedom are used up.
    """

    estimate: float
    se: float
    ci: Interval
    prediction: Interval | None


@dataclass(frozen=True)
class PredictedProportion:
    """A prediction as proportions; ``note`` says where the Freeman-Tukey scale misleads, else it is ``None``."""

    estimate: float
    ci: Interval
    prediction: Interval | None
    note: str | None


def predict(
    model: MetaRegression,
    values: Mapping[str, Sequence[Value]],
    *,
    prediction_df: RegressionPredictionDf = "k-p-1",
) -> tuple[Prediction, ...]:
    """Predict the effect of studies with stated moderator values.

    Parameters
    ----------
    model : MetaRegression
    values : mapping of str to sequence, all of length m
        A value of every moderator for each of m predictions.
    prediction_df : {"k-p-1", "k-p", "normal"}
        Distribution of the prediction interval ``estimate +- q sqrt(tau2 + se^2)``: t with one degree of freedom for
        each coefficient and one for tau2 spent, as Higgins, Thompson and Spiegelhalter (2009) do for a mean; t with
        k - p; or normal.

    Raises
    ------
    SynthesisError
        If the option is unknown, or for any reason `moderators.code_new` gives.
    """
    checked_choice("prediction_df", prediction_df, REGRESSION_PREDICTION_DFS)
    rows = code_new(model.moderators, values)
    left = float(model.q.df)
    df = {"k-p-1": left - 1, "k-p": left, "normal": None}[prediction_df]
    variances = np.einsum("mi,ij,mj->m", rows, model.covariance, rows)
    predicted = []
    for estimate, variance in zip((rows @ model.estimates).tolist(), variances.tolist(), strict=True):
        se = float(np.sqrt(variance))
        spread_known = model.method != "EE" and df != 0
        predicted.append(
            Prediction(
                estimate,
                se,
                interval(estimate, se, model.coefficients[0].df, model.level),
                interval(estimate, float(np.sqrt(model.tau2 + variance)), df, model.level) if spread_known else None,
            )
        )
    return tuple(predicted)


def predict_proportions(
    predictions: Sequence[Prediction], measure: Measure, total: npt.ArrayLike
) -> tuple[PredictedProportion, ...]:
    """Predictions on the scale of ``measure`` as proportions.

    Freeman-Tukey is read back at the harmonic mean of the study sizes (Miller 1978). A prediction has no size of its
    own, so each result where that choice matters says so in its ``note``: the value lies outside what a study of that
    size can have, or reading it at the smallest and at the largest study gives proportions that differ by more than a
    tenth (Schwarzer, Chemaitelly, Abu-Raddad and Rücker 2019).

    Parameters
    ----------
    predictions : sequence of Prediction
    measure : {"logit", "raw", "arcsine", "freeman_tukey", "log"}
    total : array_like, shape (k,)
        Sizes of the studies used.

    Raises
    ------
    SynthesisError
        If the measure is unknown or a size is not a positive number.
    """
    size = harmonic_mean(total)
    sizes = (float(np.min(np.asarray(total))), float(np.max(np.asarray(total))))
    proportions = []
    for one in predictions:
        ends = (one.estimate, *one.ci, *(one.prediction or ()))
        back = back_transform(ends, measure, size)
        low, high = (pair for pair in (back[1:3].tolist(), back[3:].tolist()))
        proportions.append(
            PredictedProportion(
                float(back[0]),
                (low[0], low[1]),
                (high[0], high[1]) if high else None,
                _note(one.estimate, back, size, sizes) if measure == "freeman_tukey" else None,
            )
        )
    return tuple(proportions)


def _note(y: float, back: FloatArray, size: float, sizes: tuple[float, float]) -> str | None:
    smallest, largest = (float(back_transform(y, "freeman_tukey", n)) for n in sizes)
    if back[0] in (0, 1):
        return (
            f"The predicted mean lies outside the Freeman-Tukey scale at the harmonic mean of the study sizes "
            f"({size:.4g}) and is cut to {back[0]:g}; use the logit scale."
        )
    if abs(smallest - largest) > _NOTICEABLE * max(smallest, largest):
        return (
            f"Freeman-Tukey has no inverse without a study size: at the harmonic mean of the sizes ({size:.4g}) the "
            f"predicted mean is {back[0]:.4g}, at the smallest study ({sizes[0]:g}) {smallest:.4g}, at the largest "
            f"({sizes[1]:g}) {largest:.4g}; use the logit scale."
        )
    return None
