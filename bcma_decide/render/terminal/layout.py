"""Columns of the comparison table: their widths, the lines of one field, and remarks under letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Final

from rich.text import Text

from bcma_decide.render.terminal.page import WITH_BARS
from bcma_decide.time_course import Clock

GAP = 1
VALUE = 14
ROOMY_VALUE = 15
"""Where there is room: the widest number with its interval and a mark."""
DIFFERENCE = 19
NARROWEST_LABEL = 30
ROOMY = 116
"""Wider tables also spare the longest outcome names a second line."""
INDENT = 4
"""An interval stands below the interval above it, not below the number."""

FURTHER = "dim italic"
"""Style of a number that is not the product's own; its words stand above it where styles are not shown."""

OTHER_CLOCK: Final[Mapping[Clock, str]] = {"infusion": "from decision", "decision": "from infusion"}
"""What the line below a number is counted from, by what the number is."""
FROM_DECISION: Final = "response to CAR-T from the decision"

Lines = tuple[Text, Text, Text, Text]
"""Of one field: number with interval, next centre, on the other clock, certainty; words instead of a number stand in
the first alone, so that no part of them stands beside another line's label."""


class Notes:
    """Remarks that do not fit into a field, each under one letter however often it is needed."""

    def __init__(self) -> None:
        self._letters: dict[str, str] = {}

    def mark(self, texts: Sequence[str]) -> str:
        """Letters for these remarks; empty without any."""
        return ",".join(self._letters.setdefault(text, _letter(len(self._letters))) for text in texts)

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Letter and remark, in the order of first use."""
        return tuple((letter, text) for text, letter in self._letters.items())


@dataclass(frozen=True)
class Layout:
    """Widths of the columns: label, a value and perhaps a bar for each option, perhaps the difference."""

    label: int
    value: int
    bar: int
    difference: int

    @classmethod
    def fit(cls, width: int, options: int, *, difference: bool, bars: bool) -> Layout:
        """Fill ``width`` with ``options`` columns."""
        last = DIFFERENCE if difference else 0
        end = last if difference else -GAP
        value = ROOMY_VALUE if width - options * (ROOMY_VALUE + GAP) - end - GAP >= NARROWEST_LABEL else VALUE
        rest = width - options * (value + GAP) - end - GAP
        if bars and options and width >= WITH_BARS:
            label = NARROWEST_LABEL + (6 if width >= ROOMY else 0)
            return cls(label, value, (rest - label) // options - GAP, last)
        return cls(rest, value, 0, last)

    def widths(self, options: int) -> list[int]:
        """Every column from left to right."""
        value = [self.value, self.bar] if self.bar else [self.value]
        return [self.label, *(value * options), *([self.difference] if self.difference else [])]


def _letter(position: int) -> str:
    """Count in letters: a, b, ... z, aa, ab, ..."""
    rest, last = divmod(position, len(ascii_lowercase))
    return (_letter(rest - 1) if rest else "") + ascii_lowercase[last]
