"""The language of reports as plain values: how cytogenetic changes are named, and which words a clause may hold.

It stands in ``evidence/codes/cytogenetics.yaml`` and reaches the bedside inside the pooled file. Named tuples of text
only, so that what is compiled from one can be kept by its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from bcma_decide.pooled.score_book import row_of, rows_of

ChangeKind: TypeAlias = Literal["loss", "gain", "fusion"]
NamedNumbers: TypeAlias = tuple[tuple[str, int], ...]


class NamedChange(NamedTuple):
    """How reports name one change that settles a field."""

    field: str
    names: tuple[str, ...]
    """Regular expressions on text in small letters."""
    loci: tuple[str, ...] = ()
    """Names of the place alone, likewise."""
    mentions: tuple[str, ...] = ()
    """Words that make a clause one about it."""
    kind: ChangeKind | None = None
    """None for what is no chromosome change."""


class Cutoffs(NamedTuple):
    """Least share of cells, in percent, that is a finding where the laboratory names none."""

    loss: float
    gain: float
    fusion: float
    basis: str
    source: str


class ClauseWords(NamedTuple):
    """Words of a clause by what they do in it."""

    present: tuple[str, ...]
    counting: tuple[str, ...]
    absent: tuple[str, ...]
    leading: tuple[str, ...]
    articles: tuple[str, ...]
    shared: tuple[str, ...]
    shared_and: tuple[str, ...]
    either: tuple[str, ...]
    both: tuple[str, ...]
    plural: tuple[str, ...]
    cells: tuple[str, ...]
    cutoff: tuple[str, ...]
    copies: tuple[str, ...]
    numbers: NamedNumbers
    at_least: tuple[str, ...]
    more_than: tuple[str, ...]
    up_to: tuple[str, ...]
    or_more: tuple[str, ...]
    governing: tuple[str, ...]
    alone: tuple[str, ...]
    glue: tuple[str, ...]
    into: tuple[str, ...]
    headings: tuple[str, ...]
    kinds: tuple[str, ...]
    losses: tuple[str, ...]
    gains: tuple[str, ...]
    adjectives: tuple[str, ...]
    general: tuple[str, ...]
    doubt: tuple[str, ...]
    back: tuple[str, ...]
    report: tuple[str, ...]
    naming: tuple[str, ...]
    names: tuple[str, ...]


class Structural(NamedTuple):
    """A structural change as ISCN writes it, a regular expression on small letters."""

    field: str
    pattern: str


class Probes(NamedTuple):
    """The probes of nuclei that tell a change, by their names in small letters."""

    field: str
    probes: tuple[str, ...]
    controls: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()


class Nomenclature(NamedTuple):
    """What of ISCN is read."""

    clone_cells: int
    structural: tuple[Structural, ...]
    probes: tuple[Probes, ...]


class Imaging(NamedTuple):
    """How reports of imaging name disease outside the marrow."""

    field: str
    names: tuple[str, ...]
    loci: tuple[str, ...]
    mentions: tuple[str, ...]
    headings: tuple[str, ...]
    glue: tuple[str, ...]
    narrowing: tuple[str, ...]
    naming: tuple[str, ...]
    names_of_reports: tuple[str, ...]
    whole: tuple[str, ...]


class Ordinary(NamedTuple):
    """What an ordinary report holds beside its results."""

    words: tuple[str, ...]
    forms: tuple[str, ...]
    """Regular expressions on text in small letters."""
    longer_than: int
    """Words of a sentence above which it may hold others than these."""
    topics: tuple[str, ...]
    """Words of which such a sentence holds one."""
    subjects: tuple[str, ...]
    """Words that such a sentence may not hold."""
    clauses: tuple[str, ...]
    """Regular expressions on whole clauses as they are written."""
    alone: tuple[str, ...]
    normal: tuple[str, ...]
    harmless: tuple[str, ...]
    """Phrases that take nothing back, though one of their words would."""
    specimens: tuple[str, ...]
    agreeing: tuple[tuple[str, tuple[str, ...]], ...]
    """By value, the interpretations that agree with it."""


class ReportLanguage(NamedTuple):
    """All of it."""

    changes: tuple[NamedChange, ...]
    other_changes: tuple[str, ...]
    cutoffs: Cutoffs
    copies_below: float
    """Copies under which there is a loss."""
    copies_above: float
    """Copies over which there is a gain."""
    clauses: ClauseWords
    ordinary: Ordinary
    iscn: Nomenclature
    imaging: Imaging

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> ReportLanguage:
        """Build from the pooled file's ``codes``; what is missing is a KeyError."""
        cyto, iscn = plain["cytogenetics"], plain["cytogenetics"]["iscn"]
        agreeing = {value: tuple(words) for value, words in plain["ordinary"]["agreeing"].items()}
        return cls(
            changes=rows_of(NamedChange, cyto["changes"]),
            other_changes=tuple(cyto["other_changes"]),
            cutoffs=row_of(Cutoffs, cyto["cutoffs"]),
            copies_below=cyto["copies"]["loss"]["below"],
            copies_above=cyto["copies"]["gain"]["above"],
            clauses=row_of(ClauseWords, {**plain["clauses"], "numbers": tuple(plain["clauses"]["numbers"].items())}),
            ordinary=row_of(Ordinary, {**plain["ordinary"], "agreeing": tuple(agreeing.items())}),
            iscn=Nomenclature(
                iscn["clone_cells"], rows_of(Structural, iscn["structural"]), rows_of(Probes, iscn["probes"])
            ),
            imaging=row_of(Imaging, plain["imaging"]),
        )
