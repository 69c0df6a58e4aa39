"""The form of the page as plain values: groups of fields, each with its words, its choices and what it holds now.

What is asked first stands apart from the groups, so that it is seen at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bcma_decide.errors import Problem
from bcma_decide.patient.fields import FIELDS, PANELS, ProfileField, definition_text
from bcma_decide.patient.reading import ROMAN
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.service.page.form_values import KIND, KINDS, MONTHS, NEVER, UNIT, asks_unit, is_chosen, listed
from bcma_decide.vocabulary import CourseKind

UNKNOWN: Final = "unknown"
FIRST: Final = (
    "age",
    "prior_lines",
    "extramedullary_disease",
    "high_risk_cytogenetics",
    "ecog",
    "creatinine_clearance",
    "prior_bcma",
    "prior_bcma_courses",
    "refractory_to",
)
"""Fields asked first: eight questions, one of them with a part for yes or no and a part for kind and time."""
_KIND_WORDS: Final[dict[CourseKind, str]] = {
    "adc": "antibody-drug conjugate",
    "car_t": "CAR-T",
    "bispecific": "bispecific antibody",
}


@dataclass(frozen=True)
class FormChoice:
    """One of several answers; an empty value is *unknown*."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class FormField:
    """One field: radio buttons where there are ``choices``, else a text with, perhaps, a unit to choose."""

    id: str
    label: str
    hint: str
    """What it means."""
    range: str
    """What may be answered."""
    text: str
    keyboard: str
    """Which one a telephone shows: *numeric* or *decimal*; empty for a list of words."""
    choices: tuple[FormChoice, ...]
    units: tuple[FormChoice, ...]
    unit: str
    """The only unit, where there is no choice."""
    boxes: tuple[tuple[str, tuple[FormChoice, ...]], ...]
    """Drugs to tick, by class; ``text`` then holds the others."""
    kinds: tuple[FormChoice, ...]
    """Kinds of the first course; ``text`` then holds the others."""
    months: str
    """Months since the first course."""
    errors: tuple[str, ...]
    source: str
    """Where the value is from, if not typed."""
    replaced: bool
    """Whether what the source gave has been replaced."""

    @property
    def known(self) -> bool:
        """Whether it holds an answer."""
        chosen = (choice.chosen for _, boxes in self.boxes for choice in boxes)
        never = (choice.chosen and choice.value == NEVER for choice in self.units)
        kind = (choice.chosen and choice.value for choice in self.kinds)
        return bool(self.text or self.months or any(chosen) or any(never) or any(kind))


@dataclass(frozen=True)
class FieldGroup:
    """The fields of one panel: those of the numbers, and those of the findings only."""

    id: str
    title: str
    fields: tuple[FormField, ...]
    further: tuple[FormField, ...]

    @property
    def open(self) -> bool:
        """Whether something in the group has to be mended."""
        return any(field.errors for field in (*self.fields, *self.further))

    @property
    def known(self) -> int:
        """How many of its fields hold an answer."""
        return sum(field.known for field in (*self.fields, *self.further))

    @property
    def count(self) -> int:
        """How many fields it has."""
        return len(self.fields) + len(self.further)


@dataclass(frozen=True)
class Form:
    """What is asked first, and the groups that hold everything else."""

    first: Mapping[str, FormField]
    groups: tuple[FieldGroup, ...]


@dataclass(frozen=True)
class Listed:
    """A problem in the list on top, with the element to go to; empty where the form has none."""

    target: str
    field: str
    label: str
    message: str


def form_of(
    definitions: Definitions,
    texts: Mapping[str, str],
    problems: Iterable[Problem] = (),
    sources: Mapping[str, str] | None = None,
    replaced: Iterable[str] = (),
) -> Form:
    """Arrange the form.

    Parameters
    ----------
    definitions
        Those of the evidence, for the words beside each field.
    texts
        What the controls hold.
    problems
        What is wrong with it.
    sources
        By field, where its value is from.
    replaced
        Fields whose value from there has been replaced.
    """
    errors: dict[str, list[str]] = {}
    for problem in problems:
        errors.setdefault(field_of(problem), []).append(_message(problem))
    gone = frozenset(replaced)
    shown = {
        field.id: _field(
            field,
            definitions,
            texts,
            tuple(errors.get(field.id, ())),
            (sources or {}).get(field.id, ""),
            field.id in gone,
        )
        for field in FIELDS.values()
    }
    later = [field for field in FIELDS.values() if field.id not in FIRST]
    groups = tuple(
        FieldGroup(
            f"g-{number}",
            panel,
            tuple(shown[each.id] for each in later if each.panel == panel and not each.findings_only),
            tuple(shown[each.id] for each in later if each.panel == panel and each.findings_only),
        )
        for number, panel in enumerate(PANELS, start=1)
    )
    return Form({name: shown[name] for name in FIRST}, groups)


def listed_problems(problems: Sequence[Problem], others: Mapping[str, str]) -> tuple[Listed, ...]:
    """Problems with the elements they concern; ``others`` are labels of further controls by name."""
    found = []
    for problem in problems:
        name = field_of(problem)
        label = FIELDS[name].label if name in FIELDS else others.get(name, problem.field)
        target = f"f-{name}" if name in FIELDS or name in others else ""
        found.append(Listed(target, name, label, _message(problem)))
    return tuple(found)


def field_of(problem: Problem) -> str:
    """The field a problem is about, without the place inside it."""
    return re.split(r"[.\[]", problem.field, maxsplit=1)[0]


def _message(problem: Problem) -> str:
    place = problem.field[len(field_of(problem)) :].lstrip(".")
    return str(Problem(place, problem.message, problem.fix))


def _field(
    field: ProfileField,
    definitions: Definitions,
    texts: Mapping[str, str],
    errors: tuple[str, ...],
    source: str,
    replaced: bool,
) -> FormField:
    text = texts.get(field.id, "")
    chosen = is_chosen(field)
    boxes, text = _boxes(field, definitions, text)
    return FormField(
        id=field.id,
        label=field.label,
        hint=definition_text(field, definitions),
        range="" if chosen else _range(field),
        text=text,
        keyboard={"whole": "numeric", "quantity": "decimal"}.get(field.kind, ""),
        choices=_choices(field, text) if chosen else (),
        units=_units(field, texts.get(field.id + UNIT, "")) if asks_unit(field) else (),
        unit="" if asks_unit(field) else field.unit,
        boxes=boxes,
        kinds=_kinds(texts.get(field.id + KIND, "")) if field.kind == "courses" else (),
        months=texts.get(field.id + MONTHS, ""),
        errors=errors,
        source=source,
        replaced=replaced,
    )


def _boxes(
    field: ProfileField, definitions: Definitions, text: str
) -> tuple[tuple[tuple[str, tuple[FormChoice, ...]], ...], str]:
    """Drugs of the classes that are counted, ticked where they are named, and the text without them."""
    if field.kind != "drugs" or field.id not in FIRST:
        return (), text
    named = listed(text)
    classes = dict.fromkeys(need.drug_class for count in definitions.drug_counts for need in count.needs)
    boxes = tuple(
        (
            definitions.class_label(each),
            tuple(FormChoice(drug, drug, drug in named) for drug in definitions.agents(each)),
        )
        for each in classes
    )
    offered = {choice.value for _, choices in boxes for choice in choices}
    return boxes, ", ".join(name for name in named if name not in offered)


def _kinds(kind: str) -> tuple[FormChoice, ...]:
    none = FormChoice("", "kind", kind not in KINDS)
    return (none, *(FormChoice(each, _KIND_WORDS[each], each == kind) for each in KINDS))


def _range(field: ProfileField) -> str:
    if field.kind not in ("whole", "quantity"):
        return f"{field.answer[0].upper()}{field.answer[1:]}"
    span = f"{field.low:g} to {field.high:g} {field.unit}".strip()
    return f"{span}, or {NEVER}" if field.never else span


def _choices(field: ProfileField, text: str) -> tuple[FormChoice, ...]:
    if field.kind == "yes_no":
        words = ("positive", "negative") if field.test else ("yes", "no")
        answers = list(zip(("yes", "no"), words, strict=True))
    elif field.kind == "choice":
        answers = [(name, name) for name, _ in field.choices]
    else:
        numbers = range(int(field.low), int(field.high) + 1)
        answers = [(str(n), ROMAN[n] if field.kind == "stage" else str(n)) for n in numbers]
    known = text in {value for value, _ in answers}
    return (FormChoice("", UNKNOWN, not known), *(FormChoice(value, label, value == text) for value, label in answers))


def _units(field: ProfileField, unit: str) -> tuple[FormChoice, ...]:
    """Units to choose from; where a bare number would be ambiguous, none is chosen beforehand."""
    names = [unit.name for unit in field.units] + ([NEVER] if field.never else [])
    chosen = unit if unit in names else field.unit if field.unit_optional else ""
    none = () if field.unit_optional else (FormChoice("", "unit", not chosen),)
    return (*none, *(FormChoice(name, name, name == chosen) for name in names))
