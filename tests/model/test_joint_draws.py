"""Joint draws: one outcome alone says what its contrast says, and what numbers have in common is drawn once."""

from __future__ import annotations

import numpy as np
import pytest

from bcma_decide.comparing.compare import load_pooled
from bcma_decide.facts.traits import derive
from bcma_decide.model.joint_draws import drawn_rates, drawn_shares
from bcma_decide.model.numbers import patient_numbers
from bcma_decide.model.survival import survival_curves
from bcma_decide.patient.files import example_names, load_example
from bcma_decide.vocabulary import CLASSES, OUTCOMES
from tests.support.cases import for_each

POINT = 0.01


def numbers_of(name):
    pooled = load_pooled()
    return patient_numbers(pooled, derive(load_example(name, pooled.definitions), pooled.definitions), "real_world")


@pytest.fixture(scope="module")
def numbers():
    return numbers_of("extramedullary-66-high-risk")


@for_each("name", example_names())
def test_one_outcome_says_what_its_contrast_says(name):
    """P(first higher) and the interval of the difference, both by another way: quadrature, not draws."""
    found = numbers_of(name)
    for outcome, contrast in found.class_differences[True].items():
        drawn = drawn_rates(found, outcome, CLASSES)
        gap = drawn[:, 0] - drawn[:, 1]
        assert contrast.probability_first_higher == pytest.approx((gap > 0).mean(), abs=POINT), outcome
        assert contrast.risk_difference[1:] == pytest.approx(np.quantile(gap, [0.025, 0.975]), abs=POINT), outcome


def test_intervals_of_the_options_without_the_bias(numbers):
    """A product's own 95 % interval is without the bias of a comparison: its draws are a little wider."""
    for outcome in ("orr", "cr_or_better", "icans_any"):
        for option in ("cilta-cel", "teclistamab"):
            rates = numbers.rates[numbers.place[outcome, option]]
            low, high = np.quantile(drawn_rates(numbers, outcome, (option,))[:, 0], [0.025, 0.975])
            assert low < rates.credible[0] + POINT
            assert high > rates.credible[1] - POINT
            assert high - low < 1.5 * (rates.credible[1] - rates.credible[0])


def test_two_products_of_one_class_have_no_bias_between_them(numbers):
    contrast = numbers.difference("orr", ("cilta-cel", "ide-cel"), 0.0)
    drawn = drawn_rates(numbers, "orr", ("cilta-cel", "ide-cel"))
    assert contrast.probability_first_higher == pytest.approx((drawn[:, 0] > drawn[:, 1]).mean(), abs=POINT)


def test_response_and_complete_response_go_together(numbers):
    """The second is part of the first and shares its level and effects; other families share nothing."""
    response, complete, infection = (
        drawn_rates(numbers, outcome, ("car_t",))[:, 0] for outcome in ("orr", "cr_or_better", "infection_g3plus")
    )
    assert np.corrcoef(response, complete)[0, 1] > 0.3
    assert abs(np.corrcoef(response, infection)[0, 1]) < 0.05
    assert (complete < response).mean() > 0.99


def test_an_option_is_drawn_alike_whatever_else_is_asked_for(numbers):
    alone = drawn_rates(numbers, "orr", ("teclistamab",))[:, 0]
    among = drawn_rates(numbers, "orr", ("cilta-cel", "teclistamab", "bite"))[:, 1]
    assert np.array_equal(alone, among)


def test_every_number_can_be_drawn(numbers):
    for outcome in OUTCOMES:
        options = [option.id for option in numbers.pooled.options if (outcome, option.id) in numbers.place]
        drawn = drawn_rates(numbers, outcome, options)
        assert ((drawn > 0) & (drawn < 1)).all()


def test_shares_free_of_progression_have_the_intervals_of_the_curves(numbers):
    """The bias of the comparison, of SD 0.25 on the difference, widens them a little."""
    curves = survival_curves(numbers)
    options = [option for option in curves if option not in CLASSES]
    for month in (6, 12, 24):
        drawn = drawn_shares(numbers, month, options)
        for column, option in enumerate(options):
            low, high = curves[option].credible[month - 1]
            ends = np.quantile(drawn[:, column], [0.025, 0.975])
            assert (low, high) == pytest.approx(ends, abs=0.03), (option, month)
            assert curves[option].mean[month - 1] == pytest.approx(drawn[:, column].mean(), abs=POINT)


def test_a_curve_drawn_high_is_high_throughout(numbers):
    early, late = (drawn_shares(numbers, month, ("ide-cel",))[:, 0] for month in (6, 18))
    assert np.corrcoef(early, late)[0, 1] > 0.6
    assert (late < early).mean() > 0.99
