"""Which drug a resource names: by ingredient, product, NDC, ATC, procedure or claim code, and last by name.

Code and words have to agree: every text of a resource is read word by word, also beside a code that is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bcma_decide.fhir.reading.drug_text import Lexicon, Names, Remark, read_drug_text
from bcma_decide.pooled.codes import LAYERS, RECALLED, Code, CodeBasis, Codes, Coding, Layer
from bcma_decide.pooled.definitions import Definitions, fold


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
        Where codes or names disagree, where the words say more than a drug, or where only a code that was never checked
        names one.
    None
        Where nothing names a drug known here.
    """
    codings = list(codings)
    usable = coded_drugs(codings, codes)
    readings = read_texts(codings, texts, codes, definitions)
    named = [reading for reading in readings if isinstance(reading, Names) and (reading.drugs or reading.others)]
    remarks = [reading for reading in readings if isinstance(reading, Remark)]
    coded = {drug for drug, _ in usable}
    others = {codes.other_drug_of[key] for key in map(codes.drug_coding, codings) if key in codes.other_drug_of}
    several = {frozenset((*each.drugs, *each.others)) for each in named}
    if len(coded) + len(others) > 1 or len(several) > 1:
        return Unresolved("its codes or names are of different drugs", contradiction=True)
    if coded and any(not coded & set(each.drugs) for each in named):
        return Unresolved("its code and its name are of different drugs", contradiction=True)
    if others and any(not others & set(each.others) for each in named):
        return Unresolved("its code and its name are of different drugs", contradiction=True)
    mentions = [each for each in remarks if each.drugs]
    if mentions or (remarks and (coded or any(each.drugs for each in named))):
        return Unresolved((mentions or remarks)[0].note)
    if usable:
        drug, code = min(usable, key=lambda pair: (_step(pair[1]), pair[1].key))
        return Resolved((drug,), code.layer or "procedure", code.key, code.basis)
    if named and named[0].drugs:
        return Resolved(named[0].drugs, "name", None, "verified")
    known = any(codes.drug_coding(key) in codes.drug_of for key in codings)
    return Unresolved("its code is known from background only and was not checked") if known else None


def read_texts(
    codings: Sequence[Coding], texts: Iterable[str], codes: Codes, definitions: Definitions
) -> list[Names | Remark]:
    """Read every text; one that is word for word that of the code beside it says what the code says."""
    lexicon = Lexicon(definitions.drug_names, codes.other_names, codes.drug_words)
    own = {fold(text) for text in map(codes.text_of, codings) if text}
    return [read_drug_text(text, lexicon) for text in texts if fold(text) not in own]


def coded_drugs(codings: Iterable[Coding], codes: Codes) -> list[tuple[str, Code]]:
    """Drugs that codings name, with the code; codes that were never checked name none."""
    known = [codes.drug_of[key] for key in map(codes.drug_coding, codings) if key in codes.drug_of]
    return [(drug, code) for drug, code in known if code.basis != RECALLED]


def is_other_drug(codings: Iterable[Coding], texts: Iterable[str], codes: Codes, definitions: Definitions) -> bool:
    """Whether it is a known drug that says nothing about the myeloma."""
    codings = list(codings)
    if any(codes.drug_coding(coding) in codes.other_drug_of for coding in codings):
        return True
    readings = read_texts(codings, texts, codes, definitions)
    return any(isinstance(each, Names) and each.others for each in readings)


def _step(code: Code) -> int:
    return LAYERS.index(code.layer or "procedure")
