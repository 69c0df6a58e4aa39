"""Findings, labels, practical facts and scores inside a comparison: their shape, order, sources and words."""

import json
import re
from datetime import date
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide import Patient, compare, load_model
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.files import example_names, load_example
from bcma_decide.pooled.conditions import Is, leaves
from bcma_decide.vocabulary import CLASSES
from tests.patient.support.drawn import WRITTEN
from tests.support.cases import for_each
from tests.support.examples import examples

DIRECTIVE = re.compile(r"\b(should|best|recommended|recommend|safe|prefer)\b", re.IGNORECASE)
SEVERITIES = ("contraindication", "caution", "information")
EXAMPLES = pytest.mark.parametrize("name", example_names())
REGIONAL = {"labels", "findings", "indications", "practice", "references", "published_options", "survival"}
"""Parts of a comparison that depend on region and date; of survival only what is quoted of published options."""


@cache
def example(name, region="US", day=None):
    return compare(load_example(name), region=region, date=day)


def labels_of(comparison):
    """Every label of every product, those of the other regimens included."""
    return [each for label in comparison.indications.values() for each in (label, *label.other_regimens)]


def facts_of(comparison):
    return [fact for row in comparison.practice for facts in row.facts.values() for fact in facts]


def by_id(comparison, start):
    return [finding for finding in comparison.findings if finding.id.startswith(start)]


# The shape


@EXAMPLES
def test_the_shape_of_the_json(name):
    plain = json.loads(example(name).model_dump_json())
    products = {product.id for product in load_model().rules.products}
    asked = {"id", "applies_to", "severity", "state", "text", "value", "threshold", "needs", "sources"}
    for finding in plain["findings"]:
        assert asked <= finding.keys()
        assert finding["applies_to"].keys() <= {"class", "product"}
        assert finding["applies_to"].get("class", "car_t") in CLASSES
        assert finding["applies_to"].get("product", "ide-cel") in products
        assert finding["severity"] in SEVERITIES
        assert finding["state"] in ("fires", "cannot_be_judged")
    assert plain["indications"].keys() == products
    for label in plain["indications"].values():
        assert {"state", "region", "date", "items"} <= label.keys()
        assert label["items"]
        assert {item["state"] for item in (label, *label["items"])} <= {"met", "not_met", "cannot_be_judged"}


@EXAMPLES
def test_a_label_is_met_where_all_of_it_is(name):
    for label in labels_of(example(name)):
        states = {item.state for item in label.items}
        together = "not_met" if "not_met" in states else "cannot_be_judged" if len(states) > 1 else states.pop()
        assert label.state == together


@EXAMPLES
def test_findings_come_worst_first_and_unverified_last(name):
    ranks = [
        (each.basis == "recalled", SEVERITIES.index(each.severity), each.state != "fires")
        for each in example(name).findings
    ]
    assert ranks == sorted(ranks)


@EXAMPLES
def test_what_is_unverified_is_never_a_contraindication(name):
    assert {each.severity for each in example(name).findings if each.basis == "recalled"} <= {"caution", "information"}


@EXAMPLES
def test_what_cannot_be_judged_says_what_it_needs(name):
    for each in example(name).findings:
        assert bool(each.needs) == (each.state == "cannot_be_judged"), each.id
    for label in labels_of(example(name)):
        for item in label.items:
            assert bool(item.needs) == (item.state == "cannot_be_judged"), item.text


@EXAMPLES
@for_each("region", ["US", "EU"])
def test_every_source_that_is_named_is_among_the_references(name, region):
    found = example(name, region)
    speaking = [*found.findings, *labels_of(found), *facts_of(found), *found.scores]
    references = [reference.key for reference in found.references]
    assert {key for each in speaking for key in each.sources} <= set(references)
    assert len(set(references)) == len(references)


@EXAMPLES
def test_what_is_verified_names_a_source(name):
    found = example(name)
    assert [each.id for each in found.findings if each.basis == "verified" and not each.sources] == []
    assert [each.text for each in facts_of(found) if each.basis == "verified" and not each.sources] == []
    assert [each.id for each in found.scores if each.basis == "verified" and not each.sources] == []


# Region and date


@EXAMPLES
def test_the_default_day_is_that_of_the_evidence_and_the_same_call_gives_the_same_bytes(name):
    first = example(name)
    assert first.labels.date == first.evidence.date
    again = compare(load_example(name), date=date.fromisoformat(first.evidence.date))
    assert again.model_dump_json() == first.model_dump_json()


def _beside(row, answer):
    """Whether a row of survival is of an option that is only published."""
    return row["option"] in {option["id"] for option in answer["published_options"]}


@pytest.mark.parametrize(("region", "day"), [("EU", None), ("China", None), ("US", date(2024, 1, 15))])
def test_region_and_date_change_labels_findings_and_practice_only(region, day):
    here, there = example("renal-74").model_dump(), example("renal-74", region, day).model_dump()
    assert {name for name in here if here[name] != there[name]} <= REGIONAL
    here_options, there_options = (
        [row for row in each["survival"] if not _beside(row, each)] for each in (here, there)
    )
    assert here_options == there_options
    assert here["labels"] != there["labels"]
    assert here["indications"] != there["indications"]


@pytest.mark.parametrize(("day", "state"), [(date(2024, 1, 15), "not_met"), (date(2024, 6, 1), "met")])
def test_a_label_goes_by_its_day(day, state):
    """In the EU ciltacabtagene autoleucel was for three or more earlier therapies until April 2024, then for one."""
    patient = Patient(
        prior_lines=2, refractory_to="lenalidomide", exposed_to="bortezomib, daratumumab",
        progression_on_last_therapy="yes",
    )  # fmt: skip
    assert compare(patient, region="EU", date=day).indications["cilta-cel"].state == state


def test_a_label_that_did_not_exist_yet_is_not_met():
    """Teclistamab was approved in the USA in October 2022."""
    early, late = (example("triple-class-68", "US", date(year, 1, 1)) for year in (2022, 2023))
    assert early.indications["teclistamab"].state == "not_met"
    assert late.indications["teclistamab"].since.startswith("2022-10")


# Words


@EXAMPLES
@for_each("region", ["US", "EU"])
def test_no_text_tells_the_reader_what_to_do(name, region):
    found = example(name, region)
    said = [(each.text, each.value, each.threshold, each.note, *each.needs) for each in found.findings]
    for label in labels_of(found):
        said += [(label.label, label.regimen, label.note), *((i.text, i.value, *i.needs) for i in label.items)]
    said += [(fact.text, fact.note) for fact in facts_of(found)]
    for score in found.scores:
        said += [(score.definition, score.purpose, score.measured_at, score.validation, score.limits, score.note)]
        said += [score.outcomes, score.needs, *((item.label, item.text) for item in score.items)]
    assert [text for texts in said for text in texts if text and DIRECTIVE.search(text)] == []


# What findings rest on


LIMITING = {"cns_myeloma", "progression_on_bcma"}
"""Fields without an effect of their own that a limit asks for: with them a number may be withheld."""
FINDINGS_ONLY = {
    name: WRITTEN[field.kind](field) for name, field in FIELDS.items() if field.findings_only and name not in LIMITING
}


@examples(15)
@given(st.fixed_dictionaries({}, optional=FINDINGS_ONLY))
def test_fields_that_are_for_findings_only_move_no_number(values):
    known = load_example("renal-74").given()
    plain, found = example("renal-74"), compare(Patient(**{**known, **values}))
    assert found.outcomes == plain.outcomes
    assert found.unknowns == plain.unknowns


def test_the_fields_that_limits_ask_for_are_the_ones_set_aside():
    named = {
        leaf.trait
        for limit in load_model().published.limits
        for leaf in leaves(limit.when)
        if isinstance(leaf, Is) and FIELDS[leaf.trait].findings_only
    }
    assert named == LIMITING


def test_there_are_fields_for_findings_only_and_they_move_findings():
    assert "lvef" in FINDINGS_ONLY
    assert "ferritin" not in FINDINGS_ONLY
    assert compare(Patient(age=70, active_infection="yes")).findings != compare(Patient(age=70)).findings


def test_without_an_ejection_fraction_its_threshold_cannot_be_judged():
    found = by_id(compare(Patient(age=70)), "heart-lung-liver.lvef")
    assert found
    for each in found:
        assert (each.state, each.basis, each.needs) == ("cannot_be_judged", "recalled", ("LVEF",))


@pytest.mark.parametrize(("lvef", "fires"), [(60, set()), (44, {"car_t"}), (39, {"car_t", "bite"})])
def test_with_an_ejection_fraction_it_is_judged(lvef, fires):
    """Entry thresholds as recalled: 45 % in CAR-T trials, 40 % in one of a bispecific antibody."""
    found = by_id(compare(Patient(age=70, lvef=lvef)), "heart-lung-liver.lvef")
    assert {each.applies_to["class"] for each in found} == fires
    assert all((each.state, each.value) == ("fires", f"LVEF {lvef} %") for each in found)


@for_each("region", ["US", "EU"])
@for_each(("answer", "state"), [("yes", "fires"), ("unknown", "cannot_be_judged"), ("no", None)])
def test_an_active_infection_gives_contraindications_for_both_options(region, answer, state):
    found = by_id(compare(Patient(age=70, active_infection=answer), region=region), "infection.active")
    worst = [each for each in found if each.severity == "contraindication"]
    assert {each.state for each in found} == {each.state for each in worst} == ({state} if state else set())
    assert {each.applies_to["class"] for each in worst} == (set(CLASSES) if state else set())


def test_a_finding_shows_the_value_beside_the_threshold():
    (found,) = by_id(compare(Patient(creatinine_clearance=25)), "kidney.fludarabine")
    assert found.value == "creatinine clearance 25 mL/min"
    assert found.threshold.startswith("creatinine clearance below 30 mL/min")


def test_a_value_that_was_worked_out_is_judged_and_says_from_what():
    """By Cockcroft-Gault 27.4 mL/min, by hand: 60 x 65 x 0.85 / (72 x 1.68)."""
    patient = Patient(age=80, sex="female", weight="65 kg", creatinine="1.68 mg/dL")
    (found,) = by_id(compare(patient), "kidney.fludarabine")
    assert found.state == "fires"
    assert "27.4 mL/min (Cockcroft-Gault from" in found.value


@EXAMPLES
def test_a_finding_concerns_an_option_unless_it_is_about_the_input(name):
    for each in example(name).findings:
        if each.topic not in (None, "labels") and not each.id.startswith("not-seen."):
            assert each.applies_to["class"] in CLASSES
            assert all((each.basis, each.origin, each.date, each.threshold))
