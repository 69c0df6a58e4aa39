"""Every option's curve counted from the decision, for one patient: chance of infusion, wait and survival together.

Extramedullary disease lowers both the chance of the infusion and what follows it, so that the curve from the decision
is a mean over patients of the product and not the product of two means: those who are lost more are those who would
have stayed free less. As for response (:mod:`bcma_decide.model.from_decision`) the two headlines are kept and only how
far they go together is taken from the patients' rates at the mean parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bcma_decide.model.normal import Z95
from bcma_decide.model.numbers import PatientNumbers, rate_by_draw
from bcma_decide.model.population import Patients
from bcma_decide.model.prediction import logit
from bcma_decide.model.waiting import (
    DAYS_A_MONTH,
    Arm,
    Course,
    Shares,
    average_shares,
    course,
    first_time_below,
    interval,
    mean_time,
    wait_points,
)
from bcma_decide.pooled.way_book import Wait
from bcma_decide.vocabulary import CLASSES

Array = NDArray[np.float64]

STEP = 0.5
"""Months between the times that are computed; between them curves are taken as straight."""
FIRST_MONTHS = 6.0
"""How far the states are shown."""
RESTRICTED = 24.0
"""Months within which the mean time free is counted."""


class Curve(Protocol):
    """One option's computed curve from the infusion or the first dose: ``months``, ``mean`` (T,), ends (T, 2)."""

    @property
    def months(self) -> Array:
        """From 0 on."""

    @property
    def mean(self) -> Array:
        """Share without progression."""

    @property
    def credible(self) -> Array:
        """95 % interval of the average."""

    @property
    def prediction(self) -> Array:
        """The same at the next centre."""

    @property
    def end_of_follow_up(self) -> float:
        """Months; nothing is said past it."""


@dataclass(frozen=True)
class Ends:
    """A number, the 95 % interval of the average, and that at the next centre; None where it is not reached."""

    value: float | None
    credible: tuple[float | None, float | None]
    prediction: tuple[float | None, float | None]


@dataclass(frozen=True)
class FromDecision:
    """One CAR-T option's curve from the decision.

    ``months``, ``mean`` (T,), ``credible``, ``prediction`` (T, 2): waiting or free, every month as far as follow-up
    reaches; ``first`` where patients are in the first months, at ``first_times``.
    """

    months: Array
    mean: Array
    credible: Array
    prediction: Array
    median: Ends
    restricted_mean: Ends | None
    first_times: Array
    first: Shares


@dataclass(frozen=True)
class Infused:
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
    own = numbers.place.get(("apheresed_not_infused", option))
    class_id = next(each.class_id for each in numbers.pooled.options if each.id == option)
    return numbers.place.get(("apheresed_not_infused", class_id)) if own is None else own


def waits_of(numbers: PatientNumbers, option: str) -> tuple[tuple[Wait, ...], bool]:
    """The waits of a CAR-T option that its curve is shifted by, and whether they are its own.

    A class has the first wait of each of its products; a product without one is shifted by those of its class.
    """
    book = numbers.pooled.way
    each = next(each for each in numbers.pooled.options if each.id == option)
    own = book.of(option).waits[:1]
    if own:
        return own, True
    products = [p.id for p in numbers.pooled.options if p.kind == "product" and p.class_id == each.class_id]
    waits = tuple(wait for product in products for wait in book.of(product).waits[:1])
    return waits, each.kind == "class"


def months_of(waits: Sequence[Wait]) -> Array:
    """Equally likely waits of patients spread evenly over these published ones, (points,), months."""
    return np.concatenate([wait_points(each.days, each.range, each.n) for each in waits]) / DAYS_A_MONTH


def from_the_decision(
    numbers: PatientNumbers, curves: Mapping[str, Curve], by_patient: Mapping[str, Array], patients: Patients
) -> dict[str, FromDecision]:
    """Curves of the CAR-T options from the decision, by option.

    Parameters
    ----------
    numbers
        The patient's rates.
    curves
        Computed curves by option; those of the other class are left aside, as are options without known attrition or
        without a published wait.
    by_patient
        Of every CAR-T product with a curve: the same at the mean parameters for each virtual patient, (T, draws).
    patients
        Those patients, conditioned on what acts on the curve or on the chance to be infused.
    """
    car_t = CLASSES[0]
    arms: dict[str, Arm] = {}
    for option, free in by_patient.items():
        place, chance = lost_place(numbers, option), chance_of_infusion(numbers, option)
        waits, _ = waits_of(numbers, option)
        if option in curves and place is not None and chance is not None and waits:
            infused = 1.0 - rate_by_draw(numbers, place, patients)
            factor = together(infused, free, patients.weight)
            arms[option] = arm(chance.mean, curves[option], factor, months_of(waits))
    longest = max((curve.end_of_follow_up for curve in curves.values()), default=0.0)
    at = np.arange(0.0, longest + max((each.wait.min() for each in arms.values()), default=0.0), STEP)
    courses = {option: course(each, at) for option, each in arms.items()}
    result = {}
    for option, curve in curves.items():
        chance = chance_of_infusion(numbers, option) if option == car_t or option in arms else None
        members = tuple(arms) if option == car_t else (option,)
        if chance is not None and members:
            reach = min(curves[each].end_of_follow_up + float(arms[each].wait.min()) for each in members)
            result[option] = decided([courses[each] for each in members], chance, curve, at, reach)
    return result


def together(infused: Array, free: Array, weight: Array) -> Array:
    """By how much the mean of the product exceeds the product of the means, (T,).

    ``infused`` (draws,), ``free`` (T, draws), ``weight`` (draws,) of patients.
    """
    return np.asarray((free * infused) @ weight / ((free @ weight) * float(infused @ weight)))


def arm(infused: float, curve: Curve, factor: Array, wait: Array) -> Arm:
    """One product: of those infused more are free than of everybody, by ``factor`` (T,)."""
    return Arm(infused, curve.months, np.minimum(curve.mean * factor, 1.0), wait)


def decided(courses: Sequence[Course], chance: Infused, curve: Curve, at: Array, reach: float) -> FromDecision:
    """Everything from the decision: the average over the courses, with the spread of the option.

    ``at`` (times,) are those of the courses; nothing is said past ``reach`` months.
    """
    found = average_shares(courses)
    low, high = _band(courses, curve.months, chance.credible, curve.credible)
    next_low, next_high = _band(courses, curve.months, chance.prediction, curve.prediction)
    # The next centre is never surer than the average.
    next_low, next_high = np.minimum(next_low, low), np.maximum(next_high, high)
    inside = at <= reach
    lines = [line[inside] for line in (found.without_progression, low, high, next_low, next_high)]
    times, monthly = at[inside], slice(None, None, round(1.0 / STEP))
    first = at <= min(FIRST_MONTHS, reach)
    areas = [mean_time(times, line, RESTRICTED) for line in lines] if reach >= RESTRICTED else None
    return FromDecision(
        months=times[monthly],
        mean=lines[0][monthly],
        credible=np.column_stack(lines[1:3])[monthly],
        prediction=np.column_stack(lines[3:])[monthly],
        median=_ends([first_time_below(times, line, 0.5) for line in lines]),
        restricted_mean=None if areas is None else _ends(areas),
        first_times=at[first],
        first=Shares(*(getattr(found, each.name)[first] for each in fields(Shares))),
    )


def _band(courses: Sequence[Course], months: Array, infused: tuple[float, float], free: Array) -> tuple[Array, Array]:
    return interval(courses, months, float(_spread(*infused)), _spread(free[:, 0], free[:, 1]))


def _spread(low: float | Array, high: float | Array) -> Array:
    """Standard deviation of the log odds that has these ends of a 95 % interval."""
    return np.asarray((logit(np.asarray(high)) - logit(np.asarray(low))) / (2.0 * Z95))


def _ends(found: Sequence[float | None]) -> Ends:
    value, low, high, next_low, next_high = found
    return Ends(value, (low, high), (next_low, next_high))
