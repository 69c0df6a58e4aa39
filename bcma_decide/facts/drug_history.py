"""Which drugs a patient has had, and which of them failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Final, NamedTuple

from bcma_decide.logic import Truth
from bcma_decide.patient.phrases import and_list
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.definitions import Definitions, Drug

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
        self.refractory: dict[str, Truth] = {}
        self.exposed: dict[str, Truth] = {}
        self.overlaps: dict[tuple[str, str], list[str]] = {}
        for drug in definitions.drugs:
            under = [heading for heading in HEADINGS if drug.id in getattr(patient, heading)]
            if under[:1] != ["naive_to"] and len(under) > 1:
                under = [heading for heading in under if heading != "received"]
            for first, second in pairwise(under):
                self.overlaps.setdefault((first, second), []).append(drug.id)
            only = under[0] if len(under) == 1 else None
            self.refractory[drug.id] = None if only in (None, "received") else only == "refractory_to"
            self.exposed[drug.id] = None if only is None else only != "naive_to"

    def headings(self, drugs: Iterable[str]) -> tuple[str, ...]:
        """List the fields these drugs were named in."""
        named = set(drugs)
        return tuple(heading for heading in HEADINGS if named & set(getattr(self.patient, heading)))

    def exposure(self, wanted: Callable[[Drug], bool]) -> Claim | None:
        """Whether any wanted drug was given: yes if one was, no if none of them was."""
        wanted_drugs = [drug.id for drug in self.definitions.drugs if wanted(drug)]
        given = [drug for drug in wanted_drugs if self.exposed[drug]]
        if given:
            return Claim(True, f"{and_list(given)} given", self.headings(given))
        if all(self.exposed[drug] is False for drug in wanted_drugs):
            return Claim(False, f"{and_list(wanted_drugs)} never given", ("naive_to",))
        return None
