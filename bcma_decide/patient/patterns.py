"""Regular expressions that are compiled when they are first used: most profiles need few of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property


class Pattern:
    """A regular expression; its methods are those of a compiled one."""

    def __init__(self, text: str, flags: int = 0) -> None:
        self._text, self._flags = text, flags

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._text, self._flags)

    @cached_property
    def match(self) -> Callable[[str], re.Match[str] | None]:
        """As of a compiled one, and so are the others."""
        return self._compiled.match

    @cached_property
    def fullmatch(self) -> Callable[[str], re.Match[str] | None]:
        """The match with the whole text."""
        return self._compiled.fullmatch

    @cached_property
    def search(self) -> Callable[[str], re.Match[str] | None]:
        """The first match."""
        return self._compiled.search

    @cached_property
    def split(self) -> Callable[[str], list[str]]:
        """The parts between matches."""
        return self._compiled.split

    @cached_property
    def sub(self) -> Callable[[str, str], str]:
        """The text with something in the place of every match."""
        return self._compiled.sub
