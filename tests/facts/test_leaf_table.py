"""Conditions over a table of leaves say what the plain definition of the logic says, for one patient and for many."""

import numpy as np

from bcma_decide.comparing.compare import load_pooled
from bcma_decide.facts.claims import gather
from bcma_decide.facts.leaf_table import CODE, LeafTable, code_of_many, code_of_one, judgement_of
from bcma_decide.logic import all_of, any_of, negated
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.conditions import Every, Is, IsKnown, Not, Some, leaves
from tests.support.patients import drawn_patients

POOLED = load_pooled()
DEFINITIONS = POOLED.definitions
LABELS = [item.when for product in POOLED.rules.products for label in product.indications for item in label.items]
CONDITIONS = [
    *(rule.when for rule in POOLED.rules.rules),
    *LABELS,
    Not(Every((Is("dialysis", True), Some((Is("hbsag", True), Not(Is("hiv", False))))))),
]
TABLE = LeafTable(CONDITIONS, DEFINITIONS)


def plain(condition, leaf):
    """Kleene's strong logic as it is defined, over the value of every leaf."""
    if isinstance(condition, Not):
        return negated(plain(condition.part, leaf))
    if isinstance(condition, Every):
        return all_of([plain(part, leaf) for part in condition.parts])
    if isinstance(condition, Some):
        return any_of([plain(part, leaf) for part in condition.parts])
    return leaf(condition)


def test_every_condition_is_what_the_logic_makes_of_its_leaves():
    codes = []
    for patient in drawn_patients(20, seed=11):
        facts = gather(patient, DEFINITIONS)
        judged = TABLE.judged(facts)
        codes.append([CODE[each.value] for each in judged])
        for condition, program in zip(CONDITIONS, TABLE.programs, strict=True):
            wanted = plain(condition, lambda leaf, facts=facts: facts.judge(leaf).value)
            assert code_of_one(program, codes[-1]) == CODE[wanted]
            assert judgement_of(program, judged) == facts.judge(condition)
    columns = list(np.array(codes, dtype=np.int8).T)
    for program in TABLE.programs:
        assert code_of_many(program, columns).tolist() == [code_of_one(program, row) for row in codes]


def test_what_several_conditions_ask_stands_in_the_table_once():
    assert len({(type(leaf), leaf) for leaf in TABLE.leaves}) == len(TABLE.leaves)
    assert len(TABLE.leaves) < len([leaf for condition in CONDITIONS for leaf in leaves(condition)])


def test_a_negative_test_is_not_a_test_that_is_missing():
    conditions = [Is("hiv", False), IsKnown("hiv", False)]
    table = LeafTable(conditions, DEFINITIONS)
    facts = gather(Patient(hiv="no"), DEFINITIONS)
    assert [each.value for each in table.judged(facts)] == [True, False]
