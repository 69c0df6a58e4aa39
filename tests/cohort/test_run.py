"""A run over a table: what it writes, that it goes on where it stopped, and takes nothing for something else."""

import json
import os
import signal
import subprocess
import sys
import time

import pyarrow.parquet
import pytest

from bcma_decide import Patient, compare
from bcma_decide.cohort.run import run_cohort
from bcma_decide.errors import ProfileError
from tests.cohort.support.one_row import assert_same
from tests.cohort.support.runs import ages, order_of, quiet
from tests.support.places import ROOT


class StoppedError(Exception):
    pass


def stopping_after(parts):
    """Stops a run after so many parts of its own."""
    left = [parts]

    def told(rows, before):
        del rows
        left[0] -= not before
        if not left[0]:
            raise StoppedError

    return told


@pytest.fixture
def table(tmp_path):
    return ages(tmp_path / "in.csv", 10)


def test_a_row_for_each_row_and_the_parts_are_gone(table, tmp_path):
    order = order_of(table, tmp_path / "out.parquet")
    done = run_cohort(order, quiet)
    rows = pyarrow.parquet.read_table(order.out).to_pylist()
    assert [row["id"] for row in rows] == [str(number) for number in range(1, 11)]
    assert_same(rows[7], compare(Patient(age=48)))
    assert rows[4]["problems"][0]["field"] == "age"
    assert (done.rejected, done.summary["rows"]) == (1, {"answered": 9, "not_used": 1})
    assert order.rejects.read_text().splitlines() == [
        "row,id,field,problem,fix",
        "5,5,age,'x' is not a number,\"whole number, 18 to 110 years, or unknown\"",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.parquet", "out.parquet.rejects.csv"]
    kept = pyarrow.parquet.ParquetFile(order.out)
    assert kept.num_row_groups == 4
    assert b"bcma_decide.evidence_hash" in kept.schema_arrow.metadata


def test_a_stopped_run_goes_on_and_ends_with_the_same_bytes(table, tmp_path):
    whole = order_of(table, tmp_path / "whole.parquet")
    summary = run_cohort(whole, quiet).summary
    order = order_of(table, tmp_path / "out.parquet")
    with pytest.raises(StoppedError):
        run_cohort(order, stopping_after(2))
    assert not order.out.exists()
    seen = []
    again = run_cohort(order, lambda rows, before: seen.append((rows, before)))
    assert seen == [(3, True), (3, True), (3, False), (1, False)]
    assert order.out.read_bytes() == whole.out.read_bytes()
    assert order.rejects.read_bytes() == whole.rejects.read_bytes()
    assert again.summary == summary


def test_what_was_half_written_is_written_anew(table, tmp_path):
    whole, order = (order_of(table, tmp_path / f"{name}.parquet") for name in ("whole", "out"))
    run_cohort(whole, quiet)
    with pytest.raises(StoppedError):
        run_cohort(order, stopping_after(3))
    folder = order.parts.folder
    (folder / "part-000001.json").unlink()  # the note comes last: without it the part is not done
    (folder / "part-000001.parquet").write_bytes(b"PAR1")
    (folder / "draft-000002-1").write_bytes(b"half")
    run_cohort(order, quiet)
    assert order.out.read_bytes() == whole.out.read_bytes()


@pytest.mark.parametrize("change", ["input", "question", "rows of a part"])
def test_parts_of_something_else_are_refused(table, tmp_path, change):
    order = order_of(table, tmp_path / "out.parquet")
    with pytest.raises(StoppedError):
        run_cohort(order, stopping_after(1))
    if change == "input":
        table.write_text(table.read_text().replace("41", "44"))
        other = order_of(table, order.out)
    elif change == "question":
        other = order_of(table, order.out, region="EU")
    else:
        other = order_of(table, order.out, part=4)
    with pytest.raises(ProfileError, match="the run cannot go on") as caught:
        run_cohort(other, quiet)
    (problem,) = caught.value.problems
    assert (problem.field, problem.file) == (change, str(order.parts.folder))
    assert "remove this folder" in problem.fix


def test_the_summary_adds_up(table, tmp_path):
    summary = run_cohort(order_of(table, tmp_path / "out.parquet"), quiet).summary
    rows = [row for row in pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist() if not row["problems"]]
    for option in ("car_t", "bite"):
        given = sorted(row[f"orr.{option}.mean"] for row in rows)
        found = summary["outcomes"]["orr"][option]
        assert found["states"]["estimated"] == {"rows": 9, "share": 1.0}
        assert found["quantiles"]["0.5"] == pytest.approx(given[4], abs=6e-4)
        assert found["quantiles"]["0.95"] == pytest.approx(given[-1], abs=6e-4)
    met = sum(row["label.teclistamab"] == "cannot_be_judged" for row in rows)
    assert summary["labels"]["teclistamab"]["cannot_be_judged"]["rows"] == met
    fired = sum({"id": "infection.tests-open", "option": "bite", "state": "fires"} in row["findings"] for row in rows)
    assert summary["findings"]["infection.tests-open bite"]["rows"] == fired == 9
    assert summary["answer"]["intended_use"]
    json.dumps(summary)


def test_an_empty_table_has_an_empty_answer(tmp_path):
    (tmp_path / "in.csv").write_text("id,age\n")
    order = order_of(tmp_path / "in.csv", tmp_path / "out.parquet")
    assert run_cohort(order, quiet).summary["rows"] == {"answered": 0, "not_used": 0}
    assert pyarrow.parquet.read_table(order.out).num_rows == 0


@pytest.mark.slow
@pytest.mark.sample
def test_several_processes_write_the_same_bytes(table, tmp_path):
    one, two = (order_of(table, tmp_path / f"{n}.parquet", workers=n) for n in (1, 2))
    assert run_cohort(one, quiet) == run_cohort(two, quiet)
    assert one.out.read_bytes() == two.out.read_bytes()
    assert one.rejects.read_bytes() == two.rejects.read_bytes()


@pytest.mark.slow
@pytest.mark.sample
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(tmp_path, workers):
    table = ages(tmp_path / "in.csv", 60)
    whole, order = (order_of(table, tmp_path / f"{name}.parquet", workers=workers) for name in ("whole", "out"))
    run_cohort(whole, quiet)
    code = f"""
from pathlib import Path
from bcma_decide.cohort.run import run_cohort
from tests.cohort.support.runs import order_of, quiet
if __name__ == "__main__":
    run_cohort(order_of(Path({str(table)!r}), Path({str(order.out)!r}), workers={workers}), quiet)
"""
    script = tmp_path / "run.py"
    script.write_text(code)
    running = subprocess.Popen([sys.executable, script], env={**os.environ, "PYTHONPATH": str(ROOT)})
    deadline = time.monotonic() + 60
    while len(list(order.parts.folder.glob("part-*.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    done = len(list(order.parts.folder.glob("part-*.json")))
    assert 2 <= done < 20
    seen = []
    run_cohort(order, lambda rows, before: seen.append(before))
    assert sum(seen) >= done
    assert order.out.read_bytes() == whole.out.read_bytes()
    assert order.rejects.read_bytes() == whole.rejects.read_bytes()
