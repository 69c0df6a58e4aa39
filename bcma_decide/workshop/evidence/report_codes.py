"""What ``evidence/codes/cytogenetics.yaml`` may say, and the checks a type cannot make."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Annotated, Literal

from pydantic import Field

from bcma_decide.patient.fields import FIELDS
from bcma_decide.pooled.codes import CodeBasis
from bcma_decide.pooled.report_language import ChangeKind
from bcma_decide.workshop.evidence.code_entries import CodeEntries, CodeText, FieldId, SystemId
from bcma_decide.workshop.evidence.schema import Number, Strict, Text

Phrases = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
Share = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]


class GeneEntry(Strict):
    """A gene whose copy number settles a field."""

    system: SystemId
    code: CodeText
    text: Text
    field: FieldId
    copies_below: Number | None = None
    copies_above: Number | None = None
    basis: CodeBasis
    source: str | None = None


class FusionEntry(Strict):
    """Two genes whose fusion settles a field."""

    system: SystemId
    genes: tuple[CodeText, CodeText]
    text: Text
    field: FieldId
    basis: CodeBasis
    source: str | None = None

    @property
    def code(self) -> str:
        """Both genes as one."""
        return "::".join(self.genes)


class ChangeEntry(Strict):
    """How reports name one change."""

    field: FieldId
    kind: ChangeKind
    names: Phrases
    loci: Phrases
    mentions: Phrases


class CutoffsEntry(Strict):
    """Least shares of cells that are a finding, in percent."""

    loss: Share
    gain: Share
    fusion: Share
    basis: CodeBasis
    source: str


class BelowEntry(Strict):
    """Fewer than this."""

    below: Number


class AboveEntry(Strict):
    """More than this."""

    above: Number


class CopiesEntry(Strict):
    """Copies that are a loss, and copies that are a gain."""

    loss: BelowEntry
    gain: AboveEntry


class StructuralEntry(Strict):
    """A structural change in ISCN."""

    field: FieldId
    pattern: Text


class ProbesEntry(Strict):
    """Probes that tell a change."""

    field: FieldId
    probes: Phrases
    controls: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()


class NomenclatureEntry(Strict):
    """What of ISCN is read."""

    clone_cells: Annotated[int, Field(ge=1)]
    structural: tuple[StructuralEntry, ...]
    probes: tuple[ProbesEntry, ...]


class CytogeneticsEntry(Strict):
    """Codes and names of chromosome changes."""

    variant: CodeEntries
    gene: CodeEntries
    copy_number: CodeEntries
    nomenclature: CodeEntries
    source_class: CodeEntries
    change_type: CodeEntries
    somatic: CodeEntries
    translocation: CodeEntries
    panel: CodeEntries
    genes: tuple[GeneEntry, ...]
    fusions: tuple[FusionEntry, ...]
    changes: tuple[ChangeEntry, ...]
    other_changes: Phrases
    cutoffs: CutoffsEntry
    copies: CopiesEntry
    iscn: NomenclatureEntry


class WordsEntry(Strict):
    """Words of single results."""

    present: tuple[str, ...]
    absent: tuple[str, ...]


class ClausesEntry(Strict):
    """Words of clauses."""

    present: Phrases
    counting: Phrases
    absent: Phrases
    leading: Phrases
    articles: Phrases
    shared: Phrases
    shared_and: Phrases
    either: Phrases
    both: Phrases
    plural: Phrases
    cells: Phrases
    cutoff: Phrases
    copies: Phrases
    numbers: dict[str, int]
    at_least: Phrases
    more_than: Phrases
    up_to: Phrases
    or_more: Phrases
    governing: Phrases
    alone: Phrases
    glue: Phrases
    into: Phrases
    headings: Phrases
    kinds: Phrases
    losses: Phrases
    gains: Phrases
    adjectives: Phrases
    general: Phrases
    doubt: Phrases
    back: Phrases
    report: Phrases
    naming: Phrases
    names: Phrases


class OrdinaryEntry(Strict):
    """What an ordinary report holds beside its results."""

    words: Phrases
    forms: Phrases
    longer_than: Annotated[int, Field(ge=1)]
    topics: Phrases
    subjects: Phrases
    clauses: Phrases
    alone: Phrases
    normal: Phrases
    harmless: Phrases
    specimens: Phrases
    agreeing: dict[Literal["yes", "no"], Phrases]


class ImagingEntry(Strict):
    """Names of disease outside the marrow in reports of imaging."""

    field: FieldId
    names: Phrases
    loci: Phrases
    mentions: Phrases
    headings: Phrases
    glue: Phrases
    narrowing: Phrases
    naming: Phrases
    names_of_reports: Phrases
    whole: Phrases


class CytogeneticsFile(Strict):
    """``cytogenetics.yaml``."""

    cytogenetics: CytogeneticsEntry
    words: WordsEntry
    clauses: ClausesEntry
    ordinary: OrdinaryEntry
    imaging: ImagingEntry


def report_problems(file: CytogeneticsFile) -> Iterator[tuple[str, str, str]]:
    """File, place and message of every slip."""
    cyto, words, imaging = file.cytogenetics, file.clauses, file.imaging
    named = [
        *(each.field for each in cyto.genes),
        *(each.field for each in cyto.fusions),
        *(each.field for each in cyto.changes),
        *(each.field for each in cyto.iscn.structural),
        *(each.field for each in cyto.iscn.probes),
        imaging.field,
    ]
    for name in dict.fromkeys(named):
        if name not in FIELDS or FIELDS[name].kind != "yes_no":
            yield "cytogenetics", name, "is not a yes-or-no field of the profile"
    for gene in cyto.genes:
        if (gene.copies_below is None) == (gene.copies_above is None):
            yield "cytogenetics", gene.text, "names copies_below or copies_above"
    patterns = (
        *(pattern for change in cyto.changes for pattern in (*change.names, *change.loci)),
        *cyto.other_changes,
        *file.ordinary.forms,
        *file.ordinary.clauses,
        *(each.pattern for each in cyto.iscn.structural),
        *imaging.names,
        *imaging.loci,
    )
    for pattern in patterns:
        try:
            if re.compile(pattern).match(""):
                yield "cytogenetics", pattern, "matches nothing at all"
        except re.error as error:
            yield "cytogenetics", pattern, f"is no regular expression ({error})"
    lists = {
        "present": words.present,
        "counting": words.counting,
        "absent": words.absent,
        "glue": (*words.glue, *imaging.glue),
        "headings": (*words.headings, *imaging.headings),
        "kinds": words.kinds,
        "adjectives": words.adjectives,
        "narrowing": imaging.narrowing,
    }
    for (one, first), (other, second) in combinations(lists.items(), 2):
        for word in sorted(set(first) & set(second)):
            yield "cytogenetics", f"clauses.{one}", f"{word!r} stands under {other} as well"
    for name, within in (
        ("leading", words.absent),
        ("shared", words.absent),
        ("shared_and", words.shared),
        ("governing", (*words.present, *words.absent)),
        ("alone", words.governing),
        ("into", words.glue),
        ("articles", words.glue),
        ("losses", words.kinds),
        ("gains", words.kinds),
    ):
        for word in getattr(words, name):
            if word not in within:
                yield "cytogenetics", f"clauses.{name}", f"{word!r} is in none of the lists it is chosen from"
