"""Labels of a region on a day, prepared once for all patients: which one holds, what it asks for, how old it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple

from bcma_decide.comparison import IndicationItem
from bcma_decide.facts.leaf_table import Agreed, Joined, LeafTable, Program
from bcma_decide.logic import Truth
from bcma_decide.pooled.conditions import Condition
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.pooled.in_force import days_of, in_force, older_than
from bcma_decide.pooled.rule_book import NOT_IN_FORCE, SINGLE_AGENT, Approval, Label, Product, RuleBook

_WAITING: Final[dict[Approval | None, str]] = {
    "pending": "application pending",
    "not_approved": "not approved when last seen",
}


class ItemInForce(NamedTuple):
    """One thing a label asks for."""

    text: str
    program: Program


@dataclass(frozen=True, eq=False)
class RegimenInForce:
    """A regimen of a product: the label that is stated of it, and what has to hold for the patient to be on label."""

    regimen: str
    label: Label | None
    """None where the region has none on that day, not even an application."""
    items: tuple[ItemInForce, ...]
    program: Agreed | None
    """None where no label can be in force."""
    instead: IndicationItem | None
    """What is seen instead of a label in force."""
    open_day: IndicationItem | None
    """Around a change or beginning that is not known to the day: what would settle whether the label holds."""
    always_open: bool
    """Whether that is to be said whatever the patient."""
    aged: bool

    @cached_property
    def said(self) -> dict[str, Any]:
        """What is stated of the label, as fields of an `Indication`."""
        label = self.label
        if label is None:
            return {"regimen": self.regimen}
        return {
            "regimen": self.regimen,
            "approval": label.approval,
            "since": label.since,
            "until": label.until,
            "sources": (label.source,) if label.source else (),
            "basis": label.basis,
            "note": label.note,
            "seen": label.seen,
            "opinion": label.opinion,
        }


class LabelsInForce(NamedTuple):
    """Every product of the book with its regimens, the single agent first."""

    table: LeafTable
    products: tuple[tuple[Product, tuple[RegimenInForce, ...]], ...]


def labelled(product: Product, region: str, on: date) -> bool:
    """Whether any label of a product may be in force in a region on a day."""
    return any(each.region == region and _in_force(each, on) is not False for each in product.indications)


@lru_cache(maxsize=16)
def labels_in_force(book: RuleBook, definitions: Definitions, region: str, on: date, months: float) -> LabelsInForce:
    """Prepare the labels of a region on a day; one seen more than ``months`` ago says so."""
    labels = [label for product in book.products for label in product.indications if label.region == region]
    conditions: list[Condition] = [item.when for label in labels for item in label.items]
    table = LeafTable(conditions, definitions)
    programs = iter(table.programs)
    items = {id(label): tuple(ItemInForce(item.text, next(programs)) for item in label.items) for label in labels}
    return LabelsInForce(
        table,
        tuple((product, tuple(_regimens(product, items, region, on, months))) for product in book.products),
    )


def _regimens(
    product: Product, items: dict[int, tuple[ItemInForce, ...]], region: str, on: date, months: float
) -> Iterator[RegimenInForce]:
    own = [each for each in product.indications if each.region == region]
    for regimen in dict.fromkeys([SINGLE_AGENT, *(each.regimen for each in own)]):
        yield _regimen(regimen, [each for each in own if each.regimen == regimen], items, region, on, months)


def _regimen(
    regimen: str, own: list[Label], items: dict[int, tuple[ItemInForce, ...]], region: str, on: date, months: float
) -> RegimenInForce:
    """The label in force. Around a change known only to the month, old and new one have to agree."""
    possible = [(each, holds) for each in own if (holds := _in_force(each, on)) is not False]
    possible.sort(key=lambda pair: pair[0].since or "", reverse=True)
    sure = [pair for pair in possible if pair[1]]
    candidates = [label for label, _ in sure[:1] or possible]
    stated = candidates[0] if candidates else next((each for each in own if each.approval in NOT_IN_FORCE), None)
    aged = stated is not None and bool(stated.seen) and older_than(stated.seen, months, on)
    if not candidates:
        return RegimenInForce(regimen, stated, (), None, _none(own, region, on), None, always_open=False, aged=aged)
    of_each = tuple(Joined("all", tuple(each.program for each in items[id(label)])) for label in candidates)
    alone = not sure and len(candidates) == 1
    return RegimenInForce(
        regimen=regimen,
        label=stated,
        items=items[id(candidates[0])],
        # What is not met under any of them is not met; else it hangs on the day.
        program=Agreed(of_each, never_sure=alone),
        instead=None,
        open_day=None if sure else _open_day(candidates[0], on),
        always_open=alone,
        aged=aged,
    )


def _open_day(label: Label, on: date) -> IndicationItem:
    changed = f"changed in {label.since}" if label.since else "its beginning is not known"
    day = f"label in force on {on.isoformat()}"
    return IndicationItem(text=day, state="cannot_be_judged", value=changed, needs=("the day of the change",))


def _in_force(label: Label, on: date) -> Truth:
    """Whether a label holds on a day; one of which no beginning is known may have held or not."""
    if label.approval in NOT_IN_FORCE:
        return False
    holds = in_force(label.since, label.until, on)
    return holds if label.since or holds is False else None


def _none(own: list[Label], region: str, on: date) -> IndicationItem:
    """What is seen instead of a label on that day: an application, a later label, or nothing."""
    why = [_waiting(each) for each in own if each.approval in _WAITING]
    why += [f"labelled there since {each.since}" for each in own if each.since and days_of(each.since).first > on]
    text = f"a label in {region} on {on.isoformat()}"
    return IndicationItem(text=text, state="not_met", value=why[0] if why else "none seen")


def _waiting(label: Label) -> str:
    word = _WAITING[label.approval]
    return f"{word}: positive opinion {label.opinion}, no decision seen" if label.opinion else word
