"""One sentence for one patient: where the data tell the two classes apart, and where they do not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Final, Literal

from bcma_decide.comparison import Contrast, Outcome
from bcma_decide.time_course import Survival
from bcma_decide.vocabulary import CLASSES, FAMILIES, PFS, PFS_FAMILY

Verdict = Literal["apart", "not apart", "withheld", "too few data"]
AT_ONE_YEAR: Final = f"{PFS_FAMILY.label} at 12 months"


def tell_apart(
    outcomes: Collection[Outcome], survival: Collection[Survival] = (), at_one_year: Contrast | None = None
) -> str:
    """Compose the sentence from the contrasts of an answer, in the order of the outcomes.

    The data tell the classes apart where the 95 % interval of their difference, bias term included, leaves out zero.
    A family whose thresholds all have the same verdict is named once. What one class alone can have, and outcomes with
    too few data, are left out: their rows say why. A number that is withheld is named.

    ``survival``: the computed rows, and ``at_one_year`` the difference of the classes in them.
    """
    verdicts = {outcome.id: _verdict(outcome) for outcome in outcomes}
    if survival:
        states = {row.option: row.state for row in survival}
        withheld = any(states.get(option) == "withheld" for option in CLASSES)
        verdicts[PFS] = _verdict_of(at_one_year, withheld=withheld)
    return _sentence(tuple(verdicts.items()))


@lru_cache(maxsize=256)
def _sentence(of_outcomes: tuple[tuple[str, Verdict], ...]) -> str:
    verdicts = dict(of_outcomes)
    apart, alike, open_ = (_listed(verdicts, each) for each in ("apart", "not apart", "withheld"))
    parts = []
    if apart:
        parts.append(f"The data tell the two classes apart for {apart}")
        parts += [f"they do not for {alike}"] if alike else []
    elif alike:
        parts.append(f"The data do not tell the two classes apart for {alike}")
    if open_:
        lead = "no difference is given for" if parts else "No difference is given for"
        parts.append(f"{lead} {open_}")
    return "; ".join(parts) + "." if parts else ""


def _verdict(outcome: Outcome) -> Verdict:
    withheld = any(outcome.estimates[option].state == "withheld" for option in CLASSES)
    return _verdict_of(outcome.contrast, withheld=withheld)


def _verdict_of(contrast: Contrast | None, *, withheld: bool) -> Verdict:
    if contrast is None:
        return "withheld" if withheld else "too few data"
    low, high = contrast.risk_difference.interval
    return "apart" if low > 0.0 or high < 0.0 else "not apart"


def _listed(verdicts: Mapping[str, Verdict], wanted: Verdict) -> str:
    names = [_inside(label) for label in _labels(verdicts, wanted)]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def _labels(verdicts: Mapping[str, Verdict], wanted: Verdict) -> Iterator[str]:
    for family in (FAMILIES[0], PFS_FAMILY, *FAMILIES[1:]):
        if set(family.classes) != set(CLASSES):
            continue
        thresholds = [each for each in family.thresholds if each.id in verdicts]
        named = [each for each in thresholds if verdicts[each.id] == wanted]
        if named and len(named) == len(thresholds):
            yield AT_ONE_YEAR if family.id == PFS else family.label
        else:
            yield from (each.label for each in named)


def _inside(label: str) -> str:
    """A label inside a list: without the comma before its grade; an abbreviation keeps its capitals."""
    for grade in ("any grade", "grade 3 or higher"):
        label = label.replace(f", {grade}", f" of {grade}")
    return label if label[:2].isupper() else label[:1].lower() + label[1:]
