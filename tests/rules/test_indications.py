"""Labelled indications of 2021 to 2026: which product was labelled for whom, where and on which day."""

from __future__ import annotations

from datetime import date

import pytest

from bcma_decide import Patient, ProfileError, compare, load_model
from bcma_decide.facts.traits import derive
from bcma_decide.rules.indications import indications
from tests.support.cases import for_each

MODEL = load_model()
MET, NOT_MET, OPEN = "met", "not_met", "cannot_be_judged"
GIVEN = {"exposed_to": "bortezomib, lenalidomide, daratumumab"}
FAILED = {"refractory_to": "bortezomib, lenalidomide, daratumumab"}
NO_ANTI_CD38 = {"exposed_to": "bortezomib, lenalidomide", "naive_to": "daratumumab, isatuximab"}
BOTH_ANTI_CD38_GIVEN = {"exposed_to": "bortezomib, lenalidomide, daratumumab, isatuximab"}
TWO_CLASSES = {"exposed_to": "bortezomib, lenalidomide"}
LENALIDOMIDE_FAILED = {"exposed_to": "bortezomib", "refractory_to": "lenalidomide"}
TRIPLE = {"triple_class_refractory": "yes"}
PROGRESSED = {"progression_on_last_therapy": "yes"}


def lines(number, *more, **values):
    """A patient after so many lines."""
    return {"prior_lines": number} | {key: value for each in more for key, value in each.items()} | values


GOLDEN = [
    # ide-cel, US: from 2021-03-26 after four lines, from April 2024 (day not seen) after two; three classes given
    ("ide-cel", "US", "2021-03-25", lines(5, GIVEN), NOT_MET),
    ("ide-cel", "US", "2021-03-26", lines(4, GIVEN), MET),
    ("ide-cel", "US", "2021-03-26", lines(3, GIVEN), NOT_MET),
    ("ide-cel", "US", "2024-03-31", lines(3, GIVEN), NOT_MET),
    ("ide-cel", "US", "2024-04-15", lines(4, GIVEN), MET),  # under the old label and the new
    ("ide-cel", "US", "2024-04-15", lines(3, GIVEN), OPEN),  # under the new label only
    ("ide-cel", "US", "2024-04-15", lines(1, GIVEN), NOT_MET),  # under neither
    ("ide-cel", "US", "2024-05-01", lines(2, GIVEN), MET),
    ("ide-cel", "US", "2024-05-01", lines(1, GIVEN), NOT_MET),
    ("ide-cel", "US", "2024-05-01", lines(2, FAILED), MET),  # refractory means given
    ("ide-cel", "US", "2024-05-01", lines(2, TRIPLE), MET),
    ("ide-cel", "US", "2024-05-01", lines(2, TWO_CLASSES), OPEN),
    ("ide-cel", "US", "2024-05-01", lines(2, NO_ANTI_CD38), NOT_MET),
    ("ide-cel", "US", "2024-05-01", GIVEN, OPEN),
    ("ide-cel", "US", "2024-05-01", {}, OPEN),
    ("ide-cel", "US", "2026-11-01", lines(2, GIVEN, progression_on_last_therapy="no"), MET),  # no such clause in the US
    # ide-cel, EU: from 2021-08-18 after three therapies, from March 2024 after two; progression on the last
    ("ide-cel", "EU", "2021-08-17", lines(3, GIVEN, PROGRESSED), NOT_MET),
    ("ide-cel", "EU", "2021-08-18", lines(3, GIVEN, PROGRESSED), MET),
    ("ide-cel", "EU", "2021-08-18", lines(3, GIVEN), OPEN),
    ("ide-cel", "EU", "2021-08-18", lines(3, GIVEN, progression_on_last_therapy="no"), NOT_MET),
    ("ide-cel", "EU", "2024-02-29", lines(2, GIVEN, PROGRESSED), NOT_MET),
    ("ide-cel", "EU", "2024-03-15", lines(2, GIVEN, PROGRESSED), OPEN),
    ("ide-cel", "EU", "2024-03-15", lines(3, GIVEN, PROGRESSED), MET),
    ("ide-cel", "EU", "2024-04-01", lines(2, GIVEN, PROGRESSED), MET),
    ("ide-cel", "China", "2026-11-01", lines(5, GIVEN, PROGRESSED), NOT_MET),
    # cilta-cel, US: from 2022-02-28 after four lines, from 2024-04-05 after one if refractory to lenalidomide
    ("cilta-cel", "US", "2022-02-27", lines(4, FAILED), NOT_MET),
    ("cilta-cel", "US", "2022-02-28", lines(4, FAILED), MET),
    ("cilta-cel", "US", "2022-02-28", lines(3, FAILED), NOT_MET),
    ("cilta-cel", "US", "2024-04-04", lines(1, LENALIDOMIDE_FAILED), NOT_MET),
    ("cilta-cel", "US", "2024-04-05", lines(1, LENALIDOMIDE_FAILED), MET),
    ("cilta-cel", "US", "2024-04-05", lines(1, TWO_CLASSES), NOT_MET),  # lenalidomide given, not failed
    ("cilta-cel", "US", "2024-04-04", lines(4, GIVEN), MET),
    ("cilta-cel", "US", "2024-04-05", lines(4, GIVEN), NOT_MET),
    ("cilta-cel", "US", "2024-04-05", lines(1, TRIPLE), OPEN),  # whether it was lenalidomide that failed
    ("cilta-cel", "US", "2024-04-05", {"refractory_to": "lenalidomide"}, OPEN),
    # cilta-cel, EU: from 2022 (day not seen) after three therapies, from April 2024 after one; progression on the last
    ("cilta-cel", "EU", "2022-05-15", lines(3, FAILED, PROGRESSED), OPEN),
    ("cilta-cel", "EU", "2022-05-15", lines(2, FAILED, PROGRESSED), NOT_MET),
    ("cilta-cel", "EU", "2023-06-01", lines(3, FAILED, PROGRESSED), MET),
    ("cilta-cel", "EU", "2023-06-01", lines(2, FAILED, PROGRESSED), NOT_MET),
    ("cilta-cel", "EU", "2024-04-15", lines(3, FAILED, PROGRESSED), MET),
    ("cilta-cel", "EU", "2024-04-15", lines(1, LENALIDOMIDE_FAILED, PROGRESSED), OPEN),
    ("cilta-cel", "EU", "2024-04-15", lines(3, GIVEN, PROGRESSED), OPEN),  # under the old label only
    ("cilta-cel", "EU", "2024-05-01", lines(1, LENALIDOMIDE_FAILED, PROGRESSED), MET),
    ("cilta-cel", "EU", "2024-05-01", lines(1, LENALIDOMIDE_FAILED), OPEN),
    # China, Macau, Hong Kong, Singapore: three lines; classes as far as they were seen
    ("cilta-cel", "China", "2024-08-26", lines(3, TWO_CLASSES), NOT_MET),
    ("cilta-cel", "China", "2024-08-27", lines(3, TWO_CLASSES), MET),
    ("cilta-cel", "China", "2024-08-27", lines(2, TWO_CLASSES), NOT_MET),
    ("cilta-cel", "Hong Kong", "2026-11-01", lines(5, FAILED), NOT_MET),
    ("eque-cel", "China", "2023-06-29", lines(3, TWO_CLASSES), NOT_MET),
    ("eque-cel", "China", "2023-06-30", lines(3, TWO_CLASSES), MET),
    ("eque-cel", "China", "2023-06-30", lines(3), OPEN),
    ("eque-cel", "Macau", "2025-04-01", lines(3, TWO_CLASSES), MET),
    ("eque-cel", "Hong Kong", "2025-10-31", lines(3), NOT_MET),
    ("eque-cel", "Hong Kong", "2025-11-15", lines(3), OPEN),
    ("eque-cel", "Hong Kong", "2025-12-01", lines(3), MET),
    ("eque-cel", "Hong Kong", "2025-12-01", lines(2), NOT_MET),
    ("eque-cel", "Singapore", "2026-11-01", lines(5, FAILED), NOT_MET),  # application pending
    ("eque-cel", "US", "2026-11-01", lines(5, FAILED), NOT_MET),
    ("zevor-cel", "China", "2024-02-22", lines(3, TWO_CLASSES), NOT_MET),
    ("zevor-cel", "China", "2024-02-23", lines(3, TWO_CLASSES), MET),
    ("anito-cel", "US", "2026-11-01", lines(5, FAILED), NOT_MET),  # not approved when last seen
    # teclistamab: US from 2022-10-25 after four lines, EU from August 2022 after three therapies, China from June 2024
    ("teclistamab", "US", "2022-10-24", lines(4, GIVEN), NOT_MET),
    ("teclistamab", "US", "2022-10-25", lines(4, GIVEN), MET),
    ("teclistamab", "US", "2022-10-25", lines(3, GIVEN), NOT_MET),
    ("teclistamab", "US", "2026-03-05", lines(4, GIVEN), MET),
    ("teclistamab", "US", "2026-03-05", lines(1, TWO_CLASSES), NOT_MET),
    ("teclistamab", "EU", "2022-07-31", lines(3, GIVEN, PROGRESSED), NOT_MET),
    ("teclistamab", "EU", "2022-08-15", lines(3, GIVEN, PROGRESSED), OPEN),
    ("teclistamab", "EU", "2022-08-15", lines(2, GIVEN, PROGRESSED), NOT_MET),
    ("teclistamab", "EU", "2022-09-01", lines(3, GIVEN, PROGRESSED), MET),
    ("teclistamab", "EU", "2022-09-01", lines(3, TRIPLE), OPEN),
    ("teclistamab", "China", "2024-07-01", lines(3, GIVEN), MET),
    ("teclistamab", "China", "2024-07-01", lines(3, NO_ANTI_CD38), NOT_MET),
    # elranatamab: US from 2023-08-14, EU from 2023-12-07 (given, not failed, is asked), China from March 2025
    ("elranatamab", "US", "2023-08-13", lines(4, GIVEN), NOT_MET),
    ("elranatamab", "US", "2023-08-14", lines(4, GIVEN), MET),
    ("elranatamab", "EU", "2023-12-06", lines(3, GIVEN, PROGRESSED), NOT_MET),
    ("elranatamab", "EU", "2023-12-07", lines(3, GIVEN, PROGRESSED), MET),
    ("elranatamab", "CH", "2026-11-01", lines(3, BOTH_ANTI_CD38_GIVEN, PROGRESSED), NOT_MET),  # there: failed
    ("elranatamab", "China", "2025-04-01", lines(3, GIVEN), MET),
    # linvoseltamab: US from 2025-07-02, EU from April 2025
    ("linvoseltamab", "US", "2025-07-01", lines(4, GIVEN), NOT_MET),
    ("linvoseltamab", "US", "2025-07-02", lines(4, GIVEN), MET),
    ("linvoseltamab", "EU", "2025-03-31", lines(3, GIVEN, PROGRESSED), NOT_MET),
    ("linvoseltamab", "EU", "2025-04-15", lines(3, GIVEN, PROGRESSED), OPEN),
    ("linvoseltamab", "EU", "2025-05-01", lines(3, GIVEN, PROGRESSED), MET),
]


def verdicts(product, region, day, values):
    """Every regimen of a product, judged."""
    traits = derive(Patient.read(values), MODEL.definitions)
    assert traits.contradictions == ()
    first = indications(MODEL.rules, traits.facts, region, date.fromisoformat(day), {}, 3)[product]
    return {each.regimen: each for each in (first, *first.other_regimens)}


def single_agent(*question):
    return verdicts(*question)["monotherapy"]


@for_each(("product", "region", "day", "values", "expected"), GOLDEN)
def test_the_label_of_that_time_and_place(product, region, day, values, expected):
    found = single_agent(product, region, day, values)
    items = {item.state for item in found.items}
    assert found.state == expected
    assert expected in items
    assert expected != MET or items == {MET}
    assert all(bool(item.needs) == (item.state == OPEN) for item in found.items)


@for_each(
    ("region", "day", "values", "expected"),
    [
        ("US", "2026-03-04", lines(1, TWO_CLASSES), None),
        ("US", "2026-03-05", lines(1, TWO_CLASSES), MET),
        ("US", "2026-03-05", lines(1), OPEN),
        ("US", "2026-03-05", lines(1, exposed_to="bortezomib", naive_to="len, pom, thal"), NOT_MET),
        ("EU", "2026-11-01", lines(4, FAILED, PROGRESSED), NOT_MET),  # positive opinion, no decision seen
    ],
)
def test_teclistamab_with_daratumumab(region, day, values, expected):
    found = verdicts("teclistamab", region, day, values)["with daratumumab"]
    assert found.state == (expected or NOT_MET)
    assert expected is not None or (found.sources, found.since) == ((), None)


def test_the_single_agent_comes_first():
    found = verdicts("teclistamab", "US", "2026-11-01", {})
    assert list(found) == ["monotherapy", "with daratumumab"]
    assert list(verdicts("teclistamab", "China", "2026-11-01", {})) == ["monotherapy"]


def test_accelerated_approval_became_full_approval():
    kinds = [single_agent("teclistamab", "US", day, {}).approval for day in ("2026-03-04", "2026-03-05")]
    assert kinds == ["accelerated", "full"]


def test_a_label_is_judged_item_by_item():
    found = single_agent("ide-cel", "US", "2024-05-01", lines(1, exposed_to="bortezomib", naive_to="dara, isa"))
    assert [(item.text, item.state) for item in found.items] == [
        ("two or more earlier lines", NOT_MET),
        ("given an immunomodulatory drug", OPEN),
        ("given a proteasome inhibitor", MET),
        ("given an anti-CD38 antibody", NOT_MET),
    ]
    assert [item.value for item in found.items[:3]] == ["earlier lines of therapy 1", None, "given bortezomib"]


def test_what_is_missing_is_named():
    found = single_agent("cilta-cel", "EU", "2024-05-01", {})
    needs = " ".join(word for item in found.items for word in item.needs)
    for word in ("earlier lines", "immunomodulatory drug", "proteasome inhibitor", "lenalidomide", "progression"):
        assert word in needs
    assert len(found.items) == 5


def test_triple_class_refractory_counts_as_given_the_three_classes():
    found = single_agent("elranatamab", "US", "2026-11-01", TRIPLE)
    assert [item.state for item in found.items] == [OPEN, MET, MET, MET]
    assert {item.value for item in found.items[1:]} == {"triple-class refractory: yes"}


def test_not_triple_class_refractory_says_nothing_of_what_was_given():
    found = single_agent("elranatamab", "US", "2026-11-01", {"triple_class_refractory": "no"})
    assert {item.state for item in found.items} == {OPEN}


def test_inside_the_month_of_a_change_the_day_is_asked_for():
    found = single_agent("ide-cel", "US", "2024-04-15", lines(3, GIVEN))
    assert "2024-04-15" in found.items[0].text
    assert "2024-04" in found.items[0].value
    assert [item.state for item in found.items] == [OPEN, MET, MET, MET, MET]


@for_each("day", ["2021-01-01", "2025-01-29", "2026-06-25", "2026-11-01", "2030-01-01"])
def test_what_is_pending_or_not_approved_is_never_met(day):
    waiting = [
        (product.id, each.region, each.regimen)
        for product in MODEL.rules.products
        for each in product.indications
        if each.approval in ("pending", "not_approved")
    ]
    assert {("eque-cel", "Singapore", "monotherapy"), ("anito-cel", "US", "monotherapy"),
            ("teclistamab", "EU", "with daratumumab")} <= set(waiting)  # fmt: skip
    for product, region, regimen in waiting:
        assert verdicts(product, region, day, lines(8, FAILED, PROGRESSED))[regimen].state == NOT_MET


@pytest.mark.parametrize(("region", "hint"), [("Chinna", "did you mean 'China'?"), ("Mars", "one of US, EU, China")])
def test_a_region_without_labels_is_refused(region, hint):
    with pytest.raises(ProfileError) as caught:
        compare(Patient(), region=region)
    (problem,) = caught.value.problems
    assert problem.field == "region"
    assert hint in problem.fix


def test_a_comparison_carries_the_label_of_every_product():
    found = compare(Patient.read(lines(4, GIVEN)), region="US", date=date(2026, 11, 1))
    assert list(found.indications) == [product.id for product in MODEL.rules.products]
    states = {name: each.state for name, each in found.indications.items() if each.since}
    assert states == dict.fromkeys(("ide-cel", "teclistamab", "elranatamab", "linvoseltamab"), MET) | {
        "cilta-cel": NOT_MET
    }
    assert [each.regimen for each in found.indications["teclistamab"].other_regimens] == ["with daratumumab"]
    cited = {key for each in found.indications.values() for key in each.sources}
    assert cited <= {reference.key for reference in found.references}
