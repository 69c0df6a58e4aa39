"""A batch of profiles is answered as `compare` answers each of them."""

from datetime import date

import pyarrow as pa
import pytest

from bcma_decide import Patient, compare
from bcma_decide.cohort.answer import answer_batch
from bcma_decide.cohort.cells import JSON_CELLS
from bcma_decide.cohort.question import CohortQuestion, choose_columns
from bcma_decide.patient.files import example_names, load_example
from tests.cohort.support.one_row import assert_same
from tests.cohort.support.tables import asked, batch_of, cells_of
from tests.golden.profiles import TYPED
from tests.support.patients import drawn_patients

ASKED = [
    {},
    {"setting": "interventional", "region": "EU", "date": date(2024, 1, 15)},
    {"region": "China"},
]


def as_text(values):
    """A typed profile as cells."""
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in values.items()
    }


def test_the_shipped_examples_are_answered_as_alone():
    rows = {name: cells_of(load_example(name)) for name in example_names()}
    batch = batch_of(rows)
    answers = answer_batch(batch, asked(batch)).to_pylist()
    assert [row["id"] for row in answers] == list(example_names())
    for row in answers:
        assert_same(row, compare(load_example(row["id"])))


@pytest.mark.slow
@pytest.mark.sample
@pytest.mark.parametrize("options", ASKED)
def test_extremes_and_drawn_patients_are_answered_as_alone(options):
    """Withheld numbers, ages beyond the studies, contradictions and spans among them."""
    rows = {name: as_text(values) for name, values in TYPED.items()}
    drawn = {f"drawn-{number}": cells_of(patient) for number, patient in enumerate(drawn_patients(60, seed=16))}
    rows |= drawn
    batch = batch_of(rows)
    answers = answer_batch(batch, asked(batch, **options)).to_pylist()
    states = set()
    for row in answers:
        assert row["problems"] == [], row["id"]
        assert_same(row, compare(Patient.read(rows[row["id"]]), **options))
        states |= {value for name, value in row.items() if name.endswith(".state")}
    assert "withheld" in states


def test_a_withheld_cell_has_no_number():
    batch = batch_of({"old": {"age": "104"}, "young": {"age": "60"}})
    old, young = answer_batch(batch, asked(batch)).to_pylist()
    assert old["orr.car_t.state"] == "withheld"
    assert [name for name, value in old.items() if name.startswith("orr.car_t.") and value is not None] == [
        "orr.car_t.state"
    ]
    assert old["orr.contrast.risk_difference"] is None
    assert young["orr.car_t.state"] == "estimated"


def test_a_row_that_cannot_be_used_says_why_and_has_no_number():
    batch = batch_of({"a": {"age": "300", "ferritin": "850"}, "b": {"age": "71"}})
    first, second = answer_batch(batch, asked(batch)).to_pylist()
    assert [(each["field"], bool(each["fix"])) for each in first["problems"]] == [("age", True), ("ferritin", False)]
    assert {name for name, value in first.items() if value is not None} == {"id", "problems"}
    assert second["problems"] == []
    assert_same(second, compare(Patient(age=71)))


def test_units_stand_in_the_heading_and_cells_may_say_unknown_never_or_a_span():
    table = pa.RecordBatch.from_pydict(
        {
            "ID": [1, 2, 3, 4],
            "creatinine [umol/L]": ["97,2", "unknown", ">=300", "1.1 mg/dL"],
            "live_vaccine [weeks]": ["never", "3", "", None],
            "CrCl [mL/min]": ["ckd 3b", "62", "30-45", None],
        }
    )
    answers = answer_batch(table, asked(table))
    assert answers.schema.field("ID").type == pa.int64()
    rows = answers.to_pylist()
    said = [
        {"creatinine": "97,2 umol/L", "live_vaccine": "never", "creatinine_clearance": "ckd 3b"},
        {"live_vaccine": "3 weeks", "creatinine_clearance": "62 mL/min"},
        {"creatinine": ">=300 umol/L", "creatinine_clearance": "30-45 mL/min"},
    ]
    for row, values in zip(rows, said, strict=False):
        assert_same(row, compare(Patient(**values)), carried=("ID",))
    assert "unit of its own" in rows[3]["problems"][0]["message"]


def test_numbers_truths_lists_and_dictionaries_are_cells_too():
    table = pa.RecordBatch.from_pydict(
        {
            "id": pa.array(["a", "b", "a"]).dictionary_encode(),
            "age": pa.array([71, None, 71], pa.int16()),
            "extramedullary_disease": pa.array([True, None, True]),
            "ferritin [ng/mL]": pa.array([850.0, float("nan"), 850.0]),
            "refractory_to": pa.array([["lenalidomide"], None, ["lenalidomide"]], pa.list_(pa.string())),
            "sex": pa.array(["f", None, "f"]).dictionary_encode(),
        }
    )
    answers = answer_batch(table, asked(table)).to_pylist()
    one = {
        "age": 71, "extramedullary_disease": True, "ferritin": "850 ng/mL", "refractory_to": ["lenalidomide"],
        "sex": "f",
    }  # fmt: skip
    for row, values in zip(answers, (one, {}, one), strict=True):
        assert_same(row, compare(Patient(**values)))


def test_words_of_a_mapping_and_cells_of_json():
    fields = [pa.field("id", pa.string(), metadata=JSON_CELLS), pa.field("age", pa.string(), metadata=JSON_CELLS),
              pa.field("emd", pa.string())]  # fmt: skip
    batch = pa.RecordBatch.from_arrays(
        [pa.array(['"a"', "7"]), pa.array(["71", '"64"']), pa.array(["2", "9"])], schema=pa.schema(fields)
    )
    columns, carried = choose_columns(batch.schema.names)
    words = (("1", "yes"), ("2", "no"), ("9", "unknown"))
    columns = tuple(each._replace(words=words) if each.name == "emd" else each for each in columns)
    answers = answer_batch(batch, CohortQuestion(columns, carried)).to_pylist()
    assert [row["id"] for row in answers] == ["a", "7"]
    assert_same(answers[0], compare(Patient(age=71, extramedullary_disease="no")))
    assert_same(answers[1], compare(Patient(age=64)))


def test_rows_come_out_as_they_go_in_whatever_the_batch():
    """Batches of one and of many give the same table, as does another order."""
    rows = {str(number): cells_of(patient) for number, patient in enumerate(drawn_patients(5, seed=3))}
    rows |= {"again": rows["2"], "bad": {"age": "-1"}}
    batch = batch_of(rows)
    question = asked(batch)
    whole = pa.Table.from_batches([answer_batch(batch, question)])
    single = pa.Table.from_batches([answer_batch(batch.slice(at, 1), question) for at in range(batch.num_rows)])
    assert whole.equals(single)
    backwards = pa.array(range(batch.num_rows - 1, -1, -1))
    assert whole.take(backwards).equals(pa.Table.from_batches([answer_batch(batch.take(backwards), question)]))


def test_nothing_is_answered_for_no_row():
    batch = batch_of({"a": {"age": "71"}})
    question = asked(batch)
    assert answer_batch(batch.slice(0, 0), question).schema == answer_batch(batch, question).schema


def test_versions_hash_and_intended_use_stand_with_the_table():
    batch = batch_of({"a": {"age": "71"}})
    metadata = answer_batch(batch, asked(batch, region="Germany")).schema.metadata
    comparison = compare(Patient(age=71), region="Germany")
    assert metadata[b"bcma_decide.evidence_hash"].decode() == comparison.evidence.hash
    assert metadata[b"bcma_decide.intended_use"].decode() == comparison.intended_use
    assert metadata[b"bcma_decide.region"] == b"EU"
    assert metadata[b"bcma_decide.date"].decode() == comparison.labels.date
