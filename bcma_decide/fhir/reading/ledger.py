"""The ledger of a record after somebody replaced values of it."""

from __future__ import annotations

from collections.abc import Mapping

from bcma_decide.comparison import RecordLedger


def replaced(ledger: RecordLedger, notes: Mapping[str, str]) -> RecordLedger:
    """Mark values that no longer count.

    Parameters
    ----------
    ledger
        As read from the record.
    notes
        By field that was replaced, what took its place.
    """
    inputs = tuple(
        line.model_copy(update={"state": "replaced", "note": notes[line.field]})
        if line.field in notes and line.state in ("used", "inferred")
        else line
        for line in ledger.inputs
    )
    return ledger.model_copy(update={"inputs": inputs})
