"""Inputs that cannot all be true: found by the table of the evidence, reported, and taken out before all judging."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from bcma_decide.facts.alike import Alike
from bcma_decide.facts.drug_history import HEADINGS, DrugHistory
from bcma_decide.facts.facts import COURSES, GIVEN_ONLY, Facts, Judgement
from bcma_decide.facts.reads import fields_of
from bcma_decide.patient.fields import FIELD_LABELS, in_sentence
from bcma_decide.patient.phrases import and_list
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.conditions import Drugs, HadCourse, leaves
from bcma_decide.pooled.definitions import Contradictory, Definitions


class Conflict(NamedTuple):
    """Inputs that contradict each other; of a list of drugs or courses only those named are in question."""

    fields: tuple[str, ...]
    message: str
    drugs: frozenset[str] = frozenset()
    courses: frozenset[str] = frozenset()
    """Kinds of them."""


def without_contradictions(patient: Patient, definitions: Definitions) -> tuple[Patient, tuple[Conflict, ...]]:
    """Return the patient without the inputs that contradict each other, and what those are.

    Repeated until nothing contradicts itself: every round takes at least one input out.
    """
    told: list[Conflict] = []
    while found := _conflicts(patient, definitions):
        told += [each for each in found if each.fields not in {before.fields for before in told}]
        patient = _without(patient, found)
    return patient, tuple(told)


def _conflicts(patient: Patient, definitions: Definitions) -> list[Conflict]:
    """Every conflict; one that holds only together with more inputs than another one needs is explained by that."""
    drugs = DrugHistory(patient, definitions)
    found: dict[frozenset[str], Conflict] = {}
    for each in (*_overlaps(drugs), *_by_table(patient, drugs)):
        found.setdefault(frozenset(each.fields), each)
    return [each for fields, each in found.items() if not any(smaller < fields for smaller in found)]


def _overlaps(drugs: DrugHistory) -> Iterator[Conflict]:
    for (first, second), named in drugs.overlaps.items():
        labels = f"{in_sentence(FIELD_LABELS[first])!r} and {in_sentence(FIELD_LABELS[second])!r}"
        stand = "stands" if len(named) == 1 else "stand"
        yield Conflict((first, second), f"{and_list(named)} {stand} under {labels}", frozenset(named))


def _by_table(patient: Patient, drugs: DrugHistory) -> Iterator[Conflict]:
    definitions = drugs.definitions
    known = patient.given().keys()
    # Only what was given can contradict something: nothing that is worked out from it is looked at.
    facts = Facts(patient, definitions, GIVEN_ONLY)
    for place, (entry, needs) in enumerate(
        zip(definitions.contradictions, definitions.contradiction_needs, strict=True)
    ):
        if needs <= known and (found := _judged(definitions, place).of(facts)).value:
            fields = _in_question(entry, found)
            if len(fields) > 1:
                yield _conflict(entry, fields, found.here, definitions)


@lru_cache(maxsize=256)
def _judged(definitions: Definitions, place: int) -> Alike[Judgement]:
    """The judgement of what was given by one entry, of which few can hold of anyone."""
    entry = definitions.contradictions[place]
    return Alike(fields_of(entry.when, definitions), lambda facts: facts.judge(entry.when))


def contradicts(entry: Contradictory, given: Facts) -> bool:
    """Whether an entry of the table holds of facts that are given only."""
    judged = given.judge(entry.when)
    return bool(judged.value) and len(_in_question(entry, judged)) > 1


def _in_question(entry: Contradictory, judged: Judgement) -> tuple[str, ...]:
    return tuple(name for name in judged.fields if name not in entry.context)


def _conflict(
    entry: Contradictory, fields: tuple[str, ...], here: tuple[str, ...], definitions: Definitions
) -> Conflict:
    beside = " and ".join(part for part in (", ".join(here[1:-1]), here[-1]) if part)
    for joint in (", ", " and "):
        beside = beside.replace(f"{joint}refractory to ", joint)  # said once, of all the drugs
    message = f"{here[0]} beside {beside}" + (f" ({entry.because})" if entry.because else "")
    parts = list(leaves(entry.when))
    drugs = [drug for part in parts if isinstance(part, Drugs) for drug in _members(part, definitions)]
    courses = [kind for part in parts if isinstance(part, HadCourse) for kind in part.kinds]
    return Conflict(fields, message, frozenset(drugs), frozenset(courses))


def _members(part: Drugs, definitions: Definitions) -> tuple[str, ...]:
    return part.drugs or definitions.agents(part.drug_class)


def _without(patient: Patient, conflicts: Iterable[Conflict]) -> Patient:
    for each in conflicts:
        kept: dict[str, object] = dict.fromkeys(each.fields)
        kept["between"] = tuple(span for span in patient.between if span.field not in each.fields)
        kept |= {
            name: tuple(drug for drug in getattr(patient, name) if drug not in each.drugs)
            for name in HEADINGS
            if name in kept
        }
        if COURSES in kept:
            kept[COURSES] = tuple(one for one in patient.prior_bcma_courses if one.kind not in each.courses)
        patient = patient.model_copy(update=kept)
    return patient
