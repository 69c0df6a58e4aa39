"""Conditions as plain data, and judged on a patient: what is not known is never guessed, what is known stays so."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bcma_decide.facts.traits import derive
from bcma_decide.logic import Bounds
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.conditions import (
    Drugs,
    Every,
    HadCourse,
    Is,
    IsKnown,
    Not,
    OneOf,
    Score,
    Some,
    Within,
    from_plain,
    leaves,
    to_plain,
)
from bcma_decide.pooled.definitions import shipped_definitions
from tests.support.cases import for_each
from tests.support.examples import examples

DEFINITIONS = shipped_definitions()
BY_KIND = {
    kind: {drug.id for drug in DEFINITIONS.drugs if drug.modality == kind and "bcma" in drug.targets}
    for kind in ("adc", "car_t", "bispecific")
}
AGENTS = [drug.id for drug in DEFINITIONS.drugs if drug.drug_class != "other"]
NUMBERS = {
    "age": (60, 70, 75, 80), "ecog": (0, 1, 2), "karnofsky": (60, 70, 90), "charlson": (0, 2),
    "iss": (1, 2, 3), "r_iss": (1, 2, 3), "beta2_microglobulin": (3, 4, 6), "albumin": (3, 4), "ldh": (0.9, 1.2),
    "creatinine": (0.8, 1.6, 4), "weight": (50, 80), "creatinine_clearance": (20, 45, 90), "egfr": (20, 60, 90),
    "marrow_plasma_cells": (30, 50), "ferritin": (300, 700, 2500), "platelets": (40, 100, 200), "prior_lines": (1, 4),
}  # fmt: skip
STAND_INS = ("ecog", "iss", "r_iss", "creatinine_clearance", "egfr")
"""Numbers that are worked out from others where they are not given."""
YES_NO = (
    "high_risk_cytogenetics", "del_17p", "t_4_14", "t_14_16", "frail", "extramedullary_disease", "dialysis",
    "renal_impairment", "prior_bcma", "prior_t_cell_redirection", "triple_class_refractory", "penta_drug_refractory",
    "ferritin_raised", "hiv",
)  # fmt: skip
SCORES = ("car_hematotox", "simplified_frailty", "mycare", "r2_iss")
DERIVED = ("iss_3", "r_iss_3", "ecog_ge_2", "bone_marrow_plasma_cells_high", "ferritin_high", "car_hematotox_high")


@st.composite
def limits(draw, values):
    """One edge or two, among these values."""
    low, high = sorted((draw(st.sampled_from(values)), draw(st.sampled_from(values))))
    floor, ceiling = draw(st.sampled_from(["at_least", "above"])), draw(st.sampled_from(["at_most", "below"]))
    both = [{floor: low, ceiling: high}] if low < high else []
    return Bounds(**draw(st.sampled_from([{floor: low}, {ceiling: high}, *both])))


def within(trait):
    return limits(NUMBERS[trait]).map(lambda bounds: Within(trait, bounds, FIELDS[trait].unit))


listed = st.sampled_from(["age", "ecog", "iss", "r_iss", "prior_lines"]).flatmap(
    lambda trait: st.lists(st.sampled_from(NUMBERS[trait]), min_size=1, max_size=3, unique=True).map(
        lambda values: OneOf(trait, tuple(values))
    )
)
states = st.sampled_from(["refractory", "exposed"])
months = st.just(Bounds()) | limits((3, 6, 9, 12))
some_kinds = st.lists(st.sampled_from(list(BY_KIND)), min_size=1, max_size=2, unique=True).map(tuple)


@st.composite
def drugs(draw):
    """Some of a few drugs, or of a class."""
    if draw(st.booleans()):
        named = draw(st.lists(st.sampled_from(AGENTS), min_size=1, max_size=4, unique=True))
        return Drugs(draw(states), drugs=tuple(named), at_least=draw(st.integers(1, len(named))))
    name = draw(st.sampled_from(sorted({drug.drug_class for drug in DEFINITIONS.drugs} - {"other"})))
    return Drugs(draw(states), drug_class=name, at_least=draw(st.integers(1, len(DEFINITIONS.agents(name)))))


settled_by_more = st.one_of(
    st.tuples(st.sampled_from(YES_NO + DERIVED), st.booleans()).map(lambda parts: Is(*parts)),
    st.sampled_from(list(NUMBERS)).flatmap(within),
    listed,
    st.sampled_from([OneOf("sex", ("female",)), OneOf("sex", ("female", "male"))]),
    drugs(),
    st.tuples(some_kinds, months).map(lambda parts: HadCourse(*parts)),
    st.tuples(st.sampled_from(SCORES), limits((1, 2, 3))).map(lambda parts: Score(*parts)),
)
known_or_not = st.tuples(st.sampled_from(YES_NO + DERIVED), st.booleans()).map(lambda parts: IsKnown(*parts))
any_leaf = settled_by_more | known_or_not


@st.composite
def trees(draw, leaf):
    """Leaves from left to right, and one condition made of them."""
    flat = draw(st.lists(leaf, min_size=1, max_size=5))
    parts = list(flat)
    while len(parts) > 1:
        first = draw(st.integers(0, len(parts) - 2))
        last = draw(st.integers(first + 2, len(parts)))
        joined = draw(st.sampled_from([Every, Some]))(tuple(parts[first:last]))
        parts[first:last] = [Not(joined) if draw(st.booleans()) else joined]
    return flat, parts[0]


@given(trees(any_leaf))
def test_a_condition_survives_as_plain_data(tree):
    _, condition = tree
    back = from_plain(json.loads(json.dumps(to_plain(condition))))
    assert repr(condition) == repr(back)  # the shapes are tuples: == would not tell them apart


@given(trees(any_leaf))
def test_leaves_come_from_left_to_right(tree):
    flat, condition = tree
    assert [repr(leaf) for leaf in flat] == [repr(leaf) for leaf in leaves(condition)]


def test_the_plain_form_is_what_the_evidence_files_write():
    condition = Every((Not(Is("dialysis", True)), Within("crp", Bounds(at_least=3), "mg/dL"), HadCourse(("adc",))))
    assert to_plain(condition) == {
        "all": [
            {"not": {"trait": "dialysis", "is": True}},
            {"trait": "crp", "at_least": 3, "unit": "mg/dL"},
            {"courses": ["adc"], "months": {}},
        ]
    }


def test_something_else_is_not_a_condition():
    with pytest.raises(KeyError, match="mood"):
        from_plain({"mood": "good"})


def judged(values, condition):
    return derive(Patient.read(values, DEFINITIONS), DEFINITIONS).facts.judge(condition)


@for_each(
    ("values", "one", "two"),
    [
        ({}, None, None),
        ({"refractory_to": "bortezomib"}, True, None),
        ({"refractory_to": "bortezomib, carfilzomib"}, True, True),
        ({"refractory_to": "bortezomib", "exposed_to": "carfilzomib"}, True, None),
        ({"refractory_to": "bortezomib", "exposed_to": "carfilzomib", "naive_to": "ixazomib"}, True, False),
        ({"exposed_to": "bortezomib", "naive_to": "carfilzomib"}, None, False),
        ({"exposed_to": "bortezomib", "naive_to": "carfilzomib, ixazomib"}, False, False),
        ({"triple_class_refractory": "yes"}, True, None),
        ({"penta_drug_refractory": "yes"}, True, True),
        ({"triple_class_refractory": "no"}, None, None),
    ],
)
def test_how_many_drugs_of_a_class_failed(values, one, two):
    for at_least, expected in ((1, one), (2, two)):
        failed = Drugs("refractory", drug_class="proteasome_inhibitor", at_least=at_least)
        assert judged(values, failed).value is expected


@pytest.mark.parametrize(("sex", "expected"), [({}, None), ({"sex": "female"}, True), ({"sex": "male"}, False)])
def test_a_clearance_worked_out_without_the_sex_is_open_where_the_sexes_differ(sex, expected):
    profile = {"age": 70, "weight": "70 kg", "creatinine": "1.36 mg/dL"}  # 50 mL/min, in women 42.5
    assert judged(profile | sex, Within("creatinine_clearance", Bounds(below=45), "mL/min")).value is expected


def contradictory(values):
    """Whether inputs contradict each other, or leave a trait open that less of them would settle."""
    found = derive(Patient.read(values, DEFINITIONS), DEFINITIONS)
    sides = ({claim.value for claim in each.claims} for each in found.facts.evidence.values())
    return bool(found.contradictions) or any(len(side) == 2 for side in sides)


@st.composite
def profiles_and_less(draw):
    """A profile, and the same with some fields, drugs or times unknown; stand-ins would give way to what is given."""
    full = {}
    for name in draw(st.lists(st.sampled_from([*NUMBERS, *YES_NO, "sex"]), min_size=5, max_size=14, unique=True)):
        if name in NUMBERS:
            value = draw(st.sampled_from(NUMBERS[name]))
            full[name] = value if FIELDS[name].kind != "quantity" else {"value": value, "unit": FIELDS[name].unit}
        else:
            full[name] = draw(st.sampled_from(["female", "male"]) if name == "sex" else st.booleans())
    less = {name: value for name, value in full.items() if name in STAND_INS or draw(st.booleans())}
    headings = draw(st.lists(st.sampled_from([None, "refractory_to", "exposed_to", "naive_to"]),
                             min_size=len(AGENTS), max_size=len(AGENTS)))  # fmt: skip
    for drug, heading in zip(AGENTS, headings, strict=True):
        if heading:
            full.setdefault(heading, []).append(drug)
            if draw(st.booleans()):
                less.setdefault(heading, []).append(drug)
    # no course of a kind whose drugs all stand under never given
    possible = [kind for kind, agents in BY_KIND.items() if not agents <= set(full.get("naive_to", ()))]
    for kind in draw(st.lists(st.sampled_from(possible), max_size=2, unique=True)) if possible else ():
        months = draw(st.sampled_from([2, 5, 7, 20]))
        full.setdefault("prior_bcma_courses", []).append(f"{kind}:{months}")
        if kept := draw(st.sampled_from(["", kind, f"{kind}:{months}"])):
            less.setdefault("prior_bcma_courses", []).append(kept)
    return full, less


@examples(100)
@given(trees(settled_by_more), profiles_and_less())
def test_a_known_verdict_stays_whatever_becomes_known(tree, pair):
    full, less = pair
    assume(not contradictory(full))
    before, after = (judged(values, tree[1]).value for values in (less, full))
    assert before in (None, after)


@examples(60)
@given(trees(any_leaf), profiles_and_less())
def test_an_open_verdict_says_what_is_missing_and_a_settled_one_misses_nothing(tree, pair):
    found = judged(pair[0], tree[1])
    assert (found.value is None) == bool(found.missing)


@examples(50)
@given(trees(settled_by_more))
def test_of_an_empty_profile_no_verdict_is_known(tree):
    assert judged({}, tree[1]).value is None
