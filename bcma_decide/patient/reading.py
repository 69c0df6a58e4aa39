"""Reading one value of a profile: text, numbers, words, drugs, courses and laboratory quantities.

Every function returns the value, or None for *unknown*, or raises :class:`Unreadable` with what is wrong and
how to mend it. Text is taken as people and forms write it; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import inf, isfinite
from typing import Any, Final, NamedTuple, cast

from bcma_decide.errors import closest, quote
from bcma_decide.patient.field import ProfileField, Unit, or_list
from bcma_decide.pooled.definitions import Definitions, fold
from bcma_decide.vocabulary import CourseKind

UNKNOWN_WORDS: Final = frozenset({"", "unknown", "?"})
NEVER_WORDS: Final = frozenset({"never", "none"})
_YES: Final = frozenset({"yes", "y", "true", "present", "positive"})
_NO: Final = frozenset({"no", "n", "false", "absent", "negative"})
ROMAN: Final = ("", "I", "II", "III")
_STAGES: Final = {"1": 1, "2": 2, "3": 3, "i": 1, "ii": 2, "iii": 3}
_KINDS: Final[dict[str, CourseKind]] = {
    "adc": "adc",
    "antibodydrugconjugate": "adc",
    "cart": "car_t",
    "bispecific": "bispecific",
    "bispecificantibody": "bispecific",
    "bsab": "bispecific",
}
_NUMBER: Final = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![0-9.,])")


@dataclass(frozen=True)
class Quantity:
    """A laboratory value in the unit its field keeps."""

    value: float
    unit: str

    def __str__(self) -> str:
        """Value and unit; a time infinitely long ago is *never*."""
        unit = self.unit.removesuffix("s") if self.value == 1 and self.unit.isalpha() else self.unit
        return "never" if self.value == inf else f"{self.value:.6g} {unit}"


@dataclass(frozen=True)
class Course:
    """One earlier course of BCMA therapy; months since its last dose or infusion, None if not known."""

    kind: CourseKind
    months_since: float | None = None

    def __str__(self) -> str:
        """Kind and time."""
        since = "time unknown" if self.months_since is None else f"{self.months_since:g} months ago"
        return f"{self.kind} ({since})"


class Fault(NamedTuple):
    """One thing wrong with a value; ``at`` is where inside it."""

    message: str
    fix: str = ""
    at: str = ""


class Unreadable(ValueError):  # noqa: N818  # never leaves the profile: it becomes a ProfileError
    """A value that cannot be read."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__("; ".join(fault.message for fault in faults))


def is_unknown(value: object) -> bool:
    """Whether a value says that it is not known."""
    return value is None or (isinstance(value, str) and value.strip().casefold() in UNKNOWN_WORDS)


def read_yes_no(field: ProfileField, value: object) -> bool | None:
    """Yes, no, or one of their accepted words."""
    del field
    if is_unknown(value):
        return None
    if isinstance(value, bool):
        return value
    word = value.strip().casefold() if isinstance(value, str) else ""
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise Unreadable(Fault(f"{quote(value)} is neither yes nor no", "yes, no or unknown"))


def read_stage(field: ProfileField, value: object) -> int | None:
    """Stage 1 to 3, or I to III."""
    if is_unknown(value):
        return None
    word = str(value).strip().casefold() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if word not in _STAGES:
        raise Unreadable(Fault(f"{quote(value)} is not a stage", f"{field.answer}, or unknown"))
    return _STAGES[word]


def read_choice(field: ProfileField, value: object) -> str | None:
    """One of the field's choices, by its name or another spelling of it."""
    if is_unknown(value):
        return None
    word = value.strip().casefold() if isinstance(value, str) else ""
    for name, spellings in field.choices:
        if word in (name, *spellings):
            return name
    raise Unreadable(Fault(f"{quote(value)} is none of the choices", f"{field.answer}, or unknown"))


def read_whole(field: ProfileField, value: object) -> int | None:
    """Read a whole number inside the field's range."""
    if is_unknown(value):
        return None
    number, unit = _split(field, value)
    if unit and unit.casefold() not in {s.casefold() for u in field.units for s in (u.name, *u.spellings)}:
        raise Unreadable(Fault(f"{quote(value)} is not a whole number", field.answer))
    if number != int(number):
        raise Unreadable(Fault(f"{quote(value)} is not a whole number", field.answer))
    _check_range(field, number, quote(value))
    return int(number)


def read_quantity(field: ProfileField, value: object) -> Quantity | None:
    """Read a number with a unit, as text or as ``{value, unit}``, kept in the field's first unit."""
    if is_unknown(value):
        return None
    if isinstance(value, Quantity):
        if field.never and value.value == inf:
            return value
        value = {"value": value.value, "unit": value.unit}
    if field.never and isinstance(value, str) and value.strip().casefold() in NEVER_WORDS:
        return Quantity(inf, field.unit)
    accepted = or_list([unit.name for unit in field.units])
    if isinstance(value, Mapping):
        value = dict(value)
        if set(value) != {"value", "unit"} or not isinstance(value["unit"], str):
            raise Unreadable(Fault("a mapping here has the keys value and unit", f"'{field.example}'"))
        if is_unknown(value["value"]):
            return None
        number, rest = _split(field, value["value"])
        if rest:
            raise Unreadable(Fault(f"{quote(value['value'])} is not a number", "put the unit under unit"))
        written = value["unit"].strip()
    else:
        number, written = _split(field, value)
    if not written and not field.unit_optional:
        raise Unreadable(Fault(f"{quote(_text(value))} has no unit; use {accepted}"))
    unit = find_unit(field, written) if written else field.units[0]
    if unit is None:
        raise Unreadable(Fault(f"{quote(written)} is not a unit for it; use {accepted}"))
    if not written and unit.name == "%" and 0 < number < 1:
        raise Unreadable(Fault(f"{quote(value)} may be a fraction or a percentage", "write the unit, as in '60 %'"))
    canonical = field.units[0]
    kept = number if unit is canonical else converted_quantity(number, unit, canonical)
    _check_range(field, kept, f"{number:g} {unit.name}")
    return Quantity(kept, canonical.name)


def read_drugs(field: ProfileField, value: object, definitions: Definitions) -> tuple[str, ...]:
    """International names of drugs, in the order of the definitions; a class is not a drug."""
    del field
    if is_unknown(value):
        return ()
    if isinstance(value, str):
        value = [part.strip() for part in re.split(r"[,;\n]", value) if part.strip()]
    if not isinstance(value, (list, tuple)):
        raise Unreadable(Fault(f"{quote(value)} is not a list of drugs", "names, separated by commas"))
    named: set[str] = set()
    faults: list[Fault] = []
    for word in value:
        folded = fold(word) if isinstance(word, str) else ""
        if drug := definitions.drug_names.get(folded):
            named.add(drug.id)
        elif drug_class := definitions.class_words.get(folded):
            agents = definitions.agents(drug_class.id)
            faults.append(Fault(f"{quote(word)} is a class, not a drug", f"name the drug: {or_list(agents)}"))
        elif isinstance(word, str) and is_unknown(word):
            faults.append(Fault("'unknown' stands among drugs", "leave out what is not known"))
        else:
            known = [name.casefold() for drug in definitions.drugs for name in (drug.id, *drug.names)]
            hint = closest(word, known) if isinstance(word, str) else "names, separated by commas"
            faults.append(Fault(f"{quote(word)} is not a drug known here", hint or "use the international name"))
    if faults:
        raise Unreadable(*faults)
    return tuple(drug.id for drug in definitions.drugs if drug.id in named)


def read_courses(field: ProfileField, value: object) -> tuple[Course, ...]:
    """Courses as ``kind:months`` or ``{kind, months_since}``."""
    if is_unknown(value):
        return ()
    if isinstance(value, str):
        value = [part.strip() for part in re.split(r"[,;\n]", value) if part.strip()]
    elif isinstance(value, (Mapping, Course)):
        value = [value]
    if not isinstance(value, (list, tuple)):
        raise Unreadable(Fault(f"{quote(value)} is not a list of courses", field.answer))
    courses: list[Course] = []
    faults: list[Fault] = []
    for number, entry in enumerate(value, start=1):
        try:
            courses.append(_course(field, entry))
        except Unreadable as error:
            faults.extend(Fault(fault.message, fault.fix, f"[{number}]{fault.at}") for fault in error.faults)
    if faults:
        raise Unreadable(*faults)
    return tuple(courses)


def _course(field: ProfileField, entry: object) -> Course:
    if isinstance(entry, Course):
        entry = {"kind": entry.kind, "months_since": entry.months_since}
    if isinstance(entry, str):
        kind, _, since = entry.partition(":")
        entry = {"kind": kind, "months_since": since}
    if not isinstance(entry, Mapping) or not {"kind"} <= set(entry) <= {"kind", "months_since"}:
        raise Unreadable(Fault(f"{quote(entry)} is not a course", "the keys kind and months_since"))
    given: Any = entry["kind"]
    kind_id = _KINDS.get("".join(c for c in given.casefold() if c.isalnum())) if isinstance(given, str) else None
    if kind_id is None:
        raise Unreadable(Fault(f"{quote(given)} is not a kind of BCMA therapy", "adc, car_t or bispecific", ".kind"))
    months = entry.get("months_since")
    if is_unknown(months):
        return Course(kind_id)
    try:
        number, unit = _split(field, months)
        _check_range(field, number, quote(months), "months")
    except Unreadable as error:
        raise Unreadable(*(Fault(f.message, f.fix, ".months_since") for f in error.faults)) from None
    if unit.casefold() not in {"", "months", "month", "mo"}:
        raise Unreadable(Fault(f"{quote(months)} is not a number of months", "a number", ".months_since"))
    return Course(kind_id, number)


def _text(value: object) -> object:
    return f"{value:g}" if isinstance(value, float) else str(value) if isinstance(value, int) else value


def _split(field: ProfileField, value: object) -> tuple[float, str]:
    """Split into a number and whatever follows it."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Unreadable(Fault(f"{quote(value)} is not a number", f"{field.answer}, or unknown"))
    if isinstance(value, str):
        text = value.strip().replace("−", "-")
        found = _NUMBER.match(text)
        if found is None:
            separator = re.match(r"[+-]?[0-9.]*,[0-9]", text)
            fix = "write numbers with a point and without separators" if separator else f"{field.answer}, or unknown"
            raise Unreadable(Fault(f"{quote(value)} is not a number", fix))
        number, rest = float(found[1]), text[found.end() :].strip()
    else:
        try:
            number, rest = float(value), ""
        except OverflowError:
            number, rest = float("inf"), ""
    if not isfinite(number):
        raise Unreadable(Fault(f"{quote(value)} is not a finite number", f"{field.answer}, or unknown"))
    return number, rest


def _check_range(field: ProfileField, number: float, shown: str, unit: str = "") -> None:
    if not field.low <= number <= field.high:
        span = f"{field.low:g} to {field.high:g} {unit or field.unit}".strip()
        fix = f"check the unit: {or_list([u.name for u in field.units])}" if len(field.units) > 1 else "check the value"
        raise Unreadable(Fault(f"{shown} is outside {span}", fix))


def _fold_unit(text: str) -> str:
    plain = text.replace("µ", "u").replace("μ", "u").replace(" ", "").casefold()
    return plain.lstrip("x×·*") if len(plain) > 1 else plain


def find_unit(field: ProfileField, written: str) -> Unit | None:
    """Return the field's unit of that name or spelling, None where it has none."""
    folded = _fold_unit(written)
    for unit in field.units:
        if folded in {_fold_unit(spelling) for spelling in (unit.name, *unit.spellings)}:
            return unit
    return None


def converted_quantity(number: float, unit: Unit, canonical: Unit) -> float:
    """Convert by the unit library, to 12 digits: a cut-off given in another unit stays exactly that."""
    registry = _registry()
    given = registry.Quantity(number, unit.pint)
    if unit.molar_mass is None:
        kept = given.to(canonical.pint)
    else:
        kept = given.to(canonical.pint, "chemistry", mw=registry.Quantity(unit.molar_mass, "gram/mole"))
    return float(f"{kept.magnitude:.12g}")


@cache
def _registry() -> Any:  # noqa: ANN401  # untyped where it matters
    import pint

    return cast(Any, pint).UnitRegistry()
