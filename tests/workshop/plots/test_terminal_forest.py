"""The forest plot on a terminal at several widths, with and without signs beyond ASCII."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from bcma_decide.workshop.plots.terminal_forest import write_forest
from bcma_decide.workshop.plots.values import Forest, ForestGroup, ForestLine
from tests.support.cases import for_each
from tests.workshop.plots.support.drawings import HOSTILE, proportions, ratios


def drawn(data, width=80, encoding="utf-8", **options):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    write_forest(data, Console(file=stream, width=width, **options))
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


@for_each("width", [40, 60, 80, 100, 120, 200])
@for_each("encoding", ["utf-8", "ascii"])
@for_each("data", [proportions(2), proportions(13, grouped=True), ratios()], ids=["two", "grouped", "ratio"])
def test_no_line_is_wider_and_every_number_is_there(data, width, encoding):
    """Whatever has to give way, it is never a result."""
    text = drawn(data, width, encoding)
    assert max(map(cell_len, text.splitlines())) <= width
    squeezed = "".join(text.split())
    for study in data.studies:
        assert f"{study.weight:.1f}" in squeezed
    assert ("40.0[30.0,50.0]" if data.kind == "proportion" else "1.00[0.70,1.40]") in squeezed


def column(line, sign):
    return line.index(sign)


def test_marks_stand_above_their_numbers():
    """20 %, 40 % and 60 % are as far apart as the ticks of the axis, on which they lie."""
    lines = drawn(proportions(3), 120).splitlines()
    boxes = [column(line, "■") for line in lines if "■" in line]
    ticks = next(line for line in lines if "┴" in line)
    places = [i for i, sign in enumerate(ticks) if sign == "┴"]
    assert len(places) == 6
    assert boxes == pytest.approx([places[1], places[2], places[3]], abs=1)
    numbers = lines[lines.index(ticks) + 1]
    assert numbers.split() == ["0%", "20%", "40%", "60%", "80%", "100%"]
    assert numbers.index("20%") == places[1] - 1


def test_kinds_of_rows_differ_by_sign():
    """Study, pooled result, prediction interval, reference, arrows; small boxes for small weights."""
    text = drawn(ratios(), 100)
    for sign in ("■", "▪", "◆", "═", "│", "◄", "►"):
        assert sign in text
    assert "├" in drawn(proportions(3), 100)
    typed = drawn(ratios(), 100, "ascii")
    for sign in ("#", "o", "*", "=", "|", "<", ">"):
        assert sign in typed
    assert typed.isascii()


def test_groups_have_headings_and_notes_their_names():
    """Studies are set in below them."""
    lines = drawn(proportions(4, grouped=True), 100).splitlines()
    assert any(line.startswith("First") for line in lines)
    assert any(line.startswith("  Study 0") for line in lines)
    assert "First: I² 20 %" in lines
    assert "All studies: I² 50 %" in lines


def test_no_escape_codes_without_a_terminal():
    """Plain text for a file."""
    assert "\x1b" not in drawn(proportions(3))
    assert "\x1b[" in drawn(proportions(3), force_terminal=True, color_system="standard")


def test_hostile_names_stay_text():
    """Neither escape codes nor rich's markup come from a name."""
    lines = (ForestLine("[bold]x[/bold]" + HOSTILE, 0.5, 0.4, 0.6, 50), ForestLine("b", 0.5, 0.4, 0.6, 50))
    text = drawn(Forest("t", "m", "proportion", (ForestGroup("", lines),)), 120)
    assert "\x1b" not in text
    assert "[bold]x[/bold]" in text


def test_the_measure_is_named_without_the_lines():
    text = drawn(proportions(2), 50)
    assert "■" not in text
    assert proportions(2).measure in text


def test_a_narrow_console_keeps_the_numbers_without_the_lines():
    """There is no room for a line of fewer than a dozen cells, and then none for columns."""
    assert "■" not in drawn(proportions(3), 55)
    assert "20.0 [10.0, 90.0]" in drawn(proportions(3), 55)
    assert "  Study 0, 2/10: 20.0 [10.0, 90.0],\n  weight 33.3 %" in drawn(proportions(3), 40)
    assert "  Prediction interval: [15.0, 80.0]" in drawn(proportions(3, grouped=True), 40)
