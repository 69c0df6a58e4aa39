"""Which of the laboratory's ranges of the normal is the patient's: that for the age, sex and state, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from bcma_decide.fhir.reading.datatypes import Concept, Measurement, written_number
from bcma_decide.fhir.reading.dates import When, whole_years
from bcma_decide.fhir.reading.person import sex_of
from bcma_decide.fhir.reading.resource import ReferenceRange, Resource
from bcma_decide.logic import Truth, all_of
from bcma_decide.patient.fields import FIELDS
from bcma_decide.pooled.agreement import Agreement
from bcma_decide.pooled.codes import Codes
from bcma_decide.pooled.wording import words_of

_YEARS: Final = {
    **dict.fromkeys(("a", "y", "yr", "yrs", "year", "years", "jahr", "jahre", "j"), 1.0),
    **dict.fromkeys(("mo", "month", "months", "monat", "monate"), 1 / 12),
    **dict.fromkeys(("wk", "week", "weeks", "woche", "wochen"), 7 / 365.25),
    **dict.fromkeys(("d", "day", "days", "tag", "tage"), 1 / 365.25),
    **dict.fromkeys(("h", "hour", "hours"), 1 / 8766),
}
"""Length of units of age, in years."""
_NUMBER: Final = r"[0-9]+(?:\.[0-9]+|,[0-9]{1,2})?"
"""A comma before three digits may part thousands, so that such a number is not read."""
_TEXT: Final = re.compile(
    rf"[(\[\]]?\s*(?:(?:from|von|between|zwischen)?\s*(?P<low>{_NUMBER})\s*(?:-|–|—|−|\.{{2,3}}|…|;|to|bis|and|und)\s*"
    rf"|(?:<=?|≤|up to|bis)\s*)"
    rf"(?P<high>{_NUMBER})\s*(?P<unit>[^0-9()\[\]<>;:,]*?)\s*[)\[\]]?",
    re.IGNORECASE,
)
"""A range in words: ``135-225 U/L``, ``[135;225]``, ``(<250)``, ``up to 250 U/L``; nothing before and after."""


_NO_SINGLE: Final = "no single upper limit of normal (referenceRange.high) to divide by"


@dataclass(frozen=True)
class Whom:
    """For whom a range has to be: completed years, the fewest and the most, and the sex; None where not known."""

    years: tuple[int, int] | None
    sex: str | None

    @classmethod
    def at(cls, patient: Resource | None, when: When | None, codes: Codes) -> Whom:
        """The patient at the time of a result; without a time of either the age is not known."""
        born = patient.when("birthDate") if patient else None
        years = None
        if born is not None and when is not None:
            years = (whole_years(born, when.first)[0], whole_years(born, when.last)[1])
        return cls(years, sex_of(patient, codes.agreement).value if patient else None)


class Fitting(NamedTuple):
    """The range that is the patient's; None with the reason."""

    range: ReferenceRange | None
    reason: str = ""


def fitting(ranges: Sequence[ReferenceRange], whom: Whom, book: Agreement) -> Fitting:
    """Take the one range that is for the patient; none where it is open for whom they are, or two that fit differ."""
    normal = [each for each in map(_read_text, ranges) if _is_normal(each)]
    if not normal:
        return Fitting(None, _NO_SINGLE)
    if any(_is_reversed(each) for each in normal):
        return Fitting(None, f"its range of normal ends below its beginning{_shown(normal[0])}")
    judged = [(each, _is_for(each, whom, book)) for each in normal]
    mine = [each for each, fits in judged if fits]
    if len({(each.low and each.low.finite, each.high and each.high.finite) for each in mine}) > 1:
        return Fitting(None, _NO_SINGLE)
    if not mine or any(fits is None and _named(each) != _named(mine[0]) for each, fits in judged):
        open_ones = [each for each, fits in judged if fits is None]
        if open_ones:
            return Fitting(None, f"for whom its range of normal is, is not known{_shown(open_ones[0])}")
        return Fitting(None, f"its range of normal is for others{_shown(normal[0])}")
    return Fitting(mine[0])


def _is_reversed(each: ReferenceRange) -> bool:
    low, high = _named(each)
    return low is not None and high is not None and low > high


def _named(each: ReferenceRange) -> tuple[float | None, float | None]:
    return (each.low.finite if each.low else None, each.high.finite if each.high else None)


def _shown(each: ReferenceRange) -> str:
    words = [each.text, *(text for concept in each.applies_to for text in concept.texts)]
    named = next((word for word in words if word), "")
    return f" ({named})" if named else ""


def _is_normal(each: ReferenceRange) -> bool:
    """Without a type it is the normal range; others are aims of a treatment, or ranges before and after one."""
    return each.high is not None and (each.kind == Concept() or "normal" in each.kind.codes)


def _read_text(each: ReferenceRange) -> ReferenceRange:
    """A range that stands there in words only, as numbers; words that are none of these stay what they are."""
    found = None if each.low or each.high else _TEXT.fullmatch(each.text.strip())
    if found is None:
        return each
    low, high = (_measured(found[name], found["unit"]) for name in ("low", "high"))
    return each._replace(low=low, high=high, text="")


def _measured(number: str | None, unit: str) -> Measurement | None:
    if number is None:
        return None
    return Measurement(written_number(float(number.replace(",", "."))), unit.strip(), False, None)


def _is_for(each: ReferenceRange, whom: Whom, book: Agreement) -> Truth:
    """Whether a range is for the patient; None where it is not said, or not in words that are known."""
    parts: list[Truth] = [_of_age(each, whom)]
    parts += [_of_population(said, whom) for concept in each.applies_to for said in _populations(concept, book)]
    if each.text and not _TEXT.fullmatch(each.text.strip()):
        parts.append(_of_population(_in_words(each.text, book), whom))
    return all_of(parts)


def _of_age(each: ReferenceRange, whom: Whom) -> Truth:
    if each.age is None:
        return True
    low, high = (_years(end) if end else None for end in each.age)
    if any(end and _years(end) is None for end in each.age):
        return None
    # whose age is not known is an adult all the same: the profile is of nobody else
    youngest, oldest = whom.years or (FIELDS["age"].low, FIELDS["age"].high)
    if (low is not None and oldest < low) or (high is not None and youngest > high):
        return False
    inside = (low is None or youngest >= low) and (high is None or oldest <= high)
    return True if inside else None


def _years(age: Measurement) -> float | None:
    factor = _YEARS.get(age.unit.casefold()) or _YEARS.get(age.unit_text.casefold())
    return None if factor is None or age.finite is None else factor * age.finite


def _populations(concept: Concept, book: Agreement) -> Iterator[str]:
    """Whom a concept names; empty text for one that is not known."""
    by_code = [book.population_codes[coding] for coding in concept.codings if coding in book.population_codes]
    by_words = [_in_words(text, book) for text in concept.texts]
    known = [*by_code, *filter(None, by_words)]
    yield from known or [""]


def _in_words(text: str, book: Agreement) -> str:
    plain = " ".join(words_of(text))
    return book.population_words.get(plain, "")


def _of_population(named: str, whom: Whom) -> Truth:
    match named:
        case "anyone":
            return True
        case "nobody_here":
            return False
        case "female" | "male":
            return None if whom.sex is None else whom.sex == named
    return None
