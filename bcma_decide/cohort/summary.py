"""What a cohort looks like: how each outcome is distributed by class, how many meet each label, how often each finding.

Counts of parts add up to those of the whole. Distributions are kept in bins of a tenth of a percentage point, so that
quantiles of any number of rows need no more memory than those of a few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bcma_decide.cohort.layout import FINDINGS, ONE_YEAR, PROBLEMS
from bcma_decide.vocabulary import CLASSES, OUTCOMES, PFS

BINS: Final = 1000
QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
Counts = dict[str, dict[str, int]]
"""By what is counted, how many rows have each of its values; keys are text, as in the JSON of a part."""
_ROWS: Final = "rows"


def counts_of(answers: pa.RecordBatch) -> Counts:
    """Count one batch of answers."""
    names = set(answers.schema.names)
    lengths = pc.list_value_length(answers.column(PROBLEMS)).to_numpy(zero_copy_only=False)
    unusable = int((lengths > 0).sum())
    counts: Counts = {_ROWS: {"answered": answers.num_rows - unusable, "not used": unusable}}
    for name in (each for option in CLASSES for each in _headlines(option)):
        if name in names:
            values = answers.column(name).drop_null().to_numpy(zero_copy_only=False)
            bins, found = np.unique(np.rint(values * BINS).astype(int), return_counts=True)
            counts[name] = dict(zip(map(str, bins.tolist()), found.tolist(), strict=True))
    for name in answers.schema.names:
        if name.startswith("label.") or name.endswith(".state"):
            values = pc.value_counts(answers.column(name)).to_pylist()
            counts[name] = {each["values"]: each["counts"] for each in values if each["values"] is not None}
    counts[FINDINGS] = _fired(answers.column(FINDINGS))
    return counts


def _headlines(option: str) -> Iterable[str]:
    yield from (f"{outcome}.{option}.mean" for outcome in OUTCOMES)
    yield f"{PFS}.{option}.month_{ONE_YEAR}.mean"


def _fired(lists: pa.Array) -> dict[str, int]:
    """In how many rows each finding fires for each option."""
    told = lists.flatten()
    table = pa.table({name: told.field(name) for name in ("id", "option", "state")})
    table = table.filter(pc.equal(table["state"], "fires")).group_by(["id", "option"]).aggregate([([], "count_all")])
    rows = zip(*(table[name].to_pylist() for name in ("id", "option", "count_all")), strict=True)
    return {f"{name} {option}".strip(): count for name, option, count in sorted(rows)}


def added(parts: Iterable[Counts]) -> Counts:
    """Counts of several parts together."""
    total: dict[str, Counter[str]] = {}
    for part in parts:
        for name, counts in part.items():
            total.setdefault(name, Counter()).update(counts)
    return {name: dict(counts) for name, counts in total.items()}


def summary_of(counts: Counts) -> dict[str, Any]:
    """The summary as plain data: shares are fractions of the rows that were answered."""
    rows = counts.get(_ROWS, {})
    answered = rows.get("answered", 0)
    outcomes = {}
    for outcome in (*OUTCOMES, PFS):
        of_classes = {option: _distribution(counts, outcome, option, answered) for option in CLASSES}
        outcomes[outcome] = of_classes
    labels = {
        name.removeprefix("label."): _shares(counts[name], answered) for name in counts if name.startswith("label.")
    }
    return {
        "rows": {"answered": answered, "not_used": rows.get("not used", 0)},
        "outcomes": outcomes,
        "labels": labels,
        "findings": _shares(dict(sorted(counts.get(FINDINGS, {}).items())), answered),
    }


def _distribution(counts: Counts, outcome: str, option: str, answered: int) -> dict[str, Any]:
    name = f"{outcome}.{option}.month_{ONE_YEAR}.mean" if outcome == PFS else f"{outcome}.{option}.mean"
    states = _shares(counts.get(f"{outcome}.{option}.state", {}), answered)
    bins = {int(place): count for place, count in counts.get(name, {}).items()}
    return {"states": states, "quantiles": _quantiles(bins)}


def _quantiles(bins: Mapping[int, int]) -> dict[str, float]:
    """The least value that so large a share of the rows does not exceed, to a tenth of a percentage point."""
    if not bins:
        return {}
    places = np.array(sorted(bins))
    reached = np.cumsum([bins[place] for place in places.tolist()])
    found = np.searchsorted(reached, np.array(QUANTILES) * reached[-1] - 1e-9)
    return {f"{level:g}": float(places[at]) / BINS for level, at in zip(QUANTILES, found.tolist(), strict=True)}


def _shares(counts: Mapping[str, int], rows: int) -> dict[str, dict[str, float]]:
    return {name: {"rows": count, "share": round(count / rows, 6) if rows else 0.0} for name, count in counts.items()}
