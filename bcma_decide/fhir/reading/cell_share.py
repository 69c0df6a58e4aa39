"""A share of cells held against a cut-off: the laboratory's own where it is given, else that of a consensus."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Finding: TypeAlias = Literal["yes", "no", "zero"]
"""A finding, none, and none because not a single cell has it."""


class CellShare(NamedTuple):
    """Percent of the cells that were looked at."""

    percent: float
    bound: str = ""
    """``<`` or ``>`` where only a bound is given."""
    cutoff: float | None = None
    """The laboratory's own, in percent."""
    of_cells: bool = True
    """Whether it is said to be a share of cells."""


def finding(share: CellShare, consensus: float | None) -> Finding | None:
    """Say whether this many cells are a finding.

    None where it cannot be told: under the cut-off of a consensus another laboratory may draw the line lower.
    """
    if share.percent == 0 and not share.bound:
        return "zero"
    limit = consensus if share.cutoff is None else share.cutoff
    if limit is None:
        return None
    if share.bound.startswith("<"):
        return "no" if share.cutoff is not None and share.percent <= limit else None
    if share.percent >= limit:
        return "yes"
    return "no" if share.cutoff is not None and not share.bound else None
