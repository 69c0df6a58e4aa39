"""A FHIR R4 Bundle of one patient as a profile, with a ledger of everything that was read and not read.

What is not in the record is unknown, never absent. What is old, doubtful, contradictory, without a unit or under a code
that was never checked is shown with the reason and not used. Nothing is fetched.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from msgspec.structs import replace

from bcma_decide.comparison import InputLine, NotNeededLine, RecordLedger, UnmappedLine
from bcma_decide.fhir.reading.choose import choose, not_after
from bcma_decide.fhir.reading.conditions import MYELOMA, after_newer_entries, has_myeloma, read_condition
from bcma_decide.fhir.reading.courses import COURSES, courses, one_line_each, without_denied
from bcma_decide.fhir.reading.cytogenetics import read_cytogenetics
from bcma_decide.fhir.reading.datatypes import clip
from bcma_decide.fhir.reading.exposure import RECEIVED, TRANSPLANT, Dose, drug_names, read_drug
from bcma_decide.fhir.reading.find import Find
from bcma_decide.fhir.reading.imaging import attachments, read_imaging
from bcma_decide.fhir.reading.lines import inferred_lines
from bcma_decide.fhir.reading.observations import read_observation
from bcma_decide.fhir.reading.person import read_person
from bcma_decide.fhir.reading.record import REFERRED, PatientRecord, open_record
from bcma_decide.fhir.reading.resource import Resource
from bcma_decide.fhir.reading.standing import standing, with_standing
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.codes import Codes, Coding
from bcma_decide.pooled.definitions import Definitions

LINES: Final = "prior_lines"
UnmappedKind = Literal["drug", "observation", "condition", "procedure", "report"]
_OTHER_DRUGS: Final = "drugs that say nothing of the myeloma"
_Unmapped = tuple[UnmappedKind, str, str, str]
"""Kind, text, system and code of what is not known here."""


@dataclass(frozen=True)
class Reading:
    """What a record gave."""

    patient: Patient
    values: Mapping[str, Any]
    """Fields of the profile as text; drugs and courses as lists of text."""
    ledger: RecordLedger
    has_myeloma: bool | None
    """True where a condition says so, False where it was refuted, None where the record does not say."""


@dataclass(frozen=True)
class _Contents:
    finds: tuple[Find, ...]
    doses: tuple[Dose, ...]
    unmapped: tuple[_Unmapped, ...]
    not_needed: tuple[NotNeededLine, ...]


def read_bundle(
    bundle: Mapping[str, Any], codes: Codes, definitions: Definitions, on: date, *, infer: bool = False
) -> Reading:
    """Read a profile from a Bundle.

    Parameters
    ----------
    bundle
        A FHIR R4 Bundle of one patient as plain data.
    codes, definitions
        Those of the evidence: ``load_model().codes`` and ``.definitions``.
    on
        The day ages of patient and values are counted to; what is dated later is ignored.
    infer
        Use lines of therapy inferred from dated exposure; otherwise they are only shown.

    Raises
    ------
    ProfileError
        When it is no such Bundle, or holds resources of more than one patient.
    """
    record = open_record(bundle, codes.systems)
    contents = _everything(record, codes, definitions)
    finds = after_newer_entries(contents.finds, on)
    diagnoses = [not_after(find, on) for find in finds if find.field == MYELOMA]
    by_field: dict[str, list[Find]] = defaultdict(list)
    transplants = [not_after(find, on) for find in finds if find.field == TRANSPLANT]
    for find in (*finds, *(read_person(record.patient, on, codes.agreement) if record.patient else ())):
        if find.field not in (MYELOMA, TRANSPLANT):
            by_field[find.field].append(find)
    values: dict[str, Any] = {}
    lines: list[InputLine] = []
    for field, found in by_field.items():
        choice = choose(found, on, codes.age_limit)
        lines += choice.lines
        if choice.value is not None:
            values[field] = choice.value
    doses = without_denied([replace(dose, find=not_after(dose.find, on)) for dose in contents.doses])
    for drug, find, was_given in one_line_each(doses, definitions):
        lines.append(find.line(on, "used" if find.state == "usable" else find.state))
        if was_given:
            values.setdefault(RECEIVED, []).append(drug)
    course_values, last_doses = courses(doses, definitions, on)
    if course_values:
        values[COURSES] = course_values
        lines += [find.line(on, "used") for find in last_doses]
    lines += _inferred(inferred_lines(doses, transplants, codes.lines, definitions, on), codes, on, infer, values)
    disease = has_myeloma(diagnoses)
    lines += [*_diagnosis(diagnoses, disease, on), *_transplants(transplants, on), *_aside(record)]
    values = {name: values[name] for name in FIELDS if name in values}
    return Reading(
        patient=Patient.read(values, definitions),
        values=values,
        ledger=RecordLedger(
            inputs=tuple(sorted(dict.fromkeys(lines), key=_place)),
            unmapped=_unmapped(contents.unmapped),
            not_needed=contents.not_needed,
            date=on,
        ),
        has_myeloma=disease,
    )


def _everything(record: PatientRecord, codes: Codes, definitions: Definitions) -> _Contents:
    finds: list[Find] = []
    doses: list[Dose] = []
    unmapped: list[_Unmapped] = []
    not_needed = Counter(record.not_needed)
    referred_to = record.referred_to
    for resource in record.resources:
        if resource.kind in REFERRED:
            if id(resource) not in referred_to:
                not_needed[resource.kind] += 1
            continue
        why = standing(resource, record)
        match _read(resource, record, codes, definitions):
            case "drug" | "observation" | "condition" | "procedure" | "report" as kind:
                names = drug_names(resource, record) if kind == "drug" else resource.code[:2]
                unmapped.append(_shown(kind, *names))
                finds += attachments(resource)
            case []:
                not_needed[_OTHER_DRUGS] += 1
            case found:
                finds += [with_standing(each, why) for each in found if isinstance(each, Find)]
                doses += [replace(each, find=with_standing(each.find, why)) for each in found if isinstance(each, Dose)]
    return _Contents(
        tuple(finds),
        tuple(doses),
        tuple(unmapped),
        tuple(NotNeededLine(kind=kind, count=count) for kind, count in sorted(not_needed.items())),
    )


def _read(
    resource: Resource, record: PatientRecord, codes: Codes, definitions: Definitions
) -> Sequence[Find | Dose] | UnmappedKind:
    """What one resource says; its kind where nothing of it is known here, and empty for drugs that are not needed."""
    if resource.kind == "Condition":
        return list(read_condition(resource, codes)) or "condition"
    if resource.kind in ("Observation", "DiagnosticReport", "DocumentReference"):
        told = [*read_cytogenetics(resource, record, codes), *read_imaging(resource, codes)]
        if resource.kind == "Observation":
            return [*told, *read_observation(resource, record, codes)] or "observation"
        return [*told, *attachments(resource)] if told else "report"
    match read_drug(resource, record, codes, definitions):
        case None:
            return "procedure" if resource.kind == "Procedure" else "drug"
        case Find() as find:
            return [find]
        case [] if resource.kind == "Procedure":
            return "procedure"
        case named:
            return named


def _shown(kind: UnmappedKind, codings: Sequence[Coding], texts: Sequence[str]) -> _Unmapped:
    first = min(codings, default=None)
    text = clip(texts[0]) if texts else "" if first else "without code and name"
    return kind, text, first.system if first else "", first.code if first else ""


def _unmapped(unknown: Iterable[_Unmapped]) -> tuple[UnmappedLine, ...]:
    order = ("drug", "procedure", "condition", "observation", "report")
    counts = sorted(Counter(unknown).items(), key=lambda item: (order.index(item[0][0]), item[0]))
    return tuple(
        UnmappedLine(kind=kind, text=text, system=system, code=code, count=count)
        for (kind, text, system, code), count in counts
    )


def _inferred(count: int | None, codes: Codes, on: date, infer: bool, values: dict[str, Any]) -> Iterator[InputLine]:
    """The inferred lines of therapy, as a value only if asked for."""
    if count is None or LINES in values:
        return
    if infer:
        values[LINES] = str(count)
    note = codes.lines.wording if infer else "inferred from the dates of drugs; not used unless asked for (--infer)"
    find = Find(
        LINES,
        f"{count} {'line' if count == 1 else 'lines'}",
        "usable",
        str(count),
        layer="inferred",
        basis=codes.lines.basis,
        note=note,
    )
    yield find.line(on, "inferred" if infer else "not_usable")


def _diagnosis(finds: Sequence[Find], disease: bool | None, on: date) -> Iterator[InputLine]:
    for find in finds:
        state = find.state if find.state in ("ignored", "not_usable") else "used"
        yield replace(find, label="Diagnosis").line(on, state).model_copy(update={"field": ""})
    if disease is None:
        yield Find("", "no condition with a code of multiple myeloma", "note", label="Diagnosis").line(on, "note")


def _transplants(finds: Sequence[Find], on: date) -> Iterator[InputLine]:
    for find in finds:
        state = "note" if find.state == "usable" else find.state
        yield replace(find, label="Transplantation").line(on, state).model_copy(update={"field": ""})


def _aside(record: PatientRecord) -> Iterator[InputLine]:
    """What was left aside as a whole, and what is to be known of the record."""
    for reason, names in _left_out(record).items():
        count = f"{len(names)} {'resource' if len(names) == 1 else 'resources'}"
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        text = f"{count}: {', '.join(names[:_NAMED])}{more}"
        yield InputLine(field="", label="Bundle", text=text, state="ignored", note=reason)
    if record.junk:
        yield InputLine(field="", label="Bundle", text=f"{record.junk} entries without a resource", state="ignored")
    more_pages = ("the record has more pages than were given",) if record.more_pages else ()
    for remark in (*record.remarks, *more_pages):
        yield InputLine(field="", label="Bundle", text=remark, state="note")


def _left_out(record: PatientRecord) -> Mapping[str, list[str]]:
    reasons: dict[str, list[str]] = defaultdict(list)
    for reason, resource in record.left_out:
        reasons[reason].append(resource.name)
    return {reason: sorted(names) for reason, names in sorted(reasons.items())}


_NAMED: Final = 5
"""Resources left out that are named for each reason."""
_STATES: Final = (
    "used", "inferred", "contradiction", "stale", "not_usable", "older", "ignored", "replaced", "note"
)  # fmt: skip
_FIELDS: Final = {name: number for number, name in enumerate(FIELDS)}


def _place(line: InputLine) -> tuple[object, ...]:
    """Fields in the order of the table, what was used first, the newest first; the same for any order of the bundle."""
    age = line.age_days if line.age_days is not None else 10**6
    place = _FIELDS.get(line.field, len(_FIELDS))
    return (
        place,
        _STATES.index(line.state),
        age,
        line.label,
        line.text,
        line.system,
        line.code,
        line.resource,
        line.note,
    )
