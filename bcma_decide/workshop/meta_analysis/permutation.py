"""Permutation test of a meta-regression: p-values that do not lean on a distribution of the statistic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import factorial

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray, checked_choice
from bcma_decide.workshop.meta_analysis.heterogeneity import METHODS, Method
from bcma_decide.workshop.meta_analysis.meta_regression import REGRESSION_TESTS, RegressionTest, used_effects
from bcma_decide.workshop.meta_analysis.moderators import Moderators
from bcma_decide.workshop.meta_analysis.random_effects import errors_of
from bcma_decide.workshop.meta_analysis.tau2 import estimated
from bcma_decide.workshop.meta_analysis.weighted_regression import DesignMatrix, random_effects_fit

__all__ = ["PermutationTest", "permutation_test"]

_TIE = 1e-8
"""How far below the observed statistic, relatively, one still counts as equal. Deals that are the same by symmetry give
the same value only to rounding, and tau2 only to the tolerance of its search; counting them as smaller would make p too
small by whole permutations."""


@dataclass(frozen=True)
class PermutationTest:
    """P-values of each moderator column, by name, and of all together.

    ``permutations`` is how many were looked at: every one there is if ``exact``, else a random sample drawn from
    ``seed``.
    """

    coefficients: dict[str, float]
    moderators: float
    permutations: int
    exact: bool
    seed: int | None


def permutation_test(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    moderators: Moderators,
    *,
    method: Method = "REML",
    test: RegressionTest = "z",
    at_most: int = 1000,
    seed: int = 0,
) -> PermutationTest:
    """Test moderators by dealing their rows out to the studies anew (Higgins and Thompson 2004).

    Each time the model is fitted again, tau2 included. The p-value of a coefficient is the share of deals whose z (or
    t, with the errors that ``test`` has) is at least as far from 0 as the observed one, that of all moderators the
    share whose QM is at least as large. If there are no more than ``at_most`` different deals, each is looked at once
    and the test is exact; otherwise ``at_most`` random ones are, and the observed one is counted with them so that p
    cannot be 0 (Phipson and Smyth 2010).

    Parameters
    ----------
    yi, vi : array_like, shape (n,)
        As in `meta_regression.meta_regression`.
    moderators : Moderators
    method : str
        Estimator of tau2.
    test : str
        Whose statistic is looked at, as in `meta_regression.meta_regression`: z and t have the same one.
    at_most : int
        At least 1; the smallest p of a random sample is ``1 / (at_most + 1)``.
    seed : int
        Of the random sample; the same seed gives the same p.

    Raises
    ------
    SynthesisError
        If the effects are not valid, an option is not, or an iteration does not converge.
    """
    checked_choice("method", method, METHODS)
    checked_choice("test", test, REGRESSION_TESTS)
    if at_most < 1:
        raise SynthesisError(f"at_most is {at_most}, but a test needs at least one permutation")
    y, v, design = used_effects(yi, vi, moderators)
    # Studies with the same moderators are interchangeable: dealing them among themselves is no other deal.
    kinds = np.unique(moderators.matrix, axis=0, return_inverse=True)[1].reshape(-1)
    exact = _deals(kinds) <= at_most
    observed = _statistics(y, v, design, method, test)
    smallest = observed * (1 - _TIE)
    orders = _all_orders(kinds) if exact else _random_orders(y.size, at_most, seed)
    count, reached = 0, np.zeros_like(observed)
    for order in orders:
        reached += _statistics(y, v, _dealt(design, order), method, test) >= smallest
        count += 1
    p = reached / count if exact else (reached + 1) / (count + 1)
    names = moderators.names[1:]
    return PermutationTest(
        dict(zip(names, p[:-1].tolist(), strict=True)), float(p[-1]), count, exact, None if exact else seed
    )


def _dealt(design: DesignMatrix, order: npt.NDArray[np.intp]) -> DesignMatrix:
    return DesignMatrix(design.basis[order], design.back, design.products[order])


def _statistics(y: FloatArray, v: FloatArray, design: DesignMatrix, method: Method, test: RegressionTest) -> FloatArray:
    """Absolute z or t of every coefficient but the intercept, and QM."""
    fit = random_effects_fit(y, v, estimated(y, v, design, method).value, design)
    b, covariance = fit.coefficients()[1:], errors_of(fit, test)[0][1:, 1:]
    return np.append(np.abs(b) / np.sqrt(np.diagonal(covariance)), b @ np.linalg.solve(covariance, b))


def _deals(kinds: npt.NDArray[np.intp]) -> int:
    """Number of different ways to deal rows of these kinds out."""
    deals = factorial(kinds.size)
    for count in np.bincount(kinds).tolist():
        deals //= factorial(count)
    return deals


def _all_orders(kinds: npt.NDArray[np.intp]) -> Iterator[npt.NDArray[np.intp]]:
    """One order of the rows for each different deal; rows of a kind are interchangeable."""
    places = [np.flatnonzero(kinds == kind).tolist() for kind in range(int(kinds.max()) + 1)]
    for deal in _arrangements(np.bincount(kinds).tolist(), kinds.size):
        taken = [iter(rows) for rows in places]
        yield np.array([next(taken[kind]) for kind in deal])


def _arrangements(counts: list[int], size: int) -> Iterator[list[int]]:
    """Every different sequence with so many of each kind."""
    if size == 0:
        yield []
    for kind, left in enumerate(counts):
        if left:
            counts[kind] -= 1
            for rest in _arrangements(counts, size - 1):
                yield [kind, *rest]
            counts[kind] += 1


def _random_orders(size: int, count: int, seed: int) -> Iterator[npt.NDArray[np.intp]]:
    random = np.random.default_rng(seed)
    for _ in range(count):
        yield random.permutation(size)
