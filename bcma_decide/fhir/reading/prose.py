"""Text of a report as clauses, with what stands between them.

A full stop or an empty line ends a clause whatever follows. A semicolon or the end of a line may as well stand in the
middle of a sentence, so that a clause beside one counts only where its neighbour is understood too.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Final

_DASHES: Final = dict.fromkeys(map(ord, "‐‑‒–—―−﹣－"), "-")
_QUOTES: Final = dict.fromkeys(map(ord, "’‘`´"), "'")
_NOTHING: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"), None)
_SIGNS: Final = {ord("×"): "x", ord("≥"): ">=", ord("≤"): "<=", ord("；"): ";", ord("\r"): "\n", ord("\t"): " "}
_PLAIN: Final = {**_DASHES, **_QUOTES, **_NOTHING, **_SIGNS}
_OPENED: Final = re.compile(r"\b(t|del|gain|amp|dup|add|inv|ins|der) *\( *(?=[0-9XY]{1,2} *[;)pq])", re.IGNORECASE)
_INSIDE: Final = re.compile(r"\(([0-9XYxypqter.;?\s]+)\)")
_BANDS: Final = re.compile(r"\)\s+\((?=[pq]\d)")
_BULLET: Final = re.compile(r"\s*(?:[-*•▪]|\d{1,2}[.)])\s+")
_LABEL: Final = re.compile(r"\s*[A-ZÄÖÜ][\w -]{2,30}:")


@dataclass(frozen=True)
class Clause:
    """A piece of a report."""

    text: str
    joined: bool = False
    """Whether it may go on from the one before."""
    heading: bool = False
    """Whether what follows stands under it."""


def plain(text: str) -> str:
    """One spelling of dashes, signs and spaces, and of what stands inside the brackets of a nomenclature."""
    text = unicodedata.normalize("NFKC", text.translate(_PLAIN)).translate(_PLAIN)
    text = re.sub(r"[^\S\n]+", " ", text)
    text = _OPENED.sub(r"\1(", text)
    text = _INSIDE.sub(lambda found: "(" + re.sub(r"\s+", "", found[1]) + ")", text)
    return _BANDS.sub(")(", text)


def clauses(text: str, known: frozenset[str]) -> list[Clause]:
    """Split a report.

    Parameters
    ----------
    text
        A report as :func:`plain` leaves it.
    known
        Short words that end a sentence; any other of up to four letters before a full stop is an abbreviation.
    """
    found: list[Clause] = []
    open_end = listing = False
    for line in re.sub(r", *\n(?! *\n)", ", ", text).split("\n"):
        if not line.strip():
            open_end = listing = False
            continue
        bullet = _BULLET.match(line)
        rest = line[bullet.end() :] if bullet else line
        if bullet and open_end and not listing:
            found[-1] = replace(found[-1], heading=True)
        if bullet or _LABEL.match(rest):
            open_end = False
        listing = bullet is not None
        for piece, mark in _pieces(rest, known):
            found.append(Clause(piece.strip(), open_end, piece.rstrip().endswith(":")))
            open_end = mark != "."
    return found


def _pieces(line: str, known: frozenset[str]) -> list[tuple[str, str]]:
    """Pieces of a line with the mark that ends each: ``.``, ``;``, or nothing at the end of the line."""
    pieces: list[tuple[str, str]] = []
    depth = begin = 0
    for place, sign in enumerate(line):
        depth = max(0, depth + (sign in "([") - (sign in ")]"))
        last = place + 1 == len(line) or line[place + 1] == " "
        stop = sign == "." and last and not _abbreviates(line[begin:place], known)
        if depth == 0 and (stop or (sign in ";!" and last)):
            # "neg. control": a short word may be one that is cut short, and what follows its own
            soft = sign == ";" or (_is_short(line[begin:place]) and line[place + 2 : place + 3].islower())
            pieces.append((line[begin:place], ";" if soft else "."))
            begin = place + 1
    pieces.append((line[begin:], ""))
    return [(piece, mark) for piece, mark in pieces if piece.strip()]


def _abbreviates(before: str, known: frozenset[str]) -> bool:
    """Whether the full stop after this text belongs to an abbreviation, as far as words can tell."""
    written = re.split(r"[\s(]", before)[-1]
    if len(written) == 1 and written.isupper():
        return True  # of a name
    return _is_short(before) and _last_word(before) not in known


def _is_short(before: str) -> bool:
    return re.fullmatch(r"[^\W\d_]{1,4}|(?:[^\W\d_]+\.)+[^\W\d_]*", _last_word(before)) is not None


def _last_word(before: str) -> str:
    return re.split(r"[\s(]", before)[-1].casefold()
