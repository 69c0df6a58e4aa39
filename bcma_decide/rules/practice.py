"""What giving each product takes: step-up, stay, driving, visits and the like, in a region on a day."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from bcma_decide.rules.book import PracticalFact, Product, RuleBook, Topic
from bcma_decide.rules.dates import in_force
from bcma_decide.rules.labels import labelled


class PracticalRow(NamedTuple):
    """One topic: the facts of every product that has any."""

    topic: Topic
    facts: dict[str, tuple[PracticalFact, ...]]


def practical_rows(book: RuleBook, region: str, on: date) -> tuple[PracticalRow, ...]:
    """Every topic on which there is a fact, in the order of the file; only of products that have a label there."""
    products = [product for product in book.products if labelled(product, region, on)]
    rows = (
        PracticalRow(
            topic, {product.id: facts for product in products if (facts := _facts(book, product, topic, region, on))}
        )
        for topic in book.topics
    )
    return tuple(row for row in rows if row.facts)


def _facts(book: RuleBook, product: Product, topic: Topic, region: str, on: date) -> tuple[PracticalFact, ...]:
    """What holds anywhere or in the region: facts of the class, then of the product, in the order of the file."""
    everything = (*book.class_facts.get(product.class_id, ()), *product.facts)
    return tuple(
        fact
        for fact in everything
        if fact.topic == topic.id
        and fact.region in (None, region)
        and in_force(fact.since, fact.until, on) is not False
    )
