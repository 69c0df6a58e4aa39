"""Which fields of a profile a condition, trait or number can rest on: what else is known does not touch it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from bcma_decide.facts.drug_history import HEADINGS, SUMMARIES
from bcma_decide.facts.measures import CREATININE, RATE, formula_inputs
from bcma_decide.patient.fields import FIELDS
from bcma_decide.pooled.conditions import (
    Condition,
    Drugs,
    Every,
    HadCourse,
    Is,
    IsKnown,
    Not,
    OneOf,
    Score,
    Some,
    Times,
    Within,
    leaves,
)
from bcma_decide.pooled.definitions import AnyOf, CutOff, Definitions, DrugCount, FromScore, Stage
from bcma_decide.pooled.score_book import AnyScore, Conversion, Formula, PointScore, ScoreItem

_NONE: frozenset[str] = frozenset()


@lru_cache(maxsize=512)
def fields_of(condition: Condition, definitions: Definitions) -> frozenset[str]:
    """Fields that a condition can rest on."""
    match condition:
        case Not() | Every() | Some():
            return _NONE.union(*(fields_of(leaf, definitions) for leaf in leaves(condition)))
        case Drugs() | HadCourse():
            return _drug_fields(definitions)
        case Score(name):
            score = definitions.scores.find(name)
            return _NONE if score is None else fields_of_score(score, definitions)
        case Times(trait, other):
            formula = definitions.scores.find(other)
            base = _of_number(other, definitions) if formula is None else fields_of_score(formula, definitions)
            return _of_number(trait, definitions) | base
        case _:
            return fields_of_trait(condition.trait, definitions)


@lru_cache(maxsize=512)
def fields_of_trait(trait: str, definitions: Definitions) -> frozenset[str]:
    """Fields that a trait or number can rest on."""
    own = frozenset({trait} & FIELDS.keys())
    ruled_out = [fields_of(rule.when, definitions) for rule in definitions.ruled_out if rule.id == trait]
    return own.union(_of_number(trait, definitions), _by_definition(trait, definitions), *ruled_out)


def _by_definition(trait: str, definitions: Definitions) -> frozenset[str]:
    if trait in SUMMARIES:
        return _drug_fields(definitions)
    match definitions.by_id.get(trait):
        case AnyOf(fields=fields):
            return frozenset(fields)
        case CutOff(field=field, or_any_of=others):
            return _of_number(field, definitions).union(others)
        case DrugCount():
            return frozenset((*HEADINGS, *(each.id for each in definitions.drug_counts)))
        case FromScore(score=score):
            return _of_scores([score], definitions)
        case Stage(score=score):
            given = frozenset(each.field for each in definitions.stages)
            return given | _of_scores([score], definitions)
        case _:
            return _NONE


def _drug_fields(definitions: Definitions) -> frozenset[str]:
    """All that says which drugs failed or were given: headings, summaries, counts and courses refer to each other."""
    counts = (each.id for each in definitions.drug_counts)
    return frozenset((*HEADINGS, *SUMMARIES, *counts, "prior_bcma_courses", "progression_on_bcma"))


def _of_number(name: str, definitions: Definitions) -> frozenset[str]:
    """A number, and all it could be worked out from."""
    book = definitions.scores
    sources: list[AnyScore] = [*book.conversions, *book.formulas, *book.stagings]
    own = frozenset({name} & FIELDS.keys())
    return own.union(*(fields_of_score(each, definitions) for each in sources if _gives(each) == name))


def _gives(score: AnyScore) -> str:
    return "" if isinstance(score, PointScore) else score.gives


def _of_scores(names: Iterable[str], definitions: Definitions) -> frozenset[str]:
    found = (definitions.scores.find(name) for name in names)
    return _NONE.union(*(fields_of_score(score, definitions) for score in found if score is not None))


def fields_of_score(score: AnyScore, definitions: Definitions) -> frozenset[str]:
    """Fields that a score can rest on."""
    if isinstance(score, Conversion):
        return frozenset({score.takes})
    if isinstance(score, Formula):
        behind = {RATE} if CREATININE in formula_inputs(score) else _NONE
        return frozenset((*formula_inputs(score), *behind, "sex", "dialysis"))
    if isinstance(score, PointScore):
        return _NONE.union(*(fields_of_item(item, definitions) for item in score.items))
    when = (stage.when for stage in score.stages)
    return frozenset({score.gives}).union(*(fields_of(each, definitions) for each in when if each is not None))


def fields_of_item(item: ScoreItem, definitions: Definitions) -> frozenset[str]:
    """Fields that an item of a score can rest on."""
    return _of_number(str(item.field), definitions) if item.when is None else fields_of(item.when, definitions)


def fields_said(condition: Condition, definitions: Definitions) -> frozenset[str]:
    """Fields that a condition can rest on where nothing follows from what was said."""
    match condition:
        case Not() | Every() | Some():
            return _NONE.union(*(fields_said(leaf, definitions) for leaf in leaves(condition)))
        case Is(trait) | IsKnown(trait) | OneOf(trait) | Within(trait):
            return frozenset({trait})
        case Times(trait, other):
            formula = definitions.scores.find(other)
            return frozenset({trait}) | (
                frozenset({other}) if formula is None else fields_of_score(formula, definitions)
            )
        case _:
            return fields_of(condition, definitions)
