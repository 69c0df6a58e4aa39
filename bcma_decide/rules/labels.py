"""Labels + facts -> whether a product's indication is met in a region on a day, item by item."""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from bcma_decide.comparison import LabelState
from bcma_decide.facts import Facts
from bcma_decide.logic import Truth, all_of
from bcma_decide.rules.book import NOT_IN_FORCE, SINGLE_AGENT, Approval, Indication, LabelItem, Product, RuleBook
from bcma_decide.rules.dates import days_of, in_force

_WAITING: Final[dict[Approval | None, str]] = {
    "pending": "application pending",
    "not_approved": "not approved when last seen",
}


class ItemVerdict(NamedTuple):
    """One thing a label asks for, judged."""

    text: str
    state: LabelState
    value: str = ""
    needs: tuple[str, ...] = ()


class LabelVerdict(NamedTuple):
    """One indication judged; ``indication`` is None where the region has none on that day."""

    product: str
    regimen: str
    state: LabelState
    items: tuple[ItemVerdict, ...]
    indication: Indication | None


def judge_labels(book: RuleBook, facts: Facts, region: str, on: date) -> dict[str, tuple[LabelVerdict, ...]]:
    """Judge every product's labels: the single agent first, then the other regimens labelled in that region."""
    return {product.id: _product(product, facts, region, on) for product in book.products}


def state_of(value: Truth) -> LabelState:
    """The word for a truth value."""
    return "cannot_be_judged" if value is None else "met" if value else "not_met"


def _product(product: Product, facts: Facts, region: str, on: date) -> tuple[LabelVerdict, ...]:
    own = [each for each in product.indications if each.region == region]
    regimens = dict.fromkeys([SINGLE_AGENT, *(each.regimen for each in own)])
    return tuple(
        _regimen(product, regimen, [each for each in own if each.regimen == regimen], facts, region, on)
        for regimen in regimens
    )


def _regimen(
    product: Product, regimen: str, own: list[Indication], facts: Facts, region: str, on: date
) -> LabelVerdict:
    """Judge the label in force. Around a change known only to the month, old and new one have to agree."""
    possible = [(each, holds) for each in own if (holds := _in_force(each, on)) is not False]
    possible.sort(key=lambda pair: pair[0].since or "", reverse=True)
    sure = [pair for pair in possible if pair[1]]
    candidates = sure[:1] or possible
    if not candidates:
        return LabelVerdict(product.id, regimen, "not_met", (_none(own, region, on),), None)
    judged = [tuple(_item(each, facts) for each in indication.items) for indication, _ in candidates]
    values = {_together(items) for items in judged}
    value = values.pop() if len(values) == 1 else None
    items = judged[0]
    if not sure and (value is None or len(candidates) == 1):
        since = candidates[0][0].since
        changed = f"changed in {since}" if since else "its beginning is not known"
        day = f"label in force on {on.isoformat()}"
        items = (ItemVerdict(day, "cannot_be_judged", changed, ("the day of the change",)), *items)
        value = None if value else value  # what is not met under either label is not met
    return LabelVerdict(product.id, regimen, state_of(value), items, candidates[0][0])


def _in_force(indication: Indication, on: date) -> Truth:
    """Whether a label holds on a day; one of which no beginning is known may have held or not."""
    if indication.approval in NOT_IN_FORCE:
        return False
    holds = in_force(indication.since, indication.until, on)
    return holds if indication.since or holds is False else None


def labelled(product: Product, region: str, on: date) -> bool:
    """Whether any label of a product may be in force in a region on a day."""
    return any(each.region == region and _in_force(each, on) is not False for each in product.indications)


def _none(own: list[Indication], region: str, on: date) -> ItemVerdict:
    """What is seen instead of a label on that day: an application, a later label, or nothing."""
    why = [_WAITING[each.approval] for each in own if each.approval in _WAITING]
    why += [f"labelled there since {each.since}" for each in own if each.since and days_of(each.since).first > on]
    return ItemVerdict(f"a label in {region} on {on.isoformat()}", "not_met", why[0] if why else "none seen")


def _item(item: LabelItem, facts: Facts) -> ItemVerdict:
    found = facts.judge(item.when)
    return ItemVerdict(item.text, state_of(found.value), "; ".join(found.here), found.missing)


def _together(items: tuple[ItemVerdict, ...]) -> Truth:
    truth: dict[LabelState, Truth] = {"met": True, "not_met": False, "cannot_be_judged": None}
    return all_of(truth[item.state] for item in items)
