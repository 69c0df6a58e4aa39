"""A pooled outcome as a forest plot."""

from __future__ import annotations

from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence_report.published import PooledGroup, PublishedPooling
from bcma_decide.workshop.evidence_report.words import row_label
from bcma_decide.workshop.plots.numbers import number_text
from bcma_decide.workshop.plots.values import Forest, ForestGroup, ForestLine, PooledLine

__all__ = ["forest_of"]


def forest_of(pooling: PublishedPooling, catalogue: Catalogue, title: str) -> Forest:
    """Studies by group with exact intervals, each group with its pooled result where it has several; none over all.

    Weights are percent of the group.
    """
    return Forest(title, "Rate, percent", "proportion", tuple(_group(group, catalogue) for group in pooling.groups))


def _group(group: PooledGroup, catalogue: Catalogue) -> ForestGroup:
    lines = tuple(
        ForestLine(row_label(catalogue.study(row.study), row.arm), row.estimate, *row.ci, row.weight, row.events, row.n)
        for row in group.rows
    )
    if group.k == 1:
        return ForestGroup(group.group, lines)
    result = group.result
    note = "" if result.tau2 is None else f"tau2 {number_text(result.tau2, 3)}"
    if result.i2 is not None:
        note += f", I2 {result.i2:.0f} %"
    pooled = PooledLine(f"Pooled, {result.method}", group.estimate, *group.ci, group.prediction, note)
    return ForestGroup(group.group, lines, pooled)
