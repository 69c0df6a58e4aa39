"""Parts joined without being read are the table that pyarrow reads of them one after the other."""

import pyarrow as pa
import pyarrow.parquet
import pytest

from bcma_decide.cohort.row_groups import join_row_groups

SCHEMA = pa.schema(
    [("id", pa.string()), ("number", pa.float64()), ("lists", pa.list_(pa.struct([("a", pa.string())])))],
    metadata={"bcma_decide.version": "1"},
)


def rows(first, count):
    """Some rows, nulls and empty lists among them."""
    numbers = range(first, first + count)
    return pa.table(
        {
            "id": [str(n) for n in numbers],
            "number": [None if n % 3 == 0 else n / 7 for n in numbers],
            "lists": [[{"a": f"word {n % 5}"}] * (n % 4) for n in numbers],
        },
        SCHEMA,
    )


def parts(folder, tables, **options):
    paths = [folder / f"{place}.parquet" for place in range(len(tables))]
    for path, table in zip(paths, tables, strict=True):
        pa.parquet.write_table(table, path, compression="zstd", **options)
    return paths


@pytest.mark.parametrize("options", [{}, {"write_statistics": False}, {"row_group_size": 40, "write_page_index": True}])
def test_the_whole_is_its_parts_one_after_the_other(tmp_path, options):
    tables = [rows(0, 100), rows(100, 1), rows(101, 70)]
    paths = parts(tmp_path, tables, **options)
    join_row_groups(paths, tmp_path / "whole")
    whole = pa.parquet.ParquetFile(tmp_path / "whole")
    assert whole.read().equals(pa.concat_tables(map(pa.parquet.read_table, paths)), check_metadata=True)
    assert whole.read().equals(pa.concat_tables(tables))
    last = whole.read_row_group(whole.num_row_groups - 1, columns=["number"])["number"].to_pylist()
    assert last == tables[-1]["number"].to_pylist()[-len(last) :]


def test_more_than_fifteen_parts(tmp_path):
    """From there on the format writes the length of a list in another way."""
    tables = [rows(10 * place, 10) for place in range(20)]
    join_row_groups(parts(tmp_path, tables), tmp_path / "whole")
    assert pa.parquet.read_table(tmp_path / "whole").equals(pa.concat_tables(tables))


def test_one_part_is_copied_as_it_is(tmp_path):
    (only,) = parts(tmp_path, [rows(0, 50)])
    join_row_groups([only], tmp_path / "whole")
    assert (tmp_path / "whole").read_bytes() == only.read_bytes()


def test_another_schema_and_what_is_no_parquet_are_refused(tmp_path):
    first, second = parts(tmp_path, [rows(0, 5), rows(5, 5).drop_columns(["number"])])
    with pytest.raises(ValueError, match="another schema"):
        join_row_groups([first, second], tmp_path / "whole")
    second.write_bytes(b"no")
    with pytest.raises(ValueError, match="no Parquet file"):
        join_row_groups([first, second], tmp_path / "whole")
