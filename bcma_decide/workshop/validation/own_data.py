"""A product's own data, held against what the model says of the same patients.

A check and never a term of the fit: the model borrows between products and studies, and where a product has many
patients of its own the result has to agree with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit, ndtri

from bcma_decide.model.normal import expected_logistic
from bcma_decide.pooled.seal import SETTINGS
from bcma_decide.vocabulary import CLASSES, FAMILY_OF
from bcma_decide.workshop.evidence.selection import SelectedRow
from bcma_decide.workshop.meta_analysis.effect_sizes import effect_sizes
from bcma_decide.workshop.meta_analysis.pooling import pool
from bcma_decide.workshop.patient_model.class_fit import in_east_asia
from bcma_decide.workshop.validation.held_out import Evidence, HeldOutEffects, effects_without, model_forecast
from bcma_decide.workshop.validation.shapes import OwnData, OwnRow

Array = NDArray[np.float64]

FEWEST_PATIENTS: Final = 150
"""Of the product in the setting: with fewer its own rate is too uncertain to hold anything against."""
FEWEST_IN_STUDY: Final = 30
LARGEST_GAP: Final = 0.05
LARGEST_ODDS_RATIO: Final = 1.5
CENTRE_POINTS: Final = 21


def own_data(evidence: Evidence, outcome: str) -> list[OwnData]:
    """Every offered product with enough patients of its own at one outcome, in both settings.

    Its rows are those of this product alone, outside East Asia, near definitions included as they are counted; both
    rates are averages over centres.
    """
    family = FAMILY_OF[outcome]
    effects = effects_without(evidence, family, frozenset())
    nothing_out = replace(evidence, together={study: frozenset[str]() for study in evidence.together})
    checked = []
    for class_id in (each for each in CLASSES if each in family.classes):
        rows = [row for row in evidence.rows[outcome] if row.class_id == class_id]
        for product, entry in evidence.inputs.catalogue.vocabulary.ids.products.items():
            for design in SETTINGS:
                own = [row for row in rows if row.products == (product,) and row.design == design]
                own = [row for row in own if row.n >= FEWEST_IN_STUDY and not in_east_asia(row, evidence.inputs)]
                if entry.option and sum(row.n for row in own) >= FEWEST_PATIENTS:
                    checked.append(_checked(entry.label, own, nothing_out, effects))
    return checked


def _checked(label: str, own: Sequence[SelectedRow], evidence: Evidence, effects: HeldOutEffects) -> OwnData:
    said = []
    for row in own:
        # The model's number is that of the definition itself, whatever the row counted.
        itself = replace(row, near=False, definition=None)
        forecast = model_forecast(evidence, row.outcome, itself, effects)
        said.append(float(forecast.weight @ forecast.rate))
    sizes = np.array([row.n for row in own], dtype=float)
    predicted = float(sizes @ np.array(said) / sizes.sum())
    rate, low, high = own_rate(own)
    pulls = sorted(zip(own, said, strict=True), key=lambda each: -abs(each[0].events - each[0].n * each[1]))
    return OwnData(
        product=own[0].products[0],
        label=label,
        outcome=own[0].outcome,
        design=own[0].design,
        patients=int(sizes.sum()),
        own=rate,
        own_interval=(low, high),
        predicted=predicted,
        agrees=agree(rate, predicted),
        outside_interval=not low <= predicted <= high,
        rows=tuple(OwnRow(study=row.study, events=row.events, n=row.n, predicted=each) for row, each in pulls),
    )


def agree(own: float, predicted: float) -> bool:
    """Whether two rates lie within 5 points and within a factor of 1.5 in odds of each other."""
    near = abs(own - predicted) <= LARGEST_GAP
    return near and abs(float(logit(own) - logit(predicted))) <= float(np.log(LARGEST_ODDS_RATIO))


def own_rate(rows: Sequence[SelectedRow]) -> tuple[float, float, float]:
    """Random-effects rate of some rows averaged over centres, with its 95 % interval; of one row its own rate.

    REML on empirical logits; the average of logistic(mu + u) over u ~ N(0, tau^2) at the mean and at the ends of its
    interval.
    """
    effects = effect_sizes([row.events for row in rows], [row.n for row in rows], "logit")
    mean, se, tau2 = float(effects.yi[0]), float(np.sqrt(effects.vi[0])), 0.0
    if len(rows) > 1:
        pooled = pool(effects.yi, effects.vi, method="REML")
        mean, se, tau2 = float(pooled.estimate), float(pooled.se), float(pooled.tau2 or 0.0)
    reach = float(ndtri(0.975)) * se
    levels = mean + np.array([0.0, -reach, reach])
    middle, low, high = expected_logistic(levels, np.full(3, np.sqrt(tau2)), CENTRE_POINTS).tolist()
    return middle, low, high
