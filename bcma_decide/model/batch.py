"""Many patients at once: headlines, intervals and class differences of every outcome, by the kernel of one patient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcma_decide.logic import Chance
from bcma_decide.model.contrast import Difference, Side, differences
from bcma_decide.model.numbers import all_tables, extra_variance, family_patients
from bcma_decide.model.outside import outside_evidence
from bcma_decide.model.rates import Rates, all_averages, all_rates
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.vocabulary import CLASSES, MODEL_TRAITS, OUTCOMES, Design, natural_scale, scaled

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Profiles:
    """What is known of some patients, in the order of the model's traits.

    ``number`` (profiles, traits): numeric traits on the model's scale (:func:`bcma_decide.vocabulary.scaled`), NaN
    where unknown and for yes/no traits. ``yes``, ``no`` (profiles, traits): how likely a yes/no trait is present and
    how likely absent, 1 and 0 where it is known, both 0 where nothing is known and for numeric traits.
    """

    number: Array
    yes: Array
    no: Array

    def __len__(self) -> int:
        """How many patients there are."""
        return len(self.number)

    @classmethod
    def of(cls, patients: Iterable[Mapping[str, bool | float | Chance | None]]) -> Profiles:
        """From the traits of each patient in natural units, as `TraitValue.modelled` has them."""
        given = [[patient[trait.id] for trait in MODEL_TRAITS] for patient in patients]
        number = np.full((len(given), len(MODEL_TRAITS)), np.nan)
        yes, no = np.zeros_like(number), np.zeros_like(number)
        for row, values in enumerate(given):
            for place, (trait, value) in enumerate(zip(MODEL_TRAITS, values, strict=True)):
                if value is None:
                    continue
                if trait.kind != "binary" and not isinstance(value, Chance):
                    number[row, place] = scaled(trait.id, float(value))
                else:
                    chance = value if isinstance(value, Chance) else Chance.of(bool(value))
                    yes[row, place], no[row, place] = chance
        return cls(number, yes, no)


@dataclass(frozen=True)
class BatchNumbers:
    """Numbers of some patients in one setting, as fractions.

    ``mean``, ``median`` (profiles, cells), ``credible``, ``prediction`` (profiles, cells, 2): cells in the order of
    `PooledEvidence.cells`. ``risk_difference`` (profiles, outcomes, 3): mean and 95 % interval of first class minus
    second, bias term included; ``first_higher`` (profiles, outcomes); for the outcomes of :func:`compared_outcomes`.
    """

    mean: Array
    median: Array
    credible: Array
    prediction: Array
    risk_difference: Array
    first_higher: Array


def compared_outcomes(pooled: PooledEvidence) -> Sequence[str]:
    """Outcomes at which both classes have a number, in their order."""
    return tuple(o for o in OUTCOMES if all((o, option) in pooled.place for option in CLASSES))


def batch_numbers(pooled: PooledEvidence, setting: Design, profiles: Profiles) -> BatchNumbers:
    """Compute the numbers of some patients; each is what the patient alone has, to 1e-12.

    What limits of the evidence withhold is not taken out here (:mod:`bcma_decide.comparing.published`).
    """
    found = [_one(pooled, setting, profiles, row) for row in range(len(profiles))]
    rates = np.array([[(r.mean, r.median, *r.credible, *r.prediction) for r in numbers] for numbers, _ in found])
    gaps = np.array([[(*d.risk_difference, d.probability_first_higher) for d in own] for _, own in found])
    return BatchNumbers(rates[..., 0], rates[..., 1], rates[..., 2:4], rates[..., 4:6], gaps[..., :3], gaps[..., 3])


def _one(
    pooled: PooledEvidence, setting: Design, profiles: Profiles, row: int
) -> tuple[tuple[Rates, ...], list[Difference]]:
    values = {}
    for place, trait in enumerate(MODEL_TRAITS):
        number, yes, no = (float(each[row, place]) for each in (profiles.number, profiles.yes, profiles.no))
        if trait.kind != "binary":
            values[trait.id] = None if np.isnan(number) else natural_scale(trait.id, number)
        else:
            values[trait.id] = None if yes + no == 0.0 else Chance(yes, no) if max(yes, no) < 1.0 else yes == 1.0
    outside = outside_evidence(pooled, values)
    tables = all_tables(
        pooled, pooled.levels[setting], family_patients(pooled, values), extra_variance(pooled, outside)
    )
    averages = all_averages(pooled, tables)
    rates = all_rates(pooled, tables, averages)
    places = [[pooled.place[outcome, option] for option in CLASSES] for outcome in compared_outcomes(pooled)]
    bias = pooled.assumptions["unanchored_sd"]
    gaps = [
        differences(
            *(Side(averages[i], rates[i].mean, pooled.cells[i].class_index) for i in pair),
            pooled.outcome_covariance[pooled.cells[pair[0]].outcome],
            (bias,),
        )[0]
        for pair in places
    ]
    return rates, gaps
