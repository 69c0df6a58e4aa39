"""What is said of a label: which one held, what stands in its place where none did, and what is open around a change.

The products here are made up, so that every course of dates can be had.
"""

from datetime import date

from bcma_decide.facts.traits import derive
from bcma_decide.logic import Bounds
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.conditions import Within
from bcma_decide.pooled.definitions import shipped_definitions
from bcma_decide.pooled.rule_book import Label, LabelItem, PracticalFact, Product, RuleBook, Topic
from bcma_decide.rules.indications import indications
from bcma_decide.rules.labels_in_force import labelled
from bcma_decide.rules.practical import practical_rows
from tests.support.cases import for_each

ON = date(2024, 4, 15)
FOUR = LabelItem("four or more earlier lines", Within("prior_lines", Bounds(at_least=4), "lines"))
TWO = LabelItem("two or more earlier lines", Within("prior_lines", Bounds(at_least=2), "lines"))


def label(item=FOUR, since="2021-03-26", until=None, **more):
    values = {
        "region": "US", "regimen": "monotherapy", "approval": "full", "items": (item,), "basis": "verified",
        "source": "label-2021", "seen": "2024-04", "since": since, "until": until, "note": "seen once",
    }  # fmt: skip
    return Label(**values | more)


def product_of(*labels):
    return Product("some-cel", "some autoleucel", None, "car_t", labels, ())


def judged(*labels, on=ON, names=None, **values):
    facts = derive(Patient(**values), shipped_definitions()).facts
    book = RuleBook("2026-11-01", (), (), {}, (product_of(*labels),), {})
    return indications(book, facts, "US", on, names or {}, 3)["some-cel"]


def items_of(found):
    return [(item.text, item.state, item.value, item.needs) for item in found.items]


def test_the_label_in_force_is_told_with_its_source():
    found = judged(label(since="2021-03-26", until="2025-01-01"), prior_lines=4)
    assert items_of(found) == [("four or more earlier lines", "met", "earlier lines of therapy 4", ())]
    assert (found.state, found.region, found.date, found.label, found.class_id, found.regimen) == (
        "met", "US", "2024-04-15", "Some-cel", "car_t", "monotherapy",
    )  # fmt: skip
    assert (found.approval, found.since, found.until, found.sources, found.basis, found.note) == (
        "full", "2021-03-26", "2025-01-01", ("label-2021",), "verified", "seen once",
    )  # fmt: skip


def test_a_label_without_a_source_names_none():
    assert judged(label(source=None), prior_lines=4).sources == ()


def test_a_product_goes_by_the_name_of_its_option():
    assert judged(label(), names={"some-cel": "Some product"}).label == "Some product"


@for_each(
    ("labels", "seen"),
    [
        ((), "none seen"),
        ((label(region="EU"),), "none seen"),
        ((label(until="2023-01-01"),), "none seen"),
        ((label(since=None, until="2023-01-01"),), "none seen"),
        ((label(approval="pending", since=None),), "application pending"),
        ((label(approval="not_approved", since=None),), "not approved when last seen"),
        ((label(since="2024-04-16"),), "labelled there since 2024-04-16"),
        ((label(since="2025"),), "labelled there since 2025"),
        (
            (label(since="2025", regimen="monotherapy"), label(approval="pending", since=None)),
            "application pending",
        ),
        ((label(until="2023-01-01"), label(since="2025")), "labelled there since 2025"),
    ],
    ids=["nothing", "another region", "withdrawn", "withdrawn, begun at any time", "pending", "not approved",
         "from the next day", "from next year", "applied for again", "there was one and there will be"],
)  # fmt: skip
def test_what_is_seen_in_the_place_of_a_label(labels, seen):
    found = judged(*labels, prior_lines=9)
    assert found.state == "not_met"
    assert items_of(found) == [("a label in US on 2024-04-15", "not_met", seen, ())]
    waits = seen.startswith(("application", "not approved"))
    assert (found.since, found.until) == (None, None)
    assert (bool(found.approval), bool(found.sources), bool(found.basis), found.note) == (
        waits, waits, waits, "seen once" if waits else "",
    )  # fmt: skip


def test_a_pending_application_says_its_opinion():
    found = judged(label(approval="pending", since=None, opinion="2024-02-29"))
    assert (found.state, found.opinion) == ("not_met", "2024-02-29")
    assert found.items[0].value == "application pending: positive opinion 2024-02-29, no decision seen"


@for_each(
    ("seen", "aged"),
    [("2024-01-14", 3), ("2024-01-15", None), ("2024-01", None), ("2023-12", 3), ("2023", 3), ("2024-04-15", None)],
)
def test_a_label_seen_more_than_three_months_ago_says_so(seen, aged):
    """On 15 April 2024: three months after 15 January are reached on that day and not yet passed."""
    assert judged(label(seen=seen), prior_lines=4).aged_months == aged


OLD, NEW = label(FOUR, until="2024-04"), label(TWO, since="2024-04", source="label-2024")


@for_each(("lines", "state"), [(4, "met"), (1, "not_met"), (3, "cannot_be_judged")])
def test_inside_the_month_of_a_change_both_labels_are_asked(lines, state):
    found = judged(OLD, NEW, prior_lines=lines)
    assert found.state == state
    assert found.since == "2024-04"
    open_day = ("label in force on 2024-04-15", "cannot_be_judged", "changed in 2024-04", ("the day of the change",))
    assert (open_day in items_of(found)) is (state == "cannot_be_judged")


@for_each(("day", "since"), [(date(2024, 3, 31), "2021-03-26"), (date(2024, 4, 30), "2024-04")])
def test_outside_it_only_one_is(day, since):
    found = judged(OLD, NEW, on=day, prior_lines=9)
    assert (found.state, found.since, len(found.items)) == ("met", since, 1)


def test_of_two_labels_that_held_the_newer_is_asked():
    found = judged(label(FOUR), label(TWO, since="2023-05-01"), prior_lines=3)
    assert (found.state, found.since) == ("met", "2023-05-01")


def test_a_label_that_certainly_held_comes_before_one_that_may_have():
    found = judged(label(FOUR), label(TWO, since="2024-04"), prior_lines=3)
    assert (found.state, found.since) == ("not_met", "2021-03-26")


@for_each(("lines", "state"), [(4, "cannot_be_judged"), (1, "not_met"), (None, "cannot_be_judged")])
def test_a_label_of_which_no_beginning_is_known_may_have_held(lines, state):
    found = judged(label(FOUR, since=None), **({"prior_lines": lines} if lines else {}))
    assert found.state == state
    assert items_of(found)[0] == (
        "label in force on 2024-04-15", "cannot_be_judged", "its beginning is not known", ("the day of the change",),
    )  # fmt: skip
    assert len(found.items) == 2


def test_of_two_labels_that_may_have_held_the_one_with_a_date_is_told():
    found = judged(label(FOUR, since=None), label(TWO, since="2024-04"), prior_lines=3)
    assert (found.state, found.since, found.items[0].value) == ("cannot_be_judged", "2024-04", "changed in 2024-04")


def test_what_giving_it_takes_is_told_only_where_it_has_a_label():
    fact = PracticalFact("stay", "ten days in hospital", "verified")
    product = product_of(label(region="EU"))
    book = RuleBook("2026-11-01", (), (Topic("stay", "Stay", True),), {"car_t": (fact,)}, (product,), {})
    assert practical_rows(book, "US", ON) == ()
    (row,) = practical_rows(book, "EU", ON)
    assert [line.text for line in row.facts["some-cel"]] == ["ten days in hospital"]


def test_other_regimens_stand_inside_the_first():
    found = judged(label(), label(TWO, regimen="with daratumumab"), prior_lines=3)
    assert (found.regimen, found.state) == ("monotherapy", "not_met")
    (other,) = found.other_regimens
    assert (other.regimen, other.state, other.other_regimens) == ("with daratumumab", "met", ())
    assert judged(label()).other_regimens == ()


@for_each(
    ("labels", "expected"),
    [
        ((label(),), True),
        ((label(region="EU"),), False),
        ((label(since="2024-04"),), True),
        ((label(since="2024-04-16"),), False),
        ((label(since=None),), True),
        ((label(since=None, approval="pending"),), False),
        ((label(until="2024-04-15"),), False),
        ((label(until="2024-04-16"),), True),
        ((label(region="EU"), label()), True),
    ],
)
def test_whether_a_product_may_have_a_label(labels, expected):
    assert labelled(product_of(*labels), "US", ON) is expected
