"""Drugs: recognised step by step, counted only where given, and the BCMA courses among them."""

from datetime import date

import pytest

from tests.fhir.reading.support.reading import lines, only, read
from tests.fhir.reading.support.records import ATC, ICD10PCS, NDC, RXNORM, coded, given
from tests.support.cases import for_each

HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
LENALIDOMIDE = coded(RXNORM, "342369")


@for_each(
    ("concept", "drug", "layer"),
    [
        (coded(RXNORM, "342369"), "lenalidomide", "ingredient"),
        (coded(RXNORM, "2619438"), "teclistamab", "product"),
        (coded(RXNORM, "2375130"), "daratumumab", "product"),
        (coded(NDC, "57894-449"), "teclistamab", "ndc"),
        (coded(NDC, "57894-449-01"), "teclistamab", "ndc"),
        (coded(NDC, "57894044901"), "teclistamab", "ndc"),
        (coded(NDC, "0173-0913-01"), "belantamab mafodotin", "ndc"),
        (coded(NDC, "00173091301"), "belantamab mafodotin", "ndc"),
        (coded(ATC, "L01FC02"), "isatuximab", "atc"),
        (coded(HCPCS, "Q2055"), "idecabtagene vicleucel", "procedure"),
        ({"text": "Tecvayli"}, "teclistamab", "name"),
        ({"text": "teclistamab-cqyv 153 MG in 1.7 ML Injection"}, "teclistamab", "name"),
        ({"text": "elranatamab-bcmm"}, "elranatamab", "name"),
        ({"text": "talquetamab-tgvs"}, "talquetamab", "name"),
        ({"text": "linvoseltamab-gcpt"}, "linvoseltamab", "name"),
        ({"text": "Bortezomib 3.5 MG Injection [Velcade]"}, "bortezomib", "name"),
        (
            {"coding": [*coded(RXNORM, "342369")["coding"], *coded(ATC, "L04AX04")["coding"]]},
            "lenalidomide",
            "ingredient",
        ),
        (coded(RXNORM, "387544", "bortezomib"), "bortezomib", "name"),
    ],
)
def test_the_step_that_recognised_a_drug_is_recorded(concept, drug, layer):
    reading = read(given("d", concept))
    assert reading.patient.received == (drug,)
    assert lines(reading, "received")[0].layer == layer


@for_each(
    "concept",
    [coded(RXNORM, "387544"), coded(RXNORM, "1295214"), coded("http://local.example", "342369"),
     coded(NDC, "5789404490"), {"text": "Wonderdrug"}, {"text": "chemotherapy"}, {"text": "BCMA"}, {"text": "VRd"}],
)  # fmt: skip
def test_what_is_not_recognised_is_listed(concept):
    reading = read(given("d", concept))
    assert reading.values == {}
    assert [line.kind for line in reading.ledger.unmapped] == ["drug"]


def test_a_code_that_was_never_checked_names_no_drug():
    reading = read(given("d", coded(HCPCS, "J1323")))
    assert reading.values == {}
    assert only(reading, "received").state == "not_usable"


@pytest.mark.parametrize(
    "concept",
    [coded(RXNORM, "358258", "lenalidomide"),
     {"coding": [*coded(RXNORM, "342369")["coding"], *coded(RXNORM, "358258")["coding"]]},
     {"text": "Revlimid", "coding": [{"system": "http://local.example", "code": "1", "display": "Velcade"}]}],
)  # fmt: skip
def test_a_code_and_a_name_of_different_drugs_are_not_used(concept):
    reading = read(given("d", concept))
    assert reading.values == {}
    assert "different drugs" in only(reading, "received").note


@for_each(
    ("kind", "status", "counts"),
    [
        ("MedicationAdministration", "completed", True),
        ("MedicationAdministration", "stopped", True),
        ("MedicationAdministration", "not-done", False),
        ("MedicationAdministration", "entered-in-error", False),
        ("MedicationStatement", "active", True),
        ("MedicationStatement", "not-taken", False),
        ("MedicationStatement", "intended", False),
        ("MedicationStatement", "unknown", False),
        ("MedicationRequest", "completed", True),
        ("MedicationRequest", "active", False),
        ("MedicationRequest", "draft", False),
        ("MedicationRequest", "cancelled", False),
        ("Procedure", "completed", True),
        ("Procedure", "not-done", False),
        ("Procedure", "preparation", False),
        ("MedicationAdministration", None, False),
    ],
)
def test_only_what_was_given_counts(kind, status, counts):
    concept = coded(HCPCS, "Q2056") if kind == "Procedure" else LENALIDOMIDE
    reading = read(given("d", concept, kind=kind, status=status))
    assert bool(reading.patient.received) is counts
    assert (lines(reading, "received")[0].state == "used") is counts


def test_a_plan_is_not_a_treatment():
    assert read(given("d", LENALIDOMIDE, kind="MedicationRequest", intent="plan")).values == {}
    assert read(given("d", LENALIDOMIDE, kind="MedicationRequest", doNotPerform=True)).values == {}
    assert read(given("d", LENALIDOMIDE, day="2026-12-24")).values == {}


def test_given_says_nothing_of_refractory():
    patient = read(given("d", LENALIDOMIDE)).patient
    assert (patient.refractory_to, patient.exposed_to, patient.naive_to) == ((), (), ())


def test_a_medication_is_found_by_reference_inside_and_beside():
    inside = given("a", None, contained=[{"resourceType": "Medication", "id": "m", "code": LENALIDOMIDE}],
                   medicationReference={"reference": "#m"})  # fmt: skip
    beside = given("b", None, medicationReference={"reference": "Medication/v"})
    medication = {"resourceType": "Medication", "id": "v", "code": {"text": "Velcade"}}
    assert set(read(inside, beside, medication).patient.received) == {"lenalidomide", "bortezomib"}
    assert read(beside).values == {}


def test_a_regimen_names_its_drugs():
    assert read(given("d", {"text": "Lenalidomide/bortezomib/dexamethasone"})).patient.received == (
        "bortezomib", "lenalidomide", "dexamethasone",
    )  # fmt: skip


def test_many_records_of_one_drug_are_one_line():
    reading = read(*(given(f"d{n}", LENALIDOMIDE, day=f"2025-0{n}-01") for n in range(1, 8)))
    line = only(reading, "received")
    assert (line.date, line.note) == ("2025-07-01", "7 records")


@for_each(
    ("day", "months"),
    [
        ("2026-04-25", 7),
        ("2026-04-26", 6),
        ("2026-11-25", 0),
        ("2025-11-20", 12),
        ("2026-04", None),
        ("2025", None),
        (None, None),
    ],
)
def test_months_since_a_car_t(day, months):
    reading = read(given("p", coded(ICD10PCS, "XW033A7"), kind="Procedure", day=day))
    (course,) = reading.patient.prior_bcma_courses
    assert (course.kind, course.months_since) == ("car_t", months)
    assert reading.patient.received == ("ciltacabtagene autoleucel",)


def test_a_course_counts_from_its_last_dose():
    doses = [given(f"t{n}", coded(RXNORM, "2619432"), day=f"2026-0{n}-10") for n in (1, 2, 3)]
    (course,) = read(*doses).patient.prior_bcma_courses
    assert (course.kind, course.months_since) == ("bispecific", 8)


def test_a_car_t_without_a_product_is_no_bcma_therapy():
    reading = read(given("p", coded(ICD10PCS, "XW033C3"), kind="Procedure", day="2020-05-01"))
    assert reading.patient.prior_t_cell_redirection is True
    assert reading.patient.prior_bcma is None
    assert reading.patient.prior_bcma_courses == ()


def test_another_procedure_is_listed_and_changes_nothing():
    reading = read(given("p", coded(ICD10PCS, "0DJD8ZZ", "Colonoscopy"), kind="Procedure"))
    assert reading.values == {}
    assert [(line.kind, line.text) for line in reading.ledger.unmapped] == [("procedure", "Colonoscopy")]


def doses(*days, concept=LENALIDOMIDE, name="d"):
    return [given(f"{name}{day}", concept, day=day) for day in days]


@for_each(
    ("resources", "count"),
    [
        (doses("2024-01-01", "2024-01-29", "2024-02-26"), 1),
        (doses("2024-01-01") + doses("2024-01-29", concept={"text": "Velcade"}, name="v"), 1),
        (doses("2024-01-01") + doses("2024-01-30", concept={"text": "Velcade"}, name="v"), 2),
        (doses("2024-01-01", "2024-06-29"), 1),
        (doses("2024-01-01", "2024-06-30"), 2),
        (doses("2024-01-01") + doses("2024-06-01", concept={"text": "dexamethasone"}, name="x"), 1),
    ],
    ids=["one era", "28 days later", "29 days later", "180 days apart", "181 days apart", "a steroid alone"],
)
def test_lines_are_inferred_from_eras_windows_and_gaps(resources, count):
    """2024-01-01 to 2024-06-29 are 180 days, counted by hand: 30+29+31+30+31+29."""
    reading = read(*resources, infer=True)
    assert reading.patient.prior_lines == count
    assert only(reading, "prior_lines").state == "inferred"


def test_lines_are_not_used_unless_asked_for():
    reading = read(*doses("2024-01-01"))
    assert "prior_lines" not in reading.values
    assert (only(reading, "prior_lines").layer, only(reading, "prior_lines").state) == ("inferred", "not_usable")


@pytest.mark.parametrize("day", ["2024-01", None])
def test_lines_cannot_be_inferred_without_exact_dates(day):
    assert "prior_lines" not in read(*doses("2023-01-01"), given("x", {"text": "Velcade"}, day=day), infer=True).values


def test_the_day_is_the_one_asked_for():
    reading = read(given("p", coded(ICD10PCS, "XW033A7"), kind="Procedure", day="2026-04-25"), on=date(2027, 4, 25))
    assert reading.patient.prior_bcma_courses[0].months_since == 12
