"""Rules + facts -> findings: those that fire, and those that cannot be judged and say what they need."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from bcma_decide.comparison import Finding
from bcma_decide.facts.facts import Facts, Judgement
from bcma_decide.pooled.in_force import begun, in_force
from bcma_decide.pooled.rule_book import Rule, RuleBook
from bcma_decide.rules.condition_words import condition_words
from bcma_decide.vocabulary import CLASSES, ClassId, FindingState


def rule_findings(book: RuleBook, facts: Facts, region: str, on: date) -> tuple[Finding, ...]:
    """Judge every rule of a region on a day, in the order of the files.

    A rule whose condition is false is left out. One that is unknown is never left out: it says what it needs.
    """
    return tuple(finding for rule in book.rules for finding in _judge(rule, facts, region, on))


def applies(rule: Rule, region: str) -> bool:
    """Whether a rule speaks of this region."""
    return rule.region in (None, region)


def options_of_rule(rule: Rule) -> tuple[tuple[ClassId, str | None], ...]:
    """Class and product of every option the rule concerns; product None for the whole class."""
    classes = CLASSES if rule.class_id == "any" else (rule.class_id,)
    return tuple((class_id, product) for class_id in classes for product in rule.products or (None,))


def _judge(rule: Rule, facts: Facts, region: str, on: date) -> Iterator[Finding]:
    holds_now = in_force(rule.since, rule.until, on) if applies(rule, region) else False
    if holds_now is False:
        return
    found = facts.judge(rule.when)
    if found.value is False:
        return
    state: FindingState = "fires" if found.value and holds_now else "cannot_be_judged"
    for class_id, product in options_of_rule(rule):
        yield Finding(
            id=rule.id,
            applies_to={"class": class_id} | ({"product": product} if product else {}),
            severity=rule.severity,
            state=state,
            text=rule.text,
            value="; ".join(found.here) or None,
            threshold=condition_words(rule.when, facts.definitions),
            needs=_needs(found, rule, on),
            sources=rule.sources,
            topic=rule.topic,
            origin=rule.origin,
            basis=rule.basis,
            date=rule.date,
            note=rule.note,
        )


def _needs(found: Judgement, rule: Rule, on: date) -> tuple[str, ...]:
    """What would settle the rule; nothing where it fires."""
    changes = [change for change in (rule.since, rule.until) if change and begun(change, on) is None]
    days = (f"the day of the change ({change})" for change in changes)
    return (*found.missing, *days)
