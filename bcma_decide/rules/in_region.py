"""The rules of a region on a day, prepared once for all patients: what hangs on no patient is settled here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from bcma_decide.facts.leaf_table import LeafTable, Program
from bcma_decide.pooled.conditions import Condition
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.pooled.in_force import begun
from bcma_decide.pooled.rule_book import OtherProducts, PatientState, Rule, RuleBook
from bcma_decide.rules.concerned import concerns, holds_on, options_of_rule, speaks_of
from bcma_decide.rules.condition_words import condition_words
from bcma_decide.rules.labels_in_force import labelled
from bcma_decide.vocabulary import ONE_LINE, UNVERIFIED, ClassId


@dataclass(frozen=True, eq=False)
class RuleInForce:
    """A rule that is or may be in force, with all that is said of it whatever the patient."""

    rule: Rule
    sure: bool
    """Whether it is in force; else the day lies inside a month or year of change."""
    program: Program
    asked_only_if: Program | None
    options: tuple[tuple[ClassId, str | None], ...]
    products: frozenset[str]
    """Of those offered, the products it speaks of."""
    threshold: str
    days: tuple[str, ...]
    """What would settle whether it is in force."""
    counts: bool
    """Whether it speaks of a start, from a source that was seen."""


class OtherStatement(NamedTuple):
    """What is known of products that no rule speaks of, said where one fires for another."""

    id: str
    class_id: ClassId
    product: str | None
    """None where it is of several products of the class."""
    text: str
    short: str
    sources: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class RulesInForce:
    """The rules of a region on a day over one table of leaves; ``offered`` are the products with a label there."""

    table: LeafTable
    rules: tuple[RuleInForce, ...]
    states: Mapping[str, PatientState]
    offered: Mapping[str, ClassId]
    others: Mapping[str, tuple[OtherStatement, ...]]
    """By state."""
    differences: Mapping[str, tuple[str, ...]]
    """By state, why ranks differ."""


@lru_cache(maxsize=16)
def rules_in_force(book: RuleBook, definitions: Definitions, region: str, on: date) -> RulesInForce:
    """Prepare the rules of a region on a day."""
    states = {state.id: state for state in book.states}
    offered = {product.id: product.class_id for product in book.products if labelled(product, region, on)}
    holding = [(rule, holds) for rule in book.rules if (holds := holds_on(rule, region, on)) is not False]
    asked = [states[rule.state].asked_only_if for rule, _ in holding]
    conditions: list[Condition] = [*(rule.when for rule, _ in holding), *(each for each in asked if each is not None)]
    table = LeafTable(conditions, definitions)
    programs = iter(table.programs[len(holding) :])
    rules = tuple(
        RuleInForce(
            rule=rule,
            sure=holds is True,
            program=program,
            asked_only_if=None if condition is None else next(programs),
            options=options_of_rule(rule),
            products=frozenset(name for name, class_id in offered.items() if concerns(rule, name, class_id)),
            threshold=condition_words(rule.when, definitions),
            days=tuple(
                f"the day of the change ({change})"
                for change in (rule.since, rule.until)
                if change and begun(change, on) is None
            ),
            counts=rule.phase == "start" and rule.basis != UNVERIFIED,
        )
        for (rule, holds), condition, program in zip(holding, asked, table.programs, strict=False)
    )
    spoken = [rule for rule, holds in holding if rule.phase == "start" and holds]
    return RulesInForce(
        table=table,
        rules=rules,
        states=states,
        offered=offered,
        others={name: _others(state, spoken, offered, region) for name, state in states.items()},
        differences={
            name: tuple(each.text for each in state.differences if each.region in (None, region))
            for name, state in states.items()
        },
    )


def _others(
    state: PatientState, spoken: list[Rule], offered: Mapping[str, ClassId], region: str
) -> tuple[OtherStatement, ...]:
    of_state = [rule for rule in spoken if rule.state == state.id]
    found = []
    for other in state.others:
        left: dict[ClassId, list[str]] = defaultdict(list)
        for product, class_id in offered.items():
            passed_over = not any(concerns(rule, product, class_id) for rule in of_state)
            if other.kind != "does_not_apply" and passed_over and speaks_of(other, product, class_id, region):
                left[class_id].append(product)
        for class_id, products in left.items():
            found.append(
                OtherStatement(
                    id=f"{other.kind.replace('_', '-')}.{state.id}.{'.'.join(products)}",
                    class_id=class_id,
                    product=products[0] if len(products) == 1 else None,
                    text=f"{state.label}, {', '.join(products)}: {other.text}",
                    short=_short_of_others(state, products, other),
                    sources=other.sources,
                )
            )
    return tuple(found)


def _short_of_others(state: PatientState, products: list[str], other: OtherProducts) -> str:
    what = "no source seen for" if other.kind == "not_seen" else "label silent on"
    label = state.label[0].upper() + state.label[1:]
    line = f"{label}: {what} {', '.join(products)}"
    return line if len(line) <= ONE_LINE else f"{label}: {what} {len(products)} products"[:ONE_LINE]
