"""Which published curves of progression-free survival count: one for each group of patients, from one origin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from bcma_decide.behind import STARTS, TimeOrigin
from bcma_decide.model.waiting import DAYS_A_MONTH
from bcma_decide.vocabulary import CLASSES, PFS, Basis, ClassId, Design
from bcma_decide.workshop.evidence.eligibility import (
    NOT_INFUSED,
    against_basis,
    against_role,
    against_study,
    products_of,
)
from bcma_decide.workshop.evidence.overlap import without_overlap
from bcma_decide.workshop.evidence.schema import Study, TimeToEvent

HALF: Final = 50.0
BEFORE: Final = ("randomisation", "apheresis")
"""Origins that lie before the infusion."""
BASES: Final[tuple[Basis, ...]] = ("verified", "derived", "recalled")


@dataclass(frozen=True)
class CurvePoint:
    """Percentage free of the event at a month, with its printed 95 % interval.

    A printed median is a point at 50 with ``interval_months``, the printed interval of the time, in place of ``ci95``.
    """

    month: float
    pct: float
    ci95: tuple[float | None, float | None] | None = None
    interval_months: tuple[float | None, float | None] | None = None


@dataclass(frozen=True)
class Wait:
    """What lies between the origin of a curve and the infusion: share of patients infused, and months."""

    infused: float
    months: float


@dataclass(frozen=True)
class Curve:
    """One published curve; ``wait`` where it starts before the infusion."""

    study: Study
    arm: str | None
    products: tuple[str, ...]
    n: int
    follow_up_months: float | None
    origin: TimeOrigin
    points: tuple[CurvePoint, ...]
    basis: Basis
    source: str
    wait: Wait | None = None

    @property
    def class_id(self) -> ClassId:
        """Its class."""
        return self.study.class_id

    @property
    def design(self) -> Design:
        """Trial or practice."""
        assert self.study.design in ("interventional", "real_world")
        return self.study.design

    @property
    def patients(self) -> int:
        """How many, for the choice between overlapping sets."""
        return self.n

    @property
    def follow_up(self) -> float:
        """Months of follow-up, 0 where not known."""
        return self.follow_up_months or 0.0


@dataclass(frozen=True)
class Curves:
    """The curves that count, by class and study, and what was left out with the reason."""

    curves: tuple[Curve, ...]
    left_out: tuple[str, ...]


def select_curves(
    studies: Iterable[Study],
    waits: Mapping[ClassId, float],
    median_reach: float,
    *,
    include_unverified: bool = False,
) -> Curves:
    """Choose the whole-group curves of single-target products, none of any patient twice.

    Parameters
    ----------
    studies
        The evidence, or a part of it.
    waits
        Months between apheresis and infusion for studies that print none, by class.
    median_reach
        How many times the median follow-up a median may lie from the start.
    include_unverified
        Admit recalled figures too.
    """
    candidates, left_out = candidate_curves(studies, waits, median_reach, include_unverified=include_unverified)
    kept, beaten = without_overlap(candidates)
    left_out += [f"{curve.study.name}: {reason}" for curve, reason in beaten]
    return Curves(tuple(sorted(kept, key=_order)), tuple(sorted(left_out)))


def candidate_curves(
    studies: Iterable[Study],
    waits: Mapping[ClassId, float],
    median_reach: float,
    *,
    include_unverified: bool = False,
) -> tuple[list[Curve], list[str]]:
    """All curves that could count, overlapping ones too, and what could not with the reason; see `select_curves`."""
    candidates: list[Curve] = []
    left_out: list[str] = []
    for study in studies:
        for curve in curves_of(study, waits, include_unverified):
            if isinstance(curve, str):
                left_out.append(f"{study.name}: {curve}")
            elif _beyond_reach(curve, median_reach):
                left_out.append(f"{study.name}: the median lies far beyond the follow-up")
            else:
                candidates.append(curve)
    return sorted(candidates, key=_order), left_out


def _order(curve: Curve) -> tuple[int, str, str]:
    return CLASSES.index(curve.class_id), curve.study.id, curve.arm or ""


def _beyond_reach(curve: Curve, median_reach: float) -> bool:
    """Whether all that a curve prints is a median far beyond its follow-up."""
    followed = curve.follow_up_months
    return followed is not None and all(p.pct == HALF and p.month > median_reach * followed for p in curve.points)


def curves_of(study: Study, waits: Mapping[ClassId, float], include_unverified: bool = False) -> Iterator[Curve | str]:
    """The whole-group curves of a study's arms, or why there is none."""
    rows: dict[str | None, list[TimeToEvent]] = {}
    for row in study.time_to_event:
        if row.endpoint == PFS and row.primary:
            rows.setdefault(row.arm, []).append(row)
    if not rows:
        return
    if reason := against_study(study) or against_role(study, "model"):
        yield reason
        return
    if len(study.targets) > 1:
        yield f"two targets ({', '.join(study.targets)})"
        return
    for arm, found in rows.items():
        seen = [row for row in found if include_unverified or row.basis != "recalled"]
        yield _curve(study, arm, seen, waits) if seen else "the figure is recalled, not verified"


def _curve(study: Study, arm: str | None, rows: list[TimeToEvent], waits: Mapping[ClassId, float]) -> Curve | str:
    origins = {row.origin for row in rows}
    counts = [row.n for row in rows if row.n is not None]
    n = max(counts, default=None) or _arm_size(study, arm)
    points = tuple(sorted((point for row in rows for point in curve_points(row)), key=lambda point: point.month))
    origin: TimeOrigin | None = rows[0].origin
    if origin is None or len(origins) != 1:
        return "what the time is counted from is not known"
    if n is None:
        return "no number of patients"
    if not points:
        return "neither a median nor a landmark"
    curve = Curve(
        study=study,
        arm=arm,
        products=products_of(study, arm),
        n=n,
        follow_up_months=max((row.follow_up_months for row in rows if row.follow_up_months), default=None)
        or study.median_follow_up_months,
        origin=origin,
        points=points,
        basis=max((row.basis for row in rows), key=BASES.index),
        source=", ".join(dict.fromkeys(f"{study.id}:{row.source}" for row in rows if row.source)),
    )
    if origin == STARTS[study.class_id] or (study.class_id == "bite" and origin in BEFORE):
        return curve  # a bispecific starts within days of the decision
    if origin not in BEFORE:
        return f"counted from {origin}"
    wait = _wait(study, arm, origin, waits)
    return wait if isinstance(wait, str) else replace(curve, wait=wait)


def curve_points(row: TimeToEvent) -> Iterator[CurvePoint]:
    """The points of one row: its landmarks, and its median as the time at which half are free of the event."""
    for landmark in row.landmarks:
        yield CurvePoint(landmark.month, landmark.pct, landmark.ci95)
    if row.median_months:
        yield CurvePoint(row.median_months, HALF, interval_months=row.ci95)


def _arm_size(study: Study, arm: str | None) -> int | None:
    sizes = [described.treated for described in study.arms if described.arm == arm] if arm else [study.treated]
    return sizes[0] if sizes else None


def _wait(study: Study, arm: str | None, origin: TimeOrigin, waits: Mapping[ClassId, float]) -> Wait | str:
    denominator = "randomised" if origin == "randomisation" else "leukapheresed"
    days = [k.median for k in study.kinetics if k.what == "vein_to_vein_days" and k.median is not None]
    months = days[0] / DAYS_A_MONTH if days else waits[study.class_id]
    for outcome in NOT_INFUSED[denominator]:
        for row in study.outcomes:
            of_arm = row.outcome == outcome and row.arm == arm and against_basis(row) is None
            if of_arm and row.n and row.events is not None:
                return Wait(1.0 - row.events / row.n, months)
    return f"counted from {origin}, without a verified count of those never infused"
