"""Effects on depth: a share of those on response, and what counts of CR among responders add."""

from dataclasses import replace

import numpy as np
import pytest

from bcma_decide.vocabulary import CLASSES, CR_GIVEN_RESPONSE, MODEL_TRAIT_IDS
from bcma_decide.workshop.patient_model.depth import depth_contrasts, fit_depth
from bcma_decide.workshop.patient_model.effect_contrast import EffectContrast
from tests.workshop.patient_model.support.real import effects, inputs, workshop

EMD = MODEL_TRAIT_IDS.index("extramedullary_disease")
T = len(MODEL_TRAIT_IDS)


def among(value, se, trait=EMD, klass=0, patients="a"):
    """An effect on CR among responders, conditional already."""
    high = np.zeros((1, T))
    high[0, trait] = 1.0
    return EffectContrast(
        patients=patients,
        class_index=klass,
        trait_index=trait,
        thresholds=(CR_GIVEN_RESPONSE,),
        difference=np.array([value]),
        covariance=np.array([[se**2]]),
        high=high,
        low=np.zeros((1, T)),
        rate=None,
        kind="split",
        source="",
        text="",
    )


def test_without_counts_depth_follows_response_by_the_stated_share():
    response = effects("response")
    found = fit_depth(inputs(), workshop(), response, [])
    assert found.share == inputs().assumptions.trait_effects.depth.share.value
    assert not found.deviation.any()
    assert found.effects(response.mean) == pytest.approx(found.share * response.mean)
    variance = np.diag(found.covariance).reshape(len(CLASSES), T)
    assert (variance[response.acting] > 0).all()
    assert not variance[~response.acting].any()


@pytest.mark.parametrize("away", [-1.0, 1.0])
def test_counts_move_the_deviation_towards_them_and_never_past(away):
    response = effects("response")
    centre = fit_depth(inputs(), workshop(), response, []).effects(response.mean)[0, EMD]
    found = fit_depth(inputs(), workshop(), response, [among(centre + away, 0.2)])
    moved = found.effects(response.mean)[0, EMD] - centre
    assert 0.05 < moved / away < 1
    others = np.delete(found.deviation[0], EMD)
    assert others == pytest.approx(np.zeros(T - 1), abs=1e-9)


def test_more_counts_move_it_further_and_leave_less_open():
    response = effects("response")
    centre = fit_depth(inputs(), workshop(), response, []).effects(response.mean)[0, EMD]
    one, many = (
        fit_depth(inputs(), workshop(), response, [among(centre + 0.6, 0.3, patients=str(i)) for i in range(n)])
        for n in (1, 8)
    )
    assert many.deviation[0, EMD] > one.deviation[0, EMD] > 0
    assert many.covariance[EMD, EMD] < one.covariance[EMD, EMD]


def test_a_trait_that_does_not_act_on_response_has_no_depth_of_its_own():
    response = effects("response")
    idle = int(np.flatnonzero(~response.acting[0])[0])
    found = fit_depth(inputs(), workshop(), response, [among(-2.0, 0.1, trait=idle)])
    assert not found.deviation.any()


def test_published_counts_are_taken_among_the_responders_of_both_groups():
    """Events are complete responses, patients the responders; only of studies that print both of the same patients."""
    found = depth_contrasts(inputs(), workshop())
    assert found
    for contrast in found:
        assert contrast.thresholds == (CR_GIVEN_RESPONSE,)
        assert contrast.rate is not None
        assert 0 < contrast.rate[0] < 1
    moved = fit_depth(inputs(), workshop(), effects("response"), found)
    assert moved.deviation.any()
    assert np.linalg.eigvalsh(moved.covariance)[0] > -1e-9


def test_the_response_effects_shift_the_centre_of_depth():
    response = effects("response")
    stronger = replace(response, mean=2.0 * response.mean)
    base, doubled = (fit_depth(inputs(), workshop(), r, []) for r in (response, stronger))
    assert doubled.effects(stronger.mean) == pytest.approx(2.0 * base.effects(response.mean))
