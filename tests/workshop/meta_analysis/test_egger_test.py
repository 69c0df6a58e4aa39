"""Regression tests for funnel asymmetry agree with metafor's regtest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.egger_test import MODELS, egger_test, peters_test
from tests.support.cases import for_each
from tests.support.examples import examples
from tests.workshop.meta_analysis.support.reference import rows, sets_holding

PREDICTOR_LETTERS = {
    "sei": "standard_error", "vi": "variance", "ninv": "inverse_size", "sqrtninv": "inverse_root_size", "ni": "size",
}  # fmt: skip
MODEL_LETTERS = {"rma": "mixed", "lm": "classical"}
TWO_GROUPS = {
    "bcg": ("tpos", "tneg", "cpos", "cneg"),
    "nielweise2007": ("n1i", "n2i"),
}
ONE_GROUP = {
    "bcg_control_arms": "n",
    "debruin2009": "ni",
    "molloy2014": "ni",
    "nielweise2007/treated_arm_single": "n1i",
    "nielweise2007/control_arm_single": "n2i",
    "pritz1997": "ni",
}
SETS = sets_holding("small_study")


def sizes(place):
    """Patients of each study, in both groups where two are compared; nothing where the table has none."""
    file = place.split("/")[0]
    part = place.rpartition("/")[0]
    columns = (ONE_GROUP[part],) if part in ONE_GROUP else TWO_GROUPS.get(file)
    return [sum(float(row[column]) for column in columns) for row in rows(file)] if columns else None


CASES = [
    pytest.param(place, letters, model, id=f"{place}-{letters}-{model}")
    for place, result in SETS.items()
    for letters in PREDICTOR_LETTERS
    if letters in result["small_study"]
    for model in MODEL_LETTERS
]


@for_each(("place", "letters", "model"), CASES)
def test_regtest(place, letters, model):
    """Statistic, p-value, degrees of freedom and the limit for an endlessly large study."""
    effects, expected = SETS[place]["escalc"], SETS[place]["small_study"][letters][model]
    found = egger_test(
        effects["yi"], effects["vi"], predictor=PREDICTOR_LETTERS[letters], model=MODEL_LETTERS[model],
        total=sizes(place),
    )  # fmt: skip
    assert expected["stat"] == pytest.approx(found.statistic, rel=1e-7, abs=1e-9)
    assert expected["pval"] == pytest.approx(found.p, rel=1e-7)
    assert expected.get("df") == found.df
    assert expected["est_limit"] == (found.limit if found.limit is None else pytest.approx(found.limit, rel=1e-7))
    assert (found.limit_ci is None) == (found.limit is None)


@pytest.mark.parametrize("file", ["bcg_control_arms", "pritz1997"])
def test_peters_is_the_inverse_size_regression_of_log_odds(file):
    """For log odds without an empty cell 1 / e + 1 / (n - e) is the variance, so metafor's lm on ninv is Peters's."""
    events, total = {"bcg_control_arms": ("x", "n"), "pritz1997": ("xi", "ni")}[file]
    e, n = ([float(row[column]) for row in rows(file)] for column in (events, total))
    result = SETS[f"{file}/PLO"]
    used = [0 < a < b for a, b in zip(e, n, strict=True)]
    found = peters_test(result["escalc"]["yi"], e, n, proportions=True)
    assert sum(used) == found.k
    if all(used):
        expected = result["small_study"]["ninv"]["lm"]
        assert (expected["stat"], expected["pval"]) == pytest.approx((found.statistic, found.p), rel=1e-8)
    else:
        assert any("have no weight" in remark for remark in found.remarks)


def test_peters_by_hand():
    """Three studies of 10, 20 and 40 with half events: weights n / 4 on 1 / n, a line through 0.1, 0.05 and 0.025.

    yi = 1 + 10 / n lies on it exactly, so one study is moved by 0.1 and the slope follows from weighted least squares.
    """
    n, y = np.array([10.0, 20.0, 40.0]), np.array([2.0, 1.6, 1.25])
    w, x = n / 4, 1 / n
    centred = x - w @ x / w.sum()
    found = peters_test(y, n / 2, n)
    assert found.slope == pytest.approx(w * centred @ y / (w @ centred**2))
    assert (found.df, found.model, found.predictor) == (1, "classical", "inverse_size")


def test_what_a_reader_has_to_know_stands_in_the_result():
    """Few studies and single proportions are remarked on, ten comparisons are not."""
    y, v = [0.1, 0.5, 0.2, 0.9], [0.1, 0.4, 0.2, 0.9]
    few = egger_test(y, v).remarks
    assert len(few) == 1
    assert "With 4 studies" in few[0]
    both = egger_test(y, v, proportions=True).remarks
    assert "Hunter et al. 2014" in both[1]
    assert egger_test(np.tile(y, 3), np.tile(v, 3)).remarks == ()


@for_each(
    ("options", "message"),
    [
        pytest.param({"predictor": "sei"}, "predictor is 'sei', but must be one of standard_error", id="predictor"),
        pytest.param({"model": "lm"}, "model is 'lm', but must be one of mixed", id="model"),
        pytest.param({"predictor": "size"}, "needs the patients of each study", id="no-sizes"),
        pytest.param({"predictor": "size", "total": [1, 2]}, "total has 2 rows but yi has 4", id="lengths"),
        pytest.param({"predictor": "inverse_size", "total": [1, 0, 2, 3]}, r"total\[1\] is 0", id="empty-study"),
        pytest.param({"predictor": "size", "total": [5, 5, 5, 5]}, "all studies have the same size", id="one-size"),
    ],
)
def test_what_cannot_be_tested_is_refused(options, message):
    """The message says what is missing."""
    with pytest.raises(SynthesisError, match=message):
        egger_test([0.1, 0.5, 0.2, 0.9], [0.1, 0.4, 0.2, 0.9], **options)


def test_peters_needs_studies_with_weight():
    """Empty cells carry none."""
    with pytest.raises(SynthesisError, match="three studies with events and with others, not 2"):
        peters_test([0, 1, 2], [0, 2, 3], [5, 6, 7])
    with pytest.raises(SynthesisError, match="yi has 2 rows but events has 3"):
        peters_test([0, 1], [1, 2, 3], [5, 6, 7])
    found = peters_test([0, 1, 2, 2], [0, 2, 3, 4], [5, 6, 7, 9])
    assert found.k == 3
    assert "1 studies with no events" in found.remarks[1]


@examples(30)
@given(
    st.lists(
        st.tuples(st.floats(-5, 5), st.floats(0.05, 5)), min_size=4, max_size=9, unique_by=lambda row: round(row[1], 2)
    ),
    st.floats(-3, 3),
)
@pytest.mark.parametrize("model", MODELS)
def test_a_shift_moves_the_limit_alone(model, studies, shift):
    """The slope stays, mirrored effects mirror it."""
    y, v = np.array(studies).T
    assume(np.ptp(y) > 1e-3)  # on a flat line there is no error to go by, which is refused
    found, shifted, mirrored = (egger_test(each, v, model=model, method="DL") for each in (y, y + shift, -y))
    assert shifted.slope == pytest.approx(found.slope, rel=1e-6, abs=1e-6)
    assert shifted.limit == pytest.approx(found.limit + shift, rel=1e-6, abs=1e-6)
    assert mirrored.slope == pytest.approx(-found.slope, rel=1e-6, abs=1e-6)
