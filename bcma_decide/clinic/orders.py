"""Whether an order just chosen is one the comparison is about, by the names of the evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from bcma_decide.definitions import fold
from bcma_decide.model.artefact import Model

_TARGET: Final = "bcma"
_SHORTEST: Final = 5
"""Letters of a name that is looked for inside a text."""
_DEEPEST: Final = 6
_NAMED: Final = ("text", "display")


def product_names(model: Model) -> frozenset[str]:
    """Every name of a drug against the target, folded: international, brand, short form."""
    drugs = (name for drug in model.definitions.drugs if _TARGET in drug.targets for name in (drug.id, *drug.names))
    products = (name for each in model.rules.products for name in (each.id, each.inn, each.brand or ""))
    return frozenset(folded for name in (*drugs, *products) if len(folded := fold(name)) >= _SHORTEST)


def concerns(orders: Mapping[str, Any], selections: Sequence[str], names: Collection[str]) -> bool:
    """Whether one of the orders selected names one of the drugs; an order without a name does not."""
    return any(
        name in text
        for order in _selected(orders, selections)
        for text in (fold(each) for each in _texts(order))
        for name in names
    )


def _selected(orders: Mapping[str, Any], selections: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    entries = orders.get("entry")
    wanted = {each.rpartition("/")[2] for each in selections}
    for entry in entries if isinstance(entries, list) else []:
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        if isinstance(resource, Mapping) and resource.get("id") in wanted:
            yield resource


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """Whatever is written for people under a resource: texts and displays of codes and references."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in _NAMED and isinstance(inner, str):
                yield inner
            else:
                yield from _texts(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, depth + 1)
