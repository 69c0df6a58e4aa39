"""Reading earlier therapies: drugs, the regimens people name instead of them, and courses of BCMA therapy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from bcma_decide.errors import quote
from bcma_decide.patient.field import ProfileField, or_list
from bcma_decide.patient.names import nearest_name
from bcma_decide.patient.numerals import plain_text, read_numeral
from bcma_decide.patient.patterns import Pattern
from bcma_decide.patient.quantities import check_range
from bcma_decide.patient.reading import Course, Fault, Read, Unreadable, is_unknown
from bcma_decide.pooled.definitions import Definitions, fold
from bcma_decide.vocabulary import CourseKind

RECEIVED: Final = "received"
_KINDS: Final[dict[str, CourseKind]] = {
    "adc": "adc",
    "antibodydrugconjugate": "adc",
    "cart": "car_t",
    "cartcells": "car_t",
    "bispecific": "bispecific",
    "bispecificantibody": "bispecific",
    "bsab": "bispecific",
}
_BETWEEN: Final = Pattern(r"[,;\n]|(?<=\S)\s*[/+&]\s*(?=\S)|\s+(?:and|und)\s+", re.IGNORECASE)
_BETWEEN_COURSES: Final = Pattern(r"[;\n]|,(?!\d)")
_MONTHS: Final = frozenset({"", "months", "month", "mo", "mos", "monate", "monaten", "monat", "mon", "m"})
_LIKE_MONTHS: Final = frozenset({"mos", "monate", "monaten", "monat", "mon", "m"})
_AGO: Final = Pattern(r"^(?:vor|since|seit)\s+|\s+(?:ago|her|before)$", re.IGNORECASE)
_TIMED: Final = Pattern(r"(?P<kind>.*?[^\s:,])\s*(?::|,|\s)\s*(?P<since>(?:vor\s+)?[<>≥≤=+-]*[0-9?].*)?")


def read_drugs(field: ProfileField, value: object, definitions: Definitions) -> Read:
    """International names of drugs, in the order of the definitions; a class is not a drug, a regimen is its drugs."""
    del field
    if is_unknown(value):
        return Read(())
    if isinstance(value, str):
        value = [part.strip() for part in _BETWEEN.split(plain_lines(value)) if part.strip()]
    if not isinstance(value, (list, tuple)):
        raise Unreadable(Fault(f"{quote(value)} is not a list of drugs", "names, separated by commas"))
    named: set[str] = set()
    parts: list[tuple[str, str]] = []
    faults: list[Fault] = []
    for word in value:
        folded = fold(word) if isinstance(word, str) else ""
        if drug := definitions.drug_names.get(folded):
            named.add(drug.id)
        elif isinstance(word, str) and (regimen := definitions.regimen(plain_text(word))):
            named.update(regimen.drugs)
            parts.append((plain_text(word), ", ".join(regimen.drugs)))
        else:
            faults.append(_no_drug(word, folded, definitions))
    if faults:
        raise Unreadable(*faults)
    return Read(tuple(drug.id for drug in definitions.drugs if drug.id in named), parts=tuple(parts))


def plain_lines(text: str) -> str:
    """A text with one kind of space, its lines kept."""
    return "\n".join(plain_text(line) for line in text.splitlines())


def _no_drug(word: object, folded: str, definitions: Definitions) -> Fault:
    if drug_class := definitions.class_words.get(folded):
        agents = definitions.agents(drug_class.id)
        return Fault(f"{quote(word)} is a class, not a drug", f"name the drug: {or_list(agents)}")
    if isinstance(word, str) and is_unknown(word):
        return Fault("'unknown' stands among drugs", "leave out what is not known")
    if not isinstance(word, str):
        return Fault(f"{quote(word)} is not a drug known here", "names, separated by commas")
    known = {name: drug.id for drug in definitions.drugs for name in (drug.id, *drug.names)}
    hint = nearest_name(word, known)
    fix = f"did you mean '{hint}'?" if hint else "use the international name"
    return Fault(f"{quote(word)} is not a drug known here", fix)


def read_courses(field: ProfileField, value: object, definitions: Definitions) -> Read:
    """Courses as ``kind:months`` or ``{kind, months_since}``; instead of its kind a product may be named.

    A product that is named was given: that goes to the drugs that were received.
    """
    if is_unknown(value):
        return Read(())
    if isinstance(value, str):
        value = [part.strip() for part in _BETWEEN_COURSES.split(plain_lines(value)) if part.strip()]
    elif isinstance(value, (Mapping, Course)):
        value = [value]
    if not isinstance(value, (list, tuple)):
        raise Unreadable(Fault(f"{quote(value)} is not a list of courses", field.answer))
    courses: list[Course] = []
    parts: list[tuple[str, str]] = []
    given: list[str] = []
    faults: list[Fault] = []
    for number, entry in enumerate(value, start=1):
        try:
            course, drug, interpreted = _course(field, entry, definitions)
        except Unreadable as error:
            faults.extend(Fault(fault.message, fault.fix, f"[{number}]{fault.at}") for fault in error.faults)
            continue
        courses.append(course)
        given += [drug] if drug else []
        if interpreted and isinstance(entry, str):
            parts.append((plain_text(entry), f"{course}{f', {drug}' if drug else ''}"))
    if faults:
        raise Unreadable(*faults)
    return Read(tuple(courses), parts=tuple(parts), also={RECEIVED: tuple(given)} if given else {})


def _course(field: ProfileField, entry: object, definitions: Definitions) -> tuple[Course, str, bool]:
    """A course, the drug if one was named, and whether it took interpretation."""
    if isinstance(entry, Course):
        entry = {"kind": entry.kind, "months_since": entry.months_since}
    if isinstance(entry, str):
        kind, _, since = entry.partition(":")
        if ":" not in entry and (found := _TIMED.fullmatch(plain_text(entry))):
            kind, since = found["kind"], found["since"] or ""
        entry = {"kind": kind, "months_since": since}
    if not isinstance(entry, Mapping) or not {"kind"} <= set(entry) <= {"kind", "months_since"}:
        raise Unreadable(Fault(f"{quote(entry)} is not a course", "the keys kind and months_since"))
    kind_id, drug = _kind(entry["kind"], definitions)
    months = entry.get("months_since")
    if is_unknown(months):
        return Course(kind_id), drug, bool(drug)
    number, interpreted = _months(field, months)
    return Course(kind_id, number), drug, bool(drug) or interpreted


def _kind(given: Any, definitions: Definitions) -> tuple[CourseKind, str]:  # noqa: ANN401  # whatever stands there
    """The kind of a course, named or that of a product."""
    folded = fold(given) if isinstance(given, str) else ""
    for word in (folded, folded.removeprefix("bcma"), folded.removeprefix("antibcma")):
        if word in _KINDS:
            return _KINDS[word], ""
    drug = definitions.drug_names.get(folded)
    if drug is None:
        raise Unreadable(Fault(f"{quote(given)} is not a kind of BCMA therapy", "adc, car_t or bispecific", ".kind"))
    if drug.modality is None or "bcma" not in drug.targets:
        raise Unreadable(
            Fault(f"{drug.id} is not a BCMA therapy", "name it under refractory_to, exposed_to or received", ".kind")
        )
    return drug.modality, drug.id


def _months(field: ProfileField, months: object) -> tuple[float, bool]:
    text = _AGO.sub("", plain_text(months)) if isinstance(months, str) else months
    numeral = read_numeral(text) if isinstance(text, str) else None
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        number, unit, interpreted = float(text), "", False
    elif numeral is None or numeral.form != "value":
        raise Unreadable(Fault(f"{quote(months)} is not a number", f"{field.answer}, or unknown", ".months_since"))
    else:
        reading = numeral.ends[0][0]  # the decimal one: nobody counts months by the thousand
        number, unit, interpreted = reading.value, numeral.rest.casefold(), reading.interpreted
    try:
        check_range(field, number, quote(months), "months")
    except Unreadable as error:
        raise Unreadable(*(Fault(f.message, f.fix, ".months_since") for f in error.faults)) from None
    if unit.rstrip(".") not in _MONTHS:
        raise Unreadable(Fault(f"{quote(months)} is not a number of months", "a number", ".months_since"))
    return number, interpreted or unit in _LIKE_MONTHS or text != (
        plain_text(months) if isinstance(months, str) else months
    )
