"""tau2, Q, I2, H2 and the Q-profile interval agree with metafor."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcma_decide.errors import SynthesisError
from bcma_decide.synthesis import heterogeneity
from bcma_decide.synthesis.heterogeneity import (
    METHODS,
    cochran_q,
    estimate_tau2,
    h_squared,
    i_squared,
    tau2_interval,
)

REFERENCE = Path(__file__).parents[1] / "reference" / "pooling" / "results"
RESULTS = {
    f"{file.stem}-{name}": result
    for file in sorted(REFERENCE.glob("*.json"))
    for name, result in json.loads(file.read_text())["results"].items()
    if len(result["escalc"]["yi"]) > 1
}
SETS = [pytest.param(result["escalc"], result["pool"]["REML"]["z"], id=name) for name, result in RESULTS.items()]


def relative_tolerance(name: str, method: str) -> float:
    """What the reference README calls safe: its iterated estimates carry less, tiny tau2 least."""
    if method not in ("REML", "ML", "EB"):
        return 1e-9
    return 1e-7 if name.endswith("PR") else 1e-8


FITS = [
    pytest.param(
        method,
        result["escalc"],
        result["pool"][method]["z"],
        relative_tolerance(name, method),
        id=f"{name}-{method}",
    )
    for name, result in RESULTS.items()
    for method in METHODS
]


@pytest.mark.parametrize(("method", "effects", "fit", "rel"), FITS)
class TestAgainstMetafor:
    """Every estimator on every set; estimates at the boundary are compared on the scale of the variances."""

    def test_tau2(self, method, effects, fit, rel):
        """The estimate."""
        found = estimate_tau2(effects["yi"], effects["vi"], method).value
        assert fit["tau2"] == pytest.approx(found, rel=rel, abs=1e-9 * min(effects["vi"]))

    def test_se_tau2(self, method, effects, fit, rel):
        """Its standard error, which a common-effect model does not have."""
        found = estimate_tau2(effects["yi"], effects["vi"], method).se
        assert fit["se_tau2"] == (None if found is None else pytest.approx(found, rel=rel))

    def test_i2_and_h2(self, method, effects, fit, rel):
        """I2 and H2 from tau2 (with EE metafor takes them from Q, see test_pooling)."""
        if method == "EE":
            assert (i_squared(0, effects["vi"]), h_squared(0, effects["vi"])) == (0, 1)
            return
        tau2 = estimate_tau2(effects["yi"], effects["vi"], method).value
        assert fit["I2"] == pytest.approx(i_squared(tau2, effects["vi"]), rel=rel, abs=1e-7)
        assert fit["H2"] == pytest.approx(h_squared(tau2, effects["vi"]), rel=rel)


@pytest.mark.parametrize(("effects", "fit"), SETS)
def test_cochran_q(effects, fit):
    """Statistic and p-value."""
    found = cochran_q(effects["yi"], effects["vi"])
    assert fit["k"] - 1 == found.df
    assert fit["QE"] == pytest.approx(found.q, rel=1e-9)
    assert fit["QEp"] == pytest.approx(found.p, rel=1e-9, abs=1e-200)


@pytest.mark.parametrize(("effects", "fit"), SETS)
def test_q_profile_interval(effects, fit):
    """Ends of the interval on the scales of tau2, I2 and H2."""
    ends = tau2_interval(effects["yi"], effects["vi"])
    assert fit["tau2_ci"] == pytest.approx(ends, rel=1e-9)
    assert fit["I2_ci"] == pytest.approx([i_squared(end, effects["vi"]) for end in ends], rel=1e-9)
    assert fit["H2_ci"] == pytest.approx([h_squared(end, effects["vi"]) for end in ends], rel=1e-9)


def test_equal_variances_by_hand():
    """With vi = 1 and yi = 0, 2, 4: var(yi) - 1 = 3 where unbiased, 8/3 - 1 with ML, (8 - 3) / 3 with HS."""
    expected = {
        "DL": 3, "REML": 3, "PM": 3, "EB": 3, "HE": 3, "ML": 5 / 3, "HS": 5 / 3, "EE": 0,
        "SJ": (8 / 3) / (11 / 3) * 4,
    }  # fmt: skip
    found = {method: estimate_tau2([0, 2, 4], [1, 1, 1], method).value for method in METHODS}
    assert expected == pytest.approx(found, rel=1e-10)
    assert cochran_q([0, 2, 4], [1, 1, 1]).q == 8
    assert i_squared(3, [1, 1, 1]) == pytest.approx(75)
    assert h_squared(3, [1, 1, 1]) == pytest.approx(4)


@pytest.mark.parametrize("method", METHODS)
def test_identical_studies_have_no_heterogeneity(method):
    """tau2 is 0, and the interval is empty, given as (0, 0)."""
    assert estimate_tau2([1, 1, 1], [1, 2, 3], method).value == 0
    assert tau2_interval([1, 1, 1], [1, 2, 3]) == (0, 0)


def test_one_study_leaves_no_test():
    """Q of one study is 0 with no degrees of freedom and no p-value; tau2 is refused."""
    assert heterogeneity.QTest(0, 0, None) == cochran_q([1], [2])
    with pytest.raises(SynthesisError, match="at least two studies"):
        estimate_tau2([1], [2])
    with pytest.raises(SynthesisError, match="at least two studies"):
        tau2_interval([1], [2])
    with pytest.raises(SynthesisError, match="at least two studies"):
        i_squared(0, [2])


@pytest.mark.parametrize(
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
    for function in (estimate_tau2, cochran_q, tau2_interval):
        with pytest.raises(SynthesisError, match=message):
            function(yi, vi)


def test_unknown_options_are_refused():
    """The message says what would have been right."""
    with pytest.raises(SynthesisError, match="method is 'FE', but must be one of DL, REML"):
        estimate_tau2([1, 2], [1, 1], "FE")
    for level in (0, 1, 95, math.nan):
        with pytest.raises(SynthesisError, match="between 0 and 1"):
            tau2_interval([1, 2], [1, 1], level)


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_no_convergence_is_an_error(method, monkeypatch):
    """Running out of steps says so, with the value reached, instead of returning it."""
    monkeypatch.setattr(heterogeneity, "_MAX_STEPS", 1)
    effects = RESULTS["bcg-RR"]["escalc"]
    with pytest.raises(SynthesisError, match=rf"{method} did not settle on a tau2 in 1 steps \(last value \d\.\d+"):
        estimate_tau2(effects["yi"], effects["vi"], method)


steady = settings(derandomize=True, deadline=None, max_examples=60)
STUDIES = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 5)), min_size=2, max_size=12)
ESTIMATED = [method for method in METHODS if method != "EE"]


@steady
@given(STUDIES)
@pytest.mark.parametrize("method", ESTIMATED)
def test_tau2_does_not_depend_on_origin_order_or_sign(method, studies):
    """Shifting, reversing or mirroring the studies leaves tau2 alone, and it is never negative."""
    y, v = np.array(studies).T
    tau2 = estimate_tau2(y, v, method).value
    assert tau2 >= 0
    for other_y, other_v in ((y + 3, v), (y[::-1], v[::-1]), (-y, v)):
        assert tau2 == pytest.approx(estimate_tau2(other_y, other_v, method).value, rel=1e-6, abs=1e-9)


@steady
@given(STUDIES, st.floats(0.1, 10))
@pytest.mark.parametrize("method", ESTIMATED)
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
    low, high = tau2_interval(y, v, 0.95)
    inner_low, inner_high = tau2_interval(y, v, 0.5)
    assert low <= inner_low <= inner_high <= high


@steady
@given(STUDIES)
@pytest.mark.parametrize(("method", "restricted"), [("REML", True), ("ML", False)])
def test_likelihood_estimates_are_maxima(method, restricted, studies):
    """No tau2 near the estimate has a higher likelihood."""
    y, v = np.array(studies).T
    tau2 = estimate_tau2(y, v, method).value

    def log_likelihood(t):
        w = 1 / (v + t)
        mean = (w @ y) / w.sum()
        return (np.log(w).sum() - restricted * np.log(w.sum()) - w @ (y - mean) ** 2) / 2

    for nearby in (max(0, tau2 - 1e-3), tau2 + 1e-3):
        assert log_likelihood(nearby) <= log_likelihood(tau2) + 1e-10
