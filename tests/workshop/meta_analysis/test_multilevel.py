"""Two-level models agree with metafor's rma.mv, polished where its own optimum stops early."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis import multilevel_search
from bcma_decide.workshop.meta_analysis.effect_sizes import logit
from bcma_decide.workshop.meta_analysis.heterogeneity import estimate_tau2
from bcma_decide.workshop.meta_analysis.multilevel import fit_multilevel, predict_multilevel
from bcma_decide.workshop.meta_analysis.pooling import pool
from tests.support.cases import for_each
from tests.support.examples import examples
from tests.workshop.meta_analysis.support.nested_tables import nested_tables
from tests.workshop.meta_analysis.support.reference import results, rows

RUNAWAY = {
    "begg1989-nested_trt": ("REML", "ML"),
    "begg1989-nested_trt_single": ("REML", "ML"),
    "begg1989-nested_trt_by_single": ("REML", "ML"),
}
"""Where a variance is 0 the polishing of the reference, which looks for a score of 0, ran off (variances of 1e25) or
stopped beside the maximum (score -58); rma.mv's own optimum, with 1e-10 in place of 0, is the reference there."""

FITS = [
    pytest.param(table, *key.split("_"), fit, id=f"{table.name}-{key}")
    for table in nested_tables()
    for key, fit in table.fits.items()
]


every_fit = for_each(("table", "method", "test", "expected"), FITS)


class TestAgainstMetafor:
    """Every nested block; rma.mv's own optimum agrees with the polished one to some 1e-7."""

    def fit(self, table, method, test):
        return fit_multilevel(table.yi, table.vi, table.studies, table.design, method=method, test=test)

    @every_fit
    def test_the_maximum(self, table, method, test, expected):
        """Variances, coefficients and their covariance to 1e-9 of the polished reference."""
        found = self.fit(table, method, test)
        assert expected[f"ll_{method}"] <= found.log_likelihood + 1e-12
        if method in RUNAWAY.get(table.name, ()):
            assert expected["sigma2"] == pytest.approx([found.between, found.within], rel=1e-7, abs=1e-9)
            assert 0 in (found.between, found.within)
            return
        polished = expected["polished"]
        assert polished["sigma2"] == pytest.approx([found.between, found.within], rel=1e-9)
        assert np.atleast_1d(polished["beta"]) == pytest.approx(found.coefficients.estimate, rel=1e-9)
        assert np.atleast_1d(polished["se"]) == pytest.approx(found.coefficients.se, rel=1e-9)
        assert np.array(polished["vcov"]) == pytest.approx(found.coefficients.vcov, rel=1e-8)
        assert polished["logLik"] == pytest.approx(found.log_likelihood, rel=1e-9)
        assert polished["se_sigma2_expected"] == pytest.approx([found.se_between, found.se_within], rel=1e-9)

    @every_fit
    def test_the_score(self, table, method, test, expected):
        """Zero, or falling where a variance is 0."""
        found = self.fit(table, method, test)
        for variance, slope in zip((found.between, found.within), found.score, strict=True):
            assert slope == pytest.approx(0, abs=1e-8) or (variance == 0 and slope < 0)

    @every_fit
    def test_tests_and_intervals(self, table, method, test, expected):
        """z or t with k - p, QE and QM."""
        found = self.fit(table, method, test)
        scale = 1e-6 * found.coefficients.se.max()
        assert np.atleast_1d(expected["stat"]) == pytest.approx(found.coefficients.statistic, rel=1e-6, abs=1e-6)
        assert np.atleast_1d(expected["pval"]) == pytest.approx(found.coefficients.p, rel=1e-5)
        ends = np.column_stack([np.atleast_1d(expected[end]) for end in ("ci_lb", "ci_ub")])
        assert ends == pytest.approx(found.coefficients.ci, rel=1e-6, abs=scale)
        assert [expected["QE"], expected["QEp"]] == pytest.approx([found.q.q, found.q.p], rel=1e-9)
        assert expected["QM"] == pytest.approx(found.moderators.statistic, rel=1e-6)
        assert expected["QMp"] == pytest.approx(found.moderators.p, rel=1e-5)

    @every_fit
    def test_shares_and_prediction(self, table, method, test, expected):
        """I2 by level, and the interval of an arm of a further study at the row the reference chose."""
        found = self.fit(table, method, test)
        if "I2_multilevel" in expected:
            assert expected["I2_multilevel"] == pytest.approx(found.i2, rel=1e-6, abs=1e-5)
        chosen = expected["predict"]
        every = predict_multilevel(found, table.design)
        row = int(np.argmin(np.abs(every.estimate - chosen["pred"])))
        assert chosen["pred"] == pytest.approx(every.estimate[row], rel=1e-6)
        assert [chosen["pi_lb"], chosen["pi_ub"]] == pytest.approx(every.prediction[row], rel=1e-6, abs=1e-6)


def handedness():
    """Left-handed of all by sex in 21 samples: counts of men and women, and the share of men."""
    table = rows("bourassa1996_sex")
    samples = list(dict.fromkeys(row["sample"] for row in table))
    cells = {(row["sample"], row["male"]): (float(row["x"]), float(row["n"])) for row in table}
    men, women = (np.array([cells[sample, male] for sample in samples]) for male in "10")
    return samples, men, women, men[:, 1] / (men[:, 1] + women[:, 1])


def test_within_and_across_studies_at_once():
    """Sex centred at the share of men beside the share itself: one slope within samples, one across them."""
    samples, men, women, share = handedness()
    effects = logit(*np.concatenate([men, women]).T)
    male = np.repeat([1.0, 0.0], len(samples))
    both = np.concatenate([share, share])
    design = np.column_stack([np.ones_like(male), male - both, both])
    found = fit_multilevel(effects.yi, effects.vi, samples * 2, design, within_studies=False)
    expected = results("bourassa1996_sex")["both_rma_mv"]
    polished = expected["polished"]
    assert polished["sigma2"] == pytest.approx(found.between, rel=1e-9)
    assert (found.within, found.se_within) == (0, None)
    assert polished["beta"] == pytest.approx(found.coefficients.estimate, rel=1e-9)
    assert polished["se"] == pytest.approx(found.coefficients.se, rel=1e-9)
    assert polished["logLik"] == pytest.approx(found.log_likelihood, rel=1e-9)
    assert polished["se_sigma2_expected"] == pytest.approx(found.se_between, rel=1e-9)
    assert [expected["QE"], expected["QM"]] == pytest.approx([found.q.q, found.moderators.statistic], rel=1e-6)


def test_across_studies_alone():
    """One row per sample: the model is a meta-regression on the share of men."""
    samples, men, women, share = handedness()
    effects = logit(*(men + women).T)
    design = np.column_stack([np.ones_like(share), share])
    found = fit_multilevel(effects.yi, effects.vi, samples, design, within_studies=False)
    expected = results("bourassa1996_sex")["across_study"]["REML"]
    assert expected["tau2"] == pytest.approx(found.between, rel=1e-8)
    assert expected["se_tau2"] == pytest.approx(found.se_between, rel=1e-8)
    assert expected["beta"] == pytest.approx(found.coefficients.estimate, rel=1e-8)
    assert expected["se"] == pytest.approx(found.coefficients.se, rel=1e-8)
    assert [expected["QE"], expected["QM"]] == pytest.approx([found.q.q, found.moderators.statistic], rel=1e-8)


def test_within_studies_alone():
    """The difference of men and women in each sample, pooled; and what pooling the sexes apart makes of it."""
    samples, men, women, _ = handedness()
    one, other = logit(*men.T), logit(*women.T)
    expected = results("bourassa1996_sex")
    apart = expected["within_interaction"]  # half a patient in all four cells of the sample with an empty one
    found = fit_multilevel(apart["yi"], apart["vi"], samples, within_studies=False)
    within = expected["deft"]["REML_z"]
    assert within["tau2"] == pytest.approx(found.between, rel=1e-8)
    assert [within["beta"], within["se"]] == pytest.approx([*found.coefficients.estimate, *found.coefficients.se])
    for method, sexes in expected["pooled_subgroups"].items():
        first, second = pool(other.yi, other.vi, method=method), pool(one.yi, one.vi, method=method)
        assert sexes["difference"] == pytest.approx(second.estimate - first.estimate, rel=1e-7)
        assert sexes["se_if_independent"] == pytest.approx(math.hypot(first.se, second.se), rel=1e-7)


def test_balanced_studies_by_hand():
    """Two rows each of 0, 2 / 4, 6 / 11, 13 with v = 1: analysis of variance.

    Within: sum of squared half differences over 3, so mean square 2, less v gives 1. Means 1, 5, 12 have mean 6 and
    mean square 2 (25 + 1 + 36) / 2 = 62, so between is (62 - 2) / 2 = 30 by REML; variance of the mean 62 / 6.
    """
    found = fit_multilevel([0, 2, 4, 6, 11, 13], [1] * 6, ["a", "a", "b", "b", "c", "c"])
    assert [found.between, found.within] == pytest.approx([30, 1])
    assert found.coefficients.estimate == pytest.approx([6])
    assert found.coefficients.vcov == pytest.approx(np.array([[62 / 6]]))
    # Sums of squares 2 * 62 + 6 with the sampling variance alone.
    assert (found.q.q, found.q.df) == pytest.approx((130, 5))
    assert found.i2 == pytest.approx((100 * 30 / 32, 100 / 32))


@for_each(
    ("change", "message"),
    [
        pytest.param({"studies": ["a", "b"]}, "studies has 2 rows but there are 4 effects", id="lengths"),
        pytest.param({"studies": ["a", "a", "", "b"]}, r"studies\[2\] is ''", id="blank"),
        pytest.param({"studies": ["a", None, "c", "b"]}, r"studies\[1\] is None", id="none"),
        pytest.param({"studies": ["a", math.nan, "c", "b"]}, r"studies\[1\] is nan", id="nan-study"),
        pytest.param({"studies": ["a", "b", "c", "d"]}, "no study has more than one row", id="single-rows"),
        pytest.param({"studies": ["a"] * 4}, "4 rows of 1 studies", id="one-study"),
        pytest.param({"design": np.eye(4)}, "4 coefficients and a variance", id="saturated"),
        pytest.param({"vi": [1, 1, 0, 1]}, r"vi\[2\] is 0", id="variance"),
        pytest.param({"method": "DL"}, "method is 'DL', but must be one of REML, ML", id="method"),
        pytest.param({"test": "knha"}, "test is 'knha'", id="test"),
        pytest.param({"level": 0}, "level is 0", id="level"),
    ],
)
def test_what_cannot_be_fitted_is_refused(change, message):
    """Each message says what is wrong and where."""
    inputs = {"yi": [0, 1, 3, 5], "vi": [1, 1, 1, 1], "studies": ["a", "a", "b", "b"]} | change
    with pytest.raises(SynthesisError, match=message):
        fit_multilevel(**inputs)


def test_no_convergence_is_an_error(monkeypatch):
    """Running out of steps says so, with the values reached."""
    monkeypatch.setattr(multilevel_search, "_MAX_STEPS", 1)
    table = next(nested_tables())
    with pytest.raises(SynthesisError, match=r"REML did not settle on the variances in 1 steps \(last 0\.\d+ between"):
        fit_multilevel(table.yi, table.vi, table.studies)


steady = examples(25)
ROWS = st.lists(
    st.tuples(st.floats(-3, 3), st.floats(0.05, 2), st.sampled_from("abcde")), min_size=6, max_size=14
).filter(lambda table: 1 < len({study for *_, study in table}) < len(table))


@steady
@given(ROWS, st.floats(-5, 5), st.floats(0.1, 10), st.randoms(use_true_random=False))
def test_order_origin_and_unit_change_nothing(table, shift, scale, random):
    """Rows shuffled, shifted and in another unit give the same model, and no split of variances is more likely."""
    yi, vi, studies = (list(column) for column in zip(*table, strict=True))
    fit = fit_multilevel(yi, vi, studies)
    order = random.sample(range(len(yi)), len(yi))
    y, v = np.array(yi)[order] * scale + shift, np.array(vi)[order] * scale**2
    again = fit_multilevel(y, v, [studies[row] for row in order])
    assert again.log_likelihood + (len(yi) - 1) * math.log(scale) == pytest.approx(fit.log_likelihood, abs=1e-7)
    assert again.coefficients.estimate[0] == pytest.approx(fit.coefficients.estimate[0] * scale + shift, abs=1e-3)
    for variances in ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (1.0, 1.0)):
        assert fit.log_likelihood >= fit.effects.log_likelihood(np.array(variances), restricted=True) - 1e-9


@steady
@given(ROWS)
def test_no_differences_between_studies_leave_pooling(table):
    """With a study for every row the model is the usual one with one tau2."""
    yi, vi, _ = zip(*table, strict=True)
    fit = fit_multilevel(yi, vi, range(len(yi)), within_studies=False)
    assert fit.between == pytest.approx(estimate_tau2(yi, vi, "REML").value, rel=1e-5, abs=1e-6)


def test_calendar_years_as_they_are():
    """rma.mv(yi, vi, mods=~I(year-1990), random=~1|district/study) of dat.konstantopoulos2011: the same model."""
    table = rows("konstantopoulos2011")
    yi, vi, year = ([float(row[name]) for row in table] for name in ("yi", "vi", "year"))
    design = np.column_stack([np.ones(len(year)), year])
    found = fit_multilevel(yi, vi, [row["district"] for row in table], design)
    slope, se = 0.00531181826358, 0.00943579392121
    assert [found.coefficients.estimate[1], found.coefficients.se[1]] == pytest.approx([slope, se], rel=1e-6)
    assert found.coefficients.estimate @ [1, 1990] == pytest.approx(0.18071849544870, rel=1e-6)
    assert [found.between, found.within] == pytest.approx([0.0722655907382, 0.0326501959069], rel=1e-6)
    expected = predict_multilevel(found, [[1, 1980], [1, 2005]])
    assert expected.estimate == pytest.approx([0.127600312813, 0.260395769402], rel=1e-6)
    assert expected.se == pytest.approx([0.134777211731, 0.160635074520], rel=1e-6)
    assert expected.prediction[:, 0] == pytest.approx([-0.560011043321, -0.448231950364], rel=1e-6)


def test_studies_of_one_year_each_settle():
    """rma.mv itself stops without an answer on these; so did we."""
    yi, vi = [0.1, 0.3, 0.5, 0.45, 0.2, 0.9, 0.7, 0.6], [0.04, 0.05, 0.03, 0.08, 0.02, 0.05, 0.06, 0.04]
    year = np.array([2019, 2019, 2020, 2020, 2021, 2021, 2023, 2023], dtype=float)
    raw, centred = (
        fit_multilevel(yi, vi, [1, 1, 2, 2, 3, 3, 4, 4], np.column_stack([np.ones(8), each]))
        for each in (year, year - 2020)
    )
    assert raw.coefficients.estimate[1] == pytest.approx(centred.coefficients.estimate[1], rel=1e-9)
    assert raw.coefficients.se[1] == pytest.approx(centred.coefficients.se[1], rel=1e-9)
    assert raw.log_likelihood == pytest.approx(centred.log_likelihood, rel=1e-9)
