"""What a record says of an input and was not used, in lines for a card: whoever knows the record finds it named."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import Final

from bcma_decide.comparison import InputLine, UnmappedLine
from bcma_decide.fhir.reading.courses import COURSES
from bcma_decide.fhir.reading.exposure import RECEIVED
from bcma_decide.render.words.record_view import REACHED
from bcma_decide.vocabulary import InputState

_TOLD: Final[tuple[InputState, ...]] = ("contradiction", "not_usable", "stale")
"""States of what stands in the record and is unknown all the same; what is older or withdrawn has something newer."""
_OF_ALL: Final[tuple[InputState, ...]] = ("ignored", "note")
_OF_SEVERAL: Final = frozenset({RECEIVED, COURSES})
"""Fields of several drugs: that one of them is known says nothing of another."""
_WHOLE: Final = "Bundle"
"""How lines are called that count what was left aside."""


def not_used(lines: Iterable[InputLine]) -> tuple[str, ...]:
    """Lines of the ledger that reached no number, for inputs that nothing else in the record tells.

    What was left aside as a whole, such as entries that name no patient, comes first.
    """
    lines = tuple(lines)
    known = {line.field for line in lines if line.state in REACHED and line.field} - _OF_SEVERAL
    aside = [_with_note(line.text, line) for line in lines if line.label == _WHOLE and line.state in _OF_ALL]
    told = [_line(line) for line in lines if line.state in _TOLD and line.field not in known]
    return tuple(dict.fromkeys((*aside, *told)))


def _line(line: InputLine) -> str:
    day = f" of {line.date}" if line.date else ""
    return _with_note(f"{line.label}{day}: {line.text}", line)


def _with_note(text: str, line: InputLine) -> str:
    return f"{text} ({line.note})" if line.note else text


def not_understood(lines: Iterable[UnmappedLine]) -> tuple[str, ...]:
    """Names of what means nothing here, kinds in turn: a long list of drugs hides no report and no diagnosis."""
    kinds: dict[str, list[str]] = {}
    for line in lines:
        kinds.setdefault(line.kind, []).append(line.text or line.code)
    return tuple(name for turn in zip_longest(*kinds.values()) for name in turn if name)
