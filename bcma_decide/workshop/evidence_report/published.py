"""Published-style pooling of the project's own evidence: one random-effects mean per group of studies.

What the source meta-analysis did (DerSimonian-Laird on proportions), beside the estimators a reviewer would ask for.
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
from bcma_decide.workshop.meta_analysis.effect_sizes import Measure
from bcma_decide.workshop.meta_analysis.heterogeneity import QTest, cochran_q
from bcma_decide.workshop.meta_analysis.pooled_rates import RateMethod, pool_rates, usual_method
from bcma_decide.workshop.meta_analysis.pooling import MeanTest
from bcma_decide.workshop.meta_analysis.random_effects import Interval
from bcma_decide.workshop.meta_analysis.study_intervals import study_intervals

__all__ = ["Grouping", "PooledGroup", "PooledRow", "PublishedPooling", "between_groups_of", "pool_outcome", "pool_rows"]

Grouping = Literal["class", "product", "target-number", "design", "region"]


@dataclass(frozen=True)
class PooledRow:
    """One arm total that was pooled: its rate with the exact interval (Clopper and Pearson 1934), weight in percent.

    ``weight`` is the row's share of the patients with the binomial-normal model, which has no weights.
    """

    study: str
    arm: str | None
    events: int
    n: int
    estimate: float
    ci: Interval
    weight: float


@dataclass(frozen=True)
class PooledGroup:
    """One group: its pooled rate and intervals as fractions, heterogeneity, and the rows behind it.

    ``mean`` and ``se`` are on the analysis scale.
    """

    group: str
    k: int
    patients: int
    estimate: float
    ci: Interval
    prediction: Interval | None
    tau2: float | None
    i2: float | None
    q: float
    q_p: float | None
    rows: tuple[str, ...]
    events: int
    mean: float
    se: float
    tau2_ci: Interval | None
    h2: float | None
    q_df: int
    studies: tuple[PooledRow, ...]


@dataclass(frozen=True)
class PublishedPooling:
    """One outcome pooled by group; ``between`` tests that the groups share one mean, where there are several."""

    outcome: str
    by: Grouping
    measure: Measure
    method: RateMethod
    test: MeanTest
    groups: tuple[PooledGroup, ...]
    between: QTest | None
    selection: Selection


def pool_outcome(
    catalogue: Catalogue,
    outcome: str,
    *,
    by: Grouping = "class",
    measure: Measure = "logit",
    method: RateMethod | None = None,
    test: MeanTest = "z",
    window: Window = "all",
    include_unverified: bool = False,
) -> PublishedPooling:
    """Pool one outcome by group.

    Without a method, by that of `usual_method` for all rows; REML where the exact model has no finite estimate for one
    of the groups.

    Raises
    ------
    NoEvidenceError
        When no row is left to pool.
    EvidenceError
        When the outcome is not in the vocabulary.
    SynthesisError
        When an option does not go with the method, or a group cannot be pooled by it.
    """
    selection = select(catalogue, outcome, purpose="published", include_unverified=include_unverified, window=window)
    if not selection.rows:
        problem = Problem(
            "--outcome", f"no usable count of {outcome}", f"see: bcma-decide evidence selected --outcome {outcome}"
        )
        raise NoEvidenceError("nothing to pool", [problem])
    studies = {study.id: study for study in catalogue.studies}
    found: dict[str, list[SelectedRow]] = {}
    for row in selection.rows:
        found.setdefault(_group_of(row, studies[row.study], by), []).append(row)
    how = method or _usual_method(tuple(found.values()), measure, test)
    groups = tuple(pool_rows(name, rows, measure=measure, method=how, test=test) for name, rows in found.items())
    return PublishedPooling(outcome, by, measure, how, test, groups, between_groups_of(groups), selection)


def _usual_method(groups: Sequence[Sequence[SelectedRow]], measure: Measure, test: MeanTest) -> RateMethod:
    rows = [row for group in groups for row in group]
    finite = all(0 < sum(row.events for row in group) < sum(row.n for row in group) for group in groups)
    usual = usual_method([row.events for row in rows], [row.n for row in rows], measure=measure, test=test)
    return usual if finite else "REML"


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


def pool_rows(
    name: str,
    rows: Sequence[SelectedRow],
    *,
    measure: Measure = "logit",
    method: RateMethod = "REML",
    test: MeanTest = "z",
) -> PooledGroup:
    """Pool some rows under one name.

    Raises
    ------
    SynthesisError
        Naming the group, where it cannot be pooled.
    """
    events, total = [row.events for row in rows], [row.n for row in rows]
    try:
        result = pool_rates(events, total, measure=measure, method=method, test=test)
    except SynthesisError as error:
        raise SynthesisError(f"{name}: {error.message}", error.problems) from None
    weights = result.weights or tuple(100 * n / sum(total) for n in total)
    intervals = study_intervals(events, total).tolist()
    return PooledGroup(
        group=name,
        k=len(rows),
        patients=sum(total),
        estimate=result.estimate,
        ci=result.ci,
        prediction=result.prediction,
        tau2=result.tau2,
        i2=result.i2,
        q=result.q,
        q_p=result.q_p,
        rows=tuple(f"{row.study} {row.events}/{row.n}" for row in rows),
        events=sum(events),
        mean=result.mean,
        se=result.se,
        tau2_ci=result.tau2_ci,
        h2=result.h2,
        q_df=result.q_df,
        studies=tuple(
            PooledRow(row.study, row.arm, row.events, row.n, row.events / row.n, (low, high), weight)
            for row, (low, high), weight in zip(rows, intervals, weights, strict=True)
        ),
    )


def between_groups_of(groups: Sequence[PooledGroup]) -> QTest | None:
    """Test that groups pooled apart share one mean: Q of their means with weights ``1 / se^2``.

    Mixed-effects subgroup analysis (Borenstein, Hedges, Higgins and Rothstein 2009, chapter 19). ``None`` with one
    group, or where the studies of a group agree exactly and leave no standard error.
    """
    if len(groups) < 2 or any(group.se == 0 for group in groups):
        return None
    return cochran_q([group.mean for group in groups], [group.se**2 for group in groups])
