"""One clause of a report: read only if it holds one change, one result and otherwise nothing but listed words.

Anything else is not read, with the reason. Nothing is guessed from what a word stands near to: one word that is not
listed is enough to leave a clause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from bcma_decide.fhir.reading.cell_share import CellShare, Finding, finding
from bcma_decide.fhir.reading.clause_items import Item, Language, items_of
from bcma_decide.fhir.reading.clause_order import out_of_order

Said: TypeAlias = Literal["yes", "no"]
_HEADS: Final = ":|-="
_RESULTS: Final = ("present", "counting", "absent", "percent", "count", "copies", "cutoff")


class Statement(NamedTuple):
    """What a clause says of one field; of a change that no field asks for the field is empty."""

    field: str
    value: Said


@dataclass(frozen=True)
class ReadClause:
    """A clause: what it says, or why it is not read."""

    statements: tuple[Statement, ...] = ()
    reason: str = ""
    cutoff: float | None = None
    """The laboratory's cut-off in percent, where the clause says that and nothing else."""
    understood: bool = True
    """Whether every word of it is of the lists."""
    silent: bool = False
    """Whether it holds no word or number that could be a result of what stands beside it."""

    @property
    def complete(self) -> bool:
        """Whether nothing of it can belong to the clause before or behind it."""
        return self.understood and (bool(self.statements) or self.silent)


def read_clause(text: str, language: Language, cutoff: float | None = None) -> ReadClause:
    """Read a clause.

    Parameters
    ----------
    text
        One clause, in plain spelling.
    language
        The changes it may be about, and the words it may hold.
    cutoff
        The laboratory's cut-off in percent, where the report gives it apart.
    """
    items = items_of(text, language)
    if unlisted := next((item.text for item in items if item.part == "unlisted"), ""):
        return ReadClause(reason=f"{unlisted!r} is not among the words that are read", understood=False)
    items = _narrowed(_under_its_place(items, language))
    named = _named(items)
    silent = not any(item.part in _RESULTS for item in items)
    if not named:
        limits = [item.number for item in items if item.part == "cutoff"]
        # with any other word beside it, it may be that of one kind of probe
        alone = len(limits) == 1 and all(
            item.part in ("cutoff", "cells", "sign") or item.text in language.words.articles for item in items
        )
        return ReadClause(reason="names no change", cutoff=limits[0] if alone else None, silent=silent or alone)
    if len(named) > 1:
        statements = _denied(items, language) or _in_plural(items, language) or _one_by_one(items, language, cutoff)
        return ReadClause(statements, "" if statements else "more than one change in one clause", silent=silent)
    said = _said(items, language, cutoff)
    return ReadClause((said,)) if isinstance(said, Statement) else ReadClause(reason=said, silent=silent)


def _under_its_place(items: list[Item], language: Language) -> list[Item]:
    """``TP53 (17p13.1): no deletion detected``: the word for a change stands for that of the place before the sign."""
    ends = (place for place, item in enumerate(items) if item.part == "sign" and item.text in _HEADS)
    end = next(ends, 0)
    head, rest = items[:end], items[end + 1 :]
    fields = {item.field for item in items if item.part == "locus"}
    if len(fields) != 1 or any(item.part in ("change", "other") for item in items):
        return items
    if not any(item.part == "locus" for item in head) or any(
        item.part not in ("locus", "glue", "heading", "kind", "sign") for item in head
    ):
        return items
    (field,) = fields
    kind = _kind_of(field, language)
    words = language.words.losses if kind == "loss" else language.words.gains if kind == "gain" else ()
    meant = [place for place, item in enumerate(rest) if item.part == "kind"]
    if len(meant) != 1 or rest[meant[0]].text not in words:
        return items
    (place,) = meant
    return [*rest[:place], rest[place]._replace(part="change", field=field), *rest[place + 1 :]]


def _kind_of(field: str, language: Language) -> str | None:
    """Loss, gain or fusion; None for a change that no field asks for."""
    return next((change.kind for change in language.changes if change.field == field), None)


def _narrowed(items: Sequence[Item]) -> list[Item]:
    """``in the liver, spleen and skin``: what joins words that narrow joins nothing else."""
    kept: list[Item] = []
    for place, item in enumerate(items):
        joins = item.part == "both" or (item.part == "sign" and item.text in ",/")
        behind = next((each.part for each in items[place + 1 :] if each.part not in ("both", "glue")), "")
        before = next((each.part for each in reversed(kept) if each.part != "glue"), "")
        if not (joins and before == behind == "narrowing"):
            kept.append(item)
    return kept


def _named(items: Sequence[Item]) -> frozenset[str]:
    """The changes of a clause: by field, those that no field asks for by their text."""
    return frozenset(item.field or item.text for item in items if item.part in ("change", "locus", "other"))


def _said(items: Sequence[Item], language: Language, cutoff: float | None) -> Statement | str:
    """What a clause on one change says, or why it is not read."""
    changes = [item for item in items if item.part in ("change", "other")]
    field = next((item.field for item in items if item.field), "")
    copies = [item for item in items if item.part == "copies"]
    if not changes and not copies:
        return "a place in the genome, and no change of it"
    if len(changes) > 1 and not _side_by_side(items):
        return "the change is named twice"
    if any(item.part in ("either", "both") for item in items):
        return "one of several statements in one clause"
    kind = _kind_of(field, language)
    if misplaced := out_of_order(items, language.words):
        return misplaced
    word = _word(items, language)
    share = _share(items, cutoff, worded=bool(word))
    number = _of_copies(copies, kind, language)
    if number == "no" and changes and word != "absent":
        number = _Fault("the copies are those of a normal cell")
    for read in (word, share, number):
        if isinstance(read, _Fault):
            return read
    least = dict(language.shares).get(kind or "")
    value = _together(word, share, finding(share, least) if isinstance(share, CellShare) else None, number)
    if value == "no" and any(item.part == "narrowing" for item in items):
        return "what is denied is denied of a part"
    return value if isinstance(value, _Fault) else Statement(field, "yes" if value == "yes" else "no")


class _Fault(str):
    """Why something is not read."""

    __slots__ = ()


def _side_by_side(items: Sequence[Item]) -> bool:
    """Whether two names of one change stand together, as one in brackets after the other."""
    places = [place for place, item in enumerate(items) if item.part in ("change", "other")]
    between = items[places[0] + 1 : places[-1]]
    return len(places) == 2 and all(
        item.part in ("locus", "kind") or (item.part == "sign" and item.text in "()[],/") for item in between
    )


def _word(items: Sequence[Item], language: Language) -> str:
    """The kind of the one result word of a clause; empty without one."""
    results = [item for item in items if item.part in ("present", "counting", "absent")]
    if len(results) < 2:
        return results[0].part if results else ""
    first, second = results[0], results[-1]
    begin, end = items.index(first), items.index(second)
    between = items[begin + 1 : end]
    if between and between[0].text in language.words.articles:
        between = between[1:]
    # "no del(17p) was detected": the negation right before the change, one word of seeing behind it
    denied = (
        len(results) == 2
        and first.text in language.words.leading
        and second.part == "counting"
        and bool(between)
        and between[0].part in ("change", "other")
        and all(item.part in ("change", "other", "locus", "glue", "kind") or item.text in "()" for item in between)
    )
    return "absent" if denied else _Fault("more than one result word")


def _share(items: Sequence[Item], cutoff: float | None, *, worded: bool) -> CellShare | _Fault | None:
    """The share of cells a clause gives; a cut-off may stand beside a word alone."""
    percents = [item for item in items if item.part == "percent"]
    counts = [item for item in items if item.part == "count"]
    limits = [item.number for item in items if item.part == "cutoff"]
    if max(len(percents), len(counts), len(limits)) > 1:
        return _Fault("more than one number of a kind")
    if not percents and not counts:
        return _Fault("a cut-off without a number beside it") if limits and not worded else None
    shares = [item.number for item in (*percents, *counts)]
    plain = [share for share in shares if share is not None and share <= 100]
    if len(plain) < len(shares):
        return _Fault("a number that is no share of cells")
    if max(plain) - min(plain) > 1:
        return _Fault("percentage and count of cells differ")
    return CellShare(
        plain[-1],
        percents[0].bound if percents else "",
        limits[0] if limits else cutoff,
        bool(counts) or any(item.part == "cells" for item in items),
    )


def _of_copies(copies: Sequence[Item], kind: str | None, language: Language) -> Said | _Fault | None:
    """What a number of copies says."""
    if not copies:
        return None
    normal, count, bound = dict(language.copies).get(kind or ""), copies[0].number, copies[0].bound
    if len(copies) > 1 or count is None or normal is None:
        return _Fault("a number of copies that is not read for it")
    if bound:
        beyond = count > normal or (bound == ">" and count == normal)
        return "yes" if kind == "gain" and beyond else _Fault("a number of copies that is not read for it")
    if count == normal:
        return "no"
    return "yes" if (count < normal) == (kind == "loss") else _Fault("copies of another change")


def _together(
    word: str, share: CellShare | _Fault | None, found: Finding | None, copies: Said | _Fault | None
) -> Said | _Fault:
    """Word, share of cells and copies as one value."""
    if share is not None and found is None and word != "absent":
        return _Fault("a percentage without the laboratory's cut-off")
    alone = found == "yes" and not word and copies is None
    if alone and isinstance(share, CellShare) and not share.of_cells and share.cutoff is None:
        return _Fault("a percentage, and not said of what")
    # "detected in 0 of 200", "seen in 2 % (cut-off 5 %)": the word tells of cells, the number that they are no finding
    overruled = found == "zero" or (found == "no" and word == "counting")
    said: Said | None = None
    if word and not (overruled and word != "absent"):
        said = "no" if word == "absent" else "yes"
    counted: Said | None = None if found is None else "yes" if found == "yes" else "no"
    values = {value for value in (said, counted, copies) if value is not None}
    if len(values) > 1:
        return _Fault("word and number differ")
    if not values:
        return _Fault("no result word")
    return "yes" if "yes" in values else "no"


def _denied(items: Sequence[Item], language: Language) -> tuple[Statement, ...]:
    """``No evidence of a, b or c``, and nothing behind it: every member is denied by the one word before the first."""
    begin = next((place for place, item in enumerate(items) if item.part == "absent"), None)
    if begin is None or any(item.part not in ("glue", "heading", "sign") for item in items[:begin]):
        return ()
    word = items[begin].text
    members, joint = _members(items[begin + 1 :])
    shared = language.words.shared_and if joint == "both" else language.words.shared
    return tuple(Statement(member.field, "no") for member in members) if word in shared else ()


def _in_plural(items: Sequence[Item], language: Language) -> tuple[Statement, ...]:
    """``a, b and c were detected``, and nothing more: the verb in the plural belongs to all of them."""
    if len(items) < 2 or items[-2].part != "plural" or items[-1].part not in ("counting", "absent", "present"):
        return ()
    if items[-1].text in (*language.words.leading, *language.words.shared):
        return ()
    members, joint = _members(items[:-2])
    value: Said = "no" if items[-1].part == "absent" else "yes"
    return tuple(Statement(member.field, value) for member in members) if joint == "both" else ()


def _members(items: Sequence[Item]) -> tuple[list[Item], str]:
    """The members of ``a, b or c`` and the kind of the last joint; none where anything else stands there."""
    members: list[Item] = []
    joint = ""
    expected = True
    for item in items:
        if item.part in ("change", "other"):
            if not expected:
                return [], ""
            members.append(item)
            expected = False
        elif (
            members
            and not expected
            and (
                (item.part == "locus" and item.field == members[-1].field)
                or (item.part == "sign" and item.text in "()")
            )
        ):
            continue
        elif members and item.part == "sign" and item.text == "," and not expected and not joint:
            expected = True
        elif members and item.part in ("either", "both") and not joint:
            joint, expected = item.part, True
        else:
            return [], ""
    return (members, joint) if joint and not expected and len(members) > 1 else ([], "")


def _one_by_one(items: Sequence[Item], language: Language, cutoff: float | None) -> tuple[Statement, ...]:
    """``a detected, b not detected``: complete statements, each with its result on the same side of its change."""
    parts: list[list[Item]] = [[]]
    for item in items:
        if item.part == "both" or (item.part == "sign" and item.text == ","):
            parts.append([])
        else:
            parts[-1].append(item)
    parts = [part for part in parts if part]
    read = [_said(part, language, cutoff) if len(_named(part)) == 1 else "" for part in parts]
    statements = [each for each in read if isinstance(each, Statement)]
    sides = {_side(part) for part in parts}
    complete = len(statements) == len(parts) > 1 and len(sides) == 1 and "" not in sides
    return tuple(statements) if complete else ()


def _side(items: Sequence[Item]) -> str:
    """Whether the result stands before or behind its change; empty where it is on both sides."""
    changes = [place for place, item in enumerate(items) if item.part in ("change", "other", "locus")]
    found = [place for place, item in enumerate(items) if item.part in _RESULTS]
    if not changes or not found:
        return ""
    return "behind" if min(found) > max(changes) else "before" if max(found) < min(changes) else ""
