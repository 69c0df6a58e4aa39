"""``way_to_infusion.yaml``: the wait before the infusion, who is never infused, and why, by published figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field

from bcma_decide.errors import EvidenceError, Problem, closest
from bcma_decide.vocabulary import CLASSES, UNVERIFIED
from bcma_decide.workshop.evidence.catalogue import Catalogue, read_shape
from bcma_decide.workshop.evidence.published_rows import PublishedRow, figure, figure_sources, row_problems
from bcma_decide.workshop.evidence.schema import Identifier, Kinetic, OutcomeRow, Split, Strict, Study, Text

FILE: Final = "way_to_infusion.yaml"
DAYS: Final = "_days"
"""How the words of times in days end."""


class TimeRow(Strict):
    """One time of a study, found by its word; exactly one has to fit."""

    study: Identifier
    what: Annotated[Identifier, Field(pattern=f".*{DAYS}$")]

    def found_in(self, study: Study) -> tuple[Kinetic, ...]:
        """Return the times of the study that fit."""
        return tuple(each for each in study.kinetics if each.what == self.what)


class CountRow(PublishedRow):
    """One count of a study, with its parts by reason as the source has them, or with what it says of them."""

    reasons: dict[Text, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    said: str = ""


class Assumption(Strict):
    """What is assumed where nothing was published, and why so."""

    text: Text
    reason: Text


class WayEntry(Strict):
    """One product, or what holds for its class."""

    option: Identifier
    waits: tuple[TimeRow, ...] = ()
    """Apheresis to infusion; the first is the one the curve from the decision is shifted by."""
    before: tuple[TimeRow, ...] = ()
    """Times that come on top of the wait."""
    rows: tuple[CountRow, ...] = ()
    assumptions: tuple[Assumption, ...] = ()

    def bedside(self, catalogue: Catalogue) -> dict[str, Any]:
        """Plain data for the pooled file."""
        return {
            "option": self.option,
            "waits": [_wait(row, catalogue) for row in self.waits],
            "counts": [*(_count(row, catalogue) for row in self.rows), *(_time(row, catalogue) for row in self.before)],
            "assumptions": [each.text for each in self.assumptions],
        }


class WayFile(Strict):
    """The whole file."""

    ways: tuple[WayEntry, ...] = ()


def load_way(root: Path, catalogue: Catalogue) -> dict[str, Any]:
    """Read and check ``way_to_infusion.yaml``; plain data for the pooled file.

    Raises
    ------
    EvidenceError
        With every problem found, each naming the entry and its field.
    """
    problems: list[Problem] = []
    file = read_shape(root / FILE, WayFile, root, problems)
    if file is not None:
        problems += way_problems(file, catalogue)
    if file is None or problems:
        raise EvidenceError("the way to the infusion cannot be used", problems)
    rows = [row for entry in file.ways for row in entry.rows]
    times = [row for entry in file.ways for row in (*entry.waits, *entry.before)]
    sources = figure_sources(rows, catalogue)
    for row in times:
        study = catalogue.study(row.study)
        key = row.found_in(study)[0].source
        if key:
            sources[f"{study.id}:{key}"] = study.sources[key].bedside()
    return {"ways": [entry.bedside(catalogue) for entry in file.ways], "sources": sources}


def way_problems(file: WayFile, catalogue: Catalogue) -> Iterator[Problem]:
    """Every reference that leads nowhere, and reasons that do not add up to their count."""
    classes = {product: known.class_id for product, known in catalogue.vocabulary.ids.products.items() if known.option}
    options: dict[str, str] = {**dict(zip(CLASSES, CLASSES, strict=True)), **classes}
    studies = {study.id: study for study in catalogue.studies}
    counts = Counter(entry.option for entry in file.ways)
    for number, entry in enumerate(file.ways):
        field = f"ways[{number}]"
        if counts[entry.option] > 1:
            yield Problem(f"{field}.option", f"{entry.option} stands there twice", "give each option one entry", FILE)
        if entry.option not in options:
            hint = closest(entry.option, list(options))
            yield Problem(f"{field}.option", f"{entry.option} is not an option of the model", hint, FILE)
            continue
        for place, message, fix in _problems(entry, studies, options[entry.option]):
            yield Problem(f"{field}.{place}", message, fix, FILE)


def _problems(entry: WayEntry, studies: Mapping[str, Study], class_id: str) -> Iterator[tuple[str, str, str]]:
    rows = list(row_problems(entry.rows, studies, class_id))
    yield from rows
    if not rows:
        for place, count in enumerate(entry.rows):
            events = _events(count, studies)
            parts = sum(count.reasons.values())
            if count.reasons and parts != events:
                yield f"rows[{place}].reasons", f"add up to {parts}, the row has {events} events", "name them all"
    for name, times in (("waits", entry.waits), ("before", entry.before)):
        for place, time in enumerate(times):
            yield from _time_problems(f"{name}[{place}]", time, studies, class_id)


def _events(row: CountRow, studies: Mapping[str, Study]) -> int | None:
    found = row.found_in(studies[row.study])[0]
    return found.events if isinstance(found, (OutcomeRow, Split)) else None


def _time_problems(
    field: str, row: TimeRow, studies: Mapping[str, Study], class_id: str
) -> Iterator[tuple[str, str, str]]:
    study = studies.get(row.study)
    if study is None:
        yield f"{field}.study", f"there is no study {row.study}", closest(row.study, list(studies))
        return
    found = row.found_in(study)
    if study.class_id != class_id:
        yield f"{field}.study", f"{row.study} is not of class {class_id}", ""
    if len(found) != 1:
        yield field, f"{len(found)} times of {row.study} fit", "name one that stands there once"
    elif found[0].basis == UNVERIFIED:
        yield field, "a recalled figure is not shown as published", ""
    elif found[0].median is None:
        yield field, "has no median", "the curve from the decision needs one"


def _wait(row: TimeRow, catalogue: Catalogue) -> dict[str, Any]:
    study = catalogue.study(row.study)
    found = row.found_in(study)[0]
    return {
        "days": found.median,
        "range": None if found.range is None else list(found.range),
        "population": study.name,
        "n": study.treated,
        "sources": [f"{study.id}:{found.source}"] if found.source else [],
    }


def _count(row: CountRow, catalogue: Catalogue) -> dict[str, Any]:
    plain = figure(row, catalogue)
    label, _, counted = plain["text"].rpartition(": ")
    parts = ", ".join(f"{reason} {count}" for reason, count in row.reasons.items())
    return {
        "label": label,
        "text": "; ".join(part for part in (counted, parts, row.said) if part),
        "events": plain["events"],
        "n": plain["n"],
        "population": catalogue.study(row.study).name,
        "sources": plain["sources"],
    }


def _time(row: TimeRow, catalogue: Catalogue) -> dict[str, Any]:
    wait = _wait(row, catalogue)
    low, high = wait["range"] or (None, None)
    span = f", {low:g} to {high:g}" if low is not None and high is not None else ""
    return {
        "label": catalogue.vocabulary.ids.kinetics[row.what],
        "text": f"median {wait['days']:g}{span}",
        "events": None,
        "n": wait["n"],
        "population": wait["population"],
        "sources": wait["sources"],
    }
