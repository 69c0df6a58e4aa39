"""Errors the program raises on purpose.

BcmaDecideError
├── ProfileError      a patient profile that cannot be used        exit 3
├── WeightsError      weights that cannot be used                  exit 3
├── EvidenceError     evidence files that break their own rules    exit 3
├── SynthesisError    numbers that cannot be pooled                exit 3
├── SheetError        a sheet that cannot be written as asked      exit 2
├── ServiceError      a service that cannot start as configured    exit 2
├── AuditError        an audit that cannot be read or written      exit 3
└── NoEvidenceError   nothing usable to answer with                exit 4

A message says what is wrong, where (file and field), and what to do about it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

EXIT_USAGE = 2
EXIT_INVALID_INPUT = 3
EXIT_NO_EVIDENCE = 4
EXIT_DIFFERS = 5
EXIT_NOT_REPEATABLE = 6

_LONGEST_QUOTE: Final = 40
_STEERING: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Problem(NamedTuple):
    """One thing wrong with an input: where it stands, what it is, how to mend it."""

    field: str
    message: str
    fix: str = ""
    file: str = ""

    def __str__(self) -> str:
        """One line: ``file: field: message (fix)``."""
        where = ": ".join(part for part in (self.file, self.field) if part)
        text = f"{where}: {self.message}" if where else self.message
        return one_line(f"{text} ({self.fix})" if self.fix else text)


class BcmaDecideError(Exception):
    """Base of every error raised on purpose; carries the process exit code and the problems found."""

    exit_code = EXIT_INVALID_INPUT

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        self.message = message
        self.problems = tuple(problems)
        super().__init__("\n".join([message, *(f"  {problem}" for problem in self.problems)]))


class ProfileError(BcmaDecideError):
    """A patient profile with a field that cannot be used; no number is given for it."""


class WeightsError(BcmaDecideError):
    """Weights for outcomes and burdens that cannot be used; nothing is ranked by them."""


class EvidenceError(BcmaDecideError):
    """Evidence files that do not follow their schema or contradict themselves."""


class SynthesisError(BcmaDecideError):
    """Numbers that cannot be pooled, or an estimator that did not converge."""


class SheetError(BcmaDecideError):
    """A sheet that cannot be written as asked: unknown rows, a language that is not complete, a missing extra."""

    exit_code = EXIT_USAGE


class ServiceError(BcmaDecideError):
    """A service that cannot start as configured: a setting, a key file, a missing extra, no way to tell who calls."""

    exit_code = EXIT_USAGE


class AuditError(BcmaDecideError):
    """An audit that cannot be opened, read or written, or that does not hold the record asked for."""


class NoEvidenceError(BcmaDecideError):
    """There is nothing usable to answer with (missing or unreadable pooled file, unknown outcome)."""

    exit_code = EXIT_NO_EVIDENCE


def printable(text: str) -> str:
    r"""A text that a terminal only shows: what would steer it is written as in ``\u001b``, which JSON reads as well.

    That is every control character but line feed and tab, what turns the direction of writing, other ends of lines,
    and halves of letters.
    """
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def one_line(text: str) -> str:
    """The same on one line: a name with a line feed in it does not look like a message of its own."""
    return printable(text).replace("\n", "\\u000a").replace("\t", "\\u0009")


def quote(value: object) -> str:
    """Show a value in a message: short, on one line, control characters escaped."""
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, int) and abs(value) >= 10**_LONGEST_QUOTE:
        return "a very long number"
    text = repr(value) if isinstance(value, (str, int, float)) else type(value).__name__
    return text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 4]}...{text[0]}"


def closest(word: str, known: list[str]) -> str:
    """``did you mean 'x'?`` for the nearest known word, or nothing."""
    from difflib import get_close_matches

    folded = {name.casefold(): name for name in known}
    matches = get_close_matches(word.casefold(), folded, n=1, cutoff=0.7) if len(word) <= _LONGEST_QUOTE else []
    return f"did you mean '{folded[matches[0]]}'?" if matches else ""
