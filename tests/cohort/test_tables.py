"""Tables of every format are the same rows; a row that is none keeps its place."""

import json

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
import pytest

from bcma_decide.cohort.cells import PROBLEM
from bcma_decide.cohort.tables import open_table
from bcma_decide.errors import ProfileError

TABLE = pa.table({"id": ["a", "b", "c"], "age": ["71", None, "64"], "drugs": ["len, bort", "", "x"]})


def rows_of(path, tmp_path, size=2):
    table = open_table(path, tmp_path / "parts")
    return table, [row for batch in table.read(size) for row in batch.to_pylist()]


@pytest.mark.parametrize("ending", ["parquet", "arrow", "feather"])
def test_arrow_formats_are_read_in_batches_of_one_size(tmp_path, ending):
    path = tmp_path / f"t.{ending}"
    long = pa.concat_tables([TABLE] * 5)
    if ending == "parquet":
        pa.parquet.write_table(long, path, row_group_size=4)
    else:
        pa.feather.write_feather(long, str(path), chunksize=4)
    table, rows = rows_of(path, tmp_path, size=6)
    assert (rows, table.rows, table.schema) == (long.to_pylist(), 15, long.schema)
    assert [batch.num_rows for batch in table.read(6)] == [6, 6, 3]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_text_tables_hold_texts_and_empty_cells_are_unknown(tmp_path, separator):
    path = tmp_path / "t.csv"
    lines = ["id|age|drugs", "a|71|'len\nbort'", "", "b||", "c|64"]
    path.write_text("\ufeff" + "\r\n".join(lines).replace("|", separator).replace("'", '"'), encoding="utf-8")
    _, rows = rows_of(path, tmp_path)
    assert [(row["id"], row["age"], row["drugs"]) for row in rows] == [
        ("a", "71", "len\nbort"), ("b", None, None), ("c", "64", None),
    ]  # fmt: skip
    assert [row[PROBLEM] and json.loads(row[PROBLEM])[1] for row in rows] == [None, None, "has 2 cells and not 3"]


def test_bytes_that_are_no_text_are_a_problem_of_their_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"id,sex\na,m\xe4nnlich\nb,m\n")
    _, rows = rows_of(path, tmp_path)
    assert [bool(row[PROBLEM]) for row in rows] == [True, False]


def test_lines_of_json_keep_what_json_says(tmp_path):
    path = tmp_path / "t.ndjson"
    path.write_text('{"id": "a", "age": 71}\n\n{"id": "b", "ferritin": {"value": 1, "unit": "ng/mL"}, "x": null}\n'
                    '{"id": "c", "id": "d"}\n[1]\n{"age"\n', encoding="utf-8")  # fmt: skip
    table, rows = rows_of(path, tmp_path)
    assert table.schema.names == ["id", "age", "ferritin"]
    assert [(row["id"], row["age"], row["ferritin"]) for row in rows[:2]] == [
        ('"a"', "71", None), ('"b"', None, '{"value": 1, "unit": "ng/mL"}'),
    ]  # fmt: skip
    assert [row[PROBLEM] is not None for row in rows] == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.xlsx", b"x", "is of no kind that is read here"),
        ("t.parquet", b"age\n", "is no parquet file"),
        ("t.arrow", b"age\n", "is no arrow file"),
        ("t.csv", b"", "has no headings"),
        ("gone.csv", None, "cannot be read"),
        ("empty", "folder", "holds no lines of resources"),
    ],
)
def test_what_is_no_table_is_refused_by_name(tmp_path, name, content, message):
    path = tmp_path / name
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(ProfileError, match=message) as caught:
        open_table(path, tmp_path / "parts")
    assert str(path) in str(caught.value)


def test_the_fingerprint_is_that_of_the_contents(tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("id,age\n1,71\n")
    second.write_text("id,age\n1,71\n")
    prints = {open_table(each, tmp_path).fingerprint for each in (first, second)}
    second.write_text("id,age\n1,72\n")
    assert len(prints | {open_table(second, tmp_path).fingerprint}) == 2
