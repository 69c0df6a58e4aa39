"""Curves of one patient: properties, and the printed figures they have to meet."""

import numpy as np
import pytest

from bcma_decide import Patient
from bcma_decide.comparing.compare import compare, load_pooled
from bcma_decide.facts.traits import derive
from bcma_decide.model.numbers import patient_numbers
from bcma_decide.model.survival import averages_at, reaches, restricted_mean, survival_curves
from bcma_decide.vocabulary import MODEL_TRAIT_IDS, PFS
from tests.model.support.people import people_like, share_at

UNKNOWN = Patient()
KNOWN = {"high_risk_cytogenetics": "no", "prior_bcma": "no"}
NAIVE = Patient(extramedullary_disease="no", **KNOWN)


def numbers(patient, setting="real_world"):
    pooled = load_pooled()
    return patient_numbers(pooled, derive(patient, pooled.definitions), setting)


def computed(patient, setting="real_world"):
    rows = compare(patient, setting=setting).survival
    return {row.option: row for row in rows if row.kind == "computed"}


def at(row, month):
    return next(time for time in row.times if time.month == month)


@pytest.mark.parametrize("patient", [UNKNOWN, NAIVE, Patient(extramedullary_disease="yes", age=79)])
@pytest.mark.parametrize("setting", ["real_world", "interventional"])
def test_curves_fall_and_keep_inside_their_bands(patient, setting):
    for curve in survival_curves(numbers(patient, setting)).values():
        for side in (curve.mean, *curve.credible.T, *curve.prediction.T):
            assert (np.diff(side) <= 0).all()
            assert ((side > 0) & (side < 1)).all()
        assert (curve.prediction[:, 0] <= curve.credible[:, 0]).all()
        assert (curve.credible[:, 0] <= curve.mean).all()
        assert (curve.mean <= curve.credible[:, 1]).all()
        assert (curve.credible[:, 1] <= curve.prediction[:, 1]).all()


def test_a_class_is_the_average_of_its_products_with_a_curve():
    curves = survival_curves(numbers(UNKNOWN))
    average = (curves["teclistamab"].mean + curves["elranatamab"].mean) / 2
    assert curves["bite"].mean == pytest.approx(average, abs=1e-12)


@pytest.mark.parametrize(
    ("option", "low", "high"),
    [
        # 12 months in practice: US consortium, 236 patients, 68 % (62 to 74)
        ("cilta-cel", 0.62, 0.75),
        # CIBMTR 821 patients, median 8.8; German registry 47 % of 266 at 10 months
        ("ide-cel", 0.35, 0.48),
        # nine centres 53 % at 6 months, MSK 36 % at 18 months
        ("teclistamab", 0.34, 0.53),
    ],
)
def test_an_average_patient_in_practice_meets_the_registries(option, low, high):
    assert low < at(computed(UNKNOWN)[option], 12).mean < high


def test_extramedullary_disease_meets_its_published_medians():
    """CARTITUDE-4 12.6 months (1.2 to 18.4); ide-cel in practice 5.3 (4.1 to 6.9)."""
    rows = computed(Patient(extramedullary_disease="yes"))
    assert 8.0 < rows["cilta-cel"].median_months.value < 18.4
    assert 4.1 < rows["ide-cel"].median_months.value < 6.9


def test_the_average_over_a_trait_is_the_answer_without_it():
    """The mean over patients who have the trait or not, as often as they do, is that of patients unknown in it."""
    unknown = numbers(Patient(**KNOWN))
    everybody = people_like(unknown, PFS)
    share = float(everybody.weight @ everybody.values[:, MODEL_TRAIT_IDS.index("extramedullary_disease")])
    ends = [
        share_at(each, "ide-cel", people_like(each, PFS), 12.0)
        for each in (
            numbers(NAIVE),
            numbers(Patient(extramedullary_disease="yes", **KNOWN)),
        )
    ]
    whole = share_at(unknown, "ide-cel", everybody, 12.0)
    assert (1 - share) * ends[0] + share * ends[1] == pytest.approx(whole, abs=1e-3)


def test_a_trait_that_acts_in_neither_class_moves_nothing():
    curves = [
        survival_curves(numbers(patient))
        for patient in (NAIVE, Patient(extramedullary_disease="no", frail="yes", **KNOWN))
    ]
    for option, curve in curves[0].items():
        assert np.array_equal(curve.mean, curves[1][option].mean)


def test_the_share_at_a_month_is_that_of_the_curve():
    found = numbers(UNKNOWN)
    average = averages_at(found, ["cilta-cel"], 12.0)["cilta-cel"]
    assert average.weight @ average.rate == pytest.approx(survival_curves(found)["cilta-cel"].mean[11], abs=5e-3)


@pytest.mark.parametrize("option", ["cilta-cel", "teclistamab"])
def test_a_curve_is_the_average_over_drawn_parameters(option):
    """Levels, spread and trait effects drawn; in every draw the mean over centres and patients: nothing linearised."""
    found, rng, draws = numbers(UNKNOWN), np.random.default_rng(5), 3000
    pooled, patients = found.pooled, people_like(found, PFS)
    block = next(block for block in pooled.survival.blocks if option in block.products)
    levels, place, count = block.levels["real_world"], block.products.index(option), len(block.products)
    covariance = pooled.effect_blocks[pooled.family_index[PFS]][block.class_index, :, block.class_index]
    mean_effects = pooled.effects[pooled.family_index[PFS], block.class_index]
    effects = rng.multivariate_normal(mean_effects, covariance, draws)
    node = np.repeat(np.arange(levels.weight.size), rng.multinomial(draws, levels.weight))
    joint = np.concatenate(
        [rng.multivariate_normal(levels.mean[n], levels.covariance[n], (node == n).sum()) for n in np.unique(node)]
    )
    joint += (effects - mean_effects) @ block.slope.T
    points, weight = np.polynomial.hermite_e.hermegauss(9)
    for month in (3.0, 12.0, 24.0):
        time = np.log(month / 12.0)
        spread = np.sqrt(levels.tau[node] ** 2 + (time * pooled.survival.study_slope_sd) ** 2)
        line = joint[:, place] - time * joint[:, count + place]
        offset = (patients.values - pooled.reference) @ effects.T
        centres = (line[:, None] + spread[:, None] * points)[None] + offset[:, :, None]
        shares = patients.weight @ (1.0 / (1.0 + np.exp(-centres)) @ (weight / weight.sum()))
        curve, at = survival_curves(found)[option], int(month) - 1
        assert curve.mean[at] == pytest.approx(shares.mean(), abs=0.01)
        assert curve.credible[at] == pytest.approx(np.quantile(shares, [0.025, 0.975]), abs=0.02)


def test_unknown_everything_answers_with_a_sane_band():
    for option, row in computed(UNKNOWN).items():
        if row.state == "estimated":
            low, high = at(row, 12).credible
            assert 0.05 < high - low < 0.40, option
            assert row.moves or row.option not in ("car_t", "bite")


def test_a_product_without_a_curve_is_not_known():
    row = computed(UNKNOWN)["linvoseltamab"]
    assert row.state == "no_evidence"
    assert row.times == ()
    assert row.median_months is None
    assert "no published curve" in row.reason


def test_a_number_that_a_limit_takes_away_is_in_no_curve():
    patient = Patient(prior_bcma_courses=[{"kind": "bispecific", "months_since": 1}], progression_on_bcma="yes")
    row = computed(patient)["bite"]
    assert row.state == "withheld"
    assert row.curve == ()


def test_nothing_is_given_past_the_end_of_follow_up():
    for row in computed(NAIVE).values():
        assert all(point.month <= row.end_of_follow_up_months for point in (*row.times, *row.curve))


def test_the_same_question_gives_the_same_bytes():
    assert compare(NAIVE, explain=["pfs"]).model_dump_json() == compare(NAIVE, explain=["pfs"]).model_dump_json()


def test_the_month_at_which_a_share_is_reached():
    """90 % at 2 months and 40 % at 4: half at 2 + 2 x 40 / 50 = 3.6."""
    months, share, end = np.array([0.0, 2.0, 4.0]), np.array([1.0, 0.9, 0.4]), np.array(36.0)
    assert reaches(months, share, end) == pytest.approx(3.6)
    assert np.isnan(reaches(months, share, end, 0.3))
    assert np.isnan(reaches(months, share, np.array(3.0)))


def test_the_restricted_mean_of_a_straight_fall():
    """From 1 to 0.4 over 24 months: 24 x (1 + 0.4) / 2 = 16.8."""
    months = np.linspace(0.0, 36.0, 37)
    share = 1.0 - 0.025 * months
    assert restricted_mean(months, share, np.array(30.0), 24.0) == pytest.approx(16.8)
    assert np.isnan(restricted_mean(months, share, np.array(23.0), 24.0))
