"""What is said of many patients beside the figures: traits, findings, labels, and the numbers that are withheld.

The same as in a comparison of each (`bcma_decide.comparing`), as flags over a table of patients.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date as Day  # noqa: N812  # a field is called date
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bcma_decide.comparing.label_findings import context_of_labels, label_findings
from bcma_decide.comparing.order_evidence import RESPONSE
from bcma_decide.comparing.outside import LIKELIER
from bcma_decide.comparing.withheld_places import places_of_class, places_of_limit
from bcma_decide.comparison import Finding
from bcma_decide.facts.traits import derive
from bcma_decide.model.batch import Profiles
from bcma_decide.model.prediction import numeric_range
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.rules.indications import indications
from bcma_decide.rules.many import FINDING_STATES, JudgedProfiles, ProfileJudge
from bcma_decide.vocabulary import CLASSES, MODEL_TRAIT_IDS, MODEL_TRAITS, ClassId, scaled

Flags = NDArray[np.bool_]
States = NDArray[np.int8]
Array = NDArray[np.float64]
Place = tuple[str, str]
"""Outcome and option."""

_FIRES: Final = FINDING_STATES.index("fires")
_NUMBERS: Final = tuple(place for place, trait in enumerate(MODEL_TRAITS) if trait.kind != "binary")


class Stated(NamedTuple):
    """A finding that can be stated: its id and option, which is empty for the input itself."""

    id: str
    option: str


class Judged(NamedTuple):
    """What is said of N patients, in the order given."""

    profiles: Profiles
    unknown: Flags
    """(N, traits)."""
    labels: States
    """(N, labels), places in `bcma_decide.rules.many.LABEL_STATES`."""
    stated: tuple[Stated, ...]
    findings: States
    """(N, stated), places in `bcma_decide.rules.many.FINDING_STATES`."""
    withheld: Mapping[Place, Flags]
    """Outcome and option -> (N,), where any is."""


class CohortJudge:
    """Judges batches of patients by one evidence, for one region and day."""

    def __init__(self, pooled: PooledEvidence, region: str, on: Day) -> None:
        self._pooled = pooled
        self._judge = ProfileJudge(pooled, region, on)
        self.products = self._judge.products
        self.label_columns = self._judge.label_columns
        self._limits = [tuple(places_of_limit(limit, pooled)) for limit in pooled.published.limits]
        self._of_ages = [tuple(places_of_class(class_id, pooled)) for class_id in CLASSES]
        self._of_labels = tuple(_label_findings(pooled, region, on))
        few = pooled.assumptions["minimum_patients_with_trait"]
        binary = np.array([trait.kind == "binary" for trait in MODEL_TRAITS])
        # silence of all studies on a trait is as little evidence as few patients with it
        self._thin = binary & ~(pooled.patients_with_trait >= few)
        self._bearing = np.asarray(np.any(pooled.used, axis=(0, 1)))
        self._age = MODEL_TRAIT_IDS.index("age")

    def judge(self, patients: Sequence[Patient], for_labels: Sequence[Patient] | None = None) -> Judged:
        """Judge a batch; ``for_labels`` are the patients as labels see them, without what was only inferred."""
        found = self._judge.judge(patients, for_labels)
        profiles = Profiles(_scaled(found.number), found.yes, found.no)
        beyond = self._beyond_the_ages(found.number[:, self._age])
        withheld = self._withheld(found, beyond)
        stated, columns = zip(*self._columns(found, profiles, beyond, withheld), strict=True)
        return Judged(
            profiles=profiles,
            unknown=found.unknown,
            labels=found.labels,
            stated=stated,
            findings=np.column_stack(columns),
            withheld=withheld,
        )

    def _beyond_the_ages(self, age: Array) -> Flags:
        """Who is older or younger than anybody studied in a class, (classes, N)."""
        low, high = self._pooled.age_range.T[:, :, None]
        return np.asarray((age < low) | (age > high))

    def _withheld(self, found: JudgedProfiles, beyond: Flags) -> dict[Place, Flags]:
        result: dict[Place, Flags] = {}
        taken = [*zip(self._limits, found.limits.T, strict=True), *zip(self._of_ages, beyond, strict=True)]
        for places, flags in taken:
            if flags.any():
                for each in places:
                    place = each.outcome, each.option
                    result[place] = result[place] | flags if place in result else flags
        return result

    def _columns(
        self, found: JudgedProfiles, profiles: Profiles, beyond: Flags, withheld: Mapping[Place, Flags]
    ) -> Iterator[tuple[Stated, States]]:
        rows = len(found.number)
        for stated, flags in (*_contradictions(found), *self._outside(profiles, beyond), *self._held(profiles)):
            if flags.any():
                yield stated, flags.astype(np.int8) * _FIRES
        for place, column in enumerate(self._judge.columns):
            yield Stated(column.id, column.product or column.class_id), found.findings[:, place]
        for stated in self._of_labels:
            yield stated, np.full(rows, _FIRES, dtype=np.int8)
        if self._pooled.rules.outside_comparison is not None:
            closed = np.logical_and.reduce([self._closed(class_id, found, withheld) for class_id in CLASSES])
            yield Stated("outside-comparison", ""), np.broadcast_to(closed, rows).astype(np.int8) * _FIRES

    def _outside(self, profiles: Profiles, beyond: Flags) -> Iterator[tuple[Stated, Flags]]:
        """Traits outside the evidence of a class, one finding for each, numbered."""
        for index, class_id in enumerate(CLASSES):
            present = (profiles.yes > LIKELIER) & self._thin[index] & self._bearing
            count = present.sum(axis=1) + beyond[index]
            for number in range(1, int(count.max(initial=0)) + 1):
                yield Stated(f"outside-evidence.{class_id}.{number}", class_id), count >= number

    def _held(self, profiles: Profiles) -> Iterator[tuple[Stated, Flags]]:
        """Numbers beyond the central range of the studies, whose effect is held at its edge."""
        low, high = numeric_range(self._pooled)
        for place in _NUMBERS:
            value = profiles.number[:, place]
            yield Stated(f"held.{MODEL_TRAIT_IDS[place]}", ""), (value < low[place]) | (value > high[place])

    def _closed(self, class_id: ClassId, found: JudgedProfiles, withheld: Mapping[Place, Flags]) -> Flags:
        """Whether no product of a class is left: off label, ruled out, or without a number."""
        rows = len(found.number)
        of_class = [each.id for each in self._pooled.options if each.class_id == class_id and each.kind == "product"]
        products = [product for product in of_class if product in self.products]
        closed = np.full(rows, bool(products))
        for product in products:
            closed &= (
                found.off_label[:, self.products.index(product)]
                | self._ruled_out(class_id, product, found)
                | withheld.get((RESPONSE, product), np.False_)
            )
        return closed

    def _ruled_out(self, class_id: ClassId, product: str, found: JudgedProfiles) -> Flags:
        against = [
            place
            for place, column in enumerate(self._judge.columns)
            if column.severity == "contraindication" and not column.unverified
            if column.class_id == class_id and column.product in (None, product)
        ]  # fmt: skip
        return np.asarray((found.findings[:, against] == _FIRES).any(axis=1))


def _scaled(number: Array) -> Array:
    """Numbers on the model's scale, each different one worked out once."""
    result = np.full_like(number, np.nan)
    for place in _NUMBERS:
        values, of_row = np.unique(number[:, place], return_inverse=True)
        result[:, place] = np.array([scaled(MODEL_TRAIT_IDS[place], each) for each in values.tolist()])[of_row]
    return result


def _contradictions(found: JudgedProfiles) -> Iterator[tuple[Stated, Flags]]:
    rows: dict[tuple[str, ...], list[int]] = {}
    for row, contradictions in enumerate(found.contradictions):
        for fields in contradictions:
            rows.setdefault(fields, []).append(row)
    for fields in sorted(rows):  # in one order, whichever row of a batch has it first
        flags = np.zeros(len(found.contradictions), dtype=bool)
        flags[rows[fields]] = True
        yield Stated("contradiction." + ".".join(fields), ""), flags


def _label_findings(pooled: PooledEvidence, region: str, on: Day) -> Iterator[Stated]:
    """Findings on the labels as such: the same for every patient."""
    names = {option.id: option.label for option in pooled.options}
    months = pooled.assumptions["label_months"]
    facts = derive(Patient(), pooled.definitions).facts
    labels = indications(pooled.rules, facts, region, on, names, months)
    context = context_of_labels(labels, region, on, pooled.rules.as_of, int(months))
    return (Stated(each.id, _option(each)) for each in label_findings(labels, context))


def _option(finding: Finding) -> str:
    return finding.applies_to.get("product") or finding.applies_to.get("class", "")
