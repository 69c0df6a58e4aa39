"""The way from the decision to the treatment in words: who reaches it, how long it takes, where patients are."""

from __future__ import annotations

from typing import Final, Literal

from bcma_decide.render.words import quoted, wording
from bcma_decide.render.words.language import decimal, ngettext
from bcma_decide.render.words.language import gettext as _
from bcma_decide.time_course import QuotedCount, StateShares, WayToTreatment, Weeks

Part = Literal["free", "waiting", "not_infused", "progressed_or_died"]
PARTS: Final[tuple[Part, ...]] = ("free", "waiting", "not_infused", "progressed_or_died")
"""From below."""


def part_name(part: Part) -> str:
    """What is said of patients in one of the fields."""
    names: dict[Part, str] = {
        "free": _("free of progression"),
        "waiting": _("waiting"),
        "not_infused": _("never infused"),
        "progressed_or_died": _("progressed or died"),
    }
    return names[part]


def shares_of(states: StateShares) -> dict[Part, float]:
    """The shares at one time, from below."""
    return {
        "free": states.free,
        "waiting": states.waiting,
        "not_infused": states.not_infused,
        "progressed_or_died": states.progressed_or_died,
    }


def at_month(states: StateShares) -> str:
    """The shares at one time in words: ``49 free of progression, 16 never infused, 35 progressed or died``."""
    shares = shares_of(states)
    counts = wording.parts_of_100(tuple(shares.values()))
    said = [f"{count} {part_name(part)}" for (part, share), count in zip(shares.items(), counts, strict=True) if share]
    return ", ".join(said)


def infused(way: WayToTreatment) -> str:
    """How many reach the infusion: ``Reach the infusion after apheresis: 84 of 100 (72 to 92)``; empty without it."""
    if way.infused is None:
        return ""
    number = wording.of_100(way.infused.mean)
    if way.infused.credible is None:
        return _("Reach the infusion after apheresis: {number}").format(number=number)
    return _("Reach the infusion after apheresis: {number} ({interval})").format(
        number=number, interval=wording.interval(way.infused.credible)
    )


def wait(weeks: Weeks) -> str:
    """``Apheresis to infusion, published, CARTITUDE-4: median 6.3 weeks (3.6 to 18.1), 176 patients``."""
    low, high = weeks.range or (None, None)
    said = ngettext("median {n} week", "median {n} weeks", 1 if weeks.median == 1 else 2).format(
        n=decimal(round(weeks.median, 1))
    )
    if low is not None and high is not None:
        said += " ({})".format(_("{low} to {high}").format(low=decimal(round(low, 1)), high=decimal(round(high, 1))))
    who = f"{said}, {quoted.patients(weeks.n)}" if weeks.n is not None else said
    return _("Apheresis to infusion, published, {study}: {figures}").format(study=weeks.population, figures=who)


def wait_in_short(weeks: Weeks) -> str:
    """``6.3 weeks (3.6 to 18.1), CARTITUDE-4``: the median with its range, and whose."""
    low, high = weeks.range or (None, None)
    said = ngettext("{n} week", "{n} weeks", 1 if weeks.median == 1 else 2).format(n=decimal(round(weeks.median, 1)))
    if low is not None and high is not None:
        said += " ({})".format(_("{low} to {high}").format(low=decimal(round(low, 1)), high=decimal(round(high, 1))))
    return f"{said}, {weeks.population}"


def counted(count: QuotedCount, cited: str) -> str:
    """A published count in one line, its source last."""
    said = ", ".join(part for part in (f"{count.label}: {count.text}", count.population) if part)
    return f"{said} ({cited})" if cited else said
