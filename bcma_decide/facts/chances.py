"""How likely a trait is present where it follows from measured values near a cut-off.

A laboratory value is one draw from around the patient's set point. Taken as log-normal, with the analytical and the
within-subject biological variation as its spread (Fraser CG. Biological Variation: From Principles to Practice, 2001,
chapter 1), a value y says of the set point that its logarithm is normal around log y: a cut-off is then a probability
and not a step, and one digit of y moves no number by a jump. Scores are sums of items taken as independent. What is
missing stays unknown, so a chance has three parts: yes, no and the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from math import erfc, log, sqrt
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bcma_decide.facts.facts import Facts
from bcma_decide.logic import Bounds, Chance, Span, chance_of_all, chance_of_any
from bcma_decide.pooled.conditions import Condition, Every, Is, Not, Some, Within
from bcma_decide.pooled.definitions import CutOff, FromScore, Stage
from bcma_decide.pooled.score_book import Band, ScoreItem, Staging

Share = TypeVar("Share", float, NDArray[np.float64])
CERTAIN = 1e-3
"""A chance this near to certainty, or to knowing nothing, counts as that: it moves no number by a tenth of a point."""


def trait_chance(trait: str, facts: Facts) -> Chance | None:
    """Chance of a yes-or-no trait; None where it is as certain, or as unknown, as its plain value says.

    A trait that was said directly, or that a whole number or a said trait settles, is as said.
    """
    evidence = facts.evidence_of(trait)
    if evidence is None or any(claim.given for claim in evidence.claims):
        return None
    definition = facts.definitions.by_id.get(trait)
    if isinstance(definition, CutOff):
        if facts.number(definition.field) is None:
            return None
        found = _cut_off(definition, facts)
    elif isinstance(definition, (FromScore, Stage)) and not facts.score(definition.score).fields:
        return None
    elif isinstance(definition, FromScore):
        found = _from_score(definition, facts)
    elif isinstance(definition, Stage) and not _said(facts, trait):
        found = _stage(definition, facts)
    else:
        return None
    plain = Chance.of(evidence.value)
    near = max(abs(found.yes - plain.yes), abs(found.no - plain.no)) < CERTAIN
    return None if near else found


def chance_inside(bounds: Bounds, span: Span, log_sd: float | None) -> Chance:
    """Chance that the set point behind a measured number lies inside the bounds.

    Of a number known only to lie between two ends, the part that holds wherever between them it lies.

    Parameters
    ----------
    bounds, span
        In the unit of the field.
    log_sd
        Standard deviation of the logarithm; None for a number without variation.
    """
    if log_sd is None:
        return Chance.of(bounds.judge(span))
    if span.low == span.high:
        inside = _inside(bounds, span.low, log_sd)
        return Chance(inside, 1.0 - inside)
    ends = [_inside(bounds, value, log_sd) for value in span]
    # The chance rises and falls once along a span: least at an end, most where the middle of the bounds comes nearest.
    most = max(*ends, _inside(bounds, min(max(_middle(bounds), span.low), span.high), log_sd))
    return Chance(min(ends), 1.0 - most)


def _inside(bounds: Bounds, value: float, log_sd: float) -> float:
    floor, ceiling = bounds.floor, bounds.ceiling
    above = 1.0 if floor is None else _above(floor, value, log_sd)
    beyond = 0.0 if ceiling is None else _above(ceiling, value, log_sd)
    return max(above - beyond, 0.0)


def _above(edge: float, value: float, log_sd: float) -> float:
    if value <= 0.0 or edge <= 0.0:
        return float(edge <= 0.0)
    return 0.5 * erfc(log(edge / value) / (log_sd * sqrt(2.0)))


def _middle(bounds: Bounds) -> float:
    floor, ceiling = bounds.floor, bounds.ceiling
    if floor is None or ceiling is None:
        return 0.0 if floor is None else float("inf")
    return sqrt(max(floor * ceiling, 0.0))


def _cut_off(rule: CutOff, facts: Facts) -> Chance:
    if any(getattr(facts.patient, name) for name in rule.or_any_of):
        return Chance.of(True)
    return _measured(rule.field, rule.bounds, facts)


def _measured(name: str, bounds: Bounds, facts: Facts) -> Chance:
    measure = facts.number(name)
    if measure is None:
        return Chance.of(None)
    return chance_inside(bounds, measure.span, facts.log_sd(name, measure))


def _from_score(rule: FromScore, facts: Facts) -> Chance:
    score = next(score for score in facts.definitions.scores.points if score.about.id == rule.score)
    items = ([(points, own) for points, own in chances_of_item(item, facts) if own] for item in score.items)
    return Chance(*chance_of_points(rule.at_least, items))


def chance_of_points(at_least: float, items: Iterable[Iterable[tuple[Span, Share]]]) -> tuple[Share, Share]:
    """Chance that a sum of points reaches so much, and that it does not.

    ``items``: of each item the chance of every lowest and highest number of points; one number for one patient, an
    array for many.
    """
    totals = _totals(items)
    yes: Any = sum((chance for (low, _), chance in totals.items() if low >= at_least), 0.0)
    no: Any = sum((chance for (_, high), chance in totals.items() if high < at_least), 0.0)
    return yes, no


def _totals(items: Iterable[Iterable[tuple[Span, Share]]]) -> dict[tuple[float, float], Share]:
    """Chance of every lowest and highest sum of points."""
    totals: dict[tuple[float, float], Any] = {(0.0, 0.0): 1.0}
    for item in items:
        of_item = [(points.low, points.high, own) for points, own in item]
        longer: dict[tuple[float, float], Any] = {}
        for (low, high), chance in totals.items():
            for least, most, own in of_item:
                key = low + least, high + most
                longer[key] = longer.get(key, 0.0) + chance * own
        totals = longer
    return totals


def chances_of_item(item: ScoreItem, facts: Facts) -> Iterator[tuple[Span, float]]:
    """Possible points of an item with their chances."""
    if item.when is not None:
        chance = _judged(item.when, facts)
        yield Span.of(item.points), chance.yes
        yield Span.of(0.0), chance.no
        yield Span(min(item.points, 0.0), max(item.points, 0.0)), chance.unknown
        return
    measure = facts.number(str(item.field))
    if measure is None:
        points = [band.points for band in item.bands]
        yield Span(min(points), max(points)), 1.0
        return
    yield from _in_bands(item.bands, measure.span, facts.log_sd(str(item.field), measure))


@lru_cache(maxsize=4096)
def _in_bands(bands: tuple[Band, ...], span: Span, log_sd: float | None) -> tuple[tuple[Span, float], ...]:
    """Possible points of a number in bands with their chances."""
    chances = [(band.points, chance_inside(band.bounds, span, log_sd)) for band in bands]
    possible = [points for points, chance in chances if chance.no < 1.0]
    rest = max(1.0 - sum(chance.yes for _, chance in chances), 0.0)
    return (
        *((Span(points, points), chance.yes) for points, chance in chances),
        (Span(min(possible), max(possible)), rest),
    )


def _said(facts: Facts, trait: str) -> bool:
    """Whether a given stage, its own or that of another system, settles a stage by itself."""
    stages = {(rule.field,) for rule in facts.definitions.stages}
    evidence = facts.evidence_of(trait)
    return evidence is not None and any(claim.fields in stages for claim in evidence.claims)


def _stage(rule: Stage, facts: Facts) -> Chance:
    staging = next(one for one in facts.definitions.scores.stagings if one.about.id == rule.score)
    return _at_stages(staging, Bounds(at_least=rule.stage, at_most=rule.stage), facts)


def _at_stages(staging: Staging, wanted: Bounds, facts: Facts) -> Chance:
    """Chance that the stage lies inside the bounds.

    Stages exclude each other, and the one without a condition is what remains.
    """
    found = _by_stage(staging, facts)
    rest = next(stage.stage for stage in staging.stages if stage.when is None)
    # Of the side without the rest: yes where one of its stages is, no where none is.
    inside = wanted.hold(rest)
    side = [chance for stage, chance in found.items() if wanted.hold(stage) is not inside]
    other = [chance for stage, chance in found.items() if wanted.hold(stage) is inside]
    yes = sum(chance.yes for chance in side)
    no = max(sum(chance.yes for chance in other), 1.0 - sum(1.0 - chance.no for chance in side), 0.0)
    chance = Chance(min(yes, 1.0), min(no, 1.0))
    return chance.negated if inside else chance


def _by_stage(staging: Staging, facts: Facts) -> Mapping[int, Chance]:
    """Chance of every stage that has a condition; worked out once for a patient."""
    kept = facts.stage_chances
    if staging.about.id not in kept:
        kept[staging.about.id] = {
            stage.stage: _judged(stage.when, facts) for stage in staging.stages if stage.when is not None
        }
    return kept[staging.about.id]


def _judged(condition: Condition, facts: Facts) -> Chance:
    """Chance of a condition: by parts, and for measured numbers by their variation."""
    match condition:
        case Not(part):
            return _judged(part, facts).negated
        case Every(parts):
            return chance_of_all(_judged(part, facts) for part in parts)
        case Some(parts):
            return chance_of_any(_judged(part, facts) for part in parts)
        case Within(trait, bounds):
            staging = next((one for one in facts.definitions.scores.stagings if one.gives == trait), None)
            if staging is not None and getattr(facts.patient, trait) is None and facts.number(trait) is not None:
                return _at_stages(staging, bounds, facts)
            return _measured(trait, bounds, facts)
        case Is(trait, wanted):
            chance = trait_chance(trait, facts)
            if chance is None:
                return Chance.of(facts.judge(condition).value)
            return chance if wanted else chance.negated
        case _:
            return Chance.of(facts.judge(condition).value)
