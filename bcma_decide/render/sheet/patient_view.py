"""What the patient's sheet shows, from a comparison alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from bcma_decide.behind import Move
from bcma_decide.comparison import Comparison, Estimate, Option, Outcome, TraitLine
from bcma_decide.render.sheet import citing, figures, patient_words
from bcma_decide.render.sheet.patient_words import OptionWords
from bcma_decide.render.sheet.sheet import ICONS_DRAWN, PATIENT_ROWS, Sheet
from bcma_decide.render.words import arrange, clock, survival, wording
from bcma_decide.time_course import WayToTreatment
from bcma_decide.vocabulary import CLASSES, PFS

if TYPE_CHECKING:
    from markupsafe import Markup

ROWS: Final = ("orr", "crs_g3plus", "infection_g3plus", PFS, "icans_g3plus")
"""Outcomes shown where none are asked for, in this order."""
ICONS: Final = ("orr", "crs_g3plus", "infection_g3plus")
"""Those of them that are drawn: the main burden of each option beside the other's."""
FIRST_PAGE: Final = 3
"""Rows on the first page; the others open the second."""
TWO_YEARS: Final = 24
"""Months of the second number in the row of time."""
CHANGES_SHOWN: Final = 2
"""Unknown traits that are spelled out; that there are more is said."""


@dataclass(frozen=True)
class OptionView:
    """A column of the text about the options."""

    id: str
    look: figures.Look
    words: OptionWords
    start: str
    """How long people wait for it."""
    notice: str
    """What may speak against it; empty for both options or for none."""


@dataclass(frozen=True)
class PatientCell:
    """One option's number in one row, or why there is none."""

    name: str
    look: figures.Look
    number: str
    both_ways: str
    range: str
    later: str
    """The number of another time; empty in a row that has one time only."""
    no_number: str
    published: tuple[str, ...]
    """What was counted in studies, in the place of a number that is withheld."""
    icons: Markup | None


@dataclass(frozen=True)
class Row:
    """One outcome: the question, what it means, and a cell for each option."""

    outcome: str
    question: str
    meaning: str
    window: str
    drawn: bool
    """Whether the row is drawn as icons."""
    cells: tuple[PatientCell, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Trait:
    """A fact about the patient."""

    name: str
    value: str


@dataclass(frozen=True)
class Change:
    """What an unknown fact could change: the number it moves most, for each option."""

    text: str
    ranges: tuple[str, ...]


@dataclass(frozen=True)
class PatientView:
    """Everything on the patient's sheet that depends on the patient."""

    options: tuple[OptionView, ...]
    sure: tuple[str, ...]
    """How sure the numbers are in general, and where that differs."""
    first_rows: tuple[Row, ...]
    more_rows: tuple[Row, ...]
    timed: bool
    """Whether a number says how long the myeloma stays away."""
    known: tuple[Trait, ...]
    unknown: tuple[str, ...]
    to_check: tuple[str, ...]
    changes: tuple[Change, ...]
    more_changes: bool


def patient_view(comparison: Comparison, sheet: Sheet) -> PatientView:
    """Arrange a comparison for its patient, in the language spoken at the moment.

    Parameters
    ----------
    comparison
        What to show.
    sheet
        Which rows, and which of them as icons; an outcome asked for as icons is a row.
    """
    options = _options(comparison)
    outcomes = _shown(comparison, sheet)
    shown = tuple(outcome.id for outcome in outcomes)
    drawn = sheet.icons or (ICONS if shown == _usual(shown) else shown[:ICONS_DRAWN])
    changes = _changes(comparison, options, outcomes)
    clocked = next((outcome.id for outcome in outcomes if _has_two_clocks(outcome)), "")
    rows = tuple(
        _row(
            comparison,
            outcome,
            options,
            icons=outcome.id in drawn,
            both_ways=place == 0,
            way=_way(comparison) if outcome.id == clocked else "",
        )
        for place, outcome in enumerate(outcomes)
    )
    lines = comparison.profile.traits
    return PatientView(
        options=options,
        sure=_sure(options, outcomes),
        first_rows=_said_once(rows[:FIRST_PAGE]),
        more_rows=_said_once(rows[FIRST_PAGE:]),
        timed=any(cell.number for row in rows if row.outcome == PFS for cell in row.cells),
        known=tuple(
            Trait(patient_words.trait_name(line.trait), patient_words.trait_value(line))
            for line in lines
            if line.state in ("given", "derived")
        ),
        unknown=_names(lines, "unknown"),
        to_check=_names(lines, "contradiction"),
        changes=changes[:CHANGES_SHOWN],
        more_changes=len(changes) > CHANGES_SHOWN,
    )


def _said_once(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows on end whose numbers are the same for all people say so once, below the last of them."""
    every = patient_words.same_for_all((), every=True)
    result: list[Row] = []
    for same, run in groupby(rows, key=lambda row: every in row.notes):
        members = tuple(run)
        if same and len(members) > 1:
            others = [tuple(note for note in row.notes if note != every) for row in members]
            others[-1] = (*others[-1], patient_words.same_for_all_of(len(members)))
            members = tuple(replace(row, notes=notes) for row, notes in zip(members, others, strict=True))
        result += members
    return tuple(result)


def _names(lines: Iterable[TraitLine], state: str) -> tuple[str, ...]:
    return tuple(patient_words.trait_name(line.trait) for line in lines if line.state == state)


def _shown(comparison: Comparison, sheet: Sheet) -> tuple[Outcome, ...]:
    wanted = tuple(dict.fromkeys((*sheet.icons, *(sheet.rows or ROWS))))[:PATIENT_ROWS]
    found = {outcome.id: outcome for outcome in arrange.outcomes_with_survival(comparison) if outcome.id in wanted}
    order = tuple(found) if sheet.rows or sheet.icons else _usual(found)
    return tuple(found[each] for each in order)


def _usual(found: Collection[str]) -> tuple[str, ...]:
    return tuple(each for each in ROWS if each in found)


def _sure(options: tuple[OptionView, ...], outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """The level most numbers have, and those with another one by their names."""
    levels = [
        (estimate.certainty, outcome.id, option)
        for outcome in outcomes
        for option in options
        if (estimate := outcome.estimates.get(option.id)) is not None and wording.has_number(estimate)
    ]
    if not levels:
        return ()
    counts = Counter(level for level, _outcome, _option in levels)
    usual = counts.most_common(1)[0][0]
    said = [patient_words.sure(usual)]
    for level in counts:
        if level != usual:
            found: dict[str, list[str]] = {}
            for each, outcome, option in levels:
                if each == level:
                    found.setdefault(outcome, []).append(option.words.name)
            said.append(patient_words.sure_of(level, [_place(*entry, len(options)) for entry in found.items()]))
    return tuple(said)


def _place(outcome: str, names: Sequence[str], all_options: int) -> str:
    name = patient_words.outcome_name(outcome)
    return name if len(names) == all_options else f"{name} ({', '.join(names)})"


def _way(comparison: Comparison) -> str:
    """How many get their cells back; empty where the comparison says nothing of it."""
    way = _way_to_cells(comparison)
    if way is None:
        return ""
    if way.infused is None:
        return patient_words.get_cells_not_known()
    return patient_words.get_cells(way.infused.mean, way.infused.credible)


def _start(comparison: Comparison, option: Option) -> str:
    """How long people waited for an option."""
    if option.class_id != CLASSES[0]:
        return patient_words.starts_soon()
    way = _way_to_cells(comparison)
    medians = [weeks.median for weeks in way.weeks] if way else []
    return patient_words.waited(min(medians), max(medians)) if medians else patient_words.wait_not_known()


def _way_to_cells(comparison: Comparison) -> WayToTreatment | None:
    return next((way for way in comparison.ways if way.option == CLASSES[0]), None)


def _options(comparison: Comparison) -> tuple[OptionView, ...]:
    classes = arrange.class_options(comparison)
    notices = [_notice(comparison, option) for option in classes]
    rest = patient_words.nothing_against() if any(notices) else ""
    return tuple(
        OptionView(
            option.id,
            look,
            patient_words.option_words(option.class_id),
            _start(comparison, option),
            notice or rest,
        )
        for option, look, notice in zip(classes, figures.LOOKS, notices, strict=False)
    )


def _notice(comparison: Comparison, option: Option) -> str:
    if _contraindicated(comparison, option):
        return patient_words.against()
    return patient_words.not_labelled() if _not_labelled(comparison, option) else ""


def _contraindicated(comparison: Comparison, option: Option) -> bool:
    """Whether a contraindication fires for the profile itself, for the class, or for every product of it."""
    products = {o.id for o in comparison.options if o.kind == "product" and o.class_id == option.class_id}
    hit = set()
    for finding in comparison.findings:
        if finding.severity == "contraindication" and finding.state == "fires":
            concerned = arrange.concerned(finding)
            if not concerned or option.class_id in concerned or option.id in concerned:
                return True
            hit |= set(concerned)
    return bool(products) and products <= hit


def _not_labelled(comparison: Comparison, option: Option) -> bool:
    """Whether the class has labels here and none of them is met."""
    labels = [label for label in comparison.indications.values() if label.class_id == option.class_id and label.since]
    return bool(labels) and all(label.state == "not_met" for label in labels)


def _row(
    comparison: Comparison,
    outcome: Outcome,
    options: tuple[OptionView, ...],
    *,
    icons: bool,
    both_ways: bool,
    way: str,
) -> Row:
    by_id = {option.id: option for option in arrange.class_options(comparison)}
    estimates = [arrange.estimate_of(outcome, by_id[option.id]) for option in options]
    return Row(
        outcome=outcome.id,
        question=patient_words.question(outcome.id),
        meaning=patient_words.meaning(outcome.id),
        window=(
            patient_words.window_of_time(comparison.clock)
            if outcome.id == PFS
            else patient_words.window(outcome.horizon)
        ),
        drawn=icons,
        cells=tuple(
            _cell(comparison, outcome, option, estimate, icons=icons, both_ways=both_ways)
            for option, estimate in zip(options, estimates, strict=True)
        ),
        notes=tuple(
            filter(
                None,
                (
                    " ".join(filter(None, (way, _other_clock(comparison, outcome, estimates)))),
                    _same(options, estimates),
                ),
            )
        ),
    )


def _cell(
    comparison: Comparison, outcome: Outcome, option: OptionView, estimate: Estimate, *, icons: bool, both_ways: bool
) -> PatientCell:
    name, look = option.words.name, option.look
    on_clock = clock.shown(estimate, comparison.clock)
    mean, ends = on_clock.mean, on_clock.credible
    if mean is None or ends is None or not wording.has_number(estimate):
        published = _published(comparison, outcome, estimate)
        return PatientCell(name, look, "", "", "", "", patient_words.no_number(estimate), published, None)
    title = patient_words.icons_title(name, mean, ends)
    return PatientCell(
        name=name,
        look=look,
        number=wording.of_100(mean),
        both_ways=patient_words.both_ways(outcome.id, mean) if both_ways else "",
        range=patient_words.could_be(ends),
        later=_two_years(comparison, option.id) if outcome.id == PFS else "",
        no_number="",
        published=(),
        icons=figures.icon_array(figures.icon_parts(mean, ends), look, title) if icons else None,
    )


def _published(comparison: Comparison, outcome: Outcome, estimate: Estimate) -> tuple[str, ...]:
    """Counts of this very outcome; others would need words that only a clinician reads."""
    own = (figure for figure in estimate.published if figure.outcome == outcome.id)
    return tuple(
        filter(None, (patient_words.counted(figure, citing.cited(comparison, figure.sources)) for figure in own))
    )


def _same(options: tuple[OptionView, ...], estimates: Iterable[Estimate]) -> str:
    numbers = [pair for pair in zip(options, estimates, strict=True) if wording.has_number(pair[1])]
    same = [option.words.name for option, estimate in numbers if estimate.same_for_every_patient]
    every = len(same) == len(numbers) > 1
    return patient_words.same_for_all(same, every=every) if same else ""


def _two_years(comparison: Comparison, option: str) -> str:
    row = next((o for o in comparison.options if o.id == option), None)
    found = survival.computed(comparison, row) if row else None
    shown = survival.figures(found, comparison.clock) if found else None
    time = shown.at(TWO_YEARS) if shown else None
    return (
        patient_words.after_two_years(time.mean, survival.whole_interval(time.credible))
        if time
        else (patient_words.after_two_years(None, None))
    )


def _other_clock(comparison: Comparison, outcome: Outcome, estimates: Iterable[Estimate]) -> str:
    for estimate in estimates:
        decided, mean = estimate.from_decision, estimate.mean
        if decided is not None and mean is not None and wording.has_number(estimate):
            if comparison.clock == "decision":
                return patient_words.counted_from_infusion(mean)
            return patient_words.counted_from_decision(outcome.id, decided.mean, said=bool(comparison.ways))
    return ""


def _has_two_clocks(outcome: Outcome) -> bool:
    """Whether a number of a row is known from the day cells are taken as well."""
    return any(estimate.from_decision and wording.has_number(estimate) for estimate in outcome.estimates.values())


def _changes(
    comparison: Comparison, options: tuple[OptionView, ...], outcomes: tuple[Outcome, ...]
) -> tuple[Change, ...]:
    """Unknown traits that make a number on this sheet unstable, the one that moves a number furthest first."""
    names = {option.id: option.words.name for option in options}
    shown = {outcome.id: outcome for outcome in outcomes}
    found: list[tuple[float, Change]] = []
    for unknown in comparison.unknowns:
        moves = arrange.moves_of_numbers(unknown, shown, names)
        unstable = [move for move in moves if move.unstable]
        if unstable:
            widest = max(unstable, key=_width)
            same = {move.option: move for move in moves if move.outcome == widest.outcome}
            ranges = tuple(_change(name, same[option]) for option, name in names.items() if option in same)
            found.append((_width(widest), Change(patient_words.change(unknown.trait, widest.outcome), ranges)))
    return tuple(change for _reach, change in sorted(found, key=lambda entry: -entry[0]))


def _change(name: str, move: Move) -> str:
    """What each answer would make of a number; how far it could move where there are more than two answers."""
    by_answer = {move.low_when: move.low, move.high_when: move.high}
    if by_answer.keys() == {"present", "absent"}:
        return patient_words.change_by_answer(name, by_answer["present"], by_answer["absent"])
    return patient_words.change_range(name, move.low, move.high)


def _width(move: Move) -> float:
    return move.high - move.low
