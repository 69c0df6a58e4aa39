"""Computed progression-free survival in words: shares by month, times, how far they reach, and why there is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor
from typing import Final

from bcma_decide.comparison import Comparison, Estimate, FromDecision, Option, Outcome
from bcma_decide.render.words import wording
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.language import ngettext
from bcma_decide.time_course import LANDMARKS, WITHIN, Bounds, Clock, Clocked, Duration, Survival, SurvivalTime
from bcma_decide.value import Interval
from bcma_decide.vocabulary import PFS, PFS_FAMILY

MAIN: Final = 12
"""The month that stands first, with everything that other rows have; the others follow in one line each."""
LATER: Final = tuple(month for month in LANDMARKS if month != MAIN)


@dataclass(frozen=True)
class Figures:
    """What is shown of one row: on the clock asked for, with how many whole months the studies were followed."""

    times: tuple[SurvivalTime, ...]
    median: Duration
    restricted_mean: Duration
    curve: tuple[SurvivalTime, ...]
    reach: int

    def at(self, month: int) -> SurvivalTime | None:
        """The share at a month; None past the end of follow-up."""
        return next((time for time in self.times if time.month == month), None)


def title() -> str:
    """Heading over the rows."""
    return _("Progression-free survival")


def horizon(clock: Clock) -> str:
    """What the time is counted from."""
    if clock == "decision":
        return _("from apheresis (CAR-T) or the first dose (bispecific)")
    return _("from the infusion or the first dose")


def is_computed(comparison: Comparison) -> bool:
    """Whether the comparison has computed rows at all."""
    return any(row.kind == "computed" for row in comparison.survival)


def computed(comparison: Comparison, option: Option) -> Survival | None:
    """The computed row of an option; None where the comparison has none at all."""
    return next(
        (row for row in comparison.survival if (row.kind, row.option, row.endpoint) == ("computed", option.id, PFS)),
        None,
    )


def figures(row: Survival, clock: Clock = "infusion") -> Figures | None:
    """What a computed row has on a clock; a bispecific antibody has one clock only. None where there is no number."""
    if row.state != "estimated" or row.median_months is None or row.restricted_mean_months is None or not row.curve:
        return None
    if clock == "decision" and row.from_decision is not None:
        decided = row.from_decision
        return _figures(decided, decided.curve[-1].month if decided.curve else 0.0)
    return _figures(
        Clocked(
            times=row.times,
            median_months=row.median_months,
            restricted_mean_months=row.restricted_mean_months,
            curve=row.curve,
        ),
        row.curve[-1].month if row.end_of_follow_up_months is None else row.end_of_follow_up_months,
    )


def other_figures(row: Survival, clock: Clock) -> Figures | None:
    """The same on the other clock, where the option has two."""
    return figures(row, "infusion" if clock == "decision" else "decision") if row.from_decision is not None else None


def _figures(found: Clocked, end: float) -> Figures:
    reach = floor(end)
    return Figures(found.times, found.median_months, found.restricted_mean_months, found.curve, reach)


def share_title(month: int) -> str:
    """Name of a row of shares: ``Without progression, 12 months``."""
    return ngettext("Without progression, {n} month", "Without progression, {n} months", month).format(n=month)


def month_title(month: int) -> str:
    """The same below the first of them: ``at 18 months``."""
    return ngettext("at {n} month", "at {n} months", month).format(n=month)


def median_title() -> str:
    """Name of the line with the median."""
    return _("median, months")


def restricted_title() -> str:
    """Name of the line with the mean time free of progression within two years."""
    return _("months free, of {n}").format(n=WITHIN)


def followed_title() -> str:
    """Name of the line with the end of follow-up."""
    return _("followed for, months")


def past() -> str:
    """In the place of a share past the end of follow-up."""
    return _("past follow-up")


def duration(value: Duration, reach: int) -> str:
    """A time in months: ``15 (11 to 20)``, ``25 (18 to >34)``, ``>17 (9 to >17)``."""
    number, ends = duration_parts(value, reach)
    return f"{number} ({ends})" if ends else number


def duration_parts(value: Duration, reach: int) -> tuple[str, str]:
    """Number and interval of a time in months; ``>17`` for either that was not reached in 17 months of follow-up."""
    low, high = value.credible or (None, None)
    number = f">{reach}" if value.value is None else months(value.value)
    return number, "" if low is None else _span((low, high), reach)


def months(value: float) -> str:
    """A computed time in whole months: ``15``, and ``<1`` for what was rounded away."""
    return str(wording.whole(value)) if value >= 0.5 else "<1"


def beyond(value: Duration, reach: int) -> str:
    """The interval at the next centre: ``6 to >34``; empty where nothing of it was reached."""
    low, _high = value.prediction or (None, None)
    return "" if low is None else _span(value.prediction or (None, None), reach)


def _span(ends: Bounds, reach: int) -> str:
    low, high = (f">{reach}" if end is None else months(end) for end in ends)
    return _("{low} to {high}").format(low=low, high=high)


def followed(reach: int) -> str:
    """How far the studies reach: ``followed for 34 months``."""
    return ngettext("followed for {n} month", "followed for {n} months", reach).format(n=reach)


def word_of(outcome: Outcome, estimate: Estimate) -> str:
    """State of an estimate in the words of its row: a curve that there is not is *not known*, not *not reported*."""
    known = outcome.family != PFS or estimate.state != "no_evidence"
    return wording.state(estimate) if known else not_known()


def without_curve(outcome: Outcome, estimate: Estimate) -> str:
    """``not known: no published curve``; empty for a row or state that other words are for."""
    missing = outcome.family == PFS and estimate.state == "no_evidence"
    why = (estimate.reason or "").rstrip(".") or _("no published curve")
    return f"{not_known()}: {why}" if missing else ""


def not_known() -> str:
    """In the place of the numbers of an option without a curve."""
    return _("not known")


def reason(row: Survival | None) -> str:
    """Why a row has no numbers: the limit's reason, or that there is no curve."""
    stated = "" if row is None else (row.reason or "").rstrip(".")
    return stated or _("no published curve")


def without_figures(row: Survival | None) -> str:
    """The state with its reason: ``not known: no published curve``."""
    if row is None or row.state in ("no_evidence", "estimated"):
        return f"{not_known()}: {reason(row)}"
    return f"{wording.state_word(row.state)}: {reason(row)}"


def whole_interval(ends: Bounds | None) -> Interval | None:
    """An interval with both its ends; None otherwise. Those of a computed share have both."""
    low, high = ends or (None, None)
    return None if low is None or high is None else (low, high)


def estimate_at(row: Survival, month: int) -> Estimate:
    """The share at one month as an estimate, with that from the decision: for all that is said of estimates."""
    shown, decided = figures(row), other_figures(row, "infusion")
    time = shown.at(month) if shown else None
    if shown is None or time is None:
        why = reason(row) if shown is None else followed(shown.reach)
        return Estimate(state="no_evidence" if row.state == "estimated" else row.state, reason=why, sources=row.sources)
    decision = _from_decision(decided.at(month)) if decided else None
    return Estimate(
        state="estimated",
        mean=time.mean,
        credible=whole_interval(time.credible),
        prediction=whole_interval(time.prediction),
        certainty=row.certainty,
        reasons=row.reasons,
        informed_traits=row.informed_traits,
        uninformed_traits=row.uninformed_traits,
        outside_evidence=row.outside_evidence,
        n_studies=row.n_studies,
        n_patients=row.n_patients or 0,
        follow_up_months=row.follow_up_months,
        sources=row.sources,
        further_product=row.further_product,
        from_decision=decision,
    )


def _from_decision(time: SurvivalTime | None) -> FromDecision | None:
    ends, beyond = (whole_interval(time.credible), whole_interval(time.prediction)) if time else (None, None)
    if time is None or ends is None or beyond is None:
        return None
    return FromDecision(mean=time.mean, credible=ends, prediction=beyond)


def outcome_at(comparison: Comparison, month: int, clock: Clock | None = None) -> Outcome:
    """The shares of all options at one month as an outcome, for all that is said and drawn of outcomes.

    The one at one year has the id that moves of unknown traits name. ``clock``: which its time window speaks of;
    default that of the comparison.
    """
    rows = ((option.id, computed(comparison, option)) for option in comparison.options)
    contrast = comparison.survival_contrast if month == MAIN else None
    return Outcome(
        id=PFS if month == MAIN else f"{PFS}_{month}",
        label=share_title(month),
        plain=_("live without progression for {n} months").format(n=month),
        family=PFS,
        direction=PFS_FAMILY.direction,
        horizon=horizon(clock or comparison.clock),
        estimates={name: estimate_at(row, month) for name, row in rows if row is not None},
        contrast=contrast,
        contrast_reason=None if contrast else _("no number for one of the two"),
    )


def legend(comparison: Comparison, options: Iterable[Option]) -> tuple[str, ...]:
    """What the lines below the share at one year mean, as far as there are any."""
    shown = [row for option in options if (row := computed(comparison, option)) and figures(row)]
    if not shown:
        return ()
    return (
        _(
            "Progression-free survival: alive without progression. Months free, of {n}: the mean time without "
            "progression within the first {n} months. A time behind > was not reached while the studies were followed; "
            "nothing is calculated past that."
        ).format(n=WITHIN),
    )


@dataclass(frozen=True)
class Line:
    """What stands below the share at one year: a name, and a number with its interval, or words."""

    name: str
    number: str = ""
    interval: str = ""
    share: float | None = None

    @property
    def text(self) -> str:
        """``15 (11 to 20)``; empty where the option has no number at all."""
        return f"{self.number} ({self.interval})" if self.interval else self.number


def lines(row: Survival | None, clock: Clock) -> tuple[Line, ...]:
    """The other months, the median, the mean within two years and the end of follow-up, the same lines for any row."""
    shown = figures(row, clock) if row else None
    titles = [*(month_title(month) for month in LATER), median_title(), restricted_title(), followed_title()]
    if shown is None:
        return tuple(map(Line, titles))
    texts = [
        *(_share_line(month_title(month), shown.at(month)) for month in LATER),
        Line(median_title(), *duration_parts(shown.median, shown.reach)),
        # A mean over a time that was not followed to its end is none of that time.
        Line(restricted_title(), past())
        if shown.restricted_mean.value is None
        else Line(restricted_title(), *duration_parts(shown.restricted_mean, shown.reach)),
        Line(followed_title(), str(shown.reach)),
    ]
    return tuple(texts)


def _share_line(title_of: str, time: SurvivalTime | None) -> Line:
    ends = whole_interval(time.credible) if time else None
    if time is None or ends is None:
        return Line(title_of, past())
    return Line(title_of, wording.count(time.mean), wording.interval(ends), time.mean)
