"""A profile as a form holds it, one text for each control, and back.

A number may come with its unit in the text (``2.1 mg/dL``) or with the unit chosen beside it; a number without any
unit is left as it is, and the profile says what it needs. The first of several courses has controls of its own, for
its kind and its months; the others stand in a text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, get_args

from bcma_decide.errors import Problem, quote
from bcma_decide.patient.fields import FIELDS, ProfileField
from bcma_decide.patient.names import LABS
from bcma_decide.patient.numerals import is_bare, plain_text
from bcma_decide.patient.quantities import find_unit, read_whole
from bcma_decide.patient.reading import Unreadable, is_unknown, read_choice, read_stage, read_yes_no
from bcma_decide.vocabulary import CourseKind

UNIT: Final = ".unit"
"""Ends the name of the control that holds a field's unit."""
KIND: Final = ".kind"
MONTHS: Final = ".months"
"""End the names of the controls that hold the first course."""
KINDS: Final[tuple[CourseKind, ...]] = get_args(CourseKind)
NEVER: Final = "never"
LONGEST: Final = 2_000
"""Characters a control may hold."""
_FEW: Final = 6

_CHOSEN: Final = {"yes_no": read_yes_no, "stage": read_stage, "choice": read_choice, "whole": read_whole}
"""How a value becomes the name of a choice, by kind of field."""


def is_chosen(field: ProfileField) -> bool:
    """Whether the form offers every answer to choose from."""
    few_numbers = field.kind == "whole" and not field.units and field.high - field.low < _FEW
    return field.kind in ("yes_no", "stage", "choice") or few_numbers


def asks_unit(field: ProfileField) -> bool:
    """Whether a unit is chosen beside the number."""
    return field.kind == "quantity" and (len(field.units) > 1 or field.never)


def _controls(field: ProfileField) -> tuple[str, ...]:
    beside = (KIND, MONTHS) if field.kind == "courses" else (UNIT,) if asks_unit(field) else ()
    return (field.id, *(field.id + ending for ending in beside))


CONTROLS: Final = frozenset(name for field in FIELDS.values() for name in _controls(field))
"""Names of all controls that hold a field of the profile."""
TAKEN: Final = CONTROLS | {LABS}
"""What a form may send of a profile: its fields, and a pasted list of laboratory values."""
LISTS: Final = frozenset(field.id for field in FIELDS.values() if field.kind == "drugs")
"""Those that may be sent several times: a box for each of the usual drugs, and a text for others."""


def field_of_control(name: str) -> str:
    """The field a control belongs to."""
    return name.partition(".")[0]


def profile_of(texts: Mapping[str, str]) -> dict[str, Any]:
    """The fields that are known, unchecked, from the texts of a form."""
    found = {}
    for field in FIELDS.values():
        text = _courses(field, texts) if field.kind == "courses" else _answer(field, texts)
        if not is_unknown(text):
            found[field.id] = text
    if listed := texts.get(LABS, "").strip():
        found[LABS] = listed
    return found


def too_long(texts: Mapping[str, str]) -> list[Problem]:
    """A problem for each text that cannot be meant."""
    return [
        Problem(field_of_control(name), f"{len(text)} characters", f"at most {LONGEST}")
        for name, text in texts.items()
        if len(text) > LONGEST
    ]


def _courses(field: ProfileField, texts: Mapping[str, str]) -> str:
    kind, months, others = (texts.get(field.id + ending, "").strip() for ending in (KIND, MONTHS, ""))
    first = f"{kind}:{months}" if months else kind
    return ", ".join(part for part in (first, others) if part)


def _answer(field: ProfileField, texts: Mapping[str, str]) -> str:
    text, unit = texts.get(field.id, "").strip(), texts.get(field.id + UNIT, "")
    if not text:
        return NEVER if unit == NEVER and field.never else ""
    return f"{text} {unit}" if unit and is_bare(text) else text


def texts_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Texts of a form from the fields of a profile as they stand in a file; what cannot be read stays as it is."""
    texts: dict[str, str] = {}
    for name, value in values.items():
        if name == LABS and isinstance(value, str):
            texts[LABS] = value
        elif name in FIELDS and not is_unknown(value):
            texts |= _texts(FIELDS[name], value)
    return texts


def _texts(field: ProfileField, value: object) -> dict[str, str]:
    if is_chosen(field):
        return {field.id: _choice(field, value)}
    if field.kind == "quantity":
        return _quantity(field, value)
    parts = [_part(each) for each in value] if isinstance(value, (list, tuple)) else listed(_part(value))
    if field.kind == "courses" and parts:
        kind, _, months = parts[0].partition(":")
        if kind.strip() in KINDS:
            texts = {field.id + KIND: kind.strip(), field.id + MONTHS: months.strip(), field.id: ", ".join(parts[1:])}
            return {name: text for name, text in texts.items() if text}
    return {field.id: ", ".join(parts)}


def listed(text: str) -> list[str]:
    """Entries of a list as somebody types it."""
    return [part for part in map(str.strip, re.split(r"[,;\n]", text)) if part]


def _choice(field: ProfileField, value: object) -> str:
    try:
        chosen = _CHOSEN[field.kind](field, value).value
    except Unreadable:
        return _part(value)
    if chosen is None:
        return _part(value)
    return ("yes" if chosen else "no") if isinstance(chosen, bool) else str(chosen)


def _quantity(field: ProfileField, value: object) -> dict[str, str]:
    if isinstance(value, Mapping):
        value = f"{value.get('value', '')} {value.get('unit', '')}"
    text = _part(value)
    if not asks_unit(field):
        return {field.id: text}
    if field.never and text.casefold() == NEVER:
        return {field.id: "", field.id + UNIT: NEVER}
    number, _, written = plain_text(text).partition(" ")
    unit = find_unit(field, written) if written and is_bare(number) else None
    return {field.id: number, field.id + UNIT: unit.name} if unit else {field.id: text}


def _part(value: object) -> str:
    if isinstance(value, Mapping):
        kind, months = value.get("kind"), value.get("months_since")
        return f"{kind}" if is_unknown(months) else f"{kind}:{months}"
    return str(value) if isinstance(value, (str, int, float)) and len(str(value)) <= LONGEST else quote(value)
