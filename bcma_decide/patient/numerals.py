"""Numbers as people write them: decimal points and commas, separators of thousands, spans, bounds.

A point or a comma before exactly three digits has two readings, the decimal one and the thousandfold. Which of them are
possible is for the field to say, whose range both are held against: where both lie inside, the number is ambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import inf, nextafter
from typing import Final, Literal, NamedTuple

from bcma_decide.logic import Span
from bcma_decide.patient.patterns import Pattern

Form = Literal["value", "span", "at least", "above", "at most", "below"]

_SPACES: Final = dict.fromkeys((9, 0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " ")
_DASHES: Final = dict.fromkeys(map(ord, "−–—‒‐‑"), "-")
_NOTHING: Final = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"), None)
_PLAIN: Final = {**_SPACES, **_DASHES, **_NOTHING}

_TOKEN: Final = (
    r"[+-]?(?:[0-9]{1,3}(?:[ '’][0-9]{3})+(?![0-9])(?:[.,][0-9]+)?|[0-9]+(?:[.,][0-9]+)*\.?|\.[0-9]+)"
    r"(?:[eE][+-]?[0-9]+)?"
)
_END: Final = r"(?![0-9.,])"
_BEFORE: Final[tuple[tuple[Form, str], ...]] = (
    ("at least", r">=|=>|≥|at least|minimum|min\.?|mindestens|wenigstens"),
    ("at most", r"<=|=<|≤|at most|up to|no more than|maximum|max\.?|höchstens|maximal|bis zu"),
    ("above", r">|more than|over|above|über|mehr als"),
    ("below", r"<|less than|fewer than|under|below|unter|weniger als"),
)
_AFTER: Final[tuple[tuple[Form, str], ...]] = (
    ("at least", r"\+(?![0-9])|or more|and more|oder mehr|und mehr"),
    ("at most", r"or (?:less|fewer)|oder weniger"),
)
_TO: Final = r" ?(?:-|to|bis|and|und) ?"
_ONE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?=$| (?![tbauo+-]|[0-9]{3}))", re.IGNORECASE)
"""The usual number: alone, or a space before what none of the forms below goes on with."""
_NUMBER: Final = Pattern(f"({_TOKEN}){_END}")
_FROM_TO: Final = Pattern(rf"(?:between |zwischen |from |von )?({_TOKEN}){_END}{_TO}({_TOKEN}){_END}", re.IGNORECASE)
_BOUNDED: Final = tuple((form, Pattern(rf"(?:{words}) ?({_TOKEN}){_END}", re.IGNORECASE)) for form, words in _BEFORE)
_OPEN: Final = tuple((form, Pattern(rf"({_TOKEN}){_END} ?(?:{words})", re.IGNORECASE)) for form, words in _AFTER)
_THOUSANDS: Final = Pattern(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
_GROUPED: Final = Pattern(r"[0-9]{1,3}([ '’.,])[0-9]{3}(?:\1[0-9]{3})*")


class Reading(NamedTuple):
    """One thing a numeral can mean, and whether taking it so is an interpretation."""

    value: float
    interpreted: bool


class Numeral(NamedTuple):
    """A number, or two ends, at the beginning of a text; each as its possible readings; and what follows."""

    form: Form
    ends: tuple[tuple[Reading, ...], ...]
    rest: str


class Ambiguous(ValueError):  # noqa: N818  # never leaves the reading of a profile
    """A numeral with two readings that are both possible."""

    def __init__(self, decimal: float, thousands: float) -> None:
        self.decimal, self.thousands = decimal, thousands
        super().__init__(f"{decimal:g} or {thousands:g}")


def plain_text(text: str) -> str:
    """One kind of space and of dash, no invisible characters, no space at the ends."""
    return " ".join(text.translate(_PLAIN).split(" ")).strip()


def read_numeral(text: str) -> Numeral | None:
    """Read a number, a span or a bound at the beginning of a plain text; None where there is none."""
    if found := _ONE.match(text):
        return _numeral("value", (found[1],), text[found.end() :])
    if found := _FROM_TO.match(text):
        return _numeral("span", (found[1], found[2].removeprefix("+")), text[found.end() :])
    for form, pattern in (*_BOUNDED, *_OPEN):
        if found := pattern.match(text):
            return _numeral(form, (found[1],), text[found.end() :])
    found = _NUMBER.match(text)
    return None if found is None else _numeral("value", (found[1],), text[found.end() :])


def _numeral(form: Form, tokens: tuple[str, ...], rest: str) -> Numeral | None:
    ends = tuple(_readings(token) for token in tokens)
    return Numeral(form, ends, rest.strip()) if all(ends) else None


def _readings(token: str) -> tuple[Reading, ...]:
    """Every reading of one numeral, the decimal one first; none where its separators make no number."""
    sign = -1.0 if token.startswith("-") else 1.0
    body = token.lstrip("+-")
    marks = [mark for mark in body if mark in ".,"]
    if any(mark in body for mark in " '’"):
        return (Reading(sign * float(re.sub("[ '’]", "", body).replace(",", ".")), interpreted=True),)
    if len(set(marks)) == 2:
        whole, mark, decimals = body.rpartition(marks[-1])
        if marks.count(mark) > 1 or not _GROUPED.fullmatch(whole):
            return ()
        return (Reading(sign * float(re.sub("[.,]", "", whole) + "." + decimals), interpreted=True),)
    if len(marks) > 1:
        return (Reading(sign * float(re.sub("[.,]", "", body)), interpreted=True),) if _GROUPED.fullmatch(body) else ()
    decimal = Reading(sign * float(body.replace(",", ".")), interpreted="," in body)
    if len(body) > len("1.23") and _THOUSANDS.fullmatch(body):
        return decimal, Reading(sign * float(re.sub("[.,]", "", body)), interpreted=True)
    return (decimal,)


def settled(readings: tuple[Reading, ...], possible: Callable[[float], bool]) -> Reading:
    """The one reading that is possible; the decimal one where none is.

    Raises
    ------
    Ambiguous
        Where both are.
    """
    inside = [reading for reading in readings if possible(reading.value)]
    if len(inside) > 1:
        raise Ambiguous(inside[0].value, inside[1].value)
    return inside[0] if inside else readings[0]


def span_of(form: Form, ends: tuple[float, ...], low: float, high: float, *, whole: bool) -> Span:
    """The span between two ends, or from a bound to the end of the range; an end that is itself outside is just missed.

    Parameters
    ----------
    form, ends
        As read, in the unit of the range.
    low, high
        The range.
    whole
        Whether only whole numbers count.
    """
    match form:
        case "span":
            return Span(ends[0], ends[1])
        case "at least":
            return Span(ends[0], high)
        case "above":
            return Span(ends[0] + 1 if whole else nextafter(ends[0], inf), high)
        case "at most":
            return Span(low, ends[0])
        case "below":
            return Span(low, ends[0] - 1 if whole else nextafter(ends[0], -inf))
        case "value":
            return Span.of(ends[0])


def is_bare(text: str) -> bool:
    """Whether a text is a number, a span or a bound, and nothing else."""
    numeral = read_numeral(plain_text(text))
    return numeral is not None and not numeral.rest


def unambiguous(number: float) -> str:
    """A number as text with one reading: to the last digit, and never with exactly three decimals."""
    text = repr(float(number)).removesuffix(".0")
    return f"{text}0" if _THOUSANDS.fullmatch(text) else text


def number_given(value: float) -> Numeral:
    """A number that is none of a text, and has one reading."""
    try:
        number = float(value)
    except OverflowError:
        number = inf
    return Numeral("value", ((Reading(number, interpreted=False),),), "")
