"""Every rule of the shipped book: it fires, it is silent, it says what it needs, and only in its own words."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache

import pytest
from msgspec.structs import replace

from bcma_decide import Patient, compare, load_model
from bcma_decide.facts.traits import derive
from bcma_decide.patient.fields import FIELDS
from bcma_decide.pooled.conditions import IsKnown, Within, leaves
from bcma_decide.pooled.in_force import days_of
from bcma_decide.pooled.location import evidence_directory
from bcma_decide.rules.findings import rule_findings
from bcma_decide.strict.yaml import read_yaml
from bcma_decide.vocabulary import CLASSES
from tests.rules.support.profiles import LIMITS, alone, around, merged, profiles, written
from tests.support.cases import for_each

MODEL = load_model()
RULES = {rule.id: rule for rule in MODEL.rules.rules}
FIRE_ON_SILENCE = {"infection.tests-open"}
ILL = {"neutrophils": "0.1 10^9/L", "platelets": "10 10^9/L", "lvef": 30, "active_infection": "yes", "ecog": 2}
LIMIT_WORDS = re.compile(r"(at least|above|below|at most) (\S+)")
NUMBERS = [
    pytest.param(rule, leaf, against, rest, id=f"{rule.id}-{leaf.trait}")
    for rule in RULES.values()
    for leaf, against, rest in alone(rule.when)
    if isinstance(leaf, Within)
]

every_rule = for_each("rule", RULES.values(), ids=RULES)


@cache
def in_files():
    """The rules as they stand in the evidence files, by id."""
    paths = sorted((evidence_directory() / "rules").glob("*.yaml"))
    return {rule["id"]: rule for path in paths for rule in read_yaml(path).get("rules", ())}


def day_of(rule):
    """A day on which the rule is in force: the first, else the last, else that of the evidence."""
    if rule.since:
        return days_of(rule.since).last
    return days_of(rule.until).first - timedelta(days=1) if rule.until else date.fromisoformat(MODEL.date)


def facts(values):
    traits = derive(Patient.read(values, MODEL.definitions), MODEL.definitions)
    assert traits.contradictions == ()
    return traits.facts


def findings(rule, values):
    """What one rule says of a profile in its own region and time."""
    book = replace(MODEL.rules, rules=(rule,))
    found = rule_findings(book, facts(values), rule.region or "US", day_of(rule))
    return tuple(finding for finding in found if finding.id == rule.id)


def states(rule, values):
    return {finding.state for finding in findings(rule, values)}


def test_every_rule_of_the_files_is_in_the_book():
    assert list(in_files()) == list(RULES)


@every_rule
def test_it_fires_in_every_way_its_condition_can_hold(rule):
    ways = profiles(rule.when, True)
    assert ways
    for values in ways:
        assert states(rule, values) == {"fires"}, values


@every_rule
def test_it_is_silent_where_its_condition_does_not_hold(rule):
    ways = profiles(rule.when, False)
    assert ways
    for values in ways:
        assert states(rule, values) == set(), values


@every_rule
def test_of_an_empty_profile_it_says_what_it_needs(rule):
    if rule.id in FIRE_ON_SILENCE:
        assert states(rule, {}) == {"fires"}
    else:
        assert states(rule, {}) == {"cannot_be_judged"}
        assert all(finding.needs for finding in findings(rule, {}))


def test_only_rules_on_tests_not_yet_done_fire_on_silence():
    asked = {
        rule.id
        for rule in RULES.values()
        if any(isinstance(leaf, IsKnown) and FIELDS[leaf.trait].kind == "yes_no" for leaf in leaves(rule.when))
    }
    assert asked == FIRE_ON_SILENCE


@every_rule
def test_its_findings_carry_what_the_file_says(rule):
    written_there = in_files()[rule.id]
    applies = written_there["applies_to"]
    found = findings(rule, profiles(rule.when, True)[0])
    assert [finding.applies_to for finding in found] == [
        {"class": class_id} | ({"product": product} if product else {})
        for class_id in (CLASSES if applies["class"] == "any" else [applies["class"]])
        for product in applies.get("products", [None])
    ]
    for finding in found:
        shown = finding.model_dump()
        shown = {name: shown[name] for name in ("id", "severity", "origin", "text", "basis", "sources", "date")}
        assert shown == {key: tuple(x) if isinstance(x := written_there[key], list) else x for key in shown}
        assert finding.note == written_there.get("note", "").strip()
        assert finding.threshold
        assert finding.value
        assert finding.needs == ()


@for_each(("region", "day"), sorted({(rule.region or "US", day_of(rule)) for rule in RULES.values()}))
def test_every_source_of_a_rule_is_among_the_references(region, day):
    found = compare(Patient(), region=region, date=day)
    cited = {finding.id: set(finding.sources) for finding in found.findings}
    here = [rule for rule in RULES.values() if (rule.region or "US", day_of(rule)) == (region, day)]
    assert {rule.id: set(rule.sources) for rule in here} == {rule.id: cited[rule.id] for rule in here}
    assert set.union(*cited.values()) <= {reference.key for reference in found.references}


def oddly(value):
    """The same value, written as nobody would."""
    if isinstance(value, dict):
        return f"  +000{value['value']!r}   {value['unit']} "
    if isinstance(value, list):
        return ";".join("".join(f"{letter}-" for letter in each) if ":" not in each else each for each in value)
    if isinstance(value, str):
        return {"yes": " PoSiTiVe ", "no": "aBsEnT"}.get(value, f" {value.upper()} ")
    return f"+000{value}.0"


@every_rule
def test_how_the_profile_is_written_leaves_no_trace(rule):
    for values in profiles(rule.when, True):
        assert findings(rule, values) == findings(rule, {name: oddly(value) for name, value in values.items()})


@for_each(("rule", "leaf", "against", "rest"), NUMBERS)
def test_at_its_limit_and_beside_it_a_number_counts_as_the_words_say(rule, leaf, against, rest):
    counted = FIELDS[leaf.trait].kind == "whole" and leaf.trait != "age"  # the label says what is counted
    words = leaf.bounds.words("" if counted else leaf.unit)
    assert words in findings(rule, profiles(rule.when, True)[0])[0].threshold
    limits = [(LIMITS[word.replace(" ", "_")], float(edge)) for word, edge in LIMIT_WORDS.findall(words)]
    for value in around(leaf.trait, leaf.bounds):
        holds = all(limit(value, edge) for limit, edge in limits)
        found = states(rule, merged(rest, {leaf.trait: written(leaf.trait, value)}))
        assert found == ({"fires"} if holds is not against else set()), value


@for_each("region", MODEL.rules.regions)
@for_each("day", ["2024-01-01", MODEL.date])
@for_each("values", [{}, ILL], ids=["nothing known", "much wrong"])
def test_recalled_rules_never_rule_out_and_come_after_all_others(region, day, values):
    found = compare(Patient.read(values), region=region, date=date.fromisoformat(day)).findings
    recalled = [finding.basis == "recalled" for finding in found]
    assert recalled == sorted(recalled)
    assert any(recalled)
    assert "contraindication" not in {finding.severity for finding in found if finding.basis == "recalled"}
