"""One record batch of profiles in, one record batch of answers out: the same numbers as `compare`, row by row.

Only what is known of a patient and acts moves a number, so that rows alike in it share their figures; what is said of a
patient beside them is worked out once for each different profile. A row that cannot be used is a row of the answer too,
with its problems and without any number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Day  # noqa: N812  # a parameter is called date
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bcma_decide.cohort.cells import JSON_CELLS, NOTHING, CellReader, Row, Said, read_rows
from bcma_decide.cohort.figures import figures_of
from bcma_decide.cohort.judging import CohortJudge, Judged
from bcma_decide.cohort.layout import (
    FINDING_TYPE,
    FINDINGS,
    PROBLEM_TYPE,
    PROBLEMS,
    READ_AS,
    UNKNOWN,
    layout_of,
    stamp_of,
)
from bcma_decide.cohort.question import CohortQuestion
from bcma_decide.cohort.records import read_record
from bcma_decide.comparing.compare import check_region, load_pooled
from bcma_decide.model.batch import Profiles
from bcma_decide.patient.profile import Patient
from bcma_decide.rules.many import FINDING_STATES, LABEL_STATES
from bcma_decide.strict.json import strict_json
from bcma_decide.vocabulary import MODEL_TRAIT_IDS

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

_WITHHELD: Final = "withheld"


def answer_batch(batch: pa.RecordBatch, question: CohortQuestion) -> pa.RecordBatch:
    """Answer for every row of a batch.

    Parameters
    ----------
    batch
        Holds the columns that the question names.
    question
        Which columns are fields, which are passed through, and for whose results, labels and day.

    Returns
    -------
    RecordBatch
        One row for each row, in the same order, with the schema of `answer_schema`.

    Raises
    ------
    ProfileError
        When the region has no label.
    NoEvidenceError
        When the pooled evidence is missing.
    """
    return _answering(question).answer(batch)


def answer_schema(question: CohortQuestion, given: pa.Schema) -> pa.Schema:
    """The schema of the answers to a table with the schema ``given``."""
    return _answering(question).schema(given)


@lru_cache(maxsize=4)
def _answering(question: CohortQuestion) -> _Answering:
    return _Answering(question)


class _Answering:
    """What the batches of one question share."""

    def __init__(self, question: CohortQuestion) -> None:
        self.question = question
        self.pooled = pooled = load_pooled(question.evidence)
        region = check_region(pooled, question.region)
        on = question.date or Day.fromisoformat(pooled.date)
        self.reader = CellReader(pooled.definitions, self._read_record)
        self.judge = CohortJudge(pooled, region, on)
        self.layout = layout_of(pooled, self.judge.label_columns)
        self.stamp = stamp_of(pooled, question.setting, region, on.isoformat())
        self.acting = np.asarray(np.any(pooled.used, axis=(0, 1)))
        self.moving = [each for each in self.layout.figures if each.acting]
        still = [each for each in self.layout.figures if not each.acting]
        values = figures_of(pooled, question.setting, _nobody(), still)[:, 0].tolist()
        names = [name for each in still for name in each.names]
        self.still: Mapping[str, float] = dict(zip(names, values, strict=True))

    def schema(self, given: pa.Schema) -> pa.Schema:
        return self.layout.schema([_carried_field(given.field(name)) for name in self.question.carried], self.stamp)

    def answer(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        rows, codes = read_rows(batch, self.question.columns, self.reader)
        usable = np.array([row.patient is not None for row in rows], dtype=bool)
        place = np.where(usable, np.cumsum(usable) - 1, 0)  # among the rows that can be used
        given = Given(place[codes], ~usable[codes])
        patients = [row.patient for row in rows if row.patient is not None]
        columns: dict[str, pa.Array] = {
            name: _carried(batch.column(name), batch.schema.field(name)) for name in self.question.carried
        }
        columns[PROBLEMS] = pa.array([_problems(row) for row in rows], pa.list_(PROBLEM_TYPE)).take(pa.array(codes))
        if patients:
            judged = self.judge.judge(patients, _for_labels(rows))
            columns |= self._said(patients, judged, given)
            columns |= self._states(judged, given)
            columns |= self._figures(judged, given)
        schema = self.schema(batch.schema)
        empty = {field.name: field.type for field in schema if field.name not in columns}
        columns |= {name: pa.nulls(len(codes), kind) for name, kind in empty.items()}
        return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)

    def _read_record(self, text: str) -> Said:
        return read_record(text, self.pooled, self.question.date, infer=self.question.infer) if text else NOTHING

    def _said(self, patients: Sequence[Patient], judged: Judged, given: Given) -> dict[str, pa.Array]:
        """What is said of each row beside the figures."""
        read_as = pa.array([patient.read_as for patient in patients], pa.list_(pa.string()))
        findings = judged.findings.astype(np.int64)
        columns = {
            READ_AS: given.take(read_as),
            UNKNOWN: given.take(_lists(judged.unknown & self.acting, pa.array(MODEL_TRAIT_IDS))),
            FINDINGS: given.take(_lists(findings > 0, _stated(judged), findings - 1)),
        }
        states = pa.array(LABEL_STATES)
        for place, name in enumerate(self.layout.label_columns):
            columns[name] = states.take(given.take(pa.array(judged.labels[:, place])))
        return columns

    def _states(self, judged: Judged, given: Given) -> dict[str, pa.Array]:
        columns = {}
        same: dict[str, pa.Array] = {}
        for cell in self.layout.cells:
            flags = judged.withheld.get((cell.outcome, cell.option))
            if flags is not None:
                states = pa.array([cell.state, _WITHHELD])
                columns[cell.column] = states.take(given.take(pa.array(flags.astype(np.int8))))
            else:
                if cell.state not in same:
                    same[cell.state] = pa.array([cell.state]).take(pa.array(given.nothing, mask=given.unusable))
                columns[cell.column] = same[cell.state]
        return columns

    def _figures(self, judged: Judged, given: Given) -> dict[str, pa.Array]:
        """The figures of each row: none of a row with problems, none where it is withheld or not reached."""
        moving, place = self._moving(judged)
        drawn = np.take(moving, place[given.place], axis=1)
        columns = {}
        at = 0
        for each in self.layout.figures:
            taken = [flags for option in each.options
                     if (flags := judged.withheld.get((each.outcome, option))) is not None]  # fmt: skip
            hidden = given.unusable
            if taken:
                hidden = hidden | np.logical_or.reduce(taken)[given.place]
            mask = hidden if taken or given.any_unusable else None
            for name in each.names:
                if each.acting:
                    column = drawn[at]
                    at += 1
                else:
                    column = np.full(len(given.place), self.still[name])
                if each.duration and (open_ := np.isnan(column)).any():
                    columns[name] = pa.array(column, mask=hidden | open_)
                else:
                    columns[name] = pa.array(column, mask=mask)
        return columns

    def _moving(self, judged: Judged) -> tuple[Array, Codes]:
        """Figures for each different set of what is known and acts, (figures, sets), and which each patient has."""
        profiles = judged.profiles
        parts = [np.nan_to_num(profiles.number, nan=-1.0), profiles.yes, profiles.no]
        key = np.ascontiguousarray(np.concatenate([part[:, self.acting] for part in parts], axis=1))
        found: dict[bytes, int] = {}
        place = np.array([found.setdefault(row.tobytes(), len(found)) for row in key], dtype=np.int64)
        first = np.zeros(len(found), dtype=np.int64)
        first[place[::-1]] = np.arange(len(place))[::-1]
        sets = Profiles(profiles.number[first], profiles.yes[first], profiles.no[first])
        return figures_of(self.pooled, self.question.setting, sets, self.moving), place


@dataclass(frozen=True)
class Given:
    """Which of the patients each row of a batch is, and which rows are none."""

    place: Codes
    """(rows,); of a row that cannot be used, any."""
    unusable: Mask

    @cached_property
    def any_unusable(self) -> bool:
        """Whether there is a row that cannot be used."""
        return bool(self.unusable.any())

    @cached_property
    def nothing(self) -> NDArray[np.int8]:
        """A code for each row that says nothing."""
        return np.zeros(len(self.place), dtype=np.int8)

    @cached_property
    def _indices(self) -> pa.Array:
        return pa.array(self.place, mask=self.unusable if self.any_unusable else None)

    def take(self, of_patients: pa.Array) -> pa.Array:
        """What is there of each patient, laid out by row; null for a row that cannot be used."""
        return of_patients.take(self._indices)


def _nobody() -> Profiles:
    """One patient of whom nothing is known."""
    return Profiles.of([dict.fromkeys(MODEL_TRAIT_IDS)])


def _for_labels(rows: Sequence[Row]) -> list[Patient] | None:
    """The patients as labels see them: an inference settles no label. None where nothing was inferred."""
    if not any(row.inferred for row in rows):
        return None
    return [row.patient.model_copy(update=dict.fromkeys(row.inferred)) for row in rows if row.patient is not None]


def _stated(judged: Judged) -> pa.Array:
    """Every finding in each of its states: id, option and state."""
    told = [(*stated, state) for stated in judged.stated for state in FINDING_STATES[1:]]
    parts = [pa.array(part, pa.string()) for part in zip(*told, strict=True)]
    return pa.StructArray.from_arrays(parts, fields=[FINDING_TYPE.field(place) for place in range(len(parts))])


def _lists(flags: Mask, values: pa.Array, state: Codes | None = None) -> pa.Array:
    """For each row the values whose flag is set; where ``state`` is given, there are so many values for each flag."""
    rows, columns = np.nonzero(flags)
    offsets = np.zeros(len(flags) + 1, dtype=np.int32)
    np.cumsum(flags.sum(axis=1), out=offsets[1:])
    places = columns if state is None else columns * (len(values) // flags.shape[1]) + state[rows, columns]
    return pa.ListArray.from_arrays(pa.array(offsets), values.take(pa.array(places)))


def _problems(row: Row) -> list[dict[str, str]]:
    return [{"field": each.field, "message": each.message, "fix": each.fix} for each in row.problems]


def _carried_field(field: pa.Field) -> pa.Field:
    """A column that is passed through; what came from lines of JSON is text."""
    if field.metadata == JSON_CELLS:
        return pa.field(field.name, pa.string())
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    return pa.field(field.name, kind)


def _carried(array: pa.Array, field: pa.Field) -> pa.Array:
    if field.metadata == JSON_CELLS:
        return pa.array([_as_text(cell) for cell in array.to_pylist()], pa.string())
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _as_text(cell: str | None) -> Any:  # noqa: ANN401  # a text, or nothing
    if cell is None:
        return None
    value = strict_json(cell, keep_no_numbers=True)
    return value if isinstance(value, str) or value is None else cell
