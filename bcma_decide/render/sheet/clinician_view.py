"""What the clinician's sheet shows, from a comparison alone: what stands where, and what is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from bcma_decide.comparison import Comparison, TraitLine
from bcma_decide.render.sheet import citing
from bcma_decide.render.sheet.clinician_back import Back, back_page
from bcma_decide.render.sheet.clinician_findings import FullFinding, numbered_findings
from bcma_decide.render.sheet.clinician_front import Front, burden_rows, front_page
from bcma_decide.render.sheet.clinician_rows import (
    ROWS,
    Column,
    Icons,
    StudyReference,
    Window,
    certainty_reasons,
    icon_rows,
    option_columns,
    studies_behind,
    time_windows,
)
from bcma_decide.render.sheet.clinician_time import FanView, PublishedTimes, WayView, fans, published_times, waits, ways
from bcma_decide.render.sheet.sheet import Sheet
from bcma_decide.render.words import arrange, published, record_view, rule_view, sentences, survival
from bcma_decide.render.words.first_screen import first_screen
from bcma_decide.render.words.language import gettext as _
from bcma_decide.vocabulary import PFS

RECORD_LINES: Final = 8
"""Lines of what a record held and was not used; the rest stands in the result."""


@dataclass(frozen=True)
class Entry:
    """One input: the sign of its state, its label and value."""

    shape: str
    word: str
    text: str


@dataclass(frozen=True)
class LedgerGroup:
    """Inputs that are in the same way part of the numbers."""

    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Room:
    """Practical topics that have room on the first page, and how many items on the second; None for everything."""

    topics: tuple[int, ...] | None = None
    items: int | None = None


@dataclass(frozen=True)
class ClinicianView:
    """Everything on the clinician's sheet."""

    banners: tuple[str, ...]
    aged_labels: tuple[str, ...]
    front: Front
    back: Back
    more: str
    """What has no room on paper; empty for nothing."""
    ledger: tuple[LedgerGroup, ...]
    columns: tuple[Column, ...]
    icons: tuple[Icons, ...]
    fans: tuple[FanView, ...]
    """Time without progression by month; empty where it is not asked for or nothing is computed."""
    ways: tuple[WayView, ...]
    published_times: tuple[PublishedTimes, ...]
    windows: tuple[Window, ...]
    facts: tuple[rule_view.PracticeLine, ...]
    notes_by_lead: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """Notes under the table by letter; what several begin with stands once."""
    same: str
    """How many of the numbers shown no trait moves; empty if every one is moved."""
    published: tuple[tuple[str, str], ...]
    """Regimens that the model does not hold: what each is called, and what was published of it."""
    movers: tuple[str, ...]
    certainty: tuple[str, ...]
    studies: tuple[tuple[StudyReference, ...], ...]
    unused: tuple[str, ...]
    record: tuple[str, ...]
    """What a record held that was not used, and codes not recognised; empty where there is none."""
    command: str


def clinician_view(comparison: Comparison, sheet: Sheet, room: Room) -> ClinicianView:
    """Arrange a comparison for its clinician.

    Parameters
    ----------
    comparison
        What to show.
    sheet
        Which rows and icons.
    room
        What the two pages have room for.
    """
    columns = option_columns(comparison)
    options, looks = [column.option for column in columns], [column.look for column in columns]
    timed = PFS in (sheet.rows or ROWS) and survival.is_computed(comparison)
    windows, notes = time_windows(comparison, sheet, columns)
    studies = studies_behind(comparison, windows)
    findings = numbered_findings(comparison)
    sources = citing.numbered(comparison, _statements(comparison, findings))
    front = front_page(comparison, first_screen(comparison), sources[0], sheet.rows, room.topics)
    back = back_page(comparison, findings, sources, room.items)
    return ClinicianView(
        banners=banners(comparison),
        aged_labels=aged_labels(comparison),
        front=front,
        back=back,
        more=", ".join(filter(None, (front.burden_left, back.more))),
        ledger=_ledger(comparison),
        columns=columns,
        icons=icon_rows(comparison, sheet, columns),
        fans=fans(comparison, options, looks) if timed else (),
        ways=ways(comparison, options, looks) if timed else (),
        published_times=published_times(comparison) if timed else (),
        windows=windows,
        facts=waits(comparison, options),
        notes_by_lead=_by_lead(notes),
        same=count_of_same(comparison, windows, columns),
        published=_published(comparison),
        movers=mover_lines(comparison),
        certainty=certainty_reasons(windows),
        studies=in_columns(studies, 3, lambda each: len(each.entry.name) + len(each.identifier) + 30),
        unused=(*arrange.also_given(comparison), *arrange.given_for_findings(comparison)),
        record=_record(comparison),
        command=_command(comparison),
    )


def _statements(comparison: Comparison, findings: Sequence[FullFinding]) -> Iterator[tuple[str, ...]]:
    """Keys of the sources of everything printed: findings first, then the burden."""
    yield from (each.finding.sources for each in findings)
    yield from (line.sources for row in burden_rows(comparison) for lines in row.facts.values() for line in lines)


def _by_lead(notes: Sequence[tuple[str, str]]) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Notes that differ behind their last colon only, together; the others one by one."""
    leads: dict[str, list[tuple[str, str]]] = {}
    for letter, text in notes:
        lead, _colon, rest = text.rpartition(": ")
        leads.setdefault(lead or text, []).append((letter, rest))
    return tuple(
        (lead, tuple(found))
        if len(found) > 1
        else ("", ((found[0][0], next(t for n, t in notes if n == found[0][0])),))
        for lead, found in leads.items()
    )


def count_of_same(comparison: Comparison, windows: Sequence[Window], columns: Sequence[Column]) -> str:
    """How many of the numbers shown no trait moves; empty if every one is moved."""
    shown = tuple(row.outcome for window in windows for row in window.rows)
    return sentences.count_of_same(
        comparison.model_copy(update={"outcomes": shown}), [column.option for column in columns]
    )


def _published(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    naming = citing.naming(comparison)
    return tuple(
        (published.heading(each), published.option_text(each, naming)) for each in comparison.published_options
    )


def mover_lines(comparison: Comparison) -> tuple[str, ...]:
    """Unknown inputs that move a number most, each with how far."""
    return tuple(sentences.mover_sentence(mover, comparison) for mover in arrange.movers(comparison))


def banners(comparison: Comparison) -> tuple[str, ...]:
    """What stands over everything else: inputs that contradict each other, evidence that is out of date."""
    found = []
    if any(line.state == "contradiction" for line in comparison.profile.traits) or arrange.contradictions(comparison):
        found.append(_("Check inputs: some contradict each other and were taken as unknown; see the profile."))
    if comparison.evidence.out_of_date:
        found.append(
            _("Evidence out of date: it is of {date}, the day asked for is {day}.").format(
                date=comparison.evidence.date, day=comparison.labels.date
            )
        )
    return tuple(found)


def aged_labels(comparison: Comparison) -> tuple[str, ...]:
    """Labels that were seen longer ago, on the day asked for, than may go unsaid: those seen last first."""
    found: dict[tuple[str, int], list[str]] = {}
    for name, label in rule_view.shown_labels(comparison):
        if label.aged_months is not None and label.since:
            found.setdefault((label.seen, label.aged_months), []).append(name)
    return tuple(
        _("Label of {names} last seen {date}, more than {months} months before {day}.").format(
            names=", ".join(names), date=seen, months=months, day=comparison.labels.date
        )
        for (seen, months), names in sorted(found.items(), reverse=True)
    )


def _ledger(comparison: Comparison) -> tuple[LedgerGroup, ...]:
    """Inputs by their part in the numbers; what is missing says whether that matters."""
    lines = arrange.ledger(comparison)
    check = [line for line in lines if line.state == "contradiction"]
    used = [line for line in lines if line.used and line.state in ("given", "derived")]
    missing = [line for line in lines if line.used and line.state == "unknown"]
    decisive = {u.trait for u in comparison.unknowns if any(move.unstable for move in u.moves)}
    idle = [line for line in lines if not line.used and line.state in ("given", "derived")]
    idle_missing = [line for line in lines if not line.used and line.state == "unknown"]
    said = [Entry("contradiction", _("check input"), finding.text) for finding in arrange.contradictions(comparison)]
    remarks = [Entry("used", _("used, given"), finding.text) for finding in arrange.remarks(comparison)]
    groups = (
        (_("Check inputs"), [*(_entry(line) for line in check), *said]),
        (_("Used"), [*(_entry(line, record_view.dated(comparison, line.trait)) for line in used), *remarks]),
        (_("Missing, changes the picture"), [_missing(line) for line in missing if line.trait in decisive]),
        (
            _("Missing, does not change the picture"),
            [_missing(line) for line in missing if line.trait not in decisive],
        ),
        (_("Known, in no number"), [_entry(line, record_view.dated(comparison, line.trait)) for line in idle]),
        (_("Missing, in no number"), [_missing(line) for line in idle_missing]),
    )
    return tuple(LedgerGroup(title, tuple(entries)) for title, entries in groups if entries)


_STATE_SHAPES: Final = {"given": "used", "derived": "derived", "unknown": "unknown", "contradiction": "contradiction"}


def _entry(line: TraitLine, dated: str = "") -> Entry:
    shape = "idle" if not line.used and line.state != "contradiction" else _STATE_SHAPES[line.state]
    origin = sentences.ledger_origin(line) if line.state == "contradiction" else ""
    remarks = [*([_("derived")] if line.state == "derived" else []), *([dated] if dated else [])]
    derived = f" ({'; '.join(remarks)})" if remarks else ""
    return Entry(shape, sentences.ledger_word(line), f"{line.label}: {line.text}{derived}{origin}")


def _missing(line: TraitLine) -> Entry:
    return Entry("unknown", _("missing"), line.label)


Item = TypeVar("Item")


def in_columns(items: Sequence[Item], columns: int, height: Callable[[Item], float]) -> tuple[tuple[Item, ...], ...]:
    """Split a list into columns of about the same height, in order; fewer if there are fewer items."""
    total = sum(height(item) for item in items)
    result: list[list[Item]] = [[]]
    used = 0.0
    for item in items:
        if len(result) < columns and result[-1] and used + height(item) / 2 > total * len(result) / columns:
            result.append([])
        result[-1].append(item)
        used += height(item)
    return tuple(tuple(column) for column in result if column)


def _record(comparison: Comparison) -> tuple[str, ...]:
    """What was not taken from the record, as far as there is room; contradictions and old values come first."""
    lines = [f"{line.word}: {line.text}" for line in record_view.unused(comparison)]
    return (
        *record_view.shortened(lines, RECORD_LINES),
        *record_view.shortened(record_view.unmapped(comparison), RECORD_LINES),
    )


def _command(comparison: Comparison) -> str:
    """The call that gives the same result again."""
    source = "--fhir BUNDLE" if record_view.from_record(comparison) else "PROFILE"
    profile = f"--example {comparison.profile.name}" if comparison.profile.name else source
    setting = "real-world" if comparison.profile.setting == "real_world" else "trial"
    labels = comparison.labels
    clock = "" if comparison.clock == "infusion" else f" --from {comparison.clock}"
    return (
        f"{comparison.software.name} compare {profile} --setting {setting}{clock} --region {labels.region} "
        f"--date {labels.date}"
    )
