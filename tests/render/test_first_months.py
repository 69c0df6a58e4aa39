"""The first months from the decision, drawn: fields that add up to all patients, each with its name and number."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.render.sheet import figures
from bcma_decide.render.sheet.first_months import first_months
from bcma_decide.render.sheet.plot import LETTER, Frame
from bcma_decide.time_course import StateShares

PARTS = st.lists(st.floats(0.01, 1), min_size=4, max_size=4)


def shares(month, parts):
    total = sum(parts)
    free, waiting, lost, worse = (part / total for part in parts)
    return StateShares(month=month, free=free, waiting=waiting, not_infused=lost, progressed_or_died=worse)


START = StateShares(month=0, waiting=1, not_infused=0, free=0, progressed_or_died=0)
"""Everybody waits."""


def fields(root):
    return {each.get("class"): each.get("d") for each in root.iter("path") if "field" in each.get("class")}


def heights(outline):
    return [float(y) for _x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", outline)]


@given(middle=PARTS, last=PARTS)
def test_the_fields_lie_on_each_other_and_fill_the_whole(middle, last):
    root = ET.fromstring(str(first_months((START, shares(3, middle), shares(6, last)), figures.FIRST, "title")))
    drawn = list(fields(root).values())
    assert len(drawn) == 4
    frame = Frame(6)
    upper = [heights(outline)[:3] for outline in drawn]
    lower = [heights(outline)[:2:-1] for outline in drawn]
    assert lower[0] == [round(frame.y(0), 1)] * 3
    assert upper[-1] == [round(frame.y(1), 1)] * 3
    assert lower[1:] == upper[:-1]


@given(last=PARTS)
def test_the_numbers_beside_the_fields_are_whole_add_up_to_100_and_do_not_overlap(last):
    root = ET.fromstring(str(first_months((START, shares(6, last)), figures.FIRST, "title")))
    named = [text for text in root.iter("text") if re.match(r"\d+ [a-z]", text.text)]
    assert sum(int(text.text.split()[0]) for text in named) == 100
    rows = sorted(float(text.get("y")) for text in named)
    assert all(later - earlier >= LETTER - 0.11 for earlier, later in pairwise(rows))


def test_an_option_that_nobody_waits_for_has_two_fields():
    start = StateShares(month=0, waiting=0, not_infused=0, free=1, progressed_or_died=0)
    last = StateShares(month=6, waiting=0, not_infused=0, free=0.4, progressed_or_died=0.6)
    root = ET.fromstring(str(first_months((start, last), figures.SECOND, "title")))
    assert len(fields(root)) == 2
    assert "waiting" not in " ".join(text.text for text in root.iter("text"))
