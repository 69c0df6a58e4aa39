"""The shapes of the first screen: plain values that terminal, sheet and page draw alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from bcma_decide.render.words.finding_lines import FindingLine
from bcma_decide.vocabulary import ClassId, LabelState

LABEL: Final = "label"
RESPONSE: Final = "orr"
SUBGROUP: Final = "published_pfs"
INFUSED: Final = "infused"
START: Final = "start"
"""Rows that are no outcome, and the first that is."""
CELL: Final = 11
"""Most characters of a cell, so that five columns and the names of the rows fill a line of 80."""
NAME: Final = 19
"""Most characters of the name of a row."""

CellKind = Literal["computed", "published", "withheld", "not_known", "none"]
"""*published*: quoted, not calculated for this patient; *none*: does not occur with this option."""


class RowLabel(NamedTuple):
    """A row's id with its label of at most 19 characters and the one that needs no heading."""

    id: str
    label: str
    long_label: str


@dataclass(frozen=True)
class Column:
    """One option: a product, a class, or a published regimen, which ``published`` marks."""

    option: str
    label: str
    """At most 11 characters."""
    long_label: str
    class_id: ClassId
    kind: Literal["product", "class", "published"]
    on_label: LabelState | None
    """None for a class and for a product without a label here."""
    label_word: str
    """``met``, ``not met``, ``open``; empty for a class."""


@dataclass(frozen=True)
class Cell:
    """What stands at one row and column.

    ``number`` ``84`` and ``interval`` ``71-92`` are of 100; both are empty where ``kind`` is not *computed*. ``mean``,
    ``low`` and ``high`` are the same as fractions, for drawing. ``text`` is the whole cell in at most 11 characters.
    """

    kind: CellKind
    text: str
    number: str = ""
    interval: str = ""
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    why: str = ""
    """Why there is no number, or that it is the class's."""

    @property
    def of_class(self) -> bool:
        """Whether the number is the class's, for want of rows of the product."""
        return self.kind == "computed" and bool(self.why)


@dataclass(frozen=True)
class Row:
    """One row of the table; ``unit`` is ``of 100`` or a time."""

    id: str
    label: str
    """At most 19 characters."""
    long_label: str
    cells: tuple[Cell, ...]
    """In the order of the columns."""
    drawn: bool
    """Whether its cells are shares that a dot with an interval can show."""


@dataclass(frozen=True)
class FirstScreen:
    """Everything of the first screen, top to bottom."""

    patient: str
    """``66 y, 4 lines, EMD yes, high risk, penta-refractory, BCMA naive``."""
    region_and_day: str
    """``US, 2026-11-22``."""
    read_as: tuple[str, ...]
    """What was read by interpretation or from a record."""
    movers: str
    """What would change the answer most; empty where nothing unknown moves a number."""
    columns: tuple[Column, ...]
    """Products the region offers, grouped by class; a labelled regimen of an early line among them."""
    rows: tuple[Row, ...]
    class_columns: tuple[Column, ...]
    class_rows: tuple[tuple[Cell, ...], ...]
    """Cells of the two classes, by row."""
    differences: tuple[str, ...]
    """First class minus second, or the pair that was asked for, by row; empty where there is none."""
    difference_title: str
    published: tuple[str, ...]
    """Published figures of the subgroups this patient belongs to; not calculated."""
    tell_apart: tuple[str, ...]
    findings: tuple[FindingLine, ...]
    """At most six, and every contraindication."""
    more_findings: str
    """``3 more findings, 21 that need an answer``; empty where there are none."""
    certainty: str
    """``Certainty low (single arms, no randomised comparison).``"""
