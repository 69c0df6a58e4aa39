"""Pooling many subsets of the same studies at once, one row of arrays per subset.

What leaving studies out, adding them one by one and looking at all combinations have in common. The formulas are
those of `heterogeneity` and `pooling`, summed along rows: fitting a
thousand subsets one after the other would spend its time on bookkeeping.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray, checked_level
from bcma_decide.workshop.meta_analysis.growing_sums import Kind, SubsetSums, tau2_of_subsets
from bcma_decide.workshop.meta_analysis.heterogeneity import Method, estimate_tau2
from bcma_decide.workshop.meta_analysis.pooling import MeanTest, checked_options
from bcma_decide.workshop.meta_analysis.subset_peaks import lone_peak, slope_grid

__all__ = ["CELLS", "BoolArray", "SubsetFits", "fit_growing", "fit_subsets", "joined", "row_blocks"]

BoolArray = npt.NDArray[np.bool_]

CELLS = 2**16
"""Subsets are worked on in blocks of about this many cells (subsets times studies), so that they stay in cache."""

FEW = 256
"""Up to as many studies are summed subset by subset: their square is soon counted."""

_MOST_STEPS = 30
"""98 % of subsets settle in ten, all but 4 in 10,000 in thirty; those swing between two peaks and get a bracket."""
_MOST_CREEPING = 100
"""Newton's steps from below are sure, and short where one study is far better known than the others."""
_SETTLED = 1e-12
"""Of a step, relative to tau2 plus the smallest variance: Newton's next step is below rounding."""
_FLAT = 0.1
"""Share of the expected information below which the observed one is not trusted for a step."""


@dataclass(frozen=True, eq=False)
class SubsetFits:
    """Pooled results of m subsets on the analysis scale, every field an array (m,).

    ``k`` studies; ``estimate`` with ``se`` as the test has it and ``se_normal``, ``statistic`` (z, or t with k - 1
    degrees of freedom), ``p`` and the interval ``ci_low`` to ``ci_high``; Cochran's ``q`` with ``q_p``; ``tau2``,
    ``i2`` in percent and ``h2``. With one study the interval is normal, and ``q_p``, ``tau2``, ``i2`` and ``h2`` are
    nan: they cannot be known.
    """

    k: npt.NDArray[np.int64]
    estimate: FloatArray
    se: FloatArray
    se_normal: FloatArray
    statistic: FloatArray
    p: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    q: FloatArray
    q_p: FloatArray
    tau2: FloatArray
    i2: FloatArray
    h2: FloatArray


def row_blocks(count: int, k: int) -> Iterator[slice]:
    """Slices over ``count`` subsets of ``k`` studies, each of about `CELLS` cells."""
    step = max(1, CELLS // k)
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def joined(parts: Iterable[SubsetFits]) -> SubsetFits:
    """Results of several blocks as one, in their order."""
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    return SubsetFits(*(np.concatenate(column) for column in columns))


def fit_subsets(
    y: FloatArray,
    v: FloatArray,
    kept: BoolArray,
    *,
    method: Method = "REML",
    test: MeanTest = "z",
    level: float = 0.95,
) -> SubsetFits:
    """Pool each subset of the studies as `pooling.pool` would.

    Parameters
    ----------
    y, v : numpy.ndarray, shape (k,)
        Checked effects and sampling variances.
    kept : numpy.ndarray of bool, shape (m, k)
        Which studies each subset holds, at least one.
    method, test, level
        As in `pool`. EE, DL, DLIT and REML are worked out for all subsets together, the others one by one.

    Raises
    ------
    SynthesisError
        If a subset is empty, an option is unknown, the level is not between 0 and 1, or the estimator of tau2 does
        not converge for a subset.
    """
    checked_options(method, test)
    tail = 1 - (1 - checked_level(level)) / 2
    k = kept.sum(axis=1)
    if not k.all():
        raise SynthesisError(f"subset {int(np.argmin(k))} holds no study: there is nothing to pool")
    several = k > 1
    tau2 = np.zeros(k.size)
    tau2[several] = _tau2(y, v, kept[several], method)
    # Studies left out have weight 0, so that every sum over a row is one over the subset.
    w = kept / (v + tau2[:, None])
    total = w.sum(axis=1)
    estimate = w @ y / total
    spread = None if test in ("z", "t") else _spread(w, y - estimate[:, None], test)
    q, trace = _common_effect(y, v, kept)
    return _described(_Sums(k, tau2, estimate, total, spread, q, trace), method, test, tail)


class _Options(TypedDict):
    method: Method
    test: MeanTest
    level: float


def fit_growing(
    y: FloatArray, v: FloatArray, kind: Kind, *, method: Method = "REML", test: MeanTest = "z", level: float = 0.95
) -> SubsetFits:
    """Pool k studies without each of them, or up to each of them, as `fit_subsets` would.

    Few studies are summed subset by subset; many in time that grows with their number (see `growing_sums`), and those
    subsets alone one by one that it cannot tell.

    Parameters
    ----------
    y, v : numpy.ndarray, shape (k,)
        Checked effects and sampling variances, in the order in which they are added.
    kind : {"without", "up_to"}
        What row i holds: all studies but i, or the first i + 1.
    method, test, level
        As in `pool`.

    Raises
    ------
    SynthesisError
        As `fit_subsets`.
    """
    options: _Options = {"method": method, "test": test, "level": level}
    first = min(FEW, y.size)
    if y.size <= FEW:
        return joined(fit_subsets(y, v, _held(rows, y.size, kind), **options) for rows in row_blocks(y.size, y.size))
    checked_options(method, test)
    tail = 1 - (1 - checked_level(level)) / 2
    # Around a mean of theirs, so that squares are those of distances.
    centre = float(y @ (1 / v) / (1 / v).sum())
    sums = SubsetSums(y - centre, v, kind)
    rows = np.arange(first if kind == "up_to" else 0, y.size)
    tau2, settled = tau2_of_subsets(sums, rows, method)
    alone = rows[~settled]
    at, common = sums.at(tau2, rows), sums.at(np.zeros(rows.size), rows)
    spread = None if test in ("z", "t") else np.array(at.s[1:]) if test == "kenward_roger" else at.squares(1)
    k = sums.sizes[rows].astype(np.int64)
    fits = _described(
        _Sums(k, tau2, at.mean + centre, at.s[0], spread, common.squares(1), common.trace), method, test, tail
    )
    if kind == "up_to":
        head = fit_growing(y[:first], v[:first], kind, **options)
        fits = joined([head, fits])
    else:
        alone = np.union1d(alone, np.union1d(sums.lost(tau2), sums.lost(np.zeros(y.size))))
    for row in alone.tolist():
        one = fit_subsets(y, v, _held(slice(row, row + 1), y.size, kind), **options)
        for column, value in zip(vars(fits).values(), vars(one).values(), strict=True):
            column[row] = value[0]
    return fits


def _held(rows: slice, k: int, kind: Kind) -> BoolArray:
    """Which studies some rows hold, (rows, k)."""
    own = np.arange(rows.start, rows.stop)[:, None]
    return np.arange(k) != own if kind == "without" else np.arange(k) <= own


@dataclass(frozen=True, eq=False)
class _Sums:
    """What the results of subsets are made from, each (m,): ``total`` weight, ``q`` and ``trace`` at tau2 = 0.

    ``spread`` is what the test needs beside: the weighted squares around the mean, or (2, m) the sums of squared and
    cubed weights.
    """

    k: npt.NDArray[np.int64]
    tau2: FloatArray
    estimate: FloatArray
    total: FloatArray
    spread: FloatArray | None
    q: FloatArray
    trace: FloatArray


def _described(sums: _Sums, method: Method, test: MeanTest, tail: float) -> SubsetFits:
    k, tau2, estimate, q, trace = sums.k, sums.tau2, sums.estimate, sums.q, sums.trace
    # One study has no degrees of freedom; 1 keeps its row free of divisions by 0, and what it cannot know becomes nan.
    several, left = k > 1, np.maximum(k - 1, 1)
    unknown = np.where(several, 0.0, np.nan)
    se, df = _errors(sums.total, sums.spread, left, several, test)
    statistic = _ratio(estimate, se)
    normal = np.isinf(df)
    finite = np.where(normal, 1.0, df)
    quantile = np.where(normal, special.ndtri(tail), special.stdtrit(finite, tail))
    p = 2 * np.where(normal, special.ndtr(-np.abs(statistic)), special.stdtr(finite, -np.abs(statistic)))
    if method == "EE":
        i2 = 100 * np.divide(np.maximum(q - left, 0), q, out=np.zeros_like(q), where=q > 0)
        h2 = q / left
    else:
        within = left / np.where(several, trace, 1.0)
        # From tau2, as `shares` has it, so that both stay true to the estimator; only with EE does Q have to serve.
        i2, h2 = 100 * tau2 / (tau2 + within), (tau2 + within) / within
    return SubsetFits(
        k=k,
        estimate=estimate,
        se=se,
        se_normal=1 / np.sqrt(sums.total),
        statistic=statistic,
        p=p,
        ci_low=estimate - quantile * se,
        ci_high=estimate + quantile * se,
        q=np.where(several, q, 0.0),
        q_p=special.chdtrc(left, q) + unknown,
        tau2=tau2 + unknown,
        i2=i2 + unknown,
        h2=h2 + unknown,
    )


def _ratio(estimate: FloatArray, se: FloatArray) -> FloatArray:
    """Test statistic; identical studies under Knapp and Hartung have no error, which makes it infinite, or 0 at 0."""
    endless = np.where(estimate == 0, 0.0, np.copysign(np.inf, estimate))
    return np.divide(estimate, se, out=endless, where=se > 0)


def _spread(w: FloatArray, residual: FloatArray, test: MeanTest) -> FloatArray:
    """What the errors of a test need beside the weights' sum, as `_Sums` has it."""
    if test == "kenward_roger":
        w2 = np.square(w)
        return np.array([w2.sum(axis=1), np.einsum("mk,mk->m", w2, w)])
    return np.asarray(np.einsum("mk,mk,mk->m", w, residual, residual))


def _errors(
    s1: FloatArray, spread: FloatArray | None, left: npt.NDArray[np.int64], several: BoolArray, test: MeanTest
) -> tuple[FloatArray, FloatArray]:
    """Standard errors and degrees of freedom, infinite for a normal test, as `fit_random_effects` has them."""
    if test == "z":
        return np.sqrt(1 / s1), np.full(s1.size, np.inf)
    df = left.astype(float)
    if spread is None:
        variance = 1.0 / s1
    elif test == "kenward_roger":
        s2, s3 = spread
        information = np.where(several, (s2 - 2 * s3 / s1 + np.square(s2 / s1)) / 2, 1.0)
        widened = (1 + 2 * (s3 / s1 - np.square(s2 / s1)) / information) / s1
        variance, df = np.where(several, widened, 1 / s1), 2 * information / np.square(widened * s2)
    else:
        scale = spread / left
        if test == "floored_knapp_hartung":
            scale = np.maximum(scale, 1.0)
        variance = np.where(several, scale, 1.0) / s1
    return np.sqrt(variance), np.where(several, df, np.inf)


def _common_effect(y: FloatArray, v: FloatArray, kept: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Cochran's Q and the trace of P at tau2 = 0, by subset."""
    w = kept / v
    total = w.sum(axis=1)
    residual = y - (w @ y / total)[:, None]
    return np.einsum("mk,mk,mk->m", w, residual, residual), total - np.einsum("mk,mk->m", w, w) / total


def _tau2(y: FloatArray, v: FloatArray, kept: BoolArray, method: Method) -> FloatArray:
    if method == "EE" or not kept.size:
        return np.zeros(kept.shape[0])
    if method == "DL":
        q, trace = _common_effect(y, v, kept)
        moment: FloatArray = np.maximum(0.0, (q - (kept.sum(axis=1) - 1)) / trace)
        return moment
    if method == "DLIT":
        return _iterated(y, v, kept)
    if method == "REML":
        return _restricted_likelihood(y, v, kept)
    return np.array([estimate_tau2(y[row], v[row], method).value for row in kept])


def _iterated(y: FloatArray, v: FloatArray, kept: BoolArray) -> FloatArray:
    """Where DerSimonian and Laird's steps rest, by Newton's steps from below as in `tau2`."""
    k = kept.sum(axis=1)
    tau2: FloatArray = np.zeros(k.size)
    for _ in range(_MOST_CREEPING):
        w = kept / (v + tau2[:, None])
        w2 = np.square(w)
        total, total2 = w.sum(axis=1), w2.sum(axis=1)
        u = w * (y - (w @ y / total)[:, None])
        trace = total - total2 / total
        trace_squared = total2 - 2 * np.einsum("mk,mk->m", w2, w) / total + np.square(total2 / total)
        falls = np.einsum("mk,mk->m", u, u) + trace - tau2 * trace_squared
        step = np.maximum(0.0, (u @ y - (k - 1) - tau2 * trace) / falls)
        tau2 += step
        if (step <= _SETTLED * (tau2 + v.min())).all():
            return tau2
    raise SynthesisError(f"DLIT was not settled in {_MOST_CREEPING} steps; use DL or PM")


def _restricted_likelihood(y: FloatArray, v: FloatArray, kept: BoolArray) -> FloatArray:
    """REML (Viechtbauer 2005, equation 10) by Newton steps from the unweighted estimate, all subsets together.

    Where the likelihood is not concave the step is that of Fisher scoring. A subset that does not settle, or whose
    likelihood has several peaks, is left to `estimate_tau2`, which compares them.
    """
    k = kept.sum(axis=1)
    mean = kept @ y / k
    squares = np.einsum("mk,mk->m", kept, np.square(y - mean[:, None]))
    tau2: FloatArray = np.maximum(0.0, squares / (k - 1) - kept @ v / k)
    active = np.arange(k.size)
    for _ in range(_MOST_STEPS):
        t = tau2[active]
        reached = np.maximum(0.0, t + _newton_step(y, v, kept[active], t))
        tau2[active] = reached
        active = active[np.abs(reached - t) > _SETTLED * (t + v.min())]
        if not active.size:
            break
    grid = slope_grid(v, float((squares / (k - 1)).max()))
    unsure = ~lone_peak(_slopes(y, v, kept, grid), grid, tau2)
    unsure[active] = True
    # One by one for the few that are left: slower, but it looks at every peak.
    tau2[unsure] = [estimate_tau2(y[row], v[row], "REML").value for row in kept[unsure]]
    return tau2


def _slopes(y: FloatArray, v: FloatArray, kept: BoolArray, grid: FloatArray) -> FloatArray:
    """Twice the slope of the restricted likelihood of each subset at each tau2 of the grid, (g, m)."""
    # The same weights for all subsets at one tau2: sums over subsets are products of matrices.
    y = y - y.mean()
    w = 1 / (v + grid[:, None])
    w2 = np.square(w)
    held = kept.astype(np.float64).T
    s1, s2 = w @ held, w2 @ held
    mean = (w * y) @ held / s1
    squares = (w2 * np.square(y)) @ held - 2 * mean * ((w2 * y) @ held) + np.square(mean) * s2
    slopes: FloatArray = squares - (s1 - s2 / s1)
    return slopes


def _newton_step(y: FloatArray, v: FloatArray, kept: BoolArray, tau2: FloatArray) -> FloatArray:
    """Step in tau2: twice the score, ``y'PPy - trace(P)``, over twice the information.

    That is the observed one, ``2 y'PPPy - trace(PP)``, unless it is below a tenth of the expected one,
    ``trace(PP)``: where the likelihood is flat or convex a Newton step would leave for nowhere.
    """
    w = kept / (v + tau2[:, None])
    w2 = np.square(w)
    total, total2 = w.sum(axis=1), w2.sum(axis=1)
    u = w * (y - (w @ y / total)[:, None])
    wu = w * u
    score = np.einsum("mk,mk->m", u, u) - (total - total2 / total)
    trace_squared = total2 - 2 * np.einsum("mk,mk->m", w2, w) / total + np.square(total2 / total)
    cubic = np.einsum("mk,mk->m", wu, u) - np.square(wu.sum(axis=1)) / total
    observed = 2 * cubic - trace_squared
    step: FloatArray = score / np.where(observed > _FLAT * trace_squared, observed, trace_squared)
    return step
