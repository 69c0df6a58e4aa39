"""Response to CAR-T counted from the decision: of everybody apheresed, not of those infused."""

from __future__ import annotations

from typing import Final

import numpy as np

from bcma_decide.model.alike import KEPT, NOT_INFUSED, acting_values
from bcma_decide.model.by_patient import rates_by_patient
from bcma_decide.model.decision_clock import lost_place, spread_between, together
from bcma_decide.model.kept import Kept
from bcma_decide.model.normal import Z95, logistic
from bcma_decide.model.numbers import PatientNumbers, patients_of
from bcma_decide.model.rates import own_covariance
from bcma_decide.vocabulary import CLASSES

FromDecisionRate = tuple[float, float, float, float, float]
"""Mean, ends of its 95 % interval, ends of that at the next centre."""

_RESPONSE: Final = "response"
_kept: Final = Kept[object, dict[int, FromDecisionRate]](KEPT)


def from_decision(numbers: PatientNumbers) -> dict[int, FromDecisionRate]:
    """Response rates of CAR-T counted from apheresis, by the index of their cell.

    The mean over patients of reaching the infusion and responding, never the product of the two means: the headlines
    of both times what their going together in the patients adds. Its interval is linearised on the log-odds scale;
    chance of infusion and response have no parameter in common. Cells of other classes and families, and those without
    known attrition, are not in the result.
    """
    families = _RESPONSE, NOT_INFUSED
    extra = tuple(numbers.extra_variance.get((family, 0), 0.0) for family in families)
    key = numbers.pooled, numbers.setting, acting_values(numbers, *families), extra
    return _kept.get(key, lambda: _from_decision(numbers))


def _from_decision(numbers: PatientNumbers) -> dict[int, FromDecisionRate]:
    pooled, result = numbers.pooled, {}
    lost_of = {}
    for index, cell in enumerate(pooled.cells):
        if CLASSES[cell.class_index] == "car_t" and cell.family == _RESPONSE:
            lost = lost_place(numbers, cell.option)
            if lost is not None:
                lost_of[index] = lost
    # One set of patients for both rates: those of response know nothing of a trait that acts before the infusion only.
    patients = patients_of(numbers, _RESPONSE, NOT_INFUSED)
    moving = sorted({*lost_of, *lost_of.values()})
    drawn, weight = rates_by_patient(pooled, numbers.setting, moving, patients), patients.weight
    spread = {index: _spread(numbers, index) for index in moving}
    for index, lost in lost_of.items():
        response, infused = drawn[index], 1.0 - drawn[lost]
        # The patients' rates are those at the mean parameters; their means are not the headlines, which are posterior
        # means. Only how far the two go together is taken from them, so that the rows printed beside it agree with it.
        factor = float(together(infused, response[None], weight)[0])
        rate = numbers.rates[index].mean * (1.0 - numbers.rates[lost].mean) * factor
        variance, next_variance = 0.0, 0.0
        for at, other in ((index, infused), (lost, response)):
            own = numbers.rates[at].mean
            moved = (own * (1.0 - own) * float(weight @ other)) ** 2
            variance += moved * spread[at]
            next_variance += moved * float(spread_between(*numbers.rates[at].prediction)) ** 2
        odds = np.log(rate / (1.0 - rate))
        reach, further = (Z95 * np.sqrt(each) / (rate * (1.0 - rate)) for each in (variance, next_variance))
        further = max(reach, further)  # the next centre is never surer than the average
        ends = logistic(np.array([odds - reach, odds + reach, odds - further, odds + further]))
        result[index] = (rate, *ends.tolist())
    return result


def _spread(numbers: PatientNumbers, index: int) -> float:
    """Variance of the log odds of one cell's rate, over the nodes of the spread between centres."""
    average = numbers.averages[index]
    variance, centre = average.variance(own_covariance(numbers.pooled, numbers.pooled.cells[index])), average.logit
    return float(average.weight @ (variance + centre**2)) - float(average.weight @ centre) ** 2
