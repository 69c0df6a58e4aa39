"""Conditions: whether the record says myeloma, and the diagnoses that are fields of the profile."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from msgspec.structs import replace

from bcma_decide.fhir.reading.datatypes import clip
from bcma_decide.fhir.reading.dates import When
from bcma_decide.fhir.reading.find import Find, start
from bcma_decide.fhir.reading.resource import Resource
from bcma_decide.fhir.reading.stages import stages_of_condition
from bcma_decide.pooled.codes import Code, Codes, Coding, DiagnosisCodes
from bcma_decide.pooled.wording import Hit, words_of

MYELOMA: Final = "myeloma"
ENTERED_IN_ERROR: Final = "entered-in-error"
_ONSET: Final = ("onsetDateTime", "onsetPeriod")
_CLASSIFICATION: Final = "icd-10"
"""Beginning of the names of the classifications whose codes are written in several ways."""
_ICD: Final = re.compile(r"(?P<head>[A-Z][0-9]{2})\.?(?P<tail>[0-9A-Z]{0,4}?)[-+*!†#]*\s*(?P<certainty>[GVZA]?)")
_SENTENCE: Final = re.compile(r"[.;\n]+(?:\s|$)|\n")
_DATE: Final = re.compile(r"\b(?:[0-9]{1,2}[./-]){0,2}(?:19|20)[0-9]{2}(?:-[0-9]{2}){0,2}\b")
REFUTED: Final = "refuted"
ENDED: Final = "ended"
_EXCLUDED: Final = "it is coded as excluded"


def read_condition(resource: Resource, codes: Codes) -> Iterator[Find]:
    """Finds of a condition; ``field`` is *myeloma* for the diagnosis itself."""
    named = dict.fromkeys(_named(resource, codes))
    for row, code, certainty in named:
        find = _read(resource, row, code, certainty, codes)
        yield find
        if row.means == MYELOMA and find.value is not None:
            yield from stages_of_condition(resource, code, codes)


def _named(resource: Resource, codes: Codes) -> Iterator[tuple[DiagnosisCodes, Code, str]]:
    """Diagnoses of a condition, each with its code and how certain that says it is; by name only without a code."""
    found = False
    for coding in resource.code.codings:
        plain, certainty = classified(coding)
        if plain in codes.diagnosis_of:
            found = True
            yield *codes.diagnosis_of[plain], certainty
    if found:
        return
    for text in resource.code.texts:
        row = codes.diagnosis_named.get(words_of(text)) or _by_name(text, resource, codes)
        if row is not None:
            yield row, Code("", "", "verified", text), ""


def _by_name(text: str, resource: Resource, codes: Codes) -> DiagnosisCodes | None:
    """The one diagnosis whose name a text holds, and beside it nothing that is not known."""
    meant = [hit.meaning[1] for hit in codes.condition_lexicon.hits(words_of(text)) if hit.meaning[0] == "name"]
    if not meant:
        return None
    shared = frozenset.intersection(*meant)
    rows = [row for row in codes.diagnoses if (row.means, row.value) in shared]
    return rows[0] if len(rows) == 1 and not _misnamed(text, resource, rows[0], codes) else None


def classified(coding: Coding) -> tuple[Coding, str]:
    """A code of ICD-10 as it is listed, and the letter behind it that says how certain the diagnosis is.

    >>> classified(Coding("icd-10-cm", "C9010")), classified(Coding("icd-10-gm", "c90.00 V"))
    ((Coding(system='icd-10-cm', code='C90.10'), ''), (Coding(system='icd-10-gm', code='C90.00'), 'V'))
    """
    if not coding.system.startswith(_CLASSIFICATION) or coding.system == "icd-10-pcs":
        return coding, ""
    found = _ICD.fullmatch(coding.code.strip().upper())
    if found is None:
        return coding, ""
    tail = found["tail"]
    if found["certainty"] and coding.system == "icd-10-cm":
        return coding, ""  # there the last letter is part of the code
    return Coding(coding.system, f"{found['head']}.{tail}" if tail else found["head"]), found["certainty"]


def _read(resource: Resource, row: DiagnosisCodes, code: Code, certainty: str, codes: Codes) -> Find:
    find = replace(start(row.means, code, resource, _when(resource)), max_age_days=row.max_age_days, coarse=row.coarse)
    if not code.code:
        find = replace(find, coding=None, layer="text", basis="")
    if resource.verification == ENTERED_IN_ERROR:
        return find.refused(f"verification status {ENTERED_IN_ERROR}", "ignored")
    verified = _status(resource.verification, codes)
    if resource.verification and verified != "confirmed":
        said = REFUTED if verified == REFUTED else resource.verification
        return find.refused(f"verification status {said}", settles=said.startswith(REFUTED))
    if reason := _two_statuses("verification", resource.verification, resource.verification_words, row, codes):
        return find.refused(reason)
    if reason := _two_statuses("clinical", resource.clinical, resource.clinical_words, row, codes):
        return find.refused(reason, settles=True)
    if reason := _anothers(resource, codes):
        return find.refused(reason)
    if not code.usable:
        return find.refused("its code is known from background only and was not checked")
    if reason := _uncertain(resource, certainty, codes):
        return find.refused(reason, settles=reason == _EXCLUDED)
    if reason := _worded(resource, row, codes):
        return find.refused(reason)
    if code.not_used:
        return find.refused(code.not_used)
    if reason := _not_now(resource, row, codes):
        return find.refused(reason, settles=True)
    return replace(find, value=row.value)


def _status(text: str, codes: Codes) -> str:
    plain = " ".join(words_of(text))
    return codes.status_words.get(plain, "")


def _two_statuses(name: str, code: str, words: Sequence[str], row: DiagnosisCodes, codes: Codes) -> str:
    """Why a status does not count: a further code or its words say another thing than the code."""
    said = _status(code, codes)
    differing = (word for word in words if _status(word, codes) != said and _turns(word, codes))
    for other in differing:
        # myeloma is for life: how far it is away makes no difference
        if row.means != MYELOMA or {said, _status(other, codes)} != {"remission", ENDED}:
            return f"{name} status is {code} and {other}"
    return ""


def _anothers(resource: Resource, codes: Codes) -> str:
    """Why its category says that it is not the patient's, or not certain."""
    listed = {code.key for code in codes.condition_words.category_codes}
    for category in resource.categories:
        hits = (hit for text in category.wordings for hit in codes.condition_lexicon.hits(words_of(text)))
        doubtful = any(hit.meaning[0] == "doubt" for hit in hits)
        if doubtful or listed.intersection(category.codings):
            return f"its category is {next(iter(category.texts), '') or ', '.join(category.codes)}"
    return ""


def _turns(word: str, codes: Codes) -> bool:
    """Whether the words of a status name another one, or a doubt."""
    hits = codes.condition_lexicon.hits(words_of(word))
    return _status(word, codes) != "" or any(hit.meaning[0] in ("doubt", "weak") for hit in hits)


def _when(resource: Resource) -> When | None:
    """When it was recorded; an onset after that is the time, so that what is to come does not count."""
    recorded, onset = resource.when("recordedDate"), resource.when(*_ONSET)
    if recorded is not None and onset is not None and onset.first > recorded.last:
        return onset
    return recorded or onset


def _uncertain(resource: Resource, letter: str, codes: Codes) -> str:
    """Why the letter of certainty keeps a diagnosis from counting; empty where it is certain or there is none."""
    words = codes.condition_words
    meaning = dict(words.certainty)
    letters = [code for each in resource.extensions if each.url in words.certainty_urls for code in each.codes]
    said = [meaning.get(each, f"certainty {each}") for each in (*letters, *([letter] if letter else ()))]
    return next((f"it is coded as {each}" for each in said if each != "confirmed"), "")


def _worded(resource: Resource, row: DiagnosisCodes, codes: Codes) -> str:
    """Why the words of a condition keep it from counting; empty where they do not."""
    for text in resource.code.wordings:
        if reason := _misnamed(text, resource, row, codes):
            return reason
    for note in resource.remarks:
        for sentence in filter(None, _SENTENCE.split(note)):
            if reason := _noted(sentence, row, codes):
                return reason
    return ""


def _misnamed(text: str, resource: Resource, row: DiagnosisCodes, codes: Codes) -> str:
    """Why a name of a condition does not stand for its code; it may hold known words only."""
    hits, unknown = _read_words(_without_codes(text, resource), row, codes)
    kinds = [(hit.entry, *hit.meaning) for hit in hits]
    if doubt := next((entry for entry, kind, _ in kinds if kind in ("doubt", "weak")), ""):
        return f"its name says {doubt.strip('*')!r}"
    if row.current and (past := next((entry for entry, kind, _ in kinds if kind == "past"), "")):
        return f"its name says {past!r}; the profile asks for now"
    names = {each for _, kind, means in kinds if kind == "name" for each in means}
    others = any(kind == "other" for _, kind, _ in kinds)
    if others or (names and (row.means, row.value) not in names):
        return f"its name and its code say different things ({clip(text)})"
    return f"its name says more than a diagnosis: {clip(unknown)!r}" if unknown else ""


def _noted(sentence: str, row: DiagnosisCodes, codes: Codes) -> str:
    """Why a sentence of a note takes a diagnosis back; of myeloma itself a note tells much else."""
    hits, unknown = _read_words(sentence, row, codes)
    kinds = [(hit.entry, *hit.meaning) for hit in hits]
    about = any(kind == "name" and (row.means, row.value) in means for _, kind, means in kinds)
    strong = next((entry for entry, kind, _ in kinds if kind == "doubt" or (row.current and kind == "past")), "")
    weak = next((entry for entry, kind, _ in kinds if kind == "weak"), "")
    if (strong and (about or row.means != MYELOMA)) or (weak and about):
        return f"a note beside it says {(strong or weak).strip('*')!r}"
    if about and unknown and row.means != MYELOMA:
        return f"a note beside it says more than the diagnosis: {clip(unknown)!r}"
    return ""


def _read_words(
    text: str, row: DiagnosisCodes, codes: Codes
) -> tuple[list[Hit[tuple[str, frozenset[tuple[str, str]]]]], str]:
    """Known words of a text, and the first that is none; a date says nothing but where the field asks for now."""
    words = words_of(text if row.current else _DATE.sub(" ", text))
    hits = codes.condition_lexicons[row.means, row.value].hits(words)
    known = {place for hit in hits for place in range(hit.start, hit.start + hit.length)}
    return hits, next((word for place, word in enumerate(words) if place not in known), "")


def _without_codes(text: str, resource: Resource) -> str:
    """A name without the codes that are written into it."""
    for code in resource.code.codes:
        if code and code[-1].isalnum():
            text = re.sub(rf"(?<!\w){re.escape(code)}(?!\w)", " ", text, flags=re.IGNORECASE)
    return text


def _not_now(resource: Resource, row: DiagnosisCodes, codes: Codes) -> str:
    """Why it does not say what is now; myeloma itself is for life, and a leukaemia of plasma cells in remission too."""
    clinical = _status(resource.clinical, codes)
    if row.means == MYELOMA:
        return ""
    if resource.abated:
        return "it has ended (abatement)"
    if resource.clinical and (clinical == ENDED or (row.current and clinical != "active")):
        return f"clinical status {resource.clinical}; the profile asks for now"
    return ""


_OVERTAKEN: Final = "a newer entry of the same refutes or ends it"
_DISPUTED: Final = "another entry of the same time refutes or ends it"


def after_newer_entries(finds: Sequence[Find], on: date) -> list[Find]:
    """Refuse what a newer entry about the same refutes or ends, and where their times leave it open, that too."""
    settling: dict[str, list[Find]] = defaultdict(list)
    for find in finds:
        is_past = find.when is None or find.when.first <= on
        if find.settles and is_past:
            settling[find.field].append(find)
    return [_settled(find, settling[find.field]) if find.field in settling else find for find in finds]


def _settled(find: Find, others: Sequence[Find]) -> Find:
    if find.value is None or find.state != "usable":
        return find
    # stages of one disease are told apart by their codes; of a finding every code means the same
    same = [other for other in others if not find.coarse or other.coding == find.coding]
    if any(other.when and find.when and other.when.first > find.when.last for other in same):
        return find.refused(_OVERTAKEN)
    open_ones = (other for other in same if not (other.when and find.when and other.when.last < find.when.first))
    return find.refused(_DISPUTED) if any(open_ones) else find


def has_myeloma(finds: Sequence[Find]) -> bool | None:
    """Whether the record says myeloma: yes; no where the newest entry refutes it; else not known."""
    if any(find.value == "yes" for find in finds):
        return True
    if any(find.note == _DISPUTED for find in finds):
        return None
    return False if any(find.note == f"verification status {REFUTED}" for find in finds) else None
