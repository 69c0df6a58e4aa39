"""Influence and Baujat's coordinates agree with metafor."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.influence import baujat, influence
from tests.support.cases import for_each
from tests.support.examples import examples
from tests.workshop.meta_analysis.support.reference import sets_holding

METAFOR_NAMES = {"q_del": "QE_del"}
MEASURES = ("rstudent", "dffits", "cook_d", "cov_r", "tau2_del", "q_del", "hat", "weight", "dfbetas")
SETS = sets_holding("diagnostics")
EACH_SET = for_each("name", SETS)
EACH_METHOD = for_each("method", ["DL", "REML"])


def near_zero(quantity, effects):
    """Where a tau2 of 0 meets one of 1e-13: differences that small, on the scale of the quantity."""
    smallest = min(effects["vi"])
    return 1e-9 * smallest if quantity == "tau2_del" else 1e-12


@for_each("quantity", MEASURES)
@EACH_METHOD
@EACH_SET
def test_influence(name, method, quantity):
    """Every measure of every study."""
    effects = SETS[name]["escalc"]
    expected = SETS[name]["diagnostics"][method]["influence"][METAFOR_NAMES.get(quantity, quantity)]
    found = getattr(influence(effects["yi"], effects["vi"], method=method), quantity)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=near_zero(quantity, effects))


@EACH_METHOD
@EACH_SET
def test_baujat(name, method):
    """Both coordinates."""
    effects, expected = SETS[name]["escalc"], SETS[name]["diagnostics"][method]["baujat"]
    found = baujat(effects["yi"], effects["vi"], method=method)
    np.testing.assert_allclose(found.contribution, expected["x"], rtol=1e-7)
    np.testing.assert_allclose(found.influence, expected["y"], rtol=1e-7, atol=1e-15)


def test_by_hand():
    """vi = 1, yi = 0, 0, 3 with EE: without the last the mean is 0 +- sqrt(1/2), with it 1 +- sqrt(1/3).

    Its rstudent is 3 / sqrt(1.5), dffits 1 / sqrt(1/3), Cook's distance 3, variance ratio 1.5.
    """
    found = influence([0, 0, 3], [1, 1, 1], method="EE")
    assert found.rstudent[2] == pytest.approx(3 / math.sqrt(1.5))
    assert found.dffits[2] == pytest.approx(math.sqrt(3))
    assert (found.cook_d[2], found.cov_r[2], found.dfbetas[2]) == pytest.approx((3, 1.5, math.sqrt(3)))
    assert found.q_del == pytest.approx([4.5, 4.5, 0])
    plotted = baujat([0, 0, 3], [1, 1, 1], method="EE")
    assert plotted.contribution.sum() == pytest.approx(6)  # Cochran's Q
    assert plotted.influence[2] == pytest.approx(2)


def test_flags_name_the_measures_beyond_their_cut_off():
    """Eight studies at 1 and one at 9: without that one the mean moves 8 / 3 standard errors, without another 1 / 3.

    Beyond 3 / sqrt(8), 0.455 (squared) and 1 is only the first; all leverages are 1 / 9, none beyond 3 / 9.
    """
    found = influence([1] * 8 + [9], [1] * 9, method="EE")
    assert found.flags == ((),) * 8 + (("dffits", "cook_d", "dfbetas"),)
    heavy = influence([1, 1, 1, 1], [1e-3, 1, 1, 1], method="EE")
    assert heavy.flags == (("hat",), (), (), ())


@pytest.mark.parametrize("function", [influence, baujat])
def test_two_studies_are_too_few(function):
    """The message says how many are needed."""
    with pytest.raises(SynthesisError, match="at least three"):
        function([0, 1], [1, 1])


@examples(60)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 5)), min_size=3, max_size=10), st.floats(0.1, 10))
def test_origin_and_unit_do_not_matter(studies, unit):
    """Measures in standard errors stay when effects are shifted and rescaled; leverages sum to 1."""
    y, v = np.array(studies).T
    found, again = influence(y, v, method="DL"), influence(2 + unit * y, unit**2 * v, method="DL")
    assert found.hat.sum() == pytest.approx(1)
    for name in ("rstudent", "dffits", "cook_d", "cov_r", "dfbetas"):
        np.testing.assert_allclose(getattr(again, name), getattr(found, name), rtol=1e-5, atol=1e-6)
