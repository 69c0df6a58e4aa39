"""What each study does to the pooled result: outlier and influence diagnostics, shrunken effects, Baujat's plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.heterogeneity import Method, checked_effects, estimate_tau2, weighted_mean
from bcma_decide.workshop.meta_analysis.leave_one_out import leave_one_out
from bcma_decide.workshop.meta_analysis.subset_fits import SubsetFits

__all__ = ["Baujat", "Flag", "Influence", "baujat", "influence"]

Flag = Literal["dffits", "cook_d", "hat", "dfbetas"]


@dataclass(frozen=True, eq=False)
class Influence:
    """Deletion diagnostics, every array (k,); names as in Viechtbauer and Cheung (2010).

    ``rstudent``: deviation of the study from the mean of the others, over its standard error. ``dffits`` and
    ``dfbetas``: change of the study's fitted value and of the mean when it is left out, in standard errors.
    ``cook_d``: that change squared, over the variance of the mean. ``cov_r``: variance of the mean without the
    study over that with it, below 1 if the study blurs the mean. ``tau2_del`` and ``q_del``: heterogeneity without
    it. ``hat``: leverage; ``weight``: the same in percent. ``flags``: for each study the measures above their
    published cut-off.
    """

    rstudent: FloatArray
    dffits: FloatArray
    cook_d: FloatArray
    cov_r: FloatArray
    tau2_del: FloatArray
    q_del: FloatArray
    hat: FloatArray
    weight: FloatArray
    dfbetas: FloatArray
    flags: tuple[tuple[Flag, ...], ...]


@dataclass(frozen=True, eq=False)
class Baujat:
    """``contribution`` (k,) to heterogeneity and ``influence`` (k,) on the mean of each study."""

    contribution: FloatArray
    influence: FloatArray


def influence(
    yi: npt.ArrayLike, vi: npt.ArrayLike, *, method: Method = "REML", without: SubsetFits | None = None
) -> Influence:
    """Deletion diagnostics of a random-effects mean (Viechtbauer and Cheung 2010, section 3), with its normal test.

    A study is flagged (their section 3.4, with one coefficient) for ``|dffits| > 3 sqrt(1 / (k - 1))``, for a
    ``cook_d`` beyond the median of chi-squared with one degree of freedom, for ``hat > 3 / k`` and for
    ``|dfbetas| > 1``.

    Parameters
    ----------
    yi, vi : array_like, shape (k,), k >= 3
        Effects and their sampling variances.
    method : str
        Estimator of tau2, as in `heterogeneity.estimate_tau2`.
    without
        The results of `leave_one_out` by the same method with any test, where they are at hand.

    Raises
    ------
    SynthesisError
        If the effects are not valid, there are fewer than three studies, or the estimator does not converge.
    """
    y, v = checked_effects(yi, vi)
    without = without or leave_one_out(y, v, method=method)
    w = 1 / (v + estimate_tau2(y, v, method).value)
    estimate, variance, hat = weighted_mean(y, w), 1 / w.sum(), w / w.sum()
    own = v + without.tau2
    change = estimate - without.estimate
    # The variance of the mean of all studies with the tau2 that the others give: precisions of independent parts add.
    variance_at_deleted_tau2 = 1 / (1 / np.square(without.se_normal) + 1 / own)
    dffits = change / np.sqrt(hat * own)
    cook_d = np.square(change) / variance
    dfbetas = change / np.sqrt(variance_at_deleted_tau2)
    beyond: dict[Flag, npt.NDArray[np.bool_]] = {
        "dffits": np.abs(dffits) > 3 / np.sqrt(y.size - 1),
        "cook_d": cook_d > special.chdtri(1, 0.5),
        "hat": hat > 3 / y.size,
        "dfbetas": np.abs(dfbetas) > 1,
    }
    return Influence(
        rstudent=(y - without.estimate) / np.sqrt(own + np.square(without.se_normal)),
        dffits=dffits,
        cook_d=cook_d,
        cov_r=np.square(without.se_normal) / variance,
        tau2_del=without.tau2,
        q_del=without.q,
        hat=hat,
        weight=100 * hat,
        dfbetas=dfbetas,
        flags=tuple(tuple(name for name, rows in beyond.items() if rows[i]) for i in range(y.size)),
    )


def baujat(
    yi: npt.ArrayLike, vi: npt.ArrayLike, *, method: Method = "REML", without: SubsetFits | None = None
) -> Baujat:
    """Coordinates of the plot of Baujat, Mahé, Pignon and Hill (2002).

    Across: ``(y - mean)^2 / (v + tau2)``, with method EE the study's part of Cochran's Q. Up: the squared change of
    the mean when the study is left out, over the variance of the mean without it.

    Parameters
    ----------
    yi, vi : array_like, shape (k,), k >= 3
        Effects and their sampling variances.
    method : str
        Estimator of tau2; the paper has EE.
    without
        As in `influence`.

    Raises
    ------
    SynthesisError
        If the effects are not valid, there are fewer than three studies, or the estimator does not converge.
    """
    y, v = checked_effects(yi, vi)
    if y.size < 3:
        raise SynthesisError(f"Baujat's plot leaves studies out and needs at least three, not {y.size}")
    without = without or leave_one_out(y, v, method=method)
    w = 1 / (v + estimate_tau2(y, v, method).value)
    mean = weighted_mean(y, w)
    return Baujat(w * np.square(y - mean), np.square((mean - without.estimate) / without.se_normal))
