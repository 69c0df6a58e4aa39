"""Practical facts: in force where and when they hold, the class before the product, and never a dose."""

from __future__ import annotations

import re
from datetime import date

import pytest
from msgspec.structs import replace

from bcma_decide import Patient, compare, load_model
from bcma_decide.pooled.rule_book import PracticalFact
from bcma_decide.rules.practical import practical_rows
from tests.support.cases import for_each

MODEL = load_model()
BOOK = MODEL.rules
CAR_T = ("ide-cel", "cilta-cel")
PLACES = [(region, day) for region in BOOK.regions for day in ("2023-01-01", "2025-06-25", MODEL.date)]
DOSE = re.compile(r"\d\s*(mg|µg|ug|mcg|g)\b(?!/d?L)|/kg|/m2|/m²|\d\s*[x×]\s*10\s*\^?\d|10\^\d", re.IGNORECASE)


def rows(region="US", day="2026-11-01", book=BOOK):
    return {row.topic: row for row in practical_rows(book, region, date.fromisoformat(day))}


def texts(topic, product, **where):
    row = rows(**where).get(topic)
    return " | ".join(fact.text for fact in row.facts.get(product, ())) if row else ""


@for_each("product", CAR_T)
@for_each(
    ("topic", "before", "after"),
    [("stay", "4 weeks", "2 weeks"), ("driving", "8 weeks", "2 weeks"), ("rems", "certified sites", "none since")],
)
def test_the_us_rules_of_car_t_changed_on_26_june_2025(topic, before, after, product):
    older, newer = texts(topic, product, day="2025-06-25"), texts(topic, product, day="2025-06-26")
    assert before in older
    assert after not in older
    assert after in newer
    assert before not in newer


@pytest.mark.parametrize(
    ("day", "stay"), [("2026-03-04", "each of the three"), ("2026-03-05", "step-up doses 1 and 2")]
)
def test_the_hospital_stay_of_teclistamab_changed_in_march_2026(day, stay):
    assert stay in texts("stay", "teclistamab", day=day)


def test_bispecific_antibodies_keep_their_rems():
    for product in ("teclistamab", "elranatamab", "linvoseltamab"):
        assert "REMS" in texts("rems", product, day="2026-11-01")


def test_there_is_no_rems_outside_the_us():
    assert [region for region in BOOK.regions if "rems" in rows(region)] == ["US"]


@pytest.mark.parametrize(
    ("product", "us", "eu"),
    [
        ("teclistamab", "in hospital for 48 hours", "no fixed admission"),
        ("elranatamab", "in hospital for 48 hours", "no compulsory admission"),
        ("linvoseltamab", "in hospital for 24 hours", "near the centre"),
        ("cilta-cel", "2 weeks", "at least 4 weeks"),
    ],
)
def test_the_stay_is_that_of_the_region(product, us, eu):
    assert us in texts("stay", product, region="US")
    assert eu in texts("stay", product, region="EU")
    assert us not in texts("stay", product, region="EU")


@for_each(("region", "day"), PLACES)
def test_only_facts_of_the_region_are_there_the_class_first(region, day):
    products = {product.id: product for product in BOOK.products}
    for row in rows(region, day).values():
        for name, facts in row.facts.items():
            shared = {fact.text for fact in BOOK.class_facts[products[name].class_id]}
            own = [fact.text not in shared for fact in facts]
            assert own == sorted(own)
            assert {fact.region for fact in facts} <= {None, region}
            everything = (*products[name].facts, *BOOK.class_facts[products[name].class_id])
            assert {fact.text for fact in facts} <= {fact.text for fact in everything if fact.topic == row.topic}


def test_topics_come_in_the_order_of_the_file_and_without_empty_rows():
    order = [topic.id for topic in BOOK.topics]
    found = list(rows())
    assert found == [topic for topic in order if topic in found]
    assert all(row.facts and all(row.facts.values()) for row in rows().values())


@pytest.mark.parametrize(("day", "expected"), [("2025-05-31", ["old"]), ("2025-06-30", ["new"])])
def test_a_fact_gives_way_to_its_successor(day, expected):
    facts = (
        PracticalFact("stay", "old", "verified", until="2025-06"),
        PracticalFact("stay", "new", "verified", since="2025-06"),
        PracticalFact("stay", "elsewhere", "verified", region="EU"),
    )
    product = replace_facts("teclistamab", facts)
    book = replace(BOOK, products=(product,), class_facts={})
    assert [fact.text for fact in rows(day=day, book=book)["stay"].facts["teclistamab"]] == expected


def replace_facts(name, facts):
    return replace(next(product for product in BOOK.products if product.id == name), facts=facts)


def practice(region="US", day=MODEL.date):
    return compare(Patient(), region=region, date=date.fromisoformat(day)).practice


def test_what_is_recalled_says_so():
    lines = {row.topic: row.facts for row in practice()}
    assert [line.basis for line in lines["driving"]["linvoseltamab"]] == ["recalled"]
    assert {line.basis for line in lines["stay"]["linvoseltamab"]} == {"verified"}
    recalled = [line for row in practice() for facts in row.facts.values() for line in facts if not line.sources]
    assert recalled
    assert {line.basis for line in recalled} == {"recalled"}


def test_the_patient_changes_nothing():
    assert practice() == compare(Patient(age=80, dialysis="yes", prior_bcma="no")).practice


@for_each(("region", "day"), PLACES)
def test_no_dose_is_shown(region, day):
    shown = [row for row in practice(region, day) if row.shown]
    assert {"dose", "maintenance_dose"}.isdisjoint(row.topic for row in shown)
    lines = [line.text for row in shown for facts in row.facts.values() for line in facts]
    assert [text for text in lines if DOSE.search(text)] == []


def test_the_text_of_no_rule_holds_a_dose():
    blood_counts = re.compile(r"[\d.]+ x 10\^9/L")
    texts_of_rules = {rule.id: blood_counts.sub("", rule.text) for rule in BOOK.rules}
    assert [name for name, text in texts_of_rules.items() if DOSE.search(text.replace("/1.73 m2", ""))] == []


@for_each(
    "text", ["1.5 mg/kg weekly", "76 mg", "0.75 x10^6 cells", "300-460 × 10^6", "30 mg/m2", "25 mg per square", "1 g"]
)
def test_the_pattern_knows_a_dose(text):
    assert DOSE.search(text)


@pytest.mark.parametrize("text", ["IgG below 400 mg/dL", "days 1, 4 and 7", "48 hours", "225 of 254, 89 %"])
def test_the_pattern_knows_what_is_none(text):
    assert not DOSE.search(text)
