"""What is asked of a cohort: for whose results, labels and day, and which column of the table is which field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date as Day  # noqa: N812  # a field is called date
from pathlib import Path
from typing import Any, Final, NamedTuple

from bcma_decide.errors import Problem, ProfileError, closest, quote
from bcma_decide.patient.fields import FIELDS, or_list
from bcma_decide.patient.names import LABS, field_of, nearest_name
from bcma_decide.patient.quantities import find_unit
from bcma_decide.vocabulary import DEFAULT_REGION, Design

RECORD: Final = "record"
"""In place of a field: the column holds the FHIR Bundle of one patient as JSON."""
ID: Final = "id"
_WITH_UNIT: Final = re.compile(r"(?P<name>.*?)\s*\[(?P<unit>[^\[\]]*)\]\s*")
_KEYS: Final = ("id", "carry", "ignore", "columns")
_COLUMN_KEYS: Final = ("field", "unit", "values")


class Column(NamedTuple):
    """One column of the input that says something of the patients."""

    name: str
    """As the table has it."""
    field: str
    """Of the profile, or a list of laboratory lines, or a record."""
    unit: str = ""
    """Of numbers that stand there without one."""
    words: tuple[tuple[str, str], ...] = ()
    """What a cell says, by how it is written."""


@dataclass(frozen=True)
class CohortQuestion:
    """All that the answers depend on besides the table, the program and the evidence."""

    columns: tuple[Column, ...]
    carried: tuple[str, ...]
    """Columns that are passed through, the one that names the patients first."""
    setting: Design = "real_world"
    region: str = DEFAULT_REGION
    date: Day | None = None
    """As of which day; None: that of the evidence. Ages in records are counted to it, else to the newest in each."""
    infer: bool = False
    """Whether lines of therapy are inferred from the dates of drugs in records."""
    evidence: Path | None = None
    """Another evidence directory."""

    def written(self) -> str:
        """As canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), default=str)


@dataclass(frozen=True)
class Mapped:
    """What a mapping file says of the columns of a table."""

    columns: Mapping[str, Column | None]
    """By name; None: not of interest."""
    id: str = ""
    carried: tuple[str, ...] = ()


NOTHING_MAPPED: Final = Mapped({})


def choose_columns(
    names: Sequence[str],
    mapped: Mapped = NOTHING_MAPPED,
    *,
    id: str = "",
    carry: Iterable[str] = (),
    others: bool = False,
) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """Tell which columns are fields, and which are passed through.

    A heading is a field of the profile or another name of it, with the unit of its numbers in brackets:
    ``creatinine [mg/dL]``.

    Parameters
    ----------
    names
        Headings of the table.
    mapped
        What a mapping file says; it goes before the headings.
    id
        Heading of the column that names the patients; default that of the mapping, else ``id``.
    carry
        Further columns to pass through.
    others
        Whether columns that are none of these are left aside instead of being refused.

    Raises
    ------
    ProfileError
        With every column that is missing, stands there twice, or is no field.
    """
    named = id or mapped.id or next((name for name in names if name.casefold() == ID), "")
    carried = tuple(dict.fromkeys(([named] if named else []) + [*mapped.carried, *carry]))
    problems = [Problem(name, "stands there twice", "keep one") for name in _twice(names)]
    for name in dict.fromkeys((*carried, *mapped.columns)):
        if name not in names:
            fix = closest(name, list(names)) or "see the first line of the table"
            problems.append(Problem(name, "is no column of the table", fix))
    if not named:
        problems.append(Problem(ID, "no column names the patients", "say which one: --id COLUMN"))
    columns: list[Column] = []
    for name in names:
        if name in mapped.columns:
            column = mapped.columns[name]
            columns += [column] if column else []
            continue
        found = _by_heading(name)
        if isinstance(found, Column):
            columns.append(found)
        elif name not in carried and not others:
            problems.append(found)
    taken: dict[str, str] = {}
    for column in columns:
        if column.field in taken:
            what = f"is {column.field}, which {taken[column.field]} is too"
            problems.append(Problem(column.name, what, "keep one, or map the other to null"))
        taken[column.field] = column.name
        problems += _unit_problems(column)
    if problems:
        raise ProfileError("the columns of the table cannot be used", problems)
    return tuple(columns), carried


def units_left_out(question: CohortQuestion, numeric: Iterable[str]) -> list[Problem]:
    """Columns of bare numbers whose field needs a unit that nothing says; ``numeric`` are those of a number type."""
    bare = set(numeric)
    return [
        _needs_unit(column)
        for column in question.columns
        if column.name in bare and column.field in FIELDS and not column.unit
        if FIELDS[column.field].kind == "quantity" and not FIELDS[column.field].unit_optional
    ]


def _needs_unit(column: Column) -> Problem:
    field = FIELDS[column.field]
    units = or_list([unit.name for unit in field.units])
    return Problem(column.name, "holds numbers without a unit", f"name it {column.name} [{field.unit}]; {units}")


def _twice(names: Sequence[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if names.count(name) > 1]


def _by_heading(name: str) -> Column | Problem:
    found = _WITH_UNIT.fullmatch(name)
    said, unit = (found["name"], found["unit"].strip()) if found else (name, "")
    field = LABS if said == LABS else field_of(said)
    if field is not None:
        return Column(name, field, unit)
    near = nearest_name(said)
    other = "pass it on with --carry, or leave all such columns aside with --ignore-others"
    return Problem(
        name, "is not a field of the profile", f"did you mean '{near}'? Otherwise {other}" if near else other
    )


def _unit_problems(column: Column) -> list[Problem]:
    if not column.unit or column.field == LABS or column.field not in FIELDS:
        return [Problem(column.name, "takes no unit", "leave the brackets out")] if column.unit else []
    field = FIELDS[column.field]
    if not field.units:
        return [Problem(column.name, f"{field.label} takes no unit", "leave the brackets out")]
    if find_unit(field, column.unit) is None:
        units = or_list([unit.name for unit in field.units])
        return [Problem(column.name, f"{quote(column.unit)} is not a unit of {field.label}", f"use {units}")]
    return []


def read_mapping(path: Path) -> Mapped:
    """Read a mapping file.

    Raises
    ------
    ProfileError
        With every entry that cannot be used.

    Examples
    --------
    The file::

        id: patient_number
        carry: [centre]
        ignore: [remarks]
        columns:
          hb_value: {field: hemoglobin, unit: g/dL}
          emd_now: {field: extramedullary_disease, values: {"1": yes, "2": no, "9": unknown}}
          sex_code: sex
    """
    from bcma_decide.strict.yaml import read_yaml

    given = read_yaml(path, name=str(path), error=ProfileError)
    problems: list[Problem] = []
    if not isinstance(given, dict):
        raise _refused(path, [Problem("", "is not a mapping", f"the keys {or_list(_KEYS)}")])
    problems += [Problem(str(key), "is not a key of a mapping", or_list(_KEYS)) for key in given if key not in _KEYS]
    columns: dict[str, Column | None] = {}
    for name, entry in _mapping(given.get("columns"), "columns", problems).items():
        column = _mapped(str(name), entry, problems)
        if column is not None:
            columns[str(name)] = column
    columns |= dict.fromkeys(_texts(given.get("ignore"), "ignore", problems))
    named = given.get("id", "")
    if not isinstance(named, str):
        problems.append(Problem("id", "is not the heading of one column", "a text"))
    carried = _texts(given.get("carry"), "carry", problems)
    if problems:
        raise _refused(path, problems)
    return Mapped(columns, named, carried)


def _mapped(name: str, entry: object, problems: list[Problem]) -> Column | None:
    place = f"columns.{name}"
    if isinstance(entry, str):
        entry = {"field": entry}
    if not isinstance(entry, dict) or "field" not in entry or set(entry) - set(_COLUMN_KEYS):
        problems.append(Problem(place, "says no field", f"a field, or a mapping with {or_list(_COLUMN_KEYS)}"))
        return None
    field = entry["field"] if isinstance(entry["field"], str) else ""
    known = LABS if field == LABS else field_of(field)
    if known is None:
        near = nearest_name(field)
        fix = f"did you mean '{near}'?" if near else "see: bcma-decide template"
        problems.append(Problem(f"{place}.field", f"{quote(entry['field'])} is not a field of the profile", fix))
        return None
    unit = entry.get("unit", "")
    if not isinstance(unit, str):
        problems.append(Problem(f"{place}.unit", f"{quote(unit)} is no unit", "a text"))
        return None
    words = _mapping(entry.get("values"), f"{place}.values", problems)
    said = tuple((_plain(cell), _plain(meaning)) for cell, meaning in words.items())
    return Column(name, known, unit, said)


def _plain(value: object) -> str:
    """A word of a file as a cell has it: YAML takes a bare yes for what it is, and 1 for a number."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unknown" if value is None else str(value)


def _mapping(value: object, place: str, problems: list[Problem]) -> Mapping[Any, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        problems.append(Problem(place, "is not a mapping", "one 'name: meaning' on each line"))
        return {}
    return value


def _texts(value: object, place: str, problems: list[Problem]) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        problems.append(Problem(place, "is not a list of headings", "such as [centre, year]"))
        return ()
    return tuple(value)


def _refused(path: Path, problems: Sequence[Problem]) -> ProfileError:
    placed = [Problem(each.field, each.message, each.fix, str(path)) for each in problems]
    return ProfileError("the mapping cannot be used", placed)


def with_columns(question: CohortQuestion, columns: tuple[Column, ...], carried: tuple[str, ...]) -> CohortQuestion:
    """The same question of a table with these columns."""
    return replace(question, columns=columns, carried=carried)
