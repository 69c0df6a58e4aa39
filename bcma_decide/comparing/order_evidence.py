"""What was published of a second therapy after a first: which entries speak of a patient's, nearest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import asdict

from bcma_decide.comparing.order_history import Earlier
from bcma_decide.pooled.order_book import OrderBook, OrderEntry
from bcma_decide.time_course import OrderEvidence, OrderFigure
from bcma_decide.vocabulary import ClassId

RESPONSE: Final = "orr"


def nearest_first(book: OrderBook, before: Earlier, option: ClassId) -> tuple[OrderEntry, ...]:
    """Entries on this class after such a therapy.

    First those of this class alone, then those with a response, then by kind of the first (this one alone, among
    others, not said), interval (inside, not restricted or not known, outside), product of the first (the same, not
    said, another) and size.
    """
    fitting = [
        entry
        for entry in book.entries
        if entry.class_id in (option, "any") and (not entry.kinds or before.kind in entry.kinds)
    ]
    return tuple(sorted(fitting, key=lambda entry: (*_distance(entry, before), entry.id)))


def _distance(entry: OrderEntry, before: Earlier) -> tuple[bool, bool, int, int, int, int]:
    responses = any(figure.outcome == RESPONSE for figure in entry.figures)
    kind = 0 if entry.kinds == (before.kind,) else 1 if entry.kinds else 2
    interval = 1
    if entry.months.edges and before.months is not None:
        interval = 0 if entry.months.hold(before.months) else 2
    product = 1
    if entry.first_products and before.products:
        product = 0 if set(entry.first_products) & set(before.products) else 2
    size = max((figure.n for figure in entry.figures if figure.n is not None), default=0)
    return entry.class_id == "any", not responses, kind, interval, product, -size


def nearest_figure(entries: Sequence[OrderEntry], option: ClassId, outcome: str) -> tuple[OrderFigure | None, str]:
    """The first figure of an outcome in entries on this class alone, with the id of its entry."""
    for entry in entries:
        for figure in entry.figures:
            if entry.class_id == option and figure.outcome == outcome:
                return OrderFigure(**asdict(figure)), entry.id
    return None, ""


def as_shown(entry: OrderEntry) -> OrderEvidence:
    """An entry as it stands in the answer."""
    return OrderEvidence(
        id=entry.id,
        study=entry.study,
        first=entry.kinds,
        first_products=entry.first_products,
        months=entry.months.words() if entry.months.edges else "",
        second=entry.class_id,
        second_products=entry.second_products,
        of_whom=dict(entry.of_whom),
        figures=tuple(OrderFigure(**asdict(figure)) for figure in entry.figures),
        remark=entry.remark,
        basis=entry.basis,
    )
