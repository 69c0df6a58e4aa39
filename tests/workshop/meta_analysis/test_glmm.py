"""The binomial-normal model agrees with an integration of 801 points, and with metafor where that is exact enough."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis import glmm_search, logistic
from bcma_decide.workshop.meta_analysis.glmm import BinomialNormal, fit_binomial_normal, predict_rates
from tests.support.cases import for_each
from tests.support.examples import examples
from tests.workshop.meta_analysis.support.reference import results, rows


@dataclass(frozen=True, eq=False)
class Case:
    """One model of one table: counts, design (None for an intercept alone) and the reference's block."""

    name: str
    events: tuple[float, ...]
    total: tuple[float, ...]
    design: tuple[tuple[float, ...], ...] | None
    block: dict[str, Any]

    @cache  # noqa: B019
    def fit(self, test: str = "z") -> BinomialNormal:
        return fit_binomial_normal(self.events, self.total, self.design, test=test)

    @property
    def exact(self) -> dict[str, Any]:
        return self.block["exact"]


def cases() -> Iterator[Case]:
    """Every GLMM of single proportions in the reference."""
    tables = [
        ("bcg_control_arms", None, "x", "n", rows("bcg_control_arms")),
        ("debruin2009", None, "xi", "ni", rows("debruin2009")),
        ("pritz1997", None, "xi", "ni", rows("pritz1997")),
        ("nielweise2007", "treated_arm_single", "ai", "n1i", rows("nielweise2007")),
        ("nielweise2007", "control_arm_single", "ci", "n2i", rows("nielweise2007")),
        *(
            ("edge_cases", part, "xi", "ni", [row for row in rows("edge_cases") if row["case"] == part])
            for part in results("edge_cases")
        ),
    ]
    for file, part, x, n, table in tables:
        blocks = (results(file)[part] if part else results(file))["GLMM"]
        for model, block in blocks.items():
            if model == "note":
                continue
            columns = block.get("design_columns")
            design = columns and tuple(tuple(cell(row, column) for column in columns) for row in table)
            counts = (tuple(float(row[x]) for row in table), tuple(float(row[n]) for row in table))
            yield Case("-".join(filter(None, (file, part, model))), *counts, design, block)


def cell(row: dict[str, str], column: str) -> float:
    """Value of a design column of the reference in one row."""
    if column == "(Intercept)":
        return 1.0
    return float(row["ethnicity"] == "other") if column == "ethnicityother" else float(row[column])


CASES = list(cases())
FITTED = [pytest.param(case, id=case.name) for case in CASES if "beta" in case.exact]
REFUSED = [pytest.param(case, id=case.name) for case in CASES if "beta" not in case.exact]
SEVEN_POINTS_ARE_TOO_FEW = {"edge_cases-zero_and_full-intercept_only": "its tau2 of 9.4 comes out as 9.3"}


def metafor_fits() -> Iterator[Any]:
    """Fits of rma.glmm with 25 points where there are such, else with its default of 7, and their tolerance."""
    for case in CASES:
        if "beta" not in case.exact:
            continue
        fine = "metafor_tight_nAGQ25" in case.block
        key = "metafor_tight_nAGQ25" if fine else "metafor_default"
        yield pytest.param(case, key, "z", 1e-4 if fine else 1e-3, id=f"{case.name}-{key}-z")
        rel = 1e-2 if case.name in SEVEN_POINTS_ARE_TOO_FEW else 1e-3
        yield pytest.param(case, "metafor_default_t", "t", rel, id=f"{case.name}-metafor_default-t")


METAFOR = list(metafor_fits())


def test_all_models_of_the_reference_are_here():
    """Thirteen models with an answer, two without."""
    assert (len(FITTED), len(REFUSED)) == (13, 2)


every_case = for_each("case", FITTED)


class TestAgainstTheExactIntegral:
    """Safe tolerances of the reference: 1e-8 for beta and tau2, 1e-7 for standard errors."""

    @every_case
    def test_beta_and_tau2(self, case):
        """The maximum, and whether it has a spread."""
        fit = case.fit()
        assert np.atleast_1d(case.exact["beta"]) == pytest.approx(fit.coefficients.estimate, rel=1e-8)
        assert [case.exact["tau2"], case.exact["tau"]] == pytest.approx([fit.tau2, fit.tau], rel=1e-8)
        assert case.exact["at_boundary"] == fit.at_boundary

    @every_case
    def test_standard_errors(self, case):
        """Of beta, of tau, and the covariance of all of them."""
        fit = case.fit()
        assert np.atleast_1d(case.exact["se"]) == pytest.approx(fit.coefficients.se, rel=1e-7)
        assert case.exact["se_tau"] == (None if fit.se_tau is None else pytest.approx(fit.se_tau, rel=1e-7))
        covariance = fit.coefficients.vcov if fit.vcov_with_tau is None else fit.vcov_with_tau
        errors = np.sqrt(np.diag(covariance))
        expected = np.array(case.exact["vcov_beta_tau"]) / np.outer(errors, errors)
        np.testing.assert_allclose(covariance / np.outer(errors, errors), expected, rtol=1e-7, atol=1e-7)

    @every_case
    def test_log_likelihood(self, case):
        """With the binomial coefficients."""
        assert case.exact["logLik"] == pytest.approx(case.fit().log_likelihood, rel=1e-10)

    @every_case
    def test_typical_and_average_rate(self, case):
        """Of an intercept alone."""
        if "prob_mean" in case.exact:
            rates = predict_rates(case.fit())
            assert case.exact["prob_median"] == pytest.approx(rates.median[0], rel=1e-8)
            assert case.exact["prob_mean"] == pytest.approx(rates.mean[0], rel=1e-8)


every_fit = for_each(("case", "key", "test", "rel"), METAFOR)


class TestAgainstMetafor:
    """What only rma.glmm reports; its own optimum, and what follows from it, is off by some 1e-4."""

    @every_fit
    def test_heterogeneity(self, case, key, test, rel):
        """Q by Wald and by likelihood ratio do not depend on its quadrature; I2 and H2 do."""
        expected, fit = case.block[key], case.fit(test)
        assert expected["QE_LRT"] == pytest.approx(fit.q_likelihood_ratio.q, rel=1e-9)
        assert expected["QE_Wald"] == pytest.approx(fit.q_wald.q, rel=1e-6)
        assert expected["QE_df"] == fit.q_wald.df == fit.q_likelihood_ratio.df
        assert [expected["I2"], expected["H2"]] == pytest.approx([fit.i2, fit.h2], rel=20 * rel)

    @every_fit
    def test_tests_and_intervals(self, case, key, test, rel):
        """z or t, and chi-squared or F, on the same estimates."""
        expected, fit = case.block[key], case.fit(test).coefficients
        scale = rel * fit.se.max()
        assert np.atleast_1d(expected["stat"]) == pytest.approx(fit.statistic, rel=rel, abs=rel)
        assert np.atleast_1d(expected["pval"]) == pytest.approx(fit.p, rel=100 * rel)
        ends = np.column_stack([np.atleast_1d(expected[end]) for end in ("ci_lb", "ci_ub")])
        assert ends == pytest.approx(fit.ci, rel=rel, abs=scale)
        moderators = case.fit(test).moderators
        assert expected["QM"] == pytest.approx(moderators.statistic, rel=3 * rel)
        assert expected["QMp"] == pytest.approx(moderators.p, rel=100 * rel)

    @every_fit
    def test_prediction_interval(self, case, key, test, rel):
        """Where the log odds of a further study lie."""
        expected = case.block[key]["predict"]
        found = predict_rates(case.fit(test), case.design).log_odds.prediction
        ends = np.column_stack([np.atleast_1d(expected[end]) for end in ("pi_lb", "pi_ub")])
        assert ends == pytest.approx(found, rel=rel, abs=5 * rel)


@pytest.mark.parametrize("case", REFUSED)
def test_models_without_an_answer_are_refused(case):
    """All studies at 0 %, and one study alone."""
    message = "every study has no events" if "diverges" in case.exact else "cannot be estimated from 1 studies"
    with pytest.raises(SynthesisError, match=message):
        case.fit()


def test_two_studies_can_have_a_higher_maximum_inside():
    """3/3 and 12/38: the likelihood falls at tau = 0, yet is higher at tau 1.5; a scan in steps of 0.1 finds it."""
    e, n = np.array([3.0, 12.0]), np.array([3.0, 38.0])
    fit = fit_binomial_normal(e, n)
    assert not fit.at_boundary
    assert fit.tau == pytest.approx(1.5, abs=0.1)
    assert fit.log_likelihood > fit_binomial_normal(e, n, model="common").log_likelihood + 0.2


def test_common_model_by_hand():
    """2/10 and 6/10: the rate is 8/20, so beta = log(8 / 12) with variance 1/8 + 1/12; deviance from the rates."""
    fit = fit_binomial_normal([2, 6], [10, 10], model="common")
    assert fit.coefficients.estimate == pytest.approx([math.log(8 / 12)])
    assert fit.coefficients.vcov == pytest.approx(np.array([[1 / 8 + 1 / 12]]))
    apart = sum(e * math.log(e / 10) + (10 - e) * math.log(1 - e / 10) for e in (2, 6))
    assert fit.q_likelihood_ratio.q == pytest.approx(2 * (apart - 8 * math.log(0.4) - 12 * math.log(0.6)))
    # Wald: logits log(2/8) and log(6/4) with weights 1.6 and 2.4, so Q = 1.6 * 2.4 / 4 * difference^2.
    assert fit.q_wald.q == pytest.approx(0.96 * (math.log(6 / 4) - math.log(2 / 8)) ** 2)
    assert fit.log_likelihood == pytest.approx(
        math.log(math.comb(10, 2) * math.comb(10, 6)) + 8 * math.log(0.4) + 12 * math.log(0.6)
    )
    assert (fit.tau2, fit.spread, fit.i2, fit.se_tau2) == (0, None, None, None)
    assert predict_rates(fit).log_odds.prediction is None


def test_spread_is_tested_on_the_edge():
    """Half of chi-squared with one degree of freedom: the p-value is that of a one-sided normal test of the root."""
    fit = fit_binomial_normal(*(CASES[0].events, CASES[0].total))
    common = fit_binomial_normal(CASES[0].events, CASES[0].total, model="common")
    assert fit.spread.q == pytest.approx(2 * (fit.log_likelihood - common.log_likelihood))
    few = fit_binomial_normal([1, 4, 2], [10, 10, 10])
    assert (few.at_boundary, few.tau2, few.spread.q, few.spread.p) == (True, 0, 0, 1)
    some = fit_binomial_normal([1, 6, 2], [10, 10, 10])
    assert some.spread.p == pytest.approx(0.5 * math.erfc(math.sqrt(some.spread.q / 2)))


@for_each(
    ("events", "total", "options", "message"),
    [
        pytest.param([0, 0], [5, 9], {}, "every study has no events", id="all-zero"),
        pytest.param([5, 9], [5, 9], {"model": "common"}, "every study has only events", id="all-full"),
        pytest.param([0, 9, 5], [5, 9, 5], {}, "no events or only events, so tau2", id="all-extreme"),
        pytest.param([3], [5], {}, "cannot be estimated from 1 studies", id="one-study"),
        pytest.param([1, 2], [5, 5], {"design": [[1, 0], [1, 1]]}, "2 coefficients and tau2", id="too-few"),
        pytest.param(
            [0, 0, 3, 4], [9, 9, 9, 9], {"design": [[1, 1], [1, 1], [1, 0], [1, 0]], "names": ["intercept", "dual"]},
            "told apart by", id="separated",
        ),
        pytest.param(
            [1, 2, 3], [9, 9, 9], {"design": [[1, 2], [1, 2], [1, 2]], "names": ["intercept", "age"]},
            "age is a combination of the columns before it", id="rank",
        ),
        pytest.param(
            [1, 2, 3], [9, 9, 9], {"design": [[1], [math.nan], [1]], "names": ["age"]}, r"age\[1\] is nan", id="nan"
        ),
        pytest.param([1, 2, 3], [9, 9, 9], {"design": [[1], [1]]}, "2 rows but there are 3", id="rows"),
        pytest.param([1, 2, 3], [9, 9, 9], {"design": [1, 1, 1]}, "must have rows and columns", id="shape"),
        pytest.param([1, 2, 3], [9, 9, 9], {"design": [["a"]] * 3}, "must hold numbers", id="text"),
        pytest.param([1, 2, 3], [9, 9, 9], {"design": [[1]] * 3, "names": ["a", "b"]}, "1 columns but 2", id="names"),
        pytest.param([1], [9], {"design": [[1, 2]]}, "2 coefficients cannot be estimated from 1 rows", id="columns"),
        pytest.param([1, 2, 3], [9, 9, 9], {"model": "fixed"}, "model is 'fixed'", id="model"),
        pytest.param([1, 2, 3], [9, 9, 9], {"test": "knha"}, "test is 'knha'", id="test"),
        pytest.param([1], [9], {"model": "common", "test": "t"}, "no degrees of freedom", id="t"),
        pytest.param([1, 2, 3], [9, 9, 9], {"level": 95}, "level is 95", id="level"),
        pytest.param([1, 7, 9], [3, 9, 9], {"level": 2}, "level is 2", id="level-2"),
        pytest.param([4, 2], [3, 9], {}, r"events\[0\] is 4, more than", id="counts"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_refused(events, total, options, message):
    """Each message says what is wrong and where."""
    with pytest.raises(SynthesisError, match=message):
        fit_binomial_normal(events, total, **options)


def test_rows_to_predict_at_must_fit():
    """Moderators need rows, in the columns of the fit."""
    fit = fit_binomial_normal([1, 4, 6, 8], [10, 10, 10, 10], [[1, 0], [1, 1], [1, 2], [1, 3]])
    with pytest.raises(SynthesisError, match="rows to predict at are needed"):
        predict_rates(fit)
    with pytest.raises(SynthesisError, match="1 columns but 2 names"):
        predict_rates(fit, [[1.0]])


def test_no_convergence_is_an_error(monkeypatch):
    """Running out of steps, or of quadrature points, says so."""
    counts = CASES[0].events, CASES[0].total
    monkeypatch.setattr(glmm_search, "POINTS", (15, 31))
    with pytest.raises(SynthesisError, match=r"tau about \d"):
        fit_binomial_normal(*counts)
    monkeypatch.setattr(logistic, "_MAX_STEPS", 1)
    with pytest.raises(SynthesisError, match="logistic regression did not settle in 1 steps"):
        fit_binomial_normal(*counts)


@pytest.mark.parametrize("k", [600])
def test_many_studies_find_what_they_were_drawn_from(k):
    """Estimates lie within four standard errors of the truth."""
    rng = np.random.default_rng(7)
    total = rng.integers(5, 120, k)
    events = rng.binomial(total, expit(-1 + rng.normal(0, 0.8, k)))
    fit = fit_binomial_normal(events, total)
    assert abs(fit.coefficients.estimate[0] + 1) < 4 * fit.coefficients.se[0]
    assert abs(fit.tau - 0.8) < 4 * fit.se_tau


steady = examples(25)
COUNTS = st.lists(
    st.integers(4, 200).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n))), min_size=3, max_size=8
)


@steady
@given(COUNTS, st.randoms(use_true_random=False))
def test_order_and_mirror_change_nothing(table, random):
    """Shuffled studies give the same fit; counting the others turns the sign of beta."""
    e, n = np.array(table, dtype=float).T
    fit = fit_binomial_normal(e, n)
    order = random.sample(range(e.size), e.size)
    for events, total, sign in ((e[order], n[order], 1), (n - e, n, -1)):
        again = fit_binomial_normal(events, total)
        assert again.coefficients.estimate * sign == pytest.approx(fit.coefficients.estimate, rel=1e-6, abs=1e-7)
        assert again.tau == pytest.approx(fit.tau, rel=1e-5, abs=1e-5)
        assert again.log_likelihood == pytest.approx(fit.log_likelihood, rel=1e-9)


@steady
@given(COUNTS, st.floats(0.1, 10), st.floats(-3, 3))
def test_moderators_may_be_rescaled(table, scale, shift):
    """A slope per other unit from another origin is the same model."""
    e, n = np.array(table, dtype=float).T
    x = np.arange(e.size) ** 1.5
    one = np.ones(e.size)
    fit = fit_binomial_normal(e, n, np.column_stack([one, x]))
    again = fit_binomial_normal(e, n, np.column_stack([one, scale * x + shift]))
    assert again.coefficients.estimate[1] * scale == pytest.approx(fit.coefficients.estimate[1], rel=1e-5, abs=1e-6)
    assert again.log_likelihood == pytest.approx(fit.log_likelihood, rel=1e-9)
    assert again.coefficients.statistic[1] == pytest.approx(fit.coefficients.statistic[1], rel=1e-5, abs=1e-6)


@steady
@given(COUNTS)
def test_the_fit_is_a_maximum_above_the_common_model(table):
    """It is never below logistic regression, and the average rate is nearer to one half than the typical one."""
    e, n = np.array(table, dtype=float).T
    fit, common = fit_binomial_normal(e, n), fit_binomial_normal(e, n, model="common")
    assert fit.log_likelihood >= common.log_likelihood - 1e-9
    rates = predict_rates(fit)
    assert abs(rates.mean[0] - 0.5) <= abs(rates.median[0] - 0.5) + 1e-12
    assert rates.log_odds.prediction[0, 0] <= rates.log_odds.ci[0, 0] + 1e-12


@for_each(
    ("events", "total"),
    [
        ([999_999, 999_999, 0], [10**6, 10**6, 10**9]),
        ([10**7 - 1, 10**7, 10**7], [10**7] * 3),
        ([1, 2, 5 * 10**11], [10**12, 10**12, 10**12]),
    ],
)
def test_one_rate_of_very_large_studies_is_their_share(events, total):
    """Logistic regression with an intercept alone is the log odds of all events together."""
    fit = fit_binomial_normal(events, total, model="common")
    assert fit.coefficients.estimate[0] == pytest.approx(math.log(sum(events) / (sum(total) - sum(events))), rel=1e-12)
