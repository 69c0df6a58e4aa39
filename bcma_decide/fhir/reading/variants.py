"""The variant observation: a gene with its copies, two genes that are fused, or a change in the nomenclature."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from bcma_decide.fhir.reading.clause import ReadClause
from bcma_decide.fhir.reading.datatypes import NO_CONCEPT, clip
from bcma_decide.fhir.reading.find import Find, start, weakest
from bcma_decide.fhir.reading.iscn import changes_of, is_formula, read_formula
from bcma_decide.fhir.reading.observations import TIMES
from bcma_decide.fhir.reading.prose import plain
from bcma_decide.fhir.reading.resource import Coded, Resource
from bcma_decide.fhir.reading.results import answered
from bcma_decide.pooled.codes import Code, Codes, Coding, Fusion, Gene

_NOT_WHOLE: Final = "the formula cannot be read whole"


def read_variant(resource: Resource, code: Code, codes: Codes) -> Iterator[Find]:
    """Finds of a variant observation, each with the present or absent of the observation."""
    cyto = codes.cytogenetics
    base = start("", code, resource, resource.when(*TIMES))
    genes = [
        coding for each in _of(resource, cyto.gene) for coding in each.answer.codings
        if coding.system in {gene.system for gene in cyto.genes}
    ]  # fmt: skip
    source = _refused_source(resource, codes)
    finds = [*_genes(base, resource, genes, codes), *_fusions(base, resource, genes, codes)]
    if misnamed := _misnamed(resource, codes):
        finds = [find.refused(f"the code of a gene and its name differ: {misnamed}") for find in finds]
    texts = [text for each in _of(resource, cyto.nomenclature) for text in _texts_of(each)]
    finds += _named(base, resource, texts, codes)
    finds = _without_differing(finds, unread=any(_is_unread(text, codes) for text in texts))
    yield from (find.refused(source) if source and find.value is not None else find for find in finds)


def _is_unread(text: str, codes: Codes) -> bool:
    """Whether a nomenclature is not read to its end: it may deny what the genes say."""
    written = plain(text)
    if is_formula(written):
        return not read_formula(written, codes.reports).understood
    return changes_of(written, codes.reports.iscn) is None


def _without_differing(finds: Sequence[Find], *, unread: bool) -> list[Find]:
    """Refuse what genes and nomenclature of one variant do not say alike."""
    said = {field: {find.value for find in finds if find.field == field} for field in {find.field for find in finds}}
    return [
        find.refused(_NOT_WHOLE if unread else "its genes and its nomenclature differ")
        if find.value is not None and (unread or len(said[find.field]) > 1)
        else find
        for find in finds
    ]


def _of(resource: Resource, known: Iterable[Code]) -> list[Coded]:
    usable = {code.key for code in known if code.usable}
    return [
        each for each in resource.components
        if usable & set(each.code.codings) and not (each.results and each.absent != NO_CONCEPT)
    ]  # fmt: skip


def _misnamed(resource: Resource, codes: Codes) -> str:
    """The name of a gene that is not the one its code has here; empty where all agree or are not known."""
    cyto = codes.cytogenetics
    names = {Coding(gene.system, gene.code): gene.text for gene in cyto.genes} | {
        Coding(fusion.system, code): name
        for fusion in cyto.fusions
        for code, name in zip(fusion.genes, fusion.text.split("::"), strict=True)
    }
    for each in _of(resource, cyto.gene):
        for coding in each.answer.codings:
            texts = each.answer.texts
            if coding in names and texts and not all(names[coding].casefold() in text.casefold() for text in texts):
                return clip(", ".join(texts))
    return ""


def _refused_source(resource: Resource, codes: Codes) -> str:
    """Why a variant is none of the disease: it is not said to be acquired where it says anything."""
    somatic = {code.key for code in codes.cytogenetics.somatic}
    for each in _of(resource, codes.cytogenetics.source_class):
        if not somatic & set(each.answer.codings):
            return "its source class is not somatic"
    return ""


def _genes(base: Find, resource: Resource, genes: Sequence[Coding], codes: Codes) -> Iterator[Find]:
    numbers = _of(resource, codes.cytogenetics.copy_number)
    for gene in codes.cytogenetics.genes:
        if Coding(gene.system, gene.code) in genes:
            find = replace(base, field=gene.field, basis=weakest(base.basis or "verified", gene.basis))
            find = answered(find, resource.coded.answer, codes.answers, codes)
            find = replace(find, text=f"{gene.text}: {find.text}")
            yield find.refused("more than one gene") if len(set(genes)) > 1 else _by_copies(find, numbers, gene)


def _by_copies(find: Find, numbers: Sequence[Coded], gene: Gene) -> Find:
    """A change of a gene is a loss or a gain only where its copy number says so."""
    if find.value is None:
        return find
    if find.value != "yes":
        return find.refused("the absence of a variant of the gene is not the absence of its loss or gain")
    quantities = [each.quantity for each in numbers]
    whole = [each.finite for each in quantities if each is not None and each.comparator is None]
    counts = [count for count in whole if count is not None]
    if len(counts) != 1:
        return find.refused("without one copy number it may be a mutation, and no loss or gain")
    basis = weakest(find.basis or "verified", "secondary")
    find = replace(find, text=f"{find.text}, copy number {counts[0]:g}", basis=basis)
    if gene.copies_below is not None:
        return find if 0 <= counts[0] < gene.copies_below else find.refused("its copy number is no loss")
    above = gene.copies_above is not None and counts[0] > gene.copies_above
    return find if above else find.refused("its copy number is no gain")


def _fusions(base: Find, resource: Resource, genes: Sequence[Coding], codes: Codes) -> Iterator[Find]:
    """A translocation where exactly its two genes are named; a change of type that says otherwise is refused."""
    types = _of(resource, codes.cytogenetics.change_type)
    known = {code.key for code in codes.cytogenetics.translocation}
    is_translocation = bool(types) and all(known & set(each.answer.codings) for each in types)
    for fusion in codes.cytogenetics.fusions:
        if {Coding(fusion.system, gene) for gene in fusion.genes} == set(genes):
            yield _fusion(base, resource, fusion, codes, is_translocation, bool(types))


def _fusion(base: Find, resource: Resource, fusion: Fusion, codes: Codes, is_translocation: bool, typed: bool) -> Find:
    find = replace(base, field=fusion.field, basis=weakest(base.basis or "verified", fusion.basis))
    find = answered(find, resource.coded.answer, codes.answers, codes)
    find = replace(find, text=f"{fusion.text}: {find.text}")
    if find.value is not None and typed and not is_translocation:
        return find.refused("its type of change is no translocation")
    if find.value == "no" and not typed:
        return find.refused("it does not say that a translocation is what is absent")
    return find


def _named(base: Find, resource: Resource, texts: Sequence[str], codes: Codes) -> Iterator[Find]:
    """Changes in the nomenclature: read whole, and only with a plain present or absent."""
    for text in texts:
        written = plain(text)
        if is_formula(written):
            yield from _of_formula(base, resource, text, read_formula(written, codes.reports), codes)
            continue
        fields = changes_of(written, codes.reports.iscn)
        if fields is None:
            lowered = written.casefold()
            about = (c.field for c in codes.reports.changes if any(word in lowered for word in c.mentions))
            yield from (
                replace(base, field=field, text=clip(text), layer="text").refused(_NOT_WHOLE) for field in about
            )
            continue
        for field in dict.fromkeys(fields):
            find = answered(replace(base, field=field), resource.coded.answer, codes.answers, codes)
            find = replace(find, text=clip(f"{text}: {find.text}"), layer="text")
            several = find.value == "no" and "," in written
            yield find.refused("the absence of several changes at once") if several else find


def _of_formula(base: Find, resource: Resource, text: str, read: ReadClause, codes: Codes) -> Iterator[Find]:
    for said in read.statements:
        find = answered(replace(base, field=said.field), resource.coded.answer, codes.answers, codes)
        differs = find.value is not None and find.value != said.value
        find = replace(find, text=clip(f"{text}: {find.text}"), layer="text")
        yield find.refused("the formula and the result differ") if differs else find


def _texts_of(component: Coded) -> list[str]:
    """ISCN text wherever it may stand: nomenclature is written as text, as a string or as a code."""
    texts = [*component.answer.texts, component.wording, *component.answer.codes]
    return [text for text in dict.fromkeys(texts) if text]
