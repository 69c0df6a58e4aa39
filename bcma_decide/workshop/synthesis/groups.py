"""Groups of studies, each pooled by itself, and the tests between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Final

import numpy as np

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.heterogeneity import QTest, cochran_q
from bcma_decide.workshop.meta_analysis.meta_regression import ModeratorTest
from bcma_decide.workshop.meta_analysis.pooled import Pooled
from bcma_decide.workshop.meta_analysis.subgroup_test import groups_with_common_tau2
from bcma_decide.workshop.synthesis.model import Method, PoolingMethod
from bcma_decide.workshop.synthesis.result import check_method, result_of
from bcma_decide.workshop.synthesis.studies import Studies

__all__ = ["Groups", "StudyGroup", "groups_of"]

_STEADIER: Final[tuple[Method, ...]] = ("REML", "DL")
"""What a group is pooled by where the method asked for has no estimate: the default, then one without steps."""


@dataclass(frozen=True)
class StudyGroup:
    """Studies that share a value of the column; ``rows`` are their places among all.

    ``result`` is ``None`` where nothing can be said: two groups of patients were compared, and all fared alike.
    ``note`` says so in words, or how the group is pooled in another way than asked.
    """

    name: str
    rows: tuple[int, ...]
    result: Pooled | None
    note: str = ""


@dataclass(frozen=True)
class Groups:
    """Groups pooled apart, and the tests that they share one effect.

    ``between`` is with a tau2 of each group's own, ``between_common`` with one for all. Both are ``None`` where fewer
    than two groups have a finite effect, the first also where rows of different groups share their controls, the second
    with as many groups as studies, with models of exact counts and where any rows share controls. ``left_out`` names
    groups without a finite effect, which are in neither.
    """

    by: str
    groups: tuple[StudyGroup, ...]
    between: QTest | None
    between_common: ModeratorTest | None
    left_out: tuple[str, ...] = ()


def groups_of(
    studies: Studies, labels: Sequence[str], model: PoolingMethod, by: str, names: Sequence[str] | None = None
) -> Groups:
    """Pool each group, in the order of first appearance, and test between them.

    The test is Q of the groups' means with weights ``1 / se^2`` (Borenstein, Hedges, Higgins and Rothstein 2009,
    chapter 19), ``se`` being the normal one whatever test the means have: errors rescaled by what the studies of a
    group happen to differ by are no variances to weigh by, and are 0 where two studies agree.

    Parameters
    ----------
    studies
    labels : sequence of str, length k
        The group of each.
    model
    by
        What the groups are, in a word.
    names
        Groups that are told of in this order, where some have no study left; else those of the labels.

    Raises
    ------
    SynthesisError
        Where the method does not go with the studies; naming the group, where no method pools it.
    """
    check_method(studies, model)
    groups = []
    for name in dict.fromkeys(labels if names is None else names):
        rows = tuple(row for row, label in enumerate(labels) if label == name)
        try:
            result, note = _pooled(name, studies.of(rows), model)
        except SynthesisError as error:
            raise SynthesisError(f"{by} {name}: {error.message}", error.problems) from None
        groups.append(StudyGroup(name, rows, result, note))
    normal = {group.name: _normal(studies.of(group.rows), group.result, model) for group in groups}
    finite = {name: mean for name, mean in normal.items() if mean is not None and isfinite(mean.estimate)}
    between = None
    if len(finite) > 1 and not _correlated(studies, groups):
        between = cochran_q([mean.estimate for mean in finite.values()], [mean.se**2 for mean in finite.values()])
    # One tau2 for all needs a study more than groups to be estimated from, and inverse variances to be fitted by.
    common = None
    pooled = [group for group in groups if group.name in finite]
    if len(pooled) > 1 and model.has_weights and studies.covariance is None:
        telling = [row for group in pooled for row in group.rows]
        if len(pooled) < len(telling):
            told, named = studies.of(telling), [labels[row] for row in telling]
            common = groups_with_common_tau2(told.yi, told.vi, named, method=model.weighted).between
    return Groups(by, tuple(groups), between, common, tuple(name for name in normal if name not in finite))


def _correlated(studies: Studies, groups: Sequence[StudyGroup]) -> bool:
    """Whether rows of different groups share their controls, so that the groups' means are not independent."""
    if studies.covariance is None:
        return False
    across = studies.covariance.copy()
    for group in groups:
        across[np.ix_(group.rows, group.rows)] = 0.0
    return bool(across.any())


def _pooled(name: str, studies: Studies, model: PoolingMethod) -> tuple[Pooled | None, str]:
    if studies.k == 0:
        return None, f"{name}: every study of it is left out, so that nothing can be said"
    if studies.tells_nothing:
        return None, f"{name}: nobody, or everybody, had the event in both groups of every study; nothing can be said"
    try:
        result = result_of(studies, model)
    except SynthesisError as error:
        for method in _others(model):
            try:
                return result_of(studies, model.by(method)), f"{name}: {error.message}; pooled by {method} instead"
            except SynthesisError:
                continue
        if studies.groups is not None or studies.rates is not None:
            return None, f"{name}: {error.message}; nothing can be said"
        raise
    return result, _note(name, result)


def _others(model: PoolingMethod) -> Iterator[Method]:
    # Summed tables have no weighted model beside them: where nothing can be summed, nothing can be pooled.
    if not model.sums_tables:
        yield from (method for method in _STEADIER if method != model.method)


def _note(name: str, result: Pooled) -> str:
    if result.k == 1:
        return f"{name}: one study, as it is" + (", with the exact interval" if result.method == "exact" else "")
    if result.method == "exact":
        who = "nobody" if result.estimate < 0 else "everybody"
        return (
            f"{name}: {who} in {result.k} studies had the event; they are counted together, with the exact interval, "
            "and nothing is known of a spread between them"
        )
    return ""


def _normal(studies: Studies, result: Pooled | None, model: PoolingMethod) -> Pooled | None:
    """The group's result with the normal standard error."""
    if result is None or result.method == "exact" or result.test in ("z", "t"):
        return result
    return result_of(studies, replace(model.by(result.method), test="z"))
