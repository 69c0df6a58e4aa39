"""Whether the words of a clause stand so that its result can belong to its change and to nothing else.

``result not found: del(17p)`` and ``plasma cells not seen, del(17p)`` hold one change, one result and listed words, and
say nothing of the change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bcma_decide.fhir.reading.clause_items import Item
from bcma_decide.pooled.report_language import ClauseWords

_NAMED: Final = ("change", "other", "locus")
_RESULTS: Final = ("present", "counting", "absent")
_BETWEEN: Final = (
    "glue", "sign", "cells", "percent", "count", "cutoff", "copies", "adjective", "plural", "kind", "narrowing",
)  # fmt: skip
"""What may stand between a change and the result behind it."""


def out_of_order(items: Sequence[Item], words: ClauseWords) -> str:
    """Why the result of a clause on one change may belong to something else; empty where it cannot."""
    named = [place for place, item in enumerate(items) if item.part in _NAMED]
    first, last = named[0], named[-1]
    results = [place for place, item in enumerate(items) if item.part in _RESULTS]
    for place in results:
        if not _reaches(items, place, first, last, words):
            return f"{items[place].text!r} may belong to another word"
    if any(item.part == "heading" and place > min((first, *results)) for place, item in enumerate(items)):
        return "a result may be meant that is not there"
    for place, item in enumerate(items):
        if item.part == "kind" and not _beside(items, place):
            return f"{item.text!r} may be another change"
        if item.part == "cells" and not _led_to(items, place, first, words):
            return f"{item.text!r} may be what the result is about"
    return ""


def _reaches(items: Sequence[Item], place: int, first: int, last: int, words: ClauseWords) -> bool:
    """Whether a result takes the change for its object, or follows it."""
    governs = items[place].text in words.governing
    if place > last:
        between = items[last + 1 : place]
        if governs:
            # "del(17p): no"; without a colon it may go on in the next line
            ends = items[place].text in words.alone and place == len(items) - 1
            return ends and [item.text for item in between] in ([":"], ["="])
        return all(item.part in _BETWEEN for item in between)
    if place > first:
        return False
    between = items[place + 1 : first]
    if governs:
        return all(_leads(item, words) for item in between)
    if items[place].part == "counting" and between and all(_leads(item, words) for item in between):
        return True  # "analysis detected a deletion ..."
    headed = any(item.part == "heading" for item in items[:place])
    return not headed and all(item.part in ("sign", "kind") for item in between)


def _leads(item: Item, words: ClauseWords) -> bool:
    return item.part in ("adjective", "kind", "copies", "narrowing") or item.text in words.articles


def _beside(items: Sequence[Item], place: int) -> bool:
    """Whether a general word for a change stands right beside the name of one."""
    for step in (-1, 1):
        beside = place + step
        while 0 <= beside < len(items) and (items[beside].part == "kind" or _brackets(items[beside])):
            beside += step
        if 0 <= beside < len(items) and items[beside].part in _NAMED:
            return True
    return False


def _brackets(item: Item) -> bool:
    return item.part == "sign" and item.text in "()[]"


def _led_to(items: Sequence[Item], place: int, first: int, words: ClauseWords) -> bool:
    """Whether cells are those in which something was seen, or the heading of the clause, and not what was seen."""
    before = place - 1
    while before >= 0 and (items[before].part in ("glue", "cells") or _brackets(items[before])):
        if items[before].text in words.into:
            return True
        before -= 1
    if before >= 0 and items[before].part in ("percent", "count"):
        return True
    headed = items[place + 1 : first] if place < first else []
    return before < 0 and any(item.part == "sign" and item.text == ":" for item in headed)
