"""The clinician's sheet: what stands on it, in which state, and what it says of what it leaves out."""

import re

import pytest

from bcma_decide import Patient, compare
from bcma_decide.behind import Move
from bcma_decide.comparison import Estimate, Finding, Indication, IndicationItem, Reference, Unknown
from bcma_decide.patient.files import load_example
from bcma_decide.render.sheet import citing
from bcma_decide.render.sheet.clinician_front import BURDEN, burden_rows
from bcma_decide.render.sheet.clinician_view import Room, banners, clinician_view, in_columns
from bcma_decide.render.sheet.sheet import Sheet
from bcma_decide.render.words import rule_view
from tests.render.support.factory import INDICATIONS, UNKNOWNS, comparison, contrast, estimate, outcome
from tests.support.cases import for_each


def view(value=None, sheet=None, room=None):
    return clinician_view(value or comparison(), sheet or Sheet(), room or Room())


def rows(shown):
    return {row.outcome.id: row for window in shown.windows for row in window.rows}


def notes_of(shown):
    return [
        (letter, f"{lead}: {text}" if lead else text) for lead, notes in shown.notes_by_lead for letter, text in notes
    ]


def caution(number, **changes):
    fields = {
        "id": f"rule-{number}", "applies_to": {"class": "car_t"}, "severity": "caution", "state": "fires",
        "text": f"finding {number}", "value": f"value {number}", "threshold": "threshold", "origin": "study",
        "basis": "verified",
    }  # fmt: skip
    return Finding.model_validate({**fields, **changes})


class TestLedger:
    def test_every_trait_stands_in_exactly_one_group(self):
        value = comparison()
        said = [entry.text for group in view(value).ledger for entry in group.entries]
        for line in value.profile.traits:
            assert len([text for text in said if text.startswith(line.label)]) == 1

    def test_states_are_groups_of_their_own(self):
        groups = {group.title: [entry.text for entry in group.entries] for group in view().ledger}
        assert groups["Used"][0] == "Age: 72 years"
        assert "Triple-class refractory: yes (derived)" in groups["Used"]
        assert groups["Known, in no number"] == ["Frail: yes"]
        assert groups["Check inputs"][0].startswith("Renal impairment: eGFR 85 mL/min but marked as impaired")

    def test_missing_inputs_say_whether_they_change_the_picture(self):
        move = UNKNOWNS[1].moves[0].model_copy(update={"unstable": True})
        unstable = UNKNOWNS[1].model_copy(update={"moves": (move,)})
        shown = view(comparison(unknowns=(UNKNOWNS[0], unstable)))
        groups = {group.title: {entry.text for entry in group.entries} for group in shown.ledger}
        assert groups["Missing, changes the picture"] == {"High-risk cytogenetics"}
        assert "High ferritin" in groups["Missing, does not change the picture"]

    def test_a_contradiction_marks_the_sheet(self):
        assert view().banners == (
            "Check inputs: some contradict each other and were taken as unknown; see the profile.",
        )

    @for_each("lines", range(1, 31))
    def test_a_true_profile_has_no_banner_whatever_the_number_of_lines(self, lines):
        patient = Patient(
            age=55, prior_lines=lines, refractory_to="lenalidomide", exposed_to="daratumumab, bortezomib", ecog=0,
            progression_on_last_therapy="yes",
        )  # fmt: skip
        assert banners(compare(patient)) == ()

    def test_a_number_beyond_the_range_stands_with_the_inputs_used(self):
        found = compare(Patient(age=55, prior_lines=1))
        groups = {group.title: [entry.text for entry in group.entries] for group in view(found).ledger}
        (remark,) = (each.text for each in found.findings if each.id == "held.prior_lines")
        assert remark in groups["Used"]
        assert "Check inputs" not in groups

    def test_a_pair_that_contradicts_has_the_banner_and_says_both_values(self):
        found = compare(Patient(ecog=1, karnofsky=30))
        assert banners(found) != ()
        groups = {group.title: [entry.text for entry in group.entries] for group in view(found).ledger}
        said = "ECOG performance status 1 beside Karnofsky performance status 30"
        assert any(said in text for text in groups["Check inputs"])

    def test_evidence_that_is_out_of_date_marks_the_sheet(self):
        stamp = comparison().evidence.model_copy(update={"out_of_date": True})
        value = comparison(evidence=stamp)
        assert "Evidence out of date: it is of 2026-11-01, the day asked for is 2026-11-01." in view(value).banners


class TestRows:
    def test_benefit_first_and_rows_of_one_time_window_together(self):
        shown = view()
        assert shown.windows[0].rows[0].outcome.id == "orr"
        titles = [window.title for window in shown.windows]
        assert len(titles) == len(set(titles))
        directions = [row.outcome.direction for window in shown.windows for row in window.rows]
        assert directions == sorted(directions)  # benefit before harm
        assert [row.number for window in shown.windows for row in window.rows] == list(range(1, len(directions) + 1))

    def test_rows_and_icons_asked_for(self):
        shown = view(sheet=Sheet(rows=("crs_any", "orr"), icons=("crs_any",)))
        assert set(rows(shown)) == {"orr", "crs_any"}
        assert [each.outcome.id for each in shown.icons] == ["crs_any"]

    def test_icons_are_of_rows_shown(self):
        assert [each.outcome.id for each in view(sheet=Sheet(rows=("icans_any",))).icons] == ["icans_any"]
        assert [each.outcome.id for each in view(sheet=Sheet(rows=("icans_any", "orr"))).icons] == ["orr"]

    def test_a_difference_only_where_it_is_estimable(self):
        shown = rows(view())
        assert (shown["orr"].difference, shown["orr"].interval) == ("+8", "−13 to +29")
        assert shown["apheresed_not_infused"].difference == "not comparable"

    def test_an_unstable_number_says_what_each_value_would_give_and_withholds_the_word(self):
        move = Move(
            outcome="vgpr_or_better", option="car_t", low=0.33, high=0.6, low_when="present", high_when="absent",
            unstable=True,
        )  # fmt: skip
        unknown = Unknown(trait="iss_3", label="ISS stage III", needs="", moves=(move,))
        stable, unstable = (rows(view(comparison(unknowns=u)))["vgpr_or_better"] for u in ((), (unknown,)))
        assert stable.higher == "72 %, likely"
        assert unstable.higher == "72 %"
        assert [cell.depends for cell in unstable.cells] == ["ISS stage III: 33 if present, 60 if absent", ""]
        assert unstable.cells[0].estimate == stable.cells[0].estimate

    def test_of_several_unstable_traits_the_widest_is_named(self):
        def unknown(label, low):
            move = Move(
                outcome="orr", option="car_t", low=low, high=0.6, low_when="a", high_when="b", unstable=True
            )  # fmt: skip
            return Unknown(trait=label, label=label, needs="", moves=(move,))

        shown = rows(view(comparison(unknowns=(unknown("narrow", 0.48), unknown("wide", 0.2)))))
        assert shown["orr"].cells[0].depends == "wide: 20 if a, 60 if b"

    def test_a_note_stands_once_under_the_table_and_its_letter_in_every_row_that_has_it(self):
        note = "followed for different times"
        two = tuple(
            outcome(name, estimate(0.3, 0.5), estimate(0.2, 0.5), contrast(0.1, (-0.1, 0.3), 0.8), notes=(note,))
            for name in ("crs_any", "crs_g3plus")
        )
        shown = view(comparison(outcomes=two))
        letters = [letter for letter, text in notes_of(shown) if text == note]
        assert len(letters) == 1
        assert {row.marks for row in rows(shown).values()} == set(letters)

    def test_more_notes_than_letters_stay_apart(self):
        notes = tuple(f"note {n}" for n in range(60))
        many = (outcome("orr", estimate(0.3, 0.5), estimate(0.2, 0.5), None, notes=notes),)
        letters = [letter for letter, _ in notes_of(view(comparison(outcomes=many)))]
        assert len(set(letters)) == 60

    def test_certainty_is_one_word_or_one_per_column(self):
        pairs = {("low", "low"): "low", ("low", "very low"): "low / very low"}
        for (first, second), words in pairs.items():
            one = (outcome("orr", estimate(0.3, 0.5, first), estimate(0.2, 0.5, second), None),)
            assert rows(view(comparison(outcomes=one)))["orr"].certainty == words

    def test_no_number_at_all_is_not_rated(self):
        none = Estimate(state="no_evidence")
        shown = rows(view(comparison(outcomes=(outcome("orr", none, none, None, reason="x"),))))
        assert shown["orr"].certainty == "not rated"

    def test_reasons_of_the_certainty_name_their_rows(self):
        one = tuple(
            outcome(name, estimate(0.3, 0.5, reasons=reasons), estimate(0.2, 0.5, reasons=("start at low: x",)), None)
            for name, reasons in (
                ("orr", ("start at low: x", "down for imprecision: interval 42 points wide")),
                ("cr_or_better", ("start at low: x",)),
                ("crs_any", ("start at low: x", "down for imprecision: interval 21 points wide")),
            )
        )
        assert view(comparison(outcomes=one)).certainty == (
            "Start at low: x (all rows)",
            "Down for imprecision (CAR-T: 1, 3)",
        )


class TestOptions:
    def test_a_class_without_any_label_met_is_greyed_and_says_so(self):
        no = IndicationItem(text="four or more earlier lines", state="not_met", value="2")
        refused = {
            name: label.model_copy(update={"state": "not_met", "items": (no,), "other_regimens": ()})
            for name, label in INDICATIONS.items()
            if label.class_id == "bite"
        }
        columns = view(comparison(indications={**INDICATIONS, **refused})).columns
        assert [column.muted for column in columns] == [False, True]
        assert columns[1].label == "no label met (US): teclistamab"

    def test_no_label_at_all(self):
        assert {column.label for column in view(comparison(indications={})).columns} == {"no label seen (US)"}

    def test_contraindications_stand_over_the_column_of_their_class(self):
        findings = (
            caution(1, severity="contraindication"),
            caution(2, severity="contraindication", applies_to={"class": "car_t", "product": "cilta_cel"}),
            caution(3),
        )
        columns = view(comparison(findings=findings)).columns
        assert [column.warning for column in columns] == ["2 contraindications, see the findings", ""]

    def test_labels_that_say_the_same_stand_together(self):
        met = Indication(
            state="met", region="US", date="2026-11-01", label="x-cel", class_id="car_t", regimen="monotherapy",
            since="2024-01-01", items=(IndicationItem(text="one or more earlier lines", state="met"),),
        )  # fmt: skip
        labels = {"cilta_cel": met, "ide_cel": met.model_copy(update={"label": "y-cel"})}
        assert rule_view.label_lines(comparison(indications=labels)) == ("x-cel, y-cel: label met",)


def back(value, items=None):
    return view(value, room=Room(items=items)).back


def kept(shown, kind):
    return [item for block in shown.blocks if block.kind == kind for _place, item in block.items]


class TestBack:
    def test_filled_in_the_designed_order(self):
        findings = (caution(1, sources=("example-2024",)),)
        kinds = [block.kind for block in back(comparison(findings=findings)).blocks]
        assert kinds == ["findings", "method", "not_known", "sources"]

    def test_the_method_has_four_sentences(self):
        texts = [item.text for item in kept(back(comparison()), "method")]
        assert len(texts) == 4
        assert all(text.count(". ") == 0 and text.endswith(".") for text in texts)

    def test_what_has_no_room_is_counted_and_no_contraindication_nor_the_method_is_ever_left_out(self):
        findings = (*(caution(n, severity="contraindication") for n in range(3)), *(caution(n) for n in range(3, 13)))
        shown = back(comparison(findings=findings), items=5)
        assert [item.rank for item in kept(shown, "findings")] == ["contraindication"] * 3 + ["caution"] * 2
        assert len(kept(shown, "method")) == 4
        assert shown.more.startswith("8 more cautions, ")
        assert [item.rank for item in kept(back(comparison(findings=findings), items=0), "findings")] == [
            "contraindication"
        ] * 3

    def test_everything_left_out_is_counted_at_every_room(self):
        findings = tuple(caution(n, sources=("example-2024",)) for n in range(4))
        whole = back(comparison(findings=findings))
        for items in range(whole.size + 1):
            shown = back(comparison(findings=findings), items=items)
            printed = sum(len(block.items) for block in shown.blocks)
            assert printed + sum(map(int, re.findall(r"(\d+) more", shown.more))) == whole.size
        assert whole.more == ""

    def test_how_a_trait_was_worked_out_is_left_to_the_inputs(self):
        finding = caution(1, value="frail: yes (4 to 5 points: age 82 years (2))", threshold="frail")
        assert kept(back(comparison(findings=(finding,))), "findings")[0].ground == "frail: yes; study"

    def test_unverified_ones_come_last_and_say_so(self):
        findings = (caution(1, basis="recalled"), caution(2))
        shown = kept(back(comparison(findings=findings)), "findings")
        assert [(item.mark, item.text) for item in shown] == [("F1", "finding 2"), ("F2", "finding 1")]
        assert shown[1].ground == "value 1; unverified"

    def test_a_finding_points_to_its_sources_by_number(self):
        findings = (caution(1, sources=("example-2024",), date="2026-07"), caution(2, sources=("example-2024", "seen")))
        shown = back(comparison(findings=findings))
        assert [item.numbers for item in kept(shown, "findings")] == ["1", "1–2"]
        assert kept(shown, "findings")[0].ground == "value 1; study 2026-07"
        first, second = kept(shown, "sources")[:2]
        assert first.text.endswith("doi 10.1000/example.2024.0001")
        assert second.text == "seen"

    def test_what_is_not_known_of_single_products_comes_last(self):
        texts = ("No trial compares them.", "cilta-cel: no number for 1 of 17 outcomes.", "Second.")
        shown = [item.text for item in kept(back(comparison(not_known=texts)), "not_known")]
        assert shown == ["No trial compares them.", "Second.", "cilta-cel: no number for 1 of 17 outcomes."]


class TestBurden:
    def test_the_first_fact_of_each_product_where_paper_has_no_room_and_the_rest_is_counted(self):
        every = compare(load_example("fit-58"))
        whole, short = (view(every, room=Room(topics=topics)) for topics in (None, (0, 1)))
        assert len(whole.front.burden) == len(BURDEN)
        assert whole.more == ""
        assert [each.place for each in short.front.burden] == [0, 1]
        facts = [lines for row in burden_rows(every) for lines in row.facts.values()]
        shown = [row for row in burden_rows(every) if row.topic in BURDEN[:2]]
        left = sum(map(len, facts)) - sum(len(row.facts) for row in shown)
        assert short.more == f"{left} more practical facts"


@for_each(
    ("citation", "name"),
    [
        ("Ciltacabtagene autoleucel in pregnancy (drugs.com)", "Ciltacabtagene autoleucel in pregnancy"),
        ("Label, http://preview-www.nature.com/articles/x, July 2025", "Label, July 2025"),
        ("Blood 2025;145:85-97", "Blood 2025;145:85-97"),
    ],
)
def test_a_citation_has_no_address(citation, name):
    assert citing.identifier(Reference(key="x", citation=citation, url="https://news.example.com/a")) == name


class TestStudies:
    def test_numbered_per_class_with_the_rows_they_count_for(self):
        shown = {s.number: s for column in view().studies for s in column}
        assert set(shown) == {"C1", "B1"}  # BETA counts for no row that is shown
        assert (shown["C1"].name, shown["C1"].identifier) == ("ALPHA-1 phase 2", "doi 10.1000/example.2024.0001")
        numbers = {row.outcome.id: row.number for row in rows(view()).values()}
        assert shown["C1"].rows == f"{numbers['orr']}, {numbers['crs_any']}–{numbers['crs_g3plus']}"

    def test_a_row_has_the_number_of_studies_of_each_option(self):
        assert rows(view())["orr"].studies == "9 / 9"


def test_the_command_gives_the_same_result_again():
    assert view().command == (
        "bcma-decide compare --example example-emd --setting real-world --region US --date 2026-11-01"
    )


@pytest.mark.parametrize(
    ("numbers", "text"), [([], ""), ([4], "4"), ([1, 2, 3], "1–3"), ([5, 1, 2, 9, 5], "1–2, 5, 9")]
)
def test_ranges(numbers, text):
    assert citing.ranges(numbers) == text


@for_each(("count", "columns"), [(0, 0), (1, 1), (2, 2), (3, 3), (10, 3), (50, 3)])
def test_columns_keep_the_order_lose_nothing_and_are_about_equal(count, columns):
    items = list(range(count))
    split = in_columns(items, 3, lambda _: 1)
    assert [item for column in split for item in column] == items
    assert len(split) == columns
    lengths = [len(column) for column in split]
    assert max(lengths, default=0) - min(lengths, default=0) <= 1
