"""Permutation p-values are shares of deals that can be counted by hand, and repeat with their seed."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.meta_regression import meta_regression
from bcma_decide.workshop.meta_analysis.moderators import moderators
from bcma_decide.workshop.meta_analysis.permutation import permutation_test
from tests.support.cases import for_each
from tests.workshop.meta_analysis.support.reference import effect_sets

Y, V = [0.1, 0.9, 0.4, 1.6, 2.1], [0.2, 0.1, 0.3, 0.15, 0.2]


def counted(y, v, x, method):
    """Share of all orders of x with a slope at least as far from 0, one meta-regression each."""
    z = [
        abs(meta_regression(y, v, moderators({"x": list(order)}), method=method).coefficients[1].statistic)
        for order in permutations(x)
    ]
    return np.mean(np.array(z) >= z[0] * (1 - 1e-8))


@pytest.mark.parametrize("method", ["DL", "REML", "EE"])
def test_few_orders_are_all_looked_at(method):
    """120 orders of five different values: the p-value is the share counted one by one."""
    x = [1, 3, 2, 5, 9]
    found = permutation_test(Y, V, moderators({"x": x}), method=method)
    assert (found.permutations, found.exact, found.seed) == (120, True, None)
    assert counted(Y, V, x, method) == pytest.approx(found.coefficients["x"])
    assert found.moderators == found.coefficients["x"]


def test_rows_of_one_kind_are_interchangeable():
    """Two of five in one group are 10 deals, and give the same share as the 120 orders."""
    x = [0, 0, 0, 1, 1]
    found = permutation_test(Y, V, moderators({"x": x}))
    assert (found.permutations, found.exact) == (10, True)
    assert counted(Y, V, x, "REML") == pytest.approx(found.coefficients["x"])


def test_by_hand():
    """Effects 0, 0, 0, 9, 9 against the last two: no other of the 10 deals is as extreme."""
    found = permutation_test([0, 0, 0, 9, 9], [1] * 5, moderators({"arm": list("aaabb")}), method="EE")
    assert found.coefficients == {"arm=b": pytest.approx(0.1)}


def test_many_orders_are_sampled_and_repeat_with_the_seed():
    """The observed deal counts with the sample; on the BCG trials latitude keeps its effect."""
    block = effect_sets()["bcg/RR"]
    columns = np.array(block["metareg"]["ablat_year"]["design"], dtype=float)
    design = moderators({"ablat": columns[:, 1].tolist(), "year": columns[:, 2].tolist()})
    one, again, other = (
        permutation_test(block["escalc"]["yi"], block["escalc"]["vi"], design, method="DL", at_most=99, seed=seed)
        for seed in (1, 1, 2)
    )
    assert one == again
    assert (one.permutations, one.exact, one.seed, other.seed) == (99, False, 1, 2)
    assert 0.01 <= one.coefficients["ablat"] <= 0.05 < one.coefficients["year"]
    assert one.coefficients["ablat"] * 100 == pytest.approx(round(one.coefficients["ablat"] * 100))


@for_each(
    ("columns", "test", "expected"),
    [
        (["ablat"], "z", [0.186111111111, 0.186111111111]),
        (["ablat"], "knapp_hartung", [0.205555555556, 0.205555555556]),
        (["ablat", "year"], "knapp_hartung", [0.196031746032, 0.492658730159, 0.372023809524]),
    ],
)
def test_shares_are_metafors_whatever_test_is_asked_for(columns, test, expected):
    """permutest(rma(yi, vi, mods, method = "DL", test = "z" or "knha"), exact = TRUE) of the first seven BCG trials."""
    block = effect_sets()["bcg/RR"]
    design = np.array(block["metareg"]["ablat_year"]["design"], dtype=float)[:7]
    values = {"ablat": design[:, 1].tolist(), "year": design[:, 2].tolist()}
    mods = moderators({name: values[name] for name in columns})
    yi, vi = block["escalc"]["yi"][:7], block["escalc"]["vi"][:7]
    found = permutation_test(yi, vi, mods, method="DL", test=test, at_most=5040)
    assert found.exact
    assert [*found.coefficients.values(), found.moderators] == pytest.approx(expected, rel=1e-9)


def test_bad_options_are_refused():
    """At least one permutation, and a known method."""
    design = moderators({"x": [1, 2, 3, 4, 5]})
    with pytest.raises(SynthesisError, match="at_most is 0, but a test needs at least one permutation"):
        permutation_test(Y, V, design, at_most=0)
    with pytest.raises(SynthesisError, match="method is 'FE'"):
        permutation_test(Y, V, design, method="FE")
    with pytest.raises(SynthesisError, match="yi has 4 rows"):
        permutation_test(Y[:4], V[:4], design)
