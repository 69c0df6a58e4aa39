"""Traits of many patients that follow from measured values, which seldom repeat: over arrays, not one by one.

A point score is a sum of items of few fields each: an item is worked out for the different values of its own fields,
the sums for all at once. A number that a formula gives is worked out without the texts that tell of it. What follows
from either is judged by the definitions of one patient (`bcma_decide.facts.claims`, `bcma_decide.facts.chances`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bcma_decide.facts.alike import in_order
from bcma_decide.facts.chances import CERTAIN, chance_inside, chance_of_points, chances_of_item
from bcma_decide.facts.columns import Columns, Places
from bcma_decide.facts.facts import Facts
from bcma_decide.facts.leaf_table import Codes
from bcma_decide.facts.measures import NUMERIC, formula_inputs, formula_log_sd, formula_span
from bcma_decide.facts.reads import fields_of_item, fields_of_score
from bcma_decide.facts.remembered import FactsOf, Remembered
from bcma_decide.facts.scores import points_of_item
from bcma_decide.logic import Bounds, Span
from bcma_decide.pooled.definitions import CutOff, Definitions, FromScore
from bcma_decide.pooled.score_book import Formula, PointScore, ScoreItem

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
_Number = tuple[Span | None, float | None]
"""A number, None where nothing is known of it, and the standard deviation of its logarithm, None without variation."""


class SettledColumn(NamedTuple):
    """A yes-or-no trait of N patients: 1, 0 or -1, and how likely it is present and absent."""

    value: Codes
    yes: Array
    no: Array


class Ends(NamedTuple):
    """A number of N patients: the ends it lies between, both NaN where nothing is known of it."""

    low: Array
    high: Array


def judged_ends(bounds: Bounds, ends: Ends) -> Codes:
    """:meth:`bcma_decide.logic.Bounds.judge` of many."""
    low, high = _hold(bounds, ends.low), _hold(bounds, ends.high)
    part = low | high
    if bounds.floor is not None and bounds.ceiling is not None:
        part |= (ends.low < bounds.ceiling) & (ends.high > bounds.floor)
    codes = np.where(low & high, 1, np.where(part & (ends.low != ends.high), 0, -1))
    return np.where(np.isnan(ends.low), 0, codes).astype(np.int8)


def _hold(bounds: Bounds, values: Array) -> Flags:
    inside = np.ones(len(values), dtype=np.bool_)
    if bounds.at_least is not None:
        inside &= values >= bounds.at_least
    if bounds.above is not None:
        inside &= values > bounds.above
    if bounds.below is not None:
        inside &= values < bounds.below
    if bounds.at_most is not None:
        inside &= values <= bounds.at_most
    return inside


def _settled(given: Codes, follows: Codes, counts: Flags, yes: Array, no: Array) -> SettledColumn:
    """What was said and what follows together; the chance counts where nothing was said and ``counts`` is set.

    As for one patient: where the two disagree the trait is open, and a chance next to certainty is certainty.
    """
    value = np.where(given == 0, follows, np.where((follows == 0) | (follows == given), given, 0)).astype(np.int8)
    plain_yes, plain_no = (value == 1).astype(float), (value == -1).astype(float)
    near = np.maximum(np.abs(yes - plain_yes), np.abs(no - plain_no)) < CERTAIN
    plain = (given != 0) | ~counts | near
    return SettledColumn(value, np.where(plain, plain_yes, yes), np.where(plain, plain_no, no))


class _Points(NamedTuple):
    """Of an item: its lowest and highest points, whether anything of it is known, and the chance of each."""

    low: float
    high: float
    known: bool
    chances: tuple[tuple[Span, float], ...]


def _of_item(item: ScoreItem, facts: Facts) -> _Points:
    found = points_of_item(item, facts)
    low, high = found.points if found.points is not None else (0.0, 0.0)
    chances: dict[Span, float] = {}
    for points, chance in chances_of_item(item, facts):
        if chance:
            chances[points] = chances.get(points, 0.0) + chance
    return _Points(low, high, bool(found.fields), tuple(chances.items()))


class PointColumn:
    """A point score of many patients."""

    def __init__(self, score: PointScore, definitions: Definitions) -> None:
        self._items = [Remembered(fields_of_item(item, definitions), partial(_of_item, item)) for item in score.items]

    def ends(self, columns: Columns, facts: FactsOf) -> tuple[Ends, Flags]:
        """The lowest and highest sum of points, and whether anything of the score is known."""
        rows = len(columns.patients)
        low, high, known = np.zeros(rows), np.zeros(rows), np.zeros(rows, dtype=np.bool_)
        for item in self._items:
            found, of_row = item.of(columns, facts)
            low += np.array([each.low for each in found])[of_row]
            high += np.array([each.high for each in found])[of_row]
            known |= np.array([each.known for each in found], dtype=np.bool_)[of_row]
        return Ends(low, high), known

    def settled(self, rule: FromScore, columns: Columns, facts: FactsOf) -> SettledColumn:
        """A trait that asks for so many points."""
        ends, known = self.ends(columns, facts)
        yes, no = chance_of_points(rule.at_least, self._chances(columns, facts))
        rows = len(columns.patients)
        follows = judged_ends(Bounds(at_least=rule.at_least), ends)
        return _settled(
            columns.truths(rule.id), follows, known, np.broadcast_to(yes, (rows,)), np.broadcast_to(no, (rows,))
        )

    def _chances(self, columns: Columns, facts: FactsOf) -> Iterator[list[tuple[Span, Array]]]:
        for item in self._items:
            found, of_row = item.of(columns, facts)
            tables = [dict(each.chances) for each in found]
            kinds = dict.fromkeys(points for table in tables for points in table)
            yield [(points, np.array([table.get(points, 0.0) for table in tables])[of_row]) for points in kinds]


class NumberColumn:
    """A number of many patients: as it was given, else by the formulas that give it; not its texts."""

    def __init__(self, name: str, formulas: tuple[Formula, ...], definitions: Definitions) -> None:
        self.name = name
        self._formulas = formulas
        self._definitions = definitions
        fields = {name}.union(*(fields_of_score(each, definitions) for each in formulas))
        self._fields = in_order(fields)
        self._numeric = tuple(field for field in self._fields if field in NUMERIC)

    @classmethod
    def of_formulas(cls, name: str, definitions: Definitions) -> NumberColumn | None:
        """None for a number that follows from something else too, or from numbers that themselves follow."""
        book = definitions.scores
        formulas = tuple(each for each in book.formulas if each.gives == name)
        others = {each.gives for each in book.conversions} | {each.gives for each in book.stagings}
        behind = {field for each in formulas for field in formula_inputs(each)}
        if not formulas or name in others or behind & (others | {each.gives for each in book.formulas}):
            return None
        return cls(name, formulas, definitions)

    def ends(self, columns: Columns) -> Ends:
        """The number of each patient."""
        found, of_row = self._found(columns)
        table = np.array([(np.nan, np.nan) if span is None else span for span, _ in found]).reshape(-1, 2)
        return Ends(*table.T[:, of_row])

    def settled(self, rule: CutOff, columns: Columns) -> SettledColumn:
        """A trait that cuts the number."""
        found, of_row = self._found(columns)
        ends = self.ends(columns)
        enough = np.zeros(len(columns.patients), dtype=np.bool_)
        for field in rule.or_any_of:
            enough |= columns.truths(field) == 1
        follows = np.where(enough, 1, judged_ends(rule.bounds, ends)).astype(np.int8)
        chances = [(0.0, 0.0) if span is None else chance_inside(rule.bounds, span, log_sd) for span, log_sd in found]
        yes, no = np.array(chances, dtype=float).reshape(-1, 2).T[:, of_row]
        known = ~np.isnan(ends.low)
        return _settled(columns.truths(rule.id), follows, known, np.where(enough, 1.0, yes), np.where(enough, 0.0, no))

    def _found(self, columns: Columns) -> tuple[list[_Number], Places]:
        """The number of each different combination with its variation, and which combination each patient has."""
        combined = columns.combined(self._fields)
        found: list[_Number] | None = columns.worked_out.get(self.name)
        if found is None:
            found = [self._number(dict(zip(self._fields, key, strict=True))) for key in combined.keys]
            columns.worked_out[self.name] = found
        return found, combined.of_row

    def _number(self, values: Mapping[str, Any]) -> _Number:
        spans = {name: _span(value) for name in self._numeric if (value := values[name]) is not None}
        if self.name in spans:
            return spans[self.name], self._definitions.log_sd.get(self.name)
        sex, dialysis, book = values["sex"], values["dialysis"] is True, self._definitions.scores
        for formula in self._formulas:
            span = formula_span(formula, spans, sex, book, dialysis=dialysis)
            if span is not None:
                return span, formula_log_sd(self._formulas[0], spans, book, self._definitions.log_sd)
        return None, None


def _span(value: float | tuple[float, float]) -> Span:
    return Span(*value) if isinstance(value, tuple) else Span.of(value)
