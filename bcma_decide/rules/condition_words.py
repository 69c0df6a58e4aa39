"""Conditions in words, as they stand beside the patient's value."""

from __future__ import annotations

from bcma_decide.facts.measures import NUMERIC
from bcma_decide.patient.fields import FIELDS, or_list
from bcma_decide.patient.phrases import COURSE_KINDS, label_of, yes_no
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
)
from bcma_decide.pooled.definitions import Definitions


def condition_words(condition: Condition, definitions: Definitions) -> str:
    """Write a condition as it stands beside the patient's value: ``creatinine clearance below 30 mL/min``."""
    match condition:
        case Not(part):
            return f"not ({condition_words(part, definitions)})"
        case Every(parts):
            return " and ".join(_nested(part, definitions) for part in parts)
        case Some(parts):
            return " or ".join(_nested(part, definitions) for part in parts)
        case Is(trait, value) if yes_no(value, trait) in ("positive", "negative"):
            return f"{label_of(trait)} {yes_no(value, trait)}"
        case Is(trait, value):
            return label_of(trait) if value else f"no {label_of(trait)}"
        case IsKnown(trait, value) if trait in NUMERIC:
            return f"{label_of(trait)} {'known' if value else 'not known'} to the number"
        case IsKnown(trait, value):
            return f"{label_of(trait)} {'known' if value else 'not known'}"
        case OneOf(trait, values):
            return f"{label_of(trait)} {or_list([str(value) for value in values])}"
        case Within(trait, bounds, unit):
            return f"{label_of(trait)} {bounds.words('' if FIELDS[trait].kind == 'whole' and trait != 'age' else unit)}"
        case Times(trait, other, bounds):
            score = definitions.scores.find(other)
            return f"{label_of(trait)} {bounds.words()} times {score.about.name if score else label_of(other)}"
        case Drugs(state, drugs, drug_class, at_least):
            label = or_list(drugs) if drugs else definitions.class_label(drug_class)
            count = f"{at_least} or more of " if at_least > 1 else ""
            return f"{'refractory to' if state == 'refractory' else 'given'} {count}{label}"
        case HadCourse(kinds, months):
            names = or_list([COURSE_KINDS[kind] for kind in kinds])
            when = f", {months.words('months').replace('below', 'less than')} ago" if months.edges else ""
            return f"earlier BCMA {names}{when}"
        case Score(name, bounds):
            score = definitions.scores.find(name)
            return f"{score.about.name if score else name} {bounds.words()}"


def _nested(part: Condition, definitions: Definitions) -> str:
    words = condition_words(part, definitions)
    return f"({words})" if isinstance(part, (Every, Some)) else words
