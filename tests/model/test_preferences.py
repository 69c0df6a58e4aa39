"""Acceptability: closed forms, a published analysis, certain ranks, and where one weight changes the first rank."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import norm

from bcma_decide.model.draws import DRAWS, LARGEST_ERROR, normals, uniforms
from bcma_decide.model.preferences import (
    acceptability,
    crossings,
    first_on_average,
    ordered_weights,
    partial_values,
    simplex_weights,
    weights_of_points,
)
from tests.support.cases import for_each
from tests.support.places import ROOT


def columns(name, count):
    return np.column_stack([uniforms(f"{name}:{place}") for place in range(count)])


def fixed(*weights):
    return np.broadcast_to(np.array(weights), (DRAWS, len(weights)))


def constant(*options):
    """Options by criteria, the same in every draw."""
    return np.broadcast_to(np.array(options, dtype=float), (DRAWS, len(options), len(options[0])))


def test_columns_go_once_through_every_stratum_and_are_unrelated():
    first, second = uniforms("one"), uniforms("two")
    expected = (np.arange(DRAWS) + 0.5) / DRAWS
    assert np.array_equal(expected, np.sort(first))
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(DRAWS)
    assert norm.cdf(normals("one")) == pytest.approx(first, abs=1e-6)


def test_the_order_of_a_column_is_pinned():
    """Other numbers here mean other bytes in every answer with weights."""
    assert uniforms("orr:0:spread")[:3].tolist() == [0.630401611328125, 0.005828857421875, 0.458282470703125]


def test_the_error_is_below_what_is_printed():
    """Half a point of 100 is lost by rounding; 0.5 / sqrt(16384) = 0.0039."""
    assert pytest.approx(0.5 / 128) == LARGEST_ERROR
    assert LARGEST_ERROR < 0.005


def test_one_criterion_and_numbers_that_do_not_overlap():
    drawn = np.stack([0.9 + 0.01 * normals("a"), 0.4 + 0.01 * normals("b")], axis=1)[:, :, None]
    found = acceptability(drawn, fixed(1.0))
    assert found.ranks.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_two_normals_by_hand():
    """P(first) = Phi(0.1 / sqrt(0.06^2 + 0.08^2)) = Phi(1) = 0.8413."""
    drawn = np.stack([0.6 + 0.06 * normals("a"), 0.5 + 0.08 * normals("b")], axis=1)[:, :, None]
    found = acceptability(drawn, fixed(1.0))
    assert pytest.approx(0.8413, abs=3 * LARGEST_ERROR) == found.ranks[0, 0]


def test_options_alike_share_the_first_rank():
    """Exactly where every draw is a tie; within the error where only their distributions are one."""
    assert acceptability(constant([0.3, 0.7], [0.3, 0.7]), fixed(0.2, 0.8)).ranks.tolist() == [[0.5, 0.5], [0.5, 0.5]]
    drawn = np.stack([normals("a"), normals("b")], axis=1)[:, :, None]
    assert pytest.approx(0.5, abs=3 * LARGEST_ERROR) == acceptability(drawn, fixed(1.0)).ranks[0, 0]


def test_three_alike_share_all_ranks():
    found = acceptability(constant([0.5], [0.5], [0.5]), fixed(1.0))
    assert np.full((3, 3), 1 / 3) == pytest.approx(found.ranks)


def test_an_option_ahead_on_every_criterion_is_first_whatever_the_weights():
    found = acceptability(constant([0.5, 0.6, 0.7], [0.4, 0.5, 0.6]), simplex_weights(columns("w", 3)))
    assert found.ranks[:, 0].tolist() == [1.0, 0.0]
    assert np.full(3, 1 / 3) == pytest.approx(found.central_weights[0], abs=0.01)
    assert found.confidence[0] == 1.0
    assert np.isnan(found.confidence[1])
    assert np.isnan(found.central_weights[1]).all()


def test_open_weights_of_two_criteria_in_closed_form():
    """First ahead by 0.3 on one criterion, behind by 0.1 on the other; weight w of the first is even between 0 and 1.

    First where 0.3 w > 0.1 (1 - w), that is w > 0.25: in 0.75 of the draws, with a mean weight of (0.25 + 1) / 2 =
    0.625; second with a mean weight of 0.125.
    """
    found = acceptability(constant([0.8, 0.4], [0.5, 0.5]), simplex_weights(columns("w", 2)))
    assert pytest.approx(0.75, abs=3 * LARGEST_ERROR) == found.ranks[0, 0]
    assert pytest.approx(found.central_weights[0], abs=0.01) == [0.625, 0.375]
    assert pytest.approx(found.central_weights[1], abs=0.01) == [0.125, 0.875]
    assert found.confidence.tolist() == [1.0, 1.0]


def test_mean_weights_of_an_order_are_its_centroid():
    """Three criteria: (1 + 1/2 + 1/3) / 3, (1/2 + 1/3) / 3, 1/9 (Barron FH, Barrett BE. Manage Sci 1996;42:1515)."""
    found = ordered_weights(columns("w", 3), [2, 1, 3])
    assert pytest.approx(found.mean(axis=0), abs=0.005) == [5 / 18, 11 / 18, 2 / 18]
    assert (found[:, 1] >= found[:, 0]).all()
    assert (found[:, 0] >= found[:, 2]).all()


def test_mean_weights_of_the_whole_simplex():
    """Dirichlet(1, 1, 1, 1): means 1/4, variances (1/4) (3/4) / 5."""
    found = simplex_weights(columns("w", 4))
    assert np.full(4, 0.25) == pytest.approx(found.mean(axis=0), abs=0.005)
    assert np.full(4, 0.0375) == pytest.approx(found.var(axis=0), abs=0.002)


def test_ranges_of_points_stay_inside():
    """100 points beside 40 to 60: weights 100/160 = 0.625 to 100/140 = 0.714."""
    found = weights_of_points(columns("w", 2), np.array([100.0, 40.0]), np.array([100.0, 60.0]))
    assert np.ones(DRAWS) == pytest.approx(found.sum(axis=1))
    assert pytest.approx((found[:, 0].min(), found[:, 0].max()), abs=1e-4) == (0.625, 0.714286)


def test_partial_values_go_on_beyond_the_ends():
    """As smaa.pvf of the R package with outOfBounds="interpolate": cut-offs 50 and 100 with values 1 and 0."""
    found = partial_values(np.array([50.0, 75.0, 100.0, 120.0, 40.0])[:, None], np.array([100.0]), np.array([50.0]))
    assert pytest.approx(found[:, 0].tolist()) == [1.0, 0.5, 0.0, -0.4, 1.2]


@pytest.fixture(scope="module")
def thrombosis():
    """Draws of partial values, (draws, options, criteria), after the quantiles of a published analysis."""
    kept = json.loads((ROOT / "tests" / "reference" / "smaa" / "thrombosis.json").read_text(encoding="utf-8"))
    drawn = [
        [np.interp(uniforms(f"{option}:{place}"), kept["probabilities"], row) for place, row in enumerate(kept[option])]
        for option in ("heparin", "enoxaparin")
    ]
    return np.array(drawn).transpose(2, 0, 1)


def test_a_published_analysis_without_preferences(thrombosis):
    """Heparin and enoxaparin after surgery: what the R package smaa 0.3-3 prints for its own draws (its examples)."""
    found = acceptability(thrombosis, simplex_weights(columns("w", 3)))
    assert pytest.approx(found.ranks[:, 0].tolist(), abs=0.013) == [0.3504, 0.6496]
    assert pytest.approx(found.central_weights[0].tolist(), abs=0.015) == [0.1865, 0.2772, 0.5363]
    assert pytest.approx(found.central_weights[1].tolist(), abs=0.01) == [0.4073, 0.3641, 0.2285]
    assert pytest.approx(found.confidence.tolist(), abs=0.03) == [0.6682, 0.8956]


def test_a_published_analysis_with_weights(thrombosis):
    """The same with weights of 0.5, 0.2 and 0.3."""
    found = acceptability(thrombosis, fixed(0.5, 0.2, 0.3))
    assert pytest.approx(found.ranks, abs=0.01) == [[0.1279, 0.8721], [0.8721, 0.1279]]


def test_swapped_options_are_mirrored():
    drawn = np.stack([0.6 + 0.1 * normals("a"), 0.5 + 0.2 * normals("b")], axis=1)[:, :, None]
    one, other = acceptability(drawn, fixed(1.0)), acceptability(drawn[:, ::-1], fixed(1.0))
    assert np.array_equal(one.ranks[::-1], other.ranks)


def test_the_weight_at_which_the_first_rank_changes_by_hand():
    """Values (0.8, 0.2, 0.5) and (0.4, 0.9, 0.6), weights 0.5, 0.3, 0.2: 0.56 and 0.59, so the second is first.

    First criterion: the others weigh 0.6 and 0.4 of the rest, worth 0.32 and 0.78; equal where
    0.8 w + 0.32 (1 - w) = 0.4 w + 0.78 (1 - w): 0.46 = 0.86 w, w = 0.534884. Second: the others weigh 5/7 and 2/7,
    worth 5/7 and 16/35; 0.2 w + (5/7) (1 - w) = 0.9 w + (16/35) (1 - w): 9/35 = (0.7 + 9/35) w, w = 0.268657.
    Third: the others weigh 5/8 and 3/8, worth 0.575 and 0.5875: 0.5 w + 0.575 (1 - w) = 0.6 w + 0.5875 (1 - w) has
    no solution between 0 and 1.
    """
    partial, weights = np.array([[0.8, 0.2, 0.5], [0.4, 0.9, 0.6]]), np.array([0.5, 0.3, 0.2])
    assert first_on_average(partial, weights) == 1
    below, above = crossings(partial, weights, 1, 0)
    assert below is None
    assert pytest.approx((above.weight, above.index), abs=1e-6) == (0.534884, 0)
    below, above = crossings(partial, weights, 1, 1)
    assert above is None
    assert pytest.approx((below.weight, below.index), abs=1e-6) == (0.268657, 0)
    assert crossings(partial, weights, 1, 2) == (None, None)


@for_each("criterion", [0, 1, 2])
def test_at_that_weight_the_values_are_equal(criterion):
    rng = np.random.default_rng(5)
    for _ in range(200):
        partial, weights = rng.random((4, 3)), rng.dirichlet(np.ones(3))
        first = first_on_average(partial, weights)
        for crossing in crossings(partial, weights, first, criterion):
            if crossing is None:
                continue
            rest = np.delete(weights, criterion) * (1 - crossing.weight) / (1 - weights[criterion])
            moved = np.insert(rest, criterion, crossing.weight)
            values = partial @ moved
            assert values[first] == pytest.approx(values[crossing.index])
            assert values.max() == pytest.approx(values[first])


def test_the_only_criterion_has_no_such_weight():
    assert crossings(np.array([[0.8], [0.4]]), np.array([1.0]), 0, 0) == (None, None)


def test_equal_averages_have_no_first():
    assert first_on_average(np.array([[0.2, 0.8], [0.8, 0.2]]), np.array([0.5, 0.5])) is None
