"""What all routes share: the evidence, the settings, what compares and prints, and who may call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from bcma_decide.comparison import RecordLedger
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.service.fetching.fhir_client import FhirClient
from bcma_decide.service.http.metrics import Metrics
from bcma_decide.service.printing.printing import Printing
from bcma_decide.service.sessions import Sessions
from bcma_decide.service.settings import Settings
from bcma_decide.service.shared.store import Store
from bcma_decide.service.threads import Threads

if TYPE_CHECKING:
    from bcma_decide.service.audit.audit import Audit


class Reading(Protocol):
    """What a reader made of a FHIR record."""

    @property
    def patient(self) -> Patient:
        """The profile; what the record does not say is unknown."""
        ...

    @property
    def values(self) -> Mapping[str, Any]:
        """The same as plain fields, as a form is filled with them."""
        ...

    @property
    def has_myeloma(self) -> bool | None:
        """Whether the record names the disease."""
        ...

    @property
    def ledger(self) -> RecordLedger:
        """What the record held, and what became of it."""
        ...


class Reader(Protocol):
    """From a FHIR Bundle and a day to a profile."""

    def __call__(self, bundle: Mapping[str, Any], on: date, /, *, infer: bool = False) -> Reading:
        """Read a record; with ``infer``, lines of therapy from its dates. Raises ProfileError."""
        ...


Load = Callable[[bool], tuple[PooledEvidence, Reader | None]]
"""Loads the evidence and what reads records, in the process that needs them; True: warns where the evidence is old."""


@dataclass(frozen=True)
class Service:
    """One running service."""

    settings: Settings
    pooled: PooledEvidence
    metrics: Metrics
    reader: Reader | None
    today: Callable[[], date]
    fhir: FhirClient
    """Reads the FHIR servers of clients, those that are configured."""
    store: Store
    """What is kept for a time, shared by all workers."""
    sessions: Sessions
    printing: Printing
    audit: Audit | None = None
    threads: Threads = field(default_factory=Threads)
