"""Which numbers a limit of the evidence takes away where it acts: the same of one patient and of a registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.pooled.published_book import Limit
from bcma_decide.vocabulary import FAMILIES, PFS_FAMILY, ClassId


class Place(NamedTuple):
    """An option at an outcome of a family."""

    family: str
    outcome: str
    option: str


def places_of_limit(limit: Limit, pooled: PooledEvidence) -> Iterator[Place]:
    """Where a limit acts.

    A class goes with any of its products, since its average holds theirs, unless the limit is of one product for every
    patient.
    """
    for option in pooled.options:
        of_class = not limit.products or (option.kind == "class" and limit.when is not None)
        if limit.class_id in ("any", option.class_id) and (of_class or option.id in limit.products):
            yield from (each for each in _of_option(option.id, option.class_id) if each.family in limit.families)


def places_of_class(class_id: ClassId, pooled: PooledEvidence) -> Iterator[Place]:
    """Every number of a class."""
    for option in pooled.options:
        if option.class_id == class_id:
            yield from _of_option(option.id, class_id)


def _of_option(option: str, class_id: ClassId) -> Iterator[Place]:
    for family in (*FAMILIES, PFS_FAMILY):
        if class_id in family.classes:
            yield from (Place(family.id, threshold.id, option) for threshold in family.thresholds)
