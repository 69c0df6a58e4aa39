"""Grid of a standard deviation under a half-normal prior, for both stages of the patient model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri


def half_normal_nodes(scale: float, points: int) -> NDArray[np.float64]:
    """Midpoints of ``points`` slices of equal probability under a half-normal with the given scale, shape (points,).

    The quantile of a half-normal is that of the normal at ``(1 + p) / 2``. Zero is never a node, so a covariance that
    the standard deviation scales stays positive definite.
    """
    return np.asarray(scale * ndtri(0.5 + 0.5 * (np.arange(points) + 0.5) / points))
