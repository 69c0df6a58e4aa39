"""One patient's curves from the decision: the chance to be infused, the wait and the curve taken together."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from msgspec.structs import replace

from bcma_decide import load_model
from bcma_decide.model.decision_clock import chance_of_infusion, from_the_decision, months_of, together, waits_of
from bcma_decide.model.numbers import patient_numbers
from bcma_decide.model.survival import MONTHS, survival_curves
from bcma_decide.model.waiting import free_at
from bcma_decide.vocabulary import CLASSES
from tests.model.support.factory import traits

EMD = "extramedullary_disease"


@pytest.fixture(scope="module")
def asked():
    """Numbers, curves from the infusion and from the decision, of patients known by these traits."""

    def ask(setting="real_world", **known):
        numbers = patient_numbers(load_model(), traits(**known), setting)
        curves = survival_curves(numbers)
        return numbers, curves, from_the_decision(numbers, curves)

    return ask


def test_two_kinds_of_patients_by_hand():
    """20 of 100 have extramedullary disease: 68 % of them are infused and half of those are free, of the others 89 %
    and 80 %. Infused and free: .2 x .68 x .5 + .8 x .89 x .8 = .638; the product of the means is .848 x .74 = .627."""
    factor = together(np.array([0.68, 0.89]), np.array([[0.5, 0.8]]), np.array([0.2, 0.8]))
    assert pytest.approx(factor[0]) == 0.6376 / (0.848 * 0.74)


def test_alike_in_everything_they_are_independent():
    factor = together(np.array([0.9, 0.9]), np.array([[0.5, 0.8]]), np.array([0.2, 0.8]))
    assert factor[0] == pytest.approx(1.0)


def test_car_t_only(asked):
    numbers, curves, found = asked()
    car_t = {option.id for option in numbers.pooled.options if option.class_id == CLASSES[0]}
    assert car_t & curves.keys() == found.keys()
    assert {"car_t", "cilta-cel", "ide-cel"} <= found.keys()


@pytest.mark.parametrize("setting", ["real_world", "interventional"])
@pytest.mark.parametrize(
    "known", [{}, {EMD: True}, {EMD: False, "age": 70}], ids=["nothing", "with EMD", "without EMD"]
)
def test_no_one_gains_by_the_way(asked, known, setting):
    """Below the curve from the infusion that everybody would have after the wait, falling, inside its intervals."""
    numbers, curves, found = asked(setting, **known)
    for option, line in found.items():
        waits = months_of(waits_of(numbers.pooled, option)[0])
        shifted = free_at(MONTHS, curves[option].mean, line.months[:, None] - waits).mean(axis=1)
        # a class is the average of its products, each with its own wait
        slack = 0.01 if option in CLASSES else 1e-9
        assert (line.mean <= shifted + slack).all()
        assert (np.diff(line.mean) <= 0).all()
        edges = line.prediction[:, 0], line.credible[:, 0], line.mean, line.credible[:, 1], line.prediction[:, 1]
        assert all((inner >= outer - 1e-9).all() for outer, inner in pairwise(edges))
        assert line.first.waiting[0] == 1.0


def test_extramedullary_disease_lowers_every_month(asked):
    (present, _, with_it), (_, _, unknown), (absent, _, without) = asked(**{EMD: True}), asked(), asked(**{EMD: False})
    for option in with_it:
        assert (with_it[option].mean < unknown[option].mean).all()
        assert (unknown[option].mean < without[option].mean).all()
        assert chance_of_infusion(present, option).mean < chance_of_infusion(absent, option).mean - 0.05


def test_of_patients_alike_in_it_the_curve_is_the_product_of_the_two_headlines(asked):
    """With extramedullary disease known nothing else acts on both: months after the last infusion, the chance to be
    infused times the curve at the mean of the waits' distances."""
    numbers, curves, found = asked(**{EMD: True})
    for option in ("cilta-cel", "ide-cel"):
        waits = months_of(waits_of(numbers.pooled, option)[0])
        for month in (6, 12, 24):
            expected = chance_of_infusion(numbers, option).mean * float(
                free_at(MONTHS, curves[option].mean, month - waits).mean()
            )
            assert expected == pytest.approx(found[option].mean[month - 1], abs=1e-4)


def test_where_it_is_unknown_losses_fall_on_those_who_would_do_worse(asked):
    """The mean of the product lies above the product of the means."""
    numbers, curves, found = asked()
    waits = months_of(waits_of(numbers.pooled, "cilta-cel")[0])
    apart = chance_of_infusion(numbers, "cilta-cel").mean * float(
        free_at(MONTHS, curves["cilta-cel"].mean, 12 - waits).mean()
    )
    assert 0.002 < found["cilta-cel"].mean[11] - apart < 0.03


def test_a_class_is_the_average_of_its_products(asked):
    _, _, found = asked(age=66)
    mean = (found["cilta-cel"].mean + found["ide-cel"].mean) / 2
    assert mean == pytest.approx(found["car_t"].mean)


def test_nothing_is_known_past_the_end_of_follow_up_and_the_wait(asked):
    numbers, _, found = asked()
    for option in ("cilta-cel", "ide-cel"):
        end = numbers.pooled.survival.options[option].end_of_follow_up
        assert end + months_of(waits_of(numbers.pooled, option)[0]).min() == pytest.approx(found[option].end)
    assert found["car_t"].end == min(found["cilta-cel"].end, found["ide-cel"].end)


def test_a_product_without_a_wait_of_its_own_has_those_of_its_class():
    pooled = load_model()
    ways = {option: way for option, way in pooled.way.ways.items() if option != "cilta-cel"}
    numbers = patient_numbers(replace(pooled, way=replace(pooled.way, ways=ways)), traits(), "real_world")
    waits, own = waits_of(numbers.pooled, "cilta-cel")
    assert (waits, own) == (pooled.way.of("ide-cel").waits[:1], False)
    assert "cilta-cel" in from_the_decision(numbers, survival_curves(numbers))


def test_without_any_published_wait_there_is_nothing_from_the_decision():
    pooled = load_model()
    numbers = patient_numbers(replace(pooled, way=replace(pooled.way, ways={})), traits(), "real_world")
    assert from_the_decision(numbers, survival_curves(numbers)) == {}
