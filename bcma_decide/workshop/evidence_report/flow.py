"""From the catalogue to what is pooled: a flow chart, counts by outcome, and every row left out with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bcma_decide.vocabulary import CLASS_LABELS, CLASSES
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.selection import SelectionRule
from bcma_decide.workshop.evidence_report.accounts import RULE_WORDS, Account, Accounts
from bcma_decide.workshop.evidence_report.words import outcome_label
from bcma_decide.workshop.plots.flow import FlowStep, flow_chart
from bcma_decide.workshop.plots.page import Drawing, Section, Table

__all__ = ["flow_section", "flow_steps"]

_MOST_REASONS = 4


def flow_section(catalogue: Catalogue, accounts: Accounts) -> Section:
    """The whole way, in a drawing and in tables that add up."""
    said = (
        "A row is the count of one outcome in one arm of one study. Rows leave at the first rule they do not pass; "
        "a study leaves with its last row. Each row of the catalogue is either pooled or listed below with its reason."
    )
    drawn = flow_chart(flow_steps(catalogue, accounts), title="From the catalogue to the pooled rows")
    caption = "Studies and outcome rows from the catalogue to pooling, after the flow diagram of PRISMA 2020."
    return Section(
        "From the catalogue to what is pooled",
        (said,),
        drawings=(Drawing(drawn, caption),),
        parts=(
            Section("Rows by outcome", tables=(_by_outcome(catalogue, accounts),)),
            Section("Every row left out, with its reason", tables=(_left_out(catalogue, accounts),)),
        ),
    )


def flow_steps(catalogue: Catalogue, accounts: Accounts) -> tuple[FlowStep, ...]:
    """A box for what is left after each rule, and beside it what the next rule leaves out."""
    rows: list[Account] = list(accounts.rows)
    with_rows = len({row.study for row in rows})
    none = len(catalogue.studies) - with_rows
    steps = [
        FlowStep(("On file", _count(len(catalogue.studies), "study")), (f"{_count(none, 'study')} without outcomes",))
    ]
    words: tuple[str, ...] = ("Outcome rows", _size(rows))
    for rule in accounts.rules:
        leaving = [row for row in rows if row.rule == rule]
        rows = [row for row in rows if row.rule != rule]
        gone = len({row.study for row in leaving} - {row.study for row in rows})
        words_of_rule = f"{RULE_WORDS[rule][0].upper()}{RULE_WORDS[rule][1:]}"
        left = _count(len(leaving), "row") + (f", with them {_count(gone, 'study')}" if gone else "")
        steps.append(FlowStep(words, (f"{words_of_rule}: {left}", *_reasons(rule, leaving))))
        words = ("Left", _size(rows))
    classes = {study.id: study.class_id for study in catalogue.studies}
    each = (
        f"{CLASS_LABELS[class_id][0]}: {_size([row for row in rows if classes[row.study] == class_id])}"
        for class_id in CLASSES
    )
    return (*steps, FlowStep(("Pooled", *words[1:], *each)))


def _size(rows: list[Account]) -> str:
    return f"{_count(len(rows), 'row')} of {_count(len({row.study for row in rows}), 'study')}"


def _count(number: int, what: str) -> str:
    """``1 study``, ``2 studies``."""
    return f"{number} {what if number == 1 else what.removesuffix('y') + 'ies' if what.endswith('y') else what + 's'}"


def _reasons(rule: SelectionRule, rows: list[Account]) -> Iterator[str]:
    """The commonest reasons, where the rule has several and they are not about single studies."""
    counts = Counter(row.reason.split(":")[0] for row in rows)
    if rule == "overlap" or len(counts) == 1:
        return
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for reason, count in ranked[:_MOST_REASONS]:
        yield f"{count}: {reason}"
    if rest := sum(count for _, count in ranked[_MOST_REASONS:]):
        yield f"{rest}: other reasons"


def _by_outcome(catalogue: Catalogue, accounts: Accounts) -> Table:
    """Rows of the catalogue = rows pooled + rows left out, for each outcome."""
    rules = accounts.rules
    rows = []
    for outcome, selection in accounts.selections.items():
        counts = accounts.of(outcome)
        classes = Counter(row.class_id for row in selection.rows)
        pooled = (str(counts[None]), *(str(classes[class_id]) for class_id in CLASSES))
        left_out = (str(counts[rule]) for rule in rules)
        rows.append((outcome_label(catalogue, outcome), str(counts.total()), *left_out, *pooled))
    whole = Counter(row.rule for row in accounts.rows)
    classes = Counter(row.class_id for selection in accounts.selections.values() for row in selection.rows)
    pooled = (str(whole[None]), *(str(classes[class_id]) for class_id in CLASSES))
    rows.append(("All outcomes", str(whole.total()), *(str(whole[rule]) for rule in rules), *pooled))
    titles = (
        "Outcome", "rows on file", *(RULE_WORDS[rule] for rule in rules), "pooled",
        *(f"pooled, {CLASS_LABELS[class_id][0]}" for class_id in CLASSES),
    )  # fmt: skip
    return Table("Rows by outcome: on file, left out by each rule, pooled", titles, tuple(rows), large=True)


def _left_out(catalogue: Catalogue, accounts: Accounts) -> Table:
    rows = tuple(
        (
            row.study,
            (row.arm or "whole study").replace("_", " "),
            outcome_label(catalogue, row.outcome),
            row.field,
            row.figure or "no figure",
            RULE_WORDS[row.rule],
            row.reason,
        )
        for row in accounts.left_out
        if row.rule is not None
    )
    titles = ("Study", "Arm", "Outcome", "Field", "Figure", "Rule", "Reason")
    return Table(f"Every row left out, {len(rows)}", titles, rows, words=True, large=True)
