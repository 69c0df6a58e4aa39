"""A clause taken apart from its first sign to its last: what is not of the lists is left as *unlisted*."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from bcma_decide.pooled.report_language import ClauseWords, NamedChange, ReportLanguage

Part = Literal[
    "change", "locus", "other", "present", "counting", "absent", "cutoff", "percent", "count", "copies",
    "either", "both", "plural", "cells", "glue", "heading", "kind", "adjective", "narrowing", "sign", "unlisted",
]  # fmt: skip
_NUMBER: Final = r"\d{1,3}(?:[.,]\d{1,2})?"
_PERCENT: Final = rf"(?P<bound>[<>]=?)? ?(?P<number>{_NUMBER}) ?(?:%|per ?cent|prozent)"
_COUNT: Final = r"(?P<some>\d{1,4}) ?(?:of|out of|/|von|aus) ?(?P<all>\d{1,4})"
_BOX: Final = re.compile(r"[\[(] *[x✓✔]? *[\])]")
"""A box to tick: what stands beside it need not be what was ticked."""
_SIGNS: Final = ",:()[]/|=-"
_BEFORE: Final = r"(?<![\w+.-])"
_AFTER: Final = r"(?!-?\w)(?!\.\d)"


class Language(NamedTuple):
    """What clauses on a set of changes are made of."""

    changes: tuple[NamedChange, ...]
    other_changes: tuple[str, ...]
    words: ClauseWords
    copies: tuple[tuple[str, float], ...] = ()
    """Copies of a normal cell, by the kind of change that leaves more or fewer."""
    shares: tuple[tuple[str, float], ...] = ()
    """Least share of cells that is a finding, by kind of change."""
    narrowing: tuple[str, ...] = ()
    """Words that tell where or of what sort: what is denied with one of them is not denied elsewhere."""


class Item(NamedTuple):
    """One piece of a clause."""

    part: Part
    text: str
    field: str = ""
    number: float | None = None
    bound: str = ""


def of_chromosomes(reports: ReportLanguage) -> Language:
    """The language of chromosome changes."""
    cutoffs = reports.cutoffs
    return Language(
        reports.changes,
        reports.other_changes,
        reports.clauses,
        (("loss", reports.copies_below), ("gain", reports.copies_above)),
        (("loss", cutoffs.loss), ("gain", cutoffs.gain), ("fusion", cutoffs.fusion)),
    )


def of_imaging(reports: ReportLanguage) -> Language:
    """The language of disease outside the marrow."""
    imaging = reports.imaging
    change = NamedChange(imaging.field, imaging.names, imaging.loci, imaging.mentions)
    words = reports.clauses
    return Language(
        (change,),
        (),
        words._replace(glue=(*words.glue, *imaging.glue), headings=(*words.headings, *imaging.headings)),
        narrowing=imaging.narrowing,
    )


def items_of(text: str, language: Language) -> list[Item]:
    """Take a clause in plain spelling apart, the longest piece first where several begin at one place."""
    lowered = " ".join(text.casefold().split()).rstrip(" .")
    patterns = _patterns(language)
    items: list[Item] = []
    place = 0
    while place < len(lowered):
        if lowered[place] == " ":
            place += 1
            continue
        if box := _BOX.match(lowered, place):
            items.append(Item("unlisted", box[0]))
            place = box.end()
            continue
        hits = ((pattern.match(lowered, place), part, field) for pattern, part, field in patterns)
        found = max(
            ((hit, part, field) for hit, part, field in hits if hit and hit[0]),
            key=lambda each: each[0].end(),
            default=None,
        )
        if found is not None:
            items.append(_item(*found, language.words))
            place = found[0].end()
        elif lowered[place] in _SIGNS:
            items.append(Item("sign", lowered[place]))
            place += 1
        else:
            word = re.match(r"[\w.+-]+|.", lowered[place:])
            items.append(Item("unlisted", word[0] if word else lowered[place]))
            place += len(items[-1].text)
    return items


def mentions(text: str, change: NamedChange) -> bool:
    """Whether a text is about a change, read or not."""
    return _mention(change).search(text.casefold()) is not None


@lru_cache(maxsize=32)
def _mention(change: NamedChange) -> re.Pattern[str]:
    words = "|".join(rf"(?<!\w){re.escape(word.casefold())}(?!(?!x\d)[^\W\d_])" for word in change.mentions)
    return re.compile(f"{words}|{_BEFORE}(?:{'|'.join(change.names)})")


def word_of(text: str, words: tuple[str, ...]) -> str:
    """Return the first of these words or phrases in a text, or nothing."""
    found = _words(words).search(" ".join(text.casefold().split()))
    return found[0] if found else ""


@lru_cache(maxsize=32)
def _words(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{any_of(words)})(?!\w)")


def consists_of(name: str, words: Iterable[str], needed: Iterable[str]) -> bool:
    """Whether a name is made of listed words alone, one of ``needed`` among them."""
    found = [word for word in re.split(r"[\s,;:()\[\]]+", name.casefold()) if word not in ("", "-", "/", "+")]
    listed = {word.casefold() for word in words}
    parts = [part for word in found for part in ([word] if word in listed else word.split("/"))]
    return bool(parts) and all(part in listed for part in parts) and any(word in parts for word in needed)


def _item(found: re.Match[str], part: Part, field: str, words: ClauseWords) -> Item:
    text = " ".join(found[0].split())
    groups = found.groupdict()
    match part:
        case "percent" | "cutoff":
            bound = found["bound"] if "bound" in groups else ""
            return Item(part, text, number=float(groups["number"].replace(",", ".")), bound=bound or "")
        case "count":
            some, everyone = int(groups["some"]), int(groups["all"])
            return Item(part, text, number=100 * some / everyone if some <= everyone and everyone else None)
        case "copies":
            spelled = {name.casefold(): number for name, number in words.numbers}
            number = float(spelled.get(groups["number"], groups["number"]))
            upper = groups["upper"]
            if upper and float(spelled.get(upper, upper)) <= number:
                return Item(part, text)
            bound = ">" if groups["above"] else ">=" if upper or groups["least"] or groups["more"] else ""
            return Item(part, text, number=number, bound=bound)
    return Item(part, text, field)


@lru_cache(maxsize=8)
def _patterns(language: Language) -> tuple[tuple[re.Pattern[str], Part, str], ...]:
    """Everything a clause may hold."""
    words = language.words
    number = rf"\d|{any_of(name for name, _ in words.numbers)}"
    copies = (
        rf"(?:(?P<least>{any_of(words.at_least)}) *|(?P<above>{any_of(words.more_than)}) *)?(?P<number>{number})"
        rf"(?: *(?:{any_of(words.up_to)}) *(?P<upper>{number})| *(?P<more>{any_of(words.or_more)}))?"
        rf" +(?:{any_of(words.copies)})(?: +(?:of|von))?"
    )
    limit = any_of(words.cutoff)
    before = rf"(?:{limit})(?: +(?:of|is|von|ist))?[:= ]*(?:[<>]=?)? *(?P<number>{_NUMBER}) ?(?:%|per ?cent|prozent)"
    behind = rf"(?P<number>{_NUMBER}) ?(?:%|per ?cent|prozent) +(?:{limit})"
    pieces: list[tuple[str, Part, str]] = [
        *((name, "change", change.field) for change in language.changes for name in change.names),
        *((name, "locus", change.field) for change in language.changes for name in change.loci),
        *((name, "other", "") for name in language.other_changes),
        (before, "cutoff", ""), (behind, "cutoff", ""), (copies, "copies", ""),
        (_PERCENT, "percent", ""), (_COUNT, "count", ""),
    ]  # fmt: skip
    named: tuple[tuple[Part, Sequence[str]], ...] = (
        ("absent", words.absent), ("present", words.present), ("counting", words.counting), ("either", words.either),
        ("both", words.both), ("plural", words.plural), ("cells", words.cells), ("glue", words.glue),
        ("heading", words.headings), ("kind", words.kinds), ("adjective", words.adjectives),
        ("narrowing", language.narrowing),
    )  # fmt: skip
    pieces += [(any_of(each), part, "") for part, each in named if each]
    return tuple((re.compile(whole_word(body)), part, field) for body, part, field in pieces)


def whole_word(body: str) -> str:
    """A pattern that begins and ends where a word does."""
    return f"{_BEFORE}(?:{body}){_AFTER}"


def any_of(words: Iterable[str]) -> str:
    """A pattern of these words and phrases in small letters, the longest first."""
    return "|".join(re.escape(word.casefold()).replace(r"\ ", " +") for word in sorted(words, key=len, reverse=True))
