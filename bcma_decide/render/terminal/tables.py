"""The comparison table on a terminal: options side by side, every interval and its certainty in view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Final

from rich.text import Text

from bcma_decide.comparison import Comparison, Contrast, Estimate, Option, Outcome
from bcma_decide.render.terminal.page import WITH_BARS, TerminalPage
from bcma_decide.render.words import arrange, published, sentences, wording
from bcma_decide.render.words.clock import Counted, clock_words, counted, from_decision_first
from bcma_decide.time_course import Clock

GAP = 1
VALUE = 14
ROOMY_VALUE = 15
"""Where there is room: the widest number with its interval and a mark."""
DIFFERENCE = 19
NARROWEST_LABEL = 30
ROOMY = 116
"""Wider tables also spare the longest outcome names a second line."""
INDENT = 4
"""An interval stands below the interval above it, not below the number."""

FURTHER = "dim italic"
"""Style of a number that is not the product's own; its words stand above it where styles are not shown."""

FROM_DECISION: Final = "response to CAR-T from the decision"
OTHER_CLOCK: Final[dict[Clock, str]] = {"infusion": "from decision", "decision": "from infusion"}
"""What the line below a number is counted from, by what the number is."""

Both = tuple[Counted, Counted | None] | None
"""A number on the clock that is shown first, and on the other; None without a number."""
Lines = tuple[Text, Text, Text, Text]
"""Of one field: number with interval, next centre, on the other clock, certainty; words instead of a number stand
in the first alone, so that no part of them stands beside another line's label."""


class Notes:
    """Remarks that do not fit into a field, each under one letter however often it is needed."""

    def __init__(self) -> None:
        self._letters: dict[str, str] = {}

    def mark(self, texts: Sequence[str]) -> str:
        """Letters for these remarks; empty without any."""
        return ",".join(self._letters.setdefault(text, _letter(len(self._letters))) for text in texts)

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Letter and remark, in the order of first use."""
        return tuple((letter, text) for text, letter in self._letters.items())


@dataclass(frozen=True)
class Layout:
    """Widths of the columns: label, a value and perhaps a bar for each option, perhaps the difference."""

    label: int
    value: int
    bar: int
    difference: int

    @classmethod
    def fit(cls, width: int, options: int, *, difference: bool, bars: bool) -> Layout:
        """Fill ``width`` with ``options`` columns."""
        last = DIFFERENCE if difference else 0
        end = last if difference else -GAP
        value = ROOMY_VALUE if width - options * (ROOMY_VALUE + GAP) - end - GAP >= NARROWEST_LABEL else VALUE
        rest = width - options * (value + GAP) - end - GAP
        if bars and options and width >= WITH_BARS:
            label = NARROWEST_LABEL + (6 if width >= ROOMY else 0)
            return cls(label, value, (rest - label) // options - GAP, last)
        return cls(rest, value, 0, last)

    def widths(self, options: int) -> list[int]:
        """Every column from left to right."""
        value = [self.value, self.bar] if self.bar else [self.value]
        return [self.label, *(value * options), *([self.difference] if self.difference else [])]


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
    for group in arrange.groups(comparison):
        page.subheading(arrange.heading(group))
        rows = [
            row
            for outcome in group.outcomes
            for row in _outcome_rows(page, comparison, outcome, options, layout, notes)
        ]
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
    for estimate in estimates:
        mark = page.ink.raised(notes.mark(published.field_notes(estimate, comparison)))
        both = counted(estimate, comparison.clock)
        columns.append(_estimate_lines(page, outcome, estimate, both, mark))
        if layout.bar:
            columns.append(_bar_lines(page, both, layout.bar))
    if layout.difference:
        contrast = arrange.contrast_of(outcome, options[0], options[1])
        mark = "" if contrast else page.ink.raised(notes.mark([sentences.contrast_reason(outcome)]))
        columns.append(
            _difference_lines(
                page, contrast, mark, options[0], from_infusion=from_decision_first(estimates, comparison.clock)
            )
        )
    for depth, name in enumerate(("", "next centre", OTHER_CLOCK[comparison.clock], "certainty")):
        row = [column[depth] for column in columns]
        if depth == 0 or any(row):
            yield [Text(f"  {name}") if depth else label, *row]


def _estimate_lines(page: TerminalPage, outcome: Outcome, estimate: Estimate, both: Both, mark: str) -> Lines:
    if both is None:
        return _words(page, wording.state(estimate) + mark, *_published(outcome, estimate))
    first, other = both
    number, ends = wording.count(first.mean), f"({wording.interval(first.credible)}){mark}"
    style, title = (FURTHER, "further product\n") if estimate.further_product else ("", "")
    headline = Text.assemble(title, (f"{number:>2}", style or "bold"), " ", page.ink.text(ends), style=style)
    prediction = wording.interval(first.prediction) if first.prediction else "not estimated"
    return (
        headline,
        page.ink.text(prediction, style, indent=INDENT),
        Text("") if other is None else _other_clock(page, other),
        page.ink.text(wording.certainty(estimate.certainty), style, indent=INDENT),
    )


def _published(outcome: Outcome, estimate: Estimate) -> tuple[str, ...]:
    figures = published.short_figures(estimate, outcome.id)
    return ("published:", *figures) if figures else ()


def _other_clock(page: TerminalPage, value: Counted) -> Text:
    return page.ink.text(f"{wording.count(value.mean):>2} ({wording.interval(value.credible)})")


def _bar_lines(page: TerminalPage, both: Both, width: int) -> Lines:
    if both is None:
        return Text(""), Text(""), Text(""), Text("")
    bar = Text(page.ink.bar(both[0].mean, width), style="cyan", no_wrap=True)
    whiskers = page.ink.whiskers(both[0].credible, both[0].prediction, width)
    return bar, Text(whiskers, style="cyan", no_wrap=True), Text(""), Text("")


def _difference_lines(
    page: TerminalPage, contrast: Contrast | None, mark: str, first: Option, *, from_infusion: bool
) -> Lines:
    if contrast is None:
        return _words(page, f"not comparable{mark}")
    value = contrast.risk_difference
    number = wording.signed(value.mean)
    text = page.ink.text(f"{number} ({wording.signed_interval(value.interval)})")
    text.stylize("bold", 0, len(page.ink.plain(number)))
    return (
        Text.assemble(clock_words("infusion"), "\n", text) if from_infusion else text,
        page.ink.text(wording.probability_higher(contrast.probability_first_higher, first.label)),
        Text(""),
        page.ink.text(wording.certainty(contrast.certainty)),
    )


def _words(page: TerminalPage, *lines: str) -> Lines:
    return Text("\n").join(page.ink.text(line) for line in lines), Text(""), Text(""), Text("")


def _letter(position: int) -> str:
    """Count in letters: a, b, ... z, aa, ab, ..."""
    rest, last = divmod(position, len(ascii_lowercase))
    return (_letter(rest - 1) if rest else "") + ascii_lowercase[last]
