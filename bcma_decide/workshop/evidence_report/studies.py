"""Every study of the catalogue: where it was published, what was given to whom, and what it counts for."""

from __future__ import annotations

from bcma_decide.vocabulary import CLASS_LABELS
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.schema import Study
from bcma_decide.workshop.evidence_report.accounts import Accounts
from bcma_decide.workshop.evidence_report.words import NOT_REPORTED, outcome_label, product_label, reference
from bcma_decide.workshop.plots.page import Section, Table, TableCell

__all__ = ["study_section"]

_TITLES = (
    "Study", "Name", "Published", "Reference", "Class", "Product", "Targets", "Design", "Region",
    "Patients", "Follow-up, months", "Role in pooling", "Pooled for",
)  # fmt: skip


def study_section(catalogue: Catalogue, accounts: Accounts) -> Section:
    """One row per study file, whether it is pooled or not."""
    rows = tuple(_row(study, catalogue, accounts) for study in catalogue.studies)
    counted = sum(bool(accounts.pooled_for(study.id)) for study in catalogue.studies)
    said = (
        f"{len(catalogue.studies)} studies, labels and reviews are on file; {counted} of them count for at least one "
        "pooled rate. The others are kept for contrasts inside a study or as context, with the reason beside them."
    )
    return Section("Studies", (said,), (Table("Every study on file", _TITLES, rows, words=True, large=True),))


def _row(study: Study, catalogue: Catalogue, accounts: Accounts) -> tuple[TableCell, ...]:
    words = catalogue.vocabulary.ids
    outcomes = "; ".join(outcome_label(catalogue, outcome) for outcome in accounts.pooled_for(study.id))
    role = study.pooling.role.replace("_", " ")
    return (
        study.id,
        study.name,
        study.first_published or NOT_REPORTED,
        reference(study),
        CLASS_LABELS[study.class_id][0],
        product_label(catalogue, study),
        ", ".join(study.targets) or NOT_REPORTED,
        study.design.replace("_", " ") + (f", phase {study.phase}" if study.phase else ""),
        words.regions.get(study.region, study.region),
        _patients(study),
        _follow_up(study),
        f"{role}: {study.pooling.reason}" if study.pooling.reason else role,
        outcomes or "nothing",
    )


def _patients(study: Study) -> str:
    """Treated and enrolled, of each arm where there are several."""
    if study.arms:
        return "; ".join(f"{arm.arm.replace('_', ' ')}: {_count(arm.treated, arm.enrolled)}" for arm in study.arms)
    return _count(study.treated, study.enrolled)


def _count(treated: int | None, enrolled: int | None) -> str:
    known = ((treated, "treated"), (enrolled, "enrolled"))
    return ", ".join(f"{count} {what}" for count, what in known if count is not None) or NOT_REPORTED


def _follow_up(study: Study) -> str:
    by_arm = [
        f"{arm.arm.replace('_', ' ')}: {arm.median_follow_up_months:g}"
        for arm in study.arms
        if arm.median_follow_up_months is not None
    ]
    if by_arm:
        return "; ".join(by_arm)
    return NOT_REPORTED if study.median_follow_up_months is None else f"{study.median_follow_up_months:g}"
