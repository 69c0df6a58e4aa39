"""Published-style pooling of the project's own evidence: one random-effects mean per group of studies.

What the source meta-analysis did (DerSimonian-Laird on proportions), beside the estimators a reviewer would ask for. A
table of one's own is pooled by the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bcma_decide.errors import NoEvidenceError, Problem, SynthesisError
from bcma_decide.vocabulary import CLASS_LABELS
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.schema import Study
from bcma_decide.workshop.evidence.selection import SelectedRow, Selection, Window, select
from bcma_decide.workshop.meta_analysis.heterogeneity import QTest
from bcma_decide.workshop.meta_analysis.pooled import Pooled
from bcma_decide.workshop.meta_analysis.random_effects import Interval
from bcma_decide.workshop.synthesis.groups import groups_of
from bcma_decide.workshop.synthesis.model import Method, PoolingMethod, TestName, usual_model
from bcma_decide.workshop.synthesis.remarks import group_remarks, model_remarks
from bcma_decide.workshop.synthesis.result import result_of
from bcma_decide.workshop.synthesis.studies import Scale, Studies, TableMeasure, counted_studies

__all__ = ["Grouping", "PooledGroup", "PooledRow", "PublishedPooling", "pool_outcome", "pool_rows"]

Grouping = Literal["class", "product", "target-number", "design", "region"]


@dataclass(frozen=True)
class PooledRow:
    """One arm total that was pooled: its rate with the exact interval (Clopper and Pearson 1934), weight in percent.

    ``weight`` is ``None`` with methods that have none.
    """

    study: str
    arm: str | None
    events: int
    n: int
    estimate: float
    ci: Interval
    weight: float | None


@dataclass(frozen=True)
class PooledGroup:
    """One group: its pooled ``result`` on the ``scale`` of analysis, and the rows behind it."""

    group: str
    result: Pooled
    scale: Scale
    rows: tuple[PooledRow, ...]

    @property
    def k(self) -> int:
        """How many rows."""
        return len(self.rows)

    @property
    def patients(self) -> int:
        """How many patients."""
        return sum(row.n for row in self.rows)

    @property
    def events(self) -> int:
        """How many of them had the event."""
        return sum(row.events for row in self.rows)

    @property
    def estimate(self) -> float:
        """The pooled rate, a fraction."""
        return float(self.scale.back(self.result.estimate))

    @property
    def ci(self) -> Interval:
        """Its interval, fractions."""
        low, high = self.scale.back(self.result.ci).tolist()
        return low, high

    @property
    def prediction(self) -> Interval | None:
        """Where the rate of a further study is expected, fractions."""
        return self.scale.back_interval(self.result.prediction)


@dataclass(frozen=True)
class PublishedPooling:
    """One outcome pooled by group; ``between`` tests that the groups share one mean, where there are several.

    ``remarks`` are sentences that belong beside the result.
    """

    outcome: str
    by: Grouping
    model: PoolingMethod
    measure: TableMeasure
    groups: tuple[PooledGroup, ...]
    between: QTest | None
    selection: Selection
    remarks: tuple[str, ...]


def pool_outcome(
    catalogue: Catalogue,
    outcome: str,
    *,
    by: Grouping = "class",
    measure: TableMeasure = "logit",
    method: Method | None = None,
    test: TestName = "z",
    window: Window = "all",
    include_unverified: bool = False,
) -> PublishedPooling:
    """Pool one outcome by group.

    Without a method, by the binomial-normal model where the outcome is rare and by REML elsewhere.

    Raises
    ------
    NoEvidenceError
        When no row is left to pool.
    EvidenceError
        When the outcome is not in the vocabulary.
    SynthesisError
        When an option does not go with the method, or a group cannot be pooled.
    """
    selection = select(catalogue, outcome, purpose="published", include_unverified=include_unverified, window=window)
    if not selection.rows:
        problem = Problem(
            "--outcome", f"no usable count of {outcome}", f"see: bcma-decide evidence selected --outcome {outcome}"
        )
        raise NoEvidenceError("nothing to pool", [problem])
    of_study = {study.id: study for study in catalogue.studies}
    rows = selection.rows
    labels = [_group_of(row, of_study[row.study], by) for row in rows]
    studies = _studies(rows, measure)
    usual, why = usual_model(studies, test)
    model = PoolingMethod(usual, test, why=why) if method is None else PoolingMethod(method, test)
    pooled = groups_of(studies, labels, model, by)
    groups = tuple(
        _group(group.name, [rows[row] for row in group.rows], studies.of(group.rows), group.result, model)
        for group in pooled.groups
        if group.result is not None
    )
    remarks = (
        *model_remarks(studies, model, [group.result for group in groups]),
        *group_remarks(studies, model, pooled),
    )
    return PublishedPooling(outcome, by, model, measure, groups, pooled.between, selection, remarks)


def _group_of(row: SelectedRow, study: Study, by: Grouping) -> str:
    label = CLASS_LABELS[row.class_id][0]
    if by == "class":
        return label
    if by == "product":
        return " + ".join(row.products)
    if by == "design":
        return f"{label}, {row.design.replace('_', ' ')}"
    if by == "region":
        return f"{label}, {study.region}"
    return f"{label}, {'dual' if len(study.targets) > 1 else 'single'} target"


def _studies(rows: Sequence[SelectedRow], measure: TableMeasure) -> Studies:
    return counted_studies([row.study for row in rows], [row.events for row in rows], [row.n for row in rows], measure)


def pool_rows(name: str, rows: Sequence[SelectedRow], method: Method = "REML") -> PooledGroup:
    """Pool some rows on the logit scale under one name.

    Raises
    ------
    SynthesisError
        Naming the group, where it cannot be pooled.
    """
    studies, model = _studies(rows, "logit"), PoolingMethod(method)
    try:
        result = result_of(studies, model)
    except SynthesisError as error:
        raise SynthesisError(f"{name}: {error.message}", error.problems) from None
    return _group(name, rows, studies, result, model)


def _group(
    name: str, rows: Sequence[SelectedRow], studies: Studies, result: Pooled, model: PoolingMethod
) -> PooledGroup:
    intervals = zip(*(values.tolist() for values in studies.with_intervals(model.level)), strict=True)
    weights = result.weights or (None,) * len(rows)
    return PooledGroup(
        group=name,
        result=result,
        scale=studies.scale,
        rows=tuple(
            PooledRow(row.study, row.arm, row.events, row.n, estimate, (low, high), weight)
            for row, (estimate, low, high), weight in zip(rows, intervals, weights, strict=True)
        ),
    )
