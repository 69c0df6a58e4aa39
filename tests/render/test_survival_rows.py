"""Progression-free survival on the terminal: what is printed is what the comparison holds, and nothing past it."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from bcma_decide import Patient, compare
from bcma_decide.patient.files import example_names, load_example
from bcma_decide.render.terminal.comparison import render_comparison, render_explanation
from bcma_decide.render.words import language, survival, wording
from bcma_decide.time_course import Duration, Survival
from tests.render.support.reading import DIRECTIVE, printed, words
from tests.support.cases import for_each

WIDTHS = (40, 80, 120)


def draw(comparison, width, encoding="utf-8", **options):
    return printed(lambda console: render_comparison(comparison, console, **options), width, encoding=encoding)


def explain(comparison, width, encoding="utf-8", **options):
    return printed(lambda console: render_explanation(comparison, "pfs", console, **options), width, encoding=encoding)


def of_example(name, **asked):
    return compare(load_example(name), name=name, **asked)


def computed(comparison, option):
    return next(row for row in comparison.survival if row.kind == "computed" and row.option == option)


def with_rows(comparison, *rows):
    """The comparison with other computed rows in the place of those of the same options."""
    others = {row.option: row for row in rows}
    return comparison.model_copy(
        update={
            "survival": tuple(
                others.get(row.option, row) if row.kind == "computed" else row for row in comparison.survival
            )
        }
    )


def followed_for(row, months):
    """The row as if the studies had been followed for fewer months: the median is past it."""
    return row.model_copy(
        update={
            "times": tuple(time for time in row.times if time.month <= months),
            "curve": tuple(time for time in row.curve if time.month <= months),
            "median_months": Duration(value=None, credible=(9.4, None), prediction=(5.0, None)),
            "restricted_mean_months": Duration(value=None),
            "end_of_follow_up_months": float(months),
            "from_decision": None,
        }
    )


def withheld(row):
    return Survival(
        option=row.option,
        endpoint="pfs",
        label=row.label,
        kind="computed",
        state="withheld",
        reason="nobody like this was studied",
        origin=row.origin,
    )


@for_each("name", example_names(), plain=10)
@for_each("width", WIDTHS)
def test_every_share_of_the_document_stands_in_its_row(name, width):
    comparison = of_example(name)
    text = words(draw(comparison, width, products=True))
    for row in comparison.survival:
        if row.kind == "computed" and row.state == "estimated":
            for time in row.times:
                low, high = time.credible
                ends = f"{wording.short_count(low)} to {wording.short_count(high)}"
                number = wording.count(time.mean)
                first = f"{number} of 100 95 % interval {ends}" if width < 80 and time.month == 12 else None
                assert (first or f"{number} ({ends})") in text, (row.option, time.month)
            median = survival.duration(row.median_months, int(row.end_of_follow_up_months))
            assert median in text, row.option


@for_each("width", WIDTHS, plain=3)
def test_no_line_is_too_wide_and_nobody_is_told_what_to_do(width):
    comparison = of_example("little-known-70", explain=["pfs"])
    for encoding in ("utf-8", "ascii"):
        shown = draw(comparison, width, encoding, products=True) + explain(comparison, width, encoding, products=True)
        assert max(cell_len(line) for line in shown.splitlines()) <= width
        assert not DIRECTIVE.search(words(shown).replace("preferred term", ""))


def months_of(text, title):
    """Number and interval printed under a title for the first option."""
    found = re.search(rf"{title}\s+(\d+) \((\d+) to (>?\d+)\)", text)
    assert found, title
    number, low, high = found.groups()
    return int(number), int(low), int(high.lstrip(">"))


def test_published_times_lie_inside_what_is_printed():
    """Cilta-cel in practice, 68 % at 12 months (US consortium, Sidana 2025); ide-cel, median 8.8 (CIBMTR 2025)."""
    text = draw(compare(Patient()), 80, products=True)
    products = text[text.index("Products: CAR-T (Cilta-cel, Ide-cel)") :]
    _, low, high = months_of(products, "Without progression, 12 months")
    assert low <= 68 <= high
    both = re.search(r"median, months\s+\d+ \(\d+ to >?\d+\)\s+(\d+) \((\d+) to (\d+)\)", products)
    _, low, high = map(int, both.groups())
    assert low <= 8.8 <= high


@for_each("width", WIDTHS)
@for_each("plain", [False, True])
def test_nothing_is_printed_past_the_end_of_follow_up(width, plain):
    whole = of_example("fit-58", explain=["pfs"])
    comparison = with_rows(whole, followed_for(computed(whole, "car_t"), 17))
    for shown in (draw(comparison, width, plain=plain), explain(comparison, width, plain=plain)):
        text = words(shown)
        if not plain or shown.startswith("program"):
            assert "past follow-up" in text
            assert ">17" in text
        for time in computed(whole, "car_t").curve:
            if time.month > 17 and plain:
                assert f"CAR-T at {time.month:.0f} months {wording.count(time.mean)} " not in text
    lines = {line.name: line.number for line in survival.lines(computed(comparison, "car_t"), "infusion")}
    assert [lines["at 18 months"], lines["at 24 months"]] == ["past follow-up"] * 2


@for_each("width", WIDTHS, plain=3)
@for_each("plain", [False, True])
def test_a_withheld_row_shows_no_number_and_says_why(width, plain):
    whole = of_example("fit-58", explain=["pfs"])
    comparison = with_rows(whole, *(withheld(computed(whole, option.id)) for option in whole.options)).model_copy(
        update={"survival_contrast": None, "unknowns": ()}
    )
    for shown in (draw(comparison, width, products=True, plain=plain), explain(comparison, width, plain=plain)):
        assert "nobody like this was studied" in words(shown)
        assert not re.search(r"(at (6|18|24) months|median, months|months free, of 24)[^\n]*\d \(", shown)
        assert "░" not in shown.partition("how the numbers come about")[2]
    number = wording.count(computed(whole, "car_t").times[1].mean)
    assert f"Without progression, 12 months CAR-T {number} " not in words(draw(comparison, width, plain=True))


def test_a_real_patient_whose_numbers_are_withheld_sees_none():
    """Plasma cell leukaemia: a limit takes the numbers away (evidence/limits.yaml)."""
    comparison = compare(Patient.read({"plasma_cell_leukemia": "yes"}))
    assert {row.state for row in comparison.survival if row.kind == "computed"} == {"withheld"}
    assert all(row.reason and not row.times and not row.curve for row in comparison.survival if row.kind == "computed")
    for width in WIDTHS:
        shown = draw(comparison, width, products=True)
        assert "months free" not in shown
        assert words(str(computed(comparison, "car_t").reason)) in words(shown)
    assert "survival, computed" not in draw(comparison, 80, plain=True)


def test_no_curve_is_not_known():
    comparison = compare(Patient())
    text = words(draw(comparison, 120, products=True))
    assert computed(comparison, "linvoseltamab").state == "no_evidence"
    assert "not known" in text
    assert "no published curve of progression-free survival that could be used" in text
    assert "Linvoseltamab: not known: no published curve" in words(draw(comparison, 40, products=True))


def test_the_decision_stands_first_where_it_is_asked_for():
    comparison = of_example("little-known-70", clock="decision")
    row = computed(comparison, "car_t")
    here, infusion = (next(t for t in times if t.month == 12) for times in (row.from_decision.times, row.times))
    lines = draw(comparison, 80).splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("Without progression, 12 months"))
    low, high = here.credible
    assert f"{wording.count(here.mean)} ({wording.interval((low, high))})" in lines[place]
    assert "from the infusion" in lines[place]  # the difference
    below = next(line for line in lines[place:] if line.startswith("  from infusion"))
    assert f"{wording.count(infusion.mean)} ({wording.interval(infusion.credible)})" in below


def test_published_survival_stands_apart_under_its_own_words():
    comparison = of_example("extramedullary-66-high-risk")
    shown = draw(comparison, 120)
    start = shown.index("Survival. Published, not calculated for this patient")
    assert shown.index("Without progression, 12 months") < start
    part = words(shown[start : shown.index("What is not known", start)])
    # US consortium, teclistamab with extramedullary disease: median 1.4 months, 109 patients.
    assert "median 1.4 months; in common: extramedullary disease; 109 patients" in part
    assert "median 1.4 months" not in shown[:start]
    kinds = {line.split("\t")[0] for line in draw(comparison, 120, plain=True).splitlines() if "urvival" in line}
    assert {"survival, computed", "survival, published, not calculated for this patient"} <= kinds


def test_what_moves_it_is_said():
    comparison = of_example("little-known-70", explain=["pfs"])
    move = next(
        move
        for unknown in comparison.unknowns
        if unknown.trait == "extramedullary_disease"
        for move in unknown.moves
        if (move.outcome, move.option) == ("pfs", "car_t")
    )
    text = words(explain(comparison, 80))
    assert f"CAR-T {wording.count(move.low)} of 100 if present, {wording.count(move.high)} if absent" in text


def test_the_explanation_has_studies_with_printed_points_and_what_was_left_out():
    comparison = of_example("little-known-70", explain=["pfs"])
    text = words(explain(comparison, 80))
    # As printed: CIBMTR 2025, KarMMa (N Engl J Med 2021), CARTITUDE-1 (J Clin Oncol 2023).
    assert "median 8.8 months; practice, 821 patients, from the infusion" in text
    assert "KarMMa (Ide-cel): median 8.8 months (5.6 to 11.6)" in text
    assert "76.6 % after 12 months (66 to 84.3)" in text
    for effect in comparison.survival_explanation.effects:
        assert wording.odds_ratio(effect.log_odds_ratio, effect.interval) in text
    assert words(comparison.survival_explanation.left_out[0]) in text
    assert words(comparison.survival_explanation.method) in text


DURATIONS = {
    "15 (11 to 20)": (Duration(value=14.64, credible=(11.3, 19.8)), 34),
    "25 (18 to >34)": (Duration(value=25.3, credible=(17.9, None)), 34),
    ">17 (9 to >17)": (Duration(value=None, credible=(9.4, None)), 17),
    ">17": (Duration(value=None), 17),
    "<1 (<1 to 2)": (Duration(value=0.4, credible=(0.2, 1.6)), 34),
}


@pytest.mark.parametrize(("expected", "given"), DURATIONS.items())
def test_a_time_in_months(expected, given):
    assert survival.duration(*given) == expected


def test_in_german():
    with language.speaking("de"):
        assert survival.share_title(12) == "Ohne Progression, 12 Monate"
        assert survival.duration(Duration(value=None, credible=(9.4, None)), 17) == ">17 (9 bis >17)"
        assert survival.not_known() == "nicht bekannt"
