"""What was taken from a patient's record and what was not, in words; empty where the profile came from elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from bcma_decide.comparison import Comparison, InputLine, UnmappedLine
from bcma_decide.patient.fields import FIELDS
from bcma_decide.render.words.language import day, ngettext
from bcma_decide.render.words.language import gettext as _

REACHED: Final = ("used", "inferred")
"""States of values that are part of the profile."""
TOLD: Final = ("contradiction", "stale", "not_usable", "replaced", "note", "ignored")
"""States that are told one by one, in this order; the rest is counted."""
LEFT_OUT: Final = ("contradiction", "stale", "not_usable")
"""States of what a record says and no number has."""
_UNKNOWN_SHOWN: Final = 5


class RecordLine(NamedTuple):
    """One line: what became of it in a word, and the value with date and reason."""

    state: str
    word: str
    text: str


def from_record(comparison: Comparison) -> bool:
    """Whether the profile came from a record."""
    return bool(comparison.profile.inputs or comparison.profile.unmapped)


def heading(comparison: Comparison) -> str:
    """From the record, and the day ages are counted to, with where that day is from."""
    profile = comparison.profile
    if profile.record_date is None:
        return _("From the record")
    source = _("the day asked for") if profile.record_date_asked else _("the newest date of the record")
    return _("From the record; ages counted to {day}, {source}").format(day=day(profile.record_date), source=source)


def used(comparison: Comparison) -> tuple[RecordLine, ...]:
    """Lines of the values that reached the profile."""
    return tuple(_line(each) for each in comparison.profile.inputs if each.state in REACHED)


def unused(comparison: Comparison) -> tuple[RecordLine, ...]:
    """Lines of the values that did not, with the reason, withdrawn ones last; older ones are counted in a last line."""
    inputs = comparison.profile.inputs
    alike: dict[tuple[str, str, str], list[InputLine]] = {}
    for each in inputs:
        if each.state in TOLD:
            alike.setdefault((each.state, each.label, each.note), []).append(each)
    told = [_told(lines) for (state, *_), lines in sorted(alike.items(), key=lambda each: TOLD.index(each[0][0]))]
    counts = Counter(each.state for each in inputs if each.state not in (*TOLD, *REACHED))
    if counts:
        said = "; ".join(f"{state_word(state)}: {count}" for state, count in sorted(counts.items()))
        told.append(RecordLine("idle", _("also found"), said))
    return tuple(told)


def unmapped(comparison: Comparison) -> tuple[str, ...]:
    """Codes that mean nothing here: every drug, and how many of the rest with the most frequent."""
    lines = comparison.profile.unmapped
    drugs = [_code(line) for line in lines if line.kind == "drug"]
    result = [_("drugs not recognised: {names}").format(names="; ".join(drugs))] if drugs else []
    for kind, many in (
        ("observation", _("codes of observations that are not read: {count}, such as {names}")),
        ("condition", _("codes of conditions that are not read: {count}, such as {names}")),
        ("procedure", _("codes of procedures that are not read: {count}, such as {names}")),
        ("report", _("reports that are not read: {count}, such as {names}")),
    ):
        rest = sorted((line for line in lines if line.kind == kind), key=lambda line: -line.count)
        if rest:
            names = "; ".join(_code(line) for line in rest[:_UNKNOWN_SHOWN])
            result.append(many.format(count=len(rest), names=names))
    return (*result, *_not_needed(comparison))


def _not_needed(comparison: Comparison) -> Iterator[str]:
    """How many resources nothing here asks for: they are said apart from what is not understood."""
    if lines := comparison.profile.not_needed:
        shown = "; ".join(f"{line.kind} {line.count}" for line in lines)
        yield _("not needed here: {names}").format(names=shown)


def shortened(lines: Iterable[str], room: int) -> tuple[str, ...]:
    """Return as many lines as there is room for, the last one saying how many are left out."""
    every = list(lines)
    left = len(every) - room
    if left <= 0:
        return tuple(every)
    more = ngettext("{count} more in the result", "{count} more in the result", left).format(count=left)
    return (*every[:room], more)


def dated(comparison: Comparison, trait: str) -> str:
    """Date and age of what a trait rests on: ``20 Nov, 5 d``; of several values, the oldest; empty if not recorded.

    What was inferred says so instead.
    """
    if any(line.state == "inferred" and _feeds(line.field, trait) for line in comparison.profile.inputs):
        return _("inferred from the record")
    reached = [
        line
        for line in comparison.profile.inputs
        if line.state in REACHED and line.age_days is not None and line.field and _feeds(line.field, trait)
    ]
    if not reached:
        return ""
    oldest = max(reached, key=lambda line: line.age_days or 0)
    text = f"{oldest.date}, {_age(oldest)}"
    return text if len(reached) == 1 else _("oldest {date}").format(date=text)


def _feeds(name: str, trait: str) -> bool:
    return name == trait or (name in FIELDS and trait in FIELDS[name].feeds)


def state_word(state: str) -> str:
    """What became of a value, in a word."""
    words = {
        "used": _("used"),
        "inferred": _("inferred"),
        "older": _("older"),
        "stale": _("too old"),
        "contradiction": _("contradiction"),
        "not_usable": _("not used"),
        "ignored": _("ignored"),
        "replaced": _("replaced"),
        "note": _("note"),
    }
    return words.get(state, state)


def _line(line: InputLine) -> RecordLine:
    facts = [
        " ".join(part for part in (line.date, f"({_age(line)})" if line.age_days is not None else "") if part),
        _recognised(line),
        line.note,
    ]
    text = ", ".join(part for part in (f"{line.label}: {line.text}", *facts) if part)
    return RecordLine(line.state, state_word(line.state), text)


def _told(lines: list[InputLine]) -> RecordLine:
    """Show the newest of those that were left out for the same reason, and say how many more there are."""
    first = _line(lines[0])
    left = len(lines) - 1
    if not left or lines[0].state == "contradiction":
        return first._replace(text="; ".join(_line(line).text for line in lines))
    more = ngettext("and {count} more like it", "and {count} more like it", left).format(count=left)
    return first._replace(text=f"{first.text}, {more}")


def _recognised(line: InputLine) -> str:
    by = {
        "ingredient": _("by ingredient code"),
        "product": _("by product code"),
        "ndc": _("by NDC"),
        "atc": _("by ATC"),
        "procedure": _("by procedure code"),
        "name": _("by name"),
        "text": _("read from text"),
    }.get(line.layer, "")
    weak = _("code not confirmed at its source") if line.basis == "secondary" and line.layer != "inferred" else ""
    return ", ".join(part for part in (by, weak) if part)


def _age(line: InputLine) -> str:
    count = line.age_days or 0
    return ngettext("{count} day", "{count} days", count).format(count=count)


def _code(line: UnmappedLine) -> str:
    code = " ".join(part for part in (line.system, line.code) if part)
    text = f"{line.text} ({code})" if line.text and code else line.text or code
    return f"{text} x {line.count}" if line.count > 1 else text
