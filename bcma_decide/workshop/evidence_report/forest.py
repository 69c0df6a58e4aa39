"""A pooled outcome as a forest plot."""

from __future__ import annotations

from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence_report.published import PooledGroup, PublishedPooling
from bcma_decide.workshop.evidence_report.words import row_labels
from bcma_decide.workshop.plots.values import Forest, ForestGroup, ForestLine, PooledLine
from bcma_decide.workshop.synthesis.lines import between_line, heterogeneity_line

__all__ = ["forest_of"]


def forest_of(pooling: PublishedPooling, catalogue: Catalogue, title: str) -> Forest:
    """Studies by group with exact intervals, each group with its pooled result where it has several; none over all.

    Weights are percent of the group.
    """
    groups = tuple(_group(group, catalogue) for group in pooling.groups)
    between = between_line(pooling.by, pooling.between)
    return Forest(title, "Rate, percent", "proportion", groups, notes=(between,) if between else ())


def _group(group: PooledGroup, catalogue: Catalogue) -> ForestGroup:
    labels = row_labels((catalogue.study(row.study), row.arm) for row in group.rows)
    lines = tuple(
        ForestLine(label, row.estimate, *row.ci, row.weight, row.events, row.n)
        for label, row in zip(labels, group.rows, strict=True)
    )
    if group.k == 1:
        return ForestGroup(group.group, lines)
    result = group.result
    pooled = PooledLine(
        f"Pooled, {result.method}", group.estimate, *group.ci, group.prediction, heterogeneity_line(result)
    )
    return ForestGroup(group.group, lines, pooled)
