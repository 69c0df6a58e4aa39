"""What a single study says beside the numbers is a finding with the study's own counts."""

from __future__ import annotations

import pytest

from bcma_decide import Patient, compare, load_model
from bcma_decide.workshop.evidence.catalogue import load_catalogue

RULES = {rule.id: rule for rule in load_model().rules.rules}
COUNTED = {
    "kidney.clearance-below-45-outcomes": ("habib-renal-cart-2026", ("icans_any", "infection_any"), "renal_impairment"),
    "blood-counts.car-hematotox-high": (
        "car-hematotox-myeloma-2023",
        ("infection_g3plus", "icans_g3plus", "vgpr_or_better"),
        "car_hematotox_high",
    ),
    "disease-features.extramedullary-toxicity-car-t": (
        "cart-emd-single-centre-108",
        ("icans_any", "icans_g3plus"),
        "extramedullary_disease",
    ),
    "sequence.prior-bcma-teclistamab": ("us-mmic-tec-385", ("orr",), "prior_bcma"),
    "sequence.car-t-after-car-t-eque-cel": ("fumanba-1", ("orr", "cr_or_better"), "prior_bcma"),
}


@pytest.mark.parametrize(("rule", "study", "outcomes", "trait"), [(rule, *row) for rule, row in COUNTED.items()])
def test_the_counts_are_those_of_the_study(rule, study, outcomes, trait):
    splits = [each for each in load_catalogue().study(study).splits if each.trait == trait and each.primary]
    for outcome in outcomes:
        counts = {each.group: f"{each.events} of {each.n}" for each in splits if each.outcome == outcome}
        assert f"{counts['present']} vs {counts['absent']}" in RULES[rule].text


@pytest.mark.parametrize(
    ("profile", "rule"),
    [
        ({"creatinine_clearance": "40 mL/min"}, "kidney.clearance-below-45-outcomes"),
        ({"extramedullary_disease": "yes"}, "disease-features.extramedullary-toxicity-car-t"),
        ({"ferritin": "450 ng/mL"}, "inflammation-and-burden.ferritin-above-400-bispecific"),
        ({"prior_bcma": "yes"}, "sequence.prior-bcma-teclistamab"),
        ({"prior_bcma_courses": ["car_t:8"]}, "sequence.car-t-within-9-months-teclistamab"),
        ({"prior_bcma_courses": ["car_t:20"]}, "sequence.car-t-after-car-t-eque-cel"),
    ],
)
def test_it_fires_for_the_patient_it_is_about(profile, rule):
    fired = {finding.id for finding in compare(Patient(age=66, **profile)).findings if finding.state == "fires"}
    assert rule in fired
