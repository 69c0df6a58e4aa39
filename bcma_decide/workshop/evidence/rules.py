"""Read and check the rule files and the products, and make the bedside's rule book of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bcma_decide.errors import EvidenceError, Problem
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.pooled.in_force import days_of
from bcma_decide.pooled.rule_book import NOT_IN_FORCE
from bcma_decide.strict.yaml import read_yaml
from bcma_decide.vocabulary import OUTCOMES, ClassId
from bcma_decide.workshop.evidence.catalogue import read_shape
from bcma_decide.workshop.evidence.conditions import ConditionEntry, naming_problems
from bcma_decide.workshop.evidence.rule_files import (
    FactEntry,
    IndicationEntry,
    PatientStatesFile,
    ProductsFile,
    RuleEntry,
    RulesFile,
    RuleSourcesFile,
)

RULES: Final = "rules"
SOURCES: Final = "sources.yaml"
STATES: Final = "states.yaml"
PRODUCTS: Final = "products.yaml"


@dataclass(frozen=True)
class RuleFiles:
    """All of them as read, the rules by topic."""

    topics: tuple[tuple[str, RulesFile], ...]
    """Name of the file, its content."""
    rule_sources: RuleSourcesFile
    states: PatientStatesFile
    products: ProductsFile

    def bedside(self) -> dict[str, Any]:
        """Plain data for the pooled file."""
        sources = {**self.rule_sources.sources, **self.products.sources}
        return {
            "as_of": self.products.as_of,
            "rules": [rule.bedside(file.topic) for _, file in self.topics for rule in file.rules],
            "outside_comparison": self.products.outside_comparison.bedside(),
            "states": [state.bedside() for state in self.states.states],
            "topics": [topic.model_dump() for topic in self.products.topics],
            "burdens": [
                {
                    **burden.model_dump(include={"id", "label", "unit"}),
                    "values": [row for holder, facts in self._holders() for row in burden.bedside(holder, facts)],
                }
                for burden in self.products.burdens
            ],
            "class_facts": {
                class_id: [fact.bedside() for fact in facts.facts] for class_id, facts in self.products.classes.items()
            },
            "products": [
                {
                    "id": product.id,
                    "inn": product.inn,
                    "brand": product.brand,
                    "class_id": product.class_id,
                    "indications": [each.bedside(self.products.as_of) for each in product.indications],
                    "facts": [fact.bedside() for fact in product.facts],
                }
                for product in self.products.products
            ],
            "sources": {key: source.bedside() for key, source in sources.items()},
        }

    def _holders(self) -> Iterator[tuple[str, tuple[FactEntry, ...]]]:
        """Facts of every product, then of every class: what is the product's own comes first."""
        yield from ((product.id, product.facts) for product in self.products.products)
        yield from ((class_id, facts.facts) for class_id, facts in self.products.classes.items())


def load_rules(root: Path, definitions: Definitions) -> RuleFiles:
    """Read and check all rule files and the products.

    Raises
    ------
    EvidenceError
        With every problem found, each naming its file and rule.
    """
    problems: list[Problem] = []
    files = []
    for path in sorted((root / RULES).glob("*.yaml")):
        if path.name not in (SOURCES, STATES):
            own: list[Problem] = []
            file = read_shape(path, RulesFile, root, own)
            problems += [_named(problem, path) for problem in own]
            if file is not None:
                files.append((f"{RULES}/{path.name}", file))
    sources = read_shape(root / RULES / SOURCES, RuleSourcesFile, root, problems)
    states = read_shape(root / RULES / STATES, PatientStatesFile, root, problems)
    products = read_shape(root / PRODUCTS, ProductsFile, root, problems)
    if not problems and sources is not None and states is not None and products is not None:
        found = RuleFiles(tuple(files), sources, states, products)
        problems = list(rule_problems(found, definitions))
        if not problems:
            return found
    raise EvidenceError("the rules cannot be used", problems)


def _named(problem: Problem, path: Path) -> Problem:
    """Put the id of the rule in place of its number in the file, where it has one."""
    found = re.match(r"rules\[(\d+)\]\.?", problem.field)
    if found is None:
        return problem
    rule = read_yaml(path)["rules"][int(found[1])]
    name = rule.get("id") if isinstance(rule, dict) else None
    return problem._replace(field=f"{name}: {problem.field[found.end() :]}") if name else problem


def rule_problems(files: RuleFiles, definitions: Definitions) -> Iterator[Problem]:
    """Where the files contradict themselves, the definitions or the house rules."""
    products = {product.id: product.class_id for product in files.products.products}
    seen: Counter[str] = Counter(rule.id for _, file in files.topics for rule in file.rules)
    for name, file in files.topics:
        for rule in file.rules:
            for message in _rule(rule, file.topic, products, files.rule_sources.sources.keys(), definitions):
                yield Problem(rule.id, message, file=name)
            if seen[rule.id] > 1:
                yield Problem(rule.id, "stands there twice", "give each rule its own id", name)
    yield from (
        Problem(where, message, file=f"{RULES}/{STATES}") for where, message in _states(files, products, definitions)
    )
    cited = {source for _, file in files.topics for rule in file.rules for source in rule.sources}
    cited |= {source for state in files.states.states for each in state.others for source in each.sources}
    for key in sorted(files.rule_sources.sources.keys() - cited):
        yield Problem(f"sources.{key}", "is not cited by a rule", file=f"{RULES}/{SOURCES}")
    yield from (Problem(where, message, file=PRODUCTS) for where, message in _products(files, definitions))
    for key in sorted(files.rule_sources.sources.keys() & files.products.sources.keys()):
        yield Problem(f"sources.{key}", f"stands in {RULES}/{SOURCES} too", "keep it there only", PRODUCTS)


def _rule(
    rule: RuleEntry, topic: str, products: dict[str, Any], sources: Iterable[str], definitions: Definitions
) -> Iterator[str]:
    if not rule.id.startswith(f"{topic}."):
        yield f"its id begins with its topic: {topic}."
    if rule.basis == "recalled" and rule.severity == "contraindication":
        yield "a recalled rule is never a contraindication"
    if (rule.basis == "recalled") == bool(rule.sources):
        yield "a recalled rule has no source, any other has one or more"
    yield from (f"source {key!r} is not listed in {SOURCES}" for key in rule.sources if key not in sources)
    for product in rule.applies_to.products:
        if product not in products:
            yield f"{product!r} is not a product of {PRODUCTS}"
        elif rule.applies_to.class_id != products[product]:
            yield f"{product} is not of class {rule.applies_to.class_id}"
    if rule.phase == "during" and rule.severity != "information":
        yield "a rule on doses during treatment is information before the start"
    yield from _times(rule.since, rule.until)
    yield from naming_problems(rule.when.condition(), definitions)


def _states(files: RuleFiles, products: Mapping[str, ClassId], definitions: Definitions) -> Iterator[tuple[str, str]]:
    spoken_of = {rule.state for _, file in files.topics for rule in file.rules}
    seen = Counter(state.id for state in files.states.states)
    yield from ((name, "is the state of a rule and not listed") for name in sorted(spoken_of - seen.keys()))
    for state in files.states.states:
        if seen[state.id] > 1:
            yield state.id, "stands there twice"
        if state.id not in spoken_of:
            yield state.id, "no rule speaks of it"
        if state.asked_only_if is not None:
            yield from ((state.id, each) for each in naming_problems(state.asked_only_if.condition(), definitions))
        for other in state.others:
            listed = files.rule_sources.sources
            yield from ((state.id, f"source {key!r} is not listed in {SOURCES}") for key in other.sources
                        if key not in listed)  # fmt: skip
            for product in other.products:
                if product not in products:
                    yield state.id, f"{product!r} is not a product of {PRODUCTS}"
                elif other.class_id not in (None, products[product]):
                    yield state.id, f"{product} is not of class {other.class_id}"


def _products(files: RuleFiles, definitions: Definitions) -> Iterator[tuple[str, str]]:
    file = files.products
    topics = {topic.id for topic in file.topics}
    listed = file.sources.keys() | files.rule_sources.sources.keys()
    cited: set[str] = {rule.source for rule in file.fludarabine_renal_rules}
    groups: list[tuple[str, tuple[FactEntry, ...], tuple[IndicationEntry, ...]]] = [
        (f"classes.{class_id}", facts.facts, ()) for class_id, facts in file.classes.items()
    ]
    groups += [(product.id, product.facts, product.indications) for product in file.products]
    for where, facts, indications in groups:
        rows: list[FactEntry | IndicationEntry] = [*facts, *indications]
        for row in rows:
            cited |= {row.source} if row.source else set()
            if (row.basis == "recalled") == bool(row.source):
                yield where, f"{_short(row)}: a recalled fact has no source, any other has one"
            if row.source and row.source not in listed:
                yield where, f"source {row.source!r} is not listed"
            yield from ((where, f"{_short(row)}: {message}") for message in _times(row.since, row.until))
        yield from ((where, f"{fact.topic!r} is not a topic") for fact in facts if fact.topic not in topics)
        for indication in indications:
            yield from ((where, f"{_short(indication)}: {message}") for message in _label(indication, definitions))
    yield from _burdens(file)
    outside = file.outside_comparison
    yield from (("outside_comparison", f"source {key!r} is not listed") for key in outside.sources if key not in listed)
    cited |= set(outside.sources)
    yield from (("sources", f"{key!r} is not cited") for key in sorted(file.sources.keys() - cited))


def _burdens(file: ProductsFile) -> Iterator[tuple[str, str]]:
    topics = {topic.id for topic in file.topics}
    facts = [fact for each in file.classes.values() for fact in each.facts]
    facts += [fact for each in file.products for fact in each.facts]
    seen = Counter([*OUTCOMES, *(burden.id for burden in file.burdens)])
    for burden in file.burdens:
        where = f"burdens.{burden.id}"
        if seen[burden.id] > 1:
            yield where, "stands there twice, or is the name of an outcome"
        if burden.topic not in topics:
            yield where, f"{burden.topic!r} is not a topic"
        named = {key for fact in facts if fact.topic == burden.topic for key in fact.figures}
        yield from ((where, f"no fact has the figure {each.figure!r}") for each in burden.figures
                    if each.figure not in named)  # fmt: skip


def _label(indication: IndicationEntry, definitions: Definitions) -> Iterator[str]:
    waiting = indication.approval in NOT_IN_FORCE
    if indication.opinion and indication.approval != "pending":
        yield "an opinion belongs to a pending application"
    if not waiting and not indication.items:
        yield "a label in force asks for something: items"
    for item in indication.items:
        condition: ConditionEntry = item.when
        yield from naming_problems(condition.condition(), definitions)


def _times(since: str | None, until: str | None) -> Iterator[str]:
    if since is not None and until is not None and days_of(since).first >= days_of(until).last:
        yield f"runs from {since} to {until}"


def _short(row: FactEntry | IndicationEntry) -> str:
    return f"{row.topic}, {row.text[:40]}" if isinstance(row, FactEntry) else f"{row.region}, {row.regimen}"
