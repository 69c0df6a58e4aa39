"""Labels + facts -> whether a product's indication is met in a region on a day, item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from bcma_decide.comparison import Indication, IndicationItem
from bcma_decide.facts.facts import Facts, Judgement
from bcma_decide.facts.leaf_table import CODE, code_of_one, judgement_of
from bcma_decide.logic import Truth
from bcma_decide.pooled.rule_book import RuleBook
from bcma_decide.rules.labels_in_force import ItemInForce, RegimenInForce, labels_in_force
from bcma_decide.vocabulary import LabelState

_STATE: Final[dict[Truth, LabelState]] = {True: "met", False: "not_met", None: "cannot_be_judged"}
STATE_OF_CODE: Final[dict[int, LabelState]] = {code: _STATE[truth] for truth, code in CODE.items()}
"""The word for a truth value by its code."""


def indications(
    book: RuleBook, facts: Facts, region: str, on: date, names: Mapping[str, str], months: float
) -> dict[str, Indication]:
    """Judge every product's labels: the single agent, with the other regimens labelled in that region inside it.

    ``names`` are those of the options; a product that is none goes by its capitalised id. A label seen more than
    ``months`` ago says so.
    """
    prepared = labels_in_force(book, facts.definitions, region, on, months)
    judged = prepared.table.judged(facts)
    codes = [CODE[each.value] for each in judged]
    found = {}
    for product, regimens in prepared.products:
        name = names.get(product.id) or product.id.capitalize()
        others: tuple[Indication, ...] = ()
        for place, regimen in reversed(tuple(enumerate(regimens))):  # the first holds the others
            value = 0 if regimen.program is None else code_of_one(regimen.program, codes)
            own = Indication(
                state="not_met" if regimen.program is None else STATE_OF_CODE[value],
                region=region,
                date=on.isoformat(),
                items=_items(regimen, value, judged),
                label=name,
                class_id=product.class_id,
                aged_months=int(months) if regimen.aged else None,
                other_regimens=() if place else others,
                **regimen.said,
            )
            others = (own, *others)
        found[product.id] = others[0]
    return found


def _items(regimen: RegimenInForce, value: int, judged: Sequence[Judgement]) -> tuple[IndicationItem, ...]:
    if regimen.instead is not None:
        return (regimen.instead,)
    items = tuple(_item(item, judgement_of(item.program, judged)) for item in regimen.items)
    day = regimen.open_day
    return items if day is None or not (regimen.always_open or value == 0) else (day, *items)


def _item(item: ItemInForce, found: Judgement) -> IndicationItem:
    return IndicationItem(
        text=item.text, state=_STATE[found.value], value="; ".join(found.here) or None, needs=found.missing
    )
