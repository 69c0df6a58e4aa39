"""What all routes share: the evidence, the settings, the workers that compare and print, and who may call."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from bcma_decide.comparison import RecordLedger
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.service.fetching.fhir_client import FhirClient
from bcma_decide.service.http.metrics import Metrics
from bcma_decide.service.sessions import Sessions
from bcma_decide.service.settings import Settings

if TYPE_CHECKING:
    from bcma_decide.service.audit.audit import Audit

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


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


class Workers:
    """Threads for what would hold up everybody: a few to compare, one to print, so that the machine stays usable."""

    def __init__(self) -> None:
        self._compare = ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="compare")
        self._print = ThreadPoolExecutor(1, thread_name_prefix="print")

    async def run(
        self, function: Callable[Parameters, Returned], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Returned:
        """Run a function that takes milliseconds."""
        return await asyncio.get_running_loop().run_in_executor(self._compare, partial(function, *args, **kwargs))

    async def run_printing(
        self, function: Callable[Parameters, Returned], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Returned:
        """Run a function that takes seconds, one at a time; what is given up before its turn is not begun."""
        return await asyncio.get_running_loop().run_in_executor(self._print, partial(function, *args, **kwargs))

    def stop(self) -> None:
        """Begin nothing new."""
        self._compare.shutdown(wait=False, cancel_futures=True)
        self._print.shutdown(wait=False, cancel_futures=True)


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
    sessions: Sessions = field(default_factory=Sessions)
    audit: Audit | None = None
    workers: Workers = field(default_factory=Workers)
