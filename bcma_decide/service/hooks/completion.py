"""Whether what a client did not send may be read from its FHIR server, and then it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from bcma_decide.service.fetching.fhir_client import FhirClient, fetch_parts
from bcma_decide.service.hooks.hooks_request import FhirAuthorization, HooksRequest, bare_id
from bcma_decide.service.hooks.prefetch import Part, completed, not_complete

Hindrance = Literal["not listed", "expired", "another patient"]
_USED_UP: Final = 0
"""Seconds of life at which a token is not worth a try."""


async def complete(
    client: FhirClient, hook: HooksRequest, patient_id: str, sent: Mapping[str, Part]
) -> dict[str, Part]:
    """Add what can be read to what was sent; without leave to read, all is as it was sent. Raises nothing."""
    keys = not_complete(sent)
    if not keys or hook.fhirServer is None:
        return dict(sent)
    leave = hook.fhirAuthorization
    hindrance = _hindrance(client, hook.fhirServer, leave, patient_id)
    if hindrance is not None:
        client.metrics.searched(hindrance, len(keys))
        return dict(sent)
    token = None if leave is None else leave.access_token
    return completed(sent, await fetch_parts(client, hook.fhirServer, token, patient_id, keys))


def _hindrance(client: FhirClient, server: str, leave: FhirAuthorization | None, patient_id: str) -> Hindrance | None:
    """Say why a server is not asked at all."""
    if client.admitted(server) is None:
        return "not listed"
    if leave is not None and leave.expires_in <= _USED_UP:
        return "expired"
    if leave is not None and leave.patient is not None and bare_id(leave.patient) != patient_id:
        return "another patient"
    return None
