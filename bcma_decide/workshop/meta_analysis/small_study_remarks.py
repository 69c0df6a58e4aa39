"""What a reader has to know before believing a test for small-study effects."""

from __future__ import annotations

__all__ = ["FEWEST", "small_study_remarks"]

FEWEST = 10
"""Studies below which tests for funnel asymmetry have too little power (Sterne et al. 2011, recommendation 4)."""


def small_study_remarks(k: int, *, proportions: bool) -> tuple[str, ...]:
    """Plain sentences that belong beside the result.

    Parameters
    ----------
    k : int
        Number of studies.
    proportions : bool
        Whether the effects are single proportions.
    """
    remarks = []
    if k < FEWEST:
        remarks.append(
            f"With {k} studies, fewer than {FEWEST}, a test for small-study effects cannot tell chance from bias "
            "(Sterne et al. 2011)."
        )
    if proportions:
        remarks.append(
            "A funnel plot of single proportions can be skewed without any bias: the variance moves with the "
            "proportion, and a proportion has no direction in which publication would favour it (Hunter et al. 2014)."
        )
    return tuple(remarks)
