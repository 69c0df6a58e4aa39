"""Halves of letters (lone surrogates): Python holds them as text, and no file, terminal or database takes them."""

from __future__ import annotations

from typing import Final

HALF: Final = "holds half of a letter, which is no text"


def half_of_a_letter(text: str) -> int | None:
    """Where the first one stands in a text; None where there is none."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return error.start
    return None
