"""What may be put on a terminal: text without control characters, symbols and bars with an ASCII stand-in."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

from rich.console import Console
from rich.text import Text

from bcma_decide.render.words.wording import visible

_STAND_IN: Final = {
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{MICRO SIGN}": "u",
    "\N{GREEK SMALL LETTER MU}": "u",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{PLUS-MINUS SIGN}": "+/-",
    "\N{MIDDLE DOT}": "-",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{DEGREE SIGN}": " deg ",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{GREEK SMALL LETTER ALPHA}": "alpha",
    "\N{GREEK SMALL LETTER BETA}": "beta",
}

_EIGHTHS: Final = " ▏▎▍▌▋▊▉"

SYMBOLS: Final = {
    "given": ("✓", "[x]"),
    "derived": ("↳", "[>]"),
    "unknown": ("?", "[?]"),
    "contradiction": ("!", "[!]"),
    "in no number": ("–", "[-]"),
    "no own effect": ("–", "[-]"),
    "for findings": ("–", "[-]"),
    "contraindication": ("■", "[#]"),
    "caution": ("▲", "[!]"),
    "information": ("●", "[i]"),
    "cannot_be_judged": ("?", "[?]"),
    "met": ("✓", "[x]"),
    "not_met": ("✗", "[-]"),
    "bullet": ("•", "*"),
}

PARTS: Final = ("█▒░·", "#=-.")
"""Signs of the parts of a whole, and their stand-ins."""

_RAISED: Final = dict(zip("abcdefghijklmnoprstuvwxyz", "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ", strict=True))


@dataclass(frozen=True)
class Ink:
    """Signs a console can show.

    Text never goes through rich's markup: ``[bold]`` in a patient's data prints as it stands.
    """

    encoding: str
    ascii_only: bool

    @classmethod
    def of(cls, console: Console) -> Ink:
        """Read the console's encoding."""
        return cls(console.encoding, console.options.ascii_only)

    def plain(self, text: str) -> str:
        """One visible line in the console's encoding."""
        line = visible(text)
        return line if not self.ascii_only else "".join(self._encodable(sign) for sign in line)

    def text(self, text: str, style: str = "", *, indent: int = 0) -> Text:
        """Return a rich text of it, long words folded, nothing cut off."""
        return Text(" " * indent + self.plain(text), style=style, overflow="fold")

    def symbol(self, name: str) -> str:
        """One sign that stands beside its word."""
        return SYMBOLS[name][int(self.ascii_only)]

    def raised(self, letters: str) -> str:
        """Return a letter as a raised mark behind a word; in brackets where it cannot be raised."""
        if not letters:
            return ""
        if self.ascii_only or not set(letters) <= {*_RAISED, ","}:
            return f" ({letters})"
        return "".join(_RAISED.get(sign, "\N{MODIFIER LETTER APOSTROPHE}") for sign in letters)

    @property
    def line(self) -> str:
        """The sign a rule is drawn with."""
        return "-" if self.ascii_only else "─"

    def bar(self, fraction: float, width: int) -> str:
        """Return a bar of ``fraction`` of ``width`` on a dotted track, to the eighth of a cell."""
        if self.ascii_only:
            filled = min(width, max(1, round(fraction * width)))
            return "#" * filled + "." * (width - filled)
        eighths = min(8 * width, max(1, round(fraction * 8 * width)))
        full, part = divmod(eighths, 8)
        drawn = "█" * full + (_EIGHTHS[part] if part else "")
        return drawn + "·" * (width - len(drawn))

    def whiskers(self, inner: tuple[float, float], outer: tuple[float, float] | None, width: int) -> str:
        """Return the credible interval as a heavy line on the prediction interval as a light one."""
        light, heavy = ("-", "=") if self.ascii_only else ("─", "━")
        cells = [" "] * width
        for ends, sign in ((outer, light), (inner, heavy)):
            if ends is not None:
                first, last = _cells(ends, width)
                cells[first : last + 1] = sign * (last + 1 - first)
        return "".join(cells)

    def parts(self, shares: Sequence[float], width: int) -> str:
        """Return shares of a whole one behind the other, each in its own sign of `PARTS`; together they fill it."""
        ends = [round(end * width / sum(shares)) for end in accumulate(shares, initial=0.0)]
        signs = PARTS[int(self.ascii_only)]
        return "".join(sign * (end - start) for sign, (start, end) in zip(signs, pairwise(ends), strict=False))

    def span(self, start: float, end: float, width: int) -> str:
        """Return a floating bar between two levels, to the cell."""
        first, last = _cells((min(start, end), max(start, end)), width)
        body = ("#" if self.ascii_only else "█") * (last + 1 - first)
        return " " * first + body + " " * (width - last - 1)

    def _encodable(self, sign: str) -> str:
        try:
            sign.encode(self.encoding)
        except (UnicodeEncodeError, LookupError):
            pass
        else:
            return sign
        if sign in _STAND_IN:
            return _STAND_IN[sign]
        bare = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode("ascii")
        return bare or "?"


def _cells(ends: tuple[float, float], width: int) -> tuple[int, int]:
    low, high = (min(max(end, 0.0), 1.0) for end in ends)
    first = min(width - 1, int(low * width))
    return first, max(first, min(width - 1, int(high * width)))
