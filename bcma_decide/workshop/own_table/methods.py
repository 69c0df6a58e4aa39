"""How a table was pooled, as a paragraph for the methods of a paper: what was done, not what could have been."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Final

import numpy as np

from bcma_decide.version import __version__
from bcma_decide.workshop.meta_analysis.continuity import HALF_A_PATIENT
from bcma_decide.workshop.meta_analysis.pooled import Pooled, PredictionDf
from bcma_decide.workshop.own_table.analysis import Analysis
from bcma_decide.workshop.synthesis.groups import Groups
from bcma_decide.workshop.synthesis.model import Method, PoolingMethod, TestName, exact_words
from bcma_decide.workshop.synthesis.refits import refitted
from bcma_decide.workshop.synthesis.studies import ANGLES, Studies, TableMeasure

__all__ = ["methods_of"]

_EFFECTS: Final[Mapping[TableMeasure, str]] = {
    "logit": "Proportions of single arms were pooled as log odds (logit) and transformed back",
    "raw": "Proportions of single arms were pooled as they are, without a transformation",
    "arcsine": "Proportions of single arms were pooled on the arcsine square root scale and transformed back",
    "freeman-tukey": "Proportions of single arms were pooled on the Freeman-Tukey double arcsine scale and transformed "
    "back at the harmonic mean of the study sizes",
    "log": "Proportions of single arms were pooled as logarithms and transformed back",
    "generic": "Effects and their sampling variances were pooled as given",
    "OR": "Two groups were compared by odds ratios, pooled as logarithms",
    "RR": "Two groups were compared by risk ratios, pooled as logarithms",
    "RD": "Two groups were compared by risk differences",
    "rate": "Incidence rates per person-time of single arms were pooled as logarithms and transformed back",
    "IRR": "Two groups were compared by incidence rate ratios, pooled as logarithms",
}
_GIVEN: Final = frozenset[TableMeasure](("OR", "RR", "RD", "IRR", "HR", "MD"))
"""Measures that a table can hold as estimates with limits or p-values."""
_ESTIMATORS: Final[Mapping[Method, str]] = {
    "DL": "the DerSimonian-Laird estimator",
    "DLIT": "the DerSimonian-Laird estimator, repeated until it stays",
    "HE": "the Hedges estimator",
    "HS": "the Hunter-Schmidt estimator",
    "HSk": "the Hunter-Schmidt estimator with its correction for small samples",
    "SJ": "the Sidik-Jonkman estimator",
    "ML": "maximum likelihood",
    "REML": "restricted maximum likelihood (REML)",
    "EB": "the empirical Bayes estimator",
    "PM": "the Paule-Mandel estimator",
    "PMM": "the median-unbiased Paule-Mandel estimator",
}
_OTHER_MODELS: Final[Mapping[Method, str]] = {
    "EE": "an equal-effects model with inverse-variance weights, which assumes no variance between studies",
    "GLMM": "a binomial-normal model (random-intercept logistic regression fitted by maximum likelihood with adaptive "
    "Gauss-Hermite quadrature), which uses the counts themselves",
    "UM.FS": "an unconditional mixed-effects logistic model with a fixed level for each study and a random odds ratio "
    "(UM.FS, maximum likelihood), which uses the counts themselves",
    "UM.RS": "an unconditional mixed-effects logistic model with random levels of the studies and a random odds ratio "
    "(UM.RS, maximum likelihood), which uses the counts themselves",
    "CM.EL": "a conditional logistic model with the exact noncentral hypergeometric likelihood and a random odds ratio "
    "(CM.EL, maximum likelihood), which uses the counts themselves",
    "CM.AL": "a conditional logistic model with its approximate binomial likelihood and a random odds ratio (CM.AL, "
    "maximum likelihood), which uses the counts themselves",
    "MH": "the Mantel-Haenszel method, which takes one effect for all studies and sums their tables, uncorrected",
    "PETO": "Peto's method, which takes one odds ratio for all studies and sums their tables, uncorrected",
}
_POISSON_NORMAL: Final = (
    "a Poisson-normal model (Poisson regression with a random intercept and the logarithm of person-time as offset, "
    "fitted by maximum likelihood with adaptive Gauss-Hermite quadrature), which uses the counts themselves"
)
"""What GLMM is of events in person-time."""
_TESTS: Final[Mapping[TestName, str]] = {
    "z": "a normal distribution (Wald)",
    "t": "a t distribution with k \N{MINUS SIGN} 1 degrees of freedom",
    "knha": "the Hartung-Knapp-Sidik-Jonkman method",
    "knha-floored": "the Hartung-Knapp-Sidik-Jonkman method, never narrower than with the unadjusted standard error",
    "kenward-roger": "the Kenward-Roger method",
}
_PREDICTIONS: Final[Mapping[PredictionDf, str]] = {
    "k-2": "a t distribution with k \N{MINUS SIGN} 2 degrees of freedom",
    "k-1": "a t distribution with k \N{MINUS SIGN} 1 degrees of freedom",
    "normal": "a normal distribution",
}
_INSTEAD: Final = {"exact": "one count with its exact interval"}


def methods_of(analysis: Analysis) -> str:
    """One paragraph: effects, corrections, model, intervals, heterogeneity, what else was done, software."""
    return " ".join(_sentences(analysis))


def _sentences(analysis: Analysis) -> Iterator[str]:
    studies, model, result = analysis.studies, analysis.model, analysis.result
    percent = f"{100 * model.level:g} %"
    if model.method == "GLMM" and result.method != "exact":
        in_time = "" if studies.rates is None else " in person-time"
        scale = exact_words(studies, model)[1]
        yield f"Counts of events{in_time} in single arms of {studies.k} studies were pooled {scale}."
    elif studies.scale.measure in _GIVEN and studies.groups is None and studies.rates is None:
        logarithms = ", as logarithms" if studies.scale.kind == "ratio" else ""
        yield (
            f"{studies.scale.name}s as published ({studies.k} {_rows(analysis)}) were pooled{logarithms}, with "
            "standard errors as given or from confidence limits or p-values."
        )
    else:
        yield f"{_EFFECTS[studies.scale.measure]} ({studies.k} {_rows(analysis)})."
    yield from _correction(studies, model)
    if result.method == "exact":
        yield (
            "As all patients or none had the event, the studies were counted together, with the exact interval "
            f"(Clopper-Pearson, {percent})."
        )
    else:
        yield from _model(analysis, percent)
        yield from _heterogeneity(result, model)
    yield from _beyond(analysis)
    yield _own_intervals(studies, percent)
    yield (
        f"Analyses were made with bcma-decide {__version__} (Python {platform.python_version()}, NumPy "
        f"{np.__version__}, SciPy {version('scipy')})."
    )


def _rows(analysis: Analysis) -> str:
    return "arms" if analysis.nested is not None else "studies"


def _correction(studies: Studies, model: PoolingMethod) -> Iterator[str]:
    """What was added to which studies; nothing where nothing was."""
    correction = studies.correction or HALF_A_PATIENT
    nothing_added = correction.to == "none" or not correction.amount
    if studies.left_out:
        without = " or have no effect where nothing is added to empty cells" if nothing_added else ""
        yield f"Left out, as they tell nothing of this measure{without}: {', '.join(studies.left_out)}."
    if studies.empty is None or model.is_exact or studies.scale.measure in ANGLES:
        return
    corrected = int(np.count_nonzero(studies.added))
    if corrected:
        amount = f"continuity correction of {correction.amount:g}"
        if correction.by_size:
            each = f"{2 * correction.amount:g}"
            amount = (
                f"treatment-arm continuity correction (in a study, {each} with the event and {each} without, shared "
                "out by the sizes of the groups)"
            )
        empty_of = " without events" if studies.rates is not None else " with an empty cell"
        of = empty_of if correction.to == "only0" else ""
        only = ", for effects of single studies and the test of heterogeneity only" if model.sums_tables else ""
        yield f"A {amount} was added to {_cells(studies)} of {_studies(corrected)}{of}{only}."
    elif nothing_added:
        yield "Nothing was added to empty cells."
    else:
        yield "No study needed a continuity correction."


def _cells(studies: Studies) -> str:
    if studies.groups is not None:
        return "all four cells"
    if studies.rates is None:
        return "events and non-events"
    return "the events" if studies.scale.measure == "rate" else "the events of both groups"


def _studies(count: int) -> str:
    return f"{count} {'study' if count == 1 else 'studies'}"


def _model(analysis: Analysis, percent: str) -> Iterator[str]:
    model, result, nested = analysis.model, analysis.result, analysis.nested
    if nested is not None:
        robust = ", with cluster-robust (CR2) standard errors beside the model's" if nested.robust else ""
        yield (
            f"Arms were nested in {_studies(nested.studies)} ({nested.column}): a three-level random-effects model "
            f"with variances between studies and between arms of a study, estimated by {_ESTIMATORS[model.method]}"
            f"{robust}."
        )
    elif model.method in _ESTIMATORS:
        yield (
            "A random-effects model with inverse-variance weights was used; the variance between studies (tau2) was "
            f"estimated by {_ESTIMATORS[model.method]}."
        )
    else:
        in_time = model.method == "GLMM" and analysis.studies.rates is not None
        yield f"The model was {_POISSON_NORMAL if in_time else _OTHER_MODELS[model.method]}."
    if result.k == 1:
        yield f"There was one study: its own estimate stands with its {percent} interval."
        return
    yield f"The {percent} confidence interval of the pooled effect rests on {_TESTS[model.test]}."
    if result.prediction is not None:
        yield f"The {percent} prediction interval rests on {_PREDICTIONS[model.prediction]}."


def _heterogeneity(result: Pooled, model: PoolingMethod) -> Iterator[str]:
    if result.q is None:
        return
    test = "a likelihood-ratio test (Q)" if result.q_by == "likelihood ratio" else "Cochran's Q"
    rest = [test]
    if result.tau2_ci is not None:
        way = "profile likelihood" if result.q_by == "likelihood ratio" else "the Q-profile method"
        rest.append(f"tau2 with its interval by {way}")
    elif result.tau2 is not None and model.method not in _OTHER_MODELS:
        rest.append("tau2")
    if result.i2 is not None:
        rest.append("I2")
    if result.h2 is not None:
        rest.append("H2")
    yield f"Heterogeneity was described by {_listed(rest)}."


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _beyond(analysis: Analysis) -> Iterator[str]:
    options, model = analysis.options, analysis.model
    # What needs weights stands on them beside a model that has none.
    weighted = "" if not model.is_exact else f" (by the weighted REML model {exact_words(analysis.studies, model)[1]})"
    refits = "" if refitted(analysis.studies, model) else weighted
    if analysis.groups is not None:
        yield _grouped(analysis.groups, model)
    if options.terms and (analysis.regression is not None or analysis.nested is not None):
        yield f"Meta-regression was on {_listed(list(options.terms.mods))}{_regression_test(analysis, weighted)}."
    if analysis.cumulative is not None:
        yield f"Studies were also added one by one by {options.order} (cumulative meta-analysis){refits}."
    if analysis.without is not None:
        yield f"Each study was left out in turn{refits}."
    if analysis.influence is not None:
        yield f"Influence statistics of each study were worked out{weighted}."
    small = analysis.small_studies
    if small is not None:
        made = {
            "Egger's regression test": small.egger, "Peters's test": small.peters, "Begg's rank test": small.begg,
            "trim and fill": small.trim_and_fill, "Henmi and Copas's interval": small.henmi_copas,
        }  # fmt: skip
        names = [name for name, test in made.items() if test is not None]
        if names:
            yield f"Small-study effects were looked for by {_listed(names)}{weighted}."
    if analysis.gosh is not None:
        yield f"Subsets of the studies were pooled (GOSH){weighted}."


def _grouped(groups: Groups, model: PoolingMethod) -> str:
    own = "" if model.sums_tables or model.method == "EE" else " with a tau2 of its own"
    said = f"Studies were grouped by {groups.by} and pooled in each group{own}"
    if groups.between is not None:
        said += "; the difference between groups was tested by Q of the groups' means"
    others = [
        f"{group.name} by {_INSTEAD.get(group.result.method, group.result.method)}"
        for group in groups.groups
        if group.result is not None
        if group.result.method != model.method and group.result.k > 1
    ]
    return f"{said}. Pooled otherwise: {', '.join(others)}." if others else f"{said}."


def _regression_test(analysis: Analysis, weighted: str) -> str:
    regression = analysis.regression
    if regression is None:
        return ""
    distribution = "chi-squared" if regression.df2 is None else "F"
    said = f"; all moderators were tested together against {distribution}"
    if regression.permutation is not None:
        said += f", and by a permutation test ({regression.permutation.permutations} permutations){weighted}"
    return said


def _own_intervals(studies: Studies, percent: str) -> str:
    if studies.events is not None:
        return f"Intervals of single studies are exact (Clopper-Pearson, {percent})."
    return f"Intervals of single studies are normal ({percent}) on the scale of analysis."
