"""The ledger of a record after somebody replaced values of it."""

from __future__ import annotations

from collections.abc import Mapping

from bcma_decide.comparison import InputLine


def replaced(inputs: tuple[InputLine, ...], notes: Mapping[str, str]) -> tuple[InputLine, ...]:
    """Mark values that no longer count.

    Parameters
    ----------
    inputs
        The ledger as read from the record.
    notes
        By field that was replaced, what took its place.
    """
    return tuple(
        line.model_copy(update={"state": "replaced", "note": notes[line.field]})
        if line.field in notes and line.state in ("used", "inferred")
        else line
        for line in inputs
    )
