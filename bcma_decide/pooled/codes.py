"""The codes of records at the bedside: what a code of LOINC, RxNorm and the like means here, as plain values.

They stand in ``evidence/codes/`` with their sources and reach the bedside inside the pooled file. A *recalled* code is
carried and never used; a *secondary* one is used and marked.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple

from bcma_decide.errors import EvidenceError
from bcma_decide.pooled.agreement import Agreement
from bcma_decide.pooled.definitions import fold
from bcma_decide.pooled.drug_words import DrugWords
from bcma_decide.pooled.report_language import ReportLanguage
from bcma_decide.pooled.score_book import Citation, row_of, rows_of
from bcma_decide.pooled.wording import Lexicon, words_of

CodeBasis = Literal["verified", "secondary", "recalled"]
ResultKind = Literal["value", "of_upper_limit", "answer"]
Layer = Literal["ingredient", "product", "ndc", "atc", "procedure", "name"]
LAYERS: Final[tuple[Layer, ...]] = ("ingredient", "product", "ndc", "atc", "procedure", "name")
"""Steps of the drug resolver, the surest first."""
RECALLED: Final = "recalled"
CODED: Final = (
    "variant",
    "gene",
    "copy_number",
    "nomenclature",
    "source_class",
    "change_type",
    "somatic",
    "translocation",
    "panel",
)
"""Lists of codes of cytogenetics."""


class Coding(NamedTuple):
    """A code in a system, both as this program writes them."""

    system: str
    code: str


def normal(coding: Coding) -> Coding:
    """Bring the forms of one code together: an NDC is labeler and product, whatever its padding and package."""
    if coding.system == "atc":
        return Coding("atc", coding.code.upper().replace(" ", ""))
    if coding.system != "ndc":
        return coding
    if re.fullmatch(r"[0-9]{11}", coding.code):
        labeler, product = coding.code[:5], coding.code[5:9]
    elif found := re.fullmatch(r"([0-9]{4,5})-([0-9]{3,4})(?:-[0-9]{1,2})?", coding.code):
        labeler, product = found.groups()
    else:
        return coding
    return Coding("ndc", f"{labeler.lstrip('0')}-{product.lstrip('0')}")


class Code(NamedTuple):
    """One code, what it is called, and how it is known."""

    system: str
    code: str
    basis: CodeBasis
    text: str = ""
    source: str | None = None
    note: str = ""
    not_used: str = ""
    """Why a code with a known meaning is shown and not used."""
    layer: Layer | None = None
    """Step of the drug resolver, for codes of drugs."""

    @property
    def key(self) -> Coding:
        """System and code."""
        return Coding(self.system, self.code)

    @property
    def usable(self) -> bool:
        """Whether it was seen anywhere."""
        return self.basis != RECALLED


class CodedResult(NamedTuple):
    """A coded result and the value of the profile it stands for."""

    system: str
    code: str
    value: str
    basis: CodeBasis
    source: str | None = None


class ObservationCodes(NamedTuple):
    """The codes of one field of the profile, and how old a value may be."""

    field: str
    measure: ResultKind
    codes: tuple[Code, ...]
    answers: tuple[CodedResult, ...] = ()
    max_age_days: int | None = None
    """None: a value of any time counts."""
    reason: str = ""


class DiagnosisCodes(NamedTuple):
    """The codes of one diagnosis: ``myeloma``, or a field; how it is written in words, and what contradicts it."""

    means: str
    codes: tuple[Code, ...]
    current: bool = False
    max_age_days: int | None = None
    reason: str = ""
    value: str = "yes"
    """What the profile reads where it is present."""
    coarse: bool = False
    """Whether a value that was measured takes its place, however old this is."""
    names: tuple[str, ...] = ()
    """What it is called; a text that is nothing else stands for it, and one that calls it otherwise contradicts it."""
    parts: tuple[str, ...] = ()
    """Words that name it beside its code, and not alone."""
    beside: tuple[str, ...] = ()
    """Words that may stand beside its name and change nothing."""


class ConditionWords(NamedTuple):
    """What statuses and texts of conditions say, in lower case."""

    confirmed: tuple[str, ...]
    refuted: tuple[str, ...]
    active: tuple[str, ...]
    remission: tuple[str, ...]
    ended: tuple[str, ...]
    doubt: tuple[str, ...]
    """Words after which the condition is not the patient's now, or not certain."""
    weak: tuple[str, ...]
    """Words that say so only beside the name of the condition."""
    neutral: tuple[str, ...]
    """Parts of official names that hold such a word and do not say so."""
    beside: tuple[str, ...]
    """Words that change nothing beside the name of any diagnosis."""
    category_codes: tuple[Code, ...]
    """Codes of categories of what is not the patient's."""
    other_names: tuple[str, ...]
    """What other diseases near to these are called."""
    certainty: tuple[tuple[str, str], ...]
    """Codes of how certain a diagnosis is, in the German extension and behind a code, and the status they stand for."""
    certainty_urls: tuple[str, ...]


ConditionLexicon = Lexicon[tuple[str, frozenset[tuple[str, str]]]]
"""Words of conditions: the list they are on, and for names what they mean with its value."""


class DrugCodes(NamedTuple):
    """The codes of one drug of the definitions."""

    drug: str
    codes: tuple[Code, ...]


class OtherDrug(NamedTuple):
    """A drug that says nothing about the myeloma: its name, other names, and its codes."""

    text: str
    codes: tuple[Code, ...]
    names: tuple[str, ...] = ()


class ProcedureCodes(NamedTuple):
    """The codes of procedures that were a drug, make a field true, belong to a line of therapy, or were no dose."""

    codes: tuple[Code, ...]
    drug: str | None = None
    field: str | None = None
    names: tuple[str, ...] = ()
    """What it is called where it has no code."""
    transplant: bool = False
    """Whether it was a transplantation, which is a part of a line of therapy and none of its own."""
    no_dose: str = ""
    """Why it was no dose, though records show it beside one."""
    category: bool = False
    """Whether its codes are categories of procedures, and not procedures."""


class Gene(NamedTuple):
    """A gene whose copy number settles a field."""

    system: str
    code: str
    text: str
    field: str
    basis: CodeBasis
    copies_below: float | None = None
    copies_above: float | None = None
    source: str | None = None


class Fusion(NamedTuple):
    """Two genes whose fusion settles a field."""

    system: str
    genes: tuple[str, ...]
    text: str
    field: str
    basis: CodeBasis
    source: str | None = None


class Cytogenetics(NamedTuple):
    """Codes of chromosome changes."""

    variant: tuple[Code, ...]
    gene: tuple[Code, ...]
    copy_number: tuple[Code, ...]
    nomenclature: tuple[Code, ...]
    source_class: tuple[Code, ...]
    change_type: tuple[Code, ...]
    somatic: tuple[Code, ...]
    translocation: tuple[Code, ...]
    panel: tuple[Code, ...]
    genes: tuple[Gene, ...]
    fusions: tuple[Fusion, ...]


class Words(NamedTuple):
    """Words of results, by what they say."""

    present: tuple[str, ...]
    absent: tuple[str, ...]


class LineRule(NamedTuple):
    """How lines of therapy are inferred from dated exposure, in days."""

    era_gap_days: int
    window_days: int
    gap_days: int
    transplant_gap_days: int
    """From the end of a line to a transplantation in it, and from there to consolidation or maintenance."""
    high_dose_days: int
    """Days over which a drug of a transplantation is given; longer it is a drug of a regimen."""
    mobilisation_days: int
    """Before a transplantation: what is given over a few of these days mobilises stem cells."""
    bridging_days: int
    """Before CAR-T cells: what begins in these days is bridging or lymphodepletion."""
    not_counted: tuple[str, ...]
    high_dose: tuple[str, ...]
    """Drugs that are given as high-dose therapy before a transplantation."""
    mobilising: tuple[str, ...]
    """Drugs that are given to mobilise stem cells."""
    text: str
    basis: CodeBasis
    source: str | None = None

    @property
    def wording(self) -> str:
        """The rule in words, its own numbers filled in."""
        return self.text.format(**self._asdict())


@dataclass(frozen=True, kw_only=True)
class Codes:
    """All of them."""

    systems: Mapping[str, str]
    """Address of a code system -> its short name here."""
    observations: tuple[ObservationCodes, ...]
    answers: tuple[CodedResult, ...]
    diagnoses: tuple[DiagnosisCodes, ...]
    drugs: tuple[DrugCodes, ...]
    other_drugs: tuple[OtherDrug, ...]
    drug_words: DrugWords
    procedures: tuple[ProcedureCodes, ...]
    cytogenetics: Cytogenetics
    words: Words
    reports: ReportLanguage
    agreement: Agreement
    condition_words: ConditionWords
    lines: LineRule
    sources: Mapping[str, Citation]

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Codes:
        """Build from the pooled file's ``codes``.

        Raises
        ------
        EvidenceError
            When it has not the expected shape.
        """
        try:
            cyto = plain["cytogenetics"]
            return cls(
                systems=dict(plain["systems"]),
                observations=tuple(
                    ObservationCodes(
                        **{**row, "codes": rows_of(Code, row["codes"]), "answers": rows_of(CodedResult, row["answers"])}
                    )
                    for row in plain["observations"]
                ),
                answers=rows_of(CodedResult, plain["answers"]),
                diagnoses=tuple(
                    DiagnosisCodes(
                        **{
                            **row,
                            **{name: tuple(row[name]) for name in ("names", "parts", "beside")},
                            "codes": rows_of(Code, row["codes"]),
                        }
                    )
                    for row in plain["diagnoses"]
                ),
                drugs=tuple(DrugCodes(row["drug"], rows_of(Code, row["codes"])) for row in plain["drugs"]),
                other_drugs=tuple(
                    OtherDrug(row["text"], rows_of(Code, row["codes"]), tuple(row["names"]))
                    for row in plain["other_drugs"]
                ),
                drug_words=DrugWords.from_dict(plain["drug_words"]),
                procedures=tuple(
                    ProcedureCodes(**{**row, "codes": rows_of(Code, row["codes"]), "names": tuple(row["names"])})
                    for row in plain["procedures"]
                ),
                cytogenetics=Cytogenetics(
                    **{name: rows_of(Code, cyto[name]) for name in CODED},
                    genes=rows_of(Gene, cyto["genes"]),
                    fusions=rows_of(Fusion, cyto["fusions"]),
                ),
                words=row_of(Words, plain["words"]),
                reports=ReportLanguage.from_dict(plain),
                agreement=Agreement.from_dict(plain["agreement"]),
                condition_words=row_of(
                    ConditionWords,
                    {
                        **plain["condition_words"],
                        "certainty": tuple(map(tuple, plain["condition_words"]["certainty"])),
                        "category_codes": rows_of(Code, plain["condition_words"]["category_codes"]),
                    },
                ),
                lines=row_of(LineRule, plain["lines"]),
                sources={key: row_of(Citation, row) for key, row in plain["sources"].items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise EvidenceError(
                f"codes: not in the expected shape ({error!r}); rebuild the pooled evidence file"
            ) from error

    @cached_property
    def observation_of(self) -> Mapping[Coding, tuple[ObservationCodes, Code]]:
        """What an observation code means, recalled codes included."""
        return {code.key: (row, code) for row in self.observations for code in row.codes}

    @cached_property
    def diagnosis_of(self) -> Mapping[Coding, tuple[DiagnosisCodes, Code]]:
        """What a condition code means."""
        return {code.key: (row, code) for row in self.diagnoses for code in row.codes}

    @cached_property
    def condition_lexicon(self) -> ConditionLexicon:
        """Words of conditions: a name with what its diagnoses mean and their values, or one of the lists."""
        return self._condition_lexicon(())

    @cached_property
    def condition_lexicons(self) -> Mapping[tuple[str, str], ConditionLexicon]:
        """The same for each diagnosis, by what it means and its value: with its parts and what stands beside."""
        of = {row.means: tuple(each for each in self.diagnoses if each.means == row.means) for row in self.diagnoses}
        by_means = {means: self._condition_lexicon(rows) for means, rows in of.items()}
        return {(row.means, row.value): by_means[row.means] for row in self.diagnoses}

    def _condition_lexicon(self, of: tuple[DiagnosisCodes, ...]) -> ConditionLexicon:
        words = self.condition_words
        named: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for row in self.diagnoses:
            for name in (*row.names, *(row.parts if row in of else ())):
                named[name].add((row.means, row.value))
        # of two lists that hold the same words the later counts
        lists = (
            ("beside", words.beside),
            ("other", words.other_names),
            ("beside", tuple(word for row in of for word in row.beside)),
            ("doubt", words.doubt),
            ("weak", words.weak),
            ("neutral", words.neutral),
            ("past", (*words.remission, *words.ended)),
        )
        return Lexicon(
            (
                *((entry, (kind, frozenset())) for kind, entries in lists for entry in entries),
                *((name, ("name", frozenset(means))) for name, means in named.items()),
            )
        )

    @cached_property
    def diagnosis_named(self) -> Mapping[tuple[str, ...], DiagnosisCodes]:
        """Diagnoses by a name that is one of theirs and nothing else."""
        return {words_of(name): row for row in self.diagnoses for name in row.names}

    @cached_property
    def status_words(self) -> Mapping[str, str]:
        """What words of statuses say: *confirmed*, *refuted*, *active*, *remission* or *ended*."""
        words = self.condition_words
        named = {
            "confirmed": words.confirmed, "refuted": words.refuted, "active": words.active,
            "remission": words.remission, "ended": words.ended,
        }  # fmt: skip
        return {" ".join(words_of(entry)): name for name, entries in named.items() for entry in entries}

    @cached_property
    def drug_of(self) -> Mapping[Coding, tuple[str, Code]]:
        """Which drug a drug or procedure code is."""
        procedures = [row for row in self.procedures if row.drug is not None]
        return {
            **{normal(code.key): (row.drug, code) for row in self.drugs for code in row.codes},
            **{code.key: (str(row.drug), code._replace(layer="procedure")) for row in procedures for code in row.codes},
        }

    @cached_property
    def other_names(self) -> Mapping[str, str]:
        """Names of drugs that say nothing about the myeloma, folded, and which each is."""
        return {fold(name): drug.text for drug in self.other_drugs for name in (drug.text, *drug.names)}

    @cached_property
    def other_drug_of(self) -> Mapping[Coding, str]:
        """Which of those drugs a code is."""
        return {normal(code.key): drug.text for drug in self.other_drugs for code in drug.codes if code.usable}

    @cached_property
    def _ten_digits(self) -> Mapping[str, Coding]:
        """Products by the ten digits of an NDC without hyphens; only the layout of their own labeler counts."""
        ndc = [code.code.split("-") for row in self.drugs for code in row.codes if code.system == "ndc"]
        return {"".join(parts): normal(Coding("ndc", "-".join(parts))) for parts in ndc}

    def drug_coding(self, coding: Coding) -> Coding:
        """One form of every code of a drug: an NDC of any layout, and letters of an ATC code in one case."""
        if coding.system == "ndc" and re.fullmatch(r"[0-9]{10}", coding.code):
            found = {self._ten_digits[start] for cut in (8, 9) if (start := coding.code[:cut]) in self._ten_digits}
            return found.pop() if len(found) == 1 else coding
        return normal(coding)

    @cached_property
    def _texts(self) -> Mapping[Coding, str]:
        drugs = [(drug, code) for drug, code in self.drug_of.values() if code.text]
        steps = [code for row in self.procedures for code in row.codes if code.text]
        return {**{normal(code.key): code.text for _, code in drugs}, **{code.key: code.text for code in steps}}

    def text_of(self, coding: Coding) -> str:
        """What a code of a drug or procedure is called where it is defined; empty where that is not known."""
        return self._texts.get(self.drug_coding(coding), "")

    @cached_property
    def no_dose_of(self) -> Mapping[Coding, str]:
        """Why a procedure of a code was no dose."""
        return self._no_dose(category=False)

    @cached_property
    def no_dose_category_of(self) -> Mapping[Coding, str]:
        """Why a procedure of a category was no dose, whatever drug it names."""
        return self._no_dose(category=True)

    def _no_dose(self, *, category: bool) -> Mapping[Coding, str]:
        rows = [row for row in self.procedures if row.no_dose and row.category is category]
        return {code.key: row.no_dose for row in rows for code in row.codes if code.usable}

    @cached_property
    def transplant_of(self) -> Mapping[Coding, Code]:
        """Codes of transplantations."""
        return {code.key: code for row in self.procedures if row.transplant for code in row.codes if code.usable}

    @cached_property
    def transplant_names(self) -> frozenset[str]:
        """What transplantations are called, folded."""
        return frozenset(fold(name) for row in self.procedures if row.transplant for name in row.names)

    @cached_property
    def field_of_procedure(self) -> Mapping[Coding, tuple[str, Code]]:
        """Which field a procedure code makes true."""
        return {code.key: (row.field, code) for row in self.procedures if row.field for code in row.codes}

    @cached_property
    def age_limit(self) -> Mapping[str, tuple[int, str]]:
        """Days a value of a field may be old, and why, where there is a limit."""
        rows: Iterable[tuple[str, int | None, str]] = (
            *((row.field, row.max_age_days, row.reason) for row in self.observations),
            *((row.means, row.max_age_days, row.reason) for row in self.diagnoses if not row.coarse),
        )
        return {name: (days, reason) for name, days, reason in rows if days is not None}
