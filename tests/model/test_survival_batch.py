"""Survival of many patients at once: each has what the patient alone has in the answer."""

from __future__ import annotations

import numpy as np
import pytest

from bcma_decide import Patient, compare, load_pooled
from bcma_decide.facts.traits import derive
from bcma_decide.model.profiles import Profiles
from bcma_decide.model.survival_batch import batch_survival
from bcma_decide.time_course import LANDMARKS, Duration, SurvivalTime
from bcma_decide.vocabulary import CLASSES, MODEL_TRAITS, Design

PATIENTS = (
    Patient(),
    Patient(age=58, extramedullary_disease="no"),
    Patient(age=91, extramedullary_disease="yes", frail="yes", prior_bcma="no"),
    Patient(high_risk_cytogenetics="yes", prior_bcma="no"),
    Patient(age=64, extramedullary_disease="no", iss=3),
)


ROUNDED = 5.1e-7
"""An answer has six decimals."""


def _profiles() -> Profiles:
    definitions = load_pooled().definitions
    derived = [derive(patient, definitions) for patient in PATIENTS]
    return Profiles.of({trait.id: traits[trait.id].modelled for trait in MODEL_TRAITS} for traits in derived)


def _row(found: SurvivalTime | Duration) -> list[float]:
    value = found.mean if isinstance(found, SurvivalTime) else found.value
    sides = (value, *(found.credible or (None, None)), *(found.prediction or (None, None)))
    return [np.nan if side is None else side for side in sides]


@pytest.mark.parametrize("setting", ["real_world", "interventional"])
def test_each_has_what_the_patient_alone_has(setting: Design) -> None:
    batch = batch_survival(load_pooled(), setting, _profiles())
    for place, patient in enumerate(PATIENTS):
        answer = compare(patient, setting=setting)
        rows = {row.option: row for row in answer.survival if row.kind == "computed" and row.state == "estimated"}
        for option, row in rows.items():  # a limit may withhold one from a patient
            at = batch.options.index(option)
            times = {time.month: _row(time) for time in row.times}
            share = np.array([times.get(month, [np.nan] * 5) for month in LANDMARKS])
            assert batch.share[place, at] == pytest.approx(share, abs=ROUNDED, nan_ok=True)
            assert row.median_months
            assert row.restricted_mean_months
            assert batch.median[place, at] == pytest.approx(_row(row.median_months), abs=ROUNDED, nan_ok=True)
            mean = _row(row.restricted_mean_months)
            assert batch.restricted_mean[place, at] == pytest.approx(mean, abs=ROUNDED, nan_ok=True)
        if answer.survival_contrast is None:
            assert not set(CLASSES) <= rows.keys()
            continue
        gap = answer.survival_contrast.risk_difference
        assert batch.risk_difference[place] == pytest.approx([gap.mean, *gap.interval], abs=ROUNDED)
        assert batch.first_higher[place] == pytest.approx(
            answer.survival_contrast.probability_first_higher, abs=ROUNDED
        )


def test_many_at_once_are_what_each_is_alone() -> None:
    pooled, profiles = load_pooled(), _profiles()
    together = batch_survival(pooled, "real_world", profiles)
    for place in range(len(profiles)):
        own = slice(place, place + 1)
        alone = batch_survival(
            pooled, "real_world", Profiles(profiles.number[own], profiles.yes[own], profiles.no[own])
        )
        for name in ("share", "median", "restricted_mean", "risk_difference", "first_higher"):
            of_one = getattr(alone, name)[0]
            assert getattr(together, name)[place] == pytest.approx(of_one, abs=1e-12, nan_ok=True)


def test_patients_alike_in_what_acts_have_the_same_curves() -> None:
    batch = batch_survival(load_pooled(), "real_world", _profiles())
    assert np.array_equal(batch.share[1], batch.share[4])
    assert not np.array_equal(batch.share[1], batch.share[0])
