"""The same answers under Spark, on this machine: identical to a run without it, and a task that fails is repeated."""

import os
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from bcma_decide.cohort.answer import answer_batch
from bcma_decide.cohort.spark import spark_answers
from tests.cohort.support.tables import asked, batch_of, cells_of
from tests.support.patients import drawn_patients
from tests.support.places import ROOT

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]
pyspark = pytest.importorskip("pyspark")

ROWS = 24


@pytest.fixture(scope="module")
def spark():
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    session = (
        SparkSession.builder.master("local[2,2]")  # two workers; a task may fail once
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "5")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def batch():
    rows = {f"{number:02d}": cells_of(patient) for number, patient in enumerate(drawn_patients(ROWS - 1, seed=7))}
    return batch_of(rows | {"bad": {"age": "-1"}})


def test_the_same_answers_and_those_of_a_failed_task_once(spark, batch, tmp_path):
    question = asked(batch)
    alone = pa.Table.from_batches([answer_batch(batch, question)])
    table = spark.createDataFrame(pa.Table.from_batches([batch])).repartition(3)
    found = spark_answers(table, question).toArrow().sort_by("id")
    assert found.cast(alone.schema).equals(alone.sort_by("id"))

    mark = str(tmp_path / "failed")

    def failing_once(batches):
        for each in batches:
            if not Path(mark).exists():
                Path(mark).touch()
                raise RuntimeError("lost")
            yield each

    fragile = table.mapInArrow(failing_once, table.schema)
    spark_answers(fragile, question).write.parquet(str(tmp_path / "answers"))
    assert Path(mark).exists()
    written = spark.read.parquet(str(tmp_path / "answers")).toArrow().sort_by("id")
    assert written.cast(alone.schema).equals(alone.sort_by("id"))
