"""What a meta-regression expects of studies with stated moderator values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from bcma_decide.workshop.meta_analysis.checks import checked_choice
from bcma_decide.workshop.meta_analysis.meta_regression import MetaRegression
from bcma_decide.workshop.meta_analysis.moderators import Value, code_new
from bcma_decide.workshop.meta_analysis.random_effects import Interval, interval

__all__ = [
    "REGRESSION_PREDICTION_DFS",
    "Prediction",
    "RegressionPredictionDf",
    "predict",
]

RegressionPredictionDf = Literal["k-p-1", "k-p", "normal"]
REGRESSION_PREDICTION_DFS: tuple[RegressionPredictionDf, ...] = get_args(RegressionPredictionDf)


@dataclass(frozen=True)
class Prediction:
    """Mean effect at stated moderator values, its interval, and where a new such study would lie.

    ``prediction`` is ``None`` with method EE, where tau2 is assumed, and where its degrees of freedom are used up.
    """

    estimate: float
    se: float
    ci: Interval
    prediction: Interval | None


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
