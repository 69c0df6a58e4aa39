"""Leaving out and adding are by the model that was asked for: each row is the fit of those studies alone."""

import pytest

from bcma_decide.workshop.synthesis import refits
from bcma_decide.workshop.synthesis.model import PoolingMethod
from bcma_decide.workshop.synthesis.refits import refitted, up_to_each, without_each
from bcma_decide.workshop.synthesis.result import result_of
from bcma_decide.workshop.synthesis.studies import counted_studies
from tests.support.cases import for_each

EVENTS, N = [1, 3, 0, 3, 1, 2], [40, 155, 121, 300, 50, 90]
YEARS = list(range(2000, 2006))
STUDIES = counted_studies("abcdef", EVENTS, N)
EXACT = PoolingMethod("GLMM")
# metafor: rma.glmm(measure="PLO", xi, ni, nAGQ=25) of the first three to six, and of five without each.
ADDED = [
    (-4.35670882663, 0.503194818957), (-4.46590811865, 0.380130533109), (-4.40976338964, 0.355696140649),
    (-4.31214050721, 0.318340200425),
]  # fmt: skip
LEFT = [
    (-4.36380608856, 0.335448400627), (-4.44096917031, 0.380185467144), (-4.13516655674, 0.318747594845),
    (-4.16111273868, 0.380899332278), (-4.34956083342, 0.335478574319), (-4.40976338964, 0.355696140649),
]  # fmt: skip


def test_the_exact_model_without_each():
    found = without_each(STUDIES, EXACT)
    assert list(zip(found.estimate, found.se, strict=True)) == [pytest.approx(each, rel=2e-5) for each in LEFT]
    assert found.k.tolist() == [5] * 6


def test_the_exact_model_up_to_each_ends_with_the_pooled_result():
    found = up_to_each(STUDIES, YEARS, EXACT)
    rows = list(zip(found.fits.estimate, found.fits.se, strict=True))
    assert rows[2:] == [pytest.approx(each, rel=2e-5) for each in ADDED]
    whole = result_of(STUDIES, EXACT)
    assert rows[-1] == pytest.approx((whole.estimate, whole.se), rel=1e-12)
    assert found.fits.q[-1] == pytest.approx(whole.q)


@for_each("method", ["GLMM", "REML", "DL", "ML"])
@for_each("test", ["z", "t"])
def test_the_last_row_is_the_pooled_result(method, test):
    model = PoolingMethod(method, test)
    fits, whole = up_to_each(STUDIES, YEARS, model).fits, result_of(STUDIES, model)
    last = [column[-1] for column in (fits.estimate, fits.ci_low, fits.ci_high, fits.p)]
    assert last == pytest.approx([whole.estimate, *whole.ci, whole.p], rel=1e-9)


def test_the_order_is_that_of_the_column_not_of_the_table():
    found = up_to_each(STUDIES, [3, 1, 2, 6, 5, 4], EXACT)
    assert found.added.tolist() == [1, 2, 0, 5, 4, 3]
    alone = result_of(STUDIES.of([1, 2, 0]), EXACT)
    assert found.fits.estimate[2] == pytest.approx(alone.estimate)


def test_a_subset_the_model_cannot_be_fitted_to_has_no_numbers():
    """Without the third study, each has nobody or everybody with the event."""
    studies = counted_studies("abc", [0, 15, 3], [12, 15, 30])
    found = without_each(studies, EXACT)
    assert [bool(value == value) for value in found.estimate] == [True, True, False]
    assert found.k.tolist() == [2, 2, 2]


def test_too_many_refits_are_by_inverse_variances(monkeypatch):
    assert refitted(STUDIES, EXACT)
    monkeypatch.setattr(refits, "MOST_REFITS", 5)
    assert not refitted(STUDIES, EXACT)
    weighted = without_each(STUDIES, PoolingMethod("REML"))
    assert without_each(STUDIES, EXACT).estimate == pytest.approx(weighted.estimate)
