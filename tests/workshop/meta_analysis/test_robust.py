"""Cluster-robust standard errors: metafor's robust(), hand calculation, and matrices written out in full."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.multilevel import fit_multilevel
from bcma_decide.workshop.meta_analysis.robust import robust_coefficients
from tests.support.cases import for_each
from tests.support.examples import examples
from tests.workshop.meta_analysis.support.nested_tables import nested_tables

TABLES = [pytest.param(table, id=table.name) for table in nested_tables()]


def robust(table, correction):
    """Robust coefficients of the REML fit of a table, and the variances of its working model."""
    fit = fit_multilevel(table.yi, table.vi, table.studies, table.design)
    variances = table.vi + fit.within
    found = robust_coefficients(
        table.yi, variances, table.studies, table.design, shared=fit.between, correction=correction
    )
    return found, variances, fit.between


@for_each("table", TABLES)
def test_the_default_is_that_of_metafor(table):
    """Standard errors, degrees of freedom and intervals, at rma.mv's own optimum."""
    expected, (found, *_) = table.fits["REML_z"]["robust_CR1"], robust(table, "CR1")
    assert np.atleast_1d(expected["se"]) == pytest.approx(found.se, rel=1e-6)
    assert [expected["df"]] * found.se.size == found.df.tolist()
    ends = np.column_stack([np.atleast_1d(expected[end]) for end in ("ci_lb", "ci_ub")])
    assert ends == pytest.approx(found.ci, rel=1e-6, abs=1e-6)


@for_each("table", TABLES)
def test_unbiased_errors_agree_with_full_matrices(table):
    """CR2 and its degrees of freedom from k-by-k matrices, as Pustejovsky and Tipton (2018) write them."""
    found, variances, shared = robust(table, "CR2")
    studies, X, k = np.array(table.studies), table.design, table.yi.size
    V = np.diag(variances) + shared * (studies[:, None] == studies)
    W = np.linalg.inv(V)
    M = np.linalg.inv(X.T @ W @ X)
    rest = np.eye(k) - X @ M @ X.T @ W
    meat, vectors = 0.0, []
    for name in dict.fromkeys(table.studies):
        rows = studies == name
        D = np.linalg.cholesky(V[np.ix_(rows, rows)]).T
        values, directions = np.linalg.eigh(D @ (rest @ V @ rest.T)[np.ix_(rows, rows)] @ D.T)
        A = D.T @ (directions / np.sqrt(values)) @ directions.T @ D
        weighted = W[np.ix_(rows, rows)] @ X[rows]
        score = weighted.T @ A @ (rest @ table.yi)[rows]
        meat = meat + np.outer(score, score)
        vectors.append(rest[rows].T @ A.T @ weighted @ M)
    assert M @ meat @ M == pytest.approx(found.vcov, rel=1e-7, abs=1e-12)
    for column, df in enumerate(found.df):
        P = np.array(vectors)[:, :, column]
        covariances = P @ V @ P.T
        assert np.trace(covariances) ** 2 / np.square(covariances).sum() == pytest.approx(df, rel=1e-7)


def test_three_clusters_by_hand():
    """Rows 0, 2 / 4 / 6, 8 with equal weights 1: mean 4, residuals -4, -2 / 0 / 2, 4, and their sums -6, 0, 6.

    CR0: (36 + 0 + 36) / 25 = 2.88; CR1: times 3 / 2. Two degrees of freedom, t quantile 4.302653.
    """
    inputs = [0, 2, 4, 6, 8], [1] * 5, ["a", "a", "b", "c", "c"]
    plain, scaled = robust_coefficients(*inputs, correction="CR0"), robust_coefficients(*inputs)
    assert plain.estimate == pytest.approx([4])
    assert plain.vcov[0, 0] == pytest.approx(2.88)
    assert scaled.vcov[0, 0] == pytest.approx(4.32)
    assert scaled.ci[0] == pytest.approx([4 - 4.3026527297 * math.sqrt(4.32), 4 + 4.3026527297 * math.sqrt(4.32)])
    assert plain.df.tolist() == scaled.df.tolist() == [2]


def test_equal_clusters_of_a_mean_by_hand():
    """CR2 of a mean over m clusters of one size is the variance of their means over m, with m - 1 df."""
    found = robust_coefficients([0, 2, 4, 6, 11, 13], [1] * 6, ["a", "a", "b", "b", "c", "c"], correction="CR2")
    assert found.vcov[0, 0] == pytest.approx(np.var([1, 5, 12], ddof=1) / 3)
    assert found.df == pytest.approx([2])


@for_each(
    ("change", "message"),
    [
        pytest.param({"correction": "CR3"}, "correction is 'CR3', but must be one of CR0, CR1, CR2", id="correction"),
        pytest.param({"shared": -1}, "shared is -1", id="shared"),
        pytest.param({"shared": math.nan}, "shared is nan", id="shared-nan"),
        pytest.param({"clusters": ["a"] * 4}, "need more than 1 clusters, not 1", id="one-cluster"),
        pytest.param({"clusters": ["a"]}, "studies has 1 rows", id="lengths"),
        pytest.param({"variances": [1, 1, 1, -1]}, r"vi\[3\] is -1", id="variance"),
        pytest.param({"level": 7}, "level is 7", id="level"),
        pytest.param({"yi": [1, 1, 1, 1]}, "the rows fit exactly", id="exact"),
        pytest.param(
            {"design": [[1, 0], [1, 0], [1, 0], [1, 1]], "names": ["intercept", "last"], "clusters": list("abcd")},
            "last rests on cluster 'd' alone",
            id="one-study-dummy",
        ),
    ],
)
@for_each("correction", ["CR1", "CR2"])
def test_what_cannot_be_said_is_refused(correction, change, message):
    """Each message says what is wrong and where."""
    inputs = {
        "yi": [0, 1, 3, 5], "variances": [1] * 4, "clusters": ["a", "a", "b", "c"], "correction": correction
    } | change  # fmt: skip
    with pytest.raises(SynthesisError, match=message):
        robust_coefficients(**inputs)


steady = examples(40)
ROWS = st.lists(st.tuples(st.floats(-3, 3), st.floats(0.05, 2)), min_size=4, max_size=12, unique=True)


@steady
@given(ROWS)
def test_single_rows_leave_the_heteroscedastic_forms(table):
    """Each row its own cluster: White's covariance, and with CR2 residuals over the root of one minus leverage."""
    y, v = np.array(table).T
    X, w = np.column_stack([np.ones(y.size), np.arange(y.size)]), 1 / v
    M = np.linalg.inv(X.T @ (w[:, None] * X))
    squares = np.square(y - X @ M @ (X.T @ (w * y)))
    leverage = w * np.einsum("ij,jk,ik->i", X, M, X)
    for correction, meat in (("CR0", squares), ("CR2", squares / (1 - leverage))):
        expected = M @ (X.T @ ((w**2 * meat)[:, None] * X)) @ M
        if np.diag(expected).min() > 1e-9:
            found = robust_coefficients(y, v, range(y.size), X, correction=correction)
            np.testing.assert_allclose(found.vcov, expected, rtol=1e-6, atol=1e-9)


@steady
@given(ROWS, st.sampled_from(["CR0", "CR1", "CR2"]), st.randoms(use_true_random=False))
def test_order_and_shift_change_nothing(table, correction, random):
    """Rows shuffled and shifted give the same standard error."""
    y, v = np.array(table).T
    clusters = ["abc"[row % 3] for row in range(y.size)]
    try:
        fit = robust_coefficients(y, v, clusters, correction=correction, shared=0.3)
    except SynthesisError:
        return
    order = random.sample(range(y.size), y.size)
    again = robust_coefficients(
        y[order] + 2, v[order], [clusters[row] for row in order], correction=correction, shared=0.3
    )
    assert again.estimate[0] == pytest.approx(fit.estimate[0] + 2, abs=1e-9)
    assert again.se == pytest.approx(fit.se, rel=1e-6, abs=1e-9)
