"""Ranges, ticks and numbers of axes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.plots.axis import KINDS, axis_along, axis_for, printed
from tests.support.cases import for_each
from tests.support.examples import examples


def labels(axis):
    """Its ticks as printed."""
    return [axis.tick_label(tick) for tick in axis.ticks]


@for_each(
    ("kind", "values", "ends", "expected"),
    [
        pytest.param(
            "proportion", [0.3, 0.7], [0.1, 0.95], ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"], id="wide"
        ),
        pytest.param("proportion", [0.02], [0.0, 0.08], ["0 %", "2 %", "4 %", "6 %", "8 %"], id="rare"),
        pytest.param("ratio", [0.25, 4.0], [], ["0.3", "0.5", "0.7", "1", "1.5", "2", "3"], id="ratio"),
        pytest.param("ratio", [0.02, 40.0], [], ["0.03", "0.1", "0.3", "1", "3", "10", "30"], id="decades"),
        pytest.param("plain", [-1.0, 2.0], [], ["\N{MINUS SIGN}1", "0", "1", "2"], id="plain"),
        pytest.param("plain", [0.0, 4e-16], [], ["0", *(f"{i}e\N{MINUS SIGN}16" for i in range(1, 5))], id="tiny"),
        pytest.param(
            "plain",
            [0.0, 0.0],
            [],
            ["\N{MINUS SIGN}0.6", "\N{MINUS SIGN}0.4", "\N{MINUS SIGN}0.2", "0", "0.2", "0.4", "0.6"],
            id="nothing-but-zero",
        ),
        pytest.param("logit", [-6.0, -2.0], [], ["0.5 %", "1 %", "2 %", "5 %", "10 %"], id="rare-logit"),
        pytest.param("log_ratio", [math.log(0.5), math.log(2)], [], ["0.5", "0.7", "1", "1.5", "2"], id="log-ratio"),
    ],
)
def test_ticks(kind, values, ends, expected):
    """Round numbers as they are read, whatever scale they lie on."""
    axis = axis_for(kind, values, ends)
    assert labels(axis) == expected
    assert axis.low < axis.high


def test_shares_by_hand():
    """A logarithmic axis from 1/4 to 4 has 1 in its middle and 2 at three quarters; a logit axis is even in logits."""
    ratio = axis_for("ratio", [0.25, 4.0])
    low, high = math.log(ratio.low), math.log(ratio.high)
    assert ratio.share(1.0) == pytest.approx(0.5)
    assert ratio.share(2.0) == pytest.approx((math.log(2) - low) / (high - low))
    assert (low, high) == pytest.approx((-1.02 * math.log(4) + 0, 1.02 * math.log(4)), rel=0.03)
    half = axis_for("logit", [-2.0, 2.0])
    assert half.share(0.0) == pytest.approx(0.5)
    percent = axis_for("proportion", [0.1, 0.9])
    assert [percent.share(each) for each in (0.0, 0.25, 1.0)] == pytest.approx([0, 0.25, 1])


def test_far_ends_are_cut():
    """An interval up to 1000 does not crush estimates between 1/2 and 2: it ends one spread, a factor of 4, beyond."""
    axis = axis_for("ratio", [0.5, 2.0], [0.001, 1000.0])
    assert (axis.low, axis.high) == pytest.approx((0.125, 8.0), rel=0.1)


@for_each(
    ("kind", "value", "expected"),
    [
        ("proportion", 0.6814, "68.1"),
        ("logit", 0.0, "50.0"),
        ("ratio", 0.4893, "0.49"),
        ("log_ratio", 0.0, "1.00"),
        ("plain", -0.714, "\N{MINUS SIGN}0.71"),
        ("plain", -0.001, "0.00"),
        ("ratio", 12345.0, "1.2e+04"),
        ("ratio", 0.0001, "1.0e\N{MINUS SIGN}04"),
        ("logit", -800.0, "0.0"),
    ],
)
def test_results_as_printed(kind, value, expected):
    """Percent with one decimal, others with two, no negative zero."""
    assert printed(kind, value) == expected


@for_each(
    ("kind", "values", "message"),
    [
        pytest.param("percent", [1.0], "kind of axis is 'percent', but must be one of proportion", id="kind"),
        pytest.param("plain", [], "at least one value", id="empty"),
        pytest.param("plain", [math.nan], "is nan, which is not a finite number", id="nan"),
        pytest.param("proportion", [1.2], "1.2, but a proportion lies within 0 and 1", id="percent-for-fraction"),
        pytest.param("ratio", [0.0], "0, but a ratio is positive", id="zero-ratio"),
    ],
)
def test_what_has_no_place_is_refused(kind, values, message):
    """The message says what was wrong."""
    with pytest.raises(SynthesisError, match=message):
        axis_for(kind, values)


@examples(150)
@given(st.lists(st.floats(0.001, 0.999), min_size=1, max_size=6), st.sampled_from(KINDS), st.floats(0.01, 50))
def test_every_axis_holds_its_values_and_few_round_ticks(fractions, kind, unit):
    """Ticks rise, lie on the axis, read differently, and are between two and a dozen."""
    values = fractions if kind == "proportion" else [unit * (each + 1e-3) for each in fractions]
    if kind == "logit":
        values = [math.log(each / (1 - each)) for each in fractions]
    axis = axis_for(kind, values)
    assert all(-1e-9 <= axis.share(value) <= 1 + 1e-9 for value in values)
    assert all(-1e-9 <= axis.share(tick) <= 1 + 1e-9 for tick in axis.ticks)
    assert 2 <= len(axis.ticks) <= 12
    assert list(axis.ticks) == sorted(axis.ticks)
    assert len(set(labels(axis))) == len(axis.ticks)


@for_each(
    ("values", "ends", "expected"),
    [
        pytest.param([2019, 2021, 2022], (2018, 2023), ["2019", "2020", "2021", "2022"], id="years"),
        pytest.param([2021, 2022], (2020, 2023), ["2021", "2022"], id="two-years"),
        pytest.param([1948, 1980], (1940, 1990), ["1950", "1960", "1970", "1980"], id="decades"),
        pytest.param([0.5, 1.0, 1.5], (0.4, 1.6), ["0.5", "0.75", "1", "1.25", "1.5"], id="halves"),
        pytest.param([2020, 2020], (2018, 2022), ["2020"], id="one-year"),
        pytest.param([0, 12], (-2, 14), ["0", "5", "10"], id="doses"),
    ],
)
def test_an_axis_along_a_number_of_the_studies(values, ends, expected):
    """As long as the values need, whatever their size; whole ticks where all are whole."""
    axis = axis_along(values)
    if len(set(values)) > 1:
        assert labels(axis) == expected
    else:
        assert expected[0] in labels(axis)
    assert ends[0] < axis.low < min(values)
    assert max(values) < axis.high < ends[1]


@given(st.lists(st.integers(-3000, 3000), min_size=1, max_size=8))
@examples(50)
def test_ticks_of_whole_numbers_are_whole(values):
    axis = axis_along([float(value) for value in values])
    assert axis.ticks
    assert all(tick.is_integer() for tick in axis.ticks)


@for_each(("values", "part"), [([], "at least one"), ([math.nan], "not a finite number"), ([math.inf], "not a finite")])
def test_an_axis_along_nothing_is_refused(values, part):
    with pytest.raises(SynthesisError, match=part):
        axis_along(values)
