"""Forest plot: every study and pooled result as a row of words, a mark and its interval.

A square's area is the study's weight, or its patients where the method has no weights, a diamond a pooled result (solid
the overall one), a line with end strokes the prediction interval, an arrow an interval that goes on beyond the axis.
Form after Lewis and Clarke (2001).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from bcma_decide.workshop.plots import svg
from bcma_decide.workshop.plots.axis import Axis, axis_for, printed
from bcma_decide.workshop.plots.bias import WORDS, bias_mark
from bcma_decide.workshop.plots.panel import wrapped
from bcma_decide.workshop.plots.scale import Scale, tick_marks
from bcma_decide.workshop.plots.values import Forest, ForestLine, PooledLine, interval_text

__all__ = ["forest"]

_PLOT_WIDTH: Final = 320.0
_ROW: Final = 22.0
_CLOSE_ROW: Final = 18.0
_CLOSE_FROM: Final = 60
_MARGIN: Final = 12.0
_GAP: Final = 18.0
_WIDEST_LABEL: Final = 320.0
_ROOM_OF_LABELS: Final = 120.0
_ROOM_OF_NOTES: Final = 210.0
"""What labels have at least, and with notes on heterogeneity below them, which are in two lines then."""
_WIDEST_CELL: Final = 150.0
_DOMAIN: Final = 26.0
_BETWEEN_COLUMNS: Final = 14.0
_INDENT: Final = 12.0
_LARGEST_SIDE: Final = 14.0
_SMALLEST_SIDE: Final = 3.0
_NUMBER: Final = re.compile(r"[+\N{MINUS SIGN}-]?\d+([.,]\d+)?\s?%?")


@dataclass(frozen=True)
class _Cells:
    """A column of the table beside the studies: its place (the right end where it holds numbers) and its room."""

    place: float
    room: float
    anchor: svg.Anchor


@dataclass(frozen=True)
class _Columns:
    """Where the columns stand, from left to right; numbers end at theirs, words start."""

    label: float
    label_room: float
    cells: tuple[_Cells, ...]
    counts: float | None
    plot: float
    estimate: float
    weight: float | None
    domains: tuple[float, ...]
    width: float


def forest(data: Forest) -> str:
    """Draw a forest plot as SVG.

    Parameters
    ----------
    data
        What to draw, from two studies to some hundreds; one more row for every heading and pooled result.

    Returns
    -------
    str
        An ``<svg>`` with ``role="img"``, whose description holds every number in words.

    Raises
    ------
    SynthesisError
        If a value does not lie on an axis of its kind.
    """
    axis = forest_axis(data)
    columns = _columns(data)
    scale = Scale(axis, columns.plot, columns.plot + _PLOT_WIDTH)
    row = _CLOSE_ROW if len(data.studies) >= _CLOSE_FROM else _ROW
    return _Drawing(data, columns, scale, row).document()


def forest_axis(data: Forest) -> Axis:
    """The axis that holds every estimate, and the intervals as far as they do not crush the rest."""
    values = [line.estimate for line in data.lines] + ([] if data.reference is None else [data.reference])
    for line in data.pooled:
        values += [line.low, line.high]
    ends = [end for study in data.studies for end in (study.low, study.high)]
    ends += [end for line in data.pooled if line.prediction for end in line.prediction]
    return axis_for(data.kind, values, ends)


def result_text(data: Forest, line: ForestLine | PooledLine) -> str:
    """Estimate and interval of a row: ``68.1 [60.2, 75.3]``."""
    low, high = printed(data.kind, line.low), printed(data.kind, line.high)
    return f"{printed(data.kind, line.estimate)} [{low}, {high}]"


def description(data: Forest) -> str:
    """Every number of the plot in words."""
    said = [f"Forest plot of {len(data.studies)} studies, {data.measure}, each with its {data.interval_name}."]
    for group in data.groups:
        if group.label:
            said.append(f"{group.label}:")
        said += [_said_of_study(data, study) for study in group.studies]
        if group.pooled:
            said.append(_said_of_pooled(data, group.pooled))
    if data.overall:
        said.append(_said_of_pooled(data, data.overall))
    said += data.notes
    if data.favours:
        said.append("Lower than no effect favours {}, higher favours {}.".format(*data.favours))
    return " ".join(said)


def _said_of_study(data: Forest, study: ForestLine) -> str:
    counts = f", {study.events} of {study.total}" if study.counts else ""
    counts += "".join(f", {name} {cell}" for name, cell in zip(data.columns, study.cells, strict=True) if cell)
    interval = interval_text(data.kind, study.low, study.high)
    weight = f", weight {study.weight_text}" if study.weight_text else ""
    return (
        f"{study.label}{counts}: {printed(data.kind, study.estimate)} ({interval}){weight}{_said_of_bias(data, study)}."
    )


def _said_of_bias(data: Forest, study: ForestLine) -> str:
    judged = zip(data.domains, study.bias, strict=True)
    said = ", ".join(f"{name} {'not judged' if each is None else WORDS[each]}" for name, each in judged)
    return f", risk of bias: {said}" if said else ""


def _said_of_pooled(data: Forest, line: PooledLine) -> str:
    said = f"{line.label}: {printed(data.kind, line.estimate)} ({interval_text(data.kind, line.low, line.high)})"
    if line.prediction:
        said += f", prediction interval {interval_text(data.kind, *line.prediction)}"
    return f"{said}." + (f" {line.note}" if line.note else "")


def _columns(data: Forest) -> _Columns:
    """Columns as wide as their words, the labels at most `_WIDEST_LABEL`."""
    labels = [line.label for line in data.lines] + ["Prediction interval"]
    wanted = max(svg.text_width(label) for label in labels) * 1.04 + _INDENT
    noted = any(line.note for line in data.pooled)
    label_room = min(_WIDEST_LABEL, max(wanted, _ROOM_OF_NOTES if noted else _ROOM_OF_LABELS))
    x = _MARGIN + label_room + _GAP
    cells = []
    for number, name in enumerate(data.columns):
        texts = [study.cells[number] for study in data.studies]
        room = min(_WIDEST_CELL, max(svg.text_width(words) * 1.04 for words in (name, *texts)))
        numeric = _numeric(texts)
        cells.append(_Cells(x + room if numeric else x, room, "end" if numeric else "start"))
        x += room + _BETWEEN_COLUMNS
    counts = None
    if any(study.counts for study in data.studies):
        counts = x + max(svg.text_width(words) for words in ["Events/n", *(study.counts for study in data.studies)])
        x = counts + _GAP
    plot = x
    results = [result_text(data, line) for line in data.lines]
    heads = (data.measure, data.interval_name)
    estimate = plot + _PLOT_WIDTH + _GAP + max(svg.text_width(words) for words in (*results, *heads))
    weight = estimate + _GAP + svg.text_width("Weight") if data.weighted else None
    first = (weight or estimate) + _GAP + _DOMAIN / 2
    domains = tuple(first + _DOMAIN * number for number in range(len(data.domains)))
    width = (domains[-1] + _DOMAIN / 2 if domains else weight or estimate) + _MARGIN
    return _Columns(_MARGIN, label_room, tuple(cells), counts, plot, estimate, weight, domains, width)


def _numeric(texts: Iterable[str]) -> bool:
    """Whether every known cell is a number as it is usually written."""
    known = [words for words in texts if words]
    return bool(known) and all(_NUMBER.fullmatch(words) for words in known)


class _Drawing:
    """Rows are added from the top; the frame is drawn last, when the height is known."""

    def __init__(self, data: Forest, columns: _Columns, scale: Scale, row: float) -> None:
        self.data, self.columns, self.scale, self.row = data, columns, scale, row
        self.largest = max(study.size for study in data.studies) or 1.0
        self.y = _MARGIN + 1.7 * _ROW
        self.top = self.y

    def document(self) -> str:
        rows = list(self._rows())
        shapes = [*self._head(), *self._lines(), *rows, *self._foot()]
        return svg.document("forest", (self.columns.width, self.y), self.data.title, description(self.data), shapes)

    def _head(self) -> Iterator[str]:
        columns, baseline = self.columns, _MARGIN + 1.1 * _ROW
        above = baseline - 0.75 * _ROW
        yield svg.text(columns.label, baseline, "Study", bold=True)
        for name, cell in zip(self.data.columns, columns.cells, strict=True):
            yield svg.text(cell.place, baseline, name, bold=True, anchor=cell.anchor, room=cell.room)
        if columns.counts is not None:
            yield svg.text(columns.counts, baseline, "Events/n", bold=True, anchor="end")
        yield svg.text(columns.estimate, above, self.data.measure, bold=True, anchor="end")
        yield svg.text(columns.estimate, baseline, self.data.interval_name, bold=True, anchor="end")
        if columns.weight is not None:
            yield svg.text(columns.weight, baseline, "Weight", bold=True, anchor="end")
        for sign, x in zip(self.data.domain_signs, columns.domains, strict=True):
            yield svg.text(x, baseline, sign, bold=True, anchor="middle")
        yield svg.segment(_MARGIN, self.top - 0.3 * _ROW, columns.width - _MARGIN, self.top - 0.3 * _ROW, width=1)

    def _lines(self) -> Iterator[str]:
        """The reference, solid, and the overall estimate, dashed."""
        if self.data.reference is not None:
            x = self.scale.at(self.data.reference)
            yield svg.segment(x, self.top, x, self.y, name="reference", width=1)
        if self.data.overall is not None:
            x = self.scale.at(self.data.overall.estimate)
            yield svg.segment(x, self.top, x, self.y, name="overall-line", width=1, dash="dotted")

    def _foot(self) -> Iterator[str]:
        """The axis and its name, whom its sides favour, then what is noted of all, and the legend of the domains."""
        yield from tick_marks(self.scale, self.y)
        self.y += 2.2 * _ROW
        if self.data.favours and self.data.reference is not None:
            yield from self._favours(self.scale.at(self.data.reference), *self.data.favours)
            self.y += _ROW
        middle = (self.scale.start + self.scale.end) / 2
        yield svg.text(middle, self.y, self.data.measure, anchor="middle", room=_PLOT_WIDTH + 2 * _GAP)
        self.y += 0.8 * _ROW
        room = self.columns.width - 2 * _MARGIN
        for note in self.data.notes:
            for line in wrapped(note, room):
                yield svg.text(self.columns.label, self.y + 0.5 * _ROW, line, quiet=True)
                self.y += 0.8 * _ROW
        if self.data.domains:
            yield from self._legend(room)

    def _favours(self, x: float, left: str, right: str) -> Iterator[str]:
        """To either side of the line of no effect: an arrow away from it, and the name."""
        for name, outward in ((left, -1), (right, 1)):
            near, far = x + 6 * outward, x + 34 * outward
            yield svg.segment(near, self.y - 4, far, self.y - 4, name="favours", width=1.2)
            tip = ((far + 6 * outward, self.y - 4), (far, self.y - 8), (far, self.y))
            yield svg.polygon(tip, name="favours-tip", opacity=1.0)
            end = _MARGIN if outward < 0 else self.columns.width - _MARGIN
            start = far + 10 * outward
            side: svg.Anchor = "end" if outward < 0 else "start"
            yield svg.text(start, self.y, f"favours {name}", anchor=side, room=abs(end - start))

    def _legend(self, room: float) -> Iterator[str]:
        """The marks with their words, then the domains."""
        x, self.y = self.columns.label, self.y + _ROW
        for judgement, words in WORDS.items():
            yield from bias_mark(x + 8, self.y - 4, judgement, words)
            yield svg.text(x + 22, self.y, words)
            x += 22 + svg.text_width(words) + _GAP
        for line in wrapped(self.data.bias_legend, room):
            self.y += 0.9 * _ROW
            yield svg.text(self.columns.label, self.y, line, quiet=True)
        self.y += 0.6 * _ROW

    def _rows(self) -> Iterator[str]:
        for group in self.data.groups:
            indent = _INDENT if group.label else 0.0
            if group.label:
                yield self._words(group.label, bold=True, room=self.columns.width - 2 * _MARGIN)
                self.y += self.row
            for study in group.studies:
                yield from self._study(study, indent)
                self.y += self.row
            if group.pooled:
                yield from self._pooled(group.pooled, indent, solid=False)
            if group.label:
                self.y += 0.4 * self.row
        if self.data.overall:
            yield svg.segment(_MARGIN, self.y, self.scale.start - 6, self.y, width=0.6)
            self.y += 0.2 * self.row
            yield from self._pooled(self.data.overall, 0.0, solid=True)

    @property
    def _middle(self) -> float:
        return self.y + self.row / 2

    def _baseline(self) -> float:
        return self._middle + 0.35 * svg.FONT

    def _words(self, words: str, *, bold: bool = False, indent: float = 0.0, room: float | None = None) -> str:
        room = self.columns.label_room - indent if room is None else room
        return svg.text(self.columns.label + indent, self._baseline(), words, bold=bold, room=room)

    def _study(self, study: ForestLine, indent: float) -> Iterator[str]:
        yield self._words(study.label, indent=indent)
        for words, cell in zip(study.cells, self.columns.cells, strict=True):
            yield svg.text(cell.place, self._baseline(), words, anchor=cell.anchor, room=cell.room)
        if self.columns.counts is not None:
            yield svg.text(self.columns.counts, self._baseline(), study.counts, anchor="end")
        yield from self._interval(study.low, study.high, name="interval")
        side = max(_SMALLEST_SIDE, _LARGEST_SIDE * math.sqrt(study.size / self.largest))
        x = self.scale.at(study.estimate)
        yield svg.rectangle(x - side / 2, self._middle - side / 2, side, side, name="study")
        yield svg.text(self.columns.estimate, self._baseline(), result_text(self.data, study), anchor="end")
        if self.columns.weight is not None:
            yield svg.text(self.columns.weight, self._baseline(), study.weight_text, anchor="end")
        for name, judgement, x in zip(self.data.domains, study.bias, self.columns.domains, strict=True):
            if judgement is not None:
                yield from bias_mark(x, self._middle, judgement, f"{name}: {WORDS[judgement]}")

    def _pooled(self, line: PooledLine, indent: float, *, solid: bool) -> Iterator[str]:
        yield self._words(line.label, bold=True, indent=indent)
        left, middle, right = (self.scale.within(value) for value in (line.low, line.estimate, line.high))
        name = "overall" if solid else "subtotal"
        yield svg.diamond(left, middle, right, self._middle, 0.36 * self.row, name=name, solid=solid)
        words = result_text(self.data, line)
        yield svg.text(self.columns.estimate, self._baseline(), words, anchor="end", bold=True)
        self.y += self.row
        if line.prediction:
            low, high = line.prediction
            yield self._words("Prediction interval", indent=indent)
            yield from self._interval(low, high, name="prediction", stroke=2.4)
            ends = f"[{printed(self.data.kind, low)}, {printed(self.data.kind, high)}]"
            yield svg.text(self.columns.estimate, self._baseline(), ends, anchor="end")
            self.y += self.row
        if line.note:
            # Beside the plot, not across it: the lines of the plot would go through the words.
            for words in wrapped(line.note, self.scale.start - _GAP / 2 - self.columns.label - indent):
                yield svg.text(self.columns.label + indent, self._baseline(), words, quiet=True)
                self.y += 0.85 * self.row
            self.y += 0.15 * self.row

    def _interval(self, low: float, high: float, *, name: str, stroke: float = 1.2) -> Iterator[str]:
        """A line; where it goes on beyond the axis an arrow, and strokes at the ends of a prediction interval."""
        y, left, right = self._middle, self.scale.within(low), self.scale.within(high)
        yield svg.segment(left, y, right, y, name=name, width=stroke)
        for end, x, outward in ((low, left, -1), (high, right, 1)):
            if not self.scale.holds(end):
                yield svg.polygon(((x, y), (x - 7 * outward, y - 4), (x - 7 * outward, y + 4)), name="arrow", opacity=1)
            elif name == "prediction":
                yield svg.segment(x, y - 5, x, y + 5, width=stroke)
