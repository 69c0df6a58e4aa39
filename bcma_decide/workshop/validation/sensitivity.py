"""How far the headlines of the shipped example patients move when one assumption of the fit is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bcma_decide.comparing.compare import compare
from bcma_decide.patient.files import example_names, load_example
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.pooled.file import read_pooled
from bcma_decide.pooled.location import POOLED_FILE
from bcma_decide.workshop.evidence.assumptions import Assumption, Assumptions
from bcma_decide.workshop.evidence.schema import Pooling, Study
from bcma_decide.workshop.patient_model.document import document_text
from bcma_decide.workshop.patient_model.fit import fit
from bcma_decide.workshop.patient_model.preparation import Inputs
from bcma_decide.workshop.validation.held_out import Evidence
from bcma_decide.workshop.validation.shapes import Sensitivity

Headlines = Mapping[tuple[str, str, str], float]
"""(example, outcome, option) -> headline, for every number that is given."""

AS_SHIPPED: Final = "as shipped"
_MANY: Final = 0.05
_NOT_A_SPREAD: Final = frozenset({"intercept_sd"})
"""Practically flat on purpose: half or twice of it is as flat."""


@dataclass(frozen=True)
class Changed:
    """Inputs with one change, and what there is to say about it."""

    inputs: Inputs
    include_unverified: bool = False
    note: str = ""


def _priors(factor: float) -> Callable[[Evidence], Changed]:
    return lambda evidence: Changed(
        replace(evidence.inputs, assumptions=scaled_priors(evidence.inputs.assumptions, factor))
    )


def _recalled(evidence: Evidence) -> Changed:
    return Changed(evidence.inputs, include_unverified=True)


def _design(design: str) -> Callable[[Evidence], Changed]:
    return lambda evidence: Changed(_without(evidence.inputs, lambda study: study.design != design))


def _largest_out(evidence: Evidence) -> Changed:
    largest = max((row for rows in evidence.rows.values() for row in rows), key=lambda row: (row.n, row.study))
    studies = evidence.together[largest.study]
    note = f"{largest.study}, {largest.n} patients, and what shares patients with it"
    return Changed(_without(evidence.inputs, lambda study: study.id in studies), note=note)


def _assumed_correlations(evidence: Evidence) -> Changed:
    return Changed(replace(evidence.inputs, assumed_correlations=True))


VARIANTS: Final[Mapping[str, Callable[[Evidence], Changed]]] = {
    AS_SHIPPED: lambda evidence: Changed(evidence.inputs),
    "prior spreads halved": _priors(0.5),
    "prior spreads doubled": _priors(2.0),
    "recalled figures in": _recalled,
    "trials only": _design("interventional"),
    "practice only": _design("real_world"),
    "largest study out": _largest_out,
    "assumed correlations on": _assumed_correlations,
}


def scaled_priors(assumptions: Assumptions, factor: float) -> Assumptions:
    """Every spread of the priors times ``factor``: standard deviations and scales of both stages.

    A spread that is fixed, not estimated, is an assumption of the same kind and is scaled too.
    """

    def times(stated: Assumption) -> Assumption:
        return stated.model_copy(update={"value": factor * stated.value})

    priors = assumptions.priors
    names = [n for n in type(priors).model_fields if n.endswith(("_sd", "_sd_scale")) and n not in _NOT_A_SPREAD]
    effects = assumptions.trait_effects
    shared = effects.shared
    scaled = effects.model_copy(
        update={
            "groups": tuple(each.model_copy(update={"scale": factor * each.scale}) for each in effects.groups),
            "contrast_spreads": tuple(
                each.model_copy(update={"value": factor * each.value}) for each in effects.contrast_spreads
            ),
            "shared": shared.model_copy(update={"class_difference_sd_scale": times(shared.class_difference_sd_scale)}),
        }
    )
    update = {name: times(getattr(priors, name)) for name in names}
    return assumptions.model_copy(update={"priors": priors.model_copy(update=update), "trait_effects": scaled})


def _without(inputs: Inputs, out: Callable[[Study], bool]) -> Inputs:
    """The inputs with some studies carried but not pooled."""
    role = Pooling(role="context", reason="left out to see what it changes")
    studies = tuple(
        study.model_copy(update={"pooling": role}) if out(study) else study for study in inputs.catalogue.studies
    )
    return replace(inputs, catalogue=replace(inputs.catalogue, studies=studies))


def headlines_under(evidence: Evidence, variant: str) -> tuple[str, dict[tuple[str, str, str], float]]:
    """The note of a variant, and every headline of the examples under it."""
    changed = VARIANTS[variant](evidence)
    text = document_text(fit(changed.inputs, include_unverified=changed.include_unverified))
    with TemporaryDirectory() as folder:
        path = Path(folder) / POOLED_FILE
        path.write_text(text, encoding="utf-8")
        return changed.note, dict(_headlines(read_pooled(path)))


def _headlines(pooled: PooledEvidence) -> Iterator[tuple[tuple[str, str, str], float]]:
    for name in example_names():
        for outcome in compare(load_example(name), pooled=pooled).outcomes:
            for option, estimate in outcome.estimates.items():
                if estimate.mean is not None:
                    yield (name, outcome.id, option), estimate.mean


def moved(shipped: Headlines, changed: Headlines, variant: str, note: str = "") -> Sensitivity:
    """How far the headlines under a variant lie from those as shipped.

    Raises
    ------
    ValueError
        When no number is given under both.
    """
    both = [key for key in shipped if key in changed]
    moves = {key: abs(changed[key] - shipped[key]) for key in both}
    largest = max(moves, key=lambda key: moves[key])
    return Sensitivity(
        variant=variant,
        note=note,
        numbers=len(both),
        mean_move=sum(moves.values()) / len(moves),
        largest_move=moves[largest],
        largest_at=", ".join((largest[1], largest[2], largest[0])),
        over_five_points=sum(move > _MANY for move in moves.values()),
        lost=len(shipped) - len(both),
    )
