"""The way from the decision to the treatment in plain lines: who is infused, after how long, who is not and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, get_args

from bcma_decide.render.words import wording
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.language import ngettext
from bcma_decide.time_course import QuotedCount, StateShares, WayToTreatment, Weeks

WayState = Literal["free", "waiting", "progressed_or_died", "not_infused"]
STATES: Final[tuple[WayState, ...]] = get_args(WayState)
"""In the order they are stacked in: the first two are without progression."""
SHOWN_MONTHS: Final = (1.0, 3.0, 6.0)
"""Months whose shares are put into words."""


def way_title() -> str:
    """Heading over the way."""
    return _("From the decision to the treatment")


def state_words(state: WayState) -> str:
    """What a state is called."""
    words: dict[WayState, str] = {
        "free": _("treated, without progression"),
        "waiting": _("waiting for the infusion"),
        "progressed_or_died": _("progressed or died after treatment"),
        "not_infused": _("never infused"),
    }
    return words[state]


def short_state_words(state: WayState) -> str:
    """The same beside its field in a drawing."""
    words: dict[WayState, str] = {
        "free": _("free of progression"),
        "waiting": _("waiting"),
        "progressed_or_died": _("progressed or died"),
        "not_infused": _("never infused"),
    }
    return words[state]


def parts(state: StateShares) -> tuple[int, ...]:
    """Of 100 patients, whole numbers that sum to 100, in the order of :data:`STATES`.

    Who is free, who is without progression and who is never infused are rounded as everywhere else, where they are
    printed too; what rounding leaves over falls to those who progressed or died, as far as there are any.
    """
    free, kept, never = (
        wording.whole(100.0 * share) for share in (state.free, state.free + state.waiting, state.not_infused)
    )
    found = free, kept - free, 100 - kept - never, never
    shares = [getattr(state, name) for name in STATES]
    fits = all(abs(part - 100.0 * share) < 1.0 for part, share in zip(found, shares, strict=True))
    return found if fits and min(found) >= 0 else wording.parts_of_100(shares)


def computed_lines(way: WayToTreatment) -> tuple[str, ...]:
    """Chance of infusion and where patients are after some months, for patients like this one; or why not."""
    states = (state_line(state, no_wait=way.infused is None) for state in way.states if state.month in SHOWN_MONTHS)
    return (*chance_lines(way), *states, *reason_lines(way))


def chance_lines(way: WayToTreatment) -> tuple[str, ...]:
    """Chance of infusion; empty where there is none to reach."""
    if way.infused is None:
        return ()
    line = _("Infused, of 100 patients like this with apheresis: {number}").format(
        number=wording.count(way.infused.mean)
    )
    return (f"{line} ({wording.interval(way.infused.credible)})" if way.infused.credible else line,)


def reason_lines(way: WayToTreatment) -> tuple[str, ...]:
    """Why there are no shares of the first months; empty where there are."""
    return (_("Shares of the first months not known: {reason}").format(reason=way.reason),) if way.reason else ()


def state_line(state: StateShares, *, no_wait: bool) -> str:
    """Where 100 patients are after some months; of an option without a wait the two states it has."""
    shown = zip(STATES, parts(state), strict=True)
    said = [
        f"{state_words(name)} {number}"
        for name, number in shown
        if not (no_wait and name in ("waiting", "not_infused"))
    ]
    return _("After {months}, of 100: {parts}").format(months=months_words(state.month), parts=", ".join(said))


def months_words(month: float) -> str:
    """Whole months: ``1 month``, ``6 months``."""
    count = wording.whole(month)
    return ngettext("{count} month", "{count} months", count).format(count=count)


def quoted_lines(way: WayToTreatment) -> tuple[str, ...]:
    """Weeks and counts as published, not calculated for this patient."""
    return (*(weeks_line(weeks) for weeks in way.weeks), *(count_line(count) for count in way.published))


def weeks_line(weeks: Weeks) -> str:
    """Published weeks from apheresis to infusion with their range, whose they are and how many."""
    low, high = weeks.range or (None, None)
    span = "" if low is None or high is None else f" ({_ends(low, high)})"
    return _("Published: weeks from apheresis to infusion, median {median}{range}; {whose}").format(
        median=f"{weeks.median:.0f}", range=span, whose=_whose(weeks.population, weeks.n)
    )


def weeks_in_short(weeks: Weeks) -> str:
    """``6 weeks (4 to 18), CARTITUDE-4``: the median with its range, and whose."""
    low, high = weeks.range or (None, None)
    median = wording.whole(weeks.median)
    said = ngettext("{n} week", "{n} weeks", median).format(n=median)
    span = "" if low is None or high is None else f" ({_ends(low, high)})"
    return f"{said}{span}, {weeks.population}"


def _ends(low: float, high: float) -> str:
    return _("{low} to {high}").format(low=f"{low:.0f}", high=f"{high:.0f}")


def count_line(count: QuotedCount) -> str:
    """One published count with its reasons and whose it is."""
    n = count.n if count.events is None else None
    return _("Published: {label}: {text}; {whose}").format(
        label=count.label, text=count.text, whose=_whose(count.population, n)
    )


def _whose(population: str, n: int | None) -> str:
    return population if n is None else _("{population}, {n} patients").format(population=population, n=n)


def assumed_lines(way: WayToTreatment) -> tuple[str, ...]:
    """What is assumed."""
    return tuple(_("Assumed: {text}").format(text=text) for text in way.assumptions)


def bar_title(label: str, states: Sequence[StateShares], *, no_wait: bool) -> str:
    """The shares of one option's drawing in words, for those who do not see it."""
    said = "; ".join(state_line(state, no_wait=no_wait) for state in states if state.month in SHOWN_MONTHS)
    return f"{label}: {said}"
