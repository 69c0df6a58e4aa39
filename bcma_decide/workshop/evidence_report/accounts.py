"""What became of every outcome row of the catalogue: pooled, or left out by a rule, with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.schema import Study
from bcma_decide.workshop.evidence.selection import RULES, Selection, SelectionRule, select
from bcma_decide.workshop.evidence.views import count_text

__all__ = ["RULE_WORDS", "Account", "Accounts", "account_for"]

RULE_WORDS: Final[dict[SelectionRule, str]] = {
    "data_cut": "another data cut or definition",
    "definition": "another definition of the outcome",
    "record": "not a single-agent BCMA study",
    "role": "role of the study",
    "window": "outside the time window",
    "basis": "recalled, not verified",
    "count": "no count of patients",
    "denominator": "denominator cannot be used",
    "overlap": "patients counted elsewhere",
}
_BESIDE: Final = "another data cut or definition beside the primary row of the same patients"


@dataclass(frozen=True)
class Account:
    """One outcome row: its study, arm and field, its figure in words, and the rule and reason against it (or none)."""

    study: str
    arm: str | None
    outcome: str
    field: str
    figure: str
    rule: SelectionRule | None
    reason: str


@dataclass(frozen=True)
class Accounts:
    """Every outcome row of the catalogue, and what was selected for each outcome that has rows."""

    rows: tuple[Account, ...]
    selections: Mapping[str, Selection]

    def of(self, outcome: str) -> Counter[SelectionRule | None]:
        """How many rows of one outcome each rule left out; under ``None`` those pooled."""
        return Counter(row.rule for row in self.rows if row.outcome == outcome)

    @property
    def left_out(self) -> tuple[Account, ...]:
        """The rows that are not pooled."""
        return tuple(row for row in self.rows if row.rule is not None)

    @property
    def rules(self) -> tuple[SelectionRule, ...]:
        """The rules that left out anything, in the order they are applied."""
        used = {row.rule for row in self.rows}
        return tuple(rule for rule in RULES if rule in used)

    def pooled_for(self, study: str) -> tuple[str, ...]:
        """Outcomes for which rows of a study are pooled, in the order of the vocabulary."""
        return tuple(dict.fromkeys(row.outcome for row in self.rows if row.study == study and row.rule is None))


def account_for(catalogue: Catalogue) -> Accounts:
    """Select every outcome for published-style pooling, and account for every row."""
    present = {row.outcome for study in catalogue.studies for row in study.outcomes}
    outcomes = [outcome for outcome in catalogue.vocabulary.known("outcomes") if outcome in present]
    selections = {outcome: select(catalogue, outcome, purpose="published") for outcome in outcomes}
    rows = [
        account
        for outcome, selection in selections.items()
        for study in catalogue.studies
        for account in _rows(study, outcome, selection)
    ]
    return Accounts(tuple(rows), selections)


def _rows(study: Study, outcome: str, selection: Selection) -> list[Account]:
    pooled = {row.arm for row in selection.rows if row.study == study.id}
    against = {row.arm: row for row in selection.left_out if row.study == study.id}
    found = []
    for place, row in enumerate(study.outcomes):
        if row.outcome != outcome:
            continue
        left_out = against.get(row.arm)
        if row.primary and row.arm in pooled:
            rule, reason = None, ""
        elif left_out is not None and (row.primary or left_out.rule == "data_cut"):
            rule, reason = left_out.rule, left_out.reason
        else:
            rule, reason = "data_cut", _BESIDE
        found.append(Account(study.id, row.arm, outcome, f"outcomes[{place}]", count_text(row), rule, reason))
    return found
