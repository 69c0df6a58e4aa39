"""Which drug a resource names: by ingredient, product, NDC, ATC, procedure or claim code, and last by name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from bcma_decide.pooled.codes import LAYERS, RECALLED, Code, CodeBasis, Codes, Coding, Layer, normal
from bcma_decide.pooled.definitions import Definitions, fold

_SUFFIX: Final = re.compile(r"-[a-z]{4}$")
"""Four letters that tell biological products of one name apart."""
_JOINED: Final = re.compile(r"\s*(?:[/+,&]|\band\b)\s*")
_SHORTEST: Final = 6
"""Letters a name needs to be recognised at the beginning of a longer text; short forms have to stand alone."""


class Resolved(NamedTuple):
    """The drugs found, by which step, from which code, and how that is known."""

    drugs: tuple[str, ...]
    layer: Layer
    coding: Coding | None
    basis: CodeBasis


class Unresolved(NamedTuple):
    """No drug, and why."""

    note: str
    contradiction: bool = False


def recognise_drug(
    codings: Iterable[Coding], texts: Iterable[str], codes: Codes, definitions: Definitions
) -> Resolved | Unresolved | None:
    """Find the drug of codings and texts.

    Returns
    -------
    Resolved
        The surest step that names a drug.
    Unresolved
        Where codes or names disagree, or only a code that was never checked names one.
    None
        Where nothing names a drug known here.
    """
    codings = list(codings)
    usable = coded_drugs(codings, codes)
    named = [drugs for text in texts for drugs in [by_name(text, definitions)] if drugs]
    coded = {drug for drug, _ in usable}
    if len(coded) > 1 or len({frozenset(drugs) for drugs in named}) > 1:
        return Unresolved("its codes or names are of different drugs", contradiction=True)
    if usable:
        drug, code = min(usable, key=lambda pair: (_step(pair[1]), pair[1].key))
        if named and drug not in named[0]:
            return Unresolved("its code and its name are of different drugs", contradiction=True)
        return Resolved((drug,), code.layer or "procedure", code.key, code.basis)
    if named:
        return Resolved(named[0], "name", None, "verified")
    known = any(normal(key) in codes.drug_of for key in codings)
    return Unresolved("its code is known from background only and was not checked") if known else None


def coded_drugs(codings: Iterable[Coding], codes: Codes) -> list[tuple[str, Code]]:
    """Drugs that codings name, with the code; codes that were never checked name none."""
    known = [codes.drug_of[key] for key in map(normal, codings) if key in codes.drug_of]
    return [(drug, code) for drug, code in known if code.basis != RECALLED]


def is_other_drug(codings: Iterable[Coding], texts: Iterable[str], codes: Codes) -> bool:
    """Whether it is a known drug that says nothing about the myeloma."""
    keys = {code.key for code in codes.other_drugs}
    names = {code.text for code in codes.other_drugs if code.text}
    return any(coding in keys for coding in codings) or any(text.casefold() in names for text in texts)


def by_name(text: str, definitions: Definitions) -> tuple[str, ...]:
    """Drugs a text names: the whole of it, its parts, or how it begins; brands and biosimilar suffixes included."""
    plain = re.sub(r"\(.*?\)|\[.*?\]", " ", text).strip()
    if one := _one(plain, definitions):
        return (one,)
    parts = [part for part in _JOINED.split(plain) if part]
    if len(parts) > 1:
        drugs = [_one(part, definitions) or _beginning(part, definitions) for part in parts]
        return tuple(dict.fromkeys(drug for drug in drugs if drug))
    one = _beginning(plain, definitions)
    return (one,) if one else ()


def _one(text: str, definitions: Definitions) -> str:
    name = text.strip().casefold()
    for candidate in (name, _SUFFIX.sub("", name)):
        if drug := definitions.drug_names.get(fold(candidate)):
            return drug.id
    return ""


def _beginning(text: str, definitions: Definitions) -> str:
    words = text.split()
    for count in range(min(4, len(words)), 0, -1):
        beginning = " ".join(words[:count])
        if len(fold(beginning)) >= _SHORTEST and (one := _one(beginning, definitions)):
            return one
    return ""


def _step(code: Code) -> int:
    return LAYERS.index(code.layer or "procedure")
