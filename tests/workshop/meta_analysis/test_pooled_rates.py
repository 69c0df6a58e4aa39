"""A pooled rate by any method is what the method's own function gives; what does not go together is refused."""

from __future__ import annotations

import numpy as np
import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.glmm import fit_binomial_normal
from bcma_decide.workshop.meta_analysis.heterogeneity import METHODS
from bcma_decide.workshop.meta_analysis.pooled_rates import pool_rates
from bcma_decide.workshop.meta_analysis.pooling import TESTS, pool_proportions
from tests.support.cases import for_each

EVENTS, TOTAL = (12, 30, 7, 19, 25), (20, 61, 15, 22, 40)


@for_each("method", METHODS)
@for_each("measure", ["logit", "raw", "arcsine", "freeman_tukey", "log"])
def test_weighted_methods_are_those_of_pool_proportions(method, measure):
    found = pool_rates(EVENTS, TOTAL, method=method, measure=measure)
    expected = pool_proportions(EVENTS, TOTAL, method=method, measure=measure)
    assert (expected.estimate, expected.ci, expected.prediction) == (found.estimate, found.ci, found.prediction)
    assert expected.pooled.weights == found.weights
    assert (expected.pooled.tau2, expected.pooled.i2, expected.pooled.q) == (found.tau2, found.i2, found.q)


@pytest.mark.parametrize("test", ["z", "t"])
def test_the_binomial_normal_model_is_read_back_to_rates(test):
    found = pool_rates(EVENTS, TOTAL, method="GLMM", test=test)
    fit = fit_binomial_normal(EVENTS, TOTAL, test=test)
    [mean] = fit.coefficients.estimate.tolist()
    assert found.estimate == pytest.approx(1 / (1 + np.exp(-mean)), rel=1e-12)
    assert found.ci == pytest.approx((1 / (1 + np.exp(-fit.coefficients.ci[0]))).tolist(), rel=1e-12)
    assert found.prediction[0] < found.ci[0] < found.ci[1] < found.prediction[1]
    assert found.tau2 == fit.tau2
    assert found.weights is None


@for_each("method", [*METHODS, "GLMM"])
def test_one_study_stays_itself(method):
    found = pool_rates([7], [20], method=method)
    assert found.estimate == pytest.approx(0.35)
    assert found.tau2 is None


@pytest.mark.parametrize("options", [{"measure": "raw"}, *({"test": test} for test in TESTS if test not in ("z", "t"))])
def test_what_does_not_go_with_the_binomial_normal_model_is_refused(options):
    with pytest.raises(SynthesisError, match="GLMM pools on the logit scale"):
        pool_rates(EVENTS, TOTAL, method="GLMM", **options)


def test_the_binomial_normal_model_names_rates_without_a_finite_mean():
    with pytest.raises(SynthesisError):
        pool_rates([0, 0], [10, 12], method="GLMM")
