"""Many patients at once: the traits, findings and labels that are stated of each of them alone."""

from collections import Counter
from datetime import date

import pytest

from bcma_decide import Patient
from bcma_decide.comparing.compare import load_pooled
from bcma_decide.comparing.findings import that_can_apply
from bcma_decide.facts.traits import derive
from bcma_decide.model.profiles import Profiles
from bcma_decide.patient.files import example_names, load_example
from bcma_decide.rules.findings import rule_findings
from bcma_decide.rules.indications import indications
from bcma_decide.rules.many import FINDING_STATES, LABEL_STATES, ProfileJudge
from bcma_decide.vocabulary import MODEL_TRAIT_IDS, natural_scale
from tests.support.cases import for_each
from tests.support.patients import drawn_patients

POOLED = load_pooled()
SPANS = Patient(age="60-70", ferritin=">300 ng/mL", egfr="G3b", sex="female", prior_bcma_courses=["car_t:5"])
DISPUTED = Patient(iss=1, beta2_microglobulin="9 mg/L", ferritin="390 ng/mL", age=63)
TWICE = [load_example(name) for name in example_names()[:3]] * 2


def stated(findings):
    """Every finding of a rule, and of what is known beside the rules."""
    return Counter(
        (each.id, each.applies_to["class"], each.applies_to.get("product"), each.state, each.severity)
        for each in findings
    )


def _natural(numbers):
    """Numbers of the model's traits in natural units."""
    return [natural_scale(name, value) for name, value in zip(MODEL_TRAIT_IDS, numbers.tolist(), strict=True)]


@for_each(("region", "on"), [("US", POOLED.date), ("EU", "2024-03-10")])
def test_each_is_judged_as_alone(region, on):
    patients, day = [Patient(), SPANS, DISPUTED, *TWICE, *drawn_patients(6, seed=29)], date.fromisoformat(on)
    judge = ProfileJudge(POOLED, region, day)
    judge.judge(TWICE)  # what is remembered of an earlier batch changes nothing
    found = judge.judge(patients)
    for row, patient in enumerate(patients):
        traits = derive(patient, POOLED.definitions)
        alone = Profiles.of([{name: traits[name].modelled for name in MODEL_TRAIT_IDS}])
        assert found.number[row] == pytest.approx(_natural(alone.number[0]), rel=1e-12, nan_ok=True)
        assert found.yes[row] == pytest.approx(alone.yes[0], abs=1e-12)
        assert found.no[row] == pytest.approx(alone.no[0], abs=1e-12)
        assert found.unknown[row].tolist() == [traits[name].value is None for name in MODEL_TRAIT_IDS]
        assert found.contradictions[row] == tuple(each.fields for each in traits.contradictions)
        labels = indications(POOLED.rules, traits.facts, region, day, {}, POOLED.assumptions["label_months"])
        columns = zip(judge.label_columns, found.labels[row].tolist(), strict=True)
        assert [(*each, LABEL_STATES[code]) for each, code in columns] == [
            (name, each.regimen, each.state) for name, label in labels.items() for each in label.regimens
        ]
        assert found.off_label[row].tolist() == [label.off_label for label in labels.values()]
        findings = that_can_apply(rule_findings(POOLED.rules, traits.facts, region, day), labels)
        columns = zip(judge.columns, found.findings[row].tolist(), strict=True)
        assert stated(findings) == Counter(
            (each.id, each.class_id, each.product, FINDING_STATES[code], each.severity)
            for each, code in columns
            if code
        )


def test_limits_act_where_their_condition_holds():
    found = ProfileJudge(POOLED, "US", date.fromisoformat(POOLED.date)).judge([Patient(), *TWICE])
    limits = POOLED.published.limits
    for row, patient in enumerate([Patient(), *TWICE]):
        facts = derive(patient, POOLED.definitions).facts
        wanted = [each.when is None or facts.judge(each.when).value is True for each in limits]
        assert found.limits[row].tolist() == wanted


def test_nobody_is_judged_too():
    found = ProfileJudge(POOLED, "US", date.fromisoformat(POOLED.date)).judge([])
    assert found.number.shape[0] == found.findings.shape[0] == found.labels.shape[0] == found.limits.shape[0] == 0
