"""Findings, indications, practical facts and scores of one patient, as the `Comparison` carries them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache

from bcma_decide.answer import Answer
from bcma_decide.comparison import (
    SEVERITIES,
    UNVERIFIED,
    Finding,
    Indication,
    IndicationItem,
    PracticalLine,
    PracticalRow,
    Reference,
    ScoreItemLine,
    ScoreLine,
)
from bcma_decide.facts import Facts, ItemPoints, ScoreResult
from bcma_decide.fields import FIELDS
from bcma_decide.logic import Span
from bcma_decide.model.prediction import numeric_range
from bcma_decide.phrases import label_of
from bcma_decide.rules.book import Product, RuleBook
from bcma_decide.rules.engine import Fired, judge_rules
from bcma_decide.rules.labels import ItemVerdict, LabelVerdict, judge_labels
from bcma_decide.rules.practice import practical_rows
from bcma_decide.score_book import AnyScore, Conversion, Formula, PointScore, ScoreBook, Staging
from bcma_decide.vocabulary import CLASSES, MODEL_TRAITS, model_scale, natural_scale


def input_findings(found: Answer) -> Iterator[Finding]:
    """What the input itself gives to check: contradictions, traits outside the evidence, numbers held at its edge."""
    for contradiction in found.traits.contradictions:
        yield Finding(
            id="contradiction." + ".".join(contradiction.fields),
            severity="caution",
            state="fires",
            text=f"check the input: {contradiction.message}; the trait is taken as unknown",
            needs=tuple(contradiction.fields),
        )
    for class_id, reasons in zip(CLASSES, found.outside, strict=True):
        for number, reason in enumerate(reasons, start=1):
            yield Finding(
                id=f"outside-evidence.{class_id}.{number}",
                applies_to={"class": class_id},
                severity="caution",
                state="fires",
                text=f"outside the evidence: {reason}; intervals are widened",
            )
    ends = [end.tolist() for end in numeric_range(found.model)]
    for position, trait in enumerate(MODEL_TRAITS):
        value = model_scale(trait.id, found.traits[trait.id].value)
        low, high = ends[0][position], ends[1][position]
        if trait.kind != "binary" and value is not None and not low <= value <= high:
            span = f"{natural_scale(trait.id, low):.0f} to {natural_scale(trait.id, high):.0f}"
            yield Finding(
                id=f"held.{trait.id}",
                severity="information",
                state="fires",
                text=f"{trait.label} beyond the central range of the studies ({span}): its effect is held at the edge",
                value=found.traits[trait.id].text,
                threshold=span,
            )


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Order by rank, what fires before what cannot be judged; unverified ones last whatever their rank."""
    return tuple(
        sorted(findings, key=lambda f: (f.basis == UNVERIFIED, SEVERITIES.index(f.severity), f.state != "fires"))
    )


def rule_findings(book: RuleBook, facts: Facts, region: str, on: date) -> tuple[Finding, ...]:
    """What the rules say, in the order of the files."""
    return tuple(_finding(fired) for fired in judge_rules(book, facts, region, on))


def _finding(fired: Fired) -> Finding:
    rule = fired.rule
    applies = {"class": fired.class_id} | ({"product": fired.product} if fired.product else {})
    return Finding(
        id=rule.id,
        applies_to=applies,
        severity=rule.severity,
        state=fired.state,
        text=rule.text,
        value=fired.value or None,
        threshold=fired.threshold,
        needs=fired.needs,
        sources=rule.sources,
        topic=rule.topic,
        origin=rule.origin,
        basis=rule.basis,
        date=rule.date,
        note=rule.note,
    )


def indications(
    book: RuleBook, facts: Facts, region: str, on: date, labels: Mapping[str, str]
) -> dict[str, Indication]:
    """Every product's label of the single agent, with its other regimens; ``labels`` are names of options."""
    judged = judge_labels(book, facts, region, on)
    result = {}
    for product in book.products:
        first, *others = (
            _indication(verdict, product, region, on, labels.get(product.id) or product.id.capitalize())
            for verdict in judged[product.id]
        )
        result[product.id] = first.model_copy(update={"other_regimens": tuple(others)}) if others else first
    return result


def _indication(verdict: LabelVerdict, product: Product, region: str, on: date, label: str) -> Indication:
    found = verdict.indication
    return Indication(
        state=verdict.state,
        region=region,
        date=on.isoformat(),
        items=tuple(_item(item) for item in verdict.items),
        label=label,
        class_id=product.class_id,
        regimen=verdict.regimen,
        approval=found.approval if found else None,
        since=found.since if found else None,
        until=found.until if found else None,
        sources=(found.source,) if found and found.source else (),
        basis=found.basis if found else None,
        note=found.note if found else "",
    )


def _item(item: ItemVerdict) -> IndicationItem:
    return IndicationItem(text=item.text, state=item.state, value=item.value or None, needs=item.needs)


@lru_cache(maxsize=16)
def practice(book: RuleBook, region: str, on: date) -> tuple[PracticalRow, ...]:
    """What giving each product takes; the same for every patient."""
    return tuple(
        PracticalRow(
            topic=row.topic.id,
            label=row.topic.label,
            shown=row.topic.shown,
            facts={
                product: tuple(
                    PracticalLine(
                        text=fact.text,
                        region=fact.region,
                        since=fact.since,
                        until=fact.until,
                        basis=fact.basis,
                        sources=(fact.source,) if fact.source else (),
                        note=fact.note,
                    )
                    for fact in facts
                )
                for product, facts in row.facts.items()
            },
        )
        for row in practical_rows(book, region, on)
    )


def score_lines(scores: ScoreBook, facts: Facts) -> tuple[ScoreLine, ...]:
    """Every score, in the order of the file; those about which nothing is known included."""
    return tuple(score_line(score, facts) for score in scores.every())


def score_line(score: AnyScore, facts: Facts) -> ScoreLine:
    """One score with its definition, validation and limits beside the result; a given stage stands as given."""
    about = score.about
    result = _given_stage(score, facts) or facts.scores[about.id]
    group = result.group if result.fields else None
    return ScoreLine(
        id=about.id,
        name=about.name,
        low=result.span.low if result.span else None,
        high=result.span.high if result.span else None,
        unit=_unit(score),
        highest=score.highest if isinstance(score, PointScore) else None,
        group=group,
        possible_groups=result.groups,
        outcomes=_outcomes(score, group),
        items=tuple(
            ScoreItemLine(label=item.label, text=item.text, points=_interval(item.points), missing=item.missing)
            for item in result.items
        ),
        needs=result.missing,
        applies_to=about.applies_to,
        definition=about.text,
        purpose=about.purpose,
        measured_at=about.measured_at,
        validation=about.validation,
        limits=about.limits,
        basis=about.basis,
        sources=about.sources,
        note=about.note,
    )


def _given_stage(score: AnyScore, facts: Facts) -> ScoreResult | None:
    given = getattr(facts.patient, score.gives) if isinstance(score, Staging) else None
    if not isinstance(score, Staging) or given is None:
        return None
    label = next(stage.label for stage in score.stages if stage.stage == given)
    text = f"{label_of(score.gives)} {label}, as given"
    return ScoreResult(score.about.id, Span.of(given), (label,), (ItemPoints(text, text, fields=(score.gives,)),))


def _interval(points: Span | None) -> tuple[float, float] | None:
    return None if points is None else (points.low, points.high)


def _unit(score: AnyScore) -> str:
    if isinstance(score, PointScore):
        return "points"
    return FIELDS[score.gives].unit if isinstance(score, (Formula, Conversion)) else ""


def _outcomes(score: AnyScore, group: str | None) -> tuple[str, ...]:
    if isinstance(score, PointScore):
        return next((each.outcomes for each in score.groups if each.label == group), ())
    return ()


def cited(
    findings: tuple[Finding, ...],
    labels: Mapping[str, Indication],
    practical: frozenset[str],
    scores: tuple[ScoreLine, ...],
    known: Mapping[str, Reference],
) -> tuple[Reference, ...]:
    """References of everything that is said here, each once, by key; ``practical`` are those of the practical facts."""
    keys = {key for finding in findings for key in finding.sources} | practical
    keys |= {key for label in labels.values() for each in (label, *label.other_regimens) for key in each.sources}
    keys |= {key for score in scores for key in score.sources}
    return tuple(known[key] for key in sorted(keys))


@lru_cache(maxsize=16)
def practical_sources(book: RuleBook, region: str, on: date) -> frozenset[str]:
    """Keys of the sources of the practical facts."""
    lines = (line for row in practice(book, region, on) for facts in row.facts.values() for line in facts)
    return frozenset(key for line in lines for key in line.sources)
