"""Cytogenetics answered by the change that was found: ``del17p``, ``t(4;14), gain 1q``, ``standard``."""

from __future__ import annotations

import re
from typing import Final

from bcma_decide.errors import quote
from bcma_decide.patient.field import ProfileField
from bcma_decide.patient.fields import FIELD_LABELS
from bcma_decide.patient.names import field_of
from bcma_decide.patient.numerals import plain_text
from bcma_decide.patient.patterns import Pattern
from bcma_decide.patient.reading import Fault, Read, Unreadable, folded_word, read_yes_no

FIELD: Final = "high_risk_cytogenetics"
CHANGES: Final = ("del_17p", "t_4_14", "t_14_16", "gain_1q")
_HIGH: Final = frozenset({"high", "high risk", "high-risk", "hochrisiko", "hr"})
_STANDARD: Final = frozenset(
    {"standard", "standard risk", "standard-risk", "standardrisiko", "normal", "low", "low risk", "sr"}
)
_SPELT: Final = {
    "del17p": "del_17p", "del17": "del_17p", "17p": "del_17p", "17pdel": "del_17p", "deletion17p": "del_17p",
    "t414": "t_4_14", "t1416": "t_14_16",
    "gain1q": "gain_1q", "1q": "gain_1q", "amp1q": "gain_1q", "1qgain": "gain_1q", "gain1q21": "gain_1q",
    "amp1q21": "gain_1q", "1q21": "gain_1q", "1qplus": "gain_1q", "amplification1q": "gain_1q",
}  # fmt: skip
_BETWEEN: Final = Pattern(r",|/|\+(?!$)|&| and | und |;(?! ?1[46])", re.IGNORECASE)
_ABSENT: Final = Pattern(
    r"^(?:no|kein|keine|ohne|without) |(?: |:)?(?:neg\.?|negativ|negative|absent|nein|no)$", re.IGNORECASE
)
_PRESENT: Final = Pattern(r"(?: |:)?(?:pos\.?|positiv|positive|present|ja|yes|\+)$", re.IGNORECASE)


def read_cytogenetics(field: ProfileField, value: object) -> Read:
    """Yes or no, or the changes that were found: those answer their own fields, from which the risk follows."""
    word = folded_word(value)
    if word in _HIGH or word in _STANDARD:
        return Read(word in _HIGH, "yes" if word in _HIGH else "no")
    try:
        return read_yes_no(field, value)
    except Unreadable:
        found = _changes(value) if isinstance(value, str) else {}
        if not found:
            fix = "yes, no, standard, unknown, or the change: del(17p), t(4;14), t(14;16), gain(1q)"
            raise Unreadable(Fault(f"{quote(value)} is neither yes nor no nor a change known here", fix)) from None
        words = ", ".join(f"{FIELD_LABELS[name]}: {'yes' if present else 'no'}" for name, present in found.items())
        return Read(None, words, also=found)


def _changes(value: str) -> dict[str, object]:
    """The fields that a text answers; none where a part of it is not known."""
    found: dict[str, object] = {}
    for part in _BETWEEN.split(plain_text(value)):
        text = part.strip()
        absent = _ABSENT.search(text) is not None
        name = _ABSENT.sub("", _PRESENT.sub("", text) if not absent else text)
        change = _SPELT.get("".join(each for each in name.casefold() if each.isalnum())) or field_of(name)
        if change not in CHANGES or found.get(change, not absent) is absent:
            return {}
        found[change] = not absent
    return found
