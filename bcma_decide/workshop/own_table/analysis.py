"""Everything there is to say about a table of studies: pooled, by group, along moderators, and how far it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis import study_table
from bcma_decide.workshop.meta_analysis.cumulative import Cumulative, cumulative
from bcma_decide.workshop.meta_analysis.gosh import Gosh, gosh
from bcma_decide.workshop.meta_analysis.heterogeneity import QTest, cochran_q
from bcma_decide.workshop.meta_analysis.influence import Baujat, Influence, baujat, influence
from bcma_decide.workshop.meta_analysis.leave_one_out import leave_one_out
from bcma_decide.workshop.meta_analysis.meta_regression import ModeratorTest
from bcma_decide.workshop.meta_analysis.study_table import StudyTable
from bcma_decide.workshop.meta_analysis.subgroup_test import groups_with_common_tau2
from bcma_decide.workshop.meta_analysis.subset_fits import SubsetFits
from bcma_decide.workshop.own_table.nested import Nested, nested_of
from bcma_decide.workshop.own_table.pooled import PooledResult, PoolingMethod, result_of
from bcma_decide.workshop.own_table.regression import Regression, regression_of
from bcma_decide.workshop.own_table.small_studies import SmallStudies, small_studies
from bcma_decide.workshop.own_table.studies import Studies

__all__ = ["Analysis", "AnalysisOptions", "Groups", "StudyGroup", "analyse"]

FEWEST: Final = 3
"""Studies that leaving one out, influence and asymmetry need."""


@dataclass(frozen=True)
class AnalysisOptions:
    """What is asked beyond the pooled mean: columns of groups, moderators, an order and the studies of arms; extras."""

    model: PoolingMethod
    by: str | None = None
    mods: tuple[str, ...] = ()
    order: str | None = None
    permutations: int = 0
    gosh: bool = False
    nested: str | None = None
    at: tuple[Mapping[str, str], ...] = ()
    diagnostics: bool = True
    """Whether to leave studies out one by one and to look for small-study effects: the time grows with their square."""


@dataclass(frozen=True)
class StudyGroup:
    """One group: its studies by row, and their pooled result."""

    name: str
    rows: tuple[int, ...]
    result: PooledResult


@dataclass(frozen=True)
class Groups:
    """Studies by group; ``between`` with a tau2 of each group, ``between_common`` with one for all.

    Both are ``None`` with one group, the second also with as many groups as studies and with the binomial-normal model.
    """

    by: str
    groups: tuple[StudyGroup, ...]
    between: QTest | None
    between_common: ModeratorTest | None


@dataclass(frozen=True, eq=False)
class Analysis:
    """The whole. Parts that the number of studies does not allow, or that nobody asked for, are ``None``.

    ``remarks`` are sentences that belong beside the result.
    """

    studies: Studies
    options: AnalysisOptions
    result: PooledResult
    groups: Groups | None
    regression: Regression | None
    without: SubsetFits | None
    influence: Influence | None
    baujat: Baujat | None
    cumulative: Cumulative | None
    small_studies: SmallStudies | None
    gosh: Gosh | None
    nested: Nested | None
    remarks: tuple[str, ...]

    @property
    def model(self) -> PoolingMethod:
        """How studies were pooled."""
        return self.options.model


def analyse(
    table: StudyTable, studies: Studies, options: AnalysisOptions, progress: Callable[[str], None] = lambda _: None
) -> Analysis:
    """Work out everything that was asked for.

    Parameters
    ----------
    table
        The user's table, for its columns of groups, moderators and order.
    studies
        Its studies, from :func:`bcma_decide.workshop.own_table.studies.read_studies`.
    options
        What to work out beyond the pooled mean.
    progress
        Told each longer part as it begins.

    Raises
    ------
    SynthesisError
        For a column that is missing or cannot be used, or a model that cannot be fitted.
    """
    model, y, v = options.model, studies.yi, studies.vi
    progress("pooling")
    if model.sums_tables:
        _refuse_beside_sums(options)
    if options.nested is not None:
        return _nested(table, studies, options, options.nested)
    result = result_of(studies, model)
    groups = None if options.by is None else _groups(table, studies, model, options.by)
    progress("regression")
    regression = _regression(table, studies, options)
    progress("diagnostics")
    enough = options.diagnostics and studies.k >= FEWEST and not model.sums_tables
    ordered = None
    if options.order is not None:
        years = study_table.quantity(table, options.order)
        ordered = cumulative(y, v, years, method=model.weighted, test=model.mean_test, level=model.level)
    if options.gosh:
        progress("subsets of studies")
    return Analysis(
        studies=studies,
        options=options,
        result=result,
        groups=groups,
        regression=regression,
        without=_without(studies, model) if enough else None,
        influence=influence(y, v, method=model.weighted) if enough else None,
        baujat=baujat(y, v, method=model.weighted) if enough else None,
        cumulative=ordered,
        small_studies=small_studies(studies, model) if enough else None,
        gosh=gosh(y, v, method=model.weighted) if options.gosh else None,
        nested=None,
        remarks=tuple(_remarks(studies, model, result)),
    )


def _refuse_beside_sums(options: AnalysisOptions) -> None:
    """Summed tables take one effect for all studies, and weigh no study: what needs either otherwise is not made."""
    model = options.model
    others = {
        "--test": model.test != "z", "--prediction": model.prediction != PoolingMethod.prediction,
        "--mods": options.mods, "--at": options.at, "--permutations": options.permutations,
        "--nested": options.nested, "--order": options.order, "--gosh": options.gosh,
    }  # fmt: skip
    if extra := [option for option, value in others.items() if value]:
        raise SynthesisError(
            f"--method {model.method} sums tables and takes one effect for all studies, with a normal interval: "
            f"{' and '.join(extra)} cannot stand beside it; leave {'it' if len(extra) == 1 else 'them'} out, or take "
            "another method"
        )


def _regression(table: StudyTable, studies: Studies, options: AnalysisOptions) -> Regression | None:
    if options.mods:
        return regression_of(table, studies, options.model, options.mods, options.permutations, options.at)
    if options.at or options.permutations:
        raise SynthesisError(
            f"{'--at' if options.at else '--permutations'} goes with --mods, which names the moderators"
        )
    return None


def _nested(table: StudyTable, studies: Studies, options: AnalysisOptions, column: str) -> Analysis:
    """Arms in studies: what takes rows for independent is not made."""
    others = {
        "--by": options.by, "--order": options.order, "--gosh": options.gosh, "--permutations": options.permutations,
        "--at": options.at,
    }  # fmt: skip
    if extra := [option for option, value in others.items() if value]:
        raise SynthesisError(
            f"{' and '.join(extra)} take rows for independent studies, which --nested says they are not"
        )
    result, parts = nested_of(table, studies, options.model, column, options.mods)
    remarks = ["Rows are arms of studies: diagnostics that take rows for independent are left out."]
    if parts.reason:
        remarks.append(f"Robust standard errors could not be made: {parts.reason}.")
    nothing = dict.fromkeys(
        ("groups", "regression", "without", "influence", "baujat", "cumulative", "small_studies", "gosh")
    )
    return Analysis(studies=studies, options=options, result=result, nested=parts, remarks=tuple(remarks), **nothing)


def _without(studies: Studies, model: PoolingMethod) -> SubsetFits:
    return leave_one_out(studies.yi, studies.vi, method=model.weighted, test=model.mean_test, level=model.level)


def _groups(table: StudyTable, studies: Studies, model: PoolingMethod, by: str) -> Groups:
    labels = study_table.factor(table, by)
    groups = []
    for name in dict.fromkeys(labels):
        rows = tuple(row for row, label in enumerate(labels) if label == name)
        groups.append(StudyGroup(name, rows, result_of(studies.of(rows), model)))
    if len(groups) == 1:
        return Groups(by, tuple(groups), None, None)
    between = cochran_q([group.result.estimate for group in groups], [group.result.se**2 for group in groups])
    # One tau2 for all needs a study more than groups to be estimated from, and inverse variances to be fitted by.
    common = None
    if len(groups) < studies.k and model.method != "GLMM" and not model.sums_tables:
        common = groups_with_common_tau2(studies.yi, studies.vi, labels, method=model.weighted).between
    return Groups(by, tuple(groups), between, common)


def _remarks(studies: Studies, model: PoolingMethod, result: PooledResult) -> Iterator[str]:
    if studies.scale.measure == "freeman-tukey":
        yield (
            f"The Freeman-Tukey scale is read back at the harmonic mean of the study sizes, {studies.scale.size:.4g}; "
            "where sizes differ much this can mislead (Schwarzer, Chemaitelly, Abu-Raddad and Rücker 2019)."
        )
    if model.method == "GLMM":
        yield "Leaving one out, influence and asymmetry are those of the weighted REML model on the logit scale."
    if model.sums_tables:
        yield "One effect for all studies is taken; diagnostics, which weigh studies, are left out."
        if silent := _silent(studies):
            yield f"Nobody or everybody had the event in {', '.join(silent)}: not counted in Q."
    elif studies.k < FEWEST:
        yield f"With {studies.k} studies there is nothing to leave out: diagnostics need {FEWEST}."
    if result.prediction is None and model.weighted != "EE" and result.tau2 is not None:
        yield "A prediction interval needs more studies than this."


def _silent(studies: Studies) -> list[str]:
    """Studies of two groups that tell of no difference in odds: all their patients fared alike."""
    if studies.groups is None:
        return []
    events = studies.groups.events1 + studies.groups.events2
    others = studies.groups.others1 + studies.groups.others2
    return [label for label, e, o in zip(studies.labels, events, others, strict=True) if not (e and o)]
