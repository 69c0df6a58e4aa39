"""The same answers on a cluster: the function of a record batch under Spark.

Every executor needs this package and its evidence; a partition that fails is answered again by Spark, and since the
answer hangs on nothing but the rows, it is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from bcma_decide.cohort.answer import answer_batch, answer_schema
from bcma_decide.cohort.question import CohortQuestion

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def spark_answers(table: DataFrame, question: CohortQuestion) -> DataFrame:
    """Answer for every row of a table of Spark, partition by partition, with ``DataFrame.mapInArrow``.

    Parameters
    ----------
    table
        Holds the columns that the question names, as `bcma_decide.cohort.question.choose_columns` chooses them.
    question
        Which columns are fields, which are passed through, and for whose results, labels and day.

    Returns
    -------
    DataFrame
        A row for each row, with the columns of `bcma_decide.cohort.answer.answer_schema`; nothing is computed before it
        is written or collected.

    Raises
    ------
    ProfileError
        When the region has no label.
    """
    schema = answer_schema(question, table.limit(0).toArrow().schema)
    columns = table.sparkSession.createDataFrame(schema.empty_table()).schema

    def answered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield answer_batch(batch, question)

    return table.mapInArrow(answered, columns)
