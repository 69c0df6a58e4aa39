"""Published-style pooling of the project's own evidence: one random-effects mean per group of studies.

What the source meta-analysis did (DerSimonian-Laird on proportions), beside the estimators a reviewer would ask for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bcma_decide.errors import NoEvidenceError, Problem
from bcma_decide.evidence.catalogue import Catalogue
from bcma_decide.evidence.schema import Study
from bcma_decide.evidence.selection import SelectedRow, select
from bcma_decide.synthesis.heterogeneity import Method
from bcma_decide.synthesis.pooling import MeanTest, pool_proportions
from bcma_decide.vocabulary import CLASS_LABELS

Grouping = Literal["class", "product", "target-number", "design", "region"]


@dataclass(frozen=True)
class PooledGroup:
    """One group: its pooled rate and intervals as fractions, heterogeneity, and the rows behind it."""

    group: str
    k: int
    patients: int
    estimate: float
    ci: tuple[float, float]
    prediction: tuple[float, float] | None
    tau2: float | None
    i2: float | None
    q: float | None
    q_p: float | None
    rows: tuple[str, ...]


def _group_of(row: SelectedRow, study: Study, by: Grouping, label: str) -> str:
    if by == "class":
        return label
    if by == "product":
        return " + ".join(row.products)
    if by == "design":
        return f"{label}, {row.design.replace('_', ' ')}"
    if by == "region":
        return f"{label}, {study.region}"
    return f"{label}, {'dual' if len(study.targets) > 1 else 'single'} target"


def pool_outcome(
    catalogue: Catalogue,
    outcome: str,
    *,
    by: Grouping = "class",
    method: Method = "REML",
    test: MeanTest = "z",
    window: Literal["all", "source"] = "all",
    include_unverified: bool = False,
) -> tuple[PooledGroup, ...]:
    """Pool one outcome by group, on the logit scale.

    Raises
    ------
    NoEvidenceError
        When no row is left to pool.
    EvidenceError
        When the outcome is not in the vocabulary.
    SynthesisError
        When an estimator does not converge.
    """
    selection = select(catalogue, outcome, purpose="published", include_unverified=include_unverified, window=window)
    if not selection.rows:
        problem = Problem(
            "--outcome", f"no usable count of {outcome}", f"see: bcma-decide evidence selected --outcome {outcome}"
        )
        raise NoEvidenceError("nothing to pool", [problem])
    studies = {study.id: study for study in catalogue.studies}
    groups: dict[str, list[SelectedRow]] = {}
    for row in selection.rows:
        label = CLASS_LABELS[row.class_id][0]
        groups.setdefault(_group_of(row, studies[row.study], by, label), []).append(row)
    return tuple(_pooled(name, rows, method, test) for name, rows in groups.items())


def _pooled(name: str, rows: list[SelectedRow], method: Method, test: MeanTest) -> PooledGroup:
    result = pool_proportions(
        [row.events for row in rows], [row.n for row in rows], measure="logit", method=method, test=test
    )
    return PooledGroup(
        group=name,
        k=len(rows),
        patients=sum(row.n for row in rows),
        estimate=result.estimate,
        ci=result.ci,
        prediction=result.prediction,
        tau2=result.pooled.tau2,
        i2=result.pooled.i2,
        q=result.pooled.q,
        q_p=result.pooled.q_p,
        rows=tuple(f"{row.study} {row.events}/{row.n}" for row in rows),
    )
