"""From what was given of a patient, under whatever names, to the values of a profile: the one reader of every entry.

Files, options, forms, questions on a terminal and Python all come through here, so that a spelling means the same
everywhere. What was read by interpretation is told, what cannot be read is refused with its field, nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from bcma_decide.errors import Problem, quote
from bcma_decide.logic import Span
from bcma_decide.patient import cytogenetics
from bcma_decide.patient.field import ProfileField
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.laboratory_list import LabFault, LabValue, NotAsked, read_lines
from bcma_decide.patient.names import LABS, field_of, nearest_name
from bcma_decide.patient.numerals import plain_text
from bcma_decide.patient.quantities import read_quantity, read_whole
from bcma_decide.patient.reading import Quantity, Read, Unreadable, is_unknown, read_choice, read_stage, read_yes_no
from bcma_decide.patient.therapies import RECEIVED, read_courses, read_drugs
from bcma_decide.patient.upper_limits import LIMITS, is_multiple, read_multiple
from bcma_decide.pooled.definitions import Definitions, shipped_definitions
from bcma_decide.strict.letters import HALF, half_of_a_letter

_HEADINGS: Final = ("refractory_to", "exposed_to", "naive_to")
_LONGEST: Final = 60


class Between(NamedTuple):
    """A number of the profile that is known to lie between two ends, in the unit of its field."""

    field: str
    low: float
    high: float

    @property
    def span(self) -> Span:
        """Its two ends."""
        return Span(self.low, self.high)


class Entry(NamedTuple):
    """What was read: the values by field, spans, what was interpreted, and what is wrong."""

    values: dict[str, Any]
    between: tuple[Between, ...]
    read_as: tuple[str, ...]
    problems: tuple[Problem, ...]


def canonical_names(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """The same values under the ids of their fields; a list of laboratory lines stays what it is."""
    found: dict[str, Any] = {}
    written: dict[str, str] = {}
    problems: list[Problem] = []
    for name, value in values.items():
        field = LABS if name == LABS else name if name in FIELDS else field_of(name)
        if field is None:
            shown = name if name.isprintable() and 0 < len(name) <= _LONGEST else quote(name)
            near = nearest_name(name)
            fix = f"did you mean '{near}'?" if near else "see the template"
            problems.append(Problem(shown, "is not a field of the profile", fix))
        elif field in found:
            problems.append(
                Problem(field, f"stands there twice, as {written[field]} and as {name}", "keep one of them")
            )
        else:
            found[field], written[field] = value, name
    return found, problems


def read_entry(given: Mapping[str, Any], definitions: Definitions | None = None) -> Entry:
    """Read everything that was given of one patient.

    Parameters
    ----------
    given
        By field or by another name of it, as text, numbers or plain data; under ``labs`` a pasted list of laboratory
        lines. A value given by itself takes the place of the line of a list.
    definitions
        Those of the evidence; default the shipped ones, read only where a value needs them.
    """
    values, problems = canonical_names(given)
    reader = _Reader(definitions)
    listed = list(_listed(values.pop(LABS, None), values, reader.notes))
    problems += [each for each in listed if isinstance(each, Problem)]
    from_list = {each.field: each for each in listed if isinstance(each, LabValue)}
    reader.read(values, from_list)
    order = {name: place for place, name in enumerate((*FIELDS, LABS))}
    found = sorted(reader.problems, key=lambda each: order.get(each.field.split("[")[0].split(".")[0], len(order)))
    return Entry(reader.values, tuple(reader.between), tuple(reader.notes), (*found, *problems))


def overridden(values: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Values with others in their place, under whatever names: what an option gives, a file or record no longer does.

    A list of laboratory lines among the options takes the place of every field it names.
    """
    listed = read_lines(options[LABS]) if isinstance(options.get(LABS), str) else ()
    given = {field_of(name) or name for name in options} | {each.field for each in listed if isinstance(each, LabValue)}
    return {**{name: value for name, value in values.items() if (field_of(name) or name) not in given}, **options}


class _Reader:
    """Collects what is read, field by field."""

    def __init__(self, definitions: Definitions | None) -> None:
        self._definitions = definitions
        self.values: dict[str, Any] = {}
        self.between: list[Between] = []
        self.notes: list[str] = []
        self.problems: list[Problem] = []

    @property
    def definitions(self) -> Definitions:
        return self._definitions or shipped_definitions()

    def read(self, values: Mapping[str, Any], listed: Mapping[str, LabValue]) -> None:
        """Read every value in the order of the table: those given by themselves, then those of a list."""
        also: list[tuple[str, str, object]] = []
        for field in sorted(FIELDS.values(), key=lambda each: each.id in LIMITS):
            name = field.id
            line = listed.get(name)
            if name in values:
                found = self._try(field, values[name], name)
                written = values[name]
            elif line is not None:
                found = self._try(field, line.value, f"{LABS}[line {line.line}]")
                written = line.written
            else:
                continue
            if found is None:
                continue
            self._keep(field, found, written, line if name not in values else None)
            also += [(name, other, value) for other, value in found.also.items()]
        for name, other, value in also:
            self._also(name, other, value)

    def _try(self, field: ProfileField, value: object, where: str) -> Read | None:
        try:
            return self._value(field, value)
        except Unreadable as error:
            self.problems += [Problem(f"{where}{fault.at}", fault.message, fault.fix) for fault in error.faults]
            return None

    def _value(self, field: ProfileField, value: object) -> Read:
        if field.id == cytogenetics.FIELD:
            return cytogenetics.read_cytogenetics(field, value)
        match field.kind:
            case "yes_no":
                return read_yes_no(field, value)
            case "stage":
                return read_stage(field, value)
            case "choice":
                return read_choice(field, value)
            case "whole":
                return read_whole(field, value)
            case "drugs":
                empty = is_unknown(value) or value in ([], ())
                return Read(()) if empty else read_drugs(field, value, self.definitions)
            case "courses":
                empty = is_unknown(value) or value in ([], ())
                return Read(()) if empty else read_courses(field, value, self.definitions)
            case "quantity" if is_multiple(field):
                limit = self.values.get(LIMITS.get(field.id, ""))
                return read_multiple(field, value, limit if isinstance(limit, Quantity) else None)
            case "quantity":
                needs = field.staged and isinstance(value, str) and plain_text(value)[:1].isalpha()
                return read_quantity(field, value, self.definitions if needs else None)

    def _keep(self, field: ProfileField, found: Read, written: object, line: LabValue | None) -> None:
        self.values[field.id] = found.value
        if found.span is not None:
            self.between.append(Between(field.id, *found.span))
        if line is not None:
            shown = found.shown or str(found.value)
            self.notes.append(f"{written} read as {field.label} {shown}")
        elif found.shown:
            self.notes.append(f"{field.label} {_one_line(written)} read as {found.shown}")
        self.notes += [f"{field.label} {_one_line(part)} read as {shown}" for part, shown in found.parts]

    def _also(self, name: str, other: str, value: object) -> None:
        """Take what one field says of another: drugs are added, an answer must not contradict the one given."""
        if other == RECEIVED:
            named = {drug for heading in _HEADINGS[:2] for drug in self.values.get(heading) or ()}
            before = tuple(self.values.get(RECEIVED) or ())
            added = {*before, *(drug for drug in value if drug not in named)}  # type: ignore[attr-defined]
            self.values[RECEIVED] = tuple(drug.id for drug in self.definitions.drugs if drug.id in added)
        elif self.values.get(other) is None:
            self.values[other] = value
        elif self.values[other] is not value:
            self.problems.append(Problem(name, f"says something else than {other}", "keep one of them"))


def _listed(text: object, values: Mapping[str, Any], notes: list[str]) -> Iterator[LabValue | Problem]:
    """The lines of a pasted list that count; of those that do not, it is told why."""
    if is_unknown(text):
        return
    if not isinstance(text, str):
        yield Problem(LABS, f"{quote(text)} is no text", "name, number and unit on each line")
        return
    if half_of_a_letter(text) is not None:
        yield Problem(LABS, HALF, "save the list as UTF-8")
        return
    before: dict[str, LabValue] = {}
    for each in read_lines(text):
        match each:
            case LabFault(line, message, fix):
                yield Problem(f"{LABS}[line {line}]", message, fix)
            case NotAsked(line, written):
                notes.append(f"line {line}, {_one_line(written)}: not read, nothing here asks for it")
            case LabValue(line, field, written, _) if field in values:
                notes.append(f"line {line}, {_one_line(written)}: not read, {FIELDS[field].label} is given by itself")
            case LabValue(line, field, written, value) if field in before:
                if before[field].value != value:
                    first = before[field].line
                    yield Problem(
                        f"{LABS}[line {line}]", f"{FIELDS[field].label} stands in line {first} too", "keep one"
                    )
                else:
                    notes.append(f"line {line}, {_one_line(written)}: the same value once more")
            case LabValue():
                before[each.field] = each
    yield from before.values()


def _one_line(value: object) -> str:
    """What was written, short and on one line."""
    if isinstance(value, Mapping):
        return " ".join(_one_line(each) for each in value.values())
    if isinstance(value, (list, tuple)):
        return ", ".join(_one_line(each) for each in value)
    text = plain_text("".join(each if each.isprintable() else " " for each in str(value)))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
