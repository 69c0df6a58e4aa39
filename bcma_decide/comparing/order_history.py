"""What a patient had of both classes before, and the same patient after one more therapy."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from bcma_decide.facts.drug_history import against_bcma
from bcma_decide.facts.facts import Facts
from bcma_decide.patient.profile import Patient
from bcma_decide.patient.reading import Course
from bcma_decide.pooled.conditions import HadCourse
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.pooled.rule_book import RuleBook
from bcma_decide.vocabulary import CLASSES, KIND_OF_CLASS, CourseKind


class Earlier(NamedTuple):
    """A kind of BCMA therapy that was given: months since its last dose, and its products, as far as they are known."""

    kind: CourseKind
    months: float | None = None
    products: tuple[str, ...] = ()


def earlier_therapies(facts: Facts, book: RuleBook) -> tuple[Earlier, ...]:
    """Every kind of BCMA therapy that was given, the latest first; of unknown time last."""
    found = [_earlier(facts, kind, book) for kind in ("car_t", "bispecific", "adc") if had(facts, kind)]
    return tuple(sorted(found, key=lambda each: inf if each.months is None else each.months))


def had(facts: Facts, kind: CourseKind) -> bool | None:
    """Whether a BCMA therapy of this kind was given; None where that is not known."""
    return facts.judge(HadCourse((kind,))).value


def open_classes(facts: Facts) -> bool:
    """Whether it is not known of either class if it was given before."""
    return any(had(facts, KIND_OF_CLASS[class_id]) is None for class_id in CLASSES)


def _earlier(facts: Facts, kind: CourseKind, book: RuleBook) -> Earlier:
    courses = [course for course in facts.patient.prior_bcma_courses if course.kind == kind]
    known = [course.months_since for course in courses if course.months_since is not None]
    inns = [drug for drug in _of_kind(kind, facts.definitions) if facts.drugs.exposed[drug]]
    products = tuple(product.id for product in book.products if product.inn in inns)
    return Earlier(kind, min(known, default=None), products)


def _of_kind(kind: CourseKind, definitions: Definitions) -> tuple[str, ...]:
    return tuple(drug.id for drug in definitions.drugs if drug.modality == kind and against_bcma(drug))


def after(patient: Patient, kind: CourseKind, definitions: Definitions) -> Patient:
    """The same patient once one more BCMA therapy has been given: one more line, all else as it is known now.

    When it was given is left open: the next therapy comes whenever the disease is back.
    """
    lines, given = patient.prior_lines, _of_kind(kind, definitions)
    between = tuple(
        each._replace(low=each.low + 1, high=each.high + 1) if each.field == "prior_lines" else each
        for each in patient.between
    )
    return patient.model_copy(
        update={
            "prior_bcma": True,
            "prior_t_cell_redirection": True,
            "prior_bcma_courses": (*patient.prior_bcma_courses, Course(kind)),
            "prior_lines": None if lines is None else lines + 1,
            "between": between,
            "naive_to": tuple(drug for drug in patient.naive_to if drug not in given),
        }
    )
