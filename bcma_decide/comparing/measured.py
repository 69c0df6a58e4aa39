"""What every option has at a criterion that somebody gave a weight: its number with its draws, or why it has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from bcma_decide.comparison import Estimate, Option, Outcome
from bcma_decide.model.draws import DRAWS
from bcma_decide.model.joint_draws import drawn_rates, drawn_shares
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.pooled.criteria import Criterion
from bcma_decide.preference_shapes import Measured
from bcma_decide.rules.burdens import burden_values
from bcma_decide.time_course import Survival
from bcma_decide.vocabulary import CLASSES, Certainty

Array = NDArray[np.float64]

NOT_KNOWN = "not known"


@dataclass(frozen=True)
class Grounds:
    """What numbers can be taken from: everything that was computed for the patient, and labels and facts of a day."""

    numbers: PatientNumbers
    outcomes: Mapping[str, Outcome]
    survival: Sequence[Survival]
    region: str
    on: date

    @property
    def options(self) -> tuple[Option, ...]:
        """All options, classes and products."""
        return self.numbers.pooled.options


@dataclass(frozen=True)
class Column:
    """One criterion by option: those with a value, why the others have none, how certain each value is."""

    criterion: Criterion
    measured: Mapping[str, Measured]
    reasons: Mapping[str, str]
    certainty: Mapping[str, Certainty] = field(default_factory=dict)

    def draws(self, grounds: Grounds, options: Sequence[str]) -> Array:
        """Draws of the values of some options, in the unit of the criterion, (draws, options); all have a value."""
        drawn = np.empty((DRAWS, len(options)))
        open_ones = [option for option in options if self.measured[option].interval is not None]
        for place, option in enumerate(options):
            drawn[:, place] = self.measured[option].mean
        if open_ones:
            places = [options.index(option) for option in open_ones]
            drawn[:, places] = 100.0 * self._shares(grounds, open_ones)
        return drawn

    def _shares(self, grounds: Grounds, options: Sequence[str]) -> Array:
        if self.criterion.month is None:
            return drawn_rates(grounds.numbers, self.criterion.id, options)
        return drawn_shares(grounds.numbers, self.criterion.month, options)


def column_of(criterion: Criterion, grounds: Grounds) -> Column:
    """One criterion as every option has it."""
    if criterion.kind == "outcome":
        return _outcome(criterion, grounds)
    return _burden(criterion, grounds) if criterion.kind == "burden" else _progression_free(criterion, grounds)


def _outcome(criterion: Criterion, grounds: Grounds) -> Column:
    estimates = grounds.outcomes[criterion.id].estimates
    measured = {option: value for option, each in estimates.items() if (value := _estimated(each)) is not None}
    reasons = {option: each.reason or NOT_KNOWN for option, each in estimates.items() if option not in measured}
    certainty = {option: each.certainty for option, each in estimates.items() if each.certainty is not None}
    return Column(criterion, measured, reasons, certainty)


def _estimated(estimate: Estimate) -> Measured | None:
    if estimate.state == "not_applicable":  # it does not occur with the class by its nature: none of 100, not unknown
        return Measured(mean=0.0, kind="by_nature")
    if estimate.mean is None or estimate.credible is None:
        return None
    low, high = estimate.credible
    return Measured(
        mean=100.0 * estimate.mean, interval=(100.0 * low, 100.0 * high), further_product=estimate.further_product
    )


def _progression_free(criterion: Criterion, grounds: Grounds) -> Column:
    rows = {row.option: row for row in grounds.survival if row.endpoint == "pfs" and row.kind == "computed"}
    measured, reasons, certainty = {}, {}, {}
    for option in (each.id for each in grounds.options):
        row = rows.get(option)
        at = next((each for each in row.times if each.month == criterion.month), None) if row else None
        low, high = (at.credible if at else None) or (None, None)
        if row is None or at is None or low is None or high is None:
            reasons[option] = (row.reason if row else None) or NOT_KNOWN
            continue
        measured[option] = Measured(
            mean=100.0 * at.mean, interval=(100.0 * low, 100.0 * high), further_product=row.further_product
        )
        if row.certainty is not None:
            certainty[option] = row.certainty
    return Column(criterion, measured, reasons, certainty)


def _burden(criterion: Criterion, grounds: Grounds) -> Column:
    """A product's own figure or its class's; a class has the average of its products, if all have one."""
    assert criterion.burden is not None
    products = [option for option in grounds.options if option.kind == "product"]
    found = burden_values(
        criterion.burden, {each.id: (each.id, each.class_id) for each in products}, grounds.region, grounds.on
    )
    measured = {
        product: Measured(mean=each.value, kind="fact", sources=(each.source,)) for product, each in found.items()
    }
    for class_id in CLASSES:
        members = [each.id for each in products if each.class_id == class_id]
        if members and all(each in found for each in members):
            mean = sum(found[each].value for each in members) / len(members)
            sources = tuple(dict.fromkeys(found[each].source for each in members))
            measured[class_id] = Measured(mean=mean, kind="fact", sources=sources)
    reasons = {each.id: f"no figure in {grounds.region}" for each in grounds.options if each.id not in measured}
    return Column(criterion, measured, reasons)
