"""Response to CAR-T counted from the decision: of everybody apheresed, not of those infused."""

from __future__ import annotations

import numpy as np

from bcma_decide.model.decision_clock import NOT_INFUSED, lost_place, spread_between, together
from bcma_decide.model.normal import Z95, logistic
from bcma_decide.model.numbers import PatientNumbers, patients_of, rates_by_draw
from bcma_decide.model.rates import own_covariance
from bcma_decide.vocabulary import CLASSES


def from_decision(numbers: PatientNumbers) -> dict[int, tuple[float, float, float, float, float]]:
    """Response rates of CAR-T counted from apheresis, by the index of their cell.

    Mean, ends of its 95 % interval, ends of that at the next centre.

    The mean over patients of reaching the infusion and responding, never the product of the two means: the headlines
    of both times what their going together in the patients adds. Its interval is linearised on the log-odds scale;
    chance of infusion and response have no parameter in common. Cells of other classes and families, and those without
    known attrition, are not in the result.
    """
    pooled, result = numbers.pooled, {}
    lost_of = {}
    for index, cell in enumerate(pooled.cells):
        if CLASSES[cell.class_index] == "car_t" and cell.family == "response":
            lost = lost_place(numbers, cell.option)
            if lost is not None:
                lost_of[index] = lost
    # One set of patients for both rates: those of response know nothing of a trait that acts before the infusion only.
    patients = patients_of(numbers, "response", NOT_INFUSED)
    drawn, weight = rates_by_draw(numbers, {*lost_of, *lost_of.values()}, patients), patients.weight
    for index, lost in lost_of.items():
        cell, away = pooled.cells[index], pooled.cells[lost]
        response, not_infused = drawn[index], drawn[lost]
        responding, infused = float(weight @ response), float(weight @ (1.0 - not_infused))
        # The patients' rates are those at the mean parameters; their means are not the headlines, which are posterior
        # means. Only how far the two go together is taken from them, so that the rows printed beside it agree with it.
        factor = float(together(1.0 - not_infused, response[None], weight)[0])
        rate = numbers.rates[index].mean * (1.0 - numbers.rates[lost].mean) * factor
        variance, next_variance = 0.0, 0.0
        for at, one, other in ((index, cell, infused), (lost, away, responding)):
            average = numbers.averages[at]
            logit_variance, centre = average.variance(own_covariance(pooled, one)), average.logit
            own = numbers.rates[at].mean
            spread = float(average.weight @ (logit_variance + centre**2)) - float(average.weight @ centre) ** 2
            moved = (own * (1.0 - own) * other) ** 2
            variance += moved * spread
            next_variance += moved * float(spread_between(*numbers.rates[at].prediction)) ** 2
        odds = np.log(rate / (1.0 - rate))
        reach, further = (Z95 * np.sqrt(each) / (rate * (1.0 - rate)) for each in (variance, next_variance))
        further = max(reach, further)  # the next centre is never surer than the average
        ends = logistic(np.array([odds - reach, odds + reach, odds - further, odds + further]))
        result[index] = (rate, *ends.tolist())
    return result
