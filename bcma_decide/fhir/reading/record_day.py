"""The day a record is of: the newest date of what is final, past and plausible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from bcma_decide.fhir.reading.bundle import entries_of
from bcma_decide.fhir.reading.datatypes import Plain
from bcma_decide.fhir.reading.dates import When, read_when
from bcma_decide.fhir.reading.resource_reading import times_of

_DATED: Final = (
    "effectiveDateTime",
    "effectiveInstant",
    "performedDateTime",
    "recordedDate",
    "authoredOn",
    "issued",
    "dateAsserted",
    "dateWritten",
    "whenHandedOver",
)
_DONE: Final = (
    None, "active", "amended", "appended", "completed", "corrected", "current", "final", "finished", "in-progress",
    "preliminary", "stopped",
)  # fmt: skip
"""Statuses of what has happened; what is planned, registered or withdrawn dates no record."""


def newest_date(bundle: Plain, today: date) -> When | None:
    """Return the day a bundle was put together: its own stamp, else the newest stamp or date among its resources.

    Parameters
    ----------
    bundle
        Plain data.
    today
        What is dated later is a plan or a slip of the pen and dates nothing.

    Raises
    ------
    ProfileError
        When it is no Bundle.
    """

    def past(whens: Iterator[When | None]) -> When | None:
        return max((when for when in whens if when and when.first <= today), key=lambda when: when.last, default=None)

    stamp = past(iter((read_when(bundle.get("timestamp")),))) or past(iter((_updated(bundle),)))
    if stamp is not None:
        return _until(stamp, today)
    # every resource counts here, also of kinds that are not read: it is the age of the bundle, not of its results
    resources = [data for data, _, _ in entries_of(bundle).held]
    done = [each for each in resources if _is_done(each)]
    newest = past(map(_updated, done)) or past(when for each in done for when in map(dict(times_of(each)).get, _DATED))
    return _until(newest, today) if newest else None


def _until(when: When, today: date) -> When:
    """A month or year that has not ended is cut at today."""
    return when if when.last <= today else When(when.first, today, when.moment, when.text)


def _is_done(data: Plain) -> bool:
    status = data.get("status")
    return status is None or (isinstance(status, str) and status in _DONE)


def _updated(data: Plain) -> When | None:
    meta = data.get("meta")
    return read_when(meta.get("lastUpdated")) if isinstance(meta, Mapping) else None
