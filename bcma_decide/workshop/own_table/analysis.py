"""Everything there is to say about a table of studies: pooled, by group, along moderators, and how far it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis import study_table
from bcma_decide.workshop.meta_analysis.cumulative import Cumulative
from bcma_decide.workshop.meta_analysis.gosh import Gosh, gosh
from bcma_decide.workshop.meta_analysis.influence import Baujat, Influence, baujat, influence
from bcma_decide.workshop.meta_analysis.leave_one_out import leave_one_out
from bcma_decide.workshop.meta_analysis.pooled import Pooled
from bcma_decide.workshop.meta_analysis.study_table import StudyTable
from bcma_decide.workshop.meta_analysis.subset_fits import SubsetFits
from bcma_decide.workshop.own_table.model_terms import NO_TERMS, Terms
from bcma_decide.workshop.own_table.nested import Nested, nested_of
from bcma_decide.workshop.own_table.regression import Regression, regression_of
from bcma_decide.workshop.own_table.shared_control import rows_of_shared_controls
from bcma_decide.workshop.own_table.small_studies import SmallStudies, small_studies
from bcma_decide.workshop.synthesis.groups import Groups, groups_of
from bcma_decide.workshop.synthesis.model import PoolingMethod, exact_words
from bcma_decide.workshop.synthesis.refits import MOST_REFITS, refitted, up_to_each, without_each
from bcma_decide.workshop.synthesis.remarks import (
    correction_remarks,
    group_remarks,
    model_remarks,
    prediction_remarks,
    result_remarks,
)
from bcma_decide.workshop.synthesis.result import result_of
from bcma_decide.workshop.synthesis.studies import Studies

__all__ = ["Analysis", "AnalysisOptions", "analyse"]

FEWEST: Final = 3
"""Studies that leaving one out, influence and asymmetry need."""


@dataclass(frozen=True)
class AnalysisOptions:
    """What is asked beyond the pooled mean: groups, moderators, an order, the studies of arms; extras."""

    model: PoolingMethod
    by: str | None = None
    terms: Terms = NO_TERMS
    order: str | None = None
    permutations: int = 0
    gosh: bool = False
    nested: str | None = None
    at: tuple[Mapping[str, str], ...] = ()
    diagnostics: bool = True
    """Whether to leave studies out one by one and to look for small-study effects: the time grows with their square."""


@dataclass(frozen=True, eq=False)
class Analysis:
    """The whole. Parts that the number of studies does not allow, or that nobody asked for, are ``None``.

    ``remarks`` are sentences that belong beside the result.
    """

    studies: Studies
    options: AnalysisOptions
    result: Pooled
    remarks: tuple[str, ...]
    groups: Groups | None = None
    regression: Regression | None = None
    without: SubsetFits | None = None
    influence: Influence | None = None
    baujat: Baujat | None = None
    cumulative: Cumulative | None = None
    small_studies: SmallStudies | None = None
    gosh: Gosh | None = None
    nested: Nested | None = None

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
        Its studies, from :func:`bcma_decide.workshop.own_table.reading.read_studies`.
    options
        What to work out beyond the pooled mean.
    progress
        Told each longer part as it begins.

    Raises
    ------
    SynthesisError
        For a column that is missing or cannot be used, or a model that cannot be fitted. Where the model was chosen
        here, as the outcome is rare, and not asked for, REML takes its place, with a remark.
    """
    try:
        return _analysed(table, studies, options, progress)
    except SynthesisError as error:
        if not (options.model.is_exact and options.model.why):
            raise
        reason = error.message.partition(";")[0].partition(": pool")[0]
        why = f"The outcome is rare, for which GLMM is usual; it is not used, as {reason}. REML takes its place"
        return _analysed(
            table, studies, replace(options, model=replace(options.model, method="REML", why=why)), progress
        )


def _analysed(
    table: StudyTable, studies: Studies, options: AnalysisOptions, progress: Callable[[str], None]
) -> Analysis:
    model, y, v = options.model, studies.yi, studies.vi
    whole, table = table, table.only(studies.rows)
    progress("pooling")
    if model.sums_tables:
        _refuse_beside_sums(options)
    if studies.covariance is not None and (options.gosh or options.permutations):
        raise SynthesisError(
            f"{'--gosh' if options.gosh else '--permutations'} takes rows for independent, and some share their "
            "control group: leave it out, or put the arms of such a study into one row"
        )
    if options.nested is not None:
        return _nested(table, studies, options, options.nested)
    result = result_of(studies, model)
    groups = None
    if options.by is not None:
        names = study_table.factor(whole, options.by)
        groups = groups_of(studies, study_table.factor(table, options.by), model, options.by, names)
    progress("regression")
    regression = _regression(table, studies, options)
    progress("diagnostics")
    enough = options.diagnostics and studies.k >= FEWEST
    weighed = enough and not model.sums_tables and studies.covariance is None
    ordered = None
    if options.order is not None:
        ordered = up_to_each(studies, study_table.quantity(table, options.order), model)
    if options.gosh:
        progress("subsets of studies")
    without = without_each(studies, model) if enough and not _too_many(studies) else None
    # Influence is of weighted models: where the one that was asked for is another, studies are left out of it too.
    of_weights = without if model.has_weights else None
    if weighed and of_weights is None:
        of_weights = leave_one_out(y, v, method=model.weighted)
    return Analysis(
        studies=studies,
        options=options,
        result=result,
        groups=groups,
        regression=regression,
        without=without,
        influence=influence(y, v, method=model.weighted, without=of_weights) if weighed else None,
        baujat=baujat(y, v, method=model.weighted, without=of_weights) if weighed else None,
        cumulative=ordered,
        small_studies=small_studies(studies, model) if weighed else None,
        gosh=gosh(y, v, method=model.weighted) if options.gosh else None,
        remarks=(
            *table.remarks,
            *studies.remarks,
            *correction_remarks(studies, model),
            *model_remarks(studies, model, [result]),
            *result_remarks(studies, model, result),
            *(() if groups is None else group_remarks(studies, model, groups)),
            *prediction_remarks(model, _by_name(result, groups)),
            *_remarks(studies, options),
        ),
    )


def _by_name(result: Pooled, groups: Groups | None) -> dict[str, Pooled | None]:
    return {"all studies": result} | ({} if groups is None else {group.name: group.result for group in groups.groups})


def _too_many(studies: Studies) -> bool:
    """Whether leaving each out would take minutes: rows that share controls are fitted anew each time, as a whole."""
    return studies.covariance is not None and studies.k > MOST_REFITS


def _refuse_beside_sums(options: AnalysisOptions) -> None:
    """Summed tables take one effect for all studies, and weigh no study: what needs either otherwise is not made."""
    model = options.model
    others = {
        "--test": model.test != "z", "--prediction": model.prediction != PoolingMethod.prediction,
        "--mods": options.terms, "--at": options.at, "--permutations": options.permutations,
        "--nested": options.nested, "--gosh": options.gosh,
    }  # fmt: skip
    if extra := [option for option, value in others.items() if value]:
        raise SynthesisError(
            f"--method {model.method} sums tables and takes one effect for all studies, with a normal interval: "
            f"{' and '.join(extra)} cannot stand beside it; leave {'it' if len(extra) == 1 else 'them'} out, or take "
            "another method"
        )


def _regression(table: StudyTable, studies: Studies, options: AnalysisOptions) -> Regression | None:
    if options.terms and options.model.is_exact and studies.groups is not None:
        raise SynthesisError(
            f"--method {options.model.method} has no moderators here: beside --mods take a weighted method, as "
            "--method REML, or pool groups apart with --by"
        )
    if options.terms:
        return regression_of(table, studies, options.model, options.terms, options.permutations, options.at)
    _refuse_without_moderators(options)
    return None


def _refuse_without_moderators(options: AnalysisOptions) -> None:
    others = {
        "--at": options.at, "--permutations": options.permutations, "--factor": options.terms.factors,
        "--reference": options.terms.references,
    }  # fmt: skip
    if extra := [option for option, value in others.items() if value]:
        raise SynthesisError(f"{extra[0]} goes with --mods, which names the moderators")


def _nested(table: StudyTable, studies: Studies, options: AnalysisOptions, column: str) -> Analysis:
    """Arms in studies: what takes rows for independent is not made."""
    others = {
        "--by": options.by, "--order": options.order, "--gosh": options.gosh, "--permutations": options.permutations,
    }  # fmt: skip
    if extra := [option for option, value in others.items() if value]:
        take = "takes" if len(extra) == 1 else "take"
        raise SynthesisError(
            f"{' and '.join(extra)} {take} rows for independent studies, which --nested says they are not: leave "
            f"{'it' if len(extra) == 1 else 'them'} out, or --nested"
        )
    if not options.terms:
        _refuse_without_moderators(options)
    result, parts = nested_of(table, studies, options.model, column, options.terms, options.at)
    remarks = [*table.remarks, *studies.remarks, *correction_remarks(studies, options.model)]
    remarks.append("Rows are arms of studies: diagnostics that take rows for independent are left out.")
    if parts.dropped:
        without = ", ".join(f"{row.study} (no {', '.join(row.missing)})" for row in parts.dropped)
        remarks.append(f"Left out of the two levels and their coefficients: {without}.")
    shared = rows_of_shared_controls(study_table.factor(table, column), studies)
    if shared:
        remarks.append(
            f"{len(shared)} rows have the same second group as another of their study: what patients they share is not "
            "in the sampling variances here; without --nested it is, where such rows have one name."
        )
    if parts.reason:
        remarks.append(f"Robust standard errors could not be made: {parts.reason}.")
    return Analysis(studies=studies, options=options, result=result, nested=parts, remarks=tuple(remarks))


def _remarks(studies: Studies, options: AnalysisOptions) -> Iterator[str]:
    """What the diagnostics are of, where that is not the model that was asked for."""
    model, parts = options.model, []
    if studies.covariance is not None:
        yield "Influence and asymmetry, which take rows for independent, are left out."
        if _too_many(studies):
            yield f"Rows that share controls are left out one by one where there are no more than {MOST_REFITS}."
    elif model.sums_tables:
        yield "Influence and asymmetry, which weigh studies, are left out."
    elif studies.k < FEWEST:
        there = "1 study" if studies.k == 1 else f"{studies.k} studies"
        yield f"With {there} there is nothing to leave out: diagnostics need {FEWEST}."
    if not model.is_exact:
        return
    if not refitted(studies, model):
        parts += ["leaving one out", *(["adding one by one"] if options.order else [])]
    if options.diagnostics and studies.k >= FEWEST:
        parts += ["influence", "asymmetry"]
    if options.gosh:
        parts.append("subsets of studies (GOSH)")
    if options.permutations:
        parts.append("the permutation test")
    if parts:
        named = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
        exact, scale = exact_words(studies, model)
        yield f"Of the weighted REML model {scale}, not of {exact}: {named}."
