"""What is said of one patient beside the figures: traits, findings, labels, and the numbers that are withheld."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date as Day  # noqa: N812  # a field is called date
from typing import NamedTuple

from bcma_decide.comparing.findings import input_findings, that_can_apply, worst_first
from bcma_decide.comparing.label_findings import context_of_labels, label_findings, outside_comparison
from bcma_decide.comparing.published import withheld_numbers
from bcma_decide.comparison import Finding, Indication
from bcma_decide.facts.traits import Traits, derive
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.model.outside import outside_evidence
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.rules.findings import rule_findings
from bcma_decide.rules.indications import indications
from bcma_decide.vocabulary import MODEL_TRAITS, Design


class Asked(NamedTuple):
    """For whose results, labels and day."""

    setting: Design
    region: str
    on: Day


class Judged(NamedTuple):
    """What is said of one patient."""

    traits: Traits
    labels: tuple[str, ...]
    """States, in the order of products and regimens."""
    findings: tuple[tuple[str, str, str], ...]
    """Id, option (empty for the input) and state, in the order of a comparison."""
    withheld: frozenset[tuple[str, str]]
    """Outcome and option."""


def judge(pooled: PooledEvidence, patient: Patient, inferred: frozenset[str], asked: Asked) -> Judged:
    """Judge one patient as a comparison does; what was inferred from a record settles no label."""
    traits = derive(patient, pooled.definitions)
    numbers = _without_figures(pooled, traits, asked.setting)
    said = derive(patient.model_copy(update=dict.fromkeys(inferred)), pooled.definitions) if inferred else traits
    labels = indications_of(pooled, said, asked)
    withheld = withheld_numbers(numbers)
    judged = that_can_apply(rule_findings(pooled.rules, traits.facts, asked.region, asked.on), labels)
    months = int(pooled.assumptions["label_months"])
    context = context_of_labels(labels, asked.region, asked.on, pooled.rules.as_of, months)
    beyond = outside_comparison(pooled.rules.outside_comparison, pooled.options, labels, judged, withheld)
    findings = worst_first((*input_findings(numbers), *judged, *label_findings(labels, context), *beyond))
    return Judged(
        traits=traits,
        labels=tuple(each.state for label in labels.values() for each in label.regimens),
        findings=tuple(_told(findings)),
        withheld=frozenset(withheld),
    )


def indications_of(pooled: PooledEvidence, traits: Traits, asked: Asked) -> dict[str, Indication]:
    """The labels of every product."""
    names = {option.id: option.label for option in pooled.options}
    months = pooled.assumptions["label_months"]
    return indications(pooled.rules, traits.facts, asked.region, asked.on, names, months)


def _without_figures(pooled: PooledEvidence, traits: Traits, setting: Design) -> PatientNumbers:
    """One patient's traits and where they lie outside the evidence: all that is judged rests on these."""
    return PatientNumbers(
        pooled=pooled,
        setting=setting,
        levels=pooled.levels[setting],
        traits=traits,
        patients={},
        tables={},
        averages=(),
        rates=(),
        outside=outside_evidence(pooled, {trait.id: traits[trait.id].modelled for trait in MODEL_TRAITS}),
        extra_variance={},
    )


def _told(findings: tuple[Finding, ...]) -> Iterator[tuple[str, str, str]]:
    for finding in findings:
        option = finding.applies_to.get("product") or finding.applies_to.get("class", "")
        yield finding.id, option, finding.state
