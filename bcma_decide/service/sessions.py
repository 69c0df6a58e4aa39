"""What was read from a record at a launch, until the browser's session ends: in memory only, never written.

The browser holds an opaque id; here only its hash is known, so that what is seen of the memory opens no session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe
from time import monotonic
from typing import Any, Final

from bcma_decide.comparison import RecordLedger

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


@dataclass
class _Session:
    filled: Filled
    begun: float
    seen: float


class Sessions:
    """The sessions of one service.

    Parameters
    ----------
    secure
        Whether browsers come over https; on plain http, which is for this machine only, the cookie has another name.
    clock
        Seconds that only grow.
    """

    def __init__(
        self,
        *,
        secure: bool = True,
        clock: Callable[[], float] = monotonic,
        idle: float = IDLE,
        longest: float = LONGEST,
        most: int = MOST,
    ) -> None:
        self.cookie: Final = "__Host-bcma-session" if secure else "bcma-session"
        self._clock, self._idle, self._longest, self._most = clock, idle, longest, most
        self._known: dict[bytes, _Session] = {}

    def begin(self, filled: Filled) -> str:
        """Keep what was read; returns the id of the session, for the cookie alone."""
        self.sweep()
        while len(self._known) >= self._most:
            del self._known[min(self._known, key=lambda key: self._known[key].seen)]
        identifier, now = token_urlsafe(ID_BYTES), self._clock()
        self._known[_hash(identifier)] = _Session(filled, now, now)
        return identifier

    def find(self, cookies: Mapping[str, str]) -> Filled | None:
        """Return what the browser's session is filled with; None without one that goes on."""
        self.sweep()
        session = self._known.get(_hash(cookies.get(self.cookie, "")))
        if session is None:
            return None
        session.seen = self._clock()
        return session.filled

    def end(self, cookies: Mapping[str, str]) -> None:
        """Forget the browser's session."""
        self._known.pop(_hash(cookies.get(self.cookie, "")), None)

    def sweep(self) -> None:
        """Forget every session whose time is over."""
        now = self._clock()
        over = [
            key
            for key, session in self._known.items()
            if now - session.seen >= self._idle or now - session.begun >= self._longest
        ]
        for key in over:
            del self._known[key]


def _hash(identifier: str) -> bytes:
    return sha256(identifier.encode()).digest()
