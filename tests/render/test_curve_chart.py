"""A curve in characters ends where follow-up ends, and its rows are the shares."""

from __future__ import annotations

import io

from rich.console import Console

from bcma_decide.render.terminal.curve_chart import curve_chart
from bcma_decide.render.terminal.ink import Ink
from bcma_decide.time_course import SurvivalTime
from tests.support.cases import for_each

UNICODE = Ink("utf-8", ascii_only=False)
ASCII = Ink.of(Console(file=io.TextIOWrapper(io.BytesIO(), encoding="ascii")))


def curve(*shares, spread=0.1):
    return [
        SurvivalTime(month=month, mean=share, credible=(max(0.0, share - spread), min(1.0, share + spread)))
        for month, share in enumerate(shares)
    ]


def test_a_curve_of_two_months():
    """Half months by straight lines: 1.0, 0.8, 0.6, 0.5, 0.4, so rows 0, 2, 4, 5, 6 from the top; intervals of 10."""
    assert curve_chart(ASCII, curve(1.0, 0.6, 0.4), 80) == [
        "100 |#    :",
        "    |.    :",
        "    | #   :",
        "    | ..  :",
        "    |  #. :",
        " 50 |  .#.:",
        "    |   .#:",
        "    |    .:",
        "    |     :",
        "    |     :",
        "  0 |     :",
        "    ++----",
        "     0",
    ]


def test_points_need_not_be_a_month_apart():
    """From 1.0 at the start to 0.4 after 12 months: 0.7 in the middle, row 3, and no other share in that column."""
    lines = curve_chart(ASCII, [*curve(1.0), SurvivalTime(month=12, mean=0.4, credible=(0.4, 0.4))], 80)
    assert [row for row, line in enumerate(lines[:11]) if line[5 + 12] == "#"] == [3]
    assert lines[6].rstrip(":").endswith("#")


@for_each("width", [20, 40, 60, 80, 120])
@for_each("months", [1, 17, 34, 36, 60])
def test_it_fits_and_nothing_stands_behind_the_end(width, months):
    points = curve(*(0.97**month for month in range(months + 1)))
    lines = curve_chart(UNICODE, points, width)
    assert max(map(len, lines)) <= max(width, len("100 │━┊"))
    ends = {line.index("┊") for line in lines if "┊" in line}
    assert len(ends) == 1
    assert all(line.endswith("┊") for line in lines[:11])
    assert max(len(line) for line in lines[11:]) <= ends.pop() + 1


def test_every_column_has_its_share_once_and_shares_fall():
    lines = curve_chart(UNICODE, curve(*(0.95**month for month in range(25))), 80)[:11]
    columns = list(zip(*(line[5:-1] for line in lines), strict=True))
    places = [column.index("━") for column in columns]
    assert all(column.count("━") == 1 for column in columns)
    assert places == sorted(places)


def test_parts_of_a_whole_fill_it():
    assert UNICODE.parts((0.5, 0.25, 0.25, 0.0), 8) == "████▒▒░░"
    assert UNICODE.parts((0.0, 0.9, 0.1, 0.0), 20) == "▒" * 18 + "░" * 2
    assert ASCII.parts((0.2, 0.0, 0.1, 0.7), 10) == "##-......."
