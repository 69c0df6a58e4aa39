"""The marks themselves."""

from __future__ import annotations

from bcma_decide.workshop.plots import svg
from tests.support.cases import for_each


def test_numbers_have_no_noise():
    """Two decimals at most, no trailing zeros, no negative zero."""
    assert svg.segment(0.1 + 0.2, 1.0, -0.001, 100.456) == (
        '<line x1="0.3" y1="1" x2="0" y2="100.46" stroke="currentColor" stroke-width="1.2"/>'
    )


@for_each("words", ["short", "Rücker 2009", "i" * 90, "W" * 60, "東京の研究 2020", ""])
@for_each("room", [20.0, 80.0, 300.0])
def test_shortened_words_fit(words, room):
    """And are whole where there is room."""
    shown = svg.shortened(words, room)
    assert svg.text_width(shown) <= room
    assert shown == words or shown.endswith("…")


def test_accents_take_no_room():
    """A combining mark stands on its letter."""
    assert svg.text_width("e\u0301") == svg.text_width("e")
