"""How fast batches are answered and how much memory a run takes; figures are printed, only their growth is held.

``python -m pytest tests/cohort/test_load.py -m nightly -s`` prints rows a second of one core.
"""

import subprocess
import sys
import time
from datetime import date

import numpy as np
import pyarrow.csv
import pytest

from bcma_decide.cohort.answer import answer_batch
from bcma_decide.cohort.cells import NOTHING, CellReader, read_rows
from bcma_decide.cohort.figures import figures_of
from bcma_decide.cohort.judging import CohortJudge
from bcma_decide.cohort.layout import layout_of
from bcma_decide.comparing.compare import load_pooled
from bcma_decide.vocabulary import DEFAULT_REGION
from tests.cohort.support.registry import registry
from tests.cohort.support.tables import asked
from tests.support.places import ROOT

pytestmark = pytest.mark.nightly

BATCH = 4096
MEMORY = """
import resource, sys
from pathlib import Path
from bcma_decide.cohort.run import run_cohort
from tests.cohort.support.runs import order_of, quiet
run_cohort(order_of(Path(sys.argv[1]), Path(sys.argv[2]), part=4096), quiet)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def seconds(work, repeats=3):
    """CPU seconds of the best of some repeats."""
    taken = []
    for number in range(repeats):
        begun = time.process_time()
        work(number)
        taken.append(time.process_time() - begun)
    return min(taken)


def test_rows_a_second_of_one_core():
    for name, different in (("all different", None), ("one in 64 different", BATCH // 64)):
        batches = [registry(BATCH, seed, different=different).to_batches()[0] for seed in range(4)]
        question = asked(batches[0])
        answer_batch(batches[3], question)
        taken = seconds(lambda number, of=batches, to=question: answer_batch(of[number], to))
        print(f"\nwhole answers, {name}: {BATCH / taken:,.0f} rows/s")


def test_profiles_a_second_of_the_figures_alone_beside_a_product_of_matrices():
    """Headlines, intervals and contrasts of everything a trait moves, and how many bare products would take as long."""
    pooled = load_pooled()
    judge = CohortJudge(pooled, DEFAULT_REGION, date.fromisoformat(pooled.date))
    moving = [each for each in layout_of(pooled, judge.label_columns).figures if each.acting]
    reader = CellReader(pooled.definitions, lambda _: NOTHING)
    profiles = []
    for seed in range(3):
        batch = registry(BATCH, 100 + seed).to_batches()[0]
        rows, _ = read_rows(batch, asked(batch).columns, reader)
        profiles.append(judge.judge([row.patient for row in rows]).profiles)
    figures_of(pooled, "real_world", profiles[0], moving)
    taken = seconds(lambda number: figures_of(pooled, "real_world", profiles[number], moving))
    count = sum(len(each.names) for each in moving)
    # every figure of a patient as one weighted sum over the combinations of acting traits: the least there is to do
    kinds = 2 ** int(np.any(pooled.used[pooled.family_index["response"]], axis=0).sum())
    left, right = np.ones((BATCH, kinds)), np.ones((kinds, count))
    product = seconds(lambda _: left @ right)
    print(f"\n{count} figures alone, all different: {BATCH / taken:,.0f} profiles/s")
    as_fast = taken / product
    print(f"a product with ({kinds}, {count}): {BATCH / product:,.0f} rows/s, {as_fast:.0f} times as fast")


@pytest.mark.parametrize("rows", [(10_000, 200_000)])
def test_memory_does_not_grow_with_the_rows(tmp_path, rows):
    peaks = []
    for count in rows:
        table, out = tmp_path / f"{count}.csv", tmp_path / f"{count}.parquet"
        pyarrow.csv.write_csv(registry(count, 5, different=500), table)
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, table, out], capture_output=True, text=True, check=True, cwd=ROOT
        )
        peaks.append(int(done.stdout))
    print(f"\npeak memory of {rows[0]:,} and {rows[1]:,} rows: {peaks[0]} and {peaks[1]} MB")
    assert peaks[1] < 1.3 * peaks[0]
