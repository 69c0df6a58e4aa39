"""Small phrases that many texts share: lists, yes and no, labels inside a sentence, courses, spans."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

from bcma_decide.logic import Span
from bcma_decide.patient.fields import FIELD_LABELS, FIELDS, in_sentence, or_list
from bcma_decide.patient.reading import Course
from bcma_decide.vocabulary import TRAIT_LABELS

COURSE_KINDS: Final = {"adc": "antibody-drug conjugate", "car_t": "CAR-T", "bispecific": "bispecific antibody"}


@cache
def label_of(trait: str) -> str:
    """Label of a field or trait inside a sentence."""
    return in_sentence(FIELD_LABELS.get(trait) or TRAIT_LABELS[trait])


def span_text(span: Span) -> str:
    """Write a span of points: ``3``, ``1 to 4``."""
    return f"{span.low:g}" if span.exact else f"{span.low:g} to {span.high:g}"


def points_text(span: Span) -> str:
    """Write points with their word: ``1 point``, ``0 to 4 points``."""
    written = span_text(span)
    return f"{written} {'point' if written == '1' else 'points'}"


def course_text(course: Course) -> str:
    """Write a course of BCMA therapy: ``CAR-T (7 months ago)``."""
    return str(course).replace(course.kind, COURSE_KINDS[course.kind], 1)


def and_list(words: Iterable[str]) -> str:
    """Write ``a``, ``a and b``, ``a, b and c``."""
    return or_list(list(words)).replace(" or ", " and ")


def yes_no(value: bool, trait: str = "") -> str:
    """Write the word for it; of a test, *positive* or *negative*."""
    if trait in FIELDS and FIELDS[trait].test:
        return "positive" if value else "negative"
    return "yes" if value else "no"
