"""Many patients at once: traits, findings, labels and limits as tables of small codes, for a registry.

The same traits, findings and labels that :func:`bcma_decide.compare` states for each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bcma_decide.facts.traits import derive
from bcma_decide.logic import Chance
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.rules.concerned import options_of_rule
from bcma_decide.rules.findings import rule_findings
from bcma_decide.rules.indications import indications
from bcma_decide.vocabulary import ClassId, FindingState, LabelState, Severity

Modelled = float | bool | Chance | None
"""What the model takes of one trait: a number, yes or no, how likely it is, or None where it is not known."""
FINDING_STATES: Final[tuple[FindingState | None, ...]] = (None, "fires", "cannot_be_judged")
"""By code in :attr:`JudgedProfiles.findings`; None: the finding is not stated of this patient."""
LABEL_STATES: Final[tuple[LabelState, ...]] = ("met", "not_met", "cannot_be_judged")
"""By code in :attr:`JudgedProfiles.labels`."""


class FindingColumn(NamedTuple):
    """A finding that can be stated: its id, how grave it is, and for which option."""

    id: str
    severity: Severity
    class_id: ClassId
    product: str | None
    """None for the whole class."""
    unverified: bool


@dataclass(frozen=True)
class JudgedProfiles:
    """What follows for N patients; rows are in the order in which they were given.

    ``unknown`` (N, traits) marks the model's traits that have no value, ``findings`` (N, finding columns) holds places
    in :data:`FINDING_STATES`, ``labels`` (N, products) places in :data:`LABEL_STATES` of the single agent, ``off_label``
    (N, products) whether no regimen of the product is on label, ``limits`` (N, limits) which limits of the published
    figures take numbers away.
    """

    modelled: tuple[tuple[Modelled, ...], ...]
    """By patient, every trait in the order of the model: equal rows have equal numbers."""
    unknown: NDArray[np.bool_]
    contradictions: tuple[tuple[tuple[str, ...], ...], ...]
    """By patient, the fields of every contradiction; mostly none."""
    findings: NDArray[np.int8]
    labels: NDArray[np.int8]
    off_label: NDArray[np.bool_]
    limits: NDArray[np.bool_]


class ProfileJudge:
    """Judges many patients by one evidence, for one region and day; keep it from one batch to the next.

    ``finding_columns`` name the columns of the findings, ``products`` those of the labels.
    """

    def __init__(self, pooled: PooledEvidence, region: str, on: date) -> None:
        self.pooled, self.region, self.on = pooled, region, on
        self.products: tuple[str, ...] = tuple(product.id for product in pooled.rules.products)
        self.finding_columns: tuple[FindingColumn, ...] = tuple(
            FindingColumn(rule.id, rule.severity, class_id, product, rule.basis == "recalled")
            for rule in pooled.rules.rules
            for class_id, product in options_of_rule(rule)
        )

    def judge(self, patients: Sequence[Patient]) -> JudgedProfiles:
        """Judge a batch; of a few thousand at a time, so that what repeats is worked out once."""
        raise NotImplementedError
