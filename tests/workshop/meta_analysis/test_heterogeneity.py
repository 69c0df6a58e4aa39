"""tau2, Q, I2, H2 and the Q-profile interval agree with metafor."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis import heterogeneity, likelihood, tau2
from bcma_decide.workshop.meta_analysis.effect_sizes import logit
from bcma_decide.workshop.meta_analysis.heterogeneity import (
    METHODS,
    cochran_q,
    estimate_tau2,
    h_squared,
    i_squared,
)
from bcma_decide.workshop.meta_analysis.likelihood import log_likelihood
from bcma_decide.workshop.meta_analysis.tau2 import q_profile
from bcma_decide.workshop.meta_analysis.weighted_regression import intercept_only, prepare
from tests.support.cases import for_each
from tests.support.examples import examples
from tests.workshop.meta_analysis.support.reference import (
    METHOD_LETTERS,
    effect_sets,
    effects_of,
    relative_tolerance,
    rows,
)

RESULTS = {place: block for place, block in effect_sets().items() if len(effects_of(block)[0]) > 1}
SETS = [pytest.param(block["escalc"], block["pool"]["REML"]["z"], id=place) for place, block in RESULTS.items()]
FITS = [
    pytest.param(
        method, block["escalc"], block["pool"][method]["z"], relative_tolerance(place, method), id=f"{place}-{method}"
    )
    for place, block in RESULTS.items()
    for method in METHOD_LETTERS
]
REGRESSIONS = [
    pytest.param(method, block["escalc"], regression["design"], regression[method]["z"], id=f"{place}-{name}-{method}")
    for place, block in RESULTS.items()
    for name, regression in block.get("metareg", {}).items()
    for method in METHOD_LETTERS
    if method in regression
]


def test_every_method_of_metafor_is_there():
    """By the same name."""
    assert sorted([*METHOD_LETTERS, "DLIT"]) == sorted(METHODS)


@for_each(("method", "effects", "fit", "rel"), FITS)
def test_estimates_are_those_of_metafor(method, effects, fit, rel):
    """tau2, its error, I2, H2 and both log-likelihoods; at the boundary on the scale of the variances.

    With EE metafor takes I2 and H2 from Q, see test_pooling.
    """
    y, v = np.array(effects["yi"]), np.array(effects["vi"])
    found = estimate_tau2(y, v, method)
    assert fit["tau2"] == pytest.approx(found.value, rel=rel, abs=1e-9 * min(v))
    assert fit["se_tau2"] == (None if found.se is None else pytest.approx(found.se, rel=rel))
    shares = (i_squared(found.value, v), h_squared(found.value, v))
    if method == "EE":
        assert shares == (0, 1)
    else:
        assert fit["I2"] == pytest.approx(shares[0], rel=rel, abs=1e-7)
        assert fit["H2"] == pytest.approx(shares[1], rel=rel)
    design = intercept_only(y.size)
    likelihoods = [log_likelihood(y, v, found.value, design, restricted=restricted) for restricted in (False, True)]
    assert [fit["ll"]["ML"], fit["ll"]["REML"]] == pytest.approx(likelihoods, rel=rel, abs=1e-8)


@for_each(("method", "effects", "matrix", "fit"), REGRESSIONS)
def test_heterogeneity_that_moderators_leave(method, effects, matrix, fit):
    """tau2, its error and interval, Q, I2 and H2 of every meta-regression; of two peaks of ML, the higher."""
    y, v = effects["yi"], effects["vi"]
    design = prepare(matrix, len(y))
    tau2 = estimate_tau2(y, v, method, design)
    nothing = 1e-9 * min(v)
    assert fit["tau2"] == pytest.approx(tau2.value, rel=1e-8, abs=nothing)
    assert fit["se_tau2"] == (None if tau2.se is None else pytest.approx(tau2.se, rel=1e-8))
    assert fit["QE"] == pytest.approx(cochran_q(y, v, design).q, rel=1e-9)
    assert fit["QE_df"] == cochran_q(y, v, design).df
    if method == "EE":
        return
    assert fit["I2"] == pytest.approx(i_squared(tau2.value, v, design), rel=1e-8, abs=1e-7)
    assert fit["H2"] == pytest.approx(h_squared(tau2.value, v, design), rel=1e-8)
    interval = fit["tau2_ci_qprofile"]["tau2"][1:] if "tau2_ci_qprofile" in fit else None
    if interval:
        assert interval == pytest.approx(q_profile(np.array(y), np.array(v), design, 0.95), rel=1e-9, abs=nothing)


@for_each(("effects", "fit"), SETS)
def test_cochran_q(effects, fit):
    """Statistic and p-value."""
    found = cochran_q(effects["yi"], effects["vi"])
    assert fit["k"] - 1 == found.df
    assert fit["QE"] == pytest.approx(found.q, rel=1e-9)
    assert fit["QEp"] == pytest.approx(found.p, rel=1e-9, abs=1e-200)


@for_each(("effects", "fit"), SETS)
def test_q_profile_interval(effects, fit):
    """Ends of the interval on the scales of tau2, tau, I2 and H2."""
    v, expected = effects["vi"], fit["tau2_ci_qprofile"]
    ends = q_profile(np.array(effects["yi"]), np.array(v), intercept_only(len(v)), 0.95)
    assert expected["tau2"][1:] == pytest.approx(ends, rel=1e-9)
    assert expected["tau"][1:] == pytest.approx([math.sqrt(end) for end in ends], rel=1e-9)
    assert expected["I2"][1:] == pytest.approx([i_squared(end, v) for end in ends], rel=1e-9)
    assert expected["H2"][1:] == pytest.approx([h_squared(end, v) for end in ends], rel=1e-9)


def test_equal_variances_by_hand():
    """With vi = 1 and yi = 0, 2, 4: var(yi) - 1 = 3 where unbiased, 8/3 - 1 with ML, (8 - 3) / 3 with HS.

    HSk raises Q to 8 * 3 / 2; PMM takes the median of chi-squared with 2 degrees of freedom, 2 log 2, for k - 1.
    DLIT rests where 8 / (1 + tau2) = 2 + 2 tau2 / (1 + tau2).
    """
    expected = {
        "DL": 3, "REML": 3, "PM": 3, "EB": 3, "HE": 3, "ML": 5 / 3, "HS": 5 / 3, "EE": 0,
        "SJ": (8 / 3) / (11 / 3) * 4, "HSk": (12 - 3) / 3, "PMM": 8 / (2 * math.log(2)) - 1, "DLIT": 1.5,
    }  # fmt: skip
    found = {method: estimate_tau2([0, 2, 4], [1, 1, 1], method).value for method in METHODS}
    assert expected == pytest.approx(found, rel=1e-10)
    assert cochran_q([0, 2, 4], [1, 1, 1]).q == 8
    assert i_squared(3, [1, 1, 1]) == pytest.approx(75)
    assert h_squared(3, [1, 1, 1]) == pytest.approx(4)


def test_dlit_is_where_the_steps_of_metafor_end():
    """rma(yi, vi, method="DLIT", control=list(threshold=1e-9, maxiter=1e5)) of dat.pritz1997, logits."""
    table = rows("pritz1997")
    effects = logit([float(row["xi"]) for row in table], [float(row["ni"]) for row in table])
    found = estimate_tau2(effects.yi, effects.vi, "DLIT")
    assert [found.value, found.se] == pytest.approx([0.188805861563, 0.312213834909], rel=1e-9)


@for_each("method", METHODS)
def test_identical_studies_have_no_heterogeneity(method):
    """tau2 is 0, and the interval is empty, given as (0, 0)."""
    assert estimate_tau2([1, 1, 1], [1, 2, 3], method).value == 0
    assert q_profile(np.ones(3), np.arange(1.0, 4.0), intercept_only(3), 0.95) == (0, 0)


def test_one_study_leaves_no_test():
    """Q of one study is 0 with no degrees of freedom and no p-value; tau2 is refused."""
    assert heterogeneity.QTest(0, 0, None) == cochran_q([1], [2])
    with pytest.raises(SynthesisError, match="at least two studies"):
        estimate_tau2([1], [2])
    with pytest.raises(SynthesisError, match="at least two studies"):
        i_squared(0, [2])


@for_each(
    ("yi", "vi", "message"),
    [
        pytest.param([], [], "yi is empty", id="empty"),
        pytest.param([1, 2], [1], "yi has 2 rows but vi has 1", id="lengths"),
        pytest.param([1, math.nan], [1, 1], r"yi\[1\] is nan", id="nan"),
        pytest.param([1, 2], [1, 0], r"vi\[1\] is 0", id="zero-variance"),
        pytest.param([1, 2], [-1, 1], r"vi\[0\] is -1", id="negative-variance"),
    ],
)
def test_bad_effects_are_refused_by_row(yi, vi, message):
    """The message names the array and the row."""
    for function in (estimate_tau2, cochran_q):
        with pytest.raises(SynthesisError, match=message):
            function(yi, vi)


def test_unknown_options_are_refused():
    """The message says what would have been right."""
    with pytest.raises(SynthesisError, match="method is 'FE', but must be one of DL, REML"):
        estimate_tau2([1, 2], [1, 1], "FE")


@pytest.mark.parametrize("method", ["DL", "REML"])
def test_heterogeneity_lost_in_rounding_is_an_error(method):
    """One study in units a million times smaller leaves nothing to tell between the others."""
    with pytest.raises(SynthesisError, match="cannot be told from rounding: check the units of vi"):
        estimate_tau2([0.1, 0.1, 0.2], [1e-12, 1, 1], method)


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_no_convergence_is_an_error(method, monkeypatch):
    """Running out of steps says so, with the value reached, instead of returning it."""
    monkeypatch.setattr(likelihood, "_MAX_STEPS", 1)
    effects = RESULTS["bcg/RR"]["escalc"]
    with pytest.raises(SynthesisError, match=rf"{method} did not settle on a tau2 in 1 steps \(last value \d\.\d+"):
        estimate_tau2(effects["yi"], effects["vi"], method)


@pytest.mark.parametrize("method", ["PM", "EB", "PMM"])
def test_an_equation_that_is_not_solved_is_an_error(method, monkeypatch):
    """The same for the estimators that solve an equation for Q."""
    monkeypatch.setattr(tau2, "_MAX_STEPS", 1)
    effects = RESULTS["bcg/RR"]["escalc"]
    with pytest.raises(SynthesisError, match=r"the equation Q\(tau2\) = \d+\.?\d* was not solved in 1 steps"):
        estimate_tau2(effects["yi"], effects["vi"], method)


def test_designs_that_cannot_be_used_are_refused():
    """Another number of rows, a shape that is none, numbers that are not, columns that say the same."""
    with pytest.raises(SynthesisError, match="the design has 4 rows but yi has 3"):
        estimate_tau2([1, 2, 3], [1, 1, 1], "DL", intercept_only(4))
    for matrix, message in (
        ([[1], [1]], "shape \\(2, 1\\), but must have one row for each of 3"),
        ([1, 1, 1], "shape \\(3,\\)"),
        ([["a"], ["b"], ["c"]], "the design must be numbers"),
        ([[1, 0], [1, math.inf], [1, 2]], "design\\[1, 1\\] is inf"),
        ([[1, 0, 0], [1, 1, 0], [1, 0, 1]], "3 studies are too few for 3 coefficients"),
        ([[1, 2], [1, 2], [1, 2]], "column 1 of the design is a combination"),
    ):
        with pytest.raises(SynthesisError, match=message):
            prepare(matrix, 3)


steady = examples(12)
FAR_APART = st.lists(st.tuples(st.floats(-50, 50), st.floats(-2.5, 2.5)), min_size=2, max_size=12)
STUDIES = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 5)), min_size=2, max_size=12)
ESTIMATED = [method for method in METHODS if method != "EE"]


@for_each("method", ESTIMATED)
@steady
@given(STUDIES)
def test_tau2_does_not_depend_on_origin_order_or_sign(method, studies):
    """Shifting, reversing or mirroring the studies leaves tau2 alone, and it is never negative."""
    y, v = np.array(studies).T
    tau2 = estimate_tau2(y, v, method).value
    assert tau2 >= 0
    for other_y, other_v in ((y + 3, v), (y[::-1], v[::-1]), (-y, v)):
        assert tau2 == pytest.approx(estimate_tau2(other_y, other_v, method).value, rel=1e-6, abs=1e-9)


@for_each("method", ESTIMATED)
@steady
@given(STUDIES, st.floats(0.1, 10))
def test_tau2_follows_the_unit(method, studies, factor):
    """Effects in other units give tau2 in those units squared."""
    y, v = np.array(studies).T
    expected = factor**2 * estimate_tau2(y, v, method).value
    assert expected == pytest.approx(estimate_tau2(factor * y, factor**2 * v, method).value, rel=1e-6, abs=1e-8)


@steady
@given(STUDIES)
def test_paule_mandel_solves_its_equation(studies):
    """Where PM is positive Q(tau2) is k - 1; and the 95 % Q-profile interval holds the 50 % one."""
    y, v = np.array(studies).T
    tau2 = estimate_tau2(y, v, "PM").value
    if tau2 > 0:
        assert y.size - 1 == pytest.approx(cochran_q(y, v + tau2).q, rel=1e-9)
    low, high = q_profile(y, v, intercept_only(y.size), 0.95)
    inner_low, inner_high = q_profile(y, v, intercept_only(y.size), 0.5)
    assert low <= inner_low <= inner_high <= high


@for_each("method", [method for method in ESTIMATED if method != "SJ"])
@steady
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 5), st.floats(-3, 3)), min_size=5, max_size=12))
def test_what_the_moderators_explain_does_not_matter(method, studies):
    """Adding what the design can fit, or other columns for the same design, leave tau2 alone (SJ starts from y)."""
    y, v, x = np.array(studies).T
    if np.ptp(x) < 0.1:
        return
    one, other = prepare(np.column_stack([np.ones_like(x), x]), y.size), prepare(np.column_stack([x + 7, x]), y.size)
    expected = pytest.approx(estimate_tau2(y, v, method, one).value, rel=1e-6, abs=1e-8)
    assert estimate_tau2(y + 3 - 2 * x, v, method, one).value == expected
    assert estimate_tau2(y, v, method, other).value == expected


@steady
@given(STUDIES)
@pytest.mark.parametrize(("method", "restricted"), [("REML", True), ("ML", False)])
def test_likelihood_estimates_are_maxima(method, restricted, studies):
    """No tau2 has a higher likelihood, near the estimate or on a grid."""
    y, v = np.array(studies).T
    tau2 = estimate_tau2(y, v, method).value

    def log_density(t):
        w = 1 / (v + t)
        mean = (w @ y) / w.sum()
        return (np.log(w).sum() - restricted * np.log(w.sum()) - w @ (y - mean) ** 2) / 2

    for other in (max(0, tau2 - 1e-3), tau2 + 1e-3, *np.geomspace(1e-4, 100, 50)):
        assert log_density(other) <= log_density(tau2) + 1e-10


@for_each("method", METHODS)
@steady
@given(FAR_APART)
def test_studies_of_very_different_size_have_an_estimate(method, studies):
    """Variances up to 1e5 apart still give a finite tau2 and error, and likelihood estimates that no grid betters."""
    y, exponents = np.array(studies).T
    v, design = 10**exponents, intercept_only(y.size)
    found = estimate_tau2(y, v, method)
    assert np.isfinite(found.value)
    assert found.se is None or np.isfinite(found.se)
    if method in ("REML", "ML"):
        likelihoods = [
            log_likelihood(y, v, t, design, restricted=method == "REML")
            for t in (found.value, 0, *np.geomspace(1e-9, 1e9, 60))
        ]
        assert max(likelihoods) <= likelihoods[0] + 1e-8 * abs(likelihoods[0])
