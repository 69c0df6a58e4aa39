"""What was read from a record at a launch, until the browser's session ends: in the memory, sealed, for one browser.

The browser holds an opaque id; here only its hash is known, and what is kept is sealed with the id, so that what is
seen of the memory neither opens a session nor says anything of a patient.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from secrets import token_urlsafe
from time import time
from typing import Any, Final

from bcma_decide.comparison import RecordLedger
from bcma_decide.service.shared.sealing import place_of, seal, unseal
from bcma_decide.service.shared.store import Store

IDLE: Final = 1_800.0
"""Seconds after which a session ends that nobody looks at."""
LONGEST: Final = 28_800.0
"""Seconds after which it ends in any case: a working day."""
MOST: Final = 1_000
"""Sessions at a time; a further one ends the one that was looked at longest ago."""
ID_BYTES: Final = 32


@dataclass(frozen=True)
class Filled:
    """What a form is filled with: the values of a profile, and where they come from."""

    values: Mapping[str, Any]
    """Fields of the profile, as :class:`bcma_decide.patient.profile.Patient` reads them."""
    ledger: RecordLedger
    not_read: tuple[str, ...]
    """Parts of the record that could not be read, in words."""
    banner: str
    """Who the patient is, for the page only; empty where the EHR shows it."""


class Sessions:
    """The sessions of one service.

    Parameters
    ----------
    store
        Where they are kept.
    secure
        Whether browsers come over https; on plain http, which is for this machine only, the cookie has another name.
    clock
        Seconds, the same for every process that shares the store.
    """

    def __init__(
        self,
        store: Store,
        *,
        secure: bool = True,
        clock: Callable[[], float] = time,
        idle: float = IDLE,
        longest: float = LONGEST,
        most: int = MOST,
    ) -> None:
        self.cookie: Final = "__Host-bcma-session" if secure else "bcma-session"
        self._store, self._clock = store, clock
        self._idle, self._longest, self._most = idle, longest, most

    async def begin(self, filled: Filled) -> str:
        """Keep what was read; returns the id of the session, for the cookie alone. Raises StoreError."""
        identifier = token_urlsafe(ID_BYTES)
        content = seal(identifier, _written(filled, self._clock()))
        await self._store.put("session", place_of(identifier), content, min(self._idle, self._longest), self._most)
        return identifier

    async def find(self, cookies: Mapping[str, str]) -> Filled | None:
        """Return what the browser's session is filled with; None without one that goes on. Raises StoreError."""
        identifier = cookies.get(self.cookie, "")
        if not identifier:
            return None
        place = place_of(identifier)
        sealed = await self._store.get("session", place)
        content = None if sealed is None else unseal(identifier, sealed)
        if content is None:
            return None
        filled, begun = _read(content)
        left = min(self._idle, begun + self._longest - self._clock())
        if left <= 0:
            await self._store.take("session", place)
            return None
        await self._store.touch("session", place, left)
        return filled

    async def end(self, cookies: Mapping[str, str]) -> None:
        """Forget the browser's session. Raises StoreError."""
        if identifier := cookies.get(self.cookie, ""):
            await self._store.take("session", place_of(identifier))


def _written(filled: Filled, begun: float) -> bytes:
    content = {
        "begun": begun,
        "values": dict(filled.values),
        "ledger": filled.ledger.model_dump(mode="json"),
        "not_read": filled.not_read,
        "banner": filled.banner,
    }
    return json.dumps(content).encode()


def _read(content: bytes) -> tuple[Filled, float]:
    found = json.loads(content)
    ledger = RecordLedger.model_validate(found["ledger"])
    return Filled(found["values"], ledger, tuple(found["not_read"]), found["banner"]), found["begun"]
