"""An analysis as one table of comma-separated values: studies in the order of the forest, then pooled results."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from io import StringIO
from typing import Final

from bcma_decide.workshop.meta_analysis.incidence_rates import RatePairs
from bcma_decide.workshop.meta_analysis.pooled import Pooled
from bcma_decide.workshop.own_table.analysis import Analysis
from bcma_decide.workshop.own_table.layout import ForestLayout
from bcma_decide.workshop.synthesis.studies import Scale, Studies

__all__ = ["csv_of"]

_RESULT: Final = (
    "estimate", "ci_low", "ci_high", "prediction_low", "prediction_high", "weight_percent", "yi", "sei", "k", "tau2",
    "i2_percent", "q", "q_df", "q_p",
)  # fmt: skip
_COUNTS: Final = ("events", "n")
_TWO_GROUPS: Final = ("events1", "n1", "events2", "n2")
_PERSON_TIME: Final = ("events", "time")
_TWO_PERSON_TIMES: Final = ("events1", "time1", "events2", "time2")

Row = dict[str, object]


def csv_of(analysis: Analysis, layout: ForestLayout) -> str:
    """Write the table.

    ``row`` says what a line is: ``study``, ``group`` (a group's pooled result) or ``pooled`` (all studies). Estimates
    and intervals are on the scale that is read, rates as fractions; ``yi`` and ``sei`` are on the scale of analysis.
    What is not known is an empty cell, what is infinite ``Inf``.
    """
    studies = analysis.studies
    counts = _counted(studies)
    beside = [name for name in (*layout.columns, *layout.domains) if name not in (*counts, *_RESULT, "row", "group")]
    names = ["row", "group", "study", *counts, *_RESULT, *dict.fromkeys(name for name in beside if name != "study")]
    written = StringIO()
    table = csv.DictWriter(written, names, restval="", extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    for row in _rows(analysis, layout):
        table.writerow({name: _cell(value) for name, value in row.items()})
    return written.getvalue()


def _counted(studies: Studies) -> tuple[str, ...]:
    """Columns of the counts that the effects were made of."""
    if studies.rates is not None:
        return _TWO_PERSON_TIMES if isinstance(studies.rates, RatePairs) else _PERSON_TIME
    return _TWO_GROUPS if studies.groups is not None else _COUNTS if studies.events is not None else ()


def _rows(analysis: Analysis, layout: ForestLayout) -> Iterator[Row]:
    scale, groups = analysis.studies.scale, analysis.groups
    own = list(zip(*(ends.tolist() for ends in analysis.studies.with_intervals(analysis.model.level)), strict=True))
    for group in () if groups is None else groups.groups:
        yield from (_study(analysis, layout, row, own[row], group.name) for row in layout.ranked(group.rows))
        known = {} if group.result is None else _result(group.result, scale)
        yield {"row": "group", "group": group.name, "study": "", **known}
    if groups is None:
        yield from (_study(analysis, layout, row, own[row], "") for row in layout.order)
    yield {"row": "pooled", "group": "", "study": "", **_result(analysis.result, scale)}


def _study(analysis: Analysis, layout: ForestLayout, row: int, own: tuple[float, float, float], group: str) -> Row:
    studies = analysis.studies
    weights = analysis.result.weights
    found: Row = {"row": "study", "group": group, "study": studies.labels[row]}
    if studies.events is not None and studies.total is not None:
        found |= {"events": int(studies.events[row]), "n": int(studies.total[row])}
    if studies.groups is not None:
        t = studies.groups
        counted = (t.events1[row], t.total1[row], t.events2[row], t.total2[row])
        found |= dict(zip(_TWO_GROUPS, map(int, counted), strict=True))
    if studies.rates is not None:
        pairs = isinstance(studies.rates, RatePairs)
        of = (studies.rates.first, studies.rates.second) if isinstance(studies.rates, RatePairs) else (studies.rates,)
        cells = [cell for group in of for cell in (int(group.events[row]), float(group.time[row]))]
        found |= dict(zip(_TWO_PERSON_TIMES if pairs else _PERSON_TIME, cells, strict=True))
    found |= dict(zip(("estimate", "ci_low", "ci_high"), own, strict=True))
    found |= {"weight_percent": None if weights is None else weights[row]}
    found |= {"yi": float(studies.yi[row]), "sei": float(studies.vi[row]) ** 0.5}
    return {
        **dict(zip(layout.columns, layout.cells[row], strict=True)),
        **dict(zip(layout.domains, layout.bias[row], strict=True)),
        **found,
    }


def _result(result: Pooled, scale: Scale) -> Row:
    low, high = scale.back_interval(result.ci) or result.ci
    ahead = scale.back_interval(result.prediction) or (None, None)
    return {
        "estimate": float(scale.back(result.estimate)),
        "ci_low": low,
        "ci_high": high,
        "prediction_low": ahead[0],
        "prediction_high": ahead[1],
        "yi": result.estimate,
        "sei": result.se,
        "k": result.k,
        "tau2": result.tau2,
        "i2_percent": result.i2,
        "q": result.q,
        "q_df": result.q_df if result.q is not None else None,
        "q_p": result.q_p,
    }


def _cell(value: object) -> object:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return value
