"""The form of the page as plain values: groups of fields, each with its words, its choices and what it holds now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bcma_decide.errors import Problem
from bcma_decide.patient.fields import FIELDS, PANELS, ProfileField, definition_text
from bcma_decide.patient.reading import ROMAN
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.service.page.form_values import NEVER, UNIT, asks_unit, is_chosen

UNKNOWN: Final = "unknown"


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
    errors: tuple[str, ...]
    source: str
    """Where the value is from, if not typed."""
    replaced: bool
    """Whether what the source gave has been replaced."""

    @property
    def known(self) -> bool:
        """Whether it holds an answer."""
        return bool(self.text) or any(choice.chosen and choice.value == NEVER for choice in self.units)


@dataclass(frozen=True)
class FieldGroup:
    """The fields of one panel: those of the numbers, and those of the findings only."""

    id: str
    title: str
    fields: tuple[FormField, ...]
    further: tuple[FormField, ...]

    @property
    def further_open(self) -> bool:
        """Whether there is something to see among the further ones."""
        return any(field.known or field.errors or field.source for field in self.further)


@dataclass(frozen=True)
class Listed:
    """A problem in the list on top, with the element to go to; empty where the form has none."""

    target: str
    field: str
    label: str
    message: str


def form_groups(
    definitions: Definitions,
    texts: Mapping[str, str],
    problems: Iterable[Problem] = (),
    sources: Mapping[str, str] | None = None,
    replaced: Iterable[str] = (),
) -> tuple[FieldGroup, ...]:
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
    by_panel: dict[str, list[tuple[ProfileField, FormField]]] = {panel: [] for panel in PANELS}
    for field in FIELDS.values():
        said = (sources or {}).get(field.id, "")
        shown = _field(field, definitions, texts, tuple(errors.get(field.id, ())), said, field.id in gone)
        by_panel[field.panel].append((field, shown))
    return tuple(
        FieldGroup(
            f"g-{number}",
            panel,
            tuple(shown for field, shown in by_panel[panel] if not field.findings_only),
            tuple(shown for field, shown in by_panel[panel] if field.findings_only),
        )
        for number, panel in enumerate(PANELS, start=1)
    )


def listed(problems: Sequence[Problem], others: Mapping[str, str]) -> tuple[Listed, ...]:
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
        errors=errors,
        source=source,
        replaced=replaced,
    )


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
