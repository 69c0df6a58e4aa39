"""Contrasts between two cohorts of one protocol."""

from __future__ import annotations

from bcma_decide.errors import EvidenceError
from bcma_decide.vocabulary import Family
from bcma_decide.workshop.evidence.contrast import SplitContrast
from bcma_decide.workshop.evidence.eligibility import against_basis, count_of, follow_up, infused_share, weakest_basis
from bcma_decide.workshop.evidence.protocol_cohorts import CohortPair
from bcma_decide.workshop.evidence.schema import OutcomeRow, Study
from bcma_decide.workshop.evidence.split_levels import LevelBounds


def cohort_contrasts(
    pair: CohortPair, high: Study, low: Study, family: Family, unverified: bool
) -> tuple[SplitContrast, ...] | str:
    """Return the contrasts of a pair on the thresholds of a family (none where it has none), or why there are none."""
    made = []
    reasons = []
    for threshold in family.thresholds:
        if threshold.id not in pair.outcomes:
            continue
        groups = [_group(study, threshold.id, unverified) for study in (high, low)]
        reasons += [group for group in groups if isinstance(group, str)]
        counted = [group for group in groups if not isinstance(group, str)]
        if len(counted) == 2:
            made.append(_contrast(pair, high, low, *counted))
    return reasons[0] if reasons and not made else tuple(made)


def _group(study: Study, outcome: str, unverified: bool) -> tuple[OutcomeRow, int] | str:
    """Return the primary row of one cohort with its count, or the reason against it."""
    row = next((row for row in study.outcomes if row.outcome == outcome and row.primary), None)
    if row is None:
        return f"{study.id} has no primary row"
    reason = None if unverified else against_basis(row)
    counted = count_of(row)
    if reason is None and isinstance(counted, str):
        reason = counted
    if reason is None and infused_share(study, row) is not None:
        reason = "counted with patients never infused"
    return f"{study.id}: {reason}" if reason or isinstance(counted, str) else (row, counted[0])


def _contrast(
    pair: CohortPair, high: Study, low: Study, with_trait: tuple[OutcomeRow, int], without: tuple[OutcomeRow, int]
) -> SplitContrast:
    if low.design not in ("interventional", "real_world"):
        raise EvidenceError(f"{low.id}: a {low.design} has no design to pool by")
    (row, events), (other, other_events) = with_trait, without
    bases = {weakest_basis(row), weakest_basis(other)}
    return SplitContrast(
        study=low.id,
        arm=None,
        class_id=low.class_id,
        products=low.products,
        design=low.design,
        outcome=row.outcome,
        trait=pair.trait,
        high_events=events,
        high_n=row.n or 0,
        low_events=other_events,
        low_n=other.n or 0,
        high_bounds=LevelBounds(),
        low_bounds=LevelBounds(),
        completed=False,
        basis="recalled" if "recalled" in bases else "derived" if "derived" in bases else "verified",
        source=other.source,
        follow_up_months=follow_up(low, other),
        trial=low.trial,
        extra_variance=pair.extra_variance,
        other_cohort=high.id,
    )
