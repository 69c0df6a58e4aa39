"""One class at one stage: what its arms carry, the prior of gamma, and products without an arm."""

import numpy as np
import pytest

from bcma_decide.pooled.seal import SETTINGS
from bcma_decide.vocabulary import FAMILY_OF
from bcma_decide.workshop.patient_model.class_fit import (
    ClassFit,
    baseline_prior,
    class_arms,
    fit_class,
    model_rows,
    setting_prior,
)
from bcma_decide.workshop.patient_model.option_blocks import levels_block, option_entry, weighted_median
from bcma_decide.workshop.patient_model.stages import of_all
from tests.support.cases import for_each
from tests.workshop.patient_model.support.real import effects, inputs, workshop
from tests.workshop.patient_model.support.rows import selected

PRIOR = baseline_prior(inputs().assumptions)
STATED = inputs().assumptions.priors


def arms(*parts):
    """Arms of (design, patients) each."""
    return of_all(selected(str(i), "orr", n // 2, n, design=design) for i, (design, n) in enumerate(parts))


def first_stage(mean, variance):
    return ClassFit((), (), (), None, (mean, variance))  # type: ignore[arg-type]


@for_each("trials", [30, 300])
def test_gamma_is_wide_where_both_settings_have_thirty_patients(trials):
    counted = arms(("interventional", trials), ("real_world", 30))
    assert setting_prior(PRIOR, inputs().assumptions, counted, first_stage(0.5, 0.1)) == PRIOR


@for_each("counted", [arms(("interventional", 300), ("real_world", 29)), arms(("real_world", 300))])
def test_gamma_of_a_later_stage_is_that_of_the_first_with_a_spread(counted):
    """First stage -0.5 with variance 0.09; stages differ by 0.4: sd sqrt(0.09 + 0.16) = 0.5."""
    assert STATED.real_world_other_threshold_sd.value == 0.4
    found = setting_prior(PRIOR, inputs().assumptions, counted, first_stage(-0.5, 0.09))
    assert (found.real_world_mean, found.real_world_sd) == (-0.5, pytest.approx(0.5))


def test_gamma_of_a_first_stage_with_one_setting_is_narrow_around_zero():
    found = setting_prior(PRIOR, inputs().assumptions, arms(("interventional", 300)), None)
    assert (found.real_world_mean, found.real_world_sd) == (0.0, STATED.real_world_unseen_sd.value)


def test_rows_of_a_near_definition_do_not_tell_gamma():
    rows = [
        selected("a", "icans_any", 20, 100),
        selected("b", "icans_any", 20, 100, design="real_world", near=True, definition="neurotoxicity_reported"),
    ]
    found = setting_prior(PRIOR, inputs().assumptions, of_all(rows), None)
    assert found.real_world_sd == STATED.real_world_unseen_sd.value


def rows_of(outcome, class_id):
    return [row for row in model_rows(inputs(), outcome, include_unverified=False)[0] if row.class_id == class_id]


def test_an_arm_carries_its_counts_setting_region_and_definition():
    rows = rows_of("icans_any", "car_t")
    products = tuple(sorted({product for row in rows for product in row.products}))
    found = class_arms(workshop(), inputs(), of_all(rows), np.zeros(17), products)
    place = {(row.study, row.arm): i for i, row in enumerate(rows)}
    for (study, _), i in place.items():
        told = inputs().studies[study]
        assert (found.events[i], found.total[i]) == (rows[i].events, rows[i].n)
        assert found.region[i] == (told.region in inputs().assumptions.east_asia.regions)
        assert found.real_world[i] == (told.design == "real_world")
        assert found.near[i] == (rows[i].near and rows[i].definition == "neurotoxicity_reported")
    assert found.near.sum() > 1
    assert found.region.sum() > 1
    assert found.products.sum(axis=1) == pytest.approx(np.ones(len(rows)))
    assert not found.extra_variance.any()


def test_traits_an_arm_does_not_report_widen_its_level_by_effect_times_spread():
    rows = rows_of("orr", "bite")
    products = tuple(sorted({product for row in rows for product in row.products}))
    b = np.zeros(17)
    b[3] = -0.9  # extramedullary disease
    found = class_arms(workshop(), inputs(), of_all(rows), b, products)
    for row, extra in zip(rows, found.extra_variance, strict=True):
        margin = workshop().margins_of(inputs().studies[row.study])[3]
        expected = 0.0 if margin.reported else (0.9 * margin.uncertainty) ** 2
        assert expected == pytest.approx(extra), row.study


def test_a_product_without_an_arm_is_a_further_product_of_the_class():
    """Its level lies at that of the class, with the spread between products on top: wider than any with rows."""
    rows = [row for row in rows_of("orr", "bite") if row.products != ("linvoseltamab",)]
    fitted = fit_class(workshop(), inputs(), of_all(rows), effects("response").mean[1], PRIOR)
    base, names = fitted.baselines, fitted.products
    own = dict(zip(names, fitted.own, strict=True))
    assert not own["linvoseltamab"]
    sd = dict(zip(names, np.sqrt(np.diag(base.covariance))[: len(names)], strict=True))
    assert all(sd["linvoseltamab"] > sd[name] for name in names if own[name])
    entry = option_entry(FAMILY_OF["orr"], {"id": "linvoseltamab", "kind": "product"}, "bite", rows, [fitted], inputs())
    assert (entry["state"], entry["further_product"]) == ("estimated", True)
    assert entry["n_patients"] == sum(row.n for row in rows)


def test_the_document_holds_both_settings_of_the_offered_products_in_order():
    rows = rows_of("orr", "bite")
    fitted = fit_class(workshop(), inputs(), of_all(rows), effects("response").mean[1], PRIOR)
    block = levels_block(fitted, 6)
    count = len(fitted.products)
    for index, setting in enumerate(SETTINGS):
        part = block["settings"][setting]
        mean = part["weight"] @ part["mean"]
        assert mean == pytest.approx(fitted.baselines.mean[index * count : (index + 1) * count], abs=1e-9)
        assert part["weight"].sum() == pytest.approx(1.0)
        assert all(np.linalg.eigvalsh(matrix)[0] > 0 for matrix in part["covariance"])
    gamma = fitted.setting_difference[0]
    settings = [block["settings"][s]["weight"] @ block["settings"][s]["mean"] for s in ("interventional", "real_world")]
    assert settings[1] - settings[0] == pytest.approx(np.full(count, gamma), abs=1e-9)


def test_too_little_gives_a_reason_in_place_of_a_number():
    option, family = {"id": "car_t", "kind": "class"}, FAMILY_OF["orr"]
    few = [selected("karmma", "orr", 20, 40)]
    fitted = fit_class(workshop(), inputs(), of_all(few), np.zeros(17), PRIOR)
    assert option_entry(family, option, "car_t", few, [fitted], inputs())["state"] == "too_thin"
    assert option_entry(family, option, "car_t", [], [None], inputs())["reason"] == "no study with a usable count"
    delayed = FAMILY_OF["delayed_neurotoxicity"]
    assert (
        option_entry(delayed, {"id": "bite", "kind": "class"}, "bite", [], [None], inputs())["state"]
        == "not_applicable"
    )


def test_the_weighted_median_by_hand():
    """Weights 1, 1, 3: half of 5 is reached at the third value; 2, 2: at the first."""
    assert weighted_median([3.0, 9.0, 20.0], [1, 1, 3]) == 20.0
    assert weighted_median([9.0, 3.0], [2, 2]) == 3.0
