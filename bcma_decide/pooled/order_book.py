"""What was published of a second T-cell therapy, by the first; it reaches the bedside in the pooled file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from bcma_decide.logic import Bounds
from bcma_decide.pooled.score_book import Citation, row_of, rows_of
from bcma_decide.vocabulary import Basis, ClassId, CourseKind


class OrderFigure(Struct, frozen=True):
    """One published figure in words, with its counts, or its median and printed interval, where the source has them."""

    text: str
    outcome: str
    events: int | None
    n: int | None
    rate: float | None
    """As a fraction; None for a time to an event."""
    sources: tuple[str, ...]
    median_months: float | None
    interval: tuple[float | None, float | None] | None


class OrderEntry(Struct, frozen=True):
    """Figures of one study on a second therapy after a first."""

    id: str
    study: str
    """Its name."""
    kinds: tuple[CourseKind, ...]
    """Of the first therapy; empty where the source does not say."""
    first_products: tuple[str, ...]
    """Ids; empty for the whole class."""
    months: Bounds
    """Since the last dose of the first; open where the source does not restrict it."""
    class_id: ClassId | Literal["any"]
    """Of the second therapy."""
    second_products: tuple[str, ...]
    """Labels; empty for the whole class."""
    of_whom: Mapping[CourseKind, int]
    """How many of the patients counted had each kind before, where the source says so."""
    figures: tuple[OrderFigure, ...]
    remark: str
    basis: Basis


class OrderBook(Struct, frozen=True, eq=False):
    """All of them, the rules that speak of an order, what none tells, and the sources of the figures."""

    entries: tuple[OrderEntry, ...]
    findings: Mapping[tuple[CourseKind, ClassId], tuple[str, ...]]
    """By kind of the first and class of the second: ids of rules."""
    not_known: tuple[str, ...]
    sources: Mapping[str, Citation]

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> OrderBook:
        """Build from plain data, as it stands in the pooled file."""
        return cls(
            entries=tuple(
                row_of(
                    OrderEntry,
                    {**row, "months": Bounds(**row["months"]), "figures": rows_of(OrderFigure, row["figures"])},
                )
                for row in plain["entries"]
            ),
            findings={(row["first"], row["second"]): tuple(row["rules"]) for row in plain["findings"]},
            not_known=tuple(plain["not_known"]),
            sources={key: row_of(Citation, row) for key, row in plain["sources"].items()},
        )

    def counted(self, first: CourseKind, second: ClassId) -> int:
        """Most patients of any one entry who had the second class after a first of this kind."""
        return max((entry.of_whom.get(first, 0) for entry in self.entries if entry.class_id == second), default=0)
