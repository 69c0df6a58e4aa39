"""Whether an order just chosen is one the comparison is about: by the codes of the evidence, and last by its names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bcma_decide.fhir.reading.bundle import held_by
from bcma_decide.fhir.reading.datatypes import Plain, objects
from bcma_decide.fhir.reading.drugs import Resolved, coded_drugs, recognise_drug
from bcma_decide.fhir.reading.exposure import drug_names
from bcma_decide.fhir.reading.record import PatientRecord
from bcma_decide.fhir.reading.resource import Resource
from bcma_decide.fhir.reading.resource_reading import read_resource
from bcma_decide.pooled.codes import Codes
from bcma_decide.pooled.definitions import Definitions, fold
from bcma_decide.pooled.evidence import PooledEvidence

_TARGET: Final = "bcma"
_SHORTEST: Final = 5
"""Letters of a name that is looked for inside a text."""
_DEEPEST: Final = 6
_NAMED: Final = ("text", "display")


@dataclass(frozen=True)
class Sought:
    """The drugs against the target: their ids, every name they have, folded, and what reads codes."""

    drugs: frozenset[str]
    names: frozenset[str]
    codes: Codes
    definitions: Definitions


def sought(pooled: PooledEvidence) -> Sought:
    """Drugs of the evidence that an order may be of: names are international, brand and short forms."""
    drugs = [drug for drug in pooled.definitions.drugs if _TARGET in drug.targets]
    named = [
        *(name for drug in drugs for name in (drug.id, *drug.names)),
        *(name for each in pooled.rules.products for name in (each.id, each.inn, each.brand or "")),
    ]
    names = frozenset(folded for name in named if len(folded := fold(name)) >= _SHORTEST)
    return Sought(frozenset(drug.id for drug in drugs), names, pooled.codes, pooled.definitions)


def concerns(orders: Mapping[str, Any], selections: Sequence[str], wanted: Sought) -> bool:
    """Whether one of the orders selected is of one of the drugs; an order without code and name is not.

    A code that says which drug it is decides. Where there is none, a name does; where they disagree, either does.
    """
    entries = [
        (data, entry.get("fullUrl")) for entry in objects(orders.get("entry")) if (data := held_by(entry)) is not None
    ]
    resources = tuple(read_resource(data, wanted.codes.systems, url=url) for data, url in entries)
    drafts = PatientRecord(None, resources)
    ids = {each.rpartition("/")[2] for each in selections}
    return any(
        _is_wanted(order, data, drafts, wanted)
        for order, (data, _) in zip(resources, entries, strict=True)
        if order.id in ids
    )


def _is_wanted(order: Resource, data: Plain, drafts: PatientRecord, wanted: Sought) -> bool:
    """Whether an order is of one of the drugs; its JSON too, for a name may stand anywhere in a draft."""
    codings, texts = drug_names(order, drafts)
    recognised = recognise_drug(codings, texts, wanted.codes, wanted.definitions)
    if isinstance(recognised, Resolved) and recognised.layer != "name":
        return not wanted.drugs.isdisjoint(recognised.drugs)
    coded = {drug for drug, _ in coded_drugs(codings, wanted.codes)}
    folded = [fold(each) for each in (*texts, *_texts(data))]
    return not wanted.drugs.isdisjoint(coded) or any(name in text for text in folded for name in wanted.names)


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """Whatever is written for people under a resource: texts and displays of codes and references."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in _NAMED and isinstance(inner, str):
                yield inner
            else:
                yield from _texts(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, depth + 1)
