"""The source's figures beside ours."""

from __future__ import annotations

from bcma_decide.workshop.evidence_report.published import pool_outcome
from bcma_decide.workshop.evidence_report.source import beside_the_source
from tests.workshop.evidence_report.support.reading import catalogue, table


def test_every_rate_the_source_prints_stands_beside_ours():
    printed = [row for row in catalogue().source_meta_analysis.pooled if row.pct is not None]
    read = table("Pooled rates, percent with 95 % interval")
    assert [f"{row.pct:g}" for row in printed] == list(read.column("source, percent"))


def test_ours_are_those_of_the_pooling_by_class_and_by_number_of_targets():
    for pair in beside_the_source(catalogue()):
        by = "target-number" if pair.row.dual_target else "class"
        for (method, window), group in pair.ours.items():
            pooling = pool_outcome(catalogue(), pair.outcome, by=by, method=method, window=window)
            [expected] = [each for each in pooling.groups if each.group == pair.group]
            assert (group.result, group.rows) == (expected.result, expected.rows)


def test_each_reason_changes_the_set_of_studies_and_says_how_far_that_goes():
    read = table("Reasons for differences")
    bases = {row[:2]: row for row in read.rows if row[2] == "as it is"}
    assert len(bases) == len(list(beside_the_source(catalogue())))
    changed = [row for row in read.rows if row[2] != "as it is"]
    assert changed
    for row in changed:
        assert row[3:5] != bases[row[:2]][3:5]
    sources = {
        (outcome, group): float(source)
        for outcome, group, source, *_ in table("Pooled rates, percent with 95 % interval").rows
    }
    for outcome, group, _, _, pooled, gap in read.rows:
        expected = float(pooled.split(" ")[0]) - sources[outcome, group]
        assert abs(float(gap.replace("\N{MINUS SIGN}", "-")) - expected) < 0.051
