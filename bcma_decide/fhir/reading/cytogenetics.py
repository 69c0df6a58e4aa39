"""Chromosome changes: variant observations by gene and copy number, and reports by conservative text rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from bcma_decide.fhir.reading.datatypes import clip
from bcma_decide.fhir.reading.find import Find, start, weakest
from bcma_decide.fhir.reading.observations import TIMES, refused_by_status
from bcma_decide.fhir.reading.resource import Coded, Resource
from bcma_decide.fhir.reading.results import answered
from bcma_decide.pooled.codes import Code, Codes, Coding, Words

_LONGEST: Final = 4000
"""Characters of a report that are read."""


def read_cytogenetics(resource: Resource, codes: Codes) -> Iterator[Find]:
    """Finds of a variant observation or a FISH report; nothing for any other resource."""
    cyto = codes.cytogenetics
    if variant := _first(cyto.variant, resource.code.codings):
        yield from (refused_by_status(find, resource.status) for find in _variant(resource, variant, codes))
    elif panel := _first(cyto.panel, resource.code.codings):
        for find in _report(resource, panel, codes):
            checked = refused_by_status(find, resource.status)
            yield (
                checked
                if panel.usable or checked.state == "ignored"
                else checked.refused("its code is known from background only and was not checked")
            )


def is_cytogenetic(resource: Resource, codes: Codes) -> bool:
    """Whether a resource is one of those read here; by its code alone, of whatever kind it is."""
    return _first((*codes.cytogenetics.variant, *codes.cytogenetics.panel), resource.code.codings) is not None


def _first(known: Iterable[Code], codings: Iterable[Coding]) -> Code | None:
    held = set(codings)
    return next((code for code in known if code[:2] in held), None) if held else None


def _variant(resource: Resource, code: Code, codes: Codes) -> Iterator[Find]:
    """A gene with its copy number, else the ISCN text; both with the present or absent of the observation."""
    cyto = codes.cytogenetics

    def components(known: tuple[Code, ...]) -> list[Coded]:
        usable = tuple(each for each in known if each.usable)
        return [each for each in resource.components if _first(usable, each.code.codings)]

    base = start("", code, resource, resource.when(*TIMES))
    genes = {coding for each in components(cyto.gene) for coding in each.answer.codings}
    for gene in cyto.genes:
        if Coding(gene.system, gene.code) in genes:
            find = answered(
                replace(base, field=gene.field, basis=weakest(base.basis or "verified", gene.basis)),
                resource.coded.answer,
                codes.answers,
                codes,
            )
            find = replace(find, text=f"{gene.text}: {find.text}")
            yield _by_copies(find, components(cyto.copy_number), gene.copies_below)
    texts = [text for each in components(cyto.nomenclature) for text in _texts_of(each)]
    for wording in cyto.words:
        if any(_mentions(text, wording.patterns) for text in texts):
            find = replace(base, field=wording.field)
            find = answered(find, resource.coded.answer, codes.answers, codes)
            yield replace(find, text=clip(f"{'; '.join(texts)}: {find.text}"), layer="text")


def _by_copies(find: Find, numbers: list[Coded], below: float) -> Find:
    """A change of a gene is a loss only where its copy number says so."""
    if find.value is None:
        return find
    if find.value != "yes":
        return find.refused("the absence of a variant of the gene is not the absence of its loss")
    quantities = [each.quantity for each in numbers]
    plain = [each.finite for each in quantities if each is not None and each.comparator is None]
    counts = [count for count in plain if count is not None]
    if len(counts) != 1:
        return find.refused("without one copy number it may be a mutation, not a loss")
    basis = weakest(find.basis or "verified", "secondary")
    find = replace(find, text=f"{find.text}, copy number {counts[0]:g}", basis=basis)
    return find if counts[0] < below else find.refused("its copy number is no loss")


def _texts_of(component: Coded) -> list[str]:
    """ISCN text wherever it may stand: nomenclature is written as text, as a string or as a code."""
    texts = [*component.answer.texts, clip(component.wording), *component.answer.codes]
    return [text for text in dict.fromkeys(texts) if text]


def _report(resource: Resource, code: Code, codes: Codes) -> Iterator[Find]:
    """What the text of a report says of each change, clause by clause."""
    parts = [resource.coded.wording, *resource.remarks, *resource.coded.answer.texts]
    text = "\n".join(part[:_LONGEST] for part in parts)
    base = replace(start("", code, resource, resource.when(*TIMES)), layer="text")
    for wording in codes.cytogenetics.words:
        mentions = [clause for clause in clauses(text, codes) if _mentions(clause, wording.patterns)]
        if not mentions:
            continue
        find = replace(base, field=wording.field, text=clip(mentions[0].strip()))
        values = {clause_says(clause, codes) for clause in mentions}
        value = values.pop() if len(values) == 1 else None
        if value is None:
            yield find.refused("the text is not plain enough to be read")
        else:
            yield replace(find, value=value)


def clauses(text: str, codes: Codes) -> list[str]:
    """Split a report at full stops, semicolons and lines, but not inside a translocation."""
    kept = re.sub(r"\(\s*([0-9XY]+)\s*;\s*([0-9XY]+)\s*\)", r"(\1;\2)", text)
    return [part for part in re.split(r"(?<=[^0-9(]);|;(?=\s)|\.(?=\s|$)|[\n\r]+", kept) if part.strip()]


def clause_says(clause: str, codes: Codes) -> str | None:
    """*yes*, *no*, or None where the clause says neither, both, or is in doubt."""
    words: Words = codes.words
    plain = f" {' '.join(clause.casefold().split())} "
    for wording in codes.cytogenetics.words:
        for pattern in wording.patterns:
            plain = plain.replace(pattern.casefold(), " ")
    if any(_has(plain, word) for word in words.doubt):
        return None
    absent = [word for word in words.absent if _has(plain, word)]
    for word in sorted(absent, key=len, reverse=True):
        plain = plain.replace(word, " ")
    present = any(_has(plain, word) for word in words.present)
    left = any(_has(plain, word) for word in ("no", "not", "nor", "neither", "except", "but"))
    if left or present == bool(absent):
        return None
    return "yes" if present else "no"


def _has(text: str, word: str) -> bool:
    return re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", text) is not None


def _mentions(text: str, patterns: Iterable[str]) -> bool:
    plain = " ".join(text.casefold().split())
    return any(pattern.casefold() in plain for pattern in patterns)
