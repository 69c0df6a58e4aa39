"""Effects that a paper gives as an estimate with the limits of its interval, or with a p-value.

On the analysis scale, which for ratios is the logarithm: ``se = (upper - lower) / (2 z)`` from limits and
``se = |estimate| / z`` from a two-sided p-value (Cochrane Handbook, sections 6.3.1 and 6.3.2; Altman and Bland 2011,
whose formula is an approximation of the quantile used here).
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import numpy as np
from scipy import special

from bcma_decide.workshop.meta_analysis.checks import FloatArray

__all__ = ["GIVEN_MEASURES", "GIVEN_RATIOS", "GivenMeasure", "error_from_limits", "error_from_p", "off_the_middle"]

GivenMeasure = Literal["OR", "RR", "RD", "IRR", "HR", "MD"]
GIVEN_MEASURES: Final[tuple[GivenMeasure, ...]] = get_args(GivenMeasure)
GIVEN_RATIOS: Final[frozenset[GivenMeasure]] = frozenset(("OR", "RR", "IRR", "HR"))
_NOISE: Final = 1e-9
"""Of a logarithm or, relatively, of a difference: what arithmetic leaves of numbers that are exact."""


def error_from_limits(lower: FloatArray, upper: FloatArray, level: FloatArray) -> FloatArray:
    """Standard errors (k,) of normal intervals with these ends and levels, (k,) each, on the analysis scale."""
    return np.asarray((upper - lower) / (2 * special.ndtri(0.5 + level / 2)))


def error_from_p(estimate: FloatArray, p: FloatArray) -> FloatArray:
    """Standard errors (k,) of estimates (k,) on the analysis scale with two-sided p-values (k,) of a normal test."""
    return np.asarray(np.abs(estimate) / -special.ndtri(p / 2))


def off_the_middle(
    estimate: FloatArray, lower: FloatArray, upper: FloatArray, half_digit: FloatArray, *, ratio: bool
) -> FloatArray:
    """How far estimates lie from the middle of their limits beyond what rounding can do, on the analysis scale.

    Parameters
    ----------
    estimate, lower, upper : numpy.ndarray, shape (k,)
        As given, ratios not as logarithms.
    half_digit : numpy.ndarray, shape (k,)
        Half a unit of the last digit given.
    ratio
        Whether the middle is the geometric one.

    Returns
    -------
    (k,), 0 where rounding explains it.
    """
    if ratio:
        away = np.abs(np.log(estimate) - (np.log(lower) + np.log(upper)) / 2)
        rounding = half_digit / estimate + (half_digit / lower + half_digit / upper) / 2 + _NOISE
    else:
        away = np.abs(estimate - (lower + upper) / 2)
        rounding = 2 * half_digit + _NOISE * (upper - lower)
    return np.where(away > rounding, away, 0.0)
