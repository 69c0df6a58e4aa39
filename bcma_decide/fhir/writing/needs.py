"""Unknown inputs that move a number or leave a kidney finding open, as the resources a record could hold them in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from bcma_decide.comparison import Comparison, Unknown
from bcma_decide.fhir.writing.parts import INPUT
from bcma_decide.patient.fields import FIELDS, in_sentence
from bcma_decide.pooled.codes import Code, Codes

_CODE: Final = {"MedicationRequest": "medication"}
"""Element that says what a resource is about, where it is not *code*."""
_FROM: Final = {"creatinine_clearance": ("weight", "creatinine"), "egfr": ("creatinine",)}
"""Kidney functions, and what a formula takes for them besides age and sex: nobody need collect urine for a day."""


def data_requirements(comparison: Comparison, codes: Codes) -> list[dict[str, Any]]:
    """One requirement for each input and kind of resource, the input that moves a number furthest first.

    Codes seen in their own source are asked for, others that are used where there is none; an input without any is
    named in words.
    """
    profile = comparison.profile
    known = {line.trait for line in profile.carried} | {each.trait for each in profile.traits if each.value is not None}
    addresses = {short: address for address, short in reversed(list(codes.systems.items()))}
    asked = [
        _requirement(_said(unknown), kind, found, addresses)
        for unknown in comparison.unknowns
        if unknown.moves
        for kind, found in _by_kind(unknown.trait, known, codes).items()
    ]
    kidney = [
        _requirement(text, kind, found, addresses)
        for field, text in _kidney(comparison, known).items()
        for kind, found in _coded(field, codes)
    ]
    return [*asked, *kidney]


def _said(unknown: Unknown) -> str:
    return f"{unknown.label}: {unknown.needs}" if unknown.needs else unknown.label


def _kidney(comparison: Comparison, known: set[str]) -> dict[str, str]:
    """Fields that would settle a finding on the kidney function, each with what to say of it."""
    open_needs = {need for each in comparison.findings if each.state == "cannot_be_judged" for need in each.needs}
    return {
        needed: f"{FIELDS[function].label}: needs {_label(needed)}"
        for function, sources in _FROM.items()
        if function not in known
        for needed in sources
        # a function that is a span for want of an input needs that input
        if needed not in known and any(need.startswith((_label(function), _label(needed))) for need in open_needs)
    }


def _label(field: str) -> str:
    return in_sentence(FIELDS[field].label)


def _by_kind(trait: str, known: set[str], codes: Codes) -> dict[str, list[Code]]:
    """Kinds of resources that could tell a trait, each with its codes; Observation where nothing is coded at all."""
    found: dict[str, list[Code]] = {}
    fields = [field.id for field in FIELDS.values() if trait in field.feeds and field.id not in known]
    for name in dict.fromkeys(source for field in fields for source in _FROM.get(field, (field,))):
        for kind, rows in _coded(name, codes) if name not in known else ():
            found.setdefault(kind, []).extend(rows)
    return found or {"Observation": []}


def _coded(field: str, codes: Codes) -> Iterator[tuple[str, Iterable[Code]]]:
    kind, cytogenetics = FIELDS[field].kind, codes.cytogenetics
    yield from (("Observation", row.codes) for row in codes.observations if row.field == field)
    yield from (("Condition", row.codes) for row in codes.diagnoses if row.means == field)
    yield from (("Procedure", row.codes) for row in codes.procedures if row.field == field)
    if any(change.field == field for change in codes.reports.changes):
        yield "Observation", (*cytogenetics.panel, *cytogenetics.variant)
    if kind == "drugs":
        yield "MedicationRequest", ()
    if kind == "courses":
        yield from (("Procedure", row.codes) for row in codes.procedures if row.drug is not None)


def _requirement(text: str, kind: str, codes: Iterable[Code], addresses: Mapping[str, str]) -> dict[str, Any]:
    usable = {code.key: code for code in codes if code.usable and not code.not_used}
    verified = {key: code for key, code in usable.items() if code.basis == "verified"} or usable
    wanted: dict[str, Any] = {"extension": [{"url": INPUT, "valueString": text}], "type": kind}
    if verified:
        named = [
            {"system": addresses[code.system], "code": code.code, "display": code.text} for code in verified.values()
        ]
        wanted["codeFilter"] = [{"path": _CODE.get(kind, "code"), "code": named}]
    return wanted
