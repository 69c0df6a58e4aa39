"""Regression of rows that share controls on moderators, in the shape of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.coefficients import NamedDesignMatrix, coefficients, predictions, wald_test
from bcma_decide.workshop.meta_analysis.correlated import CorrelatedFit, fit_correlated
from bcma_decide.workshop.meta_analysis.moderators import INTERCEPT, Moderators, code_new
from bcma_decide.workshop.meta_analysis.pooled import prediction_interval
from bcma_decide.workshop.meta_analysis.predictions import Prediction
from bcma_decide.workshop.own_table.rows import coefficient_rows, pairs
from bcma_decide.workshop.synthesis.model import PoolingMethod
from bcma_decide.workshop.synthesis.result import correlated_options
from bcma_decide.workshop.synthesis.studies import Studies

__all__ = ["CorrelatedRegression"]


class CorrelatedRegression:
    """A fit of studies with a covariance on the rows and columns of a design.

    Raises
    ------
    SynthesisError
        For a method or test that takes rows for independent.
    """

    def __init__(self, studies: Studies, design: Moderators, model: PoolingMethod) -> None:
        used = studies.of(design.rows)
        V = np.diag(used.vi) if used.covariance is None else used.covariance
        self.design, self.model = design, model
        self.fit = self._fitted(used.yi, V, design.matrix, design.names)
        self.without = self._fitted(used.yi, V, design.matrix[:, :1], (INTERCEPT,))
        self._coefficients = coefficients(self.fit.names, self.fit.estimate, self.fit.vcov, self.fit.df, model.level)
        self.rows = coefficient_rows(self._coefficients)
        self.moderators = wald_test(self.fit.estimate, self.fit.vcov, range(1, len(design.names)), self.fit.df)

    def _fitted(self, y: FloatArray, V: FloatArray, X: FloatArray, names: tuple[str, ...]) -> CorrelatedFit:
        method, test = correlated_options(self.model)
        return fit_correlated(y, V, NamedDesignMatrix(X, names), method=method, test=test, level=self.model.level)

    @property
    def r2(self) -> float | None:
        """Percentage of the variance between rows that the moderators explain; ``None`` where there is none."""
        before, left = self.without.tau2.value, self.fit.tau2.value
        return 100 * max(0.0, before - left) / before if before > 0 else None

    def expected(self, at: Mapping[str, Sequence[float | str]]) -> tuple[Prediction, ...]:
        """The mean at values of the moderators, and where a new row would lie."""
        found = predictions(self._coefficients, code_new(self.design, at), None)
        left, tau2 = float(self.fit.q.df), self.fit.tau2
        return tuple(
            Prediction(
                estimate,
                se,
                ends,
                None
                if tau2.se is None
                else prediction_interval(estimate, se, tau2.value, left, self.model.prediction, self.model.level),
            )
            for estimate, se, ends in zip(found.estimate.tolist(), found.se.tolist(), pairs(found.ci), strict=True)
        )
