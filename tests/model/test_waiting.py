"""From the decision to the infusion: the arithmetic of waiting, by hand and by drawn parameters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from bcma_decide.model.survival import MONTHS
from bcma_decide.model.waiting import (
    DAYS_A_MONTH,
    Arm,
    Shares,
    adding_up,
    average_shares,
    course,
    free_at,
    interval,
    wait_points,
)

NOT_REACHED = 400.0


def log_logistic(middle, shape, months=MONTHS):
    return 1.0 / (1.0 + (months / middle) ** shape)


def arm(infused=0.9, middle=20.0, shape=1.2, wait=(1.5,)):
    return Arm(infused, MONTHS, log_logistic(middle, shape), np.array(wait))


def test_cartitude_4_by_hand():
    """176 of 208 infused (84.6 %), 44 days of waiting; 75.9 % without progression 12 months after randomisation.

    .759 / .846 = .897 of those infused are free 12 months after randomisation, that is 12 - 44 / 30.4 = 10.55 months
    after the infusion: a curve that says so gives the printed 75.9 %.
    """
    infused, wait = 176 / 208, 44 / (365.25 / 12)
    assert (pytest.approx(infused, abs=5e-4), pytest.approx(12 - wait, abs=5e-4)) == (0.846, 10.554)
    of_infused = 0.759 / infused
    assert pytest.approx(of_infused, abs=5e-4) == 0.897
    middle = 10.554 / (1 / of_infused - 1)
    found = course(arm(infused, middle, 1.0, (wait,)), np.array([12.0])).shares
    assert pytest.approx(found.without_progression[0], abs=5e-4) == 0.759
    assert pytest.approx(found.not_infused[0]) == 32 / 208


def test_who_is_where_half_way_through_the_wait_and_after_it():
    """90 of 100 infused after 2 months: after 1 month 5 have left and 95 wait; 3 months later 10 have left and
    90 S(3), with S(3) = 1 / (1 + 3 / 9) = .75, are free: 67.5."""
    found = course(arm(0.9, 9.0, 1.0, (2.0,)), np.array([0.0, 1.0, 5.0])).shares
    assert pytest.approx(found.waiting.tolist()) == [1.0, 0.95, 0.0]
    assert pytest.approx(found.not_infused.tolist()) == [0.0, 0.05, 0.1]
    assert pytest.approx(found.free.tolist()) == [0.0, 0.0, 0.675]
    assert pytest.approx(found.progressed.tolist()) == [0.0, 0.0, 0.225]


SHARES = st.floats(0.02, 0.98)
WAITS = st.lists(st.floats(0.3, 6.0), min_size=1, max_size=9)


@given(infused=SHARES, middle=st.floats(1, NOT_REACHED), shape=st.floats(0.5, 2.5), wait=WAITS)
def test_shares_add_up_nobody_comes_back_and_no_one_gains_by_the_way(infused, middle, shape, wait):
    at = np.arange(0.0, 36.0, 0.5)
    found = course(arm(infused, middle, shape, wait), at).shares
    parts = np.stack([found.waiting, found.not_infused, found.free, found.progressed])
    assert (parts >= -1e-12).all()
    assert parts.sum(axis=0) == pytest.approx(np.ones(at.size))
    for never_falls in (found.not_infused, found.not_infused + found.progressed):
        assert (np.diff(never_falls) >= -1e-12).all()
    # if everybody were infused after the same waits
    shifted = free_at(MONTHS, log_logistic(middle, shape), at[:, None] - np.array(wait)).mean(axis=1)
    assert (found.without_progression <= shifted + 1e-12).all()


@given(low=SHARES, more=st.floats(0.0, 0.5), middle=st.floats(1, NOT_REACHED), shape=st.floats(0.5, 2.5), wait=WAITS)
def test_the_more_are_infused_the_more_are_free(low, more, middle, shape, wait):
    at = np.arange(0.0, 36.0, 0.5)
    fewer, many = (
        course(arm(infused, middle, shape, wait), at).shares.without_progression
        for infused in (low, low + more * (1.0 - low))
    )
    assert (fewer <= many + 1e-12).all()


@given(parts=st.lists(st.tuples(*[st.floats(0.0, 1.0)] * 4).filter(lambda four: sum(four) > 0.01), min_size=1))
def test_six_decimals_add_up_exactly(parts):
    table = np.array(parts).T
    found = adding_up(Shares(*(table / table.sum(axis=0))))
    millionths = np.stack([found.waiting, found.not_infused, found.free, found.progressed]) * 1e6
    assert np.abs(millionths - millionths.round()).max() < 1e-6
    assert (millionths.round() >= 0).all()
    assert (millionths.round().sum(axis=0) == 1_000_000).all()


@pytest.mark.parametrize("at", [0.3, 1.0, 7.7, 10.55, 35.2])
def test_a_log_logistic_curve_is_met_between_its_months(at):
    curve = log_logistic(14.0, 1.3)
    assert 1 / (1 + (at / 14.0) ** 1.3) == pytest.approx(float(free_at(MONTHS, curve, np.array([at]))[0]), abs=1e-7)


def test_at_the_infusion_everybody_is_free():
    assert free_at(MONTHS, log_logistic(14.0, 1.3), np.array([-2.0, 0.0])).tolist() == [1.0, 1.0]


def test_the_waits_have_the_printed_median_and_ends():
    """CARTITUDE-4: 176 infused, median 44 days, 25 to 127. Samples of 176 from what is taken have such ends."""
    points = wait_points(44.0, (25.0, 127.0), 176)
    assert pytest.approx(float(np.median(points))) == 44.0
    rng = np.random.default_rng(4)
    normal = rng.standard_normal((4000, 176))
    furthest = np.sort(rng.standard_normal((4000, 176)), axis=1)[:, -1].mean()
    days = 44.0 * np.where(normal < 0, 44 / 25, 127 / 44) ** (normal / furthest)
    assert (
        pytest.approx(np.median(days.min(axis=1)), rel=0.03),
        pytest.approx(np.median(days.max(axis=1)), rel=0.03),
    ) == (25.0, 127.0)
    assert np.quantile(days, (np.arange(9) + 0.5) / 9) == pytest.approx(points, rel=0.02)


@pytest.mark.parametrize(
    ("ends", "n"), [(None, 176), ((25.0, None), 176), ((25.0, 127.0), None), ((50.0, 127.0), 176), ((25.0, 127.0), 1)]
)
def test_without_a_usable_range_the_median_stands_alone(ends, n):
    assert wait_points(44.0, ends, n).tolist() == [44.0]


def test_the_spread_of_waits_moves_the_curve_little():
    """Within a point of the curve that is shifted by the median, from the longest wait on."""
    waits = wait_points(44.0, (25.0, 127.0), 176) / DAYS_A_MONTH
    at = np.arange(3.0, 24.0)
    spread, middle = (
        course(arm(0.85, 20.0, 1.2, w), at).shares.without_progression for w in (waits, [np.median(waits)])
    )
    assert np.abs(spread - middle).max() < 0.01


def test_a_class_is_the_average_of_its_products():
    at = np.arange(0.0, 24.0)
    courses = [course(arm(0.8, 9.0, 1.4, (1.6,)), at), course(arm(0.9, 30.0, 1.1, (1.4, 2.0)), at)]
    mean = (courses[0].shares.free + courses[1].shares.free) / 2
    assert mean.tolist() == pytest.approx(average_shares(courses).free.tolist())


def test_the_interval_agrees_with_drawn_parameters():
    """100 000 draws of the chance to be infused and of the level of the curve, 12 months after the decision."""
    infused_sd, level_sd, wait = 0.3, 0.25, 1.5
    one, at = arm(0.88, 18.0, 1.2, (wait,)), np.array([12.0])
    found = course(one, at)
    low, high = interval([found], found.shares.without_progression, MONTHS, infused_sd, np.full(MONTHS.size, level_sd))
    rng = np.random.default_rng(8)
    infused = expit(logit(0.88) + rng.normal(0, infused_sd, 100_000))
    free = expit(logit(1 / (1 + ((12 - wait) / 18.0) ** 1.2)) + rng.normal(0, level_sd, 100_000))
    assert np.quantile(infused * free, [0.025, 0.975]) == pytest.approx([low[0], high[0]], abs=0.01)


def test_while_everybody_waits_only_the_chance_to_be_infused_is_uncertain():
    """After half the wait (1 - p) / 2 have left: the ends are those of p at 1.96 sd, linearised on the log odds."""
    one, at = arm(0.8, wait=(2.0,)), np.array([1.0])
    found = course(one, at)
    low, high = interval([found], found.shares.without_progression, MONTHS, 0.2, np.full(MONTHS.size, 5.0))
    slope = 0.5 * 0.8 * 0.2 / (0.9 * 0.1)
    assert expit(logit(0.9) + np.array([-1, 1]) * 1.959964 * 0.2 * slope) == pytest.approx([low[0], high[0]], abs=1e-6)


def test_at_the_decision_nothing_is_uncertain():
    found = course(arm(), np.array([0.0, 6.0]))
    low, high = interval([found], found.shares.without_progression, MONTHS, 0.3, np.full(MONTHS.size, 0.3))
    assert (pytest.approx(low[0]), pytest.approx(high[0])) == (1.0, 1.0)
