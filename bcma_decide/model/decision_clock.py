"""Every CAR-T curve counted from the decision, for one patient: chance of infusion, wait and survival together.

Extramedullary disease lowers both the chance of the infusion and what follows it, so that the curve from the decision
is a mean over patients of the product and not the product of two means: those who are lost more are those who would
have stayed free less. As for response (:mod:`bcma_decide.model.from_decision`) the two headlines are kept and only how
far they go together is taken from the patients' rates at the mean parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.model.alike import (
    FROM_DECISION,
    NOT_INFUSED,
    Alike,
    Known,
    acting_values,
    alike_in_curves,
    patients_alike,
)
from bcma_decide.model.beside import beside
from bcma_decide.model.by_patient import rates_by_patient
from bcma_decide.model.kept import KEPT, Kept
from bcma_decide.model.normal import Z95
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.model.prediction import logit
from bcma_decide.model.survival import MONTHS, Curve, shares_by_patient
from bcma_decide.model.waiting import (
    DAYS_A_MONTH,
    Arm,
    Course,
    Shares,
    average_shares,
    course,
    interval,
    wait_points,
)
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.pooled.way_book import Wait
from bcma_decide.vocabulary import CLASSES

Array = NDArray[np.float64]

STEP: Final = 0.5
"""Months between the states that are shown."""
FIRST_MONTHS: Final = 6.0
"""How far they are shown."""
_TIMES: Final = np.concatenate([np.arange(0.0, FIRST_MONTHS, STEP), MONTHS[MONTHS >= FIRST_MONTHS]])
_TOGETHER_AT: Final = (1.0, 6.0, 12.0, 36.0)
"""Months at which chance of infusion and curve are taken together; between them the factor, nearly flat, is straight
in log time."""


class FromDecision(Struct, frozen=True, eq=False):
    """One CAR-T option's curve from the decision; equal to itself only, as `Curve`.

    ``mean`` (T,), ``credible``, ``prediction`` (T, 2): waiting or free at ``months`` (T,), every month after 0, of
    which nothing is known past ``end``; ``first`` where patients are in the first months, at ``first_times``.
    """

    months: Array
    mean: Array
    credible: Array
    prediction: Array
    end: float
    first_times: Array
    first: Shares


class Infused(Struct, frozen=True):
    """Chance to be infused of those apheresed: mean and 95 % interval; at the next centre."""

    mean: float
    credible: tuple[float, float]
    prediction: tuple[float, float]


def chance_of_infusion(numbers: PatientNumbers, option: str) -> Infused | None:
    """Of an option, else of its class; None where nothing is known of attrition."""
    place = lost_place(numbers, option)
    if place is None:
        return None
    rate = numbers.rates[place]
    low, high = rate.credible
    next_low, next_high = rate.prediction
    return Infused(1.0 - rate.mean, (1.0 - high, 1.0 - low), (1.0 - next_high, 1.0 - next_low))


def lost_place(numbers: PatientNumbers, option: str) -> int | None:
    """Where the cell of those never infused stands: of a CAR-T option, else of its class."""
    own = numbers.place.get((NOT_INFUSED, option))
    class_id = next(each.class_id for each in numbers.pooled.options if each.id == option)
    return numbers.place.get((NOT_INFUSED, class_id)) if own is None else own


def waits_of(pooled: PooledEvidence, option: str) -> tuple[tuple[Wait, ...], bool]:
    """The waits of a CAR-T option that its curve is shifted by, and whether they are its own.

    A class has the first wait of each of its products; a product without one is shifted by those of its class.
    """
    book = pooled.way
    each = next(each for each in pooled.options if each.id == option)
    own = book.of(option).waits[:1]
    if own:
        return own, True
    products = [p.id for p in pooled.options if p.kind == "product" and p.class_id == each.class_id]
    waits = tuple(wait for product in products for wait in book.of(product).waits[:1])
    return waits, each.kind == "class"


@lru_cache(maxsize=16)
def months_of(waits: tuple[Wait, ...]) -> Array:
    """Equally likely waits of patients spread evenly over these published ones, (points,), months."""
    return np.concatenate([wait_points(each.days, each.range, each.n) for each in waits]) / DAYS_A_MONTH


_Question = tuple[Alike, tuple[Known, ...], frozenset[str], tuple[tuple[str, Infused | None], ...]]
"""What of a patient moves curves from the infusion and from the decision, options with a curve, and each
option's chance of the infusion."""


def from_the_decision(numbers: PatientNumbers, curves: Mapping[str, Curve]) -> dict[str, FromDecision]:
    """Curves of the CAR-T options from the decision, by option.

    ``curves`` are those of `survival_curves` for the same numbers. Options of the other class are not in the result,
    nor those without known attrition or a published wait.
    """
    options = [each.id for each in numbers.pooled.options if each.class_id == CLASSES[0]]
    chances = {option: chance_of_infusion(numbers, option) for option in options}
    values = acting_values(numbers, *FROM_DECISION)
    key = alike_in_curves(numbers), values, frozenset(curves), tuple(chances.items())
    kept: Kept[_Question, dict[str, FromDecision]] = beside(numbers.pooled, "from the decision", lambda: Kept(KEPT))
    return kept.get(key, lambda: _from_the_decision(numbers, curves, chances))


def _from_the_decision(
    numbers: PatientNumbers, curves: Mapping[str, Curve], chances: Mapping[str, Infused | None]
) -> dict[str, FromDecision]:
    survival, arms = numbers.pooled.survival, _arms(numbers, curves, chances)
    courses = {option: course(each, _TIMES) for option, each in arms.items()}
    reach = {o: survival.options[o].end_of_follow_up + float(each.wait.min()) for o, each in arms.items()}
    of_class = {CLASSES[0]: tuple(arms)} if arms else {}
    result = {}
    for option, members in (of_class | {option: (option,) for option in arms}).items():
        chance = chances[option]
        if chance is not None and option in curves:
            end = min(reach[each] for each in members)
            result[option] = decided([courses[each] for each in members], chance, curves[option], end)
    return result


def _arms(
    numbers: PatientNumbers, curves: Mapping[str, Curve], chances: Mapping[str, Infused | None]
) -> dict[str, Arm]:
    """Every CAR-T product with a curve, known attrition and a published wait."""
    pooled, setting = numbers.pooled, numbers.setting
    products = [each.id for each in pooled.options if each.kind == "product" and each.class_id == CLASSES[0]]
    places = {option: lost_place(numbers, option) for option in products if option in curves}
    lost = [place for place in places.values() if place is not None]
    if not lost:
        return {}
    patients = patients_alike(pooled, acting_values(numbers, *FROM_DECISION), FROM_DECISION)
    free = shares_by_patient(pooled, setting, 0, patients, _TOGETHER_AT)
    away = rates_by_patient(pooled, setting, lost, patients)
    arms = {}
    for option, place in places.items():
        chance, waits = chances[option], waits_of(pooled, option)[0]
        if place is not None and chance is not None and waits:
            at_knots = together(1.0 - away[place], free[option], patients.weight)
            factor = np.interp(np.log(MONTHS), np.log(_TOGETHER_AT), at_knots)
            # Of those infused more are free than of everybody.
            arms[option] = Arm(chance.mean, MONTHS, np.minimum(curves[option].mean * factor, 1.0), months_of(waits))
    return arms


def together(infused: Array, free: Array, weight: Array) -> Array:
    """By how much the mean of the product exceeds the product of the means, (T,).

    ``infused`` (draws,), ``free`` (T, draws), ``weight`` (draws,) of patients.
    """
    return np.asarray((free * infused) @ weight / ((free @ weight) * float(infused @ weight)))


def decided(courses: Sequence[Course], chance: Infused, curve: Curve, end: float) -> FromDecision:
    """Everything from the decision at the courses' times: their average, with the spread of the option."""
    found = average_shares(courses)
    middle = found.without_progression
    low, high = _band(courses, middle, chance.credible, curve.credible)
    next_low, next_high = _band(courses, middle, chance.prediction, curve.prediction)
    first = min(FIRST_MONTHS, end) >= _TIMES
    monthly = (_TIMES > 0.0) & (_TIMES % 1.0 == 0.0)
    return FromDecision(
        months=_TIMES[monthly],
        mean=middle[monthly],
        credible=np.column_stack([low, high])[monthly],
        # The next centre is never surer than the average.
        prediction=np.column_stack([np.minimum(next_low, low), np.maximum(next_high, high)])[monthly],
        end=end,
        first_times=_TIMES[first],
        first=Shares(*(getattr(found, name)[first] for name in Shares.__struct_fields__)),
    )


def _band(courses: Sequence[Course], middle: Array, infused: tuple[float, float], free: Array) -> tuple[Array, Array]:
    return interval(courses, middle, MONTHS, float(spread_between(*infused)), spread_between(free[:, 0], free[:, 1]))


def spread_between(low: float | Array, high: float | Array) -> Array:
    """Standard deviation of the log odds that has these ends of a 95 % interval."""
    return np.asarray((logit(np.asarray(high)) - logit(np.asarray(low))) / (2.0 * Z95))
