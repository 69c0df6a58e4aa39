"""A launch that does not go on, in words for whoever sits in front of it."""

from __future__ import annotations

from typing import Final

AGAIN: Final = "Close this page and open the application from the EHR again."
TELL: Final = "If it stays so, tell whoever runs this service."


class Stopped(Exception):  # noqa: N818  # an answer, not a mistake of the program
    """Why a launch stopped, and what to do; on the page never a word of what another side sent.

    Parameters
    ----------
    reason
        One of few fixed words, for the log.
    what
        What happened, a sentence.
    remedy
        What to do, a sentence or two.
    status
        Of the page that says so.
    said
        What the authorization server said of it, as a log may hold it; empty where it said nothing.
    """

    def __init__(
        self, reason: str, what: str, remedy: str = f"{AGAIN} {TELL}", status: int = 400, *, said: str = ""
    ) -> None:
        self.reason = reason
        self.what = what
        self.remedy = remedy
        self.status = status
        self.said = said
        super().__init__(reason)
