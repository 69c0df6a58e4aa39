"""The risk of bias in a forest: told by shape and sign without any colour, in words besides; columns and sides."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.plots.bias import JUDGEMENTS, bias_mark
from bcma_decide.workshop.plots.forest import forest
from bcma_decide.workshop.plots.terminal_forest import write_forest
from bcma_decide.workshop.plots.values import Forest, ForestGroup
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


def judged(*, domains=("randomisation", "outcome"), columns=("dose", "year")) -> Forest:
    """Three ratios with a judgement of each kind, one missing, columns of words and of numbers, and two sides."""
    data = ratios()
    bias = (("low", "some"), ("high", "unclear"), (None, "low"))
    cells = (("low dose", "2012"), ("high", "2019"), ("", "2020"))
    lines = tuple(
        replace(line, bias=judgements, cells=texts)
        for line, judgements, texts in zip(data.studies, bias, cells, strict=True)
    )
    groups = (ForestGroup("", lines),)
    return replace(data, groups=groups, columns=columns, domains=domains, favours=("CAR-T", "bispecific"))


def shown(data: Forest, width: int) -> str:
    console = Console(width=width, force_terminal=False, highlight=False, file=StringIO())
    write_forest(data, console)
    return console.file.getvalue()


def test_every_judgement_has_a_shape_and_a_sign_of_its_own():
    """With all colours taken away no two marks are the same, by their outline alone and by their letter alone."""
    drawn = {each: "".join(bias_mark(10, 10, each, "")) for each in JUDGEMENTS}
    outlines = {re.sub(r'(fill|class)="[^"]*"', "", text.split("<text")[0]) for text in drawn.values()}
    signs = {re.search(r">([^<])</text>", text)[1] for text in drawn.values()}
    assert len(outlines) == len(signs) == 4


def test_marks_stand_in_their_row_and_column_and_an_empty_one_stays_empty():
    drawing = forest(judged())
    rows = [numbers(line, "y1")[0] for line in marks(drawing, "interval")]
    low = [numbers(mark, "cx", "cy") for mark in marks(drawing, "bias low")]
    assert [y for _, y in low[:2]] == [pytest.approx(rows[0]), pytest.approx(rows[2])]
    heads = {text: numbers(element, "x")[0] for element in read(drawing).iter(SVG + "text") if (text := element.text)}
    assert [x for x, _ in low[:2]] == [heads["D1"], heads["D2"]]
    assert [len(marks(drawing, f"bias {each}")) for each in JUDGEMENTS] == [3, 2, 2, 2], "each once more in the legend"


def test_everything_is_said_in_words():
    said = described(forest(judged()))
    assert "Low, dose low dose, year 2012: " in said
    assert "risk of bias: randomisation low risk, outcome some concerns." in said
    assert "randomisation not judged, outcome low risk" in said
    assert "Lower than no effect favours CAR-T, higher favours bispecific." in said
    assert "Risk of bias: D1 randomisation, D2 outcome" in words(forest(judged()))


def test_the_names_of_the_sides_stand_to_either_side_of_no_effect():
    drawing = forest(judged())
    place = numbers(marks(drawing, "reference")[0], "x1")[0]
    sides = {each.text: each for each in read(drawing).iter(SVG + "text") if (each.text or "").startswith("favours")}
    left, right = sides["favours CAR-T"], sides["favours bispecific"]
    assert left.get("text-anchor") == "end"
    assert numbers(left, "x")[0] < place < numbers(right, "x")[0]


def test_columns_of_numbers_end_where_they_end_and_words_start_together():
    drawing = forest(judged())
    texts = {each.text: each for each in read(drawing).iter(SVG + "text")}
    years = [texts[year] for year in ("year", "2012", "2019", "2020")]
    assert {(each.get("x"), each.get("text-anchor")) for each in years} == {(years[0].get("x"), "end")}
    doses = [texts[dose] for dose in ("dose", "low dose", "high")]
    assert {(each.get("x"), each.get("text-anchor")) for each in doses} == {(doses[0].get("x"), None)}


def test_nothing_of_a_forest_is_drawn_outside_it():
    """With long names, columns and sides, and many domains."""
    data = judged(domains=tuple(f"a domain with a long name {n}" for n in range(2)), columns=("a" * 60, HOSTILE))
    data = replace(data, favours=("w" * 80, "m" * 80))
    drawing = forest(data)
    width, height = numbers(read(drawing), "width", "height")
    for each in read(drawing).iter(SVG + "text"):
        x, y = numbers(each, "x", "y")
        assert 0 <= x <= width
        assert 0 < y < height
    for line in marks(drawing, "favours"):
        assert min(numbers(line, "x1", "x2")) >= 0


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_terminal_has_the_same(width):
    text = " ".join(shown(judged(), width).split())
    for part in ("low dose", "2019", "D1 randomisation, D2 outcome", "+ low risk", "! some concerns", "? unclear"):
        assert part in text
    assert "favours CAR-T" in text
    assert "favours bispecific" in text
    assert max(map(len, shown(judged(), width).splitlines())) <= width


def test_notes_stand_clear_of_the_plot():
    """A long note on heterogeneity is wrapped beside the axis, not drawn across its lines."""
    data = proportions(3)
    long = replace(data, overall=replace(data.overall, note="tau2 1.234, I2 98 %, Q 2110.10 (df 59), p <0.0001, " * 3))
    drawing = forest(long)
    start = numbers(marks(drawing, "axis")[0], "x1")[0]
    notes = [each for each in read(drawing).iter(SVG + "text") if each.get("fill-opacity")]
    assert len(notes) > 3
    assert all(numbers(each, "x")[0] + 6.5 * len(each.text) < start for each in notes)
    assert " ".join(" ".join(each.text for each in notes).split()) == long.overall.note.strip()


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(SynthesisError, match="no sides of it"):
        replace(proportions(2), favours=("a", "b"))
    with pytest.raises(SynthesisError, match="not a cell for each column"):
        replace(proportions(2), columns=("dose",))
    with pytest.raises(SynthesisError, match="a judgement for each domain"):
        replace(proportions(2), domains=("randomisation",))
