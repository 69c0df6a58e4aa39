"""Which arm totals are pooled for one outcome, and why the others are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from bcma_decide.errors import EvidenceError
from bcma_decide.vocabulary import Basis, ClassId, Design
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.eligibility import (
    Purpose,
    Window,
    against_basis,
    against_role,
    against_study,
    against_window,
    count_of,
    follow_up,
    infused_share,
    products_of,
    weakest_basis,
)
from bcma_decide.workshop.evidence.overlap import without_overlap
from bcma_decide.workshop.evidence.schema import OutcomeRow, Study

Denominator = Literal["treated", "evaluable", "randomised", "leukapheresed", "responders"]
SelectionRule = Literal["data_cut", "record", "role", "window", "basis", "count", "denominator", "overlap"]
RULES: Final[tuple[SelectionRule, ...]] = get_args(SelectionRule)
"""What a row has to pass, in this order: the primary row of its arm, a study of single-agent BCMA therapy, its role,
the window, verified figures, a count, a usable denominator, no patients counted twice."""


@dataclass(frozen=True)
class SelectedRow:
    """One arm total that is pooled."""

    study: str
    arm: str | None
    outcome: str
    class_id: ClassId
    products: tuple[str, ...]
    design: Design
    events: int
    n: int
    derived: bool
    """The count was computed from a printed percentage."""
    follow_up_months: float | None
    denominator: Denominator | None
    basis: Basis
    source: str | None
    infused_share: float | None
    """Share of the denominator that reached the infusion, for response counted per randomised or
    leukapheresed patient; ``None`` where the denominator needs none."""
    trial: str | None


@dataclass(frozen=True)
class LeftOut:
    """One row that is not pooled, with the reason."""

    study: str
    arm: str | None
    outcome: str
    reason: str
    rule: SelectionRule
    """Which rule it did not pass."""


@dataclass(frozen=True)
class Selection:
    """The rows of one outcome, sorted by class and study, and everything left out."""

    outcome: str
    purpose: Purpose
    window: Window
    include_unverified: bool
    rows: tuple[SelectedRow, ...]
    left_out: tuple[LeftOut, ...]

    def explain(self) -> tuple[str, ...]:
        """Plain lines: what is in, then what is out and why."""
        lines = [f"{self.outcome}: rows selected {len(self.rows)}, left out {len(self.left_out)}"]
        lines += [f"in   {_where(r.study, r.arm)}: {r.events}/{r.n}{_remarks(r)}" for r in self.rows]
        lines += [f"out  {_where(r.study, r.arm)}: {r.reason}" for r in self.left_out]
        return tuple(lines)


def _where(study: str, arm: str | None) -> str:
    return f"{study} ({arm})" if arm else study


def _remarks(row: SelectedRow) -> str:
    remarks = []
    if row.derived:
        remarks.append("count from the percentage")
    if row.basis == "recalled":
        remarks.append("recalled")
    if row.infused_share is not None:
        remarks.append(f"per {row.denominator} patient, {row.infused_share:.1%} infused")
    return f" ({', '.join(remarks)})" if remarks else ""


@dataclass(frozen=True)
class _Candidate:
    study: Study
    row: OutcomeRow
    events: int
    derived: bool
    infused_share: float | None

    @property
    def arm(self) -> str | None:
        return self.row.arm

    @property
    def patients(self) -> int:
        return self.row.n or 0

    @property
    def follow_up(self) -> float:
        return follow_up(self.study, self.row) or 0.0


def select(
    catalogue: Catalogue,
    outcome: str,
    *,
    purpose: Purpose = "model",
    include_unverified: bool = False,
    window: Window = "all",
) -> Selection:
    """Choose the arm totals of ``outcome``.

    Parameters
    ----------
    catalogue
        The evidence.
    outcome
        An outcome of the vocabulary, such as ``orr``.
    purpose
        ``model``: current products only (role *whole_group*). ``published``: also early constructs
        (*published_only*), for published-style pooling.
    include_unverified
        Admit recalled figures too.
    window
        ``source``: only studies published by the search date of the source meta-analysis.

    Raises
    ------
    EvidenceError
        If the outcome is not in the vocabulary.
    """
    catalogue.vocabulary.require("outcomes", outcome)
    left_out: list[LeftOut] = []
    candidates: list[_Candidate] = []
    for study in catalogue.studies:
        for row in _rows_of(study, outcome, left_out):
            found = _candidate(study, row, purpose=purpose, unverified=include_unverified, window=window)
            if isinstance(found, LeftOut):
                left_out.append(found)
            else:
                candidates.append(found)
    kept, beaten = without_overlap(candidates)
    left_out += [LeftOut(c.study.id, c.row.arm, outcome, reason, "overlap") for c, reason in beaten]
    rows = sorted((_selected(c) for c in kept), key=lambda r: (r.class_id, r.study, r.arm or ""))
    return Selection(
        outcome=outcome,
        purpose=purpose,
        window=window,
        include_unverified=include_unverified,
        rows=tuple(rows),
        left_out=tuple(sorted(left_out, key=lambda r: (r.study, r.arm or ""))),
    )


def _rows_of(study: Study, outcome: str, left_out: list[LeftOut]) -> list[OutcomeRow]:
    """Return the primary rows of an outcome, and note arms that only have rows of other data cuts."""
    rows = [row for row in study.outcomes if row.outcome == outcome]
    primary = [row for row in rows if row.primary]
    arms = {row.arm for row in primary}
    left_out += [
        LeftOut(study.id, arm, outcome, "only another data cut or definition of this outcome is printed", "data_cut")
        for arm in sorted({row.arm for row in rows} - arms, key=str)
    ]
    return primary


def _candidate(
    study: Study, row: OutcomeRow, *, purpose: Purpose, unverified: bool, window: Window
) -> _Candidate | LeftOut:
    """Return the row made ready for pooling, or the reason against it."""

    def left_out(rule: SelectionRule, reason: str) -> LeftOut:
        return LeftOut(study.id, row.arm, row.outcome, reason, rule)

    if reason := against_study(study):
        return left_out("record", reason)
    if reason := against_role(study, purpose):
        return left_out("role", reason)
    if reason := against_window(study, window):
        return left_out("window", reason)
    if not unverified and (reason := against_basis(row)):
        return left_out("basis", reason)
    counted = count_of(row)
    if isinstance(counted, str):
        return left_out("count", counted)
    events, derived = counted
    share = infused_share(study, row)
    if isinstance(share, str):
        if purpose == "model":
            return left_out("denominator", share)
        share = None
    return _Candidate(study, row, events, derived, share)


def _selected(candidate: _Candidate) -> SelectedRow:
    study, row = candidate.study, candidate.row
    return SelectedRow(
        study=study.id,
        arm=row.arm,
        outcome=row.outcome,
        class_id=study.class_id,
        products=products_of(study, row.arm),
        design=_design(study),
        events=candidate.events,
        n=candidate.patients,
        derived=candidate.derived,
        follow_up_months=follow_up(study, row),
        denominator=row.denominator,
        basis=weakest_basis(row),
        source=row.source,
        infused_share=candidate.infused_share,
        trial=study.trial,
    )


def _design(study: Study) -> Design:
    if study.design in ("interventional", "real_world"):
        return study.design
    raise EvidenceError(f"{study.id}: a {study.design} has no design to pool by")
