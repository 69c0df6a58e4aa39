"""One record batch of profiles in, one record batch of answers out: the same numbers as `compare`, row by row.

Only what is known of a patient and acts moves a number, so that rows alike in it share their figures; what is said of a
patient beside them is worked out once for each different profile. A row that cannot be used is a row of the answer too,
with its problems and without any number.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import date as Day  # noqa: N812  # a parameter is called date
from functools import lru_cache
from itertools import chain
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bcma_decide.cohort.cells import JSON_CELLS, NOTHING, Row, Said, read_rows
from bcma_decide.cohort.figures import figures_of
from bcma_decide.cohort.judging import Asked, Judged, indications_of, judge
from bcma_decide.cohort.layout import FINDING_TYPE, PROBLEM_TYPE, Figures, layout_of, stamp_of
from bcma_decide.cohort.question import CohortQuestion
from bcma_decide.cohort.records import read_record
from bcma_decide.comparing.compare import check_region, load_pooled
from bcma_decide.facts.traits import derive
from bcma_decide.patient.profile import Patient
from bcma_decide.strict.json import strict_json
from bcma_decide.vocabulary import MODEL_TRAITS

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

_KEPT: Final = 20_000
"""Different profiles, and different sets of acting traits, that are remembered from batch to batch."""
_ESTIMATED, _WITHHELD = "estimated", "withheld"


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
        self.asked = Asked(question.setting, region, on)
        nobody = derive(Patient(), pooled.definitions)
        self.layout = layout_of(pooled, indications_of(pooled, nobody, self.asked))
        self.stamp = stamp_of(pooled, question.setting, region, on.isoformat())
        acting = np.any(pooled.used, axis=(0, 1)).tolist()
        self.acting = [trait.id for trait, acts in zip(MODEL_TRAITS, acting, strict=True) if acts]
        self.moving = [each for each in self.layout.figures if each.acting]
        still = [each for each in self.layout.figures if not each.acting]
        values = figures_of(pooled, nobody, question.setting, still)
        names = [name for each in still for name in each.names]
        self.still: Mapping[str, float] = dict(zip(names, values.tolist(), strict=True))
        self.judged: dict[Hashable, Judged] = {}
        self.figures: dict[Hashable, Array] = {}
        self.told: dict[tuple[str, str, str], int] = {}
        """Place of every finding met so far in the list of them."""

    def schema(self, given: pa.Schema) -> pa.Schema:
        return self.layout.schema([_carried_field(given.field(name)) for name in self.question.carried], self.stamp)

    def answer(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        rows, codes = read_rows(batch, self.question.columns, self.pooled.definitions, self._read_record)
        judged = [None if row.patient is None else self._judged(row) for row in rows]
        columns: dict[str, pa.Array] = {
            name: _carried(batch.column(name), batch.schema.field(name)) for name in self.question.carried
        }
        columns |= self._said(rows, judged, codes)
        columns |= self._figures(judged, codes)
        schema = self.schema(batch.schema)
        return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)

    def _read_record(self, text: str) -> Said:
        return read_record(text, self.pooled, self.question.date, infer=self.question.infer) if text else NOTHING

    def _judged(self, row: Row) -> Judged:
        key = row.patient, row.inferred
        found = self.judged.get(key)
        if found is None:
            if len(self.judged) >= _KEPT:
                self.judged.clear()
            assert row.patient is not None
            found = self.judged[key] = judge(self.pooled, row.patient, row.inferred, self.asked)
        return found

    def _said(self, rows: Sequence[Row], judged: Sequence[Judged | None], codes: Codes) -> dict[str, pa.Array]:
        """What is said of each row beside the figures."""
        take = pa.array(codes)
        problems = [_problems(row) for row in rows]
        read_as = [None if row.patient is None else list(row.patient.read_as) for row in rows]
        columns = {
            "problems": pa.array(problems, pa.list_(PROBLEM_TYPE)).take(take),
            "read_as": pa.array(read_as, pa.list_(pa.string())).take(take),
        }
        open_traits = [
            None if each is None else [trait for trait in self.acting if each.traits[trait].value is None]
            for each in judged
        ]
        columns["unknown_traits"] = pa.array(open_traits, pa.list_(pa.string())).take(take)
        for place, name in enumerate(self.layout.label_columns):
            states = [None if each is None else each.labels[place] for each in judged]
            columns[name] = pa.array(states, pa.string()).take(take)
        columns["findings"] = self._findings(judged, codes)
        return columns

    def _findings(self, judged: Sequence[Judged | None], codes: Codes) -> pa.Array:
        places = [
            [] if each is None else [self.told.setdefault(told, len(self.told)) for told in each.findings]
            for each in judged
        ]
        parts = zip(*self.told, strict=True) if self.told else ((), (), ())
        table = pa.StructArray.from_arrays(
            [pa.array(part, pa.string()) for part in parts], fields=[FINDING_TYPE.field(i) for i in range(3)]
        )
        offsets = np.zeros(len(places) + 1, dtype=np.int32)
        np.cumsum([len(each) for each in places], out=offsets[1:])
        flat = np.fromiter(chain.from_iterable(places), dtype=np.int64)
        missing = np.array([*(each is None for each in judged), False])
        lists = pa.ListArray.from_arrays(pa.array(offsets, mask=missing), table.take(pa.array(flat)))
        return lists.take(pa.array(codes))

    def _figures(self, judged: Sequence[Judged | None], codes: Codes) -> dict[str, pa.Array]:
        """States and figures; none of a row with problems, none where it is withheld."""
        unusable = np.array([each is None for each in judged], dtype=bool)[codes]
        taken = {place: np.zeros(len(judged), dtype=bool) for place in _places(self.layout.figures)}
        for row, one in enumerate(judged):
            for place in one.withheld if one is not None else ():
                taken.setdefault(place, np.zeros(len(judged), dtype=bool))[row] = True
        withheld = {place: mask[codes] for place, mask in taken.items()}
        columns = {
            cell.column: _states(cell.state, withheld.get((cell.outcome, cell.option)), unusable)
            for cell in self.layout.cells
        }
        moving = self._moving(judged)
        places, values = moving
        drawn = np.take(values, places[codes], axis=1)
        at = 0
        for each in self.layout.figures:
            hidden = unusable.copy()
            for option in each.options:
                hidden |= withheld[each.outcome, option]
            for name in each.names:
                if each.acting:
                    column = drawn[at]
                    at += 1
                else:
                    column = np.full(len(codes), self.still[name])
                columns[name] = pa.array(column, mask=hidden)
        return columns

    def _moving(self, judged: Sequence[Judged | None]) -> tuple[Codes, Array]:
        """Which set of figures each different row has, (rows,), and the sets, (figures, sets)."""
        keys: dict[Hashable, int] = {}
        sets: list[Array] = []
        places = np.zeros(len(judged), dtype=np.int64)
        for row, each in enumerate(judged):
            if each is None:
                continue
            key = tuple(each.traits[trait].modelled for trait in self.acting)
            if key not in keys:
                keys[key] = len(sets)
                sets.append(self._set(key, each))
            places[row] = keys[key]
        count = sum(len(each.names) for each in self.moving)
        return places, np.column_stack(sets) if sets else np.zeros((count, 1))

    def _set(self, key: Hashable, judged: Judged) -> Array:
        found = self.figures.get(key)
        if found is None:
            if len(self.figures) >= _KEPT:
                self.figures.clear()
            found = figures_of(self.pooled, judged.traits, self.question.setting, self.moving)
            self.figures[key] = found
        return found


def _places(figures: Sequence[Figures]) -> set[tuple[str, str]]:
    return {(each.outcome, option) for each in figures for option in each.options}


def _states(state: str, withheld: Mask | None, unusable: Mask) -> pa.Array:
    codes = np.zeros(unusable.size, dtype=np.int64) if withheld is None else withheld.astype(np.int64)
    return pa.array([state, _WITHHELD]).take(pa.array(codes, mask=unusable))


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
