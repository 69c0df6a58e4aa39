"""Chromosome changes: variant observations by gene and copy number, and reports by conservative text rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from bcma_decide.fhir.reading.bundle import Plain, Resource, clip, mappings, number_of
from bcma_decide.fhir.reading.dates import first_of
from bcma_decide.fhir.reading.find import Find, codings, start, status_of, weakest, words_of
from bcma_decide.fhir.reading.observations import TIMES, refused_by_status
from bcma_decide.fhir.reading.results import answered
from bcma_decide.pooled.codes import Code, Codes, Coding, Words

_LONGEST: Final = 4000
"""Characters of a report that are read."""


def read_cytogenetics(resource: Resource, codes: Codes) -> Iterator[Find]:
    """Finds of a variant observation or a FISH report; nothing for any other resource."""
    cyto = codes.cytogenetics
    given = set(codings(resource.data.get("code"), dict(codes.systems)))
    if variant := _first(cyto.variant, given):
        yield from (refused_by_status(find, status_of(resource.data)) for find in _variant(resource, variant, codes))
    elif panel := _first(cyto.panel, given):
        for find in _report(resource, panel, codes):
            checked = refused_by_status(find, status_of(resource.data))
            yield (
                checked
                if panel.usable or checked.state == "ignored"
                else checked.refused("its code is known from background only and was not checked")
            )


def is_cytogenetic(data: Plain, codes: Codes) -> bool:
    """Whether a resource is one of those read here."""
    given = set(codings(data.get("code"), dict(codes.systems)))
    return any(code.key in given for code in (*codes.cytogenetics.variant, *codes.cytogenetics.panel))


def _first(known: Iterable[Code], given: Iterable[Coding]) -> Code | None:
    held = set(given)
    return next((code for code in known if code.key in held), None)


def _variant(resource: Resource, code: Code, codes: Codes) -> Iterator[Find]:
    """A gene with its copy number, else the ISCN text; both with the present or absent of the observation."""
    cyto, systems = codes.cytogenetics, dict(codes.systems)
    components = [(set(codings(each.get("code"), systems)), each) for each in mappings(resource.data.get("component"))]

    def values(known: tuple[Code, ...]) -> list[Plain]:
        usable = tuple(each for each in known if each.usable)
        return [each for given, each in components if _first(usable, given)]

    base = start("", code, resource, first_of(resource.data, *TIMES))
    genes = {coding for each in values(cyto.gene) for coding in codings(each.get("valueCodeableConcept"), systems)}
    for gene in cyto.genes:
        if Coding(gene.system, gene.code) in genes:
            find = answered(
                replace(base, field=gene.field, basis=weakest(base.basis or "verified", gene.basis)),
                resource.data.get("valueCodeableConcept") or {},
                codes.answers,
                codes,
            )
            find = replace(find, text=f"{gene.text}: {find.text}")
            yield _by_copies(find, values(cyto.copy_number), gene.copies_below)
    texts = [text for each in values(cyto.nomenclature) for text in _texts_of(each)]
    for wording in cyto.words:
        if any(_mentions(text, wording.patterns) for text in texts):
            find = replace(base, field=wording.field)
            find = answered(find, resource.data.get("valueCodeableConcept") or {}, codes.answers, codes)
            yield replace(find, text=clip(f"{'; '.join(texts)}: {find.text}"), layer="text")


def _by_copies(find: Find, numbers: list[Plain], below: float) -> Find:
    """A change of a gene is a loss only where its copy number says so."""
    if find.value is None:
        return find
    if find.value != "yes":
        return find.refused("the absence of a variant of the gene is not the absence of its loss")
    quantities = [each.get("valueQuantity") for each in numbers]
    plain = [each for each in quantities if isinstance(each, dict) and not each.get("comparator")]
    counts = [count for each in plain if (count := number_of(each.get("value"))) is not None]
    if len(counts) != 1:
        return find.refused("without one copy number it may be a mutation, not a loss")
    basis = weakest(find.basis or "verified", "secondary")
    find = replace(find, text=f"{find.text}, copy number {counts[0]:g}", basis=basis)
    return find if counts[0] < below else find.refused("its copy number is no loss")


def _texts_of(data: Plain) -> list[str]:
    texts = [*words_of(data.get("valueCodeableConcept")), clip(data.get("valueString"))]
    concept = data.get("valueCodeableConcept")
    texts += [clip(each.get("code")) for each in mappings(concept.get("coding") if isinstance(concept, dict) else None)]
    return [text for text in dict.fromkeys(texts) if text]


def _report(resource: Resource, code: Code, codes: Codes) -> Iterator[Find]:
    """What the text of a report says of each change, clause by clause."""
    data = resource.data
    parts = [
        data.get("valueString"),
        data.get("conclusion"),
        *(note.get("text") for note in mappings(data.get("note"))),
    ]
    parts += list(words_of(data.get("valueCodeableConcept")))
    text = "\n".join(part[:_LONGEST] for part in parts if isinstance(part, str))
    base = replace(start("", code, resource, first_of(data, *TIMES)), layer="text")
    for wording in codes.cytogenetics.words:
        said = [clause for clause in clauses(text, codes) if _mentions(clause, wording.patterns)]
        if not said:
            continue
        find = replace(base, field=wording.field, text=clip(said[0].strip()))
        values = {clause_says(clause, codes) for clause in said}
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
