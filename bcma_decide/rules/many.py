"""Many patients at once: traits, findings, labels and limits as tables of small codes, for a registry.

The same traits, findings and labels that :func:`bcma_decide.compare` states of each of them, by the same definitions
and rules: a leaf is judged once for all who are alike in what it rests on, and rules are logic over the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bcma_decide.facts.leaf_table import Codes, LeafTable, code_of_many
from bcma_decide.facts.many import ManyProfiles
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.conditions import Condition
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.rules.in_region import RulesInForce, rules_in_force
from bcma_decide.rules.labels_in_force import LabelsInForce, labels_in_force
from bcma_decide.vocabulary import UNVERIFIED, ClassId, FindingState, LabelState, Severity

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
FINDING_STATES: Final[tuple[FindingState | None, ...]] = (None, "fires", "cannot_be_judged")
"""By code in :attr:`JudgedProfiles.findings`; None: the finding is not stated of this patient."""
_FIRES, _OPEN = 1, 2
LABEL_STATES: Final[tuple[LabelState, ...]] = ("not_met", "cannot_be_judged", "met")
"""By code in :attr:`JudgedProfiles.labels`."""


class FindingColumn(NamedTuple):
    """A finding that can be stated: its id, how grave it is, and for which option."""

    id: str
    severity: Severity
    class_id: ClassId
    product: str | None
    """None for the whole class."""
    unverified: bool


class LabelColumn(NamedTuple):
    """A product in one of its labelled regimens; the first of each product is the single agent."""

    product: str
    regimen: str


class JudgedProfiles(NamedTuple):
    """What follows for N patients; rows are in the order in which they were given.

    ``number`` (N, traits): numbers of the model in natural units, NaN where unknown and for yes-or-no traits; ``yes``,
    ``no`` (N, traits): how likely a yes-or-no trait is present and absent: equal rows have equal numbers. ``unknown``
    (N, traits) marks the model's traits that have no value. ``findings`` (N, columns) holds places in
    :data:`FINDING_STATES`, ``labels`` (N, label columns) those in :data:`LABEL_STATES`. ``off_label`` (N, products): no
    regimen of the product is on label. ``limits`` (N, limits): which of the limits of the published figures take
    numbers away.
    """

    number: Array
    yes: Array
    no: Array
    unknown: Flags
    contradictions: tuple[tuple[tuple[str, ...], ...], ...]
    """By patient, the fields of every contradiction, which are not used; mostly none."""
    findings: NDArray[np.int8]
    labels: NDArray[np.int8]
    off_label: Flags
    limits: Flags


class ProfileJudge:
    """Judges many patients by one evidence, for one region and day; keep it from one batch to the next.

    ``columns`` name the columns of the findings, in the order of the rules; ``label_columns`` those of the labels,
    ``products`` those of being off label; the limits are in the order of ``pooled.published.limits``. Not stated here
    is what hangs on the numbers: values outside the evidence, and both classes being closed.

    Parameters
    ----------
    pooled
        The evidence.
    region, on
        One of its regions, and the day labels and rules are judged for.
    """

    def __init__(self, pooled: PooledEvidence, region: str, on: date) -> None:
        definitions, book = pooled.definitions, pooled.rules
        self._rules = rules_in_force(book, definitions, region, on)
        self._labels = labels_in_force(book, definitions, region, on, pooled.assumptions["label_months"])
        conditions: list[Condition] = [each.when for each in pooled.published.limits if each.when is not None]
        limits = LeafTable(conditions, definitions)
        open_programs = iter(limits.programs)
        self._limits = [None if each.when is None else next(open_programs) for each in pooled.published.limits]
        tables = (self._rules.table, self._labels.table, limits)
        together = LeafTable((leaf for table in tables for leaf in table.leaves), definitions)
        self._places = [[together.place(leaf) for leaf in table.leaves] for table in tables]
        self._profiles = ManyProfiles(definitions, together.leaves)
        self.products: tuple[str, ...] = tuple(product.id for product, _ in self._labels.products)
        self.label_columns: tuple[LabelColumn, ...] = tuple(
            LabelColumn(product.id, each.regimen) for product, regimens in self._labels.products for each in regimens
        )
        self.columns: tuple[FindingColumn, ...] = (*_of_rules(self._rules), *_of_others(self._rules))

    def judge(self, patients: Sequence[Patient], for_labels: Sequence[Patient] | None = None) -> JudgedProfiles:
        """Judge a batch: a few thousand at a time, so that what repeats is worked out once.

        ``for_labels`` are the patients as labels see them, where that is less: what was only inferred settles none.
        """
        found = self._profiles.judge(patients)
        of_rules, of_labels, of_limits = ([found.codes[index] for index in places] for places in self._places)
        if for_labels is not None:
            less = self._profiles.judge(for_labels)
            of_labels = [less.codes[index] for index in self._places[1]]
        labels, off_label = _label_states(self._labels, of_labels, len(patients))
        limits = np.zeros((len(patients), len(self._limits)), dtype=np.bool_)
        for column, program in enumerate(self._limits):
            limits[:, column] = True if program is None else code_of_many(program, of_limits) > 0
        return JudgedProfiles(
            number=found.number,
            yes=found.yes,
            no=found.no,
            unknown=found.unknown,
            contradictions=found.contradictions,
            findings=self._findings(of_rules, off_label),
            labels=labels,
            off_label=off_label,
            limits=limits,
        )

    def _findings(self, codes: list[Codes], off_label: Flags) -> NDArray[np.int8]:
        rows = off_label.shape[0]
        states = np.zeros((rows, len(self.columns)), dtype=np.int8)
        fired: dict[str, Flags] = {}
        asked = self._asked(off_label)
        column = 0
        for rule in self._rules.rules:
            code = _every(code_of_many(rule.program, codes), rows)
            fires: Flags = np.logical_and(code > 0, rule.sure)
            is_open = (code >= 0) & ~fires
            if rule.asked_only_if is not None:
                is_open &= code_of_many(rule.asked_only_if, codes) >= 0
            for class_id, product in rule.options:
                states[fires, column] = _FIRES
                states[is_open & asked[class_id, product], column] = _OPEN
                column += 1
            if rule.rule.phase == "start" and rule.rule.severity != "information":
                before = fired.get(rule.rule.state)
                fired[rule.rule.state] = fires if before is None else np.logical_or(before, fires)
        for state, others in self._rules.others.items():
            for _ in others:
                if state in fired:
                    states[fired[state], column] = _FIRES
                column += 1
        return states

    def _asked(self, off_label: Flags) -> dict[tuple[ClassId, str | None], Flags]:
        """Of every option whether anything is asked for it: it, or a product of its class, is on a label."""
        products, everyone = self._labels.products, np.ones(off_label.shape[0], dtype=np.bool_)
        anything_labelled = any(each.label and each.label.since for _, regimens in products for each in regimens)
        result: dict[tuple[ClassId, str | None], Flags] = {}
        for each in self.columns:
            if each.product is None:
                own = [index for index, (product, _) in enumerate(products) if product.class_id == each.class_id]
            else:
                own = [index for index, name in enumerate(self.products) if name == each.product]
            on_label = np.any(~off_label[:, own], axis=1)
            result[each.class_id, each.product] = on_label if anything_labelled else everyone
        return result


def _of_rules(rules: RulesInForce) -> Iterator[FindingColumn]:
    for each in rules.rules:
        for class_id, product in each.options:
            yield FindingColumn(each.rule.id, each.rule.severity, class_id, product, each.rule.basis == UNVERIFIED)


def _of_others(rules: RulesInForce) -> Iterator[FindingColumn]:
    for others in rules.others.values():
        for each in others:
            yield FindingColumn(each.id, "information", each.class_id, each.product, unverified=False)


def _label_states(labels: LabelsInForce, codes: list[Codes], rows: int) -> tuple[NDArray[np.int8], Flags]:
    states: list[NDArray[np.int8]] = []
    off_label = np.ones((rows, len(labels.products)), dtype=np.bool_)
    for column, (_, regimens) in enumerate(labels.products):
        for regimen in regimens:
            # Where no label can be in force it is not met.
            code = np.int8(-1) if regimen.program is None else code_of_many(regimen.program, codes)
            states.append(_every(np.asarray(code + 1, dtype=np.int8), rows))
            off_label[:, column] &= states[-1] == 0
    return np.stack(states, axis=1), off_label


def _every(codes: Codes, rows: int) -> Codes:
    return np.broadcast_to(codes, (rows,))
