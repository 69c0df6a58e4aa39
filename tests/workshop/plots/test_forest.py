"""The forest plot: rows, coordinates, words, and what remains of it without colour."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.plots.forest import forest
from bcma_decide.workshop.plots.values import Forest, ForestGroup, ForestLine, PooledLine
from tests.support.cases import for_each
from tests.workshop.plots.support.drawings import (
    HOSTILE,
    SVG,
    described,
    marks,
    numbers,
    proportions,
    ratios,
    read,
    words,
)


@for_each("studies", [2, 13, 59, 60, 200])
@for_each("grouped", [False, True])
def test_every_study_has_its_row(studies, grouped):
    """One square and one interval each, diamonds for the pooled, all inside the drawing, rows apart."""
    drawing = forest(proportions(studies, grouped=grouped))
    root = read(drawing)
    assert len(marks(drawing, "study")) == len(marks(drawing, "interval")) == studies
    assert len(marks(drawing, "overall")) == 1
    assert len(marks(drawing, "subtotal")) == (2 if grouped else 0)
    assert len(marks(drawing, "prediction")) == 1
    width, height = numbers(root, "width", "height")
    for element in root.iter(SVG + "text"):
        x, y = numbers(element, "x", "y")
        assert 0 < x < width
        assert 0 < y < height
    rows = [numbers(line, "y1")[0] for line in marks(drawing, "interval")]
    assert all(b - a >= 17.9 for a, b in pairwise(rows))


def test_marks_stand_where_the_numbers_say():
    """The axis runs from 0 to 100 %: a square's middle and the ends of lines and diamonds follow by proportion."""
    drawing = forest(proportions(3))
    start, end = numbers(marks(drawing, "axis")[0], "x1", "x2")

    def place(value):
        return pytest.approx(start + value * (end - start), abs=0.02)

    for square, value in zip(marks(drawing, "study"), (0.2, 0.4, 0.6), strict=True):
        x, side = numbers(square, "x", "width")
        assert x + side / 2 == place(value)
    assert numbers(marks(drawing, "interval")[0], "x1", "x2") == (place(0.1), place(0.9))
    assert numbers(marks(drawing, "prediction")[0], "x1", "x2") == (place(0.15), place(0.8))
    corners = re.findall(r"([\d.]+),", marks(drawing, "overall")[0].get("points"))
    assert [float(corner) for corner in corners] == [place(0.3), place(0.4), place(0.5), place(0.4)]
    assert numbers(marks(drawing, "overall-line")[0], "x1", "x2") == (place(0.4), place(0.4))
    ticks = [numbers(tick, "x1")[0] for tick in marks(drawing, "tick")]
    assert ticks == [place(each / 5) for each in range(6)]


def test_a_ratio_lies_on_a_logarithmic_axis():
    """0.5 and 2 are as far from 1, the reference; the interval beyond the axis ends in two arrows."""
    drawing = forest(ratios())
    reference = numbers(marks(drawing, "reference")[0], "x1")[0]
    low, high, _ = (
        sum(numbers(square, "x", "width")[i] * (1, 0.5)[i] for i in (0, 1)) for square in marks(drawing, "study")
    )
    assert reference - low == pytest.approx(high - reference, abs=0.02)
    assert len(marks(drawing, "arrow")) == 2
    start, end = numbers(marks(drawing, "axis")[0], "x1", "x2")
    assert numbers(marks(drawing, "interval")[2], "x1", "x2") == (start, end)


def test_area_is_weight():
    """Half the weight, half the area; nothing smaller than can be seen."""
    lines = (ForestLine("a", 0.5, 0.4, 0.6, 80), ForestLine("b", 0.5, 0.4, 0.6, 20), ForestLine("c", 0.5, 0.4, 0.6, 0))
    drawing = forest(Forest("t", "m", "proportion", (ForestGroup("", lines),)))
    sides = [numbers(square, "width")[0] for square in marks(drawing, "study")]
    assert sides == [14, 7, 3]


def test_every_number_is_printed_and_spoken():
    """The table beside the marks, and the description in words."""
    drawing = forest(proportions(3, grouped=True))
    shown = words(drawing)
    for text in ("Study 0", "2/10", "20.0 [10.0, 90.0]", "33.3 %", "40.0 [30.0, 50.0]", "I² 50 %"):
        assert text in shown
    assert "[15.0, 80.0]" in shown
    spoken = described(drawing)
    assert "Forest plot of 3 studies" in spoken
    assert "Study 0, 2 of 10: 20.0 (10.0 to 90.0), weight 33.3 %." in spoken
    assert "All studies: 40.0 (30.0 to 50.0), prediction interval 15.0 to 80.0. I² 50 %" in spoken
    assert read(drawing).find(SVG + "title").text == "Response"
    assert read(drawing).get("role") == "img"


def test_long_names_are_cut_and_kept_in_their_title():
    """In the drawing an ellipsis, on hovering and for searching the whole."""
    name = "A study with a name that no column has room for, whatever the font"
    lines = (ForestLine(name, 0.5, 0.4, 0.6, 50), ForestLine("b", 0.5, 0.4, 0.6, 50))
    drawing = forest(Forest("t", "m", "proportion", (ForestGroup("", lines),)))
    cut = [element for element in read(drawing).iter(SVG + "text") if element.find(SVG + "title") is not None]
    assert [element.find(SVG + "title").text for element in cut] == [name]
    assert [shown for shown in words(drawing) if shown.endswith("…")] == [
        shown for shown in words(drawing) if shown[:8] == "A study "
    ]
    assert name in described(drawing)


def test_hostile_text_stays_text():
    """No element and no control character comes from a name."""
    lines = (ForestLine(HOSTILE, 0.5, 0.4, 0.6, 50), ForestLine("b", 0.5, 0.4, 0.6, 50))
    pooled = PooledLine(HOSTILE, 0.5, 0.4, 0.6, note=HOSTILE)
    drawing = forest(Forest(HOSTILE, HOSTILE, "proportion", (ForestGroup(HOSTILE, lines, pooled),), pooled))
    names = {element.tag.removeprefix(SVG) for element in read(drawing).iter()}
    assert names <= {"svg", "title", "desc", "text", "line", "rect", "polygon"}
    assert "\x1b" not in drawing
    assert "\u202e" not in drawing
    assert '<script>alert("1")</script>' in described(drawing)


def test_nothing_depends_on_colour():
    """Everything is drawn in the colour of the text or not at all; kinds of marks differ in shape, fill or dash."""
    for drawing in (forest(proportions(4, grouped=True)), forest(ratios())):
        colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', drawing))
        assert colours <= {"currentColor", "none"}
    grouped = forest(proportions(4, grouped=True))
    solid, hollow = marks(grouped, "overall")[0], marks(grouped, "subtotal")[0]
    assert (solid.get("fill-opacity"), hollow.get("fill-opacity")) == (None, "0.35")
    assert marks(grouped, "overall-line")[0].get("stroke-dasharray")
    assert marks(forest(ratios()), "reference")[0].get("stroke-dasharray") is None


def test_same_values_same_bytes():
    """Nothing random, no counter."""
    assert forest(proportions(9)) == forest(proportions(9))


@for_each(
    ("make", "message"),
    [
        pytest.param(lambda: ForestLine("A", math.nan, 0, 1, 1), "A: estimate is nan", id="nan"),
        pytest.param(lambda: ForestLine("A", 0.5, 0.6, 0.4, 1), "A: the interval starts at 0.6 above", id="ends"),
        pytest.param(lambda: ForestLine("A", 0.5, 0.4, 0.6, 101), "A: weight is 101", id="weight"),
        pytest.param(lambda: PooledLine("P", 0.5, 0.4, math.inf), "P: high is inf", id="infinite"),
        pytest.param(lambda: PooledLine("P", 0.5, 0.4, 0.6, (0.9, 0.1)), "P, prediction: the", id="prediction"),
        pytest.param(lambda: Forest("t", "m", "plain", (ForestGroup("", ()),)), "at least one study", id="empty"),
        pytest.param(
            lambda: forest(Forest("t", "m", "proportion", (ForestGroup("", (ForestLine("A", 50, 40, 60, 1),)),))),
            "50, but a proportion lies within 0 and 1", id="percent",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(make, message):
    """With the name of the line where there is one."""
    with pytest.raises(SynthesisError, match=message):
        make()
