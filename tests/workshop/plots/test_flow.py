"""The flow chart: every word is read, boxes go down without touching, what is left out stands beside."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.plots.flow import FlowStep, flow_chart

STEPS = (
    FlowStep(("On file", "12 studies"), ("2 studies without outcomes",)),
    FlowStep(("Rows", "30 rows of 10 studies"), ("A rule: 9 rows", "5: a reason that is long " * 4, "4: another")),
    FlowStep(("Pooled", "21 rows of 8 studies")),
)  # fmt: skip
SPACE = "{http://www.w3.org/2000/svg}"


def drawn(steps=STEPS):
    return ElementTree.fromstring(flow_chart(steps, title="Flow"))


def boxes(root, name):
    found = []
    for box in root.iter(f"{SPACE}polygon"):
        if box.get("class") == name:
            xs, ys = zip(*(map(float, pair.split(",")) for pair in box.get("points").split()), strict=True)
            found.append((min(xs), min(ys), max(xs), max(ys)))
    return found


def test_every_word_stands_in_the_drawing_and_in_its_description():
    root = drawn()
    shown = " ".join(" ".join(text.text for text in root.iter(f"{SPACE}text")).split())
    said = root.find(f"{SPACE}desc").text
    for step in STEPS:
        for words in (*step.words, *step.left_out):
            assert words.strip() in shown
            assert words.strip() in said


def test_boxes_follow_each_other_and_none_touches_another():
    root = drawn()
    steps, beside = boxes(root, "step"), boxes(root, "left-out")
    assert len(steps) == 3
    assert len(beside) == 2
    assert all(above[3] < below[1] for above, below in pairwise(steps))
    for (_, top, _, bottom), above, below in zip(beside, steps, steps[1:], strict=False):
        assert above[3] < top
        assert bottom < below[1]
    assert max(box[2] for box in steps) < min(box[0] for box in beside)
    assert all(box[2] <= float(root.get("width")) and box[3] <= float(root.get("height")) for box in steps + beside)


def test_nothing_left_out_draws_no_box_beside():
    root = drawn((FlowStep(("A",)), FlowStep(("B",))))
    assert boxes(root, "left-out") == []


def test_without_steps_or_words_there_is_nothing_to_draw():
    with pytest.raises(SynthesisError, match="at least one step"):
        flow_chart((), title="Flow")
    with pytest.raises(SynthesisError, match="needs words"):
        FlowStep(())


def test_hostile_words_are_escaped():
    assert "<script" not in flow_chart((FlowStep(("<script>alert(1)</script>",)),), title="<script>")
