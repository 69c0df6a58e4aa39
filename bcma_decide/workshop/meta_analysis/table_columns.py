"""A column of a table as numbers or as names of groups, and what is said of how it was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from bcma_decide.workshop.meta_analysis.table_file import listed
from bcma_decide.workshop.meta_analysis.table_numbers import (
    Doubt,
    How,
    Notation,
    Number,
    bare_share,
    begins_with_digit,
    is_missing,
    looks_numeric,
    notation_of_column,
    read_number,
)

__all__ = ["Column", "remarks_on"]

_Said = How | Literal["share"]
_SAID: Final[Mapping[_Said, str]] = {
    "decimal comma": "Decimal commas are read",
    "raised point": "Raised points are read as decimal points",
    "thousands": "Signs between thousands are left out",
    "minus": "Dashes before numbers are read as minus",
    "share": "Percent signs are left out",
}


@dataclass(frozen=True)
class Column:
    """Cells of a column of a file with a ``notation``; ``counted`` where they are to be numbers of patients."""

    cells: tuple[str, ...]
    notation: Notation
    counted: bool = False

    def numbers(self) -> list[Number | Doubt]:
        """Every cell as a number, or why it is none."""
        cells = frozenset(self.cells)
        notation = self.notation if self.counted else notation_of_column(cells, self.notation)
        read = {cell: read_number(cell, notation, counted=self.counted) for cell in cells}
        return [read[cell] for cell in self.cells]

    def moderator(self) -> list[Number | Doubt | str | None]:
        """Every cell as a number, as the name of a group, as ``None`` where it is not known, or why it is none of them.

        Groups have names in more than half of the known cells. Where most cells begin with a number and most differ,
        as in *62 (51-70)*, these are no names. Percentages with a sign in every known cell are numbers.
        """
        known = self.known
        if self.grouped:
            return [cell if cell in known else None for cell in self.cells]
        numbers = Column(tuple(map(bare_share, self.cells)), self.notation) if self.shares else self
        return [each if cell in known else None for cell, each in zip(self.cells, numbers.numbers(), strict=True)]

    @cached_property
    def known(self) -> Counter[str]:
        """Cells that say something, with how often they stand there."""
        times = Counter(self.cells)
        return Counter({cell: times[cell] for cell in times if not is_missing(cell)})

    @property
    def shares(self) -> bool:
        """Whether every known cell has a percent sign."""
        return bool(self.known) and all(bare_share(cell) != cell for cell in self.known)

    @property
    def numeric(self) -> int:
        """How many known cells are meant as numbers."""
        return sum(times for cell, times in self.known.items() if looks_numeric(cell))

    @property
    def grouped(self) -> bool:
        """Whether the column names groups."""
        half = self.known.total() / 2
        if self.numeric >= half:
            return False
        begins = sum(times for cell, times in self.known.items() if begins_with_digit(cell))
        return begins <= half or len(self.known) <= half


def remarks_on(columns: Mapping[str, Column], lines: Sequence[int]) -> list[str]:
    """Sentences on what was interpreted, by kind with the columns and one example, and on what is not known.

    Parameters
    ----------
    columns
        By name.
    lines
        Line of each cell in the file.
    """
    examples: dict[_Said, dict[str, str]] = {}
    remarks = []
    for name, column in columns.items():
        unknown = dict.fromkeys(cell for cell in column.cells if cell and cell not in column.known)
        if unknown:
            where = listed([line for cell, line in zip(column.cells, lines, strict=True) if cell in unknown])
            words, be = ", ".join(map(repr, unknown)), "is" if len(unknown) == 1 else "are"
            remarks.append(f"Column {name}: {words} {be} read as not known ({where}).")
        if column.grouped:
            if column.numeric:
                remarks.append(
                    f"Column {name}: {column.numeric} of {column.known.total()} known cells are numbers; "
                    f"as a moderator, all are names of groups."
                )
            continue
        share: tuple[_Said, ...] = ("share",) if column.shares else ()
        for cell, each in dict(zip(column.cells, column.moderator(), strict=True)).items():
            if isinstance(each, Number):
                for how in (*each.how, *share):
                    examples.setdefault(how, {}).setdefault(name, f"{cell} is {each.value:.15g}")
    for how, said in _SAID.items():
        if how in examples:
            names, example = ", ".join(examples[how]), next(iter(examples[how].values()))
            remarks.append(f"{said}: {example} (column{'s' if len(examples[how]) > 1 else ''} {names}).")
    return remarks
