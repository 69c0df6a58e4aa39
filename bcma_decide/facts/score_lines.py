"""Scores of one patient as the `Comparison` carries them: definition and limits beside the result."""

from __future__ import annotations

from functools import lru_cache, partial

from bcma_decide.comparison import ScoreItemLine, ScoreLine
from bcma_decide.facts.alike import Alike
from bcma_decide.facts.facts import Facts, ItemPoints, ScoreResult
from bcma_decide.facts.reads import fields_of_score
from bcma_decide.logic import Span
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.phrases import label_of
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.pooled.score_book import AnyScore, Conversion, Formula, PointScore, Staging


def score_lines(facts: Facts) -> tuple[ScoreLine, ...]:
    """Every score, in the order of the file; those about which nothing is known included."""
    return tuple(each.of(facts) for each in _alike(facts.definitions))


@lru_cache(maxsize=4)
def _alike(definitions: Definitions) -> tuple[Alike[ScoreLine], ...]:
    return tuple(
        Alike(fields_of_score(score, definitions), partial(score_line, score)) for score in definitions.scores.every()
    )


def score_line(score: AnyScore, facts: Facts) -> ScoreLine:
    """One score with its definition, validation and limits beside the result; a given stage stands as given."""
    about = score.about
    result = _given_stage(score, facts) or facts.score(about.id)
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
