"""Margins: what an arm reports, and what stands in where it is silent."""

from math import log2

import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.pooled.location import evidence_directory
from bcma_decide.vocabulary import MODEL_TRAIT_IDS
from bcma_decide.workshop.evidence.catalogue import load_catalogue
from bcma_decide.workshop.evidence.schema import PopulationFigure
from bcma_decide.workshop.patient_model.margins import (
    Reported,
    Spreads,
    arm_margins,
    evidence_margins,
    reported_margins,
    share_of,
)

SPREADS = Spreads(prevalence=0.15, age=0.9, prior_lines=0.6)
NUMBERS = {"age": Reported(6.2, 0.9, 100), "prior_lines": Reported(2.5, 0.6, 100)}


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue(evidence_directory())


def test_a_count_wins_over_a_percentage_and_a_percentage_over_nothing():
    assert share_of(PopulationFigure(basis="verified", n=23, of=91, pct=99.0)) == pytest.approx(23 / 91)
    assert share_of(PopulationFigure(basis="verified", pct=39.0)) == pytest.approx(0.39)
    assert share_of(PopulationFigure(basis="verified")) is None


def test_cartitude_1_reports_what_its_table_says(catalogue):
    """97 patients, median age 61, 13 with extramedullary disease, 23 of 91 high risk, no earlier BCMA therapy."""
    found = reported_margins(catalogue.study("cartitude-1"), SPREADS)
    assert found["age"].location == pytest.approx(6.1)
    assert 0.6 < found["age"].spread < 0.9
    assert found["extramedullary_disease"].location == pytest.approx(13 / 97)
    assert found["high_risk_cytogenetics"].location == pytest.approx(23 / 91)
    assert found["prior_bcma"].location == 0.0
    assert found["prior_lines"].location == pytest.approx(log2(6))


def test_recalled_figures_are_not_margins(catalogue):
    """MajesTEC-1's cytogenetics are recalled only."""
    assert "high_risk_cytogenetics" not in reported_margins(catalogue.study("majestec-1"), SPREADS)


def test_the_evidence_margin_is_the_patient_weighted_mean():
    arms = [NUMBERS | {"frail": Reported(0.2, 0.0, 300)}, {"frail": Reported(0.5, 0.0, 100)}, {}]
    found = evidence_margins(arms, SPREADS)["frail"]
    assert found.location == pytest.approx((0.2 * 300 + 0.5 * 100) / 400)
    assert not found.reported


def test_a_silent_arm_gets_the_evidence_margin_and_says_so():
    evidence = evidence_margins([NUMBERS | {"frail": Reported(0.3, 0.0, 100)}], SPREADS)
    margins = arm_margins({}, evidence)
    frail = margins[MODEL_TRAIT_IDS.index("frail")]
    assert (frail.location, frail.reported) == (pytest.approx(0.3), False)
    assert frail.uncertainty > 0
    assert arm_margins({"frail": Reported(0.7, 0.0, 50)}, evidence)[MODEL_TRAIT_IDS.index("frail")].reported


def test_a_yes_no_trait_nobody_reports_is_one_half_with_the_widest_spread():
    frail = evidence_margins([NUMBERS], SPREADS)["frail"]
    assert (frail.location, frail.uncertainty, frail.reported) == (0.5, SPREADS.prevalence, False)


@pytest.mark.parametrize("trait", ["age", "prior_lines"])
def test_a_number_nobody_reports_is_an_error_and_never_nan(trait):
    others = {name: margin for name, margin in NUMBERS.items() if name != trait}
    with pytest.raises(SynthesisError, match="no study reports it"):
        evidence_margins([others], SPREADS)


def test_a_cohort_chosen_for_a_trait_says_nothing_of_its_prevalence():
    """All of 200 had earlier BCMA therapy by the protocol; one that excluded it stays: (0 * 100 + 0.4 * 300) / 400."""
    shares = ((1.0, 200), (0.0, 100), (0.4, 300))
    arms = [NUMBERS | {"prior_bcma": Reported(share, 0.0, size)} for share, size in shares]
    assert evidence_margins(arms, SPREADS)["prior_bcma"].location == pytest.approx(0.3)
