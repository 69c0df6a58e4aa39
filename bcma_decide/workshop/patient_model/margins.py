"""What each arm's patients were like: trait margins from its baseline table, and from other arms where it is silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from bcma_decide.errors import SynthesisError
from bcma_decide.vocabulary import MODEL_TRAITS, TRAIT_KINDS, TRAIT_LABELS, scaled
from bcma_decide.workshop.evidence.schema import PopulationFigure, Study
from bcma_decide.workshop.patient_model.virtual_cohort import Margin

POPULATION_KEYS: Mapping[str, tuple[str, ...]] = {
    "age": ("age_median",),
    "prior_lines": ("prior_lines_median",),
}
"""Baseline-table keys of a trait where they differ from its own id; the first one reported counts."""


FEWEST_ARMS = 3
"""Arms that report a trait from which on their own spread is used, and their mean is that of a class or setting."""
SMALLEST_SPREAD = 0.05
"""Of a numeric trait inside an arm, model scale: half a year of age, or a thirtieth more or fewer lines."""


@dataclass(frozen=True)
class Spreads:
    """Standard deviations used where an arm or the evidence does not say (model scale)."""

    prevalence: float
    age: float
    prior_lines: float


@dataclass(frozen=True)
class Reported:
    """One arm's own margin of one trait: location and spread on the model's scale, patients behind it."""

    location: float
    spread: float
    patients: int


def share_of(figure: PopulationFigure) -> float | None:
    """Prevalence as a fraction, from counts if printed, else from the percentage; None where neither is."""
    if figure.n is not None and figure.of:
        return figure.n / figure.of
    return figure.pct / 100.0 if figure.pct is not None else None


def _numeric(figure: PopulationFigure, trait: str, patients: int, spreads: Spreads) -> Reported | None:
    """Mean and standard deviation from a median with range or quartiles.

    The median stands for the mean on the model's scale. The standard deviation follows from the range's expected
    width in a normal sample of that size, or from the quartiles (Wan X et al. BMC Med Res Methodol 2014;14:135,
    equations 9 and 15).
    """
    if not isinstance(figure.value, (int, float)) or isinstance(figure.value, bool):
        return None

    # Fewer than one line of therapy has no place on a scale of doublings.
    def scale(value: float) -> float:
        return scaled(trait, max(value, 1.0))

    spread = spreads.age if trait == "age" else spreads.prior_lines
    normal = NormalDist()
    # Range before quartiles: it is what most tables print. Of one patient it has no width, of three no quartiles.
    for interval, width in (
        (figure.range, 2.0 * normal.inv_cdf((patients - 0.375) / (patients + 0.25)) if patients > 1 else None),
        (figure.iqr, 2.0 * normal.inv_cdf((0.75 * patients - 0.125) / (patients + 0.25)) if patients > 3 else None),
    ):
        if interval and interval[0] is not None and interval[1] is not None and width:
            spread = (scale(interval[1]) - scale(interval[0])) / width
            break
    # A range of one value (all patients with 3 lines) would leave no virtual patient on one side of a cut.
    return Reported(scale(float(figure.value)), max(spread, SMALLEST_SPREAD), patients)


def reported_margins(study: Study, spreads: Spreads) -> dict[str, Reported]:
    """The traits one study's baseline table reports (verified or derived figures only)."""
    margins: dict[str, Reported] = {}
    size = study.treated or study.enrolled or 0
    for trait in MODEL_TRAITS:
        for key in POPULATION_KEYS.get(trait.id, (trait.id,)):
            figure = study.population.get(key)
            if figure is None or "recalled" in (figure.basis, figure.n_basis, figure.events_basis):
                continue
            if trait.kind == "binary":
                share = share_of(figure)
                if share is not None:
                    margins[trait.id] = Reported(share, 0.0, figure.of or size)
            elif size:
                numeric = _numeric(figure, trait.id, size, spreads)
                if numeric is not None:
                    margins[trait.id] = numeric
            if trait.id in margins:
                break
    return margins


def evidence_margin(trait: str, reported: Sequence[Mapping[str, Reported]], spreads: Spreads) -> Margin:
    """Evidence-wide margin of a trait: patient-weighted mean over the arms that report it, with its spread.

    An arm in which every patient has a yes/no trait was chosen for it, and its share is no prevalence: it stays out.
    One that excluded the trait stays in.

    A yes/no trait nobody reports gets a prevalence of one half with the widest spread, so that nothing is claimed about
    it.

    Raises
    ------
    SynthesisError
        When nobody reports a numeric trait: there is no value to stand in for it.
    """
    default = {"age": spreads.age, "prior_lines": spreads.prior_lines}.get(trait, spreads.prevalence)
    binary = TRAIT_KINDS[trait] == "binary"
    rows = [arm[trait] for arm in reported if trait in arm and arm[trait].patients > 0]
    rows = [row for row in rows if not (binary and row.location >= 1.0)]
    if not rows and not binary:
        raise SynthesisError(f"{TRAIT_LABELS[trait]}: no study reports it, and there is no value to stand in")
    if not rows:
        return Margin(binary, 0.5, default, reported=False, uncertainty=spreads.prevalence)
    weight = np.array([row.patients for row in rows], dtype=float)
    values = np.array([row.location for row in rows])
    location = float(np.average(values, weights=weight))
    # Weighted by patients and about the weighted mean: the spread of the arms as patients meet it, sampling error
    # included, so rather too wide. Two arms can agree by chance; below three the stated default stands in.
    between = (
        float(np.sqrt(np.average((values - location) ** 2, weights=weight))) if len(rows) >= FEWEST_ARMS else default
    )
    inside = float(np.sqrt(np.average(np.array([row.spread**2 for row in rows]), weights=weight)))
    return Margin(binary, location, inside, reported=False, uncertainty=between)


def evidence_margins(reported: Sequence[Mapping[str, Reported]], spreads: Spreads) -> dict[str, Margin]:
    """:func:`evidence_margin` of every trait."""
    return {trait.id: evidence_margin(trait.id, reported, spreads) for trait in MODEL_TRAITS}


def arm_margins(reported: Mapping[str, Reported], evidence: Mapping[str, Margin]) -> list[Margin]:
    """Margins of one arm in the model's trait order: its own where reported, else the evidence-wide ones."""
    margins = []
    for trait in MODEL_TRAITS:
        own = reported.get(trait.id)
        if own is None:
            margins.append(evidence[trait.id])
        else:
            margins.append(Margin(trait.kind == "binary", own.location, own.spread))
    return margins
