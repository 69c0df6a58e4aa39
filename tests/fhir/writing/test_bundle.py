"""FHIR out: valid R4, faithful to the comparison, told alike for both classes, the same bytes again."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, partial

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given

from bcma_decide.comparing.compare import compare, load_pooled
from bcma_decide.fhir.reading.reader import read_bundle
from bcma_decide.fhir.writing.bundle import bundle_json, fhir_bundle, patient_reference
from bcma_decide.patient.files import example_names, load_example
from bcma_decide.patient.profile import Patient
from bcma_decide.vocabulary import INTENDED_USE, OUTCOMES
from tests.fhir.reading.support.drawn import records
from tests.fhir.reading.support.records import BUNDLES, ON, bundle, observation, person
from tests.fhir.writing.support.written import GOLDEN, RECORDED, small, written
from tests.render.support.reading import DIRECTIVE
from tests.support.cases import for_each
from tests.support.examples import examples

MODEL = load_pooled()
EXTENSIONS = "urn:bcma-decide:fhir:"
UNITS = "http://unitsofmeasure.org"


@cache
def of_example(name):
    comparison = compare(load_example(name), pooled=MODEL, name=name)
    return comparison, fhir_bundle(comparison, MODEL.codes, recorded=RECORDED)


@cache
def of_record(name):
    record = json.loads((BUNDLES / f"{name}.json").read_text(encoding="utf-8"))
    reading = read_bundle(record, MODEL.codes, MODEL.definitions, ON)
    comparison = compare(reading.patient, pooled=MODEL, record=reading.ledger, date=ON)
    return comparison, fhir_bundle(
        comparison, MODEL.codes, recorded=RECORDED, subject=patient_reference(record), pdf=b"%PDF-1.7 not a real one"
    )


ALL = [(make, name) for make in (of_example, of_record) for name in example_names()]
EACH = for_each(("make", "name"), ALL, ids=lambda value: getattr(value, "__name__", value))
SOME = for_each(("make", "name"), ALL, ids=lambda value: getattr(value, "__name__", value), plain=6)
"""What takes seconds over all."""


def resources(found, kind):
    return [entry["resource"] for entry in found["entry"] if entry["resource"]["resourceType"] == kind]


def option_of(assessment):
    return assessment["code"]["coding"][0]["code"]


def extension(element, name):
    return next((each for each in element["extension"] if each["url"] == EXTENSIONS + name), None)


def walk(value):
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(inner)


def texts(found):
    return [value for value in walk(found) if isinstance(value, str)]


@SOME
def test_it_is_valid_by_an_independent_model_of_r4_and_survives_it_unchanged(make, name):
    _, found = make(name)
    read = Bundle.model_validate_json(bundle_json(found))
    again = json.loads(read.model_dump_json(), parse_float=Decimal)
    assert len(again["entry"]) == len(found["entry"])
    numbers = {value for value in walk(json.loads(bundle_json(found), parse_float=Decimal)) if type(value) is Decimal}
    assert {value for value in walk(again) if type(value) is Decimal} == numbers


@EACH
def test_percentages_are_percentages_and_carry_no_noise(make, name):
    _, found = make(name)
    times = [value["whenRange"] for value in walk(found) if isinstance(value, dict) and "whenRange" in value]
    ranges = [value for value in walk(found) if isinstance(value, dict) and {"low", "high"} <= set(value)]
    ranges = [each for each in ranges if each not in times]
    assert ranges
    for each in ranges:
        assert 0 <= each["low"]["value"] <= each["high"]["value"] <= 100
        for end in each.values():
            assert (end["unit"], end["system"], end["code"]) == ("%", "http://unitsofmeasure.org", "%")
    for value in walk(found):
        if isinstance(value, float):
            assert len(repr(value).partition(".")[2]) <= 4
            assert "e" not in repr(value)


@EACH
def test_nothing_is_empty_null_or_unprintable(make, name):
    _, found = make(name)
    for value in walk(found):
        assert value not in (None, "", [], {})
        if isinstance(value, str):
            assert value.isprintable()
            assert value == value.strip()


@EACH
def test_every_reference_leads_into_the_bundle_or_to_what_the_record_holds(make, name):
    _, found = make(name)
    own = {entry["fullUrl"] for entry in found["entry"]}
    assert len(own) == len(found["entry"])
    assert [entry["fullUrl"] for entry in found["entry"]] == [
        f"urn:uuid:{entry['resource']['id']}" for entry in found["entry"]
    ]
    known = set()
    if make is of_record:
        record = json.loads((BUNDLES / f"{name}.json").read_text(encoding="utf-8"))
        known = {f"{each['resourceType']}/{each['id']}" for each in (e["resource"] for e in record["entry"])}
    for resource in (entry["resource"] for entry in found["entry"]):
        inside = {f"#{each['id']}" for each in resource.get("contained", ())}
        named = {value["reference"] for value in walk(resource) if isinstance(value, dict) and "reference" in value}
        assert named <= own | inside | known
        assert inside <= named


@EACH
def test_every_number_of_the_comparison_is_there_and_no_other(make, name):
    comparison, found = make(name)
    written_numbers = {
        (option_of(each), prediction["outcome"]["coding"][0]["code"]): prediction
        for each in resources(found, "RiskAssessment")
        for prediction in each["prediction"]
        if "whenRange" not in prediction
    }
    unstable = {(m.option, m.outcome) for unknown in comparison.unknowns for m in unknown.moves if m.unstable}
    expected = {
        (option.id, outcome.id): outcome.estimates[option.id]
        for option in comparison.options
        for outcome in comparison.outcomes
        if outcome.estimates[option.id].state == "estimated"
    }
    assert set(written_numbers) == set(expected)
    for key, estimate in expected.items():
        prediction = written_numbers[key]
        ends = prediction["probabilityRange"]
        assert (ends["low"]["value"] / 100, ends["high"]["value"] / 100) == pytest.approx(estimate.credible, abs=1e-9)
        wider = extension(prediction, "prediction-interval")["valueRange"]
        assert wider["high"]["value"] / 100 == pytest.approx(estimate.prediction[1], abs=1e-9)
        assert extension(prediction, "certainty")["valueString"] == estimate.certainty
        assert f"{estimate.n_patients} patient" in prediction["rationale"]
        point = extension(prediction, "point-estimate")
        assert point["valueDecimal"] / 100 == pytest.approx(estimate.mean, abs=1e-9)
        assert (extension(prediction, "range-over-unknown-input") is not None) == (key in unstable)
        further = extension(prediction, "further-product-of-the-class")
        assert (further is not None) == estimate.further_product


@EACH
def test_every_computed_share_free_of_progression_is_there_with_its_time_and_none_past_the_follow_up(make, name):
    comparison, found = make(name)
    written_shares = {
        (option_of(each), prediction["whenRange"]["high"]["value"]): prediction
        for each in resources(found, "RiskAssessment")
        for prediction in each["prediction"]
        if "whenRange" in prediction
    }
    computed = [row for row in comparison.survival if row.kind == "computed"]
    expected = {(row.option, time.month): (row, time) for row in computed for time in row.times}
    assert set(written_shares) == set(expected)
    for (option, month), prediction in written_shares.items():
        row, time = expected[option, month]
        start, end = prediction["whenRange"]["low"], prediction["whenRange"]["high"]
        assert (start["value"], start["code"], end["code"], end["system"]) == (0, "mo", "mo", UNITS)
        assert month <= row.end_of_follow_up_months
        assert prediction["outcome"]["coding"][0]["code"] == "pfs"
        origin = {"infusion": "from the infusion", "first_dose": "from the first dose"}[row.origin]
        text = f"Alive without progression through {month:g} months, counted {origin}"
        assert prediction["outcome"]["text"] == text
        assert extension(prediction, "point-estimate")["valueDecimal"] / 100 == pytest.approx(time.mean, abs=1e-9)
        ends = prediction["probabilityRange"]
        assert (ends["low"]["value"] / 100, ends["high"]["value"] / 100) == pytest.approx(time.credible, abs=1e-9)


@EACH
def test_published_survival_is_text_that_says_so_and_no_prediction(make, name):
    comparison, found = make(name)
    quoted = {row.option for row in comparison.survival if row.kind == "published"}
    for each in resources(found, "RiskAssessment"):
        told = [note["text"] for note in each["note"] if "not calculated for this patient" in note["text"]]
        assert len(told) == (option_of(each) in quoted)


@EACH
def test_outcomes_without_a_number_are_told_in_a_note(make, name):
    comparison, found = make(name)
    for each in resources(found, "RiskAssessment"):
        (told,) = [note["text"] for note in each["note"] if note["text"].startswith("No number: ")] or [""]
        for outcome in comparison.outcomes:
            absent = outcome.estimates[option_of(each)].state != "estimated"
            assert (f"{outcome.label}: " in told) == absent


def test_contraindications_are_complete_in_both_places():
    comparison = compare(Patient(active_infection="yes", active_inflammation="yes", age=60), pooled=MODEL)
    found = fhir_bundle(comparison, MODEL.codes, recorded=RECORDED)
    (guidance,) = resources(found, "GuidanceResponse")
    assessments = {option_of(each): each for each in resources(found, "RiskAssessment")}
    fired = [f for f in comparison.findings if f.severity == "contraindication" and f.state == "fires"]
    assert {f.applies_to["class"] for f in fired} == {"car_t", "bite"}
    for finding in fired:
        assert any(finding.text in note["text"] for note in guidance["note"])
        whom = finding.applies_to.get("product", finding.applies_to["class"])
        for option, each in assessments.items():
            about = option in (finding.applies_to["class"], whom)
            assert any(finding.text in note["text"] for note in each["note"]) or not about


@EACH
def test_intended_use_version_and_evidence_are_on_every_assessment(make, name):
    comparison, found = make(name)
    for each in resources(found, "RiskAssessment"):
        assert INTENDED_USE in [note["text"] for note in each["note"]]
        assert comparison.software.version in each["method"]["text"]
        assert comparison.evidence.hash[:12] in each["method"]["text"]
    (provenance,) = resources(found, "Provenance")
    assert provenance["entity"][0]["what"]["identifier"]["value"] == comparison.evidence.hash
    assert len(provenance["target"]) == len(found["entry"]) - 2


@EACH
def test_both_classes_are_told_the_same_difference_and_in_neutral_words(make, name):
    _, found = make(name)
    first, second = (
        [note["text"] for note in each["note"] if note["text"].startswith("Difference, ")]
        for each in resources(found, "RiskAssessment")
        if option_of(each) in ("car_t", "bite")
    )
    assert first == second != []
    own = [text for text in texts(found) if not text.startswith(("caution", "contraindication", "Labels"))]
    assert not [text for text in own if DIRECTIVE.search(text.replace(INTENDED_USE, ""))]


def test_the_same_comparison_gives_the_same_bytes_and_another_patient_other_ids():
    comparison, first = of_example("renal-74")
    assert bundle_json(fhir_bundle(comparison, MODEL.codes, recorded=RECORDED)) == bundle_json(first)
    later = fhir_bundle(comparison, MODEL.codes, recorded=datetime(2027, 1, 1, tzinfo=UTC))
    assert [entry["fullUrl"] for entry in later["entry"]] == [entry["fullUrl"] for entry in first["entry"]]
    other = fhir_bundle(comparison, MODEL.codes, recorded=RECORDED, subject="Patient/2")
    assert not {e["fullUrl"] for e in other["entry"]} & {e["fullUrl"] for e in first["entry"]}


def test_the_patient_is_the_reference_given_or_words():
    comparison, found = of_example("fit-58")
    assert all(each["subject"] == {"display": "patient of this request"} for each in resources(found, "RiskAssessment"))
    named = fhir_bundle(comparison, MODEL.codes, recorded=RECORDED, subject="Patient/a-1")
    subjects = [value["subject"] for value in walk(named) if isinstance(value, dict) and "subject" in value]
    assert subjects
    assert all(each == {"reference": "Patient/a-1"} for each in subjects)


@for_each("subject", ["", "Patient", "Patient/", "Patient/a b", "https://a/Patient/1\n", "../Patient/1"])
def test_what_is_no_reference_is_refused(subject):
    with pytest.raises(ValueError, match="not a reference"):
        fhir_bundle(small(), MODEL.codes, recorded=RECORDED, subject=subject)


def test_a_time_without_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        fhir_bundle(small(), MODEL.codes, recorded=datetime(2026, 11, 26))


def test_the_pdf_is_inside_with_its_size_and_sha1():
    content = b"%PDF-1.7\n"
    (document,) = resources(written(), "DocumentReference")
    attachment = document["content"][0]["attachment"]
    assert base64.b64decode(attachment["data"]) == content
    assert attachment["size"] == len(content)
    assert base64.b64decode(attachment["hash"]) == hashlib.sha1(content).digest()
    assert (document["status"], attachment["contentType"]) == ("current", "application/pdf")


def test_what_was_used_of_the_record_is_the_basis_and_nothing_else():
    comparison, found = of_record("fit-58")
    used = {line.resource for line in comparison.profile.inputs if line.state == "used"} - {"Patient"}
    assert used
    for each in resources(found, "RiskAssessment"):
        assert {basis["reference"] for basis in each["basis"]} == used
    assert "basis" not in resources(of_example("fit-58")[1], "RiskAssessment")[0]


def test_ids_that_fhir_does_not_allow_are_not_repeated():
    comparison = small()
    inputs = [
        comparison.profile.inputs[1].model_copy(update={"resource": name})
        for name in ("Observation/a;b", "Observation", "Observation/" + "x" * 65, "Observation/ok.1-2")
    ]
    changed = comparison.model_copy(update={"profile": comparison.profile.model_copy(update={"inputs": tuple(inputs)})})
    found = fhir_bundle(changed, MODEL.codes, recorded=RECORDED)
    assert resources(found, "RiskAssessment")[0]["basis"] == [{"reference": "Observation/ok.1-2"}]


@for_each(
    ("record", "expected"),
    [
        (bundle(person()), "Patient/example"),
        (bundle(observation("a", {})), "Patient/example"),
        (bundle(person(id="a;b")), None),
        (bundle(), None),
        (
            {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:0-1", "resource": {"resourceType": "Patient"}}]},
            "urn:uuid:0-1",
        ),
    ],
)
def test_the_patient_of_a_record(record, expected):
    assert patient_reference(record) == expected


def test_unknown_inputs_that_move_a_number_are_asked_for_by_verified_codes():
    comparison = compare(Patient(age=70), pooled=MODEL)
    (guidance,) = resources(fhir_bundle(comparison, MODEL.codes, recorded=RECORDED), "GuidanceResponse")
    assert guidance["status"] == "data-requested"
    moving = [unknown for unknown in comparison.unknowns if unknown.moves]
    asked = [each["extension"][0]["valueString"] for each in guidance["dataRequirement"]]
    kidney = ["Creatinine clearance", "eGFR"]
    assert list(dict.fromkeys(text.partition(": ")[0] for text in asked)) == [*(each.label for each in moving), *kidney]
    codes = {
        (coding["system"], coding["code"])
        for each in guidance["dataRequirement"]
        for chosen in each.get("codeFilter", ())
        for coding in chosen["code"]
    }
    loinc, icd = "http://loinc.org", "http://hl7.org/fhir/sid/icd-10-cm"
    assert {(loinc, "2276-4"), (loinc, "98014-4"), (icd, "C90.20")} <= codes
    assert not {(loinc, "1988-5"), (loinc, "72838-3"), (icd, "C90.21")} & codes  # secondary, recalled, not used
    kinds = {text.partition(": ")[0]: set() for text in asked}
    for each in guidance["dataRequirement"]:
        kinds[each["extension"][0]["valueString"].partition(": ")[0]].add(each["type"])
    assert kinds["Earlier BCMA therapy"] == {"MedicationRequest", "Procedure"}
    assert kinds["Extramedullary disease"] == {"Condition"}
    assert kinds["Prior lines"] == {"Observation"}


def test_where_nothing_more_would_move_a_number_it_is_a_success():
    (guidance,) = resources(
        fhir_bundle(small().model_copy(update={"unknowns": ()}), MODEL.codes, recorded=RECORDED), "GuidanceResponse"
    )
    assert guidance["status"] == "success"
    assert "dataRequirement" not in guidance


def test_contradictions_and_open_findings_are_messages():
    comparison = compare(Patient(refractory_to=["lenalidomide"], naive_to=["lenalidomide"]), pooled=MODEL)
    (guidance,) = resources(fhir_bundle(comparison, MODEL.codes, recorded=RECORDED), "GuidanceResponse")
    issues = guidance["contained"][0]["issue"]
    assert [each["severity"] for each in issues if "lenalidomide" in each["details"]["text"]][:1] == ["warning"]
    assert any(each["details"]["text"].startswith("Cannot be judged yet: contraindication") for each in issues)


def test_outcomes_are_coded_in_a_system_of_the_project():
    _, found = of_example("fit-58")
    codes = {
        (prediction["outcome"]["coding"][0]["system"], prediction["outcome"]["coding"][0]["code"])
        for each in resources(found, "RiskAssessment")
        for prediction in each["prediction"]
    }
    assert {system for system, _ in codes} == {"urn:bcma-decide:outcome"}
    assert {code for _, code in codes} <= {*OUTCOMES, "pfs"}


@examples(20)
@given(records)
def test_of_any_record_it_is_valid_and_refers_to_that_record_only(held):
    reading = read_bundle(bundle(person(), *held), MODEL.codes, MODEL.definitions, ON, infer=True)
    comparison = compare(reading.patient, pooled=MODEL, record=reading.ledger)
    found = fhir_bundle(comparison, MODEL.codes, recorded=RECORDED)
    Bundle.model_validate_json(bundle_json(found))
    known = {f"{each['resourceType']}/{each['id']}" for each in held}
    for each in resources(found, "RiskAssessment"):
        assert {basis["reference"] for basis in each.get("basis", ())} <= known


def test_the_committed_bundle_is_the_one_written():
    assert GOLDEN.read_text(encoding="utf-8") == bundle_json(written()), (
        "run: python -m tests.fhir.writing.support.written"
    )
    Bundle.model_validate(written())


def asked_codes(patient):
    comparison = compare(patient, pooled=MODEL)
    (guidance,) = resources(fhir_bundle(comparison, MODEL.codes, recorded=RECORDED), "GuidanceResponse")
    return {
        code["code"]
        for each in guidance["dataRequirement"]
        for found in each.get("codeFilter", ())
        for code in found["code"]
    }


def test_a_missing_kidney_function_asks_for_the_weight_and_never_for_urine_of_a_day():
    clearance = {code.code for row in MODEL.codes.observations if row.field == "creatinine_clearance"
                 for code in row.codes}  # fmt: skip
    read = partial(Patient.read, definitions=MODEL.definitions)
    for values in ({}, {"age": 74, "sex": "male"}, {"age": 74, "sex": "male", "creatinine": "1.9 mg/dL"}):
        asked = asked_codes(read(values))
        assert "29463-7" in asked
        assert ("2160-0" in asked) is ("creatinine" not in values)
        assert not asked & clearance
    weighed = {"age": 74, "sex": "male", "creatinine": "1.9 mg/dL", "weight": "80 kg"}
    assert not asked_codes(read(weighed)) & {"29463-7", "2160-0", *clearance}
