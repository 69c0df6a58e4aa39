"""Whom a rule, or what is known beside the rules, speaks of."""

from __future__ import annotations

from datetime import date

from bcma_decide.logic import Truth
from bcma_decide.pooled.in_force import in_force
from bcma_decide.pooled.rule_book import OtherProducts, Rule
from bcma_decide.vocabulary import CLASSES, ClassId


def applies(rule: Rule, region: str) -> bool:
    """Whether a rule speaks of this region."""
    return rule.region in (None, region)


def holds_on(rule: Rule, region: str, on: date) -> Truth:
    """Whether a rule speaks of this region on this day."""
    return in_force(rule.since, rule.until, on) if applies(rule, region) else False


def options_of_rule(rule: Rule) -> tuple[tuple[ClassId, str | None], ...]:
    """Class and product of every option the rule concerns; product None for the whole class."""
    classes = CLASSES if rule.class_id == "any" else (rule.class_id,)
    return tuple((class_id, product) for class_id in classes for product in rule.products or (None,))


def concerns(rule: Rule, product: str, class_id: ClassId) -> bool:
    """Whether a rule speaks of a product."""
    return rule.class_id in ("any", class_id) and (not rule.products or product in rule.products)


def speaks_of(other: OtherProducts, product: str, class_id: ClassId, region: str) -> bool:
    """Whether what is known beside the rules is about a product in a region."""
    if other.region not in (None, region):
        return False
    return product in other.products if other.products else other.class_id in (None, class_id)
