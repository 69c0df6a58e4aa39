"""Fans over time: nothing past the end of follow-up, bands inside each other, numbers in words, two cues."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.render.sheet import figures
from bcma_decide.render.sheet.fan_chart import LONGEST, Fan, fan_chart, last_month
from bcma_decide.render.sheet.plot import Frame
from bcma_decide.time_course import SurvivalTime


def fan(end, *, inner=0.1, outer=0.2, whole=True):
    """A straight line from all patients to half of them at 40 months, with bands that open as wide."""
    points = []
    for month in range(int(end) + 1):
        mean, open_by = 1 - month / 80, month / 40
        ends = [(max(mean - wide * open_by, 0), min(mean + wide * open_by, 1)) for wide in (inner, outer)]
        points.append(
            SurvivalTime(month=month, mean=mean, credible=ends[0], prediction=ends[1] if whole else (None, ends[1][1]))
        )
    return Fan("x-cel", tuple(points), end)


def drawn(picture):
    return ET.fromstring(str(picture))


def places(path):
    """Coordinates of a path of straight lines."""
    return [tuple(map(float, pair)) for pair in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.get("d"))]


def path(root, name):
    return next(each for each in root.iter("path") if each.get("class") == name)


@given(end=st.floats(1, 80), other=st.floats(1, 80), last=st.sampled_from([12, 24, 36]))
def test_nothing_is_drawn_past_the_end_of_follow_up(end, other, last):
    root = drawn(fan_chart(fan(end), figures.FIRST, "title", last, fan(other)))
    furthest = Frame(last).x(min(end, last)) + 0.05  # places are written to one decimal
    of_data = [each for each in root.iter("path") if each.get("class") != "axis"]
    assert len(of_data) >= 4
    for each in of_data:
        assert all(x <= furthest for x, _y in places(each)), each.get("class")
    marks = [*root.iter("circle")]
    assert all(float(mark.get("cx")) <= furthest for mark in marks)
    assert len(marks) == sum(month <= min(end, last) for month in (12, 24))


def test_the_end_of_follow_up_is_marked_at_its_month_and_said():
    """26.3 of 36 months on a field from 29 to 228 units: 29 + 199 * 26.3 / 36 = 174.4."""
    root = drawn(fan_chart(fan(26.3), figures.FIRST, "title", 36))
    assert places(path(root, "line end"))[0][0] == 174.4
    assert "end of follow-up" in [text.text for text in root.iter("text")]
    beyond = drawn(fan_chart(fan(40.0), figures.FIRST, "title", 36))
    assert [each for each in beyond.iter("path") if each.get("class") == "line end"] == []


@given(inner=st.floats(0, 0.4), more=st.floats(0, 0.4))
def test_the_line_lies_in_its_band_and_that_in_the_one_of_the_next_centre(inner, more):
    root = drawn(fan_chart(fan(24, inner=inner, outer=inner + more), figures.FIRST, "title", 24))
    months = 25
    mean = [y for _x, y in places(path(root, "line mean"))]
    bands = []
    for name in ("band inner", "band outer"):
        outline = [y for _x, y in places(path(root, name))]
        bands.append((outline[:months], outline[: months - 1 : -1]))
    (upper, lower), (outer_upper, outer_lower) = bands
    for heights in zip(outer_upper, upper, mean, lower, outer_lower, strict=True):
        assert list(heights) == sorted(heights)  # downwards, so that low shares have large y


def test_a_band_with_an_unknown_end_is_not_drawn():
    root = drawn(fan_chart(fan(24, whole=False), figures.FIRST, "title", 24))
    assert {each.get("class") for each in root.iter("path") if "band" in each.get("class")} == {"band inner"}


def test_the_numbers_of_one_and_two_years_stand_at_the_line():
    """1 - 12 / 80 = 85 of 100 and 1 - 24 / 80 = 70 of 100."""
    root = drawn(fan_chart(fan(30), figures.FIRST, "title", 36))
    bold = {text.text: float(text.get("x")) for text in root.iter("text") if text.get("font-weight")}
    assert set(bold) == {"85", "70"}
    close = drawn(fan_chart(fan(26), figures.FIRST, "title", 36))  # a number would stand on the line of the end
    number = next(text for text in close.iter("text") if text.text == "70")
    assert number.get("text-anchor") == "end"


def test_the_two_options_differ_in_shape_and_the_other_line_is_dashed():
    first, second = (drawn(fan_chart(fan(24), look, "title", 24, fan(20))) for look in figures.LOOKS)
    assert len([*first.iter("circle")]) == 2
    assert len([*second.iter("circle")]) == 0
    assert len([*second.iter("rect")]) == 2
    assert path(first, "line other").get("stroke-dasharray")
    assert path(first, "line mean").get("stroke-dasharray") is None


def test_the_text_alternative_is_the_title_and_is_read_out():
    root = drawn(fan_chart(fan(24), figures.FIRST, "x <b> & 12 months 85", 24))
    assert root.find("{*}title").text == "x <b> & 12 months 85" or root.find("title").text == "x <b> & 12 months 85"
    assert root.get("role") == "img"


@pytest.mark.parametrize(
    ("ends", "last"), [((26.3, 34.9), 36), ((13.0,), 18), ((8.0,), 12), ((90.0,), LONGEST), ((), 36)]
)
def test_the_axis_ends_with_the_longest_follow_up_in_half_years_and_at_three_years(ends, last):
    assert last_month(fan(end) for end in ends) == last


@pytest.mark.parametrize("month", [-1, 24.1])
def test_a_month_outside_the_axis_has_no_place(month):
    with pytest.raises(ValueError, match="lies outside"):
        Frame(24).x(month)
