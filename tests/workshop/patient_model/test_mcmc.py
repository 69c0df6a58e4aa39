"""The baselines against NumPyro: the exact model of one family, sampled with all its spreads, at night."""

import numpy as np
import pytest

from bcma_decide.pooled.location import evidence_directory
from bcma_decide.vocabulary import CLASSES, FAMILY_OF
from bcma_decide.workshop.patient_model.class_fit import (
    baseline_prior,
    class_arms,
    levels_asked,
    model_rows,
    offered_products,
    setting_prior,
)
from bcma_decide.workshop.patient_model.contrasts import family_contrasts
from bcma_decide.workshop.patient_model.family_fit import fit_family
from bcma_decide.workshop.patient_model.inputs import load_inputs
from bcma_decide.workshop.patient_model.preparation import prepare
from bcma_decide.workshop.patient_model.stages import of_all
from tests.render.support.sheets import require
from tests.workshop.patient_model.support.exact import sampled_levels
from tests.workshop.patient_model.support.levels import fit_baselines


def block(outcome, class_id):
    """What the fit of one class at one outcome reads: arms, trait effects, prior, levels asked for."""
    inputs = load_inputs(evidence_directory())
    workshop, family = prepare(inputs), FAMILY_OF[outcome]
    contrasts = family_contrasts(inputs, workshop, family).contrasts
    effects = fit_family(inputs.assumptions, workshop, family, contrasts).mean[CLASSES.index(class_id)]
    rows = [row for row in model_rows(inputs, outcome, include_unverified=False)[0] if row.class_id == class_id]
    counted, offered = of_all(rows), offered_products(inputs, rows)
    products = tuple(sorted({product for row in rows for product in row.products} | set(offered)))
    prior = setting_prior(baseline_prior(inputs.assumptions), inputs.assumptions, counted, None)
    return class_arms(workshop, inputs, counted, effects, products), effects, prior, levels_asked(offered, products)


@pytest.mark.nightly
@pytest.mark.parametrize(("outcome", "class_id"), [("orr", "bite"), ("icans_any", "car_t")])
def test_levels_agree_with_sampling_of_the_exact_model(outcome, class_id):
    """Means within 0.1 of the posterior's standard deviation, standard deviations within 15 %; gamma is the last."""
    require("numpyro")
    arms, effects, prior, asked = block(outcome, class_id)
    found = fit_baselines(arms, effects, prior, asked)
    sampled = sampled_levels(arms, effects, prior, asked, seed=1)
    assert sampled["r_hat"] < 1.01
    mean, sd = sampled["levels"].mean(axis=0), sampled["levels"].std(axis=0)
    off, ratio = (found.mean - mean) / sd, np.sqrt(np.diag(found.covariance)) / sd
    tau = float(found.node_weight @ found.node_tau)
    print(
        f"\n{outcome}, {class_id}: {arms.events.size} arms; means off by {np.abs(off).max():.3f} sd at most, ", end=""
    )
    print(f"sd {ratio.min():.3f} to {ratio.max():.3f} of it, tau {tau:.3f} against {sampled['tau'].mean():.3f}")
    assert np.abs(off).max() < 0.1
    assert np.abs(ratio - 1.0).max() < 0.15
    assert tau == pytest.approx(sampled["tau"].mean(), abs=0.02)
