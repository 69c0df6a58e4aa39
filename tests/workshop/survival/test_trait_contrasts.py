"""Contrasts of progression-free survival, against arithmetic by hand and the printed figures."""

import numpy as np
import pytest
from scipy.special import expit

from bcma_decide.vocabulary import MODEL_TRAIT_IDS
from bcma_decide.workshop.survival.points import PointError
from bcma_decide.workshop.survival.trait_contrasts import (
    concordant,
    log_odds_of_hazard_ratio,
    log_odds_standard_error,
    time_contrasts,
)
from tests.workshop.patient_model.support.real import inputs, workshop

ERROR = PointError(slope=1.0, factor=1.2, own_sd=0.1)


@pytest.fixture(scope="module")
def found():
    contrasts = time_contrasts(inputs().catalogue.studies, workshop(), ERROR).contrasts
    return {(c.patients, MODEL_TRAIT_IDS[c.trait_index]): c for c in contrasts}


def test_a_hazard_ratio_of_one_and_a_half():
    """0.5^1.5 = 0.35355; ln(0.35355 / 0.64645) = -0.6035."""
    assert log_odds_of_hazard_ratio(1.5) == pytest.approx(-0.6035, abs=1e-4)
    assert log_odds_of_hazard_ratio(1.0) == pytest.approx(0.0, abs=1e-12)


def test_its_error_is_the_slope_of_that_curve():
    step = 1e-6
    slope = (log_odds_of_hazard_ratio(np.exp(0.4 + step)) - log_odds_of_hazard_ratio(np.exp(0.4 - step))) / (2 * step)
    assert log_odds_standard_error(np.exp(0.4), 0.1) == pytest.approx(-0.1 * slope, rel=1e-6)


def test_an_adjusted_ratio_is_taken_as_it_is_printed(found):
    """Ide-cel with extramedullary disease, 351 patients: adjusted hazard ratio 1.5 (1.1 to 2.2)."""
    contrast = found["us-mmic-ide-cel-emd-2024", "extramedullary_disease"]
    assert contrast.kind == "adjusted hazard ratio"
    assert contrast.difference[0] == pytest.approx(-0.6035, abs=1e-4)
    assert contrast.rate is None


def test_two_medians_differ_by_their_log_ratio(found):
    """Teclistamab, true extramedullary disease 1.4 months (109), none 8.95 (243): ln(1.4 / 8.95) = -1.855."""
    contrast = found["us-mmic-tec-385", "extramedullary_disease"]
    assert contrast.kind == "two curves"
    assert contrast.difference[0] == pytest.approx(-1.855, abs=1e-3)
    assert contrast.covariance[0, 0] == pytest.approx(1.2 * 4 / 109 + 1.2 * 4 / 243 + 2 * 0.01)


def test_two_landmarks_differ_by_their_log_odds(found):
    """CARTITUDE-4: high risk 52.3 % at 30 months, median 37.1; standard risk 71 % at 30 months.

    At one year, by a slope of 1: 0.092 + 0.916 = 1.008 and ln(37.1 / 12) = 1.129 against 0.895 + 0.916 = 1.812.
    """
    contrast = found["cartitude-4", "high_risk_cytogenetics"]
    assert 1.008 - 1.812 <= contrast.difference[0] <= 1.129 - 1.812


def test_one_group_stands_against_everybody_less_itself(found):
    """KarMMa: 7.9 months in 50 with extramedullary disease, 8.8 in all 128.

    At 12 months ln(7.9 / 12) = -0.418 and ln(8.8 / 12) = -0.310, so 39.7 % and 42.3 %; the other 78:
    (128 x 42.3 - 50 x 39.7) / 78 = 44.0 %, -0.241.
    """
    contrast = found["karmma", "extramedullary_disease"]
    assert contrast.kind == "one curve and everybody"
    assert contrast.difference[0] == pytest.approx(-0.418 + 0.241, abs=2e-3)


def test_no_patients_speak_twice_of_a_trait(found):
    studies = {study.id: study for study in inputs().catalogue.studies}
    for (one, trait), contrast in found.items():
        for (other, same), second in found.items():
            if one < other and trait == same and contrast.class_index == second.class_index:
                assert other not in studies[one].overlaps_with


def test_what_goes_together_counts_across_classes_only_where_it_is_shared(found):
    admitted = concordant(list(found.values()), ("extramedullary_disease", "prior_bcma"), 2)
    prior, renal = MODEL_TRAIT_IDS.index("prior_bcma"), MODEL_TRAIT_IDS.index("renal_impairment")
    # one contrast of earlier BCMA therapy in each class, of one sign
    assert admitted[:, prior].tolist() == [True, True]
    assert not concordant(list(found.values()), (), 2)[:, prior].any()
    assert not admitted[:, renal].any()


def test_recalled_groups_are_left_out(found):
    assert ("us-mmic-ide-cel-prior-bcma-2023", "prior_bcma") not in found
    more = time_contrasts(inputs().catalogue.studies, workshop(), ERROR, include_unverified=True).contrasts
    assert any(c.patients == "us-mmic-ide-cel-prior-bcma-2023" for c in more)


def test_a_few_left_over_of_many_are_hardly_known(found):
    """FUMANBA-1: 12 of 107 with earlier CAR-T, known only as everybody less the 95 without.

    An error of 0.1 on the log odds of both printed curves, drawn at random and taken through the subtraction, moves
    those of the 12 by about one: more than the binomial error of 12 patients at 57 %, 0.58.
    """
    rng = np.random.default_rng(0)
    whole, without = (expit(level + 0.1 * rng.normal(size=20_000)) for level in (0.991, 1.096))
    few = (107 * whole - 95 * without) / 12
    inside = few[(few > 0.1) & (few < 0.9)]
    drawn = np.log(inside / (1.0 - inside)).std()
    assert drawn > 0.58
    contrast = found["fumanba-1", "prior_bcma"]
    assert contrast.kind == "one curve and everybody"
    assert np.sqrt(contrast.covariance[0, 0]) > np.hypot(drawn, 0.58)
