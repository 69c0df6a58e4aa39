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
from bcma_decide.workshop.evidence.outcome_definitions import OutcomeDefinitionsFile
from bcma_decide.workshop.evidence.overlap import without_overlap
from bcma_decide.workshop.evidence.schema import OutcomeRow, Study

Denominator = Literal["treated", "evaluable", "randomised", "leukapheresed", "responders"]
SelectionRule = Literal[
    "data_cut", "definition", "record", "role", "window", "basis", "count", "denominator", "overlap"
]
RULES: Final[tuple[SelectionRule, ...]] = get_args(SelectionRule)
"""What a row has to pass, in this order: the primary row of its arm, the definition of the outcome, a study of
single-agent BCMA therapy, its role, the window, verified figures, a count, a usable denominator, no patients twice."""


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
    definition: str | None = None
    """How the outcome was defined, where the row says so (``outcome_definitions.yaml``)."""
    near: bool = False
    """Whether that is another definition for nearly the same thing."""


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
    if row.definition is not None:
        remarks.append(f"{'near definition' if row.near else 'definition'}: {row.definition}")
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
    outcome: str
    """What it is selected for."""

    @property
    def arm(self) -> str | None:
        return self.row.arm

    @property
    def patients(self) -> int:
        return self.row.n or 0

    @property
    def follow_up(self) -> float:
        return follow_up(self.study, self.row) or 0.0


@dataclass(frozen=True)
class _Asked:
    """What :func:`select` was asked for."""

    outcome: str
    purpose: Purpose
    unverified: bool
    window: Window


def select(
    catalogue: Catalogue,
    outcome: str,
    *,
    purpose: Purpose = "model",
    include_unverified: bool = False,
    window: Window = "all",
    near: bool = False,
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
    near
        Also the rows of near definitions that are there on request only (investigator-reported neurotoxicity for
        ICANS, early response), marked ``near``. They never replace a row of the usual definition: an arm that has
        one, or shares patients with one, brings no near row.

    Raises
    ------
    EvidenceError
        If the outcome is not in the vocabulary.
    """
    catalogue.vocabulary.require("outcomes", outcome)
    asked = _Asked(outcome, purpose, include_unverified, window)
    definitions = catalogue.outcome_definitions
    left_out: list[LeftOut] = []
    candidates: list[_Candidate] = []
    requested: list[_Candidate] = []
    for study in catalogue.studies:
        for row in _rows_of(study, outcome, left_out):
            if definitions.on_request(row.definition, outcome) != outcome:
                _sort(_candidate(study, row, asked), candidates, left_out)
            elif not near:
                label = getattr(definitions.get(row.definition), "label", "")
                left_out.append(LeftOut(study.id, row.arm, outcome, f"another definition: {label}", "definition"))
        for row in study.outcomes if near else ():
            if row.primary and definitions.on_request(row.definition, row.outcome) == outcome:
                _sort(_candidate(study, row, asked), requested, left_out)
    kept, beaten = without_overlap(candidates)
    own = {(candidate.study.id, candidate.arm) for candidate in kept}
    left_out += [
        LeftOut(c.study.id, c.arm, outcome, "the arm has a row of the usual definition", "definition")
        for c in requested
        if (c.study.id, c.arm) in own
    ]
    nearby = [candidate for candidate in requested if (candidate.study.id, candidate.arm) not in own]
    kept, beaten_near = without_overlap(nearby, before=kept)
    left_out += [LeftOut(c.study.id, c.arm, outcome, reason, "overlap") for c, reason in [*beaten, *beaten_near]]
    rows = sorted((_selected(c, definitions) for c in kept), key=lambda r: (r.class_id, r.study, r.arm or ""))
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


def _sort(found: _Candidate | LeftOut, candidates: list[_Candidate], left_out: list[LeftOut]) -> None:
    if isinstance(found, LeftOut):
        left_out.append(found)
    else:
        candidates.append(found)


def _candidate(study: Study, row: OutcomeRow, asked: _Asked) -> _Candidate | LeftOut:
    """Return the row made ready for pooling, or the reason against it."""

    def left_out(rule: SelectionRule, reason: str) -> LeftOut:
        return LeftOut(study.id, row.arm, asked.outcome, reason, rule)

    if reason := against_study(study):
        return left_out("record", reason)
    if reason := against_role(study, asked.purpose):
        return left_out("role", reason)
    if reason := against_window(study, asked.window):
        return left_out("window", reason)
    if not asked.unverified and (reason := against_basis(row)):
        return left_out("basis", reason)
    counted = count_of(row)
    if isinstance(counted, str):
        return left_out("count", counted)
    events, derived = counted
    share = infused_share(study, row)
    if isinstance(share, str):
        if asked.purpose == "model":
            return left_out("denominator", share)
        share = None
    return _Candidate(study, row, events, derived, share, asked.outcome)


def _selected(candidate: _Candidate, definitions: OutcomeDefinitionsFile) -> SelectedRow:
    study, row = candidate.study, candidate.row
    defined = definitions.get(row.definition)
    # a definition says how one outcome stands for another; a row selected for its own outcome may need no mark
    stands = defined is not None and defined.rows_of.get(row.outcome) == candidate.outcome
    return SelectedRow(
        study=study.id,
        arm=row.arm,
        outcome=candidate.outcome,
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
        definition=row.definition if stands else None,
        near=stands and defined is not None and defined.relation == "near",
    )


def _design(study: Study) -> Design:
    if study.design in ("interventional", "real_world"):
        return study.design
    raise EvidenceError(f"{study.id}: a {study.design} has no design to pool by")
