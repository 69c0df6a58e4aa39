"""From a condition to profiles that make it true or false: plain values as a person would enter them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from bcma_decide.logic import Bounds
from bcma_decide.patient.fields import FIELDS
from bcma_decide.pooled.conditions import (
    Condition,
    Drugs,
    Every,
    HadCourse,
    Is,
    IsKnown,
    Leaf,
    Not,
    OneOf,
    Score,
    Some,
    Within,
)
from bcma_decide.pooled.definitions import CutOff, FromScore, Stage, shipped_definitions
from bcma_decide.pooled.score_book import PointScore

Values = dict[str, Any]
LIMITS = {
    "at_least": lambda value, edge: value >= edge,
    "above": lambda value, edge: value > edge,
    "below": lambda value, edge: value < edge,
    "at_most": lambda value, edge: value <= edge,
}
"""What the words of a limit mean."""


def profiles(condition: Condition, wanted: bool) -> list[Values]:
    """Profiles under which the condition is true (or false), one for every way it can become so."""
    match condition:
        case Not(part):
            return profiles(part, not wanted)
        case Every((Within(trait), IsKnown(of, False))) if trait == of:
            return _spans(trait, wanted)
        case Every(parts) | Some(parts):
            ways = [profiles(part, wanted) for part in parts]
            if isinstance(condition, Some) is wanted:  # one part is enough
                return [way for each in ways for way in each]
            return [merged(*chosen) for chosen in product(*ways)]
        case Is(trait, value):
            return _trait(trait, value is wanted)
        case IsKnown(trait, value):
            return [{trait: "no"} if value is wanted else {}]
        case OneOf(trait, values):
            return [{trait: value} for value in _choices(trait) if (value in values) is wanted]
        case Within(trait, bounds):
            return [
                {trait: written(trait, value)} for value in around(trait, bounds) if inside(bounds, value) is wanted
            ]
        case Drugs():
            return _drugs(condition, wanted)
        case HadCourse(kinds, months):
            return _courses(kinds, months, wanted)
        case Score(score, bounds):
            return [_scored(score, bounds, wanted)]


def alone(condition: Condition) -> Iterator[tuple[Leaf, bool, Values]]:
    """Every leaf, whether it speaks against the whole, and values under which it alone decides."""
    match condition:
        case Every((Within(trait), IsKnown(of, False))) if trait == of:
            return  # of a number that is no number there are only the ends
        case Not(part):
            for leaf, against, rest in alone(part):
                yield leaf, not against, rest
        case Every(parts) | Some(parts):
            for part in parts:
                others = [profiles(other, isinstance(condition, Every))[0] for other in parts if other is not part]
                for leaf, against, rest in alone(part):
                    yield leaf, against, merged(rest, *others)
        case _:
            yield condition, False, {}


def _spans(trait: str, wanted: bool) -> list[Values]:
    """A clearance known only as a span, for want of a weight: 12.6 to 44.3 mL/min, or from 61.1 on; or known."""
    if trait != "creatinine_clearance":
        raise ValueError(f"no way to leave {trait} open")
    man = {"age": 74, "sex": "male"}
    if wanted:
        return [{**man, "creatinine": {"value": 2.9, "unit": "mg/dL"}}]
    return [{**man, "creatinine": {"value": 0.6, "unit": "mg/dL"}}, {trait: {"value": 40.0, "unit": "mL/min"}}]


def merged(*several: Values) -> Values:
    """One profile of several; lists of drugs and courses are joined."""
    result: Values = {}
    for name, value in (item for values in several for item in values.items()):
        if isinstance(value, list):
            result[name] = [*result.get(name, ()), *(each for each in value if each not in result.get(name, ()))]
        elif result.setdefault(name, value) != value:
            raise ValueError(f"{name} cannot be {result[name]} and {value}")
    return result


def around(trait: str, bounds: Bounds) -> list[float]:
    """Every edge, and a small step to either side of it, as far as the field can hold it."""
    field = FIELDS[trait]
    near = []
    for edge in bounds.edges:
        step = 1 if field.kind in ("whole", "stage") else max(abs(edge), 1) / 1000
        near += [edge - step, edge, edge + step]
    return [value for value in near if field.low <= value <= field.high]


def inside(bounds: Bounds, value: float) -> bool:
    """Whether a number is what the words of the limits say."""
    return all(LIMITS[name](value, edge) for name, edge in bounds._asdict().items() if edge is not None)


def written(trait: str, value: float) -> object:
    """A number as a profile holds it, in the unit that is kept."""
    field = FIELDS[trait]
    return int(value) if field.kind in ("whole", "stage") else {"value": value, "unit": field.unit}


def _trait(trait: str, state: bool) -> list[Values]:
    if trait in FIELDS:
        return [{trait: "yes" if state else "no"}]
    match shipped_definitions().by_id[trait]:
        case CutOff(field=field, bounds=bounds):
            return profiles(Within(field, bounds), state)
        case Stage(field=field, stage=stage):
            return [{field: value} for value in (1, 2, 3) if (value == stage) is state]
        case FromScore(score=score, at_least=points):
            return profiles(Score(score, Bounds(at_least=points)), state)
        case other:
            raise ValueError(f"no way to set {other}")


def _choices(trait: str) -> list[Any]:
    field = FIELDS[trait]
    return [name for name, _ in field.choices] or list(range(int(field.low), int(field.high) + 1))


def _drugs(wanted: Drugs, state: bool) -> list[Values]:
    members = list(wanted.drugs or shipped_definitions().agents(wanted.drug_class))
    if state:
        headings = ["refractory_to"] if wanted.state == "refractory" else ["refractory_to", "exposed_to"]
        return [{heading: members[: wanted.at_least]} for heading in headings]
    headings = ["naive_to", "exposed_to"] if wanted.state == "refractory" else ["naive_to"]
    return [{heading: members[wanted.at_least - 1 :]} for heading in headings]


def _courses(kinds: tuple[str, ...], months: Bounds, state: bool) -> list[Values]:
    if not months.edges:
        drugs = [
            next(d.id for d in shipped_definitions().drugs if (d.modality, d.targets) == (kind, ("bcma",)))
            for kind in kinds
        ]
        given = [{"prior_bcma_courses": [kind]} for kind in kinds] + [{"exposed_to": [drug]} for drug in drugs]
        return given if state else [{"prior_bcma": "no"}]
    times = [value for value in around("prior_bcma_courses", months) if inside(months, value) is state]
    if state:
        return [{"prior_bcma_courses": [f"{kind}:{time}"]} for kind in kinds for time in times]
    return [{"prior_bcma": "no"}, *({"prior_bcma_courses": [f"{kind}:{time}" for kind in kinds]} for time in times)]


def _scored(name: str, bounds: Bounds, state: bool) -> Values:
    """The first combination of item values whose points are inside the bounds, or outside."""
    score = shipped_definitions().scores.find(name)
    if not isinstance(score, PointScore):
        raise TypeError(f"no way to set {name}")
    items = [
        [(band.points, profiles(Within(str(item.field), band.bounds), True)[0]) for band in item.bands]
        if item.when is None
        else [(points, profiles(item.when, bool(points))[0]) for points in (0, item.points)]
        for item in score.items
    ]
    return next(
        merged(*(values for _, values in chosen))
        for chosen in product(*items)
        if inside(bounds, sum(points for points, _ in chosen)) is state
    )
