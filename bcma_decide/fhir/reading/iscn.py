"""Chromosomes in the international nomenclature: karyotypes and counts of signals in nuclei.

A formula is read whole or not at all. A karyotype tells what is there and never that something is absent: it sees
dividing cells only. Signals in nuclei tell both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from bcma_decide.fhir.reading.cell_share import CellShare, finding
from bcma_decide.fhir.reading.clause import ReadClause, Statement
from bcma_decide.fhir.reading.clause_items import of_chromosomes
from bcma_decide.pooled.report_language import Nomenclature, Probes, ReportLanguage, Structural

_NUCLEI: Final = re.compile(r"(?:iscn|karyotype|karyotyp|fish)?[ :]*nuc ?ish ?(?P<body>.+)")
_KARYOTYPE: Final = re.compile(
    r"(?:iscn|karyotype|karyotyp)?[ :]*(?P<body>\d{2,3}(?:[~-]\d{2,3})?(?:<\dn[+-]?>)?,[xy]{1,4}\b.*)"
)
_BANDS: Final = r"\([pq0-9.;>:-]*\)"
_CHANGE: Final = (
    rf"[+-]?(?:t|del|dup|inv|ins|i|idic|add|der|dic|r|trp|trc|hsr)\([0-9xy;]+\)(?:{_BANDS})?"
    rf"(?:(?:t|del|dup|add|inv|ins)\([0-9xy;]+\)(?:{_BANDS})?)*(?:x[2-9])?"
)
_TOKEN: Final = re.compile(
    rf"(?:{_CHANGE}|[+-](?:\d{{1,2}}|[xy])(?:x\d)?|\+(?:\d(?:[~-]\d)?)?mar\d?|idem|sl|sdl\d?"
    r"|del\(17p(?:13(?:\.\d+)?)?\))"
)
_CELLS: Final = re.compile(r"\[(?:cp)?(?P<cells>\d{1,3})\]")
_SET: Final = re.compile(r"(?P<groups>[^\[\]]+)\[(?P<cells>\d{1,4})(?:/(?P<all>\d{1,4}))?\]")
_GROUP: Final = re.compile(r"(?:\d{1,2}(?:[pq][\d.]*(?:-?[pq]?[\d.]+)?|cen))?\((?P<probes>[^()]+)\)(?:x(?P<all>\d))?")
_PROBE: Final = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]*?)(?: con (?P<other>[a-z0-9][a-z0-9-]*?))?(?:x(?P<count>\d))?")


class Signals(NamedTuple):
    """How often a probe, or two that stand together, was seen in a nucleus."""

    name: str
    other: str
    copies: int


def is_formula(text: str) -> bool:
    """Whether a clause is written in the nomenclature."""
    lowered = text.casefold().strip()
    return bool(_NUCLEI.fullmatch(lowered) or _KARYOTYPE.fullmatch(lowered))


def read_formula(text: str, reports: ReportLanguage) -> ReadClause:
    """Read a formula, or say why it cannot be."""
    lowered = text.casefold().strip().rstrip(". ")
    if nuclei := _NUCLEI.fullmatch(lowered):
        return _nuclei(nuclei["body"].strip(), reports)
    if karyotype := _KARYOTYPE.fullmatch(lowered):
        return _karyotype(karyotype["body"].replace(" ", ""), reports.iscn)
    return ReadClause(reason="is no formula that is read", understood=False)


def changes_of(text: str, iscn: Nomenclature) -> tuple[str, ...] | None:
    """Fields of the changes that a plain list of changes names, as ``del(17)(p13)``; None where it is none."""
    tokens = _tokens(text.casefold().replace(" ", "").rstrip("."))
    if not tokens or not all(_TOKEN.fullmatch(token) for token in tokens):
        return None
    return tuple(field for token in tokens for field in _fields(token, iscn))


def _tokens(text: str) -> list[str]:
    """Split at the commas outside brackets."""
    return re.split(r",(?![^(]*\))", text)


def _fields(token: str, iscn: Nomenclature) -> tuple[str, ...]:
    return tuple(each.field for each, pattern in _structural(iscn) if pattern.fullmatch(token))


@lru_cache(maxsize=8)
def _structural(iscn: Nomenclature) -> tuple[tuple[Structural, re.Pattern[str]], ...]:
    return tuple((each, re.compile(each.pattern)) for each in iscn.structural)


def _karyotype(text: str, iscn: Nomenclature) -> ReadClause:
    statements: list[Statement] = []
    for clone in text.split("/"):
        cells = _CELLS.search(clone)
        tokens = _tokens(_CELLS.sub("", clone))
        plain = [token for token in tokens[2:] if _TOKEN.fullmatch(token)]
        if "[" in _CELLS.sub("", clone) or len(plain) != len(tokens) - 2:
            return ReadClause(reason="the formula cannot be read whole", understood=False)
        if cells is not None and int(cells["cells"]) < iscn.clone_cells:
            continue
        statements += [Statement(field, "yes") for token in plain for field in _fields(token, iscn)]
    if not statements:
        return ReadClause(reason="a karyotype that names none of the changes; it does not tell that they are absent")
    return ReadClause(tuple(dict.fromkeys(statements)))


def _nuclei(text: str, reports: ReportLanguage) -> ReadClause:
    """Sets of probes, each with the cells that show it."""
    refused = ReadClause(reason="the formula cannot be read whole", understood=False)
    found: list[Statement] = []
    place = 0
    while place < len(text):
        part = _SET.match(text, place)
        signals = _signals(part["groups"].strip(" ,/")) if part else None
        if part is None or signals is None:
            return refused
        cells, everyone = int(part["cells"]), int(part["all"] or part["cells"])
        if not 0 < everyone >= cells:
            return refused
        share = CellShare(100 * cells / everyone, of_cells=part["all"] is not None)
        for probes in reports.iscn.probes:
            said = _of_probes(signals, probes, share, reports)
            if isinstance(said, str):
                return ReadClause(reason=said)
            found += [said] if said else []
        place = part.end()
    if len({each.field for each in found}) < len(found):
        return ReadClause(reason="more than one set of cells for one change")
    return ReadClause(tuple(found), "" if found else "names no change that is read")


def _signals(text: str) -> list[Signals] | None:
    """Signals of a set, ``tp53x1,d17z1x2`` or ``(fgfr3,igh)x2``; None where anything else stands there."""
    found: list[Signals] = []
    place = 0
    while place < len(text):
        group = _GROUP.match(text, place)
        if group is None:
            return None
        for written in group["probes"].split(","):
            probe = _PROBE.fullmatch(written.strip())
            count = (probe["count"] or group["all"]) if probe else None
            if probe is None or count is None:
                return None
            found.append(Signals(probe["name"], probe["other"] or "", int(count)))
        place = group.end()
        place += len(text) - place - len(text[place:].lstrip(", "))
    return found or None


def _of_probes(
    signals: Sequence[Signals], probes: Probes, share: CellShare, reports: ReportLanguage
) -> Statement | str | None:
    """What the signals of a set say of one change; text where they cannot be told."""
    own = [each for each in signals if each.name in probes.probes and not each.other]
    together = [each for each in signals if {each.name, each.other} & set(probes.probes) and each.other]
    if not own and not together:
        return None
    kind = next(change.kind for change in reports.changes if change.field == probes.field)
    least = dict(of_chromosomes(reports).shares)[kind or ""]
    controls = [each.copies for each in signals if each.name in probes.controls and not each.other]
    changed: bool | None
    if kind == "fusion":
        partners = {name for each in together for name in (each.name, each.other)} & set(probes.partners)
        single = [each.copies for each in signals if each.name in (*probes.probes, *probes.partners) and not each.other]
        changed = True if together and partners else False if not together and set(single) == {2} else None
    elif len(own) != 1:
        changed = None
    elif kind == "loss":
        count = own[0].copies
        if count < reports.copies_below and controls != [2]:
            return "a loss without two signals of its control: the whole chromosome may be lost"
        changed = True if count < reports.copies_below else False if count == reports.copies_below else None
    else:
        changed = own[0].copies > reports.copies_above if own[0].copies >= reports.copies_above else None
    if changed is None:
        return "signals that are not read for it"
    if not changed:
        return Statement(probes.field, "no") if share.percent == 100 else "normal signals in a part of the cells only"
    if not share.of_cells:
        return "a number of cells, and not of how many"
    return Statement(probes.field, "yes") if finding(share, least) == "yes" else "a share of cells without a cut-off"
