"""Pairs of fields that cannot both be true: each with an example that is reported and a near one that is not."""

import pytest

from bcma_decide.comparing.compare import compare
from bcma_decide.facts.contradictions import without_contradictions
from bcma_decide.facts.traits import derive
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.conditions import leaves
from bcma_decide.pooled.definitions import shipped_definitions
from bcma_decide.strict.yaml import read_yaml
from bcma_decide.workshop.evidence.conditions import naming_problems
from tests.facts.support.contradictory_pairs import PAIRS, TRUE_PROFILES
from tests.support.cases import for_each
from tests.support.places import EVIDENCE

DEFINITIONS = shipped_definitions()
NAMES = [" and ".join(pair.fields) for pair in PAIRS]
EVERY = for_each("pair", PAIRS, ids=NAMES)
SOME = for_each("pair", PAIRS, ids=NAMES, plain=8)
"""What takes two whole comparisons a pair."""


def conflicts(values):
    return without_contradictions(Patient(**values), DEFINITIONS)[1]


def neither(pair):
    """The impossible example with neither of the two inputs."""
    values = {name: value for name, value in pair.impossible.items() if name not in pair.fields}
    return Patient(**values, **pair.left)


def answered(patient):
    """Everything of a comparison but the list of inputs, what is to be checked in them, and why one is unknown."""
    document = compare(patient).model_dump()
    del document["profile"]
    for each in document["unknowns"]:
        del each["needs"]
    document["findings"] = [each for each in document["findings"] if not each["id"].startswith("contradiction.")]
    return document


def test_there_are_forty_pairs_and_each_stands_there_once():
    assert len(PAIRS) >= 40
    assert len({frozenset(pair.fields) for pair in PAIRS}) == len(PAIRS)


@EVERY
def test_what_cannot_be_is_reported_with_both_values(pair):
    assert [(each.fields, each.message) for each in conflicts(pair.impossible)] == [(pair.fields, pair.message)]


@EVERY
def test_what_can_be_is_not_reported(pair):
    assert set(pair.fields) <= pair.possible.keys()
    assert conflicts(pair.possible) == ()


@EVERY
def test_neither_is_left_and_everything_else_is(pair):
    assert without_contradictions(Patient(**pair.impossible), DEFINITIONS)[0] == neither(pair)


@SOME
def test_numbers_scores_labels_and_findings_are_those_without_the_two(pair):
    assert answered(Patient(**pair.impossible)) == answered(neither(pair))


@SOME
def test_the_comparison_says_what_to_check_and_marks_the_traits(pair):
    found = compare(Patient(**pair.impossible))
    (finding,) = (each for each in found.findings if each.id.startswith("contradiction."))
    assert finding.text == f"check the input: {pair.message}; neither is used"
    assert (finding.needs, finding.severity, finding.state) == (pair.fields, "caution", "fires")
    assert 0 < len(finding.short) <= 72
    marked = {line.trait for line in found.profile.traits if line.state == "contradiction"}
    assert marked == derive(Patient(**pair.impossible), DEFINITIONS).contradicted
    assert all(line.value is None for line in found.profile.traits if line.trait in marked)


@for_each("name", TRUE_PROFILES)
def test_a_profile_that_can_be_true_is_never_reported(name):
    assert conflicts(TRUE_PROFILES[name]) == ()


def test_every_entry_of_the_table_is_tried():
    """Each entry is the one that fires for some pair, or is named here with what it needs."""
    other_forms = {
        # (140 - 66) x 60 / (72 x 3.9) = 15.8, in women 13.4: 120 is more than three times that
        "clearance-cockcroft-gault-low": (
            {"age": 66, "weight": "60 kg", "creatinine": "3.9 mg/dL", "creatinine_clearance": 120},
            ("creatinine_clearance", "creatinine"),
        ),
        # (140 - 40) x 72 / (72 x 0.8) = 125: 20 is less than a quarter
        "clearance-cockcroft-gault-high": (
            {"age": 40, "weight": "72 kg", "sex": "male", "creatinine": "0.8 mg/dL", "creatinine_clearance": 20},
            ("creatinine_clearance", "creatinine"),
        ),
        # 142 x (3 / 0.9)^-1.2 x 0.9938^60 = 23.1
        "egfr-ckd-epi-low": (
            {"age": 60, "sex": "male", "creatinine": "3 mg/dL", "egfr": 80},
            ("egfr", "creatinine"),
        ),
        # 142 x (0.8 / 0.9)^-0.302 x 0.9938^40 = 115
        "egfr-ckd-epi-high": (
            {"age": 40, "sex": "male", "creatinine": "0.8 mg/dL", "egfr": 20},
            ("egfr", "creatinine"),
        ),
    }
    for values, fields in other_forms.values():
        assert [each.fields for each in conflicts(values)] == [fields]
    reached = {frozenset(pair.fields) for pair in PAIRS}
    entries = read_yaml(EVIDENCE / "contradictions.yaml")["contradictions"]
    assert other_forms.keys() <= {entry["id"] for entry in entries}
    for entry in DEFINITIONS.contradictions:
        spoken = {getattr(leaf, "trait", None) for leaf in leaves(entry.when)} - {None, *entry.context}
        assert entry.id in other_forms or any(spoken <= fields for fields in reached), entry.id
        assert not list(naming_problems(entry.when, DEFINITIONS))


@for_each(
    ("values", "fields"),
    [
        ({"ecog": 2, "karnofsky": 100}, ("ecog", "karnofsky")),
        ({"ecog": 4, "karnofsky": 70}, ("ecog", "karnofsky")),
        ({"r_iss": 3, "iss": 1}, ("r_iss", "iss")),
        ({"r_iss": 1, "iss": 2}, ("r_iss", "iss")),
        ({"frail": "yes", "karnofsky": 100, "charlson": 1, "age": 75}, ("frail", "karnofsky")),
        ({"frail": "no", "ecog": 4}, ("frail", "ecog")),
        ({"renal_impairment": "no", "creatinine_clearance": 12}, ("renal_impairment", "creatinine_clearance")),
        ({"ferritin_raised": "yes", "ferritin": "30 ng/mL"}, ("ferritin_raised", "ferritin")),
        ({"lymphopenia": "yes", "lymphocytes": "6 10^9/L"}, ("lymphopenia", "lymphocytes")),
        ({"egfr": 110, "creatinine_clearance": 22}, ("egfr", "creatinine_clearance")),
        ({"age": 19, "prior_bcma_courses": ["adc:250"]}, ("age", "prior_bcma_courses")),
    ],
)
def test_the_other_direction_is_reported_too(values, fields):
    assert [each.fields for each in conflicts(values)] == [fields]


@pytest.mark.parametrize("lines", range(1, 31))
def test_one_or_two_lines_beside_something_ordinary_are_no_contradiction(lines):
    ordinary = TRUE_PROFILES["induction of four drugs, then maintenance"] | {"prior_lines": lines}
    assert conflicts(ordinary) == ()


def test_a_contradiction_that_another_one_explains_is_told_once():
    """Penta-drug refractory beside triple-class no; that bortezomib failed besides adds nothing."""
    values = {"penta_drug_refractory": "yes", "triple_class_refractory": "no", "refractory_to": ["bortezomib"]}
    found = derive(Patient(**values), DEFINITIONS)
    assert [each.fields for each in found.contradictions] == [("penta_drug_refractory", "triple_class_refractory")]
    assert found.facts.patient.refractory_to == ("bortezomib",)


def test_what_was_worked_out_in_the_place_of_an_input_left_out_is_used():
    """Without the typed clearance of 110 under dialysis none follows from creatinine; without dialysis it does."""
    found = derive(
        Patient(dialysis="yes", creatinine_clearance=110, age=60, weight="72 kg", creatinine="1 mg/dL", sex="male"),
        DEFINITIONS,
    )
    # (140 - 60) x 72 / (72 x 1) = 80
    assert found.facts.number("creatinine_clearance").span.low == pytest.approx(80)
    assert "renal_impairment" not in found.contradicted


def test_every_field_of_a_pair_is_a_field():
    assert {name for pair in PAIRS for name in pair.fields} <= FIELDS.keys()
