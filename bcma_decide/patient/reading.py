"""What reading a value of a profile gives, what is wrong with one that cannot be read, and the reading of words.

Every reader returns a :class:`Read` or raises :class:`Unreadable` with what is wrong and how to mend it. Values are
taken as people, forms and records write them; where that took interpretation, how it was read is part of the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from types import MappingProxyType
from typing import Final, NamedTuple

from msgspec import Struct

from bcma_decide.errors import quote
from bcma_decide.logic import Span
from bcma_decide.patient.field import ProfileField
from bcma_decide.patient.numerals import plain_text
from bcma_decide.vocabulary import CourseKind

UNKNOWN_WORDS: Final = frozenset({"", "unknown", "?", "unbekannt", "n/a", "na", "nicht bekannt", "not known"})
NEVER_WORDS: Final = frozenset({"never", "none"})
_YES: Final = frozenset({"yes", "y", "true", "present", "positive"})
_NO: Final = frozenset({"no", "n", "false", "absent", "negative"})
_LIKE_YES: Final = frozenset({"ja", "j", "pos", "pos.", "positiv", "vorhanden", "+"})
_LIKE_NO: Final = frozenset({"nein", "neg", "neg.", "negativ", "nicht vorhanden", "none", "kein", "keine"})
ROMAN: Final = ("", "I", "II", "III")
_STAGES: Final = {"1": 1, "2": 2, "3": 3, "i": 1, "ii": 2, "iii": 3}
_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


class Quantity(Struct, frozen=True):
    """A laboratory value in the unit its field keeps."""

    value: float
    unit: str

    def __str__(self) -> str:
        """Value and unit; a time infinitely long ago is *never*."""
        unit = self.unit.removesuffix("s") if self.value == 1 and self.unit.isalpha() else self.unit
        return "never" if self.value == inf else f"{self.value:.6g} {unit}"


class Course(Struct, frozen=True):
    """One earlier course of BCMA therapy; months since its last dose or infusion, None if not known."""

    kind: CourseKind
    months_since: float | None = None

    def __str__(self) -> str:
        """Kind and time."""
        since = "time unknown" if self.months_since is None else f"{self.months_since:g} months ago"
        return f"{self.kind} ({since})"


class Read(NamedTuple):
    """What was read of one value."""

    value: object = None
    """In the shape the profile keeps; None: unknown, or known as a span only."""
    shown: str = ""
    """How it was read, where that took interpretation: ``10.4 g/dL``."""
    parts: tuple[tuple[str, str], ...] = ()
    """As written and as read, where only some of several things took interpretation."""
    span: Span | None = None
    """Where only two ends are known, those, in the unit of the field."""
    also: Mapping[str, object] = _NOTHING
    """What it says of other fields."""


class Fault(NamedTuple):
    """One thing wrong with a value; ``at`` is where inside it."""

    message: str
    fix: str = ""
    at: str = ""


class Unreadable(ValueError):  # noqa: N818  # never leaves the profile: it becomes a ProfileError
    """A value that cannot be read."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__("; ".join(fault.message for fault in faults))


UNKNOWN: Final = Read()


def is_unknown(value: object) -> bool:
    """Whether a value says that it is not known."""
    return value is None or (isinstance(value, str) and plain_text(value).casefold() in UNKNOWN_WORDS)


def folded_word(value: object) -> str:
    """A word without case and odd spaces; empty for what is no text."""
    return plain_text(value).casefold() if isinstance(value, str) else ""


def read_yes_no(field: ProfileField, value: object) -> Read:
    """Yes, no, or one of their accepted words, German ones among them."""
    del field
    if is_unknown(value):
        return UNKNOWN
    if isinstance(value, bool):
        return Read(value)
    word = folded_word(value)
    for words, likes, found in ((_YES, _LIKE_YES, True), (_NO, _LIKE_NO, False)):
        if word in words:
            return Read(found)
        if word in likes:
            return Read(found, "yes" if found else "no")
    raise Unreadable(Fault(f"{quote(value)} is neither yes nor no", "yes, no or unknown"))


def read_stage(field: ProfileField, value: object) -> Read:
    """Stage 1 to 3, or I to III."""
    if is_unknown(value):
        return UNKNOWN
    word = folded_word(str(value)) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    bare = word.removeprefix(field.label.removesuffix(" stage").casefold()).removeprefix(" stage").strip(" -")
    stage = _STAGES.get(word) or _STAGES.get(bare)
    if stage is None:
        raise Unreadable(Fault(f"{quote(value)} is not a stage", f"{field.answer}, or unknown"))
    return Read(stage, "" if word in _STAGES else ROMAN[stage])


def read_choice(field: ProfileField, value: object) -> Read:
    """One of the field's choices, by its name or another spelling of it."""
    if is_unknown(value):
        return UNKNOWN
    word = folded_word(value)
    for name, spellings in field.choices:
        if word in (name, *spellings):
            return Read(name)
    raise Unreadable(Fault(f"{quote(value)} is none of the choices", f"{field.answer}, or unknown"))
