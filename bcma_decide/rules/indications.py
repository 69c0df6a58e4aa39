"""Labels + facts -> whether a product's indication is met in a region on a day, item by item."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from bcma_decide.comparison import Indication, IndicationItem
from bcma_decide.facts.facts import Facts
from bcma_decide.logic import Truth, all_of
from bcma_decide.pooled.in_force import days_of, in_force, older_than
from bcma_decide.pooled.rule_book import NOT_IN_FORCE, SINGLE_AGENT, Approval, Label, LabelItem, Product, RuleBook
from bcma_decide.vocabulary import LabelState

_WAITING: Final[dict[Approval | None, str]] = {
    "pending": "application pending",
    "not_approved": "not approved when last seen",
}
_TRUTH: Final[dict[LabelState, Truth]] = {"met": True, "not_met": False, "cannot_be_judged": None}


def indications(
    book: RuleBook, facts: Facts, region: str, on: date, names: Mapping[str, str], months: float
) -> dict[str, Indication]:
    """Judge every product's labels: the single agent, with the other regimens labelled in that region inside it.

    ``names`` are those of the options; a product that is none goes by its capitalised id. A label seen more than
    ``months`` ago says so.
    """
    found = {
        product.id: _product(product, facts, region, on, names.get(product.id) or product.id.capitalize())
        for product in book.products
    }
    return {product: _aged(label, months, on) for product, label in found.items()}


def _aged(label: Indication, months: float, on: date) -> Indication:
    others = tuple(_aged(other, months, on) for other in label.other_regimens)
    old = bool(label.seen) and older_than(label.seen, months, on)
    return label.model_copy(update={"aged_months": int(months) if old else None, "other_regimens": others})


def labelled(product: Product, region: str, on: date) -> bool:
    """Whether any label of a product may be in force in a region on a day."""
    return any(each.region == region and _in_force(each, on) is not False for each in product.indications)


def _product(product: Product, facts: Facts, region: str, on: date, name: str) -> Indication:
    own = [each for each in product.indications if each.region == region]
    regimens = dict.fromkeys([SINGLE_AGENT, *(each.regimen for each in own)])
    first, *others = (
        _regimen(product, name, regimen, [each for each in own if each.regimen == regimen], facts, region, on)
        for regimen in regimens
    )
    return first.model_copy(update={"other_regimens": tuple(others)}) if others else first


def _regimen(
    product: Product, name: str, regimen: str, own: list[Label], facts: Facts, region: str, on: date
) -> Indication:
    """Judge the label in force. Around a change known only to the month, old and new one have to agree."""
    possible = [(each, holds) for each in own if (holds := _in_force(each, on)) is not False]
    possible.sort(key=lambda pair: pair[0].since or "", reverse=True)
    sure = [pair for pair in possible if pair[1]]
    candidates = [label for label, _ in sure[:1] or possible]
    if not candidates:
        waiting = next((each for each in own if each.approval in NOT_IN_FORCE), None)
        return _indication(product, name, regimen, "not_met", (_none(own, region, on),), waiting, region, on)
    judged = [tuple(_item(each, facts) for each in label.items) for label in candidates]
    values = {all_of(_TRUTH[item.state] for item in items) for items in judged}
    value = values.pop() if len(values) == 1 else None
    items = judged[0]
    if not sure and (value is None or len(candidates) == 1):
        since = candidates[0].since
        changed = f"changed in {since}" if since else "its beginning is not known"
        day = f"label in force on {on.isoformat()}"
        open_day = IndicationItem(text=day, state="cannot_be_judged", value=changed, needs=("the day of the change",))
        items = (open_day, *items)
        value = None if value else value  # what is not met under either label is not met
    return _indication(product, name, regimen, _state_of(value), items, candidates[0], region, on)


def _indication(
    product: Product,
    name: str,
    regimen: str,
    state: LabelState,
    items: tuple[IndicationItem, ...],
    label: Label | None,
    region: str,
    on: date,
) -> Indication:
    """The statement; ``label`` is None where the region has none on that day, not even an application."""
    return Indication(
        state=state,
        region=region,
        date=on.isoformat(),
        items=items,
        label=name,
        class_id=product.class_id,
        regimen=regimen,
        approval=label.approval if label else None,
        since=label.since if label else None,
        until=label.until if label else None,
        sources=(label.source,) if label and label.source else (),
        basis=label.basis if label else None,
        note=label.note if label else "",
        seen=label.seen if label else "",
        opinion=label.opinion if label else None,
    )


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


def _item(item: LabelItem, facts: Facts) -> IndicationItem:
    found = facts.judge(item.when)
    return IndicationItem(
        text=item.text, state=_state_of(found.value), value="; ".join(found.here) or None, needs=found.missing
    )


def _state_of(value: Truth) -> LabelState:
    """The word for a truth value."""
    return "cannot_be_judged" if value is None else "met" if value else "not_met"
