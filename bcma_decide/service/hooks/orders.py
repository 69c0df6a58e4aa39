"""Which of the compared therapies orders are of: by the codes of the evidence, last by names; referrals by class."""

from __future__ import annotations

import re
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
from bcma_decide.vocabulary import CLASS_LABELS

_TARGET: Final = "bcma"
_SHORTEST: Final = 5
"""Letters of a name that is looked for inside a text."""
_ABBREVIATION: Final = 4
"""Letters of a word for a class that counts only as it is written: a bite is no BiTE."""
_DEEPEST: Final = 6
_NAMED: Final = ("text", "display")
_REFERRAL: Final = "ServiceRequest"
_ASKED_FOR: Final = ("code", "orderDetail", "reasonCode", "performer", "performerType")
"""What of a referral says what it is for; a note may tell of the past."""
_T_CELLS: Final = "prior_t_cell_redirection"
"""What a procedure code without a product stands for."""


@dataclass(frozen=True)
class Sought:
    """The drugs against the target: what each is called here, every name it has, folded, and what reads codes."""

    drugs: Mapping[str, str]
    names: Mapping[str, str]
    """Folded name -> id of a drug."""
    classes: tuple[tuple[str, tuple[str, ...]], ...]
    """What a class is called here, and the words people write for it."""
    others: tuple[str, ...]
    """Words for drugs of the same kinds against another target."""
    codes: Codes
    definitions: Definitions


def sought(pooled: PooledEvidence) -> Sought:
    """What an order may be of: drugs by international, brand and short names, and the classes that are compared."""
    products = {product.inn: product for product in pooled.rules.products}
    drugs = {drug.id: drug for drug in pooled.definitions.drugs if _TARGET in drug.targets}
    shown = {name: _shown(name, products[name].brand if name in products else None) for name in drugs}
    named = [
        *((name, drug.id) for drug in drugs.values() for name in (drug.id, *drug.names)),
        *((name, each.inn) for each in products.values() for name in (each.id, each.inn, each.brand or "")),
    ]
    names = {folded: drug for name, drug in named if drug in drugs and len(folded := fold(name)) >= _SHORTEST}
    class_of = {drugs[each.inn].drug_class: each.class_id for each in products.values() if each.inn in drugs}
    words = {each.id: each.words for each in pooled.definitions.drug_classes}
    elsewhere = {drug.drug_class for drug in pooled.definitions.drugs if drug.modality and drug.id not in drugs}
    return Sought(
        drugs=shown,
        names=names,
        classes=tuple(
            (CLASS_LABELS[class_id][0], tuple(word for word in words[each] if fold(word) != _TARGET))
            for each, class_id in class_of.items()
        ),
        others=tuple(word for each in elsewhere - class_of.keys() for word in words[each]),
        codes=pooled.codes,
        definitions=pooled.definitions,
    )


def _shown(inn: str, brand: str | None) -> str:
    return f"{inn} ({brand})" if brand else inn


def ordered(orders: Mapping[str, Any], selections: Sequence[str] | None, wanted: Sought) -> tuple[str, ...]:
    """Name what is ordered of the therapies compared, each once; empty where it is something else.

    A code that says which drug it is decides. Where there is none, a name does; where they disagree, either does. An
    order without code and name is of none of them, and so is one that says what is not to be done.

    Parameters
    ----------
    orders
        The Bundle of drafts.
    selections
        Which of them were chosen: by kind and id, by id, or by the ``fullUrl`` of the entry. None: all of them.
    wanted
        From :func:`sought`.
    """
    entries = [
        (data, entry.get("fullUrl")) for entry in objects(orders.get("entry")) if (data := held_by(entry)) is not None
    ]
    resources = tuple(read_resource(data, wanted.codes.systems, url=url) for data, url in entries)
    drafts = PatientRecord(None, resources)
    found = (
        name
        for order, (data, _) in zip(resources, entries, strict=True)
        if (selections is None or any(_is_selected(order, each) for each in selections)) and not order.do_not_perform
        for name in _named(order, data, drafts, wanted)
    )
    return tuple(dict.fromkeys(found))


def _is_selected(order: Resource, selection: str) -> bool:
    if order.url and selection == order.url:
        return True
    name = selection.rpartition("/")[2]
    return bool(name) and order.id == name


def _named(order: Resource, data: Plain, drafts: PatientRecord, wanted: Sought) -> Iterator[str]:
    """The drugs an order is of; else the classes a referral asks for."""
    drugs = list(_drugs(order, data, drafts, wanted))
    if drugs:
        yield from (wanted.drugs[drug] for drug in drugs)
    elif order.kind == _REFERRAL:
        yield from _classes(order, data, wanted)


def _drugs(order: Resource, data: Plain, drafts: PatientRecord, wanted: Sought) -> Iterator[str]:
    """Drugs by code or name; its JSON is looked through too, for a name may stand anywhere in a draft."""
    codings, texts = drug_names(order, drafts)
    recognised = recognise_drug(codings, texts, wanted.codes, wanted.definitions)
    if isinstance(recognised, Resolved) and recognised.layer != "name":
        yield from (drug for drug in recognised.drugs if drug in wanted.drugs)
        return
    yield from (drug for drug, _ in coded_drugs(codings, wanted.codes) if drug in wanted.drugs)
    folded = [fold(each) for each in (*texts, *_texts(data))]
    yield from (drug for name, drug in wanted.names.items() if any(name in text for text in folded))


def _classes(order: Resource, data: Plain, wanted: Sought) -> Iterator[str]:
    texts = [text for name in _ASKED_FOR for text in _texts(data.get(name))]
    if any(_mentions(text, wanted.others) for text in texts):
        return
    fields = {wanted.codes.field_of_procedure[each][0] for each in order.code.codings
              if each in wanted.codes.field_of_procedure}  # fmt: skip
    found = [label for label, words in wanted.classes if any(_mentions(text, words) for text in texts)]
    if _T_CELLS in fields:
        found.append(CLASS_LABELS["car_t"][0])
    if not found and any(_mentions(text, (_TARGET.upper(),)) for text in texts):
        found = [label for label, _ in wanted.classes]
    yield from found


def _mentions(text: str, words: Sequence[str]) -> bool:
    """Whether one of the words stands in a text by itself, whatever joins its parts; short ones as they are written."""
    plain = _apart(text)
    return any(
        f" {_apart(word)} " in f" {plain} "
        if len(word) <= _ABBREVIATION and not re.search(r"\W", word)
        else f" {_apart(word).casefold()} " in f" {plain.casefold()} "
        for word in words
    )


def _apart(text: str) -> str:
    return " ".join(re.findall(r"\w+", text))


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
