"""Sentences that belong beside a pooled result: how it came about, and what it does not say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bcma_decide.workshop.meta_analysis.continuity import HALF_A_PATIENT
from bcma_decide.workshop.meta_analysis.incidence_rates import RatePairs
from bcma_decide.workshop.meta_analysis.pooled import Pooled
from bcma_decide.workshop.synthesis.groups import Groups
from bcma_decide.workshop.synthesis.model import Method, PoolingMethod
from bcma_decide.workshop.synthesis.result import result_of
from bcma_decide.workshop.synthesis.studies import Studies, TableMeasure

__all__ = ["correction_remarks", "group_remarks", "model_remarks", "prediction_remarks", "result_remarks"]

_MOST_NAMES: Final = 8
"""Studies that a sentence names one by one; of more it counts them."""
_UNCORRECTED_BY: Final[dict[TableMeasure, Method]] = {
    "logit": "GLMM", "OR": "CM.EL", "RR": "MH", "RD": "MH", "rate": "GLMM", "IRR": "MH",
}  # fmt: skip
"""A method that adds nothing, by measure."""


def model_remarks(studies: Studies, model: PoolingMethod, results: Sequence[Pooled]) -> Iterator[str]:
    """What a reader is told of the way that studies, or each of several groups of them, were pooled."""
    if model.why:
        yield f"{model.why}."
    if studies.scale.measure == "freeman-tukey":
        yield (
            f"The Freeman-Tukey scale is read back at the harmonic mean of the study sizes, {studies.scale.size:.4g}; "
            "where sizes differ much this can mislead (Schwarzer, Chemaitelly, Abu-Raddad and Rücker 2019)."
        )
    if studies.groups is not None and model.is_exact:
        yield from _on_two_groups(studies, model)
    elif any(result.q_by == "likelihood ratio" for result in results):
        yield _on_exact_model(studies)
        yield (
            "The pooled rate of GLMM is that of the typical study, half of the studies lying above it; the average "
            "over studies is another number where they differ."
        )
    if model.sums_tables:
        yield "One effect for all studies is taken."
        if silent := _silent(studies):
            who = "Nobody" if studies.groups is None else "Nobody or everybody"
            yield f"{who} had the event in {', '.join(silent)}: not counted in Q."


def correction_remarks(studies: Studies, model: PoolingMethod) -> Iterator[str]:
    """What is added to whose counts, and what for: models of counts take them as they are."""
    added = studies.added
    if not added.any() or (model.is_exact and studies.rates is None):
        return
    named = [label for label, each in zip(studies.labels, added.tolist(), strict=True) if each]
    whose = ", ".join(named) if len(named) <= _MOST_NAMES else f"{len(named)} studies"
    correction = studies.correction or HALF_A_PATIENT
    if studies.rates is not None:
        both = " of both groups" if isinstance(studies.rates, RatePairs) else ""
        said = f"Half an event is added to the counts{both} of those without any ({whose})"
    elif correction.by_size:
        said = f"The treatment-arm correction is added to the cells of {whose}"
    else:
        said = f"{correction.amount:g} is added to the cells of {whose}"
    if studies.rates is None and correction.to == "only0":
        said += f", which {'has' if len(named) == 1 else 'have'} an empty one"
    if model.sums_tables:
        yield f"{said}: for effects of single studies and Q alone."
    elif model.is_exact:
        yield f"{said}: for rates of single studies and weighted diagnostics alone."
    elif not model.why and (instead := _UNCORRECTED_BY.get(studies.scale.measure)):
        yield f"{said}; --method {instead} takes the counts as they are."
    else:
        yield f"{said}."


def result_remarks(studies: Studies, model: PoolingMethod, result: Pooled) -> Iterator[str]:
    """What a reader of the one pooled result of all studies is told."""
    if result.method == "exact":
        who = "Nobody" if result.estimate < 0 else "Everybody"
        yield (
            f"{who} had the event: the studies are counted together, with the exact interval (Clopper and Pearson "
            "1934); nothing is known of a spread between them."
        )
    yield from _on_narrow_interval(studies, model, result)
    if result.prediction is None and result.tau2 is not None and model.weighted != "EE":
        yield "A prediction interval needs more studies than this."


def _on_exact_model(studies: Studies) -> str:
    said = "Q is the likelihood-ratio test of one rate for all studies"
    if studies.events is not None and studies.total is not None:
        empty = int(((studies.events == 0) | (studies.events == studies.total)).sum())
        if empty:
            said += (
                f"; a Wald test would leave out the {empty} of {studies.k} studies in which nobody or everybody had "
                "the event"
            )
    return f"{said}."


_TWO_GROUPS: Final = {
    "UM.FS": "binomial counts of both groups, every study having log odds of its own",
    "UM.RS": "binomial counts of both groups, the log odds of the studies being normal as well",
    "CM.EL": "the events of group 1 given those of both groups (noncentral hypergeometric)",
    "CM.AL": "the events of group 1 given those of both groups (binomial, which is near enough where events are rare)",
}


def _on_two_groups(studies: Studies, model: PoolingMethod) -> Iterator[str]:
    yield (
        f"{model.method} takes the counts as they are: {_TWO_GROUPS[model.method]}; the log odds ratio is normal over "
        "studies. Maximum likelihood; Q is the likelihood-ratio test of one odds ratio for all studies."
    )
    if studies.groups is not None and studies.groups.empty.any():
        yield "Half a patient is added to the cells of studies with an empty one for their own odds ratios alone."


def _on_narrow_interval(studies: Studies, model: PoolingMethod, result: Pooled, of: str = "") -> Iterator[str]:
    """Knapp and Hartung's interval can be narrower than that of one effect for all (Röver, Knapp and Friede 2015)."""
    if result.test != "knapp_hartung":
        return
    common = result_of(studies, model.by("EE"))
    if result.ci[1] - result.ci[0] < common.ci[1] - common.ci[0]:
        low, high = studies.scale.back_interval(common.ci) or common.ci
        unit = 100.0 if studies.scale.proportion else 1.0
        yield (
            f"The Knapp-Hartung interval{of} is narrower than that of one effect for all studies, "
            f"{unit * low:.4g} to {unit * high:.4g}: the studies differ by less than chance would have them. "
            "--test knha-floored does not go below it."
        )


def _silent(studies: Studies) -> list[str]:
    """Studies of two groups that tell of no difference in odds: all their patients fared alike."""
    if isinstance(studies.rates, RatePairs):
        both = studies.rates.first.events + studies.rates.second.events
        return [label for label, each in zip(studies.labels, both, strict=True) if not each]
    if studies.groups is None:
        return []
    events = studies.groups.events1 + studies.groups.events2
    others = studies.groups.others1 + studies.groups.others2
    return [label for label, e, o in zip(studies.labels, events, others, strict=True) if not (e and o)]


def group_remarks(studies: Studies, model: PoolingMethod, groups: Groups) -> Iterator[str]:
    """What a reader of pooled groups is told."""
    for group in groups.groups:
        if group.note:
            yield f"{group.note}."
        if group.result is not None:
            yield from _on_narrow_interval(studies.of(group.rows), model, group.result, f" of {group.name}")
    if groups.between is None and studies.covariance is not None and len(groups.groups) > 1:
        yield (
            "No test between the groups is made, as rows of different groups share their controls; --mods "
            f"{groups.by} makes one (with --factor {groups.by} where these are numbers)."
        )
    unknown = [group.name for group in groups.groups if group.result is None]
    endless = [name for name in groups.left_out if name not in unknown]
    if unknown and groups.between is not None:
        yield f"The test between groups leaves out {', '.join(unknown)}, of which nothing is known."
    if endless and len(groups.groups) > 1:
        alike = "all had the same outcome there" if len(endless) == 1 else "in each all had the same outcome"
        if groups.between is None:
            yield f"No test between groups is made: the log odds of {', '.join(endless)} are infinite, as {alike}."
        else:
            yield f"The test between groups leaves out {', '.join(endless)}, whose log odds are infinite: {alike}."


def prediction_remarks(model: PoolingMethod, results: Mapping[str, Pooled | None]) -> Iterator[str]:
    """On prediction intervals, by name, with one degree of freedom: its quantile is 12.7, the normal one 1.96."""
    if model.prediction != "k-2" or model.test == "kenward-roger":
        return
    wide = [name for name, result in results.items() if result is not None and result.prediction and result.k == 3]
    if wide:
        yield (
            f"With 3 studies ({', '.join(wide)}) the prediction interval rests on one degree of freedom "
            "(k \N{MINUS SIGN} 2), which makes it very wide; with --prediction k-1 it rests on two."
        )
