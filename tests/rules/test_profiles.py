"""The generated profiles do what they are made for, for shapes of conditions that no shipped rule has yet, too."""

from __future__ import annotations

import pytest

from bcma_decide.facts.traits import derive
from bcma_decide.logic import Bounds
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
    to_plain,
)
from bcma_decide.pooled.definitions import shipped_definitions
from bcma_decide.vocabulary import MODEL_TRAITS
from tests.rules.support.profiles import alone, merged, profiles
from tests.support.cases import for_each

BELOW_45 = Within("creatinine_clearance", Bounds(below=45), "mL/min")
CONDITIONS = [
    *(Is(trait.id, value) for trait in MODEL_TRAITS if trait.kind == "binary" for value in (True, False)),
    Is("dialysis", False),
    IsKnown("hbsag", True),
    IsKnown("hbsag", False),
    OneOf("ecog", (0, 3)),
    OneOf("iss", (2,)),
    OneOf("sex", ("male",)),
    BELOW_45,
    Within("age", Bounds(above=65, at_most=75), "years"),
    Within("iss", Bounds(at_least=2)),
    Within("live_vaccine", Bounds(at_least=4, below=26), "weeks"),
    Drugs("refractory", ("lenalidomide", "pomalidomide"), at_least=2),
    Drugs("exposed", drug_class="proteasome_inhibitor", at_least=2),
    Drugs("refractory", drug_class="anti_cd38"),
    HadCourse(("car_t", "adc")),
    HadCourse(("bispecific",), Bounds(at_least=3, below=12)),
    *(Score(name, Bounds(at_least=2)) for name in ("car_hematotox", "mycare", "r2_iss", "simplified_frailty")),
    Score("car_hematotox", Bounds(above=1, below=4)),
    Not(BELOW_45),
    Every((BELOW_45, Not(Is("dialysis", True)), OneOf("ecog", (0, 1)))),
    Some((Every((Is("hiv", True), Is("hbsag", False))), Not(Some((BELOW_45, Is("mds", True)))))),
]


def judged(condition, values):
    traits = derive(Patient.read(values), shipped_definitions())
    assert traits.contradictions == ()
    return traits.facts.judge(condition).value


@for_each("wanted", [True, False])
@for_each("condition", CONDITIONS, ids=lambda condition: str(to_plain(condition)))
def test_a_condition_is_what_was_wanted(condition, wanted):
    ways = profiles(condition, wanted)
    assert ways
    assert {judged(condition, values) for values in ways} == {wanted}


@for_each("condition", CONDITIONS, ids=lambda condition: str(to_plain(condition)))
def test_one_leaf_alone_decides(condition):
    for leaf, against, rest in alone(condition):
        for state in (True, False):
            assert judged(condition, merged(rest, profiles(leaf, state)[0])) is (state is not against)


def test_what_cannot_be_both_is_refused():
    with pytest.raises(ValueError, match="ecog cannot be 1 and 2"):
        merged({"ecog": 1}, {"ecog": 2})
