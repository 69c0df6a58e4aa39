"""What makes a record of a drug a dose: its status, its words, its product, and when it was."""

from tests.fhir.reading.support.reading import lines, only, read
from tests.fhir.reading.support.records import ATC, ICD10PCS, NDC, RXNORM, SNOMED, coded, given
from tests.support.cases import for_each

LENALIDOMIDE, TECLISTAMAB = coded(RXNORM, "342369"), coded(RXNORM, "2619432")
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
CPT = "http://www.ama-assn.org/go/cpt"
OPS = "http://fhir.de/CodeSystem/bfarm/ops"
GERMAN_ATC = "http://fhir.de/CodeSystem/bfarm/atc"
ORDER, ADMINISTRATION, STATEMENT = "MedicationRequest", "MedicationAdministration", "MedicationStatement"


def order(name="r", concept=LENALIDOMIDE, **more):
    return given(name, concept, kind=ORDER, intent="order", **more)


def text(words):
    return {"text": words}


# Codes


@for_each(
    ("concept", "drug"),
    [
        (coded(GERMAN_ATC, "L01FX24"), "teclistamab"),
        (coded(ATC, "L01FX32"), "elranatamab"),
        (coded(ATC, "l01fx29"), "talquetamab"),
        (coded(ATC, "L01F X32"), "elranatamab"),
        (coded(ATC, "L01XL05"), "ciltacabtagene autoleucel"),
        (coded(ATC, "L01XL07"), "idecabtagene vicleucel"),
        (coded(ATC, "L01XX52"), "venetoclax"),
        (coded(ATC, "H02AB06"), "prednisone"),
        (coded(HCPCS, "J9380"), "teclistamab"),
        (coded(NDC, "57894-449-01"), "teclistamab"),
        (coded(NDC, "57894-0449-01"), "teclistamab"),
        (coded(NDC, "57894044901"), "teclistamab"),
        (coded(NDC, "5789444901"), "teclistamab"),
        (coded(NDC, "0069-4494-02"), "elranatamab"),
        (coded(NDC, "00069-4494-02"), "elranatamab"),
        (coded(NDC, "00069449402"), "elranatamab"),
        (coded(NDC, "0069449402"), "elranatamab"),
        (coded(NDC, "00069-2522-02"), "elranatamab"),
    ],
)
def test_a_drug_is_known_by_every_form_of_its_codes(concept, drug):
    assert read(given("d", concept)).patient.received == (drug,)


@for_each("code", ["57894-449-0123", "7894449", "578944490", "0578944490", "57894-44", "57894 449 01"])
def test_what_is_no_code_of_a_product_is_listed(code):
    reading = read(given("d", coded(NDC, code)))
    assert reading.values == {}
    assert [line.kind for line in reading.ledger.unmapped] == ["drug"]


@for_each(
    "concept",
    [coded(CPT, code) for code in ("38225", "38226", "38227", "0537T", "0538T")] + [coded(OPS, "5-410.30")],
)
def test_steps_on_the_way_to_cells_are_shown_and_no_dose(concept):
    for words in ({}, text("Carvykti")):
        reading = read(given("p", concept | words, kind="Procedure"))
        assert reading.values == {}
        line = only(reading, "received")
        assert line.state == "not_usable"
        assert "cells were" in line.note


@for_each("concept", [coded(CPT, "38228"), coded(CPT, "0540T"), coded(SNOMED, "1156961008")])
def test_cells_that_were_given_without_a_product_are_redirection_of_unknown_target(concept):
    patient = read(given("p", concept, kind="Procedure")).patient
    assert (patient.prior_t_cell_redirection, patient.prior_bcma, patient.received) == (True, None, ())
    assert read(given("p", concept | text("CAR-T infusion planned"), kind="Procedure")).values == {}
    named = read(given("p", concept | text("Carvykti"), kind="Procedure")).patient
    assert named.received == ("ciltacabtagene autoleucel",)


def test_a_code_that_nobody_saw_is_shown_and_not_used():
    reading = read(given("p", coded(OPS, "8-802.24"), kind="Procedure"))
    assert reading.values == {}
    assert "background" in only(reading, "prior_t_cell_redirection").note


@for_each(
    "words",
    ["Elrexfio", "Mosunetuzumab", "Rituximab", "Tecvayli education", "Tecvayli, not given", "something else",
     "Fludarabine", "Tecvayli (wife)"],
)  # fmt: skip
def test_words_that_say_something_else_than_their_code_are_not_used(words):
    for kind in (ADMINISTRATION, STATEMENT):
        reading = read(given("d", coded(ATC, "L01FX24", words), kind=kind))
        assert reading.values == {}
        assert only(reading, "received").state == "not_usable"


@for_each(
    "display",
    [
        "Introduction of Ciltacabtagene Autoleucel into Central Vein, Percutaneous Approach, New Technology Group 7",
        "Ciltacabtagene autoleucel, central vein",
        "CARVYKTI",
    ],
)
def test_the_wording_of_a_code_beside_it_changes_nothing(display):
    """The first is longer than what is shown of a text: all of it is read all the same."""
    concept = {"coding": [{"system": ICD10PCS, "code": "XW043A7", "display": display}]}
    assert read(given("p", concept, kind="Procedure")).patient.received == ("ciltacabtagene autoleucel",)
    cut = {"coding": [{"system": ICD10PCS, "code": "XW043A7", "display": f"{display}{' ' * 80} was not performed"}]}
    assert read(given("p", cut, kind="Procedure")).values == {}


@for_each("words", ["Fludarabine", "fludarabine 30 mg/m2 IV", "Tocilizumab 8 mg/kg", "RoActemra", "Zometa 4 mg"])
def test_drugs_that_say_nothing_of_the_myeloma_are_not_needed(words):
    reading = read(given("d", text(words)))
    assert (reading.values, reading.ledger.unmapped) == ({}, ())
    assert sum(line.count for line in reading.ledger.not_needed) == 1


# Words beside a status


@for_each(
    "said",
    [
        {"statusReason": text("Manufacturing slot not available; therapy never started")},
        {"statusReason": text("Patient declined")},
        {"statusReason": text("Insurance denied")},
        {"statusReason": text("stopped before first dose")},
        {"statusReason": text("vor der ersten Gabe abgebrochen")},
        {"note": [{"text": "Dose not administered."}]},
        {"note": [{"text": "Medikament wurde nicht gegeben"}]},
        {"note": [{"text": "entered in error"}]},
        {"note": [{"text": "stopped before the first dose"}]},
        {"note": [{"text": "Product discarded, cells were out of specification"}]},
        {"note": [{"text": "wife's medication"}]},
        {"dosage": [{"text": "do not give"}]},
        {"statusReason": {"coding": [{"code": "x", "display": "Refused by patient"}]}},
    ],
)
def test_what_says_that_it_was_never_given_counts_more_than_the_status(said):
    for kind, status in (
        (ADMINISTRATION, "stopped"),
        (STATEMENT, "stopped"),
        (STATEMENT, "completed"),
        (ORDER, "completed"),
    ):
        more = {"intent": "order"} if kind == ORDER else {}
        reading = read(given("d", TECLISTAMAB, kind=kind, status=status, **said, **more))
        assert reading.values == {}
        assert only(reading, "received").state == "not_usable"


@for_each(
    "said",
    [
        {},
        {"note": [{"text": "Tolerated without complications, no reactions."}]},
        {"note": [{"text": "Dose reduced because of neutropenia"}]},
        {"note": [{"text": "Premedication given 30 minutes before infusion; labs checked before first dose"}]},
        {"note": [{"text": "Waste: 36 mg discarded, 0.4 mL wasted"}]},
        {"note": [{"text": "Sister at bedside. Patient denies pain, denied nausea."}]},
        {"note": [{"text": "No dose adjustment necessary"}]},
        {"statusReason": text("Toxicity")},
        {"dosage": {"text": "76 mg SC weekly"}},
    ],
)
def test_what_is_said_of_a_dose_that_was_given_does_not_take_it_away(said):
    assert read(given("d", TECLISTAMAB, status="stopped", **said)).patient.received == ("teclistamab",)


@for_each(
    ("status", "said", "counts"),
    [
        ("completed", {}, True),
        ("completed", {"statusReason": text("therapy completed")}, True),
        ("completed", {"statusReason": text("see chart")}, False),
        ("completed", {"note": [{"text": "on hold for insurance"}]}, False),
        ("completed", {"note": [{"text": "replaced by new order"}]}, False),
        ("completed", {"dosageInstruction": [{"text": "25 mg daily. Do not crush. Not with food."}]}, True),
        ("completed", {"dosageInstruction": [{"text": "do not give"}]}, False),
        ("stopped", {}, False),
        ("stopped", {"statusReason": text("Toxicity")}, True),
        ("stopped", {"statusReason": text("Disease progression")}, True),
        ("stopped", {"statusReason": text("Progress unter Therapie")}, True),
        ("stopped", {"statusReason": text("toxicity of the drug given before")}, False),
        ("stopped", {"statusReason": text("alt-therapy")}, False),
        ("stopped", {"note": [{"text": "toxicity"}]}, False),
        ("active", {}, False),
        ("on-hold", {}, False),
        ("unknown", {}, False),
        ("cancelled", {}, False),
        ("draft", {}, False),
    ],
)
def test_an_order_alone_is_weak(status, said, counts):
    reading = read(order(status=status, **said))
    assert bool(reading.patient.received) is counts
    assert (only(reading, "received").state == "used") is counts


def test_a_stopped_order_alone_is_no_exposure_to_a_drug_against_bcma():
    stopped = order(concept=TECLISTAMAB, status="stopped", statusReason=text("Toxicity"))
    assert read(stopped).values == {}
    assert read(stopped, given("a", TECLISTAMAB)).patient.received == ("teclistamab",)


NOT_GIVEN = (
    given("n", TECLISTAMAB, status="not-done"),
    given("n", TECLISTAMAB, kind=STATEMENT, status="not-taken"),
    given("n", TECLISTAMAB, kind=STATEMENT, taken="n"),
    given("n", TECLISTAMAB, wasNotGiven=True),
)


@for_each("denial", NOT_GIVEN)
def test_an_order_does_not_count_where_another_record_says_that_it_was_not_given(denial):
    for weak in (order(concept=TECLISTAMAB), given("d", TECLISTAMAB, kind="MedicationDispense", day=None)):
        reading = read(weak, denial)
        assert reading.values == {}
        assert "not_usable" in {line.state for line in lines(reading, "received")}
        assert read(weak, denial, given("a", TECLISTAMAB)).patient.received == ("teclistamab",)
        assert read(weak | {"medicationCodeableConcept": LENALIDOMIDE}, denial).patient.received == ("lenalidomide",)


def test_a_statement_that_it_was_taken_denies_nothing():
    taken_so = given("n", TECLISTAMAB, kind=STATEMENT, status="unknown", taken="y")
    assert read(order(concept=TECLISTAMAB), taken_so).patient.received == ("teclistamab",)


@for_each("intent", ["plan", "proposal", "option", "directive", "something"])
def test_what_is_not_an_order_is_a_plan(intent):
    assert read(given("d", LENALIDOMIDE, kind=ORDER, intent=intent)).values == {}


@for_each("value", [True, "true", "True", "1", "yes", "Yes", 1, "perhaps", "", {}, []])
def test_an_order_not_to_give_it_is_no_dose_however_it_is_written(value):
    assert read(order(doNotPerform=value)).values == {}


@for_each("value", [False, "false", "no", "0"])
def test_an_order_that_forbids_nothing_counts(value):
    assert read(order(doNotPerform=value)).patient.received == ("lenalidomide",)


@for_each(
    "more",
    [
        {"dosage": {"dose": {"value": 0, "unit": "mg"}}},
        {"dosage": {"dose": {"value": 0.0}}},
        {"dosage": [{"doseAndRate": [{"doseQuantity": {"value": 0}}]}]},
        {"category": {"coding": [{"system": SNOMED, "code": "409073007"}]}},
        {"category": text("Patient education")},
        {"category": [text("Counselling")]},
    ],
)
def test_nothing_of_a_drug_is_no_dose(more):
    reading = read(given("d", TECLISTAMAB, **more))
    assert reading.values == {}
    assert only(reading, "received").state == "not_usable"


def test_a_category_that_says_nothing_of_it_changes_nothing():
    assert read(given("d", TECLISTAMAB, category=text("Inpatient"))).patient.received == ("teclistamab",)


# Products


def product(**more):
    return {"resourceType": "Medication", "id": "m", **more}


def taken_of(medication, **more):
    return [given("s", None, kind=STATEMENT, medicationReference={"reference": "Medication/m"}, **more), medication]


def test_a_product_entered_in_error_makes_no_dose_and_an_inactive_one_does():
    code = coded(NDC, "57894-449-01", "Tecvayli")
    assert read(*taken_of(product(code=code, status="entered-in-error"))).values == {}
    assert read(*taken_of(product(code=code, status="inactive"))).patient.received == ("teclistamab",)
    inside = given("s", None, kind=STATEMENT, medicationReference={"reference": "#m"},
                   contained=[product(code=code, status="entered-in-error")])  # fmt: skip
    assert read(inside).values == {}


def ingredient(concept, **more):
    return {"itemCodeableConcept": concept, **more}


@for_each(
    ("parts", "received"),
    [
        ([ingredient(TECLISTAMAB)], ("teclistamab",)),
        ([ingredient(text("bortezomib")), ingredient(text("dexamethasone"))], ("bortezomib", "dexamethasone")),
        ([ingredient(TECLISTAMAB, isActive=True)], ("teclistamab",)),
        ([ingredient(TECLISTAMAB, isActive=False)], ()),
        ([ingredient(TECLISTAMAB, strength={"numerator": {"value": 0, "unit": "mg"}})], ()),
        ([ingredient(text("teclistamab placebo"))], ()),
        ([{"item": {"concept": TECLISTAMAB}}], ("teclistamab",)),
        ([{"itemReference": {"reference": "Medication/other"}}], ()),
    ],
)
def test_a_product_without_a_code_is_what_it_consists_of(parts, received):
    reading = read(*taken_of(product(ingredient=parts)))
    assert reading.patient.received == received
    assert received or reading.ledger.unmapped or lines(reading, "received")


def test_ingredients_of_another_drug_than_the_name_are_not_used():
    medication = product(code=text("Tecvayli"), ingredient=[ingredient(text("elranatamab"))])
    assert read(*taken_of(medication)).values == {}


def test_the_concept_of_a_newer_version_is_read():
    newer = given("d", None, medication={"concept": TECLISTAMAB})
    assert read(newer).patient.received == ("teclistamab",)
    inside = given("d", None, medication={"reference": {"reference": "Medication/m"}})
    assert read(inside, product(code=TECLISTAMAB)).patient.received == ("teclistamab",)


# Time


def months(*resources):
    (course,) = read(*resources).patient.prior_bcma_courses
    return course.months_since


def taken(name="s", status="completed", concept=TECLISTAMAB, **period):
    return given(name, concept, kind=STATEMENT, day=None, status=status, effectivePeriod=period)


@for_each(
    ("resources", "expected"),
    [
        ([taken(start="2025-01-10", end="2026-04-25")], 7),
        ([taken(status="active", start="2025-01-10")], None),
        ([taken(status="active", start="2025-01-10", end="2026-04-25")], None),
        ([taken(start="2025-01-10")], None),
        ([taken(start="2025-01-10", end="2026-04")], None),
        ([taken(start="2025-01-10", end="2027-04-25")], None),
        ([taken(start="2025", end="2026-04-25")], 7),
        ([given("a", TECLISTAMAB, day="2026-04-25"), taken(status="active", start="2025-01-10")], None),
        ([given("a", TECLISTAMAB, day="2026-04-25"), taken("b", start="2025-01-10", end="2025-06-01")], 7),
        ([given("s", TECLISTAMAB, kind=STATEMENT, day=None, dateAsserted="2026-04-25")], None),
        ([order(concept=TECLISTAMAB, day="2026-04-25")], None),
        ([order(concept=TECLISTAMAB, day="2025-04-25"), given("a", TECLISTAMAB, day="2026-04-25")], 7),
        ([order(concept=TECLISTAMAB, day="2026-10-25"), given("a", TECLISTAMAB, day="2026-04-25")], None),
        ([given("a", TECLISTAMAB, kind="MedicationDispense", day=None, whenPrepared="2026-04-25")], None),
        ([given("a", TECLISTAMAB, kind="MedicationDispense", day=None, whenHandedOver="2026-04-25")], 7),
        ([given("a", TECLISTAMAB, day="2026-04-25T23:30:00-05:00")], 7),
        ([given("a", TECLISTAMAB, day=None, effectivePeriod={"start": "2026-04-25T08:00:00Z"})], 7),
        ([given("a", TECLISTAMAB, day=None, occurenceDateTime="2026-04-25")], 7),
    ],
)
def test_only_doses_date_a_course(resources, expected):
    """On 2026-11-25, seven months and a day or more after 2026-04-25."""
    assert months(*resources) == expected


def test_the_ledger_says_why_there_are_no_months():
    ongoing = only(read(taken(status="active", start="2025-01-10")), "prior_bcma_courses")
    assert (ongoing.text, ongoing.date, ongoing.note) == (
        "teclistamab", "2025-01-10", "ongoing: there is no last dose yet",
    )  # fmt: skip
    ordered = only(read(order(concept=TECLISTAMAB)), "prior_bcma_courses")
    assert "the day of a dose is not recorded" in ordered.note


def test_a_course_carries_its_own_date():
    old, new = given("l", LENALIDOMIDE, day="2019-01-10"), given("m", LENALIDOMIDE, day="2026-11-01")
    doses = [given(f"t{n}", TECLISTAMAB, day=day) for n, day in enumerate(("2025-01-10", "2026-04-25", "2025-09-01"))]
    reading = read(old, *doses, new)
    assert reading.patient.prior_bcma_courses[0].months_since == 7
    assert only(reading, "prior_bcma_courses").date == "2026-04-25"


@for_each(
    "resource",
    [
        given("a", TECLISTAMAB, day="2027-01-10"),
        taken(status="active", start="2027-01-10"),
        order(concept=TECLISTAMAB, day="2027-01-10"),
        given("s", TECLISTAMAB, kind=STATEMENT, day=None, dateAsserted="2027-01-10"),
    ],
)
def test_what_lies_ahead_is_no_dose(resource):
    reading = read(resource)
    assert reading.values == {}
    assert only(reading, "received").state == "ignored"


def test_a_long_or_strange_text_is_shown_short_and_plain():
    words = f"Tecvayli \x1b[31m{'injection ' * 12}not given"
    shown = only(read(given("d", text(words))), "received")
    assert len(shown.text) <= 80
    assert shown.text.isprintable()
    assert shown.note.isprintable()
    strange = read(given("d", text(f"Wonderdrug \x1b[31m{'x' * 200}"))).ledger.unmapped[0]
    assert len(strange.text) <= 80
    assert strange.text.isprintable()
