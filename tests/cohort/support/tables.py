"""Patients as rows of tables."""

import json

import pyarrow as pa

from bcma_decide.cohort.question import CohortQuestion, choose_columns
from bcma_decide.patient.fields import FIELDS


def cells_of(patient):
    """The profile of a patient as text, by field: what a table would hold."""
    written = {}
    for name, value in patient.given().items():
        kind = FIELDS[name].kind
        if name in patient.spans:
            written[name] = f"{patient.spans[name].low!r}-{patient.spans[name].high!r} {FIELDS[name].unit}"
        elif kind == "yes_no":
            written[name] = "yes" if value else "no"
        elif kind == "drugs":
            written[name] = ", ".join(value)
        elif kind == "courses":
            written[name] = ", ".join(
                course.kind if course.months_since is None else f"{course.kind}:{course.months_since!r}"
                for course in value
            )
        elif kind == "quantity":
            written[name] = "never" if str(value) == "never" else f"{value.value!r} {value.unit}"
        else:
            written[name] = str(value)
    return written


def batch_of(rows, columns=None):
    """A batch of texts with a column for each field that any row has; ``rows`` by id."""
    names = columns or list(dict.fromkeys(name for row in rows.values() for name in row))
    arrays = [pa.array(list(rows), pa.string())]
    arrays += [pa.array([row.get(name) for row in rows.values()], pa.string()) for name in names]
    return pa.RecordBatch.from_arrays(arrays, names=["id", *names])


def asked(batch, **options):
    """The question of a batch whose columns are fields."""
    columns, carried = choose_columns(batch.schema.names)
    return CohortQuestion(columns, carried, **options)


def json_lines(path, rows):
    """Write rows as lines of JSON."""
    path.write_text("".join(json.dumps({"id": name, **row}) + "\n" for name, row in rows.items()), encoding="utf-8")
    return path
