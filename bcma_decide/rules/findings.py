"""Rules + facts -> findings: those that fire, and those that cannot be judged and say what they need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from bcma_decide.comparison import Finding
from bcma_decide.facts.claims import gather
from bcma_decide.facts.facts import Facts, Judgement
from bcma_decide.facts.leaf_table import CODE, code_of_one, judgement_of, leaves_of
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.pooled.rule_book import PatientState, RuleBook
from bcma_decide.rules.in_region import RuleInForce, RulesInForce, rules_in_force
from bcma_decide.vocabulary import CLASSES, SEVERITIES, ClassId, FindingState, Severity


class _Stated(NamedTuple):
    """A rule that fires or cannot be judged, what that rests on, and its findings unless others add to them."""

    rule: RuleInForce
    state: FindingState
    judgement: Judgement
    findings: tuple[Finding, ...]


class _OfNobody(NamedTuple):
    """What is stated where nothing is known of a patient: it is so of most rules of most patients.

    ``judged`` by leaf, ``stated`` by rule, None where it is left out; ``rules`` that rest on each leaf.
    """

    judged: Sequence[Judgement]
    stated: Sequence[_Stated | None]
    rules: Sequence[Sequence[int]]


def rule_findings(book: RuleBook, facts: Facts, region: str, on: date) -> tuple[Finding, ...]:
    """Judge every rule of a region on a day, in the order of the files.

    A rule whose condition is false is left out. One that is unknown says what it needs, unless its state cannot apply
    to this patient. Where rules fire for one product, what is known of the others is said too.
    """
    prepared = rules_in_force(book, facts.definitions, region, on)
    stated = _all_stated(prepared, facts)
    fired = [each for each in stated if each.state == "fires"]
    firing = _firing(fired)
    shared, differ = _shared(fired, prepared), _differences(firing, prepared)
    found: list[Finding] = []
    for each in stated:
        own = each.rule.rule
        short = shared.get((own.state, own.severity), "") if each.state == "fires" and each.rule.counts else ""
        if short or own.state in differ:
            note = f"{own.note} {differ[own.state]}".strip() if own.state in differ else own.note
            found += _findings(each.rule, each.state, each.judgement, note, short)
        else:
            found += each.findings
    return (*found, *_of_others(firing, prepared))


def _all_stated(prepared: RulesInForce, facts: Facts) -> list[_Stated]:
    """What is stated of a patient: what was not said changes nothing of what is stated of nobody."""
    nobody = _of_no_patient(prepared, facts.definitions)
    judged = prepared.table.judged(facts)
    stated = list(nobody.stated)
    changed = [place for place, (own, of) in enumerate(zip(judged, nobody.judged, strict=True)) if own is not of]
    codes = [CODE[each.value] for each in judged]
    for number in {number for place in changed for number in nobody.rules[place]}:
        stated[number] = _stated(prepared.rules[number], judged, codes)
    return [each for each in stated if each is not None]


@lru_cache(maxsize=16)
def _of_no_patient(prepared: RulesInForce, definitions: Definitions) -> _OfNobody:
    judged = prepared.table.judged(gather(Patient.model_construct(), definitions))
    codes = [CODE[each.value] for each in judged]
    rules: list[list[int]] = [[] for _ in judged]
    for number, rule in enumerate(prepared.rules):
        for place in leaves_of(rule.program) | (
            leaves_of(rule.asked_only_if) if rule.asked_only_if is not None else set()
        ):
            rules[place].append(number)
    return _OfNobody(judged, [_stated(rule, judged, codes) for rule in prepared.rules], rules)


def _stated(rule: RuleInForce, judged: Sequence[Judgement], codes: Sequence[int]) -> _Stated | None:
    code = code_of_one(rule.program, codes)
    fires = code > 0 and rule.sure
    if code < 0 or not (fires or rule.asked_only_if is None or code_of_one(rule.asked_only_if, codes) >= 0):
        return None
    state: FindingState = "fires" if fires else "cannot_be_judged"
    judgement = judgement_of(rule.program, judged)
    return _Stated(rule, state, judgement, _findings(rule, state, judgement, rule.rule.note, ""))


def _shared(fired: Iterable[_Stated], prepared: RulesInForce) -> Mapping[tuple[str, Severity], str]:
    """The one line for a state and rank whose rules, several of them, speak of every product offered."""
    groups: dict[tuple[str, Severity], list[RuleInForce]] = defaultdict(list)
    for rule, *_ in fired:
        if rule.counts:
            groups[rule.rule.state, rule.rule.severity].append(rule)
    states = prepared.states
    return {
        key: states[key[0]].short
        for key, rules in groups.items()
        if states[key[0]].short and prepared.offered and len(rules) > 1
        if _covered(rules, states[key[0]], prepared.offered)
    }


def _covered(rules: list[RuleInForce], state: PatientState, offered: Mapping[str, ClassId]) -> bool:
    """Whether the rules speak of all that the line of the state claims."""
    spoken = frozenset().union(*(rule.products for rule in rules))
    if state.short_for == "products":
        return spoken == offered.keys()
    return {offered[product] for product in spoken} == set(CLASSES)


def _firing(fired: Iterable[_Stated]) -> Mapping[str, list[RuleInForce]]:
    """Rules on starting that fire, by the state they speak of."""
    found: dict[str, list[RuleInForce]] = defaultdict(list)
    for rule, *_ in fired:
        if rule.rule.phase == "start":
            found[rule.rule.state].append(rule)
    return found


def _differences(firing: Mapping[str, list[RuleInForce]], prepared: RulesInForce) -> Mapping[str, str]:
    """By state: what the texts of the products say, where rules that fire give them different ranks."""
    return {
        name: f"Products differ: {'; '.join(told)}."
        for name, rules in firing.items()
        if (told := prepared.differences[name]) and len(set(_ranks(rules, prepared.offered))) > 1
    }


def _ranks(rules: list[RuleInForce], offered: Iterable[str]) -> Iterator[Severity]:
    """The gravest rank of each product that the rules speak of."""
    for product in offered:
        of_product = [rule.rule.severity for rule in rules if product in rule.products]
        if of_product:
            yield min(of_product, key=SEVERITIES.index)


def _findings(rule: RuleInForce, state: FindingState, found: Judgement, note: str, shared: str) -> tuple[Finding, ...]:
    if found.here:
        return _built(rule, state, "; ".join(found.here), found.missing, note, shared)
    return _of_nobody(rule, state, found.missing, note, shared)


@lru_cache(maxsize=2048)
def _of_nobody(
    rule: RuleInForce, state: FindingState, missing: tuple[str, ...], note: str, shared: str
) -> tuple[Finding, ...]:
    """Findings in which no value of a patient stands: they are the same for all of whom the same is not known."""
    return _built(rule, state, None, missing, note, shared)


def _built(
    prepared: RuleInForce, state: FindingState, value: str | None, missing: tuple[str, ...], note: str, shared: str
) -> tuple[Finding, ...]:
    rule = prepared.rule
    return tuple(
        Finding(
            id=rule.id,
            applies_to={"class": class_id} | ({"product": product} if product else {}),
            severity=rule.severity,
            state=state,
            text=rule.text,
            value=value,
            threshold=prepared.threshold,
            needs=(*missing, *prepared.days),
            sources=rule.sources,
            topic=rule.topic,
            origin=rule.origin,
            basis=rule.basis,
            date=rule.date,
            note=note,
            short=rule.short,
            subject=rule.state,
            shared_short=shared,
            phase=rule.phase,
        )
        for class_id, product in prepared.options
    )


def _of_others(firing: Mapping[str, list[RuleInForce]], prepared: RulesInForce) -> Iterator[Finding]:
    """What is known of the products that no rule speaks of, where one of more than information fires for another."""
    for name, rules in firing.items():
        if any(rule.rule.severity != "information" for rule in rules):
            for other in prepared.others[name]:
                yield Finding(
                    id=other.id,
                    applies_to={"class": other.class_id} | ({"product": other.product} if other.product else {}),
                    severity="information",
                    state="fires",
                    text=other.text,
                    sources=other.sources,
                    topic=rules[0].rule.topic,
                    short=other.short,
                    subject=name,
                )
