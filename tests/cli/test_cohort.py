"""``bcma-decide cohort``: a table in, a table out, and what is said on the way."""

import json

import pytest

from tests.cli.support.checks import refused
from tests.cli.support.program import invoke

parquet = pytest.importorskip("pyarrow.parquet")


def test_a_table_with_a_row_that_cannot_be_used(tmp_path):
    table, out, summary = (tmp_path / name for name in ("in.csv", "out.parquet", "summary.json"))
    table.write_text("patient;age;creatinine [mg/dL];centre;note\n1;71;1,1;a;x\n2;300;;b;y\n")
    result = invoke(
        "cohort", table, out, "--id", "patient", "--carry", "centre", "--ignore-others", "--summary", summary
    )
    assert result.exit_code == 3
    assert result.stderr.splitlines() == [
        f"wrote {out}: 1 rows answered, 1 not used",
        f"rows not used are in {out}.rejects.csv, each with its field, the reason and what to do",
    ]
    rows = parquet.read_table(out).to_pylist()
    assert [(row["patient"], row["centre"], bool(row["problems"])) for row in rows] == [
        ("1", "a", False), ("2", "b", True),
    ]  # fmt: skip
    assert json.loads(summary.read_text())["rows"] == {"answered": 1, "not_used": 1}
    assert "Patients by what is expected of them" in result.stdout


def test_what_is_wrong_before_anything_is_read(tmp_path):
    table = tmp_path / "in.csv"
    table.write_text("id,age,shoe\n1,71,43\n")
    refused(invoke("cohort", table, tmp_path / "out.csv"), "does not end in .parquet")
    refused(invoke("cohort", table, tmp_path / "gone" / "out.parquet"), "is not a folder")
    result = invoke("cohort", table, tmp_path / "out.parquet")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "shoe: is not a field of the profile (" in result.stderr
    assert not (tmp_path / "out.parquet.parts").exists()
    result = invoke("cohort", table, tmp_path / "out.parquet", "--ignore-others", "--region", "Mars")
    assert result.exit_code == 3
