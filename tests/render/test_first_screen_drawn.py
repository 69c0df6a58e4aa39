"""The first screen on a terminal: one screen for everybody, nothing cut, the same order at every width."""

import re
from random import Random

import pytest
from rich.cells import cell_len

from bcma_decide.comparing.compare import answer_question, compare, load_pooled
from bcma_decide.comparing.question import Question
from bcma_decide.patient.files import example_names, load_example
from bcma_decide.render.terminal.first_screen import render_first_screen
from bcma_decide.render.words.first_screen import first_screen
from tests.render.support.reading import DIRECTIVE, printed, words
from tests.support.cases import for_each, several
from tests.support.patients import drawn_patients


def draw(comparison, width, encoding="utf-8", **options):
    return printed(lambda console: render_first_screen(comparison, console, **options), width, encoding=encoding)


def of_example(name, **asked):
    return compare(load_example(name), name=name, **asked)


def of_pair(name, *pair):
    return answer_question(Question(patient=load_example(name), pair=pair), load_pooled())


def check_one_screen(comparison):
    """At most 40 lines of 80, every row of the values, every cell whole in the line of its row."""
    lines = draw(comparison, 80).splitlines()
    assert len(lines) <= 40
    assert max(map(cell_len, lines)) <= 80
    assert "\N{HORIZONTAL ELLIPSIS}" not in "".join(lines)
    screen = first_screen(comparison)
    named = [line for line in lines if line.startswith("Response, of 100")]
    assert len(named) == 1
    assert lines.index(named[0]) < 12
    heads = lines[lines.index(next(line for line in lines if line.startswith("Label"))) - 1]
    shown = [
        place
        for place, column in enumerate(screen.columns)
        if re.search(rf"(?<!\S){re.escape(column.label)}(?!\S)", heads)
    ]
    assert shown
    for row in screen.rows:
        line = next(line for line in lines if line.startswith(row.label + " "))
        assert words(line) == words(" ".join([row.label, *(row.cells[place].text for place in shown)]))
    text = words(" ".join(lines))
    folded = [column.long_label for place, column in enumerate(screen.columns) if place not in shown]
    assert [label for label in folded if label.casefold() not in text.casefold()] == []
    for finding in screen.findings:
        assert words(finding.text) in text
    assert comparison.evidence.hash[:12] in text
    assert "not a medical device" in text
    assert DIRECTIVE.findall(text) == []


@for_each("name", example_names())
def test_every_example_fits_on_one_screen(name):
    check_one_screen(of_example(name))


def test_anybody_fits_on_one_screen():
    regions = Random(14)
    for patient in several(drawn_patients(200, seed=14), 40):
        check_one_screen(compare(patient, region=regions.choice(["US", "EU", "China"])))


@for_each("name", example_names())
def test_a_wide_console_adds_the_classes_and_their_difference(name):
    comparison = of_example(name)
    screen = first_screen(comparison)
    lines = draw(comparison, 120).splitlines()
    assert max(map(cell_len, lines)) <= 120
    assert len(lines) <= 40
    for place, row in enumerate(screen.rows):
        if row.id != "label":
            line = next(line for line in lines if line.startswith(row.label + " "))
            expected = [*(cell.text for cell in screen.class_rows[place]), screen.differences[place]]
            assert words(line).endswith(words(" ".join(expected))), row.id


@pytest.mark.parametrize("width", [40, 50, 60, 79])
@for_each("name", example_names())
def test_a_narrow_console_keeps_the_order_and_every_number(name, width):
    comparison = of_example(name)
    screen = first_screen(comparison)
    shown = draw(comparison, width)
    assert max(map(cell_len, shown.splitlines())) <= width
    text = words(shown)
    assert [cell.text for row in screen.rows for cell in row.cells if cell.text not in text] == []
    first = next(place for place, line in enumerate(shown.splitlines()) if re.search(r"\d \(\d", line))
    assert first < (16 if width == 40 else 12)
    order = [words(screen.patient), screen.rows[1].cells[0].text, words(screen.tell_apart[0])[:30]]
    order += [words(screen.findings[0].text), words(screen.certainty), comparison.evidence.hash[:12]]
    places = [text.index(each) for each in order]
    assert places == sorted(places)


@pytest.mark.parametrize("pair", [("cilta-cel", "teclistamab"), ("car_t", "bite")])
def test_a_pair_takes_the_table_where_not_all_have_room(pair):
    comparison = of_pair("extramedullary-66-high-risk", *pair)
    screen = first_screen(comparison)
    lines = draw(comparison, 80).splitlines()
    for place, row in enumerate(screen.rows):
        if screen.differences[place]:
            line = next(line for line in lines if line.startswith(row.label + " "))
            assert line.endswith(screen.differences[place])
            assert len(re.findall(r"\d ?\([<>\d]", line)) == 2


def test_plain_lines_hold_the_rows_first():
    comparison = of_example("renal-74")
    screen = first_screen(comparison)
    lines = [line.split("\t") for line in draw(comparison, 20, plain=True).splitlines()]
    assert all(len(line) > 1 and all(line) for line in lines)
    response = next(place for place, line in enumerate(lines) if line[0].startswith("Response"))
    assert lines[response][1:4] == [screen.columns[0].long_label, screen.rows[1].cells[0].number,
                                    screen.rows[1].cells[0].interval]  # fmt: skip
    assert response < 12
    assert response < next(place for place, line in enumerate(lines) if line[0] == "finding")
    rows = {(line[0], line[1]) for line in lines}
    for row in screen.rows:
        assert {(row.long_label, column.long_label) for column in screen.columns} <= rows
    assert lines[-1] == ["intended use", comparison.intended_use]


def test_ascii_is_enough():
    shown = draw(of_example("extramedullary-66-high-risk"), 80, "ascii")
    assert "[!]" in shown
    assert "?" not in shown.replace(" ?", "")
