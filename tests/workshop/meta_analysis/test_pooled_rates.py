"""A pooled rate by any method: what does not go together is refused, and no group of studies stops the pooling."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, special, stats

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.glmm import fit_binomial_normal
from bcma_decide.workshop.meta_analysis.glmm_profile import tau_interval
from bcma_decide.workshop.meta_analysis.heterogeneity import METHODS
from bcma_decide.workshop.meta_analysis.pooled_rates import pool_rates, usual_method
from bcma_decide.workshop.meta_analysis.pooling import TESTS
from tests.support.cases import for_each

EVENTS, TOTAL = (12, 30, 7, 19, 25), (20, 61, 15, 22, 40)
RARE = [0, 0, 0, 41, 0, 0, 0, 0, 0, 9], [30, 31, 20, 821, 103, 141, 16, 74, 102, 236]
"""High-grade neurotoxicity of ten CAR-T studies; the expected values are of rma.glmm of metafor 3.8-1."""


def test_rare_events_by_the_binomial_normal_model_are_told_whole():
    found = pool_rates(*RARE, method="GLMM")
    assert (found.q_by, found.q_df, found.q_wald) == ("likelihood ratio", 9, None)
    assert (found.q, found.q_p) == pytest.approx((41.21106, 4.578e-06), rel=1e-4)
    assert special.expit(found.estimate) == pytest.approx(0.0013, abs=5e-5)
    assert found.average_rate == pytest.approx(0.0176, abs=5e-5)
    assert found.weights is None


PREDICTIONS = {"normal": (-5.1125, -2.3428), "k-2": (-5.6894, -1.7659), "k-1": (-5.5440, -1.9113)}
"""-3.72765 -+ q sqrt(0.36902^2 + 0.36308), q normal, t with 4 and with 5 degrees of freedom."""


@pytest.mark.parametrize("df", PREDICTIONS)
def test_the_prediction_interval_is_by_the_distribution_that_is_asked(df):
    found = pool_rates([1, 3, 9, 3, 1, 2], [40, 155, 121, 300, 50, 90], method="GLMM", prediction_df=df)
    assert found.prediction == pytest.approx(PREDICTIONS[df], abs=5e-5)


def marginal(mean, tau, events, total):
    """Log-likelihood by brute force: Simpson's rule on 20,001 points from -12 to 12."""
    u = np.linspace(-12, 12, 20_001)
    rule = np.r_[1, np.tile([4, 2], 9_999), 4, 1] * (u[1] - u[0]) / 3
    x = mean + tau * u
    inside = (e * special.log_expit(x) + (n - e) * special.log_expit(-x) for e, n in zip(events, total, strict=True))
    constant = stats.binom.logpmf(events, total, 0.5) + np.multiply(total, math.log(2))
    return sum(special.logsumexp(each + stats.norm.logpdf(u), b=rule) for each in inside) + constant.sum()


@pytest.mark.parametrize("counts", [(EVENTS, TOTAL), ([1, 3, 9, 3, 1, 2], [40, 155, 121, 300, 50, 90]), RARE])
def test_the_interval_of_tau_is_where_the_likelihood_has_fallen_by_half_of_3_84(counts):
    """Twice the profile likelihood, by brute force, at the ends against the 95 % quantile of chi-squared, 3.841459."""
    fit = fit_binomial_normal(*counts)
    top = marginal(fit.coefficients.estimate[0], fit.tau, *counts)
    for end in tau_interval(*counts):
        profile = optimize.minimize_scalar(
            lambda mean, tau=end: -marginal(mean, tau, *counts),
            bounds=(fit.coefficients.estimate[0] - 60, fit.coefficients.estimate[0] + 5),
            method="bounded", options={"xatol": 1e-7},
        )  # fmt: skip
        fallen = 2 * (top + profile.fun)
        assert fallen == pytest.approx(3.841459, abs=2e-4) or (end == 0 and fallen < 3.841459)


@for_each("method", [*METHODS, "GLMM"])
def test_one_study_stays_itself_with_the_exact_interval(method):
    """7 of 20: 0.1539 to 0.5922 (Clopper and Pearson; R's binom.test)."""
    found = pool_rates([7], [20], method=method)
    assert special.expit(found.estimate) == pytest.approx(0.35)
    assert special.expit(found.ci) == pytest.approx((0.1539092, 0.5921885), rel=1e-6)
    assert found.tau2 is None


@pytest.mark.parametrize(
    ("events", "total", "rate", "ci"),
    [
        # 1 - 0.025^(1/22) and 0.025^(1/70), as nobody and everybody had the event.
        ([0, 0], [10, 12], 0, (0, 1 - 0.025 ** (1 / 22))),
        ([40, 30], [40, 30], 1, (0.025 ** (1 / 70), 1)),
    ],
)
def test_studies_that_are_all_alike_are_counted_together(events, total, rate, ci):
    found = pool_rates(events, total, method="GLMM")
    assert (found.method, found.tau2, found.se) == ("exact", None, math.inf)
    assert special.expit(found.estimate) == rate
    assert special.expit(found.ci) == pytest.approx(ci, rel=1e-6)
    assert usual_method(events, total) == "GLMM"


@pytest.mark.parametrize("options", [{"measure": "raw"}, *({"test": test} for test in TESTS if test not in ("z", "t"))])
def test_what_does_not_go_with_the_binomial_normal_model_is_refused(options):
    with pytest.raises(SynthesisError, match="GLMM pools on the logit scale"):
        pool_rates(EVENTS, TOTAL, method="GLMM", **options)


def test_studies_of_which_each_is_all_or_nothing_are_not_for_the_exact_model():
    with pytest.raises(SynthesisError, match="tau2 has no finite estimate"):
        pool_rates([0, 12], [10, 12], method="GLMM")
    assert usual_method([0, 120], [4000, 120]) == "REML"
