"""What a reader may take from a record, and what it took: the truths of many records, and a tally of them."""

from collections import Counter
from dataclasses import dataclass, field

from bcma_decide.comparing.compare import load_pooled
from bcma_decide.fhir.reading.reader import read_bundle
from tests.fhir.reading.support.records import ON


@dataclass(frozen=True)
class Truth:
    """What may be held of a field: one of the accepted values, the first of them where all is read; None is unknown."""

    field: str
    accepted: tuple
    kind: str
    said: str = ""


@dataclass
class Tally:
    """Right, unread and misread, kind by kind."""

    kinds: Counter = field(default_factory=Counter)
    right: Counter = field(default_factory=Counter)
    unread: Counter = field(default_factory=Counter)
    misread: list[str] = field(default_factory=list)
    must_be_read: list[str] = field(default_factory=list)
    records: int = 0
    refused: list[str] = field(default_factory=list)
    special: int = 0

    def add(self, record: str, truth: Truth, held: object) -> None:
        self.kinds[truth.kind] += 1
        line = f"{record}: {truth.field} is {held!r}, accepted {truth.accepted} [{truth.kind}] {truth.said}"
        if not any(same(held, each) for each in truth.accepted):
            (self.must_be_read if held is None else self.misread).append(line)
        elif held is None and truth.accepted != (None,) and truth.accepted[0] is not None:
            self.unread[truth.kind] += 1
        else:
            self.right[truth.kind] += 1


def same(held: object, accepted: object) -> bool:
    """Whether the profile holds the accepted value; a number to one in a million, a course with its months."""
    if held is None or accepted is None:
        return held is accepted
    if isinstance(accepted, bool) or isinstance(held, bool):
        return held is accepted
    if isinstance(accepted, frozenset) and isinstance(held, list):
        return {kind for kind, _ in held} <= accepted
    if isinstance(accepted, list) and isinstance(held, list):
        return all(any(name in each for name in accepted) or each in ("prednisone",) for each in held)
    if isinstance(accepted, tuple) and isinstance(held, list):
        months = accepted[1] if isinstance(accepted[1], tuple) else (accepted[1],)
        return len(held) == 1 and held[0][0] == accepted[0] and held[0][1] in months
    if isinstance(accepted, int | float) and isinstance(held, int | float):
        return abs(held - accepted) <= 1e-6 * max(1.0, abs(accepted))
    return held == accepted


def held_of(reading, name):
    """A field of the patient as plain data: a number in the unit of the profile, a list of courses."""
    value = getattr(reading.patient, name)
    if name == "prior_bcma_courses":
        return [(course.kind, course.months_since) for course in value] or None
    if name == "received":
        return sorted(value) or None
    return getattr(value, "value", value)


def read(record, on=ON):
    pooled = load_pooled()
    return read_bundle(record, pooled.codes, pooled.definitions, on)
