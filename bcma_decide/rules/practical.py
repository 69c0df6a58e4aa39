"""What giving each product takes: step-up, stay, driving, visits and the like, in a region on a day."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from bcma_decide.comparison import PracticalLine, PracticalRow
from bcma_decide.pooled.in_force import in_force
from bcma_decide.pooled.rule_book import PracticalFact, Product, RuleBook, Topic
from bcma_decide.rules.labels_in_force import labelled


@lru_cache(maxsize=16)
def practical_rows(book: RuleBook, region: str, on: date) -> tuple[PracticalRow, ...]:
    """Every topic on which there is a fact, in the order of the file; only of products that have a label there.

    The same for every patient.
    """
    products = [product for product in book.products if labelled(product, region, on)]
    rows = (
        PracticalRow(
            topic=topic.id,
            label=topic.label,
            shown=topic.shown,
            facts={product.id: lines for product in products if (lines := _lines(book, product, topic, region, on))},
        )
        for topic in book.topics
    )
    return tuple(row for row in rows if row.facts)


@lru_cache(maxsize=16)
def practical_sources(book: RuleBook, region: str, on: date) -> frozenset[str]:
    """Keys of the sources of the practical facts."""
    lines = (line for row in practical_rows(book, region, on) for facts in row.facts.values() for line in facts)
    return frozenset(key for line in lines for key in line.sources)


def _lines(book: RuleBook, product: Product, topic: Topic, region: str, on: date) -> tuple[PracticalLine, ...]:
    """What holds anywhere or in the region: facts of the class, then of the product, in the order of the file."""
    everything = (*book.class_facts.get(product.class_id, ()), *product.facts)
    return tuple(
        _line(fact)
        for fact in everything
        if fact.topic == topic.id
        and fact.region in (None, region)
        and in_force(fact.since, fact.until, on) is not False
    )


def _line(fact: PracticalFact) -> PracticalLine:
    return PracticalLine(
        text=fact.text,
        region=fact.region,
        since=fact.since,
        until=fact.until,
        basis=fact.basis,
        sources=(fact.source,) if fact.source else (),
        note=fact.note,
    )
