"""What ``evidence/codes/*.yaml`` may say, and the checks a type cannot make."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from bcma_decide.errors import EvidenceError, Problem
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.quantities import read_quantity
from bcma_decide.patient.reading import Unreadable
from bcma_decide.pooled.codes import CODED, RECALLED, CodeBasis, Layer, ResultKind
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.workshop.evidence.agreement import AgreementFile, agreement_faults
from bcma_decide.workshop.evidence.catalogue import read_shape
from bcma_decide.workshop.evidence.code_entries import AnswerEntry, CodeEntries, CodeEntry, FieldId, SystemId
from bcma_decide.workshop.evidence.report_codes import (
    CutoffsEntry,
    CytogeneticsFile,
    FusionEntry,
    GeneEntry,
    report_problems,
)
from bcma_decide.workshop.evidence.schema import Source, Strict, Text

FOLDER: Final = "codes"
Days = Annotated[int, Field(ge=1, le=3650)]


class SystemEntry(Strict):
    """A code system and the addresses records give it."""

    id: SystemId
    urls: Annotated[tuple[str, ...], Field(min_length=1)]


class SystemsFile(Strict):
    """``systems.yaml``."""

    systems: tuple[SystemEntry, ...]
    sources: dict[str, Source]


class DrugCodeEntry(CodeEntry):
    """A code of a drug, with its step of the resolver."""

    layer: Layer


class ObservationEntry(Strict):
    """A field of the profile and its codes."""

    field: FieldId
    measure: ResultKind
    codes: CodeEntries
    answers: tuple[AnswerEntry, ...] = ()
    max_age_days: Days | None = None
    reason: str = ""


class ObservationsFile(Strict):
    """``observations.yaml``."""

    observations: tuple[ObservationEntry, ...]
    answers: tuple[AnswerEntry, ...]


class DiagnosisEntry(Strict):
    """A diagnosis and its codes."""

    means: Literal["myeloma"] | FieldId
    codes: CodeEntries
    current: bool = False
    max_age_days: Days | None = None
    reason: str = ""
    value: Text = "yes"
    coarse: bool = False
    names: Annotated[tuple[Text, ...], Field(min_length=1)]
    parts: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


class ConditionWordsEntry(Strict):
    """What statuses and texts of conditions say."""

    confirmed: tuple[str, ...]
    refuted: tuple[str, ...]
    active: tuple[str, ...]
    remission: tuple[str, ...]
    ended: tuple[str, ...]
    doubt: tuple[str, ...]
    weak: tuple[str, ...]
    neutral: tuple[str, ...]
    beside: tuple[str, ...]
    category_codes: CodeEntries
    other_names: tuple[str, ...]
    certainty: tuple[tuple[str, str], ...]
    certainty_urls: tuple[str, ...]


class DiagnosesFile(Strict):
    """``diagnoses.yaml``."""

    diagnoses: tuple[DiagnosisEntry, ...]
    words: ConditionWordsEntry


class DrugEntry(Strict):
    """A drug of the definitions and its codes."""

    drug: Text
    codes: Annotated[tuple[DrugCodeEntry, ...], Field(min_length=1)]


class OtherDrugEntry(Strict):
    """A drug that says nothing about the myeloma."""

    text: Text
    names: tuple[str, ...] = ()
    codes: Annotated[tuple[DrugCodeEntry, ...], Field(min_length=1)]


class LinesEntry(Strict):
    """How lines of therapy are inferred."""

    era_gap_days: Days
    window_days: Days
    gap_days: Days
    transplant_gap_days: Days
    high_dose_days: Days
    mobilisation_days: Days
    bridging_days: Days
    not_counted: tuple[str, ...]
    high_dose: tuple[str, ...]
    mobilising: tuple[str, ...]
    text: Text
    basis: CodeBasis
    source: str | None = None


class DrugsFile(Strict):
    """``drugs.yaml``."""

    drugs: tuple[DrugEntry, ...]
    other_drugs: tuple[OtherDrugEntry, ...]
    lines: LinesEntry


class ProcedureEntry(Strict):
    """A procedure that was a drug, makes a field true, was a transplantation, or was no dose."""

    codes: CodeEntries
    drug: str | None = None
    field: FieldId | None = None
    names: tuple[Text, ...] = ()
    transplant: bool = False
    no_dose: str = ""
    category: bool = False


class ProceduresFile(Strict):
    """``procedures.yaml``."""

    procedures: tuple[ProcedureEntry, ...]


Word = Annotated[str, Field(min_length=1)]
WordList = Annotated[tuple[Word, ...], Field(min_length=1)]
Count = Annotated[int, Field(ge=1, le=1000)]


class NoDoseEntry(Strict):
    """Words that say it was no dose."""

    why: Text
    words: WordList


class DrugWordsFile(Strict):
    """``drug_words.yaml``."""

    suffixes: dict[str, Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z]{4}$")], ...], Field(min_length=1)]]
    shortest_name: Count
    shortest_mention: Count
    longest_text: Count
    units: WordList
    per: WordList
    forms: WordList
    routes: WordList
    makers: WordList
    schedule: WordList
    counted: WordList
    counted_from_zero: WordList
    shapes: WordList
    counting_shapes: WordList
    joined_by: WordList
    separators: WordList
    no_dose: Annotated[tuple[NoDoseEntry, ...], Field(min_length=1)]
    never_given: WordList
    never_begun: WordList
    doubt: WordList
    ended: WordList


@dataclass(frozen=True)
class CodeFiles:
    """All files of codes as read."""

    systems: SystemsFile
    agreement: AgreementFile
    observations: ObservationsFile
    cytogenetics: CytogeneticsFile
    diagnoses: DiagnosesFile
    drugs: DrugsFile
    drug_words: DrugWordsFile
    procedures: ProceduresFile

    def bedside(self) -> dict[str, Any]:
        """Plain data for the pooled file."""
        return {
            "systems": {url: system.id for system in self.systems.systems for url in system.urls},
            "observations": [_plain(row) for row in self.observations.observations],
            "answers": [_plain(row) for row in self.observations.answers],
            "diagnoses": [_plain(row) for row in self.diagnoses.diagnoses],
            "drugs": [_plain(row) for row in self.drugs.drugs],
            "other_drugs": [_plain(row) for row in self.drugs.other_drugs],
            "drug_words": _plain(self.drug_words),
            "procedures": [_plain(row) for row in self.procedures.procedures],
            "cytogenetics": _plain(self.cytogenetics.cytogenetics),
            "agreement": self.agreement.bedside(),
            "condition_words": _plain(self.diagnoses.words),
            "words": _plain(self.cytogenetics.words),
            "clauses": _plain(self.cytogenetics.clauses),
            "ordinary": _plain(self.cytogenetics.ordinary),
            "imaging": _plain(self.cytogenetics.imaging),
            "lines": _plain(self.drugs.lines),
            "sources": {key: source.bedside() for key, source in self.systems.sources.items()},
        }


def _plain(entry: Strict) -> dict[str, Any]:
    return entry.model_dump(mode="json")


_FILES: Final[dict[str, type[Strict]]] = {
    "systems": SystemsFile,
    "agreement": AgreementFile,
    "observations": ObservationsFile,
    "cytogenetics": CytogeneticsFile,
    "diagnoses": DiagnosesFile,
    "drugs": DrugsFile,
    "drug_words": DrugWordsFile,
    "procedures": ProceduresFile,
}


def load_codes(root: Path, definitions: Definitions) -> CodeFiles:
    """Read and check all files of codes.

    Raises
    ------
    EvidenceError
        With every problem found, each naming its file and place.
    """
    problems: list[Problem] = []
    read: dict[str, Any] = {
        name: read_shape(root / FOLDER / f"{name}.yaml", shape, root, problems) for name, shape in _FILES.items()
    }
    if not problems:
        files = CodeFiles(**read)
        problems = [Problem(where, message, file=f"{FOLDER}/{name}.yaml") for name, where, message in _all(files)]
        problems += [
            Problem(where, message, file=f"{FOLDER}/{name}.yaml") for name, where, message in _names(files, definitions)
        ]
        fields = [row.field for row in files.observations.observations]
        problems += [
            Problem(where, message, file=f"{FOLDER}/agreement.yaml")
            for where, message in agreement_faults(files.agreement, fields)
        ]
        if not problems:
            return files
    raise EvidenceError("the codes cannot be used", problems)


Found = Iterator[tuple[str, str, str]]
"""File, place, message."""

CodedEntry = CodeEntry | AnswerEntry | GeneEntry | FusionEntry | LinesEntry | CutoffsEntry
_UNCODED: Final = (LinesEntry, CutoffsEntry)


def _entries(files: CodeFiles) -> Iterator[tuple[str, str, CodedEntry]]:
    """Every code with the group it must be unique in."""
    for row in files.observations.observations:
        yield from (("observations", "observation", code) for code in row.codes)
        yield from (("observations", f"answer of {row.field}", answer) for answer in row.answers)
    yield from (("observations", "answer", answer) for answer in files.observations.answers)
    cyto = files.cytogenetics.cytogenetics
    for name in CODED:
        group = "observation" if name in ("variant", "panel") else "component"
        yield from (("cytogenetics", group, code) for code in getattr(cyto, name))
    yield from (("cytogenetics", "gene", gene) for gene in cyto.genes)
    yield from (("cytogenetics", "gene", fusion) for fusion in cyto.fusions)
    yield "cytogenetics", "cutoffs", cyto.cutoffs
    for diagnosis in files.diagnoses.diagnoses:
        yield from (("diagnoses", "diagnosis", code) for code in diagnosis.codes)
    for kind in files.agreement.sets:
        yield from (("agreement", f"code of {kind.id}", code) for member in kind.members for code in member.codes)
    for population in files.agreement.populations:
        yield from (("agreement", "population", code) for code in population.codes)
    yield from (("agreement", "observation", code) for code in files.agreement.stage_groups)
    for coded in (*(drug.codes for drug in files.drugs.drugs), *(drug.codes for drug in files.drugs.other_drugs)):
        yield from (("drugs", "drug", code) for code in coded)
    for procedure in files.procedures.procedures:
        yield from (("procedures", "drug", code) for code in procedure.codes)
    yield "drugs", "lines", files.drugs.lines


def _all(files: CodeFiles) -> Found:
    """Sources, systems and doubles."""
    systems = {system.id for system in files.systems.systems}
    sources = files.systems.sources
    entries = list(_entries(files))
    cited = set()
    for file, group, entry in entries:
        where = group if isinstance(entry, _UNCODED) else f"{entry.system} {entry.code}"
        if (entry.basis == RECALLED) == (entry.source is not None):
            yield file, where, "a recalled code has no source, any other has one"
        if entry.source is not None and entry.source not in sources:
            yield file, where, f"source {entry.source!r} is not listed in systems.yaml"
        cited.add(entry.source)
        if not isinstance(entry, _UNCODED) and entry.system not in systems:
            yield file, where, f"system {entry.system!r} is not listed in systems.yaml"
    counts = Counter((group, e.system, e.code) for _, group, e in entries if not isinstance(e, _UNCODED))
    for (group, system, code), count in counts.items():
        if count > 1:
            yield "systems", f"{system} {code}", f"stands {count} times among the codes of one kind ({group})"
    yield from (("systems", f"sources.{key}", "is not cited") for key in sorted(sources.keys() - cited))
    for key, source in sources.items():
        if source.traceable and not (source.url or source.doi or source.pmid):
            yield "systems", f"sources.{key}", "has no url, doi or pmid; add one, or traceable: false"
    urls = Counter(url for system in files.systems.systems for url in system.urls)
    yield from (("systems", url, "names two systems") for url, count in urls.items() if count > 1)


def _value_of(diagnosis: DiagnosisEntry, definitions: Definitions) -> Found:
    """A diagnosis makes a yes-or-no field *yes*, or names the stage of a kidney function."""
    field = FIELDS.get(diagnosis.means)
    if diagnosis.means == "myeloma" or (field is not None and field.kind == "yes_no"):
        if diagnosis.value != "yes":
            yield "diagnoses", diagnosis.means, "can only be yes"
    elif field is None or not field.staged:
        yield "diagnoses", diagnosis.means, "is neither a yes-or-no field nor a kidney function"
    else:
        try:
            if read_quantity(field, diagnosis.value, definitions).span is None:
                yield "diagnoses", diagnosis.means, f"{diagnosis.value!r} names no stage"
        except Unreadable:
            yield "diagnoses", diagnosis.means, f"{diagnosis.value!r} names no stage"


def _names(files: CodeFiles, definitions: Definitions) -> Found:
    """Fields, drugs and values named are those of the profile and the definitions."""
    for row in files.observations.observations:
        kind = FIELDS[row.field].kind if row.field in FIELDS else None
        allowed = {"value": ("whole", "quantity"), "of_upper_limit": ("quantity",), "answer": ("yes_no", "stage")}
        if kind not in allowed[row.measure]:
            yield "observations", row.field, f"is no field of the profile that {row.measure} fits"
        if (row.max_age_days is None) == bool(row.reason):
            yield "observations", row.field, "a limit of age has a reason, and only a limit has one"
    for answer in files.observations.answers:
        if answer.value not in ("yes", "no"):
            yield "observations", answer.code, f"{answer.value!r} is neither yes nor no"
    yield from report_problems(files.cytogenetics)
    for diagnosis in files.diagnoses.diagnoses:
        yield from _value_of(diagnosis, definitions)
        if (diagnosis.max_age_days is None) == bool(diagnosis.reason):
            yield "diagnoses", diagnosis.means, "a limit of age has a reason, and only a limit has one"
    drugs = {drug.id for drug in definitions.drugs}
    for procedure in files.procedures.procedures:
        where = procedure.codes[0].code
        if procedure.category and not procedure.no_dose:
            yield "procedures", where, "is a category, which only says that a procedure was no dose"
        said = (procedure.drug, procedure.field, procedure.transplant, procedure.no_dose)
        if sum(map(bool, said)) != 1:
            yield "procedures", where, "is one of a drug, a field, a transplantation, or no dose"
        if procedure.field is not None and (procedure.field not in FIELDS or FIELDS[procedure.field].kind != "yes_no"):
            yield "procedures", where, f"{procedure.field!r} is not a yes-or-no field of the profile"
    named = [
        *(("drugs", drug.drug) for drug in files.drugs.drugs),
        *(("drugs", drug) for drug in _of_lines(files.drugs.lines)),
        *(("drug_words", drug) for drug in files.drug_words.suffixes),
        *(("procedures", each.drug) for each in files.procedures.procedures if each.drug is not None),
    ]
    yield from ((file, drug, "is not a drug of definitions.yaml") for file, drug in named if drug not in drugs)
    yield from _words(files.drug_words)
    try:
        files.drugs.lines.text.format(**files.drugs.lines.model_dump())
    except (KeyError, ValueError, IndexError) as error:
        yield "drugs", "lines.text", f"cannot be filled in ({error!r})"


def _of_lines(lines: LinesEntry) -> tuple[str, ...]:
    return (*lines.not_counted, *lines.high_dose, *lines.mobilising)


def _words(words: DrugWordsFile) -> Found:
    """A word that says that it was no dose says nothing else, and every pattern can be read."""
    beside = {*words.units, *words.per, *words.forms, *words.routes, *words.makers, *words.schedule, *words.counted}
    for row in words.no_dose:
        yield from (("drug_words", word, f"is listed as a word of a drug and as one of {row.why!r}")
                    for word in row.words if word in beside)  # fmt: skip
    every = (
        *beside,
        *words.never_given,
        *words.never_begun,
        *words.doubt,
        *words.ended,
        *(word for row in words.no_dose for word in row.words),
    )
    yield from (("drug_words", word, "has capitals, or a dot or hyphen, none of which count") for word in every
                if word != word.casefold() or re.search(r"[a-zäöü][.-]", word))  # fmt: skip
    for pattern in (*words.shapes, *words.counting_shapes):
        try:
            re.compile(pattern)
        except re.error as error:
            yield "drug_words", pattern, f"is no pattern ({error})"
