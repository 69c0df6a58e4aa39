"""Meta-regressions, their tests and predictions are those of metafor."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.meta_regression import REGRESSION_TESTS, meta_regression
from bcma_decide.workshop.meta_analysis.moderators import DroppedRow, moderators
from bcma_decide.workshop.meta_analysis.pooling import pool
from bcma_decide.workshop.meta_analysis.predictions import predict
from tests.support.cases import for_each
from tests.support.examples import examples
from tests.workshop.meta_analysis.support.reference import TEST_LETTERS, effect_sets, results, rows

MODERATORS = {
    "bcg": {"ablat": float, "year": float, "alloc": str},
    "bcg_control_arms": {"ablat": float, "year": float},
    "begg1989": {"trt": str, "arms": str},
    "debruin2009": {"scq": float, "ethnicity": str},
    "molloy2014": {"quality": float, "meanage": float},
    "nielweise2007": {"year": float},
}
REFERENCE_LEVELS = {"trt": "CMO", "arms": "2", "ethnicity": "caucasian"}


def named_design(name, regression):
    """The moderators of a regression of the reference, made from the columns of the table."""
    used = [column for column in MODERATORS[name] if any(column in label for label in regression["design_columns"])]
    columns = {column: [MODERATORS[name][column](row[column]) for row in rows(name)] for column in used}
    reference = {column: REFERENCE_LEVELS[column] for column in used if column in REFERENCE_LEVELS}
    return moderators(columns, reference=reference)


REGRESSIONS = [
    (place, name, block, regression, named_design(place.split("/")[0], regression))
    for place, block in effect_sets().items()
    for name, regression in block.get("metareg", {}).items()
]
FITS = [
    pytest.param(block["escalc"], design, method, letters, fit, id=f"{place}-{name}-{method}-{TEST_LETTERS[letters]}")
    for place, name, block, regression, design in REGRESSIONS
    for method, fits in regression.items()
    if method not in ("formula", "design_columns", "design", "rows_used_1based", "lrt_ML")
    for letters, fit in fits.items()
]


@for_each(("regression", "design"), [pytest.param(r, d, id=f"{place}-{name}") for place, name, _, r, d in REGRESSIONS])
def test_designs_are_those_of_metafor(regression, design):
    """Column by column, in its order."""
    order = [design.matrix[:, j].tolist() for j in range(design.matrix.shape[1])]
    assert np.array(regression["design"], dtype=float).T.tolist() == order
    assert [row - 1 for row in regression["rows_used_1based"]] == list(design.rows)


@for_each(("effects", "design", "method", "letters", "fit"), FITS)
def test_every_fit_is_that_of_metafor(effects, design, method, letters, fit):
    """Coefficients, covariance, QM, QE, R2, heterogeneity, likelihoods, fitted values.

    metafor does not orthogonalise, and loses about six digits to a moderator such as the year: 1e-9 becomes 2e-9 of a
    standard error, and p-values far out in the tail move by more. Where there is no variance to explain metafor says
    that 0 % of it is explained; we say nothing.
    """
    found = meta_regression(effects["yi"], effects["vi"], design, method=method, test=TEST_LETTERS[letters])
    rel = 1e-8 if method in ("ML", "REML", "EB") else 2e-9
    se = np.array(fit["se"])
    coefficients = found.coefficients
    assert fit["k"] == found.k
    assert fit["p"] == len(coefficients)
    np.testing.assert_allclose([c.estimate for c in coefficients], fit["beta"], rtol=rel, atol=rel * se.min())
    np.testing.assert_allclose([c.se for c in coefficients], se, rtol=rel)
    np.testing.assert_allclose(found.covariance, fit["vcov"], rtol=0, atol=rel * np.outer(se, se).max())
    np.testing.assert_allclose([c.statistic for c in coefficients], fit["stat"], rtol=rel, atol=rel)
    np.testing.assert_allclose([c.p for c in coefficients], fit["pval"], rtol=1e-7, atol=1e-200)
    np.testing.assert_allclose(
        [c.ci for c in coefficients], np.transpose([fit["ci_lb"], fit["ci_ub"]]), atol=rel * 9 * se.max()
    )
    assert {c.df for c in coefficients} == {fit["df"]}
    test = found.moderator_test
    assert fit["QM_df"] == [test.df1, test.df2]
    assert fit["QM"] == pytest.approx(test.statistic, rel=rel)
    assert fit["QMp"] == pytest.approx(test.p, rel=1e-7, abs=1e-200)
    assert [fit["QE"], fit["QE_df"]] == pytest.approx([found.q.q, found.q.df], rel=rel)
    assert fit["QEp"] == pytest.approx(found.q.p, rel=1e-6, abs=1e-250)
    assert fit["tau2"] == pytest.approx(found.tau2, rel=rel, abs=1e-9 * min(effects["vi"]))
    assert fit["se_tau2"] == (None if found.se_tau2 is None else pytest.approx(found.se_tau2, rel=rel))
    assert fit["I2"] == pytest.approx(found.i2, rel=rel, abs=1e-7)
    assert fit["H2"] == pytest.approx(found.h2, rel=rel)
    assert fit["R2"] == (0 if found.r2 is None else pytest.approx(found.r2, rel=rel, abs=1e-6))
    likelihoods = [found.log_likelihood, found.restricted_log_likelihood]
    assert [fit["ll"]["ML"], fit["ll"]["REML"]] == pytest.approx(likelihoods, rel=rel, abs=1e-8)
    np.testing.assert_allclose(found.fitted, fit["fitted"]["pred"], rtol=rel, atol=rel * max(fit["fitted"]["se"]))
    if "tau2_ci_qprofile" in fit and method != "EE":
        assert fit["tau2_ci_qprofile"]["tau2"][1:] == pytest.approx(
            found.tau2_ci, rel=rel, abs=1e-9 * min(effects["vi"])
        )


def new_values(design, newmods):
    """Moderator values as names take them, from the rows of dummies of the reference."""
    values = {}
    column = 0
    for term in design.terms:
        if isinstance(term, str):
            values[term] = [row[column] for row in newmods]
            column += 1
        else:
            dummies = [row[column : column + len(term.levels) - 1] for row in newmods]
            values[term.name] = [term.levels[row.index(1) + 1 if 1 in row else 0] for row in dummies]
            column += len(term.levels) - 1
    return values


@for_each(("effects", "design", "method", "letters", "fit"), FITS)
def test_every_prediction_is_that_of_metafor(effects, design, method, letters, fit):
    """At the studies' own moderator values and at new ones, with each choice of degrees of freedom."""
    found = meta_regression(effects["yi"], effects["vi"], design, method=method, test=TEST_LETTERS[letters])
    usual = "normal" if letters == "z" else "k-p"
    cases = [(design.matrix[:, 1:].tolist(), usual, fit["fitted"])]
    if fit.get("newmods"):
        kinds = {"default": usual, "riley": "k-p-1", "t": "k-p"}
        cases.extend((fit["newmods"], kinds[kind], expected) for kind, expected in fit["predict_new"].items())
    for newmods, prediction_df, expected in cases:
        rel = 1e-7 * max(expected["se"])
        predictions = predict(found, new_values(design, newmods), prediction_df=prediction_df)
        np.testing.assert_allclose([p.estimate for p in predictions], expected["pred"], atol=rel)
        np.testing.assert_allclose([p.se for p in predictions], expected["se"], atol=rel)
        np.testing.assert_allclose(
            [p.ci for p in predictions], np.transpose([expected["ci_lb"], expected["ci_ub"]]), atol=rel
        )
        if method == "EE":
            assert all(p.prediction is None for p in predictions)
        else:
            ends = np.transpose([expected["pi_lb"], expected["pi_ub"]])
            np.testing.assert_allclose([p.prediction for p in predictions], ends, atol=9 * rel)


SUBGROUPS = {"debruin2009": "ethnicity", "bcg": "alloc", "molloy2014": "design", "begg1989": "trt"}


@for_each(
    ("block", "name", "method"),
    [
        pytest.param(block, place.split("/")[0], method, id=f"{place}-{method}")
        for place, block in effect_sets().items()
        if "subgroup" in block
        for method in ("DL", "REML", "PM")
    ],
)
def test_subgroups_with_one_tau2_are_a_regression_on_a_factor(block, name, method):
    """The common tau2 and the test between groups of metafor's subgroup analyses."""
    column = SUBGROUPS[name]
    levels, expected = block["subgroup"]["levels"], block["subgroup"][method]["common_tau2"]
    design = moderators({column: [row[column] for row in rows(name)]}, reference={column: levels[0]})
    found = meta_regression(block["escalc"]["yi"], block["escalc"]["vi"], design, method=method)
    assert expected["tau2"] == pytest.approx(found.tau2, rel=1e-8, abs=1e-12)
    assert expected["beta"] == pytest.approx(found.estimates, rel=1e-8)
    np.testing.assert_allclose(found.covariance, expected["vcov"], rtol=1e-8)
    assert expected["QM"] == pytest.approx(found.moderator_test.statistic, rel=1e-8)
    assert expected["QMp"] == pytest.approx(found.moderator_test.p, rel=1e-7)


def across_studies():
    """The other regressions of the reference: shares of one sex, and arms that ignore their study."""
    sex, smoking = results("bourassa1996_sex"), results("hasselblad1998")
    design = moderators({"trt": [row["trt"] for row in rows("hasselblad1998")]}, reference={"trt": "no_contact"})
    yield pytest.param(smoking["yi"], smoking["vi"], design, "REML", smoking["ignoring_study"]["REML"], id="hasselblad")
    counts = np.array(sex["counts"], dtype=float)
    events, total = counts[:, 0] + counts[:, 2], counts[:, 1] + counts[:, 3]
    odds, variance = np.log(events / (total - events)), 1 / events + 1 / (total - events)
    share = moderators({"share": sex["share_z1"]})
    for method, fit in sex["across_study"].items():
        yield pytest.param(odds, variance, share, method, fit, id=f"bourassa-{method}")


@pytest.mark.parametrize(("yi", "vi", "design", "method", "fit"), list(across_studies()))
def test_regressions_of_other_tables(yi, vi, design, method, fit):
    """Coefficients, errors, heterogeneity and R2."""
    found = meta_regression(yi, vi, design, method=method)
    np.testing.assert_allclose(found.estimates, fit["beta"], rtol=1e-8)
    np.testing.assert_allclose([c.se for c in found.coefficients], fit["se"], rtol=1e-8)
    assert [fit["tau2"], fit["se_tau2"], fit["QE"], fit["QM"]] == pytest.approx(
        [found.tau2, found.se_tau2, found.q.q, found.moderator_test.statistic], rel=1e-8
    )
    assert [fit["I2"], fit["H2"], fit["R2"]] == pytest.approx([found.i2, found.h2, found.r2], rel=1e-8, abs=1e-6)


def test_by_hand():
    """y = 0, 1, 5, 6 at x = 0, 0, 1, 1 and vi = 1/4: means 1/2 and 11/2, each with residuals of 1/2.

    Q is 4 * 4 * 1/4 = 4 on 2 degrees of freedom, the trace of P is 4 * 2 = 8, so tau2 is (4 - 2) / 8 = 1/4 and every
    effect has variance 1/2; a mean of two has 1/4, the difference 1/2.
    """
    design = moderators({"x": [0, 0, 1, 1]})
    found = meta_regression([0, 1, 5, 6], [0.25] * 4, design, method="DL")
    assert found.tau2 == pytest.approx(0.25)
    assert found.estimates == pytest.approx([0.5, 5])
    assert found.covariance == pytest.approx(np.array([[0.25, -0.25], [-0.25, 0.5]]))
    assert found.moderator_test.statistic == pytest.approx(25 / 0.5)
    assert found.fitted == pytest.approx([0.5, 0.5, 5.5, 5.5])
    total = 4 * (9 + 4 + 4 + 9)
    without = (total - 3) / 12
    assert found.r2 == pytest.approx(100 * (without - 0.25) / without)
    (new,) = predict(found, {"x": [1]}, prediction_df="normal")
    z = special.ndtri(0.975)
    assert new.ci == pytest.approx((5.5 - z / 2, 5.5 + z / 2))
    assert new.prediction == pytest.approx((5.5 - z * math.sqrt(0.5), 5.5 + z * math.sqrt(0.5)))


def test_rows_left_out_are_named_in_the_result():
    """The effects are those of all studies; a study without a value takes no part."""
    design = moderators({"x": [0, None, 1, 3, 2]}, studies=["A", "B", "C", "D", "E"])
    found = meta_regression([1, 99, 2, 3, 5], [1, 1, 1, 2, 1], design)
    again = meta_regression([1, 2, 3, 5], [1, 1, 2, 1], moderators({"x": [0, 1, 3, 2]}))
    assert found.estimates.tolist() == again.estimates.tolist()
    assert found.moderators.dropped == (DroppedRow(1, "B", ("x",)),)
    assert found.k == 4


@for_each(
    ("yi", "options", "message"),
    [
        pytest.param([1, 2, 4], {}, "yi has 3 rows but the moderators were made from 4", id="rows"),
        pytest.param([1, 2, math.nan, 4], {}, r"yi\[2\] is nan", id="nan"),
        pytest.param([1, 2, 4, 4], {"method": "GENQ"}, "method is 'GENQ'", id="method"),
        pytest.param([1, 2, 4, 4], {"test": "kenward_roger"}, "test is 'kenward_roger'", id="test"),
        pytest.param([1, 2, 4, 4], {"level": 95}, "level is 95", id="level"),
        pytest.param([0, 0, 0, 0], {"test": "knapp_hartung"}, "the studies lie on the line exactly", id="no-error"),
    ],
)
def test_what_cannot_be_fitted_is_refused(yi, options, message):
    """With what would be right."""
    with pytest.raises(SynthesisError, match=message):
        meta_regression(yi, [1] * len(yi), moderators({"x": [0, 1, 2, 4]}), **options)


def test_predictions_that_have_no_degrees_of_freedom_or_option():
    """Three studies and a line leave one degree for t, none for k-p-1; unknown choices are refused."""
    found = meta_regression([0, 1, 1], [1, 1, 1], moderators({"x": [0, 1, 2]}))
    assert predict(found, {"x": [1]})[0].prediction is None
    assert predict(found, {"x": [1]}, prediction_df="k-p")[0].prediction is not None
    with pytest.raises(SynthesisError, match="prediction_df is 'k-2', but must be one of k-p-1, k-p, normal"):
        predict(found, {"x": [1]}, prediction_df="k-2")


steady = examples(20)
STUDIES = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 5), st.integers(-3, 3)), min_size=4, max_size=12).filter(
    lambda studies: len({x for _, _, x in studies}) > 1
)


@steady
@given(STUDIES, st.sampled_from(["DL", "REML", "PM", "EE"]), st.sampled_from(REGRESSION_TESTS[:2]), st.randoms())
def test_order_origin_and_unit_do_not_matter(studies, method, test, random):
    """Shuffled studies, effects with another zero and a moderator in another unit give the same slope and errors."""
    y, v, x = np.array(studies).T
    order = random.sample(range(y.size), y.size)
    found = meta_regression(y, v, moderators({"x": x.tolist()}), method=method, test=test)
    again = meta_regression(
        3 + y[order], v[order], moderators({"x": (10 * x[order] + 1960).tolist()}), method=method, test=test
    )
    slope, other = found.coefficients[1], again.coefficients[1]
    assert other.estimate * 10 == pytest.approx(slope.estimate, rel=1e-6, abs=1e-7)
    assert other.se * 10 == pytest.approx(slope.se, rel=1e-6)
    assert again.moderator_test.statistic == pytest.approx(found.moderator_test.statistic, rel=1e-5, abs=1e-6)
    assert again.fitted == pytest.approx(3 + found.fitted[order], rel=1e-6, abs=1e-6)


@steady
@given(STUDIES, st.sampled_from(["DL", "REML", "PM", "HE", "EE"]))
def test_a_moderator_that_says_nothing_leaves_the_mean(studies, method):
    """Two copies of the studies, one for each level: the slope is 0 and the mean that of the studies."""
    y, v, _ = np.array(studies).T
    design = moderators({"half": ["a"] * y.size + ["b"] * y.size})
    found = meta_regression([*y, *y], [*v, *v], design, method=method)
    assert found.coefficients[1].estimate == pytest.approx(0, abs=1e-8)
    assert found.r2 in (0, None)
    if found.tau2 == 0:
        assert found.coefficients[0].estimate == pytest.approx(pool(y, v, method="EE").estimate, abs=1e-8)


@for_each("weight", [1e3, 1e6, 0.3e8])
def test_a_study_that_outweighs_the_others_costs_no_digit_that_is_shown(weight):
    """Against fractions, which have no rounding: slope, its error and QE."""
    yi, vi, x = [0.3, 0.5, 0.1, 0.9, 0.4], [1 / weight, 0.9, 0.5, 0.7, 0.3], [1.0, 2.0, 5.0, 3.0, 7.0]
    w, y, z = [1 / Fraction(v) for v in vi], [Fraction(each) for each in yi], [Fraction(each) for each in x]

    def total(*columns):
        return sum(math.prod(row) for row in zip(w, *columns, strict=True))

    determinant = total() * total(z, z) - total(z) ** 2
    slope = (total() * total(z, y) - total(z) * total(y)) / determinant
    intercept = (total(y) - slope * total(z)) / total()
    left = [each - intercept - slope * at for each, at in zip(y, z, strict=True)]
    fit = meta_regression(yi, vi, moderators({"x": x}), method="EE")
    assert fit.coefficients[1].estimate == pytest.approx(float(slope), rel=1e-7)
    assert fit.coefficients[1].se == pytest.approx(math.sqrt(total() / determinant), rel=1e-7)
    assert fit.q.q == pytest.approx(float(total(left, left)), rel=1e-7)


def test_one_that_would_is_refused():
    with pytest.raises(SynthesisError, match="leave a regression too few digits"):
        meta_regression([0.3, 0.5, 0.1, 0.9], [1e-9, 0.9, 0.5, 0.7], moderators({"x": [1, 2, 5, 3]}))


def test_effects_on_a_line_leave_no_error_to_go_by():
    """Rounding leaves some 1e-17, which is no residual. With the floor there is that of the studies themselves.

    metafor: rma(c(.5,.5,.5,.5), c(.1,.2,.05,.4), mods=~c(.1,.3,.7,.2), test="adhoc")$se is 0.3187155 0.6037550.
    """
    effects, places = ([0.5] * 4, [0.1, 0.2, 0.05, 0.4]), moderators({"x": [0.1, 0.3, 0.7, 0.2]})
    with pytest.raises(SynthesisError, match="lie on the line exactly"):
        meta_regression(*effects, places, test="knapp_hartung")
    floored = meta_regression(*effects, places, test="floored_knapp_hartung")
    assert [each.se for each in floored.coefficients] == pytest.approx([0.318715526571, 0.603754957415], rel=1e-9)
