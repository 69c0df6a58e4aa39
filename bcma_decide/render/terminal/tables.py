"""The comparison table on a terminal: options side by side, every interval and its certainty in view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from bcma_decide.comparison import Comparison, Estimate, Option, Outcome
from bcma_decide.render.terminal.cells import bar_lines, difference_lines, estimate_lines, words
from bcma_decide.render.terminal.layout import FROM_DECISION, GAP, OTHER_CLOCK, Layout, Lines, Notes
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.terminal.survival import survival_rows
from bcma_decide.render.words import arrange, published, sentences, survival
from bcma_decide.render.words.clock import counted, from_decision_first
from bcma_decide.time_course import Clock
from bcma_decide.vocabulary import PFS


def write_table(
    page: TerminalPage, comparison: Comparison, options: Sequence[Option], *, difference: bool, bars: bool
) -> None:
    """Write the rows of all outcomes for these options, then the remarks.

    Parameters
    ----------
    page
        Where to write; at least 80 columns wide.
    comparison
        What to write.
    options
        One column each, all of the same width and style.
    difference
        Whether to add the difference of the first two options.
    bars
        Whether a bar may stand beside each number where there is room.
    """
    layout = Layout.fit(page.width, len(options), difference=difference, bars=bars)
    notes = Notes()
    page.columns(layout.widths(len(options)), [_header(page, options, layout, comparison.clock)], GAP)
    for group in arrange.groups_with_survival(comparison):
        page.subheading(arrange.heading(group))
        rows = [
            row
            for outcome in group.outcomes
            for row in _outcome_rows(page, comparison, outcome, options, layout, notes)
        ]
        if group.outcomes[0].family == PFS:
            rows += survival_rows(page, comparison, options, layout)
        page.columns(layout.widths(len(options)), rows, GAP)
    page.rule()
    page.items(notes.rows())


def _header(page: TerminalPage, options: Sequence[Option], layout: Layout, clock: Clock) -> list[Text]:
    heading = "Of 100 patients like this, on average"
    cells = [page.ink.text(heading if clock == "infusion" else f"{heading}; {FROM_DECISION}", "bold")]
    for option in options:
        cells.append(page.ink.text(option.label, "bold"))
        if layout.bar:
            cells.append(_scale(page, layout.bar))
    if layout.difference:
        first, second = options[0], options[1]
        cells.append(page.ink.text(f"{first.label} minus {second.label}", "bold"))
    return cells


def _scale(page: TerminalPage, width: int) -> Text:
    return Text("0" + "100".rjust(width - 1), style="dim", no_wrap=True)


def _outcome_rows(
    page: TerminalPage,
    comparison: Comparison,
    outcome: Outcome,
    options: Sequence[Option],
    layout: Layout,
    notes: Notes,
) -> Iterator[list[Text]]:
    estimates = [arrange.estimate_of(outcome, option) for option in options]
    columns = []
    same = sentences.same_for_every_patient(outcome, options)
    remarks = [*([same] if same else []), *(outcome.notes if layout.difference else ())]
    label = page.ink.text(outcome.label + page.ink.raised(notes.mark(remarks)), "bold")
    clock = comparison.clock
    for estimate in estimates:
        mark = page.ink.raised(notes.mark(published.field_notes(estimate, comparison)))
        both = counted(estimate, clock)
        if both is not None:
            columns.append(estimate_lines(page, estimate, both, mark))
        else:
            columns.append(words(page, survival.word_of(outcome, estimate) + mark, *_published(outcome, estimate)))
        if layout.bar:
            columns.append(bar_lines(page, both, layout.bar))
    if layout.difference:
        columns.append(_difference(page, outcome, options, notes, clock))
    for depth, name in enumerate(("", "next centre", OTHER_CLOCK[clock], "certainty")):
        row = [column[depth] for column in columns]
        if depth == 0 or any(row):
            yield [Text(f"  {name}") if depth else label, *row]


def _difference(page: TerminalPage, outcome: Outcome, options: Sequence[Option], notes: Notes, clock: Clock) -> Lines:
    contrast = arrange.contrast_of(outcome, options[0], options[1])
    if contrast is None:
        mark = page.ink.raised(notes.mark([sentences.contrast_reason(outcome)]))
        return words(page, f"not comparable{mark}")
    estimates = [arrange.estimate_of(outcome, option) for option in options]
    return difference_lines(page, contrast, options[0], from_infusion=from_decision_first(estimates, clock))


def _published(outcome: Outcome, estimate: Estimate) -> tuple[str, ...]:
    figures = published.short_figures(estimate, outcome.id)
    return ("published:", *figures) if figures else ()
