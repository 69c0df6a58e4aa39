"""Means of groups of studies that share one variance between studies, and the test between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import checked_groups
from bcma_decide.workshop.meta_analysis.heterogeneity import Method, checked_effects
from bcma_decide.workshop.meta_analysis.meta_regression import ModeratorTest, RegressionTest, meta_regression
from bcma_decide.workshop.meta_analysis.moderators import moderators
from bcma_decide.workshop.meta_analysis.predictions import Prediction, predict

__all__ = ["CommonTau2Groups", "groups_with_common_tau2"]


@dataclass(frozen=True)
class CommonTau2Groups:
    """Mean and intervals of each group in order of first appearance, their ``tau2`` and the test ``between`` them."""

    groups: Mapping[str, Prediction]
    tau2: float
    between: ModeratorTest


def groups_with_common_tau2(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    groups: Sequence[str],
    *,
    method: Method = "REML",
    test: RegressionTest = "z",
    level: float = 0.95,
) -> CommonTau2Groups:
    """Subgroup analysis with one tau2 for all groups, as a regression on the group.

    Borenstein, Hedges, Higgins and Rothstein (2009), chapter 19.

    Where groups are small it is steadier than a tau2 of each group's own, which few studies cannot tell.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Effects and their sampling variances.
    groups : sequence of str, length k
        The group each study belongs to.
    method, test, level
        As in `meta_regression.meta_regression`.

    Raises
    ------
    SynthesisError
        If a study has no group, there is only one, there are no more studies than groups, or for any reason
        `meta_regression` gives.
    """
    y, v = checked_effects(yi, vi)
    names = checked_groups(groups, y.size)
    if len(names) < 2:
        raise SynthesisError(f"a test between groups needs at least two groups, not {len(names)}")
    design = moderators({"group": list(groups)})
    model = meta_regression(y, v, design, method=method, test=test, level=level)
    means = predict(model, {"group": names})
    return CommonTau2Groups(dict(zip(names, means, strict=True)), model.tau2, model.moderator_test)
