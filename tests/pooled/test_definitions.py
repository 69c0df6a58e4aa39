"""The definitions file: what it says, that it is complete, and that a slip in it is found."""

import copy
import json

import pytest

from bcma_decide.errors import EvidenceError
from bcma_decide.patient.fields import FIELDS
from bcma_decide.pooled.definitions import Definitions, shipped_definitions, wording
from bcma_decide.strict.yaml import read_yaml
from bcma_decide.workshop.evidence.definitions import check_definitions, load_definitions
from tests.support.cases import for_each
from tests.support.places import EVIDENCE


@pytest.fixture(scope="module")
def plain():
    return read_yaml(EVIDENCE / "definitions.yaml")


@pytest.fixture(scope="module")
def plain_scores():
    return read_yaml(EVIDENCE / "scores.yaml")


@pytest.fixture(scope="module")
def plain_variation():
    return read_yaml(EVIDENCE / "laboratory_variation.yaml")


@pytest.fixture(scope="module")
def plain_contradictions():
    return read_yaml(EVIDENCE / "contradictions.yaml")


def test_the_bedside_reads_what_the_workshop_checked():
    assert shipped_definitions() == load_definitions(EVIDENCE)


def test_they_survive_the_pooled_file():
    definitions = shipped_definitions()
    assert definitions == Definitions.from_dict(json.loads(json.dumps(definitions.to_dict())))


def test_a_damaged_pooled_file_is_an_evidence_error():
    with pytest.raises(EvidenceError, match="rebuild"):
        Definitions.from_dict({"drugs": []})


def test_cut_offs_are_those_of_their_sources():
    words = {name: wording(definition) for name, definition in shipped_definitions().by_id.items()}
    assert words["renal_impairment"] == "creatinine clearance below 45 mL/min, or dialysis"
    assert words["ferritin_high"] == "ferritin above 400 ng/mL"
    assert words["bone_marrow_plasma_cells_high"] == "marrow plasma cells 50 % or more"


def test_studies_named_as_sources_are_in_the_evidence():
    cited = [source.citation for source in shipped_definitions().sources.values()]
    studies = [text.removeprefix("studies/").split(":")[0] for text in cited if text.startswith("studies/")]
    missing = [study for study in studies if not (EVIDENCE / "studies" / f"{study}.yaml").is_file()]
    assert studies
    assert missing == []


def test_gain_of_1q_is_not_high_risk_by_itself():
    rule = shipped_definitions().any_of[0]
    assert (rule.id, rule.not_counted) == ("high_risk_cytogenetics", ("gain_1q",))


@for_each(
    ("change", "message"),
    [
        (lambda d: d["drugs"].append({"id": "velcade", "drug_class": "other", "names": []}), "more than one"),
        (lambda d: d["drugs"][0].update(drug_class="wonder"), "is not listed"),
        (lambda d: d["drugs"][0].update(modality="adc"), "belong together"),
        (lambda d: d["cut_offs"][0].update(field="age_"), "not a numeric field"),
        (lambda d: d["cut_offs"][0].update(unit="L"), "is kept in 'mL/min'"),
        (lambda d: d["cut_offs"][0].pop("below"), "has no bound"),
        (lambda d: d["cut_offs"][3].update(text="above {limit}"), "cannot be filled in"),
        (lambda d: d["any_of"][0]["fields"].append("ferritin"), "not a yes_no field"),
        (lambda d: d["from_scores"][0].update(score="wonder"), "not a point score"),
        (lambda d: d["stages"][0].update(score="mycare"), "not a staging"),
        (lambda d: d["stages"].pop(), "is defined 0 times"),
        (lambda d: d["terms"].append({**d["terms"][1], "id": "mood"}), "neither a trait"),
        (lambda d: d["terms"][1].update(sources=["rumour"]), "is not listed"),
        (lambda d: d["sources"].update(spare={"citation": "never cited"}), "is not cited"),
        (lambda d: d["drug_counts"][0]["needs"][2].update(at_least=9), "which has 2 drugs"),
        (lambda d: d["terms"][1].update(basis="sure"), "verified"),
        (lambda d: d["terms"][1].update(mood="good"), "mood"),
    ],
)
def test_a_slip_in_the_file_is_found(plain, plain_scores, plain_variation, plain_contradictions, change, message):
    changed = copy.deepcopy(plain)
    change(changed)
    with pytest.raises(EvidenceError, match=message):
        check_definitions(changed, plain_scores, plain_variation, plain_contradictions)


def score(plain, name):
    return next(each for group in plain.values() if isinstance(group, list) for each in group if each["id"] == name)


@for_each(
    ("change", "message"),
    [
        (lambda d: score(d, "car_hematotox")["items"][0]["bands"][0].update(above=170), "falls into 2 bands"),
        (lambda d: score(d, "car_hematotox")["items"][1]["bands"][1].update(below=1.1), "falls into 0 bands"),
        (lambda d: score(d, "car_hematotox")["items"][3].update(unit="mg/L"), "is kept in 'mg/dL'"),
        (lambda d: score(d, "car_hematotox")["items"][0].update(field="platlets"), "not a numeric field"),
        (lambda d: score(d, "mycare")["groups"][1].update(at_most=2), "3 points fall into 0 groups"),
        (lambda d: score(d, "mycare")["items"][1]["when"].update(drugs=["lenalidomid"]), "did you mean 'lenalidomide'"),
        (lambda d: score(d, "mycare")["items"][3]["when"].update(trait="feritin_raised"), "did you mean"),
        (lambda d: score(d, "mycare")["items"][3].pop("points"), "needs points"),
        (lambda d: score(d, "mycare")["figures"][0].pop("source"), "a recalled figure has no source"),
        (lambda d: score(d, "iss")["stages"][1].update(when={"trait": "dialysis", "is": True}), "exactly one stage"),
        (lambda d: score(d, "iss")["stages"][0].update(when={"trait": "iss", "at_most": 1}), "rests on"),
        (lambda d: score(d, "ckd_epi_2021").update(gives="sex"), "not a quantity field"),
        (lambda d: score(d, "r_iss").update(sources=["rumour"]), "'rumour' is not listed"),
        (lambda d: d["sources"].update(spare={"citation": "never cited"}), "'spare' is not cited"),
        (lambda d: score(d, "iss").update(applies_to=["everyone"]), "car_t"),
        (lambda d: d["points"].append(copy.deepcopy(d["points"][0])), "stands there twice"),
    ],
)
def test_a_slip_in_the_scores_is_found(plain, plain_scores, plain_variation, plain_contradictions, change, message):
    changed = copy.deepcopy(plain_scores)
    change(changed)
    with pytest.raises(EvidenceError, match=message):
        check_definitions(plain, changed, plain_variation, plain_contradictions)


def test_every_score_item_that_is_asked_is_a_field():
    items = [item for each in shipped_definitions().scores.points for item in each.items]
    assert {item.field for item in items} - {None} <= FIELDS.keys()


@for_each(
    ("change", "message"),
    [
        (lambda d: d["variation"].pop(0), "ferritin: is read by a cut-off, a score or a stage and has no variation"),
        (lambda d: d["variation"].append(copy.deepcopy(d["variation"][0])), "stands there twice"),
        (lambda d: d["variation"][0].update(field="weight"), "is no measured field"),
        (lambda d: d["variation"][0].update(basis="recalled"), "verified"),
        (lambda d: d["variation"][0].update(within_subject=0), "greater than 0"),
        (lambda d: d["variation"][0].update(sources=["rumour"]), "'rumour' is not listed"),
        (lambda d: d["sources"].update(spare={"citation": "never cited"}), "'spare' is not cited"),
    ],
)
def test_a_slip_in_the_variation_is_found(plain, plain_scores, plain_variation, plain_contradictions, change, message):
    changed = copy.deepcopy(plain_variation)
    change(changed)
    with pytest.raises(EvidenceError) as refused:
        check_definitions(plain, plain_scores, changed, plain_contradictions)
    assert message in str(refused.value)


def test_both_variations_count_together():
    """Creatinine: 8.9 and 1.4 % are 9.0094 % together; of a log-normal value ln(1 + 0.090094^2)^0.5 = 0.08991."""
    assert shipped_definitions().log_sd["creatinine"] == pytest.approx(0.08991, abs=5e-6)


def pair(plain, name):
    return next(entry for entry in plain["contradictions"] if entry["id"] == name)


@for_each(
    ("change", "message"),
    [
        (lambda d: d["contradictions"].append(copy.deepcopy(d["contradictions"][0])), "stands there twice"),
        (lambda d: pair(d, "iss-r-iss").update(sources=["rumour"]), "'rumour' is listed neither with"),
        (lambda d: pair(d, "iss-r-iss").update(sources=[]), "is verified and cites nothing"),
        (lambda d: pair(d, "iss-r-iss").update(basis="recalled"), "derived"),
        (lambda d: pair(d, "iss-r-iss").pop("reason"), "reason"),
        (lambda d: pair(d, "frail-ecog").update(context=["agee"]), "'agee' is not a field"),
        (lambda d: pair(d, "pregnancy-sex").update(when={"score": "mycare", "at_least": 2}), "what is worked out"),
        (lambda d: pair(d, "pregnancy-sex").update(when={"trait": "hiv", "known": False}), "what is worked out"),
        (lambda d: pair(d, "pregnancy-sex").update(when={"trait": "iss_3", "is": True}), "'iss_3' is not a field"),
        (lambda d: pair(d, "egfr-ckd-epi-low")["when"].update(times="ckd_epi"), "did you mean 'ckd_epi_2021'"),
        (lambda d: pair(d, "egfr-ckd-epi-low")["when"].pop("above"), "has no bound"),
        (lambda d: pair(d, "bcma-drugs")["when"]["all"][1]["any"][0].update(drug_class="adc"), "is not a drug class"),
    ],
)
def test_a_slip_in_the_contradictions_is_found(
    plain, plain_scores, plain_variation, plain_contradictions, change, message
):
    changed = copy.deepcopy(plain_contradictions)
    change(changed)
    with pytest.raises(EvidenceError) as refused:
        check_definitions(plain, plain_scores, plain_variation, changed)
    assert message in str(refused.value)
