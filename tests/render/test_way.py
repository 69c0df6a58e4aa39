"""The way from the decision to the treatment: its words, its bars, and the clock that numbers are shown from."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rich.console import Console

from bcma_decide import Patient, compare
from bcma_decide.render.terminal.comparison import render_comparison
from bcma_decide.render.terminal.ink import Ink
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.terminal.way_bars import way_bar, way_bars, write_way
from bcma_decide.render.words import wording
from bcma_decide.render.words.language import speaking
from bcma_decide.render.words.way import assumed_lines, computed_lines, count_line, parts, quoted_lines, weeks_line
from bcma_decide.time_course import QuotedCount, Share, StateShares, WayToTreatment, Weeks

NOW = StateShares(month=0, waiting=1, not_infused=0, free=0, progressed_or_died=0)
LATER = StateShares(month=3, waiting=0.02, not_infused=0.12, free=0.8, progressed_or_died=0.06)
LAST = StateShares(month=6, waiting=0, not_infused=0.14, free=0.66, progressed_or_died=0.2)
WAY = WayToTreatment(
    option="alpha-cel",
    infused=Share(mean=0.86, credible=(0.78, 0.91)),
    weeks=(Weeks(median=44 / 7, range=(25 / 7, 127 / 7), population="TRIAL-1", n=176),),
    states=(NOW, LATER, LAST),
    published=(
        QuotedCount(label="Never infused", text="19 of 255 (7 %); myeloma 13", events=19, n=255, population="Centres"),
        QuotedCount(label="First visit to apheresis, days", text="median 38", n=24, population="One centre"),
    ),
    assumptions=("Everybody leaves evenly.",),
)
SHELF = WayToTreatment(
    option="gamma-mab",
    states=(
        StateShares(month=0, waiting=0, not_infused=0, free=1, progressed_or_died=0),
        StateShares(month=6, waiting=0, not_infused=0, free=0.55, progressed_or_died=0.45),
    ),
)
UNKNOWN = WayToTreatment(option="delta-mab", reason="no curve was published")


def printed(width=100):
    file = StringIO()
    return Console(file=file, width=width, highlight=False, color_system=None), file


def test_the_words_of_a_wait():
    assert computed_lines(WAY) == (
        "Infused, of 100 patients like this with apheresis: 86 (78 to 91)",
        "After 3 months, of 100: treated, without progression 80, waiting for the infusion 2, progressed or died after "
        "treatment 6, never infused 12",
        "After 6 months, of 100: treated, without progression 66, waiting for the infusion 0, progressed or died after "
        "treatment 20, never infused 14",
    )
    assert quoted_lines(WAY) == (
        "Published: weeks from apheresis to infusion, median 6 (4 to 18); TRIAL-1, 176 patients",
        "Published: Never infused: 19 of 255 (7 %); myeloma 13; Centres",
        "Published: First visit to apheresis, days: median 38; One centre, 24 patients",
    )
    assert assumed_lines(WAY) == ("Assumed: Everybody leaves evenly.",)


def test_an_option_without_a_wait_has_two_states():
    assert computed_lines(SHELF) == (
        "After 6 months, of 100: treated, without progression 55, progressed or died after treatment 45",
    )


def test_without_shares_the_reason_stands_there():
    assert computed_lines(UNKNOWN) == ("Shares of the first months not known: no curve was published",)


SHARE = st.floats(0, 1)


@given(SHARE, SHARE, SHARE)
def test_parts_of_100_add_up_within_one_of_their_shares(lost, kept, treated):
    free, waiting = (1 - lost) * kept * treated, (1 - lost) * kept * (1 - treated)
    progressed = (1 - lost) * (1 - kept)
    state = StateShares(month=6, waiting=waiting, not_infused=lost, free=free, progressed_or_died=progressed)
    found = parts(state)
    assert sum(found) == 100
    assert min(found) >= 0
    for part, share in zip(found, (free, waiting, progressed, lost), strict=True):
        assert abs(part - 100 * share) <= 1 + 1e-6


@given(st.floats(0, 1), st.floats(0.02, 1))
def test_who_is_free_and_who_is_never_infused_are_rounded_as_in_rows_of_their_own(lost, gone):
    """Nobody waits and enough progressed to take what rounding leaves over."""
    progressed = (1 - lost) * gone
    assume(progressed > 0.02)
    free = 1 - lost - progressed
    assume(free >= 0)
    found = parts(StateShares(month=6, waiting=0, not_infused=lost, free=free, progressed_or_died=progressed))
    assert (found[0], found[3]) == (wording.whole(100 * free), wording.whole(100 * lost))


def test_one_more_patient_by_rounding_falls_to_those_with_progression():
    """49.32, 0, 34.30 and 16.38: the largest remainder would make 17 of the 16 whose row says 16."""
    state = StateShares(month=6, waiting=0, not_infused=0.163757, free=0.493217, progressed_or_died=0.343026)
    assert parts(state) == (49, 0, 35, 16)


def test_in_german():
    with speaking("de"):
        assert computed_lines(WAY)[1].startswith("Nach 3 Monaten, von 100: behandelt, ohne Progress 80")
        assert weeks_line(WAY.weeks[0]).endswith("Median 6 (4 bis 18); TRIAL-1, 176 Patienten")
        assert count_line(WAY.published[0]).startswith("Veröffentlicht: Never infused")


# Bars of characters.


@given(st.lists(st.integers(0, 100), min_size=3, max_size=3), st.integers(10, 80))
def test_a_bar_is_as_wide_as_asked_and_each_part_within_a_cell_of_its_share(cuts, width):
    low, middle, high = sorted(cuts)
    shares = (low, middle - low, high - middle, 100 - high)
    bar = way_bar(shares, Ink("ascii", ascii_only=True), width)
    assert len(bar) == width
    for sign, share in zip("#.x/", shares, strict=True):
        assert abs(bar.count(sign) - share * width / 100) <= 1


@pytest.mark.parametrize("width", [48, 80, 100, 140])
def test_lines_fit_and_numbers_stand_beside_every_bar(width):
    lines = list(
        way_bars([("Alpha-cel", WAY), ("Gamma-mab", SHELF), ("Delta-mab", UNKNOWN)], Ink("utf-8", False), width)
    )
    assert all(len(line) <= width for line in lines)
    rows = [re.findall(r"\d+", line.partition("months")[2]) for line in lines[1:]]
    assert rows == [["80", "2", "6", "12"], ["66", "0", "20", "14"], ["55", "0", "45", "0"]]
    assert ("█" in lines[1]) == (width >= 80)


def test_the_page_says_once_what_is_assumed_and_of_which_class():
    console, file = printed()
    comparison = compare(Patient())
    write_way(TerminalPage(console), comparison, comparison.options)
    text = " ".join(file.getvalue().split())
    assert text.count("The clock starts at apheresis") == 1
    car_t, bispecific = text.index("CAR-T Infused, of 100"), text.index("Bispecific Assumed:")
    assert car_t < text.index("The clock starts at apheresis") < bispecific < text.index("Counted from the first dose")
    assert "14 of 44 (32 %)" in text


# The clock.


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_clock_asked_for_comes_first_and_the_other_stands_below_it(width):
    """One and the same answer; of CAR-T response the two numbers change places, of a bispecific nothing moves."""
    texts = {}
    for clock in ("infusion", "decision"):
        comparison = compare(Patient(age=66), clock=clock)
        console, file = printed(width)
        render_comparison(comparison, console)
        texts[clock] = file.getvalue()
    estimate = comparison.outcomes[0].estimates["car_t"]
    infused, decided = (round(100 * value) for value in (estimate.mean, estimate.from_decision.mean))
    assert infused > decided
    for clock, first, second in (("infusion", infused, decided), ("decision", decided, infused)):
        rows = texts[clock].partition("Response (PR or better)")[2]
        assert 0 <= rows.index(f"{first} ") < rows.index(f"{second} ")
    assert "counted from the decision: of everybody with apheresis" in " ".join(texts["decision"].split())
    assert "counted from the decision: of everybody" not in " ".join(texts["infusion"].split())
    assert "from the infusion" in texts["decision"]


def test_plain_lines_hold_both_clocks_in_the_order_asked_for():
    kinds = ["estimate", "from the decision"]
    for clock, order in (("infusion", kinds), ("decision", kinds[::-1])):
        console, file = printed(400)
        render_comparison(compare(Patient(), clock=clock), console, plain=True)
        lines = [line.split("\t") for line in file.getvalue().splitlines()]
        own = [line[0] for line in lines if line[1:3] == ["Response (PR or better)", "CAR-T"]]
        assert order == own[:2]
        assert ["counted from", clock] in lines
