"""The flow of a review's selection (PRISMA 2020) from counts in a YAML file; counts that do not add up are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bcma_decide.errors import Problem, SynthesisError
from bcma_decide.strict.yaml import read_yaml
from bcma_decide.workshop.plots.flow import FlowStep, flow_chart, flow_text

__all__ = ["KEYS", "SelectionFlow", "flow_drawing", "flow_words", "read_flow"]

KEYS: Final[Mapping[str, str]] = {
    "identified": "records found: a number, or numbers by source",
    "duplicates": "removed before screening (optional)",
    "removed_otherwise": "removed before screening for other reasons (optional): a number, or numbers by reason",
    "screened": "records whose titles and abstracts were read",
    "excluded_on_screening": "a number, or numbers by reason",
    "sought": "reports sought for retrieval (optional)",
    "not_retrieved": "reports that could not be had (optional)",
    "assessed": "reports whose full text was read",
    "excluded_on_assessment": "numbers by reason, or a number",
    "included": "studies in the review; or studies and reports",
}
_OPTIONAL: Final = frozenset(("duplicates", "removed_otherwise", "sought", "not_retrieved"))
_WITH_PARTS: Final = frozenset(("identified", "removed_otherwise", "excluded_on_screening", "excluded_on_assessment"))
_MOST: Final = 10**9
_INCLUDED: Final = frozenset(("studies", "reports"))


@dataclass(frozen=True)
class Count:
    """A number of records, and the parts it is the sum of, if they were given."""

    total: int
    parts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SelectionFlow:
    """Counts from what was found to what is included; ``sought`` is ``None`` where retrieval was not counted apart."""

    identified: Count
    duplicates: int
    removed_otherwise: Count
    screened: int
    excluded_on_screening: Count
    sought: int | None
    not_retrieved: int
    assessed: int
    excluded_on_assessment: Count
    studies: int
    reports: int


def read_flow(path: Path) -> SelectionFlow:
    """Read the counts.

    Raises
    ------
    SynthesisError
        For a file that is no YAML, a count that is missing or none, and counts that do not add up, each with its line.
    """
    return _Reading(path).flow()


class _Reading:
    """The file with what is wrong in it, all at once."""

    def __init__(self, path: Path) -> None:
        self.file = path.name
        data = read_yaml(path, name=self.file, error=SynthesisError)
        # Read again for the lines of its counts, which the reader of plain data does not keep.
        self.lines = path.read_text(encoding="utf-8-sig").splitlines()
        self.problems: list[Problem] = []
        if not isinstance(data, dict):
            self._wrong("", "is no list of counts", f"write lines 'name: number', names {', '.join(KEYS)}")
            self._stop()
        self.data: dict[str, Any] = data

    def flow(self) -> SelectionFlow:
        """All counts, or every mistake."""
        for key in self.data:
            if key not in KEYS:
                self._wrong(key, "is no count of this flow", f"one of {', '.join(KEYS)}")
        for key in KEYS:
            if key not in self.data and key not in _OPTIONAL:
                self._wrong(key, "is missing", f"add it: {KEYS[key]}")
        counts = {key: self._count(key) for key in KEYS if key in self.data and key != "included"}
        studies, reports = self._included()
        self._stop()
        none = Count(0)
        sought = counts.get("sought")
        found = SelectionFlow(
            identified=counts["identified"],
            duplicates=counts.get("duplicates", none).total,
            removed_otherwise=counts.get("removed_otherwise", none),
            screened=counts["screened"].total,
            excluded_on_screening=counts["excluded_on_screening"],
            sought=None if sought is None else sought.total,
            not_retrieved=counts.get("not_retrieved", none).total,
            assessed=counts["assessed"].total,
            excluded_on_assessment=counts["excluded_on_assessment"],
            studies=studies,
            reports=reports,
        )
        self._add_up(found)
        self._stop()
        return found

    def _count(self, key: str) -> Count:
        value = self.data[key]
        if isinstance(value, dict) and key in _WITH_PARTS:
            parts = {str(name): self._whole(key, each, str(name)) for name, each in value.items()}
            if not parts:
                self._wrong(key, "is empty", "write a number, or numbers by name")
            return Count(sum(parts.values()), parts)
        return Count(self._whole(key, value))

    def _whole(self, key: str, value: object, part: str = "") -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST:
            shown = "nothing" if value is None else "a list" if isinstance(value, (list, dict)) else repr(value)[:40]
            self._wrong(key, f"is {shown}", "give a whole number, 0 or more", part)
            return 0
        return value

    def _included(self) -> tuple[int, int]:
        value = self.data.get("included")
        if "included" not in self.data:
            return 0, 0
        if not isinstance(value, dict):
            count = self._whole("included", value)
            return count, count
        if set(value) - _INCLUDED or "studies" not in value:
            self._wrong("included", f"has {', '.join(map(str, value))}", "write a number, or studies and reports")
            return 0, 0
        studies = self._whole("included", value["studies"], "studies")
        reports = self._whole("included", value["reports"], "reports") if "reports" in value else studies
        if reports < studies:
            self._wrong(
                "included", f"{reports} reports are fewer than {studies} studies", "a study has a report or more"
            )
        return studies, reports

    def _add_up(self, flow: SelectionFlow) -> None:
        """Each count is what is left of the one before it."""
        removed = flow.duplicates + flow.removed_otherwise.total
        steps = [("screened", flow.screened, flow.identified.total, "identified", removed, "removed before screening")]
        passed = flow.screened - flow.excluded_on_screening.total
        if flow.sought is not None:
            excluded = flow.excluded_on_screening.total
            steps.append(("sought", flow.sought, flow.screened, "screened", excluded, "excluded on screening"))
            passed = flow.sought
            steps.append(("assessed", flow.assessed, passed, "sought", flow.not_retrieved, "not retrieved"))
        else:
            gone = flow.excluded_on_screening.total + flow.not_retrieved
            what = "excluded on screening or not retrieved" if flow.not_retrieved else "excluded on screening"
            steps.append(("assessed", flow.assessed, flow.screened, "screened", gone, what))
        out = flow.excluded_on_assessment.total
        steps.append(("included", flow.reports, flow.assessed, "assessed", out, "excluded on assessment"))
        for key, count, before, of, less, why in steps:
            if count != before - less:
                left = f"{before} {of} less {less} {why} leave {before - less}"
                self._wrong(key, f"is {count}, but {left}", "mend the count that is wrong")

    def _wrong(self, key: str, message: str, fix: str, part: str = "") -> None:
        line = self._line(key, part)
        where = " ".join(filter(None, (key, part)))
        self.problems.append(
            Problem(": ".join(filter(None, (f"line {line}" if line else "", where))), message, fix, self.file)
        )

    def _line(self, key: str, part: str) -> int:
        """Where a key stands, or the part below it; 0 where the file does not have it."""
        start = _find(self.lines, key, 0)
        return (_find(self.lines, part, start - 1) or start) if part and start else start

    def _stop(self) -> None:
        if self.problems:
            raise SynthesisError("this flow cannot be drawn", self.problems)


def _find(lines: list[str], key: str, start: int) -> int:
    if not key:
        return 0
    named = re.compile(rf"(^|[\s{{,])([\"']?){re.escape(key)}\2\s*:")
    return next((at for at, line in enumerate(lines[start:], start=start + 1) if named.search(line)), 0)


def flow_drawing(flow: SelectionFlow, title: str) -> str:
    """The flow as SVG."""
    return flow_chart(_steps(flow), title=title)


def flow_words(flow: SelectionFlow) -> str:
    """The flow in words."""
    return flow_text(_steps(flow))


def _steps(flow: SelectionFlow) -> list[FlowStep]:
    before = []
    if flow.duplicates:
        before.append(f"Duplicates: {flow.duplicates}")
    before += _parts(flow.removed_otherwise, "Other reasons")
    identified = FlowStep(
        ("Identified", f"{_n(flow.identified.total, 'record')}", *_parts(flow.identified, "")),
        ("Removed before screening", *before) if before else (),
    )
    on_screening = flow.excluded_on_screening
    screened = FlowStep(
        ("Screened", _n(flow.screened, "record")),
        (f"Excluded on screening: {on_screening.total}", *_parts(on_screening, "")) if on_screening.total else (),
    )
    steps = [identified, screened]
    if flow.sought is not None:
        lost = (f"Not retrieved: {flow.not_retrieved}",) if flow.not_retrieved else ()
        steps.append(FlowStep(("Sought for retrieval", _n(flow.sought, "report")), lost))
    elif flow.not_retrieved:
        steps[-1] = FlowStep(screened.words, (*screened.left_out, f"Not retrieved: {flow.not_retrieved}"))
    out = flow.excluded_on_assessment
    steps.append(
        FlowStep(
            ("Assessed in full text", _n(flow.assessed, "report")),
            (f"Excluded on assessment: {out.total}", *_parts(out, "")) if out.total else (),
        )
    )
    reports = f" ({_n(flow.reports, 'report')})" if flow.reports != flow.studies else ""
    steps.append(FlowStep(("Included", f"{_n(flow.studies, 'study')}{reports}")))
    return steps


def _parts(count: Count, without: str) -> list[str]:
    if count.parts:
        return [f"{name}: {number}" for name, number in count.parts.items()]
    return [f"{without}: {count.total}"] if without and count.total else []


def _n(number: int, what: str) -> str:
    more = what.removesuffix("y") + "ies" if what.endswith("y") else f"{what}s"
    return f"{number} {what if number == 1 else more}"
