"""Drawings: icons that sum to 100 and agree with the printed numbers, bars at the right place, titles, two cues."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from bcma_decide.comparison import Estimate, WaterfallStep
from bcma_decide.render.sheet import figures
from bcma_decide.render.words import wording
from tests.render.support.factory import HOSTILE
from tests.support.cases import for_each

SVG = "{http://www.w3.org/2000/svg}"
FRACTIONS = st.floats(0, 1, allow_nan=False)


def drawn(markup):
    """The elements of a drawing; fails on anything that is not well formed."""
    return ET.fromstring(str(markup))


def icons(markup):
    """Number of icons of each kind: each is one closed outline that starts with a move."""
    return {path.get("class"): path.get("d").count("M") for path in drawn(markup).iter("path")}


def estimate(low, mean, high, prediction=None):
    return Estimate(state="estimated", median=mean, mean=mean, credible=(low, high), prediction=prediction)


@given(st.lists(FRACTIONS, min_size=3, max_size=3).map(sorted))
def test_the_icons_sum_to_100_and_are_those_of_the_printed_numbers(ends):
    low, median, high = ends
    parts = figures.icon_parts(median, (low, high))
    assert sum(parts) == 100
    assert min(parts) >= 0
    shown = {"fewer than 1": 0, "more than 99": 100}
    printed = [wording.count(value) for value in (low, median, high)]
    counts = [shown.get(text) if text in shown else int(text) for text in printed]
    assert [parts.sure, parts.sure + parts.likely, 100 - parts.rest] == counts


def test_a_hand_count():
    """Median 65 of 100, interval 23 to 92: 23 full, 42 more to the median, 27 more to the high end, 8 beyond it."""
    assert figures.icon_parts(0.65, (0.23, 0.92)) == (23, 42, 27, 8)


def test_a_median_outside_its_interval_still_gives_100():
    assert sum(figures.icon_parts(0.1, (0.2, 0.3))) == 100


@pytest.mark.parametrize("look", figures.LOOKS)
def test_every_icon_is_drawn_once_in_the_order_of_the_kinds(look):
    markup = figures.icon_array(figures.IconParts(23, 42, 27, 8), look, "65 of 100")
    assert icons(markup) == {"sure": 23, "likely": 42, "possible": 27, "rest": 8}
    outline = "".join(path.get("d") for path in drawn(markup).iter("path"))
    starts = [tuple(map(float, pair)) for pair in re.findall(r"M(-?[\d.]+) (-?[\d.]+)", outline)]
    assert len(set(starts)) == 100
    assert starts == sorted(starts, key=lambda place: (place[1], place[0]))  # row by row from the upper left


def test_a_kind_without_icons_is_not_drawn():
    assert icons(figures.icon_array(figures.IconParts(0, 0, 0, 100), figures.FIRST, "none")) == {"rest": 100}


def test_the_two_options_differ_in_colour_and_in_shape():
    first, second = (str(figures.icon_array(figures.IconParts(50, 0, 0, 50), look, "x")) for look in figures.LOOKS)
    assert "#0072b2" in first
    assert "#e69f00" in second
    assert "a3.7 3.7" in first  # arcs: circles
    assert "h7.4v7.4" in second  # straight lines: squares
    assert figures.FIRST.shape != figures.SECOND.shape


@given(st.lists(FRACTIONS, min_size=5, max_size=5).map(sorted))
def test_a_bar_shows_the_interval_inside_that_of_the_next_centre(ends):
    outer_low, low, median, high, outer_high = ends
    root = drawn(figures.interval_bar(estimate(low, median, high, (outer_low, outer_high)), figures.FIRST))
    inner = next(shape for shape in root.iter("rect") if shape.get("class") == "inner")
    left, right = float(inner.get("x")), float(inner.get("x")) + float(inner.get("width"))
    outer = next(shape for shape in root.iter("path") if shape.get("class") == "outer")
    start, end = map(float, re.fullmatch(r"M([\d.]+) 6H([\d.]+)", outer.get("d")).groups())
    mark = float(next(root.iter("circle")).get("cx"))
    tenth = 0.1 + 1e-9  # places are written to one decimal
    assert start - tenth <= left <= mark + tenth
    assert mark - tenth <= right
    assert right <= max(end, left + 1) + tenth  # an interval that is a point is drawn one unit wide
    assert 1 <= start <= end <= figures.BAR_WIDTH - 1


def test_the_ends_of_the_line_are_0_and_100():
    root = drawn(figures.interval_bar(estimate(0.0, 0.5, 1.0), figures.SECOND))
    inner = next(shape for shape in root.iter("rect") if shape.get("class") == "inner")
    assert (float(inner.get("x")), float(inner.get("width"))) == (1, figures.BAR_WIDTH - 2)


def test_an_estimate_without_a_number_draws_nothing():
    assert figures.interval_bar(Estimate(state="too_thin", reason="one study"), figures.FIRST) == ""
    assert figures.bar_title(Estimate(state="too_thin", reason="one study")) == "too few studies"


def test_a_bar_says_its_numbers():
    title = figures.bar_title(estimate(0.23, 0.65, 0.92, (0.09, 0.97)))
    assert title == "65 of 100, 95 % interval 23 to 92; next centre 9 to 97"


STEPS = (
    WaterfallStep(trait=None, label="average patient", mean=0.8, change=0.0),
    WaterfallStep(trait="a", label="a", mean=0.6, change=-0.2),
    WaterfallStep(trait=None, label="this patient", mean=0.65, change=0.05),
)


def test_steps_are_bars_between_the_mean_before_and_the_mean_after():
    """0.8 to 0.6 on a line of 118 units that starts at 1: from 1 + 70.8 to 1 + 94.4."""
    root = drawn(figures.waterfall(STEPS, figures.FIRST, "steps"))
    bars = [(float(bar.get("x")), float(bar.get("width"))) for bar in root.iter("rect")]
    assert bars[1] == (pytest.approx(71.8), pytest.approx(23.6))
    assert bars[0] == (1, pytest.approx(94.4))  # the first and the last start at zero
    assert bars[2] == (1, pytest.approx(76.7))


@pytest.mark.parametrize(
    "markup",
    [
        figures.icon_array(figures.IconParts(1, 2, 3, 94), figures.FIRST, HOSTILE),
        figures.option_key(figures.SECOND, HOSTILE),
        figures.shape("caution", HOSTILE),
        figures.waterfall(STEPS, figures.SECOND, HOSTILE),
    ],
    ids=["icons", "key", "shape", "steps"],
)
def test_every_drawing_starts_with_its_title_and_hostile_text_stays_text(markup):
    root = drawn(markup)
    assert root[0].tag == "title"
    assert root[0].text == wording.visible(HOSTILE)
    assert not list(root.iter("script"))


@for_each("name", sorted(figures._SHAPES))
def test_every_sign_is_drawn_differently(name):
    others = {str(figures.shape(other, "x")) for other in figures._SHAPES if other != name}
    assert str(figures.shape(name, "x")) not in others


def test_a_title_that_is_escaped_already_is_read_out_as_it_was_meant():
    drawing = figures.icon_array(figures.IconParts(1, 2, 3, 94), figures.FIRST, escape("next centre <1 to 5"))
    assert drawn(drawing)[0].text == "next centre <1 to 5"
