"""What all routes share: the evidence, the settings, the workers that compare and print, and who may call."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar

from bcma_decide.clinic.metrics import Metrics
from bcma_decide.clinic.settings import Settings
from bcma_decide.comparison import InputLine, UnmappedLine
from bcma_decide.model.artefact import Model
from bcma_decide.patient import Patient

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Reading(Protocol):
    """What a reader made of a FHIR record."""

    @property
    def patient(self) -> Patient:
        """The profile; what the record does not say is unknown."""
        ...

    @property
    def has_myeloma(self) -> bool | None:
        """Whether the record names the disease."""
        ...

    @property
    def inputs(self) -> tuple[InputLine, ...]:
        """Every value of the record, and what became of it."""
        ...

    @property
    def unmapped(self) -> tuple[UnmappedLine, ...]:
        """Codes that mean nothing to the reader."""
        ...


class Filled(Protocol):
    """What the record gave that a session was opened from."""

    @property
    def values(self) -> Mapping[str, Any]:
        """Fields of the profile as text; drugs and courses as lists of text."""
        ...

    @property
    def inputs(self) -> tuple[InputLine, ...]:
        """Every value of the record, and what became of it."""
        ...

    @property
    def unmapped(self) -> tuple[UnmappedLine, ...]:
        """Codes that mean nothing to the reader."""
        ...

    @property
    def record_date(self) -> date:
        """The day ages are counted to."""
        ...

    @property
    def not_read(self) -> tuple[str, ...]:
        """Parts of the record that could not be read, in words."""
        ...

    @property
    def banner(self) -> str:
        """Whose record it is, in one line for the screen; printed and kept nowhere."""
        ...


class Sessions(Protocol):
    """Sessions that were opened from a record."""

    def find(self, cookies: Mapping[str, str]) -> Filled | None:
        """The session these cookies belong to, if it goes on."""
        ...


Reader = Callable[[Mapping[str, Any], date], Reading]
"""From a FHIR Bundle and a day to a profile."""


class Workers:
    """Threads for what would hold up everybody: a few to compare, one to print, so that the machine stays usable."""

    def __init__(self) -> None:
        self._compare = ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="compare")
        self._print = ThreadPoolExecutor(1, thread_name_prefix="print")

    async def run(
        self, function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Run a function that takes milliseconds."""
        return await asyncio.get_running_loop().run_in_executor(self._compare, partial(function, *args, **kwargs))

    async def run_printing(
        self, function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
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
    model: Model
    metrics: Metrics
    reader: Reader | None
    today: Callable[[], date]
    sessions: Sessions | None = None
    """None where the page is not opened from records."""
    workers: Workers = field(default_factory=Workers)
