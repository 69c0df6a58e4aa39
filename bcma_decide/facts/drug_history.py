"""Which drugs a patient has had, and which of them failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Final, NamedTuple, get_args

from bcma_decide.logic import Truth
from bcma_decide.patient.phrases import and_list
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.definitions import Definitions, Drug
from bcma_decide.vocabulary import CourseKind

HEADINGS: Final = ("refractory_to", "exposed_to", "naive_to", "received")
T_CELL_REDIRECTING: Final = ("car_t", "bispecific")


def against_bcma(drug: Drug) -> bool:
    """Whether a drug aims at BCMA."""
    return "bcma" in drug.targets


def redirects(drug: Drug) -> bool:
    """Whether a drug redirects T cells, whatever its target."""
    return drug.modality in T_CELL_REDIRECTING


SUMMARIES: Final[Mapping[str, Callable[[Drug], bool]]] = {
    "prior_bcma": against_bcma,
    "prior_t_cell_redirection": redirects,
}
"""Traits that, when absent, rule out every drug they cover."""


def _bcma_of(kind: CourseKind) -> Callable[[Drug], bool]:
    return lambda drug: drug.modality == kind and against_bcma(drug)


BCMA_KINDS: Final[Mapping[str, Callable[[Drug], bool]]] = {kind: _bcma_of(kind) for kind in get_args(CourseKind)}
"""Whether a drug is BCMA therapy of a kind, by kind."""


class Claim(NamedTuple):
    """A trait is present (or absent), because of these fields."""

    value: bool
    how: str
    fields: tuple[str, ...]
    given: bool = False


class DrugHistory:
    """Which drugs failed, were given, were never given; a drug under two headings counts as unknown.

    What is only known to have been given adds nothing where a drug also stands under a heading that says more.
    """

    def __init__(self, patient: Patient, definitions: Definitions) -> None:
        self.patient = patient
        self.definitions = definitions
        self.refractory: dict[str, Truth] = dict.fromkeys(definitions.drugs_by_id)
        self.exposed: dict[str, Truth] = dict(self.refractory)
        self.overlaps: dict[tuple[str, str], list[str]] = {}
        self._exposures: dict[Callable[[Drug], bool], Claim | None] = {}
        named: dict[str, list[str]] = {}
        for heading in HEADINGS:
            for drug in getattr(patient, heading):
                named.setdefault(drug, []).append(heading)
        several = any(len(headings) > 1 for headings in named.values())
        for drug in definitions.drugs_by_id if several else named:  # overlaps are told in the order of the drugs
            if drug in named and drug in self.refractory:
                self._note(drug, list(dict.fromkeys(named[drug])))

    def _note(self, drug: str, under: list[str]) -> None:
        if under[0] != "naive_to" and len(under) > 1:
            under = [heading for heading in under if heading != "received"]
        for first, second in pairwise(under):
            self.overlaps.setdefault((first, second), []).append(drug)
        if len(under) == 1:
            self.refractory[drug] = None if under[0] == "received" else under[0] == "refractory_to"
            self.exposed[drug] = under[0] != "naive_to"

    def headings(self, drugs: Iterable[str]) -> tuple[str, ...]:
        """List the fields these drugs were named in."""
        named = set(drugs)
        return tuple(heading for heading, under in self._under if not named.isdisjoint(under))

    @cached_property
    def _under(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return tuple((heading, under) for heading in HEADINGS if (under := getattr(self.patient, heading)))

    def exposure(self, wanted: Callable[[Drug], bool]) -> Claim | None:
        """Whether any wanted drug was given: yes if one was, no if none of them was."""
        if wanted not in self._exposures:
            self._exposures[wanted] = self._exposure(drugs_where(self.definitions, wanted))
        return self._exposures[wanted]

    def _exposure(self, wanted_drugs: tuple[str, ...]) -> Claim | None:
        if not self._under:
            return None
        given = [drug for drug in wanted_drugs if self.exposed[drug]]
        if given:
            return Claim(True, f"{and_list(given)} given", self.headings(given))
        if all(self.exposed[drug] is False for drug in wanted_drugs):
            return Claim(False, f"{and_list(wanted_drugs)} never given", ("naive_to",))
        return None


@lru_cache(maxsize=64)
def drugs_where(definitions: Definitions, wanted: Callable[[Drug], bool]) -> tuple[str, ...]:
    """Drugs of which something holds, in the order of the definitions; ``wanted`` is a function of a module."""
    return tuple(drug.id for drug in definitions.drugs if wanted(drug))
