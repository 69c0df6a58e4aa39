"""The picture of the terminal view."""

from xml.etree import ElementTree

import pytest

from bcma_decide.comparing.compare import compare
from bcma_decide.patient.files import load_example
from bcma_decide.render.terminal.picture import terminal_picture


def comparison():
    return compare(load_example("renal-74"), name="renal-74")


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_picture_is_xml_and_loads_nothing(width):
    svg = terminal_picture(comparison(), width)
    ElementTree.fromstring(svg)
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert "url(http" not in svg
    assert "<script" not in svg


def test_the_same_comparison_gives_the_same_bytes_whatever_the_environment(monkeypatch):
    first = terminal_picture(comparison())
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "30")
    assert first == terminal_picture(comparison())


def test_the_picture_is_of_the_first_screen():
    text = " ".join(ElementTree.fromstring(terminal_picture(comparison())).itertext()).replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert "Response, of 100" in text
    assert "Side by side" not in text
