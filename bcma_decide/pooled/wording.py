"""Lists of words and phrases, found in a text whatever its letter case and punctuation; the longest counts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final, Generic, NamedTuple, TypeVar

_WORD: Final = re.compile(r"[^\W_]+%?|[%?]")
ANY: Final = "*"
"""At the end of a single word it stands for any ending, at its beginning for any beginning."""
Meaning = TypeVar("Meaning")


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared.

    >>> words_of("C-reactive Protein (hs), mg/L?")
    ('c', 'reactive', 'protein', 'hs', 'mg', 'l', '?')
    """
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


_BOUND: Final = re.compile("[<>≤≥≈~±+]")


def says_bound(text: str) -> bool:
    """Whether a text holds a sign of a bound or of an estimate, which its words do not tell.

    >>> says_bound("ECOG <2"), says_bound("ECOG 2")
    (True, False)
    """
    return _BOUND.search(unicodedata.normalize("NFKC", text)) is not None


class Hit(NamedTuple, Generic[Meaning]):
    """An entry of a list that stands in a text: its place among the words, its length, and what it means."""

    start: int
    length: int
    entry: str
    meaning: Meaning


class Lexicon(Generic[Meaning]):
    """Entries and what they mean."""

    def __init__(self, entries: Iterable[tuple[str, Meaning]]) -> None:
        self._whole: dict[tuple[str, ...], tuple[str, Meaning]] = {}
        self._beginnings: list[tuple[str, str, Meaning]] = []
        self._endings: list[tuple[str, str, Meaning]] = []
        for entry, meaning in entries:
            bare = words_of(entry.strip(ANY))
            if len(bare) == 1 and entry.endswith(ANY):
                self._beginnings.append((bare[0], entry, meaning))
            elif len(bare) == 1 and entry.startswith(ANY):
                self._endings.append((bare[0], entry, meaning))
            else:
                self._whole[bare] = (entry, meaning)
        self._longest = max(map(len, self._whole), default=1)

    def hits(self, words: tuple[str, ...]) -> list[Hit[Meaning]]:
        """Entries in a text, from its beginning; a word belongs to one of them at most."""
        found: list[Hit[Meaning]] = []
        place = 0
        while place < len(words):
            hit = self._at(words, place)
            if hit is not None:
                found.append(hit)
            place += hit.length if hit else 1
        return found

    def _at(self, words: tuple[str, ...], place: int) -> Hit[Meaning] | None:
        for length in range(min(self._longest, len(words) - place), 0, -1):
            known = self._whole.get(words[place : place + length])
            if known is not None:
                return Hit(place, length, *known)
        word = words[place]
        for part, entry, meaning in self._beginnings:
            if word.startswith(part):
                return Hit(place, 1, entry, meaning)
        for part, entry, meaning in self._endings:
            if word.endswith(part):
                return Hit(place, 1, entry, meaning)
        return None
