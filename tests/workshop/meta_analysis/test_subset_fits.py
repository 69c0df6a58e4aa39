"""Subsets pooled together are the subsets pooled one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis import subset_fits
from bcma_decide.workshop.meta_analysis.heterogeneity import METHODS
from bcma_decide.workshop.meta_analysis.pooling import TESTS, pool
from bcma_decide.workshop.meta_analysis.subset_fits import fit_subsets, joined, row_blocks
from tests.support.cases import for_each
from tests.support.examples import examples

steady = examples(8)
TOGETHER = [(method, test) for method in METHODS for test in TESTS if test != "kenward_roger" or method == "REML"]
STUDIES = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 5)), min_size=2, max_size=9)


def one_by_one(y, v, kept, **options):
    """The fields of `SubsetFits` from `pool`, with nan for what one study leaves unknown."""
    fits = [pool(y[row], v[row], **options) for row in kept]
    nan = float("nan")
    return {
        "k": [fit.k for fit in fits],
        "estimate": [fit.estimate for fit in fits],
        "se": [fit.se for fit in fits],
        "ci_low": [fit.ci[0] for fit in fits],
        "ci_high": [fit.ci[1] for fit in fits],
        "q": [fit.q for fit in fits],
        "q_p": [nan if fit.q_p is None else fit.q_p for fit in fits],
        "tau2": [nan if fit.tau2 is None else fit.tau2 for fit in fits],
        "i2": [nan if fit.i2 is None else fit.i2 for fit in fits],
        "h2": [nan if fit.h2 is None else fit.h2 for fit in fits],
    }


@for_each(("method", "test"), TOGETHER, plain=8)
@steady
@given(STUDIES, st.randoms(use_true_random=False))
def test_each_subset_is_what_pool_gives(method, test, studies, random):
    """Every field, for any method and test, whichever studies are kept; variances may be tiny or equal."""
    y, v = np.array(studies).T
    kept = np.array([[random.random() < 0.6 for _ in y] for _ in range(4)])
    kept[~kept.any(axis=1), 0] = True
    fits = fit_subsets(y, v, kept, method=method, test=test)
    for name, expected in one_by_one(y, v, kept, method=method, test=test).items():
        np.testing.assert_allclose(getattr(fits, name), expected, rtol=1e-6, atol=1e-7, err_msg=name)


def test_by_hand():
    """vi = 1, yi = 0, 2, 4: all have mean 2, tau2 3, Q 8; without the last mean 1, tau2 1, Q 2; z = 2 / sqrt(4 / 3)."""
    y, v = np.array([0.0, 2.0, 4.0]), np.ones(3)
    kept = np.array([[True, True, True], [True, True, False], [False, False, True]])
    for method in ("DL", "REML"):
        fits = fit_subsets(y, v, kept, method=method)
        assert fits.estimate == pytest.approx([2, 1, 4])
        assert fits.tau2 == pytest.approx([3, 1, np.nan], nan_ok=True)
        assert fits.q == pytest.approx([8, 2, 0])
        assert fits.i2 == pytest.approx([75, 50, np.nan], nan_ok=True)
        assert fits.statistic == pytest.approx([2 / np.sqrt(4 / 3), 1, 4])
        assert fits.p[1] == pytest.approx(0.31731050786291415, rel=1e-12)


def test_identical_studies_under_knapp_hartung():
    """No spread, no error: the statistic is infinite, or 0 where the effect is, and the interval is a point."""
    kept = np.ones((1, 2), dtype=bool)
    for effect, statistic, p in ((1.0, np.inf, 0), (-1.0, -np.inf, 0), (0.0, 0, 1)):
        fits = fit_subsets(np.full(2, effect), np.ones(2), kept, test="knapp_hartung")
        assert (fits.statistic[0], fits.p[0], fits.ci_low[0], fits.ci_high[0]) == (statistic, p, effect, effect)


def test_a_subset_that_does_not_settle_is_fitted_alone(monkeypatch):
    """With no steps to take together every subset goes to the estimator that brackets the maximum."""
    y, v, kept = np.array([0.0, 1.0, 3.0, 7.0]), np.array([0.1, 1.0, 0.3, 2.0]), np.tri(4, dtype=bool)
    together = fit_subsets(y, v, kept)
    monkeypatch.setattr(subset_fits, "_MOST_STEPS", 0)
    np.testing.assert_allclose(fit_subsets(y, v, kept).tau2, together.tau2, rtol=1e-9)


def test_blocks_cover_every_subset_once(monkeypatch):
    """Whatever their size, and joined they are the whole."""
    monkeypatch.setattr(subset_fits, "CELLS", 10)
    assert [slice(0, 3), slice(3, 6), slice(6, 7)] == list(row_blocks(7, 3))
    assert [slice(0, 1), slice(1, 2)] == list(row_blocks(2, 1000))
    y, v, kept = np.array([0.0, 1.0, 3.0]), np.ones(3), np.tri(3, dtype=bool)
    whole = fit_subsets(y, v, kept)
    parts = joined(fit_subsets(y, v, kept[block]) for block in (slice(0, 1), slice(1, 3)))
    for name, values in vars(whole).items():
        np.testing.assert_array_equal(values, getattr(parts, name))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"method": "FE"}, "method is 'FE', but must be one of DL, REML", id="method"),
        pytest.param({"test": "knha"}, "test is 'knha', but must be one of z, t", id="test"),
        pytest.param({"test": "kenward_roger", "method": "DL"}, "made for tau2 by REML", id="together"),
        pytest.param({"level": 95}, "level is 95", id="level"),
    ],
)
def test_unknown_options_are_refused(options, message):
    """The message says what would have been right."""
    with pytest.raises(SynthesisError, match=message):
        fit_subsets(np.zeros(2), np.ones(2), np.ones((1, 2), dtype=bool), **options)


def test_an_empty_subset_is_refused():
    """It is named by its row."""
    with pytest.raises(SynthesisError, match="subset 1 holds no study"):
        fit_subsets(np.zeros(2), np.ones(2), np.array([[True, True], [False, False]]))


def test_of_two_peaks_the_higher_is_taken():
    """log L of y 0, 0, 4.5 with v .5, .5, 3.5: tau2 0 and 2.606 are peaks; rma(control=list(tau2.init=2)): 2.60611."""
    y, v = np.array([0.0, 0.0, 4.5, 9.0]), np.array([0.5, 0.5, 3.5, 1.0])
    assert fit_subsets(y, v, np.array([[True, True, True, False]])).tau2 == pytest.approx([2.60611], rel=1e-5)
