"""What the rules say of one state for every product of a region: a table in which no product is passed over."""

from __future__ import annotations

from collections.abc import Iterator, Set
from datetime import date

from msgspec import Struct

from bcma_decide.pooled.in_force import in_force
from bcma_decide.pooled.rule_book import OtherProducts, PatientState, Phase, Rule, RuleBook
from bcma_decide.rules.concerned import applies, concerns, speaks_of
from bcma_decide.rules.labels_in_force import labelled
from bcma_decide.vocabulary import SEVERITIES, ClassId, Severity


class CoverageCell(Struct, frozen=True):
    """What is said of one state for one product; a hole where there is neither a rule nor a word beside the rules."""

    product: str
    rank: Severity | None
    """The gravest of its rules."""
    rules: tuple[str, ...]
    other: OtherProducts | None
    """What is known beside the rules, where no rule speaks of the product."""

    @property
    def hole(self) -> bool:
        """Whether the product is passed over."""
        return self.rank is None and self.other is None


class CoverageRow(Struct, frozen=True):
    """One state and phase in one region."""

    state: str
    label: str
    phase: Phase
    cells: tuple[CoverageCell, ...]
    differences: tuple[str, ...]
    """Why ranks differ."""

    @property
    def ranks_agree(self) -> bool:
        """Whether all rules that speak of a product have the same rank, or the difference is told."""
        return len({cell.rank for cell in self.cells if cell.rank}) <= 1 or bool(self.differences)


def compared_products(book: RuleBook, compared: Set[str], region: str, on: date) -> tuple[str, ...]:
    """Products of the comparison, and those labelled in the region besides."""
    return tuple(product.id for product in book.products if product.id in compared or labelled(product, region, on))


def coverage(book: RuleBook, region: str, on: date, products: tuple[str, ...]) -> tuple[CoverageRow, ...]:
    """Every state that a rule of the region speaks of on a day, by product."""
    classes = {product.id: product.class_id for product in book.products}
    return tuple(
        row
        for state in book.states
        for phase in ("start", "during")
        for row in _row(book, state, phase, region, on, {product: classes[product] for product in products})
    )


def _row(
    book: RuleBook, state: PatientState, phase: Phase, region: str, on: date, products: dict[str, ClassId]
) -> Iterator[CoverageRow]:
    rules = [
        rule
        for rule in book.rules
        if rule.state == state.id and rule.phase == phase and applies(rule, region)
        if in_force(rule.since, rule.until, on) is not False
    ]
    if rules:
        cells = tuple(_cell(state, rules, product, class_id, region) for product, class_id in products.items())
        told = tuple(each.text for each in state.differences if each.region in (None, region))
        yield CoverageRow(state.id, state.label, phase, cells, told)


def _cell(state: PatientState, rules: list[Rule], product: str, class_id: ClassId, region: str) -> CoverageCell:
    own = [rule for rule in rules if concerns(rule, product, class_id)]
    if own:
        rank = min((rule.severity for rule in own), key=SEVERITIES.index)
        return CoverageCell(product, rank, tuple(rule.id for rule in own), None)
    said = next((each for each in state.others if speaks_of(each, product, class_id, region)), None)
    return CoverageCell(product, None, (), said)
