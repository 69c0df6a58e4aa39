"""Response to CAR-T counted from the decision: of everybody apheresed, not of those infused."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

import numpy as np

from bcma_decide.model.alike import NOT_INFUSED, Known, acting_values, patients_alike
from bcma_decide.model.beside import beside
from bcma_decide.model.by_patient import rates_by_patient
from bcma_decide.model.decision_clock import lost_place, spread_between
from bcma_decide.model.kept import KEPT, Kept
from bcma_decide.model.normal import Z95, logistic
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.model.prediction import logit
from bcma_decide.model.sheets import SheetValues
from bcma_decide.vocabulary import CLASSES

FromDecisionRate = tuple[float, float, float, float, float]
"""Mean, ends of its 95 % interval, ends of that at the next centre."""

_RESPONSE: Final = "response"
_BOTH: Final = (_RESPONSE, NOT_INFUSED)
"""One set of patients for both rates: those of response know nothing of a trait that acts before the infusion only."""


def from_decision(numbers: PatientNumbers) -> dict[int, FromDecisionRate]:
    """Response rates of CAR-T counted from apheresis, by the index of their cell.

    The mean over patients of reaching the infusion and responding, never the product of the two means: the headlines
    of both times what their going together in the patients adds. Its interval is linearised on the log-odds scale;
    chance of infusion and response have no parameter in common. Cells of other classes and families, and those without
    known attrition, are not in the result.
    """
    extra = tuple(numbers.extra_variance.get((family, 0), 0.0) for family in _BOTH)
    values = acting_values(numbers, *_BOTH)
    kept: Kept[object, dict[int, FromDecisionRate]] = beside(numbers.pooled, "from decision", lambda: Kept(KEPT))
    made = partial(_from_decision, numbers, values)
    return kept.get((numbers.setting, values, extra), made)


def _from_decision(numbers: PatientNumbers, values: tuple[Known, ...]) -> dict[int, FromDecisionRate]:
    pooled, patients = numbers.pooled, patients_alike(numbers.pooled, values, _BOTH)
    responding, lost = beside(pooled, "response and those never infused", lambda: _pairs(numbers))
    if not responding:
        return {}
    drawn = rates_by_patient(pooled, numbers.setting, (*responding, *lost), patients)
    response = np.stack([drawn[index] for index in responding])
    infused = 1.0 - np.stack([drawn[index] for index in lost])
    # The patients' rates are those at the mean parameters; their means are not the headlines, which are posterior
    # means. Only how far the two go together is taken from them, so that the rows printed beside it agree with it.
    factor = (response * infused) @ patients.weight / ((response @ patients.weight) * (infused @ patients.weight))
    own = np.array([[numbers.rates[index].mean for index in cells] for cells in (responding, lost)])
    rate = own[0] * (1.0 - own[1]) * factor
    # by how much the rate moves with the log odds of either: the other does not
    moved = own * (1.0 - own) * np.stack([infused @ patients.weight, response @ patients.weight])
    spread = _spreads(numbers)
    variance = np.array([[spread[index] for index in cells] for cells in (responding, lost)])
    next_ends = np.array([[numbers.rates[index].prediction for index in cells] for cells in (responding, lost)])
    next_spread = spread_between(next_ends[..., 0], next_ends[..., 1])
    odds = logit(rate)
    reach, further = (
        Z95 * np.sqrt((moved**2 * each).sum(axis=0)) / (rate * (1.0 - rate)) for each in (variance, next_spread**2)
    )
    further = np.maximum(reach, further)  # the next centre is never surer than the average
    ends = logistic(np.stack([odds - reach, odds + reach, odds - further, odds + further]))
    rows = np.vstack([rate, ends]).T.tolist()
    return {
        index: (mean, low, high, least, most)
        for index, (mean, low, high, least, most) in zip(responding, rows, strict=True)
    }


def _pairs(numbers: PatientNumbers) -> tuple[list[int], list[int]]:
    """Cells of response to CAR-T, and for each that of those never infused."""
    responding, lost = [], []
    for index, cell in enumerate(numbers.pooled.cells):
        if CLASSES[cell.class_index] == "car_t" and cell.family == _RESPONSE:
            place = lost_place(numbers, cell.option)
            if place is not None:
                responding.append(index)
                lost.append(place)
    return responding, lost


def _spreads(numbers: PatientNumbers) -> dict[int, float]:
    """Variance of the log odds of every CAR-T cell's rate in both families, over the nodes of the spread."""
    evaluated = numbers.evaluated
    still = beside(numbers.pooled, ("spreads", numbers.setting), lambda: _spreads_of(evaluated.kernel.fixed))
    moving = [values for (family, index), values in evaluated.values.items() if family in _BOTH and index == 0]
    return {**still, **_spreads_of(moving)}


def _spreads_of(sheets: Iterable[SheetValues]) -> dict[int, float]:
    found: dict[int, float] = {}
    for values in sheets:
        weight = values.sheet.weight[:, :, None]
        mean = (weight * values.logit[0]).sum(axis=1)
        spread = (weight * (values.variance[0] + values.logit[0] ** 2)).sum(axis=1) - mean**2
        found |= zip(values.sheet.places.tolist(), spread[values.sheet.filled].tolist(), strict=True)
    return found
