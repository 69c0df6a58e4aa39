"""Forest plot on a terminal: a table with a line of characters beside every study.

The box of a study is larger for more weight (or patients, with methods that have no weights), a pooled result is a
double line about a diamond, a prediction interval a line between end strokes, an arrow an interval that goes on. All
have ASCII stand-ins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.workshop.plots.axis import printed
from bcma_decide.workshop.plots.bias import SIGNS, WORDS, Judgement
from bcma_decide.workshop.plots.forest import forest_axis, result_text
from bcma_decide.workshop.plots.values import Forest, ForestLine, PooledLine

__all__ = ["write_forest"]

_GAP: Final = 2
_NARROWEST_PLOT: Final = 12
_WIDEST_PLOT: Final = 61
_NARROWEST_LABEL: Final = 14
_WIDEST_CELL: Final = 16
_LIGHT: Final = 0.5
"""Studies with less than this share of the largest size get the small box."""


@dataclass(frozen=True)
class _Signs:
    line: str
    small: str
    large: str
    pooled_line: str
    diamond: str
    end_left: str
    end_right: str
    arrow_left: str
    arrow_right: str
    reference: str
    overall: str
    axis: str
    tick: str


_DRAWN: Final = _Signs("─", "▪", "■", "═", "◆", "├", "┤", "◄", "►", "│", "┊", "─", "┴")
_TYPED: Final = _Signs("-", "o", "#", "=", "*", "[", "]", "<", ">", "|", ":", "-", "+")


def write_forest(data: Forest, console: Console) -> None:
    """Print a forest plot in the width and with the signs of a console.

    Parameters
    ----------
    data
        What to print.
    console
        Where to print; narrower than about 60 columns the lines are left out and the numbers stay.

    Raises
    ------
    SynthesisError
        If a value does not lie on an axis of its kind.
    """
    page = TerminalPage(console)
    _Table(page, data).write()


class _Table:
    def __init__(self, page: TerminalPage, data: Forest) -> None:
        self.page, self.data, self.axis = page, data, forest_axis(data)
        self.signs = _TYPED if page.ink.ascii_only else _DRAWN
        self.largest = max(study.size for study in data.studies) or 1.0
        self.counts = any(study.counts for study in data.studies)
        self.domains = " ".join(data.domain_signs)
        self.room, self.plot, self.widths = self._fit()

    def _fit(self) -> tuple[int, int, list[int]]:
        """Room for labels and lines, width of the lines (0 without room) and of all columns."""
        data = self.data
        results = max(
            cell_len(words) for words in (data.interval_name, *(result_text(data, line) for line in data.lines))
        )
        fixed = [results, *([len("Weight")] if data.weighted else [])]
        if self.domains:
            fixed.append(len(self.domains))
        before = [
            min(_WIDEST_CELL, max(cell_len(words) for words in (name, *(study.cells[n] for study in data.studies))))
            for n, name in enumerate(data.columns)
        ]
        if self.counts:
            before.append(max(len(words) for words in ("Events/n", *(study.counts for study in data.studies))))
        fixed = [*before, *fixed]
        room = self.page.width - sum(fixed) - _GAP * (len(fixed) + 1)
        indent = 2 if any(group.label for group in data.groups) else 0
        longest = max(cell_len(line.label) for line in data.lines) + indent
        wanted = max(_NARROWEST_LABEL, longest, len("Prediction interval") + indent)
        label = min(wanted, max(_NARROWEST_LABEL, room // 2))
        plot = min(room - label, _WIDEST_PLOT)
        if plot < _NARROWEST_PLOT:
            plot, label = 0, min(wanted, room + _GAP)
        label = min(wanted, room - plot) if plot else label
        middle = [plot] if plot else []
        return room, plot, [label, *before, *middle, *fixed[len(before) :]]

    def write(self) -> None:
        page, data = self.page, self.data
        page.heading(data.title)
        if self.room < _NARROWEST_LABEL:
            self._stacked()
        else:
            self._columns()
        for group in data.groups:
            if group.pooled and group.pooled.note:
                page.paragraph(f"{group.label or group.pooled.label}: {group.pooled.note}")
        if data.overall and data.overall.note:
            page.paragraph(f"{data.overall.label}: {data.overall.note}")
        for note in data.notes:
            page.paragraph(note)
        if data.favours and self._sides() is None:
            page.paragraph(
                f"Lower than no effect favours {data.favours[0]}, higher than no effect favours {data.favours[1]}"
            )
        if data.domains:
            signs = ", ".join(f"{self._sign(judgement)} {words}" for judgement, words in WORDS.items())
            page.paragraph(f"{data.bias_legend}; {signs}")

    def _sign(self, judgement: Judgement | None) -> str:
        return " " if judgement is None else self.page.ink.plain(SIGNS[judgement])

    def _stacked(self) -> None:
        """One line of words after the other."""
        page, data = self.page, self.data
        page.paragraph(f"{data.measure}, {data.interval_name}", "bold")
        for group in data.groups:
            if group.label:
                page.paragraph(group.label, "bold")
            for study in group.studies:
                counts = f", {study.counts}" if study.counts else ""
                weight = f", weight {study.weight_text}" if study.weight_text else ""
                cells = "".join(
                    f", {name} {cell}" for name, cell in zip(data.columns, study.cells, strict=True) if cell
                )
                judged = zip(data.domain_signs, study.bias, strict=True)
                bias = "".join(f", {name} {self._sign(each)}" for name, each in judged if each is not None)
                words = f"{study.label}{cells}{counts}: {result_text(data, study)}{weight}{bias}"
                page.paragraph(words, indent=2)
            if group.pooled:
                self._stacked_pooled(group.pooled)
        if data.overall:
            self._stacked_pooled(data.overall)

    def _stacked_pooled(self, pooled: PooledLine) -> None:
        self.page.paragraph(f"{pooled.label}: {result_text(self.data, pooled)}", "bold", indent=2)
        if pooled.prediction:
            self.page.paragraph(f"Prediction interval: {self._ends(*pooled.prediction)}", indent=2)

    def _ends(self, low: float, high: float) -> str:
        return f"[{printed(self.data.kind, low)}, {printed(self.data.kind, high)}]"

    def _columns(self) -> None:
        page, data = self.page, self.data
        if not self.plot:
            # Over the lines of characters the measure has its place; without them it stands above.
            page.paragraph(data.measure, "bold")
        heads = (data.columns, "Events/n", data.interval_name, "Weight", self.domains)
        rows = [self._row("Study", self._words(data.measure), *heads, style="bold")]
        for group in data.groups:
            indent = "  " if group.label else ""
            if group.label:
                rows.append(self._row(group.label, self._empty(), style="bold"))
            rows += [self._study(study, indent) for study in group.studies]
            if group.pooled:
                rows += self._pooled(group.pooled, indent)
        if data.overall:
            rows += self._pooled(data.overall, "")
        if self.plot:
            rows += [self._row("", Text(line, no_wrap=True)) for line in self._scale()]
            if (sides := self._sides()) is not None:
                rows.append(self._row("", sides))
        page.columns(self.widths, rows, _GAP)

    def _words(self, words: str) -> Text:
        return self.page.ink.text(words, "bold")

    def _row(
        self,
        label: str,
        plot: Text,
        cells: Sequence[str] = (),
        counts: str = "",
        result: str = "",
        weight: str = "",
        bias: str = "",
        *,
        style: str = "",
    ) -> list[Text]:
        ink = self.page.ink
        indent = len(label) - len(label.lstrip(" "))
        texts = [ink.text(label, style, indent=indent)]
        texts += [ink.text(words, style) for words in cells or ("",) * len(self.data.columns)]
        if self.counts:
            texts.append(self._right(counts, style))
        if self.plot:
            texts.append(plot)
        texts.append(self._right(result, style))
        if self.data.weighted:
            texts.append(self._right(weight, style))
        if self.domains:
            texts.append(ink.text(bias, style))
        return texts

    def _right(self, words: str, style: str) -> Text:
        text = self.page.ink.text(words, style)
        text.justify = "right"
        return text

    def _study(self, study: ForestLine, indent: str) -> list[Text]:
        box = self.signs.small if study.size < _LIGHT * self.largest else self.signs.large
        line = self._interval(study.low, study.high, self.signs.line, mark=(study.estimate, box))
        bias = " ".join(f"{self._sign(each):<2}" for each in study.bias)
        result = result_text(self.data, study)
        return self._row(indent + study.label, line, study.cells, study.counts, result, study.weight_text, bias)

    def _pooled(self, pooled: PooledLine, indent: str) -> Iterator[list[Text]]:
        mark = (pooled.estimate, self.signs.diamond)
        line = self._interval(pooled.low, pooled.high, self.signs.pooled_line, mark=mark)
        yield self._row(indent + pooled.label, line, result=result_text(self.data, pooled), style="bold")
        if pooled.prediction:
            low, high = pooled.prediction
            line = self._interval(low, high, self.signs.line, ends=True)
            yield self._row(f"{indent}Prediction interval", line, result=self._ends(low, high))

    def _cell(self, value: float) -> int:
        return round(min(max(self.axis.share(value), 0.0), 1.0) * (self.plot - 1))

    def _background(self) -> list[str]:
        cells = [" "] * self.plot
        if self.plot and self.data.overall:
            cells[self._cell(self.data.overall.estimate)] = self.signs.overall
        if self.plot and self.data.reference is not None:
            cells[self._cell(self.data.reference)] = self.signs.reference
        return cells

    def _empty(self) -> Text:
        return Text("".join(self._background()), no_wrap=True)

    def _interval(
        self, low: float, high: float, sign: str, *, mark: tuple[float, str] | None = None, ends: bool = False
    ) -> Text:
        cells = self._background()
        if not cells:
            return Text("")
        first, last = self._cell(low), self._cell(high)
        cells[first : last + 1] = sign * (last + 1 - first)
        if ends:
            cells[first], cells[last] = self.signs.end_left, self.signs.end_right
        if self.axis.share(low) < -1e-9:
            cells[0] = self.signs.arrow_left
        if self.axis.share(high) > 1 + 1e-9:
            cells[-1] = self.signs.arrow_right
        if mark:
            cells[self._cell(mark[0])] = mark[1]
        return Text("".join(cells), no_wrap=True)

    def _sides(self) -> Text | None:
        """Whom the sides of the line of no effect favour, where there is room below the axis."""
        data, ink = self.data, self.page.ink
        if not self.plot or self.room < _NARROWEST_LABEL or data.favours is None or data.reference is None:
            return None
        at = self._cell(data.reference)
        left, right = (ink.plain(f"favours {name}") for name in data.favours)
        left, right = f"{left} {self.signs.arrow_left}", f"{self.signs.arrow_right} {right}"
        if cell_len(left) > at or cell_len(right) >= self.plot - at:
            return None
        return Text(" " * (at - cell_len(left)) + f"{left} {right}", no_wrap=True)

    def _scale(self) -> tuple[str, str]:
        """The axis with its ticks, and below it the numbers that have room."""
        line, numbers = [self.signs.axis] * self.plot, [" "] * self.plot
        free = 0
        for tick in self.axis.ticks:
            cell = self._cell(tick)
            line[cell] = self.signs.tick
            words = self.page.ink.plain(self.axis.tick_label(tick)).replace(" ", "")
            start = min(max(0, cell - len(words) // 2), self.plot - len(words))
            if start >= free:
                numbers[start : start + len(words)] = words
                free = start + len(words) + 1
        return "".join(line), "".join(numbers)
