"""Records of an export are answered as `compare --fhir` answers each, in whatever order their resources stand."""

import json
from datetime import date

import pytest

from bcma_decide import compare
from bcma_decide.cohort.answer import answer_batch
from bcma_decide.cohort.question import RECORD, CohortQuestion, Column
from bcma_decide.cohort.tables import open_table
from bcma_decide.comparing.compare import load_pooled
from bcma_decide.fhir.reading.reader import read_bundle
from tests.cohort.support.one_row import assert_same
from tests.support.places import RECORDS

DAY = date(2026, 11, 25)
NAMES = ("prior-car-t-63", "renal-74")
QUESTION = CohortQuestion((Column(RECORD, RECORD),), ("id",), date=DAY)


def bundles():
    texts = {name: (RECORDS / f"{name}.json").read_text(encoding="utf-8") for name in NAMES}
    # the shipped records call their patient by the same id
    named = (t.replace("Patient/example", f"Patient/{n}").replace('"example"', f'"{n}"') for n, t in texts.items())
    return [json.loads(text) for text in named]


def patient_of(bundle):
    return next(e["resource"]["id"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient")


def compared(bundle):
    pooled = load_pooled()
    reading = read_bundle(bundle, pooled.codes, pooled.definitions, DAY)
    return compare(reading.patient, record=reading.ledger, date=DAY)


def answers(path, folder):
    table = open_table(path, folder)
    rows = [row for batch in table.read(1) for row in answer_batch(batch, QUESTION).to_pylist()]
    assert len(rows) == table.rows
    return {row["id"]: row for row in rows}


@pytest.mark.parametrize("kind", ["bundles", "resources", "folder"])
def test_records_are_answered_as_alone(tmp_path, kind):
    given = bundles()
    resources = [entry["resource"] for bundle in given for entry in bundle["entry"]]
    resources.sort(key=lambda each: each["resourceType"])
    path = tmp_path / "export.ndjson"
    if kind == "bundles":
        path.write_text("".join(json.dumps(bundle) + "\n" for bundle in given))
    elif kind == "resources":
        path.write_text("".join(json.dumps(each) + "\n" for each in resources))
    else:
        path = tmp_path / "export"
        path.mkdir()
        for each in resources:
            with (path / f"{each['resourceType']}.ndjson").open("a") as file:
                file.write(json.dumps(each) + "\n")
    found = answers(path, tmp_path / "parts")
    assert len(found) == len(NAMES)
    for bundle in given:
        assert_same(found[patient_of(bundle)], compared(bundle))


def test_a_line_that_is_no_resource_is_a_row_with_its_problem(tmp_path):
    path = tmp_path / "export.ndjson"
    resources = [json.dumps(entry["resource"]) for entry in bundles()[0]["entry"]]
    path.write_text("\n".join([*resources, '{"resourceType": "Observ', ""]))
    found = answers(path, tmp_path / "parts")
    assert len(found) == 2
    assert "not JSON" in found[None]["problems"][0]["message"]
