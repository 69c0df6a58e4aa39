"""What a leaf, trait or score rests on: nothing but the fields that are named for it."""

from random import Random

from bcma_decide.comparing.compare import load_pooled
from bcma_decide.facts.claims import gather
from bcma_decide.facts.reads import fields_of, fields_of_score, fields_of_trait
from bcma_decide.facts.score_lines import score_line
from bcma_decide.facts.traits import trait_settled
from bcma_decide.patient.fields import FIELDS
from bcma_decide.pooled.conditions import leaves
from bcma_decide.vocabulary import MODEL_TRAIT_IDS
from tests.support.patients import drawn_patients

POOLED = load_pooled()
DEFINITIONS = POOLED.definitions
LEAVES = {leaf for rule in POOLED.rules.rules for leaf in leaves(rule.when)}


def with_others(patient, kept, random):
    """The patient with all other fields as some other patient has them."""
    (other,) = drawn_patients(1, seed=random.random())
    return other.model_copy(update={name: getattr(patient, name) for name in kept})


def test_other_fields_change_nothing():
    random = Random(3)
    for patient in drawn_patients(3, seed=17):
        facts = gather(patient, DEFINITIONS)
        for leaf in LEAVES:
            same = gather(with_others(patient, fields_of(leaf, DEFINITIONS), random), DEFINITIONS)
            assert same.judge(leaf) == facts.judge(leaf), leaf
        for trait in MODEL_TRAIT_IDS:
            same = gather(with_others(patient, fields_of_trait(trait, DEFINITIONS), random), DEFINITIONS)
            assert trait_settled(trait, same) == trait_settled(trait, facts), trait
        for score in DEFINITIONS.scores.every():
            same = gather(with_others(patient, fields_of_score(score, DEFINITIONS), random), DEFINITIONS)
            assert score_line(score, same) == score_line(score, facts), score.about.id


def test_what_follows_from_one_answer_rests_on_few_fields():
    assert fields_of_trait("age", DEFINITIONS) == {"age"}
    assert fields_of_trait("ecog_ge_2", DEFINITIONS) == {"ecog", "karnofsky"}
    for leaf in LEAVES:
        assert fields_of(leaf, DEFINITIONS) <= FIELDS.keys()
