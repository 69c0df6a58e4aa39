"""Virtual cohorts have the margins and correlations they are told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from bcma_decide.workshop.patient_model.virtual_cohort import (
    Margin,
    bivariate_normal_cdf,
    cohort,
    correlated_points,
    nearest_correlation,
    tetrachoric,
)
from tests.support.examples import examples


@pytest.mark.parametrize(("h", "k", "rho"), [(0.3, -0.7, 0.5), (-1.2, 0.4, -0.6), (0.0, 0.0, 0.5), (2.0, 1.0, 0.9)])
def test_bivariate_normal_agrees_with_scipy(h, k, rho):
    expected = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([h, k])
    assert expected == pytest.approx(bivariate_normal_cdf(h, k, rho), abs=1e-6)


def test_bivariate_normal_at_the_origin_is_sheppards_formula():
    # Sheppard 1899: P(X <= 0, Y <= 0) = 1/4 + arcsin(rho) / (2 pi); rho = 1/2 gives 1/4 + 1/12 = 1/3
    assert pytest.approx(1 / 3, abs=1e-9) == bivariate_normal_cdf(0.0, 0.0, 0.5)


def test_tetrachoric_of_a_median_split_is_sheppards_inverse():
    # both margins at the median: rho = sin(2 pi (p11 - 1/4)); p11 = 40/100 gives sin(0.3 pi) = 0.80902
    assert pytest.approx(0.809017, abs=1e-6) == tetrachoric([[40, 10], [10, 40]])


def test_tetrachoric_of_independent_traits_is_zero_and_changes_sign_with_the_table():
    assert pytest.approx(0.0, abs=1e-8) == tetrachoric([[10, 30], [20, 60]])
    assert tetrachoric([[30, 20], [10, 40]]) == pytest.approx(-tetrachoric([[20, 30], [40, 10]]), abs=1e-8)


def test_an_empty_cell_still_gives_a_correlation_below_one():
    assert 0.5 < tetrachoric([[12, 38], [0, 63]]) <= 0.95


def test_cohort_has_the_prevalence_the_mean_and_the_spread_it_is_told():
    points = correlated_points(np.eye(3), 1024)
    values = cohort(points, [Margin(True, 0.3, 0.0), Margin(False, 6.5, 0.9), Margin(True, 0.02, 0.0)])
    assert pytest.approx(0.3, abs=0.005) == values[:, 0].mean()
    assert pytest.approx(6.5, abs=0.01) == values[:, 1].mean()
    assert pytest.approx(0.9, abs=0.01) == values[:, 1].std()
    assert pytest.approx(0.02, abs=0.003) == values[:, 2].mean()


def test_a_trait_nobody_or_everybody_has_is_constant():
    values = cohort(correlated_points(np.eye(2), 64), [Margin(True, 0.0, 0.0), Margin(True, 1.0, 0.0)])
    assert values[:, 0].max() == 0.0
    assert values[:, 1].min() == 1.0


def test_points_carry_the_correlation_and_are_the_same_every_time():
    correlation = np.array([[1.0, 0.6], [0.6, 1.0]])
    points = correlated_points(correlation, 1024)
    assert pytest.approx(0.6, abs=0.02) == np.corrcoef(points.T)[0, 1]
    assert (points == correlated_points(correlation, 1024)).all()


@examples(50)
@given(st.lists(st.floats(-0.95, 0.95), min_size=6, max_size=6))
def test_the_nearest_correlation_is_positive_definite_with_a_unit_diagonal(values):
    matrix = np.eye(4)
    matrix[np.triu_indices(4, 1)] = values
    matrix = np.maximum(matrix, matrix.T) + np.minimum(matrix, matrix.T) - np.diag(np.diag(matrix))
    found = nearest_correlation(matrix)
    assert np.linalg.eigvalsh(found).min() > 0
    assert np.diag(found) == pytest.approx(np.ones(4))


def test_a_matrix_that_is_a_correlation_already_stays_as_it_is():
    matrix = np.array([[1.0, 0.3], [0.3, 1.0]])
    assert matrix == pytest.approx(nearest_correlation(matrix), abs=1e-12)
