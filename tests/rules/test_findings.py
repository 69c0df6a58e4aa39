"""The engine: whom a rule concerns, where and when, and what becomes of what is not known."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from bcma_decide import Patient, compare, load_model
from bcma_decide.facts.traits import derive
from bcma_decide.pooled.conditions import from_plain
from bcma_decide.pooled.rule_book import Rule
from bcma_decide.rules.findings import rule_findings
from tests.support.cases import for_each

MODEL = load_model()
DIALYSIS = {"trait": "dialysis", "is": True}


def rule(when, **fields):
    plain = {
        "id": "kidney.example", "state": "dialysis", "topic": "kidney", "class_id": "car_t", "severity": "caution",
        "origin": "study", "short": "Dialysis: an example",
        "text": "what it says", "basis": "verified", "sources": (), "date": "2026-07",
    }  # fmt: skip
    return Rule(**plain | fields, when=from_plain(when))


def shipped(name):
    return next(each for each in MODEL.rules.rules if each.id == name)


def judged(which, values, *, region="US", day="2026-11-01"):
    """Findings of one rule, or of all."""
    book = replace(MODEL.rules, rules=(which,)) if which else MODEL.rules
    facts = derive(Patient.read(values), MODEL.definitions).facts
    return rule_findings(book, facts, region, date.fromisoformat(day))


def state(which, values, **where):
    """``fires``, ``cannot_be_judged``, or ``silent``."""
    return next((finding.state for finding in judged(which, values, **where)), "silent")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"class_id": "any"}, [{"class": "car_t"}, {"class": "bite"}]),
        ({"class_id": "bite"}, [{"class": "bite"}]),
        (
            {"class_id": "bite", "products": ("teclistamab", "elranatamab")},
            [{"class": "bite", "product": "teclistamab"}, {"class": "bite", "product": "elranatamab"}],
        ),
    ],
)
def test_one_finding_for_every_option_a_rule_concerns(fields, expected):
    assert [finding.applies_to for finding in judged(rule(DIALYSIS, **fields), {"dialysis": "yes"})] == expected


@pytest.mark.parametrize("region", ["US", "EU", "China"])
def test_a_rule_of_a_region_speaks_there_only(region):
    ill = {"dialysis": "yes"}
    assert state(rule(DIALYSIS), ill, region=region) == "fires"
    for own in ("US", "EU", "China"):
        assert state(rule(DIALYSIS, region=own), ill, region=region) == ("fires" if own == region else "silent")


def fired(topic, values, **where):
    """Ids of the shipped rules of a topic that fire."""
    return {each.id.removeprefix(topic) for each in judged(None, values, **where)
            if each.state == "fires" and each.id.startswith(topic)}  # fmt: skip


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("US", {"car-t", "teclistamab", "linvoseltamab", "elranatamab"}),
        ("EU", {"car-t", "teclistamab", "linvoseltamab", "elranatamab"}),
        ("China", {"car-t", "teclistamab", "linvoseltamab", "elranatamab"}),
    ],
)
def test_active_infection_defers_every_product_in_every_region(region, expected):
    assert fired("infection.active-infection-", {"active_infection": "yes"}, region=region) == expected


@for_each(
    ("day", "weeks", "expected"),
    [
        ("2021-03-26", 3, {"us-before-2025"}),
        ("2025-06-25", 3, {"us-before-2025"}),
        ("2025-06-25", 4, set()),
        ("2025-06-26", 3, set()),
        ("2025-06-26", 1, {"us"}),
        ("2026-11-01", 1, {"us"}),
    ],
)
def test_the_us_labels_of_car_t_ask_for_two_weeks_near_the_centre_instead_of_four(day, weeks, expected):
    assert fired("practical.near-centre-car-t-", {"weeks_near_centre": f"{weeks} weeks"}, day=day) == expected


@pytest.mark.parametrize(
    ("day", "weeks", "expected"),
    [
        ("2025-06-25", 7, {"us-before-2025"}),
        ("2025-06-25", 8, set()),
        ("2025-06-26", 7, set()),
        ("2025-06-26", 1, {"us"}),
    ],
)
def test_the_us_labels_of_car_t_ask_for_two_weeks_without_driving_instead_of_eight(day, weeks, expected):
    assert fired("practical.driving-car-t-", {"weeks_without_driving": f"{weeks} weeks"}, day=day) == expected


@pytest.mark.parametrize(
    ("region", "day", "expected"),
    [
        ("US", "2026-03-04", {"teclistamab-us-before-2026", "elranatamab-us", "linvoseltamab-us"}),
        ("US", "2026-03-05", {"teclistamab-us", "elranatamab-us", "linvoseltamab-us"}),
        ("EU", "2026-03-05", {"teclistamab-eu", "elranatamab-eu", "linvoseltamab-eu"}),
    ],
)
def test_who_cannot_be_monitored_at_step_up(region, day, expected):
    assert fired("practical.step-up-", {"monitoring_possible": "no"}, region=region, day=day) == expected


@for_each(
    ("fields", "day", "expected"),
    [
        ({"since": "2025-06"}, "2025-05-31", "silent"),
        ({"since": "2025-06"}, "2025-06-15", "cannot_be_judged"),
        ({"since": "2025-06"}, "2025-06-30", "fires"),
        ({"until": "2025-06"}, "2025-05-31", "fires"),
        ({"until": "2025-06"}, "2025-06-15", "cannot_be_judged"),
        ({"until": "2025-06"}, "2025-07-01", "silent"),
        ({"since": "2024", "until": "2025-06-26"}, "2024-03-01", "cannot_be_judged"),
        ({"since": "2024", "until": "2025-06-26"}, "2025-06-25", "fires"),
    ],
)
def test_inside_a_month_known_as_such_a_rule_cannot_be_judged(fields, day, expected):
    found = judged(rule(DIALYSIS, **fields), {"dialysis": "yes"}, day=day)
    assert [each.state for each in found] == ([] if expected == "silent" else [expected])
    if expected == "cannot_be_judged":
        assert [next(iter(fields.values())) in word for word in found[0].needs] == [True]


def test_a_rule_that_does_not_hold_is_silent_even_on_a_doubtful_day():
    assert state(rule(DIALYSIS, since="2025-06"), {"dialysis": "no"}, day="2025-06-15") == "silent"


SEVERITIES = ["contraindication", "caution", "information"]


def test_findings_come_worst_first_and_open_ones_after_those_that_fire():
    certain, opened = DIALYSIS, {"trait": "hiv", "is": True}
    rules = [
        rule(when, id=f"kidney.{severity}-{name}-{basis}", severity=severity, basis=basis)
        for basis in ("recalled", "verified")
        for when, name in ((opened, "open"), (certain, "fires"))
        for severity in reversed(SEVERITIES)
    ]
    model = replace(MODEL, rules=replace(MODEL.rules, rules=tuple(rules)))
    order = [finding.id for finding in compare(Patient(dialysis="yes"), pooled=model).findings]
    assert [name for name in order if name.startswith("kidney.")] == [
        f"kidney.{severity}-{name}-{basis}"
        for basis in ("verified", "recalled")
        for severity in SEVERITIES
        for name in ("fires", "open")
    ]


@for_each(
    ("values", "name"),
    [
        ({"dialysis": "yes", "creatinine_clearance": 90}, "kidney.dialysis-car-t"),
        ({"renal_impairment": "no", "creatinine_clearance": 12}, "kidney.fludarabine-30-to-49"),
        ({"frail": "no", "ecog": 4}, "fitness.frail-car-t"),
        ({"high_risk_cytogenetics": "no", "del_17p": "yes"}, "disease-features.high-risk-cytogenetics-car-t"),
        ({"prior_bcma": "no", "prior_bcma_courses": "car_t:7"}, "sequence.prior-bcma-ide-cel"),
        ({"prior_bcma": "no", "prior_bcma_courses": "car_t:7"}, "sequence.car-t-within-9-months-teclistamab"),
    ],
)
def test_a_rule_takes_what_contradicts_itself_as_not_given(values, name):
    found = judged(shipped(name), values)
    assert {each.state for each in found} == {"cannot_be_judged"}
    assert found == judged(shipped(name), {})


def test_a_rule_uses_an_input_that_merely_speaks_for_another_answer():
    values = {"frail": "no", "age": 82}
    assert {each.state for each in judged(shipped("fitness.frail-car-t"), values)} == {"cannot_be_judged"}
    assert {each.state for each in judged(shipped("fitness.age-70-car-t"), values)} == {"fires"}


@for_each(
    "when",
    [
        {"courses": ["car_t"]},
        {"courses": ["adc", "bispecific"], "months": {"below": 6}},
        {"drug_class": "bcma_bispecific", "state": "exposed"},
        {"drug_class": "bcma_antibody_drug_conjugate", "state": "refractory"},
        {"drugs": ["teclistamab", "idecabtagene vicleucel"], "state": "exposed"},
    ],
)
def test_no_earlier_bcma_therapy_rules_out_every_course_and_drug_of_it(when):
    assert state(rule(when), {"prior_bcma": "no"}) == "silent"
    assert state(rule(when), {}) == "cannot_be_judged"


@for_each(
    ("drugs", "prior_bcma", "prior_redirection"),
    [
        (["talquetamab"], "cannot_be_judged", "silent"),
        (["teclistamab", "talquetamab"], "cannot_be_judged", "silent"),
        (["belantamab mafodotin"], "silent", "cannot_be_judged"),
        (["elranatamab"], "silent", "silent"),
        (["bortezomib"], "cannot_be_judged", "cannot_be_judged"),
    ],
)
def test_a_summary_rules_out_only_drugs_it_covers(drugs, prior_bcma, prior_redirection):
    given = rule({"drugs": drugs, "state": "exposed"})
    assert prior_bcma == state(given, {"prior_bcma": "no"})
    assert prior_redirection == state(given, {"prior_t_cell_redirection": "no"})


@for_each(
    ("values", "expected"),
    [
        ({"prior_bcma_courses": "car_t:7"}, "fires"),
        ({"prior_bcma_courses": "car_t:8.9"}, "fires"),
        ({"prior_bcma_courses": "car_t:9"}, "silent"),
        ({"prior_bcma_courses": "car_t:12"}, "silent"),
        ({"prior_bcma_courses": "car_t:20, car_t:7"}, "fires"),
        ({"prior_bcma_courses": "car_t"}, "cannot_be_judged"),
        ({"exposed_to": "cilta-cel"}, "cannot_be_judged"),
        ({"prior_bcma_courses": "adc:2"}, "cannot_be_judged"),
        ({"prior_bcma": "yes"}, "cannot_be_judged"),
        ({"prior_bcma": "no"}, "silent"),
        ({"prior_t_cell_redirection": "no"}, "silent"),
    ],
)
def test_car_t_less_than_nine_months_ago_weighs_on_teclistamab(values, expected):
    assert state(shipped("sequence.car-t-within-9-months-teclistamab"), values) == expected


def test_a_car_t_of_unknown_time_asks_for_the_time():
    for values in ({"prior_bcma_courses": "car_t"}, {"refractory_to": "ide-cel"}):
        found = judged(shipped("sequence.car-t-within-9-months-teclistamab"), values)
        assert [each.needs for each in found] == [("time since the BCMA CAR-T",)]
