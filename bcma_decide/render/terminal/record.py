"""What came from a patient's record, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from bcma_decide.comparison import Comparison
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.words import record_view

LEAD = 17
_SIGNS = {"used": "given", "inferred": "derived", "contradiction": "contradiction"}


def write_record(page: TerminalPage, comparison: Comparison) -> None:
    """Write what was used with date and age, what was not and why, and codes that mean nothing here."""
    if not record_view.from_record(comparison):
        return
    page.heading(record_view.heading(comparison))
    lead = 0 if page.stacked else LEAD
    lines = (*record_view.used(comparison), *record_view.unused(comparison))
    rows = [(f"{page.ink.symbol(_SIGNS.get(line.state, 'unknown'))} {line.word}", f"{line.text}.") for line in lines]
    rows += [(f"{page.ink.symbol('unknown')} not read", f"{text}.") for text in record_view.unmapped(comparison)]
    page.items(rows, lead)


def record_lines(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    """The same as fields of tab-separated lines; here every value stands by itself."""
    profile = comparison.profile
    if not record_view.from_record(comparison):
        return
    yield ("record", record_view.heading(comparison))
    for line in profile.inputs:
        age = "" if line.age_days is None else str(line.age_days)
        coded = " ".join(part for part in (line.system, line.code) if part)
        how = ", ".join(part for part in (line.layer, line.basis) if part)
        yield (
            "from the record", line.label, line.text, record_view.state_word(line.state), line.date, age,
            line.resource, coded, how, line.note,
        )  # fmt: skip
    for unread in profile.unmapped:
        coded = " ".join(part for part in (unread.system, unread.code) if part)
        yield ("not read", unread.kind, unread.text, coded, str(unread.count))
    for unasked in profile.not_needed:
        yield ("not needed", unasked.kind, "", "", str(unasked.count))
