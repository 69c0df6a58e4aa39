"""Arrays of a fit as the rows that are printed."""

from __future__ import annotations

from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.coefficients import Coefficients
from bcma_decide.workshop.meta_analysis.meta_regression import Coefficient
from bcma_decide.workshop.meta_analysis.random_effects import Interval

__all__ = ["coefficient_rows", "pairs"]


def pairs(ends: FloatArray) -> tuple[Interval, ...]:
    """Rows of an array (m, 2) as intervals."""
    return tuple((low, high) for low, high in ends.tolist())


def coefficient_rows(fitted: Coefficients) -> tuple[Coefficient, ...]:
    """Coefficients one by one."""
    dfs = [None] * len(fitted.names) if fitted.df is None else fitted.df.tolist()
    columns = (
        fitted.estimate.tolist(),
        fitted.se.tolist(),
        fitted.statistic.tolist(),
        dfs,
        fitted.p.tolist(),
        pairs(fitted.ci),
    )
    return tuple(Coefficient(name, *row) for name, *row in zip(fitted.names, *columns, strict=True))
