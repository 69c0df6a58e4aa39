"""The published way from apheresis to the infusion; it reaches the bedside in the pooled file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from bcma_decide.pooled.score_book import Citation, row_of, rows_of


class Wait(Struct, frozen=True):
    """A published time from apheresis to the infusion, in days: median, range, and of how many infused patients."""

    days: float
    range: tuple[float | None, float | None] | None
    population: str
    n: int | None
    sources: tuple[str, ...]


class Count(Struct, frozen=True):
    """A published count, or a time beside the wait, in words."""

    label: str
    text: str
    events: int | None
    n: int | None
    population: str
    sources: tuple[str, ...]


class Way(Struct, frozen=True):
    """What was published of one product, or holds for its class."""

    option: str
    waits: tuple[Wait, ...] = ()
    """The first is the one the curve from the decision is shifted by."""
    counts: tuple[Count, ...] = ()
    assumptions: tuple[str, ...] = ()


class WayBook(Struct, frozen=True, eq=False):
    """Every way by option, and the sources of their figures."""

    ways: Mapping[str, Way]
    sources: Mapping[str, Citation]

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> WayBook:
        """Build from plain data, as it stands in the pooled file."""
        rows = [
            row_of(Way, {**row, "waits": rows_of(Wait, row["waits"]), "counts": rows_of(Count, row["counts"])})
            for row in plain["ways"]
        ]
        return cls(
            ways={row.option: row for row in rows},
            sources={key: row_of(Citation, row) for key, row in plain["sources"].items()},
        )

    def of(self, option: str) -> Way:
        """What is known of one option; empty where nothing is."""
        return self.ways.get(option, Way(option))
