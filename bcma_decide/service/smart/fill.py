"""From what an EHR granted to a filled form: the record is read once, what may not be read is named."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from typing import Final

from bcma_decide.errors import ProfileError
from bcma_decide.service.fetching.searches import KINDS
from bcma_decide.service.hooks.prefetch import NAMES, Part, PartState, PrefetchedRecord, own_record, size_of
from bcma_decide.service.service import Reader, Service
from bcma_decide.service.sessions import Filled
from bcma_decide.service.smart.banner import banner_of
from bcma_decide.service.smart.scopes import Access, access
from bcma_decide.service.smart.stopped import AGAIN, TELL, Stopped
from bcma_decide.service.smart.token import Granted

Fetch = Callable[[str, str, str, Collection[str]], Awaitable[Mapping[str, Part]]]
"""Address of a FHIR server, access token, id of a patient and names of parts -> the parts."""

_NOT_READ: Final[Mapping[PartState, str]] = {
    "absent": "not given by the EHR",
    "error": "could not be read",
    "first page": "only a part could be read",
}


async def fill(service: Service, reader: Reader, fetch: Fetch, server: str, granted: Granted) -> Filled:
    """Read the record of the granted patient; raises Stopped when nothing of it can be used."""
    may = {key: access(key, granted.scopes) for key in KINDS}
    allowed = [key for key in KINDS if may[key] != "none"]
    if not allowed:
        raise Stopped("no scopes", "The EHR does not permit to read the record.", f"{AGAIN} {TELL}")
    parts = await fetch(server, granted.access_token, granted.patient, allowed)
    if all(part.state in ("absent", "error") for part in parts.values()):
        raise Stopped("no record", "The EHR let nothing of the record be read.", f"{AGAIN} {TELL}", 502)
    record = own_record(parts, granted.patient)
    today = service.today()
    try:
        reading = await service.threads.run_sized(size_of(parts), reader, record.bundle, today)
    except ProfileError:
        raise Stopped("record", "The record that the EHR sent cannot be read as that of one patient.", TELL) from None
    patient = parts["patient"].resources if "patient" in parts else ()
    return Filled(
        values=reading.values,
        ledger=reading.ledger,
        not_read=tuple(_not_read(may, record)),
        banner=banner_of(patient[0], today) if granted.banner and patient else "",
    )


def _not_read(may: Mapping[str, Access], record: PrefetchedRecord) -> Iterator[str]:
    """What of the record is not there although it may exist, in words."""
    for key, how in may.items():
        part = record.parts.get(key, Part("absent"))
        if how == "none":
            yield f"{NAMES[key]}: not permitted by the EHR"
        elif part.state in _NOT_READ:
            yield ": ".join(filter(None, (NAMES[key], _NOT_READ[part.state], part.why)))
        elif how == "some":
            yield f"{NAMES[key]}: the EHR permits some of them only"
    if record.foreign:
        yield f"{record.foreign} entries of another patient, left out"
