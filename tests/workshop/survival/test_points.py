"""Printed medians and landmarks on the log-odds scale, against arithmetic by hand."""

import numpy as np
import pytest

from bcma_decide.workshop.survival.curves import Curve, CurvePoint, Wait, select_curves
from bcma_decide.workshop.survival.points import PointError, curve_log_odds
from tests.workshop.patient_model.support.real import inputs

PLAIN = PointError(slope=1.0, factor=1.0, own_sd=0.0)
NO_WAIT = {"car_t": 1.5, "bite": 0.0}
CATALOGUE = inputs().catalogue
STUDIES = {study.id: study for study in CATALOGUE.studies}


def curve(*points, n=100, wait=None):
    return Curve(STUDIES["karmma"], None, ("ide-cel",), n, None, "infusion", points, "verified", "", wait)


def test_a_landmark_without_an_interval_has_the_binomial_error():
    found = curve_log_odds(curve(CurvePoint(12.0, 75.0)), PLAIN)
    assert found.level[0] == pytest.approx(np.log(3.0))
    assert found.covariance[0, 0] == pytest.approx(1.0 / (100 * 0.75 * 0.25))
    assert found.time[0] == 0.0


def test_a_printed_interval_counts_before_the_number_of_patients():
    """US practice with cilta-cel: 68 % (62 to 74). Logits .754, .490, 1.046: 0.556 / 3.92 = 0.142."""
    found = curve_log_odds(curve(CurvePoint(12.0, 68.0, (62.0, 74.0))), PLAIN)
    assert np.sqrt(found.covariance[0, 0]) == pytest.approx(0.142, abs=5e-4)


def test_a_median_is_one_half_at_its_time_and_its_interval_is_one_of_time():
    """KarMMa: 8.8 months (5.6 to 11.6). ln(11.6 / 5.6) / 3.92 = 0.1858 of log time, times a slope of 1.2."""
    found = curve_log_odds(
        curve(CurvePoint(8.8, 50.0, interval_months=(5.6, 11.6))), PointError(slope=1.2, factor=1.0, own_sd=0.0)
    )
    assert found.level[0] == 0.0
    assert found.time[0] == pytest.approx(np.log(8.8 / 12.0))
    assert np.sqrt(found.covariance[0, 0]) == pytest.approx(1.2 * 0.1858, abs=1e-4)


def test_half_an_interval_counts_twice():
    """MagnetisMM-3: 17.2 months, from 9.8, upper end not reached: ln(17.2 / 9.8) / 1.96 = 0.287."""
    found = curve_log_odds(curve(CurvePoint(17.2, 50.0, interval_months=(9.8, None))), PLAIN)
    assert np.sqrt(found.covariance[0, 0]) == pytest.approx(0.287, abs=5e-4)


def test_two_points_of_one_curve_go_together_like_counts_of_the_same_patients():
    """1 / (n S(s) (1 - S(t))) with 0.8 and 0.5 of 100: 1 / (100 x 0.8 x 0.5) = 0.025."""
    found = curve_log_odds(curve(CurvePoint(6.0, 80.0), CurvePoint(12.0, 50.0)), PLAIN)
    assert found.covariance[0, 1] == pytest.approx(0.025)


def test_a_curve_from_randomisation_is_carried_to_the_infusion():
    """CARTITUDE-4: 75.9 % at 12 months of all randomised, 176 of 208 infused, 44 days: 89.7 % at 10.55 months."""
    wait = Wait(176 / 208, 44 / 30.4375)
    found = curve_log_odds(curve(CurvePoint(12.0, 75.9), n=208, wait=wait), PLAIN)
    share = 1.0 / (1.0 + np.exp(-found.level[0]))
    assert share == pytest.approx(0.897, abs=5e-4)
    assert np.exp(found.time[0]) * 12.0 == pytest.approx(12.0 - 1.4456, abs=1e-3)


def test_a_share_above_those_infused_has_no_place_on_the_curve():
    assert curve_log_odds(curve(CurvePoint(6.0, 90.0), wait=Wait(0.85, 1.5)), PLAIN) is None


def test_the_error_beside_sampling_is_added_to_every_point():
    bare, wide = (
        curve_log_odds(curve(CurvePoint(6.0, 80.0), CurvePoint(12.0, 50.0)), PointError(1.0, 1.0, sd)).covariance
        for sd in (0.0, 0.2)
    )
    assert wide - bare == pytest.approx(0.04 * np.eye(2))


def chosen(**options):
    return {c.study.id: c for c in select_curves(CATALOGUE.studies, NO_WAIT, 1.25, **options).curves}


def test_the_trials_from_randomisation_carry_their_wait_and_the_others_none():
    found = chosen()
    assert found["cartitude-4"].wait == Wait(176 / 208, pytest.approx(44 * 12 / 365.25))
    assert found["karmma-3"].wait == Wait(225 / 254, pytest.approx(49 * 12 / 365.25))
    assert found["karmma"].wait is None
    assert found["majestec-1"].wait is None


def test_no_patients_count_twice():
    kept = list(chosen().values())
    for one in kept:
        for other in kept:
            if set(one.products) & set(other.products) and one.study.id != other.study.id:
                assert other.study.id not in one.study.overlaps_with


def test_cohorts_of_other_lines_or_chosen_for_a_trait_bring_no_curve():
    kept = set(chosen())
    left = {"cartitude-2-cohort-b", "cartitude-2-cohort-c", "cartitude-2-cohort-d", "pcl-beijing-guo-2026",
            "us-mmic-pcl-bsab-2025", "emd-xuzhou-2023", "cns-myeloma-cart-2025", "majestec-3"}  # fmt: skip
    assert not kept & left


def test_recalled_figures_come_in_on_request_only():
    assert "linker-mm1" not in chosen()
    assert "linker-mm1" in chosen(include_unverified=True)


def test_a_median_far_beyond_the_follow_up_is_not_counted():
    reasons = select_curves(CATALOGUE.studies, NO_WAIT, 1.25).left_out
    assert any("lymphocyte peak" in line and "far beyond" in line for line in reasons)
