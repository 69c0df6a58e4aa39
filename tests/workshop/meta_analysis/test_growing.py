"""Many studies left out and added: as if refitted one by one, and in time that grows with their number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcma_decide.workshop.meta_analysis.begg_test import begg_test
from bcma_decide.workshop.meta_analysis.cumulative import cumulative
from bcma_decide.workshop.meta_analysis.heterogeneity import METHODS, estimate_tau2
from bcma_decide.workshop.meta_analysis.leave_one_out import leave_one_out
from bcma_decide.workshop.meta_analysis.pooling import pool
from bcma_decide.workshop.meta_analysis.subset_fits import fit_growing
from tests.support.cases import for_each

TESTS = ("z", "t", "knapp_hartung", "floored_knapp_hartung")
FIELDS = ("estimate", "se", "tau2", "q", "i2", "h2")


@st.composite
def studies(draw):
    """A few hundred studies: alike or very unequal, with and without heterogeneity, now and then one that is huge."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    k = draw(st.integers(257, 320))
    v = np.exp(draw(st.sampled_from((0.3, 1.0, 2.5))) * generator.standard_normal(k))
    if draw(st.booleans()):
        v[draw(st.integers(0, k - 1))] = 1e-6
    spread = draw(st.sampled_from((0.0, 0.1, 1.0)))
    y = draw(st.sampled_from((0.0, 40.0))) + generator.standard_normal(k) * np.sqrt(v + spread)
    return y, v, generator.integers(0, k, 3)


def assert_refitted(fits, row, y, v, method, test):
    alone = pool(y, v, method=method, test=test)
    for field in FIELDS:
        known = getattr(alone, field)
        assert getattr(fits, field)[row] == pytest.approx(known, rel=1e-9, abs=1e-9), (method, test, field)
    assert (fits.ci_low[row], fits.ci_high[row]) == pytest.approx(alone.ci, rel=1e-9, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(studies(), st.sampled_from(METHODS), st.sampled_from(TESTS))
def test_without_each_study_is_a_refit(drawn, method, test):
    y, v, rows = drawn
    fits = leave_one_out(y, v, method=method, test=test)
    for row in rows:
        assert_refitted(fits, row, np.delete(y, row), np.delete(v, row), method, test)


@settings(max_examples=25, deadline=None)
@given(studies(), st.sampled_from(METHODS), st.sampled_from(TESTS))
def test_up_to_each_study_is_a_refit(drawn, method, test):
    y, v, rows = drawn
    fits = cumulative(y, v, np.arange(y.size), method=method, test=test).fits
    for row in (*rows, 255, 256, y.size - 1):
        if row:
            assert_refitted(fits, row, y[: row + 1], v[: row + 1], method, test)


def test_kenward_roger_is_a_refit():
    generator = np.random.default_rng(5)
    v = generator.gamma(2.0, 0.1, 300)
    y = generator.standard_normal(300)
    fits = leave_one_out(y, v, test="kenward_roger")
    assert_refitted(fits, 17, np.delete(y, 17), np.delete(v, 17), "REML", "kenward_roger")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(1, 5)), min_size=3, max_size=40))
def test_kendalls_pairs_are_those_counted_one_by_one(rows):
    from scipy.stats import kendalltau

    y, v = np.array(rows, dtype=float).T
    if np.ptp(y) == 0 or np.ptp(v) == 0:
        return
    w = 1 / v
    deviation = (y - w @ y / w.sum()) / np.sqrt(v - 1 / w.sum())
    if np.ptp(deviation) > 0:
        assert begg_test(y, v).tau == pytest.approx(kendalltau(deviation, v).statistic, abs=1e-12)


@for_each("kind", ["without", "up_to"])
@for_each("method", ["REML", "ML"])
def test_of_two_peaks_the_higher_is_taken(kind, method):
    """Beside studies that tell next to nothing: 170 subsets without one were fitted by a lower peak before."""
    y = np.append([0.0, 0.0, 4.5], np.random.default_rng(0).normal(0, 100, 257))
    v = np.append([0.5, 0.5, 3.5], np.full(257, 1e4))
    fits = fit_growing(y, v, kind, method=method)
    for row in (2, 3, 57, 257, 259):
        kept = np.arange(y.size) != row if kind == "without" else np.arange(y.size) <= row
        assert fits.tau2[row] == pytest.approx(estimate_tau2(y[kept], v[kept], method).value, rel=1e-6, abs=1e-9)
