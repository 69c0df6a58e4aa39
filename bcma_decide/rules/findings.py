"""Rules + facts -> findings: those that fire, and those that cannot be judged and say what they need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

from bcma_decide.comparison import Finding
from bcma_decide.facts.facts import Facts, Judgement
from bcma_decide.logic import Truth
from bcma_decide.pooled.in_force import begun, in_force
from bcma_decide.pooled.rule_book import OtherProducts, PatientState, Rule, RuleBook
from bcma_decide.rules.condition_words import condition_words
from bcma_decide.rules.indications import labelled
from bcma_decide.vocabulary import CLASSES, ONE_LINE, SEVERITIES, UNVERIFIED, ClassId, FindingState, Severity


class _Judged(NamedTuple):
    rule: Rule
    found: Judgement
    state: FindingState


def rule_findings(book: RuleBook, facts: Facts, region: str, on: date) -> tuple[Finding, ...]:
    """Judge every rule of a region on a day, in the order of the files.

    A rule whose condition is false is left out. One that is unknown says what it needs, unless its state cannot apply
    to this patient. Where rules fire for one product, what is known of the others is said too.
    """
    states = {state.id: state for state in book.states}
    judged = [each for rule in book.rules for each in _judge(rule, states[rule.state], facts, region, on)]
    offered = {product.id: product.class_id for product in book.products if labelled(product, region, on)}
    shared = _shared(judged, states, offered)
    differ = _differences(judged, states, offered, region)
    found = [finding for each in judged for finding in _findings(each, facts, on, shared, differ)]
    spoken = [rule for rule in book.rules if rule.phase == "start" and _here(rule, region, on)]
    return (*found, *_of_others(judged, states, offered, spoken, region))


def applies(rule: Rule, region: str) -> bool:
    """Whether a rule speaks of this region."""
    return rule.region in (None, region)


def options_of_rule(rule: Rule) -> tuple[tuple[ClassId, str | None], ...]:
    """Class and product of every option the rule concerns; product None for the whole class."""
    classes = CLASSES if rule.class_id == "any" else (rule.class_id,)
    return tuple((class_id, product) for class_id in classes for product in rule.products or (None,))


def concerns(rule: Rule, product: str, class_id: ClassId) -> bool:
    """Whether a rule speaks of a product."""
    return (class_id, None) in options_of_rule(rule) or (class_id, product) in options_of_rule(rule)


def speaks_of(other: OtherProducts, product: str, class_id: ClassId, region: str) -> bool:
    """Whether what is known beside the rules is about a product in a region."""
    if other.region not in (None, region):
        return False
    return product in other.products if other.products else other.class_id in (None, class_id)


def _here(rule: Rule, region: str, on: date) -> Truth:
    """Whether a rule speaks of this region on this day."""
    return in_force(rule.since, rule.until, on) if applies(rule, region) else False


def _judge(rule: Rule, state: PatientState, facts: Facts, region: str, on: date) -> Iterator[_Judged]:
    holds_now = _here(rule, region, on)
    if holds_now is False:
        return
    found = facts.judge(rule.when)
    if found.value is False:
        return
    fires = bool(found.value and holds_now)
    if not fires and state.asked_only_if and facts.judge(state.asked_only_if).value is False:
        return
    yield _Judged(rule, found, "fires" if fires else "cannot_be_judged")


def _shared(
    judged: Iterable[_Judged], states: Mapping[str, PatientState], offered: Mapping[str, ClassId]
) -> Mapping[tuple[str, Severity], str]:
    """The one line for a state and rank whose rules, several of them, speak of every product offered."""
    groups: dict[tuple[str, Severity], list[Rule]] = defaultdict(list)
    for rule, _, state in judged:
        if state == "fires" and rule.basis != UNVERIFIED and rule.phase == "start":
            groups[rule.state, rule.severity].append(rule)
    return {
        key: states[key[0]].short
        for key, rules in groups.items()
        if states[key[0]].short and offered and len(rules) > 1 and _covered(rules, states[key[0]], offered)
    }


def _covered(rules: list[Rule], state: PatientState, offered: Mapping[str, ClassId]) -> bool:
    """Whether the rules speak of all that the line of the state claims."""
    spoken = {
        product for product, class_id in offered.items() if any(concerns(rule, product, class_id) for rule in rules)
    }
    if state.short_for == "products":
        return spoken == set(offered)
    return {offered[product] for product in spoken} == set(CLASSES)


def _firing(judged: Iterable[_Judged]) -> Mapping[str, list[Rule]]:
    """Rules on starting that fire, by the state they speak of."""
    found: dict[str, list[Rule]] = defaultdict(list)
    for rule, _, state in judged:
        if state == "fires" and rule.phase == "start":
            found[rule.state].append(rule)
    return found


def _differences(
    judged: Iterable[_Judged], states: Mapping[str, PatientState], offered: Mapping[str, ClassId], region: str
) -> Mapping[str, str]:
    """By state: what the texts of the products say, where rules that fire give them different ranks."""
    return {
        name: f"Products differ: {'; '.join(told)}."
        for name, rules in _firing(judged).items()
        if (told := [each.text for each in states[name].differences if each.region in (None, region)])
        if len(set(_ranks(rules, offered))) > 1
    }


def _ranks(rules: list[Rule], offered: Mapping[str, ClassId]) -> Iterator[Severity]:
    """The gravest rank of each product that the rules speak of."""
    for product, class_id in offered.items():
        of_product = [rule.severity for rule in rules if concerns(rule, product, class_id)]
        if of_product:
            yield min(of_product, key=SEVERITIES.index)


def _findings(
    judged: _Judged,
    facts: Facts,
    on: date,
    shared: Mapping[tuple[str, Severity], str],
    differ: Mapping[str, str],
) -> Iterator[Finding]:
    rule, found, state = judged
    verified = rule.basis != UNVERIFIED and rule.phase == "start" and state == "fires"
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
            note=" ".join(part for part in (rule.note, differ.get(rule.state, "")) if part),
            short=rule.short,
            subject=rule.state,
            shared_short=shared.get((rule.state, rule.severity), "") if verified else "",
            phase=rule.phase,
        )


def _of_others(
    judged: Iterable[_Judged],
    states: Mapping[str, PatientState],
    offered: Mapping[str, ClassId],
    spoken: Iterable[Rule],
    region: str,
) -> Iterator[Finding]:
    """What is known of the products that no rule speaks of, where one of more than information fires for another."""
    for name, rules in _firing(judged).items():
        if all(rule.severity == "information" for rule in rules):
            continue
        state_of = states[name]
        of_state = [rule for rule in spoken if rule.state == name]
        for other in state_of.others:
            if other.kind == "does_not_apply":
                continue
            left: dict[ClassId, list[str]] = defaultdict(list)
            for product, class_id in offered.items():
                passed_over = not any(concerns(rule, product, class_id) for rule in of_state)
                if passed_over and speaks_of(other, product, class_id, region):
                    left[class_id].append(product)
            for class_id, products in left.items():
                one = {"product": products[0]} if len(products) == 1 else {}
                yield Finding(
                    id=f"{other.kind.replace('_', '-')}.{name}.{'.'.join(products)}",
                    applies_to={"class": class_id} | one,
                    severity="information",
                    state="fires",
                    text=f"{state_of.label}, {', '.join(products)}: {other.text}",
                    sources=other.sources,
                    topic=rules[0].topic,
                    short=_short_of_others(state_of, products, other),
                    subject=name,
                )


def _short_of_others(state: PatientState, products: list[str], other: OtherProducts) -> str:
    what = "no source seen for" if other.kind == "not_seen" else "label silent on"
    label = state.label[0].upper() + state.label[1:]
    line = f"{label}: {what} {', '.join(products)}"
    return line if len(line) <= ONE_LINE else f"{label}: {what} {len(products)} products"[:ONE_LINE]


def _needs(found: Judgement, rule: Rule, on: date) -> tuple[str, ...]:
    """What would settle the rule; nothing where it fires."""
    changes = [change for change in (rule.since, rule.until) if change and begun(change, on) is None]
    days = (f"the day of the change ({change})" for change in changes)
    return (*found.missing, *days)
