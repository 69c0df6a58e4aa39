"""Forest plot: every study and pooled result as a row of words, a mark and its interval.

A square's area is the study's weight, or its patients where the method has no weights, a diamond a pooled result (solid
the overall one), a line with end strokes the prediction interval, an arrow an interval that goes on beyond the axis.
Form after Lewis and Clarke (2001).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bcma_decide.workshop.plots import svg
from bcma_decide.workshop.plots.axis import Axis, axis_for, printed
from bcma_decide.workshop.plots.scale import Scale, tick_marks
from bcma_decide.workshop.plots.values import Forest, ForestLine, PooledLine, interval_text

__all__ = ["forest"]

_PLOT_WIDTH: Final = 320.0
_ROW: Final = 22.0
_CLOSE_ROW: Final = 18.0
_CLOSE_FROM: Final = 60
_MARGIN: Final = 12.0
_GAP: Final = 18.0
_WIDEST_LABEL: Final = 280.0
_INDENT: Final = 12.0
_LARGEST_SIDE: Final = 14.0
_SMALLEST_SIDE: Final = 3.0


@dataclass(frozen=True)
class _Columns:
    """Where the columns stand, from left to right; numbers end at theirs, words start."""

    label: float
    label_room: float
    counts: float | None
    plot: float
    estimate: float
    weight: float | None
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
    return " ".join(said)


def _said_of_study(data: Forest, study: ForestLine) -> str:
    counts = f", {study.events} of {study.total}" if study.counts else ""
    interval = interval_text(data.kind, study.low, study.high)
    weight = f", weight {study.weight_text}" if study.weight_text else ""
    return f"{study.label}{counts}: {printed(data.kind, study.estimate)} ({interval}){weight}."


def _said_of_pooled(data: Forest, line: PooledLine) -> str:
    said = f"{line.label}: {printed(data.kind, line.estimate)} ({interval_text(data.kind, line.low, line.high)})"
    if line.prediction:
        said += f", prediction interval {interval_text(data.kind, *line.prediction)}"
    return f"{said}." + (f" {line.note}" if line.note else "")


def _columns(data: Forest) -> _Columns:
    """Columns as wide as their words, the labels at most `_WIDEST_LABEL`."""
    labels = [line.label for line in data.lines] + ["Prediction interval"]
    wanted = max(svg.text_width(label) for label in labels) * 1.04 + _INDENT
    label_room = min(_WIDEST_LABEL, max(wanted, 120.0))
    x = _MARGIN + label_room + _GAP
    counts = None
    if any(study.counts for study in data.studies):
        counts = x + max(svg.text_width(words) for words in ["Events/n", *(study.counts for study in data.studies)])
        x = counts + _GAP
    plot = x
    results = [result_text(data, line) for line in data.lines]
    heads = (data.measure, data.interval_name)
    estimate = plot + _PLOT_WIDTH + _GAP + max(svg.text_width(words) for words in (*results, *heads))
    weight = estimate + _GAP + svg.text_width("Weight") if data.weighted else None
    return _Columns(_MARGIN, label_room, counts, plot, estimate, weight, (weight or estimate) + _MARGIN)


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
        height = self.y + 3 * _ROW
        return svg.document("forest", (self.columns.width, height), self.data.title, description(self.data), shapes)

    def _head(self) -> Iterator[str]:
        columns, baseline = self.columns, _MARGIN + 1.1 * _ROW
        above = baseline - 0.75 * _ROW
        yield svg.text(columns.label, baseline, "Study", bold=True)
        if columns.counts is not None:
            yield svg.text(columns.counts, baseline, "Events/n", bold=True, anchor="end")
        yield svg.text(columns.estimate, above, self.data.measure, bold=True, anchor="end")
        yield svg.text(columns.estimate, baseline, self.data.interval_name, bold=True, anchor="end")
        if columns.weight is not None:
            yield svg.text(columns.weight, baseline, "Weight", bold=True, anchor="end")
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
        yield from tick_marks(self.scale, self.y)
        middle = (self.scale.start + self.scale.end) / 2
        yield svg.text(middle, self.y + 2.2 * _ROW, self.data.measure, anchor="middle", room=_PLOT_WIDTH + 2 * _GAP)

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
        if self.columns.counts is not None:
            yield svg.text(self.columns.counts, self._baseline(), study.counts, anchor="end")
        yield from self._interval(study.low, study.high, name="interval")
        side = max(_SMALLEST_SIDE, _LARGEST_SIDE * math.sqrt(study.size / self.largest))
        x = self.scale.at(study.estimate)
        yield svg.rectangle(x - side / 2, self._middle - side / 2, side, side, name="study")
        yield svg.text(self.columns.estimate, self._baseline(), result_text(self.data, study), anchor="end")
        if self.columns.weight is not None:
            yield svg.text(self.columns.weight, self._baseline(), study.weight_text, anchor="end")

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
            room = self.columns.width - 2 * _MARGIN - indent
            yield svg.text(self.columns.label + indent, self._baseline(), line.note, quiet=True, room=room)
            self.y += self.row

    def _interval(self, low: float, high: float, *, name: str, stroke: float = 1.2) -> Iterator[str]:
        """A line; where it goes on beyond the axis an arrow, and strokes at the ends of a prediction interval."""
        y, left, right = self._middle, self.scale.within(low), self.scale.within(high)
        yield svg.segment(left, y, right, y, name=name, width=stroke)
        for end, x, outward in ((low, left, -1), (high, right, 1)):
            if not self.scale.holds(end):
                yield svg.polygon(((x, y), (x - 7 * outward, y - 4), (x - 7 * outward, y + 4)), name="arrow", opacity=1)
            elif name == "prediction":
                yield svg.segment(x, y - 5, x, y + 5, width=stroke)
