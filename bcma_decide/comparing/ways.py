"""The way from the decision to the treatment, and progression-free survival counted from the decision."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from msgspec.structs import asdict
from numpy.typing import NDArray

from bcma_decide.comparing.published import Withheld
from bcma_decide.comparison import Option
from bcma_decide.model.alike import NOT_INFUSED
from bcma_decide.model.beside import kept_beside
from bcma_decide.model.decision_clock import (
    FIRST_MONTHS,
    STEP,
    FromDecision,
    chance_of_infusion,
    waits_of,
)
from bcma_decide.model.kept import KEPT
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.model.survival import MONTHS, Curve
from bcma_decide.model.waiting import DAYS_A_MONTH, Shares, adding_up, free_at
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.pooled.way_book import Count, Wait
from bcma_decide.time_course import (
    QuotedCount,
    Share,
    StateShares,
    WayToTreatment,
    Weeks,
)
from bcma_decide.value import all_rounded
from bcma_decide.vocabulary import CLASSES, PFS

Array = NDArray[np.float64]

_DAYS_A_WEEK: Final = 7.0
_DRAWN: Final = 4 * KEPT
"""Curves whose first months are kept: some options for every kind of patient."""
_NO_WAIT: Final = "no time from apheresis to infusion, or no number of those never infused, was published"


def all_ways(
    numbers: PatientNumbers,
    withheld: Mapping[tuple[str, str], Withheld],
    curves: Mapping[str, Curve],
    decided: Mapping[str, FromDecision],
) -> tuple[WayToTreatment, ...]:
    """Return the way of every option.

    Parameters
    ----------
    numbers
        The patient's rates.
    withheld
        Numbers that are not given, by outcome and option: where survival is not, nothing that follows the infusion is.
    curves, decided
        Progression-free survival from the infusion or first dose, and from the decision, by option.
    """
    return tuple(
        _car_t(numbers, option, withheld, decided.get(option.id))
        if option.class_id == CLASSES[0]
        else _bispecific(numbers, option, withheld, curves.get(option.id))
        for option in numbers.pooled.options
    )


def _car_t(
    numbers: PatientNumbers,
    option: Option,
    withheld: Mapping[tuple[str, str], Withheld],
    found: FromDecision | None,
) -> WayToTreatment:
    chance = chance_of_infusion(numbers, option.id)
    no_chance = withheld.get((NOT_INFUSED, option.id))
    reason = _why_none(numbers, option, withheld, computed=found is not None)
    way = _published_way(numbers.pooled, option.id)
    return WayToTreatment(
        option=option.id,
        infused=Share(mean=chance.mean, credible=chance.credible) if chance and not no_chance else None,
        weeks=way.weeks,
        months_assumed=way.months_assumed,
        states=() if reason or found is None else _after_the_decision(found),
        published=way.counts,
        assumptions=way.assumptions,
        reason=reason,
    )


def _bispecific(
    numbers: PatientNumbers, option: Option, withheld: Mapping[tuple[str, str], Withheld], curve: Curve | None
) -> WayToTreatment:
    reason = _why_none(numbers, option, withheld, computed=curve is not None)
    states: tuple[StateShares, ...] = ()
    if curve is not None and reason is None:
        states = _after_the_first_dose(curve, numbers.pooled.survival.options[option.id].end_of_follow_up)
    way = _published_way(numbers.pooled, option.id)
    return WayToTreatment(
        option=option.id, states=states, published=way.counts, assumptions=way.assumptions, reason=reason
    )


class _PublishedWay(NamedTuple):
    """What was published of the way to one option, the same for every patient."""

    weeks: tuple[Weeks, ...]
    months_assumed: float | None
    counts: tuple[QuotedCount, ...]
    assumptions: tuple[str, ...]


@kept_beside(64)
def _published_way(pooled: PooledEvidence, option_id: str) -> _PublishedWay:
    option = next(each for each in pooled.options if each.id == option_id)
    own, of_class = pooled.way.of(option_id), pooled.way.of(option.class_id)
    counts = tuple(_quoted(count) for count in own.counts)
    if option.class_id != CLASSES[0]:
        return _PublishedWay((), None, counts, of_class.assumptions)
    waits, its_own = waits_of(pooled, option_id)
    return _PublishedWay(
        weeks=tuple(_weeks(wait) for wait in own.waits or waits),
        months_assumed=sum(wait.days for wait in waits) / len(waits) / DAYS_A_MONTH if waits else None,
        counts=counts,
        assumptions=(
            *((_shifted(waits, its_own),) if waits else ()),
            *of_class.assumptions,
            *(own.assumptions if option.kind == "product" else ()),
        ),
    )


@lru_cache(maxsize=_DRAWN)
def _after_the_decision(found: FromDecision) -> tuple[StateShares, ...]:
    return _states(found.first_times, found.first)


@lru_cache(maxsize=_DRAWN)
def _after_the_first_dose(curve: Curve, end: float) -> tuple[StateShares, ...]:
    times = np.arange(0.0, min(FIRST_MONTHS, end) + STEP / 2.0, STEP)
    free, none = free_at(MONTHS, curve.mean, times), np.zeros(times.size)
    return _states(times, Shares(none, none, free, 1.0 - free))


def _why_none(
    numbers: PatientNumbers, option: Option, withheld: Mapping[tuple[str, str], Withheld], *, computed: bool
) -> str | None:
    """Why an option has no shares; None where it has."""
    for outcome in (NOT_INFUSED, PFS):
        instead = withheld.get((outcome, option.id))
        if instead is not None:
            return instead.reason
    if computed:
        return None
    return numbers.pooled.survival.options[option.id].reason or _NO_WAIT


def _states(months: Array, found: Shares) -> tuple[StateShares, ...]:
    whole = adding_up(found)
    parts = (months, whole.waiting, whole.not_infused, whole.free, whole.progressed)
    return tuple(
        StateShares(month=month, waiting=waiting, not_infused=not_infused, free=free, progressed_or_died=progressed)
        for month, waiting, not_infused, free, progressed in all_rounded(np.stack(parts, axis=1))
    )


def _weeks(wait: Wait) -> Weeks:
    low, high = wait.range or (None, None)
    return Weeks(
        median=wait.days / _DAYS_A_WEEK,
        range=None
        if wait.range is None
        else (None if low is None else low / _DAYS_A_WEEK, None if high is None else high / _DAYS_A_WEEK),
        population=wait.population,
        n=wait.n,
        sources=wait.sources,
    )


def _quoted(count: Count) -> QuotedCount:
    return QuotedCount(**asdict(count))


def _shifted(waits: Collection[Wait], own: bool) -> str:
    """By which wait the curve is shifted, and whose it is."""
    each = "; ".join(f"{wait.population}, median {wait.days:g} days{_span(wait)}" for wait in waits)
    whose = "the wait of" if own else "the wait of this product was not published, so that of its class:"
    return f"The curve from the decision is shifted by {whose} {each}."


def _span(wait: Wait) -> str:
    low, high = wait.range or (None, None)
    return "" if low is None or high is None else f", spread over its range of {low:g} to {high:g}"
