"""Nothing gets lost between the catalogue and the pooled rows."""

from __future__ import annotations

import re

from bcma_decide.workshop.evidence.selection import RULES
from bcma_decide.workshop.evidence_report.accounts import RULE_WORDS, account_for
from bcma_decide.workshop.evidence_report.flow import flow_steps
from tests.support.cases import for_each
from tests.workshop.evidence.support.factory import catalogue as made_catalogue
from tests.workshop.evidence.support.factory import row, study
from tests.workshop.evidence_report.support.reading import accounts, catalogue, table


def test_every_rule_has_words():
    assert set(RULES) == set(RULE_WORDS)


@for_each("outcome", list(accounts().selections))
def test_rows_on_file_are_pooled_or_left_out(outcome):
    counts = accounts().of(outcome)
    on_file = sum(each.outcome == outcome for study in catalogue().studies for each in study.outcomes)
    assert counts.total() == on_file
    assert counts[None] == len(accounts().selections[outcome].rows)
    assert all(each.reason for each in accounts().left_out)


def test_the_table_by_outcome_adds_up_in_every_row():
    read = table("Rows by outcome")
    for _, whole, *others in read.rows:
        *left_out, pooled, car_t, bispecific = map(int, others)
        assert int(whole) == sum(left_out) + pooled
        assert pooled == car_t + bispecific
    *parts, last = [[int(number) for number in row[1:]] for row in read.rows]
    assert [sum(column) for column in zip(*parts, strict=True)] == last
    assert last[0] == sum(len(study.outcomes) for study in catalogue().studies)


def test_every_row_left_out_is_listed_with_its_reason():
    read = table("Every row left out")
    expected = [(each.study, each.field, each.reason) for each in accounts().left_out]
    listed = zip(*(read.column(title) for title in ("Study", "Field", "Reason")), strict=True)
    assert [tuple(" ".join(word.split()) for word in each) for each in expected] == list(listed)


def test_the_drawing_subtracts_what_it_leaves_out():
    steps = flow_steps(catalogue(), accounts())
    sizes = [tuple(map(int, re.findall(r"\d+", step.words[1]))) for step in steps[1:]]
    for step, before, after in zip(steps[1:], sizes, sizes[1:], strict=False):
        rows, *gone = map(int, re.findall(r"(\d+) (?:row|stud)", step.left_out[0]))
        assert (before[0] - rows, before[1] - sum(gone)) == after
    assert sizes[-1][0] == sum(len(each.rows) for each in accounts().selections.values())


def test_reasons_of_one_study_each():
    """One row of each kind, by hand."""
    whole = made_catalogue(
        study("pooled", outcomes=[row(), row(primary=False, note="an earlier cut")]),
        study("recalled", outcomes=[row(basis="recalled")]),
        study("context", pooling={"role": "context", "reason": "nothing seen"}),
        study("smaller", outcomes=[row(n=40)], overlaps_with=["pooled"]),
        study("cut", outcomes=[row(primary=False)]),
        study("empty", outcomes=[]),
    )
    found = {(each.study, each.field): each.rule for each in account_for(whole).rows}
    assert found == {
        ("pooled", "outcomes[0]"): None,
        ("pooled", "outcomes[1]"): "data_cut",
        ("recalled", "outcomes[0]"): "basis",
        ("context", "outcomes[0]"): "role",
        ("smaller", "outcomes[0]"): "overlap",
        ("cut", "outcomes[0]"): "data_cut",
    }
    first, *_, last = flow_steps(whole, account_for(whole))
    assert first.words[1] == "6 studies"
    assert first.left_out == ("1 study without outcomes",)
    assert last.words[1] == "1 row of 1 study"
