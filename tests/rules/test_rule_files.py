"""Slips in a rule file are refused at load, each where it stands; what is written in another unit is converted."""

from __future__ import annotations

import pytest
import yaml

from bcma_decide.errors import EvidenceError
from bcma_decide.facts.traits import derive
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.definitions import shipped_definitions
from bcma_decide.pooled.location import evidence_directory
from bcma_decide.pooled.rule_book import RuleBook
from bcma_decide.strict.yaml import read_yaml
from bcma_decide.workshop.evidence.rules import load_rules

DEFINITIONS = shipped_definitions()
MEAN = "did you mean "


@pytest.fixture(scope="module")
def shipped():
    """The rules of one topic with their sources, and the products without labels and facts."""
    kidney = read_yaml(evidence_directory() / "rules" / "kidney.yaml")
    sources = read_yaml(evidence_directory() / "rules" / "sources.yaml")["sources"]
    products = read_yaml(evidence_directory() / "products.yaml")
    states = read_yaml(evidence_directory() / "rules" / "states.yaml")["states"]
    spoken_of = {rule["state"] for rule in kidney["rules"]}
    cited = {key for rule in kidney["rules"] for key in rule["sources"]}
    bare = [{**product, "indications": [], "facts": []} for product in products["products"]]
    return {
        "rules/kidney.yaml": kidney,
        "rules/sources.yaml": {"sources": {key: sources[key] for key in cited}},
        "rules/states.yaml": {"states": [state for state in states if state["id"] in spoken_of]},
        "products.yaml": {
            **products,
            "outside_comparison": {**products["outside_comparison"], "sources": []},
            "burdens": [],
            "classes": {},
            "products": bare,
            "fludarabine_renal_rules": [],
            "sources": {},
        },
    }


@pytest.fixture
def files(tmp_path, shipped):
    """A copy to write slips into."""
    (tmp_path / "rules").mkdir()
    for name, content in shipped.items():
        write(tmp_path / name, content)
    return tmp_path


def write(path, content):
    path.write_text(yaml.dump(content, Dumper=Plain, allow_unicode=True, width=10_000), encoding="utf-8")


class Plain(yaml.SafeDumper):
    """Without anchors: what stands there twice is written out."""

    def ignore_aliases(self, data):
        return True


def edit(files, name, change):
    content = read_yaml(files / name)
    change(content)
    write(files / name, content)


def first(content):
    return content["rules"][0]


def when(**condition):
    return lambda content: first(content).update(when=condition)


def put(**fields):
    return lambda content: first(content).update(fields)


def concern(**whom):
    return lambda content: first(content).update(applies_to={"class": "car_t", **whom})


@pytest.mark.parametrize(
    ("change", "message", "hint"),
    [
        (when(trait="dialisis", **{"is": True}), "'dialisis' is not a yes-or-no trait", MEAN + "'dialysis'?"),
        (when(trait="crp", **{"is": True}), "'crp' is not a yes-or-no trait", ""),
        (when(trait="creatinin", below=2, unit="mg/dL"), "not a number of the profile", MEAN + "'creatinine'?"),
        (when(trait="hiv_", known=False), "'hiv_' is not a yes-or-no trait", ""),
        (when(trait="ecog", one_of=[7]), "7 is not a value of ecog", "0 to 4"),
        (when(trait="sex", one_of=["woman"]), "'woman' is not one of female, male", ""),
        (when(trait="crp", above=3), "crp needs a unit", "mg/dL, mg/L"),
        (when(trait="crp", above=3, unit="furlong"), "crp needs a unit", "mg/dL, mg/L"),
        (when(trait="creatinine_clearance", below=30, unit="mg/L"), "creatinine_clearance needs a unit", "mL/min"),
        (when(trait="iss", at_least=3, unit="mg/L"), "iss has no unit", ""),
        (when(trait="crp", unit="mg/L"), "crp has no bound", ""),
        (when(trait="age", at_least=70, above=70, unit="years"), "at_least and above exclude each other", ""),
        (when(trait="age", at_least=70, below=60, unit="years"), "nothing lies at least 70 and below 60", ""),
        (when(drugs=["lenalidomid"], state="refractory"), "'lenalidomid' is not a drug", MEAN + "'lenalidomide'?"),
        (when(drug_class="anti_cd37", state="exposed"), "'anti_cd37' is not a drug class", MEAN + "'anti_cd38'?"),
        (when(score="car_hematotoxx", at_least=2), "is not a score", MEAN + "'car_hematotox'?"),
        (when(mood="good"), "is not a condition", "trait, drugs, drug_class, courses or score"),
        (put(basis="recalled", sources=[], severity="contraindication"), "is never a contraindication", "recalled"),
        (put(basis="recalled"), "a recalled rule has no source", ""),
        (put(sources=[]), "any other has one or more", ""),
        (put(sources=["rumour"]), "source 'rumour' is not listed", ""),
        (put(date="July 2026"), "'July 2026' is not a date", "2024-04-05"),
        (put(since="2025-13"), "month must be in 1..12", ""),
        (put(since="2025-06-26", until="2025-06-26"), "runs from 2025-06-26 to 2025-06-26", ""),
        (put(since="2025-06-26", until="2024"), "runs from 2025-06-26 to 2024", ""),
        (put(id="liver.example"), "its id begins with its topic", "kidney."),
        (put(severity="deadly"), "contraindication", ""),
        (lambda content: first(content).pop("short"), "short", "is missing"),
        (put(short="Clearance below 30: " + "x" * 53), "at most 72 characters", "short"),
        (put(short="Clearance \u2013 below 30"), "should match pattern", "short"),
        (put(phase="during"), "is information before the start", ""),
        (put(phase="before"), "'start' or 'during'", ""),
        (concern(products=["teclistamab"]), "teclistamab is not of class car_t", ""),
        (concern(products=["tecvayli"]), "'tecvayli' is not a product", ""),
        (concern(region="usa"), "pattern", ""),
    ],
)  # fmt: skip
def test_a_slip_in_a_rule_is_refused_where_it_stands(files, change, message, hint):
    edit(files, "rules/kidney.yaml", change)
    with pytest.raises(EvidenceError) as caught:
        load_rules(files, DEFINITIONS)
    found = [problem for problem in caught.value.problems if message in str(problem) and hint in str(problem)]
    assert [problem.file for problem in found] == ["rules/kidney.yaml"]


def test_a_rule_that_stands_there_twice_is_refused(files):
    edit(files, "rules/kidney.yaml", lambda content: content["rules"].append(first(content)))
    with pytest.raises(EvidenceError, match=r"kidney.fludarabine-below-30: stands there twice"):
        load_rules(files, DEFINITIONS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda states: states.pop(0), "is the state of a rule and not listed"),
        (lambda states: states.append({"id": "spare", "label": "spare"}), "spare: no rule speaks of it"),
        (lambda states: states.append(states[0]), "stands there twice"),
        (lambda states: states[0].update(short="x" * 80), "at most 72 characters"),
        (lambda states: states[0].update(others=[{"kind": "silent", "text": "no word"}]), "not_seen"),
        (lambda states: states[0].update(others=[{"kind": "not_seen", "text": "no word", "products": ["tec"]}]),
         "'tec' is not a product"),
        (lambda states: states[0].update(
            others=[{"kind": "not_seen", "text": "no word", "products": ["teclistamab"], "class": "car_t"}]),
         "teclistamab is not of class car_t"),
        (lambda states: states[0].update(others=[{"kind": "not_seen", "text": "no word", "sources": ["rumour"]}]),
         "source 'rumour' is not listed"),
        (lambda states: states[0].update(asked_only_if={"trait": "dialisis", "is": True}), "did you mean 'dialysis'"),
    ],
)  # fmt: skip
def test_a_slip_in_the_states_is_named(files, change, message):
    edit(files, "rules/states.yaml", lambda content: change(content["states"]))
    with pytest.raises(EvidenceError, match=r"rules/states\.yaml") as caught:
        load_rules(files, DEFINITIONS)
    assert any(message in str(problem) for problem in caught.value.problems)


@pytest.mark.parametrize("name", ["rules/sources.yaml", "products.yaml"])
def test_a_source_nobody_cites_is_refused(files, name):
    edit(files, name, lambda content: content["sources"].update(spare={"citation": "never cited"}))
    with pytest.raises(EvidenceError, match=f"{name}: .*spare.* is not cited"):
        load_rules(files, DEFINITIONS)


def test_the_copy_itself_is_sound(files):
    found = load_rules(files, DEFINITIONS).topics
    assert found == tuple(each for each in load_rules(evidence_directory(), DEFINITIONS).topics if each in found)


@pytest.mark.parametrize(
    ("trait", "limit", "inside", "outside"),
    [
        ("crp", {"above": 30, "unit": "mg/L"}, "3.1 mg/dL", "3 mg/dL"),
        ("crp", {"above": 30, "unit": "mg/L"}, "30.1 mg/L", "30 mg/L"),
        ("hemoglobin", {"below": 80, "unit": "g/L"}, "7.9 g/dL", "8 g/dL"),
        ("neutrophils", {"below": 500, "unit": "/uL"}, "0.49 10^9/L", "0.5 10^9/L"),
        ("live_vaccine", {"below": 28, "unit": "days"}, "3.9 weeks", "4 weeks"),
        ("live_vaccine", {"below": 28, "unit": "days"}, "27 days", "never"),
        ("creatinine", {"at_least": 177, "unit": "umol/L"}, "2.01 mg/dL", "2 mg/dL"),
    ],
)
def test_a_limit_in_another_unit_is_converted(files, trait, limit, inside, outside):
    edit(files, "rules/kidney.yaml", when(trait=trait, **limit))
    condition = next(
        rule.when
        for rule in RuleBook.from_dict(load_rules(files, DEFINITIONS).bedside()).rules
        if rule.topic == "kidney"
    )
    for value, expected in ((inside, True), (outside, False)):
        assert derive(Patient.read({trait: value}), DEFINITIONS).facts.judge(condition).value is expected


BURDEN = {"id": "days", "label": "Days", "unit": "days", "topic": "stay", "figures": [{"figure": "weeks", "times": 7}]}
STAY = {"topic": "stay", "text": "near for 2 weeks", "figures": {"weeks": 2}, "basis": "recalled"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"topic": "nothing"}, "'nothing' is not a topic"),
        ({"figures": [{"figure": "months"}]}, "no fact has the figure 'months'"),
        ({"id": "orr"}, "is the name of an outcome"),
        ({"figures": [{"figure": "weeks", "per": 0}]}, "greater than 0"),
        ({"figures": []}, "at least 1 item"),
    ],
)
def test_a_burden_that_rests_on_nothing_is_named(files, change, message):
    def rewrite(content):
        content["classes"] = {"car_t": {"facts": [STAY]}}
        content["burdens"] = [BURDEN | change]

    edit(files, "products.yaml", rewrite)
    with pytest.raises(EvidenceError, match=message):
        load_rules(files, DEFINITIONS)


def test_a_burden_of_recalled_facts_alone_has_no_value(files):
    def rewrite(content):
        content["classes"] = {"car_t": {"facts": [STAY]}}
        content["burdens"] = [BURDEN]

    edit(files, "products.yaml", rewrite)
    assert load_rules(files, DEFINITIONS).bedside()["burdens"][0]["values"] == []
