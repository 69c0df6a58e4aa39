"""Corrections of empty cells: what is added to counts before they are divided, and to which studies."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray, checked_choice

__all__ = ["CORRECTED", "HALF_A_PATIENT", "Corrected", "Correction"]

Corrected = Literal["only0", "all", "if0all", "none"]
CORRECTED: tuple[Corrected, ...] = get_args(Corrected)


@dataclass(frozen=True)
class Correction:
    """An ``amount`` added to every cell of the studies that ``to`` names; metafor has the same words.

    ``to`` is "only0" (studies with an empty cell), "all" (every study), "if0all" (every study, if one of them has an
    empty cell) or "none". ``by_size``, for two groups, shares twice the amount out by the sizes of the groups: the
    treatment-arm correction, which adds the reciprocal of the other group's size but for a factor (Sweeting, Sutton
    and Lambert 2004). A study without events then has a ratio of 1, however unequal its groups.

    Raises
    ------
    SynthesisError
        If the amount is not a number of 0 or more, or the word unknown.
    """

    amount: float = 0.5
    to: Corrected = "only0"
    by_size: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be added."""
        if not (isfinite(self.amount) and self.amount >= 0):
            raise SynthesisError(f"correction is {self.amount}, but must be 0 or more")
        checked_choice("to", self.to, CORRECTED)

    def added(self, empty: npt.NDArray[np.bool_]) -> FloatArray:
        """What is added to the cells of each study, (k,), where some have an ``empty`` one, (k,)."""
        if self.to == "none":
            return np.zeros(empty.size)
        if self.to == "only0":
            return np.where(empty, self.amount, 0.0)
        return np.full(empty.size, self.amount if self.to == "all" or empty.any() else 0.0)

    def shared(self, empty: npt.NDArray[np.bool_], total1: FloatArray, total2: FloatArray) -> tuple[FloatArray, ...]:
        """What is added to the cells of group 1 and of group 2 of each study, (k,) both."""
        added = self.added(empty)
        if not self.by_size:
            return added, added
        share = total1 / (total1 + total2)
        return 2 * added * share, 2 * added * (1 - share)


HALF_A_PATIENT: Final = Correction()
"""Where a study has an empty cell (Gart and Zweifel 1967): elsewhere it would move every study towards no difference,
the small ones most."""
