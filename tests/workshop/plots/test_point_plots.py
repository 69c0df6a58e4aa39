"""Funnel, bubble, Baujat and GOSH plots: marks, places, words."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.plots.baujat import BaujatPoint, baujat
from bcma_decide.workshop.plots.bubble import Bubble, FittedLine, bubble
from bcma_decide.workshop.plots.funnel import FunnelPoint, funnel
from bcma_decide.workshop.plots.gosh import gosh
from tests.support.cases import for_each
from tests.workshop.plots.support.drawings import HOSTILE, SVG, described, marks, numbers, read, words

POINTS = [
    FunnelPoint("A", -1.0, 0.1),
    FunnelPoint("B", 0.0, 0.3),
    FunnelPoint("C", 1.0, 0.5),
    FunnelPoint("D", -1, 0.5, True),
]
LINE = FittedLine(
    (0.0, 5.0, 10.0), (0.0, 0.5, 1.0), (-0.5, 0.2, 0.4), (0.5, 0.8, 1.6), (-1.0, -0.6, -0.2), (1.0, 1.6, 2.2)
)
BUBBLES = [Bubble("A", 0.0, 0.1, 4.0), Bubble("B", 5.0, 0.4, 1.0), Bubble("C", 10.0, 1.2, 0.0)]


def a_funnel(points=POINTS, **options):
    return funnel(points, 0.0, title="Funnel", measure="Odds ratio", kind="log_ratio", **options)


def a_bubble(points=BUBBLES, line=LINE, **options):
    return bubble(points, line, title="Bubble", moderator="Age", measure="Response", kind="logit", **options)


def a_gosh(estimates, i2, **options):
    return gosh(estimates, i2, title="GOSH", measure="Rate", kind="logit", **options)


ALL = {
    "funnel": a_funnel(reference=0.5, remarks=["Few studies."]),
    "bubble": a_bubble(),
    "baujat": baujat([BaujatPoint("A", 0.5, 0.2), BaujatPoint("B", 3.0, 1.0)], title="Baujat"),
    "gosh": a_gosh([0.0, 0.1, 0.5], [10.0, 20.0, np.nan]),
}


@pytest.mark.parametrize("name", ALL)
def test_each_is_a_picture_with_title_description_and_two_axes(name):
    """Readable by machine, in the colour of the text alone, the axes with their numbers."""
    root = read(ALL[name])
    assert root.get("role") == "img"
    assert root.find(SVG + "title").text.lower() == name
    assert len(described(ALL[name])) > 50
    assert len(marks(ALL[name], "axis")) == 2
    assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', ALL[name])) <= {"currentColor", "none"}
    width, height = numbers(root, "width", "height")
    for element in root.iter(SVG + "text"):
        x, y = numbers(element, "x", "y")
        assert 0 < x < width
        assert 0 < y < height


def axes(drawing):
    """Ends of the horizontal axis and of the vertical one, as pixels."""
    horizontal, vertical = marks(drawing, "axis")
    return numbers(horizontal, "x1", "x2"), numbers(vertical, "y1", "y2")


def test_funnel_places():
    """Zero error is on top; the limits leave the centre at 1.96 errors; rings are the studies filled in."""
    drawing = a_funnel()
    (left, right), (top, bottom) = axes(drawing)
    studies, rings = marks(drawing, "study"), marks(drawing, "filled-in")
    assert (len(studies), len(rings)) == (3, 1)
    assert rings[0].get("fill") == "none"
    places = [numbers(study, "cx", "cy") for study in studies]
    assert [place[0] for place in places] == sorted(place[0] for place in places)
    per_effect = (places[2][0] - places[0][0]) / 2
    per_error = (places[2][1] - places[0][1]) / 0.4
    assert places[0][1] == pytest.approx(top + 0.1 * per_error, abs=0.05)
    assert places[1] == pytest.approx(((places[0][0] + places[2][0]) / 2, (places[0][1] + places[2][1]) / 2), abs=0.02)
    for limit in marks(drawing, "limit"):
        x1, y1, x2, y2 = numbers(limit, "x1", "y1", "x2", "y2")
        slope = abs((x2 - x1) / per_effect) / ((y2 - y1) / per_error)
        assert slope == pytest.approx(1.959964, rel=1e-3)
        assert y2 <= bottom
        assert left <= x2 <= right
        assert limit.get("stroke-dasharray")


def test_funnel_limits_stop_at_the_border():
    """One very wide study, effects close together: the dashed lines end inside the panel."""
    drawing = a_funnel([FunnelPoint("A", 0.0, 0.01), FunnelPoint("B", 0.1, 5.0)])
    (left, right), (_, bottom) = axes(drawing)
    for limit in marks(drawing, "limit"):
        x2, y2 = numbers(limit, "x2", "y2")
        assert left - 0.01 <= x2 <= right + 0.01
        assert y2 < bottom


def test_funnel_remarks_are_printed_whole_and_spoken():
    """Wrapped below the plot, nothing left out."""
    remark = "A funnel plot of single proportions can be skewed without any bias. " * 3
    drawing = a_funnel(remarks=[remark])
    assert " ".join(remark.split()) in " ".join(words(drawing))
    assert remark.split(".")[0] in described(drawing)
    assert "rings" in described(drawing)


def test_bubble_places_and_bands():
    """Area is weight, a line within its band within the dashed prediction edges."""
    drawing = a_bubble()
    radii = [numbers(each, "r")[0] for each in marks(drawing, "study")]
    assert radii == [13, 6.5, 2.5]
    (left, right), _ = axes(drawing)
    places = [numbers(each, "cx")[0] for each in marks(drawing, "study")]
    assert places[1] == pytest.approx((left + right) / 2)
    assert left + 13 < places[0], "the largest mark stands clear of the frame"
    assert places[2] == pytest.approx(left + right - places[0])
    fitted = [tuple(map(float, pair.split(","))) for pair in marks(drawing, "fitted")[0].get("points").split()]
    assert [x for x, _ in fitted] == pytest.approx(places)
    assert fitted[0][1] - fitted[1][1] == pytest.approx(fitted[1][1] - fitted[2][1], abs=0.02)
    assert len(marks(drawing, "band")) == 1
    assert len(marks(drawing, "prediction-edge")) == 2
    assert marks(drawing, "prediction-edge")[0].get("stroke-dasharray")
    without = a_bubble(line=FittedLine(LINE.x, LINE.fitted, LINE.low, LINE.high))
    assert marks(without, "prediction-edge") == []
    assert "50.0 (37.8 to 62.2) at 0" in described(drawing)


def test_baujat_names_the_outermost_and_no_two_on_each_other():
    """Of twenty studies in a heap and two far out, those two are named; marks carry all names as titles."""
    points = [BaujatPoint(f"Study {i}", 0.01 * i, 0.001 * i) for i in range(20)]
    points += [BaujatPoint("Far", 4.0, 2.0), BaujatPoint("Wide", 3.0, 0.5)]
    drawing = baujat(points, title="t")
    assert {"Far", "Wide"} <= set(words(drawing))
    titles = [mark.find(SVG + "title").text for mark in marks(drawing, "study")]
    assert titles == [point.label for point in points]
    assert described(drawing).index("Far adds 4.00") < described(drawing).index("Wide adds 3.00")


def test_gosh_cells_hold_all_subsets():
    """Each occupied cell is one rectangle, darker for more; nan is left out."""
    estimates, i2 = [0.0] * 9 + [1.0, 0.5], [0.0] * 9 + [99.0, np.nan]
    drawing = a_gosh(estimates, i2)
    cells = marks(drawing, "cell")
    assert len(cells) == 2
    assert numbers(cells[0], "fill-opacity")[0] > numbers(cells[1], "fill-opacity")[0]
    assert "GOSH plot of 10 subsets" in described(drawing)
    assert len(marks(drawing, "profile")) == 2


def test_a_large_gosh_stays_small():
    """Fifty thousand subsets are drawn in cells, not dots."""
    rng = np.random.default_rng(1)
    drawing = a_gosh(rng.normal(size=50_000), rng.uniform(0, 100, 50_000))
    assert len(drawing) < 800_000
    read(drawing)


@pytest.mark.parametrize("draw", [a_funnel, a_bubble])
def test_hostile_names_stay_text(draw):
    """In titles and descriptions."""
    points = [FunnelPoint(HOSTILE, 0.0, 0.1)] if draw is a_funnel else [Bubble(HOSTILE, 0.0, 0.1, 1.0)]
    drawing = draw(points, remarks=[HOSTILE])
    assert not [element for element in read(drawing).iter() if element.tag.endswith("script")]
    assert "\x1b" not in drawing


@for_each(
    ("make", "message"),
    [
        pytest.param(lambda: a_funnel([]), "at least one study", id="funnel-empty"),
        pytest.param(lambda: a_bubble([]), "at least one study", id="bubble-empty"),
        pytest.param(lambda: baujat([], title="t"), "at least one study", id="baujat-empty"),
        pytest.param(lambda: a_gosh([0.1], [np.nan]), "no subset has an I2", id="gosh-empty"),
        pytest.param(lambda: a_gosh([0.1, 0.2], [1.0]), "one value for each subset", id="gosh-lengths"),
        pytest.param(lambda: FunnelPoint("A", 0, 0), "A: se is 0", id="no-error"),
        pytest.param(lambda: a_funnel([FunnelPoint("A", math.nan, 1)]), "nan", id="nan"),
        pytest.param(lambda: Bubble("A", 0, 0, -1), "A: weight is -1", id="weight"),
        pytest.param(lambda: FittedLine((0.0,), (0.0,), (0.0,), (0.0,)), "at least two places", id="one-place"),
        pytest.param(lambda: FittedLine((1.0, 0.0), (0, 0), (0, 0), (0, 0)), "to the right", id="backwards"),
        pytest.param(lambda: FittedLine((0.0, 1.0), (0, 0), (0,), (0, 0)), "low has 1 places but x has 2", id="length"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make, message):
    """In words."""
    with pytest.raises(SynthesisError, match=message):
        make()
