"""What ``evidence/codes/agreement.yaml`` may say, and the checks a type cannot make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from bcma_decide.patient.fields import FIELDS
from bcma_decide.pooled.agreement import SEXES, SIDES, WORDED
from bcma_decide.pooled.wording import ANY, words_of
from bcma_decide.workshop.evidence.code_entries import CodeEntry, CodeText, FieldId, SystemId
from bcma_decide.workshop.evidence.schema import Number, Strict, Text

WordList = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
MemberId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class MemberEntry(Strict):
    """One of several things that exclude each other."""

    id: MemberId
    words: WordList
    codes: tuple[CodeEntry, ...] = ()


class SetEntry(Strict):
    """Things that exclude each other."""

    id: MemberId
    members: Annotated[tuple[MemberEntry, ...], Field(min_length=1)]


class AcceptedEntry(Strict):
    """Members a field accepts."""

    field: FieldId
    accepts: Annotated[tuple[MemberId, ...], Field(min_length=1)]
    needs: tuple[MemberId, ...] = ()


class NarrowedEntry(Strict):
    """Members of one set that a code accepts."""

    system: SystemId
    code: CodeText
    set: MemberId
    accepts: Annotated[tuple[MemberId, ...], Field(min_length=1)]


class NoteEntry(Strict):
    """Words of notes after which a result is not used."""

    words: WordList
    fields: tuple[FieldId, ...] = ()


class PopulationEntry(Strict):
    """For whom a range of the normal is."""

    id: Literal["anyone", "female", "male", "nobody_here"]
    words: WordList
    codes: tuple[CodeEntry, ...] = ()


class PlausibleEntry(Strict):
    """Ends of what a field can be."""

    field: FieldId
    reason: Text
    unit: str = ""
    at_least: Number = 0.0
    at_most: Number | None = None
    or_zero: bool = False


class AgreementFile(Strict):
    """``agreement.yaml``."""

    sets: tuple[SetEntry, ...]
    fields: tuple[AcceptedEntry, ...]
    codes: tuple[NarrowedEntry, ...]
    notes: tuple[NoteEntry, ...]
    negations: WordList
    results: dict[str, WordList]
    sides: dict[str, WordList]
    populations: tuple[PopulationEntry, ...]
    plausible: tuple[PlausibleEntry, ...]
    stage_groups: tuple[CodeEntry, ...]
    stage_words: WordList
    score_words: WordList
    grades: dict[FieldId, dict[str, WordList]]
    sexes: dict[str, WordList]

    def bedside(self) -> dict[str, Any]:
        """Plain data for the pooled file; codes that were never seen stay here."""
        return {
            "members": [
                {"kind": kind.id, "id": each.id, "words": list(each.words), "codes": _named(each.codes)}
                for kind in self.sets
                for each in kind.members
            ],
            "fields": [_plain(row) for row in self.fields],
            "codes": [
                {"system": row.system, "code": row.code, "kind": row.set, "accepts": list(row.accepts)}
                for row in self.codes
            ],
            "notes": [_plain(row) for row in self.notes],
            "negations": list(self.negations),
            "results": {name: list(words) for name, words in self.results.items()},
            "sides": {name: list(words) for name, words in self.sides.items()},
            "populations": [
                {"id": row.id, "words": list(row.words), "codes": _named(row.codes)} for row in self.populations
            ],
            "plausible": [_plain(row) for row in self.plausible],
            "stage_groups": _named(self.stage_groups),
            "stage_words": list(self.stage_words),
            "score_words": list(self.score_words),
            "grades": {
                field: {number: list(texts) for number, texts in by_number.items()}
                for field, by_number in self.grades.items()
            },
            "sexes": {name: list(codes) for name, codes in self.sexes.items()},
        }


def _plain(entry: Strict) -> dict[str, Any]:
    return entry.model_dump(mode="json")


def _named(codes: Iterable[CodeEntry]) -> list[dict[str, str]]:
    return [
        {"system": code.system, "code": code.code, "text": code.text, "basis": code.basis}
        for code in codes
        if code.basis != "recalled"
    ]


def agreement_faults(file: AgreementFile, fields: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Place and message of every fault; ``fields`` are those that have codes of observations."""
    members = {each.id: kind.id for kind in file.sets for each in kind.members}
    if len(members) != sum(len(kind.members) for kind in file.sets):
        yield "sets", "two members have one name"
    entries = [word for kind in file.sets for each in kind.members for word in each.words]
    counts = Counter((words_of(word), word.startswith(ANY), word.endswith(ANY)) for word in entries)
    twice = [" ".join(words) for (words, _, _), count in counts.items() if count > 1]
    yield from (("sets", f"{words!r} stands there twice") for words in twice)
    yield from (("sets", f"{word!r} holds no word") for word in entries if not words_of(word))
    accepted = [row.field for row in file.fields]
    yield from ((name, "has codes and no row of what it accepts") for name in sorted(set(fields) - set(accepted)))
    yield from ((name, "accepts something and has no codes") for name in sorted(set(accepted) - set(fields)))
    rows = (
        *((row.field, {*row.accepts, *row.needs}) for row in file.fields),
        *((f"{row.system} {row.code}", {*row.accepts}) for row in file.codes),
    )
    for where, named in rows:
        yield from ((where, f"{name!r} is no member of a set") for name in sorted(named - members.keys()))
    for row in file.fields:
        missing = sorted({*row.needs} - {*row.accepts})
        yield from ((row.field, f"needs {name!r}, which it does not accept") for name in missing)
    for name, found, wanted in (
        ("results", file.results, WORDED),
        ("sides", file.sides, SIDES),
        ("sexes", file.sexes, SEXES),
    ):
        if set(found) != set(wanted):
            yield name, f"has other keys than {', '.join(wanted)}"
    for bound in file.plausible:
        field = FIELDS.get(bound.field)
        if field is None or (bound.unit and bound.unit not in [unit.name for unit in field.units]):
            yield "plausible", f"{bound.field} {bound.unit}: is no field of the profile, or no unit of it"
    for rule in file.notes:
        yield from (("notes", f"{name} has no codes") for name in sorted(set(rule.fields) - set(fields)))
