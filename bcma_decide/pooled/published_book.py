"""Published figures that stand in the place of numbers, or beside them; they reach the bedside in the pooled file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from bcma_decide.pooled.conditions import Condition, from_plain
from bcma_decide.pooled.quoted_book import QuotedBook
from bcma_decide.pooled.score_book import Citation, row_of, rows_of
from bcma_decide.vocabulary import ClassId


class Figure(Struct, frozen=True):
    """One published figure in words, with its counts where the source gives them."""

    text: str
    outcome: str
    events: int | None
    n: int | None
    rate: float | None
    """As a fraction; None for a time to an event."""
    sources: tuple[str, ...]
    month: float | None = None
    """Of a time to an event with a landmark: the month of the one nearest to a year."""
    share: float | None = None
    """Without the event at that month, as a fraction."""


class Limit(Struct, frozen=True):
    """A condition under which options of a class have no number for some families, why, and what was published."""

    id: str
    when: Condition | None
    """None: for every patient."""
    class_id: ClassId | Literal["any"]
    products: tuple[str, ...]
    """Empty for the whole class."""
    families: tuple[str, ...]
    reason: str
    figures: tuple[Figure, ...]
    sources: tuple[str, ...]


class BesideOption(Struct, frozen=True):
    """A labelled regimen without a model: its study and what was published of it."""

    id: str
    label: str
    long_label: str
    class_id: ClassId
    product: str
    regimen: str
    """Product and regimen of the label that lists it."""
    study: str
    """Design, size and follow-up in words."""
    figures: tuple[Figure, ...]
    note: str
    sources: tuple[str, ...]


class PublishedBook(Struct, frozen=True, eq=False):
    """All limits, published options and quoted survival, and the sources of their figures."""

    limits: tuple[Limit, ...]
    options: tuple[BesideOption, ...]
    survival: QuotedBook
    sources: Mapping[str, Citation]

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> PublishedBook:
        """Build from plain data, as it stands in the pooled file."""
        return cls(
            limits=tuple(
                row_of(
                    Limit,
                    {
                        **row,
                        "when": row["when"] and from_plain(row["when"]),
                        "figures": rows_of(Figure, row["figures"]),
                    },
                )
                for row in plain["limits"]
            ),
            options=tuple(
                row_of(BesideOption, {**row, "figures": rows_of(Figure, row["figures"])}) for row in plain["options"]
            ),
            survival=QuotedBook.from_dict(plain["survival"]),
            sources={key: row_of(Citation, row) for key, row in plain["sources"].items()},
        )
