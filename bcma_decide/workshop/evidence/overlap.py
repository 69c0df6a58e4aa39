"""Overlapping patient sets are never counted twice: one is used, by a rule the reader can list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from bcma_decide.workshop.evidence.eligibility import products_of
from bcma_decide.workshop.evidence.schema import Study


class PatientSet(Protocol):
    """Anything that stands for the patients of one arm of a study."""

    @property
    def study(self) -> Study:
        """The study."""

    @property
    def arm(self) -> str | None:
        """Its arm, where it has several."""

    @property
    def patients(self) -> int:
        """How many."""

    @property
    def follow_up(self) -> float:
        """Months of follow-up, 0 where not known."""


Chosen = TypeVar("Chosen", bound=PatientSet)


def without_overlap(
    candidates: Iterable[Chosen], before: Iterable[Chosen] = ()
) -> tuple[list[Chosen], list[tuple[Chosen, str]]]:
    """Keep one of every group of overlapping sets: the largest, then the longest followed, then by id.

    A set is dropped when a set already kept shares patients with it; the reason names the set that was kept. Sets
    in ``before`` are kept whatever their size, and returned with the others.
    """
    kept: list[Chosen] = list(before)
    beaten: list[tuple[Chosen, str]] = []
    for candidate in sorted(candidates, key=lambda c: (-c.patients, -c.follow_up, c.study.id)):
        winner = next((k for k in kept if shares_patients(candidate, k)), None)
        if winner is None:
            kept.append(candidate)
        else:
            beaten.append((candidate, _beaten_by(candidate, winner)))
    return kept, beaten


def shares_patients(one: PatientSet, other: PatientSet) -> bool:
    """Tell whether two sets of different studies overlap.

    At least one study has to name the other. Where one of them has arms of different products, only the arm
    given a product of the other set can share patients with it.
    """
    if one.study.id == other.study.id:
        return False
    if other.study.id not in one.study.overlaps_with and one.study.id not in other.study.overlaps_with:
        return False
    if one.arm is None and other.arm is None:
        return True
    return not set(products_of(one.study, one.arm)).isdisjoint(products_of(other.study, other.arm))


def _beaten_by(candidate: PatientSet, winner: PatientSet) -> str:
    if winner.patients > candidate.patients:
        why = f"larger: {winner.patients} against {candidate.patients}"
    elif winner.follow_up > candidate.follow_up:
        why = "followed for longer"
    else:
        why = "first by name of two equal sets"
    return f"shares patients with {winner.study.id}, which is used ({why})"
