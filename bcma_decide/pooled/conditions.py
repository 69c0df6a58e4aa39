"""What a condition can say about a patient: shapes only, as they stand in the evidence files.

Score items, stages, rules and label indications all use these; `facts` judges them in three values.
Numbers are in the unit the profile keeps for their trait: the evidence check converts what a file writes otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from bcma_decide.logic import Bounds

DrugState = Literal["refractory", "exposed"]
BOUNDS: Final = Bounds._fields


class Is(Struct, frozen=True):
    """A yes-or-no trait has this value: ``{trait: dialysis, is: true}``."""

    trait: str
    value: bool


class IsKnown(Struct, frozen=True):
    """Whether a trait is known: ``{trait: hiv, known: false}``. The one condition that is never unknown.

    A number is known where it is one number: a span of which only the ends are known is not.
    """

    trait: str
    value: bool


class OneOf(Struct, frozen=True):
    """A trait has one of the listed values: ``{trait: ecog, one_of: [2]}``."""

    trait: str
    values: tuple[float | str, ...]


class Within(Struct, frozen=True):
    """A number lies inside bounds: ``{trait: creatinine_clearance, below: 30, unit: mL/min}``."""

    trait: str
    bounds: Bounds
    unit: str = ""


class Times(Struct, frozen=True):
    """A number is so many times another one, given or worked out: ``{trait: egfr, times: ckd_epi_2021, above: 3}``.

    ``other`` is a number of the profile or a formula of the scores, both in their own unit.
    """

    trait: str
    other: str
    bounds: Bounds


class Drugs(Struct, frozen=True):
    """At least so many of these drugs, or of a class, failed or were given."""

    state: DrugState
    drugs: tuple[str, ...] = ()
    drug_class: str = ""
    at_least: int = 1


class HadCourse(Struct, frozen=True):
    """An earlier course of BCMA therapy of one of these kinds, its last dose inside the bounds (months ago)."""

    kinds: tuple[str, ...]
    months: Bounds = Bounds()


class Score(Struct, frozen=True):
    """A score lies inside bounds: ``{score: car_hematotox, at_least: 2}``."""

    score: str
    bounds: Bounds


class Not(Struct, frozen=True):
    """The condition does not hold."""

    part: Condition


class Every(Struct, frozen=True):
    """Every part holds."""

    parts: tuple[Condition, ...]


class Some(Struct, frozen=True):
    """At least one part holds."""

    parts: tuple[Condition, ...]


Leaf = Is | IsKnown | OneOf | Within | Times | Drugs | HadCourse | Score
Condition = Leaf | Not | Every | Some


def from_plain(plain: Mapping[str, Any]) -> Condition:
    """Build a condition from plain data: an evidence file's, once checked, or the pooled file's.

    >>> from_plain({"not": {"trait": "dialysis", "is": True}})
    Not(part=Is(trait='dialysis', value=True))
    """
    for key, build in _SHAPES.items():
        if key in plain:
            return build(plain)
    raise KeyError(f"not a condition: {sorted(plain)}")


def to_plain(condition: Condition) -> dict[str, Any]:
    """Return the plain data that :func:`from_plain` reads."""
    match condition:
        case Every(parts):
            return {"all": [to_plain(part) for part in parts]}
        case Some(parts):
            return {"any": [to_plain(part) for part in parts]}
        case Not(part):
            return {"not": to_plain(part)}
        case Is(trait, value):
            return {"trait": trait, "is": value}
        case IsKnown(trait, value):
            return {"trait": trait, "known": value}
        case OneOf(trait, values):
            return {"trait": trait, "one_of": list(values)}
        case Within(trait, bounds, unit):
            return {"trait": trait, **bounds.given(), **({"unit": unit} if unit else {})}
        case Times(trait, other, bounds):
            return {"trait": trait, "times": other, **bounds.given()}
        case Drugs(state, drugs, drug_class, at_least):
            named = {"drugs": list(drugs)} if drugs else {"drug_class": drug_class}
            return {**named, "state": state, "at_least": at_least}
        case HadCourse(kinds, months):
            return {"courses": list(kinds), "months": months.given()}
        case Score(score, bounds):
            return {"score": score, **bounds.given()}


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Every leaf, from left to right."""
    if isinstance(condition, Not):
        yield from leaves(condition.part)
    elif isinstance(condition, (Every, Some)):
        for part in condition.parts:
            yield from leaves(part)
    else:
        yield condition


def needed(condition: Condition) -> frozenset[str]:
    """Inputs without which the condition cannot hold; drugs may stand under any of their headings and are left out."""
    match condition:
        case Every(parts):
            return frozenset().union(*(needed(part) for part in parts))
        case Some(parts):
            return frozenset.intersection(*(needed(part) for part in parts))
        case HadCourse():
            return frozenset({"prior_bcma_courses"})
        case Is(trait, _) | OneOf(trait, _) | Within(trait, _, _) | Times(trait, _, _):
            return frozenset({trait})
        case _:
            return frozenset()


def _bounds(plain: Mapping[str, Any]) -> Bounds:
    return Bounds(**{name: plain[name] for name in BOUNDS if plain.get(name) is not None})


def _of_trait(plain: Mapping[str, Any]) -> Condition:
    trait = plain["trait"]
    if "is" in plain:
        return Is(trait, plain["is"])
    if "known" in plain:
        return IsKnown(trait, plain["known"])
    if "one_of" in plain:
        return OneOf(trait, tuple(plain["one_of"]))
    if "times" in plain:
        return Times(trait, plain["times"], _bounds(plain))
    return Within(trait, _bounds(plain), plain.get("unit", ""))


_SHAPES: Final[Mapping[str, Callable[[Mapping[str, Any]], Condition]]] = {
    "all": lambda plain: Every(tuple(from_plain(part) for part in plain["all"])),
    "any": lambda plain: Some(tuple(from_plain(part) for part in plain["any"])),
    "not": lambda plain: Not(from_plain(plain["not"])),
    "trait": _of_trait,
    "drugs": lambda plain: Drugs(plain["state"], drugs=tuple(plain["drugs"]), at_least=plain.get("at_least", 1)),
    "drug_class": lambda plain: Drugs(
        plain["state"], drug_class=plain["drug_class"], at_least=plain.get("at_least", 1)
    ),
    "courses": lambda plain: HadCourse(tuple(plain["courses"]), _bounds(plain.get("months") or {})),
    "score": lambda plain: Score(plain["score"], _bounds(plain)),
}
