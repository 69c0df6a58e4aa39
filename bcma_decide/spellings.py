"""What people write for the setting, the region and the day of a question, and what is meant by it.

Raises ProfileError with what would be right; a day with two readings is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date as Day  # noqa: N812  # a field is called date
from typing import Final

from bcma_decide.errors import Problem, ProfileError, closest, quote
from bcma_decide.vocabulary import Design

SETTINGS: Final[dict[str, Design]] = {
    "realworld": "real_world",
    "practice": "real_world",
    "trial": "interventional",
    "trials": "interventional",
    "interventional": "interventional",
}

EEA: Final = (  # codes and names, English and German
    "at austria österreich be belgium belgien bg bulgaria bulgarien hr croatia kroatien cy cyprus zypern "
    "cz czechia czechrepublic tschechien dk denmark dänemark ee estonia estland fi finland finnland "
    "fr france frankreich de germany deutschland gr el greece griechenland hu hungary ungarn ie ireland irland "
    "it italy italien lv latvia lettland "
    "lt lithuania litauen lu luxembourg luxemburg mt malta nl netherlands niederlande pl poland polen "
    "pt portugal ro romania rumänien sk slovakia slowakei si slovenia slowenien es spain spanien se sweden schweden "
    "is iceland island li liechtenstein no norway norwegen europe europa eu eea europeanunion europäischeunion"
)
"""Where a central European marketing authorisation holds: the Union, and Iceland, Liechtenstein and Norway (EMA,
*Authorisation of medicines*)."""
NAMES_OF_REGIONS: Final[dict[str, str]] = {
    **dict.fromkeys(EEA.split(), "EU"),
    **dict.fromkeys(("us", "usa", "unitedstates", "unitedstatesofamerica", "america", "vereinigtestaaten"), "US"),
    **dict.fromkeys(("cn", "china", "prc", "peoplesrepublicofchina"), "China"),
    **dict.fromkeys(("uk", "gb", "unitedkingdom", "greatbritain", "england", "scotland", "wales"), "UK"),
    **dict.fromkeys(("ch", "switzerland", "schweiz"), "CH"),
    **dict.fromkeys(("jp", "japan"), "Japan"),
    **dict.fromkeys(("ca", "canada", "kanada"), "Canada"),
}  # fmt: skip

_ISO: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_ISO_ONLY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_POINTS: Final = re.compile(r"([0-9]{1,2})\. ?([0-9]{1,2})\. ?([0-9]{4})")
_SLASHES: Final = re.compile(r"([0-9]{1,2})[/-]([0-9]{1,2})[/-]([0-9]{4})")


def read_setting(text: str) -> Design:
    """Whose results to expect: ``real-world`` or ``trial``, in any spelling of either."""
    design = SETTINGS.get(_fold(text)) if isinstance(text, str) else None
    if design is None:
        problem = Problem("setting", f"{quote(text)} is not a setting", "real-world (ordinary care) or trial")
        raise ProfileError("the setting cannot be used", [problem])
    return design


def read_region(text: str, regions: Sequence[str]) -> str:
    """The region with labels that a name of it, or of a country in it, stands for.

    Parameters
    ----------
    text
        As written: ``US``, ``USA``, ``Germany``, ``DE``.
    regions
        Those with a label.
    """
    folded = {_fold(region): region for region in regions}
    found = folded.get(_fold(text)) or folded.get(_fold(NAMES_OF_REGIONS.get(_fold(text), "")))
    if found is None:
        hint = closest(text, list(regions)) or f"one of {', '.join(regions)}"
        raise ProfileError("the region cannot be used", [Problem("region", f"{quote(text)} has no label here", hint)])
    return found


def read_day(text: str) -> Day:
    """A day of the calendar: ``2026-11-22``, ``22.11.2026``, and ``11/22/2026`` where only one reading is a day."""
    written = text.strip()
    try:
        if found := _ISO.fullmatch(written):
            return Day(int(found[1]), int(found[2]), int(found[3]))
        if found := _POINTS.fullmatch(written):
            return Day(int(found[3]), int(found[2]), int(found[1]))
        if found := _SLASHES.fullmatch(written):
            return _one_day(int(found[1]), int(found[2]), int(found[3]), written)
    except ValueError:
        pass
    raise _no_day(f"{quote(text)} is not a day", "write it as 2026-11-22 or 22.11.2026")


def iso_day(text: str) -> Day:
    """A day written as ``2026-11-22`` and in no other way, for what other programs send.

    Python's own reader also takes weeks, as in ``2026-W12-1``, and days without hyphens: a typing error away from
    another day. Raises ValueError.
    """
    if not _ISO_ONLY.fullmatch(text):
        raise ValueError("is not a day of the calendar, as in 2026-11-22")
    return Day(int(text[:4]), int(text[5:7]), int(text[8:]))


def _one_day(first: int, second: int, year: int, written: str) -> Day:
    if first > 12:
        return Day(year, second, first)
    if second > 12 or first == second:
        return Day(year, first, second)
    readings = f"{Day(year, second, first)} or {Day(year, first, second)}"
    raise _no_day(f"{quote(written)} may be {readings}", "write it as 2026-11-22")


def _no_day(message: str, fix: str) -> ProfileError:
    return ProfileError("the day cannot be used", [Problem("date", message, fix)])


def _fold(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum())
