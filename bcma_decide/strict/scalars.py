"""What an unquoted word of a YAML file stands for, and files of nothing but fields, read without the YAML library."""

from __future__ import annotations

import re
from typing import Any, Final

LONGEST_NUMBER: Final = 40
"""Digits of a whole number; a longer one is left as text, for whoever reads it to refuse."""

_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WORDS: Final[dict[str, Any]] = {"": None, "~": None, "null": None, "true": True, "false": False}
_FIELD: Final = re.compile(
    r"([A-Za-z][A-Za-z0-9_-]*): +"
    r"(?:([A-Za-z0-9](?:[A-Za-z0-9.,/%^<>=+ -]*[A-Za-z0-9.,/%^+])?)|\[([a-z][a-z_, -]*)\]) *"
)
"""A field with one plain value, or a list of plain words: nothing in them has a meaning of its own in YAML."""
_WORD: Final = re.compile(r"[a-z][a-z_-]*")


def plain_scalar(text: str) -> Any:  # noqa: ANN401  # text, a number, true, false or null
    """Value of an unquoted scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= LONGEST_NUMBER else text
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def flat_fields(text: str) -> dict[str, Any] | None:
    """The fields of a file with one on every line, and comments of whole lines; None where it has anything else.

    Most profiles are such a file. They are read as the YAML reader reads them, whose library takes longer to load than
    the file to answer; what is wrong with a file is for that reader to say.
    """
    found: dict[str, Any] = {}
    for line in text.split("\n"):
        if not line.isprintable():
            return None
        if not line or line.startswith("#"):
            continue
        field = _FIELD.fullmatch(line)
        if field is None or field[1] in found:
            return None
        if field[3] is None:
            found[field[1]] = plain_scalar(field[2])
            continue
        words = [word.strip(" ") for word in field[3].split(",")]
        if not all(_WORD.fullmatch(word) for word in words):
            return None
        found[field[1]] = [plain_scalar(word) for word in words]
    return found or None
