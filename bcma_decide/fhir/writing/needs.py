"""Unknown inputs that move a number, as the resources a record could hold them in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from bcma_decide.comparison import Comparison, Unknown
from bcma_decide.fhir.writing.parts import INPUT
from bcma_decide.patient.fields import FIELDS
from bcma_decide.pooled.codes import Code, Codes

_CODE: Final = {"MedicationRequest": "medication"}
"""Element that says what a resource is about, where it is not *code*."""


def data_requirements(comparison: Comparison, codes: Codes) -> list[dict[str, Any]]:
    """One requirement for each input and kind of resource, the input that moves a number furthest first.

    Only codes seen in their own source are asked for; an input without any is named in words.
    """
    profile = comparison.profile
    known = {line.trait for line in profile.carried} | {each.trait for each in profile.traits if each.value is not None}
    addresses = {short: address for address, short in reversed(list(codes.systems.items()))}
    return [
        _requirement(unknown, kind, found, addresses)
        for unknown in comparison.unknowns
        if unknown.moves
        for kind, found in _by_kind(unknown.trait, known, codes).items()
    ]


def _by_kind(trait: str, known: set[str], codes: Codes) -> dict[str, list[Code]]:
    """Kinds of resources that could tell a trait, each with its codes; Observation where nothing is coded at all."""
    found: dict[str, list[Code]] = {}
    for field in FIELDS.values():
        if trait in field.feeds and field.id not in known:
            for kind, rows in _coded(field.id, codes):
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


def _requirement(unknown: Unknown, kind: str, codes: Iterable[Code], addresses: Mapping[str, str]) -> dict[str, Any]:
    verified = {code.key: code for code in codes if code.basis == "verified" and not code.not_used}
    text = f"{unknown.label}: {unknown.needs}" if unknown.needs else unknown.label
    wanted: dict[str, Any] = {"extension": [{"url": INPUT, "valueString": text}], "type": kind}
    if verified:
        named = [
            {"system": addresses[code.system], "code": code.code, "display": code.text} for code in verified.values()
        ]
        wanted["codeFilter"] = [{"path": _CODE.get(kind, "code"), "code": named}]
    return wanted
