"""One answer of a FHIR server: read within limits, or given up with a word that says why."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final, Literal

import httpx

from bcma_decide.errors import ProfileError
from bcma_decide.fhir.reading.bundle import check_depth
from bcma_decide.service.http.bodies import JSON_TYPES, parse_json

Word = Literal[
    "complete", "nothing", "first page", "no leave", "not found", "refused", "redirected", "server error", "outcome",
    "not JSON", "not FHIR", "too large", "too late", "no answer", "address refused", "elsewhere",
]  # fmt: skip
"""What became of a search that was tried, for the metrics: a closed list, nothing of a server or a patient."""
_STATUS: Final[Mapping[int, Word]] = {
    400: "refused", 401: "no leave", 403: "no leave", 404: "not found", 410: "not found", 414: "refused",
    422: "refused", 501: "refused",
}  # fmt: skip
"""*refused*: a search the server does not do, which may be asked in a plainer way."""
_OLD_TYPE: Final = "application/json+fhir"
"""As servers wrote it before the third version of FHIR, and some still do."""
_GZIP: Final = 31
"""The window of zlib that means gzip."""


class Unread(Exception):  # noqa: N818  # a state of a key, not a mistake of the program
    """An answer that cannot be used."""

    def __init__(self, word: Word) -> None:
        self.word = word
        super().__init__(word)


class Room:
    """Bytes that the answers of one call may still have, all together."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, count: int) -> None:
        """Use some up; raises Unread when there are not as many."""
        self.left -= count
        if self.left < 0:
            raise Unread("too large")


def check_head(answer: httpx.Response) -> None:
    """Check status and content type before anything of the body is read; raises Unread.

    An answer without a content type may still be JSON, which its body says.
    """
    status = answer.status_code
    if status != httpx.codes.OK:
        raise Unread("redirected" if answer.is_redirect else _STATUS.get(status, "server error"))
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind and kind not in (*JSON_TYPES, _OLD_TYPE):
        raise Unread("not JSON")


async def read_body(answer: httpx.Response, room: Room) -> bytes:
    """Read a body as it comes, unpacked, and no byte more than there is room for; raises Unread.

    Unpacked here, not by the library: that unpacks each piece whole, and a piece may hold a thousand times its size.
    """
    packing = answer.headers.get("content-encoding", "identity").strip().casefold()
    if packing not in ("identity", "gzip"):
        raise Unread("not JSON")
    unpacker = zlib.decompressobj(_GZIP) if packing == "gzip" else None
    content = bytearray()
    async for raw in answer.aiter_raw():
        try:
            part = unpacker.decompress(raw, room.left + 1) if unpacker else raw
        except zlib.error:
            raise Unread("not JSON") from None
        room.take(len(part))
        content += part
    return bytes(content)


def parse_resource(content: bytes) -> Mapping[str, Any]:
    """Parse a FHIR resource; raises Unread."""
    try:
        found = parse_json(content)
        check_depth(found, "")
    except (ValueError, RecursionError, ProfileError):
        raise Unread("not JSON") from None
    if not isinstance(found, dict) or not isinstance(found.get("resourceType"), str):
        raise Unread("not FHIR")
    return found
