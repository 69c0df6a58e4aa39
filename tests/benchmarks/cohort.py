"""Many patients at once: profiles for each second of CPU on one core, and beside a bare product of as many operations.

The figures of a patient are two products of matrices (weights of kinds of patients by tables) and normal distribution
functions in quadratures and searches. Their operations are counted in the run: two for each entry of a table and
patient, and :data:`FOR_AN_ARGUMENT` for each argument of a distribution function. The product it is held against is
one of square matrices of numpy, as long as the same number of operations takes there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

ROWS = 4096
FOR_AN_ARGUMENT = 40
"""About 20 for the distribution and density, and as many for where they are taken and how they are summed."""
_SIDE = 512


def cohort() -> dict[str, Any]:
    """Profiles a second with what is known drawn for each, and where the known repeats; none without the extra."""
    try:
        from bcma_decide.cohort.answer import answer_batch
        from tests.cohort.support.registry import registry
        from tests.cohort.support.tables import asked
    except ImportError:
        return {}
    batches = [registry(ROWS, seed).to_batches()[0] for seed in range(3)]
    repeated = registry(4 * ROWS, 7, different=64).to_batches()[0]
    question = asked(batches[0])
    answer_batch(batches[0], question)
    drawn = _least(lambda turn: answer_batch(batches[1 + turn % 2], question))
    again = _least(lambda _: answer_batch(repeated, question))
    return {
        "profiles for a CPU second, whole answers, each drawn": ROWS / drawn,
        "profiles for a CPU second, whole answers, 64 that repeat": 4 * ROWS / again,
        **_figures(batches, question),
    }


def _figures(batches: list[Any], question: Any) -> dict[str, float]:  # of optional parts
    import numpy as np

    from bcma_decide.cohort.cells import NOTHING, CellReader, read_rows
    from bcma_decide.cohort.figures import figures_of
    from bcma_decide.cohort.judging import CohortJudge
    from bcma_decide.cohort.layout import layout_of
    from bcma_decide.comparing.compare import load_pooled

    pooled = load_pooled()
    judge = CohortJudge(pooled, question.region, question.date or _day(pooled.date))
    moving = [each for each in layout_of(pooled, judge.label_columns).figures if each.acting]
    reader = CellReader(pooled.definitions, lambda _: NOTHING)
    profiles = []
    for batch in batches:
        rows, _ = read_rows(batch, question.columns, reader)
        profiles.append(judge.judge([row.patient for row in rows if row.patient is not None]).profiles)
    figures_of(pooled, question.setting, profiles[0], moving)
    taken = _least(lambda turn: figures_of(pooled, question.setting, profiles[1 + turn % 2], moving))
    with _counted() as operations:
        figures_of(pooled, question.setting, profiles[1], moving)
    square = np.ones((_SIDE, _SIDE))
    product = _least(lambda _: square @ square, 20) * sum(operations.values()) / (2 * _SIDE**3)
    return {
        "profiles for a CPU second, moving figures alone, each drawn": ROWS / taken,
        "operations of a profile in tables": operations["tables"] / ROWS,
        "operations of a profile in distribution functions": operations["functions"] / ROWS,
        "CPU time of the figures over that of a product of as many operations": taken / product,
    }


@contextmanager
def _counted() -> Iterator[dict[str, int]]:
    """Operations of what is worked out inside."""
    from bcma_decide.model import batch, batch_rates
    from bcma_decide.model.batch_sheets import BatchSheet

    found = {"tables": 0, "functions": 0}
    evaluated, function = BatchSheet.evaluated, batch.distribution_and_density

    def counted_table(self: BatchSheet, table: Any, weights: Any, extra: Any) -> Any:  # passed on
        found["tables"] += 2 * table.size * weights.shape[1]
        return evaluated(self, table, weights, extra)

    def counted_function(x: Any) -> Any:  # passed on
        found["functions"] += FOR_AN_ARGUMENT * x.size
        return function(x)

    with (
        patch.object(BatchSheet, "evaluated", counted_table),
        patch.object(batch, "distribution_and_density", counted_function),
        patch.object(batch_rates, "distribution_and_density", counted_function),
    ):
        yield found


def _day(text: str) -> Any:  # a date
    from datetime import date

    return date.fromisoformat(text)


def _least(work: Callable[[int], Any], turns: int = 4) -> float:
    """CPU seconds of the best of some turns."""
    found = float("inf")
    for turn in range(turns):
        before = time.process_time()
        work(turn)
        found = min(found, time.process_time() - before)
    return found
