"""The rules for what may be pooled, each one small function.

A rule answers with a plain reason against the study or row, or with nothing when it is met.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from bcma_decide.vocabulary import FAMILY_OF, Basis
from bcma_decide.workshop.evidence.counts import implied_events
from bcma_decide.workshop.evidence.schema import OutcomeRow, Split, Study

Purpose = Literal["model", "published"]
Window = Literal["all", "source"]

RESPONSE_FAMILY: Final = "response"
NOT_INFUSED: Final[dict[str, tuple[str, ...]]] = {
    "randomised": ("randomised_not_infused", "apheresed_not_infused"),
    "leukapheresed": ("apheresed_not_infused",),
}
"""Outcomes that tell, per denominator, how many of those counted never reached the infusion."""


def against_study(study: Study) -> str | None:
    """Refuse what is no single-agent BCMA study of relapsed or refractory myeloma."""
    if study.record_type == "label":
        return "a product label repeats the patients of its trials"
    if study.record_type == "meta_analysis":
        return "estimates of another meta-analysis are not pooled"
    if study.mixed_targets:
        return "the set mixes BCMA with other targets"
    if study.combination:
        return "given together with another active drug"
    if study.setting != "rrmm":
        return "not relapsed or refractory myeloma"
    return None


_ROLES: Final[dict[Purpose, tuple[str, ...]]] = {
    "model": ("whole_group",),
    "published": ("whole_group", "published_only"),
}


def against_role(study: Study, purpose: Purpose) -> str | None:
    """Follow the decision recorded with the study, for pooling its overall rate."""
    if study.pooling.role in _ROLES[purpose]:
        return None
    return f"{study.pooling.role.replace('_', ' ')}: {study.pooling.reason}"


def against_window(study: Study, window: Window) -> str | None:
    """Apply the search date of the source meta-analysis, where it was asked for."""
    if window == "all" or study.search_window:
        return None
    if study.search_window is None:
        return "unknown whether it appeared by the source meta-analysis' search date"
    return "published after the source meta-analysis' search date"


def against_basis(row: OutcomeRow | Split) -> str | None:
    """Refuse a figure unless the rate, the count and the denominator were all seen."""
    if row.basis == "recalled":
        return "the figure is recalled, not verified"
    if row.events_basis == "recalled":
        return "the count is recalled, not verified"
    if row.n_basis == "recalled":
        return "the denominator is recalled, not verified"
    return None


def count_of(row: OutcomeRow | Split) -> tuple[int, bool] | str:
    """Events of a row and whether they were computed from its percentage, or why there is no count."""
    if row.n is None:
        return "no count: the denominator is not known"
    if row.events is not None:
        return row.events, row.events_derived or row.events_basis == "derived"
    events = None if row.pct is None else implied_events(row.pct, row.n)
    if events is None:
        return "no count: no whole number of patients gives the printed percentage"
    return events, True


def infused_share(study: Study, row: OutcomeRow) -> float | str | None:
    """Share of the denominator that was infused, for response rows that also count patients never infused."""
    family = FAMILY_OF.get(row.outcome)
    if family is None or family.id != RESPONSE_FAMILY or row.denominator not in NOT_INFUSED:
        return None
    if study.class_id not in FAMILY_OF["apheresed_not_infused"].classes:
        return None
    for outcome in NOT_INFUSED[row.denominator]:
        for other in study.outcomes:
            usable = other.outcome == outcome and other.arm == row.arm and other.n is not None
            if usable and against_basis(other) is None and other.events is not None:
                matches = other.denominator == row.denominator or other.n == row.n
                if matches:
                    return 1.0 - other.events / (other.n or 1)
    return f"counted per {row.denominator} patient, without a verified count of those never infused"


def follow_up(study: Study, row: OutcomeRow | Split) -> float | None:
    """Median follow-up of the row's own data cut, else the arm's, else the study's."""
    if row.follow_up_months is not None:
        return row.follow_up_months
    for arm in study.arms:
        if arm.arm == row.arm and arm.median_follow_up_months is not None:
            return arm.median_follow_up_months
    return study.median_follow_up_months


def products_of(study: Study, arm: str | None) -> tuple[str, ...]:
    """Products of one arm, or of the whole study."""
    for described in study.arms:
        if described.arm == arm:
            return (described.product,)
    return study.products


_STRENGTH: Final[Sequence[Basis]] = ("verified", "derived", "recalled")


def weakest_basis(row: OutcomeRow | Split) -> Basis:
    """Return the weakest basis of rate, count and denominator."""
    bases = [basis for basis in (row.basis, row.events_basis, row.n_basis) if basis is not None]
    return max(bases, key=_STRENGTH.index)
