"""The one strict JSON reader of the program, for profiles, records and requests: nothing in it is lost or guessed."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from bcma_decide.errors import quote
from bcma_decide.strict.letters import HALF, half_of_a_letter

LONGEST_NUMBER: Final = 40
"""Digits of a whole number; a longer one is left as text, for whoever reads it to refuse."""

_LONE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)
"""The escape of half a letter without its other half, or what looks like one behind an escaped backslash."""


class RepeatedNameError(ValueError):
    """A name that stands twice in one object, of which a plain reader would drop one."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{quote(name)} stands there twice")


class NoNumberError(ValueError):
    """``NaN`` or an infinity, which JSON does not have."""

    def __init__(self, word: str) -> None:
        self.word = word
        super().__init__(f"{word} is not a number")


def strict_json(text: str, *, keep_no_numbers: bool = False) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Parse JSON.

    Parameters
    ----------
    text
        The document.
    keep_no_numbers
        Whether ``NaN``, the infinities and halves of letters are kept, for a field to refuse by its own name.

    Raises
    ------
    ValueError
        For what is not JSON (json.JSONDecodeError), :class:`RepeatedNameError`, :class:`NoNumberError`.
    RecursionError
        For what is nested too deeply.
    """
    if keep_no_numbers:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=float, parse_int=_whole)
    if (place := half_of_a_letter(text)) is not None:
        raise json.JSONDecodeError(HALF, text, place)
    value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse, parse_int=_whole)
    lone = _LONE.search(text)
    if lone and half_of_a_letter(json.dumps(value, ensure_ascii=False)) is not None:
        raise json.JSONDecodeError(HALF, text, lone.start())
    return value


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise RepeatedNameError(name)
        values[name] = value
    return values


def _refuse(word: str) -> float:
    raise NoNumberError(word)


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= LONGEST_NUMBER else digits
