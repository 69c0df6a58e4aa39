"""Tables of the reference with several rows per study, and their two-level fits by metafor's rma.mv."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.workshop.meta_analysis.support.reference import results, rows


@dataclass(frozen=True, eq=False)
class NestedTable:
    """Effects of one table, the study of each, the design, and the reference's fits by ``METHOD_TEST``."""

    name: str
    yi: np.ndarray
    vi: np.ndarray
    studies: list[str]
    design: np.ndarray
    fits: dict[str, Any]


def _column(table: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in table])


def nested_tables() -> Iterator[NestedTable]:
    """Every ``nested*`` block of the reference."""
    table, found = rows("konstantopoulos2011"), results("konstantopoulos2011")
    yi, vi, districts = _column(table, "yi"), _column(table, "vi"), [row["district"] for row in table]
    one = np.ones(len(table))
    designs = {"nested": one[:, None], "nested_year_c": np.column_stack([one, _column(table, "year_c")])}
    for block, design in designs.items():
        yield NestedTable(f"konstantopoulos2011-{block}", yi, vi, districts, design, found[block])

    table, found = rows("begg1989"), results("begg1989")
    yi, vi, studies = _column(table, "yi"), _column(table, "vi"), [row["study"] for row in table]
    one = np.ones(len(table))
    bmt = np.array([float(row["trt"] == "BMT") for row in table])
    single = np.array([float(row["arms"] == "1") for row in table])
    columns = {"intrcpt": one, "BMT": bmt, "single": single, "BMT:single": bmt * single}
    for block in ("nested_trt", "nested_trt_single", "nested_trt_by_single"):
        design = np.column_stack([columns[name] for name in found[block]["design_columns"]])
        fits = {key: fit for key, fit in found[block].items() if key != "design_columns"}
        yield NestedTable(f"begg1989-{block}", yi, vi, studies, design, fits)

    table, found = rows("hasselblad1998"), results("hasselblad1998")
    arms = [[1.0, *(float(f"trt{row['trt']}" == name) for name in found["design_columns"][1:])] for row in table]
    yield NestedTable(
        "hasselblad1998-nested_study_arm",
        np.array(found["yi"]),
        np.array(found["vi"]),
        [row["study"] for row in table],
        np.array(arms),
        found["nested_study_arm"],
    )
