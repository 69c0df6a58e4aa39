"""Outcomes side by side on the clinician's sheet: columns, cells with their states, rows by time window, studies."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Final

from bcma_decide.comparison import Comparison, Estimate, Option, Outcome, StudyEntry
from bcma_decide.render.sheet import citing, figures
from bcma_decide.render.sheet.clinician_time import TimeLine, published_line, studies_of, time_lines
from bcma_decide.render.sheet.sheet import ICONS_DRAWN, Sheet
from bcma_decide.render.words import arrange, clock, published, rule_view, sentences, survival, wording
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.language import ngettext
from bcma_decide.vocabulary import PFS

ROWS: Final = (
    "orr",
    "vgpr_or_better",
    "cr_or_better",
    PFS,
    "crs_any",
    "crs_g3plus",
    "icans_any",
    "icans_g3plus",
    "infection_g3plus",
    "hypogammaglobulinemia",
    "delayed_neurotoxicity",
    "treatment_related_death",
    "non_relapse_mortality",
    "secondary_primary_malignancy",
    "neutropenia_g3plus",
    "apheresed_not_infused",
)
"""Outcomes shown unless others are asked for: benefit, harm, burden."""
ICONS: Final = ("orr", "crs_g3plus", "infection_g3plus")


@dataclass(frozen=True)
class Column:
    """An option over its column: how many of its labels are met, and whether it is greyed."""

    option: Option
    look: figures.Look
    label: str
    muted: bool
    warning: str


@dataclass(frozen=True)
class RowCell:
    """One option on one outcome.

    ``estimate``: on the clock asked for. ``other_clock``: the number on the other one. ``depends``: what each value of
    an unknown trait would make of the number, where it would move it far. ``published``: counts in the place of a
    number that is withheld.
    """

    column: Column
    estimate: Estimate
    other_clock: str = ""
    depends: str = ""
    marks: str = ""
    published: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One outcome side by side."""

    number: int
    outcome: Outcome
    cells: tuple[RowCell, ...]
    difference: str
    interval: str
    higher: str
    certainty: str
    studies: str
    marks: str


@dataclass(frozen=True)
class Window:
    """Rows that share a time window; ``lines`` and ``published`` stand below them, one text for each option."""

    title: str
    rows: tuple[Row, ...]
    lines: tuple[TimeLine, ...] = ()
    published: tuple[str, ...] = ()


@dataclass(frozen=True)
class Icons:
    """One outcome as 100 icons per option."""

    outcome: Outcome
    cells: tuple[RowCell, ...]


@dataclass(frozen=True)
class StudyReference:
    """A study behind the numbers under its number on the sheet."""

    number: str
    name: str
    entry: StudyEntry
    rows: str
    identifier: str


def option_columns(comparison: Comparison) -> tuple[Column, ...]:
    """The classes as columns, with what their labels say and how many contraindications fire."""
    parents = {each.id: each.class_id for each in comparison.options}
    fired = [
        {parents.get(whom, whom) for whom in arrange.concerned(finding)}
        for finding in arrange.findings(comparison)
        if finding.state == "fires" and finding.severity == "contraindication"
    ]
    return tuple(
        Column(option, look, *_label_summary(comparison, option), _warning(option, fired))
        for option, look in zip(arrange.class_options(comparison), figures.LOOKS, strict=False)
    )


def _label_summary(comparison: Comparison, option: Option) -> tuple[str, bool]:
    """How far the labels of a class are met, and whether none is (the column is then greyed)."""
    names: dict[str, dict[str, None]] = {}
    for _name, label in rule_view.shown_labels(comparison):
        if label.class_id == option.class_id and label.since:
            names.setdefault(label.state, {})[label.label] = None
    region = comparison.labels.region
    if names.get("met"):
        return _("label met ({region}): {names}").format(region=region, names=", ".join(names["met"])), False
    if names.get("cannot_be_judged"):
        text = _("label cannot be judged ({region}): {names}")
        return text.format(region=region, names=", ".join(names["cannot_be_judged"])), False
    if names:
        return _("no label met ({region}): {names}").format(region=region, names=", ".join(names["not_met"])), True
    return _("no label seen ({region})").format(region=region), True


def _warning(option: Option, fired: Iterable[Collection[str]]) -> str:
    """How many contraindications of a class fire; of each is given which classes it concerns."""
    count = sum(option.class_id in classes for classes in fired)
    if not count:
        return ""
    return ngettext("{n} contraindication, see the findings", "{n} contraindications, see the findings", count).format(
        n=count
    )


def icon_rows(comparison: Comparison, sheet: Sheet, columns: tuple[Column, ...]) -> tuple[Icons, ...]:
    """The outcomes drawn as 100 icons: those asked for, else the usual ones among the rows."""
    rows = sheet.rows or ROWS
    wanted = sheet.icons or [each for each in ICONS if each in rows] or rows[:ICONS_DRAWN]
    outcomes = {outcome.id: outcome for outcome in arrange.outcomes_with_survival(comparison)}
    return tuple(
        Icons(outcomes[each], tuple(_cell(comparison, outcomes[each], column) for column in columns))
        for each in wanted
        if each in outcomes
    )


_Notes = Mapping[tuple[str, str], tuple[str, ...]]
"""Remarks on numbers, by outcome and option."""


def _letters(outcomes: Iterable[Outcome], columns: tuple[Column, ...], of_cells: _Notes) -> dict[str, str]:
    """Every note under the table with its letter, in the order of the rows."""
    notes: dict[str, None] = {}
    for outcome in outcomes:
        notes |= dict.fromkeys(_row_notes(outcome, columns))
        for column in columns:
            notes |= dict.fromkeys(of_cells[outcome.id, column.option.id])
    return {note: ascii_lowercase[place % 26] * (1 + place // 26) for place, note in enumerate(notes)}


def _row_notes(outcome: Outcome, columns: Iterable[Column]) -> tuple[str, ...]:
    """Remarks on a whole row: that no trait moves it, and those of the comparison."""
    same = sentences.same_for_every_patient(outcome, [column.option for column in columns])
    return (*([same] if same else []), *outcome.notes)


def _notes_of_cells(comparison: Comparison, outcomes: Iterable[Outcome], columns: tuple[Column, ...]) -> _Notes:
    naming = citing.naming(comparison)
    return {
        (outcome.id, column.option.id): _cell_notes(comparison, outcome, column, naming)
        for outcome in outcomes
        for column in columns
    }


def _cell_notes(comparison: Comparison, outcome: Outcome, column: Column, naming: published.Naming) -> tuple[str, ...]:
    """Remarks on a number, or what stands in the place of one that is withheld; other reasons stand in the cell."""
    estimate = arrange.estimate_of(outcome, column.option)
    if not wording.has_number(estimate) and estimate.state != "withheld":
        return ()
    if outcome.family == PFS and estimate.state == "withheld":
        return (published.stated(estimate, naming),)  # what was published stands below
    return published.field_notes(estimate, comparison, naming)


def _cell(comparison: Comparison, outcome: Outcome, column: Column, marks: str = "") -> RowCell:
    estimate = arrange.estimate_of(outcome, column.option)
    if not wording.has_number(estimate):
        return RowCell(column, estimate, marks=marks, published=published.short_figures(estimate, outcome.id))
    widest = arrange.decisive(comparison, outcome, column.option)
    return RowCell(
        column,
        clock.shown(estimate, comparison.clock),
        other_clock=clock.beside(estimate, comparison.clock),
        # What a trait would make of it is known from the infusion only.
        depends=sentences.by_value(*widest) if widest and not _decided(estimate, comparison) else "",
        marks=marks,
    )


def _decided(estimate: Estimate, comparison: Comparison) -> bool:
    """Whether a number is shown from the decision."""
    return comparison.clock == "decision" and estimate.from_decision is not None


def time_windows(
    comparison: Comparison, sheet: Sheet, columns: tuple[Column, ...]
) -> tuple[tuple[Window, ...], tuple[tuple[str, str], ...]]:
    """Rows by time window, and the notes they refer to by letter."""
    outcomes = [each for each in arrange.outcomes_with_survival(comparison) if each.id in (sheet.rows or ROWS)]
    horizons = list(dict.fromkeys(outcome.horizon for outcome in outcomes))
    outcomes.sort(key=lambda outcome: (outcome.direction != "benefit", horizons.index(outcome.horizon)))
    of_cells = _notes_of_cells(comparison, outcomes, columns)
    letters = _letters(outcomes, columns, of_cells)
    rows = [_row(comparison, place, each, columns, letters, of_cells) for place, each in enumerate(outcomes, 1)]
    windows = tuple(
        _window(comparison, horizon, tuple(row for row in rows if row.outcome.horizon == horizon), columns)
        for horizon in dict.fromkeys(row.outcome.horizon for row in rows)
    )
    return windows, tuple((letter, note) for note, letter in letters.items())


def _window(comparison: Comparison, horizon: str, rows: tuple[Row, ...], columns: tuple[Column, ...]) -> Window:
    if rows[0].outcome.family != PFS:
        return Window(arrange.capitalised(horizon), rows)
    options = [column.option for column in columns]
    title = f"{survival.title()}, {horizon}"
    return Window(title, rows, time_lines(comparison, options), published_line(comparison, options))


def _row(
    comparison: Comparison,
    number: int,
    outcome: Outcome,
    columns: tuple[Column, ...],
    letters: Mapping[str, str],
    of_cells: _Notes,
) -> Row:
    def marks(notes: Iterable[str]) -> str:
        return ",".join(letters[note] for note in notes)

    cells = tuple(
        _cell(comparison, outcome, column, marks(of_cells[outcome.id, column.option.id])) for column in columns
    )
    difference, interval, higher = _difference(comparison, outcome, cells)
    return Row(
        number=number,
        outcome=outcome,
        cells=cells,
        difference=difference,
        interval=interval,
        higher=higher,
        certainty=_certainty_word(cells),
        studies=" / ".join(str(cell.estimate.n_studies) for cell in cells),
        marks=marks(_row_notes(outcome, columns)),
    )


def _difference(comparison: Comparison, outcome: Outcome, cells: tuple[RowCell, ...]) -> tuple[str, str, str]:
    """The difference, its interval, and how probable it is that the first is higher.

    The usual word for that probability is withheld where an unknown trait decides. A difference is one from the
    infusion, and says so where a number beside it is not.
    """
    if len(cells) != 2:
        return "", "", ""
    first, second = (cell.column.option for cell in cells)
    contrast = arrange.contrast_of(outcome, first, second)
    if contrast is None:
        return _("not comparable"), "", ""
    probability = contrast.probability_first_higher
    higher = wording.percent(probability)
    if contrast.certainty != "very low" and not any(cell.depends for cell in cells):
        higher = f"{higher}, {wording.likelihood(probability)}"
    if any(_decided(arrange.estimate_of(outcome, cell.column.option), comparison) for cell in cells):
        higher = _("{probability}; from the infusion").format(probability=higher)
    value = contrast.risk_difference
    return wording.signed(value.mean), wording.signed_interval(value.interval), higher


def _certainty_word(cells: tuple[RowCell, ...]) -> str:
    """The level, once if it is the same for all options with a number, else in the order of the columns."""
    levels = [wording.certainty(cell.estimate.certainty) for cell in cells if wording.has_number(cell.estimate)]
    return " / ".join(levels if len(set(levels)) > 1 else levels[:1]) or _("not rated")


def certainty_reasons(windows: Iterable[Window]) -> tuple[str, ...]:
    """Why the certainty is what it is: each reason once, with the rows it holds for."""
    rows = [row for window in windows for row in window.rows]
    found: dict[str, dict[str, list[int]]] = {}
    for row in rows:
        for cell in row.cells:
            for reason in cell.estimate.reasons:
                places = found.setdefault(_without_figures(reason), {})
                places.setdefault(cell.column.option.label, []).append(row.number)
    rated = {
        name: [
            row.number
            for row in rows
            for cell in row.cells
            if cell.column.option.label == name and cell.estimate.reasons
        ]
        for name in dict.fromkeys(cell.column.option.label for row in rows for cell in row.cells)
    }
    return tuple(f"{arrange.capitalised(reason)} ({_holders(places, rated)})" for reason, places in found.items())


def _without_figures(reason: str) -> str:
    """A reason to rate down or up without its detail, which differs from row to row and is seen there."""
    return reason.partition(": ")[0] if reason.startswith(("down for", "up for")) else reason


def _holders(places: dict[str, list[int]], rated: dict[str, list[int]]) -> str:
    if places == {name: rows for name, rows in rated.items() if rows}:
        return _("all rows")
    return "; ".join(f"{name}: {citing.ranges(rows)}" for name, rows in places.items())


def studies_behind(comparison: Comparison, windows: Iterable[Window]) -> tuple[StudyReference, ...]:
    """Studies numbered per class, the class's initial first (C1, C2, …, B1), each with the rows it counts for."""
    options = arrange.class_options(comparison)
    labels = {option.id: option.label for option in options}
    rows = {row.outcome.id: row.number for window in windows for row in window.rows}
    of_survival = studies_of(comparison, options)
    counts: dict[str, int] = {}
    result = []
    for entry in comparison.studies:
        counted = (*entry.outcomes, *((PFS,) if entry.study in of_survival else ()))
        behind = [rows[outcome] for outcome in counted if outcome in rows]
        if behind:
            counts[entry.class_id] = counts.get(entry.class_id, 0) + 1
            number = f"{labels.get(entry.class_id, entry.class_id)[:1].upper()}{counts[entry.class_id]}"
            cited = citing.cited(comparison, entry.sources).partition(", ")[0]
            short = re.sub(r" \([^()]*\)$", "", entry.name)
            result.append(StudyReference(number, short, entry, citing.ranges(behind), cited))
    return tuple(result)
