"""Lines of therapy inferred from dated doses, and that an inference settles nothing by itself."""

from bcma_decide import compare
from tests.fhir.reading.support.reading import only, read
from tests.fhir.reading.support.records import ICD10PCS, SNOMED, coded, given
from tests.support.cases import for_each

CPT = "http://www.ama-assn.org/go/cpt"
OPS = "http://fhir.de/CodeSystem/bfarm/ops"
_COUNTER = iter(range(10**6))


def on(day, drug):
    return given(f"a{next(_COUNTER)}", {"text": drug}, day=day)


def over(start, end, *drugs, status="completed"):
    period = {name: day for name, day in (("start", start), ("end", end)) if day}
    more = {"kind": "MedicationStatement", "day": None, "status": status, "effectivePeriod": period}
    return [given(f"s{next(_COUNTER)}", {"text": drug}, **more) for drug in drugs]


def transplant(day, concept=None, **more):
    return given(f"p{next(_COUNTER)}", concept or coded(CPT, "38241"), kind="Procedure", day=day, **more)


def ordered(day, drug):
    return given(f"r{next(_COUNTER)}", {"text": drug}, kind="MedicationRequest", day=day, intent="order")


INDUCTION = over("2020-01-06", "2020-04-20", "bortezomib", "lenalidomide", "dexamethasone")


@for_each(
    ("resources", "count"),
    [
        (INDUCTION, 1),
        ([*INDUCTION, on("2020-06-10", "melphalan"), *over("2020-09-15", "2023-08-01", "lenalidomide")], 1),
        ([*INDUCTION, on("2020-06-10", "melphalan"), *over("2020-09-15", "2023-08-01", "ixazomib")], 1),
        ([*INDUCTION, on("2020-05-01", "cyclophosphamide"), on("2020-06-10", "melphalan")], 1),
        ([*INDUCTION, on("2020-06-10", "melphalan"), on("2020-11-10", "melphalan")], 1),
        ([*INDUCTION, transplant("2020-06-11"), *over("2020-09-15", "2023-08-01", "daratumumab")], 1),
        ([*INDUCTION, transplant("2020-06-11", coded(OPS, "8-805.00")), on("2020-09-15", "daratumumab")], 1),
        ([*INDUCTION, transplant("2020-06-11", coded(ICD10PCS, "30243Y0")), on("2020-09-15", "daratumumab")], 1),
        ([*INDUCTION, transplant("2020-06-11", coded(SNOMED, "425983008")), on("2020-09-15", "daratumumab")], 1),
        ([*INDUCTION, transplant("2020-06-11", {"text": "ASCT"}), on("2020-09-15", "daratumumab")], 1),
        ([*INDUCTION, transplant("2020-06-11", {"text": "Transplantation of autologous hematopoietic stem cell"}),
          on("2020-09-15", "daratumumab")], 1),
        ([*INDUCTION, transplant("2020-06-11", status="not-done"), on("2020-09-15", "daratumumab")], 2),
        ([*INDUCTION, transplant("2020-06-11"), on("2020-12-09", "daratumumab")], 2),
        ([*INDUCTION, on("2020-09-15", "daratumumab")], 2),
        ([*INDUCTION, on("2022-06-10", "melphalan")], 2),
        (over("2020-01-06", "2020-09-20", "melphalan", "prednisone", "bortezomib"), 1),
        ([*INDUCTION, *over("2020-07-06", "2020-12-20", "melphalan", "prednisone")], 2),
        ([*INDUCTION, *over("2020-06-01", "2020-08-01", "bortezomib", "lenalidomide")], 1),
        ([*INDUCTION, *over("2021-06-01", "2021-08-01", "bortezomib", "lenalidomide")], 2),
    ],
    ids=["induction", "transplant", "other maintenance", "mobilisation", "tandem", "procedure", "German procedure",
         "inpatient procedure", "SNOMED", "by name", "SNOMED name", "not done", "long after it", "another drug",
         "late melphalan",
         "a regimen", "a second regimen", "paused", "paused too long"],
)  # fmt: skip
def test_induction_transplant_and_maintenance_are_one_line(resources, count):
    assert read(*resources, infer=True).patient.prior_lines == count


CELLS = {"text": "Carvykti"}


@for_each(
    ("resources", "count"),
    [
        ([on("2024-03-10", "Carvykti")], 2),
        ([on("2024-03-04", "cyclophosphamide"), on("2024-03-10", "Carvykti")], 2),
        ([on("2024-03-04", "fludarabine"), on("2024-03-04", "bendamustine"), on("2024-03-10", "Carvykti")], 2),
        ([*over("2024-01-20", "2024-02-20", "daratumumab", "pomalidomide"), on("2024-03-10", "Carvykti")], 2),
        ([*over("2023-11-20", "2024-02-20", "daratumumab", "pomalidomide"), on("2024-03-10", "Carvykti")], 3),
        ([*over("2024-01-20", "2024-04-20", "daratumumab", "pomalidomide"), on("2024-03-10", "Carvykti")], 3),
    ],
    ids=["cells", "lymphodepletion", "with fludarabine", "bridging", "a line before", "a line around"],
)
def test_bridging_and_lymphodepletion_are_no_line(resources, count):
    """Sixty days before 2024-03-10 is 2024-01-10."""
    assert read(*INDUCTION, *resources, infer=True).patient.prior_lines == count


@for_each(
    ("resources", "count"),
    [
        ([ordered("2020-01-06", "lenalidomide")], None),
        ([*INDUCTION, *(ordered(f"202{n}-11-01", "lenalidomide") for n in range(6))], 1),
        ([*INDUCTION, ordered("2021-11-01", "daratumumab")], None),
        (over("2020-01-06", None, "lenalidomide", status="active"), 1),
        ([*over("2020-01-06", None, "lenalidomide", status="active"), on("2026-10-01", "lenalidomide")], 1),
        ([*INDUCTION, on("2020-11", "daratumumab")], None),
        ([*INDUCTION, *over("2020-11", "2021-03-01", "daratumumab")], None),
        ([*INDUCTION, *over("2020-11-01", "2021-03", "daratumumab")], None),
        ([transplant("2020-06-11")], None),
    ],
    ids=["orders alone", "repeat orders", "another drug ordered", "ongoing", "ongoing and given", "a month",
         "from a month", "to a month", "a transplant alone"],
)  # fmt: skip
def test_orders_make_no_line_and_only_exact_days_do(resources, count):
    assert read(*resources, infer=True).patient.prior_lines == count


def test_a_transplant_is_told_and_is_no_field():
    reading = read(transplant("2020-06-11"))
    assert reading.values == {}
    (line,) = [line for line in reading.ledger.inputs if line.label == "Transplantation"]
    assert (line.field, line.state, line.date) == ("", "note", "2020-06-11")


DRUGS = ("lenalidomide", "bortezomib", "daratumumab", "pomalidomide")


def items(comparison, name="prior_lines"):
    """Items of every label in force that ask for lines or therapies."""
    return [
        item
        for label in comparison.indications.values()
        for each in label.regimens
        for item in each.items
        if "earlier lines" in item.text or "earlier therapies" in item.text
    ]


def test_inferred_lines_are_marked_and_settle_no_label():
    resources = [line for n, drug in enumerate(DRUGS) for line in over(f"202{n}-01-06", f"202{n}-05-01", drug)]
    for region in ("US", "EU"):
        reading = read(*resources, infer=True)
        assert (reading.patient.prior_lines, only(reading, "prior_lines").state) == (4, "inferred")
        inferred = compare(reading.patient, record=reading.ledger, region=region)
        said = compare(reading.patient, region=region)
        assert {item.state for item in items(said)} == {"met"}
        assert {item.state for item in items(inferred)} == {"cannot_be_judged"}
        assert all(item.needs for item in items(inferred))
        assert "met" not in {each.state for label in inferred.indications.values() for each in label.regimens}
        assert inferred.outcomes == said.outcomes
        trait = next(line for line in inferred.profile.traits if line.trait == "prior_lines")
        assert "inferred from the record" in trait.how


def test_too_few_inferred_lines_rule_no_label_out():
    reading = read(*over("2020-01-06", "2020-05-01", "lenalidomide"), infer=True)
    inferred = compare(reading.patient, record=reading.ledger)
    said = compare(reading.patient)
    assert "not_met" in {item.state for item in items(said)}
    assert {item.state for item in items(inferred)} == {"cannot_be_judged"}


def test_stated_lines_settle_labels_beside_a_record():
    reading = read(*over("2020-01-06", "2020-05-01", "lenalidomide"))
    patient = reading.patient.model_copy(update={"prior_lines": 5})
    assert {item.state for item in items(compare(patient, record=reading.ledger))} == {"met"}
