"""What a user asks for studies with empty cells: a correction, and which of them are left out."""

from __future__ import annotations

from dataclasses import dataclass

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.continuity import HALF_A_PATIENT, Correction
from bcma_decide.workshop.synthesis.model import Method, PoolingMethod
from bcma_decide.workshop.synthesis.studies import ANGLES, GROUPS, PROPORTIONS, TableMeasure

__all__ = ["EmptyCells", "checked_empty_cells"]


@dataclass(frozen=True)
class EmptyCells:
    """A ``correction``, and whether to ``drop`` studies in which both groups fared alike; ``None``: as is usual."""

    correction: Correction | None = None
    drop: bool | None = None

    @property
    def used(self) -> Correction:
        """The correction that is made."""
        return self.correction or HALF_A_PATIENT

    def drops(self, measure: TableMeasure) -> bool:
        """Whether such studies are left out: of a ratio, of which they tell nothing, but not of a difference."""
        return measure in ("OR", "RR") if self.drop is None else self.drop


def checked_empty_cells(empty: EmptyCells, measure: TableMeasure, method: Method | None) -> None:
    """Refuse what does not go with the measure, or with the method that is asked for.

    Raises
    ------
    SynthesisError
        With what does go with it.
    """
    if empty.correction is not None:
        if measure in ANGLES or measure not in {*PROPORTIONS, *GROUPS}:
            raise SynthesisError(
                f"--correction and --to add to empty cells of counts; measure {measure!r} needs none: leave them out, "
                "or take --measure logit, raw, log, OR, RR or RD"
            )
        if empty.correction.by_size and measure not in GROUPS:
            raise SynthesisError(
                f"--correction treatment-arm is about two groups; measure is {measure!r}: give a number, as 0.5"
            )
        if method is not None and not PoolingMethod(method).has_weights:
            raise SynthesisError(
                f"--method {method} takes counts as they are and adds nothing to them: leave --correction and --to "
                "out, or take a weighted method, as --method REML"
            )
    if empty.drop is not None and measure not in GROUPS:
        raise SynthesisError(
            f"--drop-double-zero and --keep-double-zero are about two groups; measure is {measure!r}: leave them out"
        )
    if empty.drop is False and method is not None and PoolingMethod(method).within_studies:
        raise SynthesisError(
            f"--method {method} compares groups within each study, and where all fared alike there is nothing to "
            "compare: leave --keep-double-zero out, or take --method UM.RS, MH or REML"
        )
