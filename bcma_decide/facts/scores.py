"""Scores of one patient: what is missing counts its lowest and its highest points, never a normal value."""

from __future__ import annotations

from bcma_decide.facts.facts import Facts, ItemPoints, ScoreResult
from bcma_decide.facts.measures import IN_SENTENCE, RATE, KnownNumber, converted_score, formula_inputs
from bcma_decide.logic import Span
from bcma_decide.pooled.score_book import AnyScore, Conversion, Formula, PointScore, ScoreItem, Staging


def staged_number(score: Staging, facts: Facts, given: KnownNumber | None) -> KnownNumber | None:
    """The stage as a number: worked out where it was not given; None where what was given contradicts it."""
    result = facts.score(score.about.id)
    if not result.fields or result.span is None:
        return given
    if given is None:
        how = f"from {', '.join(item.text for item in result.items if item.fields)}"
        return KnownNumber(result.span, " or ".join(result.groups), how, result.fields, result.missing)
    apart = given.span.high < result.span.low or given.span.low > result.span.high
    return None if apart else given


def score_result(score: AnyScore, facts: Facts) -> ScoreResult:
    """Work out a score as far as what is known settles it."""
    if isinstance(score, PointScore):
        return _points(score, facts)
    if isinstance(score, Staging):
        return _staged(score, facts)
    return _worked_out(score, facts)


def _points(score: PointScore, facts: Facts) -> ScoreResult:
    items = tuple(points_of_item(item, facts) for item in score.items)
    known = [item.points for item in items if item.points is not None]
    span = Span(sum(points.low for points in known), sum(points.high for points in known))
    possible = tuple(group.label for group in score.groups if group.bounds.judge(span) is not False)
    return ScoreResult(score.about.id, span, possible, items)


def points_of_item(item: ScoreItem, facts: Facts) -> ItemPoints:
    """Points of an item, as far as what is known settles them."""
    if item.when is not None:
        found = facts.judge(item.when)
        low = item.points if found.value else 0.0
        high = 0.0 if found.value is False else item.points
        text = "; ".join(found.here) if found.value is not None else f"{item.label} not known"
        return ItemPoints(item.label, text, Span(low, high), found.fields, found.missing)
    measure = facts.number(str(item.field))
    if measure is None:
        points = [band.points for band in item.bands]
        return ItemPoints(item.label, f"{item.label} not known", Span(min(points), max(points)), missing=(item.label,))
    points = [band.points for band in item.bands if band.bounds.judge(measure.span) is not False]
    span = Span(min(points), max(points))
    missing = () if span.exact else (item.label,)
    return ItemPoints(item.label, f"{item.label} {measure.shown}", span, measure.fields, missing)


def _staged(score: Staging, facts: Facts) -> ScoreResult:
    """Stages still possible: one is out where its condition fails; where one holds, all others are."""
    found = {stage.stage: facts.judge(stage.when) for stage in score.stages if stage.when is not None}
    settled = {stage for stage, judged in found.items() if judged.value}
    open_ones = settled or {s.stage for s in score.stages if s.stage not in found or found[s.stage].value is None}
    possible = sorted((stage for stage in score.stages if stage.stage in open_ones), key=lambda stage: stage.stage)
    items: dict[str, ItemPoints] = {}
    for judged in found.values():
        items |= {text: ItemPoints(text, text, fields=judged.fields) for text in judged.here}
        if len(possible) > 1:
            items |= {word: ItemPoints(word, f"{word} not known", missing=(word,)) for word in judged.missing}
    span = Span(float(possible[0].stage), float(possible[-1].stage))
    return ScoreResult(score.about.id, span, tuple(stage.label for stage in possible), tuple(items.values()))


def _worked_out(score: Formula | Conversion, facts: Facts) -> ScoreResult:
    if isinstance(score, Formula):
        own = facts.computed(score)
        names = formula_inputs(score)
    else:
        own = converted_score(score, facts.number(score.takes))
        names = (score.takes,)
    items = [_input(name, facts) for name in names]
    if isinstance(score, Formula):
        sex = facts.patient.sex
        text = f"sex {sex or 'not known'}"
        if own is not None and RATE in own.fields:
            items.append(_input(RATE, facts))
        items.append(ItemPoints("sex", text, fields=("sex",) if sex else (), missing=() if sex else ("sex",)))
    if own is None and not any(item.missing for item in items):
        why = "not for patients on dialysis" if isinstance(score, Formula) else "not a value of the table"
        items.append(ItemPoints(why, why))
    return ScoreResult(score.about.id, own.span if own else None, (), tuple(items))


def _input(name: str, facts: Facts) -> ItemPoints:
    label, measure = IN_SENTENCE[name], facts.number(name)
    if measure is None:
        return ItemPoints(label, f"{label} not known", missing=(label,))
    return ItemPoints(label, f"{label} {measure.text}", fields=measure.fields)
