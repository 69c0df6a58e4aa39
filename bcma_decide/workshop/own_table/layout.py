"""What a forest shows of the table beside the effects, and in which order the studies stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bcma_decide.errors import Problem, SynthesisError
from bcma_decide.workshop.meta_analysis import study_table
from bcma_decide.workshop.meta_analysis.study_table import StudyTable
from bcma_decide.workshop.meta_analysis.table_file import refused
from bcma_decide.workshop.own_table.analysis import Analysis
from bcma_decide.workshop.plots.bias import Judgement

__all__ = ["ForestLayout", "LayoutOptions", "layout_of"]

FILE: Final = "file"
_SPELLINGS: Final[Mapping[str, Judgement]] = {
    "+": "low", "low": "low", "low risk": "low", "l": "low", "green": "low",
    "!": "some", "some": "some", "some concerns": "some", "moderate": "some", "yellow": "some",
    "-": "high", "\N{MINUS SIGN}": "high", "\N{EN DASH}": "high", "high": "high", "high risk": "high", "h": "high",
    "red": "high", "serious": "high", "critical": "high",
    "?": "unclear", "unclear": "unclear", "unclear risk": "unclear", "u": "unclear", "no information": "unclear",
}  # fmt: skip
"""The words of the Cochrane tools, of ROBINS-I, and signs."""


@dataclass(frozen=True)
class LayoutOptions:
    """As asked.

    ``sort`` by ``effect``, ``weight``, ``size``, ``file`` or a column; columns to ``show`` as they are; columns of
    judgements (``rob``); whom the sides of the line of no effect favour.
    """

    sort: str = FILE
    show: tuple[str, ...] = ()
    rob: tuple[str, ...] = ()
    favours: tuple[str, str] | None = None


@dataclass(frozen=True)
class ForestLayout:
    """The same for the k studies of an analysis: their ``order``, and of each, by its row, ``cells`` and ``bias``."""

    order: tuple[int, ...]
    columns: tuple[str, ...] = ()
    cells: tuple[tuple[str, ...], ...] = ()
    domains: tuple[str, ...] = ()
    bias: tuple[tuple[Judgement | None, ...], ...] = ()
    favours: tuple[str, str] | None = None

    def ranked(self, rows: Sequence[int]) -> list[int]:
        """Some of the rows in the order of all."""
        wanted = set(rows)
        return [row for row in self.order if row in wanted]


def layout_of(table: StudyTable, analysis: Analysis, options: LayoutOptions) -> ForestLayout:
    """Find what was asked for in the table.

    Raises
    ------
    SynthesisError
        For a column that is not there, an order that the studies do not have, a judgement that is none, or sides of a
        line that is not drawn.
    """
    rows = _rows(table, analysis)
    for option, names in (("--show", options.show), ("--rob", options.rob)):
        if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
            raise _unusable(option, f"names {', '.join(map(repr, twice))} twice", "name each column once")
        for name in names:
            _there(table, name, option)
    if options.favours is not None and analysis.studies.scale.no_effect is None:
        raise _unusable(
            "--favours",
            f"names the sides of the line of no effect, which {analysis.studies.scale.measure!r} has not",
            "leave it out, or compare two groups: events1, n1, events2, n2",
        )
    shown = [_shown(table, name) for name in options.show]
    judged = [_judgements(table, name) for name in options.rob]
    cells, bias = list(zip(*shown, strict=True)), list(zip(*judged, strict=True))
    return ForestLayout(
        order=_order(table, analysis, options.sort, rows),
        columns=options.show,
        cells=tuple(cells[row] if cells else () for row in rows),
        domains=options.rob,
        bias=tuple(bias[row] if bias else () for row in rows),
        favours=options.favours,
    )


def _rows(table: StudyTable, analysis: Analysis) -> list[int]:
    """The row of each study: not all rows need be studies that are pooled."""
    rows = analysis.studies.rows
    return list(range(table.size)) if rows is None else list(rows)


def _unusable(option: str, message: str, fix: str) -> SynthesisError:
    return SynthesisError("this option cannot be used", [Problem(option, message, fix)])


def _there(table: StudyTable, name: str, option: str) -> None:
    if name not in table.columns:
        raise refused(
            table.file, [Problem(f"{option}, column {name}", "is missing", f"one of {', '.join(table.columns)}")]
        )


def _shown(table: StudyTable, name: str) -> tuple[str, ...]:
    """Cells as they stand in the file, on one line."""
    return tuple(" ".join(cell.split()) for cell in table.columns[name])


def _judgements(table: StudyTable, name: str) -> tuple[Judgement | None, ...]:
    """An empty cell is no judgement; whatever else is none of the words is refused with its line."""
    cells = [" ".join(cell.casefold().split()) for cell in table.columns[name]]
    wrong = [
        Problem(
            f"line {table.lines[row]}, column {name}",
            f"{table.columns[name][row]!r} is no judgement of bias",
            "write low, some, high or unclear (or +, !, -, ?), or leave the cell empty",
        )
        for row, cell in enumerate(cells)
        if cell and cell not in _SPELLINGS
    ]
    if wrong:
        raise refused(table.file, wrong)
    return tuple(_SPELLINGS.get(cell) for cell in cells)


def _order(table: StudyTable, analysis: Analysis, sort: str, rows: Sequence[int]) -> tuple[int, ...]:
    """By effect or column from the smallest, by weight or size from the largest, what is not known last."""
    k = analysis.studies.k
    if sort == FILE:
        return tuple(range(k))
    ways: dict[str, Callable[[], Sequence[float]]] = {
        "effect": lambda: analysis.studies.with_intervals(analysis.model.level)[0].tolist(),
        "weight": lambda: _largest_first(analysis.result.weights, "weight", "this method weighs no study"),
        "size": lambda: _largest_first(analysis.studies.sizes, "size", "this table has no numbers of patients"),
    }
    if sort in ways:
        values: Sequence[float | str | None] = ways[sort]()
    else:
        _there(table, sort, f"--sort ({', '.join((*ways, FILE))} or a column)")
        cells = study_table.moderator(table, sort)
        values = [cells[row] for row in rows]
    known = [row for row in range(k) if values[row] is not None]
    ranked = sorted(known, key=lambda row: _key(values[row]))
    return (*ranked, *(row for row in range(k) if values[row] is None))


def _key(value: float | str | None) -> tuple[float, str]:
    return (0.0, value.casefold()) if isinstance(value, str) else (0.0 if value is None else value, "")


def _largest_first(values: Sequence[float] | np.ndarray | None, sort: str, why: str) -> list[float]:
    if values is None:
        raise _unusable("--sort", f"by {sort} is not possible: {why}", "sort by effect or a column")
    return [-float(value) for value in values]
