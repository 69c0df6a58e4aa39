"""Tests and intervals of coefficients by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.coefficients import checked_design, coefficients, predictions, wald_test


def test_normal_tests_by_hand():
    """2 with variance 1 and 3 with variance 4: z of 2 and 1.5, p-values from tables."""
    found = coefficients(["a", "b"], np.array([2.0, 3.0]), np.diag([1.0, 4.0]))
    assert found.statistic == pytest.approx([2, 1.5])
    assert found.p == pytest.approx([0.0455002639, 0.1336144025], rel=1e-9)
    assert found.ci[0] == pytest.approx([2 - 1.95996398454, 2 + 1.95996398454], rel=1e-9)
    assert found.df is None


def test_t_tests_by_hand():
    """With 1 and 2 degrees of freedom, quantiles 12.706205 and 4.302653."""
    found = coefficients(["a", "b"], np.array([2.0, 3.0]), np.diag([1.0, 4.0]), np.array([1.0, 2.0]))
    assert found.ci[:, 1] == pytest.approx([2 + 12.7062047362, 3 + 2 * 4.3026527297], rel=1e-9)
    assert found.p == pytest.approx([1 - 2 / np.pi * np.arctan(2), 1 - 1.5 / np.sqrt(2 + 1.5**2)], rel=1e-9)


def test_wald_tests_by_hand():
    """Independent coefficients: the sum of their squared z is chi-squared, its half F."""
    estimate, vcov = np.array([9.0, 2.0, 3.0]), np.diag([1.0, 1.0, 4.0])
    by_chi2, by_f = wald_test(estimate, vcov, (1, 2)), wald_test(estimate, vcov, (1, 2), 2)
    assert (by_chi2.statistic, by_chi2.df, by_chi2.p) == pytest.approx((6.25, 2, np.exp(-6.25 / 2)))
    assert (by_f.statistic, by_f.df, by_f.df_residual, by_f.p) == pytest.approx((3.125, 2, 2, 1 / (1 + 3.125)))


def test_predictions_by_hand():
    """At x = 2: 1 + 2 * 3 with variance 1 + 4 * 0.25, and a spread of 2 on top for a further study."""
    fitted = coefficients(["intercept", "x"], np.array([1.0, 3.0]), np.diag([1.0, 0.25]))
    found = predictions(fitted, [[1, 2]], 2.0)
    assert (found.estimate[0], found.se[0]) == pytest.approx((7, np.sqrt(2)))
    assert found.prediction[0] == pytest.approx([7 - 2 * 1.95996398454, 7 + 2 * 1.95996398454], rel=1e-9)
    assert predictions(fitted, [[1, 2]], None).prediction is None


def test_moderators_are_the_columns_that_vary():
    """Without any, the intercept is what is tested."""
    assert checked_design([[1, 2, 0], [1, 3, 1], [1, 4, 0]], 3).moderators == (1, 2)
    assert checked_design(None, 3).moderators == (0,)
    assert checked_design([[0, 1], [1, 0], [1, 0]], 3).moderators == (0, 1)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_rank_does_not_depend_on_units(scale):
    """Independent columns pass and repeated ones do not, in any unit."""
    X = np.array([[1, 3], [1, 4], [1, 6]], dtype=float)
    assert checked_design(X * [1, scale], 3).p == 2
    with pytest.raises(SynthesisError, match="column 2 is a combination of the columns before it"):
        checked_design(np.column_stack([X, X @ [2, 3]]) * [1, scale, scale], 3)
    with pytest.raises(SynthesisError, match="column 1 is a combination"):
        checked_design(X * [1, 0], 3)
