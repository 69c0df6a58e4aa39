"""The way from the decision to the treatment, and progression-free survival counted from the decision."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from bcma_decide.comparing.published import Withheld
from bcma_decide.comparison import Option
from bcma_decide.model.decision_clock import (
    FIRST_MONTHS,
    STEP,
    Curve,
    Ends,
    FromDecision,
    chance_of_infusion,
    waits_of,
)
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.model.waiting import DAYS_A_MONTH, Shares, free_at, in_millionths
from bcma_decide.pooled.way_book import Count, Wait
from bcma_decide.time_course import (
    Clocked,
    Duration,
    QuotedCount,
    Share,
    StateShares,
    Survival,
    SurvivalTime,
    WayToTreatment,
    Weeks,
)
from bcma_decide.vocabulary import CLASSES

TIMES = (6.0, 12.0, 18.0, 24.0)
"""Months at which the share without progression is given."""
_DAYS_A_WEEK = 7.0
_NO_CURVE = "progression-free survival is not computed for this option"
_NO_WAIT = "no time from apheresis to infusion, or no number of those never infused, was published"


def all_ways(
    numbers: PatientNumbers,
    withheld: Mapping[tuple[str, str], Withheld],
    rows: Collection[Survival],
    curves: Mapping[str, Curve],
    decided: Mapping[str, FromDecision],
) -> tuple[WayToTreatment, ...]:
    """Return the way of every option.

    Parameters
    ----------
    numbers
        The patient's rates.
    withheld
        Numbers that are not given, by outcome and option.
    rows
        Computed progression-free survival; an option has states where its row has a number.
    curves, decided
        The curves behind those rows, from the infusion or first dose and from the decision.
    """
    computed = {row.option: row for row in rows if row.kind == "computed" and row.endpoint == "pfs"}
    return tuple(
        _car_t(numbers, option, withheld, computed.get(option.id), decided.get(option.id))
        if option.class_id == CLASSES[0]
        else _bispecific(numbers, option, computed.get(option.id), curves.get(option.id))
        for option in numbers.pooled.options
    )


def on_both_clocks(rows: Collection[Survival], decided: Mapping[str, FromDecision]) -> tuple[Survival, ...]:
    """Add what is computed from the decision to the computed rows that have a number."""
    return tuple(
        row.model_copy(update={"from_decision": clocked(decided[row.option])})
        if row.kind == "computed" and row.state == "estimated" and row.endpoint == "pfs" and row.option in decided
        else row
        for row in rows
    )


def clocked(found: FromDecision) -> Clocked:
    """The figures of one curve from the decision."""
    curve = tuple(
        SurvivalTime(month=month, mean=mean, credible=tuple(credible), prediction=tuple(prediction))
        for month, mean, credible, prediction in zip(
            found.months.tolist(), found.mean.tolist(), found.credible.tolist(), found.prediction.tolist(), strict=True
        )
    )
    return Clocked(
        times=tuple(time for time in curve if time.month in TIMES),
        median_months=_duration(found.median),
        restricted_mean_months=Duration(value=None)
        if found.restricted_mean is None
        else _duration(found.restricted_mean),
        curve=curve,
    )


def _duration(ends: Ends) -> Duration:
    return Duration(value=ends.value, credible=ends.credible, prediction=ends.prediction)


def _car_t(
    numbers: PatientNumbers,
    option: Option,
    withheld: Mapping[tuple[str, str], Withheld],
    row: Survival | None,
    found: FromDecision | None,
) -> WayToTreatment:
    book = numbers.pooled.way
    chance = chance_of_infusion(numbers, option.id)
    instead = withheld.get(("apheresed_not_infused", option.id))
    waits, own = waits_of(numbers, option.id)
    known = row is not None and row.state == "estimated" and found is not None and instead is None
    return WayToTreatment(
        option=option.id,
        infused=Share(mean=chance.mean, credible=chance.credible) if chance and not instead else None,
        weeks=tuple(_weeks(wait) for wait in (book.of(option.id).waits or waits)),
        months_assumed=sum(wait.days for wait in waits) / len(waits) / DAYS_A_MONTH if waits else None,
        states=tuple(_states(found.first_times.tolist(), found.first)) if known and found is not None else (),
        published=tuple(_quoted(count) for count in book.of(option.id).counts),
        assumptions=(
            *(() if not waits else (_shifted(waits, own),)),
            *book.of(option.class_id).assumptions,
            *(book.of(option.id).assumptions if option.kind == "product" else ()),
        ),
        reason=None if known else instead.reason if instead else _why_not(row, _NO_WAIT),
    )


def _bispecific(numbers: PatientNumbers, option: Option, row: Survival | None, curve: Curve | None) -> WayToTreatment:
    book = numbers.pooled.way
    known = row is not None and row.state == "estimated" and curve is not None
    states: tuple[StateShares, ...] = ()
    if known and curve is not None:
        times = np.arange(0.0, min(FIRST_MONTHS, curve.end_of_follow_up) + STEP / 2.0, STEP)
        free, none = free_at(curve.months, curve.mean, times), np.zeros(times.size)
        states = tuple(_states(times.tolist(), Shares(none, none, free, 1.0 - free)))
    return WayToTreatment(
        option=option.id,
        states=states,
        published=tuple(_quoted(count) for count in book.of(option.id).counts),
        assumptions=book.of(option.class_id).assumptions,
        reason=None if known else _why_not(row, _NO_CURVE),
    )


def _why_not(row: Survival | None, otherwise: str) -> str:
    if row is None:
        return _NO_CURVE
    return otherwise if row.state == "estimated" else row.reason or _NO_CURVE


def _states(months: Collection[float], shares: Shares) -> Iterator[StateShares]:
    rows = zip(*(part.tolist() for part in (shares.waiting, shares.not_infused, shares.free)), strict=True)
    for month, parts in zip(months, rows, strict=True):
        waiting, not_infused, free, progressed = in_millionths((*parts, 1.0 - sum(parts)))
        yield StateShares(
            month=month, waiting=waiting, not_infused=not_infused, free=free, progressed_or_died=progressed
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
    return QuotedCount(**count._asdict())


def _shifted(waits: Collection[Wait], own: bool) -> str:
    """By which wait the curve is shifted, and whose it is."""
    each = "; ".join(f"{wait.population}, median {wait.days:g} days{_span(wait)}" for wait in waits)
    whose = "the wait of" if own else "the wait of this product was not published, so that of its class:"
    return f"The curve from the decision is shifted by {whose} {each}."


def _span(wait: Wait) -> str:
    low, high = wait.range or (None, None)
    return "" if low is None or high is None else f", spread over its range of {low:g} to {high:g}"
